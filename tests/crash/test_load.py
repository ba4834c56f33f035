"""More than a hub or a laptop is meant for: each answer is clear, nothing that was called saved is lost, and afterwards all is well.

Short: `python -m bench storm` and `python -m bench phones --count 60` measure it for minutes. Only counts decide here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from bench import phones, storm, world

SECONDS: Final = 20.0
PHONES: Final = 60
MEMORY_MOST: Final = 250_000_000
"""Of a process of the hub."""


@pytest.mark.slow
@pytest.mark.parametrize("postgresql", [False, True], ids=["sqlite", "postgresql"])
def test_a_hub_in_a_storm_answers_clearly_loses_nothing_and_is_well_afterwards(postgresql: bool) -> None:
    found = storm.run(SECONDS, 150, postgresql, times=8)
    assert found.storm.unclear == []
    assert found.storm.accepted_s, "what it can take, it takes"
    assert found.after.unclear == []
    assert found.left == 0, "everyone who was refused came again, and has a receipt"
    assert found.lost == 0
    assert found.memory_most < MEMORY_MOST * (1 + (os.cpu_count() or 1))


@pytest.mark.slow
def test_sixty_phones_on_a_laptop_lose_no_answer(tmp_path: Path) -> None:
    data = tmp_path / "node"
    phones.furnish(world.make_node(data, "http://127.0.0.1:9"), tmp_path, PHONES)
    port = world.free_port()
    command = [
        "node",
        "serve",
        "--data",
        str(data),
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--no-sync",
    ]
    base = f"http://127.0.0.1:{port}"
    with world.serving(command, base):
        found = phones.all_learn(base, SECONDS, PHONES)
    saved, _, lost, doubled = phones.compared(data, found.saved)
    assert found.errors == []
    assert saved > 0
    assert (lost, doubled) == (0, 0)
