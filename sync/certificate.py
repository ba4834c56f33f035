"""Certificates: what one claims, who sealed it, and what may be believed of it without any network.

A village laptop seals a draft (*Sertifikat sementara*); the hub seals the final one. Names stand in neither seal: a claim
commits to a profile, which travels beside it, so erasing the profile leaves every seal valid. What a square code holds is
the claim, the profile and, for a draft, the hub's word that this device speaks for its village. Format: docs/protocol.md,
section 13. Base32 (RFC 4648) without padding, because square codes pack capital letters and digits densely.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from sync import cbor, cose
from sync.errors import N_, MalformedError, SignatureError, UnknownVersionError
from sync.keys import ID_SIZE, KEY_SIZE, SigningKey, key_id, sha256
from sync.profile import Profile, open_profile

FORMAT: Final = 1
MARK: Final = "/P/"
"""What stands before the code in an address, so that a telephone's camera opens the centre's page where there is one."""
NO_CENTRE: Final = "LONTAR:"
CODE_MOST: Final = 4096
_SEALED_MOST: Final = 2048
_DRAFT, _FINAL = 1, 2
_SCORE_MOST: Final = 10_000
_URL_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:/-")


@dataclass(frozen=True, slots=True)
class Claim:
    """What is certified. `day` is when the course was completed, as the device's clock said (YYYY-MM-DD, or "").

    `score` is the best one in the final test, in hundredths of a percent. Only a final certificate has a number and
    the hub's time of issue.
    """

    village: str
    learner: bytes
    commitment: bytes
    course_key: bytes
    title: str
    version: int
    hours_jp: int
    score: int | None
    day: str
    number: str = ""
    issued_ms: int = 0

    def encode(self) -> bytes:
        score = -1 if self.score is None else self.score
        about = [self.village, self.learner, self.commitment, self.course_key, self.title]
        said = [FORMAT, *about, self.version, self.hours_jp, score, self.day]
        return cbor.encode([*said, self.number, self.issued_ms] if self.number else said)


class Standing(Enum):
    """How much of a certificate is proven."""

    CONFIRMED = "confirmed"
    """The hub sealed it."""
    REGISTERED = "registered"
    """A device sealed it that the hub registered for this village; the hub hasn't confirmed it."""
    REVOKED = "revoked"
    """A device sealed it that the hub has revoked since, perhaps before it was sealed."""
    UNPROVEN = "unproven"
    """Its seal fits, but nobody who is known here made it."""


SpeaksFor = Callable[[bytes, str], bool | None]
"""Whether a device (id) speaks for a village: False if it was revoked, None if it isn't known here."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose seal has been checked as far as `standing` says, and whose name is the one that it claims."""

    claim: Claim
    profile: Profile
    standing: Standing
    device: bytes = b""
    """The id of the device that sealed a draft."""


def vouch(hub: SigningKey, public_key: bytes, village: str) -> bytes:
    """The hub's word, 64 bytes, that a device speaks for a village; whoever reads it knows both."""
    return cose.sign_detached(hub, _vouched(public_key, village), cose.VOUCH)


def seal_draft(device: SigningKey, claim: Claim) -> bytes:
    return cose.seal(device, claim.encode(), cose.CERTIFICATE_DRAFT)


def seal_final(hub: SigningKey, claim: Claim) -> bytes:
    return cose.seal(hub, claim.encode(), cose.CERTIFICATE)


def open_final(sealed: bytes, hub_keys: Iterable[bytes]) -> Claim:
    """What the hub sealed.

    Raises:
        SyncError: it isn't a certificate, or none of these keys sealed it.
    """
    envelope = cose.open_envelope(sealed, _SEALED_MOST)
    return _claim(envelope.verify_any(hub_keys, cose.CERTIFICATE), numbered=True)


def draft_code(sealed: bytes, profile: bytes, public_key: bytes, vouched: bytes) -> str:
    """A draft as letters and digits; `vouched` may be empty, while the device isn't registered."""
    return _as_text([_DRAFT, sealed, profile, public_key, vouched])


def final_code(sealed: bytes, profile: bytes) -> str:
    return _as_text([_FINAL, sealed, profile])


def address(code: str, hub_url: str) -> str:
    """What a square code says: the address of the centre's page for `code`, or only the code where none is known."""
    base = hub_url.rstrip("/").upper()
    return f"{base if base and set(base) <= _URL_LETTERS else NO_CENTRE}{MARK}{code}"


