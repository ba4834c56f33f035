"""A record kept outside the database of how far this device had come, and on which machine.

After each sealing, before a byte leaves, the newest segment is written down in another folder. At start the database
is compared with it. A database that lacks that segment was set back to an older state; another machine's fingerprint
means that the disk was copied or moved. Either way the device must not go on in the same log: somebody else, or its
own past, may have.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from content_packs.store import write_safely
from node import logs
from node.store import Store
from sync import cbor
from sync.entries import OpenReason
from sync.errors import SyncError
from sync.keys import key_id
from sync.log import Head

_VERSION: Final = 1


class Anchor:
    """The record of one device."""

    def __init__(self, folder: Path, public_key: bytes, fingerprint: bytes) -> None:
        self._path = folder / f"{key_id(public_key).hex()}.anchor"
        self._fingerprint = fingerprint
        self._written: Head | None = None

    def knows_this_device(self) -> bool:
        """Whether it was ever written down how far this device had come."""
        return self._read() is not None

    def contradicts(self, store: Store) -> OpenReason | None:
        """Why this device must open a new log, or None if it may go on."""
        known = self._read()
        if known is None:
            return None
        head, fingerprint = known
        with store.read() as db:
            if not logs.holds(db, head):
                return OpenReason.RESTORED
        return OpenReason.MOVED if fingerprint != self._fingerprint else None

    def note(self, store: Store) -> None:
        """Write down the newest segment. A folder that can't be written is no reason to stop learning."""
        with store.read() as db:
            head = logs.newest_head(db)
        if head == self._written:
            return
        record = cbor.encode([_VERSION, head.log, head.index, head.id, self._fingerprint])
        with contextlib.suppress(OSError):
            write_safely(self._path, record)
            self._written = head

    def _read(self) -> tuple[Head, bytes] | None:
        try:
            match cbor.decode(self._path.read_bytes()):
                case [1, bytes() as log, int() as index, bytes() as id_, bytes() as fingerprint]:
                    return Head(log, index, id_), fingerprint
        except (OSError, SyncError):
            pass
        return None
