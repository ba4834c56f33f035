"""The versions of the officer's ledger. Forward only; never edit one that has been released."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("lontar-courier")


@migrations()
def m001_parts_and_mail(db: Database) -> None:
    for statement in (
        # Parts on the way to a hub, by their hash. `state`: see ledger.State.
        """CREATE TABLE parts (
            id BLOB PRIMARY KEY, recipient BLOB NOT NULL, sender BLOB NOT NULL, bundle BLOB NOT NULL,
            idx INTEGER NOT NULL, count INTEGER NOT NULL, size INTEGER NOT NULL,
            first_seen_ms INTEGER NOT NULL, stick TEXT NOT NULL, last_seen_ms INTEGER NOT NULL,
            state TEXT NOT NULL, decided_ms INTEGER, noted INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID""",
        "CREATE INDEX parts_of_bundles ON parts (bundle, idx)",
        "CREATE INDEX parts_by_state ON parts (state)",
        # Copies that weren't whole, until a whole one is found.
        """CREATE TABLE torn (
            bundle BLOB NOT NULL, idx INTEGER NOT NULL, stick TEXT NOT NULL, seen_ms INTEGER NOT NULL,
            times INTEGER NOT NULL, PRIMARY KEY (bundle, idx)
        ) WITHOUT ROWID""",
        # What goes back to villages: the newest that the hub gave.
        """CREATE TABLE mail (
            id BLOB PRIMARY KEY, recipient BLOB NOT NULL, version BLOB NOT NULL, size INTEGER NOT NULL,
            fetched_ms INTEGER NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX mail_by_recipient ON mail (recipient)",
        """CREATE TABLE mail_written (
            recipient BLOB NOT NULL, version BLOB NOT NULL, stick TEXT NOT NULL, written_ms INTEGER NOT NULL,
            PRIMARY KEY (recipient, version, stick)
        ) WITHOUT ROWID""",
        "CREATE TABLE route (recipient BLOB PRIMARY KEY, village TEXT NOT NULL, name TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    ):
        db.execute(statement)


@migrations()
def m002_mail_that_comes_bit_by_bit(db: Database) -> None:
    # How many parts the whole mail has; 0 where only whole mail was kept.
    db.execute("ALTER TABLE mail ADD COLUMN count INTEGER NOT NULL DEFAULT 0")


def is_newer(db: Database) -> bool:
    """Whether a later Lontar has changed this database in a way that this one doesn't know."""
    if not migrations.applied(db):
        return False
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    return any(migration.name not in known for migration in migrations.applied(db))


def apply(db: Database) -> None:
    """Bring the database to this version."""
    migrations.apply(db)
