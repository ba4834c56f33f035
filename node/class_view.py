"""The class that learns in a village: who is where in a course, who is stuck, and which questions are hard.

Pure: values in, values out; knows no database and no page. Scores and gains are hundredths of a percent, as everywhere.
A person is counted once, under whatever numbers they learned; whoever left isn't counted, but can still be looked at.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final

from content_packs.outline import Lesson
from content_packs.questions import Question, is_right
from node.course_state import CourseState
from node.people import Learner

TRIES_BEFORE_HELP: Final = 2
"""Somebody who handed in a final test this often and hasn't passed needs help, even if tries are left."""
OPENINGS_BEFORE_HELP: Final = 5
"""Somebody who opened a lesson this often without finishing it needs help."""
_TAG: Final = re.compile(r"<[^<>]*>")


class Standing(Enum):
    NOT_STARTED = "not-started"
    UNDER_WAY = "under-way"
    COMPLETED = "completed"


class Trouble(Enum):
    NO_TRIES_LEFT = "no-tries-left"
    NOT_PASSED = "not-passed"
    OPENED_OFTEN = "opened-often"


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why somebody needs help: `count` tries of that test, or openings of that lesson."""

    trouble: Trouble
    lesson: Lesson
    count: int


@dataclass(frozen=True)
class Member:
    """One person in one course. Moments are milliseconds since 1970."""

    person: Learner
    course: CourseState
    last_seen: int | None = None
    completed_on: int | None = None

    @property
    def standing(self) -> Standing:
        if self.course.completed:
            return Standing.COMPLETED
        # Activities and imported work may hand in a test that was never opened here.
        has_begun = self.course.started or any(state.attempts for state in self.course.lessons)
        return Standing.UNDER_WAY if has_begun else Standing.NOT_STARTED

    @property
    def next_title(self) -> str:
        """Where this person goes on; empty at the end."""
        number = self.course.next_lesson
        state = None if number is None else self.course.lesson(number)
        return "" if state is None else state.lesson.title

    @property
    def tries(self) -> tuple[int, int] | None:
        """(used, all) of the final tests of this course, or None if it has none."""
        tests = [state for state in self.course.lessons if state.lesson.role == "posttest"]
        allowed = self.course.manifest.attempts * len(tests)
        return (sum(state.attempts for state in tests), allowed) if tests else None

    @cached_property
    def stuck(self) -> Stuck | None:
        if self.standing is not Standing.UNDER_WAY:
            return None
        for state in self.course.lessons:
            if state.lesson.role == "posttest" and not state.passed:
                if state.attempts >= self.course.manifest.attempts:
                    return Stuck(Trouble.NO_TRIES_LEFT, state.lesson, state.attempts)
                if state.attempts >= TRIES_BEFORE_HELP:
                    return Stuck(Trouble.NOT_PASSED, state.lesson, state.attempts)
        for state in self.course.lessons:
            if not state.done and state.openings >= OPENINGS_BEFORE_HELP:
                return Stuck(Trouble.OPENED_OFTEN, state.lesson, state.openings)
        return None


@dataclass(frozen=True, slots=True)
class Summary:
    """A course in a village by numbers. `gain` is the mean of `gains` people who handed in both tests."""

    pack: int
    title: str
    not_started: int
    under_way: int
    completed: int
    stuck: int
    gain: int | None
    gains: int

    @property
    def people(self) -> int:
        return self.not_started + self.under_way + self.completed


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """A person's newest answer to a question of a course."""

    person: int
    lesson: int
    question: int
    answer: str


@dataclass(frozen=True, slots=True)
class HardQuestion:
    """A question that somebody got wrong: how many people answered it, and how many of them wrongly."""

    lesson: Lesson
    number: int
    text: str
    answered: int
    wrong: int

    @property
    def share(self) -> int:
        """Of those who answered, how many were wrong, in hundredths of a percent."""
        return 10_000 * self.wrong // self.answered


@dataclass(frozen=True, slots=True)
class CourseClass:
    """One course: everybody who learns here, whoever left after beginning it, and its hard questions."""

    summary: Summary
    members: tuple[Member, ...]
    gone: tuple[Member, ...]
    hard: tuple[HardQuestion, ...]


def summarise(pack: int, title: str, members: Sequence[Member]) -> Summary:
    """The numbers of a course."""
    standings = [member.standing for member in members]
    gains = [member.course.gain for member in members if member.course.gain is not None]
    return Summary(
        pack,
        title,
        standings.count(Standing.NOT_STARTED),
        standings.count(Standing.UNDER_WAY),
        standings.count(Standing.COMPLETED),
        sum(member.stuck is not None for member in members),
        round(sum(gains) / len(gains)) if gains else None,
        len(gains),
    )


def hard_questions(
    lessons: Iterable[tuple[Lesson, Sequence[Question]]], answers: Iterable[GivenAnswer]
) -> tuple[HardQuestion, ...]:
    """Questions that anybody got wrong, the most often missed first; those of first tests, which come before learning, last."""
    asked = {
        (lesson.number, question.number): (lesson, question)
        for lesson, questions in lessons
        for question in questions
    }
    answered: dict[tuple[int, int], int] = {}
    wrong: dict[tuple[int, int], int] = {}
    for given in answers:
        place = (given.lesson, given.question)
        if place in asked:
            answered[place] = answered.get(place, 0) + 1
            wrong[place] = wrong.get(place, 0) + (not is_right(asked[place][1], given.answer))
    found = [
        HardQuestion(asked[place][0], place[1], plain(asked[place][1].text), answered[place], missed)
        for place, missed in wrong.items()
        if missed
    ]
    return tuple(sorted(found, key=_hardest_first))


def plain(text: str) -> str:
    """Safe HTML as plain words in one line."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def newest_answers(rows: Iterable[tuple[int, int, int, str]]) -> list[GivenAnswer]:
    """Of (person, lesson, question, answer), later ones of the same person replace earlier ones."""
    newest: Mapping[tuple[int, int, int], str] = {row[:3]: row[3] for row in rows}
    return [GivenAnswer(*place, answer) for place, answer in newest.items()]


def _hardest_first(question: HardQuestion) -> tuple[bool, int, int, int, int]:
    before = question.lesson.role == "pretest"
    return before, -question.share, -question.wrong, question.lesson.number, question.number
