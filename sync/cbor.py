"""Deterministic CBOR (RFC 8949, section 4.2.1), strict both ways.

Writing goes through `cbor2`. Reading first walks the bytes and refuses whatever a deterministic
encoder would not have written: longer integers than needed, indefinite lengths, map keys unsorted,
repeated or not small integers, floats, deep nesting. `cbor2.loads` alone accepts all of these, and two
spellings of one value would have two hashes.
"""

from __future__ import annotations

from typing import Any, Final

import cbor2

from sync import limits
from sync.errors import N_, MalformedError, TooLargeError

COSE_SIGN1_TAG: Final = 18
_LARGEST_MAP_KEY: Final = 23


def encode(value: object) -> bytes:
    """Encode ints, bytes, text, booleans, None, lists, tuples and maps with keys 0 to 23.

    Raises:
        MalformedError: `value` holds something that has no deterministic form here.
    """
    try:
        data: bytes = cbor2.dumps(_ordered(value, 0))
    except UnicodeEncodeError as problem:
        raise MalformedError(N_("Teks ini tidak dapat ditulis sebagai UTF-8.")) from problem
    return data


def decode(data: bytes, limit: int = limits.CONTROL_ITEM) -> Any:
    """The one value that `data` is made of.

    Raises:
        TooLargeError: more than `limit` bytes.
        MalformedError: not exactly one deterministic item.
    """
    if len(data) > limit:
        raise TooLargeError(
            N_("Data sebesar %(size)s bita melebihi batas %(limit)s bita."),
            size=len(data),
            limit=limit,
        )
    if _walk(data, 0, 0) != len(data):
        raise MalformedError(N_("Data bukan satu butir CBOR yang utuh."))
    try:
        return cbor2.loads(data)
    except (cbor2.CBORDecodeError, UnicodeDecodeError, ValueError) as problem:
        raise MalformedError(N_("Data bukan CBOR yang sah.")) from problem


def item_end(data: bytes | bytearray | memoryview, start: int) -> int | None:
    """Where the item that begins at `start` ends, or None while its bytes are still arriving.

    Raises:
        MalformedError: the bytes so far can't become a deterministic item.
    """
    end = _walk(data, start, 0)
    return None if end < 0 else end


def item_needs(data: bytes | bytearray | memoryview, start: int) -> int:
    """How long `data` must be at least before the unfinished item at `start` can end."""
    return max(len(data) + 1, -_walk(data, start, 0))


def _ordered(value: object, depth: int) -> object:
    if depth > limits.NESTING:
        raise MalformedError(N_("Data CBOR bersarang terlalu dalam."))
    if isinstance(value, dict):
        for key in value:
            if type(key) is not int or not 0 <= key <= _LARGEST_MAP_KEY:
                raise MalformedError(N_("Kunci peta CBOR harus bilangan 0 sampai 23."))
        return {key: _ordered(value[key], depth + 1) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, cbor2.CBORTag):
        return cbor2.CBORTag(value.tag, _ordered(value.value, depth + 1))
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        raise MalformedError(N_("Bilangan terlalu besar untuk CBOR."))
    if value is None or isinstance(value, bool | int | bytes | str):
        return value
    raise MalformedError(N_("Jenis nilai ini tidak dapat ditulis sebagai CBOR."))


def _walk(data: bytes | bytearray | memoryview, at: int, depth: int) -> int:
    """The end of the item at `at`; if the bytes stop before it does, minus the least that its end can be."""
    if depth > limits.NESTING:
        raise MalformedError(N_("Data CBOR bersarang terlalu dalam."))
    if at >= len(data):
        return -(at + 1)
    major, short = data[at] >> 5, data[at] & 31
    at += 1
    argument = short
    if short >= 24:
        if short > 27:
            raise MalformedError(N_("Data CBOR tanpa panjang pasti tidak diterima."))
        width = 1 << (short - 24)
        if at + width > len(data):
            return -(at + width)
        argument = int.from_bytes(data[at : at + width], "big")
        at += width
        smallest = (24, 1 << 8, 1 << 16, 1 << 32)[short - 24]
        if argument < smallest or major == 7:
            raise MalformedError(N_("Data CBOR tidak ditulis dalam bentuk terpendek."))
    if major <= 1:
        if major == 1 and argument >= 1 << 63:
            raise MalformedError(N_("Bilangan terlalu besar untuk CBOR."))
        return at
    if major <= 3:
        end = at + argument
        return end if end <= len(data) else -end
    if major == 4:
        return _walk_items(data, at, argument, depth)
    if major == 5:
        return _walk_map(data, at, argument, depth)
    if major == 6:
        if argument != COSE_SIGN1_TAG:
            raise MalformedError(N_("Tanda CBOR ini tidak dikenal."))
        return _walk(data, at, depth + 1)
    if argument not in (20, 21, 22):
        raise MalformedError(N_("Nilai sederhana CBOR ini tidak diterima."))
    return at


def _walk_items(data: bytes | bytearray | memoryview, at: int, count: int, depth: int) -> int:
    for done in range(count):
        at = _walk(data, at, depth + 1)
        if at < 0:
            return at - (count - done - 1)
    return at


def _walk_map(data: bytes | bytearray | memoryview, at: int, count: int, depth: int) -> int:
    before = -1
    for done in range(count):
        left = 2 * (count - done - 1)
        if at >= len(data):
            return -(at + 2) - left
        key = data[at]
        if not before < key <= _LARGEST_MAP_KEY:
            raise MalformedError(N_("Kunci peta CBOR harus bilangan kecil, urut, tanpa ulangan."))
        before = key
        at = _walk(data, at + 1, depth + 1)
        if at < 0:
            return at - left
    return at
