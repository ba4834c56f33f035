"""Columns: what goes in comes out, known or not; nothing else gets in; small."""

from __future__ import annotations

import random
import unicodedata

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import columns, limits
from sync.batch import batch_of
from sync.entries import (
    COMMON_KINDS,
    INT_MAX,
    INT_MIN,
    KINDS,
    REFERENCE_MAX,
    Entry,
    Field,
    QuestionAnswered,
    field_types,
    reference_count,
)
from sync.errors import MalformedError, SyncError, TooLargeError

QUICK = settings(max_examples=100, deadline=None)

texts = st.text(max_size=20).map(lambda text: unicodedata.normalize("NFC", text))
field_of = {
    int: st.one_of(st.integers(0, 50), st.integers(INT_MIN, INT_MAX)),
    bool: st.booleans(),
    bytes: st.binary(max_size=40),
    str: texts,
}
references = st.one_of(st.integers(0, 5), st.integers(0, REFERENCE_MAX))


@st.composite
def facts(draw: st.DrawFn) -> tuple[int, tuple[Field, ...]]:
    """A kind that exists, perhaps with fields from the future, or a kind that doesn't exist yet."""
    number = draw(st.one_of(st.sampled_from(sorted(KINDS)), st.integers(0, 2000)))
    width = reference_count(number)
    leading = tuple(draw(references) for _ in range(width))
    own: list[type] = list(field_types(KINDS[number]).values())[width:] if number in KINDS else []
    own += draw(st.lists(st.sampled_from([int, bool, bytes, str]), max_size=3))
    return number, leading + tuple(draw(field_of[type_]) for type_ in own)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Entry], int]:
    """Consecutive entries and the log time before them."""
    base_t = t = draw(st.integers(0, 1 << 45))
    first = draw(st.integers(0, 1 << 40))
    made = []
    for at, (kind, fields) in enumerate(draw(st.lists(facts(), min_size=1, max_size=40))):
        t += draw(st.one_of(st.just(0), st.integers(0, 90_000), st.integers(0, 1 << 40)))
        made.append(Entry(first + at, kind, t, fields))
    return made, base_t


def body_of(entries: list[Entry], base_t: int) -> tuple[int, bytes]:
    return columns.encode(entries, base_t)


def answers(count: int) -> list[Entry]:
    rng = random.Random(count)
    t, made = 0, []
    for at in range(count):
        t += rng.randrange(90_000)
        fields = QuestionAnswered(
            at // 40, 0, 1, at % 10, rng.randrange(4), rng.random() < 0.7, 30
        ).fields()
        made.append(Entry(at, QuestionAnswered.number, t, fields))
    return made


@QUICK
@given(histories())
def test_whatever_is_written_is_read_again(history: tuple[list[Entry], int]) -> None:
    entries, base_t = history
    codec, body = columns.encode(entries, base_t)
    assert columns.decode(codec, body, entries[0].seq, len(entries)).entries() == entries


@QUICK
@given(histories())
def test_what_is_read_is_what_a_batch_of_the_same_entries_says(history: tuple[list[Entry], int]) -> None:
    entries, base_t = history
    codec, body = columns.encode(entries, base_t)
    read = columns.decode(codec, body, entries[0].seq, len(entries))
    straight = batch_of(entries)
    assert read.ts == straight.ts
    assert [group.seqs for group in read.groups] == [group.seqs for group in straight.groups]
    assert read.of_kinds(set(KINDS)) == straight.of_kinds(set(KINDS))


@QUICK
@given(histories(), st.data())
def test_a_changed_body_is_refused_or_holds_other_valid_entries(
    history: tuple[list[Entry], int], data: st.DataObject
) -> None:
    entries, base_t = history
    codec, body = columns.encode(entries, base_t)
    at = data.draw(st.integers(0, len(body) - 1))
    changed = body[:at] + bytes([body[at] ^ data.draw(st.integers(1, 255))]) + body[at + 1 :]
    try:
        read = columns.decode(codec, changed, entries[0].seq, len(entries)).entries()
    except SyncError:
        return
    assert len(read) == len(entries)
    assert columns.decode(*columns.encode(read, 0), entries[0].seq, len(read)).entries() == read


