"""What needs a person's eye, each thing once however often it happens. Owns the table alerts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, insert, select

from hub.schema import alerts

FORK: Final = "fork"
UNREADABLE: Final = "unreadable"
BEHIND: Final = "behind"


def raise_alert(connection: Connection, kind: str, device: int, subject: bytes, now_ms: int) -> None:
    same = (alerts.c.kind == kind, alerts.c.device == device, alerts.c.subject == subject)
    if connection.execute(select(alerts.c.pk).where(*same)).first() is None:
        connection.execute(
            insert(alerts).values(kind=kind, device=device, subject=subject, first_ms=now_ms)
        )
