"""Tables that offices bring and take: read whatever they write, find the columns, write a workbook of texts.

Pure but for openpyxl, which is imported when the first workbook is read or written. Takes XLSX, and text with columns
between tabs, semicolons or commas in UTF-8, UTF-16 or Windows-1252.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from enum import Enum
from typing import Any, ClassVar, Final

from sync.errors import N_, LontarError

ROWS_MOST: Final = 500
NAME_MOST: Final = 100
"""Characters of a name or a position."""
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NAMES: Final = frozenset({"nama", "nama lengkap", "nama peserta", "nama perangkat", "name", "full name"})
POSITIONS: Final = frozenset({"jabatan", "posisi", "jabatan desa", "position", "role"})
"""What the columns of names and positions are called."""

_COLUMNS_MOST: Final = 50
_HEADINGS_WITHIN: Final = 10
"""Above the headings there may be a title, the village, a date."""
_INFLATED_MOST: Final = 32 * 1024 * 1024
_RATIO_MOST: Final = 100
_ENCODINGS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_NOT_IN_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_TITLES: Final = re.compile(
    r"\b(h|hj|dr|drs|dra|ir|kh|s\.?e|s\.?h|s\.?pd|s\.?sos|s\.?ip|s\.?kom|s\.?ag|a\.?md|m\.?si|m\.?pd)\b\.?",
    re.I,
)

Cells = Sequence[str]


class TableError(LontarError):
    """A file or a pasted list that can't be used as it is."""

    code: ClassVar[str] = "table"
    http_status = 422


class Fate(Enum):
    """What becomes of a row."""

    NEW = "new"
    SIMILAR = "similar"
    """Would be added, but somebody with nearly the same name is here or stands above."""
    KNOWN = "known"
    WRONG = "wrong"


