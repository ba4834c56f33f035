"""Reads the village's tables for the class view: everybody and every course in a fixed number of statements.

What it makes are the values of `class_view`. Writes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from content_packs.errors import PackError
from content_packs.outline import LIBRARY, Lesson
from content_packs.questions import Question
from content_packs.store import InstalledPack, PackStore
from node import people
from node.class_days import read_days
from node.class_view import (
    CourseClass,
    GivenAnswer,
    HardQuestion,
    Member,
    Standing,
    hard_questions,
    newest_answers,
    summarise,
)
from node.course_state import state_of
from node.learning import HIDDEN
from node.people import Learner
from node.versions import Row, Version, earlier_of, shown
from node.wiring import Node

# What is under way is newer than what was handed in, and what a joined number did stands behind the person's own.
_ANSWERS: Final = """SELECT a.pack, l.person, a.lesson, a.question, a.answer FROM attempt_answers a
    JOIN learners l ON l.number = a.learner ORDER BY a.submitted DESC, a.learner = l.person"""


@dataclass(frozen=True, slots=True)
class _Register:
    """Everything that is known of everybody, by person."""

    here: Sequence[Learner]
    gone: Sequence[Learner]
    rows: Mapping[int, Mapping[tuple[int, int], Row]]
    completed: Mapping[int, set[int]]
    last_seen: Mapping[int, int]
    completed_on: Mapping[tuple[int, int], int]
    answers: Mapping[int, Sequence[tuple[int, int, int, str]]]
    hashes: Mapping[int, bytes]


def read_classes(node: Node, with_questions: bool = True) -> list[CourseClass]:
    """Every course on the list, in the version that new people begin; `with_questions` reads their lessons too."""
    return [_course_class(node, *found, with_questions) for found in _courses(node)]


def read_class(node: Node, pack: int) -> CourseClass | None:
    """One course, or None if it isn't on the list."""
    found = next((found for found in _courses(node) if found[1].pack == pack), None)
    return None if found is None else _course_class(node, *found, True)


def _courses(node: Node) -> list[tuple[_Register, Version, list[Version]]]:
    versions, _on_somebodys_list = node.learning.versions()
    hidden = set(node.store.get(HIDDEN, []))
    with node.store.read() as db:
        register = _read(db)
    newest = [one for one in shown(versions, (), hidden) if one.manifest.players != {LIBRARY}]
    return [(register, one, versions) for one in newest]


def _read(db: sqlite3.Connection) -> _Register:
    persons = people.persons(db)
    answers: dict[int, list[tuple[int, int, int, str]]] = {}
    for pack, *answer in db.execute(_ANSWERS):
        answers.setdefault(pack, []).append(tuple(answer))
    days = read_days(db)
    last_seen: dict[int, int] = {}
    for number, ms in days.last_seen.items():
        person = persons.get(number, number)
        last_seen[person] = max(ms, last_seen.get(person, ms))
    completed_on: dict[tuple[int, int], int] = {}
    for (number, pack), ms in days.completed.items():
        key = (persons.get(number, number), pack)
        completed_on[key] = min(ms, completed_on.get(key, ms))
    return _Register(
        people.people(db, "", False),
        people.people(db, "", True),
        people.lesson_rows_of_all(db),
        people.completed_packs_of_all(db),
        last_seen,
        completed_on,
        answers,
        dict(db.execute("SELECT number, manifest_hash FROM packs").fetchall()),
    )


def _course_class(
    node: Node, register: _Register, version: Version, versions: Sequence[Version], with_questions: bool
) -> CourseClass:
    packs = {version.pack, *(one.pack for one in earlier_of(version, versions))}
    # Most people haven't begun most courses; what they see is the same for all of them.
    untouched = state_of(version, versions, {}, ())

    def member(person: Learner) -> Member:
        rows = register.rows.get(person.number, {})
        completed = register.completed.get(person.number, set())
        touched = completed & packs or any(pack in packs for pack, _lesson in rows)
        state = state_of(version, versions, rows, completed) if touched else untouched
        known = (register.completed_on.get((person.number, pack)) for pack in packs)
        completed_on = min((ms for ms in known if ms is not None), default=None)
        return Member(person, state, register.last_seen.get(person.number), completed_on)

    members = tuple(map(member, register.here))
    gone = tuple(one for one in map(member, register.gone) if one.standing is not Standing.NOT_STARTED)
    return CourseClass(
        summarise(version.pack, version.manifest.title, members),
        members,
        gone,
        _hard(node.packs, register, version) if with_questions else (),
    )


def _hard(packs: PackStore, register: _Register, version: Version) -> tuple[HardQuestion, ...]:
    here = {one.number for one in register.here}
    answers = [a for a in newest_answers(register.answers.get(version.pack, ())) if a.person in here]
    installed = packs.get(register.hashes[version.pack])
    return () if installed is None else hard_questions(_asked(installed, version, answers), answers)


def _asked(
    installed: InstalledPack, version: Version, answers: Sequence[GivenAnswer]
) -> list[tuple[Lesson, Sequence[Question]]]:
    """The questions of lessons in which anybody answered; an activity's own and damaged lessons have none."""
    wanted = {answer.lesson for answer in answers}
    found: list[tuple[Lesson, Sequence[Question]]] = []
    for lesson in version.manifest.lessons:
        if lesson.number in wanted and lesson.question_ids:
            try:
                found.append((lesson, installed.lesson(lesson.number).questions))
            except PackError:
                continue
    return found
