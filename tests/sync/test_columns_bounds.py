"""Columns at their edges: kinds of the future, hostile bodies within bounds, what the bench's work costs.

Beside test_columns.py, which has the laws for what software of today writes.
"""

from __future__ import annotations

import tracemalloc
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from laptop import recorded, workload

from bench import activity
from content_packs.build import build_pack
from content_packs.store import PackStore
from content_packs.verify import open_pack
from sync import columns, limits
from sync.entries import INT_MAX, INT_MIN, REFERENCE_MAX, Entry, Field, check_fields
from sync.errors import LontarError, MalformedError, SyncError, TooLargeError
from sync.keys import SigningKey
from sync.planes import ByteWriter, write_ints

DEMO = Path(__file__).parents[2] / "content_packs" / "demo" / "pengelolaan-keuangan-desa"
QUICK = settings(max_examples=60, deadline=None)
LARGEST_KIND = (1 << 31) - 1

edges = st.sampled_from([0, 1, -1, 63, 64, 255, 256, 1 << 31, 1 << 32, 1 << 62, INT_MIN, INT_MAX])
field = st.one_of(
    edges,
    st.integers(INT_MIN, INT_MAX),
    st.booleans(),
    st.binary(max_size=100),
    st.text(max_size=20).map(lambda text: unicodedata.normalize("NFC", text)),
)
reference = st.one_of(st.integers(0, 3), st.just(REFERENCE_MAX))


@st.composite
def future(draw: st.DrawFn) -> list[Entry]:
    """A few kinds with every count of references, each with shapes that change from entry to entry."""
    kinds = draw(
        st.lists(st.one_of(st.integers(0, 40), st.integers(0, LARGEST_KIND)), min_size=1, max_size=4)
    )
    t, made = draw(st.integers(0, 1 << 40)), []
    for seq in range(draw(st.integers(1, 30))):
        kind = draw(st.sampled_from(kinds))
        places = tuple(draw(reference) for _ in range(kind & 3))
        t += draw(st.one_of(st.integers(0, 70_000), st.just(0), st.integers(0, 1 << 50)))
        made.append(Entry(seq, kind, t, places + tuple(draw(st.lists(field, max_size=4)))))
    return made


