"""`lontar pack …`: for people who make and check courses."""

from __future__ import annotations

import os
import secrets
from contextlib import nullcontext
from dataclasses import replace
from gettext import gettext as _
from pathlib import Path

import click

from content_packs.cli_authors import check, diff, import_
from content_packs.cli_players import players
from content_packs.cli_publish import publish
from content_packs.cli_shrink import shrink, small_copy
from content_packs.errors import PackError
from content_packs.key_file import read_key
from content_packs.manifest import sign_manifest
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
@click.option(
    "--shrink",
    "is_small",
    is_flag=True,
    help=_("Kecilkan dulu film, suara dan gambar (lihat: lontar pack shrink)."),
)
@speak_errors
def build(folder: Path, key_file: Path, output: Path | None, is_small: bool) -> None:
    from content_packs.build import build_pack

    with small_copy(folder) if is_small else nullcontext(folder) as source:
        made = build_pack(source, read_key(key_file))
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
    help=_("Menyegel paket yang sudah ada sebagai penerbit, misalnya pelatihan yang dibuat sebuah desa.")
)
@click.argument("file", type=_FILE)
@click.option("--key", "key_file", type=_FILE, required=True, help=_("Berkas kunci penerbit."))
@click.option("--publisher", default=None, help=_("Nama penerbit; tanpa ini tetap yang tertulis."))
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None)
@speak_errors
def sign(file: Path, key_file: Path, publisher: str | None, output: Path | None) -> None:
    from content_packs.pack_file import write_pack
    from content_packs.verify import open_pack

    key = read_key(key_file)
    # Whoever signs answers for it; by whom it was signed before doesn't matter.
    with open_pack(file, lambda key: True) as opened:
        manifest = replace(
            opened.manifest,
            publisher_key=key.public,
            publisher=opened.manifest.publisher if publisher is None else publisher,
        )
        target = output or Path(f"{manifest.course_id}-{manifest.version}.lontar")
        try:
            with target.open("xb") as made:
                pieces = ((digest, opened.packed_piece(digest)) for digest in opened.digests())
                write_pack(made, sign_manifest(key, manifest), pieces)
        except FileExistsError as problem:
            raise PackError(
                N_("Berkas %(file)s sudah ada; pilih nama lain dengan -o."), file=target
            ) from problem
    click.echo(
        _("%(file)s disegel. Sidik kunci penerbit: %(fingerprint)s")
        % {"file": target, "fingerprint": fingerprint(key.public)}
    )


for _command in (import_, check, shrink, diff, players, publish):
    pack.add_command(_command)
