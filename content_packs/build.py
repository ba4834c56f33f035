"""From a folder of Markdown to a signed pack file. The same folder and key always give the same bytes."""

from __future__ import annotations

import re
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import zstandard

from content_packs import limits, render
from content_packs.errors import PackError
from content_packs.manifest import Manifest, open_manifest, sign_manifest
from content_packs.outline import PATH, SLUG, File, Lesson
from content_packs.source import SourceLesson, read_lesson
from sync import cbor
from sync.errors import N_, SyncError
from sync.keys import SigningKey, sha256

MANIFEST_NAME: Final = "manifest.cose"
PIECES: Final = "pieces/"
STORED, ZSTD = b"\0", b"\1"
"""The first byte of a piece on disk: as it is, or compressed."""

_DATE: Final = (1980, 1, 1, 0, 0, 0)
_LESSON_FILE: Final = re.compile(r"\d\d-.*\.md")
_MEDIA_TYPES: Final = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
}
_DEFAULTS: Final[dict[str, Any]] = {
    "language": "id",
    "level": "dasar",
    "summary": "",
    "hours_jp": 0,
    "passing_grade": 70,
    "attempts": 3,
    "publisher": "",
}


@dataclass(frozen=True)
class BuiltPack:
    """A pack before it is written: the signed manifest and the pieces by their hash."""

    manifest: Manifest
    envelope: bytes
    pieces: dict[bytes, bytes]

    def write(self, file: BinaryIO) -> None:
        """Write the pack file: a zip without compression or dates, pieces in the order of their hash."""
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_member(MANIFEST_NAME), self.envelope)
            for digest in sorted(self.pieces):
                archive.writestr(_member(PIECES + digest.hex()), packed(self.pieces[digest]))


def build_pack(folder: Path, key: SigningKey) -> BuiltPack:
    """Build the course in `folder`, signed by its publisher.

    Raises:
        PackError: something in the folder must be mended first; the sentence says what and where.
    """
    course = _course(folder)
    paths = sorted(folder.iterdir(), key=lambda path: path.name)  # Windows compares paths in another way
    lessons = [read_lesson(path) for path in paths if _LESSON_FILE.fullmatch(path.name)]
    if not lessons:
        raise PackError(
            N_("Folder %(folder)s tidak berisi materi (01-nama.md, 02-nama.md, …)."), folder=folder
        )
    ids = [lesson.id for lesson in lessons]
    for lesson in lessons:
        if ids.count(lesson.id) > 1:
            raise PackError(
                N_("%(file)s: id %(id)s sudah dipakai materi lain."), file=lesson.path.name, id=lesson.id
            )
    pieces: dict[bytes, bytes] = {}
    files: list[File] = []
    outline: list[Lesson] = []
    media: set[str] = set()
    for number, source in enumerate(lessons, start=1):
        content, names = _content(source)
        media |= names
        path = f"{source.id}.cbor"
        files.append(_add(pieces, path, "application/cbor", content))
        outline.append(
            Lesson(
                number,
                source.id,
                source.title,
                source.role,
                source.minutes,
                source.legal_basis,
                source.reviewed,
                tuple(question.id for question in source.questions),
                path,
            )
        )
    for name in sorted(media):
        files.append(_media(folder, name, pieces))
    manifest = Manifest(**course, publisher_key=key.public, lessons=tuple(outline), files=tuple(files))
    envelope = sign_manifest(key, manifest)
    try:
        open_manifest(envelope)
    except (PackError, SyncError) as problem:
        raise PackError(
            N_(
                "Pelatihan ini melebihi batas paket: 500 materi, 64 KiB untuk satu teks, 4 MiB untuk satu materi, 1 MiB untuk daftar isi, 4 GiB seluruhnya. Bagilah menjadi beberapa pelatihan."
            )
        ) from problem
    return BuiltPack(manifest, envelope, pieces)


