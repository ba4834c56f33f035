"""A list of people from a spreadsheet: read whatever offices write, and say of each row what would become of it.

Pure: bytes and the people who are here come in, judged rows go out; nothing is added. Takes XLSX, and text with columns
between tabs, semicolons or commas in UTF-8, UTF-16 or Windows-1252, with or without headings, with or without a column
of numbers.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from node.errors import NodeError
from node.learners import POSITIONS
from node.people import Learner
from sync.errors import N_

ROWS_MOST: Final = 500
NAME_MOST: Final = 100
_COLUMNS_MOST: Final = 50
_HEADINGS_WITHIN: Final = 10
"""Above the headings there may be a title, the village, a date."""
_INFLATED_MOST: Final = 32 * 1024 * 1024
_RATIO_MOST: Final = 100
_NAME: Final = {"nama", "nama lengkap", "nama peserta", "nama perangkat", "name", "full name"}
_POSITION: Final = {"jabatan", "posisi", "jabatan desa", "position", "role"}
_ENCODINGS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_TITLES: Final = re.compile(
    r"\b(h|hj|dr|drs|dra|ir|kh|s\.?e|s\.?h|s\.?pd|s\.?sos|s\.?ip|s\.?kom|s\.?ag|a\.?md|m\.?si|m\.?pd)\b\.?",
    re.I,
)

Cells = Sequence[str]


class Fate(Enum):
    """What becomes of a row."""

    NEW = "new"
    SIMILAR = "similar"
    """Would be added, but somebody with nearly the same name is here or stands above."""
    KNOWN = "known"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the list. `number` counts from 1 as the spreadsheet does; `why` is a text for people, `of` fills it in."""

    number: int
    name: str
    position: str
    fate: Fate = Fate.NEW
    why: str = ""
    of: str = ""

    @property
    def can_be_added(self) -> bool:
        return self.fate in (Fate.NEW, Fate.SIMILAR)


