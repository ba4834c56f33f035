"""Operators' accounts: who, what for and where. Owns the table operators.

An account is never deleted: what it did must keep a name. It ends, and its name is not given again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select, update

from hub.db import reading, writing
from hub.errors import HubError, NotFoundError
from hub.roles import NATIONAL, Role, Standing
from hub.schema import operators
from sync.errors import N_
from web.passwords import hash_password, password_fits

PASSWORD_LENGTH_MIN: Final = 12
NAME_MOST: Final = 60
"""Characters of an account's name."""


@dataclass(frozen=True, slots=True)
class Operator:
    """An account that is in use."""

    pk: int
    name: str
    standing: Standing = NATIONAL


@dataclass(frozen=True, slots=True)
class Account:
    """An account as lists show it; `ended_ms` is None while it is in use, `is_invited` until it has a password."""

    pk: int
    name: str
    standing: Standing
    made_ms: int
    ended_ms: int | None
    is_invited: bool


def set_password(engine: Engine, name: str, password: str) -> int:
    """Make a national operator's account, or give an account another password; returns its number.

    Raises:
        HubError: the password is too short.
    """
    password_hash = hashed(password)
    with writing(engine) as connection:
        known = update(operators).where(operators.c.name == name)
        if connection.execute(known.values(password_hash=password_hash)).rowcount == 0:
            connection.execute(insert(operators).values(name=name, password_hash=password_hash))
        return int(connection.execute(select(operators.c.pk).where(operators.c.name == name)).scalar_one())


def add(
    connection: Connection, name: str, standing: Standing, password_hash: str | None, now_ms: int
) -> int:
    """Make an account, in the caller's transaction; without a password nobody can log in. Returns its number.

    Raises:
        HubError: the name is empty, too long or taken.
    """
    name = " ".join(name.split())
    if not name or len(name) > NAME_MOST:
        raise HubError(N_("Nama akun terdiri dari 1 sampai %(most)s huruf."), most=NAME_MOST)
    if connection.execute(select(operators.c.pk).where(operators.c.name == name)).first() is not None:
        raise HubError(N_("Akun %(name)s sudah ada, atau pernah ada. Pilih nama lain."), name=name)
    row = {"role": standing.role.value, "scope": standing.scope, "made_ms": now_ms}
    made = insert(operators).values(name=name, password_hash=password_hash, **row)
    return int(connection.execute(made.returning(operators.c.pk)).scalar_one())


def give_password(connection: Connection, pk: int, password_hash: str) -> None:
    connection.execute(update(operators).where(operators.c.pk == pk).values(password_hash=password_hash))


def end(engine: Engine, name: str, now_ms: int) -> None:
    """End an account; ending it again changes nothing.

    Raises:
        NotFoundError: there is none of this name.
        HubError: it is the last one that may manage accounts of the whole nation.
    """
    with writing(engine) as connection:
        everyone = _accounts(connection)
        found = next((one for one in everyone if one.name == name), None)
        if found is None:
            raise NotFoundError(N_("Tidak ada akun bernama %(name)s."), name=name)
        others = [one for one in everyone if one.ended_ms is None and one.pk != found.pk]
        if not any(one.standing == NATIONAL and not one.is_invited for one in others):
            raise HubError(
                N_("Akun nasional terakhir tidak dapat diakhiri: buat dulu akun nasional yang lain.")
            )
        ended = update(operators).where(operators.c.pk == found.pk, operators.c.ended_ms.is_(None))
        connection.execute(ended.values(ended_ms=now_ms))


def check(engine: Engine, name: str, password: str) -> Operator | None:
    """The operator, if the password is right. Takes as long for a name that doesn't exist or has ended."""
    with reading(engine) as connection:
        row = connection.execute(_in_use().where(operators.c.name == name)).one_or_none()
    fits = password_fits((row.password_hash if row else None) or _NOBODY, password)
    return _operator(row) if row is not None and fits else None


def find(connection: Connection, pk: int) -> Operator | None:
    """The account `pk`, if it is in use."""
    row = connection.execute(_in_use().where(operators.c.pk == pk)).one_or_none()
    return None if row is None else _operator(row)


def listed(connection: Connection, standing: Standing) -> list[Account]:
    """The accounts within a scope by name, those that ended last."""
    found = [one for one in _accounts(connection) if standing.covers(one.standing.scope)]
    return sorted(found, key=lambda one: (one.ended_ms is not None, one.name.casefold()))


def _accounts(connection: Connection) -> list[Account]:
    query = select(operators).order_by(operators.c.pk)
    return [
        Account(row.pk, row.name, _standing(row), row.made_ms, row.ended_ms, row.password_hash is None)
        for row in connection.execute(query)
    ]


def _in_use() -> Any:
    return select(operators).where(operators.c.ended_ms.is_(None))


def _operator(row: Any) -> Operator:
    return Operator(row.pk, row.name, _standing(row))


def _standing(row: Any) -> Standing:
    return Standing(Role(row.role), row.scope)


def hashed(password: str) -> str:
    """What is kept of a password.

    Raises:
        HubError: it is too short.
    """
    if len(password) < PASSWORD_LENGTH_MIN:
        raise HubError(
            N_("Kata sandi operator pusat paling sedikit %(count)s huruf."), count=PASSWORD_LENGTH_MIN
        )
    return hash_password(password)


_NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
