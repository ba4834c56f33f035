"""A code by telephone that opens the village operator's page once, without internet.

The laptop shows a challenge; the centre answers with a code. Both sides derive the same secret from the device's
sealing key and the hub's (X25519, RFC 7748), so nothing has to be agreed beforehand and nobody else can make the code.
40 bits and five tries are enough for a code that works once.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.errors import N_, MalformedError
from sync.keys import RandomBytes
from sync.sealing import OpeningKey

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHALLENGE, _CODE = 6, 8


def make_challenge(random_bytes: RandomBytes) -> str:
    """Six letters and digits (Crockford's base32) that the village operator reads out."""
    return "".join(_ALPHABET[byte & 31] for byte in random_bytes(_CHALLENGE))


def read_typed(text: str, size: int) -> str:
    """What a person typed, with or without dashes and with look-alike letters.

    Raises:
        MalformedError: not so many letters and digits.
    """
    plain = "".join(text.upper().replace("-", "").split()).translate(str.maketrans("ILO", "110"))
    if len(plain) != size or set(plain) - set(_ALPHABET):
        raise MalformedError(N_("Kode harus %(count)s huruf atau angka. Periksa lagi."), count=size)
    return plain


def read_challenge(text: str) -> str:
    return read_typed(text, _CHALLENGE)


def code(opening: OpeningKey, other: bytes, device: bytes, challenge: str) -> str:
    """The code for `challenge`, from one side's private key and the other's public one."""
    secret = HKDF(hashes.SHA256(), 32, None, b"lontar/unlock/1").derive(opening.shared_with(other))
    digest = hmac.digest(secret, device + challenge.encode(), "sha256")
    text = "".join(_ALPHABET[byte & 31] for byte in digest[:_CODE])
    return f"{text[:4]}-{text[4:]}"


def is_right(typed: str, expected: str) -> bool:
    """Whether somebody typed the expected code, in constant time.

    Raises:
        MalformedError: what was typed is no code.
    """
    return hmac.compare_digest(read_typed(typed, _CODE), expected.replace("-", ""))
