"""Where a centre can be reached, signed by it, so that a stick may tell a village that has never met it. Pure.

It says nothing about whether the centre is the right one: people compare the root of the keyset beside it first.
What a stranger wrote on the stick is then worth nothing, since no key of that keyset signed it.
"""

from __future__ import annotations

from typing import Final

from sync import cbor, cose, limits
from sync.errors import N_, MalformedError
from sync.invitation import read_invitation
from sync.keys import SigningKey
from sync.keyset import Keyset

FILE: Final = "ALAMAT.LNS"
"""What it is called on a stick, beside the keyset."""
_VERSION: Final = 1


def sign_address(hub_key: SigningKey, hub_url: str) -> bytes:
    return cose.seal(hub_key, cbor.encode([_VERSION, hub_url]), cose.ADDRESS)


def open_address(data: bytes, keyset: Keyset) -> str:
    """The address that a centre gives of itself.

    Raises:
        SyncError: it isn't one, or no hub key of this keyset signed it.
    """
    payload = cose.open_envelope(data, limits.CONTROL_ITEM).verify_any(keyset.hub_keys, cose.ADDRESS)
    match cbor.decode(payload):
        case [1, str() as url, *_]:
            return read_invitation(url).hub_url
    raise MalformedError(N_("Alamat pusat pada flashdisk ini tidak dapat dibaca."))
