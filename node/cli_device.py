"""`lontar node snapshot`, `restore` and `doctor`: backups and the state of the laptop, from the command line."""

from __future__ import annotations

import sys
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli_parts import DATA, opened
from sync.cli_errors import speak_errors

if TYPE_CHECKING:
    from node.restoring import Plan


@click.command(help=_("Membuat cadangan sekarang, juga di tempat kedua bila sudah dipilih."))
@DATA
@click.option("--place", default=None, help=_("Pilih dulu tempat kedua: folder atau flashdisk."))
@speak_errors
def snapshot(data: Path, place: str | None) -> None:
    from node import backups

    with opened(data) as made:
        if place is not None:
            backups.choose_place(made, place)
        done = backups.back_up_now(made)
        click.echo(
            _("Cadangan dibuat: %(path)s (%(entries)s catatan).")
            % {"path": done.path, "entries": done.entries}
        )
        second = backups.second_place(made)
        if second.place:
            click.echo(_("Salinan terkunci ada di %(place)s.") % {"place": second.place})


@click.command(
    help=_(
        "Memulihkan cadangan FILE. Lebih dulu dikatakan apa yang terjadi; data yang sekarang disimpan di samping."
    )
)
@DATA
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--words", default=None, help=_("Kata-kata kertas pemulihan (ditanyakan bila perlu)."))
@click.option("--yes", is_flag=True, help=_("Jangan bertanya lagi."))
@speak_errors
def restore(data: Path, file: Path, words: str | None, yes: bool) -> None:
    from node import config, restoring
    from node.sealed_copy import secret_of

    is_new = not (data / config.FILE).exists()
    secret = None
    if restoring.is_sealed(file) and (is_new or not restoring.is_own(data, file) or words):
        secret = secret_of(words or click.prompt(_("Dua belas kata dari kertas pemulihan")))
    elif is_new:
        # A plain snapshot holds no keys: it belongs to the folder that it was made in.
        config.load(data)
    plan = restoring.look(data, file, secret)
    for line in described(plan):
        click.echo(line)
    if not yes:
        click.confirm(_("Pulihkan sekarang?"), abort=True)
    if is_new and secret is not None:
        restoring.restore_into(data, file, secret)
        aside = ""
    else:
        restoring.prepare(config.load(data), file, secret)
        try:
            aside = restoring.carry_out(data)
        except BaseException:
            restoring.call_off(data)
            raise
    opened_once(data)
    click.echo(_("Dipulihkan. Jalankan Lontar seperti biasa."))
    if aside:
        click.echo(_("Data sebelumnya disimpan di %(folder)s.") % {"folder": data / aside})


@click.command(help=_("Memeriksa perangkat: jam, disk, basis data, cadangan, alamat, kontak dengan pusat."))
@DATA
@speak_errors
def doctor(data: Path) -> None:
    from node import inspection
    from node.doctor import Mark, checks

    with opened(data) as made:
        inspection.examine_database(made)
        found = checks(inspection.findings(made), _)
    signs = {Mark.GOOD: _("baik"), Mark.ATTENTION: _("perlu perhatian"), Mark.BROKEN: _("rusak")}
    for check in found:
        click.echo(f"{check.title:24} {signs[check.mark]:16} {check.found}")
        if check.advice:
            click.echo(f"{'':24} → {check.advice}")
    if any(check.mark is Mark.BROKEN for check in found):
        sys.exit(1)


def described(plan: Plan) -> list[str]:
    """What restoring would do, a line each."""
    from datetime import datetime

    at = datetime.fromtimestamp(plan.copy.wall_ms / 1000).astimezone().strftime("%d-%m-%Y %H.%M %Z")
    lines = [
        _(
            "Cadangan dari %(time)s menurut jam laptop: %(entries)s catatan, %(answers)s jawaban, %(learners)s peserta."
        )
        % {
            "time": at,
            "entries": plan.copy.entries,
            "answers": plan.copy.answers,
            "learners": plan.copy.learners,
        }
    ]
    if plan.now is None:
        lines.append(_("Data yang sekarang tidak ada atau tidak dapat dibaca."))
    else:
        lines += [
            _("Sekarang: %(entries)s catatan, %(answers)s jawaban, %(learners)s peserta.")
            % {
                "entries": plan.now.entries,
                "answers": plan.now.answers,
                "learners": plan.now.learners,
            },
            _(
                "%(newer)s catatan lebih baru daripada cadangan: %(back)s sudah dikonfirmasi dan kembali dari pusat, %(lost)s hanya tetap ada dalam data lama yang disimpan di samping."
            )
            % {"newer": plan.newer, "back": plan.come_back, "lost": plan.lost},
        ]
    lines.append(_("PIN dan kata sandi operator kembali seperti saat cadangan dibuat."))
    return lines


def opened_once(data: Path) -> None:
    """Opening begins the new log, and shows that the restored data can be used."""
    with opened(data):
        pass
