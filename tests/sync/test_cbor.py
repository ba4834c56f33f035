"""One value, one spelling: whatever is read would have been written the same; the rest is refused."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import cbor, limits
from sync.errors import MalformedError, SyncError, TooLargeError

QUICK = settings(max_examples=100, deadline=None)

plain_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 63), (1 << 64) - 1),
    st.sampled_from([0, 23, 24, 255, 256, 65535, 65536, (1 << 32) - 1, 1 << 32, -1, -24, -25, -256, -257]),
    st.binary(max_size=300),
    st.text(max_size=30),
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


values = st.recursive(
    plain_values,
    lambda inner: st.one_of(
        st.lists(inner, max_size=30), st.dictionaries(st.integers(0, 23), inner, max_size=24)
    ),
    max_leaves=12,
).filter(lambda value: depth(value) <= limits.NESTING)


def head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    for short, (form, limit) in enumerate(((">B", 8), (">H", 16), (">I", 32), (">Q", 64)), start=24):
        if argument < 1 << limit:
            return bytes([major << 5 | short]) + struct.pack(form, argument)
    raise AssertionError(argument)


def spelled(value: Any) -> bytes:
    """RFC 8949, section 4.2.1, written again as plainly as possible."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(spelled, value))
    pairs = sorted((spelled(key), spelled(item)) for key, item in value.items())
    return head(5, len(pairs)) + b"".join(key + item for key, item in pairs)


def thawed(value: Any) -> Any:
    """Whatever kind of list and map the reader makes, as list and dict."""
    if isinstance(value, dict):
        return {key: thawed(item) for key, item in value.items()}
    return [thawed(item) for item in value] if isinstance(value, list | tuple) else value


@QUICK
@given(values)
def test_a_value_has_the_one_spelling_of_the_rfc_and_is_read_again(value: Any) -> None:
    data = cbor.encode(value)
    assert data == spelled(value)
    read = thawed(cbor.decode(data, limit=len(data)))
    assert read == value
    assert spelled(read) == data, "True and 1 are equal to Python and not to CBOR"


@QUICK
@given(values, st.data())
def test_whatever_is_read_would_be_written_the_same(value: Any, data: st.DataObject) -> None:
    made = bytearray(spelled(value))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(made) - 1))
        made[at] ^= data.draw(st.integers(1, 255))
    try:
        read = cbor.decode(bytes(made))
    except SyncError as refusal:
        assert refusal.sentence()
        return
    assert cbor.encode(read) == made


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=24))
def test_noise_is_refused_or_would_be_written_the_same(noise: bytes) -> None:
    try:
        read = cbor.decode(noise)
    except SyncError:
        return
    assert cbor.encode(read) == noise


@QUICK
@given(values, st.binary(min_size=1, max_size=9), st.data())
def test_an_item_ends_where_it_ends(value: Any, more: bytes, data: st.DataObject) -> None:
    made = spelled(value)
    cut = data.draw(st.integers(0, len(made) - 1))
    start = data.draw(st.integers(0, 5))
    assert cbor.item_end(made[:cut], 0) is None
    assert cbor.item_end(bytes(start) + made + more, start) == start + len(made)
    assert cbor.item_end(bytearray(made), 0) == cbor.item_end(memoryview(made), 0) == len(made)
    for wrong in (made[:cut], made + more):
        with pytest.raises(MalformedError):
            cbor.decode(wrong)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1817", "23 in two bytes"),
        ("1900ff", "255 in three bytes"),
        ("1a0000ffff", "65,535 in five bytes"),
        ("1b00000000ffffffff", "2^32-1 in nine bytes"),
        ("3800", "-1 in two bytes"),
        ("3bffffffffffffffff", "-2^64"),
        ("580161", "a length of 1 in two bytes"),
        ("780161", "a text's length of 1 in two bytes"),
        ("980100", "a list's length of 1 in two bytes"),
        ("b8010000", "a map's length of 1 in two bytes"),
        ("d81280", "tag 18 is short: this one is not"),
        ("5f4161ff", "bytes of indefinite length"),
        ("7f6161ff", "text of indefinite length"),
        ("9f00ff", "a list of indefinite length"),
        ("bf0000ff", "a map of indefinite length"),
        ("ff", "a stop without a start"),
        ("1c", "a reserved length"),
        ("fc", "a reserved simple value"),
        ("a201000000", "map keys out of order"),
        ("a200000000", "a map key twice"),
        ("a1181800", "a map key above 23"),
        ("a12000", "a negative map key"),
        ("a1616100", "a text as map key"),
        ("f90000", "a half float"),
        ("fa00000000", "a float"),
        ("fb0000000000000000", "a double"),
        ("f7", "undefined"),
        ("f0", "simple value 16"),
        ("f820", "simple value 32"),
        ("c000", "tag 0"),
        ("d1", "tag 17"),
        ("61ff", "text that is not UTF-8"),
        ("63eda080", "a surrogate in text"),
        ("0000", "two items"),
        ("", "nothing"),
        ("8201", "a list that stops"),
        ("a100", "a map without the value"),
    ],
    ids=lambda value: value,
)
def test_other_spellings_are_refused(text: str, why: str) -> None:
    with pytest.raises(MalformedError):
        cbor.decode(bytes.fromhex(text))


@pytest.mark.parametrize("opening", [b"\x81", b"\xa1\x00", b"\xd2"], ids=["lists", "maps", "tags"])
def test_depth_is_limited_and_not_by_python(opening: bytes) -> None:
    cbor.decode(opening * limits.NESTING + b"\x00")
    for levels in (limits.NESTING + 1, 5000):
        with pytest.raises(MalformedError):
            cbor.decode(opening * levels + b"\x00")
        with pytest.raises(MalformedError):
            cbor.item_end(opening * levels, 0)


def test_length_is_limited_before_anything_is_read() -> None:
    item = cbor.encode(bytes(limits.CONTROL_ITEM - 3))
    assert len(item) == limits.CONTROL_ITEM
    assert cbor.decode(item) == bytes(limits.CONTROL_ITEM - 3)
    with pytest.raises(TooLargeError) as refusal:
        cbor.decode(b"\xff" * (limits.CONTROL_ITEM + 1))
    assert refusal.value.http_status == 413
    assert str(limits.CONTROL_ITEM) in refusal.value.sentence()


@pytest.mark.parametrize("major", [2, 3, 4, 5])
def test_a_claim_of_more_than_there_is_costs_nothing(major: int) -> None:
    claim = head(major, (1 << 64) - 1)
    assert cbor.item_end(claim, 0) is None
    with pytest.raises(MalformedError):
        cbor.decode(claim + b"\x00" * 20)


@pytest.mark.parametrize(
    "value",
    [1.0, 1 << 64, -(1 << 63) - 1, {24: 0}, {-1: 0}, {"a": 0}, {True: 0}, {0}, range(2), [1.5], {0: 1.5}],
    ids=repr,
)
def test_what_has_no_spelling_is_not_written(value: object) -> None:
    with pytest.raises(MalformedError):
        cbor.encode(value)


def test_text_that_utf_8_cannot_hold_is_refused_in_plain_words() -> None:
    with pytest.raises(MalformedError):
        cbor.encode("\ud800")


def test_nothing_is_written_that_would_not_be_read() -> None:
    value: object = 0
    for _ in range(limits.NESTING + 1):
        value = [value]
    with pytest.raises(MalformedError):
        cbor.encode(value)
