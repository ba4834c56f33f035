"""Opens the database of a village at start, whatever a power cut or a bad disk has done to it.

Damaged files are never changed or deleted: what can be read of them and the newest good snapshot are put together in a
new database, which takes their place when it is sound; the old files lie in a folder of their own. What was missing is
said (`incidents`). If nothing can be put together, one sentence refuses and everything stays as it was.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from node import ballast, incidents, power, salvage, snapshots, swap
from node.errors import DamagedDatabaseError, DiskFullError, NodeError
from node.incidents import Incident, What
from node.rebuilding import DERIVED, Rebuilt, drop_false, rebuild
from node.soundness import entries_in, is_sound
from node.store import FILE, Store, damaged
from sync import cbor
from sync.entries import OpenReason
from sync.errors import N_, LontarError

START_ANEW: Final = "start_new_log"
"""Why the next start opens a new log, as `OpenReason`: what this database holds may not be the newest."""
MEND: Final = "mend_at_start"
"""Somebody had the database examined, and something was wrong."""
_WORK: Final = "mending"
_WAITING: Final = "pending"
_MERGED: Final = {"logs", "segments", _WAITING, "profiles"}
"""Rows can vanish from these without a word; what the snapshot has of them is always taken."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Candidate:
    file: Path
    rebuilt: Rebuilt
    is_complete: bool


def open_mended(data: Path, was_here: bool) -> Store:
    """The database of `data`, mended if need be; `was_here` if this device is known to have had one.

    Raises:
        NodeError: it can't be opened; the sentence says what to do, and nothing was changed.
    """
    cut, is_short = power.was_cut_off(data), power.commits_are_lost(data, FILE)
    if _finish_swap(data):
        is_short = False
    aside = _put_aside(data) if is_short else ""
    store = _found(data, was_here, cut, is_short, aside)
    if cut:
        power.note_told(data)
    return store


def _found(data: Path, was_here: bool, cut: bool, is_short: bool, aside: str) -> Store:
    if not (data / FILE).exists():
        if snapshots.listed(data):
            _mend(data)
        store = Store(data)
        if was_here and not entries_of(store):
            incidents.Incidents(store).note(Incident(What.LOST, 0, None))
        return store
    opened = _opened(data, cut)
    if opened is not None and is_short and _snapshot_knows_more(data, opened):
        opened.close()
        opened = None
    if opened is None:
        _mend(data)
        return Store(data)
    if is_short:
        incidents.Incidents(opened).note(Incident(What.RECENT_UNSURE, entries_of(opened), None, aside))
        opened.put(START_ANEW, int(OpenReason.RESTORED))
    return opened


def _put_aside(data: Path) -> str:
    """Copy the files as they were found, before SQLite drops what it can't use; "" if there is no room for that."""
    aside = swap.aside_for(data, swap.DAMAGED)
    folder = data / aside
    try:
        ballast.need(data, 2 * sum(path.stat().st_size for path in data.glob(f"{FILE}*")))
        folder.mkdir(mode=0o700)
        for path in (data / FILE, data / f"{FILE}-wal"):
            if path.exists():
                shutil.copyfile(path, folder / path.name)
    except (OSError, DiskFullError):
        shutil.rmtree(folder, ignore_errors=True)
        return ""
    return aside


def entries_of(store: Store) -> int:
    with store.read() as db:
        return entries_in(db)


def _opened(data: Path, cut: bool) -> Store | None:
    """None if it is damaged."""
    try:
        store = Store(data)
    except DamagedDatabaseError as problem:
        log.info("%s", problem)
        return None
    except sqlite3.Error:
        # SQLite complains of tables and columns: the words that describe them are damaged.
        log.info("database", exc_info=True)
        return None
    try:
        with store.write() as db:
            row = db.execute("SELECT 1 FROM settings WHERE key = ?", (MEND,)).fetchone()
            if is_sound(db, thorough=cut or row is not None):
                if row is not None:
                    db.execute("DELETE FROM settings WHERE key = ?", (MEND,))
                return store
    except (LontarError, sqlite3.Error) as problem:
        log.info("%s", problem)
    store.close()
    return None


def _snapshot_knows_more(data: Path, store: Store) -> bool:
    """Whether a snapshot holds entries of the same log that the database lacks."""
    newest = next(iter(snapshots.listed(data)), None)
    if newest is None:
        return False
    with store.read() as db:
        row = db.execute("SELECT log FROM logs ORDER BY pk DESC LIMIT 1").fetchone()
        return row is not None and newest.log == row[0] and newest.entries > entries_in(db)


def _finish_swap(data: Path) -> bool:
    """Whether another database has just taken the place of the one that was here."""
    if swap.staged(data, swap.DAMAGED) is None and swap.staged(data, swap.BEFORE_RESTORE) is None:
        return False
    if power.is_served(data):
        # A command beside the service: it works with what is there, as the service does.
        return False
    with _alone(data):
        try:
            return swap.finish(data) is not None
        except OSError as problem:
            raise in_use() from problem


def in_use() -> NodeError:
    return NodeError(
        N_("Lontar sedang berjalan di laptop ini. Hentikan dulu, lalu ulangi; data tidak diubah.")
    )


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    with power.alone(data) as is_alone:
        if not is_alone:
            raise in_use()
        yield


