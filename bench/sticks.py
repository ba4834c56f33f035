"""`python -m bench sticks`: what the road without a signal costs, with the product's own classes and real files.

A village's bundle of 5,000 entries on a real file system; what a courier with the parts of 300 villages asks and is
told; what a laptop that takes over fetches of the village's history.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from werkzeug.serving import make_server

from bench import world
from bench.proxy import CountingProxy
from hub import parts, registry
from hub.endpoint import Endpoint
from hub.wiring import Hub, now_ms
from sync import courier
from sync.client import Client
from sync.keys import key_id
from sync.post import Post
from sync.stick import OUT, Stick

ENTRIES: Final = 5000
VILLAGES: Final = 300


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, the goal, what came out."""

    what: str
    goal: str
    value: str


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        os.environ["LONTAR_STATE"] = str(Path(name) / "state")
        return _run(Path(name))


def _run(folder: Path) -> list[Row]:
    hub = world.make_hub(folder / "hub")
    server = make_server("127.0.0.1", 0, Endpoint(hub.intake, lambda *_: []), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    node = world.make_node(folder / "node", url)
    world.register(hub, node)
    world.install_catalogue(folder / "packs", node)
    world.play(node, world.workload_lines(1, ENTRIES))
    stick = Stick(folder / "stick")
    (folder / "stick").mkdir()
    started = time.perf_counter()
    written = node.bundles.write(stick)
    seconds = time.perf_counter() - started
    rows = [
        Row("bundle of 5,000 entries: bytes of parts, padding and all", "≤ 24,000", f"{written.size:,}"),
        Row("… parts", "", str(written.parts)),
        Row("… sealed, written, synced, read back (s)", "≤ 1", f"{seconds:.2f}"),
    ]
    started = time.perf_counter()
    for found in stick.parts(OUT):
        parts.take(hub.intake, stick.read_part(found))
    rows.append(
        Row("… opened, verified, stored, merged by the hub (s)", "", f"{time.perf_counter() - started:.2f}")
    )
    rows += _courier(hub.config.keyset.hub_keys, url)
    rows += _history(folder, hub, url, node.recorder.counts().saved)
    server.shutdown()
    node.close()
    hub.close()
    return rows


def _courier(hub_keys: tuple[bytes, ...], url: str) -> list[Row]:
    with CountingProxy(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as proxy:
        question = courier.ask_missing([secrets.token_bytes(32) for _ in range(VILLAGES)])
        answer = Post(proxy.url).send(courier.MISSING_PATH, question, 64 * 1024)
        proxy.settle()
        assert sum(courier.open_missing(answer, hub_keys, question)) == VILLAGES
        total = proxy.counts.up + proxy.counts.down
    return [
        Row(
            f"courier with {VILLAGES} parts: bytes to learn what the hub lacks, both ways",
            "≤ 6,000",
            f"{total:,}",
        ),
        Row("… round trips", "1", "1"),
    ]


def _history(folder: Path, hub: Hub, url: str, entries: int) -> list[Row]:
    fresh = world.make_node(folder / "fresh", url)
    code = registry.issue_code(hub.engine, world.VILLAGE, secrets.token_bytes, now_ms())
    fresh.worker.enrol(str(code))
    fresh.shelf.want_history()
    with CountingProxy(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as proxy:
        key = fresh.config.device_key
        worker = fresh.worker.with_client(lambda: Client(proxy.url, key, key_id(key.public)))
        outcome = worker.exchange()
        proxy.settle()
    with fresh.store.read() as db:
        held = db.execute("SELECT sum(count) FROM history").fetchone()[0]
        people = db.execute("SELECT count(*) FROM learners").fetchone()[0]
    fresh.close()
    return [
        Row(
            f"a new laptop fetches {held:,} entries of the village ({people} people): bytes down",
            "≤ 25,000",
            f"{proxy.counts.down:,}",
        ),
        Row("… bytes up", "", f"{proxy.counts.up:,}"),
        Row("… requests", "", str(outcome.requests)),
    ]
