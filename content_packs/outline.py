"""The outline of a course and the files of its pack, as they stand in a manifest: written, and read with every check.

What was added to these lists since the first packs stands at their ends and is left out where it says nothing, so that
simple packs keep their bytes and older readers read newer ones. Layout: docs/packs.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from content_packs import limits
from content_packs.errors import PackError
from sync.errors import N_

HASH: Final = 32
ROLES: Final = ("lesson", "pretest", "posttest")
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
PATH: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
PLAYERS: Final = ("scorm", "cmi5", "h5p")
"""What can play active material; see `players`."""
LIBRARY: Final = "pemutar"
"""In place of a player: the files are the players themselves. Nodes show no such course to learners."""


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
    was: tuple[str, ...] = ()
    """Ids under which earlier versions had this lesson."""
    revised_in: int = 0
    """The version since which it must be learned anew; 0 if what was learned in any version counts."""
    player: str = ""
    """Which player shows it, if it isn't a page of our own; it starts at `entry` in the files of `activity`."""
    activity: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the pack. `pieces` are the SHA-256 of its parts, in order."""

    path: str
    media_type: str
    size: int
    pieces: tuple[bytes, ...]
    packed: int = 0
    """Bytes of its pieces as they are stored and carried; 0 if the manifest doesn't say."""


@dataclass(frozen=True, slots=True)
class Module:
    """A part of the outline: the next `lessons` lessons belong together."""

    id: str
    title: str
    lessons: int


def write(lessons: Sequence[Lesson], files: Sequence[File], modules: Sequence[Module]) -> list[Any]:
    """The lists of a manifest after its course."""
    return [
        [_lesson_list(lesson) for lesson in lessons],
        [
            [file.path, file.media_type, file.size, list(file.pieces), *_said([file.packed], [0])]
            for file in files
        ],
        *_said([[[module.id, module.title, module.lessons] for module in modules]], [[]]),
    ]


def read(
    lessons: list[Any], files: list[Any], modules: Any
) -> tuple[tuple[Lesson, ...], tuple[File, ...], tuple[Module, ...]]:
    """The opposite of `write`.

    Raises:
        PackError: they aren't what stands in a manifest.
    """
    return _lessons(lessons), _files(files), _modules(modules, len(lessons))


def path_of(entry: str) -> str:
    """The path in an address that may have a query or a fragment."""
    return entry.partition("?")[0].partition("#")[0]


def damaged() -> PackError:
    return PackError(N_("Daftar isi paket ini rusak atau tidak sah."))


def _lesson_list(lesson: Lesson) -> list[Any]:
    more = [list(lesson.was), lesson.revised_in, lesson.player, lesson.activity, lesson.entry]
    return [
        lesson.id,
        lesson.title,
        ROLES.index(lesson.role),
        lesson.minutes,
        list(lesson.legal_basis),
        lesson.reviewed,
        list(lesson.question_ids),
        lesson.content,
        *_said(more, [[], 0, "", "", ""]),
    ]


def _said(values: list[Any], defaults: list[Any]) -> list[Any]:
    """Elements that may be left out at the end of a list, as far as they say something."""
    count = max((at + 1 for at, value in enumerate(values) if value != defaults[at]), default=0)
    return values[:count]


def _lessons(items: list[Any]) -> tuple[Lesson, ...]:
    if len(items) > limits.LESSONS:
        raise damaged()
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
            *more,
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
            said = (
                number,
                id_,
                title,
                ROLES[role],
                minutes,
                tuple(basis),
                reviewed,
                tuple(questions),
                content,
            )
            return Lesson(*said, *_lesson_more(more))
    raise damaged()


def _lesson_more(more: list[Any]) -> tuple[tuple[str, ...], int, str, str, str]:
    """Where a lesson comes from in earlier versions, and what plays it."""
    match [*more, *([], 0, "", "", "")[len(more) :]]:
        case [
            list() as was,
            int() as revised_in,
            str() as player,
            str() as activity,
            str() as entry,
            *_,
        ] if (
            len(was) <= limits.LESSONS
            and all(isinstance(id_, str) and SLUG.fullmatch(id_) for id_ in was)
            and type(revised_in) is int
            and 0 <= revised_in < 1 << 31
            and (player == activity == entry == "" or _is_played(player, activity, entry))
        ):
            return tuple(was), revised_in, player, activity, entry
    raise damaged()


def _is_played(player: str, activity: str, entry: str) -> bool:
    # A player of a later Lontar: the lesson can't be shown here, the others can.
    return bool(SLUG.fullmatch(player) and SLUG.fullmatch(activity) and len(entry) <= limits.ENTRY)


def _modules(items: Any, lessons: int) -> tuple[Module, ...]:
    made = []
    for item in items if isinstance(items, list) and len(items) <= lessons else [None]:
        match item:
            case [str() as id_, str() as title, int() as count, *_] if (
                SLUG.fullmatch(id_) and len(title) <= limits.TEXT and type(count) is int and count >= 1
            ):
                made.append(Module(id_, title, count))
            case _:
                raise damaged()
    if made and sum(module.lessons for module in made) != lessons:
        raise damaged()
    return tuple(made)


def _files(items: list[Any]) -> tuple[File, ...]:
    if len(items) > limits.FILES:
        raise damaged()
    return tuple(_file(item) for item in items)


def _file(item: Any) -> File:
    match item:
        case [str() as path, str() as media_type, int() as size, list() as pieces, *more] if (
            is_path(path)
            and type(size) is int
            and len(media_type) <= 100
            and 0 <= size <= limits.PACK
            and all(isinstance(piece, bytes) and len(piece) == HASH for piece in pieces)
        ):
            packed = more[0] if more else 0
            if type(packed) is int and 0 <= packed <= 2 * limits.PACK:
                return File(path, media_type, size, tuple(pieces), packed)
    raise damaged()


def is_path(path: str) -> bool:
    """Whether a pack may name a file so: a plain name, or one in the folder of an activity.

    Paths never reach a file system: files are kept as pieces by their hash.
    """
    if PATH.fullmatch(path):
        return True
    activity, _, rest = path.partition("/")
    return bool(
        SLUG.fullmatch(activity)
        and len(path) <= limits.ACTIVITY_PATH
        and unicodedata.is_normalized("NFC", path)
        and not any(ord(char) < 32 or char == "\\" for char in rest)
        and all(part not in ("", ".", "..") for part in rest.split("/"))
    )
