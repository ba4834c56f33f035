"""The branches of other devices' logs on this disk, and what the hub is known to hold of each.

A laptop passes on what it took from a neighbour or a stick, until the hub has confirmed it. A log that forked has several
ends, and each goes out by itself. Owns `confirmed` of history and `lowered_ms` of history_logs; works inside its caller's
transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from node import logs
from sync.client import LogToSend
from sync.entries import LearnerAdded, ProfileChanged
from sync.errors import LontarError
from sync.exchange import SHORT_ID
from sync.log import NOTHING, Head, Status
from sync.segment import Segment, open_segment

_PLACE: Final = "log = ? AND idx = ? AND id = ?"


def tips(db: sqlite3.Connection, log: bytes | None = None) -> list[Head]:
    """The ends of all branches of other devices' logs, or of one log."""
    query = """SELECT log, idx, id FROM history h WHERE (?1 IS NULL OR log = ?1) AND NOT EXISTS (
                   SELECT 1 FROM history n WHERE n.log = h.log AND n.idx = h.idx + 1 AND n.previous = h.id)
               ORDER BY log, idx, id"""
    return [Head(*row) for row in db.execute(query, (log,)).fetchall()]


def to_pass_on(db: sqlite3.Connection, even_confirmed: bool = False) -> list[LogToSend]:
    """The branches of which this device holds more than the hub is known to.

    With `even_confirmed`, all of them: a hub that lost data is asked what it still has.
    """
    made = []
    listed: set[bytes] = set()
    for tip in tips(db):
        lacking = [
            (head, size)
            for head, size, is_confirmed in reversed(list(_path(db, tip)))
            if not is_confirmed and head.id not in listed
        ]
        # What two branches share goes with the first.
        listed |= {head.id for head, _ in lacking}
        if lacking or even_confirmed:
            held = lacking[0][0].index - 1 if lacking else tip.index
            made.append(LogToSend(tip, held, [(head.index, size) for head, size in lacking]))
    return made


def items(db: sqlite3.Connection, tip: Head, index: int) -> list[bytes]:
    """Profiles and segment at one place of the path to a tip.

    Raises:
        DamagedDatabaseError: the disk no longer holds what was taken.
    """
    for head, _, _ in _path(db, tip):
        if head.index == index:
            query = f"SELECT data FROM history WHERE {_PLACE}"  # noqa: S608
            data = bytes(db.execute(query, (head.log, head.index, head.id)).fetchone()[0])
            logs.check_whole(data, head.id, index)
            return [*named_by(db, data), data]
    return []


def note_from_hub(db: sqlite3.Connection, segment: Segment) -> None:
    """The hub itself brought this segment."""
    _confirm(db, [Head(segment.log, segment.index, segment.id)])


@dataclass(frozen=True, slots=True)
class Noted:
    """What the hub's word on a path told that was new."""

    confirmed: Head | None = None
    """The end of what it is known to hold since."""
    is_lowered: bool = False
    """It holds less than it once said."""


def note_verdict(db: sqlite3.Connection, head: Head, status: Status, hub_ms: int, answered: bool) -> Noted:
    """The hub's word on a path: it holds that segment and all before it.

    `answered` if it answers this device's own question: then it holds nothing after it either, and of a log that it
    doesn't know, nothing at all. Mail may be older than that. A gap means that it lost what comes before what it was
    sent, and then `head` is the end of another path; by mail, that it lacks `head`, which may be on the road still.
    """
    query = "SELECT log, lowered_ms FROM history_logs WHERE substr(log, 1, ?) = ?"
    row = db.execute(query, (SHORT_ID, head.log)).fetchone()
    if row is None or not (answered or hub_ms >= row[1]):
        return Noted()
    log = row[0]
    tip = _whole(db, log, head)
    path = [] if tip is None else list(_path(db, tip))
    if status is Status.GAP:
        was_held = bool(path) and path[0][2]
        held = {one.id for one, _, _ in path} if answered else set()
        is_lost = answered or was_held
        return Noted(is_lowered=is_lost and _lower(db, log, held, tips(db, log), hub_ms))
    if status not in (Status.STORED, Status.FORK):
        return Noted()
    is_more = not all(is_confirmed for _, _, is_confirmed in path)
    _confirm(db, [one for one, _, _ in path])
    is_lowered = False
    if answered and (tip is not None or head.index == NOTHING):
        beyond = [one for one in tips(db, log) if tip is None or tip in (at for at, _, _ in _path(db, one))]
        is_lowered = _lower(db, log, {one.id for one, _, _ in path}, beyond, hub_ms)
    return Noted(tip if is_more else None, is_lowered)


