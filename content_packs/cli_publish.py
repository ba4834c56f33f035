"""`lontar pack publish`: brings a signed pack to a centre, over a line that may break."""

from __future__ import annotations

import sys
from gettext import gettext as _
from pathlib import Path

import click

from sync.cli_errors import speak_errors


@click.command(
    help=_(
        "Mengirim paket ke pusat; dilanjutkan bila terputus. Pusat memeriksanya dulu, lalu operatornya membagikannya ke desa."
    )
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--hub", "hub_url", required=True, help=_("Alamat pusat, misalnya https://pusat.example.go.id")
)
@speak_errors
def publish(file: Path, hub_url: str) -> None:
    from content_packs.publishing import send
    from content_packs.verify import open_pack
    from sync.post import Post

    # Whether its publisher is known is for the centre to say.
    with (
        open_pack(file, lambda key: True) as pack,
        click.progressbar(length=1, label=_("Mengirim"), file=sys.stderr) as bar,
    ):

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        sent = send(pack, Post(hub_url), show)
    click.echo(
        _(
            "%(title)s versi %(version)s ada di pusat: %(sent)s dari %(of)s potongan dikirim, sisanya sudah ada."
        )
        % {
            "title": pack.manifest.title,
            "version": pack.manifest.version,
            "sent": sent.sent,
            "of": sent.of,
        }
    )
    click.echo(_("Operator pusat melihat dan membagikannya di halaman Membagikan pelatihan."))
