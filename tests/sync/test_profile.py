"""Profiles: small, clean, detached from the log, and not to be guessed from their commitment."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import cbor, limits
from sync.errors import MalformedError, TooLargeError
from sync.keys import sha256
from sync.profile import Profile, commitment_of, learner_id, open_profile

SALT = bytes(range(16))
QUICK = settings(max_examples=100, deadline=None)
names = st.text(max_size=60)


def made(name: str, position: str = "", seed: int = 1) -> Profile:
    return Profile.make(random.Random(seed).randbytes, name, position)


@QUICK
@given(names.filter(lambda name: name.split()), names)
def test_a_profile_is_read_as_it_was_made(name: str, position: str) -> None:
    profile = made(name, position)
    assert open_profile(profile.encode()) == profile
    assert profile.commitment == commitment_of(profile.encode()) == sha256(profile.encode())
    for given_text, kept in ((name, profile.name), (position, profile.position)):
        assert unicodedata.is_normalized("NFC", kept)
        assert kept == " ".join(kept.split())
        assert unicodedata.normalize("NFC", given_text).split() == kept.split()


def test_spellings_of_one_name_are_one_name() -> None:
    assert made("  Jose\u0301\t Maria ").name == "Jos\u00e9 Maria"


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u00a0"])
def test_somebody_has_a_name(name: str) -> None:
    with pytest.raises(MalformedError):
        made(name, "Kepala Desa")


def test_a_profile_has_a_largest_size() -> None:
    overhead = len(Profile(SALT, "x" * 1000, "y" * 900).encode()) - 1900
    fits = made("x" * 1000, "y" * (limits.PROFILE - overhead - 1000))
    assert len(fits.encode()) == limits.PROFILE
    assert open_profile(fits.encode()) == fits
    with pytest.raises(TooLargeError):
        made(fits.name, fits.position + "y")
    with pytest.raises(TooLargeError):
        open_profile(cbor.encode([1, SALT, fits.name, fits.position + "y"]))


def test_the_salt_hides_the_name() -> None:
    one, other = made("Siti Aminah", seed=1), made("Siti Aminah", seed=2)
    assert one.name == other.name
    assert one.commitment != other.commitment
    assert len(one.salt) == 16


@QUICK
@given(names.filter(str.split), names.filter(str.split), st.binary(min_size=16, max_size=16))
def test_a_commitment_is_to_one_profile(name: str, other: str, salt: bytes) -> None:
    one, two = Profile(salt, name, other), Profile(salt, other, name)
    assert (one.commitment == two.commitment) == (name == other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        cbor.encode([]),
        cbor.encode([2, SALT, "Siti", ""]),
        cbor.encode([1, SALT[:15], "Siti", ""]),
        cbor.encode([1, SALT + b"\0", "Siti", ""]),
        cbor.encode([1, SALT, "", "Kepala Desa"]),
        cbor.encode([1, SALT, "Siti"]),
        cbor.encode([1, SALT, b"Siti", ""]),
        cbor.encode([1, SALT, "Siti", None]),
        cbor.encode({1: SALT}),
        cbor.encode([1, SALT, "Siti", ""]) + b"\0",
    ],
    ids=repr,
)
def test_what_is_no_profile_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        open_profile(data)


def test_further_fields_are_kept_in_the_bytes_that_were_committed_to() -> None:
    data = cbor.encode([1, SALT, "Siti", "Kaur", "masa depan"])
    assert open_profile(data) == Profile(SALT, "Siti", "Kaur")
    assert commitment_of(data) != Profile(SALT, "Siti", "Kaur").commitment


def test_a_person_is_known_by_log_and_first_commitment() -> None:
    ids = {
        learner_id(log, commitment)
        for log in (b"a" * 16, b"b" * 16)
        for commitment in (b"c" * 32, b"d" * 32)
    }
    assert len(ids) == 4 and {len(one) for one in ids} == {16}
    assert learner_id(b"a" * 16, b"c" * 32) == sha256(b"lontar/learner/1" + b"a" * 16 + b"c" * 32)[:16]


def test_a_name_that_utf_8_cannot_hold_is_refused_in_plain_words() -> None:
    """As a terminal gives it when somebody pastes bytes of another encoding."""
    with pytest.raises(MalformedError):
        made(b"Jos\xe9".decode("utf-8", "surrogateescape"))
