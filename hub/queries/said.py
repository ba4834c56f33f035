"""What this hub has said in one scope, with when, the newest first. Reads no more segments than a page needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import Connection, func, select

from hub import schema
from sync import cbor
from sync.decisions import HubLogOpened, read_decision
from sync.entries import Entry, Kind
from sync.segment import open_segment

_logs: Final = schema.hub_logs
_segments: Final = schema.hub_segments
_pending: Final = schema.hub_pending


@dataclass(frozen=True, slots=True)
class Said:
    """One decision. `hub_ms` is None while it waits for the first device of its scope to ask."""

    kind: Kind
    hub_ms: int | None


def count(connection: Connection, scope: str) -> int:
    """How many decisions stand in a scope, without opening one."""
    waiting = select(func.count()).select_from(_pending).where(_pending.c.scope == scope)
    # The first entry of a log only says that it was opened.
    sealed = select(func.coalesce(func.sum(_logs.c.end_seq - 1), 0)).where(_logs.c.scope == scope)
    return int(connection.execute(waiting).scalar_one() + connection.execute(sealed).scalar_one())


def in_scope(connection: Connection, scope: str, most: int, skip: int = 0) -> list[Said]:
    return list(islice(_newest_first(connection, scope), skip, skip + most))


def _newest_first(connection: Connection, scope: str) -> Iterator[Said]:
    waiting = select(_pending).where(_pending.c.scope == scope).order_by(_pending.c.pk.desc())
    for row in connection.execute(waiting).all():
        yield from _said(Entry(-1, row.kind, 0, tuple(cbor.decode(row.fields))), None)
    logs = select(_logs).where(_logs.c.scope == scope).order_by(_logs.c.pk.desc())
    for log in connection.execute(logs).all():
        for index in range(log.tip_idx, -1, -1):
            query = select(_segments.c.data).where(_segments.c.log == log.pk, _segments.c.idx == index)
            data = connection.execute(query).scalar_one()
            for entry in reversed(list(open_segment(data).read().entries())):
                yield from _said(entry, log.opened_ms + entry.t)


def _said(entry: Entry, hub_ms: int | None) -> Iterator[Said]:
    decision = read_decision(entry)
    if decision is not None and not isinstance(decision, HubLogOpened):
        yield Said(decision, hub_ms)
