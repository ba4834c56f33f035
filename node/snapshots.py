"""Copies of the database beside it, made by themselves: the newest, one of about a working day ago, one of about a week ago.

How old a copy is, is measured in powered-on time, so a wrong clock neither makes nor spoils one. A copy is written under
another name, looked at, synced, and only then takes its place; nothing of the serving database waits for it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from node import ballast
from node.soundness import is_sound
from node.store import FILE
from sync import cbor
from sync.errors import N_, LontarError, SyncError
from sync.stick import Files

FOLDER: Final = "snapshots"
HOUR_MS: Final = 3_600_000
EVERY_MS: Final = 4 * HOUR_MS
AT_A_STOP_MS: Final = HOUR_MS
DAY_MS: Final = 6 * HOUR_MS
"""What a village laptop is on in a day; five such days are a week."""
WEEK_MS: Final = 5 * DAY_MS
_NEW: Final = "new.tmp"


class SnapshotError(LontarError):
    """A copy couldn't be made, or isn't one."""

    code = "snapshot"
    exit_code = 8


@dataclass(frozen=True, slots=True)
class Facts:
    """What a database holds: log time `t`, when that was by the laptop's own clock, its newest log, and counts."""

    t: int
    wall_ms: int
    log: bytes
    entries: int
    learners: int
    answers: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy on this disk; later ones have higher numbers."""

    path: Path
    number: int
    facts: Facts
    size: int

    @property
    def log(self) -> bytes:
        return self.facts.log

    @property
    def entries(self) -> int:
        return self.facts.entries


Aged = TypeVar("Aged")


def listed(data: Path) -> list[Snapshot]:
    """The copies that can be read, the newest first."""
    made = []
    for path in sorted((data / FOLDER).glob("*.db"), reverse=True):
        with contextlib.suppress(SnapshotError, ValueError, OSError):
            made.append(Snapshot(path, int(path.stem), facts_of(path), path.stat().st_size))
    return made


def facts_of(file: Path) -> Facts:
    """
    Raises:
        SnapshotError: it is no database of a village, or damaged.
    """
    try:
        with contextlib.closing(_to_read(file)) as db:
            return read_facts(db)
    except (sqlite3.Error, SyncError, TypeError, ValueError) as problem:
        raise SnapshotError(N_("Cadangan %(path)s rusak atau bukan cadangan."), path=file) from problem


def read_facts(db: sqlite3.Connection) -> Facts:
    clock = db.execute("SELECT value FROM settings WHERE key = 'clock'").fetchone()
    t, _, _, wall_t, wall_ms, _ = cbor.decode(clock[0])
    query = """SELECT (SELECT log FROM logs ORDER BY pk DESC LIMIT 1),
                      (SELECT count(*) FROM pending) + coalesce(sum(s.count), 0),
                      (SELECT count(*) FROM learners), (SELECT coalesce(sum(answers), 0) FROM lesson_progress),
                      coalesce(sum(s.count) FILTER (WHERE s.idx <= l.confirmed), 0)
               FROM segments s JOIN logs l ON l.pk = s.log"""
    return Facts(t, wall_ms + t - wall_t, *db.execute(query).fetchone())


def is_due(newest: Snapshot | None, t: int, entries: int, every_ms: int = EVERY_MS) -> bool:
    """Whether it is time for another copy; log time goes back when somebody restores one."""
    if newest is None:
        return True
    return entries != newest.entries and not 0 <= t - newest.facts.t < every_ms


def make(data: Path) -> Snapshot:
    """Make a copy now, and drop what is neither the newest, nor of about a day or a week ago.

    Raises:
        SnapshotError: the database can't be copied: it is damaged.
        DiskFullError: there is no room for it.
    """
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    new = folder / _NEW
    copy_of(data / FILE, new)
    before = listed(data)
    numbers = [int(path.stem) for path in folder.glob("*.db") if path.stem.isdecimal()]
    path = folder / f"{max(numbers, default=0) + 1:06}.db"
    new.replace(path)
    Files().sync_folder(folder)
    made = Snapshot(path, int(path.stem), facts_of(path), path.stat().st_size)
    keep = {one.path for one in kept([(one, one.facts.t) for one in (made, *before)])}
    for old in folder.glob("*.db"):
        if old not in keep:
            old.unlink(missing_ok=True)
    return made


def copy_of(database: Path, to: Path) -> None:
    """A copy of a database that may be in use, compact, looked at and on the disk.

    Raises:
        SnapshotError: it is damaged; `to` isn't there.
        DiskFullError: there is no room for it.
    """
    to.unlink(missing_ok=True)
    ballast.need(to.parent, 2 * database.stat().st_size)
    try:
        with contextlib.closing(
            sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        ) as source:
            source.execute("PRAGMA trusted_schema=OFF")
            source.execute("VACUUM INTO ?", (str(to),))
        to.chmod(0o600)
        check(to)
        with to.open("rb+") as file:
            os.fsync(file.fileno())
    except (sqlite3.Error, SnapshotError) as problem:
        to.unlink(missing_ok=True)
        raise SnapshotError(
            N_("Cadangan tidak dapat dibuat: basis data perlu diperiksa. Data tidak diubah.")
        ) from problem


def check(file: Path) -> None:
    """
    Raises:
        SnapshotError: this is no whole database of a village.
    """
    try:
        with contextlib.closing(_to_read(file)) as db:
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok" and is_sound(db, thorough=True):
                return
    except (sqlite3.Error, UnicodeDecodeError):
        pass
    raise SnapshotError(N_("Cadangan %(path)s rusak atau bukan cadangan."), path=file)


def kept(copies: Sequence[tuple[Aged, int]]) -> list[Aged]:
    """Which copies stay, of (copy, log time) with the newest first: at most three, and as old as they should be.

    The newest always stays. Of the others the older ones make way only when a younger one has grown old enough.
    """
    if len(copies) <= 2:
        return [copy for copy, _ in copies]
    newest, before, day, *older = copies
    week = older[0] if older else None
    if _apart(before, day) < DAY_MS:
        # The one before is too young to stand for a day.
        stay = [newest, day, week]
    elif week is None or _apart(day, week) >= WEEK_MS:
        stay = [newest, before, day]
    else:
        stay = [newest, before, week]
    return [one[0] for one in stay if one is not None]


def _apart(one: tuple[Aged, int], other: tuple[Aged, int]) -> int:
    return abs(one[1] - other[1])


def _to_read(file: Path) -> sqlite3.Connection:
    """Without a lock and without other files: nobody writes to a copy."""
    db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)
    db.execute("PRAGMA trusted_schema=OFF")
    return db
