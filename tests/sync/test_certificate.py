"""Certificates: what a square code proves to somebody who has no network, and what it must never prove."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import certificate
from sync.certificate import Claim, Standing, read_certificate
from sync.errors import LontarError, MalformedError, SignatureError
from sync.keys import SigningKey, key_id
from sync.profile import Profile

HUB: Final = SigningKey.from_seed(b"h" * 32)
OTHER_HUB: Final = SigningKey.from_seed(b"o" * 32)
DEVICE: Final = SigningKey.from_seed(b"d" * 32)
VILLAGE: Final = "17.05.10.2007"
SITI: Final = Profile(bytes(16), "Siti Aminah", "Kaur Keuangan")
CLAIM: Final = Claim(
    VILLAGE, b"l" * 16, SITI.commitment, b"c" * 16, "Tata Kelola Desa", 2, 8, 8_750, "2026-10-15"
)
FINAL: Final = replace(CLAIM, number="0001/17.05.10.2007/2026", issued_ms=1_790_000_000_000)


def nobody(device: bytes, village: str) -> None:
    return None


def a_draft(claim: Claim = CLAIM, vouched: bytes = b"", profile: Profile = SITI) -> str:
    sealed = certificate.seal_draft(DEVICE, claim)
    return certificate.draft_code(sealed, profile.encode(), DEVICE.public, vouched)


def a_final(claim: Claim = FINAL, hub: SigningKey = HUB, profile: Profile = SITI) -> str:
    return certificate.final_code(certificate.seal_final(hub, claim), profile.encode())


@given(
    st.text(max_size=60),
    st.one_of(st.none(), st.integers(0, 10_000)),
    st.integers(0, 500),
    st.text(min_size=1, max_size=40),
)
def test_whatever_is_claimed_is_read_again(title: str, score: int | None, hours: int, number: str) -> None:
    claim = replace(FINAL, title=title, score=score, hours_jp=hours, number=number)
    read = read_certificate(certificate.address(a_final(claim), "https://hub.id"), [HUB.public], nobody)
    assert (read.claim, read.profile, read.standing) == (claim, SITI, Standing.CONFIRMED)


def test_the_centre_s_seal_proves_a_certificate_anywhere() -> None:
    assert (
        read_certificate(a_final(), [OTHER_HUB.public, HUB.public], nobody).standing is Standing.CONFIRMED
    )


def test_another_centre_s_seal_proves_nothing_here() -> None:
    assert read_certificate(a_final(hub=OTHER_HUB), [HUB.public], nobody).standing is Standing.UNPROVEN


def test_a_laptop_that_is_known_here_proves_a_draft() -> None:
    asked: list[tuple[bytes, str]] = []

    def known(device: bytes, village: str) -> bool:
        asked.append((device, village))
        return True

    read = read_certificate(a_draft(), [], known)
    assert (read.standing, read.device) == (Standing.REGISTERED, key_id(DEVICE.public))
    assert asked == [(key_id(DEVICE.public), VILLAGE)]


def test_the_centre_s_word_proves_a_draft_of_a_laptop_that_nobody_here_has_seen() -> None:
    vouched = certificate.vouch(HUB, DEVICE.public, VILLAGE)
    assert read_certificate(a_draft(vouched=vouched), [HUB.public], nobody).standing is Standing.REGISTERED


def test_a_laptop_that_was_revoked_proves_nothing_whatever_the_centre_said_before() -> None:
    vouched = certificate.vouch(HUB, DEVICE.public, VILLAGE)
    read = read_certificate(a_draft(vouched=vouched), [HUB.public], lambda device, village: False)
    assert read.standing is Standing.REVOKED


@pytest.mark.parametrize(
    "vouched",
    [
        b"",
        b"nonsense",
        certificate.vouch(OTHER_HUB, DEVICE.public, VILLAGE),
        certificate.vouch(HUB, DEVICE.public, "17.05.10.2008"),
        certificate.vouch(HUB, OTHER_HUB.public, VILLAGE),
        certificate.seal_final(HUB, FINAL),
    ],
    ids=[
        "none",
        "nonsense",
        "another centre's",
        "another village's",
        "another laptop's",
        "another purpose",
    ],
)
def test_no_other_word_proves_a_draft(vouched: bytes) -> None:
    assert read_certificate(a_draft(vouched=vouched), [HUB.public], nobody).standing is Standing.UNPROVEN


def test_a_laptop_can_not_seal_a_final_certificate() -> None:
    sealed = certificate.seal_draft(DEVICE, FINAL)
    code = certificate.final_code(sealed, SITI.encode())
    assert read_certificate(code, [HUB.public, DEVICE.public], nobody).standing is Standing.UNPROVEN


def test_a_draft_never_carries_a_number() -> None:
    assert read_certificate(a_draft(FINAL), [HUB.public], nobody).claim.number == ""


def test_another_name_is_refused() -> None:
    thief = replace(SITI, name="Orang Lain")
    for code in (a_draft(profile=thief), a_final(profile=thief)):
        with pytest.raises(SignatureError):
            read_certificate(code, [HUB.public], nobody)


@given(st.data())
def test_no_changed_letter_says_something_else(data: st.DataObject) -> None:
    code = a_final()
    at = data.draw(st.integers(0, len(code) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
    changed = code[:at] + letter + code[at + 1 :]
    try:
        read = read_certificate(changed, [HUB.public], nobody)
    except LontarError:
        return
    # The last letter holds bits that stand for nothing.
    assert read.standing is Standing.UNPROVEN or (read.claim, read.profile) == (FINAL, SITI)


@given(st.text(max_size=300))
def test_any_text_is_a_certificate_or_one_clear_refusal(text: str) -> None:
    with pytest.raises(LontarError):
        read_certificate(text, [HUB.public], nobody)


@pytest.mark.parametrize("text", ["", "/P/", "https://hub.id/P/", "LONTAR:/P/7KQ2", "A" * 5000, "/P/1890"])
def test_what_is_no_code_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(MalformedError, match="bukan kode sertifikat"):
        read_certificate(text, [HUB.public], nobody)


def test_a_code_is_read_with_spaces_and_small_letters() -> None:
    code = a_final().lower()
    spaced = " ".join(code[at : at + 5] for at in range(0, len(code), 5))
    assert read_certificate(spaced, [HUB.public], nobody).standing is Standing.CONFIRMED


def test_a_square_code_holds_only_what_its_dense_mode_can() -> None:
    dense = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    for url in ("https://pusat.example.go.id", "https://pusat.example.go.id:8443/", "", "http://x/a_b?c"):
        assert set(certificate.address(a_final(), url)) <= dense


def test_a_final_certificate_fits_into_a_square_code_that_a_telephone_reads() -> None:
    address = certificate.address(a_final(), "https://pusat.example.go.id")
    draft = certificate.address(
        a_draft(vouched=certificate.vouch(HUB, DEVICE.public, VILLAGE)), "https://pusat.example.go.id"
    )
    # Version 20 at the lowest correction holds 1,249 letters of the dense mode: 97 modules, 0.4 mm each on 40 mm.
    assert len(address) < 600
    assert len(draft) < 900


def test_people_compare_the_same_letters_for_the_draft_and_the_final_certificate() -> None:
    said = certificate.verification_code(CLAIM.learner, CLAIM.course_key)
    assert said == certificate.verification_code(FINAL.learner, FINAL.course_key)
    assert said != certificate.verification_code(CLAIM.learner, b"x" * 16)
