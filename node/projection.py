"""From entries to the village's own tables. Everything here can be made again from the log.

Owns lesson_progress, course_progress, learners, packs and attempt_answers; nobody else writes them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from sync.batch import Batch
from sync.entries import Entry, LearnerAdded, PackInstalled, ProfileChanged, QuestionAnswered, QuizSubmitted
from sync.profile import learner_id, open_profile
from sync.progress.fold import finished, fold
from sync.progress.rows import ROWS
from sync.progress.sql import upsert

_UPSERTS: Final = {row: upsert(row, "sqlite", "?") for row in ROWS}
_PEOPLE_AND_PACKS: Final = {LearnerAdded.number, ProfileChanged.number, PackInstalled.number}
_ATTEMPTS: Final = {QuestionAnswered.number, QuizSubmitted.number}


def project(db: sqlite3.Connection, log: bytes, batch: Batch) -> None:
    """Add what `batch` adds up to. Each entry must come exactly once, in the order of the log."""
    for row, changes in fold(batch).items():
        db.executemany(_UPSERTS[row], [(*key, *finished(values, row)) for key, values in changes.items()])
    _people_and_packs(db, log, batch.of_kinds(_PEOPLE_AND_PACKS))
    _attempts(db, batch.of_kinds(_ATTEMPTS))


def clear(db: sqlite3.Connection) -> None:
    """Forget everything, before making it again from the log."""
    for table in (*(row.name for row in ROWS), "learners", "packs", "attempt_answers"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - names are ours


def _people_and_packs(db: sqlite3.Connection, log: bytes, entries: Iterable[Entry]) -> None:
    for entry in entries:
        if entry.kind == PackInstalled.number:
            pack = PackInstalled.from_fields(entry.fields)
            db.execute(
                "INSERT INTO packs SELECT count(*), ?, ?, ? FROM packs",
                (pack.course_key, pack.manifest_hash, pack.version),
            )
            continue
        stored = db.execute("SELECT data FROM profiles WHERE seq = ?", (entry.seq,)).fetchone()
        profile = open_profile(stored[0])
        person = (profile.name, profile.position, profile.name.casefold())
        if entry.kind == LearnerAdded.number:
            identity = learner_id(log, profile.commitment)
            db.execute(
                "INSERT INTO learners SELECT count(*), ?, ?, ?, ? FROM learners", (identity, *person)
            )
        else:
            number = ProfileChanged.from_fields(entry.fields).learner
            db.execute(
                "UPDATE learners SET name = ?, position = ?, search = ? WHERE number = ?", (*person, number)
            )


def _attempts(db: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    for entry in entries:
        if entry.kind == QuestionAnswered.number:
            answered = QuestionAnswered.from_fields(entry.fields)
            db.execute(
                "INSERT OR REPLACE INTO attempt_answers (learner, pack, lesson, question, choice) "
                "VALUES (?, ?, ?, ?, ?)",
                (answered.learner, answered.pack, answered.lesson, answered.question, answered.choice),
            )
            continue
        quiz = entry.fields[:3]
        where = "learner = ? AND pack = ? AND lesson = ?"
        db.execute(f"DELETE FROM attempt_answers WHERE submitted = 1 AND {where}", quiz)  # noqa: S608
        db.execute(f"UPDATE attempt_answers SET submitted = 1 WHERE {where}", quiz)  # noqa: S608
