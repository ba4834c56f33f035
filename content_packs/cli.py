"""`lontar pack …`: for people who make and check courses."""

from __future__ import annotations

import os
import secrets
from gettext import gettext as _
from pathlib import Path

import click

from content_packs.errors import PackError
from sync.cli_errors import speak_errors
from sync.errors import N_
from sync.keys import SigningKey, fingerprint
from sync.keyset import open_keyset

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(help=_("Paket pelatihan: membuat, memeriksa, memasang."))
def pack() -> None:
    pass


@pack.command(help=_("Membuat kunci penerbit di FILE (hanya dapat dibaca pemiliknya)."))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@speak_errors
def keygen(file: Path) -> None:
    key = SigningKey.generate(secrets.token_bytes)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as problem:
        raise PackError(N_("Berkas %(file)s sudah ada; kunci tidak ditimpa."), file=file) from problem
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(key.seed.hex() + "\n")
    click.echo(_("Sidik kunci penerbit: %(fingerprint)s") % {"fingerprint": fingerprint(key.public)})


@pack.command(help=_("Membuat paket bersegel dari folder pelatihan."))
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--key", "key_file", type=_FILE, required=True, help=_("Berkas kunci penerbit."))
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None)
@speak_errors
def build(folder: Path, key_file: Path, output: Path | None) -> None:
    from content_packs.build import build_pack

    made = build_pack(folder, _read_key(key_file))
    target = output or Path(f"{made.manifest.course_id}-{made.manifest.version}.lontar")
    with target.open("wb") as file:
        made.write(file)
    questions = sum(len(lesson.question_ids) for lesson in made.manifest.lessons)
    click.echo(
        _("%(file)s: %(title)s versi %(version)s, %(lessons)s materi, %(questions)s soal, %(size)s bita.")
        % {
            "file": target,
            "title": made.manifest.title,
            "version": made.manifest.version,
            "lessons": len(made.manifest.lessons),
            "questions": questions,
            "size": target.stat().st_size,
        }
    )


@pack.command(help=_("Memeriksa paket: segel, isi, dan siapa penerbitnya."))
@click.argument("file", type=_FILE)
@click.option("--keyset", type=_FILE, default=None, help=_("Daftar kunci pusat (keyset.cose)."))
@click.option("--trust", default=None, help=_("Sidik kunci penerbit yang dipercaya."))
@speak_errors
def verify(file: Path, keyset: Path | None, trust: str | None) -> None:
    from content_packs.verify import open_pack, trusted_by

    known = open_keyset(keyset.read_bytes()) if keyset else None
    with open_pack(file, trusted_by(known, trust)) as opened:
        manifest = opened.manifest
    for label, value in (
        (_("Pelatihan"), f"{manifest.title} ({manifest.course_id})"),
        (_("Versi"), manifest.version),
        (_("Materi"), len(manifest.lessons)),
        (_("Ukuran"), _("%(size)s bita") % {"size": manifest.size}),
        (_("Penerbit"), manifest.publisher),
        (_("Sidik kunci penerbit"), fingerprint(manifest.publisher_key)),
        (_("Nomor paket"), opened.manifest_hash.hex()),
    ):
        click.echo(f"{label:24} {value}")
    click.echo(_("Paket utuh dan bersegel sah."))


@pack.command(
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
    write_folder(draft, folder)
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


@pack.command(help=_("Memeriksa folder pelatihan: apa yang perlu diperhatikan sebelum dibagikan."))
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


@pack.command(
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


def _read_key(path: Path) -> SigningKey:
    try:
        return SigningKey.from_seed(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except ValueError as problem:
        raise PackError(N_("Berkas %(file)s bukan kunci penerbit."), file=path) from problem
