"""`lontar hub …`: the centre from the command line."""

from __future__ import annotations

import contextlib
import importlib
import secrets
import sys
from collections.abc import Iterator
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sync.cli_errors import speak_errors

if TYPE_CHECKING:
    from hub.wiring import Hub

DATA: Final = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    envvar="LONTAR_HUB_DATA",
    help=_("Folder data pusat."),
)


@click.group(help=_("Pusat: menerima, menggabungkan, menampilkan."))
def hub() -> None:
    pass


@hub.command(help=_("Menyiapkan pusat: kunci, basis data, daftar wilayah, akun operator."))
@DATA
@click.option(
    "--database",
    default=None,
    help=_(
        "Alamat basis data; bawaan SQLite di folder data. Contoh: postgresql+psycopg://nama@host/lontar"
    ),
)
@click.option("--operator", default="operator", show_default=True, help=_("Nama akun operator."))
@click.option(
    "--password",
    default=None,
    envvar="LONTAR_HUB_PASSWORD",
    help=_("Kata sandi operator; bila kosong dibuatkan."),
)
@click.option("--regions", default="", help=_("Muat hanya wilayah dengan awalan kode ini."))
@speak_errors
def init(data: Path, database: str | None, operator: str, password: str | None, regions: str) -> None:
    from hub import config, db, operators
    from hub import regions as region_list
    from sync.keys import fingerprint

    made_password = password or secrets.token_urlsafe(12)
    made = config.create(data, database, secrets.token_bytes)
    engine = db.open_engine(made.database_url)
    db.upgrade(engine)
    count = region_list.load(engine, regions)
    operators.set_password(engine, operator, made_password)
    click.echo(_("Pusat siap di %(folder)s dengan %(count)s wilayah.") % {"folder": data, "count": count})
    click.echo(_("Sidik kunci pusat: %(root)s") % {"root": fingerprint(made.keyset.root)})
    click.echo(
        _("Pindahkan %(path)s ke flashdisk yang disimpan di tempat aman; pusat berjalan tanpanya.")
        % {"path": data / "keys" / "root.key"}
    )
    if password is None:
        click.echo(
            _("Akun operator: %(name)s, kata sandi: %(password)s")
            % {"name": operator, "password": made_password}
        )


@hub.command(help=_("Menjalankan pusat (gunicorn)."))
@DATA
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, type=click.IntRange(1, 65535), show_default=True)
@click.option("--workers", default=2, type=click.IntRange(1, 64), show_default=True)
@click.option(
    "--log",
    default="plain",
    type=click.Choice(["plain", "json"]),
    show_default=True,
    help=_("Bentuk catatan jalannya pusat; json: satu objek per baris, tiap permintaan tercatat."),
)
@speak_errors
def serve(data: Path, host: str, port: int, workers: int, log: str) -> None:
    from hub.cli_relay import relaying
    from hub.server import run
    from hub.upstream import find

    with _opened(data) as made:  # refuses a missing or newer database before gunicorn starts its workers
        has_upstream = find(made.engine, made.config) is not None
    click.echo(_("Pusat: http://%(host)s:%(port)s (Ctrl-C untuk berhenti)") % {"host": host, "port": port})
    with relaying(data) if has_upstream else contextlib.nullcontext():
        run(data, host, port, workers, log)


@hub.command(help=_("Membuat kode pendaftaran untuk satu desa, atau menyetujui dan menolak perangkat."))
@DATA
@click.argument("village", required=False)
@click.option("--waiting", is_flag=True, help=_("Tampilkan perangkat yang menunggu."))
@click.option(
    "--approve", default=None, metavar="PERANGKAT", help=_("Setujui perangkat ini (awal nomornya cukup).")
)
@click.option("--refuse", default=None, metavar="PERANGKAT", help=_("Tolak perangkat ini."))
@click.option(
    "--revoke", default=None, metavar="PERANGKAT", help=_("Cabut perangkat ini: kirimannya dikarantina.")
)
@speak_errors
def register(
    data: Path,
    village: str | None,
    waiting: bool,
    approve: str | None,
    refuse: str | None,
    revoke: str | None,
) -> None:
    from hub import registry
    from hub.db import reading
    from hub.wiring import now_ms

    with _opened(data) as made:
        if village:
            code = registry.issue_code(made.engine, village, secrets.token_bytes, now_ms())
            click.echo(str(code))
        elif waiting:
            with reading(made.engine) as connection:
                for device in registry.devices(connection, state="waiting"):
                    click.echo(f"{device.device.hex()[:12]}  {device.village}")
        elif approve:
            registry.approve(made.engine, registry.find(made.engine, approve), now_ms())
            click.echo(_("Perangkat disetujui."))
        elif refuse:
            registry.refuse(made.engine, registry.find(made.engine, refuse), now_ms())
            click.echo(_("Perangkat ditolak."))
        elif revoke:
            registry.revoke(made.engine, registry.find(made.engine, revoke), now_ms())
            click.echo(_("Perangkat dicabut. Yang sudah diterima tetap ada."))
        else:
            click.echo(_("Sebutkan kode desa, atau --waiting, --approve, --refuse, --revoke."), err=True)
            sys.exit(2)