def _mend(data: Path) -> None:
    """
    Raises:
        DamagedDatabaseError: nothing can be put together.
    """
    work = data / _WORK
    with _alone(data):
        shutil.rmtree(work, ignore_errors=True)
        try:
            size = sum(path.stat().st_size for path in data.glob(f"{FILE}*"))
            ballast.need(data, 3 * size)
            work.mkdir(mode=0o700)
            best = _best(data, work)
            if best is None:
                raise damaged(data / FILE)
            aside = swap.aside_for(data, swap.DAMAGED)
            _sign(best, aside)
            swap.stage(best.file, data, aside)
            swap.finish(data)
        except OSError as problem:
            raise damaged(data / FILE) from problem
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _best(data: Path, work: Path) -> _Candidate | None:
    """The database that holds most: from readable rows and the newest snapshot together, or from one of them."""
    snapshot = _usable_snapshot(data, work)
    source = _copied(data, work / "found")
    candidates = []
    if source is not None and snapshot is not None and _is_same_past(source, snapshot):
        candidates.append(_put_together(work / "both", source, snapshot))
    if not any(candidates):
        if source is not None:
            candidates.append(_put_together(work / "readable", source, None))
        if snapshot is not None:
            earlier = _put_together(work / "earlier", snapshot, None)
            candidates.append(None if earlier is None else replace(earlier, is_complete=False))
    sound = [one for one in candidates if one is not None]
    return max(sound, key=lambda one: one.rebuilt.entries, default=None)


def _copied(data: Path, folder: Path) -> Path | None:
    """Copies of the damaged files that SQLite may change; None if it can't read them at all."""
    folder.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        if (data / name).exists():
            shutil.copyfile(data / name, folder / name)
    if not (folder / FILE).exists():
        return None
    for attempt in range(3):
        with contextlib.suppress(salvage.Unreadable, OSError):
            if attempt == 1:
                (folder / f"{FILE}-wal").unlink()
            elif attempt == 2:
                salvage.give_head(folder)
            salvage.open_damaged(folder / FILE).close()
            return folder / FILE
    return None


def _usable_snapshot(data: Path, work: Path) -> Path | None:
    """A copy of the newest snapshot that is sound, brought to this version."""
    for one in snapshots.listed(data):
        folder = work / f"snapshot-{one.number}"
        folder.mkdir()
        shutil.copyfile(one.path, folder / FILE)
        store = _opened(folder, cut=True)
        if store is not None:
            store.close()
            return folder / FILE
    return None


def _is_same_past(source: Path, snapshot: Path) -> bool:
    """Whether both tell of the same logs under the same numbers."""
    found: list[dict[int, bytes]] = []
    for file in (source, snapshot):
        with contextlib.closing(salvage.open_damaged(file)) as db:
            try:
                found.append(dict(db.execute("SELECT pk, log FROM logs").fetchall()))
            except sqlite3.Error:
                found.append({})
    return all(found[1].get(pk, name) == name for pk, name in found[0].items())


def _newest_log(db: sqlite3.Connection) -> int:
    query = "SELECT max(pk) FROM (SELECT pk FROM logs UNION SELECT log FROM segments)"
    return int(db.execute(query).fetchone()[0] or 0)


def _put_together(folder: Path, source: Path, snapshot: Path | None) -> _Candidate | None:
    """A sound database out of what `source` and then `snapshot` hold; None if none comes out."""
    folder.mkdir()
    Store(folder).close()
    file = folder / FILE
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            with contextlib.closing(salvage.open_damaged(source)) as readable:
                troubled = salvage.copy_readable(readable, db)
            dropped = drop_false(db)
            troubled |= dropped.tables
            if snapshot is not None:
                with contextlib.closing(salvage.open_damaged(snapshot)) as earlier:
                    wanted = troubled | _MERGED
                    if _newest_log(earlier) < _newest_log(db):
                        # What waited then, for an older log, was sealed before this one was opened.
                        wanted -= {_WAITING}
                    salvage.copy_readable(earlier, db, only=wanted)
            rebuilt = rebuild(db, dropped.ends)
            db.execute("COMMIT")
            if rebuilt is None or not is_sound(db, thorough=True):
                return None
        except (
            sqlite3.Error,
            salvage.Unreadable,
            LontarError,
            ValueError,
            TypeError,
            IndexError,
            KeyError,
        ):
            log.info("mending", exc_info=True)
            return None
        db.execute("PRAGMA journal_mode=DELETE")
    return _Candidate(file, rebuilt, not rebuilt.missing and not troubled - DERIVED)


def _sign(best: _Candidate, aside: str) -> None:
    """Write into the new database what is to be told, and whether it may go on in the same log."""
    what = What.REBUILT if best.is_complete else What.MENDED
    missing = None if what is What.MENDED and not best.rebuilt.missing else best.rebuilt.missing
    incident = Incident(what, best.rebuilt.entries, missing, aside)
    with contextlib.closing(sqlite3.connect(best.file, isolation_level=None)) as db:
        put = "INSERT OR REPLACE INTO settings VALUES (?, ?)"
        db.execute(put, (incidents.KEY, cbor.encode(incidents.as_setting(incident))))
        if not best.is_complete:
            db.execute(put, (START_ANEW, cbor.encode(int(OpenReason.RESTORED))))
        db.execute("DELETE FROM settings WHERE key = ?", (MEND,))
