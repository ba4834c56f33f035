"""On which moments people last learned and completed courses, for everybody at once.

Rows hold log times, and those of several laptops can't be compared, so it is read from the logs themselves: what a wall
clock had said before, and not before a receipt that had already come (as `excerpts.moment_of`). Three statements for any
number of people. Writes nothing; what a segment says is kept for the next page.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sync import cbor
from sync.batch import Batch, batch_of
from sync.entries import AnchorNoted, ClockObserved, CourseCompleted, Entry, reference_count
from sync.errors import LontarError
from sync.segment import open_segment

Maps = tuple[Sequence[int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Days:
    """Milliseconds since 1970, by the numbers that learners and packs have on this device."""

    last_seen: dict[int, int]
    completed: dict[tuple[int, int], int]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What some consecutive entries say: (t, ms, whether a wall clock said so), who learned until when, who completed what."""

    notes: tuple[tuple[int, int, bool], ...]
    seen: dict[int, int]
    completed: dict[tuple[int, int], int]


@dataclass(slots=True)
class _Log:
    """One line of log time."""

    notes: list[tuple[int, int, bool]] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    completed: dict[tuple[int, int], int] = field(default_factory=dict)


def read_days(db: sqlite3.Connection) -> Days:
    """Everybody's days, by all logs on this disk. Who never learned, or whose time nothing tells, is left out."""
    own, others = _Log(), dict[bytes, _Log]()
    for (data,) in db.execute("SELECT data FROM segments ORDER BY log, idx"):
        _take(own, _facts_of_segment(data), None)
    _take(own, _facts(_pending(db)), None)
    query = (
        "SELECT log, data, learners, packs FROM history WHERE learners IS NOT NULL ORDER BY log, idx, id"
    )
    for log, data, learners, packs in db.execute(query):
        maps = (cbor.decode(learners), cbor.decode(packs))
        _take(others.setdefault(log, _Log()), _facts_of_segment(data), maps)
    days = Days({}, {})
    for found in (own, *others.values()):
        _add(days, found)
    return days


def _take(log: _Log, facts: _Facts, maps: Maps | None) -> None:
    log.notes.extend(facts.notes)
    for learner, t in facts.seen.items():
        who = _mapped(learner, maps, 0)
        if who is not None:
            log.seen[who] = max(t, log.seen.get(who, t))
    for (learner, pack), t in facts.completed.items():
        who, course = _mapped(learner, maps, 0), _mapped(pack, maps, 1)
        if who is not None and course is not None:
            log.completed[who, course] = min(t, log.completed.get((who, course), t))


def _add(days: Days, log: _Log) -> None:
    notes = sorted(log.notes, key=lambda note: note[0])
    times = [note[0] for note in notes]
    for who, t in log.seen.items():
        ms = _moment(notes, times, t)
        if ms is not None:
            days.last_seen[who] = max(ms, days.last_seen.get(who, ms))
    for key, t in log.completed.items():
        ms = _moment(notes, times, t)
        if ms is not None:
            days.completed[key] = min(ms, days.completed.get(key, ms))


def _moment(notes: Sequence[tuple[int, int, bool]], times: Sequence[int], t: int) -> int | None:
    """When log time `t` was: by the last wall clock before it, and not before a receipt since then."""
    earliest = None
    for said_t, said_ms, by_wall in reversed(notes[: bisect_right(times, t)]):
        ms = said_ms + t - said_t
        earliest = ms if earliest is None else max(ms, earliest)
        if by_wall:
            break
    return earliest


def _mapped(number: int, maps: Maps | None, which: int) -> int | None:
    if maps is None:
        return number
    return maps[which][number] if number < len(maps[which]) else None


@lru_cache(maxsize=512)  # a segment never changes, and the page asks for all of them
def _facts_of_segment(data: bytes) -> _Facts:
    try:
        return _facts(open_segment(data).read())
    except LontarError:
        return _Facts((), {}, {})


def _facts(batch: Batch) -> _Facts:
    seen: dict[int, int] = {}
    completed: dict[tuple[int, int], int] = {}
    for group in batch.groups:
        if reference_count(group.kind) < 2:
            continue
        for start, stop, references in group.runs:
            who, pack = references[:2]
            seen[who] = max(group.ts[stop - 1], seen.get(who, 0))
            if group.kind == CourseCompleted.number:
                completed[who, pack] = min(group.ts[start], completed.get((who, pack), group.ts[start]))
    return _Facts(tuple(_notes(batch)), seen, completed)


def _notes(batch: Batch) -> Iterable[tuple[int, int, bool]]:
    for entry in batch.of_kinds({ClockObserved.number, AnchorNoted.number}):
        if entry.kind == ClockObserved.number:
            yield entry.t, ClockObserved.from_fields(entry.fields).wall_ms, True
        else:
            yield entry.t, AnchorNoted.from_fields(entry.fields).hub_s * 1000, False


def _pending(db: sqlite3.Connection) -> Batch:
    rows = db.execute("SELECT seq, kind, t, fields FROM pending ORDER BY seq")
    return batch_of([Entry(seq, kind, t, tuple(cbor.decode(fields))) for seq, kind, t, fields in rows])
