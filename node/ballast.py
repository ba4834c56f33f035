"""Room kept for the worst day: a file that is given up when the disk is full, so that learning goes on and says so.

The room is really taken from the disk. It is given up before a commit that might find none, and taken again when
there is plenty. Also says when a disk is getting full. A shell: asks the file system, knows nothing of learning.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.errors import DiskFullError
from sync.errors import N_

FILE: Final = "ballast.bin"
MB: Final = 1 << 20
SIZE_MOST: Final = 32 * MB
LOW: Final = 500 * MB
"""Below this, no new courses are fetched and the operator is told."""
_SHARE: Final = 50
_LOW_SHARE: Final = 10
_LEAST: Final = 2 * MB
"""What a commit may need: the journal that SQLite keeps, and a checkpoint."""


@dataclass(frozen=True, slots=True)
class Room:
    """`free` bytes of a disk of `total`, and how many the ballast holds of the `wanted` ones."""

    free: int
    total: int
    ballast: int
    wanted: int

    @property
    def low(self) -> int:
        return min(LOW, self.total // _LOW_SHARE)

    @property
    def is_low(self) -> bool:
        return self.free + self.ballast < self.low + self.wanted

    @property
    def is_given_up(self) -> bool:
        """Whether the room for the worst day is in use."""
        return self.ballast < self.wanted


class Ballast:
    """The ballast of one data folder."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE

    def room(self) -> Room:
        usage = shutil.disk_usage(self._path.parent)
        held = self._path.stat().st_size if self._path.exists() else 0
        return Room(usage.free, usage.total, held, min(SIZE_MOST, usage.total // _SHARE))

    def is_low(self) -> bool:
        return self.room().is_low

    def give_up(self) -> bool:
        """Give the room back to the disk; False if there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def give_up_in_need(self) -> None:
        """Before a commit: give the room back if there may be none left. Costs a question to the file system."""
        with contextlib.suppress(OSError):
            if _free(self._path.parent) < _LEAST:
                self.give_up()

    def refill(self) -> bool:
        """Take the room if it isn't held and there is plenty; True if it is held now."""
        room = self.room()
        if not room.is_given_up:
            return True
        if room.free + room.ballast < room.low + room.wanted:
            return False
        temporary = self._path.with_suffix(".tmp")
        try:
            with temporary.open("wb") as file:
                _take(file.fileno(), room.wanted)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError:
            temporary.unlink(missing_ok=True)
            return False
        return True


def need(folder: Path, size: int) -> None:
    """
    Raises:
        DiskFullError: there are no `size` bytes free, with some to spare for learning.
    """
    if _free(folder) < size + _LEAST:
        raise DiskFullError(
            N_("Ruang penyimpanan tidak cukup. Yang sudah tersimpan aman; kosongkan ruang lalu ulangi.")
        )


def _free(folder: Path) -> int:
    if hasattr(os, "statvfs"):
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize
    return shutil.disk_usage(folder).free


def _take(handle: int, size: int) -> None:
    """Bytes that are really there, not a hole."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
        return
    for _ in range(0, size, MB):
        os.write(handle, os.urandom(MB))
