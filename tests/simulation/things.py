"""Computers of a simulated land. Disks are folders; what a power cut leaves on one is a copy of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from content_packs import pack_files
from hub import catching_up, db, merge
from hub import config as hub_config
from hub.endpoint import Endpoint
from hub.intake import Intake
from hub.wiring import Hub
from node import power
from node.shelf import REGISTRATION
from node.wiring import Node, open_node
from node.worker import Worker
from simulation import hub_disks
from simulation.machine import SimulatedMachine
from simulation.network import URL, Answer, Road, WsgiApp
from simulation.power import Power, Watched
from sync import exchange
from sync.client import Client
from sync.errors import LontarError
from sync.keys import key_id


class BrokenPromiseError(AssertionError):
    """A promise didn't hold."""


def image(folder: Path, to: Path) -> None:
    """What is in a folder now, with databases that are open in it as a power cut would leave them."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)


def torn(folder: Path, rng: random.Random) -> None:
    """What a power cut may leave at the end of a database's log: frames of which only some sectors were written, or old ones."""
    for path in sorted(folder.rglob("*-wal")):
        data = path.read_bytes()
        if data and rng.random() < 0.5:
            begun = rng.choice((rng.randbytes(4120), data[32 : 32 + 4120], data[-4120:]))
            path.write_bytes(data + begun[: rng.randrange(len(begun))])


class Statements(dict[Any, Any]):
    """What SQLAlchemy has compiled, for every hub that a process starts: a fifth of a world's time. Their dialects don't differ."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(key[1:], compiled)


_STATEMENTS: Final = Statements()


class Centre:
    """A hub's computer, on which two processes serve."""

    def __init__(self, folder: Path, now_ms: Callable[[], int], rng: random.Random) -> None:
        self.folder = folder
        self._now_ms = now_ms
        self._rng = rng
        self.power = Power()
        self.hub = self._started()
        self._other = self._process()

    def cut(self) -> None:
        """Power fails."""
        if hub_disks.is_elsewhere(self.folder):
            self.start_again()
            return
        left = self.folder.with_name(f"{self.folder.name}-left")
        image(self.folder, left)
        torn(left, self._rng)
        self._becomes(left)

    def back_up(self, to: Path) -> None:
        for process in (self.hub, self._other):
            process.engine.dispose()
        hub_disks.copy(self.folder, to)

    def put_back(self, backup: Path) -> None:
        """Its disk is replaced by an old one."""
        left = self.folder.with_name(f"{self.folder.name}-left")
        hub_disks.copy(backup, left)
        self._becomes(left)

    def start_again(self) -> None:
        self.close()
        self.hub = self._started()
        self._other = self._process()

    def endpoint(self) -> Endpoint:
        """Whichever process takes the next connection."""
        return Endpoint(self._rng.choice((self.hub, self._other)).intake, lambda *_: [])

    def close(self) -> None:
        self.hub.close()
        self._other.close()

    def _becomes(self, folder: Path) -> None:
        self.close()
        hub_disks.remove(self.folder)
        folder.rename(self.folder)
        self.hub = self._started()
        self._other = self._process()

    def _started(self) -> Hub:
        self.power.start()
        made = self._process()
        catching_up.at_start(made.engine, made.config, self._now_ms())
        with db.reading(made.engine) as connection:
            if merge.behind(connection):
                raise BrokenPromiseError("a hub has started, and what was stored still doesn't count")
        return made

    def _process(self) -> Hub:
        url = hub_disks.url_of(self.folder)
        made = replace(hub_config.load(self.folder), database_url=url, random_bytes=self._rng.randbytes)
        engine = db.open_engine(made.database_url)
        engine.update_execution_options(compiled_cache=_STATEMENTS)
        self.power.watch_engine(engine)
        return Hub(made, engine, Intake(engine, made, self._now_ms))


@dataclass
class Laptop:
    """One computer of a village, with one disk. `holds` are the numbers of answers that its disk holds."""

    name: str
    village: str
    folder: Path
    machine: SimulatedMachine
    road: Road
    """To its centre."""
    holds: set[int] = field(default_factory=set)
    shown: set[int] = field(default_factory=set)
    """The answers that it has shown as confirmed."""
    power: Power = field(default_factory=Power)
    node: Node | None = None

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    def on(self) -> Node:
        """The running node; switched on if it is off."""
        if self.node is None:
            self.power.start()
            self.node = open_node(self.disk, self.machine, {"LONTAR_STATE": str(self.folder / "state")})
            (self.disk / power.MARKER).unlink(missing_ok=True)
            self.node.store._writer = Watched(self.node.store._writer, self.power)  # type: ignore[assignment]
        return self.node

    @property
    def worker(self) -> Worker:
        node = self.on()
        key = node.config.device_key
        return node.worker.with_client(lambda: Client(URL, key, key_id(key.public), self.road))

    @property
    def knows_the_centre(self) -> bool:
        return self.on().store.get("keyset") is not None

    @property
    def is_registered(self) -> bool:
        return bool(self.on().store.get(REGISTRATION, "none") == "registered")

    def device(self) -> bytes:
        return key_id(self.on().config.device_key.public)

    def cut(self) -> None:
        """Power fails while pages are served: what the disk holds at this moment is what it will hold."""
        if self.node is not None:
            image(self.disk, self.folder / "left")
            torn(self.folder / "left", self.machine.rng)
            (self.folder / "left" / power.MARKER).touch()
            self.close()
            shutil.rmtree(self.disk)
            (self.folder / "left").rename(self.disk)
        self.machine.switch_on_again()

    def close(self) -> None:
        if self.node is not None:
            self.node.close()
            self.node = None

    def put_back(self, backup: Path) -> None:
        """Somebody copies an old state of the data folder over it."""
        self.close()
        shutil.rmtree(self.disk)
        shutil.copytree(backup, self.disk)

    def fill_disk(self, rng: random.Random) -> None:
        """From now on its database finds no room, but for a page or two."""
        writer = self.on().store._writer
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {pages + rng.randrange(3)}")

    def protect_disk(self) -> None:
        """From now on nothing can be written, as on a disk that a system mounted read-only after errors."""
        self.on().store._writer.execute("PRAGMA query_only = 1")

    def free_disk(self) -> None:
        if self.node is not None:
            self.node.store._writer.execute("PRAGMA max_page_count = 1073741823")
            self.node.store._writer.execute("PRAGMA query_only = 0")

    def packs(self) -> WsgiApp:
        """What it gives out to neighbours."""
        folder = self.on().packs.folder
        return lambda environ, start: pack_files.serve(folder, environ)(environ, start)

    def asked(self, path: str, body: bytes, length: int) -> Answer:
        """A neighbour on the same hotspot speaks to it."""
        try:
            answer, status = self.on().neighbours.answer(body), 200
        except LontarError as problem:
            answer, status = exchange.encode_refusal(problem.code, problem.sentence()), problem.http_status
        return status, {"Content-Type": exchange.MEDIA_TYPE, "Content-Length": str(len(answer))}, answer
