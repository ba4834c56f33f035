"""Stores verified segments where they belong in the tree of their log. Owns logs, branches and segments.

A segment whose parent is missing waits as a gap and is attached when the parent comes, with everything
that waits behind it. A second child of one parent opens a new branch: both count, and an alert is raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from hub import alerts, schema
from hub.db import insert_or_ignore
from sync.log import NOTHING, Head, Parent, Placement, place
from sync.segment import Segment, open_segment

_s: Final = schema.segments
_b: Final = schema.branches


@dataclass(frozen=True, slots=True)
class LogRow:
    """A log as this hub knows it, and the device that writes it."""

    pk: int
    log: bytes
    device: int
    public_key: bytes
    device_state: str


@dataclass(frozen=True, slots=True)
class Tip:
    """The end of a branch, and whether its log has others."""

    head: Head
    is_forked: bool


_l: Final = schema.logs

# Statements that every sync runs are built once: building one costs more than running it.
_LOG_QUERY: Final = select(
    _l.c.pk, _l.c.log, _l.c.device, schema.devices.c.public_key, schema.devices.c.state
).join(schema.devices, schema.devices.c.pk == _l.c.device)
_LOG: Final = _LOG_QUERY.where(_l.c.log == bindparam("log"))
_LOG_LOCKED: Final = _LOG.with_for_update(of=_l)
_PK_LOCKED: Final = select(_l.c.pk).where(_l.c.log == bindparam("log")).with_for_update()

# A segment's parent, itself, and what waits for it.
_AROUND: Final = (
    select(_s.c.pk, _s.c.idx, _s.c.branch, _s.c.first_seq, _s.c.count, _b.c.tip_id)
    .join(_b, _b.c.pk == _s.c.branch, isouter=True)
    .where(
        _s.c.log == bindparam("log"),
        or_(
            and_(
                _s.c.idx == bindparam("before"), _s.c.id == bindparam("previous"), _s.c.branch.is_not(None)
            ),
            and_(_s.c.idx == bindparam("index"), _s.c.id == bindparam("id")),
            and_(_s.c.idx == bindparam("after"), _s.c.branch.is_(None)),
        ),
    )
)
_EXTEND: Final = (
    update(_b)
    .where(_b.c.pk == bindparam("branch"))
    .values(tip_idx=bindparam("index"), tip_id=bindparam("id"))
)
_STORE: Final = insert(_s)

_all: Final = _b.alias()
_branches: Final = select(func.count()).where(_all.c.log == bindparam("log")).scalar_subquery()
_TIP: Final = (
    select(_l.c.log, _b.c.tip_idx, _b.c.tip_id, _branches)
    .join(_s, _s.c.branch == _b.c.pk)
    .join(_l, _l.c.pk == _b.c.log)
    .where(
        _s.c.log == bindparam("log"),
        _s.c.idx == bindparam("index"),
        _s.c.id >= bindparam("from_id"),
        _s.c.id < bindparam("to_id"),
    )
)
# Ties go to the smallest id, so that all hubs agree.
_LONGEST: Final = (
    select(_b.c.tip_idx, _b.c.tip_id, _branches)
    .where(_b.c.log == bindparam("log"))
    .order_by(_b.c.tip_idx.desc(), _b.c.tip_id)
    .limit(1)
)


def find_log(connection: Connection, log: bytes) -> LogRow | None:
    row = connection.execute(_LOG, {"log": log}).one_or_none()
    return None if row is None else LogRow(*row)


def find_log_locked(connection: Connection, log: bytes) -> LogRow | None:
    """As `find_log`; until the transaction ends nobody else stores into this log or merges it."""
    row = connection.execute(_LOG_LOCKED, {"log": log}).one_or_none()
    return None if row is None else LogRow(*row)


def find_log_of_device(connection: Connection, prefix: bytes, device: int) -> LogRow | None:
    """The log of `device` whose id begins with `prefix`."""
    query = _LOG_QUERY.where(_l.c.device == device, *begins_with(_l.c.log, prefix))
    row = connection.execute(query).first()
    return None if row is None else LogRow(*row)


def begins_with(column: Any, prefix: bytes) -> list[Any]:
    """Conditions that find byte strings by their beginning, with the help of an index."""
    return [column >= prefix, column < after(prefix)]


def after(prefix: bytes) -> bytes:
    """What is larger than everything that begins with `prefix`."""
    next_one = (int.from_bytes(prefix, "big") + 1).to_bytes(len(prefix) + 1, "big")
    return next_one[1:] if next_one[0] == 0 else b"\xff" * (len(prefix) + 32)


def open_log(connection: Connection, log: bytes, device: int) -> int:
    """Make a log known, locked as by `find_log_locked`; returns its number here."""
    # Two requests may open the same log at once.
    made = insert_or_ignore(connection, _l).values(log=log, device=device)
    connection.execute(made.on_conflict_do_nothing())
    return int(connection.execute(_PK_LOCKED, {"log": log}).scalar_one())


def store(
    connection: Connection, log: LogRow, segment: Segment, quarantined: bool, now_ms: int
) -> Placement:
    """Store a segment whose signature has been verified, in a log that is locked. A repeated one changes nothing.

    Raises:
        MalformedError: it contradicts its parent; nothing was stored.
    """
    placement, is_awaited = _store_one(connection, log, segment, quarantined, now_ms)
    if is_awaited:
        _attach_waiting(connection, log, segment, now_ms)
    return placement


def _store_one(
    connection: Connection, log: LogRow, segment: Segment, quarantined: bool, now_ms: int
) -> tuple[Placement, bool]:
    """(where the segment stands, whether something that waited for it may follow)."""
    place_of = {"before": segment.index - 1, "previous": segment.previous, "index": segment.index}
    around = connection.execute(
        _AROUND, {"log": log.pk, **place_of, "id": segment.id, "after": segment.index + 1}
    ).all()
    by_index = {row.idx: row for row in around}
    held, parent_row = by_index.get(segment.index), by_index.get(segment.index - 1)
    parent = None
    if parent_row is not None:
        parent = Parent(
            segment.index - 1,
            parent_row.first_seq + parent_row.count,
            parent_row.tip_id != segment.previous,
        )
    placement = place(segment, held is not None, parent)
    if placement is Placement.DUPLICATE:
        return placement, False
    branch = _branch_for(connection, log, segment, placement, parent_row)
    state = schema.GAP if branch is None else schema.STORED
    row = {
        "log": log.pk,
        "idx": segment.index,
        "id": segment.id,
        "branch": branch,
        "state": schema.QUARANTINED if quarantined else state,
        "first_seq": segment.first_seq,
        "count": segment.count,
        "received_ms": now_ms,
        "data": segment.data,
    }
    connection.execute(_STORE, row)
    if placement is Placement.FORKS:
        # The place of the fork, not the branch that came second: which one that is depends on the road.
        alerts.raise_alert(connection, alerts.FORK, log.device, segment.previous, now_ms)
    return placement, branch is not None and segment.index + 1 in by_index


def tip_of(connection: Connection, log: int, index: int, id_prefix: bytes) -> Tip | None:
    """The tip of the branch that holds this segment, if it is held contiguously."""
    ids = {"from_id": id_prefix, "to_id": after(id_prefix)}
    row = connection.execute(_TIP, {"log": log, "index": index, **ids}).first()
    return None if row is None else Tip(Head(*row[:3]), row[3] > 1)


def holds(connection: Connection, head: Head) -> bool:
    """Whether this hub holds the segment that a device names, of whatever log, and all before it."""
    query = select(_s.c.pk).join(schema.logs, schema.logs.c.pk == _s.c.log)
    query = query.where(*begins_with(schema.logs.c.log, head.log), _s.c.idx == head.index)
    query = query.where(*begins_with(_s.c.id, head.id or b"\xff"), _s.c.branch.is_not(None))
    return connection.execute(query).first() is not None


def longest_tip(connection: Connection, log: LogRow) -> Tip:
    """The tip of the longest branch."""
    row = connection.execute(_LONGEST, {"log": log.pk}).first()
    if row is None:
        return Tip(Head(log.log, NOTHING, b""), False)
    return Tip(Head(log.log, *row[:2]), row[2] > 1)


def release(connection: Connection, device: int) -> None:
    """Let the quarantined segments of a device count from now on."""
    logs = select(schema.logs.c.pk).where(schema.logs.c.device == device)
    quarantined = (_s.c.log.in_(logs), _s.c.state == schema.QUARANTINED)
    connection.execute(update(_s).where(*quarantined, _s.c.branch.is_not(None)).values(state=schema.STORED))
    connection.execute(update(_s).where(*quarantined).values(state=schema.GAP))


def bytes_held(connection: Connection, device: int) -> int:
    query = (
        select(func.coalesce(func.sum(func.length(_s.c.data)), 0))
        .join(schema.logs, schema.logs.c.pk == _s.c.log)
        .where(schema.logs.c.device == device)
    )
    return int(connection.execute(query).scalar_one())


def _branch_for(
    connection: Connection, log: LogRow, segment: Segment, placement: Placement, parent: Any
) -> int | None:
    """The branch that `segment` continues or opens; None while its parent is missing."""
    if placement is Placement.GAP:
        return None
    if placement is Placement.EXTENDS:
        connection.execute(_EXTEND, {"branch": parent.branch, "index": segment.index, "id": segment.id})
        return int(parent.branch)
    above = parent.branch if placement is Placement.FORKS else None
    tip = {"tip_idx": segment.index, "tip_id": segment.id}
    query = insert(_b).values(log=log.pk, parent=above, **tip).returning(_b.c.pk)
    return int(connection.execute(query).scalar_one())


def _attach_waiting(connection: Connection, log: LogRow, parent: Segment, now_ms: int) -> None:
    """Store again, now with a parent, what waited for `parent`, and what waited for that."""
    attached = [parent]
    while attached:
        parent = attached.pop()
        query = select(_s.c.pk, _s.c.data, _s.c.state, _s.c.rejected).where(
            _s.c.log == log.pk, _s.c.idx == parent.index + 1, _s.c.branch.is_(None)
        )
        for pk, data, state, rejected in connection.execute(query.order_by(_s.c.id)).all():
            child = open_segment(data)
            if child.previous != parent.id:
                continue
            connection.execute(_s.delete().where(_s.c.pk == pk))
            _, is_awaited = _store_one(connection, log, child, state == schema.QUARANTINED, now_ms)
            if rejected:
                same = (_s.c.log == log.pk, _s.c.idx == child.index, _s.c.id == child.id)
                connection.execute(update(_s).where(*same).values(rejected=rejected))
            if is_awaited:
                attached.append(child)