@hub.command(
    name="add-course", help=_("Mengenalkan paket pelatihan kepada pusat, agar judul dan materinya tampil.")
)
@DATA
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@speak_errors
def add_course(data: Path, file: Path) -> None:
    from hub import courses

    with _opened(data) as made:
        manifest = courses.add(made.engine, made.config, file)
        click.echo(
            _("Pelatihan %(title)s versi %(version)s dikenal pusat.")
            % {"title": manifest.title, "version": manifest.version}
        )


@hub.command(help=_("Membagikan paket pelatihan ke wilayah; --withdraw menariknya kembali."))
@DATA
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--region", "regions", multiple=True, help=_("Kode wilayah; boleh berkali-kali. Tanpa ini: semua.")
)
@click.option(
    "--first",
    type=click.IntRange(1, 1000),
    default=None,
    help=_("Hanya sekian desa pertama, untuk mencoba."),
)
@click.option(
    "--withdraw",
    "reason",
    default=None,
    metavar="ALASAN",
    help=_("Tarik paket ini; desa membaca alasannya."),
)
@speak_errors
def publish(
    data: Path, file: Path, regions: tuple[str, ...], first: int | None, reason: str | None
) -> None:
    from content_packs.verify import open_pack, trusted_by
    from hub import packs
    from hub.db import reading

    with _opened(data) as made:
        now_ms = made.intake.now_ms()
        if reason is not None:
            with open_pack(file, trusted_by(made.config.keyset, None)) as pack:
                packs.withdraw(made.engine, pack.manifest_hash, reason, now_ms)
            click.echo(_("Paket ditarik."))
            return
        scopes = list(regions) or [""]
        if first is not None:
            with reading(made.engine) as connection:
                scopes = [v for scope in scopes for v in packs.first_villages(connection, scope, first)][
                    :first
                ]
        manifest, _hash = packs.publish(made.engine, made.config, file, scopes, now_ms)
        click.echo(
            _("%(title)s versi %(version)s dibagikan ke %(count)s wilayah atau desa.")
            % {"title": manifest.title, "version": manifest.version, "count": len(scopes)}
        )


@hub.command(help=_("Keadaan pusat: perangkat, catatan, yang menunggu keputusan."))
@DATA
@speak_errors
def status(data: Path) -> None:
    from hub import overview
    from hub.db import reading

    with _opened(data) as made, reading(made.engine) as connection:
        for label, value in overview.figures(connection):
            click.echo(f"{_(label):34} {value}")


@hub.command(help=_("Memberi akun operator kata sandi baru; di mana pun ia masuk, ia dikeluarkan."))
@DATA
@click.argument("operator", default="operator")
@click.password_option("--password", prompt=_("Kata sandi baru"), help=_("Ditanyakan bila tidak disebut."))
@speak_errors
def password(data: Path, operator: str, password: str) -> None:
    from hub import operators
    from hub.views.sittings import Sittings
    from hub.wiring import now_ms

    with _opened(data) as made:
        changed = operators.set_password(made.engine, operator, password)
        Sittings(made.engine, now_ms).end_all_of(changed)
        click.echo(_("Kata sandi %(name)s sudah diganti.") % {"name": operator})


@hub.command(help=_("Membawa basis data ke versi Lontar ini."))
@DATA
@click.option("--if-needed", is_flag=True, help=_("Tidak menyentuh apa pun bila sudah sesuai."))
@speak_errors
def upgrade(data: Path, if_needed: bool) -> None:
    from hub import db

    with _opened(data) as made:
        with db.reading(made.engine) as connection:
            is_current = db.revision(connection) == db.own_revision()
        if not (if_needed and is_current):
            db.upgrade(made.engine)
        click.echo(_("Basis data sesuai versi ini."))


@hub.command(help=_("Menghapus yang tidak perlu lagi menurut aturan; tanpa --do-it hanya menghitung."))
@DATA
@click.option("--do-it", is_flag=True, help=_("Sungguh menghapus."))
@speak_errors
def tidy(data: Path, do_it: bool) -> None:
    from hub import tidy as rules

    with _opened(data) as made:
        for label, count in rules.tidy(made.engine, made.config, made.intake.now_ms(), do_it):
            click.echo(f"{_(label):34} {count}")
        if not do_it:
            click.echo(_("Belum ada yang dihapus. Ulangi dengan --do-it."), err=True)


@contextlib.contextmanager
def _opened(data: Path) -> Iterator[Hub]:
    from hub.wiring import open_hub

    made = open_hub(data)
    try:
        yield made
    finally:
        made.close()


def _region(made: Hub, text: str) -> str:
    """The code that somebody typed, of a region in the list; "" for everywhere.

    Raises:
        TypedError: no region has this code.
    """
    from hub.db import reading
    from hub.views import typed

    with reading(made.engine) as connection:
        return typed.known_region(connection, typed.region_code(text))


# They add their commands to the group.
for _part in ("accounts", "api", "backup", "export", "keys", "proposals", "rebuild", "relay", "road"):
    importlib.import_module(f"hub.cli_{_part}")
