"""`make demo`: the whole road in one command, on SQLite, in ./demo-data, with the product's own commands.

Makes a hub and a village node, registers the node, installs the demonstration course, plays 5,000 entries of
learner activity while the hub is off, starts the hub, syncs, and compares what both hold. Then both pages
stay up until Ctrl-C; with --once it ends by itself, with 0 only if everything agreed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from bench import activity, world
from bench.proxy import CountingProxy
from hub import schema
from hub.db import reading
from hub.wiring import Hub, open_hub
from node.wiring import Node, open_node
from sync.client import Client
from sync.entries import Entry
from sync.keys import key_id
from sync.segment import open_segment

ENTRIES: Final = 5000
COURSE: Final = Path(__file__).parent.parent / "content_packs" / "demo" / "pengelolaan-keuangan-desa"
OPERATOR_PASSWORD: Final = "lontar-demo-2026"

console: Final = Console()


class DisagreementError(Exception):
    """Hub and node don't hold the same."""


@dataclass(frozen=True)
class Measured:
    """What the exchange cost on TCP."""

    up: int
    down: int
    requests: int
    seconds: float


def run(data: Path, once: bool) -> None:
    hub_data, node_data = data / "hub", data / "node"
    hub_port, node_port = _port(8000), _port(8080)
    _prepare(data)
    os.environ["LONTAR_STATE"] = str(data / "state")
    _step("Menyiapkan pusat dan daftar wilayah")
    _lontar("hub", "init", "--data", hub_data, "--password", OPERATOR_PASSWORD)
    _step("Membuat paket pelatihan contoh, bersegel penerbit")
    pack = data / "pengelolaan-keuangan-desa.lontar"
    _lontar("pack", "build", COURSE, "--key", hub_data / "keys" / "publisher.key", "-o", pack)
    _lontar("hub", "add-course", pack, "--data", hub_data)
    _step(f"Mendaftarkan laptop desa {world.VILLAGE} dengan kode")
    code = _lontar("hub", "register", world.VILLAGE, "--data", hub_data).strip()
    with _hub(hub_data, hub_port):
        address = f"http://127.0.0.1:{hub_port}"
        village = ("--village", world.VILLAGE, "--village-name", "Sekalak")
        _lontar(
            *("node", "init", "--data", node_data, "--hub", address, *village, "--code", code),
            *("--port", node_port),
        )
    _lontar("pack", "install", pack, "--data", node_data)
    _step(f"Pusat dimatikan. Memainkan {ENTRIES:,} catatan belajar di laptop desa, tanpa jaringan")
    node = open_node(node_data)
    lines = activity.lines(node.packs.packs()[0], ENTRIES, datetime.now(UTC))
    (data / "activity.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    node.close()
    _lontar("node", "record", data / "activity.jsonl", "--data", node_data)
    _step("Pusat dinyalakan, satu kali sinkronisasi")
    with _hub(hub_data, hub_port):
        measured = _exchange(node_data, hub_port)
        _step("Membandingkan pusat dan laptop: catatan demi catatan, nilai demi nilai")
        figures = _compare(node_data, hub_data)
        _report(figures, measured)
        if not once:
            _stay(node_data, node_port, hub_port)


def _prepare(data: Path) -> None:
    if data.exists() and not (data / "lontar-demo").exists() and any(data.iterdir()):
        raise click.ClickException(f"Folder {data} berisi hal lain; pilih folder lain dengan --data.")
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    (data / "lontar-demo").touch()


def _lontar(*arguments: object) -> str:
    command = [sys.executable, "-m", "lontar", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"lontar {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def _hub(data: Path, port: int) -> world.Serving:
    return world.serving_hub(data, port)


def _exchange(node_data: Path, hub_port: int) -> Measured:
    node = open_node(node_data)
    try:
        with CountingProxy(("127.0.0.1", hub_port)) as proxy:
            key = node.config.device_key
            worker = node.worker.with_client(lambda: Client(proxy.url, key, key_id(key.public)))
            started = time.perf_counter()
            outcome = worker.exchange()
            seconds = time.perf_counter() - started
            proxy.settle()
            return Measured(proxy.counts.up, proxy.counts.down, outcome.requests, seconds)
    finally:
        node.close()


def _compare(node_data: Path, hub_data: Path) -> dict[str, int]:
    """
    Raises:
        DisagreementError: with the first difference.
    """
    node, hub = open_node(node_data), open_hub(hub_data)
    try:
        here, there = _node_entries(node), _hub_entries(hub)
        if here != there:
            raise DisagreementError(f"{len(here)} catatan di laptop, {len(there)} di pusat")
        scores = _node_scores(node)
        if scores != _hub_scores(hub):
            raise DisagreementError("nilai berbeda")
        with node.store.read() as db:
            completions = db.execute(
                "SELECT count(*) FROM course_progress WHERE completions > 0"
            ).fetchone()[0]
        counts = node.recorder.counts()
        if counts.saved != counts.confirmed:
            raise DisagreementError(f"{counts.confirmed} dari {counts.saved} catatan dikonfirmasi")
        return {
            "Catatan di laptop, semua di pusat": len(here),
            "Baris nilai yang sama di keduanya": len(scores),
            "Peserta": len(node.learning.learners()),
            "Peserta yang menyelesaikan pelatihan": completions,
        }
    finally:
        node.close()
        hub.close()


def _node_entries(node: Node) -> list[Entry]:
    with node.store.read() as db:
        return [
            entry
            for (data,) in db.execute("SELECT data FROM segments ORDER BY log, idx")
            for entry in open_segment(data).read().entries()
        ]


def _hub_entries(hub: Hub) -> list[Entry]:
    with reading(hub.engine) as connection:
        query = select(schema.segments.c.data).where(schema.segments.c.state == schema.MERGED)
        rows = connection.execute(query.order_by(schema.segments.c.log, schema.segments.c.idx)).scalars()
        return [entry for data in rows for entry in open_segment(data).read().entries()]


def _node_scores(node: Node) -> list[tuple[object, ...]]:
    query = """SELECT l.id, p.manifest_hash, r.lesson, r.openings, r.seconds, r.furthest, r.answers,
                      r.right_answers, r.attempts, r.best_score
               FROM lesson_progress r JOIN learners l ON l.number = r.learner JOIN packs p ON p.number = r.pack"""
    with node.store.read() as db:
        return sorted(db.execute(query).fetchall())


def _hub_scores(hub: Hub) -> list[tuple[object, ...]]:
    r, learners, packs = schema.lesson_progress.c, schema.learners.c, schema.packs.c
    counted = (r.openings, r.seconds, r.furthest, r.answers, r.right_answers, r.attempts, r.best_score)
    query = (
        select(learners.learner, packs.manifest_hash, r.lesson, *counted)
        .join(schema.learners, learners.pk == r.learner)
        .join(schema.packs, packs.pk == r.pack)
    )
    with reading(hub.engine) as connection:
        return sorted(tuple(row) for row in connection.execute(query))


def _report(figures: dict[str, int], measured: Measured) -> None:
    table = Table(show_header=False)
    for label, value in figures.items():
        table.add_row(label, f"{value:,}".replace(",", "."))
    table.add_row(
        "Bita naik / turun (dengan HTTP)", f"{measured.up:,} / {measured.down:,}".replace(",", ".")
    )
    table.add_row("Permintaan", str(measured.requests))
    table.add_row("Lama sinkronisasi", f"{measured.seconds:.2f} detik".replace(".", ","))
    console.print(table)
    console.print("Pusat dan laptop desa sama.", style="bold green")


def _stay(node_data: Path, node_port: int, hub_port: int) -> None:
    command = ["node", "serve", "--data", str(node_data), "--port", str(node_port)]
    with world.serving(command, f"http://127.0.0.1:{node_port}/"):
        console.print(f"\nLaptop desa : http://localhost:{node_port}")
        console.print(f"Pusat       : http://localhost:{hub_port}  (operator / {OPERATOR_PASSWORD})")
        console.print("Ctrl-C untuk berhenti.")
        stopped = {"yes": False}
        signal.signal(signal.SIGTERM, lambda *_: stopped.update(yes=True))
        try:
            while not stopped["yes"]:
                time.sleep(0.2)
        except KeyboardInterrupt:
            console.print("Berhenti.")


def _port(wanted: int) -> int:
    """`wanted`, or a free port if something else has it."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", wanted)) != 0:
            return wanted
    return world.free_port()


def _step(text: str) -> None:
    console.print(f"• {text}")
