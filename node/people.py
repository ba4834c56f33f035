"""Who learns on this laptop, and what the village's tables hold of each. Reads the projected tables; writes nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from node.versions import Row
from sync.progress.rows import LESSON_PROGRESS

_HAS_LEFT: Final = "(SELECT min(has_left) FROM learners n WHERE n.person = l.person)"
"""Somebody whose numbers were joined has left only under all of them."""
_PEOPLE: Final = f"SELECT number, name, position, {_HAS_LEFT} FROM learners l"  # noqa: S608
_SAME: Final = """SELECT n.number FROM learners n JOIN learners o ON o.person = n.person WHERE o.number = ?1
    UNION SELECT ?1"""
_SHOWN: Final = (
    "openings",
    "seconds",
    "furthest",
    "answers",
    "right_answers",
    "attempts",
    "best_score",
)


@dataclass(frozen=True, slots=True)
class Learner:
    """A person, by the number that stands for all numbers that are this person."""

    number: int
    name: str
    position: str
    has_left: bool = False


def people(db: sqlite3.Connection, search: str, left: bool) -> list[Learner]:
    """Everybody who learns here (or did, and has `left`), by name; each word of `search` stands in one of their names."""
    words = search.casefold().split()
    where = " AND ".join(["instr(search, ?) > 0"] * len(words))
    named = f"number IN (SELECT person FROM learners WHERE {where})" if words else "1"  # noqa: S608
    query = f"{_PEOPLE} WHERE number = person AND {named} AND {_HAS_LEFT} = ? ORDER BY search"
    return [_learner(row) for row in db.execute(query, (*words, int(left)))]


def person(db: sqlite3.Connection, number: int) -> Learner | None:
    """The person with that number, or with another one that is the same person."""
    query = f"{_PEOPLE} WHERE number = (SELECT person FROM learners WHERE number = ?)"  # noqa: S608
    row = db.execute(query, (number,)).fetchone()
    return None if row is None else _learner(row)


def numbers(db: sqlite3.Connection, number: int) -> list[int]:
    """All numbers of the person with that number, the one that stands for them first."""
    query = f"SELECT number FROM learners WHERE number IN ({_SAME}) ORDER BY number != person, number"  # noqa: S608
    return [row[0] for row in db.execute(query, (number,))]


def persons(db: sqlite3.Connection) -> dict[int, int]:
    """For every number the one that stands for the person."""
    return dict(db.execute("SELECT number, person FROM learners").fetchall())


def lesson_rows(db: sqlite3.Connection, learner: int) -> dict[tuple[int, int], Row]:
    """What all numbers of this person did, joined as the table says."""
    joined = ", ".join(f"{LESSON_PROGRESS.columns[name].value}({name})" for name in _SHOWN)
    query = f"SELECT pack, lesson, {joined} FROM lesson_progress WHERE learner IN ({_SAME}) GROUP BY pack, lesson"  # noqa: S608
    return {(row[0], row[1]): row[2:] for row in db.execute(query, (learner,))}


def lesson_rows_of_all(db: sqlite3.Connection) -> dict[int, dict[tuple[int, int], Row]]:
    """The same of everybody, by the number that stands for the person: one statement."""
    joined = ", ".join(f"{LESSON_PROGRESS.columns[name].value}({name})" for name in _SHOWN)
    query = f"""SELECT l.person, p.pack, p.lesson, {joined} FROM lesson_progress p
                JOIN learners l ON l.number = p.learner GROUP BY l.person, p.pack, p.lesson"""  # noqa: S608
    found: dict[int, dict[tuple[int, int], Row]] = {}
    for person, pack, lesson, *values in db.execute(query):
        found.setdefault(person, {})[pack, lesson] = tuple(values)
    return found


def completed_packs_of_all(db: sqlite3.Connection) -> dict[int, set[int]]:
    """The packs that each person completed, under whatever number: one statement."""
    query = """SELECT l.person, p.pack FROM course_progress p JOIN learners l ON l.number = p.learner
               WHERE p.completions > 0"""
    found: dict[int, set[int]] = {}
    for person, pack in db.execute(query):
        found.setdefault(person, set()).add(pack)
    return found


def completed_packs(db: sqlite3.Connection, learner: int) -> set[int]:
    """The packs that this person completed, under whatever number."""
    query = f"SELECT pack FROM course_progress WHERE learner IN ({_SAME}) AND completions > 0"  # noqa: S608
    return {row[0] for row in db.execute(query, (learner,))}


def _learner(row: tuple[int, str, str, int]) -> Learner:
    return Learner(row[0], row[1], row[2], bool(row[3]))
