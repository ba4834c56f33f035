"""The keyset: a root-signed list of the keys that speak for the centre.

Its envelope carries the root's public key; whoever reads it decides whether that root is the pinned
one. Format: docs/protocol.md, section 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sync import cbor, cose, limits
from sync.errors import N_, MalformedError, SignatureError, UnknownVersionError
from sync.keys import KEY_SIZE, SigningKey, key_id
from sync.sealing import SealingKey, is_sealing_key

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Keyset:
    """Who may say what. `version` only grows."""

    version: int
    root: bytes
    hub_keys: tuple[bytes, ...]
    """The first one signs now; the others signed earlier and are still believed."""
    intake: SealingKey
    publisher_keys: tuple[bytes, ...]
    upstream: tuple[SealingKey, ...] = ()
    """Hubs above this one that may open bundles of its villages too."""

    def publisher(self, wanted: bytes) -> bytes | None:
        """The publisher's public key with that key id."""
        return next((key for key in self.publisher_keys if key_id(key) == wanted), None)


def sign_keyset(root: SigningKey, keyset: Keyset) -> bytes:
    return cose.seal(root, keyset_payload(keyset), cose.KEYSET)


def keyset_payload(keyset: Keyset) -> bytes:
    """What a root signs of a keyset."""
    return cbor.encode(
        [
            FORMAT,
            keyset.version,
            keyset.root,
            list(keyset.hub_keys),
            [keyset.intake.suite, keyset.intake.public],
            list(keyset.publisher_keys),
            *([[[key.suite, key.public] for key in keyset.upstream]] if keyset.upstream else []),
        ]
    )


def open_keyset(data: bytes, pinned: Keyset | None = None) -> Keyset:
    """Read a keyset that its own root signed; if `pinned` is given, the same root and not older.

    Raises:
        SignatureError: signed by another root, or older than the pinned one.
        MalformedError, TooLargeError, UnknownVersionError: not a keyset this software can read.
    """
    envelope = cose.open_envelope(data, limits.CONTROL_ITEM)
    keyset = read_keyset(envelope.payload)
    envelope.verify(keyset.root, cose.KEYSET)
    if pinned is not None and keyset.root != pinned.root:
        raise SignatureError(N_("Daftar kunci ini bukan dari pusat yang dikenal perangkat ini."))
    if pinned is not None and keyset.version < pinned.version:
        raise SignatureError(N_("Daftar kunci ini lebih lama daripada yang sudah dimiliki."))
    return keyset


def is_outdated(keyset: Keyset, pinned: Keyset | None) -> bool:
    """Whether it is an older one of the pinned root: a hub that was set back to before its newest keys has no other."""
    return pinned is not None and keyset.root == pinned.root and keyset.version < pinned.version


def read_keyset(payload: bytes) -> Keyset:
    """A keyset that nobody has signed yet, such as one that is proposed.

    Raises:
        MalformedError, TooLargeError, UnknownVersionError: not a keyset this software can read.
    """
    match cbor.decode(payload):
        case [int() as version, *_] if version != FORMAT:
            raise UnknownVersionError(
                N_("Daftar kunci ini dari versi Lontar yang lebih baru. Perbarui Lontar.")
            )
        case [
            int(),
            int() as number,
            bytes() as root,
            list() as hub_keys,
            list() as intake,
            list() as publishers,
            *more,
        ] if hub_keys and all(
            isinstance(key, bytes) and len(key) == KEY_SIZE for key in [root, *hub_keys, *publishers]
        ):
            upstream = more[0] if more and isinstance(more[0], list) else []
            return Keyset(
                number,
                root,
                tuple(hub_keys),
                _sealing_key(intake),
                tuple(publishers),
                tuple(_sealing_key(key) for key in upstream),
            )
    raise MalformedError(N_("Daftar kunci ini rusak."))


def _sealing_key(item: object) -> SealingKey:
    match item:
        case [int() as suite, bytes() as public, *_] if is_sealing_key(suite, public):
            return SealingKey(suite, public)
    raise MalformedError(N_("Daftar kunci ini rusak."))
