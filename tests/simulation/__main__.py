"""`python -m tests.simulation --seeds 1000`: so many worlds, by several processes; a seed that breaks something is named.

`--seed N` plays one again and tells what happens in it; `--mutants` tries whether deliberate breakages are noticed.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent.parent))


def world(seed: int, steps: int = 60, say: bool = False) -> tuple[int, str]:
    """Run one seed; returns it and what broke, or an empty text."""
    from simulation.story import Story

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
    from simulation.mutants import MUTANTS

    next(one for one in MUTANTS if one.name == name).apply()


def run(seeds: range, jobs: int, mutant: str = "") -> Iterator[tuple[int, str]]:
    """(seed, what broke or an empty text), as they come."""
    prepare, with_ = (_broken_by, (mutant,)) if mutant else (None, ())
    with multiprocessing.get_context("spawn").Pool(jobs, prepare, with_) as pool:
        yield from pool.imap_unordered(world, seeds)


def caught(mutant: str, seeds: range, jobs: int) -> tuple[int, str] | None:
    """How many worlds it took to notice a breakage, and how it was noticed; None if it lived."""
    for at, (_, broken) in enumerate(run(seeds, jobs, mutant), 1):
        if broken:
            return at, broken.strip().splitlines()[-1]
    return None


@click.command()
@click.option("--seeds", default=300, show_default=True, help="How many worlds.")
@click.option("--first", default=1, show_default=True, help="The first seed.")
@click.option("--seed", type=int, default=None, help="Only this one, and tell what happens in it.")
@click.option("--steps", default=60, show_default=True, help="What happens in each.")
@click.option(
    "--mutants", is_flag=True, help="Break the product on purpose: each breakage must be noticed."
)
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True)
def main(seeds: int, first: int, seed: int | None, steps: int, mutants: bool, jobs: int) -> None:
    """Worlds that try to break the promises. Ends with 1 if one of them did, or if a breakage lived."""
    if seed is not None:
        _, broken = world(seed, steps, say=True)
        click.echo(broken or "held")
        sys.exit(1 if broken else 0)
    chosen = range(first, first + seeds)
    if mutants:
        sys.exit(_try_mutants(chosen, jobs))
    began, bad = time.monotonic(), 0
    for at, (number, broken) in enumerate(run(chosen, jobs), 1):
        if broken:
            bad += 1
            click.echo(f"seed {number}: {broken.strip().splitlines()[-1]}")
        if at % 50 == 0:
            click.echo(f"{at} of {seeds}, {time.monotonic() - began:.0f} s", err=True)
    click.echo(f"{seeds - bad} of {seeds} worlds held, {time.monotonic() - began:.0f} s")
    sys.exit(1 if bad else 0)


def _try_mutants(seeds: range, jobs: int) -> int:
    from simulation.mutants import MUTANTS

    alive = 0
    for mutant in MUTANTS:
        found = caught(mutant.name, seeds, jobs)
        alive += found is None
        how = (
            f"noticed after {found[0]} worlds: {found[1]}"
            if found
            else f"LIVED through {len(seeds)} worlds"
        )
        click.echo(f"{mutant.name:12} {mutant.says}: {how}")
    return 1 if alive else 0


if __name__ == "__main__":
    main()
