"""The whole road between real processes: bytes, drops, resuming, and what people are told."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from typing import Any

import pytest
from roadside import Road
from sqlalchemy import ColumnElement, Select, func, select

from bench import world
from bench.proxy import CountingProxy, Link
from hub import schema
from hub.db import reading
from hub.wiring import Hub
from node.wiring import Node
from sync.client import Client
from sync.entries import Entry
from sync.errors import NotAHubError, UnreachableError
from sync.keys import key_id
from sync.log import Head
from sync.segment import open_segment


def entries_on(node: Node) -> list[Entry]:
    node.recorder.seal()
    with node.store.read() as db:
        rows = db.execute("SELECT data FROM segments ORDER BY log, idx").fetchall()
    return [entry for (data,) in rows for entry in open_segment(data).read().entries()]


def entries_at(hub: Hub, node: Node) -> list[Entry]:
    """What the hub holds of this node, merged."""
    query = _of(node, schema.segments.c.data).where(schema.segments.c.state == schema.MERGED)
    with reading(hub.engine) as connection:
        rows = connection.execute(query.order_by(schema.segments.c.log, schema.segments.c.idx)).scalars()
        return [entry for data in rows for entry in open_segment(data).read().entries()]


def stored_at(hub: Hub, node: Node) -> int:
    with reading(hub.engine) as connection:
        return connection.execute(_of(node, func.count())).scalar_one()


def _of(node: Node, wanted: ColumnElement[Any]) -> Select[Any]:
    """A query for the segments of this node's logs."""
    joined = schema.segments.join(schema.logs, schema.logs.c.pk == schema.segments.c.log)
    joined = joined.join(schema.devices, schema.devices.c.pk == schema.logs.c.device)
    device = key_id(node.config.device_key.public)
    return select(wanted).select_from(joined).where(schema.devices.c.device == device)


def until(is_so: Callable[[], bool]) -> None:
    """Wait until another process has done what it is about to do; the assertion after it decides."""
    for _ in range(200):
        if is_so():
            return
        threading.Event().wait(0.05)


def through(node: Node, url: str) -> Node:
    """The node with its hub behind another address."""
    key = node.config.device_key
    worker = node.worker.with_client(lambda: Client(url, key, key_id(key.public)))
    return replace(node, worker=worker)


