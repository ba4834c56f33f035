"""A list of people from a spreadsheet: say of each row what would become of it.

Pure: a table that `web.tables` has read and the people who are here come in, judged rows go out; nothing is added. With or
without headings, with or without a column of numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.learners import POSITIONS
from node.people import Learner
from sync.errors import N_
from web import tables
from web.tables import Cells, Fate, TableError, bare, cell, headed, plain


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


def judged(table: Sequence[Cells], here: Iterable[Learner]) -> list[Row]:
    """What would become of each row that isn't empty, in its order.

    Raises:
        TableError: there is no name in it.
    """
    first, name_at, position_at = _columns(table)
    known = list(here)
    exactly = {(plain(one.name), plain(one.position)) for one in known}
    nearly = {bare(one.name): one.name for one in known}
    rows = []
    for number, cells in enumerate(table[first:], start=first + 1):
        if not any(cells):
            continue
        row = _judged(
            Row(number, cell(cells, name_at), _position(cell(cells, position_at))), exactly, nearly
        )
        rows.append(row)
        if row.can_be_added:
            exactly.add((plain(row.name), plain(row.position)))
            nearly.setdefault(bare(row.name), row.name)
    if not rows:
        raise TableError(N_("Daftar ini kosong. Isi paling sedikit satu nama."))
    return rows


def as_text(rows: Iterable[Row]) -> str:
    """The rows as a text that `web.tables.read_text` reads again."""
    return tables.as_text(("Nama", "Jabatan"), ((row.name, row.position) for row in rows))


def _judged(row: Row, exactly: set[tuple[str, str]], nearly: dict[str, str]) -> Row:
    def as_(fate: Fate, why: str, of: str = "") -> Row:
        return Row(row.number, row.name, row.position, fate, why, of)

    if wrong := tables.what_is_wrong(row.name, row.position):
        return as_(Fate.WRONG, wrong)
    if (plain(row.name), plain(row.position)) in exactly:
        return as_(Fate.KNOWN, N_("Sudah ada."))
    if like := nearly.get(bare(row.name)):
        return as_(Fate.SIMILAR, N_("Mirip %(name)s. Orang lain?"), like)
    return row


def _columns(table: Sequence[Cells]) -> tuple[int, int, int | None]:
    """(the first row with people, the column of names, that of positions or None)."""
    found = headed(table, tables.NAMES, tables.POSITIONS)
    if found is not None and found[1][0] is not None:
        return found[0], found[1][0], found[1][1]
    # Without headings the columns that hold words are, in their order, the name and the position.
    usual = tables.columns_of_words(table)
    if not usual:
        raise TableError(N_("Tidak ada nama dalam daftar ini. Beri judul kolom Nama dan Jabatan."))
    return 0, usual[0], usual[1] if len(usual) > 1 else None


def _position(text: str) -> str:
    """As the usual list of positions writes it."""
    return next((usual for usual in POSITIONS if plain(usual) == plain(text)), text)
