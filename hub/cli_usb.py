"""Sticks at the centre's own machine, for `lontar hub receive|send` and `lontar usb`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub.errors import NotFoundError
from sync import limits
from sync.courier import Taken
from sync.errors import N_, LontarError
from sync.stick import OUT, PART, ROOT, Stick

if TYPE_CHECKING:
    from hub.intake import Intake

_PART_MOST: Final = limits.PART + 1024
_NOTHING_THERE: Final = 2


def write(data: Path, path: Path, region: str) -> None:
    """Put on the stick at `path` what goes back to the villages of a region; says how much that was.

    Raises:
        HubError: no hub in `data`, or no such region.
        StickError: the stick is full, locked, broken or gone; what was written before stays whole.
    """
    from hub import mail, regions
    from hub.db import reading, writing
    from hub.wiring import now_ms, open_hub

    made = open_hub(data)
    try:
        with reading(made.engine) as connection:
            if region and regions.find(connection, region) is None:
                raise NotFoundError(
                    N_("Wilayah dengan kode %(code)s tidak ada dalam daftar wilayah."), code=region
                )
        with writing(made.engine) as connection:
            bag = mail.compose(connection, made.config, region, now_ms())
        mail.put(made.config, Stick(path), bag)
        click.echo(
            _("%(parts)s paket data untuk %(devices)s perangkat sudah di flashdisk. Aman dicabut.")
            % {"parts": len(bag.parts), "devices": len(bag.recipients)}
        )
    finally:
        made.close()


def read(data: Path, path: Path) -> None:
    """Take in every part on the stick or in the folder at `path`; says what became of them.

    Ends the command with 1 if some were torn, with 2 if there was nothing to take in.

    Raises:
        HubError: no hub in `data`, or its database can't store now; what was taken before stays.
        StickError: the stick can't be read.
    """
    from hub.wiring import open_hub

    found = _files(path)
    if not found:
        click.echo(_("Tidak ada paket data (.LNB) di %(path)s.") % {"path": path}, err=True)
        sys.exit(_NOTHING_THERE)
    made = open_hub(data)
    try:
        counts: dict[Taken | None, int] = {}
        for at, taken in enumerate(_taken(made.intake, found), start=1):
            counts[taken] = counts.get(taken, 0) + 1
            click.echo(f"\r{at}/{len(found)}", nl=False, err=True)
        click.echo("", err=True)
    finally:
        made.close()
    for kind, label in _LABELS.items():
        click.echo(f"{_(label):38} {counts.get(kind, 0)}")
    if counts.get(None):
        click.echo(
            _("Yang tidak utuh: salin lagi dari flashdisk, atau minta desa menyimpan lagi."), err=True
        )
        sys.exit(1)


_LABELS: Final[dict[Taken | None, str]] = {
    Taken.NEW: N_("Diterima"),
    Taken.HELD: N_("Sudah ada"),
    Taken.FOREIGN: N_("Untuk pusat lain"),
    Taken.LATER: N_("Belum dapat disimpan, bawa lagi nanti"),
    Taken.REFUSED: N_("Ditolak"),
    None: N_("Tidak utuh"),
}


def _files(path: Path) -> list[Path]:
    """The parts on a stick's way to the centre, or those that lie in a folder of any name."""
    if path.name == ROOT or (path / ROOT).is_dir():
        return Stick(path).file_paths(OUT, PART)
    if path.is_file():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix.upper() == PART and file.is_file())


def _taken(intake: Intake, files: list[Path]) -> Iterator[Taken | None]:
    """What became of each file; None for what is torn, no part at all, or can't be read."""
    from hub import parts

    for path in files:
        try:
            with path.open("rb") as file:
                data = file.read(_PART_MOST + 1)
            yield parts.take(intake, data)
        except OSError:
            yield None
        except LontarError as problem:
            if problem.http_status >= 500:
                raise
            yield None
