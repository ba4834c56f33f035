"""Segments: consecutive entries of one log, sealed. The unit of storage, transfer and verification.

A segment is a COSE_Sign1 whose payload is a header (CBOR array) and a body (columns, see `columns`). Its
id is the first 16 bytes of the SHA-256 of all its bytes; the id of segment 0 is the id of the log. Layout:
docs/protocol.md, section 4.

`open_segment` checks the shape, `verify` the signature, `read` the entries. Whether the segment before it
is there is the business of `log`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sync import cbor, columns, cose, limits
from sync.batch import Batch
from sync.entries import INT_MAX, Entry, LogOpened
from sync.errors import N_, MalformedError, UnknownVersionError
from sync.keys import ID_SIZE, KEY_SIZE, SigningKey, sha256

FORMAT: Final = 1
HEADER_SIZE_MAX: Final = 64


@dataclass(frozen=True)
class Segment:
    """A segment taken apart; nothing is known yet of its signature or its entries."""

    data: bytes
    log_in_header: bytes
    index: int
    previous: bytes
    first_seq: int
    count: int
    codec: int
    body: bytes
    envelope: cose.Envelope

    @cached_property
    def hash(self) -> bytes:
        return sha256(self.data)

    @property
    def id(self) -> bytes:
        return self.hash[:ID_SIZE]

    @property
    def log(self) -> bytes:
        """The id of the log; segment 0 names itself."""
        return self.log_in_header or self.id

    @property
    def end_seq(self) -> int:
        """The sequence number after the last entry."""
        return self.first_seq + self.count

    def verify(self, public_key: bytes) -> None:
        """Raises SignatureError unless the device with `public_key` signed these bytes."""
        self.envelope.verify(public_key, cose.SEGMENT)

    def verify_hub(self, hub_keys: Iterable[bytes]) -> None:
        """Raises SignatureError unless one of `hub_keys` signed these bytes for a hub log."""
        self.envelope.verify_any(hub_keys, cose.HUB_SEGMENT)

    def read(self) -> Batch:
        """The entries.

        Raises:
            MalformedError, TooLargeError: what was signed is not a list of entries.
        """
        return columns.decode(self.codec, self.body, self.first_seq, self.count)

    def opening(self) -> LogOpened:
        """The `log_opened` entry that segment 0 must begin with.

        Raises:
            MalformedError: this isn't segment 0, or it begins otherwise.
        """
        entries = self.read().entries()
        if self.index != 0 or not entries or entries[0].kind != LogOpened.number:
            raise MalformedError(N_("Catatan pertama sebuah log harus menyebut pemilik log itu."))
        opened = LogOpened.from_fields(entries[0].fields)
        if opened.format != FORMAT:
            raise UnknownVersionError(N_("Log ini dari versi Lontar yang lebih baru. Perbarui Lontar."))
        if len(opened.public_key) != KEY_SIZE or len(opened.nonce) != ID_SIZE:
            raise MalformedError(N_("Catatan pertama log ini rusak."))
        return opened


def seal(
    key: SigningKey,
    log: bytes,
    index: int,
    previous: bytes,
    entries: Sequence[Entry],
    base_t: int,
    purpose: bytes = cose.SEGMENT,
) -> Segment:
    """Encode and sign `entries` as segment `index` of `log` (empty for segment 0).

    `previous` is the id of the segment before (empty for segment 0), `base_t` the log time (ms) of its
    last entry, `purpose` whose log it is: a device's or (`cose.HUB_SEGMENT`) a hub's.

    Raises:
        MalformedError, TooLargeError: the entries don't fit into one segment.
    """
    if not entries:
        raise MalformedError(N_("Jumlah catatan dalam segmen ini tidak sah."))
    return seal_encoded(
        key, (log, index, previous, entries[0].seq, len(entries)), columns.encode(entries, base_t), purpose
    )


def seal_encoded(
    key: SigningKey,
    place: tuple[bytes, int, bytes, int, int],
    encoded: tuple[int, bytes],
    purpose: bytes = cose.SEGMENT,
) -> Segment:
    """Sign entries that `columns.encode` has encoded, as (log, index, previous, first number, count).

    Raises:
        MalformedError, TooLargeError: they don't fit into one segment.
    """
    codec, body = encoded
    return open_segment(cose.seal(key, cbor.encode([*place, codec]) + body, purpose))


def open_segment(data: bytes) -> Segment:
    """Take a segment apart.

    Raises:
        MalformedError, TooLargeError: it doesn't have the shape of a segment.
    """
    envelope = cose.open_envelope(data, limits.SEGMENT)
    end = cbor.item_end(envelope.payload[:HEADER_SIZE_MAX], 0)
    if end is None:
        raise MalformedError(N_("Kepala segmen ini rusak."))
    match cbor.decode(envelope.payload[:end]):
        case [
            bytes() as log,
            int() as index,
            bytes() as previous,
            int() as first_seq,
            int() as count,
            int() as codec,
        ] if bool not in map(type, (index, first_seq, count, codec)):
            pass
        case _:
            raise MalformedError(N_("Kepala segmen ini rusak."))
    link_size = ID_SIZE if index else 0
    if len(log) != link_size or len(previous) != link_size or not 0 <= index < limits.SEGMENTS_PER_LOG:
        raise MalformedError(N_("Kepala segmen ini rusak."))
    if not 1 <= count <= limits.ENTRIES_PER_SEGMENT or not 0 <= first_seq <= INT_MAX - count:
        raise MalformedError(N_("Jumlah catatan dalam segmen ini tidak sah."))
    if codec not in columns.CODECS:
        raise UnknownVersionError(N_("Segmen ini dari versi Lontar yang lebih baru."))
    if (index == 0) != (first_seq == 0):
        raise MalformedError(N_("Nomor catatan segmen ini tidak sah."))
    return Segment(data, log, index, previous, first_seq, count, codec, envelope.payload[end:], envelope)
