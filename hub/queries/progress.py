"""How far people have come in each course, over all versions of it and all their identities.

What a lesson needs to be done is the rule of the village laptop (`node.learning`): a test is submitted, the
final one passed, a reading read to its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, cast, func, select

from content_packs.manifest import Manifest, open_manifest
from hub import courses, schema
from sync.progress.rows import LESSON_PROGRESS, Join

_WHOLE: Final = 10_000

_l: Final = schema.learners
_p: Final = schema.packs
_lp: Final = schema.lesson_progress
_cp: Final = schema.course_progress


@dataclass(frozen=True, slots=True)
class LessonLine:
    """One lesson of a course as one learner left it; `row` is None if the learner never opened it."""

    title: str
    role: str
    done: bool
    row: Any


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a person has come in a course. `title` and `total` are None if its pack isn't known.

    `completed` holds (identity, log time) of each version that was completed: times of two logs can't be compared.
    """

    course_key: bytes
    title: str | None
    done: int
    total: int | None
    best_score: int | None
    seconds: int
    completed: tuple[tuple[int, int], ...]
    lessons: tuple[LessonLine, ...]


@dataclass(frozen=True)
class _Version:
    """What a learner did in one version of a course."""

    number: int
    manifest: Manifest | None
    lessons: Sequence[Any]

    @property
    def done(self) -> int:
        if self.manifest is None:
            return len(self.lessons)
        return sum(is_done(self.manifest, row) for row in self.lessons)

    @property
    def best_score(self) -> int | None:
        """Of the final test; of any test if it isn't known which is the final one."""
        scores = [
            row.best_score
            for row in self.lessons
            if row.best_score is not None
            and (self.manifest is None or row.lesson in posttests(self.manifest))
        ]
        return max(scores, default=None)

    @property
    def lines(self) -> tuple[LessonLine, ...]:
        """Every lesson in its place; nothing if the manifest isn't known."""
        if self.manifest is None:
            return ()
        rows = {row.lesson: row for row in self.lessons}
        return tuple(
            LessonLine(
                lesson.title,
                lesson.role,
                lesson.number in rows and is_done(self.manifest, rows[lesson.number]),
                rows.get(lesson.number),
            )
            for lesson in self.manifest.lessons
        )


def is_done(manifest: Manifest, row: Any) -> bool:
    lesson = manifest.lesson(row.lesson)
    if lesson is None:
        return False
    if lesson.role == "pretest":
        return bool(row.attempts)
    if lesson.role == "posttest":
        return row.best_score is not None and row.best_score >= manifest.passing_grade * 100
    return (row.furthest or 0) >= _WHOLE or bool(row.attempts)


def posttests(manifest: Manifest) -> set[int]:
    return {lesson.number for lesson in manifest.lessons if lesson.role == "posttest"}


def of_people(connection: Connection, people: Sequence[int]) -> dict[int, list[Progress]]:
    """The courses of each of these people (numbers of persons), the one with most done first. Four statements."""
    return _of(connection, people, as_one=False)


def as_one(connection: Connection, people: Sequence[int]) -> list[Progress]:
    """The courses of these people as they would be if all were one person. Four statements."""
    return _of(connection, people, as_one=True)[people[0]]


def _of(connection: Connection, people: Sequence[int], as_one: bool) -> dict[int, list[Progress]]:
    lessons = _lessons(connection, people, as_one)
    completed = _completed(connection, people, as_one)
    known = manifests(connection, {row.manifest_hash for rows in lessons.values() for row in rows})
    titles = courses.titles(connection)
    found: dict[int, list[Progress]] = {person: [] for person in people}
    for person, course_key in lessons.keys() | completed.keys():
        rows = lessons.get((person, course_key), [])
        times = completed.get((person, course_key), [])
        found[person].append(_progress(course_key, titles.get(course_key), rows, known, times))
    for many in found.values():
        many.sort(key=lambda progress: (-progress.done, progress.title or "", progress.course_key))
    return found


def manifests(connection: Connection, hashes: set[bytes]) -> dict[bytes, Manifest]:
    """The manifests that the hub knows of these packs."""
    c = schema.courses.c
    query = select(c.manifest_hash, c.manifest).where(c.manifest_hash.in_(hashes))
    return {bytes(row.manifest_hash): _opened(bytes(row.manifest)) for row in connection.execute(query)}


def _progress(
    course_key: bytes,
    title: str | None,
    rows: Sequence[Any],
    known: Mapping[bytes, Manifest],
    completed: Sequence[tuple[int, int]],
) -> Progress:
    by_version: dict[int, list[Any]] = {}
    for row in rows:
        by_version.setdefault(row.pack, []).append(row)
    versions = [
        _Version(some[0].version, known.get(bytes(some[0].manifest_hash)), some)
        for some in by_version.values()
    ]
    # The version in which the learner got furthest stands for the course.
    best = max(versions, key=lambda v: (v.manifest is not None, v.done, v.number), default=None)
    scores = [version.best_score for version in versions if version.best_score is not None]
    return Progress(
        course_key,
        title,
        best.done if best else 0,
        len(best.manifest.lessons) if best and best.manifest else None,
        max(scores, default=None),
        sum(row.seconds for row in rows),
        tuple(completed),
        best.lines if best else (),
    )


def _lessons(
    connection: Connection, people: Sequence[int], as_one: bool
) -> dict[tuple[int, bytes], list[Any]]:
    """What these people did in each lesson, their identities joined; by person and course."""
    person = () if as_one else (_l.c.person,)
    joins: dict[Join, Any] = {Join.SUM: func.sum, Join.MAX: func.max, Join.MIN: func.min}
    pack = (_p.c.course_key, _p.c.version, _p.c.manifest_hash)
    query = (
        select(
            *person,
            _lp.c.pack,
            _lp.c.lesson,
            *pack,
            *(
                cast(joins[join](_lp.c[name]), BigInteger).label(name)
                for name, join in LESSON_PROGRESS.columns.items()
            ),
        )
        .join(_l, _l.c.pk == _lp.c.learner)
        .join(_p, _p.c.pk == _lp.c.pack)
        .where(_l.c.person.in_(people))
        .group_by(*person, _lp.c.pack, _lp.c.lesson, *pack)
    )
    found: dict[tuple[int, bytes], list[Any]] = {}
    for row in connection.execute(query):
        whose = people[0] if as_one else row.person
        found.setdefault((whose, bytes(row.course_key)), []).append(row)
    return found


def _completed(
    connection: Connection, people: Sequence[int], as_one: bool
) -> dict[tuple[int, bytes], list[tuple[int, int]]]:
    query = (
        select(_l.c.person, _p.c.course_key, _l.c.pk, _cp.c.completed_t)
        .select_from(_cp)
        .join(_l, _l.c.pk == _cp.c.learner)
        .join(_p, _p.c.pk == _cp.c.pack)
        .where(_l.c.person.in_(people))
        .order_by(_l.c.pk, _cp.c.completed_t)
    )
    found: dict[tuple[int, bytes], list[tuple[int, int]]] = {}
    for person, course_key, identity, completed_t in connection.execute(query):
        whose = people[0] if as_one else person
        found.setdefault((whose, bytes(course_key)), []).append((identity, completed_t))
    return found


@lru_cache(maxsize=64)
def _opened(envelope: bytes) -> Manifest:
    return open_manifest(envelope)
