"""Bundles: what a device or a hub has to say to one reader, sealed in parts for any stick. Pure.

    part  = head 48 ‖ sealed (HPKE, info "lontar/bundle/1" ‖ head) ‖ H(all above) 32
    head  = "LNTB" ‖ version 1 ‖ suite 1 ‖ flags 2 ‖ recipient 8 ‖ sender 8 ‖ random 8 ‖ index 4 ‖ count 4
            ‖ length of sealed 4 ‖ reserved 4
    plain = manifest (an envelope of the sender) ‖ items ‖ zeros

Each part is useful alone. The hash at its end lets somebody who can't open it say that a copy is torn. The sender
and the recipient are named by the ids of their sealing keys, which mean something only to those who know them.
Padding is to a power of two up to 4 KiB, above that Padmé (Nikitin et al., "Reducing Metadata Leakage from
Encrypted Files and Communication with PURBs", 2019): at most 12 % more, and a size tells next to nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sync import cbor, cose, exchange, items, limits
from sync.errors import N_, MalformedError, SealError, TornError, UnknownVersionError
from sync.exchange import Request, Verdict
from sync.keys import RandomBytes, SigningKey, sha256
from sync.sealing import ENVELOPE, KEY_ID, OpeningKey, SealingKey

VERSION: Final = 1
MAGIC: Final = b"LNTB"
BUNDLE_ID: Final = 16
HASH: Final = 32

_HEAD: Final = struct.Struct(">4sBBH8s16sIIII")
_INFO: Final = b"lontar/bundle/1"
_POWER_OF_TWO_UP_TO: Final = 4096


@dataclass(frozen=True, slots=True)
class Head:
    """What is written on the outside of a part."""

    suite: int
    recipient: bytes
    bundle: bytes
    index: int
    count: int
    length: int

    @property
    def sender(self) -> bytes:
        """The id of the sealing key of whoever made the bundle."""
        return self.bundle[:KEY_ID]

    @property
    def size(self) -> int:
        """The size (bytes) of the whole part."""
        return _HEAD.size + self.length + HASH

    def encode(self) -> bytes:
        return _HEAD.pack(
            MAGIC,
            VERSION,
            self.suite,
            0,
            self.recipient,
            self.bundle,
            self.index,
            self.count,
            self.length,
            0,
        )


@dataclass(frozen=True, slots=True)
class FromDevice:
    """The manifest of a bundle that a device sends to a hub: a request that needs no answer at once."""

    request: Request

    def fields(self) -> list[object]:
        return self.request.fields()


@dataclass(frozen=True, slots=True)
class FromHub:
    """The manifest of a bundle that a hub sends to a device: verdicts on its logs, as a receipt has them."""

    device: bytes
    hub_ms: int
    keyset_version: int
    verdicts: tuple[Verdict, ...] = ()

    def fields(self) -> list[object]:
        return [self.device, self.hub_ms, self.keyset_version, exchange.write_verdicts(self.verdicts)]


@dataclass(frozen=True, slots=True)
class OpenedPart:
    """A part that was opened; nothing is known yet of who signed its manifest."""

    head: Head
    stream: bytes
    _fields: list[object]
    _envelope: cose.Envelope

    def from_device(self) -> Request:
        """What the device that made this says it is; `verify_device` proves it."""
        return exchange.read_request(self._fields)

    def verify_device(self, public_key: bytes) -> None:
        self._envelope.verify(public_key, cose.BUNDLE)

    def verify_hub(self, hub_keys: Sequence[bytes]) -> FromHub:
        """The hub's manifest, once one of `hub_keys` is known to have signed it."""
        self._envelope.verify_any(hub_keys, cose.MAIL)
        match self._fields:
            case [bytes() as device, int() as hub_ms, int() as keyset_version, list() as verdicts, *_]:
                return FromHub(device, hub_ms, keyset_version, exchange.read_verdicts(verdicts))
        raise MalformedError(N_("Daftar isi paket data ini rusak."))


def new_bundle(sender: bytes, random_bytes: RandomBytes) -> bytes:
    """A bundle id: whose it is (the id of the sender's sealing key), and 8 random bytes."""
    return sender + random_bytes(BUNDLE_ID - KEY_ID)


