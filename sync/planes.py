"""Columns of whole numbers and booleans as bit planes, in two streams: one for zstd, one that skips it.

A number column is: a control byte (transform, form, width), a base and a scale where the form has them,
and planes of `(value - base) / scale`, lowest byte first; the bits that are left over share bytes (1, 2 or
4 bits a value). Byte layout: docs/protocol.md, section 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from math import gcd
from typing import Final

import zstandard

from sync.errors import N_, MalformedError

PLAIN, DELTA, ELAPSED = range(3)
_BARE, _BASED, _SCALED, _RAW = range(4)
"""Forms: base 0 and scale 1; a base; a base and a scale; a base, and planes in the raw stream."""
_FORM_SHIFT: Final = 2
_WIDTH_SHIFT: Final = 4
_WIDTHS: Final = (0, 1, 2, 4, 8, 9, 10, 12, 16, 24, 32, 40, 48, 56, 64, 72)
"""Bits a value may take: whole bytes and 0, 1, 2 or 4 bits more. 72 holds differences of 64-bit values."""

_BASE_MAX: Final = (1 << 66) - 1


class ByteWriter:
    """Two growing streams: `plain`, to be compressed, and `raw`, to be left alone."""

    def __init__(self, two_streams: bool) -> None:
        self.plain = bytearray()
        self.raw = bytearray()
        self._two_streams = two_streams

    def splits(self, data: bytes) -> bool:
        """Whether `data` belongs into the raw stream: only long runs that zstd can't shrink."""
        return self._two_streams and len(data) >= 64 and len(_estimate(data)) >= len(data)

    def byte(self, value: int) -> None:
        self.plain.append(value)

    def varint(self, value: int) -> None:
        while value >= 0x80:
            self.plain.append(value & 0x7F | 0x80)
            value >>= 7
        self.plain.append(value)

    def block(self, data: bytes) -> None:
        """Bytes whose length the reader knows; a byte before them says in which stream they are."""
        raw = self.splits(data)
        self.byte(int(raw))
        (self.raw if raw else self.plain).extend(data)


class ByteReader:
    """Reads the two streams, refuses to read past their ends or to leave anything unread."""

    def __init__(self, plain: bytes, raw: bytes) -> None:
        self._plain = plain
        self._raw = raw
        self.at = 0
        self._raw_at = 0

    def byte(self) -> int:
        return self._take_plain(1)[0]

    def varint(self, most: int) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 70:
                raise MalformedError(N_("Bilangan dalam segmen ini rusak."))
        if value > most:
            raise MalformedError(N_("Bilangan dalam segmen ini terlalu besar."))
        return value

    def take(self, size: int, raw: bool) -> bytes:
        if not raw:
            return self._take_plain(size)
        data = self._raw[self._raw_at : self._raw_at + size]
        self._raw_at += size
        return self._whole(data, size)

    def block(self, size: int) -> bytes:
        flag = self.byte()
        if flag > 1:
            raise MalformedError(N_("Susunan segmen ini tidak sah."))
        return self.take(size, bool(flag))

    def finish(self) -> None:
        if self.at != len(self._plain) or self._raw_at != len(self._raw):
            raise MalformedError(N_("Segmen ini berisi data berlebih."))

    def _take_plain(self, size: int) -> bytes:
        data = self._plain[self.at : self.at + size]
        self.at += size
        return self._whole(data, size)

    @staticmethod
    def _whole(data: bytes, size: int) -> bytes:
        if len(data) != size:
            raise MalformedError(N_("Segmen ini terpotong."))
        return data


