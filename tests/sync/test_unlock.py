"""A code by telephone: both sides make the same one, nobody else can, and look-alike letters don't matter."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parcels import CENTRES, OTHER, VILLAGE

from sync.errors import MalformedError
from sync.sealing import CLASSICAL, HYBRID, SUITES, OpeningKey
from sync.unlock import code, is_right, make_challenge, read_challenge

DEVICE = b"d" * 16
challenges = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=6, max_size=6)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(SUITES), st.binary(min_size=16, max_size=16), challenges)
def test_laptop_and_centre_make_the_same_code(suite: int, device: bytes, challenge: str) -> None:
    centre = CENTRES[suite]
    told = code(centre, VILLAGE.public.public, device, challenge)
    assert told == code(VILLAGE, centre.public.public, device, challenge)
    assert is_right(told, code(VILLAGE, centre.public.public, device, challenge))
    assert (len(told), told[4]) == (9, "-")


@settings(max_examples=30, deadline=None)
@given(challenges, challenges)
def test_another_challenge_device_or_key_makes_another_code(one: str, other: str) -> None:
    centre = CENTRES[CLASSICAL].public.public
    right = code(VILLAGE, centre, DEVICE, one)
    assert (code(VILLAGE, centre, DEVICE, other) == right) == (one == other)
    assert code(VILLAGE, centre, b"e" * 16, one) != right
    assert code(OTHER, centre, DEVICE, one) != right
    assert code(VILLAGE, CENTRES[HYBRID].public.public, DEVICE, one) != right or (
        CENTRES[HYBRID].public.public[-32:] == centre
    )


def test_challenges_are_short_and_never_the_same() -> None:
    made = {make_challenge(secrets.token_bytes) for _ in range(200)}
    assert len(made) == 200
    assert all(read_challenge(one) == one and len(one) == 6 for one in made)


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("7kq2m4", "7KQ2M4"),
        (" 7kq-2m4 ", "7KQ2M4"),
        ("O0oIiL", "000111"),
        ("7 K Q 2 M 4", "7KQ2M4"),
        ("lllooo", "111000"),
    ],
)
def test_what_people_type_is_understood(typed: str, means: str) -> None:
    assert read_challenge(typed) == means


@pytest.mark.parametrize("typed", ["", "7KQ2M", "7KQ2M44", "7KQ2MU", "７KQ2M4", "7KQ2M\0", "--------"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(MalformedError):
        read_challenge(typed)
    with pytest.raises(MalformedError):
        is_right(typed, "AAAA-AAAA")


def test_a_wrong_code_is_wrong_and_dashes_don_t_matter() -> None:
    assert is_right("abcd efgh", "ABCD-EFGH")
    assert not is_right("ABCD-EFGJ", "ABCD-EFGH")


def test_codes_are_spread_over_their_forty_bits() -> None:
    centre = CENTRES[CLASSICAL].public.public
    key = OpeningKey(CLASSICAL, b"q" * 32)
    made = [code(key, centre, DEVICE, f"{at:06d}") for at in range(300)]
    assert len(set(made)) == 300
    for place in (0, 3, 5, 8):
        assert len({one[place] for one in made}) == 32
