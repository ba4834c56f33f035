"""Which removable drives are plugged in now. A shell: asks the operating system, decides nothing."""

from __future__ import annotations

import string
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PLACES: Final = ("/media/", "/run/media/", "/mnt/")
_KINDS: Final = {
    "vfat",
    "exfat",
    "fuseblk",
    "ntfs",
    "ntfs3",
    "msdos",
    "ext4",
    "ext3",
    "ext2",
    "hfsplus",
    "udf",
}
_REMOVABLE: Final = 2
"""DRIVE_REMOVABLE of GetDriveTypeW."""


@dataclass(frozen=True, slots=True)
class Drive:
    """A removable drive: where it is, and what people call it."""

    path: Path
    label: str


def drives(mounts: Path = Path("/proc/mounts")) -> list[Drive]:
    """Drives that can be taken away, by their place."""
    return _of_windows() if sys.platform == "win32" else _of_linux(mounts)


def _of_linux(mounts: Path) -> list[Drive]:
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3 or fields[2] not in _KINDS:
            continue
        # Spaces and the like stand as octal escapes.
        place = fields[1].encode("latin-1", "surrogateescape").decode("unicode_escape")
        place = place.encode("latin-1", "replace").decode("utf-8", "replace")
        if place.startswith(_PLACES):
            found.append(Drive(Path(place), Path(place).name))
    return sorted(found, key=lambda drive: drive.path)


def _of_windows() -> list[Drive]:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    present = kernel.GetLogicalDrives()
    found = []
    for at, letter in enumerate(string.ascii_uppercase):
        root = f"{letter}:\\"
        if present >> at & 1 and kernel.GetDriveTypeW(root) == _REMOVABLE:
            found.append(Drive(Path(root), f"{letter}:"))
    return found
