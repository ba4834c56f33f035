"""Appends entries to this device's log: numbered, timed, projected and on the disk in one transaction.

The log clock, the newest log and the next number come from the database within that transaction, so the web server
and a command may record at the same time. Sealing turns waiting entries into a signed segment, also in one
transaction: no byte of a segment can leave before the segment is on the disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from node import logs, projection
from node.store import Store
from sync import cbor, limits
from sync.batch import batch_of
from sync.entries import (
    AnchorNoted,
    ClockObserved,
    Entry,
    Kind,
    LearnerAdded,
    LearnerContinued,
    OpenReason,
    OperatorActed,
    PackInstalled,
    ProfileChanged,
    check_fields,
)
from sync.keys import SigningKey
from sync.logclock import JUMP_MS, LogClock, Reading
from sync.machine import Machine
from sync.profile import Profile

_CLOCK: Final = "clock"
_PUT: Final = "INSERT OR REPLACE INTO settings VALUES (?, ?)"
_PUT_BOTH: Final = f"{_PUT}, (?, ?)"
"""One statement, for every answer runs it."""
_QUIET_KINDS: Final = (ClockObserved.number, AnchorNoted.number)
"""Kinds that wait for others before they are sent: alone they tell nobody anything."""


class OperatorAction(IntEnum):
    """What the village operator did, as `operator_acted` entries say it."""

    PIN_RESET = 1
    PASSWORD_SET = 2
    UNLOCKED_BY_CENTRE = 3
    DATA_EXPORTED = 4
    CLASS_EXPORTED = 5


class Source(IntEnum):
    """Why a `clock_observed` entry was made."""

    START = 0
    JUMP = 1
    IMPORTED = 2


@dataclass(frozen=True, slots=True)
class Counts:
    """Entries of this device, those that have left it, those that the hub confirmed."""

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
        self._sealing_seed = sealing_seed
        self._machine = machine
        with store.write() as db:
            if db.execute("SELECT count(*) FROM logs").fetchone()[0] == 0:
                self._open_log(db, OpenReason.FIRST)
            if self._clock_state(db).noted.boot != machine.reading().boot:
                # From now on log time goes on, whether or not anything is recorded.
                self.record_many([])

    @property
    def log(self) -> bytes:
        """The id of the log that is written now."""
        with self._store.read() as db:
            return logs.newest(db).log

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
            entries, end = self._append(db, timed)
            wall = (t, reading.wall_ms) if noted else None
            self._write_clock(db, t, reading, state, wall, end)
            return entries[len(noted) :]

    def record_played(self, timed: Sequence[tuple[Kind, int]], wall: tuple[int, int] | None) -> None:
        """Append activity that brings its own log times; `wall` is its last (t, wall_ms) note."""
        with self._store.write() as db:
            _, reading, state = self._time(db)
            _, end = self._append(db, timed)
            self._write_clock(db, timed[-1][1], reading, state, wall, end)

    def add_learner(self, name: str, position: str = "") -> int:
        """Introduce a person; returns the learner's number in this log.

        Raises:
            MalformedError, TooLargeError: the name is empty or too long.
        """
        return self.add_learners([Profile.make(self._machine.random_bytes, name, position)])[0]

    def add_learners(self, profiles: Sequence[Profile]) -> list[int]:
        with self._store.write() as db:
            first = int(db.execute("SELECT count(*) FROM learners").fetchone()[0])
            self._record_profiles(
                db, [(LearnerAdded(profile.commitment), profile.encode()) for profile in profiles]
            )
            return list(range(first, first + len(profiles)))

    def change_profile(self, learner: int, name: str, position: str) -> None:
        """Give somebody another name or position.

        Raises:
            MalformedError, TooLargeError: the name is empty or too long.
        """
        profile = Profile.make(self._machine.random_bytes, name, position)
        with self._store.write() as db:
            self._record_profiles(db, [(ProfileChanged(learner, profile.commitment), profile.encode())])

    def continue_learner(self, identity: bytes) -> int:
        """Give somebody whom another log introduced a number in this one."""
        with self._store.write() as db:
            number = int(db.execute("SELECT count(*) FROM learners").fetchone()[0])
            self.record(LearnerContinued(identity))
            return number

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

    def seal(self, even_quiet: bool = False) -> None:
        """Turn waiting entries into segments, unless only clock notes wait."""
        with self._store.write() as db:
            quiet = () if even_quiet else _QUIET_KINDS
            places = ", ".join("?" * len(quiet))
            query = f"SELECT count(*) FROM pending WHERE kind NOT IN ({places})"  # noqa: S608
            waiting = db.execute(query, quiet).fetchone()[0]
            while waiting and logs.seal_one(db, self._key, limits.ENTRIES_PER_SEGMENT):
                pass

    def start_new_log(self, reason: OpenReason) -> None:
        """Leave the log as it is and go on in another one, in which everybody keeps their number.

        What waited is sealed into the old log: a hub that has the same entries from before the disk was restored or
        copied knows them again there.
        """
        with self._store.write() as db:
            self.seal(even_quiet=True)
            t, _, _ = self._time(db)
            before = logs.newest_head(db)
            people = db.execute("SELECT id FROM learners ORDER BY number").fetchall()
            packs = db.execute("SELECT course_key, manifest_hash, version FROM packs ORDER BY number")
            announced: list[Kind] = [LearnerContinued(row[0]) for row in people]
            announced += [PackInstalled(*row) for row in packs.fetchall()]
            predecessors = before.log + before.index.to_bytes(4, "big") + before.id
            self._open_log(db, reason, predecessors, t)
            self.record_many(announced)

    def _record_profiles(self, db: sqlite3.Connection, kinds: Sequence[tuple[Kind, bytes]]) -> None:
        """Append entries that each commit to a profile, which must be there when they are projected."""
        t, reading, state = self._time(db)
        noted = self._wall_note(t, reading, state)
        self._append(db, [(note, t) for note in noted])
        log = logs.newest(db)
        for seq, (_, profile) in enumerate(kinds, start=logs.next_seq(db)):
            logs.keep_profile(db, profile, log.pk, seq)
        _, end = self._append(db, [(kind, t) for kind, _ in kinds])
        wall = (t, reading.wall_ms) if noted else None
        self._write_clock(db, t, reading, state, wall, end)

    def _open_log(
        self, db: sqlite3.Connection, reason: OpenReason, predecessors: bytes = b"", t: int = 0
    ) -> None:
        reading = self._machine.reading()
        note = ClockObserved(0, reading.wall_ms, Source.START)
        nonce = self._machine.random_bytes(16)
        logs.open_log(db, self._key, self._sealing_seed, nonce, reason, predecessors, note, t)
        self._put_clock(db, _ClockState(t, reading, t, reading.wall_ms, 0), logs.end(db))

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

    def _append(
        self, db: sqlite3.Connection, timed: Sequence[tuple[Kind, int]]
    ) -> tuple[list[Entry], list[int] | None]:
        """(the entries, what `logs.END` is to say if there are any)."""
        if not timed:
            return [], None
        log, first = logs.newest(db), logs.next_seq(db)
        entries = [
            Entry(seq, kind.number, t, kind.fields()) for seq, (kind, t) in enumerate(timed, start=first)
        ]
        for entry in entries:
            check_fields(entry.kind, entry.fields)
        db.executemany(
            "INSERT INTO pending VALUES (?, ?, ?, ?)",
            [(e.seq, e.kind, e.t, cbor.encode(e.fields)) for e in entries],
        )
        projection.project(db, log, batch_of(entries))
        while db.execute("SELECT count(*) FROM pending").fetchone()[0] >= limits.ENTRIES_PER_SEGMENT:
            logs.seal_one(db, self._key, limits.ENTRIES_PER_SEGMENT)
        return entries, [log.pk, entries[-1].seq + 1]

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
        end: list[int] | None,
    ) -> None:
        wall_t, wall_ms = wall or (state.wall_t, state.wall_ms)
        boots = state.boots + (reading.boot != state.noted.boot)
        self._put_clock(db, _ClockState(t, reading, wall_t, wall_ms, boots), end)

    @staticmethod
    def _put_clock(db: sqlite3.Connection, state: _ClockState, end: list[int] | None) -> None:
        value = [
            state.t,
            state.noted.boot,
            state.noted.powered_ms,
            state.wall_t,
            state.wall_ms,
            state.boots,
        ]
        rows = [_CLOCK, cbor.encode(value)]
        if end is not None:
            rows += [logs.END, cbor.encode(end)]
        db.execute(_PUT if end is None else _PUT_BOTH, rows)