@dataclass(frozen=True)
class TransformInput:
    """Whole seconds since the entry before, for the rows of one group; worked out only when needed."""

    steps: Sequence[int]
    rows: Sequence[int]

    @cached_property
    def elapsed(self) -> list[int]:
        return [self.steps[row] // 1000 for row in self.rows]


def write_ints(out: ByteWriter, values: Sequence[int], elapsed: Sequence[int] | None = None) -> None:
    """Write a column the cheapest way; `elapsed` allows the transform "seconds since the entry before"."""
    candidates = [(PLAIN, values), (DELTA, [b - a for a, b in zip([0, *values], values, strict=False)])]
    if elapsed is not None:
        candidates.append((ELAPSED, [a - b for a, b in zip(values, elapsed, strict=True)]))
    made = [
        _planes_of(transform, column, whole_bytes, zero_base)
        for transform, column in candidates
        for whole_bytes in (False, True)
        for zero_base in (True, False)
    ]
    best = min((planes for planes in made if planes is not None), key=lambda planes: planes.cost)
    form = best.form if best.form == _SCALED or not out.splits(best.planes) else _RAW
    out.byte(best.transform | form << _FORM_SHIFT | _WIDTHS.index(best.width) << _WIDTH_SHIFT)
    if form != _BARE:
        out.varint(best.base << 1 if best.base >= 0 else (-best.base << 1) - 1)
    if form == _SCALED:
        out.varint(best.scale)
    (out.raw if form == _RAW else out.plain).extend(best.planes)


def read_ints(source: ByteReader, count: int, elapsed: TransformInput | None = None) -> list[int]:
    control = source.byte()
    transform, form = control & 3, control >> _FORM_SHIFT & 3
    folded = 0 if form == _BARE else source.varint(_BASE_MAX)
    base = -((folded + 1) >> 1) if folded & 1 else folded >> 1
    scale = source.varint(_BASE_MAX) if form == _SCALED else 1
    values = _from_planes(source, count, _WIDTHS[control >> _WIDTH_SHIFT], form == _RAW)
    if scale != 1:
        values = [value * scale for value in values]
    if base:
        values = [value + base for value in values]
    if transform == PLAIN:
        return values
    if transform == DELTA:
        return list(accumulate(values))
    if transform != ELAPSED or elapsed is None:
        raise MalformedError(N_("Susunan segmen ini tidak sah."))
    return [a + b for a, b in zip(values, elapsed.elapsed, strict=True)]


def write_bools(out: ByteWriter, values: Sequence[bool]) -> None:
    out.block(_pack_bits(values, 1))


def read_bools(source: ByteReader, count: int) -> list[bool]:
    return list(map(bool, _unpack_bits(source.block((count + 7) // 8), 1, count)))


@dataclass(frozen=True, slots=True)
class _Planes:
    """One way to write a column, and what it is likely to cost in bytes."""

    transform: int
    base: int
    scale: int
    width: int
    planes: bytes

    @property
    def form(self) -> int:
        if self.scale != 1:
            return _SCALED
        return _BASED if self.base else _BARE

    @property
    def cost(self) -> int:
        head = 0
        if self.form != _BARE:
            head += 1 + (2 * abs(self.base)).bit_length() // 7
        if self.form == _SCALED:
            head += 1 + self.scale.bit_length() // 7
        return head + min(len(self.planes), len(_estimate(self.planes)))


def _planes_of(transform: int, values: Sequence[int], whole_bytes: bool, zero_base: bool) -> _Planes | None:
    base = min(values, default=0)
    if zero_base:
        if base < 0:
            return None
        base = 0
    scale = gcd(*(value - base for value in values)) or 1
    if zero_base or scale < 4:
        scale = 1
    above = [(value - base) // scale for value in values]
    bits = max(above, default=0).bit_length()
    if bits > _WIDTHS[-1]:
        return None
    width = next(width for width in _WIDTHS if width >= bits and not (whole_bytes and width % 8))
    whole, rest = divmod(width, 8)
    planes = b"".join(bytes((value >> 8 * which) & 0xFF for value in above) for which in range(whole))
    if rest:
        planes += _pack_bits([value >> 8 * whole for value in above], rest)
    return _Planes(transform, base, scale, width, planes)


def _from_planes(source: ByteReader, count: int, width: int, raw: bool) -> list[int]:
    whole, rest = divmod(width, 8)
    planes: list[Iterable[int]] = [source.take(count, raw) for _ in range(whole)]
    if rest:
        planes.append(_unpack_bits(source.take((count * rest + 7) // 8, raw), rest, count))
    if not planes:
        return [0] * count
    if len(planes) == 1:
        return list(planes[0])
    if len(planes) == 2:
        return [low + (high << 8) for low, high in zip(*planes, strict=True)]
    return [sum(byte << 8 * at for at, byte in enumerate(row)) for row in zip(*planes, strict=True)]


def _pack_bits(values: Sequence[int], bits: int) -> bytes:
    """Values of 1, 2 or 4 bits, the first in the lowest bits of the first byte."""
    each = 8 // bits
    filled = [*values, *([0] * (-len(values) % each))]
    return bytes(
        sum(value << bits * at for at, value in enumerate(filled[start : start + each]))
        for start in range(0, len(filled), each)
    )


_UNPACKED: Final = {
    bits: [tuple((byte >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)) for byte in range(256)]
    for bits in (1, 2, 4)
}


def _unpack_bits(data: bytes, bits: int, count: int) -> list[int]:
    values = list(chain.from_iterable(map(_UNPACKED[bits].__getitem__, data)))
    if any(values[count:]):
        raise MalformedError(N_("Segmen ini berisi data berlebih."))
    return values[:count]


def _estimate(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3, write_content_size=False).compress(data)
