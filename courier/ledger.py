"""The officer's ledger: which parts were seen, when, and what the hub said of them. One SQLite file.

It knows nothing but what stands on the outside of parts. Losing it loses no data: parts stay on their sticks until
the hub's signed word is written down here. One connection, guarded by a lock; every commit is on the disk.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlite_utils import Database

from courier import migrations
from courier.errors import CourierError, DiskFullError, NewerDatabaseError
from sync import cbor
from sync.bundle import Head
from sync.courier import Note, Place
from sync.errors import N_

FILE: Final = "courier.db"
_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_COLUMNS: Final = "id, recipient, sender, bundle, idx, count, size, first_seen_ms, stick, state, decided_ms"


_WHOLE: Final = """count = 0 OR count <= (SELECT count(*) FROM mail AS same
    WHERE same.recipient = mail.recipient AND same.version = mail.version)"""


class State(StrEnum):
    """What is known of a part. The last four are the hub's signed word."""

    HERE = "here"
    """On this laptop, not delivered yet."""
    NEW = "new"
    HELD = "held"
    FOREIGN = "foreign"
    REFUSED = "refused"

    @property
    def is_delivered(self) -> bool:
        """Whether the hub holds it, so that no stick needs to."""
        return self in (State.NEW, State.HELD)


@dataclass(frozen=True, slots=True)
class Part:
    """A part as the ledger knows it; times are milliseconds since 1970 by this laptop's clock."""

    id: bytes
    recipient: bytes
    sender: bytes
    bundle: bytes
    index: int
    count: int
    size: int
    first_seen_ms: int
    stick: str
    state: State
    decided_ms: int | None


@dataclass(frozen=True, slots=True)
class Mail:
    """A part that goes back to a village's device."""

    id: bytes
    recipient: bytes
    version: bytes
    size: int


