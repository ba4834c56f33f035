"""Entries looked up in the logs on this disk, with this device's own numbers, and when they were made.

Reads this device's logs, what waits in them, and the history of others. Writes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from node import logs
from sync import cbor
from sync.entries import AnchorNoted, ClockObserved, Entry, reference_count
from sync.errors import LontarError
from sync.segment import open_segment

_NOTES: Final = {ClockObserved.number, AnchorNoted.number}


def logs_here(db: sqlite3.Connection) -> list[bytes]:
    """The ids of all logs of which something is on this disk, this device's own first."""
    own = [row[0] for row in db.execute("SELECT log FROM logs ORDER BY pk")]
    others = [row[0] for row in db.execute("SELECT DISTINCT log FROM history ORDER BY log")]
    return own + [log for log in others if log not in own]


def excerpt(
    db: sqlite3.Connection, log: bytes, first_seq: int = 0, count: int | None = None
) -> list[Entry]:
    """The entries of a log from `first_seq` on, at most `count`; of a log that forked, those of every branch.

    References are this device's numbers. What can't be read, or isn't here, is left out.
    """
    until = (1 << 62) if count is None else first_seq + count
    found: dict[Entry, None] = {}
    for data, maps in _segments(db, log, first_seq, until):
        try:
            entries = open_segment(data).read().entries()
        except LontarError:
            continue
        found.update(dict.fromkeys(_renumbered(entries, maps)))
    if log == logs.newest(db).log:
        found.update(dict.fromkeys(_pending(db)))
    return sorted((e for e in found if first_seq <= e.seq < until), key=lambda e: (e.seq, e.t))


def moment_of(db: sqlite3.Connection, t: int, log: bytes | None = None) -> int | None:
    """When log time `t` was, in milliseconds since 1970, as far as this device can tell.

    By the last note of the wall clock, and not before a receipt that had already come. `log` is another device's;
    without it the logs of this device are meant.
    """
    earliest = None
    for entry in _notes_backwards(db, t, log):
        if entry.t > t:
            continue
        if entry.kind == ClockObserved.number:
            said = ClockObserved.from_fields(entry.fields).wall_ms + t - entry.t
            return said if earliest is None else max(said, earliest)
        hub_ms = AnchorNoted.from_fields(entry.fields).hub_s * 1000 + t - entry.t
        earliest = hub_ms if earliest is None else max(hub_ms, earliest)
    return earliest


def _notes_backwards(db: sqlite3.Connection, t: int, log: bytes | None) -> Iterator[Entry]:
    """Notes about time, the newest first, beginning not long after `t`."""
    if log is not None:
        rows = db.execute("SELECT data FROM history WHERE log = ? ORDER BY idx DESC, id", (log,)).fetchall()
        for (data,) in rows:
            yield from _notes_in(data)
        return
    yield from reversed([entry for entry in _pending(db) if entry.kind in _NOTES])
    places = db.execute("SELECT log, idx, end_t FROM segments ORDER BY log DESC, idx DESC").fetchall()
    for (pk, index, _), before in zip(places, [*places[1:], None], strict=True):
        if before is not None and before[2] > t:
            continue
        query = "SELECT data FROM segments WHERE log = ? AND idx = ?"
        yield from _notes_in(db.execute(query, (pk, index)).fetchone()[0])


@lru_cache(maxsize=256)  # pages ask for the same few segments again and again
def _notes_in(data: bytes) -> tuple[Entry, ...]:
    try:
        return tuple(open_segment(data).read().of_kinds(_NOTES)[::-1])
    except LontarError:
        return ()


def _segments(
    db: sqlite3.Connection, log: bytes, first_seq: int, until: int
) -> Iterable[tuple[bytes, Sequence[list[int]]]]:
    """(segment, what its numbers of learners and packs mean here; nothing if they mean the same)."""
    span = "first_seq < ?2 AND first_seq + count > ?3"
    query = f"SELECT data FROM segments WHERE log = (SELECT pk FROM logs WHERE log = ?1) AND {span} ORDER BY idx"  # noqa: S608
    own = db.execute(query, (log, until, first_seq)).fetchall()
    query = f"SELECT data, learners, packs FROM history WHERE log = ?1 AND {span} ORDER BY idx, id"  # noqa: S608
    others = db.execute(query, (log, until, first_seq)).fetchall()
    return [(row[0], ()) for row in own] + [
        (data, (cbor.decode(learners), cbor.decode(packs)))
        for data, learners, packs in others
        if learners is not None
    ]


def _renumbered(entries: Sequence[Entry], maps: Sequence[list[int]]) -> Iterator[Entry]:
    for entry in entries:
        fields = list(entry.fields)
        try:
            for at, numbers in enumerate(maps[: reference_count(entry.kind)]):
                fields[at] = numbers[int(fields[at])]
        except IndexError:
            continue
        yield replace(entry, fields=tuple(fields))


def _pending(db: sqlite3.Connection) -> list[Entry]:
    rows = db.execute("SELECT seq, kind, t, fields FROM pending ORDER BY seq").fetchall()
    return [Entry(seq, kind, t, tuple(cbor.decode(fields))) for seq, kind, t, fields in rows]
