"""`lontar pack offers|fetch`: what the centre gives out to this village, and how it comes here."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from node.cli_parts import DATA, bar, opened
from node.errors import UnknownThingError
from sync.cli_errors import speak_errors
from sync.errors import N_


@click.command(help=_("Pelatihan yang dibagikan pusat dan belum ada di laptop ini."))
@DATA
@speak_errors
def offers(data: Path) -> None:
    from node.offers import offers as offered

    with opened(data) as made:
        found = offered(made)
        if not found:
            click.echo(_("Tidak ada pelatihan baru dari pusat."))
        for offer in found:
            click.echo(
                _(
                    "%(key)s  %(title)s versi %(version)s: %(size)s KB, sekitar %(minutes)s menit dengan sinyal lemah."
                )
                % {
                    "key": offer.manifest_hash.hex()[:8],
                    "title": offer.title,
                    "version": offer.version,
                    "size": -(-offer.left // 1024),
                    "minutes": offer.minutes,
                }
            )


@click.command(
    help=_("Mengambil pelatihan dari pusat; dilanjutkan bila terputus. NOMOR dari: lontar pack offers")
)
@click.argument("key", metavar="NOMOR")
@DATA
@speak_errors
def fetch(key: str, data: Path) -> None:
    from content_packs.http_line import HttpLine
    from node.offers import choose
    from node.offers import fetch as brought
    from node.offers import offers as offered

    with opened(data) as made:
        found = [
            offer for offer in offered(made) if key and offer.manifest_hash.hex().startswith(key.lower())
        ]
        if len(found) != 1:
            raise UnknownThingError(
                N_("Tidak ada satu pelatihan baru bernomor %(key)s. Lihat: lontar pack offers"), key=key
            )
        # If the line breaks, a running laptop goes on by itself.
        choose(made, found[0].manifest_hash)
        with bar(_("Mengambil"), unit_bytes=True) as show:
            pack = brought(made, found[0].manifest_hash, HttpLine(made.config.hub_url), show)
        click.echo(
            _("Pelatihan %(title)s versi %(version)s terpasang.")
            % {"title": pack.manifest.title, "version": pack.manifest.version}
        )
