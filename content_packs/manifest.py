"""What a pack is: the course, its outline with stable ids, and its files as lists of pieces.

A manifest is deterministic CBOR in a COSE_Sign1 of a publisher (aad `lontar/manifest/1`). The SHA-256 of the
whole envelope names this version of the pack. Lessons and questions are numbered from 1 by their place;
entries use the numbers, edits keep the ids. Layout: docs/packs.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from content_packs import limits
from content_packs.errors import PackError
from sync import cbor, cose
from sync.errors import N_, UnknownVersionError
from sync.keys import KEY_SIZE, SigningKey, key_id, sha256

FORMAT: Final = 1
ROLES: Final = ("lesson", "pretest", "posttest")
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
PATH: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_COURSE_DOMAIN: Final = b"lontar/course/1"


@dataclass(frozen=True, slots=True)
class Lesson:
    """One place in the outline: a reading, a test, or a reading with questions at its end."""

    number: int
    id: str
    title: str
    role: str
    minutes: int
    legal_basis: tuple[str, ...]
    reviewed: str
    question_ids: tuple[str, ...]
    content: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of the pack. `pieces` are the SHA-256 of its parts, in order."""

    path: str
    media_type: str
    size: int
    pieces: tuple[bytes, ...]


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

    @property
    def course_key(self) -> bytes:
        """The 16 bytes that mean this course, in every version."""
        return sha256(_COURSE_DOMAIN + self.course_id.encode())[:16]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def lesson(self, number: int) -> Lesson | None:
        return self.lessons[number - 1] if 1 <= number <= len(self.lessons) else None

    def file(self, path: str) -> File | None:
        return next((file for file in self.files if file.path == path), None)


def sign_manifest(key: SigningKey, manifest: Manifest) -> bytes:
    """The signed envelope, as it stands in a pack."""
    lessons = [
        [
            lesson.id,
            lesson.title,
            ROLES.index(lesson.role),
            lesson.minutes,
            list(lesson.legal_basis),
            lesson.reviewed,
            list(lesson.question_ids),
            lesson.content,
        ]
        for lesson in manifest.lessons
    ]
    files = [[file.path, file.media_type, file.size, list(file.pieces)] for file in manifest.files]
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
    payload = cbor.encode([FORMAT, course, lessons, files])
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
        case [int(), list() as course, list() as lessons, list() as files, *_]:
            manifest = _course(course, _lessons(lessons), _files(files))
        case _:
            raise _damaged()
    if opened.key_id != key_id(manifest.publisher_key):
        raise _damaged()
    opened.verify(manifest.publisher_key, cose.MANIFEST)
    return manifest


def _course(course: list[Any], lessons: tuple[Lesson, ...], files: tuple[File, ...]) -> Manifest:
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
                return Manifest(*course[:11], lessons, files)  # type: ignore[call-arg]
    raise _damaged()


def _is_consistent(lessons: tuple[Lesson, ...], files: tuple[File, ...], course: list[Any]) -> bool:
    paths = {file.path: file.size for file in files}
    ids = {lesson.id for lesson in lessons}
    return (
        len(paths) == len(files)
        and len(ids) == len(lessons)
        and all(paths.get(lesson.content, limits.PIECE + 1) <= limits.PIECE for lesson in lessons)
        and sum(file.size for file in files) <= limits.PACK
        and all(len(text) <= limits.TEXT for text in course if isinstance(text, str))
    )


def _lessons(items: list[Any]) -> tuple[Lesson, ...]:
    if len(items) > limits.LESSONS:
        raise _damaged()
    return tuple(_lesson(number, item) for number, item in enumerate(items, start=1))


def _lesson(number: int, item: Any) -> Lesson:
    match item:
        case [
            str() as id_,
            str() as title,
            int() as role,
            int() as minutes,
            list() as basis,
            str() as reviewed,
            list() as questions,
            str() as content,
            *_,
        ] if (
            SLUG.fullmatch(id_)
            and 0 <= role < len(ROLES)
            and 0 <= minutes <= 10_000
            and len(questions) <= limits.QUESTIONS_PER_LESSON
            and all(isinstance(question, str) and SLUG.fullmatch(question) for question in questions)
            and len(set(questions)) == len(questions)
            and bool not in (type(role), type(minutes))
            and all(
                isinstance(text, str) and len(text) <= limits.TEXT for text in [*basis, title, reviewed]
            )
        ):
            return Lesson(
                number, id_, title, ROLES[role], minutes, tuple(basis), reviewed, tuple(questions), content
            )
    raise _damaged()


def _files(items: list[Any]) -> tuple[File, ...]:
    if len(items) > limits.FILES:
        raise _damaged()
    return tuple(_file(item) for item in items)


def _file(item: Any) -> File:
    match item:
        case [str() as path, str() as media_type, int() as size, list() as pieces, *_] if (
            PATH.fullmatch(path)
            and type(size) is int
            and len(media_type) <= 100
            and 0 <= size <= limits.PACK
            and len(pieces) <= -(-limits.PACK // limits.PIECE)
            and all(isinstance(piece, bytes) and len(piece) == 32 for piece in pieces)
        ):
            return File(path, media_type, size, tuple(pieces))
    raise _damaged()


def _damaged() -> PackError:
    return PackError(N_("Daftar isi paket ini rusak atau tidak sah."))
