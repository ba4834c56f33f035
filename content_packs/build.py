"""From a folder of Markdown to a signed pack file. The same folder and key always give the same bytes."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from content_packs.errors import PackError
from content_packs.lesson_file import lesson_file
from content_packs.manifest import Manifest, open_manifest, sign_manifest
from content_packs.outline import SLUG, Lesson, Module, is_path
from content_packs.pack_file import write_pack
from content_packs.packing import ACTIVITY, CBOR, MEDIA, OTHER, Packing, media_type
from content_packs.source import SourceLesson, read_lesson
from sync.errors import N_, SyncError
from sync.keys import SigningKey

_LESSON_FILE: Final = re.compile(r"\d\d\d?-.*\.(md|html)")
_DEFAULTS: Final[dict[str, Any]] = {
    "language": "id",
    "level": "dasar",
    "summary": "",
    "hours_jp": 0,
    "passing_grade": 70,
    "attempts": 3,
    "publisher": "",
    "general": False,
}


@dataclass(frozen=True)
class BuiltPack:
    """A pack before it is written: the signed manifest and the pieces by their hash."""

    manifest: Manifest
    envelope: bytes
    pieces: dict[bytes, bytes]
    """As they are carried, by the hash of their content."""

    def write(self, file: BinaryIO) -> None:
        """Write the pack file."""
        write_pack(file, self.envelope, sorted(self.pieces.items()))


def build_pack(folder: Path, key: SigningKey) -> BuiltPack:
    """Build the course in `folder`, signed by its publisher.

    Raises:
        PackError: something in the folder must be mended first; the sentence says what and where.
    """
    course = read_course(folder)
    is_general = course.pop("general")
    lessons = [read_lesson(path, is_general) for path in lesson_paths(folder)]
    ids = [id_ for lesson in lessons for id_ in (lesson.id, *lesson.was)]
    for lesson in lessons:
        if ids.count(lesson.id) > 1:
            raise PackError(
                N_("%(file)s: id %(id)s sudah dipakai materi lain."), file=lesson.path.name, id=lesson.id
            )
    packing = Packing()
    outline: list[Lesson] = []
    media: set[str] = set()
    for number, source in enumerate(lessons, start=1):
        content, names = lesson_file(source)
        media |= names
        path = f"{source.id}.cbor"
        packing.add(path, CBOR, content)
        outline.append(_lesson(number, source, path))
    for name in sorted(media):
        packing.add(name, MEDIA[Path(name).suffix], (folder / name).read_bytes())
    for activity in sorted({lesson.activity for lesson in lessons if lesson.activity}):
        _add_activity(packing, folder, activity)
    manifest = Manifest(
        **course,
        publisher_key=key.public,
        lessons=tuple(outline),
        files=tuple(packing.files),
        modules=_modules(lessons),
    )
    envelope = sign_manifest(key, manifest)
    try:
        open_manifest(envelope)
    except (PackError, SyncError) as problem:
        raise PackError(
            N_(
                "Pelatihan ini melebihi batas paket: 500 materi, 64 KiB untuk satu teks, 4 MiB untuk satu materi, 1 MiB untuk daftar isi, 4 GiB seluruhnya. Bagilah menjadi beberapa pelatihan."
            )
        ) from problem
    return BuiltPack(manifest, envelope, packing.pieces)


def lesson_paths(folder: Path) -> list[Path]:
    """The lesson files of a course folder, in the order of the course.

    Raises:
        PackError: there are none.
    """
    paths = sorted(folder.iterdir(), key=lambda path: path.name)  # Windows compares paths in another way
    found = [path for path in paths if _LESSON_FILE.fullmatch(path.name)]
    if not found:
        raise PackError(
            N_("Folder %(folder)s tidak berisi materi (01-nama.md, 02-nama.md, …)."), folder=folder
        )
    return found


def _lesson(number: int, source: SourceLesson, path: str) -> Lesson:
    return Lesson(
        number,
        source.id,
        source.title,
        source.role,
        source.minutes,
        source.legal_basis,
        source.reviewed,
        tuple(question.id for question in source.questions),
        path,
        source.was,
        source.revised_in,
        source.player,
        source.activity,
        source.entry,
    )


def _modules(lessons: list[SourceLesson]) -> tuple[Module, ...]:
    """Lessons in a row that name the same module belong together; none if nobody names any."""
    if not any(lesson.module for lesson in lessons):
        return ()
    made: list[Module] = []
    for lesson in lessons:
        title = lesson.module or lesson.title
        if made and made[-1].title == title and lesson.module:
            made[-1] = Module(made[-1].id, title, made[-1].lessons + 1)
        else:
            made.append(Module(lesson.id, title, 1))
    return tuple(made)


def _add_activity(packing: Packing, folder: Path, activity: str) -> None:
    root = folder / activity
    for path in sorted(root.rglob("*"), key=lambda one: one.relative_to(root).as_posix()):
        name = f"{activity}/{path.relative_to(root).as_posix()}"
        if path.is_symlink() or (path.is_file() and not is_path(name)):
            raise PackError(
                N_(
                    "Berkas %(name)s tidak boleh ada dalam paket: nama terlalu panjang, atau sebuah tautan."
                ),
                name=name[:120],
            )
        if path.is_file():
            packing.add(name, media_type(path, ACTIVITY) or OTHER, path.read_bytes())


def read_course(folder: Path) -> dict[str, Any]:
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
