"""Sealing to one reader: HPKE (RFC 9180), single-shot, base mode.

Suite 1 is X25519, HKDF-SHA256 and ChaCha20-Poly1305. Suite 2 puts ML-KEM-768 beside X25519, so that what is
carried today stays closed to the computers of tomorrow; a hub can switch it on for what villages send.
Streaming formats release plain text before they detect truncation and were rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from sync.errors import N_, SealError
from sync.keys import sha256

CLASSICAL: Final = 1
HYBRID: Final = 2
SUITES: Final = (CLASSICAL, HYBRID)
KEY_ID: Final = 8

_X25519_SIZE: Final = 32
_SIZES: Final = {CLASSICAL: _X25519_SIZE, HYBRID: 1184 + _X25519_SIZE}
_KEMS: Final = {CLASSICAL: KEM.X25519, HYBRID: KEM.MLKEM768_X25519}
_SEED_SIZES: Final = {CLASSICAL: 32, HYBRID: 96}

ENVELOPE: Final = {CLASSICAL: 32 + 16, HYBRID: 1088 + 32 + 16}
"""Bytes that sealing adds: the encapsulated key and the tag."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The public key of somebody who can be sealed to."""

    suite: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The 8 bytes that stand on the outside of what is sealed to this key."""
        return sha256(self.public)[:KEY_ID]

    def seal(self, plain: bytes, info: bytes) -> bytes:
        """What only the holder of the private key can open; `info` is bound to it.

        Raises:
            SealError: this is no key that anybody could hold, such as a point of small order.
        """
        try:
            sealed: bytes = _suite(self.suite).encrypt(plain, self._key(), info)
        except ValueError as problem:
            raise _unusable() from problem
        return sealed

    def _key(self) -> X25519PublicKey | MLKEM768X25519PublicKey:
        x25519 = X25519PublicKey.from_public_bytes(self.public[-_X25519_SIZE:])
        if self.suite == CLASSICAL:
            return x25519
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.public[:-_X25519_SIZE]), x25519
        )


@dataclass(frozen=True, slots=True)
class OpeningKey:
    """A private key. `seed` is 32 bytes for suite 1, 96 (ML-KEM's 64, then X25519's 32) for suite 2."""

    suite: int
    seed: bytes

    @property
    def public(self) -> SealingKey:
        x25519 = self._x25519().public_key().public_bytes_raw()
        if self.suite == CLASSICAL:
            return SealingKey(CLASSICAL, x25519)
        return SealingKey(HYBRID, self._mlkem().public_key().public_bytes_raw() + x25519)

    def unseal(self, sealed: bytes, info: bytes) -> bytes:
        """The plain bytes.

        Raises:
            SealError: sealed to another key, or changed on the way.
        """
        key: X25519PrivateKey | MLKEM768X25519PrivateKey = self._x25519()
        if self.suite == HYBRID:
            key = MLKEM768X25519PrivateKey(self._mlkem(), self._x25519())
        try:
            plain: bytes = _suite(self.suite).decrypt(sealed, key, info)
        except (InvalidTag, ValueError) as problem:
            raise SealError(
                N_("Paket data ini tidak dapat dibuka dengan kunci di sini, atau telah berubah.")
            ) from problem
        return plain

    def shared_with(self, other: bytes) -> bytes:
        """The X25519 secret (RFC 7748) that only this key's holder and that of `other` can know.

        Raises:
            SealError: `other` is no key that anybody could hold.
        """
        try:
            return self._x25519().exchange(X25519PublicKey.from_public_bytes(other[-_X25519_SIZE:]))
        except ValueError as problem:
            raise _unusable() from problem

    def _x25519(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.seed[-_X25519_SIZE:])

    def _mlkem(self) -> MLKEM768PrivateKey:
        return MLKEM768PrivateKey.from_seed_bytes(self.seed[:-_X25519_SIZE])

    def __repr__(self) -> str:
        return f"OpeningKey(suite={self.suite}, public={self.public.id.hex()})"


def sealing_public(seed: bytes) -> bytes:
    """The X25519 public key that bundles for the holder of `seed` are sealed to."""
    return OpeningKey(CLASSICAL, seed).public.public


def seed_size(suite: int) -> int:
    return _SEED_SIZES[suite]


def is_sealing_key(suite: int, public: bytes) -> bool:
    return _SIZES.get(suite) == len(public)


def _unusable() -> SealError:
    return SealError(N_("Kunci penerima ini tidak sah; tidak ada yang dapat dikunci untuknya."))


def _suite(suite: int) -> Suite:
    try:
        return Suite(_KEMS[suite], KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    except (KeyError, UnsupportedAlgorithm) as problem:
        raise SealError(N_("Paket data ini dikunci dengan cara yang tidak dikenal di sini.")) from problem
