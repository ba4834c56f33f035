"""Makes a database whole again that was put together from readable rows: logs without gaps, and everything made from them.

Segments and waiting entries are the truth. What stands after a gap of a log can't be taken: its numbers of people may
mean others. Waiting entries behind a gap have never left this laptop, so they may move up, if they name nobody new.
Works inside its caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any, Final

from node import centre, logs, projection, tally
from node.logs import LogRow
from node.soundness import clock_is_readable, is_true_entry, is_true_profile, is_true_segment
from sync import cbor
from sync.batch import batch_of
from sync.entries import (
    Entry,
    LearnerAdded,
    LearnerContinued,
    PackInstalled,
    ProfileChanged,
    reference_count,
)
from sync.errors import SyncError
from sync.limits import ENTRIES_PER_SEGMENT
from sync.segment import open_segment

DERIVED: Final = {
    "lesson_progress",
    "course_progress",
    "learners",
    "packs",
    "identities",
    "attempt_answers",
}
"""Tables that can be made again from the logs."""
_NAMES: Final = {kind.number for kind in (LearnerAdded, LearnerContinued, PackInstalled, ProfileChanged)}


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`entries` of this device are here; `missing` are known to have been here once, and aren't any more."""

    entries: int
    missing: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was there and can't be used: rows of `tables`; of each log, up to which number its segments claimed to go."""

    tables: set[str]
    ends: dict[int, int]


def drop_false(db: sqlite3.Connection) -> Dropped:
    """Remove rows that say something else than what was once written, so that others may take their place."""
    dropped = Dropped(set(), {})
    for key, value in db.execute("SELECT key, value FROM settings").fetchall():
        if not _is_readable(key, value):
            dropped.tables.add("settings")
            db.execute("DELETE FROM settings WHERE key = ?", (key,))
    for rowid, commitment, data in db.execute("SELECT rowid, commitment, data FROM profiles").fetchall():
        if not is_true_profile(commitment, data):
            dropped.tables.add("profiles")
            db.execute("DELETE FROM profiles WHERE rowid = ?", (rowid,))
    for rowid, log, *row in db.execute(
        "SELECT rowid, log, data, id, idx, first_seq, count FROM segments"
    ).fetchall():
        if not is_true_segment(*row):
            *_, first_seq, count = row
            if type(first_seq) is int and type(count) is int and 0 < count <= ENTRIES_PER_SEGMENT:
                dropped.ends[log] = max(dropped.ends.get(log, 0), first_seq + count)
            db.execute("DELETE FROM segments WHERE rowid = ?", (rowid,))
    for seq, *entry in db.execute("SELECT seq, kind, t, fields FROM pending").fetchall():
        if not is_true_entry(*entry):
            db.execute("DELETE FROM pending WHERE seq = ?", (seq,))
    return dropped


def rebuild(db: sqlite3.Connection, ends: Mapping[int, int]) -> Rebuilt | None:
    """Put everything right, from rows that are true; `ends` is up to which number each log once went, where it is known.

    None if not even the beginning of a log is left.
    """
    db.execute("DELETE FROM profiles WHERE commitment IN (SELECT commitment FROM erased)")
    went = _cut_logs_at_gaps(db, ends)
    newest = db.execute("SELECT pk FROM logs ORDER BY pk DESC LIMIT 1").fetchone()
    if newest is None:
        return None
    following, behind = _sort_pending(db)
    last = max((entry.seq + 1 for entry in (*following, *behind)), default=0)
    for pk, end in ((newest[0], last), _end_once(db)):
        went[pk] = max(went.get(pk, 0), end)
    query = "SELECT log, max(first_seq + count) FROM segments GROUP BY log"
    held = dict(db.execute(query).fetchall())
    missing = sum(end - held.get(pk, 0) for pk, end in went.items()) - len(following) - len(behind)
    known = db.execute("SELECT id, commitment, has_left FROM learners").fetchall()
    identities = db.execute("SELECT id, number FROM identities").fetchall()
    projection.clear(db)
    _introduce_everybody(db, following)
    missing += _move_up(db, following, behind)
    _remember(db, known, identities)
    _forget_foreign_numbers(db)
    tally.recount(db)
    centre.join_people(db)
    _set_clock(db)
    _set_end(db)
    query = "SELECT (SELECT count(*) FROM pending) + (SELECT sum(count) FROM segments)"
    return Rebuilt(int(db.execute(query).fetchone()[0]), missing)


def _end_once(db: sqlite3.Connection) -> tuple[int, int]:
    """(log, up to which number) the newest log went when something was last recorded, as far as is known."""
    row = db.execute("SELECT value FROM settings WHERE key = ?", (logs.END,)).fetchone()
    match None if row is None else cbor.decode(row[0]):
        case [int() as pk, int() as end]:
            return pk, end
    return 0, 0


def _is_readable(key: str, value: bytes) -> bool:
    try:
        cbor.decode(value)
        return key != "clock" or clock_is_readable(value)
    except (SyncError, TypeError, ValueError):
        return False


def _cut_logs_at_gaps(db: sqlite3.Connection, ends: Mapping[int, int]) -> dict[int, int]:
    """Keep of each log what hangs together from its beginning; returns how far each is known to have gone."""
    went = {}
    pks = "SELECT pk FROM logs UNION SELECT DISTINCT log FROM segments ORDER BY 1"
    for (pk,) in db.execute(pks).fetchall():
        query = "SELECT data, id, idx, first_seq, count FROM segments WHERE log = ? ORDER BY idx"
        true = [row for row in db.execute(query, (pk,)).fetchall() if is_true_segment(*row)]
        went[pk] = max([row[3] + row[4] for row in true] + [ends.get(pk, 0)])
        log, index, end, last = b"", 0, 0, b""
        for data, id_, *place in true:
            found = open_segment(data)
            if place[:2] != [index, end] or found.previous != last or (log and found.log != log):
                break
            log, index, end, last = found.log, index + 1, found.end_seq, id_
        db.execute("DELETE FROM segments WHERE log = ? AND idx >= ?", (pk, index))
        if index == 0:
            db.execute("DELETE FROM logs WHERE pk = ?", (pk,))
            continue
        add = "INSERT INTO logs (pk, log) VALUES (?1, ?2) ON CONFLICT (pk) DO UPDATE SET log = ?2"
        db.execute(add, (pk, log))
    return went


