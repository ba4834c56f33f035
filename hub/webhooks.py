"""Where this hub tells programs of others that something happened: addresses, what they are told, how they fare. Owns
webhooks; what waits for them is in `outbox`."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, and_, case, func, insert, select, update

from hub import outbox
from hub.db import writing
from hub.errors import HubError, NotFoundError
from hub.schema import webhook_deliveries, webhooks
from sync.errors import N_
from sync.keys import RandomBytes

URL_MOST: Final = 500
SECRET: Final = "whsec_"  # noqa: S105 - only how one begins
"""How a secret begins where people see it (https://www.standardwebhooks.com)."""
_LOOPBACK: Final = "localhost"

_w: Final = webhooks.c
_d: Final = webhook_deliveries.c


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as lists show it. `failing_ms` is since when nothing arrives; `waiting` is how much waits, `lost` how much
    of the last 30 days was given up."""

    pk: int
    url: str
    kinds: tuple[str, ...]
    scope: str
    state: str
    made_by: str
    made_ms: int
    problem: str
    failing_ms: int | None
    arrived_ms: int | None
    waiting: int
    lost: int


def add(
    engine: Engine,
    url: str,
    kinds: Collection[str],
    scope: str,
    made_by: str,
    random_bytes: RandomBytes,
    now_ms: int,
) -> str:
    """Tell `url` from now on what happens in a region; returns the secret as its receiver needs it.

    Raises:
        HubError: the address can't be one, or nothing was chosen that it is told.
    """
    chosen = [kind for kind in outbox.KINDS if kind in kinds]
    if not chosen:
        raise HubError(N_("Pilih paling sedikit satu kejadian."))
    secret = random_bytes(32)
    row = {"url": checked(url), "secret": secret, "kinds": outbox.written(chosen), "scope": scope}
    with writing(engine) as connection:
        made = {"state": outbox.ON, "made_by": made_by, "made_ms": now_ms}
        connection.execute(insert(webhooks).values(**row, **made))
    return SECRET + base64.b64encode(secret).decode()


def checked(url: str) -> str:
    """`url` if it can be told something: https, or http on this machine itself.

    Raises:
        HubError: it can't.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    is_plain = url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc
    if not host or not is_safe or not is_plain or parts.fragment or len(url) > URL_MOST:
        raise HubError(
            N_(
                "Alamat webhook diawali https:// dan memuat nama server, misalnya https://dinas.go.id/lontar."
            )
        )
    return url


def end(engine: Engine, pk: int) -> None:
    """Tell it nothing more; what waits for it is given up.

    Raises:
        NotFoundError: there is none with this number, or it was ended.
    """
    with writing(engine) as connection:
        _change(connection, pk, {"state": outbox.ENDED})
        outbox.give_up(connection, pk)


def resume(engine: Engine, pk: int) -> None:
    """Tell it again what happens from now on, after it was stopped for not answering.

    Raises:
        NotFoundError: there is none with this number, or it was ended.
    """
    with writing(engine) as connection:
        _change(connection, pk, {"state": outbox.ON, "problem": "", "failing_ms": None})


def find(connection: Connection, pk: int) -> Webhook | None:
    return next((one for one in listed(connection) if one.pk == pk), None)


def listed(connection: Connection) -> list[Webhook]:
    """Those that need a look first, then those that work, then those that have ended."""
    is_lost = and_(_d.due_ms.is_(None), _d.arrived_ms.is_(None))
    counts = (func.count(_d.due_ms), func.sum(case((is_lost, 1), else_=0)))
    query = select(_d.webhook, *counts).group_by(_d.webhook)
    counted = {pk: (waiting, int(lost)) for pk, waiting, lost in connection.execute(query)}
    order = (outbox.STOPPED, outbox.ON, outbox.ENDED)
    rows = connection.execute(select(webhooks).order_by(_w.pk)).all()
    return sorted(_all(rows, counted), key=lambda one: (order.index(one.state), not one.problem, one.pk))


def _all(rows: Sequence[Any], counted: dict[int, tuple[int, int]]) -> list[Webhook]:
    return [
        Webhook(
            row.pk,
            row.url,
            tuple(row.kinds.split()),
            row.scope,
            row.state,
            row.made_by,
            row.made_ms,
            row.problem,
            row.failing_ms,
            row.arrived_ms,
            *counted.get(row.pk, (0, 0)),
        )
        for row in rows
    ]


def _change(connection: Connection, pk: int, values: dict[str, Any]) -> None:
    which = (_w.pk == pk, _w.state != outbox.ENDED)
    if connection.execute(update(webhooks).where(*which).values(values)).rowcount == 0:
        raise NotFoundError(N_("Tidak ada webhook bernomor %(number)s yang masih dipakai."), number=pk)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == _LOOPBACK
