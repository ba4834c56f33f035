"""The round trip: nothing sent twice, nothing left out, and a receipt is only for its own request."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import cbor, cose, exchange, limits
from sync.errors import MalformedError, SignatureError, SyncError, TooLargeError, UnknownVersionError
from sync.exchange import (
    SHORT_ID,
    ItemSplitter,
    Receipt,
    Request,
    Verdict,
    next_upload,
    open_receipt,
    open_request,
    request_hash,
    sign_receipt,
    sign_request,
    to_send,
)
from sync.keys import SigningKey, key_id, sha256
from sync.log import NOTHING, Head, Status

QUICK = settings(max_examples=100, deadline=None)
DEVICE = SigningKey.from_seed(b"d" * 32)
HUB, OLD_HUB = SigningKey.from_seed(b"h" * 32), SigningKey.from_seed(b"g" * 32)
STRANGER = SigningKey.from_seed(b"s" * 32)
ME = key_id(DEVICE.public)

heads = st.builds(
    Head,
    st.binary(min_size=16, max_size=16),
    st.integers(0, (1 << 31) - 1),
    st.binary(min_size=16, max_size=16),
)
requests = st.builds(
    Request,
    st.just(ME),
    st.integers(0, (1 << 63) - 1),
    st.integers(-(1 << 40), 1 << 40),
    st.lists(heads, max_size=5).map(tuple),
    st.lists(heads, max_size=5).map(tuple),
)
receipts = st.builds(
    Receipt,
    st.binary(min_size=16, max_size=16),
    st.integers(0, 1 << 50),
    st.lists(st.builds(Verdict, heads, st.sampled_from(Status)), max_size=8).map(tuple),
    st.integers(0, 86_400),
    st.integers(0, limits.REQUEST_BODY),
    st.integers(0, 1000),
)


def shortened(head: Head) -> Head:
    return Head(head.log[:SHORT_ID], head.index, head.id[:SHORT_ID])


@QUICK
@given(requests)
def test_a_request_says_what_was_signed(request: Request) -> None:
    data = sign_request(DEVICE, request)
    opened = open_request(data)
    assert opened.hash == request_hash(data) == sha256(data)[:16]
    assert opened.verify(DEVICE.public) == replace(
        request,
        device=ME[:SHORT_ID],
        heads=tuple(map(shortened, request.heads)),
        have=tuple(map(shortened, request.have)),
    )


def test_a_request_is_the_device_s_own() -> None:
    data = sign_request(DEVICE, Request(ME, 1, 2))
    with pytest.raises(SignatureError):
        open_request(data).verify(STRANGER.public)
    in_our_name = sign_request(STRANGER, Request(ME, 1, 2))
    for key in (DEVICE, STRANGER):
        with pytest.raises(SignatureError):
            open_request(in_our_name).verify(key.public)


def test_no_byte_of_a_request_can_be_altered() -> None:
    data = sign_request(DEVICE, Request(ME, 1, 2, (Head(bytes(16), 3, bytes(16)),)))
    for at in range(len(data)):
        altered = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(SyncError):
            open_request(altered).verify(DEVICE.public)


def requesting(*fields: object, aad: bytes = cose.REQUEST) -> bytes:
    return cose.seal(DEVICE, cbor.encode(list(fields)), aad)


SHORT = ME[:SHORT_ID]


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (1,),
        (1, SHORT, 0, 0, []),
        (1, ME, 0, 0, [], []),
        (1, b"", 0, 0, [], []),
        (1, SHORT, -1, 0, [], []),
        (1, SHORT, "0", 0, [], []),
        (1, SHORT, 0, 0, [1], []),
        (1, SHORT, 0, 0, [[SHORT, 0]], []),
        (1, SHORT, 0, 0, [[ME, 0, SHORT]], []),
        (1, SHORT, 0, 0, [[SHORT, 0, ME]], []),
        (1, SHORT, 0, 0, [[SHORT, -2, SHORT]], []),
        (1, SHORT, 0, 0, [[SHORT, 1 << 31, SHORT]], []),
        (1, SHORT, 1 << 63, 0, [], []),
        (1, SHORT, 0, 1 << 50, [], []),
        (1, SHORT, 0, -(1 << 50), [], []),
        (1, SHORT, 0, 0, [], [[SHORT, 0]]),
    ],
    ids=repr,
)
def test_a_request_of_another_shape_is_refused(fields: tuple[object, ...]) -> None:
    with pytest.raises(MalformedError):
        open_request(requesting(*fields))


def test_versions_readers_and_limits_of_a_request() -> None:
    assert open_request(requesting(1, SHORT, 5, 6, [], [], "baru", [1])).verify(DEVICE.public) == Request(
        SHORT, 5, 6
    ), "a reader ignores what it doesn't know"
    for version in (0, 2, 99):
        with pytest.raises(UnknownVersionError):
            open_request(requesting(version, SHORT, 5, 6, [], []))
        with pytest.raises(UnknownVersionError):
            open_request(requesting(version, "anything"))
    one = [SHORT, 0, SHORT]
    open_request(requesting(1, SHORT, 5, 6, [one] * limits.LOGS_PER_REQUEST, []))
    with pytest.raises(TooLargeError):
        open_request(requesting(1, SHORT, 5, 6, [one] * (limits.LOGS_PER_REQUEST + 1), []))


@QUICK
@given(receipts, st.binary(max_size=50))
def test_a_receipt_says_what_the_hub_signed(receipt: Receipt, request: bytes) -> None:
    data = sign_receipt(HUB, replace(receipt, request_hash=request_hash(request)))
    read = open_receipt(data, [OLD_HUB.public, HUB.public], request)
    assert read == replace(
        receipt,
        request_hash=request_hash(request),
        verdicts=tuple(Verdict(shortened(v.head), v.status) for v in receipt.verdicts),
    )
    assert read.data == data
    assert read.anchor == sha256(data)[:8]


def test_a_receipt_is_for_one_request_and_by_a_known_hub() -> None:
    mine, other = (sign_request(DEVICE, Request(ME, t, 0)) for t in (1, 2))
    data = sign_receipt(HUB, Receipt(request_hash(mine), 1000))
    assert open_receipt(data, [HUB.public], mine).hub_ms == 1000
    with pytest.raises(SignatureError):
        open_receipt(data, [HUB.public], other)
    for keys in ([], [STRANGER.public], [DEVICE.public, OLD_HUB.public]):
        with pytest.raises(SignatureError):
            open_receipt(data, keys, mine)
    for at in range(len(data)):
        with pytest.raises(SyncError):
            open_receipt(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], [HUB.public], mine)


def test_a_request_is_no_receipt_and_a_receipt_no_request() -> None:
    request = sign_request(HUB, Request(key_id(HUB.public), 1, 0))
    with pytest.raises(SignatureError):
        open_receipt(request, [HUB.public], request)
    receipt = cose.seal(DEVICE, cbor.encode([1, SHORT, 0, 0, [], []]), cose.RECEIPT)
    with pytest.raises(SignatureError):
        open_request(receipt).verify(DEVICE.public)


def receipting(*fields: object) -> bytes:
    return cose.seal(HUB, cbor.encode(list(fields)), cose.RECEIPT)


def test_versions_and_readers_of_a_receipt() -> None:
    quoted = request_hash(b"r")
    newer = receipting(1, quoted, 7, [[SHORT, 0, SHORT, 0]], [1, 2, 3, "baru"], "baru")
    read = open_receipt(newer, [HUB.public], b"r")
    assert (read.hub_ms, read.retry_after_s, read.max_upload, read.keyset_version) == (7, 1, 2, 3)
    for version in (0, 2):
        with pytest.raises(UnknownVersionError):
            open_receipt(receipting(version, quoted, 7, [], [1, 2, 3]), [HUB.public], b"r")
    with pytest.raises(SignatureError):
        open_receipt(cose.seal(STRANGER, cbor.encode([2]), cose.RECEIPT), [HUB.public], b"r")


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (1, request_hash(b"r"), 7, []),
        (1, request_hash(b"r"), "7", [], [0, 0, 0]),
        (1, request_hash(b"r"), 7, [], [0, 0]),
        (1, request_hash(b"r"), 7, [[SHORT, 0, SHORT]], [0, 0, 0]),
        (1, request_hash(b"r"), 7, [[SHORT, 0, SHORT, 99]], [0, 0, 0]),
        (1, request_hash(b"r"), 7, [[SHORT, 0, SHORT, -1]], [0, 0, 0]),
        (1, request_hash(b"r"), 7, [[SHORT, -2, SHORT, 0]], [0, 0, 0]),
        (1, request_hash(b"r"), 7, [[b"", 0, SHORT, 0]], [0, 0, 0]),
    ],
    ids=repr,
)
def test_a_receipt_of_another_shape_is_refused(fields: tuple[object, ...]) -> None:
    with pytest.raises(MalformedError):
        open_receipt(receipting(*fields), [HUB.public], b"r")


def test_refusals_are_read_and_other_answers_are_not() -> None:
    assert exchange.read_refusal(exchange.encode_refusal("try-later", "Nanti.")) == ("try-later", "Nanti.")
    for other in (b"", b"<html>", cbor.encode([1, 2, 3]), cbor.encode(["x"]), bytes(20_000)):
        assert exchange.read_refusal(other) is None


sizes = st.lists(st.integers(1, 70_000), max_size=200)


@QUICK
@given(
    sizes,
    st.integers(NOTHING, 210),
    st.integers(limits.UPLOAD_MIN, limits.REQUEST_BODY),
    st.integers(0, 300_000),
)
def test_what_is_sent_is_the_next_and_no_more_than_fits(
    sizes: list[int], confirmed: int, allowance: int, spent: int
) -> None:
    held = list(enumerate(sizes))
    chosen, complete = to_send(confirmed, held, allowance, spent)
    waiting = [index for index, _ in held if index > confirmed]
    assert chosen == waiting[: len(chosen)], "the first that wait, in order, without holes"
    assert complete == (chosen == waiting)
    assert len(chosen) <= limits.SEGMENTS_PER_REQUEST
    assert bool(chosen) == bool(waiting), "always at least one"
    total = spent + sum(sizes[index] for index in chosen)
    assert len(chosen) <= 1 or total <= allowance
    if not complete and len(chosen) < limits.SEGMENTS_PER_REQUEST:
        assert total + sizes[chosen[-1] + 1] > allowance, "no less than fits"


@QUICK
@given(sizes, st.data())
def test_wherever_uploads_are_cut_everything_arrives_once(sizes: list[int], data: st.DataObject) -> None:
    """The line may break after any segment; the device asks, and goes on after what arrived."""
    arrived: list[int] = []
    allowance = limits.UPLOAD_START
    for _ in range(3 * len(sizes) + 3):
        chosen, complete = to_send(len(arrived) - 1, list(enumerate(sizes)), allowance, 0)
        through = data.draw(st.integers(0, len(chosen))) if data.draw(st.booleans()) else len(chosen)
        arrived += chosen[:through]
        succeeded = through == len(chosen)
        allowance = next_upload(allowance, succeeded, limits.REQUEST_BODY)
        if complete and succeeded:
            break
        if not succeeded and data.draw(st.booleans()):
            continue
    else:
        while len(arrived) < len(sizes):
            chosen, _ = to_send(len(arrived) - 1, list(enumerate(sizes)), allowance, 0)
            arrived += chosen
    assert arrived == list(range(len(sizes)))


@QUICK
@given(st.integers(0, 1 << 20), st.lists(st.booleans(), max_size=20), st.integers(0, 1 << 20))
def test_the_upload_size_halves_and_doubles_within_its_bounds(
    start: int, outcomes: list[bool], most: int
) -> None:
    upload_sizes = [start]
    for succeeded in outcomes:
        upload_sizes.append(next_upload(upload_sizes[-1], succeeded, most))
    ceiling = max(limits.UPLOAD_MIN, min(most, limits.REQUEST_BODY))
    for (before, after), succeeded in zip(pairwise(upload_sizes), outcomes, strict=True):
        wanted = before * 2 if succeeded else before // 2
        assert after == min(max(wanted, limits.UPLOAD_MIN), ceiling)


items = st.recursive(
    st.one_of(st.integers(-1000, 1000), st.binary(max_size=300), st.text(max_size=5), st.booleans()),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=8,
).map(cbor.encode)


def fed(splitter: ItemSplitter, stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cuts), len(stream)]
    return [item for start, stop in pairwise(edges) for item in splitter.feed(stream[start:stop])]


@QUICK
@given(st.lists(items, max_size=8), st.data())
def test_any_chunks_give_the_same_items(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(sent)
    splitter = ItemSplitter()
    assert fed(splitter, stream, data.draw(st.lists(st.integers(0, len(stream)), max_size=20))) == sent
    assert splitter.is_between_items
    assert fed(ItemSplitter(), stream, list(range(len(stream)))) == sent


@QUICK
@given(st.lists(items, min_size=1, max_size=5), st.data())
def test_a_cut_stream_gives_the_items_that_were_whole(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(sent)
    cut = data.draw(st.integers(0, len(stream)))
    ends = [sum(map(len, sent[: at + 1])) for at in range(len(sent))]
    splitter = ItemSplitter()
    came = fed(splitter, stream[:cut], data.draw(st.lists(st.integers(0, cut), max_size=5)))
    assert came == sent[: sum(end <= cut for end in ends)]
    assert splitter.is_between_items == (cut in (0, *ends))


def test_items_before_the_damage_are_given_out() -> None:
    splitter = ItemSplitter()
    came = []
    with pytest.raises(MalformedError):
        for item in splitter.feed(cbor.encode(b"a") + cbor.encode(b"b") + b"\xff"):
            came.append(item)
    assert came == [cbor.encode(b"a"), cbor.encode(b"b")]


@pytest.mark.parametrize("pieces", [[101], [100, 1], [60, 60], [1] * 101], ids=len)
def test_a_stream_longer_than_its_limit_is_refused(pieces: list[int]) -> None:
    splitter = ItemSplitter(limit=100)
    with pytest.raises(TooLargeError):
        for size in pieces:
            list(splitter.feed(b"\x00" * size))
    assert list(ItemSplitter(limit=100).feed(b"\x00" * 100)) == [b"\x00"] * 100


def test_one_item_in_many_chunks_is_not_walked_again_with_each() -> None:
    """Of an item that claims a million parts, only what came is looked at, a few times over."""

    def calls(size: int) -> int:
        stream = b"\x9a" + (1 << 20).to_bytes(4, "big") + bytes(size)
        splitter, count = ItemSplitter(), 0

        def counted(frame: FrameType, what: str, argument: object) -> None:
            nonlocal count
            count += what == "call" and frame.f_code.co_filename == cbor.__file__

        sys.setprofile(counted)
        try:
            for at in range(0, len(stream), 512):
                assert list(splitter.feed(stream[at : at + 512])) == []
        finally:
            sys.setprofile(None)
        return count

    assert calls(64 * 1024) <= 16 * calls(8 * 1024)


@given(
    st.lists(st.recursive(st.integers(0, 300) | st.binary(max_size=40), st.lists, max_leaves=9), max_size=5)
)
def test_items_come_out_as_soon_as_their_last_byte_is_there(values: list[object]) -> None:
    splitter, came = ItemSplitter(), []
    for value in values:
        item = cbor.encode(value)
        for at in range(len(item)):
            came += list(splitter.feed(item[at : at + 1]))
            assert splitter.is_between_items == (at == len(item) - 1)
    assert came == [cbor.encode(value) for value in values]
