"""The versions of the village database. Forward only; never edit one that has been released."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database, Migrations

from sync.progress.rows import COURSE_PROGRESS, LESSON_PROGRESS
from sync.progress.sql import create_table

migrations = Migrations("lontar-node")


@migrations()
def m001_logs(db: Database) -> None:
    for statement in (
        """CREATE TABLE logs (
            pk INTEGER PRIMARY KEY,
            log BLOB NOT NULL UNIQUE,
            confirmed INTEGER NOT NULL DEFAULT -1,
            departed INTEGER NOT NULL DEFAULT -1,
            parked INTEGER NOT NULL DEFAULT -1
        )""",
        """CREATE TABLE segments (
            log INTEGER NOT NULL REFERENCES logs,
            idx INTEGER NOT NULL,
            id BLOB NOT NULL,
            first_seq INTEGER NOT NULL,
            count INTEGER NOT NULL,
            end_t INTEGER NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (log, idx)
        )""",
        # Entries of the newest log that no segment holds yet; fields as deterministic CBOR.
        "CREATE TABLE pending (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, t INTEGER NOT NULL, fields BLOB NOT NULL)",
        # Of this device's entries; a log of NULL means that it came with the history of another one.
        """CREATE TABLE profiles (
            log INTEGER, seq INTEGER, commitment BLOB NOT NULL, data BLOB NOT NULL
        )""",
        "CREATE UNIQUE INDEX profiles_of_entries ON profiles (log, seq)",
        "CREATE INDEX profiles_by_commitment ON profiles (commitment)",
        "CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    ):
        db.execute(statement)


@migrations()
def m002_learners_and_progress(db: Database) -> None:
    for statement in (
        # `person` is the number that people are shown of several that are one person.
        """CREATE TABLE learners (
            number INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE,
            name TEXT NOT NULL,
            position TEXT NOT NULL,
            search TEXT NOT NULL,
            commitment BLOB,
            has_left INTEGER NOT NULL DEFAULT 0,
            person INTEGER NOT NULL
        )""",
        """CREATE TABLE packs (
            number INTEGER PRIMARY KEY,
            course_key BLOB NOT NULL,
            manifest_hash BLOB NOT NULL UNIQUE,
            version INTEGER NOT NULL
        )""",
        create_table(LESSON_PROGRESS),
        create_table(COURSE_PROGRESS),
        # The answers of attempts that have not been submitted, and of the last one that was. The key's columns
        # come first and in its order: otherwise SQLite 3.40's quick_check reports NULLs that aren't there.
        """CREATE TABLE attempt_answers (
            learner INTEGER NOT NULL, pack INTEGER NOT NULL, lesson INTEGER NOT NULL,
            submitted INTEGER NOT NULL DEFAULT 0, question INTEGER NOT NULL, choice INTEGER NOT NULL,
            PRIMARY KEY (learner, pack, lesson, submitted, question)
        ) WITHOUT ROWID""",
        """CREATE TABLE pins (
            learner INTEGER PRIMARY KEY, hash TEXT NOT NULL,
            failures INTEGER NOT NULL DEFAULT 0, blocked_until_t INTEGER NOT NULL DEFAULT 0
        )""",
        # Ids of imported activity, so that a file read twice adds nothing twice.
        "CREATE TABLE imported (id BLOB PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE imported_learners (external TEXT PRIMARY KEY, learner INTEGER NOT NULL) WITHOUT ROWID",
    ):
        db.execute(statement)


@migrations()
def m003_the_road_without_a_signal(db: Database) -> None:
    for statement in (
        # Further identities of the same numbers, in other logs.
        "CREATE TABLE identities (id BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
        # Segments of other logs of the village, and what its numbers mean here after each.
        """CREATE TABLE history (
            log BLOB NOT NULL, idx INTEGER NOT NULL, id BLOB NOT NULL, previous BLOB NOT NULL,
            first_seq INTEGER NOT NULL, count INTEGER NOT NULL, data BLOB NOT NULL,
            learners BLOB, packs BLOB,
            PRIMARY KEY (log, idx, id)
        )""",
        # How far the hub is known to hold other devices' logs, which this one may pass on.
        "CREATE TABLE history_logs (log BLOB PRIMARY KEY, public_key BLOB NOT NULL, confirmed INTEGER NOT NULL) WITHOUT ROWID",
        # The hub's logs, as they came, and what they say to this village.
        """CREATE TABLE hub_segments (
            log BLOB NOT NULL, idx INTEGER NOT NULL, id BLOB NOT NULL, data BLOB NOT NULL,
            PRIMARY KEY (log, idx, id)
        )""",
        """CREATE TABLE decisions (
            log BLOB NOT NULL, seq INTEGER NOT NULL, segment BLOB NOT NULL, kind INTEGER NOT NULL,
            hub_ms INTEGER NOT NULL, fields BLOB NOT NULL,
            PRIMARY KEY (log, seq, segment)
        ) WITHOUT ROWID""",
        """CREATE TABLE devices (
            device BLOB PRIMARY KEY, public_key BLOB NOT NULL, sealing_key BLOB NOT NULL,
            village TEXT NOT NULL, state TEXT NOT NULL
        ) WITHOUT ROWID""",
        "CREATE TABLE erased (commitment BLOB PRIMARY KEY) WITHOUT ROWID",
        # Bundles that this device put on sticks: everything of a log from one segment to another.
        """CREATE TABLE bundles (
            bundle BLOB PRIMARY KEY, recipient BLOB NOT NULL, log INTEGER NOT NULL, since INTEGER NOT NULL,
            upto INTEGER NOT NULL, entries INTEGER NOT NULL, parts INTEGER NOT NULL, t INTEGER NOT NULL,
            received INTEGER NOT NULL DEFAULT 0, others INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID""",
    ):
        db.execute(statement)


@migrations()
def m004_what_the_hub_holds_of_each_branch(db: Database) -> None:
    for statement in (
        # When the hub last said, by its clock, that it holds less than before: older mail changes nothing.
        "ALTER TABLE logs ADD COLUMN lowered_ms INTEGER NOT NULL DEFAULT 0",
        # Whether the hub is known to hold that segment of another device's log, which this one may pass on.
        "ALTER TABLE history ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0",
        """UPDATE history SET confirmed = 1
           WHERE idx <= (SELECT l.confirmed FROM history_logs l WHERE l.log = history.log)""",
        "ALTER TABLE history_logs RENAME TO history_logs_3",
        "CREATE TABLE history_logs (log BLOB PRIMARY KEY, public_key BLOB NOT NULL, lowered_ms INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO history_logs SELECT log, public_key, 0 FROM history_logs_3",
        "DROP TABLE history_logs_3",
    ):
        db.execute(statement)


@migrations()
def m005_answers_of_every_kind(db: Database) -> None:
    for statement in (
        # An answer as text: a choice, several, an order, a word or a number.
        """CREATE TABLE attempt_answers_5 (
            learner INTEGER NOT NULL, pack INTEGER NOT NULL, lesson INTEGER NOT NULL,
            submitted INTEGER NOT NULL DEFAULT 0, question INTEGER NOT NULL, answer TEXT NOT NULL,
            PRIMARY KEY (learner, pack, lesson, submitted, question)
        ) WITHOUT ROWID""",
        "INSERT INTO attempt_answers_5 SELECT learner, pack, lesson, submitted, question, choice FROM attempt_answers",
        "DROP TABLE attempt_answers",
        "ALTER TABLE attempt_answers_5 RENAME TO attempt_answers",
    ):
        db.execute(statement)


@migrations()
def m006_what_activities_keep(db: Database) -> None:
    # What SCORM, H5P and cmi5 want to be given again, and what of it is in the log already; by the learner's own id.
    db.execute(
        """CREATE TABLE activity_states (
            learner BLOB NOT NULL, course_key BLOB NOT NULL, lesson TEXT NOT NULL, content BLOB NOT NULL,
            PRIMARY KEY (learner, course_key, lesson)
        ) WITHOUT ROWID"""
    )


@migrations()
def m007_reading_places(db: Database) -> None:
    # Where each person was in a lesson; by the person's own id, as activity_states. Shares in hundredths of a percent.
    db.execute(
        """CREATE TABLE reading_places (
            learner BLOB NOT NULL, course_key BLOB NOT NULL, lesson TEXT NOT NULL, heading TEXT NOT NULL,
            within INTEGER NOT NULL, share INTEGER NOT NULL, t INTEGER NOT NULL,
            PRIMARY KEY (learner, course_key, lesson)
        ) WITHOUT ROWID"""
    )


def is_newer(connection: sqlite3.Connection) -> bool:
    """Whether a later Lontar has changed this database in a way that this one doesn't know."""
    db = Database(connection)
    if not migrations.applied(db):
        return False
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    return any(migration.name not in known for migration in migrations.applied(db))


def apply(connection: sqlite3.Connection) -> None:
    """Bring the database to this version."""
    migrations.apply(Database(connection))
