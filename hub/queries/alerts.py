"""What needs a person's eye, newest first, with the device and village that it is about; and what no longer does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, not_, or_, select

from hub import schema
from hub.alerts import AHEAD, UNREADABLE
from hub.alerts import FORK as FORK
from hub.places import within

_a: Final = schema.alerts
_s: Final = schema.segments


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert that is over and that nobody has handled ended by itself."""

    pk: int
    kind: str
    first_ms: int
    device: bytes
    village: str
    is_open: bool
    handled_ms: int | None
    handled_by: str | None


def count(connection: Connection, is_open: bool = True, kind: str | None = None) -> int:
    query = select(func.count()).select_from(_a).where(_open() if is_open else not_(_open()))
    if kind is not None:
        query = query.where(_a.c.kind == kind)
    return int(connection.execute(query).scalar_one())


def count_by_kind(connection: Connection) -> dict[str, float]:
    """How many are open, of each kind of which there are any."""
    query = (
        select(_a.c.kind, func.count().label("alerts"))
        .where(_open())
        .group_by(_a.c.kind)
        .order_by(_a.c.kind)
    )
    return {row.kind: row.alerts for row in connection.execute(query)}


def listed(
    connection: Connection,
    most: int,
    skip: int = 0,
    device: int | None = None,
    is_open: bool = True,
    kind: str | None = None,
) -> list[AlertRow]:
    """The newest alerts that are open (or those that are over), of one device or of all, of one kind or of any."""
    query = _with_devices().where(_open() if is_open else not_(_open()))
    if device is not None:
        query = query.where(_a.c.device == device)
    if kind is not None:
        query = query.where(_a.c.kind == kind)
    query = query.order_by(_a.c.first_ms.desc(), _a.c.pk.desc()).limit(most).offset(skip)
    return [_row(row) for row in connection.execute(query)]


def following(
    connection: Connection, region: str, is_open: bool | None, after: int, most: int
) -> list[AlertRow]:
    """Alerts of a region (open ones, those that are over, or None: all), those after the one numbered `after`."""
    query = _with_devices().where(within(region), _a.c.pk > after)
    if is_open is not None:
        query = query.where(_open() if is_open else not_(_open()))
    return [_row(row) for row in connection.execute(query.order_by(_a.c.pk).limit(most))]


def _with_devices() -> Select[Any]:
    d = schema.devices.c
    columns = (d.device.label("device_id"), d.village, _open().label("is_open"))
    return select(_a, *columns).join(schema.devices, d.pk == _a.c.device)


def _row(row: Any) -> AlertRow:
    device, is_open = bytes(row.device_id), bool(row.is_open)
    about = (device, row.village, is_open, row.handled_ms, row.handled_by)
    return AlertRow(row.pk, row.kind, row.first_ms, *about)


def _open() -> ColumnElement[bool]:
    """Nobody has dealt with it, and its cause isn't gone."""
    was_read = _held(_s.c.id == _a.c.subject, _s.c.state == schema.MERGED)
    # A device names the beginning of an id.
    came_again = _held(
        func.substr(_s.c.id, 1, func.length(_a.c.subject)) == _a.c.subject, _s.c.branch.is_not(None)
    )
    is_over = or_(
        _a.c.handled_ms.is_not(None),
        and_(_a.c.kind == UNREADABLE, was_read),
        and_(_a.c.kind == AHEAD, came_again),
    )
    return not_(is_over)


def _held(*conditions: Any) -> ColumnElement[bool]:
    """Whether this hub holds such a segment of the alert's device."""
    query = select(_s.c.pk).join(schema.logs, schema.logs.c.pk == _s.c.log)
    return exists(query.where(schema.logs.c.device == _a.c.device, *conditions).correlate(_a))
