"""Answers of quizzes as the village's tables keep them: those under way, those of the last attempt, and what they score.

Reads attempt_answers, which `projection` writes from the log; records nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from content_packs.questions import Question, is_right
from node import people
from node.course_state import WHOLE


@dataclass(frozen=True, slots=True)
class QuizResult:
    """The last submitted attempt. `passed` is None for quizzes that nobody has to pass."""

    score: int
    passed: bool | None
    right: int
    total: int
    answers: Mapping[int, str]
    attempt: int


def under_way(db: sqlite3.Connection, learner: int) -> dict[tuple[int, int], int]:
    """Of each quiz (pack, lesson) that isn't handed in yet, how many questions have an answer."""
    query = """SELECT pack, lesson, count(*) FROM attempt_answers
               WHERE learner = ? AND submitted = 0 GROUP BY pack, lesson"""
    return {(pack, lesson): count for pack, lesson, count in db.execute(query, (learner,))}


def answers(
    db: sqlite3.Connection, learner: int, pack: int, lesson: int, submitted: bool
) -> dict[int, str]:
    """Question number to answer, of the attempt under way or of the last one that was submitted."""
    query = """SELECT question, answer FROM attempt_answers
               WHERE learner = ? AND pack = ? AND lesson = ? AND submitted = ? ORDER BY question"""
    # What is under way belongs to the number in use; an attempt that was submitted, to the person.
    numbers = [learner, *people.numbers(db, learner)] if submitted else [learner]
    found = (dict(db.execute(query, (n, pack, lesson, int(submitted))).fetchall()) for n in numbers)
    return next((answers for answers in found if answers), {})


def count_right(questions: Sequence[Question], answers: Mapping[int, str]) -> int:
    return sum(
        question.number in answers and is_right(question, answers[question.number])
        for question in questions
    )


def score(right: int, total: int) -> int:
    """In hundredths of a percent."""
    return WHOLE * right // total
