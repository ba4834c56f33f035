"""Two laptops of one village on one network tell each other what they hold. Pure.

    greeting = envelope of the device, aad "lontar/neighbour/1"
               [1, device 16, H(greeting answered)[:16] or empty, [[log 8, index, id 8] …]]

Each side names every tip that it holds; the other sends what lies beyond, as its devices signed it. Whether a device is
of this village, the centre's log says, and not the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sync import cbor, cose, exchange, limits
from sync.errors import N_, MalformedError, SignatureError, UnknownVersionError
from sync.keys import ID_SIZE, SigningKey, key_id, sha256
from sync.log import Head

VERSION: Final = 1
PATH: Final = "/v1/neighbour"


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a device holds. `answers` quotes the greeting that it answers; a first one quotes none."""

    device: bytes
    answers: bytes
    heads: tuple[Head, ...]


@dataclass(frozen=True, slots=True)
class UnverifiedGreeting:
    """A greeting before its device's key has been looked up."""

    claimed: Greeting
    quote: bytes
    _envelope: cose.Envelope

    def verify(self, public_key: bytes) -> Greeting:
        if key_id(public_key) != self.claimed.device:
            raise SignatureError(N_("Permintaan ini bukan dari perangkat yang disebutnya."))
        self._envelope.verify(public_key, cose.NEIGHBOUR)
        return self.claimed


def sign_greeting(key: SigningKey, heads: tuple[Head, ...], answers: bytes = b"") -> bytes:
    named = exchange.short_heads(heads[: limits.LOGS_PER_REQUEST])
    return cose.seal(key, cbor.encode([VERSION, key_id(key.public), answers, named]), cose.NEIGHBOUR)


def open_greeting(data: bytes) -> UnverifiedGreeting:
    """
    Raises:
        MalformedError, TooLargeError, UnknownVersionError: not a greeting.
    """
    envelope = cose.open_envelope(data, limits.CONTROL_ITEM)
    match cbor.decode(envelope.payload):
        case [int() as version, *_] if version != VERSION:
            raise UnknownVersionError(
                N_("Laptop tetangga memakai versi Lontar yang lebih baru. Perbarui Lontar.")
            )
        case [int(), bytes() as device, bytes() as answers, list() as heads, *_] if len(device) == ID_SIZE:
            claimed = Greeting(device, answers, exchange.read_heads(heads))
            return UnverifiedGreeting(claimed, sha256(data)[:ID_SIZE], envelope)
    raise MalformedError(N_("Sapaan laptop tetangga ini rusak."))
