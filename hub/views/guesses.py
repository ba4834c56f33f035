"""Slows down whoever guesses an operator's password or code: 5 free tries, then 30 s growing to 15 min.

Counted per account name in the table settings, so that all workers and restarts count together. Names share
4,096 counters: a flood of made-up names can't fill the table, and a wait doesn't tell whether a name exists.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, delete, select, update

from hub import operators
from hub.db import insert_or_ignore, writing
from hub.operators import Operator
from hub.schema import settings
from sync.keys import sha256

FREE_TRIES: Final = 5
WAITS_S: Final = (30, 60, 120, 300, 900)
PASSWORD_MAX: Final = 200

_VALUE: Final = struct.Struct(">qq")


@dataclass(frozen=True, slots=True)
class Try:
    """How a try went. `wait_s` is how long to wait before the next one."""

    operator: Operator | None
    wait_s: int = 0


class Guesses:
    """Checks passwords, and remembers the wrong ones."""

    def __init__(self, engine: Engine, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._now_ms = now_ms

    def attempt(self, name: str, password: str) -> Try:
        """Try a password."""
        return self.counted(name, lambda: operators.check(self._engine, name, password[:PASSWORD_MAX]))

    def counted(self, what: str, check: Callable[[], Operator | None]) -> Try:
        """Try what `check` says. Counted before it is checked, so trying many at once gives no free tries."""
        key = _key(what)
        with writing(self._engine) as connection:
            failures, wait_s = self._state(connection, key)
            if wait_s:
                return Try(None, wait_s)
            wait_s = wait_after(failures + 1)
            value = _VALUE.pack(failures + 1, self._now_ms() + wait_s * 1000)
            connection.execute(update(settings).where(settings.c.key == key).values(value=value))
        operator = check()
        if operator is None:
            return Try(None, wait_s)
        with writing(self._engine) as connection:
            connection.execute(delete(settings).where(settings.c.key == key))
        return Try(operator)

    def _state(self, connection: Connection, key: str) -> tuple[int, int]:
        """(wrong tries so far, seconds still to wait), with the counter locked."""
        made = insert_or_ignore(connection, settings).values(key=key, value=_VALUE.pack(0, 0))
        connection.execute(made.on_conflict_do_nothing())
        query = select(settings.c.value).where(settings.c.key == key).with_for_update()
        failures, until = _VALUE.unpack(connection.execute(query).scalar_one())
        left_ms = until - self._now_ms()
        if left_ms > wait_after(failures) * 1000:
            return failures, 0  # the clock was set back; nobody has to wait longer for that
        return failures, max(0, -(-left_ms // 1000))


def wait_after(failures: int) -> int:
    """Seconds to wait after this many wrong tries in a row."""
    if failures < FREE_TRIES:
        return 0
    return WAITS_S[min(failures - FREE_TRIES, len(WAITS_S) - 1)]


def _key(name: str) -> str:
    return f"guesses/{sha256(name.encode()).hex()[:3]}"
