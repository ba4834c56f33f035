"""Learners, and how far they have come in each course, over all versions of it.

What a lesson needs to be done is the rule of the village laptop (`node.learning`): a test is submitted, the
final one passed, a reading read to its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from content_packs.manifest import Manifest, open_manifest
from hub import courses, schema
from sync.profile import open_profile

LEARNERS_MOST: Final = 500
"""Learners of one village that are shown; villages have about twenty."""
_WHOLE: Final = 10_000

_l: Final = schema.learners
_p: Final = schema.packs
_lp: Final = schema.lesson_progress
_cp: Final = schema.course_progress


@dataclass(frozen=True, slots=True)
class Learner:
    """A person; `name` is empty until the profile has come."""

    pk: int
    id: bytes
    name: str
    position: str
    village: str
    device: bytes


@dataclass(frozen=True, slots=True)
class LessonLine:
    """One lesson of a course as one learner left it; `row` is None if the learner never opened it."""

    title: str
    role: str
    done: bool
    row: Any


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a learner has come in a course. `title` and `total` are None if its pack isn't known."""

    course_key: bytes
    title: str | None
    done: int
    total: int | None
    best_score: int | None
    seconds: int
    completed_t: int | None
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


def of_village(connection: Connection, village: str) -> list[Learner]:
    """The learners of a village by name, those without one last."""
    query = _learners().where(schema.devices.c.village == village).order_by(_l.c.pk).limit(LEARNERS_MOST)
    found = [_learner(row) for row in connection.execute(query)]
    return sorted(found, key=lambda learner: (not learner.name, learner.name.casefold(), learner.pk))


def find(connection: Connection, learner: bytes) -> Learner | None:
    row = connection.execute(_learners().where(_l.c.learner == learner)).one_or_none()
    return None if row is None else _learner(row)


def of_learners(connection: Connection, pks: Sequence[int]) -> dict[int, list[Progress]]:
    """The courses of each of these learners, the one with most done first. Four statements."""
    lessons = _by_course(connection, _lp, pks)
    completed = _by_course(connection, _cp, pks)
    known = manifests(connection, {row.manifest_hash for rows in lessons.values() for row in rows})
    titles = courses.titles(connection)
    found: dict[int, list[Progress]] = {pk: [] for pk in pks}
    for learner, course_key in lessons.keys() | completed.keys():
        rows = lessons.get((learner, course_key), [])
        times = [row.completed_t for row in completed.get((learner, course_key), [])]
        title = titles.get(course_key)
        found[learner].append(_progress(course_key, title, rows, known, min(times, default=None)))
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
    completed_t: int | None,
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
        completed_t,
        best.lines if best else (),
    )


def _by_course(
    connection: Connection, table: Any, pks: Sequence[int]
) -> dict[tuple[int, bytes], list[Any]]:
    """The rows of these learners with their packs, by learner and course."""
    query = (
        select(table, _p.c.course_key, _p.c.version, _p.c.manifest_hash)
        .join(_p, _p.c.pk == table.c.pack)
        .where(table.c.learner.in_(pks))
    )
    found: dict[tuple[int, bytes], list[Any]] = {}
    for row in connection.execute(query):
        found.setdefault((row.learner, bytes(row.course_key)), []).append(row)
    return found


def _learners() -> Select[Any]:
    devices, profiles = schema.devices, schema.profiles
    return (
        select(_l.c.pk, _l.c.learner, profiles.c.data, devices.c.village, devices.c.device)
        .join(devices, devices.c.pk == _l.c.device)
        .outerjoin(profiles, profiles.c.commitment == _l.c.commitment)
    )


def _learner(row: Any) -> Learner:
    if row.data is None:
        return Learner(row.pk, bytes(row.learner), "", "", row.village, bytes(row.device))
    profile = open_profile(bytes(row.data))
    return Learner(
        row.pk, bytes(row.learner), profile.name, profile.position, row.village, bytes(row.device)
    )


@lru_cache(maxsize=64)
def _opened(envelope: bytes) -> Manifest:
    return open_manifest(envelope)
