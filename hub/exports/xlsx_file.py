"""A table as XLSX: numbers are numbers, dates are dates, codes and names are text and stay text.

XlsxWriter writes row by row into a temporary file, so memory stays flat. It is imported when the first file is made.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any, Final

from hub.errors import HubError
from hub.exports.csv_file import harmless, heading, moment
from hub.exports.tables import Form, Row, Table
from sync.errors import N_

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped, unused-ignore]

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_MOST: Final = 200_000
"""Making more takes minutes, and office computers don't open it."""
_LONGEST: Final = 32_000
_FORMATS: Final = {
    Form.TEXT: "@",
    Form.WORD: "@",
    Form.NUMBER: "#,##0",
    Form.MARK: "0.0#",
    Form.MOMENT: "yyyy-mm-dd hh:mm",
}
_WIDTHS: Final = {Form.TEXT: 20, Form.WORD: 20, Form.NUMBER: 11, Form.MARK: 11, Form.MOMENT: 18}


class TooManyRowsError(HubError):
    code = "too-many-rows"
    http_status = 422


def write(
    table: Table, pages: Iterable[list[Row]], translate: Callable[[str], str], zone: str, file: IO[bytes]
) -> None:
    """Write the whole file.

    Raises:
        TooManyRowsError: there are more than `ROWS_MOST` rows.
    """
    from xlsxwriter import Workbook  # type: ignore[import-untyped, unused-ignore]

    with tempfile.TemporaryDirectory(prefix="lontar-xlsx-") as folder:
        book = Workbook(file, {"constant_memory": True, "tmpdir": folder})
        book.set_properties({"title": translate(table.title), "author": "Lontar"})
        sheet = book.add_worksheet(translate(table.title)[:31])
        formats = {form: book.add_format({"num_format": text}) for form, text in _FORMATS.items()}
        # What begins like a formula stays text even after somebody has edited the cell.
        quoted = book.add_format({"num_format": "@", "quote_prefix": True})
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 1)
        for at, column in enumerate(table.columns):
            sheet.set_column(at, at, _WIDTHS[column.form])
            sheet.write_string(0, at, heading(column, translate, zone), bold)
        count = 0
        for row in (row for rows in pages for row in rows):
            count += 1
            if count > ROWS_MOST:
                raise TooManyRowsError(
                    N_(
                        "Tabel ini lebih dari %(most)s baris, terlalu besar untuk Excel. Unduh sebagai CSV, atau pilih wilayah yang lebih kecil."
                    ),
                    most=ROWS_MOST,
                )
            for at, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
                if isinstance(cell, str):
                    text = translate(cell) if column.form is Form.WORD and cell else cell
                    format_ = formats[column.form] if harmless(text) == text else quoted
                    sheet.write_string(count, at, text[:_LONGEST], format_)
                elif cell is not None:
                    _put(sheet, (count, at), cell, column.form, formats[column.form], zone)
        sheet.autofilter(0, 0, max(count, 1), len(table.columns) - 1)
        book.close()


def _put(sheet: Worksheet, where: tuple[int, int], value: int, form: Form, format_: Any, zone: str) -> None:
    if form is Form.MOMENT:
        sheet.write_datetime(*where, moment(value, zone), format_)
    else:
        sheet.write_number(*where, value / 100 if form is Form.MARK else value, format_)