def _sort_pending(db: sqlite3.Connection) -> tuple[list[Entry], list[Entry]]:
    """Waiting entries that follow the newest log, and those behind a gap."""
    end = logs.end_seq(db)
    rows = db.execute("SELECT seq, kind, t, fields FROM pending WHERE seq >= ? ORDER BY seq", (end,))
    entries = [Entry(seq, kind, t, tuple(cbor.decode(fields))) for seq, kind, t, fields in rows.fetchall()]
    following = [entry for at, entry in enumerate(entries, start=end) if entry.seq == at]
    db.execute("DELETE FROM pending")
    _put_pending(db, following)
    return following, entries[len(following) :]


def _introduce_everybody(db: sqlite3.Connection, waiting: list[Entry]) -> None:
    query = "SELECT l.pk, l.log, s.data FROM segments s JOIN logs l ON l.pk = s.log ORDER BY l.pk, s.idx"
    for pk, log, data in db.execute(query).fetchall():
        projection.introduce(db, LogRow(pk, log), open_segment(data).read())
    if waiting:
        projection.introduce(db, logs.newest(db), batch_of(waiting))


def _move_up(db: sqlite3.Connection, following: list[Entry], behind: list[Entry]) -> int:
    """Let entries behind a gap follow the others; returns how many can't."""
    query = "SELECT (SELECT count(*) FROM learners), (SELECT count(*) FROM packs)"
    counts = db.execute(query).fetchone()
    taken: list[Entry] = []
    for entry in behind:
        if entry.kind in _NAMES:
            break
        width = min(2, reference_count(entry.kind))
        references: tuple[Any, ...] = entry.fields[:width]
        if all(number < count for number, count in zip(references, counts, strict=False)):
            taken.append(entry)
    start = following[-1].seq + 1 if following else logs.end_seq(db)
    moved = [Entry(seq, one.kind, one.t, one.fields) for seq, one in enumerate(taken, start=start)]
    _put_pending(db, moved)
    return len(behind) - len(moved)


def _put_pending(db: sqlite3.Connection, entries: list[Entry]) -> None:
    """In order of time too: what runs backwards could never be sealed, and nothing after it."""
    query = "SELECT max((SELECT coalesce(max(t), 0) FROM pending), (SELECT max(end_t) FROM segments))"
    times = accumulate((one.t for one in entries), max, initial=db.execute(query).fetchone()[0])
    rows = [
        (one.seq, one.kind, t, cbor.encode(one.fields))
        for one, t in zip(entries, islice(times, 1, None), strict=True)
    ]
    db.executemany("INSERT INTO pending VALUES (?, ?, ?, ?)", rows)


def _remember(
    db: sqlite3.Connection, known: list[tuple[Any, ...]], identities: list[tuple[Any, ...]]
) -> None:
    """What other laptops' logs said of people whom this device's own logs introduce."""
    for id_, commitment, has_left in known:
        number = projection.number_of(db, id_)
        if number is None:
            continue
        if commitment and logs.profile_by(db, commitment) is not None:
            projection.name_learner(db, number, commitment)
        projection.note_left(db, number, not has_left)
    count = int(db.execute("SELECT count(*) FROM learners").fetchone()[0])
    rows = [row for row in identities if row[1] < count]
    db.executemany("INSERT OR IGNORE INTO identities VALUES (?, ?)", rows)


def _forget_foreign_numbers(db: sqlite3.Connection) -> None:
    """Numbers that nobody has any more will be given to others: no PIN and no history may wait for them."""
    learners = int(db.execute("SELECT count(*) FROM learners").fetchone()[0])
    packs = int(db.execute("SELECT count(*) FROM packs").fetchone()[0])
    db.execute("DELETE FROM pins WHERE learner >= ?", (learners,))
    query = "SELECT rowid, learners, packs FROM history WHERE learners IS NOT NULL"
    for rowid, *maps in db.execute(query).fetchall():
        try:
            people, courses = (cbor.decode(one) for one in maps)
            is_known = all(one < learners for one in people) and all(one < packs for one in courses)
        except (SyncError, TypeError, ValueError):
            is_known = False
        if not is_known:
            # It comes again from the centre, or from the laptop that has it.
            db.execute("DELETE FROM history WHERE rowid = ?", (rowid,))


def _set_clock(db: sqlite3.Connection) -> None:
    """Log time goes on from the last that is known, if what was written down of it is lost."""
    query = "SELECT max((SELECT coalesce(max(t), 0) FROM pending), (SELECT max(end_t) FROM segments))"
    t = int(db.execute(query).fetchone()[0])
    row = db.execute("SELECT value FROM settings WHERE key = 'clock'").fetchone()
    if row is None:
        state: list[object] = [t, bytes(16), 0, t, 0, 0]
    else:
        state = cbor.decode(row[0])
        state[0] = max(t, int(str(state[0])))
    db.execute("INSERT OR REPLACE INTO settings VALUES ('clock', ?)", (cbor.encode(state),))


def _set_end(db: sqlite3.Connection) -> None:
    end = cbor.encode(logs.end(db))
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (logs.END, end))
