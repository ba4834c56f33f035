"""The list that an officer takes along, on paper: A4 lying, a table a district, boxes to tick and room to sign.

Knows texts only, all in the words of whoever prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

_QR_SIDE: Final = 26.0


@dataclass(frozen=True, slots=True)
class Stop:
    """One village on the way, in words."""

    name: str
    code: str
    district: str
    heard: str
    to_do: tuple[str, ...]
    to_bring: tuple[str, ...]
    to_ask: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What stands around the stops. `address` is the centre's own, empty where nobody wrote it down."""

    title: str
    place: str
    about: str
    printed: str
    pages: str
    headings: tuple[str, ...]
    address: str
    scan: str
    language: str


def drawn(words: Words, stops: Sequence[Stop], made_at: datetime) -> bytes:
    """The PDF. The same texts and the same moment give the same bytes; `made_at` must know its zone."""
    # Here, because fpdf2 takes memory that a centre which prints nothing needn't spend.
    from web.paper import MARGIN, MUTED, Column, Imprint, Paper

    paper = Paper(
        Imprint(words.title, words.place, words.printed, made_at, words.pages, words.language),
        landscape=True,
    )
    top = paper.pdf.get_y()
    if words.address:
        left = paper.width - MARGIN - _QR_SIDE
        paper.draw_qr(words.address, left, top, _QR_SIDE)
        paper.line(words.scan, top + 4, 8, MUTED, x=left - 92, width=90, side="R")
        paper.line(words.address, top + 9, 8, x=left - 92, width=90, side="R")
        paper.pdf.set_xy(MARGIN, top)
    paper.heading(words.title)
    paper.text(words.place, 11, bold=True)
    paper.text(words.about, colour=MUTED)
    if words.address:
        paper.pdf.set_y(max(paper.pdf.get_y(), top + _QR_SIDE + 2))
    shares = (3.2, 2.6, 5.2, 4.4, 3.4, 3.4)
    columns = [Column("", 0.7)] + [
        Column(heading, share) for heading, share in zip(words.headings, shares, strict=True)
    ]
    for district, here in groupby(stops, key=lambda stop: stop.district):
        paper.heading(district, 13)
        paper.table(columns, [_row(stop) for stop in here], size=8)
    return paper.written()


def _row(stop: Stop) -> list[str]:
    """An empty square is what the fonts draw for a box to tick."""
    return [
        "□",
        f"{stop.name}\n{stop.code}",
        stop.heard,
        "\n".join(stop.to_do),
        "\n".join(f"□ {one}" for one in stop.to_bring),
        "\n".join(stop.to_ask),
        "",
    ]
