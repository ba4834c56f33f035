"""`lontar pack offers|fetch|list|make|rollback`: the courses of one laptop, and how they come here."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from node.cli_parts import DATA, opened
from node.errors import UnknownThingError
from sync.cli_errors import speak_errors
from sync.errors import N_
from web.cli_parts import bar


@click.command(help=_("Pelatihan yang dibagikan pusat dan belum ada di laptop ini."))
@DATA
@speak_errors
def offers(data: Path) -> None:
    from node.offers import offers as offered

    with opened(data) as made:
        found = offered(made)
        if not found:
            click.echo(_("Tidak ada pelatihan baru dari pusat."))
        for offer in found:
            click.echo(
                _(
                    "%(key)s  %(title)s versi %(version)s: %(size)s KB, sekitar %(minutes)s menit dengan sinyal lemah."
                )
                % {
                    "key": offer.manifest_hash.hex()[:8],
                    "title": offer.title,
                    "version": offer.version,
                    "size": -(-offer.left // 1024),
                    "minutes": offer.minutes,
                }
            )


@click.command(
    help=_("Mengambil pelatihan dari pusat; dilanjutkan bila terputus. NOMOR dari: lontar pack offers")
)
@click.argument("key", metavar="NOMOR")
@DATA
@speak_errors
def fetch(key: str, data: Path) -> None:
    from node.offers import choose, hub_line
    from node.offers import fetch as brought
    from node.offers import offers as offered

    with opened(data) as made:
        found = [
            offer for offer in offered(made) if key and offer.manifest_hash.hex().startswith(key.lower())
        ]
        if len(found) != 1:
            raise UnknownThingError(
                N_("Tidak ada satu pelatihan baru bernomor %(key)s. Lihat: lontar pack offers"), key=key
            )
        # If the line breaks, a running laptop goes on by itself.
        choose(made, found[0].manifest_hash)
        with bar(_("Mengambil"), unit_bytes=True) as show:
            pack = brought(made, found[0].manifest_hash, hub_line(made, made.worker.wall_ms()), show)
        click.echo(
            _("Pelatihan %(title)s versi %(version)s terpasang.")
            % {"title": pack.manifest.title, "version": pack.manifest.version}
        )


@click.command(name="list", help=_("Pelatihan yang terpasang di laptop ini, dengan setiap versinya."))
@DATA
@speak_errors
def list_(data: Path) -> None:
    from node.courses import listed

    with opened(data) as made:
        found = listed(made)
    if not found:
        click.echo(_("Belum ada pelatihan di laptop ini."))
    for one in found:
        notes = [
            note
            for note, holds in (
                (_("dibuat di desa ini"), one.is_local),
                (_("ditarik kembali"), one.is_hidden),
                (_("versi lama"), not one.is_shown and not one.is_hidden),
            )
            if holds
        ]
        line = _("%(id)s  %(title)s versi %(version)s, %(size)s KB %(notes)s") % {
            "id": one.manifest.course_id,
            "title": one.manifest.title,
            "version": one.manifest.version,
            "size": -(-one.manifest.packed // 1024),
            "notes": f"({', '.join(notes)})" if notes else "",
        }
        click.echo(line.rstrip())


@click.command(
    help=_(
        "Membuat pelatihan desa dari sebuah folder: disegel laptop ini, hanya tampil di desa ini sampai diambil alih penerbit."
    )
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@DATA
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help=_("Tulis juga sebagai berkas, untuk laptop lain desa ini atau untuk penerbit."),
)
@speak_errors
def make(folder: Path, data: Path, output: Path | None) -> None:
    from node.courses import make_local

    with opened(data) as made:
        manifest = make_local(made, folder, output).manifest
    click.echo(
        _("Pelatihan %(title)s versi %(version)s terpasang; hanya tampil di desa ini.")
        % {"title": manifest.title, "version": manifest.version}
    )
    if output is not None:
        click.echo(_("Berkasnya: %(file)s") % {"file": output})


@click.command(
    help=_("Kembali ke versi sebelumnya dari sebuah pelatihan; tidak ada hasil belajar yang hilang.")
)
@click.argument("course", metavar="ID")
@DATA
@click.option("--undo", is_flag=True, help=_("Pakai lagi versi yang terakhir ditarik kembali."))
@speak_errors
def rollback(course: str, data: Path, undo: bool) -> None:
    from node.courses import show_again, take_back

    with opened(data) as made:
        if undo:
            again = show_again(made, course)
            click.echo(
                _("Pelatihan %(title)s versi %(version)s dipakai lagi.")
                % {"title": again.title, "version": again.version}
            )
            return
        taken, before = take_back(made, course)
    click.echo(
        _("Pelatihan %(title)s: versi %(version)s ditarik kembali, versi %(before)s dipakai lagi.")
        % {"title": taken.title, "version": taken.version, "before": before.version}
    )
