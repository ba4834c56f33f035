"""Going back to a copy: says first what will happen, then does it whole or not at all, and keeps what was there before.

What is chosen is looked at, brought to this version and laid beside the present database; it takes its place at the next
start, before anybody has it open, because changing a database under pages that are being served can't be made safe.
A command does it at once, when nothing is served. The restored laptop goes on in a new log, so nothing is forged.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from content_packs.store import write_safely
from node import centre, config, incidents, power, snapshots, swap
from node.backups import SUFFIX, VERSION
from node.config import Config
from node.errors import NodeError
from node.incidents import Incident, What
from node.mending import START_ANEW, in_use
from node.sealed_copy import key_id, unsealed, whose
from node.snapshots import Facts
from node.store import FILE, Store
from sync import cbor
from sync.entries import OpenReason
from sync.errors import N_, LontarError, SealError
from sync.keys import SigningKey
from web.data_folder import DataFolderError, read_key, write_key

log = logging.getLogger(__name__)

_WORK: Final = "restoring"
_KEY: Final = "backup"
_SECRETS: Final = ("device", "sealing", "pepper", "session")


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the first piece of a sealed copy says."""

    village: str
    facts: Facts
    toml: str
    secrets: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Plan:
    """What going back to a copy would do. `now` is None where the present database can't be read."""

    copy: Facts
    now: Facts | None

    @property
    def newer(self) -> int:
        """Entries that are here now and aren't in the copy."""
        return 0 if self.now is None else max(0, self.now.entries - self.copy.entries)

    @property
    def come_back(self) -> int:
        """Those of them that the centre has confirmed, and gives back."""
        return 0 if self.now is None else max(0, min(self.newer, self.now.confirmed - self.copy.entries))

    @property
    def lost(self) -> int:
        """Those of them that then lie only in the folder in which the present database is kept."""
        return self.newer - self.come_back


def is_sealed(file: Path) -> bool:
    return file.suffix.upper() == SUFFIX


def look(data: Path, file: Path, secret: bytes | None = None) -> Plan:
    """What would happen.

    Raises:
        LontarError: the copy can't be used, or belongs to another laptop.
    """
    facts = (
        read_sealed(file, secret or own_secret(data)).facts if is_sealed(file) else snapshots.facts_of(file)
    )
    try:
        with contextlib.closing(_reader(data / FILE)) as db:
            now: Facts | None = snapshots.read_facts(db)
    except (sqlite3.Error, LontarError, TypeError, ValueError):
        now = None
    return Plan(facts, now)


def own_secret(data: Path) -> bytes:
    """The key of this laptop's own copies, as far as it made any.

    Raises:
        DataFolderError: it never did.
    """
    return read_key(data / config.KEYS / f"{_KEY}.key", 12)


def is_own(data: Path, file: Path) -> bool:
    """Whether this laptop can open that sealed copy without the paper."""
    try:
        with file.open("rb") as opened:
            return whose(opened) == key_id(own_secret(data))
    except (OSError, LontarError):
        return False


def read_sealed(file: Path, secret: bytes) -> Sealed:
    """
    Raises:
        SealError: the words are others, or this is no whole copy.
    """
    try:
        with file.open("rb") as opened:
            return _first(next(unsealed(secret, opened)))
    except OSError as problem:
        raise SealError(N_("Cadangan %(path)s tidak dapat dibaca."), path=file) from problem


def prepare(made: Config, file: Path, secret: bytes | None = None) -> Plan:
    """Lay the copy beside the present database, to take its place at the next start; it can still be called off.

    Raises:
        LontarError: it can't be used; nothing was changed.
    """
    data = made.data
    with _workplace(data) as work:
        database = work / FILE
        if is_sealed(file):
            found = _unseal(file, secret or own_secret(data), database)
            if found.secrets["device"] != read_key(data / config.KEYS / "device.key"):
                raise NodeError(
                    N_(
                        "Cadangan ini milik laptop lain. Untuk laptop pengganti, pulihkan ke folder yang kosong."
                    )
                )
        else:
            snapshots.copy_of(file, database)
        plan = look(data, file, secret)
        _make_ready(work, data, plan)
        call_off(data)
        aside = swap.aside_for(data, swap.BEFORE_RESTORE)
        _sign(database, Incident(What.RESTORED, plan.copy.entries, plan.lost, aside))
        swap.stage(database, data, aside)
    return plan


