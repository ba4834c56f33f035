"""The round trip, decided without waiting for anything: what a request and a receipt say.

Layout of both: docs/protocol.md, section 6. A request is a CBOR sequence (RFC 8742): a signed header, then
segments and profiles. A device sends optimistically what the last receipt didn't cover. After a broken
attempt it asks first, by sending the header alone, and goes on after the last segment that the hub has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sync import cbor, cose, limits
from sync.errors import N_, MalformedError, SignatureError, TooLargeError, UnknownVersionError
from sync.keys import SigningKey, key_id, sha256
from sync.log import NOTHING, Head, Status

VERSION: Final = 1
PATH: Final = "/v1/sync"
MEDIA_TYPE: Final = "application/cbor-seq"
SHORT_ID: Final = 8
"""Ids on the wire are shortened to 8 bytes where the signer's other data make them unambiguous."""


@dataclass(frozen=True, slots=True)
class Request:
    """The header of a request. `heads` names logs of which no segment follows."""

    device: bytes
    t: int
    wall_s: int
    heads: tuple[Head, ...] = ()
    have: tuple[Head, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the hub holds of a log after this request: its contiguous tip, and what it makes of it."""

    head: Head
    status: Status


@dataclass(frozen=True, slots=True)
class Receipt:
    """The hub's signed word. `request_hash` ties it to one request; `hub_ms` is the hub's time."""

    request_hash: bytes
    hub_ms: int
    verdicts: tuple[Verdict, ...] = ()
    retry_after_s: int = 0
    max_upload: int = limits.REQUEST_BODY
    keyset_version: int = 0
    data: bytes = field(default=b"", compare=False)

    @property
    def anchor(self) -> bytes:
        """What an `anchor_noted` entry quotes: 8 bytes that nobody could know before the hub signed."""
        return sha256(self.data)[:SHORT_ID]


def sign_request(key: SigningKey, request: Request) -> bytes:
    payload = [VERSION, request.device[:SHORT_ID], request.t, request.wall_s]
    return cose.seal(
        key,
        cbor.encode([*payload, _short_heads(request.heads), _short_heads(request.have)]),
        cose.REQUEST,
    )


@dataclass(frozen=True, slots=True)
class UnverifiedRequest:
    """A request before its device's key has been looked up."""

    claimed: Request
    hash: bytes
    _envelope: cose.Envelope

    def verify(self, public_key: bytes) -> Request:
        """The request, once it is known to be from the holder of `public_key`."""
        if key_id(public_key)[:SHORT_ID] != self.claimed.device:
            raise SignatureError(N_("Permintaan ini bukan dari perangkat yang disebutnya."))
        self._envelope.verify(public_key, cose.REQUEST)
        return self.claimed


def open_request(data: bytes) -> UnverifiedRequest:
    """Read a request's header.

    Raises:
        MalformedError, TooLargeError, UnknownVersionError: not a header this software can read.
    """
    envelope = cose.open_envelope(data, limits.CONTROL_ITEM)
    match cbor.decode(envelope.payload):
        case [int() as version, *_] if version != VERSION:
            raise UnknownVersionError(N_("Permintaan ini dari versi Lontar yang tidak dikenal."))
        case [
            int(),
            bytes() as device,
            int() as t,
            int() as wall_s,
            list() as heads,
            list() as have,
            *_,
        ] if len(device) == SHORT_ID and t >= 0:
            claimed = Request(device, t, wall_s, _read_heads(heads), _read_heads(have))
            return UnverifiedRequest(claimed, request_hash(data), envelope)
    raise MalformedError(N_("Kepala permintaan ini rusak."))


def request_hash(data: bytes) -> bytes:
    """What a receipt quotes of the request that it answers."""
    return sha256(data)[:16]


def sign_receipt(key: SigningKey, receipt: Receipt) -> bytes:
    verdicts = [
        [v.head.log[:SHORT_ID], v.head.index, v.head.id[:SHORT_ID], int(v.status)] for v in receipt.verdicts
    ]
    hints = [receipt.retry_after_s, receipt.max_upload, receipt.keyset_version]
    payload = cbor.encode([VERSION, receipt.request_hash, receipt.hub_ms, verdicts, hints])
    return cose.seal(key, payload, cose.RECEIPT)


def open_receipt(data: bytes, hub_keys: Sequence[bytes], request: bytes) -> Receipt:
    """Read the receipt for `request` (the signed header as sent).

    Raises:
        SignatureError: not signed by one of `hub_keys`, or for another request.
        MalformedError, TooLargeError, UnknownVersionError: not a receipt this software can read.
    """
    envelope = cose.open_envelope(data, limits.CONTROL_ITEM)
    envelope.verify_any(hub_keys, cose.RECEIPT)
    match cbor.decode(envelope.payload):
        case [int() as version, *_] if version != VERSION:
            raise UnknownVersionError(N_("Tanda terima ini dari versi Lontar yang lebih baru."))
        case [int(), bytes() as quoted, int() as hub_ms, list() as verdicts, list() as hints, *_]:
            pass
        case _:
            raise MalformedError(N_("Tanda terima ini rusak."))
    if quoted != request_hash(request):
        raise SignatureError(N_("Tanda terima ini untuk permintaan lain."))
    match hints:
        case [int() as retry_after_s, int() as max_upload, int() as keyset_version, *_]:
            read = tuple(_read_verdict(verdict) for verdict in verdicts)
            return Receipt(quoted, hub_ms, read, retry_after_s, max_upload, keyset_version, data)
    raise MalformedError(N_("Tanda terima ini rusak."))


def encode_refusal(code: str, text: str) -> bytes:
    """What a hub answers, with an HTTP status of 400 or more, when it won't take a request."""
    return cbor.encode([VERSION, code, text])


def read_refusal(data: bytes) -> tuple[str, str] | None:
    """(stable code, a sentence for people) of a refusal, or None if `data` isn't one."""
    try:
        match cbor.decode(data):
            case [int(), str() as code, str() as text, *_]:
                return code, text
    except (MalformedError, TooLargeError):
        pass
    return None


def to_send(
    confirmed: int, held: Sequence[tuple[int, int]], max_upload: int, spent: int
) -> tuple[list[int], bool]:
    """Which segments of one log go into this request, and whether that is all of them.

    `confirmed` is the index of the last segment that the hub is known to hold (NOTHING if none), `held`
    the (index, size) of the device's own segments in order, `spent` the bytes already in the request.
    At least one segment goes out, or a device with a small allowance would never get anywhere.
    """
    chosen: list[int] = []
    waiting = [(index, size) for index, size in held if index > confirmed]
    for index, size in waiting:
        full = spent + size > max_upload or len(chosen) >= limits.SEGMENTS_PER_REQUEST
        if chosen and full:
            break
        chosen.append(index)
        spent += size
    return chosen, len(chosen) == len(waiting)


def next_upload(current: int, succeeded: bool, most: int) -> int:
    """The upload size (bytes) after an attempt: half after a drop, double after a success."""
    wanted = current * 2 if succeeded else current // 2
    return max(limits.UPLOAD_MIN, min(wanted, most, limits.REQUEST_BODY))


class ItemSplitter:
    """Cuts a stream of bytes into CBOR items as they become complete, within a limit per body."""

    def __init__(self, limit: int = limits.REQUEST_BODY) -> None:
        self._buffer = bytearray()
        self._seen = 0
        self._limit = limit
        self._needed = 1

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The items that `data` completes.

        Raises:
            TooLargeError: the stream is longer than the limit.
            MalformedError: what came can't become deterministic CBOR.
        """
        self._seen += len(data)
        if self._seen > self._limit:
            raise TooLargeError(N_("Kiriman melebihi batas %(limit)s bita."), limit=self._limit)
        self._buffer += data
        at = 0
        try:
            # An unfinished item is looked at again only when it can have ended, or long items would cost
            # the square of their size.
            while len(self._buffer) - at >= self._needed:
                end = cbor.item_end(self._buffer, at)
                if end is None:
                    self._needed = cbor.item_needs(self._buffer, at) - at
                    break
                yield bytes(self._buffer[at:end])
                at, self._needed = end, 1
        finally:
            del self._buffer[:at]

    @property
    def is_between_items(self) -> bool:
        return not self._buffer


def _short_heads(heads: Sequence[Head]) -> list[list[object]]:
    return [[head.log[:SHORT_ID], head.index, head.id[:SHORT_ID]] for head in heads]


def _read_heads(items: list[object]) -> tuple[Head, ...]:
    if len(items) > limits.LOGS_PER_REQUEST:
        raise TooLargeError(N_("Permintaan ini menyebut terlalu banyak log."))
    return tuple(_read_head(item) for item in items)


def _read_head(item: object) -> Head:
    match item:
        case [bytes() as log, int() as index, bytes() as id_] if (
            len(log) == SHORT_ID and NOTHING <= index < 1 << 32 and len(id_) in (0, SHORT_ID)
        ):
            return Head(log, index, id_)
    raise MalformedError(N_("Kepala permintaan ini rusak."))


def _read_verdict(item: object) -> Verdict:
    match item:
        case [log, index, id_, int() as status] if status in list(Status):
            return Verdict(_read_head([log, index, id_]), Status(status))
    raise MalformedError(N_("Tanda terima ini rusak."))