def plain_body(entries: Sequence[Entry]) -> bytes:
    """The plain stream of entries that the encoder's own checks might refuse."""
    return bytes(columns._write(entries, 0, ByteWriter(two_streams=False)).plain)


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """The block may hold so many bytes more at any time."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= size, f"{peak:,} bytes"


@QUICK
@given(future())
def test_writing_what_was_read_gives_the_same_bytes(entries: list[Entry]) -> None:
    base_t = entries[0].t
    codec, body = columns.encode(entries, base_t)
    read = columns.decode(codec, body, 0, len(entries)).entries()
    assert read == entries
    assert [list(map(type, entry.fields)) for entry in read] == [
        list(map(type, entry.fields)) for entry in entries
    ], "True is not 1"
    assert columns.encode(read, base_t) == (codec, body)


@pytest.mark.parametrize(
    "kind", [0, 1, 2, 3, LARGEST_KIND - 3, LARGEST_KIND - 2, LARGEST_KIND - 1, LARGEST_KIND]
)
def test_a_kind_of_the_future_keeps_its_references_apart(kind: int) -> None:
    entries = [Entry(seq, kind, seq, (*((5, 6, 7)[: kind & 3]), seq, "baru")) for seq in range(3)]
    read = columns.decode(*columns.encode(entries, 0), 0, 3)
    assert read.entries() == entries
    assert [group.runs for group in read.groups] == [[(0, 3, (5, 6, 7)[: kind & 3])]]


@QUICK
@given(future(), st.data())
def test_a_hostile_body_is_refused_or_read_within_bounds(entries: list[Entry], data: st.DataObject) -> None:
    """Changes inside the compressed stream too, which a changed body rarely reaches."""
    made = bytearray(plain_body(entries))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(made) - 1))
        made[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        read = columns.decode(columns.PLAIN, bytes(made), 0, len(entries)).entries()
    except SyncError as refusal:
        assert refusal.sentence()
        return
    assert [entry.seq for entry in read] == list(range(len(entries)))
    times = [entry.t for entry in read]
    assert times == sorted(times) and times[0] >= 0 and times[-1] <= INT_MAX
    for entry in read:
        assert all(INT_MIN <= value <= INT_MAX for value in entry.fields if type(value) is int)
        assert all(0 <= value <= REFERENCE_MAX for value in entry.fields[: entry.kind & 3])  # type: ignore[operator]


def column(*values: int) -> bytes:
    out = ByteWriter(two_streams=False)
    write_ints(out, values)
    return bytes(out.plain)


def varint(value: int) -> bytes:
    out = ByteWriter(two_streams=False)
    out.varint(value)
    return bytes(out.plain)


BILLION = varint(1_000_000_000)
LOG_OPENED = b"\0" + varint(4) + varint(1) + b"\2"
ONE_ENTRY = varint(1) + LOG_OPENED + varint(1) + column(0) + column(1) + varint(0) + column(0) + column(0)
NO_PLACES = varint(0) + column() * 4
BOMBS = {
    "groups": BILLION,
    "fields of a kind": varint(1) + b"\0" + varint(4) + BILLION,
    "stretches": varint(1) + LOG_OPENED + BILLION + column(0) + column(1),
    "entries in a stretch": varint(1) + LOG_OPENED + varint(1) + column(0) + column(1_000_000_000),
    "places": ONE_ENTRY + BILLION,
    "entries in a place": ONE_ENTRY + varint(1) + column(1_000_000_000) + column(0) * 3,
    "bytes of a field": ONE_ENTRY + NO_PLACES + column(1_000_000_000) + b"\0",
    "a varint without an end": b"\xff" * 200,
}


def test_the_bombs_differ_from_an_honest_body_only_in_their_claim() -> None:
    honest = ONE_ENTRY + NO_PLACES + column(3) + b"\0abc"
    assert columns.decode(columns.PLAIN, honest, 0, 1).entries() == [Entry(0, 4, 0, (b"abc",))]


@pytest.mark.parametrize("claim", BOMBS)
def test_a_claim_of_a_billion_costs_nothing(claim: str) -> None:
    with at_most(200_000), pytest.raises(SyncError):
        columns.decode(columns.PLAIN, BOMBS[claim], 0, 1)


def packed(content: bytes, declared: bool = True) -> bytes:
    engine = zstandard.ZstdCompressor(level=19, write_content_size=declared).compressobj(
        size=len(content) if declared else -1
    )
    frame = engine.compress(content) + engine.flush()
    return varint(len(frame)) + frame


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("size", [limits.SEGMENT_RAW + 1, 100_000_000])
def test_a_zstd_bomb_is_refused_before_it_unfolds(declared: bool, size: int) -> None:
    bomb = packed(bytes(size), declared)
    assert len(bomb) < 20_000
    with at_most(200_000), pytest.raises(TooLargeError):
        columns.decode(columns.ZSTD, bomb, 0, 1)


def test_a_frame_that_lies_about_its_size_is_refused() -> None:
    """A frame that declares 100 bytes and holds a hundred megabytes."""
    honest = zstandard.ZstdCompressor(level=19).compress(bytes(100))
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(100_000_000))
    small, large = (zstandard.get_frame_parameters(frame) for frame in (honest, bomb))
    assert (small.content_size, large.content_size) == (100, 100_000_000)
    blocks = bomb[zstandard.frame_header_size(bomb) :]
    lying = honest[: zstandard.frame_header_size(honest)] + blocks
    with at_most(limits.SEGMENT_RAW + limits.ZSTD_WINDOW), pytest.raises(SyncError):
        columns.decode(columns.ZSTD, varint(len(lying)) + lying, 0, 1)


@pytest.mark.parametrize("magic", range(16))
def test_a_frame_to_be_skipped_holds_no_entries(magic: int) -> None:
    skipped = (0x184D2A50 + magic).to_bytes(4, "little") + (1 << 31).to_bytes(4, "little")
    with at_most(200_000), pytest.raises(SyncError):
        columns.decode(columns.ZSTD, varint(len(skipped)) + skipped, 0, 1)


def test_the_most_that_is_accepted_stays_small() -> None:
    """64 columns that take no byte each, for 1,024 entries."""
    width = limits.FIELDS_PER_ENTRY
    count = limits.ENTRIES_PER_SEGMENT
    entries = [Entry(seq, 4, 0, (0,) * width) for seq in range(count)]
    codec, body = columns.encode(entries, 0)
    assert len(body) < 200
    with at_most(4_000_000):
        batch = columns.decode(codec, body, 0, count)
    assert batch.entries() == entries


def test_a_batch_larger_than_a_segment_may_be_is_refused_and_its_halves_are_not() -> None:
    entries = [Entry(seq, 4, 0, (seq.to_bytes(2, "big") * 200,)) for seq in range(1000)]
    with pytest.raises(TooLargeError):
        columns.encode(entries, 0)
    for half in (entries[:500], entries[500:]):
        codec, body = columns.encode(half, 0)
        assert columns.decode(codec, body, half[0].seq, 500).entries() == half


def cost(entries: Sequence[Entry]) -> float:
    """Bytes an entry, in segments of the largest size."""
    total, base_t = 0, 0
    for start in range(0, len(entries), limits.ENTRIES_PER_SEGMENT):
        part = entries[start : start + limits.ENTRIES_PER_SEGMENT]
        codec, body = columns.encode(part, base_t)
        assert columns.decode(codec, body, start, len(part)).entries() == list(part)
        base_t, total = part[-1].t, total + len(body)
    return total / len(entries)


@pytest.mark.parametrize("village", [1, 2, 3])
def test_five_thousand_entries_of_the_workload_cost_less_than_their_budget(village: int) -> None:
    assert cost(workload(village, 5000)[:5000]) <= 3.4


def test_five_thousand_entries_of_the_demonstration_cost_less_than_their_budget(tmp_path: Path) -> None:
    file = tmp_path / "demo.lontar"
    with file.open("wb") as opened:
        build_pack(DEMO, SigningKey.from_seed(bytes(32))).write(opened)
    with open_pack(file, lambda key: True) as pack:
        course = PackStore(tmp_path / "packs").install(pack)
    lines = activity.lines(course, 5000, datetime(2026, 11, 1, tzinfo=UTC))
    lessons = {
        (course.manifest.course_id, lesson.id): (0, number)
        for number, lesson in enumerate(course.manifest.lessons, start=1)
    }
    assert cost(recorded(lines, lessons)[:5000]) <= 3.4


WRITTEN_BY_A_LIAR: dict[str, tuple[Field, ...]] = {
    "text that is not NFC": ("e\u0301",),
    "more than 4 KiB of fields": (bytes(limits.ENTRY_FIELDS),) * 2,
}


@pytest.mark.parametrize("why", WRITTEN_BY_A_LIAR)
def test_entries_that_no_log_may_hold_are_never_read(why: str) -> None:
    entry = Entry(0, 4, 5, WRITTEN_BY_A_LIAR[why])
    with pytest.raises(LontarError):
        check_fields(entry.kind, entry.fields)
    with pytest.raises(LontarError):
        columns.decode(columns.PLAIN, plain_body([entry]), 0, 1)


def test_a_kind_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(MalformedError):
        columns.encode([Entry(0, LARGEST_KIND + 1, 5, (0,))], 0)


@pytest.mark.parametrize(("kind", "base_t"), [(-4, 0), (4, -1)])
def test_numbers_below_zero_are_refused_in_plain_words(kind: int, base_t: int) -> None:
    with pytest.raises(MalformedError):
        columns.encode([Entry(0, kind, 5, (0,))], base_t)


def test_text_that_utf_8_cannot_hold_is_refused_in_plain_words() -> None:
    with pytest.raises(MalformedError):
        columns.encode([Entry(0, 4, 5, ("\ud800",))], 0)
