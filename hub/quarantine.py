"""What devices sent that nobody let in, or that were revoked: looked at, accepted or rejected, wholly or in part.

Rejecting deletes nothing and breaks no path: the entries stay where their device signed them, and add nothing. The
village is told which, and why.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, select, update

from hub import downlink, merge, schema
from hub.db import writing
from hub.errors import NotFoundError
from sync.decisions import EntriesAccepted, EntriesRejected
from sync.entries import ClockObserved
from sync.errors import N_, LontarError
from sync.logclock import Received, WallNote, interval
from sync.segment import open_segment

_s: Final = schema.segments


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
            row.pk,
            bytes(row.log_id),
            row.idx,
            bytes(row.id),
            row.first_seq,
            row._mapping["count"],
            row.received_ms,
            _estimate(bytes(row.data), row.received_ms),
            bool(row.rejected),
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
) -> int:
    """Let some segments count and reject others; what is in neither (it came meanwhile) stays kept apart.

    Returns how many entries were accepted.

    Raises:
        NotFoundError: there is no such device.
    """
    with writing(engine) as connection:
        query = select(schema.devices.c.pk, schema.devices.c.village)
        row = connection.execute(query.where(schema.devices.c.device == device)).one_or_none()
        if row is None:
            raise NotFoundError(N_("Perangkat ini tidak dikenal."))
        total = 0
        for apart in of_device(connection, row.pk):
            is_in = apart.pk in accepted
            if not is_in and apart.pk not in rejected:
                continue
            total += apart.count * is_in
            connection.execute(
                update(_s)
                .where(_s.c.pk == apart.pk)
                .values(state=_released(connection, apart), rejected=int(not is_in))
            )
            said = (
                EntriesAccepted(apart.log, apart.first_seq, apart.count, apart.id)
                if is_in
                else EntriesRejected(apart.log, apart.first_seq, apart.count, reason, apart.id)
            )
            downlink.decide(connection, row.village, said, now_ms)
    merge.merge_waiting(engine)
    return total


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