def read_table(data: bytes) -> list[list[str]]:
    """The cells of a file, row by row, empty ones too.

    Raises:
        NodeError: it is no such file, or too large.
    """
    if data.startswith(b"PK\x03\x04"):
        return _read_workbook(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise NodeError(
            N_("Berkas Excel lama (.xls) tidak dapat dibaca. Simpan sebagai .xlsx atau CSV dulu.")
        )
    if data.startswith(b"%PDF") or (
        b"\0" in data[:512] and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        raise NodeError(N_("Berkas ini bukan daftar. Pakai Excel (.xlsx) atau CSV."))
    return read_text(_decoded(data))


def read_text(text: str) -> list[list[str]]:
    """The cells of a pasted list.

    Raises:
        NodeError: it has too many rows, or a quotation mark that never ends.
    """
    separator = _separator([line for line in text.splitlines() if line.strip()])
    try:
        rows = [
            [" ".join(cell.split()) for cell in row[:_COLUMNS_MOST]]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        ]
    except csv.Error as problem:
        raise NodeError(
            N_("Daftar ini tidak dapat dibaca. Simpan ulang sebagai Excel (.xlsx) atau CSV.")
        ) from problem
    return _not_too_many(rows)


def judged(table: Sequence[Cells], here: Iterable[Learner]) -> list[Row]:
    """What would become of each row that isn't empty, in its order.

    Raises:
        NodeError: there is no name in it.
    """
    first, name_at, position_at = _columns(table)
    known = list(here)
    exactly = {(_plain(one.name), _plain(one.position)) for one in known}
    nearly = {_bare(one.name): one.name for one in known}
    rows = []
    for number, cells in enumerate(table[first:], start=first + 1):
        if not any(cells):
            continue
        row = _judged(
            Row(number, _cell(cells, name_at), _position(_cell(cells, position_at))), exactly, nearly
        )
        rows.append(row)
        if row.can_be_added:
            exactly.add((_plain(row.name), _plain(row.position)))
            nearly.setdefault(_bare(row.name), row.name)
    if not rows:
        raise NodeError(N_("Daftar ini kosong. Isi paling sedikit satu nama."))
    return rows


def as_text(rows: Iterable[Row]) -> str:
    """The rows as a text that `read_text` reads again."""
    made = io.StringIO()
    writer = csv.writer(made, delimiter="\t", lineterminator="\n")
    writer.writerow(["Nama", "Jabatan"])
    writer.writerows((row.name, row.position) for row in rows)
    return made.getvalue()


def _separator(lines: Sequence[str]) -> str:
    """The sign between columns: in most lines, and not the comma before an academic title."""
    for sign in "\t;,":
        parted = [line for line in lines if sign in line and not _is_title(line.rpartition(sign)[2])]
        if parted and len(parted) * 2 >= len(lines):
            return sign
    return "\t"


def _is_title(text: str) -> bool:
    return bool(text.strip()) and not re.search(r"\w", _TITLES.sub("", text))


def _judged(row: Row, exactly: set[tuple[str, str]], nearly: dict[str, str]) -> Row:
    def as_(fate: Fate, why: str, of: str = "") -> Row:
        return Row(row.number, row.name, row.position, fate, why, of)

    if not row.name:
        return as_(Fate.WRONG, N_("Tidak ada nama di baris ini."))
    if len(row.name) > NAME_MOST or len(row.position) > NAME_MOST:
        return as_(Fate.WRONG, N_("Nama atau jabatan terlalu panjang."))
    if not any(sign.isalpha() for sign in row.name):
        return as_(Fate.WRONG, N_("Ini bukan nama."))
    if row.name.startswith("=") or any(not sign.isprintable() for sign in row.name + row.position):
        return as_(
            Fate.WRONG, N_("Sel ini berisi rumus atau tanda yang tidak dapat dibaca. Tulis namanya saja.")
        )
    if sum(sign.isdigit() for sign in row.name) >= 16:
        return as_(
            Fate.WRONG, N_("Ini tampak seperti NIK. Lontar tidak menyimpan NIK; tulis namanya saja.")
        )
    if (_plain(row.name), _plain(row.position)) in exactly:
        return as_(Fate.KNOWN, N_("Sudah ada."))
    if like := nearly.get(_bare(row.name)):
        return as_(Fate.SIMILAR, N_("Mirip %(name)s. Orang lain?"), like)
    return row


def _columns(table: Sequence[Cells]) -> tuple[int, int, int | None]:
    """(the first row with people, the column of names, that of positions or None)."""
    for at, cells in enumerate(table[:_HEADINGS_WITHIN]):
        headings = [_plain(cell).strip(" .:*") for cell in cells]
        name_at = next((column for column, heading in enumerate(headings) if heading in _NAME), None)
        if name_at is not None:
            position_at = next(
                (column for column, heading in enumerate(headings) if heading in _POSITION), None
            )
            return at + 1, name_at, position_at
    texts = Counter(
        column
        for cells in table
        for column, cell in enumerate(cells)
        if any(sign.isalpha() for sign in cell)
    )
    # Without headings the columns that hold words are, in their order, the name and the position.
    usual = sorted(column for column, count in texts.items() if count * 2 >= max(texts.values()))
    if not usual:
        raise NodeError(N_("Tidak ada nama dalam daftar ini. Beri judul kolom Nama dan Jabatan."))
    return 0, usual[0], usual[1] if len(usual) > 1 else None


def _read_workbook(data: bytes) -> list[list[str]]:
    from openpyxl import load_workbook  # type: ignore[import-untyped, unused-ignore]

    refused = N_("Berkas Excel ini rusak atau terkunci. Simpan ulang sebagai .xlsx, lalu coba lagi.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inflated = sum(part.file_size for part in archive.infolist())
        if inflated > min(_INFLATED_MOST, len(data) * _RATIO_MOST):
            raise NodeError(
                N_("Berkas Excel ini terlalu besar. Salin hanya daftar namanya ke berkas baru.")
            )
        # The values that formulas had when the file was saved.
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = workbook.worksheets[0]
        rows: list[list[str]] = []
        for cells in sheet.iter_rows(max_col=_COLUMNS_MOST, values_only=True):
            rows.append([_as_written(cell) for cell in cells])
            _not_too_many(rows)
    except NodeError:
        raise
    except Exception as problem:  # openpyxl raises whatever its XML and zip libraries do
        raise NodeError(refused) from problem
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


def _not_too_many(rows: list[list[str]]) -> list[list[str]]:
    if sum(any(row) for row in rows) > ROWS_MOST + _HEADINGS_WITHIN or len(rows) > 20 * ROWS_MOST:
        raise NodeError(
            N_("Daftar ini terlalu panjang: paling banyak %(most)s orang sekali jalan."), most=ROWS_MOST
        )
    return rows


def _cell(cells: Cells, at: int | None) -> str:
    return cells[at].strip() if at is not None and at < len(cells) else ""


def _position(text: str) -> str:
    """As the usual list of positions writes it."""
    return next((usual for usual in POSITIONS if _plain(usual) == _plain(text)), text)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _bare(name: str) -> str:
    """A name without titles, signs and case, to find who may be the same."""
    return " ".join(re.findall(r"\w+", _TITLES.sub(" ", _plain(name))))
