"""Power cuts at any moment of a real process, by the record of its system calls: `crash_states` says what may be left.

Each state is opened by the product as after a real cut. Whoever had been told something before that moment finds it.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
import requests
from crash_states import Disk, cuts, put
from phone import Phone
from syscalls import Said, Step, needs_strace, recorded, steps
from told import Told, answers_in, problems_of
from village import made_village

from bench.world import free_port
from node.errors import NodeError
from node.wiring import open_node

STATES: Final = 150
SEED: Final = 20261201
PATIENCE_S: Final = 60


def until_it_answers(url: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(requests.ConnectionError):
            requests.get(url, timeout=PATIENCE_S)
            return
        assert time.monotonic() < until
        time.sleep(0.1)


def told_at(done: Sequence[Step], is_word: Callable[[bytes], bool]) -> list[int]:
    """At which steps somebody was told."""
    return [at for at, step in enumerate(done) if isinstance(step, Said) and is_word(step.data)]


def is_saved(data: bytes) -> bool:
    return data.startswith(b"HTTP/1.1 302") and b"/kuis" in data.partition(b"\r\n\r\n")[0]


def some(rng: random.Random, done: Sequence[Step], told: Sequence[int], count: int) -> list[int]:
    """Points to cut at: half of them anywhere, half right when somebody was told."""
    anywhere = [rng.randint(0, len(done)) for _ in range(count // 2)]
    right_then = [rng.choice(told) + 1 for _ in range(count - len(anywhere))]
    return sorted(anywhere + right_then)


@pytest.mark.slow
def test_a_node_holds_every_answer_it_called_saved_whenever_the_power_goes(tmp_path: Path) -> None:
    needs_strace()
    root, record = tmp_path / "laptop", tmp_path / "record"
    root.mkdir()
    environment = {"LONTAR_STATE": str(root / "state")}
    made_village(root, ("Siti Aminah", "Kepala Desa")).close()
    port, told, disk = free_port(), Told(), Disk(root)
    command = ["node", "serve", "--data", str(root / "data"), "--port", str(port), "--host", "127.0.0.1"]
    with recorded(record, [*command, "--no-sync"], environment):
        until_it_answers(f"http://127.0.0.1:{port}/")
        phone = Phone(f"http://127.0.0.1:{port}", told)
        phone.log_in()
        for _ in range(60):
            assert phone.answer()
    done = steps(record, root, disk.now)
    words = told_at(done, is_saved)
    assert len(words) == len(told.answers) == 60
    rng = random.Random(SEED)
    for number, (point, state) in enumerate(cuts(disk, done, some(rng, done, words, STATES), rng)):
        place = tmp_path / "cut"
        put(state, disk.root, place)
        known = sum(at < point for at in words)
        try:
            node = open_node(place / "data", environment={"LONTAR_STATE": str(place / "state")})
        except NodeError as problem:
            raise AssertionError(f"state {number} after step {point}: {problem}") from problem
        with contextlib.closing(node):
            kept = answers_in(node)
            assert kept == told.answers[: len(kept)], f"state {number} after step {point}"
            assert len(kept) >= known, f"state {number} after step {point} has {len(kept)} of {known}"
            assert node.store.get("new_log") is None, "a power cut is no restored backup"
        assert problems_of(place / "data" / "lontar.db") == "ok"
        shutil.rmtree(place)
