"""From entries to the village's own tables. Everything here can be made again from the log.

Owns lesson_progress, course_progress, learners, packs, identities and attempt_answers; nobody else writes them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from node import logs
from node.logs import LogRow
from sync.batch import Batch
from sync.entries import (
    Entry,
    LearnerAdded,
    LearnerContinued,
    LearnerLeft,
    PackInstalled,
    ProfileChanged,
    QuestionAnswered,
    QuestionResponded,
    QuizSubmitted,
)
from sync.profile import Profile, learner_id, open_profile
from sync.progress.fold import finished, fold
from sync.progress.rows import ROWS
from sync.progress.sql import upsert

_UPSERTS: Final = {row: upsert(row, "sqlite", "?") for row in ROWS}
_NAMED: Final = {
    kind.number for kind in (LearnerAdded, LearnerContinued, LearnerLeft, ProfileChanged, PackInstalled)
}
_ANSWERS: Final = {QuestionAnswered.number, QuestionResponded.number}
_ATTEMPTS: Final = {*_ANSWERS, QuizSubmitted.number}
_ERASED: Final = Profile(bytes(16), "?")
"""Who is shown where a profile was erased."""


def project(db: sqlite3.Connection, log: LogRow, batch: Batch) -> None:
    """Add what entries of this device add up to. Each must come exactly once, in the order of its log.

    The numbers of a later log of this device mean the same as those of the log before it.
    """
    introduce(db, log, batch)
    add_up(db, batch)


def introduce(db: sqlite3.Connection, log: LogRow, batch: Batch) -> None:
    """Add only the people and packs that entries of this device name, as `project` does."""
    _people_and_packs(db, log, batch.of_kinds(_NAMED))


def add_up(db: sqlite3.Connection, batch: Batch) -> None:
    """Add the sums and attempts of a batch whose references are this village's own numbers."""
    for row, changes in fold(batch).items():
        db.executemany(_UPSERTS[row], [(*key, *finished(values, row)) for key, values in changes.items()])
    _attempts(db, batch.of_kinds(_ATTEMPTS))


def clear(db: sqlite3.Connection) -> None:
    """Forget everything, before making it again from the log."""
    clear_sums(db)
    for table in ("learners", "identities", "packs"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - names are ours


def clear_sums(db: sqlite3.Connection) -> None:
    """Forget what entries added up to, before adding it up again from the logs."""
    for table in (*(row.name for row in ROWS), "attempt_answers"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - names are ours


def number_of(db: sqlite3.Connection, identity: bytes) -> int | None:
    """The number here of the person with that identity, in whatever log."""
    query = "SELECT number FROM learners WHERE id = ?1 UNION SELECT number FROM identities WHERE id = ?1"
    row = db.execute(query, (identity,)).fetchone()
    return None if row is None else int(row[0])


def name_learner(db: sqlite3.Connection, number: int, commitment: bytes) -> None:
    """Show the profile of that commitment from now on, if it is here."""
    data = logs.profile_by(db, commitment)
    profile = _ERASED if data is None else open_profile(data)
    db.execute(
        "UPDATE learners SET name = ?, position = ?, search = ?, commitment = ? WHERE number = ?",
        (profile.name, profile.position, profile.name.casefold(), commitment, number),
    )


def note_left(db: sqlite3.Connection, number: int, returned: int) -> None:
    """Somebody no longer learns here, or does again."""
    db.execute("UPDATE learners SET has_left = ? WHERE number = ?", (int(not returned), number))


def forget_profile(db: sqlite3.Connection, commitment: bytes) -> None:
    """Show nothing any more of a profile that was erased."""
    for (number,) in db.execute(
        "SELECT number FROM learners WHERE commitment = ?", (commitment,)
    ).fetchall():
        name_learner(db, number, commitment)


def join_people(db: sqlite3.Connection, persons: dict[int, int]) -> None:
    """Say of each number which number its person is shown by."""
    db.execute("UPDATE learners SET person = number")
    db.executemany(
        "UPDATE learners SET person = ? WHERE number = ?", [(to, number) for number, to in persons.items()]
    )


def _people_and_packs(db: sqlite3.Connection, log: LogRow, entries: Iterable[Entry]) -> None:
    for entry in entries:
        if entry.kind == PackInstalled.number:
            pack = PackInstalled.from_fields(entry.fields)
            db.execute(
                "INSERT OR IGNORE INTO packs SELECT count(*), ?, ?, ? FROM packs",
                (pack.course_key, pack.manifest_hash, pack.version),
            )
        elif entry.kind == LearnerAdded.number:
            commitment = LearnerAdded.from_fields(entry.fields).commitment
            _introduce(db, learner_id(log.log, commitment), commitment)
        elif entry.kind == LearnerContinued.number:
            identity = LearnerContinued.from_fields(entry.fields).learner
            number = number_of(db, identity)
            if number is None:
                number = _introduce(db, identity, b"")
            here = learner_id(log.log, identity)
            db.execute("INSERT OR IGNORE INTO identities VALUES (?, ?)", (here, number))
        elif entry.kind == LearnerLeft.number:
            left = LearnerLeft.from_fields(entry.fields)
            note_left(db, left.learner, left.returned)
        else:
            changed = ProfileChanged.from_fields(entry.fields)
            name_learner(db, changed.learner, changed.commitment)


def _introduce(db: sqlite3.Connection, identity: bytes, commitment: bytes) -> int:
    number = int(db.execute("SELECT count(*) FROM learners").fetchone()[0])
    db.execute(
        "INSERT INTO learners (number, id, name, position, search, person) VALUES (?, ?, ?, '', '', ?)",
        (number, identity, _ERASED.name, number),
    )
    if commitment:
        name_learner(db, number, commitment)
    return number


def _attempts(db: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    for entry in entries:
        if entry.kind in _ANSWERS:
            query = """INSERT OR REPLACE INTO attempt_answers (learner, pack, lesson, question, answer)
                       VALUES (?, ?, ?, ?, ?)"""
            db.execute(query, (*entry.fields[:4], str(entry.fields[4])))
            continue
        quiz = entry.fields[:3]
        where = "learner = ? AND pack = ? AND lesson = ?"
        db.execute(f"DELETE FROM attempt_answers WHERE submitted = 1 AND {where}", quiz)  # noqa: S608
        db.execute(f"UPDATE attempt_answers SET submitted = 1 WHERE {where}", quiz)  # noqa: S608
