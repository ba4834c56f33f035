"""Which operators are logged in, where, and when they last proved who they are. Owns the table sittings.

In the database, so that all workers and restarts agree. The cookie holds a random name of the sitting, the database only
its hash. A sitting ends when somebody leaves, after 30 idle minutes, and after 12 hours in any case; a copied cookie is
worth nothing then.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask_login import UserMixin
from sqlalchemy import ColumnElement, Engine, and_, delete, insert, not_, select, update

from hub import operators
from hub.db import reading, writing
from hub.errors import BusyError
from hub.operators import Operator
from hub.schema import sittings
from sync.keys import sha256

IDLE_MS: Final = 30 * 60 * 1000
LONGEST_MS: Final = 12 * 3600 * 1000
PROOF_MS: Final = 10 * 60 * 1000
"""How long a proof is enough for what can't be undone."""
BROWSER_MOST: Final = 200
_SEEN_EVERY_MS: Final = 60 * 1000
"""Being used is written down this often, not at every page."""


@dataclass(frozen=True)
class Sitting(UserMixin):  # type: ignore[misc]
    """One stretch of one operator at one browser. `get_id` is what Flask-Login puts into the session."""

    id: str
    operator: Operator
    proved_ms: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operator is logged in; `key` names the row, and proves nothing."""

    key: bytes
    browser: str
    began_ms: int
    seen_ms: int


class Sittings:
    """All sittings of this hub."""

    def __init__(self, engine: Engine, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._now_ms = now_ms

    def begin(self, operator: Operator, browser: str) -> Sitting:
        now = self._now_ms()
        sitting = Sitting(secrets.token_urlsafe(24), operator, now)
        times = {"began_ms": now, "seen_ms": now, "proved_ms": now}
        row = {"sitting": key_of(sitting.id), "operator": operator.pk, "browser": browser[:BROWSER_MOST]}
        with writing(self._engine) as connection:
            connection.execute(delete(sittings).where(not_(_is_on(now))))
            connection.execute(insert(sittings).values(**row, **times))
        return sitting

    def find(self, sitting: str) -> Sitting | None:
        """The sitting if it is still on; being found counts as being used."""
        key, now = key_of(sitting), self._now_ms()
        with reading(self._engine) as connection:
            row = connection.execute(
                select(sittings).where(sittings.c.sitting == key, _is_on(now))
            ).one_or_none()
            operator = operators.find(connection, row.operator) if row else None
        if row is None or operator is None:
            return None
        if now - row.seen_ms > _SEEN_EVERY_MS:
            # A page must not fail because this can't be written now.
            with contextlib.suppress(BusyError):
                self._change(key, seen_ms=now)
        return Sitting(sitting, operator, row.proved_ms)

    def prove(self, sitting: str) -> None:
        """Whoever sits there has proved again to be that operator."""
        self._change(key_of(sitting), proved_ms=self._now_ms())

    def is_proved(self, sitting: Sitting) -> bool:
        """Whether the last proof is recent enough for what can't be undone."""
        return 0 <= self._now_ms() - sitting.proved_ms <= PROOF_MS

    def places(self, operator: int) -> list[Place]:
        """Where an operator is logged in now, the most recently used first."""
        query = select(sittings).where(sittings.c.operator == operator, _is_on(self._now_ms()))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(sittings.c.seen_ms.desc())).all()
        return [Place(bytes(row.sitting), row.browser, row.began_ms, row.seen_ms) for row in rows]

    def end(self, sitting: str) -> None:
        self._end(sittings.c.sitting == key_of(sitting))

    def end_place(self, operator: int, key: bytes) -> None:
        """Log an operator out at one place, by its row."""
        self._end(and_(sittings.c.operator == operator, sittings.c.sitting == key))

    def end_others(self, operator: int, sitting: str) -> None:
        """Log an operator out everywhere but here, as after a changed password."""
        self._end(and_(sittings.c.operator == operator, sittings.c.sitting != key_of(sitting)))

    def end_all_of(self, operator: int) -> None:
        self._end(sittings.c.operator == operator)

    def _end(self, which: ColumnElement[bool]) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(sittings).where(which))

    def _change(self, key: bytes, **values: Any) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(sittings).where(sittings.c.sitting == key).values(**values))


def key_of(sitting: str) -> bytes:
    return sha256(sitting.encode())


def _is_on(now: int) -> ColumnElement[bool]:
    return and_(sittings.c.seen_ms >= now - IDLE_MS, sittings.c.began_ms >= now - LONGEST_MS)
