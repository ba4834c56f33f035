"""A certificate on paper: A4 lying, a frame, the person's name large, and a square code that proves it without internet.

Knows texts only, all in the words of whoever prints. It never speaks of an electronic signature, which is a legal term
(UU ITE, PP 71/2019): what it bears is a *segel digital*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from web.paper import BARK, INK, LEAF_DEEP, MUTED, SANS, SERIF, Imprint, Paper

_QR_SIDE: Final = 46.0
_INSET: Final = 22.0


@dataclass(frozen=True, slots=True)
class CertificateText:
    """Every line of one certificate, from the top to the bottom. Empty ones are left out."""

    heading: str
    number: str
    given_to: str
    name: str
    who: str
    for_what: str
    course: str
    facts: str
    standing: str
    """What the paper proves, in one or two sentences."""
    scan: str
    """What to do with the square code."""
    code: str
    """What the square code says."""
    is_final: bool


def drawn(text: CertificateText, imprint: Imprint) -> bytes:
    """The PDF. The same texts and the same moment give the same bytes."""
    paper = Paper(imprint, landscape=True, bare=True)
    paper.frame()
    paper.logo(paper.width / 2 - 9, 18, 18)
    room = paper.width - 2 * _INSET

    def centred(
        line: str, y: float, size: float, *, serif: bool = False, bold: bool = False, soft: bool = False
    ) -> None:
        colour = MUTED if soft else LEAF_DEEP if serif else INK
        family = SERIF if serif else SANS
        if line:
            paper.line(line, y, size, colour, x=_INSET, width=room, family=family, bold=bold)

    centred(text.heading, 38, 30, serif=True, bold=True)
    paper.line(text.number, 52, 11, MUTED if text.is_final else BARK, x=_INSET, width=room, bold=True)
    centred(text.given_to, 64, 12, soft=True)
    centred(text.name, 72, 34, serif=True, bold=True)
    centred(text.who, 89, 12)
    centred(text.for_what, 102, 12, soft=True)
    centred(text.course, 110, 22, serif=True, bold=True)
    centred(text.facts, 123, 12)
    _draw_proof(paper, text, paper.height - _INSET - _QR_SIDE)
    return paper.written()


def _draw_proof(paper: Paper, text: CertificateText, y: float) -> None:
    """The square code with what it proves beside it."""
    paper.draw_qr(text.code, _INSET + 2, y, _QR_SIDE)
    left = _INSET + _QR_SIDE + 10
    paper.pdf.set_left_margin(left)
    paper.pdf.set_right_margin(_INSET + 4)
    paper.pdf.set_xy(left, y + 8)
    paper.text(text.standing, 11, bold=True)
    paper.text(text.scan, 10, MUTED)
    paper.text(f"{paper.imprint.village} · {paper.imprint.printed}", 9, MUTED)
