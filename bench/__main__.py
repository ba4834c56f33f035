"""`python -m bench …`: prints what README and RESULTS.md quote."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table


@click.group(help=__doc__)
def bench() -> None:
    pass


@bench.command(help="Bytes, requests and seconds on the wire.")
def wire() -> None:
    from bench import wire as measured

    table = _table("what", "up B", "down B", "body up B", "body down B", "requests", "seconds")
    for row in measured.run():
        table.add_row(
            row.what,
            f"{row.up:,}",
            f"{row.down:,}",
            f"{row.body_up:,}",
            f"{row.body_down:,}",
            str(row.requests),
            f"{row.seconds:.2f}",
        )
    _print(table)


@bench.command(help="How fast a hub takes in and adds up, and how much room an entry takes.")
@click.option("--villages", default=200, show_default=True)
@click.option("--entries", default=2000, show_default=True)
@click.option("--postgresql/--no-postgresql", default=True, show_default=True)
def merge(villages: int, entries: int, postgresql: bool) -> None:
    from bench import merge as measured

    table = _table(
        "database",
        "entries",
        "intake/CPU s",
        "with projections/CPU s",
        "rebuild/CPU s",
        "B/entry segments",
        "B/entry all",
    )
    for result in measured.run(villages, entries, postgresql):
        table.add_row(
            result.database,
            f"{result.entries:,}",
            f"{result.entries / result.intake_cpu_s:,.0f}",
            f"{result.entries / (result.intake_cpu_s + result.merge_cpu_s):,.0f}",
            f"{result.entries / result.rebuild_cpu_s:,.0f}",
            f"{result.segment_bytes / result.entries:.1f}",
            f"{result.all_bytes / result.entries:.1f}",
        )
    _print(table)


@bench.command(help="A hub with every village of Indonesia in it: its pages, and what a sync costs.")
@click.option("--villages", default=75_000, show_default=True)
@click.option("--few", default=1_000, show_default=True, help="How many at first, to compare with.")
@click.option("--day", default=7_500, show_default=True, help="Of how many villages a day is played.")
@click.option("--postgresql/--sqlite", default=True, show_default=True)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to load once and measure again.",
)
def nation(villages: int, few: int, day: int, postgresql: bool, keep: Path | None) -> None:
    from bench import nation as measured

    measured.run(villages, few, day, postgresql, keep, click.echo)


@bench.command(help="The village's own database: bytes an entry, and seconds to record.")
def village() -> None:
    from bench import village as measured

    table = _table("what", "value")
    for what, value in measured.run():
        table.add_row(what, value)
    _print(table)


@bench.command(
    help="Four times the hub's planned peak for some minutes: what it takes, what it refuses, how it recovers."
)
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--villages", default=1000, show_default=True)
@click.option("--times", default=4.0, show_default=True, help="Of the planned peak.")
@click.option("--postgresql/--sqlite", default=True, show_default=True)
def storm(minutes: float, villages: int, times: float, postgresql: bool) -> None:
    from bench import storm as measured

    table = _table("what", "value")
    for what, value in measured.lines(
        measured.run(minutes * 60, villages, postgresql, times), minutes * 60
    ):
        table.add_row(what, value)
    _print(table)


@bench.command(help="Phones at once on the village laptop.")
@click.option("--minutes", default=5.0, show_default=True)
@click.option("--half", is_flag=True, help="One processor at half speed.")
@click.option("--count", default=25, show_default=True, help="How many phones.")
def phones(minutes: float, half: bool, count: int) -> None:
    from bench import phones as measured

    table = _table("what", "value")
    for what, value in measured.run(minutes, half, count):
        table.add_row(what, value)
    _print(table)


@bench.command(help="Start, memory and page weights of the village laptop.")
def footprint() -> None:
    from bench import footprint as measured

    table = _table("what", "value")
    for what, value in measured.run():
        table.add_row(what, value)
    _print(table)


@bench.command(help="Course packs: building, updating, installing, fetching over a bad line.")
def packs() -> None:
    from bench import packs as measured

    measured.run()


@bench.command(help="Sticks, couriers and a village's history: bytes and seconds.")
def sticks() -> None:
    from bench import sticks as measured

    table = _table("what", "goal", "value")
    for row in measured.run():
        table.add_row(row.what, row.goal, row.value)
    _print(table)


@bench.command(help="Pictures of every screen of the village laptop and the centre, into docs/screens.")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), default=None)
@click.option("--only", default="", help="Only screens whose name begins so.")
def screens(to: Path | None, only: str) -> None:
    from bench import pictures

    for name in pictures.run(to or pictures.FOLDER, only):
        click.echo(name)


@bench.command(help="The whole road on this machine, with both pages at the end.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("demo-data"), show_default=True)
@click.option("--once", is_flag=True, help="End after the comparison; the exit code tells.")
def demo(data: Path, once: bool) -> None:
    from bench import demo as demonstration

    demonstration.run(data, once)


def _table(*columns: str) -> Table:
    table = Table()
    for column in columns:
        table.add_column(column, justify="left" if column in ("what", "database") else "right")
    return table


def _print(table: Table) -> None:
    console = Console(width=150)
    console.print(table)
    console.print(f"Python {platform.python_version()}, {platform.platform()}", style="dim")


if __name__ == "__main__":
    sys.exit(bench())
