"""What a hub has made of the segments it holds, without its own numbers: for comparing hubs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from hub import schema
from hub.db import reading
from hub.queries import said as said_by_hub
from hub.wiring import Hub
from sync.entries import Kind


def merged_state(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    """Everything merged, keyed by global identities."""
    learners, packs = schema.learners.c, schema.packs.c
    made: dict[str, list[tuple[Any, ...]]] = {}
    with reading(hub.engine) as connection:
        for table in schema.row_tables.values():
            own = [column for column in table.c if column.name not in ("learner", "pack")]
            query = (
                select(learners.learner, packs.manifest_hash, *own)
                .select_from(table)
                .join(schema.learners, learners.pk == table.c.learner)
                .join(schema.packs, packs.pk == table.c.pack)
            )
            made[table.name] = sorted(map(tuple, connection.execute(query)))
        query = select(learners.learner, learners.commitment, learners.profile_seq)
        made["learners"] = sorted(map(tuple, connection.execute(query)))
        notes = schema.clock_notes.c
        query = (
            select(schema.segments.c.id, notes.seq, notes.t, notes.wall_ms, notes.hub_ms)
            .join(schema.segments, schema.segments.c.pk == notes.segment)
            .order_by(schema.segments.c.id, notes.seq)
        )
        made["clock_notes"] = [tuple(row) for row in connection.execute(query)]
        alerts = schema.alerts.c
        query = select(alerts.kind, alerts.subject)
        made["alerts"] = sorted(map(tuple, connection.execute(query)))
    return made


def held(hub: Hub, *states: int) -> int:
    """How many entries are held in these states."""
    with reading(hub.engine) as connection:
        query = select(schema.segments.c.count).where(schema.segments.c.state.in_(states))
        return sum(connection.execute(query).scalars())


def said(hub: Hub, scope: str) -> list[Kind]:
    """What the hub has decided in a scope, in order."""
    with reading(hub.engine) as connection:
        return [one.kind for one in said_by_hub.in_scope(connection, scope, 100_000)[::-1]]
