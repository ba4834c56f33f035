"""Parts as files on the officer's laptop, by their hash; written so that a power cut leaves them whole or not at all.

Decides nothing: `ledger` says what the parts are. What is read back is checked by its hash each time.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from content_packs.store import write_safely
from courier.errors import CourierError, DiskFullError
from sync import bundle
from sync.errors import N_, SyncError

FOLDER: Final = "parts"

Write = Callable[[Path, bytes], None]


class Spool:
    """A folder of parts; a test passes another `write`, for a disk that is full."""

    def __init__(self, data: Path, write: Write = write_safely) -> None:
        self._folder = data / FOLDER
        self._write = write

    def keep(self, part: bytes) -> None:
        """Have this whole part on the disk.

        Raises:
            DiskFullError, CourierError: it can't be written; the stick still holds it.
        """
        id_ = bundle.part_id(part)
        if self.read(id_) is not None:
            return
        with _spoken(self._folder):
            self._write(self._path(id_), part)

    def read(self, id_: bytes) -> bytes | None:
        """The part, or None if it isn't here whole."""
        try:
            part = self._path(id_).read_bytes()
            bundle.check_part(part)
        except (OSError, SyncError):
            return None
        return part if bundle.part_id(part) == id_ else None

    def drop(self, ids: Iterable[bytes]) -> None:
        """Delete what is safe elsewhere."""
        for id_ in ids:
            with contextlib.suppress(OSError):
                self._path(id_).unlink(missing_ok=True)

    def _path(self, id_: bytes) -> Path:
        name = id_.hex()
        return self._folder / name[:2] / f"{name}.lnb"


@contextlib.contextmanager
def _spoken(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                N_(
                    "Penyimpanan laptop ini penuh. Data di flashdisk tetap aman; kosongkan ruang lalu ulangi."
                )
            ) from problem
        raise CourierError(
            N_("Folder data %(path)s tidak dapat ditulis. Periksa izinnya."), path=folder
        ) from problem
