"""Sends statements to a learning record store of somebody else, and goes on where it stopped.

What the store has confirmed is marked log by log in the table settings; statements have ids of their own, so what was
sent without a confirmation is sent again and counts once (xAPI 1.0.3, part three, 2.1).
"""

from __future__ import annotations

import ipaddress
import json
import struct
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import urllib3
from sqlalchemy import Connection, Engine, insert, select, update

from hub import schema
from hub.db import writing
from hub.errors import HubError
from hub.exports.entries import Counted, Mark, Marks
from hub.exports.statements import VERSION, Json
from sync.errors import N_
from sync.keys import sha256
from sync.post import road

BATCH: Final = 50
TRIES: Final = 6
_WAIT_MOST_S: Final = 60.0
_ANSWER_MOST: Final = 64 * 1024
_TRY_AGAIN: Final = (408, 429, 500, 502, 503, 504)
_TOO_LARGE: Final = 413
_HAS_ANOTHER: Final = 409
_MARK: Final = struct.Struct(">qq")
_MARKS_MOST: Final = 500

_settings: Final = schema.settings


class LrsError(HubError):
    """The store refused, or wasn't reached."""

    code: ClassVar[str] = "lrs"


class Store:
    """A learning record store, as far as it takes statements."""

    def __init__(
        self, url: str, account: str, password: str, wait: Callable[[float], None] = time.sleep
    ) -> None:
        """`url` is that of the endpoint, with or without /statements at its end.

        Raises:
            LrsError: a password would go there in clear.
        """
        self.url = url.rstrip("/").removesuffix("/statements") + "/statements"
        if not _is_private_way(self.url):
            raise LrsError(
                N_("Alamat LRS %(url)s tidak aman untuk kata sandi. Pakai alamat https://."), url=url
            )
        self._road = road()
        self._wait = wait
        self._headers = {
            **urllib3.make_headers(basic_auth=f"{account}:{password}"),
            "Content-Type": "application/json",
            "X-Experience-API-Version": VERSION,
        }

    def take(self, statements: Sequence[Json]) -> None:
        """Have these statements kept; those that the store has already are left as they are.

        Raises:
            LrsError: it doesn't keep them.
        """
        status, said = self._ask("POST", self.url, statements)
        if status == _TOO_LARGE and len(statements) > 1:
            half = len(statements) // 2
            self.take(statements[:half])
            self.take(statements[half:])
        elif status == _HAS_ANOTHER:
            for one in statements:
                status, said = self._ask("PUT", f"{self.url}?statementId={one['id']}", one)
                if status != _HAS_ANOTHER:
                    self._check(status, said)
        else:
            self._check(status, said)

    def _ask(self, method: str, url: str, body: Any) -> tuple[int, str]:
        data = json.dumps(body, ensure_ascii=False).encode()
        for attempt in range(TRIES):
            pause = min(2.0**attempt, _WAIT_MOST_S)
            try:
                answer = self._road.request(
                    method, url, body=data, headers=self._headers, redirect=False, preload_content=False
                )
                said = answer.read(_ANSWER_MOST).decode(errors="replace")
                answer.release_conn()
                if answer.status not in _TRY_AGAIN:
                    return answer.status, said
                told = answer.headers.get("Retry-After", "")
                pause = min(float(told), _WAIT_MOST_S) if told.isdigit() else pause
            except (urllib3.exceptions.HTTPError, OSError):
                pass
            if attempt + 1 < TRIES:
                self._wait(pause)
        raise LrsError(
            N_("LRS di %(url)s tidak menjawab. Jalankan perintah ini lagi: pengiriman dilanjutkan."),
            url=self.url,
        )

    def _check(self, status: int, said: str) -> None:
        if status in (200, 204):
            return
        if status in (401, 403):
            raise LrsError(N_("LRS menolak nama atau kata sandinya. Periksa --user dan --password."))
        raise LrsError(
            N_("LRS di %(url)s menolak (%(status)s): %(said)s"),
            url=self.url,
            status=status,
            said=" ".join(said.split())[:200] or "–",
        )


class SentMarks(Marks):
    """What one store has confirmed. `about` tells apart what is sent to it from different beginnings."""

    def __init__(self, engine: Engine, url: str, about: str = "") -> None:
        self._engine = engine
        self._prefix = f"xapi/{sha256(f'{url} {about}'.encode())[:8].hex()}/"

    def of(self, connection: Connection, logs: Collection[bytes]) -> dict[bytes, Mark]:
        keys = [self._prefix + log.hex() for log in logs]
        query = select(_settings.c.key, _settings.c.value).where(_settings.c.key.in_(keys))
        return {
            bytes.fromhex(key.removeprefix(self._prefix)): Mark(*_MARK.unpack(value))
            for key, value in connection.execute(query)
        }

    def write(self, marks: dict[bytes, Mark]) -> None:
        with writing(self._engine) as connection:
            known = self.of(connection, marks)
            for log, mark in marks.items():
                row = {"value": _MARK.pack(mark.count, mark.newest)}
                key = self._prefix + log.hex()
                if log in known:
                    connection.execute(update(_settings).where(_settings.c.key == key).values(**row))
                else:
                    connection.execute(insert(_settings).values(key=key, **row))


def send(
    store: Store,
    segments: Iterator[Counted],
    marks: SentMarks,
    make: Callable[[Counted], list[Json]],
    progress: Callable[[int], None] = lambda sent: None,
) -> int:
    """Send what the segments hold, in batches; returns how many statements were confirmed.

    Raises:
        LrsError: the store refused or is gone; what it confirmed before is marked.
    """
    sent = 0
    waiting: list[Json] = []
    behind: dict[bytes, Mark] = {}
    for segment in segments:
        waiting += make(segment)
        whole = len(waiting) // BATCH * BATCH
        for at in range(0, whole, BATCH):
            store.take(waiting[at : at + BATCH])
            sent += BATCH
            progress(sent)
            if behind:
                # All that belongs to the segments before this one is confirmed now.
                marks.write(behind)
                behind = {}
        waiting = waiting[whole:]
        behind[segment.log] = segment.mark
        if not waiting and len(behind) >= _MARKS_MOST:
            marks.write(behind)
            behind = {}
    if waiting:
        store.take(waiting)
        progress(sent + len(waiting))
    if behind:
        marks.write(behind)
    return sent + len(waiting)


def _is_private_way(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme != "http" or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False
