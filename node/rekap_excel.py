"""Writes a Rekap as XLSX: numbers are numbers, dates are dates, and no name can become a formula.

openpyxl is imported when the first file is made, and writes row by row.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from node.class_view import Summary
from node.rekap import PEOPLE_COLUMNS, Cell, Form, Rekap, everybody
from web.dates import moment_in
from web.languages import gettext as _

if TYPE_CHECKING:
    from openpyxl import Workbook  # type: ignore[import-untyped, unused-ignore]

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMATS: Final[dict[Form, str]] = {
    "text": "@",
    "long": "@",
    "count": "#,##0",
    "score": "#,##0.0",
    "moment": '[$-421]d mmmm yyyy "pukul" hh"."mm',
}
_WIDTHS: Final[dict[Form, float]] = {"text": 20, "long": 38, "count": 11, "score": 11, "moment": 28}
_NOT_IN_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_LONGEST: Final = 32_000


def write_excel(rekap: Rekap) -> bytes:
    """The finished file."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.creator = "Lontar"
    book.properties.title = rekap.title
    book.properties.created = book.properties.modified = rekap.made_at.replace(tzinfo=None)
    _about(book, rekap)
    headings = [(_(column.heading), column.form) for column in PEOPLE_COLUMNS]
    _sheet(book, _("Ringkasan"), _summary_headings(), map(_summary_row, (c.summary for c in rekap.classes)))
    _sheet(book, _("Peserta"), headings, _people_rows(rekap), frozen_columns=2)
    _sheet(book, _("Soal sulit"), _question_headings(), _question_rows(rekap))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _about(book: Workbook, rekap: Rekap) -> None:
    """The first sheet: whose numbers these are, of when, and what the columns mean."""
    rows: list[tuple[str, str]] = [
        (_("Rekap belajar"), rekap.title),
        (_("Desa"), rekap.village),
        (_("Kode desa"), rekap.village_code),
        (_("Dibuat"), moment_in(int(rekap.made_at.timestamp() * 1000), str(rekap.made_at.tzinfo))),
        (_("Zona waktu"), str(rekap.made_at.tzinfo)),
        (
            _("Perhatian"),
            _(
                "Berkas ini memuat nama dan nilai peserta dan tidak terkunci. Simpan dan bagikan seperlunya."
            ),
        ),
        ("", ""),
        (_("Kolom pada lembar Peserta"), _("Artinya")),
        *((_(column.heading), _(column.meaning)) for column in PEOPLE_COLUMNS),
        ("", ""),
        (_("Lembar Soal sulit"), hard_questions_are()),
    ]
    sheet = book.create_sheet(_("Keterangan"))
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 28, 90
    for label, text in rows:
        sheet.append([_cell(sheet, label, "text", is_heading=True), _cell(sheet, text, "long")])


def hard_questions_are() -> str:
    """What the numbers of hard questions are made of."""
    return _(
        "Dihitung dari jawaban terbaru setiap peserta: percobaan terakhir yang dikirim, atau yang sedang dikerjakan. Percobaan sebelumnya tidak ikut dihitung."
    )


def _summary_headings() -> list[tuple[str, Form]]:
    return [
        (_("Pelatihan"), "long"),
        (_("Belum dimulai"), "count"),
        (_("Sedang berjalan"), "count"),
        (_("Selesai"), "count"),
        (_("Perlu bantuan"), "count"),
        (_("Rata-rata kenaikan (poin)"), "score"),
        (_("Dari berapa peserta"), "count"),
    ]


def _summary_row(one: Summary) -> list[Cell]:
    gain = None if one.gain is None else one.gain / 100
    return [one.title, one.not_started, one.under_way, one.completed, one.stuck, gain, one.gains]


def _people_rows(rekap: Rekap) -> Iterator[list[Cell]]:
    for course in rekap.classes:
        for member in everybody(course):
            yield [column.value(course, member, rekap) for column in PEOPLE_COLUMNS]


def _question_headings() -> list[tuple[str, Form]]:
    return [
        (_("Pelatihan"), "long"),
        (_("Materi"), "long"),
        (_("Nomor soal"), "count"),
        (_("Soal"), "long"),
        (_("Dijawab oleh (peserta)"), "count"),
        (_("Salah (peserta)"), "count"),
        (_("Salah (persen)"), "score"),
    ]


def _question_rows(rekap: Rekap) -> Iterator[list[Cell]]:
    for course in rekap.classes:
        for one in course.hard:
            share = one.share / 100
            title = course.summary.title
            yield [title, one.lesson.title, one.number, one.text, one.answered, one.wrong, share]


def _sheet(
    book: Workbook,
    name: str,
    headings: Sequence[tuple[str, Form]],
    rows: Iterable[list[Cell]],
    frozen_columns: int = 1,
) -> None:
    """A table whose headings stay in sight, can be filtered and are printed on each page."""
    from openpyxl.utils import get_column_letter  # type: ignore[import-untyped, unused-ignore]

    sheet = book.create_sheet(name)
    sheet.freeze_panes = f"{get_column_letter(frozen_columns + 1)}2"
    for place, (_heading, form) in enumerate(headings, 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS[form]
    sheet.append([_cell(sheet, heading, "text", is_heading=True) for heading, _form in headings])
    count = 1
    for row in rows:
        sheet.append(
            [_cell(sheet, value, form) for value, (_heading, form) in zip(row, headings, strict=True)]
        )
        count += 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(headings))}{count}"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _cell(sheet: Any, value: Cell, form: Form, is_heading: bool = False) -> Any:
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped, unused-ignore]

    if isinstance(value, str):
        value = _NOT_IN_XML.sub("", value)[:_LONGEST]
    elif isinstance(value, datetime):
        value = value.replace(tzinfo=None, microsecond=0)
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        # Whatever a name begins with, it is text and stays text when somebody edits the cell.
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(_STARTS_A_FORMULA)
    cell.number_format = "@" if isinstance(value, str) else _FORMATS[form]
    cell.alignment = _alignment(is_heading or form == "long")
    if is_heading:
        cell.font = _bold()
    return cell


@cache  # one for all cells: each new one is compared with all before
def _alignment(wraps: bool) -> Any:
    from openpyxl.styles import Alignment  # type: ignore[import-untyped, unused-ignore]

    return Alignment(vertical="top", wrap_text=wraps)


@cache
def _bold() -> Any:
    from openpyxl.styles import Font

    return Font(bold=True)
