"""`lontar hub export …`: what leaves the centre for other systems and for analysts."""

from __future__ import annotations

from datetime import datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub.cli import DATA, _opened, _region, hub
from sync.cli_errors import speak_errors

if TYPE_CHECKING:
    pass

_REGION: Final = click.option("--region", default="", help=_("Hanya wilayah ini, misalnya 17.05"))
_NAMES: Final = click.option(
    "--names", is_flag=True, help=_("Sertakan nama orang; tanpa ini hanya nomor peserta.")
)


@hub.group(help=_("Mengeluarkan data: pernyataan xAPI untuk LRS, Parquet untuk analis."))
def export() -> None:
    pass


@export.command(
    help=_(
        "Menulis pernyataan xAPI 1.0.3 ke berkas (satu tiap baris), atau mengirimnya ke LRS dengan --lrs. "
        "Pengiriman yang terputus dilanjutkan; yang terkirim dua kali dihitung sekali."
    )
)
@DATA
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option(
    "--lrs", default=None, metavar="URL", help=_("Alamat LRS, misalnya https://lrs.contoh.id/xapi")
)
@click.option("--user", default="", envvar="LONTAR_LRS_USER", help=_("Nama pada LRS."))
@click.option(
    "--password",
    default="",
    envvar="LONTAR_LRS_PASSWORD",
    help=_("Kata sandi pada LRS; lebih aman lewat LONTAR_LRS_PASSWORD."),
)
@click.option(
    "--home",
    default=None,
    metavar="URL",
    help=_("Alamat pusat ini dalam pernyataan; bawaan public_url dari hub.toml. Jangan diganti-ganti."),
)
@click.option(
    "--since",
    default=None,
    type=click.DateTime(["%Y-%m-%d"]),
    help=_("Hanya yang diterima pusat sejak tanggal ini (WIB)."),
)
@_REGION
@_NAMES
@speak_errors
def xapi(
    data: Path,
    file: Path | None,
    lrs: str | None,
    user: str,
    password: str,
    home: str | None,
    since: datetime | None,
    region: str,
    names: bool,
) -> None:
    from hub.exports import lrs as sending
    from hub.exports import statements
    from hub.exports.entries import Choice, Marks, counted

    if (file is None) == (lrs is None):
        raise click.UsageError(_("Sebutkan berkas, atau --lrs dengan alamatnya."))
    since_ms = _ms(since)
    with _opened(data) as made:
        here = _home(home or made.config.public_url)
        choice = Choice(statements.KINDS, _region(made, region), since_ms, names)
        if lrs is not None:
            store = sending.Store(lrs, user, password)
            marks = sending.SentMarks(made.engine, store.url, str(since_ms or ""))
            count = sending.send(
                store,
                counted(made.reader, choice, marks),
                marks,
                lambda segment: [statements.statement(told, here) for told in segment.told],
                _progress,
            )
            said = _("%(count)s pernyataan terkirim dan diterima LRS.")
        else:
            assert file is not None
            found = counted(made.reader, choice, Marks())
            lines = (statements.line(told, here) for segment in found for told in segment.told)
            count = statements.write(file, lines, _progress)
            said = _("%(count)s pernyataan ditulis.")
    click.echo("", err=True)
    click.echo(said % {"count": count})


def _ms(since: datetime | None) -> int:
    from web.zones import ZONES

    return 0 if since is None else int(since.replace(tzinfo=ZONES["WIB"]).timestamp() * 1000)


def _home(address: str) -> str:
    """
    Raises:
        HubError: it can't name people and courses for the whole world.
    """
    from hub.errors import HubError
    from sync.errors import N_

    if not address.startswith(("https://", "http://")):
        raise HubError(
            N_("Tulis alamat pusat ini dengan --home https://…, atau public_url dalam hub.toml.")
        )
    return address.rstrip("/")


def _progress(count: int) -> None:
    click.echo(f"\r{count}", nl=False, err=True)


@export.command(
    help=_(
        "Menulis tabel fakta (kemajuan, penyelesaian, perangkat, sertifikat) sebagai Parquet untuk analis, "
        "terbagi menurut provinsi dan bulan. Folder hasil ekspor sebelumnya diganti sekaligus."
    )
)
@DATA
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@_REGION
@_NAMES
@speak_errors
def parquet(data: Path, folder: Path, region: str, names: bool) -> None:
    from hub.exports import parquet as facts

    with _opened(data) as made:
        place = folder.resolve()
        code = _region(made, region)
        counts = facts.write(made.reader, place, code, names, made.intake.now_ms(), _progress)
    click.echo("", err=True)
    for name, count in counts.items():
        click.echo(_("%(name)s: %(count)s baris") % {"name": name, "count": count})
