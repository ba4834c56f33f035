"""Entries to compact columns and back. Byte layout: docs/protocol.md, section 4.

Entries are sorted into groups of one kind and one list of field types; each field of a group becomes a
column. Learner, pack and lesson are shared by all groups and written once per stretch in which they stay
the same. Whole numbers are stored as bit planes above a base (frame of reference; Goldstein et al., 1998),
after the cheapest of three transforms. Planes that look random skip zstd, whose single Huffman table per
block would suffer from them.

Every column says its own type, so kinds and fields that this software doesn't know survive unchanged.
`decode(encode(x)) == x` holds for every list of valid entries. What comes out is a `Batch` of columns,
which the projections read without making an object per entry.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

import zstandard

from sync import limits
from sync.batch import Batch, Group
from sync.entries import (
    COMMON_KINDS,
    INT_MAX,
    INT_MIN,
    KIND_MAX,
    REFERENCE_MAX,
    Entry,
    Field,
    check_fields,
    check_text,
    field_types,
    reference_count,
)
from sync.errors import N_, MalformedError, TooLargeError
from sync.planes import (
    ByteReader,
    ByteWriter,
    TransformInput,
    read_bools,
    read_ints,
    write_bools,
    write_ints,
)

PLAIN: Final = 1
ZSTD: Final = 2
CODECS: Final = (PLAIN, ZSTD)

_INT, _BOOL, _BYTES, _TEXT = range(4)
_TYPES: Final = {int: _INT, bool: _BOOL, bytes: _BYTES, str: _TEXT}

Shape = tuple[int, tuple[int, ...]]
"""A kind and the types of its fields after the references."""

COMMON_SHAPES: Final[tuple[Shape, ...]] = tuple(
    (
        kind.number,
        tuple(_TYPES[of] for of in field_types(kind).values())[reference_count(kind.number) :],
    )
    for kind in COMMON_KINDS
)
"""Shapes that take one byte (their place here plus 1) instead of three or more. Only appended to."""


def encode(entries: Sequence[Entry], base_t: int) -> tuple[int, bytes]:
    """Entries as `(codec, body)`. `base_t` is the log time just before the first.

    Raises:
        MalformedError: an entry that no log may hold, or entries that are not consecutive.
        TooLargeError: more than a segment may hold.
    """
    _check(entries, base_t)
    plain = bytes(_write(entries, base_t, ByteWriter(two_streams=False)).plain)
    out = _write(entries, base_t, ByteWriter(two_streams=True))
    if max(len(plain), len(out.plain) + len(out.raw)) > limits.SEGMENT_RAW:
        raise TooLargeError(N_("Segmen terlalu besar."))
    packed = zstandard.ZstdCompressor(level=19).compress(bytes(out.plain))
    head = ByteWriter(two_streams=False)
    head.varint(len(packed))
    body = bytes(head.plain) + packed + bytes(out.raw)
    return (ZSTD, body) if len(body) < len(plain) else (PLAIN, plain)


def _write(entries: Sequence[Entry], base_t: int, out: ByteWriter) -> ByteWriter:
    shapes: dict[Shape, int] = {}
    ids = []
    for entry in entries:
        own = entry.fields[reference_count(entry.kind) :]
        shape = (entry.kind, tuple(_TYPES[type(value)] for value in own))
        ids.append(shapes.setdefault(shape, len(shapes)))
    out.varint(len(shapes))
    for shape in shapes:
        _write_shape(out, shape)
    _write_runs(out, ids)
    steps = [b.t - a for a, b in zip([base_t, *(e.t for e in entries)], entries, strict=False)]
    out.varint(base_t)
    write_ints(out, [step // 1000 for step in steps])
    write_ints(out, [step % 1000 for step in steps])
    _write_places(out, entries)
    for (kind, types), group in shapes.items():
        members = [at for at, of in enumerate(ids) if of == group]
        elapsed = [steps[at] // 1000 for at in members]
        for at_field, type_ in enumerate(types, start=reference_count(kind)):
            _write_column(out, type_, [entries[at].fields[at_field] for at in members], elapsed)
    return out


def decode(codec: int, body: bytes, first_seq: int, count: int) -> Batch:
    """The batch that `body` holds; everything about it is checked.

    Raises:
        MalformedError, TooLargeError: `body` is not what an honest device writes.
    """
    source = _unpack(codec, body)
    shapes = [_read_shape(source) for _ in range(source.varint(limits.GROUPS_PER_SEGMENT))]
    group_runs = _read_runs(source, len(shapes), count)
    base_t = source.varint(INT_MAX)
    seconds, milliseconds = read_ints(source, count), read_ints(source, count)
    steps = [1000 * s + ms for s, ms in zip(seconds, milliseconds, strict=True)]
    if steps and min(steps) < 0:
        raise MalformedError(N_("Waktu dalam segmen ini berjalan mundur."))
    ts = list(accumulate(steps, initial=base_t))[1:]
    if ts and ts[-1] > INT_MAX:
        raise MalformedError(N_("Waktu dalam segmen ini tidak sah."))
    groups = _spread(source, shapes, group_runs, ts, first_seq)
    for group, (_, types) in zip(groups, shapes, strict=True):
        elapsed = TransformInput(steps, [seq - first_seq for seq in group.seqs])
        for type_ in types:
            group.columns.append(_read_column(source, type_, len(group.seqs), elapsed))
        _check_sizes(group, types)
    source.finish()
    return Batch(first_seq, ts, groups)


def _check(entries: Sequence[Entry], base_t: int) -> None:
    if len(entries) > limits.ENTRIES_PER_SEGMENT:
        raise TooLargeError(N_("Segmen berisi terlalu banyak catatan."))
    if base_t < 0:
        raise MalformedError(N_("Waktu dalam segmen ini tidak sah."))
    before = base_t
    for at, entry in enumerate(entries):
        if entry.seq != entries[0].seq + at or not before <= entry.t <= INT_MAX:
            raise MalformedError(N_("Catatan dalam segmen tidak berurutan."))
        before = entry.t
        check_fields(entry.kind, entry.fields)


def _unpack(codec: int, body: bytes) -> ByteReader:
    if codec == PLAIN:
        if len(body) > limits.SEGMENT_RAW:
            raise TooLargeError(N_("Segmen terlalu besar."))
        return ByteReader(body, b"")
    if codec != ZSTD:
        raise MalformedError(N_("Cara pemadatan segmen ini tidak dikenal."))
    head = ByteReader(body, b"")
    size = head.varint(len(body))
    packed = body[head.at : head.at + size]
    try:
        # `max_output_size` is ignored when the frame declares its size: look at the declaration first.
        frame = zstandard.get_frame_parameters(packed)
        if frame.content_size > limits.SEGMENT_RAW or frame.window_size > limits.ZSTD_WINDOW:
            raise TooLargeError(N_("Segmen terlalu besar."))
        engine = zstandard.ZstdDecompressor(max_window_size=limits.ZSTD_WINDOW)
        plain = engine.decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError as problem:
        raise MalformedError(N_("Isi padat segmen ini rusak.")) from problem
    return ByteReader(plain, body[head.at + size :])


def _write_shape(out: ByteWriter, shape: Shape) -> None:
    if shape in COMMON_SHAPES:
        out.byte(COMMON_SHAPES.index(shape) + 1)
        return
    kind, types = shape
    out.byte(0)
    out.varint(kind)
    out.varint(len(types))
    for type_ in types:
        out.byte(type_)


def _read_shape(source: ByteReader) -> Shape:
    common = source.byte()
    if common > len(COMMON_SHAPES):
        raise MalformedError(N_("Segmen ini dari versi Lontar yang lebih baru."))
    if common:
        return COMMON_SHAPES[common - 1]
    kind = source.varint(KIND_MAX)
    most = limits.FIELDS_PER_ENTRY - reference_count(kind)
    return kind, tuple(source.byte() for _ in range(source.varint(most)))


def _write_runs(out: ByteWriter, ids: Sequence[int]) -> None:
    """Which group each entry belongs to, as stretches."""
    starts = [at for at, group in enumerate(ids) if at == 0 or ids[at - 1] != group]
    ends = [*starts[1:], len(ids)] if starts else []
    out.varint(len(starts))
    write_ints(out, [ids[at] for at in starts])
    write_ints(out, [end - start for start, end in zip(starts, ends, strict=True)])


def _read_runs(source: ByteReader, groups: int, count: int) -> list[tuple[int, int, int]]:
    runs = source.varint(count)
    ids, lengths = read_ints(source, runs), read_ints(source, runs)
    if ids and not 0 <= min(ids) <= max(ids) < groups:
        raise MalformedError(N_("Susunan segmen ini tidak sah."))
    if (lengths and min(lengths) < 1) or sum(lengths) != count:
        raise MalformedError(N_("Jumlah catatan dalam segmen ini tidak cocok."))
    ends = list(accumulate(lengths))
    return [(group, end - length, end) for group, length, end in zip(ids, lengths, ends, strict=True)]


def _write_places(out: ByteWriter, entries: Sequence[Entry]) -> None:
    """Learner, pack and lesson of all entries that refer to them, as stretches.

    An entry with fewer references goes on with whatever the stretch says for the rest.
    """
    place: tuple[Field, ...] = ()
    places: list[tuple[Field, ...]] = []
    lengths: list[int] = []
    for entry in entries:
        count = reference_count(entry.kind)
        if not count:
            continue
        mine = entry.fields[:count]
        if place[:count] != mine:
            place = (*mine, *(place[count:] or (0,) * (3 - count)))
            places.append(place)
            lengths.append(0)
        lengths[-1] += 1
    out.varint(len(places))
    write_ints(out, lengths)
    for which in range(3):
        write_ints(out, [int(place[which]) for place in places])


class _Places:
    """Looks up which references hold where, counted in entries that have references."""

    def __init__(self, source: ByteReader, available: int) -> None:
        runs = source.varint(available)
        lengths = read_ints(source, runs)
        columns = [read_ints(source, runs) for _ in range(3)]
        if (lengths and min(lengths) < 1) or sum(lengths) != available:
            raise MalformedError(N_("Jumlah rujukan dalam segmen ini tidak cocok."))
        for column in columns:
            if column and not 0 <= min(column) <= max(column) <= REFERENCE_MAX:
                raise MalformedError(N_("Rujukan dalam catatan ini tidak sah."))
        self._ends = list(accumulate(lengths))
        self._places = list(zip(*columns, strict=True))

    def over(self, start: int, stop: int, count: int) -> Iterator[tuple[int, int, tuple[int, ...]]]:
        """The stretches that cover [start, stop), each with its first `count` references."""
        at = start
        which = bisect_right(self._ends, start)
        while at < stop:
            end = min(stop, self._ends[which])
            yield at, end, self._places[which][:count]
            at, which = end, which + 1


def _spread(
    source: ByteReader,
    shapes: list[Shape],
    group_runs: list[tuple[int, int, int]],
    ts: list[int],
    first_seq: int,
) -> list[Group]:
    """Give every group its entries: sequence numbers, times, and stretches of references."""
    counts = [reference_count(kind) for kind, _ in shapes]
    available = sum(stop - start for group, start, stop in group_runs if counts[group])
    places = _Places(source, available)
    groups = [Group(kind, [], [], [], []) for kind, _ in shapes]
    used = 0
    for of, start, stop in group_runs:
        group, count, length = groups[of], counts[of], stop - start
        held = len(group.seqs)
        group.seqs.extend(range(first_seq + start, first_seq + stop))
        group.ts.extend(ts[start:stop])
        if not count:
            group.runs.append((held, held + length, ()))
            continue
        for begin, end, references in places.over(used, used + length, count):
            group.runs.append((held + begin - used, held + end - used, references))
        used += length
    return groups


def _write_column(out: ByteWriter, type_: int, column: list[Field], elapsed: list[int]) -> None:
    if type_ == _INT:
        write_ints(out, column, elapsed)  # type: ignore[arg-type]
    elif type_ == _BOOL:
        write_bools(out, column)  # type: ignore[arg-type]
    else:
        pieces = [value.encode() if isinstance(value, str) else value for value in column]
        write_ints(out, [len(piece) for piece in pieces])  # type: ignore[arg-type]
        out.block(b"".join(pieces))  # type: ignore[arg-type]


def _read_column(source: ByteReader, type_: int, count: int, elapsed: TransformInput) -> Sequence[Field]:
    if type_ == _INT:
        values = read_ints(source, count, elapsed)
        if values and not INT_MIN <= min(values) <= max(values) <= INT_MAX:
            raise MalformedError(N_("Bilangan dalam segmen ini terlalu besar."))
        return values
    if type_ == _BOOL:
        return read_bools(source, count)
    if type_ not in (_BYTES, _TEXT):
        raise MalformedError(N_("Jenis kolom dalam segmen ini tidak dikenal."))
    lengths = read_ints(source, count)
    if lengths and not 0 <= min(lengths) <= max(lengths) <= limits.ENTRY_FIELDS:
        raise MalformedError(N_("Ukuran isian dalam segmen ini tidak sah."))
    block = source.block(sum(lengths))
    ends = list(accumulate(lengths))
    pieces = [block[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    if type_ == _BYTES:
        return pieces
    try:
        texts = [str(piece, "utf-8") for piece in pieces]
    except UnicodeDecodeError as problem:
        raise MalformedError(N_("Teks dalam segmen ini rusak.")) from problem
    for text in texts:
        check_text(text)
    return texts


def _check_sizes(group: Group, types: Sequence[int]) -> None:
    """Refuse an entry whose byte strings and texts together pass the limit; each alone was checked."""
    sized = [column for column, type_ in zip(group.columns, types, strict=True) if type_ in (_BYTES, _TEXT)]
    if len(sized) < 2:
        return
    for values in zip(*sized, strict=True):
        pieces = (value.encode() if isinstance(value, str) else value for value in values)
        if sum(len(piece) for piece in pieces) > limits.ENTRY_FIELDS:
            raise MalformedError(N_("Catatan ini terlalu besar."))
