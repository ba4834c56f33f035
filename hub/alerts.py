"""What needs a person's eye, each thing once however often it happens. Owns the table alerts.

An alert ends when an operator has dealt with it, unless somebody opens it again: the row stays, with who and when, until
it is old. Some end by themselves as well, when their cause is gone; that isn't written down but asked of what this hub holds (`queries.alerts`).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from hub import outbox
from hub.errors import NotFoundError
from hub.schema import alerts, devices
from sync.errors import N_

FORK: Final = "fork"
UNREADABLE: Final = "unreadable"
BEHIND: Final = "behind"
AHEAD: Final = "ahead"
"""A device names a head of its log that this hub should hold and does not."""
HUB_LOST: Final = "hub-lost"
"""A device holds what this hub signed and no longer has: the hub was set back to an older state."""
STRANGE_KIND: Final = "strange-kind"
"""A device's log holds a kind that only hubs may write."""
BAD_ITEM: Final = "bad-item"
"""A bundle holds something that this hub refuses."""
BAD_MANIFEST: Final = "bad-manifest"
"""A bundle says that it comes from this device, and isn't signed by it."""


def raise_alert(connection: Connection, kind: str, device: int, subject: bytes, now_ms: int) -> None:
    same = (alerts.c.kind == kind, alerts.c.device == device, alerts.c.subject == subject)
    if connection.execute(select(alerts.c.pk).where(*same)).first() is None:
        connection.execute(
            insert(alerts).values(kind=kind, device=device, subject=subject, first_ms=now_ms)
        )
        about = select(devices.c.device, devices.c.village).where(devices.c.pk == device)
        number, village = connection.execute(about).one()
        body = {"kind": kind, "device": bytes(number).hex()}
        outbox.note(connection, outbox.ALERT_RAISED, village, body, now_ms)


def find(connection: Connection, pk: int) -> None:
    """
    Raises:
        NotFoundError: there is no such alert.
    """
    if connection.execute(select(alerts.c.pk).where(alerts.c.pk == pk)).first() is None:
        raise NotFoundError(N_("Peringatan ini tidak ada."))


def handle(connection: Connection, pk: int, operator: str, now_ms: int) -> None:
    """Write down that this operator has dealt with an alert. Who came first stays.

    Raises:
        NotFoundError: there is no such alert.
    """
    find(connection, pk)
    connection.execute(
        update(alerts)
        .where(alerts.c.pk == pk, alerts.c.handled_ms.is_(None))
        .values(handled_ms=now_ms, handled_by=operator)
    )


def reopen(connection: Connection, pk: int) -> None:
    """It wasn't dealt with after all.

    Raises:
        NotFoundError: there is no such alert.
    """
    find(connection, pk)
    connection.execute(update(alerts).where(alerts.c.pk == pk).values(handled_ms=None, handled_by=None))


def forget_handled(connection: Connection, before_ms: int) -> int:
    """Take away alerts that were dealt with before then; returns how many there were.

    Those that a rebuild of the tables would raise again stay: they were dealt with for good.
    """
    is_old = (alerts.c.handled_ms < before_ms, alerts.c.kind.not_in((UNREADABLE, STRANGE_KIND)))
    return connection.execute(delete(alerts).where(*is_old)).rowcount
