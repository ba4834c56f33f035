"""`lontar pack players`: makes the pack that plays SCORM, cmi5 and H5P."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from content_packs.key_file import read_key
from sync.cli_errors import speak_errors


@click.command(
    help=_(
        "Membuat paket pemutar SCORM, cmi5 dan H5P dari npm (perlu internet sekali); desa memasangnya seperti pelatihan."
    )
)
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help=_("Berkas kunci penerbit."),
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None)
@speak_errors
def players(key_file: Path, output: Path | None) -> None:
    from content_packs.players import build_players

    key = read_key(key_file)
    click.echo(_("Mengambil pemutar dari npm …"))
    made = build_players(key)
    target = output or Path(f"{made.manifest.course_id}-{made.manifest.version}.lontar")
    with target.open("wb") as file:
        made.write(file)
    click.echo(
        _("%(file)s: %(title)s versi %(version)s, %(size)s bita.")
        % {
            "file": target,
            "title": made.manifest.title,
            "version": made.manifest.version,
            "size": target.stat().st_size,
        }
    )
