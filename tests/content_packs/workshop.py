"""An author's workshop for tests: small course folders, packs of them, and packs that no honest tool makes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from content_packs.build import BuiltPack, build_pack
from content_packs.manifest import Manifest, sign_manifest
from content_packs.outline import File, Lesson
from content_packs.pack_names import MANIFEST_NAME, PIECES
from content_packs.packing import STORED
from content_packs.verify import open_pack
from sync import cbor, cose
from sync.keys import SigningKey, key_id, sha256
from sync.keyset import Keyset
from sync.sealing import CLASSICAL, SealingKey

PUBLISHER: Final = SigningKey.from_seed(b"publisher".ljust(32, b"."))
ROOT: Final = SigningKey.from_seed(b"root".ljust(32, b"."))
STRANGER: Final = SigningKey.from_seed(b"stranger".ljust(32, b"."))

HEAD: Final = """+++
id = "buku-kas"
title = "Buku kas umum"
minutes = 10
legal_basis = ["Contoh Pasal 2"]
reviewed = "2026-03-01"
+++
"""
QUESTION: Final = """
## [catat] Kapan uang dicatat?
- [x] Hari ini
- [ ] Tahun depan
> Penjelasan: Dicatat pada hari yang sama.
"""
READING: Final = """
## Mencatat setiap hari

Catat uang **masuk dan keluar**.

![Buku kas](buku.svg)
"""
TEST: Final = HEAD.replace("buku-kas", "tes-akhir").replace("minutes", 'role = "posttest"\nminutes')
COURSE_TOML: Final = 'id = "kas-desa"\ntitle = "Kas Desa"\nversion = 1\npublisher = "Penguji"\n'
FILES: Final = {
    "course.toml": COURSE_TOML,
    "01-buku-kas.md": HEAD + READING + QUESTION,
    "02-tes-akhir.md": TEST + QUESTION,
    "buku.svg": '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h40v20H0z"/></svg>' + " " * 300,
}


def course_folder(parent: Path, changes: Mapping[str, str | bytes | None] | None = None) -> Path:
    """A folder with a small sound course, in which `changes` replace files or (None) take them away."""
    folder = parent / "course"
    folder.mkdir()
    for name, content in {**FILES, **(changes or {})}.items():
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
    return folder


def built(
    parent: Path, changes: Mapping[str, str | bytes | None] | None = None, key: SigningKey = PUBLISHER
) -> BuiltPack:
    return build_pack(course_folder(parent, changes), key)


def pack_bytes(pack: BuiltPack) -> bytes:
    file = io.BytesIO()
    pack.write(file)
    return file.getvalue()


def manifest_of(pieces: tuple[bytes, ...] = (), **changes: Any) -> Manifest:
    """A manifest of one lesson whose file, `a.cbor`, is made of `pieces` (contents, not hashes)."""
    file = File("a.cbor", "application/cbor", sum(map(len, pieces)), tuple(map(sha256, pieces)))
    values: dict[str, Any] = {
        "course_id": "kas-desa",
        "version": 3,
        "title": "Kas Desa",
        "language": "id",
        "level": "dasar",
        "summary": "Ringkas.",
        "hours_jp": 2,
        "passing_grade": 70,
        "attempts": 3,
        "publisher": "Penguji",
        "publisher_key": PUBLISHER.public,
        "lessons": (lesson_of("a"),),
        "files": (file,),
    }
    return Manifest(**{**values, **changes})


def lesson_of(
    id_: str, number: int = 1, questions: tuple[str, ...] = (), content: str = "a.cbor"
) -> Lesson:
    return Lesson(number, id_, "Kas", "lesson", 5, ("Contoh Pasal 1",), "2026-03-01", questions, content)


def signed(payload: object, key: SigningKey = PUBLISHER, aad: bytes = cose.MANIFEST) -> bytes:
    """What other software of the same publisher might sign: the signature is valid."""
    return cose.seal(key, cbor.encode(payload), aad, key_id(key.public))


def raw_manifest(manifest: Manifest | None = None) -> list[Any]:
    """The lists of a manifest, to be spoilt and signed again."""
    envelope = sign_manifest(PUBLISHER, manifest or manifest_of((b"x",)))
    payload: list[Any] = cbor.decode(cose.open_envelope(envelope, 1 << 20).payload, 1 << 20)
    return payload


def member_names(pieces: tuple[bytes, ...]) -> list[str]:
    return [PIECES + sha256(piece).hex() for piece in pieces]


def zip_of(
    members: Mapping[str, bytes] | list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items() if isinstance(members, Mapping) else members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
    return file.getvalue()


def members_of(pieces: tuple[bytes, ...], **changes: Any) -> dict[str, bytes]:
    """The members of a sound pack with those pieces, stored as they are."""
    envelope = sign_manifest(PUBLISHER, manifest_of(pieces, **changes))
    packed = {PIECES + sha256(piece).hex(): STORED + piece for piece in pieces}
    return {MANIFEST_NAME: envelope, **packed}


def keyset_of(*publishers: bytes) -> Keyset:
    """A keyset of the centre `ROOT` that names those publishers."""
    return Keyset(1, ROOT.public, (ROOT.public,), SealingKey(CLASSICAL, bytes(32)), publishers)


def anyone(_key: bytes) -> bool:
    return True


def opens(folder: Path, data: bytes, trust: Callable[[bytes], bool] = anyone) -> Manifest:
    """The manifest of a pack file of those bytes, once all of it was checked."""
    file = folder / "some.lontar"
    file.write_bytes(data)
    with open_pack(file, trust) as pack:
        return pack.manifest
