"""Backups by themselves: snapshots beside the database, and the newest of them, sealed, in a second place.

The second place is a folder or a stick that the operator chose. What lies there can't be read without the recovery
paper, so it may hold the keys, and a dead laptop can be replaced with nothing lost. Owns the settings `backup_*`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node import snapshots
from node.config import FILE as SETTINGS
from node.config import KEYS, Config
from node.errors import NodeError
from node.sealed_copy import KEY_ID_SIZE, PIECE, SALT_SIZE, SECRET_SIZE, key_id, sealed
from node.snapshots import Facts, Snapshot
from node.store import Store
from node.wiring import Node
from sync import cbor
from sync.errors import N_, LontarError, StickError
from sync.machine import Machine
from sync.stick import ROOT, Files
from web.data_folder import read_key, write_key

PLACE: Final = "backup_place"
FOLDER: Final = "CADANGAN"
SUFFIX: Final = ".LNC"
VERSION: Final = 1
KEPT: Final = 2
_LAST: Final = "backup_last"
_ERROR: Final = "backup_error"
_KEY: Final = "backup.key"
_SECRETS: Final = ("device", "sealing", "pepper", "session")
_SPARE: Final = 64 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Copied:
    """The last copy in the second place: of which snapshot, at which log time and (the laptop's own) wall time."""

    number: int
    t: int
    wall_ms: int
    entries: int


@dataclass(frozen=True, slots=True)
class Second:
    """The second place as it is now. `error` is why the last copy failed, if it did."""

    place: str
    is_there: bool
    is_same_disk: bool
    last: Copied | None
    error: LontarError | None


def keep_up(node: Node, at_a_stop: bool = False, files: Files | None = None) -> None:
    """Whatever is due: room for the worst day, a snapshot, a copy of it. What fails is kept for the pages."""
    node.ballast.refill()
    with _told(node.store):
        every = snapshots.AT_A_STOP_MS if at_a_stop else snapshots.EVERY_MS
        newest = next(iter(snapshots.listed(node.config.data)), None)
        if snapshots.is_due(newest, node.recorder.now(), node.recorder.counts().saved, every):
            newest = snapshots.make(node.config.data)
        second = second_place(node)
        if newest and second.is_there and (second.last is None or second.last.number != newest.number):
            copy_out(node, newest, files)


def back_up_now(node: Node, files: Files | None = None) -> Snapshot:
    """A snapshot now, and a copy of it if a second place was chosen.

    Raises:
        LontarError: what failed; it is also kept for the pages.
    """
    with _told(node.store, quiet=False):
        made = snapshots.make(node.config.data)
        if node.store.get(PLACE, ""):
            copy_out(node, made, files)
        return made


def second_place(node: Node) -> Second:
    place = str(node.store.get(PLACE, ""))
    is_there = bool(place) and Path(place).is_dir()
    match node.store.get(_LAST):
        case [int() as number, int() as t, int() as wall_ms, int() as entries]:
            last: Copied | None = Copied(number, t, wall_ms, entries)
        case _:
            last = None
    match node.store.get(_ERROR):
        case [str() as text, list() as details]:
            error: LontarError | None = LontarError(text, **dict(details))
        case _:
            error = None
    is_same = is_there and Path(place).stat().st_dev == node.config.data.stat().st_dev
    return Second(place, is_there, is_same, last, error)


def choose_place(node: Node, text: str) -> None:
    """Keep copies in this folder from now on; an empty text means nowhere.

    Raises:
        NodeError: it can't be used; nothing was changed.
    """
    place = Path(text)
    if text and not (place.is_absolute() and place.is_dir()):
        raise NodeError(
            N_("Folder %(path)s tidak ada. Pasang flashdisknya, atau pilih folder lain."), path=text
        )
    if text and place.resolve().is_relative_to(node.config.data.resolve()):
        raise NodeError(N_("Pilih tempat di luar folder data Lontar, sebaiknya flashdisk."))
    if text and not os.access(place, os.W_OK):
        raise NodeError(N_("Folder %(path)s tidak dapat ditulis. Pilih tempat lain."), path=text)
    with node.store.write():
        if text != node.store.get(PLACE, ""):
            node.store.put(_LAST, None)
        node.store.put(PLACE, text)
        node.store.put(_ERROR, None)


def recovery_secret(config: Config) -> bytes:
    """The key of this village's copies; made when it is first asked for."""
    path = config.data / KEYS / _KEY
    with contextlib.suppress(FileExistsError):
        write_key(path, Machine().random_bytes(SECRET_SIZE))
    return read_key(path, SECRET_SIZE)


def copy_out(node: Node, snapshot: Snapshot, files: Files | None = None) -> Path:
    """Seal a snapshot into the second place, read it back, and drop all but the newest copies of this laptop.

    Raises:
        StickError: it can't be written there; what lay there before is as it was.
    """
    files = files or Files()
    place = Path(str(node.store.get(PLACE, "")))
    folder = (place if place.name == ROOT else place / ROOT) / FOLDER
    secret = recovery_secret(node.config)
    salt = Machine().random_bytes(SALT_SIZE)
    own = key_id(secret).hex()[:KEY_ID_SIZE]
    new = folder / f"{own}.TMP"
    try:
        if not place.is_dir():
            raise StickError(N_("Tempat cadangan %(path)s tidak terpasang."), path=place)
        files.make_folder(folder)
        earlier = _own_copies(files, folder, own)
        following = 1 + max((int(name[len(own) + 1 : -len(SUFFIX)]) for name in earlier), default=0)
        final = folder / f"{own}-{following:06}{SUFFIX}"
        if files.free(folder) < snapshot.size + _SPARE:
            raise StickError(N_("Tempat cadangan penuh. Yang lama tetap ada; kosongkan ruang di sana."))
        files.write_pieces(new, sealed(secret, salt, _contents(node.config, snapshot)))
        if not files.holds_pieces(new, sealed(secret, salt, _contents(node.config, snapshot))):
            raise StickError(N_("Tempat cadangan rusak: yang ditulis tidak sama saat dibaca lagi."))
        files.rename(new, final)
        files.set_date(final)
        files.sync_folder(folder)
        for name in earlier[: -(KEPT - 1)]:
            files.remove(folder / name)
    except OSError as problem:
        raise StickError(N_("Cadangan tidak dapat ditulis ke %(path)s."), path=place) from problem
    finally:
        with contextlib.suppress(OSError):
            files.remove(new)
    wall_ms = node.worker.wall_ms()
    node.store.put(_LAST, [snapshot.number, node.recorder.now(), wall_ms, snapshot.entries])
    return final


def copies_in(place: Path) -> list[Path]:
    """The sealed copies in a folder or on a stick, of whichever laptop, the newest of each first."""
    found: list[Path] = []
    for folder in (place / ROOT / FOLDER, place / FOLDER, place):
        with contextlib.suppress(OSError):
            found += folder.glob(f"*{SUFFIX}")
    return sorted(found, key=lambda path: path.name, reverse=True)


def facts_as_list(facts: Facts) -> list[object]:
    return [
        facts.t,
        facts.wall_ms,
        facts.log,
        facts.entries,
        facts.learners,
        facts.answers,
        facts.confirmed,
    ]


def _contents(config: Config, snapshot: Snapshot) -> Iterator[bytes]:
    """What a copy holds: facts, settings and keys in the first piece, then the database."""
    keys = {name: read_key(config.data / KEYS / f"{name}.key") for name in _SECRETS}
    toml = (config.data / SETTINGS).read_text(encoding="utf-8")
    yield cbor.encode(
        [VERSION, config.village, facts_as_list(snapshot.facts), toml, [keys[one] for one in _SECRETS]]
    )
    with snapshot.path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _own_copies(files: Files, folder: Path, own: str) -> list[str]:
    """The names of this laptop's copies, the newest last."""
    shape = re.compile(rf"{own}-\d{{6,9}}{re.escape(SUFFIX)}")
    return sorted(name for name in files.names(folder) if shape.fullmatch(name))


@contextlib.contextmanager
def _told(store: Store, quiet: bool = True) -> Iterator[None]:
    """Keep what fails for the pages, as one sentence, until it succeeds."""
    try:
        yield
    except (LontarError, OSError, sqlite3.Error) as problem:
        log.info("%s", problem)
        refusal = (
            problem
            if isinstance(problem, LontarError)
            else StickError(N_("Cadangan tidak dapat dibuat: %(problem)s"), problem=problem)
        )
        details = [[name, str(value)] for name, value in refusal.details.items()]
        with contextlib.suppress(LontarError):
            store.put(_ERROR, [refusal.text, details])
        if not quiet:
            raise refusal from problem
    else:
        if store.get(_ERROR) is not None:
            store.put(_ERROR, None)
