"""Invitations to operators: an address that lets one person choose a password, once, within a week.

Kept in the table settings as the hash of what stands in the address, so that who reads the database can't use it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select

from hub import operators, passkeys, second_factor
from hub.db import writing
from hub.errors import NotFoundError
from hub.operators import Operator
from hub.roles import Standing
from hub.schema import settings
from sync.errors import N_
from sync.keys import sha256

DAYS: Final = 7
"""How long an invitation holds."""
_VALUE: Final = struct.Struct(">qq")


def make(engine: Engine, name: str, standing: Standing, token_of: Callable[[int], str], now_ms: int) -> str:
    """Make an account that waits for its password; returns what stands in the address of the invitation.

    Raises:
        HubError: the name is empty, too long or taken.
    """
    with writing(engine) as connection:
        pk = operators.add(connection, name, standing, None, now_ms)
        return _noted(connection, pk, token_of, now_ms)


def make_again(engine: Engine, pk: int, token_of: Callable[[int], str], now_ms: int) -> str:
    """Invite the owner of an account anew, as after a forgotten password or a lost telephone. Until it is accepted, what
    the account has goes on holding.
    """
    with writing(engine) as connection:
        return _noted(connection, pk, token_of, now_ms)


def find(connection: Connection, token: str, now_ms: int) -> Operator | None:
    """Who was invited by this, if it still holds."""
    value = connection.execute(select(settings.c.value).where(settings.c.key == _key(token))).scalar()
    if value is None:
        return None
    pk, until_ms = _VALUE.unpack(value)
    return operators.find(connection, pk) if now_ms < until_ms else None


def accept(engine: Engine, token: str, password: str, now_ms: int) -> Operator:
    """Let the invited person have this password; the invitation is used up. Returns whose account it is.

    Raises:
        HubError: the password is too short; the invitation still holds.
        NotFoundError: the invitation was used or is too old.
    """
    hashed = operators.hashed(password)
    with writing(engine) as connection:
        invited = find(connection, token, now_ms)
        # Of two who send the form at once, one deletes the row.
        used = connection.execute(delete(settings).where(settings.c.key == _key(token)))
        if invited is None or used.rowcount == 0:
            raise NotFoundError(N_("Undangan ini sudah dipakai atau sudah lewat. Minta yang baru."))
        operators.give_password(connection, invited.pk, hashed)
        # Whoever lost the telephone begins anew with the password alone.
        second_factor.take_away(connection, invited.pk)
        passkeys.forget(connection, invited.pk)
    return invited


def _noted(connection: Connection, pk: int, token_of: Callable[[int], str], now_ms: int) -> str:
    token, until_ms = token_of(24), now_ms + DAYS * 86_400_000
    connection.execute(insert(settings).values(key=_key(token), value=_VALUE.pack(pk, until_ms)))
    return token


def _key(token: str) -> str:
    return f"invitation/{sha256(token.encode()).hex()}"