def last_own_under(db: sqlite3.Connection, pk: int, head: Head) -> int | None:
    """The last segment of this device's log `pk` that a path of it, which came back as history, stands on.

    `head` is as on the wire, with ids cut. None if that end isn't here.
    """
    log = db.execute("SELECT log FROM logs WHERE pk = ?", (pk,)).fetchone()[0]
    tip = _whole(db, log, head)
    if tip is None:
        return None
    first = list(_path(db, tip))[-1][0]
    query = f"SELECT previous FROM history WHERE {_PLACE}"  # noqa: S608
    parent = db.execute(query, (first.log, first.index, first.id)).fetchone()[0]
    return first.index - 1 if logs.holds(db, Head(log, first.index - 1, parent)) else None


def _whole(db: sqlite3.Connection, log: bytes, head: Head) -> Head | None:
    """The segment of `log` here that a head on the wire, with its id cut, names."""
    query = "SELECT id FROM history WHERE log = ? AND idx = ? AND substr(id, 1, ?) = ?"
    found = db.execute(query, (log, head.index, SHORT_ID, head.id)).fetchone()
    return None if found is None else Head(log, head.index, found[0])


def named_by(db: sqlite3.Connection, data: bytes) -> list[bytes]:
    """The profiles here that the entries of a segment commit to."""
    try:
        entries = open_segment(data).read().of_kinds({LearnerAdded.number, ProfileChanged.number})
    except LontarError:
        return []
    found = (
        logs.profile_by(db, entry.fields[-1]) for entry in entries if isinstance(entry.fields[-1], bytes)
    )
    return [profile for profile in found if profile is not None]


def _path(db: sqlite3.Connection, tip: Head) -> Iterator[tuple[Head, int, bool]]:
    """(head, size in bytes, whether the hub holds it) of a tip and of all before it that are here, backwards."""
    at = tip
    query = f"SELECT previous, length(data), confirmed FROM history WHERE {_PLACE}"  # noqa: S608
    while (row := db.execute(query, (at.log, at.index, at.id)).fetchone()) is not None:
        yield at, row[1], bool(row[2])
        at = Head(at.log, at.index - 1, row[0])


def _confirm(db: sqlite3.Connection, heads: Iterable[Head]) -> None:
    query = f"UPDATE history SET confirmed = 1 WHERE {_PLACE}"  # noqa: S608
    db.executemany(query, [(head.log, head.index, head.id) for head in heads])


def _lower(
    db: sqlite3.Connection, log: bytes, held: set[bytes], paths: Iterable[Head], hub_ms: int
) -> bool:
    """Of these paths the hub holds nothing but the segments `held`: what it had confirmed there is to be sent again."""
    lost = {
        head.id
        for tip in paths
        for head, _, is_confirmed in _path(db, tip)
        if is_confirmed and head.id not in held
    }
    if lost:
        db.execute("UPDATE history_logs SET lowered_ms = ? WHERE log = ?", (hub_ms, log))
        db.executemany(
            "UPDATE history SET confirmed = 0 WHERE log = ? AND id = ?", [(log, id_) for id_ in lost]
        )
    return bool(lost)
