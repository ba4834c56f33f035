"""Registration: a code that both sides prove they know, and that nobody in between can learn or replace."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import cbor, cose
from sync.errors import MalformedError, SignatureError, SyncError, TooLargeError, UnknownVersionError
from sync.keys import SigningKey, sha256
from sync.keyset import Keyset, sign_keyset
from sync.registration import (
    Code,
    Registration,
    RegistrationAnswer,
    device_proof,
    hub_proof,
    make_code,
    open_answer,
    open_registration,
    read_code,
    sign_answer,
    sign_registration,
)
from sync.sealing import CLASSICAL, SealingKey

KEY, OTHER = SigningKey.from_seed(b"k" * 32), SigningKey.from_seed(b"o" * 32)
HUB, ROOT = SigningKey.from_seed(b"h" * 32), SigningKey.from_seed(b"r" * 32)
KEYSET = sign_keyset(ROOT, Keyset(1, ROOT.public, (HUB.public,), SealingKey(CLASSICAL, bytes(32)), ()))
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
VILLAGE, NEXT_VILLAGE = "17.05.10.2007", "17.05.10.2008"
CODE = read_code("7KQ2-M4TX-9RHB")
NONCE = bytes(range(16))
QUICK = settings(max_examples=100, deadline=None)
SLOW = settings(max_examples=6, deadline=None)
"""Stretching a code takes 50 ms on purpose."""

codes = st.text(ALPHABET, min_size=12, max_size=12).map(lambda text: Code(text[:4], text[4:]))


def asked(code: Code = CODE) -> Registration:
    proof = device_proof(code.key(), KEY.public, NONCE)
    return Registration(KEY.public, bytes(32), VILLAGE, code.handle, proof, NONCE)


@QUICK
@given(codes, st.data())
def test_a_code_is_read_however_it_is_typed(code: Code, data: st.DataObject) -> None:
    lookalikes = {"0": "0Oo", "1": "1IiLl"}
    typed = "".join(
        data.draw(st.sampled_from(lookalikes.get(letter, letter + letter.lower())))
        + data.draw(st.sampled_from(["", "", "-", " ", "--"]))
        for letter in code.handle + code.secret
    )
    assert read_code(typed) == read_code(str(code)) == code


def test_a_code_is_random_in_every_letter() -> None:
    rng = random.Random(1)
    made = [make_code(rng.randbytes) for _ in range(500)]
    assert all(read_code(str(code)) == code for code in made)
    for at in range(12):
        assert {(code.handle + code.secret)[at] for code in made} == set(ALPHABET)


@pytest.mark.parametrize(
    "typed",
    ["", "7KQ2", "7KQ2-M4TX-9RH", "7KQ2-M4TX-9RHBB", "7KQ2-M4TX-9RHU", "7KQ2_M4TX_9RHB", "7KQ2-M4TX-9RH٣"],
)
def test_what_is_no_code_is_said_at_once(typed: str) -> None:
    with pytest.raises(MalformedError) as refusal:
        read_code(typed)
    assert "7KQ2-M4TX-9RHB" in refusal.value.sentence()


@SLOW
@given(st.integers(0, 11), st.data())
def test_one_mistyped_letter_proves_nothing(at: int, data: st.DataObject) -> None:
    letters = CODE.handle + CODE.secret
    wrong_letter = data.draw(st.sampled_from(ALPHABET.replace(letters[at], "")))
    wrong = read_code(letters[:at] + wrong_letter + letters[at + 1 :])
    assert wrong != CODE
    assert device_proof(wrong.key(), KEY.public, NONCE) != asked().proof
    request = sign_registration(KEY, asked(wrong))
    data = sign_answer(HUB, request, answered(), CODE.key())
    with pytest.raises(SignatureError):
        open_answer(data, request, wrong)
    assert open_answer(data, request, CODE) == answered()


def test_the_secret_never_travels() -> None:
    data = sign_registration(KEY, asked())
    assert CODE.handle.encode() in data
    assert CODE.secret.encode() not in data and CODE.key() not in data


def test_a_proof_is_bound_to_its_key_and_its_side() -> None:
    key = CODE.key()
    proof = device_proof(key, KEY.public, NONCE)
    others = [
        device_proof(key, OTHER.public, NONCE),
        device_proof(key, KEY.public, bytes(16)),
        device_proof(bytes(32), KEY.public, NONCE),
        hub_proof(key, KEY.public + NONCE, answered()),
    ]
    assert len({proof, *others}) == 5


def test_the_handle_seasons_the_secret() -> None:
    assert CODE.key() != Code("7KQ3", CODE.secret).key()
    assert len(CODE.key()) == 32


@pytest.mark.parametrize(
    "registration", [asked(), Registration(KEY.public, bytes(32), "")], ids=["code", "none"]
)
def test_a_registration_says_what_the_device_signed(registration: Registration) -> None:
    assert open_registration(sign_registration(KEY, registration)) == registration


def test_a_registration_is_signed_by_the_key_that_it_names() -> None:
    with pytest.raises(SignatureError):
        open_registration(sign_registration(OTHER, asked()))
    data = sign_registration(KEY, asked())
    for at in range(len(data)):
        with pytest.raises(SyncError):
            open_registration(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def registering(*fields: object, aad: bytes = cose.REGISTRATION) -> bytes:
    return cose.seal(KEY, cbor.encode(list(fields)), aad)


def test_another_village_cannot_be_put_into_a_registration() -> None:
    """Not without the device's key; the answer names the village that the hub registered it for."""
    data = sign_registration(KEY, asked())
    moved = data.replace(VILLAGE.encode(), NEXT_VILLAGE.encode())
    assert moved != data and len(moved) == len(data)
    with pytest.raises(SignatureError):
        open_registration(moved)


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (1, KEY.public, bytes(32), VILLAGE, "", b""),
        (1, KEY.public[:31], bytes(32), VILLAGE, "", b"", b""),
        (1, KEY.public, bytes(31), VILLAGE, "", b"", b""),
        (1, KEY.public, bytes(32), VILLAGE + "0", "", b"", b""),
        (1, KEY.public, bytes(32), 17, "", b"", b""),
        (1, KEY.public, bytes(32), VILLAGE, b"", b"", b""),
    ],
    ids=len,
)
def test_a_registration_of_another_shape_is_refused(fields: tuple[object, ...]) -> None:
    with pytest.raises(MalformedError):
        open_registration(registering(*fields))


