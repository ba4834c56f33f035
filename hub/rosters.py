"""Rosters: who works in each village by the lists that offices bring, row by row explained before anything is kept.

A list has the village's code, a name and a position in each row, with or without headings. Owns the table rosters. The
names are personal data: the roster of a village can be deleted, and stands in no log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert

from hub import likeness
from hub.db import lock, writing
from hub.queries import rosters as kept
from hub.schema import rosters
from sync.errors import N_
from web import tables
from web.tables import Cells, Fate, TableError, cell, headed

ROWS_MOST: Final = 5000
"""Of one list: a regency has about four thousand."""
HEADINGS: Final = ("Kode desa", "Nama", "Jabatan")
_CODES: Final = {"kode desa", "kode", "kode wilayah", "kode desa/kelurahan", "village", "village code"}
_CODE: Final = re.compile(r"(\d\d)\.?(\d\d)\.?(\d\d)\.?(\d{4})")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list. `number` counts from 1 as the spreadsheet does; `why` is a text for people, `of` fills it in."""

    number: int
    village: str
    name: str
    position: str
    fate: Fate = Fate.NEW
    why: str = ""
    of: str = ""

    @property
    def can_be_kept(self) -> bool:
        return self.fate in (Fate.NEW, Fate.SIMILAR)


def read(table: Sequence[Cells]) -> list[Row]:
    """The rows that aren't empty, not judged yet; codes with their points, or as they were written if they are none.

    Raises:
        TableError: no row has a village's code and a name.
    """
    first, code_at, name_at, position_at = _columns(table)
    rows = [
        Row(number, _code(cell(cells, code_at)), cell(cells, name_at), cell(cells, position_at))
        for number, cells in enumerate(table[first:], start=first + 1)
        if any(cells)
    ]
    if not rows:
        raise TableError(N_("Daftar ini kosong. Isi paling sedikit satu nama."))
    return rows


def judged(
    rows: Iterable[Row], own: frozenset[str], here: Mapping[str, Sequence[tuple[str, str]]]
) -> list[Row]:
    """What would become of each row: `own` are the villages that may be written about, `here` who is listed there."""
    listed = {village: list(people) for village, people in here.items()}
    made = []
    for row in rows:
        people = listed.setdefault(row.village, [])
        fate, why, of = _fate(row, own, people)
        made.append(replace(row, fate=fate, why=why, of=of))
        if made[-1].can_be_kept:
            people.append((row.name, row.position))
    return made


def keep(engine: Engine, rows: Iterable[Row], now_ms: int) -> int:
    """Keep the rows that can be; returns how many were not there yet. Doing it again, or twice at once, adds nothing."""
    by_village: dict[str, list[Row]] = {}
    for row in rows:
        if row.can_be_kept:
            by_village.setdefault(row.village, []).append(row)
    count = 0
    with writing(engine) as connection:
        # In one order, so that two who bring lists of the same villages don't wait for each other.
        for village in sorted(by_village):
            count += _keep_village(connection, village, by_village[village], now_ms)
    return count


def erase(engine: Engine, village: str) -> int:
    """Delete the roster of a village; returns how many names."""
    with writing(engine) as connection:
        return int(connection.execute(delete(rosters).where(rosters.c.village == village)).rowcount)


def as_text(rows: Iterable[Row]) -> str:
    """The rows as a text that `web.tables.read_text` and `read` read again."""
    return tables.as_text(HEADINGS, ((row.village, row.name, row.position) for row in rows))


def _keep_village(connection: Connection, village: str, rows: Sequence[Row], now_ms: int) -> int:
    lock(connection, f"rosters:{village}")
    known = {_key(*person) for person in kept.of_villages(connection, [village]).get(village, ())}
    new = [
        {"village": village, "name": row.name, "position": row.position, "added_ms": now_ms}
        for row in rows
        if _key(row.name, row.position) not in known
    ]
    if new:
        connection.execute(insert(rosters), new)
    return len(new)


def _fate(row: Row, own: frozenset[str], people: Sequence[tuple[str, str]]) -> tuple[Fate, str, str]:
    if not _CODE.fullmatch(row.village):
        return Fate.WRONG, N_("Tidak ada kode desa seperti 17.05.10.2007 di baris ini."), ""
    if row.village not in own:
        return Fate.WRONG, N_("Tidak ada desa berkode %(name)s di wilayah Anda."), row.village
    if wrong := tables.what_is_wrong(row.name, row.position):
        return Fate.WRONG, wrong, ""
    if any(_key(*person) == _key(row.name, row.position) for person in people):
        return Fate.KNOWN, N_("Sudah ada."), ""
    for name, _position in people:
        if likeness.plain(name) == likeness.plain(row.name):
            return Fate.SIMILAR, N_("Mirip %(name)s. Orang lain?"), name
    return Fate.NEW, "", ""


def _key(name: str, position: str) -> tuple[str, str]:
    return tables.plain(name), tables.plain(position)


def _code(text: str) -> str:
    parts = _CODE.fullmatch(text)
    return ".".join(parts.groups()) if parts else text


def _columns(table: Sequence[Cells]) -> tuple[int, int, int, int | None]:
    """(the first row with people, the columns of codes, names, and positions or None)."""
    found = headed(table, tables.NAMES, _CODES, tables.POSITIONS)
    if found is not None:
        first, (name_at, code_at, position_at) = found
        if name_at is not None and code_at is not None:
            return first, code_at, name_at, position_at
    codes = [column for cells in table for column, text in enumerate(cells) if _CODE.fullmatch(text)]
    words = tables.columns_of_words(table)
    if found is not None or not codes or not words:
        raise TableError(N_("Beri judul kolom Kode desa, Nama dan Jabatan, lalu coba lagi."))
    return 0, max(set(codes), key=codes.count), words[0], words[1] if len(words) > 1 else None
