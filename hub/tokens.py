"""Keys with which programs of others read this hub: made once, kept only as a hash, counted, ended. Owns api_tokens.

A token is long and random, so that a plain hash of it can't be guessed; it begins with `lontar_`, so that programs that
look for leaked secrets know what they found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, case, insert, or_, select, update

from hub.db import reading, writing
from hub.errors import HubError, NotFoundError
from hub.roles import Role, Standing
from hub.schema import api_tokens
from sync.errors import N_
from sync.keys import sha256

PREFIX: Final = "lontar_"
NAME_MOST: Final = 60
"""Characters of a token's name."""
A_MINUTE: Final = 60
"""How often one token may ask in a minute."""
MINUTE_MS: Final = 60_000
USE_NOTED_MS: Final = 3_600_000
"""How exactly it is known when a token was last used."""
_BYTES: Final = 24

_t: Final = api_tokens.c


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is in use."""

    pk: int
    name: str
    scope: str
    sees_names: bool

    @property
    def standing(self) -> Standing:
        return Standing(Role.VIEWER, self.scope)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as lists show it; `used_ms` is exact to an hour."""

    pk: int
    name: str
    scope: str
    sees_names: bool
    made_by: str
    made_ms: int
    used_ms: int | None
    ended_ms: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """How a token that asks is met: `wait_s` is how long it must wait, 0 if it gets an answer."""

    token: Token
    wait_s: int = 0


def make(
    engine: Engine,
    name: str,
    scope: str,
    sees_names: bool,
    made_by: str,
    hex_of: Callable[[int], str],
    now_ms: int,
) -> str:
    """Make a token; what is returned is kept nowhere.

    Raises:
        HubError: the name is empty or too long.
    """
    name = " ".join(name.split())
    if not name or len(name) > NAME_MOST:
        raise HubError(N_("Nama kunci terdiri dari 1 sampai %(most)s huruf."), most=NAME_MOST)
    token = PREFIX + hex_of(_BYTES)
    with writing(engine) as connection:
        connection.execute(
            insert(api_tokens).values(
                digest=_digest(token),
                name=name,
                scope=scope,
                sees_names=int(sees_names),
                made_by=made_by,
                made_ms=now_ms,
            )
        )
    return token


def ask(engine: Engine, token: str, now_ms: int, a_minute: int = A_MINUTE) -> Asked | None:
    """Count one question of a token; None if there is no such token, or it has ended. Two statements.

    All workers count together: who is the last to be let through is decided by the row in the database.

    Raises:
        BusyError: it can't be counted now.
    """
    with reading(engine) as connection:
        query = select(api_tokens).where(_t.digest == _digest(token), _t.ended_ms.is_(None))
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    found = Token(row.pk, row.name, row.scope, bool(row.sees_names))
    wait_s = _wait_s(row.minute_ms, now_ms)
    if wait_s and row.asked >= a_minute:
        return Asked(found, wait_s)
    # A minute that lies ahead was begun by a clock that has been set back since.
    is_over = or_(_t.minute_ms <= now_ms - MINUTE_MS, _t.minute_ms > now_ms)
    is_used = or_(_t.used_ms.is_(None), _t.used_ms <= now_ms - USE_NOTED_MS)
    counted = (
        update(api_tokens)
        .where(_t.pk == found.pk, or_(is_over, _t.asked < a_minute))
        .values(
            asked=case((is_over, 1), else_=_t.asked + 1),
            minute_ms=case((is_over, now_ms), else_=_t.minute_ms),
            used_ms=case((is_used, now_ms), else_=_t.used_ms),
        )
    )
    with writing(engine) as connection:
        is_let_in = connection.execute(counted).rowcount == 1
    return Asked(found) if is_let_in else Asked(found, wait_s or MINUTE_MS // 1000)


def end(engine: Engine, pk: int, now_ms: int) -> None:
    """End a token at once; ending it again changes nothing.

    Raises:
        NotFoundError: there is none with this number.
    """
    with writing(engine) as connection:
        if connection.execute(select(_t.pk).where(_t.pk == pk)).first() is None:
            raise NotFoundError(N_("Tidak ada kunci API bernomor %(number)s."), number=pk)
        ended = update(api_tokens).where(_t.pk == pk, _t.ended_ms.is_(None))
        connection.execute(ended.values(ended_ms=now_ms))


def find(connection: Connection, pk: int) -> TokenRow | None:
    row = connection.execute(select(api_tokens).where(_t.pk == pk)).one_or_none()
    return None if row is None else _row(row)


def listed(connection: Connection) -> list[TokenRow]:
    """Those that are in use by name, then those that have ended."""
    rows = [_row(row) for row in connection.execute(select(api_tokens).order_by(_t.pk))]
    return sorted(rows, key=lambda one: (one.ended_ms is not None, one.name.casefold(), one.pk))


def _row(row: Any) -> TokenRow:
    names = bool(row.sees_names)
    return TokenRow(row.pk, row.name, row.scope, names, row.made_by, row.made_ms, row.used_ms, row.ended_ms)


def _wait_s(minute_ms: int, now_ms: int) -> int:
    """Seconds until the minute that a token is in ends; 0 if it has."""
    left_ms = minute_ms + MINUTE_MS - now_ms
    return -(-left_ms // 1000) if 0 < left_ms <= MINUTE_MS else 0


def _digest(token: str) -> bytes:
    return sha256(token.encode())
