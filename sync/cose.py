"""Signed envelopes: COSE_Sign1 (RFC 9052, section 4.2) with Ed25519 (RFC 9864, algorithm -19).

Every purpose has its own external data (`aad`), so that bytes signed for one purpose verify for no
other. What is verified are the bytes that were transmitted, never a re-encoding of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import cbor2

from sync import cbor
from sync.errors import N_, MalformedError, SignatureError
from sync.keys import SigningKey, verify_signature

ALGORITHM_HEADER: Final = 1
KEY_ID_HEADER: Final = 4
ED25519: Final = -19

SEGMENT: Final = b"lontar/segment/1"
HUB_SEGMENT: Final = b"lontar/hub-segment/1"
REQUEST: Final = b"lontar/request/1"
RECEIPT: Final = b"lontar/receipt/1"
BUNDLE: Final = b"lontar/bundle/1"
MAIL: Final = b"lontar/mail/1"
COURIER: Final = b"lontar/courier/1"
COURIER_ANSWER: Final = b"lontar/courier-answer/1"
NEIGHBOUR: Final = b"lontar/neighbour/1"
KEYSET: Final = b"lontar/keyset/1"
MANIFEST: Final = b"lontar/manifest/1"
REGISTRATION: Final = b"lontar/registration/1"
REGISTERED: Final = b"lontar/registered/1"
VOUCH: Final = b"lontar/vouch/1"
ADDRESS: Final = b"lontar/address/1"
CERTIFICATE_DRAFT: Final = b"lontar/certificate-draft/1"
CERTIFICATE: Final = b"lontar/certificate/1"


_PLAIN_HEADER: Final = cbor.encode({ALGORITHM_HEADER: ED25519})


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope whose signature has not been checked yet."""

    protected: bytes
    key_id: bytes
    payload: bytes
    signature: bytes

    def verify(self, public_key: bytes, aad: bytes) -> bytes:
        """The payload, once the signature is known to be `public_key`'s for this purpose.

        Raises:
            SignatureError: it isn't.
        """
        if not verify_signature(
            public_key, self.signature, _signed_bytes(self.protected, aad, self.payload)
        ):
            raise SignatureError(
                N_("Segel digital tidak sah: data ini berubah atau bukan dari pengirimnya.")
            )
        return self.payload

    def verify_any(self, public_keys: Iterable[bytes], aad: bytes) -> bytes:
        """The payload, once the signature is known to be by one of `public_keys` for this purpose.

        Raises:
            SignatureError: it is by none of them.
        """
        signed = _signed_bytes(self.protected, aad, self.payload)
        if not any(verify_signature(key, self.signature, signed) for key in public_keys):
            raise SignatureError(N_("Segel digital tidak sah: data ini tidak bersegel pusat yang dikenal."))
        return self.payload


def seal(key: SigningKey, payload: bytes, aad: bytes, key_id: bytes = b"") -> bytes:
    """Sign `payload` for the purpose `aad`; `key_id` goes into the protected header if given."""
    header: dict[int, object] = {ALGORITHM_HEADER: ED25519}
    if key_id:
        header[KEY_ID_HEADER] = key_id
    protected = cbor.encode(header)
    signature = key.sign(_signed_bytes(protected, aad, payload))
    return cbor.encode(cbor2.CBORTag(cbor.COSE_SIGN1_TAG, [protected, {}, payload, signature]))


def sign_detached(key: SigningKey, payload: bytes, aad: bytes) -> bytes:
    """Only the signature (64 bytes) of an envelope over `payload`, for readers who can make the payload themselves."""
    return key.sign(_signed_bytes(_PLAIN_HEADER, aad, payload))


def is_signed(signature: bytes, payload: bytes, aad: bytes, public_keys: Iterable[bytes]) -> bool:
    """Whether one of these keys made that detached signature (RFC 9052, section 2)."""
    signed = _signed_bytes(_PLAIN_HEADER, aad, payload)
    return any(verify_signature(key, signature, signed) for key in public_keys)


def open_envelope(data: bytes, limit: int) -> Envelope:
    """Take an envelope apart without verifying it.

    Raises:
        TooLargeError: more than `limit` bytes.
        MalformedError: not a COSE_Sign1 of the one shape that is written here.
    """
    item = cbor.decode(data, limit)
    if not isinstance(item, cbor2.CBORTag) or not isinstance(item.value, list | tuple):
        raise MalformedError(N_("Data ini bukan amplop bersegel."))
    match item.value:
        case [
            bytes() as protected,
            Mapping() as unprotected,
            bytes() as payload,
            bytes() as signature,
        ]:
            pass
        case _:
            raise MalformedError(N_("Amplop bersegel ini tidak berbentuk COSE_Sign1."))
    if unprotected or len(signature) != 64:
        raise MalformedError(N_("Amplop bersegel ini tidak berbentuk COSE_Sign1."))
    header = cbor.decode(protected)
    if not isinstance(header, Mapping) or header.get(ALGORITHM_HEADER) != ED25519:
        raise MalformedError(N_("Segel digital ini memakai cara yang tidak dikenal."))
    key_id = header.get(KEY_ID_HEADER, b"")
    if not isinstance(key_id, bytes) or set(header) - {ALGORITHM_HEADER, KEY_ID_HEADER}:
        raise MalformedError(N_("Kepala amplop bersegel ini tidak dikenal."))
    return Envelope(protected, key_id, payload, signature)


def _signed_bytes(protected: bytes, aad: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature1", protected, aad, payload])
