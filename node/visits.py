"""One visit of a stick at a time, in the background: first what it brings is taken, then what waits is written.

The state is kept in memory; a visit that a power cut ended is simply made again. Also tells which drives there are,
what is on one of them, and which bundles this laptop has ever written.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from node.bundles import OnStick, Taken, Written
from node.courses import install_from
from node.excerpts import moment_of
from node.news import announcements
from node.trust import pinned_keyset
from node.wiring import Node
from sync import drives
from sync.drives import Drive
from sync.errors import N_, LontarError, StickError
from sync.keyset import Keyset
from sync.segment import open_segment
from sync.stick import Files, Stick

LISTED_MOST: Final = 30

log = logging.getLogger(__name__)


class Stage(Enum):
    """How far a visit has come."""

    READING = "reading"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Gained:
    """What a stick brought: entries that are now confirmed, announcements, entries of other laptops' history."""

    confirmed: int = 0
    announcements: int = 0
    history: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as its page shows it; `done` of `total` bytes are written."""

    path: Path
    stage: Stage = Stage.READING
    done: int = 0
    total: int = 0
    taken: Taken | None = None
    gained: Gained = Gained()
    courses: tuple[str, ...] = ()
    """Titles of courses that it brought and this laptop didn't have."""
    written: Written | None = None
    since_ms: int | None = None
    problem: LontarError | None = None
    """Why it failed."""
    unread: LontarError | None = None
    """Why something that it brought could not be taken; what waited was written all the same."""

    @property
    def is_running(self) -> bool:
        return self.stage in (Stage.READING, Stage.WRITING)


@dataclass(frozen=True, slots=True)
class Look:
    """What is on a drive now: this laptop's bundles, and a keyset that nobody has compared yet."""

    bundles: Sequence[OnStick]
    offered: Keyset | None
    has_lontar: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A bundle that this laptop once wrote: when, as far as can be told, and whether it arrived."""

    bundle: bytes
    at_ms: int | None
    entries: int
    arrived: bool


class Visits:
    """Sticks at one laptop. `files` is how drives are read and written, `list_drives` finds them."""

    def __init__(
        self,
        node: Node,
        files: Files | None = None,
        list_drives: Callable[[], list[Drive]] = drives.drives,
    ) -> None:
        self._node = node
        self._files = files
        self._list_drives = list_drives
        self._lock = threading.Lock()
        self._visit: Visit | None = None
        self._thread: threading.Thread | None = None

    def drives(self) -> list[Drive]:
        """The drives that are plugged in now."""
        return self._list_drives()

    def stick(self, path: Path) -> Stick:
        return Stick(path, self._files)

    def look(self, path: Path) -> Look:
        """
        Raises:
            StickError: the drive can't be read.
        """
        drive = self.stick(path)
        is_new = pinned_keyset(self._node.store) is None
        offered = self._node.bundles.keyset_on(drive) if is_new else None
        return Look(self._node.bundles.on_stick(drive), offered, drive.has_lontar())

    def trust(self, path: Path, root: bytes) -> None:
        """Believe the centre of this drive, if its root is still the one that people have compared.

        Raises:
            SyncError: the drive carries no keyset, or another one.
        """
        drive = self.stick(path)
        offered = self._node.bundles.keyset_on(drive)
        if offered is not None and offered.root != root:
            raise StickError(N_("Flashdisk ini sudah berganti. Cocokkan sekali lagi."))
        self._node.bundles.trust(drive)

    def begin(self, path: Path) -> bool:
        """Start a visit in the background; False if one is under way."""
        with self._lock:
            if self._visit is not None and self._visit.is_running:
                return False
            self._visit = Visit(path)
        self._thread = threading.Thread(target=self._run, args=(path,), name="lontar-stick", daemon=True)
        self._thread.start()
        return True

    def now(self) -> Visit | None:
        """The visit under way, or the last one."""
        return self._visit

    def wait(self, timeout_s: float) -> None:
        """Until the visit under way is over."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self, path: Path) -> None:
        try:
            self._visit_stick(path)
        except LontarError as problem:
            self._show(stage=Stage.FAILED, problem=problem)
        except Exception:
            # The page must not wait for ever for a thread that is gone.
            log.exception("stick")
            text = N_(
                "Flashdisk tidak berhasil dibaca atau ditulis. Data tetap aman di laptop ini; coba lagi."
            )
            self._show(stage=Stage.FAILED, problem=StickError(text))

    def _visit_stick(self, path: Path) -> None:
        drive, before = self.stick(path), self._held()
        try:
            self._show(taken=self._node.bundles.read(drive))
            self._show(courses=tuple(install_from(self._node, drive)))
        except LontarError as problem:
            # One bad part must not keep a village's work from leaving.
            log.warning("%s", problem)
            self._show(unread=problem)
        after = self._held()
        gained = Gained(
            max(0, after.confirmed - before.confirmed),
            after.announcements - before.announcements,
            after.history - before.history,
        )
        since_ms = self._waiting_since()
        self._show(stage=Stage.WRITING, gained=gained, since_ms=since_ms)
        written = self._node.bundles.write(drive, lambda done, total: self._show(done=done, total=total))
        self._show(stage=Stage.DONE, written=written)

    def _show(self, **changes: object) -> None:
        with self._lock:
            if self._visit is not None:
                self._visit = replace(self._visit, **changes)  # type: ignore[arg-type]

    def _held(self) -> Gained:
        with self._node.store.read() as db:
            history = db.execute("SELECT coalesce(sum(count), 0) FROM history").fetchone()[0]
        return Gained(self._node.recorder.counts().confirmed, announcements(self._node), int(history))

    def _waiting_since(self) -> int | None:
        """When the oldest entry was made that the centre hasn't confirmed."""
        query = """SELECT s.data FROM segments s JOIN logs l ON l.pk = s.log
                   WHERE s.idx > max(l.confirmed, l.parked) ORDER BY s.log, s.idx LIMIT 1"""
        with self._node.store.read() as db:
            row = db.execute(query).fetchone()
            if row is not None:
                return moment_of(db, open_segment(row[0]).read().ts[0])
            row = db.execute("SELECT min(t) FROM pending").fetchone()
            return None if row[0] is None else moment_of(db, row[0])


def list_written(node: Node) -> list[Sent]:
    """The bundles that this laptop wrote last, the newest first."""
    query = """SELECT b.bundle, b.t, b.entries, b.received OR l.confirmed >= b.upto FROM bundles b
               JOIN logs l ON l.pk = b.log ORDER BY b.t DESC LIMIT ?"""
    with node.store.read() as db:
        rows = db.execute(query, (LISTED_MOST,)).fetchall()
        return [Sent(row[0], moment_of(db, row[1]), row[2], bool(row[3])) for row in rows]
