"""This device's logs on its disk: the one that is written now, those before it, their segments and profiles.

Owns the tables logs, segments and profiles (but for the columns that `shelf` owns). Works inside its caller's
transaction; knows nothing of clocks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.errors import DamagedDatabaseError
from sync import cbor, limits, segment
from sync.entries import ClockObserved, Entry, LogOpened, OpenReason
from sync.errors import N_, TooLargeError
from sync.keys import ID_SIZE, SigningKey, sha256
from sync.log import Head
from sync.profile import commitment_of
from sync.sealing import sealing_public
from sync.segment import Segment

END: Final = "end"
"""The setting that says where the newest log ended when something was last recorded: its number and the next sequence number.
Waiting entries of which SQLite has lost a page leave no other trace."""
_NEWEST: Final = "SELECT pk, log FROM logs ORDER BY pk DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class LogRow:
    pk: int
    log: bytes


def newest(db: sqlite3.Connection) -> LogRow:
    """The log that is written now."""
    return LogRow(*db.execute(_NEWEST).fetchone())


def head(db: sqlite3.Connection, log: LogRow) -> Head:
    """The newest sealed segment of a log."""
    query = "SELECT idx, id FROM segments WHERE log = ? ORDER BY idx DESC LIMIT 1"
    return Head(log.log, *db.execute(query, (log.pk,)).fetchone())


def newest_head(db: sqlite3.Connection) -> Head:
    return head(db, newest(db))


def end_seq(db: sqlite3.Connection) -> int:
    """The sequence number after the last sealed entry of the newest log."""
    query = "SELECT first_seq + count FROM segments WHERE log = ? ORDER BY idx DESC LIMIT 1"
    return int(db.execute(query, (newest(db).pk,)).fetchone()[0])


def next_seq(db: sqlite3.Connection) -> int:
    """The sequence number of the next entry of the newest log."""
    last = db.execute("SELECT max(seq) FROM pending").fetchone()[0]
    return int(last) + 1 if last is not None else end_seq(db)


def end(db: sqlite3.Connection) -> list[int]:
    """What the setting `END` is to say now."""
    return [newest(db).pk, next_seq(db)]


def holds(db: sqlite3.Connection, head: Head) -> bool:
    """Whether that very segment is on this disk."""
    query = """SELECT 1 FROM segments s JOIN logs l ON l.pk = s.log
               WHERE l.log = ? AND s.idx = ? AND s.id = ?"""
    return db.execute(query, (head.log, head.index, head.id)).fetchone() is not None


def check_whole(data: bytes, id_: bytes, index: int) -> None:
    """
    Raises:
        DamagedDatabaseError: the disk no longer holds the segment that was sealed or taken.
    """
    if sha256(data)[:ID_SIZE] != id_:
        raise DamagedDatabaseError(
            N_("Segmen %(index)s di basis data ini rusak. Jangan dihapus: pulihkan dari cadangan."),
            index=index,
        )


def open_log(
    db: sqlite3.Connection,
    key: SigningKey,
    sealing_seed: bytes,
    nonce: bytes,
    reason: OpenReason,
    predecessors: bytes,
    note: ClockObserved,
    t: int,
) -> None:
    """Begin a log and seal its first segment, because the log's id is that segment's hash."""
    sealing = sealing_public(sealing_seed)
    opened = LogOpened(segment.FORMAT, key.public, sealing, nonce, int(reason), predecessors)
    entries = [Entry(seq, kind.number, t, kind.fields()) for seq, kind in enumerate((opened, note))]
    first = segment.seal(key, b"", 0, b"", entries, t)
    pk = db.execute("INSERT INTO logs (log) VALUES (?)", (first.id,)).lastrowid
    _insert_segment(db, int(pk or 0), first, t)


def seal_one(db: sqlite3.Connection, key: SigningKey, most: int) -> bool:
    """Seal up to `most` waiting entries into the next segment of the newest log; False if none wait."""
    rows = db.execute("SELECT seq, kind, t, fields FROM pending ORDER BY seq LIMIT ?", (most,)).fetchall()
    if not rows:
        return False
    log = newest(db)
    entries = [Entry(seq, kind, t, tuple(cbor.decode(fields))) for seq, kind, t, fields in rows]
    query = "SELECT idx, id, end_t FROM segments WHERE log = ? ORDER BY idx DESC LIMIT 1"
    index, previous, base_t = db.execute(query, (log.pk,)).fetchone()
    entries = entries[: _fitting(db, log.pk, entries)]
    try:
        sealed = segment.seal(key, log.log, index + 1, previous, entries, base_t)
    except TooLargeError:
        if len(entries) == 1:
            raise
        return seal_one(db, key, len(entries) // 2)
    _insert_segment(db, log.pk, sealed, entries[-1].t)
    db.execute("DELETE FROM pending WHERE seq <= ?", (entries[-1].seq,))
    return True


def keep_profile(
    db: sqlite3.Connection, data: bytes, log: int | None = None, seq: int | None = None
) -> bool:
    """Keep a profile for the entry that commits to it, unless its person was erased; False if nothing is new."""
    commitment = commitment_of(data)
    if db.execute("SELECT 1 FROM erased WHERE commitment = ?", (commitment,)).fetchone():
        return False
    known = db.execute("SELECT 1 FROM profiles WHERE commitment = ?", (commitment,)).fetchone()
    if log is None and known:
        return False
    db.execute("INSERT OR IGNORE INTO profiles VALUES (?, ?, ?, ?)", (log, seq, commitment, data))
    return True


def profile_by(db: sqlite3.Connection, commitment: bytes) -> bytes | None:
    """The profile of that commitment, if it is here."""
    row = db.execute("SELECT data FROM profiles WHERE commitment = ? LIMIT 1", (commitment,)).fetchone()
    return None if row is None else bytes(row[0])


def profiles_of(db: sqlite3.Connection, log: int, first_seq: int, count: int) -> list[bytes]:
    """The profiles that a segment's entries commit to."""
    query = "SELECT data FROM profiles WHERE log = ? AND seq >= ? AND seq < ? ORDER BY seq"
    return [row[0] for row in db.execute(query, (log, first_seq, first_seq + count))]


def _fitting(db: sqlite3.Connection, log: int, entries: Sequence[Entry]) -> int:
    """How many of `entries`, with the profiles they commit to, one request can carry."""
    query = "SELECT seq, length(data) FROM profiles WHERE log = ? AND seq BETWEEN ? AND ? ORDER BY seq"
    size = 0
    for seq, length in db.execute(query, (log, entries[0].seq, entries[-1].seq)):
        size += length
        if size > limits.PROFILES_PER_SEGMENT:
            return max(1, int(seq) - entries[0].seq)
    return len(entries)


def _insert_segment(db: sqlite3.Connection, log_pk: int, sealed: Segment, end_t: int) -> None:
    db.execute(
        "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)",
        (log_pk, sealed.index, sealed.id, sealed.first_seq, sealed.count, end_t, sealed.data),
    )
