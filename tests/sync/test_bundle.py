"""Parts of bundles: useful alone, opened by one reader, and never taken for what they aren't."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parcels import (
    CENTRES,
    DEVICE,
    HEAD_SIZE,
    HUB,
    OTHER,
    VILLAGE,
    id_of_bundle,
    mail,
    mended,
    request,
    to_centre,
    with_head,
)

from sync import bundle, cbor, cose, limits
from sync.bundle import (
    FromDevice,
    FromHub,
    Head,
    check_part,
    open_part,
    padded_size,
    read_stream,
    seal_parts,
)
from sync.errors import MalformedError, SealError, SignatureError, SyncError, TornError, UnknownVersionError
from sync.exchange import Receipt, sign_receipt, sign_request
from sync.items import ItemKind, wrap
from sync.keys import key_id
from sync.profile import Profile
from sync.sealing import CLASSICAL, HYBRID, KEY_ID, SUITES, OpeningKey

KEYSET = wrap(ItemKind.KEYSET, b"a keyset")
suites = st.sampled_from(SUITES)
items = st.lists(
    st.binary(min_size=1, max_size=3000).map(lambda data: wrap(ItemKind.HUB_SEGMENT, data)), max_size=12
)
PART = {suite: to_centre([KEYSET], suite)[0] for suite in SUITES}


@settings(max_examples=30, deadline=None)
@given(suites, items, st.integers(1024, 8192))
def test_what_is_sealed_opens_to_the_same_part_by_part(suite: int, stream: list[bytes], most: int) -> None:
    parts = to_centre(stream, suite, most)
    opened = [open_part(part, [OTHER, CENTRES[suite]]) for part in parts]
    assert [item.data for part in opened for item in read_stream(part)] == [
        cbor.decode(item)[1] for item in stream
    ]
    for index, (data, part) in enumerate(zip(parts, opened, strict=True)):
        assert (part.head.index, part.head.count, part.head.size) == (index, len(parts), len(data))
        part.verify_device(DEVICE.public)
        assert part.from_device().t == request().request.t


@settings(max_examples=20, deadline=None)
@given(suites, items.filter(lambda stream: len(stream) > 3), st.randoms(use_true_random=False))
def test_each_part_is_useful_alone_and_in_any_order(suite: int, stream: list[bytes], rng: object) -> None:
    parts = to_centre(stream, suite, 2048)
    kept = set(stream)
    rng.shuffle(parts)  # type: ignore[attr-defined]
    for part in parts[::2]:
        alone = open_part(part, [CENTRES[suite]])
        alone.verify_device(DEVICE.public)
        assert {wrap(item.kind, item.data) for item in read_stream(alone)} <= kept


@pytest.mark.parametrize("suite", SUITES)
def test_every_flipped_byte_is_refused(suite: int) -> None:
    part = PART[suite]
    for at in range(len(part)):
        changed = part[:at] + bytes([part[at] ^ 0x21]) + part[at + 1 :]
        with pytest.raises(SyncError):
            check_part(changed)


@pytest.mark.parametrize("suite", SUITES)
def test_every_flipped_byte_under_a_mended_hash_is_refused(suite: int) -> None:
    """Somebody with a stick can mend the hash at the end, and still passes nothing off."""
    part = PART[suite]
    places = [*range(HEAD_SIZE), *range(HEAD_SIZE, len(part) - 32, 7)]
    for at in places:
        changed = mended(part[:at] + bytes([part[at] ^ 0x01]) + part[at + 1 :])
        with pytest.raises(SyncError):
            open_part(changed, [CENTRES[suite]])


@pytest.mark.parametrize("suite", SUITES)
def test_every_truncation_is_torn(suite: int) -> None:
    part = PART[suite]
    for size in range(len(part)):
        with pytest.raises(TornError):
            check_part(part[:size])
        with pytest.raises(TornError):
            open_part(part[:size], [CENTRES[suite]])
    with pytest.raises(TornError):
        check_part(part + b"\0")
    with pytest.raises(TornError):
        check_part(bytes(0))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(SyncError):
        check_part(data)
    with pytest.raises(SyncError):
        open_part(mended(bundle.MAGIC + data + bytes(80)), [VILLAGE])


def test_a_part_for_somebody_else_is_sealed_and_whole() -> None:
    check_part(PART[CLASSICAL])
    for keys in ([], [OTHER], [CENTRES[HYBRID]], [OTHER, VILLAGE]):
        with pytest.raises(SealError):
            open_part(PART[CLASSICAL], keys)


def test_what_is_on_the_outside_tells_only_who_knows_the_keys() -> None:
    head = check_part(PART[HYBRID])
    assert head.recipient == CENTRES[HYBRID].public.id
    assert head.sender == VILLAGE.public.id
    assert head.bundle[KEY_ID:] == id_of_bundle()[KEY_ID:]
    assert head.suite == HYBRID
    assert Head.encode(head) == PART[HYBRID][:HEAD_SIZE]
    assert key_id(DEVICE.public)[:8] not in PART[HYBRID]


def test_a_part_of_a_later_version_is_said_to_be_later() -> None:
    with pytest.raises(UnknownVersionError):
        check_part(with_head(PART[CLASSICAL], 4, 2, ">B"))


@pytest.mark.parametrize(
    ("offset", "value"),
    [(32, 1), (36, 0), (36, limits.PARTS_PER_BUNDLE + 1), (40, limits.PART + 1), (32, 2**32 - 1)],
)
def test_a_head_that_can_t_be_is_refused_before_it_is_believed(offset: int, value: int) -> None:
    with pytest.raises(MalformedError):
        check_part(with_head(PART[CLASSICAL], offset, value))


def sealed_with(said: list[object], purpose: bytes = cose.BUNDLE) -> bytes:
    """A part whose inside says `said`, by the real device's key, with the real outside."""
    head = check_part(PART[CLASSICAL])
    plain = bundle.padded(cose.seal(DEVICE, cbor.encode(said), purpose))
    outside = Head(head.suite, head.recipient, head.bundle, 0, 1, len(plain) + 48).encode()
    sealed = CENTRES[CLASSICAL].public.seal(plain, b"lontar/bundle/1" + outside)
    return mended(outside + sealed + bytes(32))


