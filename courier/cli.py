"""`lontar courier …`: the officer's laptop from the command line."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli_errors import speak_errors
from sync.errors import N_, StickError
from web.cli_parts import bar, stop_on_terminate
from web.data_folder import DataFolderError

if TYPE_CHECKING:
    from courier.desk import Desk
    from sync.stick import Stick

TORN: int = 9
"""What `send` ends with when a part on the stick must be copied again; as for any bad stick."""

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    envvar="LONTAR_COURIER_DATA",
    help=_("Folder data laptop petugas; biasanya tidak perlu diisi."),
)


@click.group(
    help=_("Laptop petugas pembawa data: mengambil dari flashdisk, mengirim ke pusat, mengisi flashdisk.")
)
def courier() -> None:
    pass


@courier.command(help=_("Mendaftarkan laptop ini di pusat; tanpa kode hanya menyimpan alamat pusat."))
@DATA
@click.option(
    "--hub", "hub_url", required=True, help=_("Alamat pusat, misalnya https://pusat.example.go.id")
)
@click.option("--code", default=None, help=_("Kode petugas dari pusat."))
@speak_errors
def register(data: Path | None, hub_url: str, code: str | None) -> None:
    from sync.keys import fingerprint

    with _opened(data) as desk:
        if code is None:
            desk.set_hub(hub_url)
            click.echo(_("Alamat pusat disimpan."))
            return
        keyset = desk.register(hub_url, code)
        click.echo(
            _("Terdaftar di pusat. Sidik kunci pusat: %(root)s") % {"root": fingerprint(keyset.root)}
        )


@courier.command(help=_("Menjalankan halaman petugas, hanya untuk laptop ini."))
@DATA
@click.option("--port", default=None, type=click.IntRange(1, 65535))
@speak_errors
def serve(data: Path | None, port: int | None) -> None:
    import waitress

    from courier.app import create_app
    from courier.config import HOST
    from courier.worker import Worker

    with _opened(data) as desk:
        listen = port or desk.config.settings.port
        worker = Worker()
        try:
            server = waitress.create_server(create_app(desk, worker), host=HOST, port=listen, threads=4)
        except OSError as problem:
            raise DataFolderError(
                N_("Alamat %(host)s:%(port)s sedang dipakai program lain. Pilih --port lain."),
                host=HOST,
                port=listen,
            ) from problem
        click.echo(
            _("Halaman petugas: http://localhost:%(port)s (Ctrl-C untuk berhenti)") % {"port": listen}
        )
        with stop_on_terminate(server.close), contextlib.suppress(KeyboardInterrupt):
            server.run()
        worker.wait()


@courier.command(
    help=_("Mengambil dari flashdisk (bila disebut), mengirim ke pusat, lalu mengisi flashdisk itu.")
)
@DATA
@click.argument("stick", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--trust",
    default=None,
    help=_("Sidik kunci pusat yang dibawa flashdisk, setelah dicocokkan lewat telepon."),
)
@speak_errors
def send(data: Path | None, stick: Path | None, trust: str | None) -> None:
    from sync.stick import Stick

    with _opened(data) as desk:
        drive = None if stick is None else Stick(stick.absolute())
        torn = 0 if drive is None else _collect(desk, drive, trust)
        try:
            _send(desk)
        finally:
            # Whatever the line did: what the hub holds may leave the stick, and what is here goes to the villages.
            if drive is not None:
                _deliver(desk, drive)
        if torn:
            sys.exit(TORN)


@courier.command(help=_("Keadaan laptop ini: paket yang menunggu, kiriman balik, pendaftaran."))
@DATA
@speak_errors
def status(data: Path | None) -> None:
    from sync.words import spoken

    with _opened(data) as desk:
        waiting, mail, keyset = desk.ledger.waiting(), desk.ledger.mail(), desk.trust.keyset
        region, zone = desk.ledger.get("region", ""), desk.config.settings.zone
        rows = [
            (_("Pusat"), desk.config.settings.hub_url or _("Belum diisi")),
            (_("Pendaftaran"), f"{desk.ledger.get('registration', 'none')} {region}".strip()),
            (_("Sidik kunci pusat"), spoken(keyset.root) if keyset else _("Belum dikenal")),
            (_("Menunggu dikirim"), f"{len(waiting)} ({sum(part.size for part in waiting)} B)"),
            (
                _("Terlihat sejak"),
                _moment(min((part.first_seen_ms for part in waiting), default=None), zone),
            ),
            (_("Kiriman balik"), f"{len({one.recipient for one in mail})} ({sum(m.size for m in mail)} B)"),
            (_("Belum disalin ke flashdisk"), desk.ledger.unwritten()),
            (_("Kontak terakhir"), _moment(desk.ledger.get("last_contact_ms"), zone)),
        ]
        for label, value in rows:
            click.echo(f"{label:28} {value}")


def _collect(desk: Desk, drive: Stick, trust: str | None) -> int:
    """Take what the stick brings; returns how many parts must be taken again."""
    if trust is not None:
        desk.believe(drive, trust)
    try:
        with bar(_("Mengambil")) as show:
            done = desk.collect(drive, show)
    except StickError as problem:
        # What was read until then is here, and can be sent.
        click.echo(problem.sentence(_), err=True)
        return 1
    click.echo(
        _("Diambil: %(new)s paket baru, %(known)s sudah ada.") % {"new": done.new, "known": done.known}
    )
    if done.torn:
        click.echo(_("%(count)s paket tidak utuh. Salin lagi di desanya.") % {"count": done.torn}, err=True)
    return done.torn


def _send(desk: Desk) -> None:
    with bar(_("Mengirim")) as show:
        done = desk.send(show)
    click.echo(
        _(
            "Pusat: %(new)s paket diterima, %(held)s sudah dimiliki, %(refused)s ditolak, %(foreign)s untuk pusat lain."
        )
        % {"new": done.new, "held": done.held, "refused": done.refused, "foreign": done.foreign}
    )
    if done.later:
        click.echo(
            _("%(count)s paket dari laptop desa yang belum dikenal pusat; kirim lagi nanti.")
            % {"count": done.later},
            err=True,
        )
    if done.skipped:
        click.echo(
            _("%(count)s paket belum dapat dikirim dan tetap disimpan.") % {"count": done.skipped}, err=True
        )
    if not desk.is_registered():
        click.echo(_("Laptop ini belum terdaftar, jadi tidak menerima kiriman balik."), err=True)
        return
    with bar(_("Mengambil kiriman balik")) as show:
        fetched = desk.fetch(show)
    click.echo(
        _("Kiriman balik baru: %(villages)s desa, %(parts)s paket.")
        % {"villages": fetched.villages, "parts": fetched.parts}
    )
    with bar(_("Mengambil pelatihan")) as show:
        brought = desk.bring_packs(show)
    if brought.packs:
        click.echo(_("%(count)s pelatihan baru untuk desa di rute ini.") % {"count": brought.packs})


def _deliver(desk: Desk, drive: Stick) -> None:
    with bar(_("Mengisi flashdisk")) as show:
        done = desk.deliver(drive, show)
    click.echo(
        _(
            "Flashdisk: kiriman untuk %(villages)s desa, %(cleaned)s paket dihapus karena sudah di pusat. Aman dicabut."
        )
        % {"villages": done.villages, "cleaned": done.cleaned}
    )
    if done.packs:
        click.echo(_("%(count)s pelatihan ikut dibawa.") % {"count": done.packs})


@contextlib.contextmanager
def _opened(data: Path | None) -> Iterator[Desk]:
    from courier.config import usual_folder
    from courier.wiring import open_desk

    desk = open_desk(data or usual_folder())
    try:
        yield desk
    finally:
        desk.ledger.close()


def _moment(ms: int | None, zone: str) -> str:
    from web.dates import moment_in

    return moment_in(ms, zone)
