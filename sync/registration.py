"""How a device and a hub come to trust each other: the messages, and the short code that proves both.

The operator hands the village a code such as `7KQ2-M4TX-9RHB`. Its first four characters name it; the
other eight are a secret that never travels. Each side shows that it knows the secret by an HMAC under a key
stretched from it (scrypt, RFC 7914), so nobody in between can pose as the hub without guessing 40 bits
at scrypt's price while the code is valid. Without a code the hub keeps the device waiting until an
operator approves it, and the fingerprint of the root key is compared by eye.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from sync import cbor, cose, limits
from sync.errors import N_, MalformedError, SignatureError, UnknownVersionError
from sync.keys import KEY_SIZE, RandomBytes, SigningKey, sha256
from sync.keyset import Keyset, is_outdated, open_keyset

VERSION: Final = 1
PATH: Final = "/v1/register"
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O or U."""
_HANDLE, _SECRET = 4, 8


@dataclass(frozen=True, slots=True)
class Code:
    handle: str
    secret: str

    def __str__(self) -> str:
        return f"{self.handle}-{self.secret[:4]}-{self.secret[4:]}"

    def key(self) -> bytes:
        """The stretched secret. Takes about 50 ms on purpose."""
        stretch = Scrypt(salt=b"lontar/code/1" + self.handle.encode(), length=32, n=1 << 14, r=8, p=1)
        return stretch.derive(self.secret.encode())


def make_code(random_bytes: RandomBytes) -> Code:
    text = "".join(_ALPHABET[byte & 31] for byte in random_bytes(_HANDLE + _SECRET))
    return Code(text[:_HANDLE], text[_HANDLE:])


def read_code(text: str) -> Code:
    """The code that a person typed, with or without dashes and with look-alike letters.

    Raises:
        MalformedError: not a code.
    """
    plain = "".join(text.upper().replace("-", "").split()).translate(str.maketrans("ILO", "110"))
    if len(plain) != _HANDLE + _SECRET or set(plain) - set(_ALPHABET):
        raise MalformedError(
            N_("Kode pendaftaran harus 12 huruf atau angka, misalnya 7KQ2-M4TX-9RHB. Periksa lagi.")
        )
    return Code(plain[:_HANDLE], plain[_HANDLE:])


@dataclass(frozen=True, slots=True)
class Registration:
    """What a device says of itself. `handle` and `proof` are empty when it has no code."""

    public_key: bytes
    sealing_key: bytes
    village: str
    handle: str = ""
    proof: bytes = b""
    nonce: bytes = b""


@dataclass(frozen=True, slots=True)
class RegistrationAnswer:
    """`state`: "registered", "waiting", "refused" or "revoked". `keyset` is the root-signed envelope."""

    state: str
    village: str
    hub_ms: int
    keyset: bytes


def device_proof(code_key: bytes, public_key: bytes, nonce: bytes) -> bytes:
    return hmac.digest(code_key, b"device" + public_key + nonce, "sha256")


def hub_proof(code_key: bytes, request: bytes, answer: RegistrationAnswer) -> bytes:
    """What only somebody who knows the code can make for this request and this answer."""
    said = cbor.encode([answer.state, answer.village, answer.hub_ms, answer.keyset])
    return hmac.digest(code_key, b"hub" + sha256(request) + sha256(said), "sha256")


def sign_registration(key: SigningKey, registration: Registration) -> bytes:
    payload = [
        VERSION,
        registration.public_key,
        registration.sealing_key,
        registration.village,
        registration.handle,
        registration.proof,
        registration.nonce,
    ]
    return cose.seal(key, cbor.encode(payload), cose.REGISTRATION)


def open_registration(data: bytes) -> Registration:
    """Read a registration that its own device signed.

    Raises:
        SignatureError, MalformedError, TooLargeError, UnknownVersionError: it isn't one.
    """
    envelope = cose.open_envelope(data, limits.CONTROL_ITEM)
    match cbor.decode(envelope.payload):
        case [int() as version, *_] if version != VERSION:
            raise UnknownVersionError(N_("Permintaan ini dari versi Lontar yang tidak dikenal."))
        case [
            int(),
            bytes() as public,
            bytes() as sealing,
            str() as village,
            str() as handle,
            bytes() as proof,
            bytes() as nonce,
            *_,
        ] if len(public) == len(sealing) == KEY_SIZE and len(village) <= 13:
            envelope.verify(public, cose.REGISTRATION)
            return Registration(public, sealing, village, handle, proof, nonce)
    raise MalformedError(N_("Permintaan pendaftaran ini rusak."))


def sign_answer(
    key: SigningKey, request: bytes, answer: RegistrationAnswer, code_key: bytes | None = None
) -> bytes:
    """The hub's answer to `request`, signed by one of the hub keys of its keyset.

    With `code_key` it also proves that this hub knows the code of the request.
    """
    proof = b"" if code_key is None else hub_proof(code_key, request, answer)
    payload = [
        VERSION,
        sha256(request)[:16],
        answer.state,
        answer.village,
        answer.hub_ms,
        answer.keyset,
        proof,
    ]
    return cose.seal(key, cbor.encode(payload), cose.REGISTERED)


def open_answer(
    data: bytes, request: bytes, code: Code | None, pinned: Keyset | None = None
) -> RegistrationAnswer:
    """Read the hub's answer to `request`, and check its proof if the device used a code.

    Without a code this shows only that the answer comes from the holder of the keyset in it; whether that
    keyset's root is the right one, people compare. If it is older than the `pinned` one, only a key of the pinned one
    is believed.

    Raises:
        SignatureError: it isn't signed by a key of its keyset, answers another request, or whoever answered
            doesn't know the code.
        MalformedError, TooLargeError, UnknownVersionError: not an answer.
    """
    envelope = cose.open_envelope(data, limits.CONTROL_ITEM)
    match cbor.decode(envelope.payload):
        case [int() as version, *_] if version != VERSION:
            raise UnknownVersionError(
                N_("Jawaban pusat dari versi Lontar yang lebih baru. Perbarui Lontar.")
            )
        case [
            int(),
            bytes() as quoted,
            str() as state,
            str() as village,
            int() as hub_ms,
            bytes() as keyset,
            bytes() as proof,
            *_,
        ]:
            answer = RegistrationAnswer(state, village, hub_ms, keyset)
        case _:
            raise MalformedError(N_("Jawaban pusat atas pendaftaran ini rusak."))
    offered = open_keyset(keyset)
    believed = pinned if pinned is not None and is_outdated(offered, pinned) else offered
    envelope.verify_any(believed.hub_keys, cose.REGISTERED)
    if quoted != sha256(request)[:16]:
        raise SignatureError(N_("Jawaban ini untuk permintaan pendaftaran lain."))
    if code is not None and not hmac.compare_digest(proof, hub_proof(code.key(), request, answer)):
        raise SignatureError(
            N_("Yang menjawab tidak mengenal kode ini: mungkin bukan pusat yang benar, atau kode salah.")
        )
    return answer
