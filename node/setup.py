"""The village's first day: what was answered so far, kept in the data folder until all is known, and making the node of it.

An answer is on the disk before the next question is asked, so a power cut costs one page; only the password waits in
memory until there is a database to keep its hash. The file of settings is written when everything else is there, so a
half-made folder is never taken for a node. Owns `setup.json`.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from content_packs.store import write_safely
from node import config
from node.errors import NodeError
from node.learners import OPERATOR, Secrets
from node.recorder import OperatorAction
from node.wiring import Node
from sync import drives, limits, signpost
from sync.drives import Drive
from sync.errors import N_, SyncError
from sync.keyset import open_keyset
from sync.machine import Machine
from sync.stick import KEYSET, PUB, Stick
from web.villages import Village
from web.zones import zone_of

FILE: Final = "setup.json"
STEPS: Final = ("village", "centre", "password", "hotspot", "backup", "summary")
BACKUP_PLACE: Final = "backup_place"
"""The setting (a text) that says where backups go; empty while nobody chose a place."""
_LITTER: Final = {
    "lost+found",
    "desktop.ini",
    "Thumbs.db",
    "System Volume Information",
    "$RECYCLE.BIN",
    "setup.tmp",
}
"""What systems leave in a new folder, and what a power cut leaves of ours."""
_HALF_MADE: Final = {FILE, config.KEYS, "node.tmp"}


@dataclass(frozen=True)
class Answers:
    """What was answered so far. Texts are empty until then; `has_…` says that a question may be left open."""

    village: str = ""
    village_name: str = ""
    place: str = ""
    zone: str = ""
    has_centre: bool = False
    hub_url: str = ""
    code: str = ""
    keyset: str = ""
    """The keyset that people compared on a stick, in hexadecimal."""
    has_hotspot: bool = False
    has_backup: bool = False
    backup_place: str = ""


def is_unmade(data: Path) -> bool:
    """Whether a node could be made here: nothing is there yet, or only what this wizard left of one."""
    try:
        names = {path.name for path in data.iterdir()}
    except FileNotFoundError:
        return True
    ours = _HALF_MADE if FILE in names else set()
    return all(name in ours or name in _LITTER or name.startswith(".") for name in names)


def furnish(node: Node, answers: Answers, password: str | None) -> None:
    """Give a new node what was answered beyond its settings; doing it again changes nothing."""
    secrets = Secrets(node.store, node.recorder.now, node.config.pepper)
    if password is not None and secrets.set(OPERATOR, password):
        node.recorder.act(OperatorAction.PASSWORD_SET)
    node.store.put(BACKUP_PLACE, answers.backup_place)
    if answers.keyset:
        node.shelf.take_keyset(bytes.fromhex(answers.keyset))
    if answers.code:
        node.worker.keep_code(answers.code)
    (node.config.data / FILE).unlink(missing_ok=True)


def furnish_interrupted(node: Node) -> None:
    """Go on where a power cut came between the settings and the rest; the password is then asked at first use."""
    answers = _read(node.config.data)
    if answers is not None:
        furnish(node, answers, None)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a stick tells of its centre: the keyset that people compare, and the address if the centre signed one."""

    envelope: bytes
    root: bytes
    hub_url: str


def offered_by(stick: Stick) -> Offered | None:
    """
    Raises:
        StickError: the stick can't be read.
    """
    envelope = stick.read_file(PUB, KEYSET, limits.CONTROL_ITEM)
    address = stick.read_file(PUB, signpost.FILE, limits.CONTROL_ITEM)
    try:
        keyset = open_keyset(envelope or b"")
    except SyncError:
        return None
    hub_url = ""
    if address is not None:
        with contextlib.suppress(SyncError):
            hub_url = signpost.open_address(address, keyset)
    return Offered(envelope or b"", keyset.root, hub_url)


