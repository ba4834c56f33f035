"""Whether a database that SQLite can open still says something that the rest of the program understands.

SQLite notices broken pages, not broken words in whole pages. The quick look costs a few milliseconds and is made at
every start; the thorough one reads every segment and is made after a power cut, or when somebody asks.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Final

from node import logs
from sync import cbor
from sync.entries import check_fields
from sync.errors import LontarError
from sync.keys import ID_SIZE, sha256
from sync.profile import commitment_of
from sync.segment import open_segment

_SHAPE: Final = "shape"
_NUMBERED: Final = ("learners", "packs")
_SHAPE_QUERY: Final = """SELECT m.name, c.name, c.pk FROM sqlite_master m, pragma_table_info(m.name) c
                         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid"""


def is_sound(db: sqlite3.Connection, thorough: bool = False) -> bool:
    """Whether it can be worked with. `thorough` also reads what every segment, entry and profile says."""
    try:
        return (
            _settings_can_be_read(db)
            and _has_the_tables(db)
            and _logs_are_whole(db)
            and all(_is_numbered(db, table) for table in _NUMBERED)
            and (not thorough or _is_thoroughly_sound(db))
        )
    except (sqlite3.Error, LontarError, UnicodeDecodeError, ValueError, TypeError):
        return False


def entries_in(db: sqlite3.Connection) -> int:
    """How many entries of this device there are."""
    query = "SELECT (SELECT count(*) FROM pending) + (SELECT coalesce(sum(count), 0) FROM segments)"
    return int(db.execute(query).fetchone()[0])


def is_true_segment(data: bytes, id_: bytes, index: int, first_seq: int, count: int) -> bool:
    """Whether these are the bytes that were sealed, and the columns beside them say what they say."""
    if not (isinstance(data, bytes) and isinstance(id_, bytes) and sha256(data)[:ID_SIZE] == id_):
        return False
    try:
        found = open_segment(data)
    except LontarError:
        return False
    return (found.index, found.first_seq, found.count) == (index, first_seq, count)


def is_true_entry(kind: object, t: object, fields: bytes) -> bool:
    """Whether a waiting entry can be sealed."""
    try:
        values = cbor.decode(fields)
        if not (type(kind) is int and type(t) is int and isinstance(values, list)):
            return False
        check_fields(kind, tuple(values))
    except (LontarError, TypeError, ValueError):
        return False
    return True


def is_true_profile(commitment: bytes, data: bytes) -> bool:
    try:
        return bool(commitment_of(data) == commitment)
    except (LontarError, TypeError, ValueError):
        return False


def clock_is_readable(value: bytes) -> bool:
    match cbor.decode(value):
        case [int(), bytes(), int(), int(), int(), int()]:
            return True
    return False


def _settings_can_be_read(db: sqlite3.Connection) -> bool:
    for key, value in db.execute("SELECT key, value FROM settings").fetchall():
        cbor.decode(value)
        if key == "clock" and not clock_is_readable(value):
            return False
    return True


def _has_the_tables(db: sqlite3.Connection) -> bool:
    """Compared with a new database; once that was right, a hash of it is enough."""
    shape = db.execute(_SHAPE_QUERY).fetchall()
    mark = sha256(repr(shape).encode())
    row = db.execute("SELECT value FROM settings WHERE key = ?", (_SHAPE,)).fetchone()
    if row is not None and cbor.decode(row[0]) == mark:
        return True
    # Here, because what it brings along is large and seldom needed.
    from node import migrations

    with contextlib.closing(sqlite3.connect(":memory:")) as fresh:
        migrations.apply(fresh)
        wanted = fresh.execute(_SHAPE_QUERY).fetchall()
    if shape != wanted:
        return False
    with contextlib.suppress(sqlite3.OperationalError):
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_SHAPE, cbor.encode(mark)))
    return True


def _logs_are_whole(db: sqlite3.Connection) -> bool:
    """No log lacks a segment, and what waits follows the newest one."""
    query = """SELECT l.pk, count(s.idx), max(s.idx), sum(s.count), max(s.first_seq + s.count)
               FROM logs l LEFT JOIN segments s ON s.log = l.pk GROUP BY l.pk"""
    rows = db.execute(query).fetchall()
    if any(count == 0 or count != last + 1 or total != end for _, count, last, total, end in rows):
        return False
    first, last, count = db.execute("SELECT min(seq), max(seq), count(*) FROM pending").fetchone()
    if not rows:
        # A database that was made a moment ago.
        return bool(count == 0)
    if not db.execute("SELECT 1 FROM settings WHERE key = 'clock'").fetchone():
        return False
    if count and not (first == logs.end_seq(db) and last - first + 1 == count):
        return False
    # A database of an earlier version says nothing of its end.
    end = db.execute("SELECT value FROM settings WHERE key = ?", (logs.END,)).fetchone()
    return end is None or cbor.decode(end[0]) == logs.end(db)


def _is_numbered(db: sqlite3.Connection, table: str) -> bool:
    """From 0 on, without a gap: the next number is the count."""
    query = f"SELECT count(*), coalesce(max(number) + 1, 0), coalesce(min(number), 0) FROM {table}"  # noqa: S608
    count, following, first = db.execute(query).fetchone()
    return bool(count == following and first == 0)


def _is_thoroughly_sound(db: sqlite3.Connection) -> bool:
    segments = db.execute("SELECT data, id, idx, first_seq, count FROM segments")
    pending = db.execute("SELECT kind, t, fields FROM pending")
    profiles = db.execute("SELECT commitment, data FROM profiles")
    return (
        all(is_true_segment(*row) for row in segments)
        and all(is_true_entry(*row) for row in pending)
        and all(is_true_profile(*row) for row in profiles)
        and db.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
    )
