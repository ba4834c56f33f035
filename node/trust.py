"""Whom this device believes: the keyset of the hub whose root it has pinned. Owns that setting."""

from __future__ import annotations

from typing import Final

from node.store import Store
from sync.keyset import Keyset, open_keyset

_KEYSET: Final = "keyset"


def pinned_envelope(store: Store) -> bytes | None:
    """The keyset as its root signed it, to be passed on."""
    envelope: bytes | None = store.get(_KEYSET)
    return envelope


def pinned_keyset(store: Store) -> Keyset | None:
    """The hub's keys as this device knows them, or None before it knows a hub."""
    envelope = pinned_envelope(store)
    return None if envelope is None else open_keyset(envelope)


def pin(store: Store, envelope: bytes) -> Keyset:
    """Believe this keyset from now on.

    Raises:
        SyncError: it isn't one, is of another root than the pinned one, or older.
    """
    keyset = open_keyset(envelope, pinned_keyset(store))
    store.put(_KEYSET, envelope)
    return keyset