def read_table(data: bytes, most: int = ROWS_MOST) -> list[list[str]]:
    """The cells of a file, row by row, empty ones too.

    Raises:
        TableError: it is no such file, or has more than `most` rows.
    """
    if data.startswith(b"PK\x03\x04"):
        return _read_workbook(data, most)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError(
            N_("Berkas Excel lama (.xls) tidak dapat dibaca. Simpan sebagai .xlsx atau CSV dulu.")
        )
    if data.startswith(b"%PDF") or (
        b"\0" in data[:512] and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        raise TableError(N_("Berkas ini bukan daftar. Pakai Excel (.xlsx) atau CSV."))
    return read_text(_decoded(data), most)


def read_text(text: str, most: int = ROWS_MOST) -> list[list[str]]:
    """The cells of a pasted list.

    Raises:
        TableError: it has more than `most` rows, or a quotation mark that never ends.
    """
    separator = _separator([line for line in text.splitlines() if line.strip()])
    try:
        rows = [
            [" ".join(cell.split()) for cell in row[:_COLUMNS_MOST]]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        ]
    except csv.Error as problem:
        raise TableError(
            N_("Daftar ini tidak dapat dibaca. Simpan ulang sebagai Excel (.xlsx) atau CSV.")
        ) from problem
    return _not_too_many(rows, most)


def headed(table: Sequence[Cells], *wanted: Collection[str]) -> tuple[int, list[int | None]] | None:
    """(the first row below the headings, for each of `wanted` its column or None); None if the first isn't headed."""
    for at, cells in enumerate(table[:_HEADINGS_WITHIN]):
        headings = [plain(cell).strip(" .:*") for cell in cells]
        found = [
            next((column for column, heading in enumerate(headings) if heading in names), None)
            for names in wanted
        ]
        if found[0] is not None:
            return at + 1, found
    return None


def columns_of_words(table: Sequence[Cells]) -> list[int]:
    """Where the columns stand that usually hold words, in their order."""
    texts = Counter(
        column
        for cells in table
        for column, cell in enumerate(cells)
        if any(sign.isalpha() for sign in cell)
    )
    return sorted(column for column, count in texts.items() if count * 2 >= max(texts.values()))


def cell(cells: Cells, at: int | None) -> str:
    return cells[at].strip() if at is not None and at < len(cells) else ""


def what_is_wrong(name: str, position: str) -> str:
    """Why a row can't be used, as a text for people; "" if it can."""
    if not name:
        return N_("Tidak ada nama di baris ini.")
    if len(name) > NAME_MOST or len(position) > NAME_MOST:
        return N_("Nama atau jabatan terlalu panjang.")
    if not any(sign.isalpha() for sign in name):
        return N_("Ini bukan nama.")
    if name.startswith("=") or any(not sign.isprintable() for sign in name + position):
        return N_("Sel ini berisi rumus atau tanda yang tidak dapat dibaca. Tulis namanya saja.")
    if sum(sign.isdigit() for sign in name) >= 16:
        return N_("Ini tampak seperti NIK. Lontar tidak menyimpan NIK; tulis namanya saja.")
    return ""


def as_text(headings: Cells, rows: Iterable[Cells]) -> str:
    """The rows as a text that `read_text` reads again."""
    made = io.StringIO()
    writer = csv.writer(made, delimiter="\t", lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return made.getvalue()


def as_workbook(title: str, headings: Cells, rows: Iterable[Cells], widths: Sequence[float]) -> bytes:
    """An XLSX with one sheet of texts, in which no name can become a formula."""
    from openpyxl import Workbook  # type: ignore[import-untyped, unused-ignore]
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped, unused-ignore]
    from openpyxl.utils import get_column_letter  # type: ignore[import-untyped, unused-ignore]

    book, made = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width

    def text(value: str) -> Any:
        written = WriteOnlyCell(sheet, value=_NOT_IN_XML.sub("", value))
        written.data_type, written.number_format = "s", "@"
        written.quotePrefix = value.startswith(_STARTS_A_FORMULA)
        return written

    for row in (headings, *rows):
        sheet.append([text(value) for value in row])
    book.save(made)
    return made.getvalue()


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


def bare(name: str) -> str:
    """A name without titles, signs and case, to find who may be the same."""
    return " ".join(re.findall(r"\w+", _TITLES.sub(" ", plain(name))))


def _separator(lines: Sequence[str]) -> str:
    """The sign between columns: in most lines, and not the comma before an academic title."""
    for sign in "\t;,":
        parted = [line for line in lines if sign in line and not _is_title(line.rpartition(sign)[2])]
        if parted and len(parted) * 2 >= len(lines):
            return sign
    return "\t"


def _is_title(text: str) -> bool:
    return bool(text.strip()) and not re.search(r"\w", _TITLES.sub("", text))


def _read_workbook(data: bytes, most: int) -> list[list[str]]:
    from openpyxl import load_workbook

    refused = N_("Berkas Excel ini rusak atau terkunci. Simpan ulang sebagai .xlsx, lalu coba lagi.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inflated = sum(part.file_size for part in archive.infolist())
        if inflated > min(_INFLATED_MOST, len(data) * _RATIO_MOST):
            raise TableError(
                N_("Berkas Excel ini terlalu besar. Salin hanya daftar namanya ke berkas baru.")
            )
        # The values that formulas had when the file was saved.
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = workbook.worksheets[0]
        rows: list[list[str]] = []
        filled = 0
        for cells in sheet.iter_rows(max_col=_COLUMNS_MOST, values_only=True):
            rows.append([_as_written(value) for value in cells])
            filled += any(rows[-1])
            _refuse_many(filled, len(rows), most)
    except TableError:
        raise
    except Exception as problem:  # openpyxl raises whatever its XML and zip libraries do
        raise TableError(refused) from problem
    return rows


def _as_written(value: object) -> str:
    if value is None:
        return ""
    return (
        str(int(value)) if isinstance(value, float) and value.is_integer() else " ".join(str(value).split())
    )


def _decoded(data: bytes) -> str:
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _not_too_many(rows: list[list[str]], most: int) -> list[list[str]]:
    _refuse_many(sum(any(row) for row in rows), len(rows), most)
    return rows


def _refuse_many(filled: int, rows: int, most: int) -> None:
    if filled > most + _HEADINGS_WITHIN or rows > 20 * most:
        raise TableError(
            N_("Daftar ini terlalu panjang: paling banyak %(most)s orang sekali jalan."), most=most
        )