def read_certificate(text: str, hub_keys: Iterable[bytes], speaks_for: SpeaksFor) -> Certificate:
    """What a scanned or pasted code proves here.

    Raises:
        MalformedError, UnknownVersionError: it isn't such a code.
        SignatureError: it was changed, or the name isn't the certificate's.
    """
    match _from_text(text):
        case [1, bytes() as sealed, bytes() as profile, bytes() as key, bytes() as vouched, *_] if (
            len(key) == KEY_SIZE
        ):
            return _read_draft(sealed, profile, key, vouched, list(hub_keys), speaks_for)
        case [2, bytes() as sealed, bytes() as profile, *_]:
            return _read_final(sealed, profile, list(hub_keys))
        case [int() as kind, *_] if kind > _FINAL:
            raise UnknownVersionError(
                N_("Sertifikat ini dibuat oleh Lontar yang lebih baru. Perbarui Lontar di perangkat ini.")
            )
    raise _not_a_code()


def verification_code(learner: bytes, course_key: bytes) -> str:
    """What people may compare by eye or read out: 50 bits that are the same for the draft and the final certificate."""
    digest = sha256(b"lontar/verification/1" + learner + course_key)
    text = base64.b32encode(digest).decode()[:10]
    return f"{text[:5]}-{text[5:]}"


def _read_draft(
    sealed: bytes,
    profile: bytes,
    key: bytes,
    vouched: bytes,
    hub_keys: list[bytes],
    speaks_for: SpeaksFor,
) -> Certificate:
    envelope = cose.open_envelope(sealed, _SEALED_MOST)
    claim = _claim(envelope.verify(key, cose.CERTIFICATE_DRAFT), numbered=False)
    named = _profile_of(claim, profile)
    known = speaks_for(key_id(key), claim.village)
    if known is None:
        known = cose.is_signed(vouched, _vouched(key, claim.village), cose.VOUCH, hub_keys) or None
    standing = {True: Standing.REGISTERED, False: Standing.REVOKED, None: Standing.UNPROVEN}[known]
    return Certificate(claim, named, standing, key_id(key))


def _read_final(sealed: bytes, profile: bytes, hub_keys: list[bytes]) -> Certificate:
    envelope = cose.open_envelope(sealed, _SEALED_MOST)
    claim = _claim(envelope.payload, numbered=True)
    named = _profile_of(claim, profile)
    try:
        envelope.verify_any(hub_keys, cose.CERTIFICATE)
    except SignatureError:
        # Another centre's, or forged: from here both look the same.
        return Certificate(claim, named, Standing.UNPROVEN)
    return Certificate(claim, named, Standing.CONFIRMED)


def _vouched(public_key: bytes, village: str) -> bytes:
    return cbor.encode([FORMAT, public_key, village])


def _profile_of(claim: Claim, data: bytes) -> Profile:
    if sha256(data) != claim.commitment:
        raise SignatureError(N_("Segel tidak sah – jangan dipakai. Nama pada sertifikat ini sudah diubah."))
    return open_profile(data)


def _claim(payload: bytes, numbered: bool) -> Claim:
    item = cbor.decode(payload, _SEALED_MOST)
    match item:
        case [1, str() as village, bytes() as learner, bytes() as commitment, bytes() as course_key, str() as title,
              int() as version, int() as hours_jp, int() as score, str() as day, *more] if (
            len(learner) == ID_SIZE and len(commitment) == KEY_SIZE and -1 <= score <= _SCORE_MOST
        ):  # fmt: skip
            known = None if score < 0 else score
            claim = Claim(village, learner, commitment, course_key, title, version, hours_jp, known, day)
        case [int() as version, *_] if version > FORMAT:
            raise UnknownVersionError(
                N_("Sertifikat ini dibuat oleh Lontar yang lebih baru. Perbarui Lontar di perangkat ini.")
            )
        case _:
            raise _not_a_code()
    if not numbered:
        return claim
    match more:
        case [str() as number, int() as issued_ms, *_] if number:
            return replace(claim, number=number, issued_ms=issued_ms)
    raise _not_a_code()


def _as_text(parts: list[object]) -> str:
    return base64.b32encode(cbor.encode(parts)).decode().rstrip("=")


def _from_text(text: str) -> list[object]:
    code = "".join(text.upper().split()).rpartition(MARK)[2]
    if not code or len(code) > CODE_MOST:
        raise _not_a_code()
    try:
        item = cbor.decode(base64.b32decode(code + "=" * (-len(code) % 8)), _SEALED_MOST * 2)
    except (binascii.Error, MalformedError, ValueError) as problem:
        raise _not_a_code() from problem
    if not isinstance(item, list):
        raise _not_a_code()
    return item


def _not_a_code() -> MalformedError:
    return MalformedError(
        N_("Ini bukan kode sertifikat Lontar, atau tidak lengkap. Pindai sekali lagi seluruh kotaknya.")
    )
