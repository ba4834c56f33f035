"""Runs worlds, one or many at once. Apart from the command: a process that is started anew knows no `__main__` of a package."""

from __future__ import annotations

import multiprocessing
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from simulation.mutants import MUTANTS
from simulation.story import Story

KNOWN = frozenset({31})
"""Worlds that break and aren't mended yet, see docs/proof.md: nothing is lost, but a laptop that was set back never hears
that the hub holds the end of its old log, and sends it at every sync."""


def world(seed: int, steps: int = 60, say: bool = False) -> tuple[int, str]:
    """Run one seed; returns it and what broke, or an empty text."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        story = Story(seed, Path(name), steps)
        try:
            story.run()
        except Exception:
            return seed, "\n".join([*story.told, traceback.format_exc()])
        finally:
            story.land.close()
        if say:
            print("\n".join(story.told))
        return seed, ""


def _broken_by(name: str) -> None:
    """Break this process's product in one way."""
    next(one for one in MUTANTS if one.name == name).apply()


def run(seeds: range, jobs: int, mutant: str = "") -> Iterator[tuple[int, str]]:
    """(seed, what broke or an empty text), as they come."""
    prepare, with_ = (_broken_by, (mutant,)) if mutant else (None, ())
    with multiprocessing.get_context("spawn").Pool(jobs, prepare, with_) as pool:
        yield from pool.imap_unordered(world, seeds)


def caught(mutant: str, seeds: range, jobs: int) -> tuple[int, str] | None:
    """How many worlds it took to notice a breakage, and how it was noticed; None if it lived."""
    for at, (seed, broken) in enumerate(run(seeds, jobs, mutant), 1):
        if broken and seed not in KNOWN:
            return at, broken.strip().splitlines()[-1]
    return None
