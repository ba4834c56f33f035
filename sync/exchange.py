"""The round trip, decided without waiting for anything: what a request and a receipt say.

Layout of both: docs/protocol.md, section 6. A request is a CBOR sequence (RFC 8742): a signed header, then
segments and profiles. A device sends optimistically what the last receipt didn't cover. After a broken
attempt it asks first, by sending the header alone, and goes on after the last segment that the hub has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Final

from sync import cbor, cose, limits
from sync.entries import INT_MAX
from sync.errors import N_, MalformedError, SignatureError, TooLargeError, UnknownVersionError
from sync.keys import SigningKey, key_id, sha256
from sync.log import NOTHING, Head, Status

VERSION: Final = 1
PATH: Final = "/v1/sync"
KEYSET_PATH: Final = "/v1/keyset"
MEDIA_TYPE: Final = "application/cbor-seq"
SHORT_ID: Final = 8
"""Ids on the wire are shortened to 8 bytes where the signer's other data make them unambiguous."""


DIGEST: Final = 4
"""How many bytes sum up the hub logs that a device holds."""


class Wants(IntFlag):
    """What a device asks for besides its receipt."""

    NOTHING = 0
    HISTORY = 1
    """Everything that the hub holds of the village's logs, beyond what `have` names."""


class Down(IntEnum):
    """What a receipt says of the items that follow it."""

    ALL = 0
    MORE = 1
    """They are not all: ask again."""
    NAME_YOURS = 2
    """The hub doesn't know what the digest sums up: ask again with `have` as heads."""


@dataclass(frozen=True, slots=True)
class Request:
    """The header of a request. `heads` names logs of which no segment follows.

    `have` says which logs of others the device holds, so that only what it lacks comes back: a digest of their
    heads (see `digest_of`), which is what a hub needs that remembers what it sent, or the heads.
    """

    device: bytes
    t: int
    wall_s: int
    heads: tuple[Head, ...] = ()
    have: tuple[Head, ...] | bytes = ()
    wants: Wants = Wants.NOTHING

    def fields(self) -> list[object]:
        """As it stands on the wire, after the version."""
        have = self.have if isinstance(self.have, bytes) else short_heads(self.have)
        more = [int(self.wants)] if self.wants else []
        return [self.device[:SHORT_ID], self.t, self.wall_s, short_heads(self.heads), have, *more]


def digest_of(heads: Iterable[Head]) -> bytes | tuple[Head, ...]:
    """What sums up these heads in a request; of none, none."""
    named = sorted((head.log[:SHORT_ID], head.index, head.id[:SHORT_ID]) for head in heads)
    return sha256(cbor.encode(named))[:DIGEST] if named else ()


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
    down: Down = Down.ALL
    data: bytes = field(default=b"", compare=False)

    @property
    def anchor(self) -> bytes:
        """What an `anchor_noted` entry quotes: 8 bytes that nobody could know before the hub signed."""
        return sha256(self.data)[:SHORT_ID]


def sign_request(key: SigningKey, request: Request) -> bytes:
    return cose.seal(key, cbor.encode([VERSION, *request.fields()]), cose.REQUEST)


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
        case [int(), *fields]:
            return UnverifiedRequest(read_request(fields), request_hash(data), envelope)
    raise MalformedError(N_("Kepala permintaan ini rusak."))


def read_request(fields: Sequence[object]) -> Request:
    """The opposite of `Request.fields`.

    Raises:
        MalformedError, TooLargeError: they aren't a request's.
    """
    match fields:
        case [
            bytes() as device,
            int() as t,
            int() as wall_s,
            list() as heads,
            list() | bytes() as have,
            *more,
        ] if (
            len(device) == SHORT_ID
            and 0 <= t <= INT_MAX
            and abs(wall_s) < limits.WALL_SECONDS
            and (isinstance(have, list) or len(have) == DIGEST)
        ):
            wants = more[0] if more and type(more[0]) is int and more[0] >= 0 else 0
            held = have if isinstance(have, bytes) else read_heads(have)
            return Request(device, t, wall_s, read_heads(heads), held, Wants(wants & Wants.HISTORY))
    raise MalformedError(N_("Kepala permintaan ini rusak."))


def request_hash(data: bytes) -> bytes:
    """What a receipt quotes of the request that it answers."""
    return sha256(data)[:16]


def sign_receipt(key: SigningKey, receipt: Receipt) -> bytes:
    hints = [receipt.retry_after_s, receipt.max_upload, receipt.keyset_version]
    if receipt.down:
        hints.append(int(receipt.down))
    verdicts = write_verdicts(receipt.verdicts)
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
        case [int() as retry_after_s, int() as max_upload, int() as keyset_version, *more]:
            down = Down(more[0]) if more and more[0] in list(Down) else Down.ALL
            read = read_verdicts(verdicts)
            return Receipt(quoted, hub_ms, read, retry_after_s, max_upload, keyset_version, down, data)
    raise MalformedError(N_("Tanda terima ini rusak."))


def split_answer(answer: bytes) -> tuple[bytes, bytes]:
    """(the receipt, the stream of items after it) of a hub's answer.

    Raises:
        MalformedError: it doesn't begin with a whole item.
    """
    end = cbor.item_end(answer, 0)
    if end is None:
        raise MalformedError(N_("Tanda terima ini rusak."))
    return answer[:end], answer[end:]


def write_verdicts(verdicts: Iterable[Verdict]) -> list[object]:
    """Verdicts as they stand in receipts and in mail."""
    return [[v.head.log[:SHORT_ID], v.head.index, v.head.id[:SHORT_ID], int(v.status)] for v in verdicts]


def read_verdicts(items: Sequence[object]) -> tuple[Verdict, ...]:
    """
    Raises:
        MalformedError: they aren't verdicts.
    """
    return tuple(_read_verdict(item) for item in items)


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


def short_heads(heads: Sequence[Head]) -> list[list[object]]:
    """Heads as they stand on the wire."""
    return [[head.log[:SHORT_ID], head.index, head.id[:SHORT_ID]] for head in heads]


def read_heads(items: list[object]) -> tuple[Head, ...]:
    """The opposite of `short_heads`.

    Raises:
        MalformedError, TooLargeError: they aren't heads.
    """
    if len(items) > limits.LOGS_PER_REQUEST:
        raise TooLargeError(N_("Permintaan ini menyebut terlalu banyak log."))
    return tuple(_read_head(item) for item in items)


def _read_head(item: object) -> Head:
    match item:
        case [bytes() as log, int() as index, bytes() as id_] if (
            len(log) == SHORT_ID
            and NOTHING <= index < limits.SEGMENTS_PER_LOG
            and len(id_) in (0, SHORT_ID)
        ):
            return Head(log, index, id_)
    raise MalformedError(N_("Kepala permintaan ini rusak."))


def _read_verdict(item: object) -> Verdict:
    match item:
        case [log, index, id_, int() as status] if status in list(Status):
            return Verdict(_read_head([log, index, id_]), Status(status))
    raise MalformedError(N_("Tanda terima ini rusak."))
