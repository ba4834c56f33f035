"""Brings what waits in the outbox to its webhooks, signed as Standard Webhooks say (https://www.standardwebhooks.com).

Several processes may do it at once: what one has taken is left to it for a minute. What was sent and not written down,
because the process ended in between, is sent again under the same id. A shell: speaks to the network.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import certifi
from sqlalchemy import Connection, Engine, delete, func, select, update
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from hub import addresses, outbox
from hub.addresses import Network
from hub.db import reading, writing
from hub.errors import HubError
from hub.schema import webhook_deliveries, webhooks
from sync import __version__
from sync.errors import N_

TIMEOUT_S: Final = 10.0
"""For each step of connecting, and then for the whole question and the head of its answer."""
WAITS_S: Final = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200)
"""Between tries; the last one again and again."""
LONGEST_MS: Final = 3 * 24 * 3600 * 1000
"""What hasn't arrived by then is given up; a webhook at which nothing arrives for so long is told nothing more."""
KEPT_MS: Final = 30 * 24 * 3600 * 1000
_TAKEN_MS: Final = 60_000
_AT_ONCE: Final = 100
_GONE: Final = 410

_w: Final = webhooks.c
_d: Final = webhook_deliveries.c


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try; `problem` is empty if it arrived."""

    problem: str = ""
    is_gone: bool = False


@dataclass
class Pass:
    """How one pass over the outbox went."""

    arrived: int = 0
    failed: int = 0
    stopped: int = 0


Send = Callable[[str, dict[str, str], bytes], Outcome]


def deliver(engine: Engine, send: Send, now_ms: Callable[[], int]) -> Pass:
    """Try once what is due. A webhook at which one try failed waits for the next pass with the rest."""
    done, failing = Pass(), set()
    old = (_d.due_ms.is_(None), _d.made_ms < now_ms() - KEPT_MS)
    with reading(engine) as connection:
        has_old = connection.execute(select(_d.pk).where(*old).limit(1)).first() is not None
        query = select(_d.pk, _d.webhook, _d.due_ms).join(webhooks, _w.pk == _d.webhook)
        query = query.where(_d.due_ms <= now_ms(), _w.state == outbox.ON)
        due = connection.execute(query.order_by(_d.due_ms, _d.pk).limit(_AT_ONCE)).all()
    for row in due:
        taken = None if row.webhook in failing else _take(engine, row, now_ms())
        if taken is None:
            continue
        started_ms = now_ms()
        outcome = send(
            taken.url, headers(taken.secret, taken.id, started_ms // 1000, taken.body), taken.body
        )
        with writing(engine) as connection:
            if not outcome.problem:
                _note_arrived(connection, taken, now_ms())
                done.arrived += 1
            else:
                failing.add(row.webhook)
                done.failed += 1
                done.stopped += _note_failed(connection, taken, outcome, now_ms())
    if has_old:
        with writing(engine) as connection:
            connection.execute(delete(webhook_deliveries).where(*old))
    return done


def headers(secret: bytes, id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What a receiver checks: the id, when it was sent, and an HMAC-SHA256 over both and the body."""
    signed = f"{id_}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


