"""`lontar hub upstream` and `lontar hub relay`: the hub above this one."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from gettext import gettext as _
from pathlib import Path
from typing import Final

import click

from hub.cli import DATA, _opened, hub
from sync.cli_errors import speak_errors

_EVERY_S: Final = 300


@hub.command(help=_("Menghubungkan pusat ini ke pusat di atasnya, dengan kode pendaftaran dari sana."))
@DATA
@click.argument("url")
@click.option("--code", required=True, help=_("Kode untuk wilayah ini, dibuat di pusat di atasnya."))
@click.option("--region", required=True, help=_("Kode wilayah yang diwakili pusat ini, misalnya 17.05"))
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help=_("Berkas kunci akar pusat ini; desa lalu juga menulis paket data untuk pusat di atasnya."),
)
@speak_errors
def upstream(data: Path, url: str, code: str, region: str, root: Path | None) -> None:
    from hub import keyring, root_shares
    from hub.upstream import register
    from hub.wiring import now_ms
    from sync.keys import fingerprint
    from sync.post import Post

    with _opened(data) as made:
        above = register(made.engine, made.config, url, code, region, Post)
        click.echo(_("Terhubung. Sidik kunci pusat di atas: %(root)s") % {"root": fingerprint(above.root)})
        if above.intake in made.config.keyset.upstream:
            return
        if root_shares.holders_of(data, made.config.keyset.root):
            click.echo(
                _(
                    "Kunci akar dibagi: usulkan kunci pusat di atas dengan: lontar hub keys propose --upstream"
                ),
                err=True,
            )
        else:
            change = keyring.Change(add_upstream=above.intake)
            keyring.rotate(made.engine, made.config, root, change, now_ms())
            click.echo(_("Daftar kunci diperbarui. Jalankan ulang pusat ini."))


@contextlib.contextmanager
def relaying(data: Path) -> Iterator[None]:
    """`lontar hub relay` beside this process, while the block runs."""
    process = subprocess.Popen([sys.executable, "-m", "lontar", "hub", "relay", "--data", str(data)])
    try:
        yield
    finally:
        process.terminate()


@hub.command(help=_("Meneruskan yang diterima pusat ini ke pusat di atasnya, terus-menerus atau sekali."))
@DATA
@click.option("--once", is_flag=True, help=_("Sekali saja; kode keluar memberi tahu hasilnya."))
@click.option(
    "--every", default=_EVERY_S, type=click.IntRange(1), show_default=True, help=_("Jeda (detik).")
)
@speak_errors
def relay(data: Path, once: bool, every: int) -> None:
    from hub.upstream import pass_on
    from hub.wiring import now_ms
    from sync.errors import ExchangeError
    from sync.post import Post

    with _opened(data) as made:
        while True:
            try:
                cost = pass_on(made.engine, made.config, Post, now_ms)
                click.echo(
                    _("%(requests)s permintaan, %(sent)s bita naik, %(received)s bita turun.")
                    % {"requests": cost.requests, "sent": cost.sent, "received": cost.received}
                )
            except ExchangeError as problem:
                if once:
                    raise
                click.echo(problem.sentence(_), err=True)
            if once:
                return
            time.sleep(every)
