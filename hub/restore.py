"""Makes a centre again from a backup, in an empty folder and an empty database of either kind, or changes nothing.

Files wait in a folder beside their place and rows in one transaction until the whole backup has come and is what it says
of itself. One of an earlier version fills tables of that version, which are then brought to this one.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, func, inspect, select
from sqlalchemy.exc import DBAPIError

from hub import config, db
from hub.backup import Contents, File, Progress, Reading, Rows, follow
from hub.backup_file import BackupError, Opening, opened, torn
from sync.errors import N_
from web.data_folder import as_toml, write_private

_WAITING: Final = ".pulih"
_DATABASE: Final = "hub.db"
_AT_ONCE: Final = 1000


def restore(
    data: Path, path: Path, opening: Opening, database_url: str | None, progress: Progress
) -> Contents:
    """Fill the folder `data`, and the database of that address or else SQLite in the folder.

    Raises:
        BackupError: something is there already, or the backup can't be used; nothing was changed.
        DataFolderError: the database can't be opened.
        BusyError: it went away meanwhile; nothing was changed.
    """
    waiting = data / _WAITING
    _refuse_full(data)
    with opened(path, opening) as pieces:
        reading = Reading(pieces)
        if reading.head.revision not in db.revisions():
            raise BackupError(N_("Cadangan ini dibuat oleh Lontar yang lebih baru. Perbarui Lontar dulu."))
        shutil.rmtree(waiting, ignore_errors=True)
        waiting.mkdir(mode=0o700, parents=True)
        try:
            return _fill(data, reading, database_url, progress)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)


def _fill(data: Path, reading: Reading, database_url: str | None, progress: Progress) -> Contents:
    waiting = data / _WAITING
    engine = db.open_engine(database_url or f"sqlite:///{waiting.resolve() / _DATABASE}")
    try:
        db.refuse_newer(engine)
        with db.writing(engine) as connection:
            _refuse_tables(connection)
            db.upgrade_within(connection, reading.head.revision)
            tables = _emptied(connection, reading.head.columns)
            try:
                follow(_taken(connection, waiting, reading, tables), progress)
            except DBAPIError as problem:
                if db.is_away(problem):
                    raise
                # Rows that no table takes.
                raise torn() from problem
            _go_on_counting(connection, tables)
            db.upgrade_within(connection)
            url = database_url or f"sqlite:///{data.resolve() / _DATABASE}"
            _set_address(waiting / config.FILE, url)
            config.load(waiting, {})
    finally:
        engine.dispose()
    # The settings last: a folder without them is no centre yet.
    for entry in sorted(waiting.iterdir(), key=lambda entry: entry.name == config.FILE):
        entry.rename(data / entry.name)
    assert reading.contents is not None
    return reading.contents


def _emptied(connection: Connection, columns: dict[str, list[str]]) -> dict[str, Table]:
    """The tables that the backup fills, without what migrations put there."""
    names = set(inspect(connection).get_table_names())
    if not set(columns) <= names:
        raise torn()
    tables = {name: Table(name, MetaData(), autoload_with=connection) for name in columns}
    if any(not set(columns[name]) <= set(table.c.keys()) for name, table in tables.items()):
        raise torn()
    for table in reversed(tables.values()):
        connection.execute(table.delete())
    return tables


def _taken(
    connection: Connection, waiting: Path, reading: Reading, tables: dict[str, Table]
) -> Iterator[Rows | File]:
    """What is read, once it has been put where it belongs."""
    for item in reading:
        if isinstance(item, Rows):
            _insert(connection, tables[item.table], reading.head.columns[item.table], item.rows)
        else:
            _put(waiting / item.path, item.data)
        yield item


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: list[list[Any]]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        made = [dict(zip(columns, row, strict=True)) for row in rows[start : start + _AT_ONCE]]
        connection.execute(table.insert(), made)


def _put(path: Path, data: bytes) -> None:
    # Packs are for everyone (nginx reads them), keys and settings for nobody else.
    is_public = path.suffix != ".key" and path.parent.name not in ("keys", _WAITING)
    path.parent.mkdir(mode=0o755 if is_public else 0o700, parents=True, exist_ok=True)
    mode = 0o644 if is_public else 0o600
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _go_on_counting(connection: Connection, tables: dict[str, Table]) -> None:
    """Let PostgreSQL give new rows numbers after those that came; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.values():
        for column in table.primary_key:
            query = select(func.pg_get_serial_sequence(table.name, column.name))
            sequence = connection.execute(query).scalar()
            if sequence:
                following = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
                connection.execute(select(func.setval(sequence, following, False)))


def _set_address(file: Path, url: str) -> None:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise torn() from problem
    lines = (as_toml(name, value) for name, value in (values | {"database_url": url}).items())
    write_private(file, "".join(lines))


def _refuse_full(data: Path) -> None:
    if data.exists() and any(entry.name != _WAITING for entry in data.iterdir()):
        raise BackupError(
            N_("Folder %(folder)s tidak kosong. Pulihkan ke folder yang kosong."), folder=data
        )


def _refuse_tables(connection: Connection) -> None:
    if inspect(connection).get_table_names():
        raise BackupError(N_("Basis data itu tidak kosong. Pulihkan ke basis data yang kosong."))