def packed(piece: bytes) -> bytes:
    """A piece as it lies in a pack file or store: compressed where that pays."""
    smaller = zstandard.ZstdCompressor(level=19).compress(piece)
    return ZSTD + smaller if len(smaller) < len(piece) else STORED + piece


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _DATE)
    member.create_system = 3  # else it would say on which system it was built
    return member


def _course(folder: Path) -> dict[str, Any]:
    path = folder / "course.toml"
    try:
        values = {**_DEFAULTS, **tomllib.loads(path.read_text(encoding="utf-8-sig"))}
    except OSError as problem:
        raise PackError(N_("Folder %(folder)s tidak berisi course.toml."), folder=folder) from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise PackError(N_("course.toml tidak dapat dibaca: %(problem)s"), problem=problem) from problem
    course_id = values.pop("id", "")
    if not isinstance(course_id, str) or not SLUG.fullmatch(course_id):
        raise PackError(N_("course.toml: id harus ada, dari huruf kecil, angka dan tanda hubung."))
    expected = {**{name: type(value) for name, value in _DEFAULTS.items()}, "title": str, "version": int}
    for name, type_ in expected.items():
        if type(values.get(name)) is not type_:
            raise PackError(N_("course.toml: %(name)s harus ada dan sejenis dengan contoh."), name=name)
    for name in values:
        if name not in expected:
            raise PackError(N_("course.toml: %(name)s tidak dikenal."), name=name)
    if (
        not 0 <= values["passing_grade"] <= 100
        or not 1 <= values["attempts"] <= 100
        or not 0 <= values["hours_jp"] <= 1000
        or not 1 <= values["version"] < 1 << 31
    ):
        raise PackError(
            N_("course.toml: passing_grade 0–100, attempts 1–100, hours_jp 0–1000, version mulai 1.")
        )
    return {"course_id": course_id, **values}


def _content(source: SourceLesson) -> tuple[bytes, set[str]]:
    """A lesson's file, and the pictures it shows."""
    html = render.to_html(source.reading)
    questions = [
        [
            q.id,
            render.inline(q.text),
            [render.inline(choice) for choice in q.choices],
            q.right,
            render.inline(q.explanation),
        ]
        for q in source.questions
    ]
    return cbor.encode([1, html, questions]), _pictures(source)


def _pictures(source: SourceLesson) -> set[str]:
    """The names of the pictures in a lesson's reading."""
    file = source.path.name
    found = render.pictures(source.reading)
    for name, alternative in found:
        if not alternative:
            raise PackError(
                N_("%(file)s: gambar %(name)s harus punya teks pengganti."), file=file, name=name
            )
        if not PATH.fullmatch(name) or not (source.path.parent / name).is_file():
            raise PackError(
                N_(
                    "%(file)s: gambar %(name)s tidak ada. Taruh di folder pelatihan, dengan nama dari huruf kecil, angka, titik dan tanda hubung."
                ),
                file=file,
                name=name,
            )
    for question in source.questions:
        for text in (question.text, *question.choices, question.explanation):
            if render.pictures(text):
                raise PackError(
                    N_("%(file)s: gambar dalam soal [%(id)s] harus dipindahkan ke bacaan."),
                    file=file,
                    id=question.id,
                )
    return {name for name, _ in found}


def _media(folder: Path, name: str, pieces: dict[bytes, bytes]) -> File:
    path = folder / name
    media_type = _MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise PackError(N_("Gambar %(name)s harus .svg, .png, .jpg atau .webp."), name=name)
    return _add(pieces, name, media_type, path.read_bytes())


def _add(pieces: dict[bytes, bytes], path: str, media_type: str, data: bytes) -> File:
    parts = [data[at : at + limits.PIECE] for at in range(0, len(data), limits.PIECE)] or [b""]
    digests = tuple(sha256(part) for part in parts)
    pieces.update(zip(digests, parts, strict=True))
    return File(path, media_type, len(data), digests)
