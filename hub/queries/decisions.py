"""What waits for an operator's decision: forks with their heads, what is kept apart, what was rejected, and what was decided lately.

Waiting devices, late sticks and likely duplicates have queries of their own (`devices`, `bundles`, `duplicates`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, literal, select

from hub import schema
from hub.queries import alerts
from hub.queries.alerts import AlertRow

_s: Final = schema.segments
_d: Final = schema.devices
# Written into the statement, so that SQLite can use the indexes that hold only these rows.
APART: Final[ColumnElement[bool]] = _s.c.state == literal(schema.QUARANTINED, literal_execute=True)
REJECTED: Final[ColumnElement[bool]] = _s.c.rejected == literal(1, literal_execute=True)


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest segment of one of the copies, signed by the device; `received_ms` by the hub's clock."""

    index: int
    id: bytes
    received_ms: int


@dataclass(frozen=True, slots=True)
class Fork:
    """An open alert about a fork, with the end of each copy, the longest first."""

    alert: AlertRow
    tips: tuple[Tip, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Entries of one device that don't count: kept apart until somebody decides, or rejected."""

    device: bytes
    village: str
    state: str
    entries: int
    newest_ms: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One decision about entries of one device that were kept apart; `decided_by` may be empty."""

    device: bytes
    village: str
    accepted: bool
    entries: int
    decided_ms: int
    decided_by: str


def forks(connection: Connection, most: int) -> list[Fork]:
    """The newest forks that nobody has dealt with. Two statements."""
    rows = alerts.listed(connection, most, kind=alerts.FORK)
    tips = _tips(connection, [row.pk for row in rows])
    return [Fork(row, tuple(tips.get(row.pk, ()))) for row in rows]


def count_kept(connection: Connection, which: ColumnElement[bool]) -> int:
    """How many devices have entries that don't count: `APART` or `REJECTED`."""
    query = _of_devices(which, func.count(_d.c.pk.distinct()))
    return int(connection.execute(query).scalar_one())


def kept(connection: Connection, which: ColumnElement[bool], most: int) -> list[Kept]:
    """Devices with entries that don't count, those with the newest first."""
    newest = func.max(_s.c.received_ms)
    query = _of_devices(which, _d.c.device, _d.c.village, _d.c.state, func.sum(_s.c.count), newest)
    query = query.group_by(_d.c.pk, _d.c.device, _d.c.village, _d.c.state).order_by(newest.desc(), _d.c.pk)
    return [
        Kept(bytes(device), village, state, int(entries), newest_ms)
        for device, village, state, entries, newest_ms in connection.execute(query.limit(most))
    ]


def judged(connection: Connection, most: int) -> list[Judged]:
    """The newest decisions about what was kept apart, also those that a later one turned round. One statement."""
    j = schema.judgements.c
    same = (_d.c.device, _d.c.village, j.accepted, j.decided_ms, j.decided_by)
    query = select(*same, func.sum(j.entries).label("entries"))
    query = query.join_from(schema.judgements, _d, _d.c.pk == j.device).group_by(_d.c.pk, *same)
    query = query.order_by(j.decided_ms.desc(), func.max(j.pk).desc()).limit(most)
    return [
        Judged(
            bytes(row.device),
            row.village,
            bool(row.accepted),
            int(row.entries),
            row.decided_ms,
            row.decided_by,
        )
        for row in connection.execute(query)
    ]


def _of_devices(which: ColumnElement[bool], *columns: Any) -> Any:
    """Of devices that wait to be let in, everything is kept apart; that is decided with the device."""
    query = select(*columns).select_from(_s).join(schema.logs, schema.logs.c.pk == _s.c.log)
    query = query.join(_d, _d.c.pk == schema.logs.c.device)
    return query.where(which, _d.c.state.not_in(("waiting", "refused")))


def _tips(connection: Connection, forked: Collection[int]) -> dict[int, list[Tip]]:
    """By alert, the ends of the log that forked where the alert says."""
    a, logs, b, tip = schema.alerts, schema.logs, schema.branches, _s.alias()
    query = (
        select(a.c.pk, b.c.tip_idx, b.c.tip_id, tip.c.received_ms)
        .select_from(a)
        .join(logs, logs.c.device == a.c.device)
        .join(_s, and_(_s.c.log == logs.c.pk, _s.c.id == a.c.subject))
        .join(b, b.c.log == logs.c.pk)
        .join(tip, and_(tip.c.log == b.c.log, tip.c.idx == b.c.tip_idx, tip.c.id == b.c.tip_id))
        .where(a.c.pk.in_(list(forked)))
        .order_by(b.c.tip_idx.desc(), b.c.tip_id)
    )
    found: dict[int, list[Tip]] = {}
    for pk, index, id_, received_ms in connection.execute(query):
        found.setdefault(pk, []).append(Tip(index, bytes(id_), received_ms))
    return found
