"""Counts what becomes of foreign material and says it: one plain sentence for each kind of thing, with its number.

Sentences are marked with `N_`, hold `%(count)s`, and are translated when the report is made. Up to three examples help an
author to find what is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import gettext as _
from typing import Final

from content_packs.importers.draft import Report
from sync.errors import N_

_EXAMPLES: Final = 3
_EXAMPLE_LENGTH: Final = 60
_WITH_EXAMPLES: Final = N_("%(sentence)s Contoh: %(examples)s.")

_Counts = dict[tuple[str, tuple[tuple[str, object], ...]], tuple[int, list[str]]]


class Tally:
    """What was taken, changed and left out so far. Each of the three is given a sentence, and which thing it was."""

    def __init__(self) -> None:
        self._taken: _Counts = {}
        self._changed: _Counts = {}
        self._left_out: _Counts = {}

    def take(self, text: str, count: int = 1, example: str = "", **details: object) -> None:
        _count(self._taken, text, count, example, details)

    def change(self, text: str, count: int = 1, example: str = "", **details: object) -> None:
        _count(self._changed, text, count, example, details)

    def leave_out(self, text: str, count: int = 1, example: str = "", **details: object) -> None:
        _count(self._left_out, text, count, example, details)

    def report(self) -> Report:
        return Report(_said(self._taken), _said(self._changed), _said(self._left_out))


def _count(counts: _Counts, text: str, count: int, example: str, details: Mapping[str, object]) -> None:
    if count <= 0:
        return
    key = (text, tuple(sorted(details.items())))
    so_far, examples = counts.setdefault(key, (0, []))
    shown = " ".join(example.split())[:_EXAMPLE_LENGTH]
    if shown and shown not in examples and len(examples) < _EXAMPLES:
        examples.append(shown)
    counts[key] = (so_far + count, examples)


def _said(counts: _Counts) -> list[str]:
    sentences = []
    for (text, details), (count, examples) in counts.items():
        sentence = _(text) % {"count": count, **dict(details)}
        if examples:
            sentence = _(_WITH_EXAMPLES) % {"sentence": sentence, "examples": "; ".join(examples)}
        sentences.append(sentence)
    return sentences
