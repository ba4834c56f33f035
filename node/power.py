"""Whether Lontar was cut off last time, and whether it is serving pages now.

While pages are served, a small file lies in the data folder and the serving process holds a lock on it, which the
system takes away when the process ends in whatever way. A file that nobody holds means that the last stop was no
clean one. A shell: files and locks.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from node.wal import has_lost_commits

MARKER: Final = "running"
_LOCKED_AT: Final = 1 << 20
"""Far behind what is written, because Windows lets nobody read what is locked."""
_LOST: Final = b"lost"
_SEEN: Final = b"seen"


def was_cut_off(data: Path) -> bool:
    """Whether the last service of these pages ended without a clean stop."""
    return (data / MARKER).exists() and not is_served(data)


def is_served(data: Path) -> bool:
    """Whether some process serves the pages of this folder now."""
    try:
        handle = os.open(data / MARKER, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _locked(handle)
    finally:
        os.close(handle)


def commits_are_lost(data: Path, database: str) -> bool:
    """After a cut: whether SQLite's file of the last commits, which a running service always has, is missing or broken.

    The first who asks finds out and writes it down, because opening the database makes a new one.
    """
    marker = data / MARKER
    if not was_cut_off(data):
        return False
    seen = marker.read_bytes()
    if not seen:
        last = data / f"{database}-wal"
        is_lost = (data / database).exists() and (not last.exists() or has_lost_commits(last))
        seen = _LOST if is_lost else _SEEN
        marker.write_bytes(seen)
    return seen == _LOST


def note_told(data: Path) -> None:
    """What was missing has been told, or the database was replaced: nobody needs to ask again."""
    if (data / MARKER).exists():
        (data / MARKER).write_bytes(_SEEN)


@contextlib.contextmanager
def alone(data: Path) -> Iterator[bool]:
    """Keep others from serving while the block runs; False if somebody serves already. Leaves no trace."""
    path = data / MARKER
    existed = path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    is_ours = _locked(handle)
    try:
        yield is_ours
    finally:
        if is_ours and not existed:
            with contextlib.suppress(OSError):
                path.unlink()
        os.close(handle)


@contextlib.contextmanager
def serving(data: Path) -> Iterator[bool]:
    """While the block runs, pages are served here; False if another process does so already.

    Left in whatever way but by a dead process, it was a clean stop.
    """
    path = data / MARKER
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    is_ours = _locked(handle)
    if is_ours:
        os.truncate(path, 0)
        os.fsync(handle)
    try:
        yield is_ours
    finally:
        os.close(handle)
        if is_ours:
            with contextlib.suppress(OSError):
                path.unlink()


def _locked(handle: int) -> bool:
    """Whether the lock is ours now; closing the file gives it back."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _LOCKED_AT, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
