"""What needs a person's eye, newest first, with the device and village that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from hub import schema

_a: Final = schema.alerts


@dataclass(frozen=True, slots=True)
class AlertRow:
    kind: str
    first_ms: int
    device: bytes
    village: str


def count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(_a)).scalar_one())


def listed(connection: Connection, most: int, skip: int = 0, device: int | None = None) -> list[AlertRow]:
    """The newest alerts, of one device or of all."""
    query = select(_a.c.kind, _a.c.first_ms, schema.devices.c.device, schema.devices.c.village).join(
        schema.devices, schema.devices.c.pk == _a.c.device
    )
    if device is not None:
        query = query.where(_a.c.device == device)
    query = query.order_by(_a.c.first_ms.desc(), _a.c.pk.desc()).limit(most).offset(skip)
    return [
        AlertRow(row.kind, row.first_ms, bytes(row.device), row.village)
        for row in connection.execute(query)
    ]
