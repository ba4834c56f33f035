"""Envelopes: right key, right purpose, every byte as it was; otherwise refused."""

from __future__ import annotations

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import cbor, cose
from sync.errors import MalformedError, SignatureError, SyncError, TooLargeError
from sync.keys import SigningKey

KEY = SigningKey.from_seed(b"k" * 32)
OTHER = SigningKey.from_seed(b"o" * 32)
PURPOSES = (cose.SEGMENT, cose.REQUEST, cose.RECEIPT, cose.KEYSET, cose.MANIFEST, cose.REGISTRATION)
LIMIT = 4096
QUICK = settings(max_examples=50, deadline=None)


def packed(*parts: object, tag: int = 18) -> bytes:
    data: bytes = cbor2.dumps(cbor2.CBORTag(tag, list(parts)))
    return data


def parts_of(data: bytes) -> list[object]:
    return list(cbor2.loads(data).value)


@QUICK
@given(st.binary(max_size=400), st.sampled_from(PURPOSES), st.binary(max_size=16))
def test_what_was_sealed_is_opened(payload: bytes, purpose: bytes, key_id: bytes) -> None:
    data = cose.seal(KEY, payload, purpose, key_id)
    envelope = cose.open_envelope(data, LIMIT)
    assert envelope.verify(KEY.public, purpose) == payload
    assert envelope.key_id == key_id
    assert cose.seal(KEY, payload, purpose, key_id) == data, "Ed25519 has no dice"


def test_the_signature_is_over_the_structure_of_rfc_9052() -> None:
    protected, unprotected, payload, signature = parts_of(cose.seal(KEY, b"isi", cose.SEGMENT))
    assert (protected, unprotected, payload) == (bytes.fromhex("a10132"), {}, b"isi")
    structure = cbor2.dumps(["Signature1", protected, b"lontar/segment/1", b"isi"])
    assert isinstance(signature, bytes)
    Ed25519PublicKey.from_public_bytes(KEY.public).verify(signature, structure)


def test_purposes_differ() -> None:
    assert len(set(PURPOSES)) == len(PURPOSES)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_seal_for_one_purpose_is_none_for_another(purpose: bytes) -> None:
    envelope = cose.open_envelope(cose.seal(KEY, b"isi", purpose), LIMIT)
    for other in {*PURPOSES, b"", purpose + b" ", purpose[:-1]} - {purpose}:
        with pytest.raises(SignatureError):
            envelope.verify(KEY.public, other)


@pytest.mark.parametrize("public", [OTHER.public, bytes(32), b"", KEY.public[:-1], KEY.public + b"\0"])
def test_another_key_s_seal_is_refused(public: bytes) -> None:
    envelope = cose.open_envelope(cose.seal(KEY, b"isi", cose.SEGMENT), LIMIT)
    with pytest.raises(SignatureError):
        envelope.verify(public, cose.SEGMENT)


@pytest.mark.parametrize("key_id", [b"", b"kunci"])
def test_no_byte_can_be_altered(key_id: bytes) -> None:
    data = cose.seal(KEY, b"isi yang penting", cose.RECEIPT, key_id)
    for at in range(len(data)):
        for flip in (0x01, 0x20, 0x80, 0xFF):
            altered = data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]
            with pytest.raises(SyncError):
                cose.open_envelope(altered, LIMIT).verify(KEY.public, cose.RECEIPT)


def test_no_byte_can_be_missing_or_added() -> None:
    data = cose.seal(KEY, b"isi yang penting", cose.RECEIPT)
    for wrong in [*(data[:cut] for cut in range(len(data))), data + b"\0", b"\0" + data]:
        with pytest.raises(MalformedError):
            cose.open_envelope(wrong, LIMIT)


@QUICK
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_bytes_cannot_wander_between_the_parts(left: bytes, right: bytes) -> None:
    """What one reader takes for the header, another can't take for the payload."""
    protected, _, _, signature = parts_of(cose.seal(KEY, left + right, cose.SEGMENT))
    for moved in ([protected, {}, right, signature], [protected, {}, left, signature]):
        if moved[2] != left + right:
            with pytest.raises(SignatureError):
                cose.open_envelope(packed(*moved), LIMIT).verify(KEY.public, cose.SEGMENT)


def test_other_shapes_are_refused() -> None:
    protected, empty, payload, signature = parts_of(cose.seal(KEY, b"isi", cose.SEGMENT))
    assert isinstance(signature, bytes)
    header = cbor.encode
    wrong = {
        "no tag": cbor2.dumps([protected, empty, payload, signature]),
        "another tag": packed(protected, empty, payload, signature, tag=98),
        "not a list": cbor2.dumps(cbor2.CBORTag(18, b"")),
        "five parts": packed(protected, empty, payload, signature, b""),
        "an unprotected header": packed(protected, {1: -19}, payload, signature),
        "no payload": packed(protected, empty, None, signature),
        "text": packed(protected, empty, "isi", signature),
        "a short signature": packed(protected, empty, payload, signature[:63]),
        "a long signature": packed(protected, empty, payload, signature + b"\0"),
        "an empty header": packed(b"", empty, payload, signature),
        "a header that is no map": packed(header([1, -19]), empty, payload, signature),
        "EdDSA's old number": packed(header({1: -8}), empty, payload, signature),
        "no algorithm": packed(header({4: b"k"}), empty, payload, signature),
        "a key id that is text": packed(header({1: -19, 4: "k"}), empty, payload, signature),
        "a critical header": packed(header({1: -19, 2: [99]}), empty, payload, signature),
        "a long integer in the header": packed(b"\xa1\x01\x39\x00\x12", empty, payload, signature),
    }
    for why, data in wrong.items():
        with pytest.raises(MalformedError):
            cose.open_envelope(data, LIMIT)
            pytest.fail(why)


def test_a_limit_is_a_limit() -> None:
    data = cose.seal(KEY, bytes(100), cose.SEGMENT)
    assert cose.open_envelope(data, len(data)).payload == bytes(100)
    with pytest.raises(TooLargeError):
        cose.open_envelope(data, len(data) - 1)
