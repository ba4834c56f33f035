"""A few worlds on every run, many in CI; and breakages that the simulator must notice. `python -m tests.simulation` runs more."""

from __future__ import annotations

import pytest

from simulation.mutants import MUTANTS
from simulation.running import KNOWN, caught, world

FEW = range(1, 9)
MANY = range(9, 61)
LIVING = {"gaps", "undone"}
"""Breakages that these worlds are too mild to notice, see docs/proof.md."""


@pytest.mark.parametrize("seed", FEW)
def test_every_promise_holds(seed: int) -> None:
    _, broken = world(seed)
    assert not broken, broken


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed",
    [pytest.param(one, marks=pytest.mark.xfail(strict=True)) if one in KNOWN else one for one in MANY],
)
def test_every_promise_holds_in_many_worlds(seed: int) -> None:
    _, broken = world(seed)
    assert not broken, broken


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [one.name for one in MUTANTS if one.name not in LIVING])
def test_a_deliberate_breakage_is_noticed(mutant: str) -> None:
    assert caught(mutant, range(1, 61), 2) is not None
