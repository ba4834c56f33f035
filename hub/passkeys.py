"""Passkeys: a key that a telephone or a stick keeps and that proves itself to this address only (W3C Web Authentication,
Level 2). They stand for password and second proof together, since the device asks for a finger or a PIN. Owns the table
passkeys.

Only the public half is kept. What goes to and from the browser is the JSON of `PublicKeyCredential.parse…FromJSON`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from sqlalchemy import Connection, Engine, delete, insert, select, update

from hub import operators
from hub.db import writing
from hub.errors import HubError
from hub.operators import Operator
from hub.schema import passkeys
from sync.errors import N_

MOST: Final = 10
"""Passkeys of one account."""
NAME_MOST: Final = 60

_p: Final = passkeys
_VERIFIED: Final = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Passkey:
    pk: int
    name: str
    made_ms: int
    used_ms: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the browser is asked, and what has to be remembered until it answers."""

    options: dict[str, Any]
    state: Any


def listed(connection: Connection, operator: int) -> list[Passkey]:
    query = select(_p.c.pk, _p.c.name, _p.c.made_ms, _p.c.used_ms).where(_p.c.operator == operator)
    return [Passkey(*row) for row in connection.execute(query.order_by(_p.c.pk))]


def ask_new(connection: Connection, origin: str, operator: Operator) -> Asked:
    """What a browser needs in order to make a passkey for this account."""
    known = [one for one, _pk in _credentials(connection, _p.c.operator == operator.pk)]
    account = PublicKeyCredentialUserEntity(
        id=operator.pk.to_bytes(8, "big"), name=operator.name, display_name=operator.name
    )
    options, state = _server(origin).register_begin(
        account, known, ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
    )
    return Asked(dict(options), state)


def take_new(
    engine: Engine,
    origin: str,
    operator: Operator,
    asked: Any,
    answer: Mapping[str, Any],
    name: str,
    now_ms: int,
) -> None:
    """Keep the passkey that the browser made.

    Raises:
        HubError: it doesn't answer what was asked, or the account has as many as it may.
    """
    try:
        data = _server(origin).register_complete(asked, RegistrationResponse.from_dict(dict(answer)))
    except (ValueError, KeyError, TypeError) as problem:
        raise HubError(N_("Kunci sandi tidak dapat disimpan. Ulangi dari awal.")) from problem
    credential = data.credential_data
    assert credential is not None
    with writing(engine) as connection:
        if len(listed(connection, operator.pk)) >= MOST:
            raise HubError(N_("Akun ini sudah punya %(most)s kunci sandi. Hapus satu dulu."), most=MOST)
        row = {
            "credential": credential.credential_id,
            "data": bytes(credential),
            "sign_count": data.counter,
        }
        made = insert(_p).values(operator=operator.pk, name=name[:NAME_MOST], made_ms=now_ms, **row)
        connection.execute(made)


def ask(origin: str) -> Asked:
    """What a browser needs in order to show the passkeys that it has for this address."""
    options, state = _server(origin).authenticate_begin(user_verification=_VERIFIED)
    return Asked(dict(options), state)


def take(
    engine: Engine, origin: str, asked: Any, answer: Mapping[str, Any], now_ms: int
) -> Operator | None:
    """The account whose passkey answered; None if it didn't answer what was asked, isn't known, or was copied."""
    try:
        response = AuthenticationResponse.from_dict(dict(answer))
    except (ValueError, KeyError, TypeError):
        return None
    with writing(engine) as connection:
        row = connection.execute(
            select(_p).where(_p.c.credential == response.raw_id).with_for_update()
        ).one_or_none()
        if row is None:
            return None
        try:
            _server(origin).authenticate_complete(
                asked, [AttestedCredentialData(bytes(row.data))], response
            )
        except (ValueError, KeyError, TypeError, InvalidSignature):
            return None
        # An authenticator that counts never counts backwards; a copy of it would (WebAuthn, 7.2, step 22).
        count = response.response.authenticator_data.counter
        if row.sign_count and count <= row.sign_count:
            return None
        used = update(_p).where(_p.c.pk == row.pk)
        connection.execute(used.values(sign_count=count, used_ms=now_ms))
        return operators.find(connection, row.operator)


def forget(connection: Connection, operator: int, pk: int | None = None) -> None:
    """Forget one passkey of an account, or all of them, in the caller's transaction."""
    which = _p.c.operator == operator
    connection.execute(delete(_p).where(which if pk is None else which & (_p.c.pk == pk)))


def _credentials(connection: Connection, which: Any) -> list[tuple[AttestedCredentialData, int]]:
    rows = connection.execute(select(_p.c.data, _p.c.pk).where(which))
    return [(AttestedCredentialData(bytes(row.data)), row.pk) for row in rows]


def _server(origin: str) -> Fido2Server:
    """What is bound to this address. A browser signs the origin that it is at; ours must be that very one."""
    host = urlsplit(origin).hostname or ""
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=host, name="Lontar"), verify_origin=lambda theirs: theirs == origin
    )
