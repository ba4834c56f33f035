"""`lontar hub backup`, `restore` and `backup-key`: a whole centre in one closed file, proved, and made again from it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub.cli import DATA, _opened, hub
from hub.errors import HubError
from sync.cli_errors import speak_errors
from sync.errors import N_

if TYPE_CHECKING:
    from hub.backup import Contents
    from hub.backup_file import Opening

_PASSPHRASE_LEAST: Final = 12
_NAMED: Final = "lontar-%Y%m%d-%H%M%S.cadangan"
_OURS: Final = "lontar-????????-??????.cadangan"
_TOLD_BY: Final = "LONTAR_HUB_BACKUP_PASSPHRASE"

_passphrase_file = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help=_("Berkas berisi kata sandi cadangan. Tanpa ini: LONTAR_HUB_BACKUP_PASSPHRASE, atau ditanyakan."),
)
_identity = click.option(
    "--identity",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help=_("Berkas kunci age yang membuka cadangan, sebagai ganti kata sandi."),
)


@hub.command(
    help=_("Mencadangkan seluruh pusat ke satu berkas tersandi, atau memeriksa cadangan (--verify).")
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    envvar="LONTAR_HUB_DATA",
    help=_("Folder data pusat."),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="AGE1…",
    envvar="LONTAR_HUB_BACKUP_RECIPIENTS",
    help=_("Kunci penerima age yang boleh membukanya; boleh berkali-kali. Tanpa ini: kata sandi."),
)
@_passphrase_file
@_identity
@click.option("--without-packs", is_flag=True, help=_("Tanpa paket pelatihan; paket dapat dibagikan lagi."))
@click.option(
    "--verify", "is_proof", is_flag=True, help=_("Periksa cadangan ini sampai habis; tidak memulihkan.")
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=None,
    help=_("FILE berupa folder: simpan sekian cadangan terbaru di dalamnya, hapus yang lebih lama."),
)
@speak_errors
def backup(
    data: Path | None,
    file: Path,
    recipients: tuple[str, ...],
    passphrase_file: Path | None,
    identity: Path | None,
    without_packs: bool,
    is_proof: bool,
    keep: int | None,
) -> None:
    from hub import backup as backups
    from hub.backup_file import Closing

    if is_proof:
        with _told() as progress:
            head, contents = backups.verify(file, _opening(identity, passphrase_file), progress)
        made = datetime.fromtimestamp(head.made_ms / 1000, UTC).isoformat(timespec="seconds")
        click.echo(_("Cadangan utuh, dibuat %(made)s.") % {"made": made})
        _summed(contents)
        return
    if data is None:
        raise HubError(N_("Sebutkan folder data pusat dengan --data."))
    if keep is not None and not file.is_dir():
        raise HubError(N_("--keep hanya untuk folder cadangan."))
    passphrase = "" if recipients and passphrase_file is None else _new_passphrase(passphrase_file)
    path = file / datetime.now(UTC).strftime(_NAMED) if file.is_dir() else file
    with _opened(data) as opened, _stoppable(), _told() as progress:
        closing, now_ms = Closing(passphrase, recipients), opened.intake.now_ms()
        contents, size = backups.take(
            opened.engine, opened.config, path, closing, now_ms, progress, not without_packs
        )
    click.echo(_("Cadangan selesai: %(path)s (%(size)s bita).") % {"path": path, "size": size})
    _summed(contents)
    if (data / "keys" / "root.key").exists():
        click.echo(
            _("Kunci akar masih di %(path)s dan ikut tercadangkan. Pindahkan ke flashdisk di brankas.")
            % {"path": data / "keys" / "root.key"},
            err=True,
        )
    for old in sorted(file.glob(_OURS))[:-keep] if keep is not None else ():
        old.unlink()
        click.echo(_("Cadangan lama dihapus: %(path)s") % {"path": old})


@hub.command(help=_("Membuat pusat lagi dari cadangan, di folder dan basis data yang kosong."))
@DATA
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--database",
    default=None,
    envvar="LONTAR_HUB_DATABASE_URL",
    help=_("Alamat basis data yang kosong; bawaan SQLite di folder data."),
)
@_passphrase_file
@_identity
@speak_errors
def restore(
    data: Path, file: Path, database: str | None, passphrase_file: Path | None, identity: Path | None
) -> None:
    from hub import restore as restoring

    opening = _opening(identity, passphrase_file)
    with _stoppable(), _told() as progress:
        contents = restoring.restore(data, file, opening, database, progress)
    click.echo(_("Pusat pulih di %(folder)s.") % {"folder": data})
    _summed(contents)


@hub.command(
    name="backup-key",
    help=_("Membuat kunci age untuk cadangan: kunci pembuka ke berkas, kunci penerima dicetak."),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@speak_errors
def backup_key(file: Path) -> None:
    import pyrage

    key = pyrage.x25519.Identity.generate()
    try:
        place = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as problem:
        raise HubError(N_("Berkas %(path)s sudah ada. Pilih nama lain."), path=file) from problem
    with os.fdopen(place, "w", encoding="ascii") as into:
        into.write(f"# public key: {key.to_public()}\n{key}\n")
    click.echo(str(key.to_public()))
    click.echo(
        _("Simpan %(path)s jauh dari pusat: tanpanya cadangan tidak dapat dibuka.") % {"path": file},
        err=True,
    )


def _opening(identity: Path | None, passphrase_file: Path | None) -> Opening:
    from hub.backup_file import Opening

    if identity is not None:
        return Opening(
            identities=tuple(identity.read_text(encoding="utf-8", errors="replace").splitlines())
        )
    told = _told_passphrase(passphrase_file)
    return Opening(told or click.prompt(_("Kata sandi cadangan"), hide_input=True, err=True))


def _new_passphrase(file: Path | None) -> str:
    told = _told_passphrase(file) or click.prompt(
        _("Kata sandi cadangan"), hide_input=True, confirmation_prompt=True, err=True
    )
    if len(told) < _PASSPHRASE_LEAST:
        raise HubError(N_("Kata sandi cadangan paling sedikit %(count)s huruf."), count=_PASSPHRASE_LEAST)
    return str(told)


def _told_passphrase(file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").strip()
    return os.environ.get(_TOLD_BY, "")


def _summed(contents: Contents) -> None:
    click.echo(
        _("%(rows)s baris dalam %(tables)s tabel, %(files)s berkas.")
        % {
            "rows": sum(contents.rows.values()),
            "tables": len(contents.rows),
            "files": len(contents.files),
        }
    )


class _Progress:
    """One line at a terminal that says what is being worked at."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()

    def __call__(self, name: str, done: int) -> None:
        if self._is_shown:
            click.echo(f"\r\x1b[K{name.rstrip('/')} {done}", nl=False, err=True)

    def end(self) -> None:
        if self._is_shown:
            click.echo("\r\x1b[K", nl=False, err=True)


@contextmanager
def _told() -> Iterator[_Progress]:
    progress = _Progress()
    try:
        yield progress
    finally:
        progress.end()


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let whoever stops this process (systemd) leave no half file behind."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
