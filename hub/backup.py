"""A whole centre in one file: every table as it stood at one moment, keys, settings, and the packs that it gives out.

Tables are read within one transaction, which sees one state of them however long it takes (SQLite in WAL mode, PostgreSQL
at REPEATABLE READ), and are written as plain values in CBOR, so that either database can be filled from it. What is in it
is counted and hashed; `verify` proves it without filling anything.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cbor2
import msgspec
from sqlalchemy import Connection, Engine, Table, select

from hub import db
from hub.backup_file import BackupError, Closing, Opening, Piece, opened, torn, write
from hub.config import Config
from hub.schema import metadata
from sync import __version__
from sync.errors import N_

Progress = Callable[[str, int], None]
"""Told what is being worked at, and how many rows or files of it are done."""

_FORMAT: Final = 1
_HEAD: Final = "head.json"
_CONTENTS: Final = "contents.json"
_FILE: Final = "files/"
_ROWS: Final = "tables/"
_CHUNK: Final = 1024 * 1024
_ARRAY: Final = b"\x9f"
_BREAK: Final = b"\xff"
"""Around rows, they make one CBOR value of them (RFC 8949, section 3.2.1)."""
_FETCHED: Final = 100
"""Rows at a time: some hold a quarter of a megabyte."""
_PACKS: Final = r"packs/(?:(?:offers/)?[0-9a-f]{64}\.cose|pieces/[0-9a-f]{2}/[0-9a-f]{64})"
_NAMES: Final = re.compile(rf"hub\.toml|keyset\.cose|root-holders\.cose|keys/[a-z0-9_-]+\.key|{_PACKS}")
"""The files of a data folder that are in a backup, and the only ones that come out of one."""


class Head(msgspec.Struct, frozen=True):
    """What a backup begins with: from which version of the tables it comes, and what stands in which column."""

    format: int
    software: str
    revision: str
    made_ms: int
    has_packs: bool
    columns: dict[str, list[str]]


class Contents(msgspec.Struct, frozen=True):
    """What a backup ends with: how much should have come, and its SHA-256."""

    rows: dict[str, int]
    files: dict[str, int]
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table."""

    table: str
    rows: list[list[Any]]


@dataclass(frozen=True, slots=True)
class File:
    """A file of the data folder, by its path in it."""

    path: str
    data: bytes


@dataclass
class _Tally:
    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    digests: dict[str, Any] = field(default_factory=lambda: defaultdict(hashlib.sha256))

    def contents(self) -> Contents:
        return Contents(
            self.rows, self.files, {name: made.hexdigest() for name, made in sorted(self.digests.items())}
        )


def take(
    engine: Engine,
    config: Config,
    path: Path,
    closing: Closing,
    now_ms: int,
    progress: Progress,
    packs: bool,
) -> tuple[Contents, int]:
    """Write a backup to a new file; returns what is in it, and the size of the file in bytes.

    Raises:
        BackupError: it can't be written there, or the tables aren't of this version.
        BusyError: the database went away meanwhile; there is no file.
    """
    tally = _Tally()
    with db.reading_still(engine) as connection:
        found = db.revision(connection)
        if found != db.own_revision():
            raise BackupError(
                N_("Basis data belum sesuai versi perangkat lunak ini. Jalankan: lontar hub upgrade")
            )
        columns = {
            str(table.name): [str(column.name) for column in table.c] for table in metadata.sorted_tables
        }
        head = Head(_FORMAT, __version__, found, now_ms, packs, columns)
        size = write(path, _pieces(connection, config.data, head, tally, progress), closing)
    return tally.contents(), size


