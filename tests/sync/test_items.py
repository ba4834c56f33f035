"""What stands in a stream: known items are read, unknown kinds passed over, broken ones refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import cbor, cose, limits
from sync.entries import Entry, LogOpened
from sync.errors import MalformedError, SyncError, TooLargeError
from sync.items import Item, ItemKind, is_profile, read_item, read_items, split, wrap
from sync.keys import SigningKey
from sync.profile import Profile
from sync.segment import seal

KEY = SigningKey.from_seed(bytes(32))
OPENED = LogOpened(1, KEY.public, bytes(32), bytes(16), 0, b"")
SEGMENT = seal(KEY, b"", 0, b"", [Entry(0, 0, 0, OPENED.fields())], 0).data
PROFILE = Profile(bytes(16), "Siti", "Kaur Keuangan").encode()
wrapped = st.sampled_from([kind for kind in ItemKind if kind > ItemKind.PROFILE])
known = st.one_of(
    st.builds(Item, wrapped, st.binary(max_size=200)),
    st.just(Item(ItemKind.SEGMENT, SEGMENT)),
    st.just(Item(ItemKind.PROFILE, PROFILE)),
)
unknown = st.builds(
    lambda number, fields: cbor.encode([number, *fields]),
    st.integers(6, 2**40),
    st.lists(st.one_of(st.binary(max_size=50), st.integers(0, 9), st.text(max_size=5)), max_size=4),
)


@given(st.lists(known, max_size=8), st.integers(0, 40))
def test_a_stream_is_read_back_and_zeros_at_its_end_are_padding(items: list[Item], zeros: int) -> None:
    stream = b"".join(wrap(item.kind, item.data) for item in items) + bytes(zeros)
    assert list(read_items(stream)) == items


@given(known, unknown, known)
def test_kinds_of_tomorrow_are_passed_over(before: Item, tomorrow: bytes, after: Item) -> None:
    assert read_item(tomorrow) is None
    stream = wrap(before.kind, before.data) + tomorrow + wrap(after.kind, after.data)
    assert list(read_items(stream)) == [before, after]


@given(known)
def test_fields_of_tomorrow_are_passed_over(item: Item) -> None:
    if item.kind in (ItemKind.SEGMENT, ItemKind.PROFILE):
        return
    assert read_item(cbor.encode([int(item.kind), item.data, "nanti", 1])) == item


@given(st.lists(known, min_size=1, max_size=4), st.data())
def test_a_cut_stream_gives_what_is_whole_and_then_refuses(items: list[Item], data: st.DataObject) -> None:
    whole = [wrap(item.kind, item.data) for item in items]
    cut = data.draw(st.integers(1, len(whole[-1]) - 1))
    stream = b"".join(whole[:-1]) + whole[-1][:cut]
    taken = []
    with pytest.raises(MalformedError):
        taken.extend(split(stream))
    for got, expected in zip(_until_refused(stream), whole[:-1], strict=True):
        assert got == expected


def _until_refused(stream: bytes) -> list[bytes]:
    made: list[bytes] = []
    pieces = split(stream)
    while True:
        try:
            made.append(next(pieces))
        except (MalformedError, StopIteration):
            return made


def test_nothing_may_hide_in_the_padding() -> None:
    with pytest.raises(MalformedError):
        list(split(wrap(ItemKind.KEYSET, b"k") + bytes(10) + wrap(ItemKind.KEYSET, b"k")))
    assert list(split(bytes(100))) == list(split(b"")) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        cbor.encode("text"),
        cbor.encode(7),
        cbor.encode([]),
        cbor.encode(["2", b"x"]),
        cbor.encode({1: 2}),
        cbor.encode([1, bytes(16), "", ""]),
        cbor.encode([1, bytes(15), "Siti", ""]),
        wrap(ItemKind.KEYSET, b"k") * 2,
    ],
    ids=bytes.hex,
)
def test_what_is_no_item_is_refused(data: bytes) -> None:
    with pytest.raises(SyncError):
        read_item(data)


def test_items_are_limited() -> None:
    with pytest.raises(TooLargeError):
        read_item(wrap(ItemKind.HUB_SEGMENT, bytes(limits.SEGMENT + 100)))
    assert read_item(wrap(ItemKind.HUB_SEGMENT, bytes(limits.SEGMENT))) is not None
    with pytest.raises(TooLargeError):
        read_item(cbor.encode([1, bytes(16), "x" * limits.PROFILE, ""]))


def test_a_segment_is_known_by_its_first_byte_and_opened_on_demand() -> None:
    item = read_item(SEGMENT)
    assert item is not None
    assert item.segment().data == SEGMENT
    broken = read_item(cose.seal(KEY, b"", cose.SEGMENT))
    assert broken is not None
    with pytest.raises(MalformedError):
        broken.segment()


def test_a_profile_is_told_from_other_items_without_reading_it() -> None:
    assert is_profile(PROFILE)
    for other in (SEGMENT, wrap(ItemKind.KEYSET, b"\1\1"), cbor.encode([16, 1]), cbor.encode(1), b""):
        assert not is_profile(other)
