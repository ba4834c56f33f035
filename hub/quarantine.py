"""What devices sent that nobody let in, or that were revoked: looked at, accepted or rejected, wholly or in part.

Rejecting deletes nothing and breaks no path: the entries stay where their device signed them, and add nothing. The
village is told which, and why. A decision can be turned round by another one, which is told likewise: the last one
counts, here and in the village. Owns the table judgements.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, and_, func, insert, or_, select, update

from hub import downlink, figures, merge, rebuilding, schema
from hub.db import writing
from hub.errors import NotFoundError
from sync.decisions import EntriesAccepted, EntriesRejected
from sync.entries import ClockObserved
from sync.errors import N_, LontarError
from sync.logclock import Received, WallNote, interval
from sync.segment import open_segment

_s: Final = schema.segments
_j: Final = schema.judgements


@dataclass(frozen=True, slots=True)
class Apart:
    """A segment that is kept apart. `estimate_ms` is when its last entry was made, as far as can be told."""

    pk: int
    log: bytes
    index: int
    id: bytes
    first_seq: int
    count: int
    received_ms: int
    estimate_ms: int | None
    rejected: bool


def of_device(connection: Connection, device: int) -> list[Apart]:
    """What is kept apart of a device, in the order of its logs."""
    query = (
        select(_s, schema.logs.c.log.label("log_id"))
        .join(schema.logs, schema.logs.c.pk == _s.c.log)
        .where(schema.logs.c.device == device, _s.c.state == schema.QUARANTINED)
        .order_by(_s.c.log, _s.c.idx, _s.c.id)
    )
    return [
        Apart(
            *_place(row),
            _estimate(bytes(row.data), row.received_ms),
            bool(row.rejected),
        )
        for row in connection.execute(query)
    ]


def _place(row: Any) -> tuple[int, bytes, int, bytes, int, int, int]:
    """Which segment a row is of, where it stands in its log and when it came: how `Apart` and `Decided` begin."""
    count = row._mapping["count"]  # a row has a method of that name
    return (row.pk, bytes(row.log_id), row.idx, bytes(row.id), row.first_seq, count, row.received_ms)


@dataclass(frozen=True, slots=True)
class Decided:
    """A segment of which somebody decided, and the last decision; `decided_ms` is None if that wasn't written down."""

    pk: int
    log: bytes
    index: int
    id: bytes
    first_seq: int
    count: int
    received_ms: int
    rejected: bool
    reason: str
    decided_ms: int | None
    decided_by: str


def decided(connection: Connection, device: int) -> list[Decided]:
    """What was decided of a device's segments, in the order of its logs. One statement."""
    last = select(_j.c.log, _j.c.segment, func.max(_j.c.pk).label("pk")).where(_j.c.device == device)
    newest = last.group_by(_j.c.log, _j.c.segment).subquery()
    query = (
        select(_s, schema.logs.c.log.label("log_id"), _j.c.reason, _j.c.decided_ms, _j.c.decided_by)
        .join(schema.logs, schema.logs.c.pk == _s.c.log)
        .outerjoin(newest, and_(newest.c.log == _s.c.log, newest.c.segment == _s.c.id))
        .outerjoin(_j, _j.c.pk == newest.c.pk)
        .where(schema.logs.c.device == device, _s.c.state != schema.QUARANTINED)
        .where(or_(_s.c.rejected == 1, _j.c.pk.is_not(None)))
        .order_by(_s.c.log, _s.c.idx, _s.c.id)
    )
    return [
        Decided(
            *_place(row),
            bool(row.rejected),
            row.reason or "",
            row.decided_ms,
            row.decided_by or "",
        )
        for row in connection.execute(query)
    ]


def decide(
    engine: Engine,
    device: bytes,
    accepted: Collection[int],
    rejected: Collection[int],
    reason: str,
    now_ms: int,
    by: str = "",
) -> int:
    """Let some segments count and reject others; what is in neither (it came meanwhile) stays kept apart.

    Returns how many entries were accepted.

    Raises:
        NotFoundError: there is no such device.
    """
    with writing(engine) as connection:
        pk, village = _device(connection, device)
        total = 0
        for apart in of_device(connection, pk):
            is_in = apart.pk in accepted
            if not is_in and apart.pk not in rejected:
                continue
            total += apart.count * is_in
            connection.execute(
                update(_s)
                .where(_s.c.pk == apart.pk)
                .values(state=_released(connection, apart), rejected=int(not is_in))
            )
            _say(connection, pk, village, apart, is_in, reason, now_ms, by)
    merge.merge_waiting(engine)
    return total


def revise(
    engine: Engine,
    device: bytes,
    accepted: Collection[int],
    rejected: Collection[int],
    reason: str,
    now_ms: int,
    by: str = "",
) -> int:
    """Decide otherwise of segments that were decided: everything is as if only the last decision had been made.

    Returns how many entries count differently now; what is decided so already is left alone.

    Raises:
        NotFoundError: there is no such device.
    """
    total = 0
    with writing(engine) as connection:
        pk, village = _device(connection, device)
        before = decided(connection, pk)
        for is_in, chosen in ((True, accepted), (False, rejected)):
            turned = [one for one in before if one.pk in chosen and one.rejected == is_in]
            if not turned:
                continue
            rebuilding.turn(connection, [one.pk for one in turned], is_rejected=not is_in)
            for one in turned:
                _say(connection, pk, village, one, is_in, reason, now_ms, by)
                total += one.count
    figures.refresh(engine)
    return total


def _device(connection: Connection, device: bytes) -> tuple[int, str]:
    query = select(schema.devices.c.pk, schema.devices.c.village)
    row = connection.execute(query.where(schema.devices.c.device == device)).one_or_none()
    if row is None:
        raise NotFoundError(N_("Perangkat ini tidak dikenal."))
    return row.pk, row.village


def _say(
    connection: Connection,
    device: int,
    village: str,
    one: Apart | Decided,
    is_in: bool,
    reason: str,
    now_ms: int,
    by: str,
) -> None:
    """Write a decision down, here and for the village."""
    log = select(schema.logs.c.pk).where(schema.logs.c.log == one.log).scalar_subquery()
    connection.execute(
        insert(_j).values(
            device=device,
            log=log,
            segment=one.id,
            entries=one.count,
            accepted=int(is_in),
            reason="" if is_in else reason,
            decided_ms=now_ms,
            decided_by=by,
        )
    )
    told = (
        EntriesAccepted(one.log, one.first_seq, one.count, one.id)
        if is_in
        else EntriesRejected(one.log, one.first_seq, one.count, reason, one.id)
    )
    downlink.decide(connection, village, told, now_ms)


def _released(connection: Connection, apart: Apart) -> int:
    branch = connection.execute(select(_s.c.branch).where(_s.c.pk == apart.pk)).scalar_one()
    return schema.GAP if branch is None else schema.STORED


def _estimate(data: bytes, received_ms: int) -> int | None:
    try:
        batch = open_segment(data).read()
    except LontarError:
        return None
    walls = [
        WallNote(entry.t, ClockObserved.from_fields(entry.fields).wall_ms)
        for entry in batch.of_kinds({ClockObserved.number})
    ]
    found = interval(batch.ts[-1], [], [Received(batch.ts[-1], received_ms)], walls)
    return None if found is None else found.estimate
