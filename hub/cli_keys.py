"""`lontar hub keys …` and `lontar hub fingerprint`: what this hub signs and opens with."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli import DATA, _opened, hub
from sync.cli_errors import speak_errors

if TYPE_CHECKING:
    from hub.keyring import Change

_CHANGES = (
    click.option("--hub-key", is_flag=True, help=_("Kunci baru untuk tanda terima dan keputusan.")),
    click.option("--intake", is_flag=True, help=_("Kunci baru untuk paket data dari desa.")),
    click.option(
        "--post-quantum", is_flag=True, help=_("Kunci paket data yang juga tahan komputer kuantum.")
    ),
    click.option("--publisher", metavar="HEX", help=_("Tambahkan kunci penerbit (64 angka heksa).")),
    click.option(
        "--remove-publisher",
        metavar="HEX",
        help=_("Keluarkan kunci penerbit: desa tidak lagi menerima pelatihan darinya."),
    ),
)


def changes(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what a new keyset changes (see `change_of`)."""
    for option in reversed(_CHANGES):
        command = option(command)
    return command


def change_of(told: dict[str, Any]) -> Change:
    """What the options of `changes` say; without any of them, nothing.

    Raises:
        HubError: a key isn't one.
    """
    from hub.keyring import Change
    from sync.sealing import CLASSICAL, HYBRID

    suite = HYBRID if told["post_quantum"] else CLASSICAL if told["intake"] else None
    added, removed = (_publisher(told[name]) for name in ("publisher", "remove_publisher"))
    return Change(told["hub_key"], suite, added, removed)


def _publisher(told: str | None) -> bytes | None:
    from hub.errors import HubError
    from sync.errors import N_
    from sync.keys import KEY_SIZE

    if told is None:
        return None
    try:
        key = bytes.fromhex(told)
    except ValueError:
        key = b""
    if len(key) != KEY_SIZE:
        raise HubError(N_("Kunci penerbit harus 64 angka heksa."))
    return key


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
@changes
@speak_errors
def rotate_command(data: Path, root: Path | None, **told: Any) -> None:
    from hub import audit
    from hub.errors import HubError
    from hub.keyring import Change, rotate
    from hub.wiring import now_ms
    from sync.errors import N_

    change = change_of(told)
    if change == Change():
        raise HubError(
            N_(
                "Sebutkan yang diganti: --hub-key, --intake, --post-quantum, --publisher "
                "atau --remove-publisher."
            )
        )
    with _opened(data) as made:
        audit.note(made.engine, made.config, getpass.getuser(), "keys.rotate", "", now_ms())
        keyset = rotate(made.engine, made.config, root, change, now_ms())
        click.echo(
            _("Daftar kunci versi %(version)s siap. Jalankan ulang pusat.") % {"version": keyset.version}
        )
