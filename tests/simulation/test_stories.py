"""Worlds that once broke a promise, told step by step: they stay what they are when the dice of the simulator change."""

from __future__ import annotations

from typing import Final

import pytest

from simulation.running import played
from simulation.story import Step

STORIES: Final = {
    "what only a neighbour holds was confirmed to it, and the centre was set back": """
        0 new_laptop, -1 learn, -1 sync, 0 sync, 0 meet, 0 sync, -1 sync, 0 hub_back_up,
        -1 learn, 0 meet, 0 sync, -1 replace_laptop, 0 hub_put_back""",
    "and the neighbour holds more of it that the centre has never got": """
        0 new_laptop, -1 learn, -1 sync, 0 sync, 0 meet, 0 sync, -1 sync, 0 hub_back_up,
        -1 learn, 0 meet, 0 sync, -1 learn, 0 meet, -1 replace_laptop, 0 hub_put_back""",
    "a laptop carries the work of one that the centre has forgotten": """
        0 hub_back_up, 0 new_laptop, -1 learn, -1 sync, 0 sync, -1 learn, 0 meet, -1 replace_laptop,
        0 hub_put_back, 0 learn, 0 sync""",
    "the centre lost one side of a fork": """
        0 learn, 0 sync, 0 hub_back_up, 0 clone, 0 learn, 0 sync, -1 learn, -1 sync, 0 learn, 0 sync,
        0 hub_put_back, -1 learn, -1 sync""",
    "a laptop was revoked when it asked for its history": """
        0 back_up, 0 learn, 0 sync, 0 revoke, 0 learn, 0 sync, 0 put_back, 0 sync""",
    "a laptop knows newer keys than a centre that was set back": """
        0 hub_back_up, 0 rotate_keys, 0 sync, 0 new_laptop, 0 hub_put_back, -1 sync, 0 sync""",
    "what was sent while the laptop was kept apart lies in an older log": """
        0 learn, 0 sync, 0 revoke, 0 clone, 0 learn, 0 sync, -1 learn, -1 sync, 0 sync""",
}


def steps(story: str, seed: int) -> list[Step]:
    lines = [line.split() for line in story.split(",")]
    return [Step(deed, 1000 * seed + at, int(place)) for at, (place, deed) in enumerate(lines)]


@pytest.mark.parametrize("by_stick", [False, True], ids=["by line", "by stick"])
@pytest.mark.parametrize("story", STORIES)
def test_what_broke_once_holds(story: str, by_stick: bool) -> None:
    for seed in range(2):
        told, broken = played(seed, steps(STORIES[story], seed), villages=1, heals_by_stick=by_stick)
        assert not broken, "\n".join(broken)
        assert told
