"""Keys and whom they speak for: devices, hub, publishers, and the root that names them.

The root key, kept offline, signs a keyset: which keys sign receipts, which key bundles are sealed to,
which keys sign course packs. A device pins the root's fingerprint when it is registered and from then
on believes only keysets that this root signed and that are newer than the one it has.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_SIZE: Final = 32
ID_SIZE: Final = 16

RandomBytes = Callable[[int], bytes]
"""A source of random bytes, passed in: `secrets.token_bytes`, or a seeded one in a simulation."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 private key (RFC 8032)."""

    seed: bytes
    _key: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        return cls(seed, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def generate(cls, random_bytes: RandomBytes) -> SigningKey:
        return cls.from_seed(random_bytes(KEY_SIZE))

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"


def verify_signature(public_key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public_key: bytes) -> bytes:
    """The 16 bytes that name a key, and the device or hub that holds it."""
    return sha256(public_key)[:ID_SIZE]


def fingerprint(public_key: bytes) -> str:
    """What two people compare: 100 bits of the key's hash as five groups of four letters and digits.

    The alphabet is base32 (RFC 4648), which has no 0, 1 or 8 to mistake for O, I or B.
    """
    text = base64.b32encode(sha256(public_key)).decode()[:20]
    return "-".join(text[at : at + 4] for at in range(0, 20, 4))
