"""The hub's keyset as the officer's laptop knows it: pinned once, then only newer ones of the same root."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from content_packs.store import write_safely
from courier.errors import NotReadyError
from sync.errors import N_
from sync.keyset import Keyset, open_keyset

FILE: Final = "keyset.cose"


class Trust:
    """Owns the file `keyset.cose` of a data folder."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._envelope = self._path.read_bytes() if self._path.is_file() else None
        self._keyset = None if self._envelope is None else open_keyset(self._envelope)

    @property
    def envelope(self) -> bytes | None:
        """The pinned keyset as its root signed it."""
        return self._envelope

    @property
    def keyset(self) -> Keyset | None:
        return self._keyset

    def known(self) -> Keyset:
        """
        Raises:
            NotReadyError: nobody has compared a fingerprint yet, and no code was used.
        """
        if self._keyset is None:
            raise NotReadyError(
                N_(
                    "Laptop ini belum mengenal kunci pusat. Daftarkan dengan kode dari pusat, atau pasang flashdisk yang membawa kunci pusat dan cocokkan sidiknya."
                )
            )
        return self._keyset

    def take(self, envelope: bytes) -> Keyset:
        """Believe this keyset from now on, if none is pinned or it is of the same root and not older.

        Raises:
            SyncError: it isn't one, is of another root, or is older.
        """
        keyset = open_keyset(envelope, self._keyset)
        if self._keyset is None or keyset.version > self._keyset.version:
            write_safely(self._path, envelope)
            self._envelope, self._keyset = envelope, keyset
        return keyset
