"""`lontar pack import|check|diff`: what authors need before they build and after they changed something."""

from __future__ import annotations

import secrets
import sys
from gettext import gettext as _
from pathlib import Path

import click

from content_packs.errors import PackError
from sync.cli_errors import speak_errors
from sync.errors import N_
from sync.keys import SigningKey

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    name="import",
    help=_("Membuat folder pelatihan dari bahan yang ada: Moodle, SCORM, H5P, EPUB, PDF, soal GIFT, …"),
)
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=None, help=_("Folder baru.")
)
@click.option("--format", "named", default="", help=_("Jenis bahan, bila tidak dikenali sendiri."))
@speak_errors
def import_(file: Path, output: Path | None, named: str) -> None:
    from content_packs.importers import FORMATS, importer_of
    from content_packs.importers.folder import write_folder

    if named and named not in FORMATS:
        raise PackError(
            N_("Jenis %(name)s tidak dikenal. Yang dikenal: %(formats)s."),
            name=named,
            formats=", ".join(FORMATS),
        )
    draft = importer_of(file, named).read(file)
    folder = output or Path(file.stem)
    with click.progressbar(length=max(1, len(draft.media)), label=_("Menulis"), file=sys.stderr) as bar:
        write_folder(draft, folder, lambda done, total: bar.update(done - bar.pos))
    for label, sentences in (
        (_("Diambil"), draft.report.taken),
        (_("Diubah"), draft.report.changed),
        (_("Tidak dibawa"), draft.report.left_out),
    ):
        for sentence in sentences:
            click.echo(f"{label:14} {sentence}")
    click.echo(
        _("Folder pelatihan: %(folder)s. Periksa dengan: lontar pack check %(folder)s") % {"folder": folder}
    )


@click.command(help=_("Memeriksa folder pelatihan: apa yang perlu diperhatikan sebelum dibagikan."))
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@speak_errors
def check(folder: Path) -> None:
    from datetime import datetime

    from content_packs.build import build_pack
    from content_packs.check import check as look_at

    # What must be mended comes first, with a key that nobody has.
    built = build_pack(folder, SigningKey.generate(secrets.token_bytes))
    found = look_at(folder, datetime.now().astimezone().date())
    for finding in found:
        click.echo(f"{finding.file}: {_(finding.text) % finding.details}")
    click.echo(
        _("%(lessons)s materi, %(size)s KB; %(count)s hal perlu diperhatikan.")
        % {
            "lessons": len(built.manifest.lessons),
            "size": -(-built.manifest.packed // 1000),
            "count": len(found),
        }
    )


@click.command(
    help=_("Membandingkan dua versi: apa yang berubah bagi peserta, dan berapa yang diambil desa.")
)
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@speak_errors
def diff(old: Path, new: Path) -> None:
    from content_packs.changes import Fate, lesson_changes, new_pieces
    from content_packs.verify import open_pack

    # Whose they are doesn't matter for comparing them.
    with open_pack(old, lambda key: True) as before, open_pack(new, lambda key: True) as after:
        if before.manifest.course_id != after.manifest.course_id:
            raise PackError(N_("Kedua berkas ini bukan pelatihan yang sama."))
        names = {
            Fate.SAME: _("tetap"),
            Fate.REVISED: _("diulang"),
            Fate.NEW: _("baru"),
            Fate.DROPPED: _("dihapus"),
        }
        for change in lesson_changes(before.manifest, after.manifest):
            more = _(" (isinya berubah)") if change.fate is Fate.SAME and change.content_changed else ""
            click.echo(f"{names[change.fate]:10} {change.title}{more}")
        size = sum(after.packed_size(digest) for digest in new_pieces(before.manifest, after.manifest))
        click.echo(
            _("Desa yang sudah punya versi %(old)s mengambil %(size)s KB; yang baru %(all)s KB.")
            % {
                "old": before.manifest.version,
                "size": -(-(size + len(after.envelope)) // 1000),
                "all": -(-(after.manifest.packed + len(after.envelope)) // 1000),
            }
        )