def test_versions_purposes_and_sizes_of_a_registration() -> None:
    fields = (KEY.public, bytes(32), VILLAGE, "", b"", b"")
    assert open_registration(registering(1, *fields, "baru")).village == VILLAGE
    with pytest.raises(UnknownVersionError):
        open_registration(registering(2, *fields))
    with pytest.raises(SignatureError):
        open_registration(registering(1, *fields, aad=cose.REQUEST))
    with pytest.raises(TooLargeError):
        open_registration(registering(1, *fields, bytes(17_000)))


def answered() -> RegistrationAnswer:
    return RegistrationAnswer("registered", VILLAGE, 1_700_000_000_000, KEYSET)


def test_the_answer_s_proof_ties_it_to_this_request_and_this_code() -> None:
    request = sign_registration(KEY, asked())
    data = sign_answer(HUB, request, answered(), CODE.key())
    assert open_answer(data, request, CODE) == answered()
    with pytest.raises(SignatureError):
        open_answer(data, request + b"x", CODE)
    for other in (sign_answer(HUB, request, answered()), sign_answer(HUB, request, answered(), bytes(32))):
        with pytest.raises(SignatureError):
            open_answer(other, request, CODE)
        assert open_answer(other, request, None) == answered(), "without a code, people compare"


def test_an_answer_is_signed_by_a_hub_key_of_its_own_keyset() -> None:
    request = sign_registration(KEY, asked())
    with pytest.raises(SignatureError):
        open_answer(sign_answer(OTHER, request, answered()), request, None)


def test_an_older_keyset_is_believed_if_the_newer_one_still_has_its_hub_key() -> None:
    """A hub that was set back has no newer one; a key that was taken away since must register nobody."""
    request = sign_registration(KEY, asked())
    data = sign_answer(HUB, request, answered())
    newer = Keyset(2, ROOT.public, (OTHER.public, HUB.public), SealingKey(CLASSICAL, bytes(32)), ())
    assert open_answer(data, request, None, newer) == answered()
    with pytest.raises(SignatureError):
        open_answer(data, request, None, replace(newer, hub_keys=(OTHER.public,)))


@pytest.mark.parametrize(
    "change",
    [{"state": "revoked"}, {"village": NEXT_VILLAGE}, {"hub_ms": 0}],
    ids=lambda change: next(iter(change)),
)
def test_nobody_in_between_can_change_what_the_hub_answered(change: dict[str, object]) -> None:
    """Not even with the hub's own key: the proof is of the whole answer."""
    request = sign_registration(KEY, asked())
    changed = replace(answered(), **change)  # type: ignore[arg-type]
    payload = cbor.decode(cose.open_envelope(sign_answer(HUB, request, changed), 16_384).payload)
    payload[-1] = hub_proof(CODE.key(), request, answered())
    with pytest.raises(SignatureError):
        open_answer(answering(*payload), request, CODE)


def test_a_changed_byte_spoils_an_answer() -> None:
    request = sign_registration(KEY, asked())
    data = sign_answer(HUB, request, answered())
    for at in range(len(data)):
        with pytest.raises(SyncError):
            open_answer(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], request, None)


def answering(*fields: object, aad: bytes = cose.REGISTERED) -> bytes:
    return cose.seal(HUB, cbor.encode(list(fields)), aad)


QUOTE = sha256(b"request")[:16]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        answering(1),
        answering(1, QUOTE, "registered", VILLAGE, 1, KEYSET),
        answering(1, QUOTE, "registered", VILLAGE, "1", KEYSET, b""),
        answering(1, QUOTE, "registered", VILLAGE, 1, b"no keyset", b""),
    ],
    ids=len,
)
def test_an_answer_of_another_shape_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        open_answer(data, b"request", None)


def test_versions_purposes_and_sizes_of_an_answer() -> None:
    fields = (QUOTE, "waiting", VILLAGE, 1, KEYSET, b"")
    assert open_answer(answering(1, *fields, "baru"), b"request", None).state == "waiting"
    with pytest.raises(UnknownVersionError):
        open_answer(answering(2, *fields), b"request", None)
    with pytest.raises(SignatureError):
        open_answer(answering(1, *fields, aad=cose.RECEIPT), b"request", None)
    with pytest.raises(TooLargeError):
        open_answer(answering(1, *fields, bytes(17_000)), b"request", None)
