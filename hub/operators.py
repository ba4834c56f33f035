"""Operator accounts. For now one, made by `hub init`; roles and scopes come with the operators' issue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, insert, select, update

from hub.db import reading, writing
from hub.errors import HubError
from hub.roles import NATIONAL, Standing
from hub.schema import operators
from sync.errors import N_
from web.passwords import hash_password, password_fits

PASSWORD_LENGTH_MIN: Final = 12


@dataclass(frozen=True, slots=True)
class Operator:
    pk: int
    name: str
    standing: Standing = NATIONAL


def set_password(engine: Engine, name: str, password: str) -> None:
    """Make the account, or give it another password.

    Raises:
        HubError: the password is too short.
    """
    if len(password) < PASSWORD_LENGTH_MIN:
        raise HubError(
            N_("Kata sandi operator pusat paling sedikit %(count)s huruf."), count=PASSWORD_LENGTH_MIN
        )
    hashed = hash_password(password)
    with writing(engine) as connection:
        changed = connection.execute(
            update(operators).where(operators.c.name == name).values(password_hash=hashed)
        )
        if changed.rowcount == 0:
            connection.execute(insert(operators).values(name=name, password_hash=hashed))


def check(engine: Engine, name: str, password: str) -> Operator | None:
    """The operator, if the password is right. Takes as long for a name that doesn't exist."""
    with reading(engine) as connection:
        row = connection.execute(select(operators).where(operators.c.name == name)).one_or_none()
    fits = password_fits(row.password_hash if row else _NOBODY, password)
    return Operator(row.pk, row.name) if row is not None and fits else None


def find(connection: Connection, pk: int) -> Operator | None:
    row = connection.execute(
        select(operators.c.pk, operators.c.name).where(operators.c.pk == pk)
    ).one_or_none()
    return None if row is None else Operator(*row)


_NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
