"""Runs worlds, one or many at once. Apart from the command: a process that is started anew knows no `__main__` of a package."""

from __future__ import annotations

import multiprocessing
import tempfile
import traceback
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from simulation.mutants import MUTANTS
from simulation.power import PowerCut
from simulation.story import Step, Story, plan
from simulation.template import memory

STEPS: Final = 60


def world(
    seed: int, steps: int = STEPS, only: Collection[int] | None = None, villages: int | None = None
) -> tuple[int, str]:
    """Run one seed, or only some steps of its plan; returns it and what broke, or an empty text."""
    chosen = [step for at, step in enumerate(plan(seed, steps)) if only is None or at in only]
    return seed, "\n".join(played(seed, chosen, villages)[1])


def played(
    seed: int, steps: Sequence[Step], villages: int | None = None, heals_by_stick: bool | None = None
) -> tuple[list[str], list[str]]:
    """(what happened, and, if something broke, all of it with how)."""
    with tempfile.TemporaryDirectory(dir=memory()) as name:
        story: Story | None = None
        try:
            story = Story(seed, Path(name), villages, heals_by_stick)
            story.run(steps)
        except (Exception, PowerCut):
            told = story.told if story else []
            return told, [*told, traceback.format_exc()]
        finally:
            if story is not None:
                story.close()
        return story.told, []


def shrunk(seed: int, steps: int) -> list[int]:
    """The fewest steps of a failing plan that still break something the same way.

    Takes out halves, quarters and so on, as long as it still breaks (delta debugging: Zeller, Hildebrandt 2002).
    """
    whole = plan(seed, steps)

    def how(places: Sequence[int]) -> str:
        broken = played(seed, [whole[at] for at in places])[1]
        return broken[-1].strip().splitlines()[-1].split(":")[0] if broken else ""

    left, size = list(range(steps)), steps // 2
    wanted = how(left)
    if not wanted:
        return []
    while size >= 1:
        for start in range(0, len(left), size):
            fewer = left[:start] + left[start + size :]
            if how(fewer) == wanted:
                left = fewer
                break
        else:
            size //= 2
    return left


def _broken_by(name: str) -> None:
    """Break this process's product in one way."""
    next(one for one in MUTANTS if one.name == name).apply()


def run(seeds: Sequence[int], jobs: int, mutant: str = "") -> Iterator[tuple[int, str]]:
    """(seed, what broke or an empty text), as they come."""
    prepare, with_ = (_broken_by, (mutant,)) if mutant else (None, ())
    with multiprocessing.get_context("spawn").Pool(jobs, prepare, with_) as pool:
        yield from pool.imap_unordered(world, seeds)


def caught(mutant: str, seeds: Sequence[int], jobs: int) -> tuple[int, str] | None:
    """How many worlds it took to notice a breakage, and how it was noticed; None if it lived.

    Worlds in which nobody could notice it aren't played.
    """
    needed = next(one for one in MUTANTS if one.name == mutant).shows_in
    seeds = [seed for seed in seeds if needed <= {step.deed for step in plan(seed, STEPS)}]
    for at, (_, broken) in enumerate(run(seeds, jobs, mutant), 1):
        if broken:
            return at, broken.strip().splitlines()[-1]
    return None
