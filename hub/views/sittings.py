"""Which operators are logged in, in the table settings, so that all workers and restarts agree.

The cookie holds a random name of the sitting, the database only its hash. A sitting ends when somebody
leaves, after 30 idle minutes, and after 12 hours in any case; a copied cookie is worth nothing then.
"""

from __future__ import annotations

import contextlib
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask_login import UserMixin
from sqlalchemy import Connection, Engine, delete, insert, select, update

from hub import operators
from hub.db import reading, writing
from hub.errors import BusyError
from hub.operators import Operator
from hub.schema import settings
from sync.keys import sha256

IDLE_MS: Final = 30 * 60 * 1000
LONGEST_MS: Final = 12 * 3600 * 1000
_SEEN_EVERY_MS: Final = 60 * 1000
"""Being used is written down this often, not at every page."""

_PREFIX: Final = "sitting/"
_VALUE: Final = struct.Struct(">qqq")


@dataclass(frozen=True)
class Sitting(UserMixin):  # type: ignore[misc]
    """One stretch of one operator at one browser. `get_id` is what Flask-Login puts into the session."""

    id: str
    operator: Operator


class Sittings:
    """All sittings of this hub."""

    def __init__(self, engine: Engine, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._now_ms = now_ms

    def begin(self, operator: Operator) -> Sitting:
        sitting = Sitting(secrets.token_urlsafe(24), operator)
        now = self._now_ms()
        with writing(self._engine) as connection:
            forget_ended(connection, now)
            value = _VALUE.pack(operator.pk, now, now)
            connection.execute(insert(settings).values(key=_key(sitting.id), value=value))
        return sitting

    def find(self, sitting: str) -> Sitting | None:
        """The sitting if it is still on; being found counts as being used."""
        key, now = _key(sitting), self._now_ms()
        with reading(self._engine) as connection:
            value = connection.execute(select(settings.c.value).where(settings.c.key == key)).scalar()
            if value is None or not _is_on(value, now):
                return None
            pk, began, seen = _VALUE.unpack(value)
            operator = operators.find(connection, pk)
        if operator is None:
            return None
        if now - seen > _SEEN_EVERY_MS:
            # A page must not fail because this can't be written now.
            with contextlib.suppress(BusyError), writing(self._engine) as connection:
                value = _VALUE.pack(pk, began, now)
                connection.execute(update(settings).where(settings.c.key == key).values(value=value))
        return Sitting(sitting, operator)

    def end(self, sitting: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(settings).where(settings.c.key == _key(sitting)))

    def end_all(self) -> None:
        """Everyone logs in again, as after a changed password."""
        with writing(self._engine) as connection:
            connection.execute(delete(settings).where(settings.c.key.startswith(_PREFIX)))


def _key(sitting: str) -> str:
    return _PREFIX + sha256(sitting.encode()).hex()


def _is_on(value: bytes, now: int) -> bool:
    _, began, seen = _VALUE.unpack(value)
    return bool(now - seen <= IDLE_MS and now - began <= LONGEST_MS)


def forget_ended(connection: Connection, now: int) -> int:
    """Take away the sittings that are over; returns how many there were."""
    rows = connection.execute(select(settings).where(settings.c.key.startswith(_PREFIX))).all()
    ended = [row.key for row in rows if not _is_on(row.value, now)]
    if ended:
        connection.execute(delete(settings).where(settings.c.key.in_(ended)))
    return len(ended)