class Ledger:
    """Opens the ledger of a data folder, creating or upgrading it."""

    def __init__(self, data: Path) -> None:
        """
        Raises:
            NewerDatabaseError, DiskFullError, CourierError: with what to do.
        """
        self._path = data / FILE
        self._lock = threading.RLock()
        with _spoken(self._path):
            self._db = sqlite3.connect(
                self._path, timeout=10, isolation_level=None, check_same_thread=False
            )
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "trusted_schema=OFF"):
                self._db.execute(f"PRAGMA {pragma}")
            db = Database(self._db)
            if migrations.is_newer(db):
                raise NewerDatabaseError(
                    N_(
                        "Data di %(path)s dibuat oleh Lontar yang lebih baru. Perbarui Lontar; data tidak diubah."
                    ),
                    path=self._path,
                )
            migrations.apply(db)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def note_seen(self, id_: bytes, head: Head, stick: str, now_ms: int) -> None:
        """A whole copy of this part was on a stick."""
        with self._write() as db:
            db.execute(
                """INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'here', NULL, 0)
                   ON CONFLICT (id) DO UPDATE SET stick = excluded.stick, last_seen_ms = excluded.last_seen_ms""",
                (
                    id_,
                    head.recipient,
                    head.sender,
                    head.bundle,
                    head.index,
                    head.count,
                    head.size,
                    now_ms,
                    stick,
                    now_ms,
                ),
            )
            db.execute("DELETE FROM torn WHERE bundle = ? AND idx = ?", (head.bundle, head.index))

    def note_torn(self, head: Head, stick: str, now_ms: int) -> None:
        """A copy of this part wasn't whole."""
        with self._write() as db:
            db.execute(
                """INSERT INTO torn VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET
                   times = times + 1, stick = excluded.stick, seen_ms = excluded.seen_ms""",
                (head.bundle, head.index, stick, now_ms),
            )

    def decide(self, ids: Iterable[bytes], state: State, now_ms: int) -> None:
        """The hub has said what became of these parts."""
        with self._write() as db:
            db.executemany(
                "UPDATE parts SET state = ?, decided_ms = ? WHERE id = ?",
                [(state.value, now_ms, id_) for id_ in ids],
            )

    def forget(self, id_: bytes) -> None:
        """The copy on this laptop is lost: the next look at its stick brings it again."""
        with self._write() as db:
            db.execute("DELETE FROM parts WHERE id = ?", (id_,))

    def part(self, id_: bytes) -> Part | None:
        found = self._parts("WHERE id = ?", id_)
        return found[0] if found else None

    def part_at(self, bundle: bytes, index: int) -> Part | None:
        """The part of a bundle, whatever copy of it was looked at."""
        found = self._parts("WHERE bundle = ? AND idx = ?", bundle, index)
        return found[0] if found else None

    def waiting(self) -> list[Part]:
        """What is to be delivered, the oldest first."""
        return self._parts("WHERE state = 'here' ORDER BY first_seen_ms, bundle, idx")

    def bundles(self, most: int, skip: int = 0) -> list[list[Part]]:
        """The parts of each bundle, bundles with something to deliver first, then the newest."""
        query = """SELECT bundle FROM parts GROUP BY bundle
                   ORDER BY max(state = 'here') DESC, max(first_seen_ms) DESC, bundle LIMIT ? OFFSET ?"""
        with self._read() as db:
            ids = [row[0] for row in db.execute(query, (most, skip))]
        return [self._parts("WHERE bundle = ? ORDER BY idx", id_) for id_ in ids]

    def count_bundles(self) -> int:
        with self._read() as db:
            return int(db.execute("SELECT count(DISTINCT bundle) FROM parts").fetchone()[0])

    def to_note(self, most: int) -> list[Note]:
        """Parts of which the hub hasn't been told yet that they are carried here."""
        found = self._parts("WHERE noted = 0 AND state <> 'foreign' ORDER BY first_seen_ms LIMIT ?", most)
        return [Note(part.bundle, part.index, part.first_seen_ms // 1000) for part in found]

    def note_told(self, notes: Sequence[Note]) -> None:
        with self._write() as db:
            db.executemany(
                "UPDATE parts SET noted = 1 WHERE bundle = ? AND idx = ?",
                [(note.bundle, note.index) for note in notes],
            )

    def mail(self) -> list[Mail]:
        """What goes back and is here whole, by the village's device."""
        query = f"SELECT id, recipient, version, size FROM mail WHERE {_WHOLE} ORDER BY recipient, id"  # noqa: S608
        with self._read() as db:
            return [Mail(*row) for row in db.execute(query)]

    def begun(self) -> list[Mail]:
        """The parts of mail of which others are still to come."""
        query = f"SELECT id, recipient, version, size FROM mail WHERE NOT ({_WHOLE}) ORDER BY recipient, id"  # noqa: S608
        with self._read() as db:
            return [Mail(*row) for row in db.execute(query)]

    def keep_mail(self, mail: Mail, count: int, now_ms: int) -> tuple[bool, list[bytes]]:
        """Keep a part of mail, of `count`; returns whether the mail is whole now, and the ids of what it replaces.

        Older mail stays until the newer one is whole.
        """
        mine = (mail.recipient, mail.version)
        others = "recipient = ? AND version <> ?"
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO mail VALUES (?, ?, ?, ?, ?, ?)",
                (mail.id, *mine, mail.size, now_ms, count),
            )
            query = "SELECT count(*) FROM mail WHERE recipient = ? AND version = ?"
            is_whole = bool(db.execute(query, mine).fetchone()[0] >= count)
            where = others if is_whole else f"{others} AND NOT ({_WHOLE})"
            old = [row[0] for row in db.execute(f"SELECT id FROM mail WHERE {where}", mine).fetchall()]  # noqa: S608
            db.executemany("DELETE FROM mail WHERE id = ?", [(id_,) for id_ in old])
        return is_whole, old

    def forget_mail(self, recipient: bytes) -> list[bytes]:
        """Have nothing more for this device; returns the ids of what was here."""
        with self._write() as db:
            old = [row[0] for row in db.execute("SELECT id FROM mail WHERE recipient = ?", (recipient,))]
            db.execute("DELETE FROM mail WHERE recipient = ?", (recipient,))
        return old

    def note_written(self, mail: Sequence[Mail], stick: str, now_ms: int) -> None:
        """This mail is on that stick now."""
        with self._write() as db:
            db.executemany(
                """INSERT INTO mail_written VALUES (?, ?, ?, ?)
                   ON CONFLICT DO UPDATE SET written_ms = excluded.written_ms""",
                [(one.recipient, one.version, stick, now_ms) for one in mail],
            )
            # Of older mail nobody asks any more.
            db.execute(
                """DELETE FROM mail_written WHERE NOT EXISTS (SELECT 1 FROM mail
                   WHERE mail.recipient = mail_written.recipient AND mail.version = mail_written.version)"""
            )

    def unwritten(self) -> int:
        """How many devices have mail here that is on no stick yet."""
        query = f"""SELECT count(DISTINCT recipient) FROM mail WHERE ({_WHOLE}) AND NOT EXISTS (
                    SELECT 1 FROM mail_written w
                    WHERE w.recipient = mail.recipient AND w.version = mail.version)"""  # noqa: S608
        with self._read() as db:
            return int(db.execute(query).fetchone()[0])

    def route(self) -> dict[bytes, Place]:
        """The villages that the hub named, by the id of their devices' sealing keys."""
        with self._read() as db:
            rows = db.execute("SELECT recipient, village, name FROM route").fetchall()
        return {row[0]: Place(*row) for row in rows}

    def set_route(self, route: Iterable[Place]) -> None:
        with self._write() as db:
            db.execute("DELETE FROM route")
            db.executemany(
                "INSERT OR REPLACE INTO route VALUES (?, ?, ?)",
                [(place.recipient, place.village, place.name) for place in route],
            )

    def get(self, key: str, default: Any = None) -> Any:
        """A small setting (anything deterministic CBOR can hold)."""
        with self._read() as db:
            row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return default if row is None else cbor.decode(row[0])

    def put(self, key: str, value: object) -> None:
        with self._write() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, cbor.encode(value)))

    def _parts(self, condition: str, *values: object) -> list[Part]:
        with self._read() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM parts {condition}", values).fetchall()  # noqa: S608
        return [_part(list(row)) for row in rows]

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _spoken(self._path):
            yield self._db

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; what it wrote is on the disk when the block has ended, or none of it is."""
        with self._lock, _spoken(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _part(values: list[Any]) -> Part:
    values[-2] = State(values[-2])
    return Part(*values)


@contextmanager
def _spoken(path: Path) -> Iterator[None]:
    """Turn what SQLite says into what a person can do."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        if getattr(problem, "sqlite_errorcode", 0) & 0xFF in _FULL:
            raise DiskFullError(
                N_(
                    "Penyimpanan laptop ini penuh. Data di flashdisk tetap aman; kosongkan ruang lalu ulangi."
                )
            ) from problem
        raise CourierError(
            N_(
                "Catatan petugas %(path)s rusak atau tidak dapat ditulis. Data di flashdisk tetap aman; pindahkan berkas itu, lalu ambil lagi dari flashdisk."
            ),
            path=path,
        ) from problem
