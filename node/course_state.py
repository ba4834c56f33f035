"""How far one learner has come in a course: what its rules make of the village's tables.

A test is done when it was handed in (the final one: passed), a lesson when it was read. Knows nothing of HTTP and records
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from content_packs.manifest import Manifest
from content_packs.outline import Lesson
from content_packs.packing import CBOR
from node.versions import Row, Version, carried, earlier_of

WHOLE: Final = 10_000
"""All of a lesson, or a perfect score: hundredths of a percent."""


@dataclass(frozen=True)
class LessonState:
    """A lesson and what one learner did in it. `best_score` is in hundredths of a percent."""

    lesson: Lesson
    passing_grade: int
    openings: int = 0
    seconds: int = 0
    furthest: int = 0
    answers: int = 0
    right_answers: int = 0
    attempts: int = 0
    best_score: int | None = None

    @property
    def passed(self) -> bool:
        return self.best_score is not None and self.best_score >= self.passing_grade * 100

    @property
    def done(self) -> bool:
        """A test is done when it was submitted (the final one: passed), a lesson when it was read."""
        if self.lesson.role == "pretest":
            return self.attempts > 0
        if self.lesson.role == "posttest":
            return self.passed
        return self.furthest >= WHOLE or self.attempts > 0


@dataclass(frozen=True)
class CourseState:
    """A course and how far one learner has come in it."""

    pack: int
    manifest: Manifest
    lessons: tuple[LessonState, ...]
    completed: bool

    @cached_property
    def done(self) -> int:
        return sum(state.done for state in self.lessons)

    @property
    def total(self) -> int:
        return len(self.lessons)

    @property
    def started(self) -> bool:
        return any(
            state.openings or state.answers or state.furthest or state.attempts for state in self.lessons
        )

    @property
    def next_lesson(self) -> int | None:
        return next((state.lesson.number for state in self.lessons if not state.done), None)

    @property
    def pretest(self) -> int | None:
        """The score of the first test. Tables keep the best of several tries, so a gain is never made too large."""
        return self._score_of("pretest")

    @property
    def posttest(self) -> int | None:
        """The best score of the final test."""
        return self._score_of("posttest")

    @property
    def gain(self) -> int | None:
        """Final test minus first test in hundredths of a percent; None unless both were handed in."""
        before, after = self.pretest, self.posttest
        return None if before is None or after is None else after - before

    def lesson(self, number: int) -> LessonState | None:
        return next((state for state in self.lessons if state.lesson.number == number), None)

    def tally(self, role: str) -> tuple[int, int]:
        """(done, all) of the lessons of a role."""
        done = [state.done for state in self.lessons if state.lesson.role == role]
        return sum(done), len(done)

    def attempts_left(self, number: int) -> int | None:
        """How often a final test may still be tried; None where nobody counts."""
        state = self.lesson(number)
        if state is None or state.lesson.role != "posttest":
            return None
        return max(0, self.manifest.attempts - state.attempts)

    @property
    def media_size(self) -> int:
        """Bytes of what isn't text."""
        return sum(file.size for file in self.manifest.files if file.media_type != CBOR)

    def _score_of(self, role: str) -> int | None:
        """Of several tests of a kind the mean, once all were handed in: part of them can't be compared."""
        scores = [state.best_score for state in self.lessons if state.lesson.role == role]
        known = [score for score in scores if score is not None]
        return sum(known) // len(known) if known and len(known) == len(scores) else None


def hours_earned(courses: Iterable[CourseState]) -> int:
    """JP of the courses that were completed; of one whose versions both are on the list, once."""
    hours: dict[bytes, int] = {}
    for course in courses:
        if course.completed:
            key = course.manifest.course_key
            hours[key] = max(hours.get(key, 0), course.manifest.hours_jp)
    return sum(hours.values())


def state_of(
    version: Version,
    versions: Sequence[Version],
    rows: Mapping[tuple[int, int], Row],
    completed: Collection[int],
) -> CourseState:
    """A course in the version that is looked at, with what counts of earlier ones."""
    pack, manifest = version.pack, version.manifest
    earlier = earlier_of(version, versions)
    counts = carried(version, earlier, rows)
    lessons = tuple(
        _lesson_state(lesson, manifest.passing_grade, counts.get((pack, lesson.number)))
        for lesson in manifest.lessons
    )
    # Whoever completed an earlier version has completed the course; what is new in it shows as not done.
    is_completed = any(one.pack in completed for one in (version, *earlier))
    return CourseState(pack, manifest, lessons, is_completed)


def _lesson_state(lesson: Lesson, passing_grade: int, row: Row | None) -> LessonState:
    if row is None:
        return LessonState(lesson, passing_grade)
    openings, seconds, furthest, answers, right, attempts, best = row
    return LessonState(
        lesson,
        passing_grade,
        openings or 0,
        seconds or 0,
        furthest or 0,
        answers or 0,
        right or 0,
        attempts or 0,
        best,
    )
