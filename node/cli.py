"""`lontar node …` and `lontar sync`: the village laptop from the command line."""

from __future__ import annotations

import contextlib
import sys
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from node import cli_parts
from node.cli_device import doctor, restore, snapshot
from node.cli_install import install as start_with_laptop
from node.cli_install import uninstall as start_no_more
from node.cli_neighbours import found, meet_all, neighbours
from node.cli_parts import CODE, DATA, HUB, PORT, REFUSED, VILLAGE, VILLAGE_NAME, opened
from node.cli_rekap import rekap
from node.cli_replace import replace
from sync.cli_errors import speak_errors
from web.cli_parts import bar, stop_on_terminate

if TYPE_CHECKING:
    from node.wiring import Node


@click.group(help=_("Laptop desa: menyiapkan, menjalankan, mencatat."))
def node() -> None:
    pass


node.add_command(snapshot)
node.add_command(restore)
node.add_command(doctor)
node.add_command(rekap)
node.add_command(replace)
node.add_command(neighbours)
node.add_command(start_with_laptop)
node.add_command(start_no_more)


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
    from node.running import running

    with running(data, host, port, None if no_sync else look_around) as served:
        if served.player_port and not served.plays:
            click.echo(
                _(
                    "Port %(port)s sedang dipakai program lain: materi SCORM, H5P dan cmi5 tidak dapat diputar. Yang lain berjalan seperti biasa."
                )
                % {"port": served.player_port},
                err=True,
            )
        if served.player_port is None:
            click.echo(
                _(
                    "Laptop ini belum disiapkan. Buka alamat di bawah di laptop ini, lalu jawab enam pertanyaan."
                )
            )
        click.echo(
            _("Halaman belajar: http://localhost:%(port)s (Ctrl-C untuk berhenti)") % {"port": served.port}
        )
        with stop_on_terminate(served.close), contextlib.suppress(KeyboardInterrupt):
            served.run()


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
            (_("Pusat"), made.worker.hub_url or _("Belum diisi")),
            (_("Pendaftaran"), state.registration),
            (_("Peserta"), len(made.learning.learners())),
            (_("Pelatihan"), len(manifests(made))),
            (_("Tersimpan di perangkat ini"), counts.saved),
            (_("Terkirim"), counts.sent),
            (_("Dikonfirmasi"), counts.confirmed),
            (_("Kontak terakhir"), _moment(state.last_contact_ms, made.config.settings.zone)),
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
    """What a laptop does besides sending: backups; neighbours, they cost nothing; then the courses that were chosen."""
    from node.backups import keep_up
    from node.offers import fetch_chosen

    keep_up(made)
    addresses = found(made)
    meet_all(made, addresses)
    if not made.ballast.is_low():
        fetch_chosen(made, made.worker.wall_ms(), addresses)


def _moment(ms: int | None, zone: str) -> str:
    from web.dates import moment_in

    return _("Belum pernah") if ms is None else moment_in(ms, zone)
