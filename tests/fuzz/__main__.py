"""`python -m tests.fuzz --seconds 20`: every parser of foreign bytes, each in a process of its own.

What is found is written into a folder and played again by `--replay NAME FILE`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="How long each target.")
@click.option("--only", multiple=True, help="Only this target; may be repeated.")
@click.option("--jobs", default=2, show_default=True, help="How many targets at a time.")
@click.option("--seed", type=int, default=None, help="Of the mutations; else another one each time.")
@click.option(
    "--findings", type=click.Path(path_type=Path), default=Path("fuzz-findings"), show_default=True
)
@click.option(
    "--replay", nargs=2, metavar="NAME FILE", help="Give this file to that target, and tell what happens."
)
@click.option("--list", "listed", is_flag=True, help="Only name the targets.")
def main(
    seconds: float,
    only: tuple[str, ...],
    jobs: int,
    seed: int | None,
    findings: Path,
    replay: tuple[str, str] | None,
    listed: bool,
) -> None:
    """Look for bytes that break a parser. Ends with 1 if some were found."""
    from .everything import TARGETS
    from .runner import fuzz_all

    if replay:
        accepted = TARGETS[replay[0]].tried(Path(replay[1]).read_bytes())
        click.echo("accepted" if accepted else "refused, as documented")
        return
    names = only or [name for name, target in TARGETS.items() if not target.planted]
    if unknown := set(names) - set(TARGETS):
        raise click.BadParameter(f"no target {', '.join(sorted(unknown))}")
    if listed:
        click.echo("\n".join(names))
        return
    chosen = seed if seed is not None else int(time.time()) & 0x7FFF_FFFF
    click.echo(f"seed {chosen}, {len(names)} targets, {seconds:.0f} s each")
    found = 0
    for outcome in fuzz_all(names, seconds, findings, jobs, chosen):
        click.echo(outcome.line())
        found += outcome.finding is not None
    click.echo(f"{found} of {len(names)} targets have findings")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
