"""Sealing to one reader: only that reader opens it, unchanged, for what it was sealed for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parcels import CENTRES, OTHER

from sync.errors import SealError
from sync.sealing import (
    CLASSICAL,
    ENVELOPE,
    HYBRID,
    SUITES,
    OpeningKey,
    SealingKey,
    is_sealing_key,
    seed_size,
)

suites = st.sampled_from(SUITES)


@settings(max_examples=30, deadline=None)
@given(suites, st.binary(max_size=3000), st.binary(max_size=60))
def test_what_is_sealed_opens_to_the_same(suite: int, plain: bytes, info: bytes) -> None:
    sealed = CENTRES[suite].public.seal(plain, info)
    assert CENTRES[suite].unseal(sealed, info) == plain
    assert len(sealed) == len(plain) + ENVELOPE[suite]


@settings(max_examples=40, deadline=None)
@given(suites, st.data())
def test_a_change_a_cut_or_another_purpose_opens_nothing(suite: int, data: st.DataObject) -> None:
    sealed = CENTRES[suite].public.seal(b"seribu catatan", b"info")
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    for wrong, info in (
        (bytes(changed), b"info"),
        (sealed[:at], b"info"),
        (sealed, b"inf"),
        (sealed + b"x", b"info"),
    ):
        with pytest.raises(SealError):
            CENTRES[suite].unseal(wrong, info)


@pytest.mark.parametrize("suite", SUITES)
def test_sealing_twice_gives_nothing_in_common(suite: int) -> None:
    one, other = (CENTRES[suite].public.seal(bytes(64), b"") for _ in range(2))
    assert not {one[at : at + 8] for at in range(len(one))} & {
        other[at : at + 8] for at in range(len(other))
    }


@pytest.mark.parametrize("suite", SUITES)
def test_another_key_opens_nothing(suite: int) -> None:
    other = OpeningKey(suite, b"x" * seed_size(suite))
    with pytest.raises(SealError):
        other.unseal(CENTRES[suite].public.seal(b"", b""), b"")


def test_one_suite_doesn_t_open_the_other_s() -> None:
    same_x25519 = OpeningKey(CLASSICAL, CENTRES[HYBRID].seed[-32:])
    with pytest.raises(SealError):
        same_x25519.unseal(CENTRES[HYBRID].public.seal(b"abc", b""), b"")
    with pytest.raises(SealError):
        CENTRES[HYBRID].unseal(same_x25519.public.seal(b"abc", b""), b"")


def test_the_hybrid_suite_is_ml_kem_768_beside_x25519() -> None:
    public = CENTRES[HYBRID].public.public
    assert len(public) == 1184 + 32
    assert public[-32:] == OpeningKey(CLASSICAL, CENTRES[HYBRID].seed[-32:]).public.public
    assert ENVELOPE[HYBRID] == 1088 + 32 + 16
    assert seed_size(HYBRID) == 64 + 32
    assert is_sealing_key(HYBRID, public)
    assert not is_sealing_key(CLASSICAL, public)
    assert not is_sealing_key(3, public)


def test_both_halves_of_a_hybrid_key_are_needed() -> None:
    seed = CENTRES[HYBRID].seed
    sealed = CENTRES[HYBRID].public.seal(b"abc", b"")
    for half_known in (seed[:64] + b"?" * 32, b"?" * 64 + seed[64:]):
        with pytest.raises(SealError):
            OpeningKey(HYBRID, half_known).unseal(sealed, b"")


def test_a_suite_of_tomorrow_is_refused_and_not_guessed() -> None:
    with pytest.raises(SealError):
        SealingKey(3, CENTRES[CLASSICAL].public.public).seal(b"", b"")
    with pytest.raises(SealError):
        OpeningKey(3, bytes(32)).unseal(bytes(100), b"")


@pytest.mark.parametrize("public", [bytes(32), b"\x01" + bytes(31), b"short", b""])
def test_a_key_that_nobody_can_hold_is_refused(public: bytes) -> None:
    """Points of small order give a secret that everybody knows."""
    with pytest.raises(SealError):
        SealingKey(CLASSICAL, public).seal(b"abc", b"")
    with pytest.raises(SealError):
        OTHER.shared_with(public)


def test_two_sides_share_one_secret() -> None:
    mine, theirs = OTHER, CENTRES[HYBRID]
    assert mine.shared_with(theirs.public.public) == theirs.shared_with(mine.public.public)


def test_a_private_key_is_never_shown() -> None:
    assert OTHER.seed.hex() not in repr(OTHER)
    assert repr(OTHER.seed) not in repr(OTHER)
