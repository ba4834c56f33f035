"""A few worlds on every run, many in CI; and breakages that the simulator must notice. `python -m tests.simulation` runs more."""

from __future__ import annotations

import pytest

from simulation import hub_disks
from simulation.mutants import MUTANTS
from simulation.running import caught, run, world

FEW = range(1, 7)
MANY = range(7, 301)


@pytest.mark.parametrize("seed", FEW)
def test_every_promise_holds(seed: int) -> None:
    _, broken = world(seed)
    assert not broken, broken


@pytest.mark.slow
@pytest.mark.parametrize("first", range(MANY.start, MANY.stop, 20))
def test_every_promise_holds_in_many_worlds(first: int) -> None:
    """So many at a time, so that what they share is made once."""
    for seed in range(first, min(first + 20, MANY.stop)):
        _, broken = world(seed)
        assert not broken, f"python -m tests.simulation --seed {seed}\n{broken}"


@pytest.mark.slow
def test_every_promise_holds_with_hubs_on_postgresql() -> None:
    """In processes of their own: what worlds share is made once in each, and for one kind of database."""
    with hub_disks.postgresql():
        broken = {seed: why for seed, why in run(range(301, 321), 2) if why}
    assert not broken, "python -m tests.simulation --postgresql --seed …\n" + "\n".join(broken.values())


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [one.name for one in MUTANTS])
def test_a_deliberate_breakage_is_noticed(mutant: str) -> None:
    assert caught(mutant, range(1, 301), 2) is not None
