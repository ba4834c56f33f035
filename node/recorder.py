"""Appends entries to this device's log: numbered, timed, projected and on the disk in one transaction.

The log clock and the next number come from the database within that transaction, so the web server and a
command may record at the same time. Sealing turns waiting entries into a signed segment, also in one
transaction: no byte of a segment can leave before the segment is on the disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from node import projection
from node.store import Store
from sync import cbor, limits, segment
from sync.batch import batch_of
from sync.entries import (
    AnchorNoted,
    ClockObserved,
    Entry,
    Kind,
    LearnerAdded,
    LogOpened,
    OperatorActed,
    PackInstalled,
    check_fields,
)
from sync.errors import TooLargeError
from sync.keys import ID_SIZE, SigningKey, sealing_public
from sync.logclock import JUMP_MS, LogClock, Reading
from sync.machine import Machine
from sync.profile import Profile
from sync.segment import Segment

_CLOCK: Final = "clock"
_QUIET_KINDS: Final = (ClockObserved.number, AnchorNoted.number)
"""Kinds that wait for others before they are sent: alone they tell nobody anything."""


class OperatorAction(IntEnum):
    """What the village operator did, as `operator_acted` entries say it."""

    PIN_RESET = 1
    PASSWORD_SET = 2


class Source(IntEnum):
    """Why a `clock_observed` entry was made."""

    START = 0
    JUMP = 1
    IMPORTED = 2


@dataclass(frozen=True, slots=True)
class Counts:
    """Entries on this device, those that have left it, those that the hub confirmed."""

    saved: int
    sent: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class _ClockState:
    """What the database knows of time: the last log time and readings, and the last wall note."""

    t: int
    noted: Reading
    wall_t: int
    wall_ms: int
    boots: int


class Recorder:
    """The one way into the log."""

    def __init__(self, store: Store, key: SigningKey, sealing_seed: bytes, machine: Machine) -> None:
        self._store = store
        self._key = key
        self._machine = machine
        with store.write() as db:
            if db.execute("SELECT count(*) FROM logs").fetchone()[0] == 0:
                self._open_log(db, sealing_seed)
            self._log_pk, self.log = db.execute(
                "SELECT pk, log FROM logs ORDER BY pk DESC LIMIT 1"
            ).fetchone()
            if self._clock_state(db).noted.boot != machine.reading().boot:
                # From now on log time goes on, whether or not anything is recorded.
                self.record_many([])

    def now(self) -> int:
        """Log time: milliseconds this device has been on since its log began. Never decreases."""
        with self._store.read() as db:
            return self._time(db)[0]

    def clock(self) -> tuple[int, Reading]:
        """Log time and the readings it was made from."""
        with self._store.read() as db:
            t, reading, _ = self._time(db)
            return t, reading

    def record(self, kind: Kind) -> Entry:
        """Append one entry; it is on the disk when this returns.

        Raises:
            DiskFullError: nothing was appended.
        """
        return self.record_many([kind])[-1]

    def record_many(self, kinds: Sequence[Kind]) -> list[Entry]:
        """Append entries, all or none."""
        with self._store.write() as db:
            t, reading, state = self._time(db)
            noted = self._wall_note(t, reading, state)
            timed: list[tuple[Kind, int]] = [(note, t) for note in noted] + [(kind, t) for kind in kinds]
            entries = self._append(db, timed)
            wall = (t, reading.wall_ms) if noted else None
            self._write_clock(db, t, reading, state, wall)
            return entries[len(noted) :]

    def record_played(self, timed: Sequence[tuple[Kind, int]], wall: tuple[int, int] | None) -> None:
        """Append activity that brings its own log times; `wall` is its last (t, wall_ms) note."""
        with self._store.write() as db:
            _, reading, state = self._time(db)
            self._append(db, timed)
            self._write_clock(db, timed[-1][1], reading, state, wall)

    def add_learner(self, name: str, position: str = "") -> int:
        """Introduce a person; returns the learner's number in this log.

        Raises:
            MalformedError, TooLargeError: the name is empty or too long.
        """
        return self.add_learners([Profile.make(self._machine.random_bytes, name, position)])[0]

    def add_learners(self, profiles: Sequence[Profile]) -> list[int]:
        with self._store.write() as db:
            first = int(db.execute("SELECT count(*) FROM learners").fetchone()[0])
            t, reading, state = self._time(db)
            noted = self._wall_note(t, reading, state)
            entries: list[tuple[Kind, int]] = [(note, t) for note in noted]
            self._append(db, entries)
            for at, profile in enumerate(profiles, start=self._next_seq(db)):
                db.execute("INSERT INTO profiles VALUES (?, ?)", (at, profile.encode()))
            self._append(db, [(LearnerAdded(profile.commitment), t) for profile in profiles])
            self._write_clock(db, t, reading, state, (t, reading.wall_ms) if noted else None)
            return list(range(first, first + len(profiles)))

    def install_pack(self, course_key: bytes, manifest_hash: bytes, version: int) -> int:
        """Give a course pack the next number in this log, or return the one it has."""
        query = "SELECT number FROM packs WHERE manifest_hash = ?"
        with self._store.write() as db:
            row = db.execute(query, (manifest_hash,)).fetchone()
            if row is None:
                self.record(PackInstalled(course_key, manifest_hash, version))
                row = db.execute(query, (manifest_hash,)).fetchone()
            return int(row[0])

    def act(self, action: OperatorAction, subject: int = 0) -> None:
        self.record(OperatorActed(int(action), subject))

    def new_profile(self, name: str, position: str) -> Profile:
        return Profile.make(self._machine.random_bytes, name, position)

    def counts(self) -> Counts:
        query = """SELECT (SELECT count(*) FROM pending) + coalesce(sum(s.count), 0),
                          coalesce(sum(s.count) FILTER (WHERE s.idx <= l.departed), 0),
                          coalesce(sum(s.count) FILTER (WHERE s.idx <= l.confirmed), 0)
                   FROM segments s JOIN logs l ON l.pk = s.log"""
        with self._store.read() as db:
            return Counts(*db.execute(query).fetchone())

    def seal(self) -> None:
        """Turn waiting entries into segments, unless only clock notes wait."""
        with self._store.write() as db:
            waiting = db.execute(
                "SELECT count(*) FROM pending WHERE kind NOT IN (?, ?)", _QUIET_KINDS
            ).fetchone()[0]
            while waiting and self._seal_one(db, limits.ENTRIES_PER_SEGMENT):
                pass

    def _open_log(self, db: sqlite3.Connection, sealing_seed: bytes) -> None:
        """Begin the log and seal its first segment, because the log's id is that segment's hash."""
        reading = self._machine.reading()
        opened = LogOpened(
            segment.FORMAT,
            self._key.public,
            sealing_public(sealing_seed),
            self._machine.random_bytes(ID_SIZE),
            0,
            b"",
        )
        note = ClockObserved(0, reading.wall_ms, Source.START)
        entries = [Entry(seq, kind.number, 0, kind.fields()) for seq, kind in enumerate((opened, note))]
        first = segment.seal(self._key, b"", 0, b"", entries, 0)
        pk = db.execute("INSERT INTO logs (log) VALUES (?)", (first.id,)).lastrowid
        self._insert_segment(db, int(pk or 0), first, 0)
        self._put_clock(db, _ClockState(0, reading, 0, reading.wall_ms, 0))

    def _time(self, db: sqlite3.Connection) -> tuple[int, Reading, _ClockState]:
        state = self._clock_state(db)
        reading = self._machine.reading()
        return LogClock(state.t, state.noted, reading).now(reading), reading, state

    def _wall_note(self, t: int, reading: Reading, state: _ClockState) -> list[ClockObserved]:
        """A clock note, if the wall clock has moved against log time."""
        if abs((reading.wall_ms - state.wall_ms) - (t - state.wall_t)) <= JUMP_MS:
            return []
        started = reading.boot != state.noted.boot
        source = Source.START if started else Source.JUMP
        return [ClockObserved(state.boots + started, reading.wall_ms, source)]

    def _append(self, db: sqlite3.Connection, timed: Sequence[tuple[Kind, int]]) -> list[Entry]:
        if not timed:
            return []
        first = self._next_seq(db)
        entries = [
            Entry(seq, kind.number, t, kind.fields()) for seq, (kind, t) in enumerate(timed, start=first)
        ]
        for entry in entries:
            check_fields(entry.kind, entry.fields)
        db.executemany(
            "INSERT INTO pending VALUES (?, ?, ?, ?)",
            [(e.seq, e.kind, e.t, cbor.encode(e.fields)) for e in entries],
        )
        projection.project(db, self.log, batch_of(entries))
        while db.execute("SELECT count(*) FROM pending").fetchone()[0] >= limits.ENTRIES_PER_SEGMENT:
            self._seal_one(db, limits.ENTRIES_PER_SEGMENT)
        return entries

    def _next_seq(self, db: sqlite3.Connection) -> int:
        last = db.execute("SELECT max(seq) FROM pending").fetchone()[0]
        if last is not None:
            return int(last) + 1
        query = "SELECT first_seq + count FROM segments WHERE log = ? ORDER BY idx DESC LIMIT 1"
        return int(db.execute(query, (self._log_pk,)).fetchone()[0])

    def _seal_one(self, db: sqlite3.Connection, most: int) -> bool:
        rows = db.execute(
            "SELECT seq, kind, t, fields FROM pending ORDER BY seq LIMIT ?", (most,)
        ).fetchall()
        if not rows:
            return False
        entries = [Entry(seq, kind, t, tuple(cbor.decode(fields))) for seq, kind, t, fields in rows]
        query = "SELECT idx, id, end_t FROM segments WHERE log = ? ORDER BY idx DESC LIMIT 1"
        index, previous, base_t = db.execute(query, (self._log_pk,)).fetchone()
        entries = entries[: self._fitting(db, entries)]
        try:
            sealed = segment.seal(self._key, self.log, index + 1, previous, entries, base_t)
        except TooLargeError:
            if len(entries) == 1:
                raise
            return self._seal_one(db, len(entries) // 2)
        self._insert_segment(db, self._log_pk, sealed, entries[-1].t)
        db.execute("DELETE FROM pending WHERE seq <= ?", (entries[-1].seq,))
        return True

    @staticmethod
    def _fitting(db: sqlite3.Connection, entries: Sequence[Entry]) -> int:
        """How many of `entries`, with the profiles they commit to, one request can carry."""
        query = "SELECT seq, length(data) FROM profiles WHERE seq BETWEEN ? AND ? ORDER BY seq"
        size = 0
        for seq, length in db.execute(query, (entries[0].seq, entries[-1].seq)):
            size += length
            if size > limits.PROFILES_PER_SEGMENT:
                return max(1, int(seq) - entries[0].seq)
        return len(entries)

    @staticmethod
    def _insert_segment(db: sqlite3.Connection, log_pk: int, sealed: Segment, end_t: int) -> None:
        db.execute(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)",
            (log_pk, sealed.index, sealed.id, sealed.first_seq, sealed.count, end_t, sealed.data),
        )

    @staticmethod
    def _clock_state(db: sqlite3.Connection) -> _ClockState:
        row = db.execute("SELECT value FROM settings WHERE key = ?", (_CLOCK,)).fetchone()
        t, boot, powered_ms, wall_t, wall_ms, boots = cbor.decode(row[0])
        return _ClockState(t, Reading(boot, powered_ms, 0), wall_t, wall_ms, boots)

    def _write_clock(
        self,
        db: sqlite3.Connection,
        t: int,
        reading: Reading,
        state: _ClockState,
        wall: tuple[int, int] | None,
    ) -> None:
        wall_t, wall_ms = wall or (state.wall_t, state.wall_ms)
        boots = state.boots + (reading.boot != state.noted.boot)
        self._put_clock(db, _ClockState(t, reading, wall_t, wall_ms, boots))

    @staticmethod
    def _put_clock(db: sqlite3.Connection, state: _ClockState) -> None:
        value = [
            state.t,
            state.noted.boot,
            state.noted.powered_ms,
            state.wall_t,
            state.wall_ms,
            state.boots,
        ]
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_CLOCK, cbor.encode(value)))
