"""Charts as shapes and words on a sheet 340 units wide, drawn by `charts.html`, each with its numbers as a table. Pure.

A sheet is as wide as the text of a phone, so that words on it stay readable there. Colours are classes of the style; no
chart says by colour alone what it doesn't also say by a number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.provinces import COLUMNS, ROWS, TILES

WIDTH: Final = 340
_ROW: Final = 40
_BAR: Final = 12
_PLOT: Final = 130
_HEAD: Final = 20
_GAP: Final = 2
_LABEL_MOST: Final = 34
"""Characters of a label that fit beside a number."""
_WORD: Final = 27
"""What a word below a column needs."""
SHADES: Final = 4
"""Tiles are shaded in as many steps."""


@dataclass(frozen=True, slots=True)
class Value:
    """One number of a chart: `share` is how long its mark is (0 to 1, None for nothing to show), `text` how it reads."""

    label: str
    share: float | None
    text: str
    link: str = ""
    short: str = ""
    """What stands below a column in place of the label."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The same before and after."""

    label: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Shape:
    x: float
    y: float
    width: float
    height: float
    looks: str


@dataclass(frozen=True, slots=True)
class Word:
    """A text at a place; `anchor` says which end of it stands there."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    looks: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What belongs together: its shapes and words, what it is called, and where it leads."""

    shapes: tuple[Shape, ...]
    words: tuple[Word, ...]
    name: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, and the same numbers in rows under `head`."""

    title: str
    description: str
    height: float
    marks: tuple[Mark, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_linked: bool = False


def bars(title: str, description: str, head: tuple[str, str], values: Sequence[Value]) -> Chart:
    """A bar for each value, its label and number above it."""
    marks = []
    for at, value in enumerate(values):
        y = at * _ROW
        shapes = (Shape(0, y + 19, WIDTH, _BAR, "ground"), *_bar(value.share, y + 19, "after"))
        marks.append(Mark(shapes, _line(value.label, value.text, y + 14), f"{value.label}: {value.text}"))
    rows = tuple((value.label, value.text) for value in values)
    return Chart(title, description, len(values) * _ROW, tuple(marks), head, rows)


def columns(title: str, description: str, head: tuple[str, str], values: Sequence[Value]) -> Chart:
    """A column for each value in its order, its number above it; below it the label where there is room."""
    step = WIDTH / max(1, len(values))
    every = max(1, -(-_WORD // int(step)) if step >= 1 else len(values))
    floor = _HEAD + _PLOT
    marks = []
    for at, value in enumerate(values):
        height = _PLOT * (value.share or 0)
        middle = at * step + step / 2
        words = []
        if value.share and len(value.text) * 7 <= step + 2:
            words.append(Word(middle, floor - height - 5, value.text, "middle", "strong"))
        if at % every == 0:
            words.append(Word(middle, floor + 16, value.short or value.label, "middle"))
        shape = Shape(at * step + step * 0.12, floor - height, step * 0.76, height, "after")
        marks.append(Mark((shape,), tuple(words), f"{value.label}: {value.text}"))
    ground = Mark((Shape(0, floor, WIDTH, 1, "axis"),), (), "")
    rows = tuple((value.label, value.text) for value in values)
    return Chart(title, description, floor + 24, (ground, *marks), head, rows)


def pairs(title: str, description: str, head: tuple[str, str, str], values: Sequence[Pair]) -> Chart:
    """Two bars for each: before and after, their numbers at the side."""
    row, marks = 64, []
    for at, pair in enumerate(values):
        y = at * row
        shapes: list[Shape] = []
        words = [Word(0, y + 14, _short(pair.label), looks="strong")]
        for place, value, looks in ((y + 20, pair.before, "before"), (y + 38, pair.after, "after")):
            shapes += [
                Shape(0, place, WIDTH - 50, _BAR + 2, "ground"),
                *_bar(value.share, place, looks, WIDTH - 50, 2),
            ]
            words.append(Word(WIDTH, place + 12, value.text, "end"))
        name = f"{pair.label}: {pair.before.label} {pair.before.text}, {pair.after.label} {pair.after.text}"
        marks.append(Mark(tuple(shapes), tuple(words), name))
    rows = tuple((pair.label, pair.before.text, pair.after.text) for pair in values)
    return Chart(title, description, len(values) * row, tuple(marks), head, rows)


def tiles(title: str, description: str, head: tuple[str, str], values: Mapping[str, Value]) -> Chart:
    """A tile for each province, with its letters and its number, shaded by its share; each leads to its page."""
    size = WIDTH / COLUMNS
    marks = []
    for code, tile in sorted(TILES.items(), key=lambda one: (one[1].row, one[1].column)):
        value = values.get(code)
        if value is None:
            continue
        x, y = tile.column * size, tile.row * size
        shape = Shape(x + _GAP / 2, y + _GAP / 2, size - _GAP, size - _GAP, f"tile {shade(value.share)}")
        dark = " ondark" if value.share is not None and value.share >= 0.5 else ""
        words = (
            Word(x + size / 2, y + 14, tile.letters, "middle", f"letters{dark}"),
            Word(x + size / 2, y + 28, value.text, "middle", f"figure{dark}"),
        )
        marks.append(Mark((shape,), words, f"{value.label}: {value.text}", value.link))
    rows = tuple(
        (f"{values[code].label} ({TILES[code].letters})", values[code].text)
        for code in sorted(values)
        if code in TILES
    )
    return Chart(title, description, ROWS * size, tuple(marks), head, rows, is_linked=True)


def shade(share: float | None) -> str:
    """The class of a tile: how far it is, in quarters."""
    return "unknown" if share is None else f"quarter{min(SHADES - 1, int(share * SHADES))}"


def shares(counts: Collection[float | None]) -> list[float | None]:
    """How long the marks of these numbers are, the largest as long as there is room."""
    most = max((count for count in counts if count), default=0)
    return [None if count is None else count / most if most else 0.0 for count in counts]


def _bar(share: float | None, y: float, looks: str, width: float = WIDTH, more: float = 0) -> list[Shape]:
    return [] if not share else [Shape(0, y, max(2, width * min(1.0, share)), _BAR + more, looks)]


def _line(label: str, text: str, y: float) -> tuple[Word, ...]:
    return Word(0, y, _short(label)), Word(WIDTH, y, text, "end", "strong")


def _short(label: str) -> str:
    return label if len(label) <= _LABEL_MOST else f"{label[: _LABEL_MOST - 1]}…"
