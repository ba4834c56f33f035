"""Power cuts at any moment of a real process, by the record of its system calls: `crash_states` says what may be left.

Each state is opened by the product as after a real cut. Whoever had been told something before that moment finds it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
import requests
from centre import made_hub
from crash_states import Disk
from cut import STATES, every_cut, told_at
from device import Device
from phone import Phone
from state import merged_state
from syscalls import Said, Step, needs_strace, recorded, steps
from told import Told, answers_in, lost_at_hub, problems_of
from village import made_village

from bench import world
from bench.world import free_port
from hub import config as hub_config
from hub import rebuilding
from hub.catching_up import catch_up
from hub.wiring import now_ms
from node import config as node_config
from sync import exchange
from sync.entries import LessonProgressed
from sync.items import ItemKind, read_item
from sync.post import Post

PATIENCE_S: Final = 60


def until_it_answers(url: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(requests.ConnectionError):
            requests.get(url, timeout=PATIENCE_S)
            return
        assert time.monotonic() < until
        time.sleep(0.1)


def is_saved(data: bytes) -> bool:
    return data.startswith(b"HTTP/1.1 302") and b"/kuis" in data.partition(b"\r\n\r\n")[0]


@pytest.mark.slow
def test_a_node_holds_every_answer_it_called_saved_whenever_the_power_goes(tmp_path: Path) -> None:
    needs_strace()
    root, record = tmp_path / "laptop", tmp_path / "record"
    root.mkdir()
    made_village(root, ("Siti Aminah", "Kepala Desa")).close()
    port, told, disk = free_port(), Told(), Disk(root)
    command = ["node", "serve", "--data", str(root / "data"), "--port", str(port), "--host", "127.0.0.1"]
    with recorded(record, [*command, "--no-sync"], {"LONTAR_STATE": str(root / "state")}):
        until_it_answers(f"http://127.0.0.1:{port}/")
        phone = Phone(f"http://127.0.0.1:{port}", told)
        phone.log_in()
        for _ in range(60):
            assert phone.answer()
    done = steps(record, root, disk.now)
    words = told_at(done, is_saved)
    assert len(words) == len(told.answers) == 60
    for cut in every_cut(disk, done, words, tmp_path):
        with cut.node() as node:
            kept = answers_in(node)
            assert kept == told.answers[: len(kept)], cut
            assert len(kept) >= cut.told(words), cut
            assert node.store.get("new_log") is None, "a power cut is no restored backup"
        assert problems_of(cut.place / "data" / "lontar.db") == "ok"


@pytest.mark.slow
def test_what_left_a_node_is_on_its_disk_and_what_it_calls_confirmed_is_too(tmp_path: Path) -> None:
    """Otherwise it would go on with other entries under the same numbers, and contradict itself."""
    needs_strace()
    root, record, port = tmp_path / "laptop", tmp_path / "record", free_port()
    root.mkdir()
    hub = made_hub(tmp_path / "hub")
    made = world.make_node(root / "data", f"http://127.0.0.1:{port}")
    world.install_catalogue(tmp_path / "packs", made)
    environment = {"LONTAR_STATE": str(root / "state"), "LONTAR_LANG": "id"}
    with world.serving_hub(tmp_path / "hub", port):
        world.register(hub, made)
        world.play(made, world.workload_lines(1, 1500))
        made.close()
        disk = Disk(root)
        with recorded(record, ["sync", "--data", str(root / "data")], environment) as process:
            assert process.stdout is not None
            shown = process.stdout.read()
    hub.close()
    done = steps(record, root, disk.now)
    left = requests_in(done)
    assert sum(map(len, left.values())) >= 2
    words = told_at(done, lambda data: b"dikonfirmasi" in data)
    assert len(words) == 1, shown
    confirmed = int(shown.split()[0].replace(b".", b""))
    for cut in every_cut(disk, done, [*left, *words], tmp_path):
        with cut.node() as node:
            with node.store.read() as db:
                held = {bytes(one) for (one,) in db.execute("SELECT id FROM segments")}
            for at, ids in left.items():
                assert at >= cut.point or ids <= held, cut
            assert not cut.told(words) or node.recorder.counts().confirmed >= confirmed, cut
            assert node.store.get("new_log") is None, "a power cut is no restored backup"


def requests_in(done: Sequence[Step]) -> dict[int, set[bytes]]:
    """At which steps a request began to leave, and the ids of the segments in it."""
    bodies: dict[int, bytearray] = {}
    for at, step in enumerate(done):
        if isinstance(step, Said) and "TCP" in step.to:
            if step.data.startswith(b"POST "):
                bodies[at] = bytearray()
            if bodies:
                bodies[max(bodies)] += step.data
    found = {}
    for at, said in bodies.items():
        items = [
            read_item(item) for item in exchange.ItemSplitter().feed(bytes(said).partition(b"\r\n\r\n")[2])
        ]
        found[at] = {one.segment().id for one in items[1:] if one and one.kind is ItemKind.SEGMENT}
    return found


@pytest.mark.slow
def test_a_hub_holds_every_segment_it_gave_a_receipt_for_whenever_the_power_goes(tmp_path: Path) -> None:
    needs_strace()
    root, record, port = tmp_path / "hub", tmp_path / "record", free_port()
    hub = made_hub(root)
    device = Device().open()
    for at in range(40):
        device.seal(LessonProgressed(at % 2, 0, 1, 100 * at, 30))
    device.registered(hub)
    keys = hub.config.keyset.hub_keys
    hub.close()
    disk = Disk(root)
    command = ["hub", "serve", "--data", str(root), "--port", str(port), "--workers", "1"]
    with recorded(record, command, {}):
        until_it_answers(f"http://127.0.0.1:{port}/sehat")
        road = Post(f"http://127.0.0.1:{port}")
        for at, segment in enumerate(device.segments):
            header = device.header()
            profiles = [] if at else [profile.encode() for profile in device.profiles]
            answer = road.send(exchange.PATH, b"".join([header, *profiles, segment.data]), 1 << 20)
            (verdict,) = exchange.open_receipt(exchange.split_answer(answer)[0], keys, header).verdicts
            assert verdict.head.index == at
    done = steps(record, root, disk.now)
    words = told_at(done, lambda data: data.startswith(b"HTTP/1.1 200") and b"cbor-seq" in data)
    assert len(words) == len(device.segments)
    for cut in every_cut(disk, done, words, tmp_path, STATES // 2):
        with cut.hub() as left:
            told = Told(segments={one.id for one in device.segments[: cut.told(words)]})
            assert lost_at_hub(told, left) == set(), cut
            catch_up(left.engine, left.config, 0, now_ms())
            before = merged_state(left)
            rebuilding.everything(left.engine)
            assert merged_state(left) == before, f"{cut}: sums made anew are others"
            receipt = device.send(left)
            assert receipt.verdicts[0].head.index == len(device.segments) - 1, cut
        assert problems_of(cut.place / "hub.db") == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["node", "hub"])
def test_keys_and_settings_are_there_once_a_folder_was_called_ready(tmp_path: Path, what: str) -> None:
    needs_strace()
    root, record = tmp_path / what, tmp_path / "record"
    root.mkdir()
    disk = Disk(root)
    command = {
        "node": [
            "node",
            "init",
            "--data",
            str(root),
            "--hub",
            "http://127.0.0.1:9",
            "--village",
            "17.05.10.2007",
        ],
        "hub": ["hub", "init", "--data", str(root), "--regions", "17.05.10"],
    }[what]
    with recorded(
        record, command, {"LONTAR_LANG": "id", "LONTAR_STATE": str(tmp_path / "state")}
    ) as process:
        assert process.stdout is not None
        shown = process.stdout.read()
    load = {"node": node_config.load, "hub": hub_config.load}[what]
    wanted = keys_of(root)
    done = steps(record, root, disk.now)
    words = told_at(done, lambda data: bool(data.strip()))
    assert words, shown
    ready = [words[-1]]
    for cut in every_cut(disk, done, ready, tmp_path, STATES // 2):
        if cut.told(ready):
            assert keys_of(cut.place) == wanted, cut
            load(cut.place)
        elif (cut.place / "keys").exists():
            for name, key in keys_of(cut.place).items():
                assert key == wanted[name], f"{cut}: {name} isn't whole"


def keys_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "keys").glob("*.key")}
