"""A table as CSV, the way a computer with Indonesian settings opens it by a double click.

Such a Windows writes "85,5", so Excel there separates by ";" (its list separator) and takes a file with commas for one
column; it reads "85.5" as a date or as 855, so marks are written with a comma. The mark of UTF-8 stands first because
Excel takes a file without one for the old code page. Dates are ISO 8601, which Excel reads under all settings.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from hub.exports.tables import Cell, Column, Form, Row, Table
from web.zones import ZONES

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
_STARTS_A_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")


def chunks(
    table: Table, pages: Iterable[list[Row]], translate: Callable[[str], str], zone: str
) -> Iterator[bytes]:
    """The file: its headings, then one chunk a page."""
    yield b"\xef\xbb\xbf" + _lines([[heading(column, translate, zone) for column in table.columns]])
    for rows in pages:
        if rows:
            yield _lines(
                [
                    _text(cell, column, translate, zone)
                    for cell, column in zip(row, table.columns, strict=True)
                ]
                for row in rows
            )


def heading(column: Column, translate: Callable[[str], str], zone: str) -> str:
    """With the zone of its times."""
    name = translate(column.heading)
    return f"{name} ({zone})" if column.form is Form.MOMENT else name


def moment(ms: int, zone: str) -> datetime:
    """On the wall clocks of that zone, to the minute."""
    return datetime.fromtimestamp(ms / 1000, ZONES[zone]).replace(second=0, microsecond=0, tzinfo=None)


def harmless(text: str) -> str:
    """Without effect in a spreadsheet: what would begin a formula there begins with an apostrophe (OWASP, CSV injection)."""
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_A_FORMULA) else text


def _text(cell: Cell, column: Column, translate: Callable[[str], str], zone: str) -> str | int:
    """Whole numbers stay numbers, which the writer leaves without quotation marks."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return harmless(translate(cell) if column.form is Form.WORD and cell else cell)
    if column.form is Form.MARK:
        return f"{cell / 100:.2f}".rstrip("0").rstrip(".").replace(".", ",")
    if column.form is Form.MOMENT:
        return f"{moment(cell, zone):%Y-%m-%d %H:%M}"
    return cell


def _lines(rows: Iterable[Iterable[str | int]]) -> bytes:
    file = io.StringIO(newline="")
    # All texts in quotation marks: then no name can end its cell, whatever separator a program expects.
    csv.writer(file, delimiter=";", quoting=csv.QUOTE_NONNUMERIC).writerows(rows)
    return file.getvalue().encode()
