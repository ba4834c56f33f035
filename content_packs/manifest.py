"""What a pack is: the course, its outline with stable ids, and its files as lists of pieces.

A manifest is deterministic CBOR in a COSE_Sign1 of a publisher (aad `lontar/manifest/1`). The SHA-256 of the
whole envelope names this version of the pack. Lessons and questions are numbered from 1 by their place;
entries use the numbers, edits keep the ids. Layout: docs/packs.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from content_packs import limits, outline
from content_packs.outline import SLUG, File, Lesson, Module
from sync import cbor, cose
from sync.errors import N_, UnknownVersionError
from sync.keys import KEY_SIZE, SigningKey, key_id, sha256

FORMAT: Final = 1
_COURSE_DOMAIN: Final = b"lontar/course/1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A version of a course. `passing_grade` is in percent, `hours_jp` in JP of 45 minutes."""

    course_id: str
    version: int
    title: str
    language: str
    level: str
    summary: str
    hours_jp: int
    passing_grade: int
    attempts: int
    publisher: str
    publisher_key: bytes
    lessons: tuple[Lesson, ...]
    files: tuple[File, ...]
    modules: tuple[Module, ...] = ()

    @property
    def course_key(self) -> bytes:
        """The 16 bytes that mean this course, in every version."""
        return sha256(_COURSE_DOMAIN + self.course_id.encode())[:16]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def packed(self) -> int:
        """Bytes to carry, if nothing of it is there yet."""
        return sum(file.packed or file.size for file in self.files)

    @property
    def players(self) -> frozenset[str]:
        return frozenset(lesson.player for lesson in self.lessons if lesson.player)

    def lesson(self, number: int) -> Lesson | None:
        return self.lessons[number - 1] if 1 <= number <= len(self.lessons) else None

    def file(self, path: str) -> File | None:
        return next((file for file in self.files if file.path == path), None)


def sign_manifest(key: SigningKey, manifest: Manifest) -> bytes:
    """The signed envelope, as it stands in a pack."""
    course = [
        manifest.course_id,
        manifest.version,
        manifest.title,
        manifest.language,
        manifest.level,
        manifest.summary,
        manifest.hours_jp,
        manifest.passing_grade,
        manifest.attempts,
        manifest.publisher,
        manifest.publisher_key,
    ]
    payload = cbor.encode(
        [FORMAT, course, *outline.write(manifest.lessons, manifest.files, manifest.modules)]
    )
    return cose.seal(key, payload, cose.MANIFEST, key_id(key.public))


def open_manifest(envelope: bytes) -> Manifest:
    """Read a manifest that the publisher it names has signed. Whether to trust that one is up to the caller.

    Raises:
        PackError, SyncError: it isn't one, or the signature isn't the publisher's.
    """
    opened = cose.open_envelope(envelope, limits.MANIFEST)
    match cbor.decode(opened.payload, limits.MANIFEST):
        case [int() as version, *_] if version != FORMAT:
            raise UnknownVersionError(N_("Paket ini dari versi Lontar yang lebih baru. Perbarui Lontar."))
        case [int(), list() as course, list() as lessons, list() as files, *more]:
            manifest = _course(course, *outline.read(lessons, files, more[0] if more else []))
        case _:
            raise outline.damaged()
    if opened.key_id != key_id(manifest.publisher_key):
        raise outline.damaged()
    opened.verify(manifest.publisher_key, cose.MANIFEST)
    return manifest


def _course(
    course: list[Any], lessons: tuple[Lesson, ...], files: tuple[File, ...], modules: tuple[Module, ...]
) -> Manifest:
    match course:
        case [
            str() as course_id,
            int() as version,
            str(),
            str(),
            str(),
            str(),
            int() as hours,
            int() as grade,
            int() as attempts,
            str(),
            bytes() as key,
            *_,
        ] if (
            SLUG.fullmatch(course_id)
            and 1 <= version < 1 << 31
            and 0 <= hours <= 1000
            and 0 <= grade <= 100
            and 1 <= attempts <= 100
            and len(key) == KEY_SIZE
            and lessons
            and bool not in map(type, course[:11])
        ):
            if _is_consistent(lessons, files, course):
                return Manifest(*course[:11], lessons, files, modules)  # type: ignore[call-arg]
    raise outline.damaged()


def _is_consistent(lessons: tuple[Lesson, ...], files: tuple[File, ...], course: list[Any]) -> bool:
    paths = {file.path: file.size for file in files}
    ids = [id_ for lesson in lessons for id_ in (lesson.id, *lesson.was)]
    return (
        len(paths) == len(files)
        and len(set(ids)) == len(ids)
        and all(
            f"{lesson.activity}/{outline.path_of(lesson.entry)}" in paths
            for lesson in lessons
            if lesson.player
        )
        and all(paths.get(lesson.content, limits.PIECE + 1) <= limits.PIECE for lesson in lessons)
        and sum(file.size for file in files) <= limits.PACK
        and all(len(text) <= limits.TEXT for text in course if isinstance(text, str))
    )
