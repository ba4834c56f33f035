"""Paper: the base of every PDF that Lontar makes, with its own fonts, colours, band and logo.

A `Paper` knows millimetres, lines, tables and square codes; it knows no course and no person. The same calls with the
same `Imprint` give the same bytes. fpdf2 is imported when the first page is made and not before: a laptop that prints
nothing shall not carry it in memory. What the fonts don't hold is drawn as an empty square.

Source: fpdf2 (https://py-pdf.github.io/fpdf2); the fonts and their licences are in `web/fonts`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from fpdf import FPDF

Colour = tuple[int, int, int]
Side = Literal["L", "C", "R"]

INK: Final[Colour] = (42, 33, 24)
MUTED: Final[Colour] = (101, 83, 61)
LEAF: Final[Colour] = (31, 81, 56)
LEAF_DEEP: Final[Colour] = (20, 55, 38)
LEAF_TINT: Final[Colour] = (227, 237, 220)
BARK: Final[Colour] = (132, 64, 15)
GOLD: Final[Colour] = (200, 150, 62)
LINE: Final[Colour] = (221, 207, 174)
SAND: Final[Colour] = (239, 229, 203)
WHITE: Final[Colour] = (255, 255, 255)

SANS: Final = "lontar-sans"
SERIF: Final = "lontar-serif"
MARGIN: Final = 14.0
LONGEST_CELL: Final = 600

_SIGNS: Final = "lontar-signs"
_FONTS: Final = Path(__file__).parent / "fonts"
_LOGO: Final = Path(__file__).parent / "static" / "logo.svg"
_FILES: Final = (
    (SANS, "", "LontarSans-Regular.ttf"),
    (SANS, "B", "LontarSans-Bold.ttf"),
    (SERIF, "", "LontarSerif-Regular.ttf"),
    (SERIF, "B", "LontarSerif-Bold.ttf"),
    (_SIGNS, "", "LontarSigns-Regular.ttf"),
)
_BAND_STRIPE: Final = 2.4
_QUIET_MODULES: Final = 4
_UNKNOWN: Final = "□"


@dataclass(frozen=True, slots=True)
class Imprint:
    """What stands around the text of each page, in the words of whoever prints."""

    title: str
    village: str
    printed: str
    """When it was printed, in the village's zone, as a sentence: "Dicetak 26 November 2026 pukul 14.05 WIB"."""
    made_at: datetime
    """The same moment for the file itself; must know its zone."""
    page_words: str = "Halaman %(page)s dari %(pages)s"
    language: str = "id"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its heading, its share of the width and where its text stands."""

    heading: str
    share: float = 1.0
    side: Side = "L"


class Paper:
    """A PDF under way, A4. `pdf` is fpdf2's own, for what isn't offered here.

    `bare` pages have neither head nor foot and never break on their own: certificates are drawn on them.
    """

    def __init__(self, imprint: Imprint, *, landscape: bool = False, bare: bool = False) -> None:
        self.imprint = imprint
        self.pdf = _opened(self, landscape=landscape, bare=bare)
        self.pdf.add_page()

    @property
    def width(self) -> float:
        return float(self.pdf.w)

    @property
    def height(self) -> float:
        return float(self.pdf.h)

    def heading(self, text: str, size: float = 20) -> None:
        """A heading in the serif, with room below it; never alone at the foot of a page."""
        if self.pdf.get_y() + size > self.pdf.page_break_trigger:
            self.pdf.add_page()
        self._write(text, size, LEAF_DEEP, family=SERIF, bold=True)
        self.pdf.ln(size * 0.09)

    def text(self, text: str, size: float = 10, colour: Colour = INK, *, bold: bool = False) -> None:
        """A paragraph over the whole width."""
        self._write(text, size, colour, bold=bold)
        self.pdf.ln(size * 0.15)

    def space(self, height: float) -> None:
        self.pdf.ln(height)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], size: float = 9) -> None:
        """Rows under headings that come again on each page; long text is wrapped, what is endless is cut with "…"."""
        from fpdf.fonts import FontFace

        self._ink(size, INK)
        self.pdf.set_draw_color(*LINE)
        self.pdf.set_line_width(0.2)
        with self.pdf.table(
            col_widths=tuple(column.share for column in columns),
            text_align=tuple(column.side for column in columns),
            headings_style=FontFace(emphasis="BOLD", color=LEAF_DEEP, fill_color=SAND),
            borders_layout="HORIZONTAL_LINES",
            line_height=size * 0.48,
            padding=(1.3, 1.6),
            v_align="MIDDLE",
            align="LEFT",
        ) as table:
            table.row([printable(column.heading) for column in columns])
            for row in rows:
                table.row([printable(_cut(cell)) for cell in row])
        self.pdf.ln(size * 0.5)

    def line(
        self,
        text: str,
        y: float,
        size: float,
        colour: Colour = INK,
        *,
        x: float = 0.0,
        width: float | None = None,
        side: Side = "C",
        family: str = SANS,
        bold: bool = False,
    ) -> float:
        """One line whose top is at `y` between `x` and `x + width` (the whole page), smaller if it doesn't fit.

        Returns the size it was set in.
        """
        room = self.width - x if width is None else width
        shown = printable(text)
        while True:
            self._ink(size, colour, family=family, bold=bold)
            if self.pdf.get_string_width(shown) <= room or size <= 5:
                break
            size -= 0.5
        self.pdf.set_xy(x, y)
        self.pdf.cell(room, size * 0.42, shown, align=side)
        return size

    def band(self, x: float, y: float, width: float, height: float) -> None:
        """The slanting stripes that run along the top of each of Lontar's pages."""
        slant = height * 0.466  # 115 degrees, as in the stylesheet
        with self.pdf.local_context(), self.pdf.rect_clip(x, y, width, height):
            self.pdf.set_fill_color(*LEAF_DEEP)
            self.pdf.rect(x, y, width, height, style="F")
            for place, colour in enumerate((GOLD, BARK)):
                self.pdf.set_fill_color(*colour)
                left = x - 3 * _BAND_STRIPE + place * _BAND_STRIPE
                while left < x + width:
                    right = left + _BAND_STRIPE
                    self.pdf.polygon(
                        [(left + slant, y), (right + slant, y), (right, y + height), (left, y + height)],
                        style="F",
                    )
                    left += 3 * _BAND_STRIPE

    def frame(self, inset: float = 8.0) -> None:
        """A frame for a page that hangs on a wall: the band above and below, two fine lines around."""
        wide, high = self.width - 2 * inset, self.height - 2 * inset
        self.band(inset, inset, wide, 4)
        self.band(inset, inset + high - 4, wide, 4)
        for distance, colour, thickness in ((0.0, LEAF_DEEP, 0.7), (6.0, GOLD, 0.35)):
            self.pdf.set_draw_color(*colour)
            self.pdf.set_line_width(thickness)
            self.pdf.rect(inset + distance, inset + distance, wide - 2 * distance, high - 2 * distance)

    def logo(self, x: float, y: float, side: float) -> None:
        self.pdf.image(_LOGO, x, y, side, side)

    def draw_qr(self, text: str, x: float, y: float, side: float) -> None:
        """A square code that says `text`, drawn as vectors on white; `side` includes its quiet zone."""
        import segno

        rows = [bytes(row) for row in segno.make(text, micro=False, error="m").matrix]
        step = side / (len(rows) + 2 * _QUIET_MODULES)
        self.pdf.set_fill_color(*WHITE)
        self.pdf.rect(x, y, side, side, style="F")
        # One path for the whole code: separate squares would show hairlines between them on some screens.
        with self.pdf.new_path() as path:
            path.style.fill_color = "#000000"
            path.style.stroke_color = None
            for row, cells in enumerate(rows):
                for start, length in _runs(cells):
                    left, top = x + (start + _QUIET_MODULES) * step, y + (row + _QUIET_MODULES) * step
                    path.rectangle(left, top, length * step, step)

    def written(self) -> bytes:
        """The finished file."""
        return bytes(self.pdf.output())

    def _write(
        self, text: str, size: float, colour: Colour, *, family: str = SANS, bold: bool = False
    ) -> None:
        self._ink(size, colour, family=family, bold=bold)
        self.pdf.multi_cell(0, size * 0.48, printable(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def _ink(self, size: float, colour: Colour, *, family: str = SANS, bold: bool = False) -> None:
        self.pdf.set_font(family, "B" if bold else "", size)
        self.pdf.set_text_color(*colour)


def printable(text: str) -> str:
    """`text` as the fonts can show it: composed letters, an empty square for what they don't hold."""
    known = _known_signs()
    return "".join(
        sign if sign == "\n" or ord(sign) in known else _UNKNOWN
        for sign in unicodedata.normalize("NFC", text.replace("\t", " "))
    )


@cache
def _known_signs() -> frozenset[int]:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped, unused-ignore]

    names = ("LontarSans-Regular.ttf", "LontarSigns-Regular.ttf")
    return frozenset(code for name in names for code in TTFont(_FONTS / name).getBestCmap())


def _opened(paper: Paper, *, landscape: bool, bare: bool) -> FPDF:
    from fpdf import FPDF

    class Sheet(FPDF):
        """fpdf2 asks its own class what to draw around a page."""

        def header(self) -> None:
            if not bare:
                _draw_head(paper, self)

        def footer(self) -> None:
            if not bare:
                _draw_foot(paper, self)

    pdf = Sheet(orientation="landscape" if landscape else "portrait", unit="mm", format="A4")
    paper.pdf = pdf
    for family, style, name in _FILES:
        pdf.add_font(family, style, _FONTS / name)
    pdf.set_fallback_fonts([_SIGNS], exact_match=False)
    pdf.set_creation_date(paper.imprint.made_at)
    pdf.set_title(paper.imprint.title)
    pdf.set_author(paper.imprint.village)
    pdf.set_creator("Lontar")
    pdf.set_lang(paper.imprint.language)
    pdf.set_margin(0 if bare else MARGIN)
    pdf.c_margin = 0
    pdf.set_top_margin(0 if bare else 26)
    pdf.set_auto_page_break(not bare, margin=18)
    return pdf


def _draw_head(paper: Paper, pdf: FPDF) -> None:
    paper.band(0, 0, pdf.w, 2.6)
    paper.logo(MARGIN, 6, 13)
    paper.line("Lontar", 7, 14, LEAF_DEEP, x=MARGIN + 15, width=60, side="L", family=SERIF, bold=True)
    paper.line(paper.imprint.village, 13, 9, MUTED, x=MARGIN + 15, width=90, side="L")
    if pdf.page_no() > 1:
        room = pdf.w - 2 * MARGIN - 110
        paper.line(paper.imprint.title, 10, 9, MUTED, x=MARGIN + 110, width=room, side="R")
    pdf.set_xy(MARGIN, 26)


def _draw_foot(paper: Paper, pdf: FPDF) -> None:
    y = pdf.h - 12
    pdf.set_draw_color(*LINE)
    pdf.set_line_width(0.3)
    pdf.line(MARGIN, y - 1.5, pdf.w - MARGIN, y - 1.5)
    said = f"{paper.imprint.village} · {paper.imprint.printed}"
    paper.line(said, y, 8, MUTED, x=MARGIN, width=(pdf.w - 2 * MARGIN) * 0.75, side="L")
    # How many pages there are is known at the end; the place is measured with a number as wide as most.
    words = paper.imprint.page_words
    room = pdf.get_string_width(words % {"page": pdf.page_no(), "pages": "10"})
    pdf.set_xy(pdf.w - MARGIN - room, y)
    pdf.cell(room + 1, 8 * 0.42, words % {"page": pdf.page_no(), "pages": "{nb}"}, align="L")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1].rstrip() + "…"


def _runs(cells: bytes) -> list[tuple[int, int]]:
    """Where the dark stretches of a row start and how long they are."""
    runs: list[tuple[int, int]] = []
    for place, dark in enumerate(cells):
        if not dark:
            continue
        if runs and sum(runs[-1]) == place:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((place, 1))
    return runs