class Messenger:
    """Sends over the network: to public machines only, without proxies, cookies, redirects, or reading what is answered."""

    def __init__(
        self,
        allowed: tuple[Network, ...] = (),
        timeout_s: float = TIMEOUT_S,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._trust = trust or ssl.create_default_context(cafile=certifi.where())

    def __call__(self, url: str, signed: dict[str, str], body: bytes) -> Outcome:
        connection = None
        try:
            connection = self._connected(url)
            with _limited(connection, self._timeout_s):
                status = _posted(connection, url, signed, body)
        except HubError as problem:
            return Outcome(problem.sentence())
        except (HTTPError, OSError, ValueError):
            return Outcome(N_("Tidak ada jawaban dalam sepuluh detik, atau sambungan putus."))
        finally:
            if connection is not None:
                connection.close()
        return Outcome() if 200 <= status < 300 else Outcome(f"HTTP {status}", status == _GONE)

    def _connected(self, url: str) -> HTTPConnection:
        parts = urlsplit(url)
        host, is_tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        address = addresses.resolve(host, port, self._allowed)
        made: HTTPConnection
        if is_tls:
            # The address was looked at; the certificate must be that of the name.
            made = HTTPSConnection(
                address,
                port,
                timeout=self._timeout_s,
                ssl_context=self._trust,
                server_hostname=host,
                assert_hostname=host,
            )
        else:
            made = HTTPConnection(address, port, timeout=self._timeout_s)
        made.connect()
        return made


def _posted(connection: HTTPConnection, url: str, signed: dict[str, str], body: bytes) -> int:
    """The status of the answer. What else it says isn't read."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    told = {
        "Host": parts.netloc,
        "User-Agent": f"lontar/{__version__}",
        "Content-Type": "application/json",
        "Connection": "close",
        **signed,
    }
    connection.request("POST", target, body=body, headers=told, preload_content=False)
    return connection.getresponse().status


class _limited:  # noqa: N801 - reads as what it does: `with _limited(...)`
    """Ends a connection after some seconds, however slowly the other side goes on speaking."""

    def __init__(self, connection: HTTPConnection, seconds: float) -> None:
        self._was_cut = False
        self._timer = threading.Timer(seconds, self._cut, (connection.sock,))
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        if self._was_cut:
            # What had come by then looks like a whole answer.
            raise TimeoutError

    def _cut(self, sock: Any) -> None:
        self._was_cut = True
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _take(engine: Engine, row: Any, now_ms: int) -> Any:
    """What there is to send, if no other process took it first."""
    with writing(engine) as connection:
        mine = (_d.pk == row.pk, _d.due_ms == row.due_ms)
        taken = update(webhook_deliveries).where(*mine).values(due_ms=now_ms + _TAKEN_MS)
        if connection.execute(taken).rowcount == 0:
            return None
        query = select(_d.pk, _d.webhook, _d.id, _d.body, _d.made_ms, _d.tries, _w.url, _w.secret)
        return connection.execute(query.join(webhooks, _w.pk == _d.webhook).where(_d.pk == row.pk)).one()


def _note_arrived(connection: Connection, taken: Any, now_ms: int) -> None:
    tried = update(webhook_deliveries).where(_d.pk == taken.pk)
    connection.execute(tried.values(due_ms=None, arrived_ms=now_ms, tries=taken.tries + 1))
    well = {"problem": "", "failing_ms": None, "arrived_ms": now_ms}
    connection.execute(update(webhooks).where(_w.pk == taken.webhook).values(**well))


def _note_failed(connection: Connection, taken: Any, outcome: Outcome, now_ms: int) -> bool:
    """Write down when to try again; or that there's no use in it, and stop the webhook (True)."""
    due_ms = now_ms + WAITS_S[min(taken.tries, len(WAITS_S) - 1)] * 1000
    is_late = now_ms - taken.made_ms >= LONGEST_MS
    # What was given up meanwhile stays given up.
    this = (_d.pk == taken.pk, _d.due_ms.is_not(None))
    again = update(webhook_deliveries).where(*this)
    connection.execute(again.values(due_ms=None if is_late else due_ms, tries=taken.tries + 1))
    which = update(webhooks).where(_w.pk == taken.webhook)
    values = {"problem": outcome.problem, "failing_ms": func.coalesce(_w.failing_ms, now_ms)}
    since = connection.execute(which.values(values).returning(_w.failing_ms)).scalar_one()
    if not outcome.is_gone and now_ms - since < LONGEST_MS:
        return False
    connection.execute(which.where(_w.state == outbox.ON).values(state=outbox.STOPPED))
    outbox.give_up(connection, taken.webhook)
    return True
