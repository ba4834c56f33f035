"""What the tests of the node share: a machine whose clocks are scripted, parts in a folder, entries read back."""

from __future__ import annotations

import contextlib
import random
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from centre import made_hub
from village import NOBODY_THERE
from werkzeug.serving import make_server

from hub.app import create_app
from hub.endpoint import Endpoint
from hub.wiring import Hub
from node import config
from node.anchor import Anchor
from node.centre import Centre
from node.history import History
from node.recorder import Recorder
from node.shelf import NodeShelf
from node.store import Store
from node.wiring import Node, open_node
from sync.entries import Entry
from sync.keys import SigningKey
from sync.logclock import Reading
from sync.machine import Machine
from sync.segment import open_segment

KEY: Final = SigningKey.from_seed(b"k" * 32)
MARCH_2026: Final = 1_772_413_200_000
"""2026-03-02T01:00:00Z, in milliseconds."""
VILLAGE: Final = "17.05.10.2007"


class ScriptedMachine(Machine):
    """A machine that a test switches on and off, and whose wall clock it sets."""

    def __init__(self, wall_ms: int = MARCH_2026, seed: int = 1) -> None:
        self.rng = random.Random(seed)
        self.powered_ms = 0
        self.wall_ms = wall_ms
        self.boots = 0

    def reading(self) -> Reading:
        return Reading(self.boots.to_bytes(16, "big"), self.powered_ms, self.wall_ms)

    def random_bytes(self, size: int) -> bytes:
        return self.rng.randbytes(size)

    def wait(self, ms: int) -> None:
        self.powered_ms += ms
        self.wall_ms += ms

    def restart(self, off_ms: int = 0) -> None:
        self.boots += 1
        self.powered_ms = 0
        self.wall_ms += off_ms


@dataclass
class Laptop:
    """A node's store, recorder and shelf, without settings or courses around them."""

    store: Store
    recorder: Recorder
    shelf: NodeShelf

    def close(self) -> None:
        self.store.close()


def laptop(data: Path, machine: Machine | None = None) -> Laptop:
    """Opened in `data`, new or as it was left."""
    store = Store(data)
    recorder = Recorder(store, KEY, b"s" * 32, machine or ScriptedMachine())
    centre = Centre(store, VILLAGE)
    history = History(store, recorder, centre, KEY.public)
    anchor = Anchor(data / "state", KEY.public, bytes(16))
    return Laptop(store, recorder, NodeShelf(store, recorder, centre, history, anchor))


def plain_node(data: Path, hub_url: str = NOBODY_THERE, machine: Machine | None = None) -> Node:
    """A whole node without courses or people."""
    made = machine or ScriptedMachine()
    secrets = {name: made.random_bytes(32) for name in ("device", "sealing", "pepper", "session")}
    config.create(data, config.Settings(hub_url, VILLAGE), secrets)
    return open_node(data, made)


def rows(store: Store, query: str, *values: object) -> list[tuple[Any, ...]]:
    with store.read() as db:
        return db.execute(query, values).fetchall()


def count(store: Store, table: str) -> int:
    return int(rows(store, f"SELECT count(*) FROM {table}")[0][0])


def sealed(store: Store) -> list[Entry]:
    """All entries in segments, in the order of the log."""
    segments = rows(store, "SELECT data FROM segments ORDER BY log, idx")
    return [entry for (data,) in segments for entry in open_segment(data).read().entries()]


def whole_log(made: Laptop | Node) -> list[Entry]:
    """Every entry, after sealing what waits."""
    made.recorder.seal()
    waiting = rows(made.store, "SELECT seq, kind, t FROM pending ORDER BY seq")
    return sealed(made.store) + [Entry(*row, ()) for row in waiting]


@contextlib.contextmanager
def answering(status: int, media: str, body: bytes) -> Iterator[str]:
    """The address of a web server that is no hub."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    with _in_a_thread(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextlib.contextmanager
def serving_hub(folder: Path) -> Iterator[tuple[Hub, str]]:
    """A real hub and its address, in a thread of this process."""
    hub = made_hub(folder)
    server = make_server("127.0.0.1", 0, Endpoint(hub.intake, create_app(hub).wsgi_app), threaded=True)
    with _in_a_thread(server):
        yield hub, f"http://127.0.0.1:{server.server_port}"
    hub.close()


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A small disk of its own, where this machine allows it."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", *options, "lontar-test", str(folder)]
    try:
        allowed = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("mounting is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def _in_a_thread(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
