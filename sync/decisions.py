"""What a hub can decide: one class per kind of entry in hub logs.

A hub writes a log for each scope, the beginning of a region code: "" for everyone, `17.05` for a regency,
`17.05.10.2007` for a village. Devices read the logs of the scopes that they lie in. None of these kinds means
anything in a device's log: there they are kept, ignored and reported, so a device's key can never cause an
operator's effect. `t` is milliseconds of the hub's clock since the log was opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from sync.entries import Entry, Kind

FIRST_NUMBER: Final = 64
"""Kinds from here on are a hub's."""


@dataclass(frozen=True, slots=True)
class HubLogOpened(Kind):
    """The first entry of every hub log. `reason`: 0 first, 1 the hub lost data, 2 new keys."""

    number: ClassVar[int] = 64
    format: int
    scope: str
    nonce: bytes
    hub_ms: int
    reason: int


@dataclass(frozen=True, slots=True)
class DeviceRegistered(Kind):
    """The certificate of a device: its keys, and the village for which it may speak.

    `vouch` says the same in a form that fits into a square code (see `sync.certificate`).
    """

    number: ClassVar[int] = 68
    public_key: bytes
    sealing_key: bytes
    village: str
    vouch: bytes = b""


@dataclass(frozen=True, slots=True)
class DeviceRevoked(Kind):
    """What this device sends from now on is kept apart until an operator decides."""

    number: ClassVar[int] = 72
    device: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class LearnersMerged(Kind):
    """Two identities are one person."""

    number: ClassVar[int] = 76
    one: bytes
    other: bytes


@dataclass(frozen=True, slots=True)
class LearnersSeparated(Kind):
    """They are not, whatever was said before."""

    number: ClassVar[int] = 80
    one: bytes
    other: bytes


@dataclass(frozen=True, slots=True)
class CertificateIssued(Kind):
    """`certificate` is its number, `sealed` the claim under the hub's seal (see `sync.certificate`)."""

    number: ClassVar[int] = 84
    learner: bytes
    course_key: bytes
    certificate: str
    sealed: bytes = b""


@dataclass(frozen=True, slots=True)
class CertificateWithdrawn(Kind):
    number: ClassVar[int] = 88
    certificate: str
    reason: str


@dataclass(frozen=True, slots=True)
class PackPublished(Kind):
    """A version of a course may be fetched; `size` is what all of it takes to carry (bytes)."""

    number: ClassVar[int] = 92
    course_key: bytes
    manifest_hash: bytes
    version: int
    size: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class PackWithdrawn(Kind):
    number: ClassVar[int] = 96
    manifest_hash: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class AnnouncementPosted(Kind):
    number: ClassVar[int] = 100
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class BundleReceived(Kind):
    """Parts of a bundle arrived: `parts` of `of`. When all did, its sticks may be cleaned of it."""

    number: ClassVar[int] = 104
    bundle: bytes
    parts: int
    of: int


@dataclass(frozen=True, slots=True)
class PersonalDataErased(Kind):
    """Every copy of this profile is to be deleted and never to be kept again."""

    number: ClassVar[int] = 108
    commitment: bytes


@dataclass(frozen=True, slots=True)
class KeysRotated(Kind):
    number: ClassVar[int] = 112
    keyset_version: int
    keyset_hash: bytes


@dataclass(frozen=True, slots=True)
class EntriesRejected(Kind):
    """These entries of a log do not count, for a reason in plain words.

    `segment` is the id of the segment they stand in: a log that forked has others with the same numbers.
    """

    number: ClassVar[int] = 116
    log: bytes
    first_seq: int
    count: int
    reason: str
    segment: bytes = b""


@dataclass(frozen=True, slots=True)
class EntriesAccepted(Kind):
    """These entries of a log, kept apart until now, count."""

    number: ClassVar[int] = 120
    log: bytes
    first_seq: int
    count: int
    segment: bytes = b""


@dataclass(frozen=True, slots=True)
class UnlockCodeGiven(Kind):
    """An operator read out a code that opens the village operator's page once (see `sync.unlock`)."""

    number: ClassVar[int] = 124
    device: bytes
    challenge: str


@dataclass(frozen=True, slots=True)
class HubOperatorActed(Kind):
    """An operator set about doing something. Stands in the hub's own log of acts, which no device reads.

    `role` and `region` are what the account was for then; `act` is the name of the page's function, `about` what it was
    done to: numbers of devices and identities, codes of regions, never names.
    """

    number: ClassVar[int] = 128
    operator: str
    role: str
    region: str
    act: str
    about: str


HUB_KINDS: Final[dict[int, type[Kind]]] = {
    kind.number: kind
    for kind in (
        HubLogOpened,
        DeviceRegistered,
        DeviceRevoked,
        LearnersMerged,
        LearnersSeparated,
        CertificateIssued,
        CertificateWithdrawn,
        PackPublished,
        PackWithdrawn,
        AnnouncementPosted,
        BundleReceived,
        PersonalDataErased,
        KeysRotated,
        EntriesRejected,
        EntriesAccepted,
        UnlockCodeGiven,
        HubOperatorActed,
    )
}


def read_decision(entry: Entry) -> Kind | None:
    """The entry as an object of its kind, or None if this software doesn't know the kind.

    Raises:
        MalformedError: the kind is known and the fields don't fit it.
    """
    kind = HUB_KINDS.get(entry.kind)
    return None if kind is None else kind.from_fields(entry.fields)


def scopes_of(village: str) -> tuple[str, ...]:
    """The scopes that a village lies in, the widest first: "", 17, 17.05, 17.05.10, 17.05.10.2007."""
    parts = village.split(".")
    return ("", *(".".join(parts[:count]) for count in range(1, len(parts) + 1)))
