"""The versions of the village database. Forward only; never edit one that has been released."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from sync.progress.rows import COURSE_PROGRESS, LESSON_PROGRESS
from sync.progress.sql import create_table

migrations = Migrations("lontar-node")


@migrations()
def m001_logs_and_progress(db: Database) -> None:
    for statement in (
        """CREATE TABLE logs (
            pk INTEGER PRIMARY KEY,
            log BLOB NOT NULL UNIQUE,
            confirmed INTEGER NOT NULL DEFAULT -1,
            departed INTEGER NOT NULL DEFAULT -1
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
        # Entries that no segment holds yet; fields as deterministic CBOR.
        "CREATE TABLE pending (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, t INTEGER NOT NULL, fields BLOB NOT NULL)",
        "CREATE TABLE profiles (seq INTEGER PRIMARY KEY, data BLOB NOT NULL)",
        """CREATE TABLE learners (
            number INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE,
            name TEXT NOT NULL,
            position TEXT NOT NULL,
            search TEXT NOT NULL
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
        "CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    ):
        db.execute(statement)


def is_newer(db: Database) -> bool:
    """Whether a later Lontar has changed this database in a way that this one doesn't know."""
    if not migrations.applied(db):
        return False
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    return any(migration.name not in known for migration in migrations.applied(db))


def apply(db: Database) -> None:
    """Bring the database to this version."""
    migrations.apply(db)
