"""Reads what can still be read out of a damaged database, row by row, into a new one.

Says of each table whether rows may be missing. Judges nothing: what was read may be wrong or have gaps; `mending` looks
at it. The damaged files must be copies: SQLite may change them when it opens them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

from node.store import FILE, Store

_PROBES_MOST: Final = 20_000
"""How many row numbers are tried one by one where pages can't be read."""
_BLIND: Final = 2_000
"""How many are tried after the last readable row when nobody can say which row is the last."""
_HEAD: Final = 100
_PAGE: Final = 4096
_VERSIONS, _PAGE_COUNT, _FREE_PAGES = slice(18, 20), slice(28, 32), slice(32, 40)
"""Places of the head (https://www.sqlite.org/fileformat2.html, section 1.3)."""
_FIRST: Final = -1
"""The operator's number among those who have a secret."""
_OURS: Final = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%migrations'"

Row = tuple[Any, ...]


class Unreadable(Exception):  # noqa: N818 - it says what the file is
    """Not even the names of the tables can be read."""


def open_damaged(file: Path) -> sqlite3.Connection:
    """
    Raises:
        Unreadable: it is no database any more.
    """
    db = sqlite3.connect(file, isolation_level=None)
    try:
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
        if not db.execute(_OURS).fetchall():
            raise Unreadable
    except (sqlite3.Error, UnicodeDecodeError) as problem:
        db.close()
        raise Unreadable from problem
    return db


def give_head(folder: Path) -> None:
    """Give a database whose first 100 bytes are damaged those of a new one: they describe only the file's form.

    Raises:
        Unreadable: it is too short to be one.
    """
    file, fresh = folder / FILE, folder / "fresh"
    fresh.mkdir()
    Store(fresh).close()
    head = bytearray((fresh / FILE).read_bytes()[:_HEAD])
    size = file.stat().st_size
    if size < 2 * _PAGE:
        raise Unreadable
    head[_VERSIONS] = b"\x01\x01"
    head[_PAGE_COUNT] = (size // _PAGE).to_bytes(4, "big")
    head[_FREE_PAGES] = bytes(8)
    with file.open("rb+") as opened:
        opened.write(head)


def copy_readable(
    source: sqlite3.Connection, target: sqlite3.Connection, only: Collection[str] | None = None
) -> set[str]:
    """Copy every readable row that `target` lacks; returns the tables of which some may be missing.

    `only` names the tables to copy. A table that has another shape than in `target` counts as unreadable.
    """
    troubled = set()
    for (table,) in target.execute(_OURS).fetchall():
        if only is None or table in only:
            reader = _Table(source, target, table)
            if not reader.copy():
                troubled.add(table)
    return troubled


class _Table:
    """One table on its way from a damaged database to a new one."""

    def __init__(self, source: sqlite3.Connection, target: sqlite3.Connection, name: str) -> None:
        self._source = source
        self._target = target
        self._name = name
        columns = target.execute(f"PRAGMA table_info({name})").fetchall()
        self._columns = ", ".join(column[1] for column in columns)
        self._key = ", ".join(
            column[1] for column in sorted(columns, key=lambda one: int(one[5])) if column[5]
        )
        self._insert = (
            f"INSERT OR IGNORE INTO {name} ({self._columns}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        )
        self._is_whole = True

    def copy(self) -> bool:
        """False if rows may be missing."""
        has_rowid = "WITHOUT ROWID" not in str(
            self._target.execute("SELECT sql FROM sqlite_master WHERE name = ?", (self._name,)).fetchone()[
                0
            ]
        )
        for row in self._by_number() if has_rowid else self._by_key():
            try:
                self._target.execute(self._insert, row)
            except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError):
                self._is_whole = False
        return self._is_whole

    def _by_number(self) -> Iterator[Row]:
        """In the order of their numbers; where that breaks off, number by number until it goes on."""
        query = f"SELECT rowid, {self._columns} FROM {self._name} WHERE rowid >= ? ORDER BY rowid"  # noqa: S608
        at, probes, last = _FIRST, 0, None
        while probes < _PROBES_MOST and (last is None or at <= last):
            try:
                for number, *row in self._source.execute(query, (at,)):
                    at = number + 1
                    yield tuple(row)
                return
            except (sqlite3.Error, UnicodeDecodeError, OverflowError):
                self._is_whole = False
                probes += 1
                at += 1
                if last is None:
                    last = self._last_number(at)

    def _last_number(self, at: int) -> int:
        query = f"SELECT rowid FROM {self._name} ORDER BY rowid DESC LIMIT 1"  # noqa: S608
        try:
            row = self._source.execute(query).fetchone()
        except (sqlite3.Error, UnicodeDecodeError):
            return at + _BLIND
        return at if row is None else int(row[0])

    def _by_key(self) -> Iterator[Row]:
        """From both ends towards the part that can't be read."""
        for direction in ("ASC", "DESC"):
            order = ", ".join(f"{column} {direction}" for column in self._key.split(", "))
            query = f"SELECT {self._columns} FROM {self._name} ORDER BY {order}"  # noqa: S608
            try:
                for row in self._source.execute(query):
                    yield tuple(row)
                return
            except (sqlite3.Error, UnicodeDecodeError):
                self._is_whole = False
