"""`python -m tests.simulation --seeds 1000`: so many worlds, by several processes; a seed that breaks something is named.

`--seed N` plays one again and tells what happens in it, `--shrink` says which of its steps are enough, and `--only` plays just
those; `--mutants` tries whether deliberate breakages are noticed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent.parent))


@click.command()
@click.option("--seeds", default=300, show_default=True, help="How many worlds.")
@click.option("--first", default=1, show_default=True, help="The first seed.")
@click.option("--seed", type=int, default=None, help="Only this one, and tell what happens in it.")
@click.option("--steps", default=60, show_default=True, help="What happens in each.")
@click.option(
    "--villages", type=int, default=None, help="With --seed: in how many villages (else 1 to 40)."
)
@click.option("--only", default="", help="With --seed: only these steps of it, as 3,7,12.")
@click.option("--shrink", is_flag=True, help="With --seed: find the fewest steps that break it.")
@click.option(
    "--mutants", is_flag=True, help="Break the product on purpose: each breakage must be noticed."
)
@click.option("--postgresql", is_flag=True, help="Hubs on a real PostgreSQL.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True)
def main(
    seeds: int,
    first: int,
    seed: int | None,
    steps: int,
    villages: int | None,
    only: str,
    shrink: bool,
    mutants: bool,
    postgresql: bool,
    jobs: int,
) -> None:
    """Worlds that try to break the promises. Ends with 1 if one of them did, or if a breakage lived."""
    from simulation import hub_disks
    from simulation.running import run

    if postgresql:
        click.get_current_context().with_resource(hub_disks.postgresql())
    if seed is not None:
        sys.exit(_play(seed, steps, villages, only, shrink))
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


def _play(seed: int, steps: int, villages: int | None, only: str, shrink: bool) -> int:
    from simulation.running import played, shrunk
    from simulation.story import plan

    places = [int(one) for one in only.split(",")] if only else list(range(steps))
    if shrink:
        places = shrunk(seed, steps)
        click.echo(f"--only {','.join(map(str, places))}" if places else "nothing breaks")
    whole = plan(seed, steps)
    told, broken = played(seed, [whole[at] for at in places], villages)
    click.echo("\n".join(broken or [*told, "held"]))
    return 1 if broken else 0


def _try_mutants(seeds: range, jobs: int) -> int:
    from simulation.mutants import MUTANTS
    from simulation.running import caught

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
