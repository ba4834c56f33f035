"""Puts another database in the place of the present one, which is kept: whole or not at all, also if the power fails.

The new one is first written beside the old one under a name that says where the old one goes. From then on every start
finishes what was begun. A shell: renames files. The caller sees to it that nobody has the old one open.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from node.store import FILE
from sync.stick import Files

DAMAGED: Final = "damaged"
BEFORE_RESTORE: Final = "before-restore"
_STAGED: Final = re.compile(rf"{re.escape(FILE)}\.((?:{DAMAGED}|{BEFORE_RESTORE})-\d+)")
_PARTS: Final = (FILE, f"{FILE}-wal", f"{FILE}-shm")


def aside_for(data: Path, why: str) -> str:
    """The name of a folder, not used yet, into which the present database goes."""
    taken = [path.name.partition(f"{why}-")[2] for path in data.glob(f"*{why}-*")]
    return f"{why}-{1 + max((int(number) for number in taken if number.isdecimal()), default=0)}"


def stage(made: Path, data: Path, aside: str) -> None:
    """Let the database in `made` take the place of the present one at the next `finish`."""
    with made.open("rb+") as file:
        os.fsync(file.fileno())
    made.replace(data / f"{FILE}.{aside}")
    Files().sync_folder(data)


def staged(data: Path, why: str) -> Path | None:
    """The database that waits to take the place of the present one, if one does."""
    return next((path for path in _waiting(data) if path.name.startswith(f"{FILE}.{why}")), None)


def finish(data: Path) -> str | None:
    """Put what was staged in its place; returns the name of the folder in which the old one lies.

    Raises:
        OSError: another program has the old one open (on Windows), or the disk can't be written.
    """
    done = None
    for waiting in _waiting(data):
        done = waiting.name.removeprefix(f"{FILE}.")
        folder = data / done
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in _PARTS:
            if (data / name).exists():
                (data / name).replace(folder / name)
        waiting.replace(data / FILE)
        Files().sync_folder(folder)
        Files().sync_folder(data)
    return done


def _waiting(data: Path) -> list[Path]:
    """A restoration that somebody asked for comes after a mending."""
    found = [path for path in data.glob(f"{FILE}.*") if _STAGED.fullmatch(path.name)]
    return sorted(found, key=lambda path: (path.name.startswith(f"{FILE}.{BEFORE_RESTORE}"), path.name))
