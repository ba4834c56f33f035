"""`lontar hub …` for the road without a signal and for people: sticks, couriers, codes, identities."""

from __future__ import annotations

import secrets
import sys
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub import cli_usb
from hub.cli import DATA, _opened, hub
from sync.cli_errors import speak_errors

if TYPE_CHECKING:
    from hub.queries.persons import Learner
    from hub.wiring import Hub

_PLACE: Final = click.argument("path", type=click.Path(path_type=Path, exists=True))


@hub.command(help=_("Menerima paket data dari flashdisk atau folder berisi berkas .LNB."))
@DATA
@_PLACE
@speak_errors
def receive(data: Path, path: Path) -> None:
    cli_usb.read(data, path)


@hub.command(help=_("Menyimpan ke flashdisk yang kembali ke desa: bukti terima, keputusan, pengumuman."))
@DATA
@_PLACE
@click.option("--region", default="", help=_("Hanya desa dalam wilayah ini, misalnya 17.05"))
@click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=_("Paket pelatihan yang ikut dibawa; boleh disebut berkali-kali."),
)
@speak_errors
def send(data: Path, path: Path, region: str, packs: tuple[Path, ...]) -> None:
    from sync.stick import PACKS, Stick, pack_name

    cli_usb.write(data, path, region)
    for pack in packs:
        content = pack.read_bytes()
        Stick(path).write_file(PACKS, pack_name(content), content)
        click.echo(_("%(pack)s ikut dibawa. Aman dicabut.") % {"pack": pack.name})


@hub.command(help=_("Menambah petugas pembawa data dan mencetak kodenya; menampilkan atau mencabutnya."))
@DATA
@click.argument("name", required=False)
@click.option("--region", default="", help=_("Kode wilayah yang dilayani petugas, misalnya 17.05"))
@click.option("--list", "is_list", is_flag=True, help=_("Tampilkan semua petugas."))
@click.option("--revoke", type=int, default=None, metavar="NOMOR", help=_("Cabut akses petugas ini."))
@speak_errors
def courier(data: Path, name: str | None, region: str, is_list: bool, revoke: int | None) -> None:
    from hub import couriers
    from hub.db import reading
    from hub.wiring import now_ms

    with _opened(data) as made:
        if is_list:
            with reading(made.engine) as connection:
                for row in couriers.listed(connection):
                    click.echo(f"{row.pk:>5}  {row.region:13}  {row.state:10}  {row.name}")
        elif revoke is not None:
            couriers.revoke(made.engine, revoke)
            click.echo(_("Akses petugas dicabut. Flashdisk yang masih dibawanya tetap diterima pusat."))
        elif name and name.strip() and region:
            click.echo(str(couriers.add(made.engine, name.strip(), region, secrets.token_bytes, now_ms())))
        else:
            click.echo(_("Sebutkan nama petugas dengan --region, atau --list, atau --revoke."), err=True)
            sys.exit(2)


@hub.command(help=_("Kode sekali pakai untuk operator desa yang lupa kata sandi, dibacakan lewat telepon."))
@DATA
@click.argument("device")
@click.argument("challenge")
@speak_errors
def unlock(data: Path, device: str, challenge: str) -> None:
    from hub import registry
    from hub import unlock as unlocking
    from hub.wiring import now_ms

    with _opened(data) as made:
        found = registry.find(made.engine, device)
        for code in unlocking.give(made.engine, made.config, found, challenge, now_ms()):
            click.echo(code)


@hub.command(help=_("Dua peserta ini satu orang; kemajuannya dijumlahkan."))
@DATA
@click.argument("one")
@click.argument("other")
@speak_errors
def merge(data: Path, one: str, other: str) -> None:
    from hub import identity
    from hub.wiring import now_ms

    with _opened(data) as made:
        identity.merge(made.engine, *_pair(made, one, other), now_ms())
        click.echo(_("Keduanya kini dihitung sebagai satu peserta."))


@hub.command(help=_("Dua peserta ini bukan satu orang; penggabungannya dibatalkan."))
@DATA
@click.argument("one")
@click.argument("other")
@speak_errors
def separate(data: Path, one: str, other: str) -> None:
    from hub import identity
    from hub.wiring import now_ms

    with _opened(data) as made:
        identity.separate(made.engine, *_pair(made, one, other), now_ms())
        click.echo(_("Keduanya dipisahkan lagi; masing-masing dihitung sendiri."))


@hub.command(help=_("Menghapus nama dan jabatan seorang peserta di mana-mana; kemajuannya tetap."))
@DATA
@click.argument("learner")
@click.option("--yes", is_flag=True, help=_("Tanpa bertanya."))
@speak_errors
def erase(data: Path, learner: str, yes: bool) -> None:
    from hub import identity
    from hub.wiring import now_ms

    with _opened(data) as made:
        found = _learner(made, learner)
        name = found.name or _("(tanpa nama)")
        if not yes:
            click.confirm(
                _("Hapus data pribadi %(name)s? Ini tidak dapat dibatalkan.") % {"name": name}, abort=True
            )
        count = identity.erase(made.engine, found.id, now_ms())
        click.echo(_("Data pribadi dihapus (%(count)s data).") % {"count": count})


def _pair(made: Hub, one: str, other: str) -> tuple[bytes, bytes]:
    """The two identities, by the beginnings of their numbers.

    Raises:
        NotFoundError: one of them isn't known, or both are the same.
    """
    from hub.db import reading
    from hub.errors import NotFoundError
    from hub.queries import persons
    from sync.errors import N_

    with reading(made.engine) as connection:
        pair = persons.named(connection, one), persons.named(connection, other)
    if pair[0] == pair[1]:
        raise NotFoundError(N_("Sebutkan dua nomor peserta yang berbeda."))
    return pair


def _learner(made: Hub, number: str) -> Learner:
    from hub.db import reading
    from hub.queries import persons

    with reading(made.engine) as connection:
        id_ = persons.named(connection, number)
        found = persons.find(connection, id_)
    assert found is not None
    return found
