"""Segments: sealed, linked, small; whatever was altered, cut or misnumbered is refused."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laptop import workload

from sync import cbor, columns, cose, limits, segment
from sync.entries import Entry, Kind, LessonOpened, LogOpened
from sync.errors import MalformedError, SignatureError, SyncError, TooLargeError, UnknownVersionError
from sync.keys import SigningKey, sha256
from sync.segment import Segment, open_segment, seal

KEY = SigningKey.from_seed(b"k" * 32)
OTHER = SigningKey.from_seed(b"o" * 32)
LOG, PREVIOUS = bytes(range(16)), bytes(range(16, 32))
OPENED = LogOpened(1, KEY.public, bytes(32), bytes(16), 0, b"")


def entries_of(*kinds: Kind, first: int = 0) -> list[Entry]:
    return [
        Entry(seq, kind.number, seq * 1000, kind.fields()) for seq, kind in enumerate(kinds, start=first)
    ]


def visits(count: int, first: int = 1) -> list[Entry]:
    return entries_of(*(LessonOpened(0, 0, 1, 30 + at % 9) for at in range(count)), first=first)


def written(entries: Sequence[Entry], cuts: Sequence[int]) -> list[Segment]:
    """A whole log, sealed at `cuts`."""
    made: list[Segment] = []
    base_t = 0
    for start, stop in zip([0, *cuts], [*cuts, len(entries)], strict=True):
        log, previous = (made[0].id, made[-1].id) if made else (b"", b"")
        made.append(seal(KEY, log, len(made), previous, entries[start:stop], base_t))
        base_t = entries[stop - 1].t
    return made


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 60), st.data())
def test_a_log_reads_the_same_wherever_it_was_cut(count: int, data: st.DataObject) -> None:
    entries = [*entries_of(OPENED), *visits(count)]
    cuts = sorted(data.draw(st.sets(st.integers(1, count), max_size=6)))
    segments = written(entries, cuts)
    read: list[Entry] = []
    for index, sealed in enumerate(segments):
        came = open_segment(sealed.data)
        came.verify(KEY.public)
        assert (came.index, came.first_seq, came.log) == (index, len(read), segments[0].id)
        assert came.previous == (segments[index - 1].id if index else b"")
        read += came.read().entries()
        assert came.end_seq == len(read)
    assert read == entries
    assert open_segment(segments[0].data).opening() == OPENED


def test_a_segment_is_named_by_its_bytes() -> None:
    sealed = seal(KEY, LOG, 3, PREVIOUS, visits(4), 0)
    assert (sealed.hash, sealed.id) == (sha256(sealed.data), sha256(sealed.data)[:16])
    assert sealed.log == LOG
    first = seal(KEY, b"", 0, b"", entries_of(OPENED), 0)
    assert first.log == first.id


def test_no_byte_can_be_altered() -> None:
    data = seal(KEY, LOG, 3, PREVIOUS, visits(20), 0).data
    rng = random.Random(1)
    for at in range(len(data)):
        altered = data[:at] + bytes([data[at] ^ rng.randrange(1, 256)]) + data[at + 1 :]
        with pytest.raises(SyncError):
            open_segment(altered).verify(KEY.public)


def test_no_byte_can_be_missing_or_added() -> None:
    data = seal(KEY, LOG, 3, PREVIOUS, visits(20), 0).data
    for wrong in [*(data[:cut] for cut in range(len(data))), data + b"\0"]:
        with pytest.raises(MalformedError):
            open_segment(wrong)


def test_another_device_s_segment_is_refused() -> None:
    sealed = open_segment(seal(OTHER, LOG, 3, PREVIOUS, visits(4), 0).data)
    with pytest.raises(SignatureError):
        sealed.verify(KEY.public)
    sealed.verify(OTHER.public)


def signed(
    *header: object, body: bytes | None = None, aad: bytes = cose.SEGMENT, key: SigningKey = KEY
) -> bytes:
    """What a device with other software might sign: its signature is valid."""
    if body is None:
        body = columns.encode(visits(2, first=5), 0)[1]
    return cose.seal(key, cbor.encode(list(header)) + body, aad)


PLAIN = columns.PLAIN


def test_the_header_that_the_wrong_ones_differ_from_is_right() -> None:
    right = open_segment(signed(LOG, 1, PREVIOUS, 5, 2, PLAIN))
    right.verify(KEY.public)
    assert right.read().entries() == visits(2, first=5)


@pytest.mark.parametrize(
    "header",
    [
        (b"", 1, PREVIOUS, 5, 2, PLAIN),
        (LOG[:15], 1, PREVIOUS, 5, 2, PLAIN),
        (LOG + b"\0", 1, PREVIOUS, 5, 2, PLAIN),
        (LOG, 1, b"", 5, 2, PLAIN),
        (LOG, 1, PREVIOUS[:15], 5, 2, PLAIN),
        (LOG, 0, PREVIOUS, 0, 2, PLAIN),
        (b"", 0, PREVIOUS, 0, 2, PLAIN),
        (LOG, 0, b"", 0, 2, PLAIN),
        (b"", 0, b"", 5, 2, PLAIN),
        (LOG, 1, PREVIOUS, 0, 2, PLAIN),
        (LOG, -1, PREVIOUS, 5, 2, PLAIN),
        (LOG, 1 << 31, PREVIOUS, 5, 2, PLAIN),
        (LOG, 1, PREVIOUS, -5, 2, PLAIN),
        (LOG, 1, PREVIOUS, (1 << 63) - 2, 2, PLAIN),
        (LOG, 1, PREVIOUS, 5, 0, PLAIN),
        (LOG, 1, PREVIOUS, 5, -1, PLAIN),
        (LOG, 1, PREVIOUS, 5, limits.ENTRIES_PER_SEGMENT + 1, PLAIN),
        (LOG, 1, PREVIOUS, 5, 1_000_000_000, PLAIN),
        (LOG, 1, PREVIOUS, 5, 2),
        (LOG, 1, PREVIOUS, 5, 2, PLAIN, 0),
        (LOG, 1, PREVIOUS, 5, 2, "1"),
        (LOG, None, PREVIOUS, 5, 2, PLAIN),
        (LOG.hex(), 1, PREVIOUS, 5, 2, PLAIN),
    ],
    ids=repr,
)
def test_a_header_that_no_log_has_is_refused_although_it_is_signed(header: tuple[object, ...]) -> None:
    with pytest.raises(MalformedError):
        open_segment(signed(*header))


def test_a_codec_of_the_future_is_told_apart_from_damage() -> None:
    for codec in (0, 3, 255):
        with pytest.raises(UnknownVersionError):
            open_segment(signed(LOG, 1, PREVIOUS, 5, 2, codec))


@pytest.mark.parametrize("count", [1, 3, limits.ENTRIES_PER_SEGMENT])
def test_a_count_that_the_body_denies_is_refused(count: int) -> None:
    with pytest.raises(SyncError):
        open_segment(signed(LOG, 1, PREVIOUS, 5, count, PLAIN)).read()


@pytest.mark.parametrize("purpose", [cose.REQUEST, cose.RECEIPT, cose.KEYSET, b""])
def test_what_was_signed_for_another_purpose_is_no_segment(purpose: bytes) -> None:
    data = signed(LOG, 1, PREVIOUS, 5, 2, PLAIN, aad=purpose)
    with pytest.raises(SignatureError):
        open_segment(data).verify(KEY.public)


@pytest.mark.parametrize(
    "payload", [b"", b"\x86", b"\x80", b"\x00" * 80, b"\x86" + b"\x58\xff" + bytes(300)]
)
def test_a_payload_without_a_header_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedError):
        open_segment(cose.seal(KEY, payload, cose.SEGMENT))


def opening_of(*kinds: Kind) -> LogOpened:
    return seal(KEY, b"", 0, b"", entries_of(*kinds), 0).opening()


def test_a_log_must_say_first_whose_it_is() -> None:
    assert opening_of(OPENED, LessonOpened(0, 0, 1, 1)) == OPENED
    with pytest.raises(MalformedError):
        opening_of(LessonOpened(0, 0, 1, 1), OPENED)
    with pytest.raises(MalformedError):
        seal(KEY, LOG, 1, PREVIOUS, entries_of(OPENED, first=1), 0).opening()
    with pytest.raises(MalformedError):
        opening_of(LogOpened(1, KEY.public[:31], bytes(32), bytes(16), 0, b""))
    with pytest.raises(MalformedError):
        opening_of(LogOpened(1, KEY.public, bytes(32), bytes(15), 0, b""))
    with pytest.raises(UnknownVersionError):
        opening_of(LogOpened(2, KEY.public, bytes(32), bytes(16), 0, b""))


def test_the_nonce_keeps_the_logs_of_cloned_disks_apart() -> None:
    made = [
        seal(KEY, b"", 0, b"", entries_of(LogOpened(1, KEY.public, bytes(32), nonce, 0, b"")), 0).log
        for nonce in (bytes(16), b"\1" * 16)
    ]
    assert made[0] != made[1]


def blobs(count: int, size: int) -> list[Entry]:
    rng = random.Random(size)
    return [Entry(seq, 4, seq, (rng.randbytes(size),)) for seq in range(1, count + 1)]


def test_a_segment_larger_than_64_kib_is_neither_made_nor_read() -> None:
    assert len(seal(KEY, LOG, 1, PREVIOUS, blobs(15, 4096), 0).data) <= limits.SEGMENT
    with pytest.raises(TooLargeError):
        seal(KEY, LOG, 1, PREVIOUS, blobs(16, 4096), 0)
    with pytest.raises(TooLargeError):
        open_segment(signed(LOG, 1, PREVIOUS, 5, 2, PLAIN, body=bytes(limits.SEGMENT)))


def test_more_than_1024_entries_are_refused() -> None:
    with pytest.raises(TooLargeError):
        seal(KEY, LOG, 1, PREVIOUS, visits(limits.ENTRIES_PER_SEGMENT + 1), 0)
    assert seal(KEY, LOG, 1, PREVIOUS, visits(limits.ENTRIES_PER_SEGMENT), 0).count == 1024


@pytest.mark.parametrize("village", [1, 2, 3])
def test_fifty_entries_of_the_workload_cost_less_than_their_budget(village: int) -> None:
    entries = workload(village, 3000)
    for start in range(1, 2900, 100):
        part = entries[start : start + 50]
        sealed = seal(KEY, LOG, 9, PREVIOUS, part, entries[start - 1].t)
        assert sealed.read().entries() == part
        assert len(sealed.data) <= 470, f"{len(sealed.data)} bytes from entry {start}"


def test_a_segment_of_nothing_is_refused_in_plain_words() -> None:
    with pytest.raises(MalformedError):
        segment.seal(KEY, LOG, 1, PREVIOUS, [], 0)


def test_a_boolean_is_no_index() -> None:
    with pytest.raises(MalformedError):
        open_segment(signed(LOG, True, PREVIOUS, 5, 2, PLAIN))