class Reading:
    """A backup as it comes: first its head, then rows and files; at its end everything was counted and compared."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        """
        Raises:
            BackupError: it isn't whole, or a later Lontar has made it.
        """
        name, data = next(pieces, ("", b""))
        if name != _HEAD:
            raise torn()
        self.head = _decoded(data, Head)
        if self.head.format > _FORMAT:
            raise BackupError(N_("Cadangan ini dibuat oleh Lontar yang lebih baru. Perbarui Lontar dulu."))
        self._pieces = pieces
        self.contents: Contents | None = None
        """What was in it, once all has come."""

    def __iter__(self) -> Iterator[Rows | File]:
        """
        Raises:
            BackupError: it isn't whole, or holds what no backup holds.
        """
        tally = _Tally(dict.fromkeys(self.head.columns, 0))
        for name, data in self._pieces:
            if name == _CONTENTS:
                self.contents = _decoded(data, Contents)
                break
            yield self._read(name, data, tally)
        # age tells only at the very end that nothing is lacking.
        if self.contents is None or self.contents != tally.contents() or next(self._pieces, None):
            raise torn()

    def _read(self, name: str, data: bytes, tally: _Tally) -> Rows | File:
        if name.startswith(_FILE):
            path = name.removeprefix(_FILE)
            if not _NAMES.fullmatch(path) or path in tally.files:
                raise torn()
            tally.files[path] = len(data)
            tally.digests[name].update(data)
            return File(path, data)
        table = name.removeprefix(_ROWS).rpartition("/")[0]
        if table not in self.head.columns:
            raise torn()
        rows = _rows_of(data, len(self.head.columns[table]))
        tally.rows[table] += len(rows)
        tally.digests[_ROWS + table].update(data)
        return Rows(table, rows)


def verify(path: Path, opening: Opening, progress: Progress) -> tuple[Head, Contents]:
    """Read a backup to its end, and compare everything with what it says of itself.

    Raises:
        BackupError: it is no backup, something else opens it, or it isn't whole.
    """
    with opened(path, opening) as pieces:
        reading = Reading(pieces)
        follow(reading, progress)
    assert reading.contents is not None
    return reading.head, reading.contents


def follow(items: Iterable[Rows | File], progress: Progress) -> None:
    """Read `items` to their end and tell how far it has come."""
    done: dict[str, int] = defaultdict(int)
    for item in items:
        name, count = (item.table, len(item.rows)) if isinstance(item, Rows) else (_FILE, 1)
        done[name] += count
        progress(name, done[name])


def _pieces(
    connection: Connection, data: Path, head: Head, tally: _Tally, progress: Progress
) -> Iterator[Piece]:
    yield _HEAD, msgspec.json.encode(head)
    for table in metadata.sorted_tables:
        yield from _table(connection, table, tally, progress)
    # After the tables: what they name is here by now, and pieces of packs never change.
    for count, path in enumerate(_files(data, head.has_packs), start=1):
        content = (data / path).read_bytes()
        tally.files[path] = len(content)
        tally.digests[_FILE + path].update(content)
        progress(_FILE, count)
        yield _FILE + path, content
    yield _CONTENTS, msgspec.json.encode(tally.contents())


def _table(connection: Connection, table: Table, tally: _Tally, progress: Progress) -> Iterator[Piece]:
    tally.rows[str(table.name)] = 0
    query = select(table).order_by(*table.primary_key.columns)
    found = connection.execute(query, execution_options={"yield_per": _FETCHED})
    chunk, number = bytearray(), 0
    for row in found:
        chunk += cbor2.dumps(list(row))
        tally.rows[table.name] += 1
        if len(chunk) >= _CHUNK:
            yield _chunk(table, number, chunk, tally)
            progress(table.name, tally.rows[table.name])
            chunk, number = bytearray(), number + 1
    if chunk:
        yield _chunk(table, number, chunk, tally)
    progress(table.name, tally.rows[table.name])


def _chunk(table: Table, number: int, chunk: bytearray, tally: _Tally) -> Piece:
    data = _ARRAY + bytes(chunk) + _BREAK
    tally.digests[_ROWS + table.name].update(data)
    return f"{_ROWS}{table.name}/{number}", data


def _files(data: Path, packs: bool) -> Iterator[str]:
    """What of the data folder is kept, by path in it."""
    for path in sorted(data.rglob("*")):
        name = path.relative_to(data).as_posix()
        is_wanted = packs or not name.startswith("packs/")
        if is_wanted and _NAMES.fullmatch(name) and path.is_file():
            yield name


def _rows_of(data: bytes, width: int) -> list[list[Any]]:
    try:
        rows = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError) as problem:
        raise torn() from problem
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == width for row in rows):
        raise torn()
    return rows


def _decoded(data: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as problem:
        raise torn() from problem
