"""`lontar hub keys …` and `lontar hub fingerprint`: what this hub signs and opens with."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from hub.cli import DATA, _opened, hub
from sync.cli_errors import speak_errors


@hub.group(help=_("Kunci pusat: melihat dan menggantinya."))
def keys() -> None:
    pass


@keys.command(help=_("Sidik kunci akar pusat, untuk dicocokkan di desa: huruf dan kata-kata."))
@DATA
@speak_errors
def fingerprint(data: Path) -> None:
    from sync.keys import fingerprint as of
    from sync.words import words_of

    with _opened(data) as made:
        click.echo(of(made.config.keyset.root))
        click.echo(" ".join(words_of(made.config.keyset.root)))


@keys.command(
    name="rotate", help=_("Mengganti kunci: daftar kunci baru, disegel kunci akar, dibawa ke semua desa.")
)
@DATA
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help=_("Berkas kunci akar, misalnya di flashdisk dari brankas."),
)
@click.option("--hub-key", is_flag=True, help=_("Kunci baru untuk tanda terima dan keputusan."))
@click.option("--intake", is_flag=True, help=_("Kunci baru untuk paket data dari desa."))
@click.option("--post-quantum", is_flag=True, help=_("Kunci paket data yang juga tahan komputer kuantum."))
@click.option(
    "--publisher", default=None, metavar="HEX", help=_("Tambahkan kunci penerbit (64 angka heksa).")
)
@speak_errors
def rotate_command(
    data: Path, root: Path | None, hub_key: bool, intake: bool, post_quantum: bool, publisher: str | None
) -> None:
    from hub.errors import HubError
    from hub.keyring import Change, rotate
    from hub.wiring import now_ms
    from sync.errors import N_
    from sync.keys import KEY_SIZE
    from sync.sealing import CLASSICAL, HYBRID

    try:
        publisher_key = bytes.fromhex(publisher) if publisher else None
    except ValueError:
        publisher_key = b""
    if publisher_key is not None and len(publisher_key) != KEY_SIZE:
        raise HubError(N_("Kunci penerbit harus 64 angka heksa."))
    if not (hub_key or intake or post_quantum or publisher_key):
        raise HubError(N_("Sebutkan yang diganti: --hub-key, --intake, --post-quantum atau --publisher."))
    suite = (HYBRID if post_quantum else CLASSICAL) if intake or post_quantum else None
    change = Change(hub_key, suite, publisher_key)
    with _opened(data) as made:
        keyset = rotate(made.engine, made.config, root, change, now_ms())
        click.echo(
            _("Daftar kunci versi %(version)s siap. Jalankan ulang pusat.") % {"version": keyset.version}
        )