@QUICK
@given(histories(), st.data())
def test_a_cut_body_is_refused(history: tuple[list[Entry], int], data: st.DataObject) -> None:
    entries, base_t = history
    codec, body = columns.encode(entries, base_t)
    with pytest.raises(SyncError):
        columns.decode(
            codec, body[: data.draw(st.integers(0, len(body) - 1))], entries[0].seq, len(entries)
        )


@QUICK
@given(st.sampled_from(columns.CODECS), st.binary(max_size=200), st.integers(1, 1024))
def test_noise_is_refused_in_plain_words(codec: int, noise: bytes, count: int) -> None:
    try:
        columns.decode(codec, noise, 0, count)
    except SyncError as refusal:
        assert refusal.sentence()


@pytest.mark.parametrize("codec", columns.CODECS)
def test_more_than_was_said_is_refused(codec: int) -> None:
    entries = answers(300)
    body = columns.encode(entries, 0)[1]
    if codec == columns.PLAIN:
        body = bytes(columns._write(entries, 0, columns.ByteWriter(two_streams=False)).plain)
    assert columns.decode(codec, body, 0, 300).entries() == entries
    for wrong in (body + b"\0", body[:-1]):
        with pytest.raises(MalformedError):
            columns.decode(codec, wrong, 0, 300)
    with pytest.raises(MalformedError):
        columns.decode(codec, body, 0, 299)


def frame(content: bytes, window_log: int = 20) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(19, window_log=window_log)
    packed = zstandard.ZstdCompressor(compression_params=parameters).compress(content)
    head = columns.ByteWriter(two_streams=False)
    head.varint(len(packed))
    return bytes(head.plain) + packed


def test_a_bomb_is_refused_by_what_it_declares() -> None:
    bomb = frame(bytes(100_000_000))
    assert len(bomb) < 20_000
    with pytest.raises(TooLargeError):
        columns.decode(columns.ZSTD, bomb, 0, 1)


def test_a_bomb_that_declares_nothing_is_refused() -> None:
    engine = zstandard.ZstdCompressor(level=19, write_content_size=False).compressobj()
    packed = engine.compress(bytes(100_000_000)) + engine.flush()
    head = columns.ByteWriter(two_streams=False)
    head.varint(len(packed))
    with pytest.raises(SyncError):
        columns.decode(columns.ZSTD, bytes(head.plain) + packed, 0, 1)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([Entry(0, 3, 5, (0, 0, 1, 0)), Entry(2, 3, 6, (0, 0, 1, 0))], "a number left out"),
        ([Entry(0, 3, 5, (0, 0, 1, 0)), Entry(1, 3, 4, (0, 0, 1, 0))], "time runs back"),
        ([Entry(0, 3, 5, (-1, 0, 1, 0))], "a negative reference"),
        ([Entry(0, 3, 5, (REFERENCE_MAX + 1, 0, 1, 0))], "a reference too large"),
        ([Entry(0, 3, 5, (0, 0))], "references missing"),
        ([Entry(0, 4, 5, (INT_MAX + 1, 0, 0))], "a number too large"),
        ([Entry(0, 4, 5, ("e\u0301",))], "text that is not NFC"),
        ([Entry(0, 4, 5, (bytes(limits.ENTRY_FIELDS + 1),))], "too many bytes"),
        ([Entry(0, 4, 5, (0,) * (limits.FIELDS_PER_ENTRY + 1))], "too many fields"),
        ([Entry(0, 4, 5, (1.5,))], "a fraction"),  # type: ignore[arg-type]
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_entries_that_no_log_may_hold_are_never_written(entries: list[Entry], why: str) -> None:
    with pytest.raises(MalformedError):
        columns.encode(entries, 0)


def test_a_segment_takes_at_most_1024_entries() -> None:
    columns.encode(answers(limits.ENTRIES_PER_SEGMENT), 0)
    with pytest.raises(TooLargeError):
        columns.encode(answers(limits.ENTRIES_PER_SEGMENT + 1), 0)


def test_the_common_shapes_are_frozen() -> None:
    assert [kind.number for kind in COMMON_KINDS] == [3, 7, 11, 15, 19, 4, 8, 16, 1, 12]
    assert columns.COMMON_SHAPES[2] == (11, (0, 0, 1, 0))


def test_answers_of_a_busy_village_cost_less_than_four_bytes() -> None:
    assert len(columns.encode(answers(1024), 0)[1]) <= 4 * 1024
