"""`lontar node …` and `lontar sync`: the village laptop from the command line."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from node.errors import DataFolderError
from sync.cli_errors import speak_errors
from sync.errors import N_, LontarError

if TYPE_CHECKING:
    from node.wiring import Node

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    envvar="LONTAR_DATA",
    help=_("Folder data perangkat ini."),
)
_VILLAGE: Final = re.compile(r"\d\d\.\d\d\.\d\d\.\d{4}")


@click.group(help=_("Laptop desa: menyiapkan, menjalankan, mencatat."))
def node() -> None:
    pass


@node.command(help=_("Menyiapkan folder data untuk satu desa, dan mendaftarkannya bila ada kode."))
@DATA
@click.option(
    "--hub", "hub_url", required=True, help=_("Alamat pusat, misalnya https://pusat.example.go.id")
)
@click.option("--village", required=True, help=_("Kode desa, misalnya 17.05.10.2007"))
@click.option("--village-name", default="", help=_("Nama desa, untuk ditampilkan."))
@click.option("--code", default=None, help=_("Kode pendaftaran dari pusat."))
@click.option("--port", default=8080, type=click.IntRange(1, 65535), show_default=True)
@speak_errors
def init(data: Path, hub_url: str, village: str, village_name: str, code: str | None, port: int) -> None:
    from node import config
    from sync.machine import Machine
    from sync.registration import read_code

    if not _VILLAGE.fullmatch(village):
        raise DataFolderError(
            N_("Kode desa %(code)s tidak sah. Contoh yang benar: 17.05.10.2007"), code=village
        )
    if not hub_url.startswith(("http://", "https://")):
        raise DataFolderError(N_("Alamat pusat harus diawali http:// atau https://."))
    if code:
        read_code(code)
    machine = Machine()
    secrets = {name: machine.random_bytes(32) for name in ("device", "sealing", "pepper", "session")}
    config.create(data, config.Settings(hub_url, village, village_name, port=port), secrets)
    with _opened(data) as made:
        click.echo(_("Perangkat siap di %(folder)s.") % {"folder": data})
        if code:
            try:
                _register(made, code)
            except LontarError as problem:
                click.echo(problem.sentence(_), err=True)
                click.echo(
                    _("Daftarkan nanti dengan: lontar node register --data %(folder)s --code %(code)s")
                    % {"folder": data, "code": code}
                )


@node.command(help=_("Mendaftarkan perangkat ini di pusat."))
@DATA
@click.option(
    "--code", default=None, help=_("Kode pendaftaran dari pusat; tanpa kode, pusat harus menyetujui.")
)
@speak_errors
def register(data: Path, code: str | None) -> None:
    with _opened(data) as made:
        _register(made, code)


@node.command(help=_("Menjalankan halaman belajar untuk laptop ini dan ponsel di hotspot-nya."))
@DATA
@click.option("--host", default=None, help=_("Alamat jaringan yang dilayani."))
@click.option("--port", default=None, type=click.IntRange(1, 65535))
@click.option("--no-sync", is_flag=True, help=_("Jangan kirim apa pun di latar belakang."))
@speak_errors
def serve(data: Path, host: str | None, port: int | None, no_sync: bool) -> None:
    import waitress

    from node.app import create_app

    with _opened(data) as made:
        settings = made.config.settings
        listen = (host or settings.host, port or settings.port)
        try:
            server = waitress.create_server(create_app(made), host=listen[0], port=listen[1], threads=8)
        except OSError as problem:
            raise DataFolderError(
                N_("Alamat %(host)s:%(port)s sedang dipakai program lain. Pilih --port lain."),
                host=listen[0],
                port=listen[1],
            ) from problem
        click.echo(
            _("Halaman belajar: http://localhost:%(port)s (Ctrl-C untuk berhenti)") % {"port": listen[1]}
        )
        if not no_sync:
            made.worker.start()
        with _stop_on_terminate(server.close), contextlib.suppress(KeyboardInterrupt):
            server.run()
        made.worker.stop()


@node.command(help=_("Mencatat kegiatan belajar dari berkas JSON baris demi baris (- untuk masukan baku)."))
@DATA
@click.argument("file", type=click.File("rb"))
@speak_errors
def record(data: Path, file: BinaryIO) -> None:
    from node.activity import Player
    from node.courses import manifests

    with _opened(data) as made:
        player = Player(made.store, made.recorder, manifests(made))
        with _bar(_("Mencatat"), unit_bytes=False) as show:
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

    with _opened(data) as made:
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
    with _opened(data) as made:
        with _bar(_("Mengirim"), unit_bytes=True) as show:
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
            sys.exit(6)


@click.command(help=_("Memasang paket pelatihan di perangkat ini."))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@DATA
@click.option(
    "--trust", default=None, help=_("Sidik kunci penerbit, bila perangkat belum terdaftar di pusat.")
)
@speak_errors
def install(file: Path, data: Path, trust: str | None) -> None:
    from node.courses import install_pack

    with _opened(data) as made:
        installed = install_pack(made, file, trust)
        click.echo(
            _("Pelatihan %(title)s versi %(version)s terpasang.")
            % {"title": installed.manifest.title, "version": installed.manifest.version}
        )


@contextlib.contextmanager
def _opened(data: Path) -> Iterator[Node]:
    from node.wiring import open_node

    made = open_node(data)
    try:
        yield made
    finally:
        made.close()


def _register(made: Node, code: str | None) -> None:
    root = made.worker.enrol(code)
    state = made.worker.state().registration
    if state == "registered":
        click.echo(_("Terdaftar di pusat. Sidik kunci pusat: %(root)s") % {"root": root})
        return
    click.echo(
        _(
            "Permintaan diterima; menunggu persetujuan pusat. Sidik kunci pusat: %(root)s — cocokkan dengan petugas."
        )
        % {"root": root}
    )
    if state in ("refused", "revoked"):
        sys.exit(6)


def _moment(ms: int | None) -> str:
    if ms is None:
        return _("Belum pernah")
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%d-%m-%Y %H.%M %Z")


@contextlib.contextmanager
def _bar(label: str, unit_bytes: bool) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on a terminal; nothing where nobody looks."""
    columns = [TextColumn("{task.description}"), BarColumn()]
    columns += [DownloadColumn()] if unit_bytes else [TextColumn("{task.completed}")]
    console = Console(stderr=True)
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextlib.contextmanager
def _stop_on_terminate(stop: Callable[[], None]) -> Iterator[None]:
    """Let SIGTERM end the server as Ctrl-C does, so that a clean stop seals what waits."""

    def interrupt(*_: object) -> None:
        stop()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
