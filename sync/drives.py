"""Which removable drives are plugged in now. A shell: asks the operating system, decides nothing."""

from __future__ import annotations

import os
import re
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
        lines = mounts.read_bytes().split(b"\n")
    except OSError:
        return []
    found = set()
    for line in lines:
        fields = line.split(b" ")
        if len(fields) < 3 or os.fsdecode(fields[2]) not in _KINDS:
            continue
        # Spaces and the like stand as octal escapes of bytes.
        place = os.fsdecode(re.sub(rb"\\([0-3][0-7]{2})", lambda code: bytes([int(code[1], 8)]), fields[1]))
        if place.startswith(_PLACES):
            found.add(Path(place))
    return [Drive(path, path.name) for path in sorted(found)]


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
