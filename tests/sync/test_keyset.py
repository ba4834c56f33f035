"""Keysets: only the pinned root's, never an older one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import cbor, cose
from sync.errors import MalformedError, SignatureError, SyncError, TooLargeError, UnknownVersionError
from sync.keys import SigningKey, fingerprint, key_id
from sync.keyset import Keyset, open_keyset, sign_keyset
from sync.sealing import CLASSICAL, HYBRID, SealingKey

ROOT, OTHER_ROOT = SigningKey.from_seed(b"r" * 32), SigningKey.from_seed(b"q" * 32)
INTAKE = SealingKey(CLASSICAL, b"i" * 32)
keys = st.binary(min_size=32, max_size=32)
sealing_keys = st.one_of(
    st.builds(SealingKey, st.just(CLASSICAL), keys),
    st.builds(SealingKey, st.just(HYBRID), st.binary(min_size=1216, max_size=1216)),
)
keysets = st.builds(
    Keyset,
    st.integers(0, 1 << 40),
    st.just(ROOT.public),
    st.lists(keys, min_size=1, max_size=3).map(tuple),
    sealing_keys,
    st.lists(keys, max_size=3).map(tuple),
    st.lists(sealing_keys, max_size=2).map(tuple),
)


def keyset_of(root: SigningKey = ROOT, version: int = 5) -> Keyset:
    return Keyset(version, root.public, (b"h" * 32,), INTAKE, (b"p" * 32, b"q" * 32))


@settings(max_examples=50, deadline=None)
@given(keysets)
def test_what_the_root_signed_is_read(keyset: Keyset) -> None:
    assert open_keyset(sign_keyset(ROOT, keyset)) == keyset


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 20), st.integers(0, 20))
def test_a_keyset_is_never_replaced_by_an_older_one(pinned: int, offered: int) -> None:
    data = sign_keyset(ROOT, keyset_of(version=offered))
    if offered < pinned:
        with pytest.raises(SignatureError):
            open_keyset(data, keyset_of(version=pinned))
    else:
        assert open_keyset(data, keyset_of(version=pinned)).version == offered


def test_another_root_s_keyset_is_refused_however_new() -> None:
    foreign = sign_keyset(OTHER_ROOT, keyset_of(OTHER_ROOT, version=99))
    assert open_keyset(foreign).root == OTHER_ROOT.public, "good by itself: nothing was pinned"
    with pytest.raises(SignatureError):
        open_keyset(foreign, keyset_of())


def test_a_keyset_that_names_a_root_which_did_not_sign_it_is_refused() -> None:
    for pinned in (None, keyset_of()):
        with pytest.raises(SignatureError):
            open_keyset(sign_keyset(OTHER_ROOT, keyset_of(ROOT)), pinned)


def test_no_byte_can_be_altered() -> None:
    data = sign_keyset(ROOT, keyset_of())
    for at in range(len(data)):
        with pytest.raises(SyncError):
            open_keyset(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def test_a_publisher_is_found_by_the_key_s_id() -> None:
    keyset = keyset_of()
    for key in keyset.publisher_keys:
        assert keyset.publisher(key_id(key)) == key
    assert keyset.publisher(key_id(keyset.hub_keys[0])) is None
    assert keyset.publisher(b"") is None


FIELDS = [5, ROOT.public, [b"h" * 32], [CLASSICAL, b"i" * 32], [b"p" * 32]]


def signed(*fields: object, aad: bytes = cose.KEYSET) -> bytes:
    return cose.seal(ROOT, cbor.encode(list(fields)), aad)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [1],
        [1, *FIELDS[:-1]],
        [1, "5", *FIELDS[1:]],
        [1, 5, ROOT.public[:31], *FIELDS[2:]],
        [1, 5, ROOT.public, [b"h" * 31], *FIELDS[3:]],
        [1, 5, ROOT.public, ["h" * 32], *FIELDS[3:]],
        [1, 5, ROOT.public, b"h" * 32, *FIELDS[3:]],
        [1, *FIELDS[:3], [1, b"i" * 33], FIELDS[4]],
        [1, *FIELDS[:4], [b"p" * 33]],
    ],
    ids=repr,
)
def test_a_keyset_of_another_shape_is_refused(fields: list[object]) -> None:
    with pytest.raises(MalformedError):
        open_keyset(signed(*fields))


def test_versions_purposes_and_sizes() -> None:
    assert open_keyset(signed(1, *FIELDS, "baru")) == Keyset(
        5, ROOT.public, (b"h" * 32,), INTAKE, (b"p" * 32,)
    )
    with pytest.raises(UnknownVersionError):
        open_keyset(signed(2, *FIELDS))
    with pytest.raises(SignatureError):
        open_keyset(signed(1, *FIELDS, aad=cose.SEGMENT))
    with pytest.raises(TooLargeError):
        open_keyset(sign_keyset(ROOT, replace(keyset_of(), publisher_keys=(b"p" * 32,) * 500)))


def test_a_private_key_does_not_show_itself() -> None:
    assert ROOT.seed.hex() not in repr(ROOT) and repr(ROOT.seed) not in repr(ROOT)
    assert ROOT.public.hex() in repr(ROOT)


@settings(max_examples=50, deadline=None)
@given(keys, keys)
def test_people_compare_a_fingerprint_of_letters_that_look_different(one: bytes, other: bytes) -> None:
    text = fingerprint(one)
    assert [len(group) for group in text.split("-")] == [4] * 5
    assert not set(text) & set("018")
    assert (text == fingerprint(other)) == (one == other)