@contextlib.contextmanager
def answering(status: int, headers: dict[str, str], body: bytes) -> Iterator[str]:
    """A web server that is no hub."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_five_thousand_entries_reach_the_hub_in_one_small_request(road: Road) -> None:
    node = road.node()
    world.play(node, world.workload_lines(1, 5000))
    with road.serving():
        world.register(road.hub, node)
        with CountingProxy(("127.0.0.1", road.port)) as proxy:
            outcome = through(node, proxy.url).worker.exchange()
            proxy.settle()
        assert outcome.requests == 1
        assert outcome.sent <= 20_000
        assert proxy.counts.up <= 22_000
        assert proxy.counts.down <= 600, "a receipt, and this device's certificate"
        assert entries_at(road.hub, node) == entries_on(node)

        with CountingProxy(("127.0.0.1", road.port)) as proxy:
            outcome = through(node, proxy.url).worker.exchange()
            proxy.settle()
        assert outcome.requests == 1
        assert outcome.sent <= 250
        assert outcome.received <= 200
        assert proxy.counts.up <= 500
        assert proxy.counts.down <= 400

        sizes = []
        for batch in range(6):
            world.play(node, world.workload_lines(1, 50, skip=5000 + 50 * batch))
            with CountingProxy(("127.0.0.1", road.port)) as proxy:
                outcome = through(node, proxy.url).worker.exchange()
                proxy.settle()
            assert outcome.requests == 1
            assert proxy.counts.up <= 900
            assert proxy.counts.down <= 500
            sizes.append(outcome.sent)
        assert sum(sizes) / len(sizes) <= 450
        assert entries_at(road.hub, node) == entries_on(node)
    counts = node.recorder.counts()
    assert counts.saved == counts.sent == counts.confirmed
    node.close()


def test_a_cut_upload_goes_on_at_the_next_segment(served: Road) -> None:
    node = served.node()
    world.play(node, world.workload_lines(2, 5000))
    world.register(served.hub, node)
    with CountingProxy(("127.0.0.1", served.port), Link(cut_after_up=6000)) as proxy:
        cut = through(node, proxy.url)
        with pytest.raises(UnreachableError):
            cut.worker.exchange()
        counts = node.recorder.counts()
        assert counts.sent > counts.confirmed
        until(lambda: stored_at(served.hub, node) >= _whole_before(node, 6000))
        outcome = cut.worker.exchange()
        proxy.settle()
    assert outcome.requests == 2, "one question, one upload of the rest"
    whole = sum(len(item) for log in node.worker.shelf.logs() for item in _all_items(node, log.tip))
    assert proxy.counts.up <= whole + 4096 + 1000
    assert entries_at(served.hub, node) == entries_on(node)
    node.close()


def _whole_before(node: Node, cut: int) -> int:
    """How many whole segments are in the first `cut` bytes of an upload, at least."""
    log = node.worker.shelf.logs()[0].tip
    sizes = accumulate(sum(map(len, node.worker.shelf.items(log, at))) for at in range(log.index + 1))
    return sum(size + 600 < cut for size in sizes)


def _all_items(node: Node, tip: Head) -> list[bytes]:
    return [item for index in range(tip.index + 1) for item in node.worker.shelf.items(tip, index)]


def test_what_arrived_before_the_cut_counts_at_once(served: Road) -> None:
    node = served.node()
    world.play(node, world.workload_lines(3, 5000))
    world.register(served.hub, node)
    with (
        CountingProxy(("127.0.0.1", served.port), Link(cut_after_up=9000)) as proxy,
        pytest.raises(UnreachableError),
    ):
        through(node, proxy.url).worker.exchange()
    until(lambda: len(entries_at(served.hub, node)) >= 1024)
    assert 1024 <= len(entries_at(served.hub, node)) < 5000
    node.close()


def test_a_device_without_a_code_waits_and_is_let_in(served: Road) -> None:
    from hub import registry
    from hub.wiring import now_ms

    node = served.node()
    world.play(node, world.workload_lines(4, 100))
    node.worker.exchange()
    assert node.worker.state().registration == "waiting"
    assert node.recorder.counts().confirmed == 0
    registry.approve(served.hub.engine, key_id(node.config.device_key.public), now_ms())
    node.worker.exchange()
    assert node.worker.state().registration == "registered"
    assert entries_at(served.hub, node) == entries_on(node)
    node.close()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "text/html"}, b"<html>Selamat datang di Wi-Fi desa</html>"),
        (302, {"Location": "http://portal.example/"}, b""),
        (404, {"Content-Type": "text/html"}, b"<h1>Not Found</h1>"),
        (200, {"Content-Type": "application/cbor-seq"}, b"\x80"),
        (200, {"Content-Type": "application/cbor-seq"}, b""),
        (200, {"Content-Type": "application/cbor-seq"}, b"\xff" * 600_000),
    ],
)
def test_something_that_is_no_hub_is_named_and_nothing_is_lost(
    served: Road, status: int, headers: dict[str, str], body: bytes
) -> None:
    node = served.node()
    world.play(node, world.workload_lines(5, 100))
    world.register(served.hub, node)
    before = node.recorder.counts()
    with answering(status, headers, body) as url, pytest.raises(NotAHubError):
        through(node, url).worker.exchange()
    assert node.recorder.counts().confirmed == before.confirmed
    node.worker.exchange()
    assert entries_at(served.hub, node) == entries_on(node)
    node.close()


def test_a_hub_that_is_off_is_said_to_be_unreachable(road: Road) -> None:
    node = road.node()
    with road.serving():
        world.register(road.hub, node)
    world.play(node, world.workload_lines(6, 30))
    with pytest.raises(UnreachableError):
        node.worker.exchange()
    assert node.worker.state().error is not None
    node.close()


def test_another_hub_is_not_believed(served: Road, tmp_path_factory: pytest.TempPathFactory) -> None:
    node = served.node()
    world.play(node, world.workload_lines(7, 30))
    world.register(served.hub, node)
    other_folder = tmp_path_factory.mktemp("other")
    other = world.make_hub(other_folder / "hub")
    stranger = world.make_node(other_folder / "node", served.url)
    stranger.close()
    port = world.free_port()
    with world.serving_hub(other_folder / "hub", port), pytest.raises(NotAHubError):
        through(node, f"http://127.0.0.1:{port}").worker.exchange()
    assert node.recorder.counts().confirmed == 0
    other.close()
    node.close()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["node", "status", "--data", "{none}"], 2),
        (["sync", "--data", "{none}"], 2),
        (["node", "init", "--data", "{new}", "--hub", "pusat.example", "--village", "17.05.10.2007"], 2),
        (["node", "init", "--data", "{new}", "--hub", "http://x", "--village", "desa kami"], 2),
        (
            [
                "node",
                "init",
                "--data",
                "{new}",
                "--hub",
                "http://x",
                "--village",
                "17.05.10.2007",
                "--code",
                "123",
            ],
            1,
        ),
        (["hub", "status", "--data", "{none}"], 2),
        (["hub", "register", "17.05.10.9999", "--data", "{hub}"], 2),
        (["hub", "register", "--approve", "ff", "--data", "{hub}"], 2),
        (["hub", "init", "--data", "{hub}"], 2),
        (["pack", "build", "{hub}", "--key", "{hub}/keys/publisher.key"], 2),
        (["pack", "verify", "{hub}/hub.toml"], 2),
    ],
)
def test_a_command_that_cannot_do_it_says_one_sentence(road: Road, arguments: list[str], code: int) -> None:
    places = {"none": road.folder / "nothing", "new": road.folder / "new", "hub": road.folder / "hub"}
    words = [word.format(**{name: str(path) for name, path in places.items()}) for word in arguments]
    done = subprocess.run([sys.executable, "-m", "lontar", *words], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert not (road.folder / "nothing").exists()
    assert not (road.folder / "new" / "node.toml").exists()


def test_a_busy_port_is_said_to_be_busy(road: Road) -> None:
    node = road.node()
    node.close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = ["node", "serve", "--data", str(road.folder / "node"), "--host", "127.0.0.1"]
        done = subprocess.run(
            [sys.executable, "-m", "lontar", *command, "--port", str(taken.getsockname()[1])],
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
