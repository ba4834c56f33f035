"""Devices as operators see them, with what they sent and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from hub import schema
from hub.queries.regions import heard_ms, within

SILENT_MS: Final = 14 * 24 * 3600 * 1000
"""A registered device that wasn't heard of for this long is silent."""
CLOCK_TOLERANCE_MS: Final = 15 * 60 * 1000
"""A slow upload alone makes a clock look a few minutes late."""
SILENT: Final = "silent"

_d: Final = schema.devices
_s: Final = schema.segments
_HELD: Final = {
    schema.MERGED: "merged",
    schema.STORED: "stored",
    schema.GAP: "gap",
    schema.UNREADABLE: "unreadable",
    schema.QUARANTINED: "quarantined",
}


@dataclass
class Held:
    """Entries that the hub holds, by what became of them."""

    merged: int = 0
    stored: int = 0
    gap: int = 0
    unreadable: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class DeviceRow:
    """One device; times are milliseconds since 1970 by the hub's clock."""

    pk: int
    device: bytes
    village: str
    state: str
    first_seen_ms: int
    registered_ms: int | None
    last_contact_ms: int | None
    last_stick_ms: int | None
    last_wall_s: int | None
    held: Held

    @property
    def clock_off_ms(self) -> int | None:
        """How far ahead the device's clock was at the last contact; None if it was right or isn't known."""
        if self.last_wall_s is None or self.last_contact_ms is None:
            return None
        off = self.last_wall_s * 1000 - self.last_contact_ms
        return off if abs(off) > CLOCK_TOLERANCE_MS else None

    @property
    def heard_ms(self) -> int | None:
        """When it was last heard of, on any road."""
        return max(self.last_contact_ms or 0, self.last_stick_ms or 0) or None

    @property
    def came_by_stick(self) -> bool:
        return (self.last_stick_ms or 0) > (self.last_contact_ms or 0)

    def is_silent(self, now_ms: int) -> bool:
        heard = self.heard_ms or self.registered_ms or self.first_seen_ms
        return self.state == "registered" and heard < now_ms - SILENT_MS


@dataclass(frozen=True)
class LogRow:
    """One log of a device with its tips (index, id); more than one after a fork."""

    log: bytes
    segments: int
    entries: int
    tips: tuple[tuple[int, bytes], ...]


_COLUMNS: Final = (
    _d.c.pk,
    _d.c.device,
    _d.c.village,
    _d.c.state,
    _d.c.first_seen_ms,
    _d.c.registered_ms,
    _d.c.last_contact_ms,
    _d.c.last_stick_ms,
    _d.c.last_wall_s,
)


def in_state(state: str, now_ms: int) -> ColumnElement[bool]:
    """That a device is in `state`, which may be `SILENT` or "" for any."""
    if state == SILENT:
        heard = func.coalesce(heard_ms(), _d.c.registered_ms, _d.c.first_seen_ms)
        return (_d.c.state == "registered") & (heard < now_ms - SILENT_MS)
    return _d.c.state == state if state else true()


def count(connection: Connection, state: str, now_ms: int) -> int:
    query = select(func.count()).select_from(_d).where(in_state(state, now_ms))
    return int(connection.execute(query).scalar_one())


def listed(connection: Connection, state: str, now_ms: int, most: int, skip: int = 0) -> list[DeviceRow]:
    """Devices in `state`, the longest silent ones first."""
    query = select(*_COLUMNS).where(in_state(state, now_ms))
    query = query.order_by(heard_ms().asc().nulls_first(), _d.c.pk).limit(most).offset(skip)
    return _rows(connection, query)


def following(
    connection: Connection, region: str, state: str, now_ms: int, after: int, most: int
) -> list[DeviceRow]:
    """Devices of a region in `state`, those that came after the one numbered `after`."""
    query = select(*_COLUMNS).where(within(region), in_state(state, now_ms), _d.c.pk > after)
    return _rows(connection, query.order_by(_d.c.pk).limit(most))


def by_village(connection: Connection, region: str, key: tuple[str, int], most: int) -> list[DeviceRow]:
    """Devices of a region by village and number, those that come after `key`."""
    village, number = key
    beyond = or_(_d.c.village > village, (_d.c.village == village) & (_d.c.pk > number))
    query = select(*_COLUMNS).where(within(region), _d.c.village >= village, beyond)
    return _rows(connection, query.order_by(_d.c.village, _d.c.pk).limit(most))


def of_village(connection: Connection, village: str, most: int) -> list[DeviceRow]:
    return _rows(connection, select(*_COLUMNS).where(within(village)).order_by(_d.c.pk).limit(most))


def find(connection: Connection, device: bytes) -> DeviceRow | None:
    return next(iter(_rows(connection, select(*_COLUMNS).where(_d.c.device == device))), None)


def logs(connection: Connection, device: int) -> list[LogRow]:
    """The logs of a device, the oldest first, each with its longest tip first."""
    of_device = (schema.logs.c.device == device,)
    query = (
        select(schema.logs.c.pk, schema.logs.c.log, func.count(_s.c.pk), func.sum(_s.c.count))
        .outerjoin(_s, _s.c.log == schema.logs.c.pk)
        .where(*of_device)
        .group_by(schema.logs.c.pk, schema.logs.c.log)
        .order_by(schema.logs.c.pk)
    )
    rows = connection.execute(query).all()
    b = schema.branches
    query_tips = (
        select(b.c.log, b.c.tip_idx, b.c.tip_id)
        .join(schema.logs, schema.logs.c.pk == b.c.log)
        .where(*of_device)
        .order_by(b.c.tip_idx.desc(), b.c.tip_id)
    )
    tips: dict[int, list[tuple[int, bytes]]] = {}
    for row in connection.execute(query_tips):
        tips.setdefault(row.log, []).append((row.tip_idx, bytes(row.tip_id)))
    return [
        LogRow(bytes(log), segments, entries or 0, tuple(tips.get(pk, ())))
        for pk, log, segments, entries in rows
    ]


def _rows(connection: Connection, query: Any) -> list[DeviceRow]:
    rows = connection.execute(query).all()
    held = _held(connection, [row.pk for row in rows])
    return [DeviceRow(held=held[row.pk], **row._mapping) for row in rows]


def _held(connection: Connection, pks: Sequence[int]) -> dict[int, Held]:
    found = {pk: Held() for pk in pks}
    if not pks:
        return found
    query = (
        select(schema.logs.c.device, _s.c.state, func.sum(_s.c.count))
        .join(schema.logs, schema.logs.c.pk == _s.c.log)
        .where(schema.logs.c.device.in_(pks))
        .group_by(schema.logs.c.device, _s.c.state)
    )
    for device, state, entries in connection.execute(query):
        setattr(found[device], _HELD[state], int(entries))
    return found
