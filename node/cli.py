"""`lontar node …` and `lontar sync`: the village laptop from the command line."""

from __future__ import annotations

import contextlib
import sys
from datetime import datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from node import cli_parts
from node.cli_neighbours import found, found_by_others, meet_all, neighbours
from node.cli_parts import CODE, DATA, HUB, PORT, REFUSED, VILLAGE, VILLAGE_NAME, opened
from node.cli_replace import replace
from sync.cli_errors import speak_errors
from sync.errors import N_
from web.cli_parts import bar, stop_on_terminate
from web.data_folder import DataFolderError

if TYPE_CHECKING:
    from node.wiring import Node


@click.group(help=_("Laptop desa: menyiapkan, menjalankan, mencatat."))
def node() -> None:
    pass


node.add_command(replace)
node.add_command(neighbours)


@node.command(help=_("Menyiapkan folder data untuk satu desa, dan mendaftarkannya bila ada kode."))
@DATA
@HUB
@VILLAGE
@VILLAGE_NAME
@CODE
@PORT
@speak_errors
def init(data: Path, hub_url: str, village: str, village_name: str, code: str | None, port: int) -> None:
    cli_parts.make_folder(data, hub_url, village, village_name, code, port)
    with opened(data) as made:
        click.echo(_("Perangkat siap di %(folder)s.") % {"folder": data})
        if code:
            cli_parts.register_new(made, data, code)


@node.command(help=_("Mendaftarkan perangkat ini di pusat."))
@DATA
@click.option(
    "--code", default=None, help=_("Kode pendaftaran dari pusat; tanpa kode, pusat harus menyetujui.")
)
@speak_errors
def register(data: Path, code: str | None) -> None:
    with opened(data) as made:
        cli_parts.register(made, code)


@node.command(help=_("Menjalankan halaman belajar untuk laptop ini dan ponsel di hotspot-nya."))
@DATA
@click.option("--host", default=None, help=_("Alamat jaringan yang dilayani."))
@click.option("--port", default=None, type=click.IntRange(1, 65535))
@click.option("--no-sync", is_flag=True, help=_("Jangan kirim apa pun di latar belakang."))
@speak_errors
def serve(data: Path, host: str | None, port: int | None, no_sync: bool) -> None:
    from node.app import create_app
    from node.serving import Served

    with opened(data) as made:
        settings = made.config.settings
        listen = (host or settings.host, port or settings.port)
        try:
            server = Served(create_app(made), *listen, settings.player_port or listen[1] + 1)
        except OSError as problem:
            raise DataFolderError(
                N_("Alamat %(host)s:%(port)s sedang dipakai program lain. Pilih --port lain."),
                host=listen[0],
                port=listen[1],
            ) from problem
        if not server.plays:
            click.echo(
                _(
                    "Port %(port)s sedang dipakai program lain: materi SCORM, H5P dan cmi5 tidak dapat diputar. Yang lain berjalan seperti biasa."
                )
                % {"port": settings.player_port or listen[1] + 1},
                err=True,
            )
        click.echo(
            _("Halaman belajar: http://localhost:%(port)s (Ctrl-C untuk berhenti)") % {"port": listen[1]}
        )
        if not no_sync:
            made.worker.start(lambda: look_around(made))
        with (
            found_by_others(made, listen[1]),
            stop_on_terminate(server.close),
            contextlib.suppress(KeyboardInterrupt),
        ):
            server.run()
        made.worker.stop()


@node.command(help=_("Mencatat kegiatan belajar dari berkas JSON baris demi baris (- untuk masukan baku)."))
@DATA
@click.argument("file", type=click.File("rb"))
@speak_errors
def record(data: Path, file: BinaryIO) -> None:
    from node.activity import Player
    from node.courses import manifests

    with opened(data) as made:
        player = Player(made.store, made.recorder, manifests(made))
        with bar(_("Mencatat"), unit_bytes=False) as show:
            played = player.play(file, lambda count: show(count, None))
        click.echo(
            _(
                "%(lines)s baris dibaca: %(recorded)s dicatat, %(known)s sudah ada, %(learners)s peserta baru."
            )
            % {
                "lines": played.lines,
                "recorded": played.recorded,
                "known": played.known,
                "learners": played.learners,
            }
        )


@node.command(help=_("Keadaan perangkat ini: catatan tersimpan, terkirim, dikonfirmasi."))
@DATA
@speak_errors
def status(data: Path) -> None:
    from node.courses import manifests

    with opened(data) as made:
        counts, state = made.recorder.counts(), made.worker.state()
        rows = [
            (_("Desa"), f"{made.config.village} {made.config.village_name}".strip()),
            (_("Pusat"), made.config.hub_url),
            (_("Pendaftaran"), state.registration),
            (_("Peserta"), len(made.learning.learners())),
            (_("Pelatihan"), len(manifests(made))),
            (_("Tersimpan di perangkat ini"), counts.saved),
            (_("Terkirim"), counts.sent),
            (_("Dikonfirmasi"), counts.confirmed),
            (_("Kontak terakhir"), _moment(state.last_contact_ms)),
        ]
        for label, value in rows:
            click.echo(f"{label:28} {value}")
        for text in state.alerts:
            click.echo(_(text))
        if state.error is not None:
            click.echo(state.error.sentence(_))


@click.command(name="sync", help=_("Mengirim yang belum dikonfirmasi ke pusat, sekali."))
@DATA
@speak_errors
def sync_command(data: Path) -> None:
    with opened(data) as made:
        with bar(_("Mengirim")) as show:
            outcome = made.worker.exchange(show)
        counts, state = made.recorder.counts(), made.worker.state()
        click.echo(
            _(
                "%(confirmed)s dari %(saved)s catatan dikonfirmasi pusat (%(sent)s bita naik, %(received)s bita turun, %(requests)s permintaan)."
            )
            % {
                "confirmed": counts.confirmed,
                "saved": counts.saved,
                "sent": outcome.sent,
                "received": outcome.received,
                "requests": outcome.requests,
            }
        )
        if state.registration != "registered":
            click.echo(_("Perangkat ini menunggu persetujuan pusat."), err=True)
            sys.exit(REFUSED)


@click.command(help=_("Memasang paket pelatihan di perangkat ini."))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@DATA
@click.option(
    "--trust", default=None, help=_("Sidik kunci penerbit, bila perangkat belum terdaftar di pusat.")
)
@speak_errors
def install(file: Path, data: Path, trust: str | None) -> None:
    from node.courses import install_pack

    with opened(data) as made:
        installed = install_pack(made, file, trust)
        click.echo(
            _("Pelatihan %(title)s versi %(version)s terpasang.")
            % {"title": installed.manifest.title, "version": installed.manifest.version}
        )


def look_around(made: Node) -> None:
    """What a laptop does besides sending: neighbours first, they cost nothing; then the courses that were chosen."""
    from node.offers import fetch_chosen

    addresses = found(made)
    meet_all(made, addresses)
    fetch_chosen(made, made.worker.wall_ms(), addresses)


def _moment(ms: int | None) -> str:
    if ms is None:
        return _("Belum pernah")
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%d-%m-%Y %H.%M %Z")
