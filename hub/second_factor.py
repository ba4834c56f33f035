"""A second proof beside the password: codes of six digits that change every 30 seconds (TOTP, RFC 6238), made by a
telephone, and ten recovery codes on paper for when it is lost. Owns the table second_factors.

The secret is sealed with a key of the data folder: who reads the database alone can't make codes. Recovery codes look like
registration codes and have 60 random bits, so that a plain hash keeps them.
"""

from __future__ import annotations

import base64
import hmac
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Connection, Engine, delete, insert, select, update

from hub.config import Config
from hub.db import writing
from hub.schema import second_factors
from sync.errors import MalformedError
from sync.keys import sha256
from sync.registration import Code, make_code, read_code

STEP_S: Final = 30
DIGITS: Final = 6
DRIFT: Final = 1
"""Steps by which a telephone's clock may be off, either way."""
RECOVERY_CODES: Final = 10
_HASH: Final = 32
_NONCE: Final = 12
_ISSUER: Final = "Lontar"

_f: Final = second_factors


def begin(engine: Engine, config: Config, operator: int) -> bytes:
    """The secret for an operator's telephone; not in force until a code of it was right. Asking again gives the same."""
    with writing(engine) as connection:
        row = _row(connection, operator)
        if row is not None:
            return _opened(config, operator, row.sealed)
        secret = config.random_bytes(20)
        row = {"operator": operator, "sealed": _sealed(config, operator, secret), "recovery": b""}
        connection.execute(insert(_f).values(**row))
    return secret


def address(secret: bytes, name: str) -> str:
    """What a telephone reads from a square code (https://github.com/google/google-authenticator/wiki/Key-Uri-Format)."""
    return _totp(secret).get_provisioning_uri(name, _ISSUER)


def written(secret: bytes) -> str:
    """The secret as people type it into a telephone without a camera."""
    letters = base64.b32encode(secret).decode()
    return " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def confirm(engine: Engine, config: Config, operator: int, code: str, now_ms: int) -> list[str] | None:
    """Put the second proof in force if the code is right; returns the recovery codes, which are shown once."""
    with writing(engine) as connection:
        row = _locked(connection, operator)
        if row is None or row.since_ms is not None or not _use(connection, config, row, code, now_ms):
            return None
        codes = [make_code(config.random_bytes) for _ in range(RECOVERY_CODES)]
        kept = b"".join(_hashed(one) for one in codes)
        connection.execute(
            update(_f).where(_f.c.operator == operator).values(since_ms=now_ms, recovery=kept)
        )
    return [str(one) for one in codes]


def is_in_force(connection: Connection, operator: int) -> bool:
    row = _row(connection, operator)
    return row is not None and row.since_ms is not None


def recovery_left(connection: Connection, operator: int) -> int:
    row = _row(connection, operator)
    return len(row.recovery) // _HASH if row is not None else 0


def fits(engine: Engine, config: Config, operator: int, code: str, now_ms: int) -> bool:
    """Whether a code of the telephone or of the paper is right; either is good once."""
    with writing(engine) as connection:
        row = _locked(connection, operator)
        if row is None or row.since_ms is None:
            return False
        return _use(connection, config, row, code, now_ms) or _use_recovery(connection, row, code)


def take_away(connection: Connection, operator: int) -> None:
    """Let the password be enough again, in the caller's transaction."""
    connection.execute(delete(_f).where(_f.c.operator == operator))


def _row(connection: Connection, operator: int) -> Any:
    return connection.execute(select(_f).where(_f.c.operator == operator)).one_or_none()


def _locked(connection: Connection, operator: int) -> Any:
    """Of two who send one code at once, the second sees that it was used."""
    return connection.execute(select(_f).where(_f.c.operator == operator).with_for_update()).one_or_none()


def _use(connection: Connection, config: Config, row: Any, code: str, now_ms: int) -> bool:
    code = "".join(code.split())
    secret, step = _opened(config, row.operator, row.sealed), now_ms // 1000 // STEP_S
    for tried in range(step - DRIFT, step + DRIFT + 1):
        if hmac.compare_digest(_totp(secret).generate(tried * STEP_S).decode(), code) and tried > row.step:
            connection.execute(update(_f).where(_f.c.operator == row.operator).values(step=tried))
            return True
    return False


def _use_recovery(connection: Connection, row: Any, code: str) -> bool:
    kept = bytes(row.recovery)
    hashes = [kept[at : at + _HASH] for at in range(0, len(kept), _HASH)]
    try:
        used = _hashed(read_code(code))
    except MalformedError:
        return False
    if not any(hmac.compare_digest(used, one) for one in hashes):
        return False
    left = b"".join(one for one in hashes if one != used)
    connection.execute(update(_f).where(_f.c.operator == row.operator).values(recovery=left))
    return True


def _hashed(code: Code) -> bytes:
    return sha256(str(code).encode())


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 what every telephone speaks


def _cipher(config: Config) -> ChaCha20Poly1305:
    derived = HKDF(SHA256(), 32, None, b"lontar/second-factor/1").derive(config.session_secret)
    return ChaCha20Poly1305(derived)


def _sealed(config: Config, operator: int, secret: bytes) -> bytes:
    nonce = config.random_bytes(_NONCE)
    return nonce + _cipher(config).encrypt(nonce, secret, str(operator).encode())


def _opened(config: Config, operator: int, sealed: bytes) -> bytes:
    """An account whose secret can't be opened has none that fits: another data folder's keys are here."""
    try:
        return _cipher(config).decrypt(sealed[:_NONCE], sealed[_NONCE:], str(operator).encode())
    except InvalidTag:
        return config.random_bytes(20)