def prepared(data: Path) -> Facts | None:
    """The copy that waits for the next start, if one does."""
    waiting = swap.staged(data, swap.BEFORE_RESTORE)
    if waiting is None:
        return None
    try:
        return snapshots.facts_of(waiting)
    except LontarError:
        return None


def call_off(data: Path) -> bool:
    """Don't restore after all; False if nothing waited."""
    waiting = swap.staged(data, swap.BEFORE_RESTORE)
    if waiting is None:
        return False
    waiting.unlink()
    return True


def carry_out(data: Path) -> str:
    """Do it now; returns the folder in which the database lies that was here before.

    Raises:
        NodeError: pages are being served.
    """
    with power.alone(data) as is_alone:
        if not is_alone:
            raise in_use()
        try:
            return swap.finish(data) or ""
        except OSError as problem:
            raise in_use() from problem


def restore_into(folder: Path, file: Path, secret: bytes) -> Config:
    """Make a replacement laptop out of a sealed copy: the same device goes on, in a new log.

    Raises:
        DataFolderError: there is a node in that folder already.
        SealError: the copy can't be opened.
    """
    if (folder / config.FILE).exists():
        raise DataFolderError(N_("Folder %(folder)s sudah berisi data Lontar."), folder=folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _workplace(folder) as work:
        found = _unseal(file, secret, work / FILE)
        _make_ready(work, folder, Plan(found.facts, None))
        _sign(work / FILE, Incident(What.RESTORED, found.facts.entries, None))
        keys = folder / config.KEYS
        keys.mkdir(mode=0o700, exist_ok=True)
        for name, value in {**found.secrets, _KEY: secret}.items():
            if not (keys / f"{name}.key").exists():
                write_key(keys / f"{name}.key", value)
        (work / FILE).replace(folder / FILE)
        # Last of all: without this file the folder is no node, and the command can simply be given again.
        write_safely(folder / config.FILE, found.toml.encode())
    return config.load(folder)


def _first(piece: bytes) -> Sealed:
    match cbor.decode(piece):
        case [int() as version, str() as village, [*numbers], str() as toml, [*secrets]] if (
            version == VERSION and len(numbers) == 7 and len(secrets) == len(_SECRETS)
        ):
            return Sealed(village, Facts(*numbers), toml, dict(zip(_SECRETS, secrets, strict=True)))
    raise SealError(N_("Cadangan ini dari versi Lontar yang lebih baru. Perbarui Lontar."))


def _unseal(file: Path, secret: bytes, to: Path) -> Sealed:
    try:
        with file.open("rb") as opened, to.open("wb") as database:
            pieces = unsealed(secret, opened)
            found = _first(next(pieces))
            for piece in pieces:
                database.write(piece)
    except OSError as problem:
        raise SealError(N_("Cadangan %(path)s tidak dapat dibaca."), path=file) from problem
    to.chmod(0o600)
    SigningKey.from_seed(found.secrets["device"])
    snapshots.check(to)
    return found


def _make_ready(work: Path, data: Path, plan: Plan) -> None:
    """Bring the copy to this version, and let nobody come back whose data was erased since."""
    store = Store(work)
    try:
        if plan.now is not None:
            with contextlib.closing(_reader(data / FILE)) as db:
                erased = db.execute("SELECT commitment FROM erased").fetchall()
            with store.write() as copy:
                for (commitment,) in erased:
                    centre.erase(copy, commitment)
    except sqlite3.Error:
        # The present database can't be read here: the centre says it again.
        log.info("erased", exc_info=True)
    finally:
        store.close()


def _sign(database: Path, incident: Incident) -> None:
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=DELETE")
        put = "INSERT OR REPLACE INTO settings VALUES (?, ?)"
        db.execute(put, (incidents.KEY, cbor.encode(incidents.as_setting(incident))))
        db.execute(put, (START_ANEW, cbor.encode(int(OpenReason.RESTORED))))


@contextlib.contextmanager
def _workplace(data: Path) -> Iterator[Path]:
    work = data / _WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _reader(file: Path) -> sqlite3.Connection:
    """May be in use by others."""
    db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    db.execute("PRAGMA trusted_schema=OFF")
    return db
