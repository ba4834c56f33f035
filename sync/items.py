"""What travels between devices and hubs besides segments of devices, each item marked with its kind.

A stream (the body of a request or answer after its header, the inside of a bundle) is a CBOR sequence
(RFC 8742). A device's segment is an envelope by itself; everything else is an array that begins with a number:
1 a profile, 2 a keyset, 3 a registration, 4 the answer to one, 5 a segment of a hub log. Items of unknown kinds
are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sync import cbor, limits, profile
from sync.errors import N_, MalformedError
from sync.segment import Segment, open_segment

_COSE_TAG_BYTE: Final = 0xC0 | cbor.COSE_SIGN1_TAG


class ItemKind(IntEnum):
    SEGMENT = 0
    PROFILE = profile.ITEM
    KEYSET = 2
    REGISTRATION = 3
    REGISTERED = 4
    HUB_SEGMENT = 5


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a kind known here. `data` is the envelope inside, or the whole item of a profile."""

    kind: ItemKind
    data: bytes

    def segment(self) -> Segment:
        return open_segment(self.data)


def wrap(kind: ItemKind, data: bytes) -> bytes:
    """`data` as it stands in a stream."""
    if kind in (ItemKind.SEGMENT, ItemKind.PROFILE):
        return data
    return cbor.encode([int(kind), data])


def read_item(data: bytes) -> Item | None:
    """What an item is; None for a kind that isn't known here.

    Raises:
        MalformedError, TooLargeError: it is no item at all.
    """
    if data[:1] and data[0] == _COSE_TAG_BYTE:
        return Item(ItemKind.SEGMENT, data)
    match cbor.decode(data, limits.SEGMENT + 16):
        case [ItemKind.PROFILE, *_]:
            profile.open_profile(data)
            return Item(ItemKind.PROFILE, data)
        case [int() as number, bytes() as inner, *_] if number in list(ItemKind):
            return Item(ItemKind(number), inner)
        case [int(), *_]:
            return None
    raise MalformedError(N_("Kiriman ini berisi butir yang tidak dikenal."))


def is_profile(item: bytes) -> bool:
    """Whether an item, of which nothing else is known yet, says that it is a profile: an array that begins with 1."""
    return len(item) > 1 and item[0] >> 5 == 4 and item[1] == ItemKind.PROFILE


def split(data: bytes) -> Iterator[bytes]:
    """The items of a whole stream that may end in zeros, which are padding.

    Raises:
        MalformedError: it isn't one.
    """
    at = 0
    while at < len(data) and data[at] != 0:
        end = cbor.item_end(data, at)
        if end is None:
            raise MalformedError(N_("Kiriman terpotong. Yang sudah lengkap tersimpan; kirim lagi sisanya."))
        yield data[at:end]
        at = end
    if any(data[at:]):
        raise MalformedError(N_("Kiriman ini berisi butir yang tidak dikenal."))


def read_items(stream: bytes) -> Iterable[Item]:
    """The items of a stream of which this software knows the kind."""
    return [item for data in split(stream) if (item := read_item(data)) is not None]
