"""What happened and must be told to webhooks: written in the transaction in which it happened, so that neither is without
the other. Owns webhook_deliveries.

What is told holds no name of a person. Who is told of it counts each id once: it may come twice, and in any order.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Text, bindparam, insert, or_, select, update

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


_village: Final = bindparam("village", type_=Text)
_TOLD: Final = select(_w.pk).where(
    _w.state == ON,
    _w.kinds.like(bindparam("pattern", type_=Text)),
    or_(_w.scope == "", _w.scope == _village, _village.like(_w.scope + ".%")),
)


def note(connection: Connection, kind: str, village: str, body: dict[str, Any], now_ms: int) -> None:
    """Write down for every webhook that wants to know it what happened in a village."""
    webhooks_told = _told(connection, kind, village)
    if not webhooks_told:
        return
    told = {
        "type": kind,
        "timestamp": datetime.fromtimestamp(now_ms // 1000, UTC),
        "data": {"village": village, **body},
    }
    said = {"id": f"msg_{secrets.token_hex(16)}", "kind": kind, "body": msgspec.json.encode(told)}
    rows = [{"webhook": pk, **said, "made_ms": now_ms, "due_ms": now_ms} for pk in webhooks_told]
    connection.execute(insert(webhook_deliveries), rows)


def is_wanted(connection: Connection, kind: str, village: str) -> bool:
    """Whether any webhook wants to know, for what costs something to find out."""
    return bool(_told(connection, kind, village))


def _told(connection: Connection, kind: str, village: str) -> Sequence[int]:
    # Kinds are words with dots; nothing in them means something else in a pattern.
    return connection.execute(_TOLD, {"pattern": f"% {kind} %", "village": village}).scalars().all()


def give_up(connection: Connection, webhook: int) -> None:
    """Try nothing more of what waits for a webhook; the rows stay a while."""
    waiting = (_d.webhook == webhook, _d.due_ms.is_not(None))
    connection.execute(update(webhook_deliveries).where(*waiting).values(due_ms=None))


def written(kinds: Iterable[str]) -> str:
    """Kinds as a webhook keeps them: each between two spaces."""
    return f" {' '.join(kinds)} "
