"""More than a hub or a laptop is meant for: each answer is clear, nothing that was called saved is lost, and afterwards all is well.

Short: `python -m bench storm` and `python -m bench phones --count 60` measure it for minutes. Only counts decide here.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from phone import Phone, answering, node_serving
from told import Told, answers_in
from village import made_village

from bench import storm
from node.wiring import open_node

SECONDS: Final = 20.0
PHONES: Final = 60
ANSWERS: Final = 600
PATIENCE_S: Final = 240
MEMORY_MOST: Final = 250_000_000
"""Of a process of the hub."""


@pytest.mark.slow
@pytest.mark.parametrize("postgresql", [False, True], ids=["sqlite", "postgresql"])
def test_a_hub_in_a_storm_answers_clearly_loses_nothing_and_is_well_afterwards(postgresql: bool) -> None:
    with ThreadPoolExecutor(1) as apart:  # playwright keeps a loop of its own in the thread of all tests
        found = apart.submit(storm.run, SECONDS, 150, postgresql, times=8).result()
    assert found.storm.unclear == []
    assert found.storm.accepted_s, "what it can take, it takes"
    assert found.after.unclear == []
    assert found.left == 0, "everyone who was refused came again, and has a receipt"
    assert found.lost == 0
    assert found.memory_most < MEMORY_MOST * (1 + (os.cpu_count() or 1))


@pytest.mark.slow
def test_sixty_phones_on_a_laptop_lose_no_answer(tmp_path: Path) -> None:
    """They don't stop to think; 25 are planned."""
    made_village(tmp_path, *((f"Peserta {number}", "Kaur Keuangan") for number in range(PHONES))).close()
    told = Told()
    with node_serving(tmp_path / "data", tmp_path / "log") as url:
        phones = [Phone(url, told, number) for number in range(PHONES)]
        for phone in phones:
            phone.log_in()
        until = time.monotonic() + PATIENCE_S
        with answering(*phones):
            while len(told.answers) < ANSWERS:
                assert time.monotonic() < until, f"{len(told.answers)} of {ANSWERS}"
                time.sleep(0.1)
    with contextlib.closing(open_node(tmp_path / "data")) as node:
        kept = Counter(answers_in(node))
    assert Counter(told.answers) == kept
    assert told.unclear == []
    assert told.broken == 0
    assert {answer[0] for answer in told.answers} == set(range(PHONES)), "nobody is left waiting"
