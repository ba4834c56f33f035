"""A hub and villages in a folder, made by the product's own commands and classes."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import urllib3

from bench import catalogue
from bench.workload import events
from hub import config as hub_config
from hub import courses, db, operators, regions, registry
from hub.wiring import Hub, now_ms, open_hub
from node import config as node_config
from node.activity import Played, Player
from node.courses import install_pack, manifests
from node.wiring import Node, open_node
from sync.keys import SigningKey, fingerprint

PASSWORD: Final = "contoh-saja-2026"
VILLAGE: Final = "17.05.10.2007"
PYTHON: Final = os.environ.get("BENCH_PYTHON", sys.executable)
"""What runs the servers: to measure a village's own installation, say its Python here."""


def make_hub(folder: Path, database: str | None = None, region: str = "17.05") -> Hub:
    """A hub with its tables, regions of one regency and an operator, as `lontar hub init` makes it."""
    made = hub_config.create(folder, database, secrets.token_bytes)
    engine = db.open_engine(made.database_url)
    db.upgrade(engine)
    regions.load(engine, region)
    operators.set_password(engine, "operator", PASSWORD)
    engine.dispose()
    return open_hub(folder)


def make_node(folder: Path, hub_url: str, village: str = VILLAGE) -> Node:
    random = {name: secrets.token_bytes(32) for name in ("device", "sealing", "pepper", "session")}
    node_config.create(folder, node_config.Settings(hub_url, village, "Sekalak"), random)
    return open_node(folder)


def install_catalogue(folder: Path, node: Node, hub: Hub | None = None) -> None:
    """Build the workload's eight courses and install them where they are needed."""
    key = publisher_key(folder)
    for file in catalogue.build_packs(folder / "packs", key):
        install_pack(node, file, fingerprint(key.public))
        if hub is not None:
            courses.add(hub.engine, hub.config, file)


def publisher_key(folder: Path) -> SigningKey:
    path = folder / "hub" / "keys" / "publisher.key"
    seed = bytes.fromhex(path.read_text().strip()) if path.exists() else bytes(range(32))
    return SigningKey.from_seed(seed)


def register(hub: Hub, node: Node) -> None:
    code = registry.issue_code(hub.engine, node.config.village, secrets.token_bytes, now_ms())
    node.worker.enrol(str(code))


def workload_lines(village: int, count: int, seed: int = 7, skip: int = 0) -> list[bytes]:
    stream: Iterator[dict[str, Any]] = events(village, skip + count, seed)
    return [json.dumps(line).encode() for line in islice(stream, skip, skip + count)]


def play(node: Node, lines: list[bytes]) -> Played:
    return Player(node.store, node.recorder, manifests(node)).play(lines)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


Serving = contextlib.AbstractContextManager[subprocess.Popen[bytes]]


@contextlib.contextmanager
def serving(
    command: list[str], url: str, timeout_s: float = 30.0, pause_s: float = 0.05
) -> Iterator[subprocess.Popen[bytes]]:
    """A `lontar … serve` process, from when it answers until the block ends."""
    process = subprocess.Popen([PYTHON, "-m", "lontar", *command], env={**os.environ, "LONTAR_LANG": "id"})
    try:
        deadline = time.monotonic() + timeout_s
        while True:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                urllib3.request("GET", url, timeout=1, retries=False, redirect=False)
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} did not start")
            time.sleep(pause_s)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def serving_hub(data: Path, port: int, workers: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    command = ["hub", "serve", "--data", str(data), "--port", str(port), "--workers", str(workers)]
    with serving(command, f"http://127.0.0.1:{port}/masuk") as process:
        yield process
