"""`python -m bench wire`: bytes, requests and seconds of an exchange, counted on TCP between real processes.

The hub runs under gunicorn as a village meets it; the node's own client speaks through a proxy that counts
payload bytes (headers and all), slows the line down to 2G, or cuts it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import world
from bench.proxy import CountingProxy, Link
from hub.wiring import Hub
from node.wiring import Node
from node.worker import Worker
from sync.client import Client, Outcome
from sync.errors import UnreachableError
from sync.keys import key_id

FIRST, MORE = 5000, 50
SLOW = Link(rtt_s=0.6, rate=4096)


@dataclass(frozen=True)
class Row:
    """What one exchange cost. `up` and `down` are TCP payload; `body_up` and `body_down` without HTTP."""

    what: str
    up: int
    down: int
    body_up: int
    body_down: int
    requests: int
    seconds: float


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        os.environ["LONTAR_STATE"] = str(Path(name) / "state")
        return _run(Path(name))


def _run(folder: Path) -> list[Row]:
    hub = world.make_hub(folder / "hub")
    port = world.free_port()
    rows: list[Row] = []
    with world.serving_hub(folder / "hub", port):
        whole = _node(folder / "whole", port, hub, 1)
        rows.append(_measure(f"first {FIRST:,} entries", whole, port))
        world.play(whole, world.workload_lines(1, MORE, skip=FIRST))
        rows.append(_measure(f"{MORE} more", whole, port))
        rows.append(_measure("nothing new", whole, port))
        rows.append(_measure("nothing new, 600 ms RTT, 4 KB/s", whole, port, SLOW))
        world.play(whole, world.workload_lines(1, MORE, skip=FIRST + MORE))
        rows.append(_measure(f"{MORE} more, 600 ms RTT, 4 KB/s", whole, port, SLOW))
        whole.close()
        cut = _node(folder / "cut", port, hub, 2)
        rows.append(_measure_cut(cut, port, int(rows[0].up * 0.3)))
        cut.close()
        slow = _node(folder / "slow", port, hub, 3)
        rows.append(_measure(f"first {FIRST:,} entries, 600 ms RTT, 4 KB/s", slow, port, SLOW))
        slow.close()
    hub.close()
    return rows


def _node(folder: Path, port: int, hub: Hub, village: int) -> Node:
    node = world.make_node(folder, f"http://127.0.0.1:{port}")
    world.register(hub, node)
    world.install_catalogue(folder, node)
    world.play(node, world.workload_lines(village, FIRST))
    return node


def _worker(node: Node, url: str) -> Worker:
    """The node's worker, speaking to the proxy on a connection of its own."""

    def client() -> Client:
        return Client(url, node.config.device_key, key_id(node.config.device_key.public))

    return node.worker.with_client(client)


def _measure(what: str, node: Node, port: int, link: Link | None = None) -> Row:
    with CountingProxy(("127.0.0.1", port), link or Link()) as proxy:
        started = time.perf_counter()
        outcome = _worker(node, proxy.url).exchange()
        seconds = time.perf_counter() - started
        proxy.settle()
        assert node.recorder.counts().confirmed >= FIRST
        return _row(what, proxy, outcome, seconds)


def _measure_cut(node: Node, port: int, cut_after: int) -> Row:
    with CountingProxy(("127.0.0.1", port), Link(cut_after_up=cut_after)) as proxy:
        worker = _worker(node, proxy.url)
        started = time.perf_counter()
        with contextlib.suppress(UnreachableError):
            worker.exchange()
            raise AssertionError("the line was not cut")
        outcome = worker.exchange()
        seconds = time.perf_counter() - started
        proxy.settle()
        assert node.recorder.counts().confirmed >= FIRST
        return _row("first sync cut at 30 % and gone on with", proxy, outcome, seconds)


def _row(what: str, proxy: CountingProxy, outcome: Outcome, seconds: float) -> Row:
    counts = proxy.counts
    return Row(what, counts.up, counts.down, outcome.sent, outcome.received, outcome.requests, seconds)