def seal_parts(
    recipient: SealingKey,
    key: SigningKey,
    manifest: FromDevice | FromHub,
    stream: Sequence[bytes],
    bundle: bytes,
    most: int = limits.PART_USUAL,
) -> list[bytes]:
    """The parts of one bundle, each at most `most` bytes inside unless one item alone is larger.

    `stream` are items as they stand in a stream. A segment stays with the profiles before it: once it has arrived,
    nobody would send them again.
    """
    groups: list[list[bytes]] = [[]]
    room = most - limits.BUNDLE_MANIFEST
    for unit in _units(stream):
        if groups[-1] and sum(map(len, [*groups[-1], *unit])) > room:
            groups.append([])
        groups[-1] += unit
    purpose = cose.BUNDLE if isinstance(manifest, FromDevice) else cose.MAIL
    parts = []
    for index, group in enumerate(groups):
        said = [VERSION, recipient.id, bundle, index, len(groups), *manifest.fields()]
        plain = padded(b"".join([cose.seal(key, cbor.encode(said), purpose), *group]))
        length = len(plain) + ENVELOPE[recipient.suite]
        head = Head(recipient.suite, recipient.id, bundle, index, len(groups), length).encode()
        whole = head + recipient.seal(plain, _INFO + head)
        parts.append(whole + sha256(whole))
    return parts


def _units(stream: Sequence[bytes]) -> list[list[bytes]]:
    """Items that travel in one part: each with the profiles before it, as far as a part holds them."""
    units: list[list[bytes]] = [[]]
    for item in stream:
        size = sum(map(len, units[-1]))
        if units[-1] and (not items.is_profile(units[-1][-1]) or size > limits.PROFILES_PER_SEGMENT):
            units.append([])
        units[-1].append(item)
    return units


def read_head(data: bytes) -> Head:
    """The outside of a part, from its first bytes.

    Raises:
        MalformedError: it isn't a part.
        UnknownVersionError: a later Lontar made it.
    """
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise MalformedError(N_("Berkas ini bukan paket data Lontar."))
    _, version, suite, _, recipient, bundle, index, count, length, _ = _HEAD.unpack_from(data)
    if version != VERSION:
        raise UnknownVersionError(N_("Paket data ini dari versi Lontar yang lebih baru. Perbarui Lontar."))
    if not index < count <= limits.PARTS_PER_BUNDLE or length > limits.PART:
        raise MalformedError(N_("Berkas ini bukan paket data Lontar."))
    return Head(suite, recipient, bundle, index, count, length)


def check_part(data: bytes) -> Head:
    """The outside of a part whose bytes are all there and unchanged; anybody can check that.

    Raises:
        TornError: they aren't: copy it again.
        MalformedError, UnknownVersionError: as for `read_head`.
    """
    if len(data) < _HEAD.size and data[: len(MAGIC)] == MAGIC[: len(data)]:
        raise _torn()
    head = read_head(data)
    if len(data) != head.size or sha256(data[:-HASH]) != data[-HASH:]:
        raise _torn()
    return head


def part_id(data: bytes) -> bytes:
    """What names a whole part: the hash at its end."""
    return data[-HASH:]


def open_part(data: bytes, keys: Sequence[OpeningKey]) -> OpenedPart:
    """Open a part that is sealed to one of `keys`.

    Raises:
        SealError: it is for somebody else, or was changed by somebody who mended its hash.
        TornError, MalformedError, TooLargeError, UnknownVersionError: as for `check_part`, or the inside isn't one.
    """
    head = check_part(data)
    key = next((key for key in keys if key.public.id == head.recipient and key.suite == head.suite), None)
    if key is None:
        raise SealError(N_("Paket data ini untuk penerima lain."))
    outside = data[: _HEAD.size]
    plain = key.unseal(data[_HEAD.size : -HASH], _INFO + outside)
    end = cbor.item_end(plain, 0)
    envelope = cose.open_envelope(plain[:end], limits.CONTROL_ITEM)
    match cbor.decode(envelope.payload):
        case [int() as version, *_] if version != VERSION:
            raise UnknownVersionError(
                N_("Paket data ini dari versi Lontar yang lebih baru. Perbarui Lontar.")
            )
        case [int(), bytes() as recipient, bytes() as bundle, int() as index, int() as count, *fields]:
            # What is inside must agree with the outside, or a courier could pass parts off as others.
            if (recipient, bundle, index, count) == (head.recipient, head.bundle, head.index, head.count):
                return OpenedPart(head, plain[end:], fields, envelope)
    raise MalformedError(N_("Daftar isi paket data ini rusak."))


def read_stream(part: OpenedPart) -> list[items.Item]:
    """The items inside that this software knows.

    Raises:
        MalformedError, TooLargeError: they aren't items.
    """
    return list(items.read_items(part.stream))


def _torn() -> TornError:
    return TornError(
        N_("Paket data ini tidak utuh: flashdisk dicabut terlalu cepat atau rusak. Salin lagi.")
    )


def padded(plain: bytes) -> bytes:
    return plain + bytes(padded_size(len(plain)) - len(plain))


def padded_size(size: int) -> int:
    """The size (bytes) to which `size` is padded."""
    if size <= _POWER_OF_TWO_UP_TO:
        return max(256, 1 << max(0, size - 1).bit_length())
    exponent = size.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (size + mask) & ~mask
