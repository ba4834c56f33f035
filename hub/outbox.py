"""What happened and must be told to webhooks: written in the transaction in which it happened, so that neither is without
the other. Owns webhook_deliveries.

What is told holds no name of a person. Who is told of it counts each id once: it may come twice, and in any order.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    Text,
    and_,
    insert,
    literal,
    or_,
    select,
    update,
)

from hub.schema_api import webhook_deliveries, webhooks

DEVICE_REGISTERED: Final = "device.registered"
DEVICE_REVOKED: Final = "device.revoked"
CERTIFICATE_ISSUED: Final = "certificate.issued"
CERTIFICATE_WITHDRAWN: Final = "certificate.withdrawn"
ALERT_RAISED: Final = "alert.raised"
COURSE_COMPLETED: Final = "course.completed"
KINDS: Final = (
    DEVICE_REGISTERED,
    DEVICE_REVOKED,
    CERTIFICATE_ISSUED,
    CERTIFICATE_WITHDRAWN,
    ALERT_RAISED,
    COURSE_COMPLETED,
)
"""Everything that webhooks can be told of."""

ON: Final = "on"
STOPPED: Final = "stopped"
"""Nothing arrived for days: nothing is told any more until an operator says so."""
ENDED: Final = "ended"

_w: Final = webhooks.c
_d: Final = webhook_deliveries.c


def note(connection: Connection, kind: str, village: str, body: dict[str, Any], now_ms: int) -> None:
    """Write down for every webhook that wants to know it what happened in a village. One statement."""
    told = {
        "type": kind,
        "timestamp": datetime.fromtimestamp(now_ms // 1000, UTC),
        "data": {"village": village, **body},
    }
    row = select(
        _w.pk,
        literal(f"msg_{secrets.token_hex(16)}", Text),
        literal(kind, Text),
        literal(msgspec.json.encode(told), LargeBinary),
        literal(now_ms, BigInteger),
        literal(now_ms, BigInteger),
    ).where(_is_told(kind, village))
    columns = ("webhook", "id", "kind", "body", "made_ms", "due_ms")
    connection.execute(insert(webhook_deliveries).from_select(columns, row))


def is_wanted(connection: Connection, kind: str, village: str) -> bool:
    """Whether any webhook wants to know, for what costs something to find out."""
    return connection.execute(select(_w.pk).where(_is_told(kind, village)).limit(1)).first() is not None


def give_up(connection: Connection, webhook: int) -> None:
    """Try nothing more of what waits for a webhook; the rows stay a while."""
    waiting = (_d.webhook == webhook, _d.due_ms.is_not(None))
    connection.execute(update(webhook_deliveries).where(*waiting).values(due_ms=None))


def written(kinds: Iterable[str]) -> str:
    """Kinds as a webhook keeps them: each between two spaces."""
    return f" {' '.join(kinds)} "


def _is_told(kind: str, village: str) -> ColumnElement[bool]:
    here = or_(_w.scope == "", _w.scope == village, literal(village, Text).like(_w.scope + ".%"))
    return and_(_w.state == ON, _w.kinds.contains(f" {kind} ", autoescape=True), here)
