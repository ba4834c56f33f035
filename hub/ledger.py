"""Which bundles are on the road, and which arrived. Owns bundles, parts and custody.

A bundle is first heard of when its writer's log mentions it, when a courier says that it carries it, or when a part
of it arrives; whichever comes first. It has arrived when all its parts have, or when a receipt covers what was in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from hub import downlink, schema
from hub.db import insert_or_ignore
from sync.bundle import BUNDLE_ID, Head
from sync.courier import Note
from sync.decisions import BundleReceived
from sync.sealing import KEY_ID

OVERDUE_MS: Final = 21 * 24 * 3600 * 1000
"""A bundle that was mentioned this long ago and hasn't arrived is overdue."""

_b: Final = schema.bundles
_p: Final = schema.parts
_c: Final = schema.custody


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One bundle as operators see it; times are milliseconds since 1970 by the hub's clock."""

    bundle: bytes
    device: bytes | None
    village: str
    parts: int
    received: int
    noted_ms: int
    complete_ms: int | None
    couriers: tuple[str, ...]

    def is_overdue(self, now_ms: int) -> bool:
        return self.complete_ms is None and self.noted_ms < now_ms - OVERDUE_MS


def note_written(connection: Connection, bundle: bytes, device: int, now_ms: int) -> None:
    """This device put the bundle on a stick."""
    _mention(connection, bundle, now_ms)
    connection.execute(update(_b).where(_b.c.bundle == bundle, _b.c.device.is_(None)).values(device=device))


def note_covered(connection: Connection, bundle: bytes, device: int, now_ms: int) -> None:
    """A merged log says so of a bundle of its device: everything that was in it has arrived, on whatever road."""
    if len(bundle) != BUNDLE_ID:
        return
    note_written(connection, bundle, device, now_ms)
    here = (_b.c.bundle == bundle, _b.c.device == device, _b.c.complete_ms.is_(None))
    connection.execute(update(_b).where(*here).values(complete_ms=now_ms))


def note_custody(connection: Connection, courier: int, notes: Iterable[Note], now_ms: int) -> None:
    """A courier says what it carries."""
    for note in notes:
        _mention(connection, note.bundle, now_ms)
        row = {
            "courier": courier,
            "bundle": note.bundle,
            "idx": note.index,
            "seen_s": note.seen_s,
            "noted_ms": now_ms,
        }
        connection.execute(insert_or_ignore(connection, _c).values(**row).on_conflict_do_nothing())


def missing(connection: Connection, ids: list[bytes]) -> list[bool]:
    """Which of these parts, named by the first bytes of their hash, haven't arrived."""
    size = len(ids[0]) if ids else 0
    held = set()
    for at in range(0, len(ids), 400):
        query = select(_p.c.part).where(func.substr(_p.c.part, 1, size).in_(ids[at : at + 400]))
        held |= {bytes(part)[:size] for part in connection.execute(query).scalars()}
    return [id_ not in held for id_ in ids]


def holds(connection: Connection, part: bytes) -> bool:
    return connection.execute(select(_p.c.idx).where(_p.c.part == part)).first() is not None


def note_arrival(connection: Connection, part: bytes, head: Head, device: int, now_ms: int) -> None:
    """A part was taken in. When it was the last one, the village is told."""
    known = select(_p.c.part).where(_p.c.bundle == head.bundle, _p.c.idx == head.index)
    again = connection.execute(known).first() is not None
    statement = insert_or_ignore(connection, _p).values(
        part=part, bundle=head.bundle, idx=head.index, received_ms=now_ms
    )
    # Two couriers may bring the same part at the same moment.
    statement = statement.on_conflict_do_nothing().returning(_p.c.part)
    is_new = connection.execute(statement).first() is not None
    note_written(connection, head.bundle, device, now_ms)
    if again or not is_new:
        return
    here = _b.c.bundle == head.bundle
    connection.execute(update(_b).where(here).values(parts=head.count, received=_b.c.received + 1))
    row = connection.execute(select(_b.c.received, _b.c.parts).where(here)).one()
    if row.received == row.parts:
        connection.execute(update(_b).where(here, _b.c.complete_ms.is_(None)).values(complete_ms=now_ms))
        village = select(schema.devices.c.village).where(schema.devices.c.pk == device)
        scope = connection.execute(village).scalar_one()
        downlink.decide(connection, scope, BundleReceived(head.bundle, row.received, row.parts), now_ms)


def listed(
    connection: Connection, within: ColumnElement[bool], most: int, skip: int = 0
) -> list[LedgerRow]:
    """Bundles of devices for which `within` holds, those that haven't arrived first, the oldest first."""
    query = _which(within)
    query = query.order_by(_b.c.complete_ms.desc().nulls_first(), _b.c.noted_ms, _b.c.bundle)
    return _rows(connection, query.limit(most).offset(skip))


def after(connection: Connection, within: ColumnElement[bool], bundle: bytes, most: int) -> list[LedgerRow]:
    """Bundles whose ids come after `bundle`, by their ids."""
    query = _which(within).where(_b.c.bundle > bundle).order_by(_b.c.bundle).limit(most)
    return _rows(connection, query)


def _which(within: ColumnElement[bool]) -> Select[Any]:
    devices = schema.devices
    return (
        select(
            _b.c.bundle,
            devices.c.device,
            devices.c.village,
            _b.c.parts,
            _b.c.received,
            _b.c.noted_ms,
            _b.c.complete_ms,
        )
        .join(devices, devices.c.pk == _b.c.device, isouter=True)
        .where(within)
    )


def _rows(connection: Connection, query: Select[Any]) -> list[LedgerRow]:
    rows = connection.execute(query).all()
    carried: dict[bytes, list[str]] = {}
    names = select(_c.c.bundle, schema.couriers.c.name).distinct()
    names = names.join(schema.couriers, schema.couriers.c.pk == _c.c.courier)
    for bundle, name in connection.execute(names.where(_c.c.bundle.in_([row.bundle for row in rows]))):
        carried.setdefault(bytes(bundle), []).append(name)
    return [
        LedgerRow(
            bytes(row.bundle),
            row.device,
            row.village or "",
            row.parts,
            row.received,
            row.noted_ms,
            row.complete_ms,
            tuple(sorted(carried.get(bytes(row.bundle), []))),
        )
        for row in rows
    ]


def count(connection: Connection, within: ColumnElement[bool]) -> int:
    devices = schema.devices
    query = select(func.count()).select_from(_b).join(devices, devices.c.pk == _b.c.device, isouter=True)
    return int(connection.execute(query.where(within)).scalar_one())


def _mention(connection: Connection, bundle: bytes, now_ms: int) -> None:
    """Make a bundle known, and whose it is if the id of its maker's sealing key tells."""
    sealing_id = bundle[:KEY_ID]
    device = select(schema.devices.c.pk).where(schema.devices.c.sealing_id == sealing_id)
    connection.execute(
        insert_or_ignore(connection, _b)
        .values(
            bundle=bundle,
            device=connection.execute(device.order_by(schema.devices.c.pk).limit(1)).scalar(),
            parts=0,
            received=0,
            noted_ms=now_ms,
        )
        .on_conflict_do_nothing()
    )
