"""Personal data, detached from the log: an entry holds a salted hash, the profile travels beside it.

Deleting every copy of a profile leaves all signatures valid. The salt keeps names from being guessed from
the hash. A profile never holds a national identity number (NIK).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from sync import cbor, limits
from sync.errors import N_, MalformedError, TooLargeError
from sync.keys import ID_SIZE, RandomBytes, sha256

ITEM: Final = 1
"""The first element of a profile on the wire, which tells it from other items."""

LEARNER_DOMAIN: Final = b"lontar/learner/1"


@dataclass(frozen=True, slots=True)
class Profile:
    """What people need to recognise one another. Further fields are kept as they came."""

    salt: bytes
    name: str
    position: str = ""

    @classmethod
    def make(cls, random_bytes: RandomBytes, name: str, position: str = "") -> Profile:
        clean = (unicodedata.normalize("NFC", " ".join(text.split())) for text in (name, position))
        profile = cls(random_bytes(ID_SIZE), *clean)
        if not profile.name:
            raise MalformedError(N_("Nama tidak boleh kosong."))
        profile.encode()
        return profile

    def encode(self) -> bytes:
        """The item that is sent, stored, and hashed into the commitment."""
        data = cbor.encode([ITEM, self.salt, self.name, self.position])
        if len(data) > limits.PROFILE:
            raise TooLargeError(N_("Nama atau jabatan terlalu panjang."))
        return data

    @property
    def commitment(self) -> bytes:
        return sha256(self.encode())


def commitment_of(data: bytes) -> bytes:
    return sha256(data)


def open_profile(data: bytes) -> Profile:
    """Read a profile.

    Raises:
        MalformedError, TooLargeError: it isn't one.
    """
    match cbor.decode(data, limits.PROFILE):
        case [1, bytes() as salt, str() as name, str() as position, *_] if len(salt) == ID_SIZE and name:
            return Profile(salt, name, position)
    raise MalformedError(N_("Data pribadi ini rusak."))


def learner_id(log: bytes, commitment: bytes) -> bytes:
    """The identity (16 bytes) of the person whom `learner_added` introduced in `log`.

    It comes from the log and the first commitment, so the branches of a forked log agree on the people
    they share and no other device can claim them.
    """
    return sha256(LEARNER_DOMAIN + log + commitment)[:ID_SIZE]