def inside(**changed: object) -> list[object]:
    head = check_part(PART[CLASSICAL])
    said: dict[str, object] = {
        "version": 1,
        "recipient": head.recipient,
        "bundle": head.bundle,
        "index": 0,
        "count": 1,
    }
    return [*(said | changed).values(), *request().fields()]


def test_the_unchanged_inside_would_open() -> None:
    open_part(sealed_with(inside()), [CENTRES[CLASSICAL]]).verify_device(DEVICE.public)


@pytest.mark.parametrize(
    "changed",
    [{"recipient": bytes(8)}, {"bundle": bytes(16)}, {"index": 1}, {"count": 2}, {"bundle": "text"}],
    ids=str,
)
def test_the_inside_must_agree_with_the_outside(changed: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        open_part(sealed_with(inside(**changed)), [CENTRES[CLASSICAL]])


def test_an_inside_of_a_later_version_is_said_to_be_later() -> None:
    with pytest.raises(UnknownVersionError):
        open_part(sealed_with(inside(version=2)), [CENTRES[CLASSICAL]])


def test_a_device_can_t_sign_mail_and_a_hub_s_mail_is_no_request() -> None:
    to_village = seal_parts(VILLAGE.public, HUB, mail(), [KEYSET], id_of_bundle())[0]
    opened = open_part(to_village, [VILLAGE])
    assert opened.verify_hub([OTHER.public.public, HUB.public]) == mail()
    with pytest.raises(SignatureError):
        opened.verify_device(HUB.public)
    forged = seal_parts(VILLAGE.public, DEVICE, mail(), [KEYSET], id_of_bundle())[0]
    with pytest.raises(SignatureError):
        open_part(forged, [VILLAGE]).verify_hub([HUB.public])
    as_device = open_part(PART[CLASSICAL], [CENTRES[CLASSICAL]])
    with pytest.raises(SignatureError):
        as_device.verify_hub([DEVICE.public])
    with pytest.raises(SignatureError):
        as_device.verify_device(HUB.public)


def test_a_receipt_or_a_request_is_no_manifest() -> None:
    """Each purpose has its own aad: what the hub signed elsewhere speaks for no part."""
    for purpose in (cose.RECEIPT, cose.REQUEST, cose.SEGMENT, cose.COURIER, cose.COURIER_ANSWER, cose.MAIL):
        part = open_part(sealed_with(inside(), purpose), [CENTRES[CLASSICAL]])
        with pytest.raises(SignatureError):
            part.verify_device(DEVICE.public)
    receipt = sign_receipt(HUB, Receipt(bytes(16), 5))
    signed = sign_request(DEVICE, request().request)
    assert receipt != signed
    for envelope in (receipt, signed):
        head = check_part(PART[CLASSICAL])
        plain = bundle.padded(envelope)
        outside = Head(head.suite, head.recipient, head.bundle, 0, 1, len(plain) + 48).encode()
        sealed = CENTRES[CLASSICAL].public.seal(plain, b"lontar/bundle/1" + outside)
        with pytest.raises(SyncError):
            open_part(mended(outside + sealed + bytes(32)), [CENTRES[CLASSICAL]]).verify_device(
                DEVICE.public
            )


def test_a_request_s_manifest_is_no_hub_s_even_from_a_hub_s_key() -> None:
    both = seal_parts(VILLAGE.public, HUB, FromDevice(request().request), [], id_of_bundle())[0]
    with pytest.raises(SignatureError):
        open_part(both, [VILLAGE]).verify_hub([HUB.public])


def test_mail_whose_fields_aren_t_mail_is_refused() -> None:
    class Odd(FromHub):
        def fields(self) -> list[object]:
            return ["desa"]

    part = seal_parts(VILLAGE.public, HUB, Odd(b"", 0, 0), [], id_of_bundle())[0]
    with pytest.raises(MalformedError):
        open_part(part, [VILLAGE]).verify_hub([HUB.public])


def test_a_part_that_decrypts_to_nothing_readable_is_refused() -> None:
    head = check_part(PART[CLASSICAL])
    for plain in (b"", bytes(256), b"\xd2", b"\xff" * 256, b"\x80" + bytes(255)):
        outside = Head(head.suite, head.recipient, head.bundle, 0, 1, len(plain) + 48).encode()
        sealed = CENTRES[CLASSICAL].public.seal(plain, b"lontar/bundle/1" + outside)
        with pytest.raises(SyncError):
            open_part(mended(outside + sealed + bytes(32)), [CENTRES[CLASSICAL]])


def test_parts_keep_to_the_usual_size_and_one_large_item_goes_alone() -> None:
    small = [wrap(ItemKind.HUB_SEGMENT, bytes([at]) * 900) for at in range(100)]
    large = wrap(ItemKind.HUB_SEGMENT, bytes(limits.SEGMENT))
    parts = to_centre([*small, large])
    sizes = [check_part(part).length - 48 for part in parts]
    assert all(size <= limits.PART_USUAL for size in sizes[:-1])
    assert limits.SEGMENT < sizes[-1] <= limits.PART
    assert [
        wrap(one.kind, one.data) for one in read_stream(open_part(parts[-1], [CENTRES[CLASSICAL]]))
    ] == [large]


def test_a_segment_stays_with_the_profiles_before_it() -> None:
    """Once the segment has arrived, nobody sends its profiles again; so one part brings all of them or none."""
    profiles = [Profile(at.to_bytes(16, "big"), f"Peserta {at}").encode() for at in range(60)]
    segment = cose.seal(DEVICE, bytes(600), cose.SEGMENT)
    for before in range(40):
        filler = [wrap(ItemKind.HUB_SEGMENT, bytes(20))] * before
        for part in to_centre([*filler, *profiles, segment], most=4096):
            stream = open_part(part, [CENTRES[CLASSICAL]]).stream
            assert (segment in stream) == all(profile in stream for profile in profiles)
            assert (segment in stream) == any(profile in stream for profile in profiles)


def test_even_very_many_profiles_fit_into_parts() -> None:
    profiles = [Profile(at.to_bytes(16, "big"), "x" * 1900).encode() for at in range(200)]
    parts = to_centre([*profiles, cose.seal(DEVICE, bytes(60_000), cose.SEGMENT)])
    assert len(parts) > 1
    streams = b"".join(open_part(part, [CENTRES[CLASSICAL]]).stream for part in parts)
    assert all(profile in streams for profile in profiles)


@given(st.integers(0, limits.PART))
def test_padding_costs_at_most_twelve_per_cent(size: int) -> None:
    padded = padded_size(size)
    assert padded >= size
    assert padded_size(size + 1) >= padded, "a larger inside never makes a smaller part"
    assert padded_size(padded) == padded
    if size > 4096:
        assert padded <= size * 1.12
    else:
        assert padded == max(256, 1 << max(0, size - 1).bit_length())


def test_a_size_tells_next_to_nothing() -> None:
    sizes = {padded_size(size) for size in range(limits.PART)}
    assert len(sizes) < 140
    assert len({padded_size(size) for size in range(limits.PART_USUAL + 1)}) < 60


def test_two_bundles_of_one_device_share_only_whose_they_are() -> None:
    one, other = id_of_bundle(1), id_of_bundle(2)
    assert one != other
    assert one[:KEY_ID] == other[:KEY_ID] == VILLAGE.public.id
    assert len(one) == bundle.BUNDLE_ID


def test_the_centre_opens_with_an_earlier_key_after_a_change_of_keys() -> None:
    newer = OpeningKey(CLASSICAL, b"n" * 32)
    for keys in ([newer, CENTRES[CLASSICAL]], [CENTRES[CLASSICAL], newer]):
        assert open_part(PART[CLASSICAL], keys).head == check_part(PART[CLASSICAL])
