"""`lontar node replace`: a new laptop takes over a village whose laptop is lost or broken."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from node.cli_parts import CODE, DATA, HUB, PORT, VILLAGE, VILLAGE_NAME, make_folder, opened, register_new
from sync.cli_errors import speak_errors


@click.command(
    help=_(
        "Menyiapkan laptop pengganti: riwayat desa diambil dari pusat, peserta melanjutkan, PIN dibuat baru."
    )
)
@DATA
@HUB
@VILLAGE
@VILLAGE_NAME
@CODE
@PORT
@speak_errors
def replace(data: Path, hub_url: str, village: str, village_name: str, code: str | None, port: int) -> None:
    from node.shelf import NEW_LOG
    from sync.entries import OpenReason

    make_folder(data, hub_url, village, village_name, code, port)
    with opened(data) as made:
        made.store.put(NEW_LOG, int(OpenReason.REPLACED))
        made.shelf.want_history()
        click.echo(
            _(
                "Laptop pengganti siap di %(folder)s. Riwayat desa diambil saat ada sinyal atau lewat flashdisk."
            )
            % {"folder": data}
        )
        if code:
            register_new(made, data, code)
