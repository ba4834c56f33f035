"""The text of a lesson as its page shows it: headings that can be linked to, and their list. Pure.

Ids are made of the heading's own words, so that a place that was remembered is still found after something was added before
it. The HTML comes cleaned from the pack, where no element has an id.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import unescape
from typing import Final

from node.reading_places import HEADING_MOST

LIST_FROM: Final = 3
"""Lessons with fewer headings than that need no list of them."""
_HEADING: Final = re.compile(r"<h([2-5])>(.*?)</h\1>", re.DOTALL)
_TAG: Final = re.compile(r"<[^<>]*>")
_BEGINNING: Final = "bagian-"


@dataclass(frozen=True, slots=True)
class Heading:
    """`text` is plain."""

    id: str
    level: int
    text: str


def with_ids(html: str) -> tuple[str, list[Heading]]:
    """The same text, each heading with an id of its own; and the headings in order."""
    found: list[Heading] = []
    taken: set[str] = set()

    def named(match: re.Match[str]) -> str:
        level, inner = match[1], match[2]
        text = " ".join(unescape(_TAG.sub("", inner)).split())
        id_ = _free_id(text, taken)
        taken.add(id_)
        found.append(Heading(id_, int(level), text))
        # An empty heading stays: it is the author's.
        return f'<h{level} id="{id_}">{inner}</h{level}>'

    return _HEADING.sub(named, html), found


def _free_id(text: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: HEADING_MOST - len(_BEGINNING) - 5].strip("-")
    id_ = _BEGINNING + words if words else f"{_BEGINNING}{len(taken) + 1}"
    number, free = 2, id_
    while free in taken:
        free, number = f"{id_}-{number}", number + 1
    return free
