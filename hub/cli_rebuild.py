"""`lontar hub rebuild`: everything merged anew from the segments, by several processes, and on from where it was."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import DATA, _opened, hub
from hub.errors import HubError
from sync.cli_errors import speak_errors
from sync.errors import N_

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from hub.wiring import Hub

_here: Hub | None = None
"""What a worker process has opened."""


@hub.command(
    help=_(
        "Membuat ulang semua tabel kemajuan dari segmen asli; hasilnya sama. Pusat boleh tetap jalan. Yang terputus dilanjutkan."
    )
)
@DATA
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=None,
    help=_("Berapa wilayah dikerjakan sekaligus; bawaan sebanyak prosesor, di SQLite selalu satu."),
)
@click.option("--from-start", is_flag=True, help=_("Mulai dari awal walaupun yang lama belum selesai."))
@speak_errors
def rebuild(data: Path, jobs: int | None, from_start: bool) -> None:
    from hub import rebuilding

    with _opened(data) as made:
        is_sqlite = made.engine.dialect.name == "sqlite"
        if is_sqlite and (jobs or 1) > 1:
            raise HubError(N_("SQLite hanya dapat ditulis oleh satu proses. Jalankan tanpa --jobs."))
        regions = [] if from_start else rebuilding.left(made.engine)
        if regions:
            click.echo(_("Melanjutkan: tinggal %(count)s wilayah.") % {"count": len(regions)}, err=True)
        else:
            regions = rebuilding.begin(made.engine)
        jobs = 1 if is_sqlite else min(jobs or os.cpu_count() or 1, max(1, len(regions)))
        total = 0
        with _made_anew(made.engine, data, regions, jobs) as results:
            for at, (code, entries) in enumerate(results, start=1):
                rebuilding.done(made.engine, code)
                total += entries
                if sys.stderr.isatty():
                    click.echo(f"\r\x1b[K{at}/{len(regions)} {code} {total}", nl=False, err=True)
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)
        click.echo(_("%(count)s catatan digabungkan ulang.") % {"count": total})


@contextmanager
def _made_anew(
    engine: Engine, data: Path, regions: Sequence[str], jobs: int
) -> Iterator[Iterator[tuple[str, int]]]:
    """(region, entries) of each one as it is done, by so many processes."""
    from hub import rebuilding

    if jobs == 1:
        yield ((code, rebuilding.region(engine, code)) for code in regions)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, _open_here, (data,)) as pool:
        yield pool.imap_unordered(_region, regions)


def _open_here(data: Path) -> None:
    from hub.wiring import open_hub

    global _here
    _here = open_hub(data)


def _region(code: str) -> tuple[str, int]:
    from hub import rebuilding

    assert _here is not None
    return code, rebuilding.region(_here.engine, code)