def checked_backup_place(typed: str, data: Path) -> Path:
    """The folder of that name, if backups can be written there.

    Raises:
        NodeError: they can't, with what to do.
    """
    place = Path(typed.strip())
    if not place.is_absolute() or not typed.isprintable() or not place.is_dir():
        raise NodeError(
            N_("Folder %(folder)s tidak ada. Buat dulu foldernya, atau pilih flashdisk."), folder=typed
        )
    if place.resolve().is_relative_to(data.resolve()):
        raise NodeError(
            N_("Folder itu ada di dalam data Lontar sendiri. Pilih tempat lain, sebaiknya flashdisk.")
        )
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as problem:
        raise NodeError(
            N_("Folder %(folder)s tidak dapat ditulis. Pilih tempat lain."), folder=typed
        ) from problem
    return place


class Setup:
    """One wizard, in one data folder.

    `open_made` opens what was made; `show` shows its pages from then on, and says at which path to go on.
    """

    def __init__(
        self,
        data: Path,
        port: int,
        machine: Machine,
        open_made: Callable[[], Node],
        show: Callable[[Node], str],
        list_drives: Callable[[], list[Drive]] = drives.drives,
    ) -> None:
        """
        Raises:
            NodeError: the folder can't be written.
        """
        self.data = data
        self.port = port
        self.password: str | None = None
        self.list_drives = list_drives
        self._machine = machine
        self._open_made = open_made
        self._show = show
        self._lock = threading.Lock()
        self._node: Node | None = None
        self._goes_on_at = ""
        with _spoken(data):
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.answers = _read(data) or Answers()

    def keep(self, **answers: object) -> None:
        """Keep these answers beside the earlier ones.

        Raises:
            NodeError: they can't be written.
        """
        with self._lock:
            kept = replace(self.answers, **answers)  # type: ignore[arg-type]
            with _spoken(self.data):
                write_safely(self.data / FILE, msgspec.json.encode(kept))
                (self.data / FILE).chmod(0o600)
            self.answers = kept

    def choose_village(self, village: Village) -> None:
        self.keep(
            village=village.code, village_name=village.name, place=village.place, zone=zone_of(village.code)
        )

    def is_answered(self, step: str) -> bool:
        answers = self.answers
        return {
            "village": bool(answers.village and answers.zone),
            "centre": answers.has_centre,
            "password": self.password is not None,
            "hotspot": answers.has_hotspot,
            "backup": answers.has_backup,
        }.get(step, False)

    def first_open(self) -> str:
        """The first question without an answer; the summary once there is none."""
        return next((step for step in STEPS if not self.is_answered(step)), STEPS[-1])

    def make(self) -> str:
        """Make the node, once, and show its pages; returns the path at which to go on.

        Raises:
            LontarError: it can't be written; the wizard goes on.
        """
        with self._lock:
            if self._goes_on_at:
                return self._goes_on_at
            if not (self.data / config.FILE).exists():
                self._create()
            self._node = self._node or self._open_made()
            furnish(self._node, self.answers, self.password)
            self._goes_on_at = self._show(self._node)
            self.password = None
            return self._goes_on_at

    def _create(self) -> None:
        answers = self.answers
        settings = config.Settings(
            answers.hub_url, answers.village, answers.village_name, port=self.port, zone=answers.zone
        )
        with _spoken(self.data):
            # Keys of an attempt that a power cut ended: nobody has ever used them.
            for path in (self.data / config.KEYS).glob("*"):
                path.unlink()
            names = ("device", "sealing", "pepper", "session")
            config.create(self.data, settings, {name: self._machine.random_bytes(32) for name in names})


def _read(data: Path) -> Answers | None:
    """What was kept; a file that says nothing we know counts as none."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((data / FILE).read_bytes(), type=Answers)
    return None


@contextlib.contextmanager
def _spoken(data: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise NodeError(
            N_("Folder data %(path)s tidak dapat ditulis. Periksa izinnya."), path=data
        ) from problem
