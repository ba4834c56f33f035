"""The things of a simulated land: one centre, laptops, a stick. Disks are folders; what a cut leaves on one is a copy of it."""

from __future__ import annotations

import random
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from centre import made_hub
from village import COURSE, install_course

from hub import catching_up, db, mail, parts, registry
from hub import config as hub_config
from hub.db import writing
from hub.endpoint import Endpoint
from hub.intake import Intake
from hub.wiring import Hub
from node import config
from node.wiring import Node, open_node
from node.worker import Worker
from simulation.machine import SimulatedMachine
from simulation.network import URL, Network
from simulation.power import Power, Watched
from sync.client import Client
from sync.errors import LontarError
from sync.keys import key_id
from sync.stick import OUT, Stick

VILLAGE = "17.05.10.2007"
BEGIN_MS = 1_790_000_000_000


@dataclass
class Laptop:
    """One computer with one disk. `holds` are the numbers of answers that its disk holds."""

    name: str
    folder: Path
    machine: SimulatedMachine
    network: Network
    holds: set[int] = field(default_factory=set)
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
            self.node.store._writer = Watched(self.node.store._writer, self.power)  # type: ignore[assignment]
        return self.node

    @property
    def worker(self) -> Worker:
        node = self.on()
        key = node.config.device_key
        return node.worker.with_client(lambda: Client(URL, key, key_id(key.public), self.network))

    def cut(self) -> None:
        """Power fails: what the disk holds at this moment is what it will hold."""
        if self.node is not None:
            image(self.disk, self.folder / "left")
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


def image(folder: Path, to: Path) -> None:
    """What is in a folder now, with databases that are open in it as a power cut would leave them."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)


class Land:
    """One hub and what reaches it."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.folder = folder
        self.rng = rng
        self.now_ms = BEGIN_MS
        self.power = Power()
        made_hub(folder / "hub").close()
        self.hub = self._started()
        self.network = Network(rng, lambda: Endpoint(self.hub.intake, lambda *_: []))
        self.laptops: list[Laptop] = []
        self.stick = Stick(folder / "stick")
        (folder / "stick").mkdir()

    def _started(self) -> Hub:
        made = hub_config.load(self.folder / "hub")
        engine = db.open_engine(made.database_url)
        self.power.start()
        catching_up.at_start(engine, made, self.now_ms)
        self.power.watch_engine(engine)
        return Hub(made, engine, Intake(engine, made, lambda: self.now_ms))

    def village(self) -> Laptop:
        """A registered laptop with two people and a course."""
        name = f"laptop-{len(self.laptops) + 1}"
        folder = self.folder / name
        machine = SimulatedMachine(random.Random(self.rng.random()), self.now_ms)
        keys = {key: machine.random_bytes(32) for key in ("device", "sealing", "pepper", "session")}
        config.create(folder / "disk", config.Settings(URL, VILLAGE, name), keys)
        laptop = Laptop(name, folder, machine, self.network)
        node = laptop.on()
        (folder / "course").mkdir()
        install_course(node, folder / "course", COURSE)
        node.recorder.add_learner("Siti", "Kaur Keuangan")
        node.recorder.add_learner("Budi", "Kepala Desa")
        code = registry.issue_code(self.hub.engine, VILLAGE, secrets.token_bytes, self.now_ms)
        laptop.worker.enrol(str(code))
        self.laptops.append(laptop)
        return laptop

    def clone(self, laptop: Laptop) -> Laptop:
        """The disk is copied into another computer, and both are used from now on."""
        name = f"laptop-{len(self.laptops) + 1}"
        folder = self.folder / name
        laptop.close()
        folder.mkdir()
        shutil.copytree(laptop.disk, folder / "disk")
        if self.rng.random() < 0.5 and (laptop.folder / "state").is_dir():
            shutil.copytree(laptop.folder / "state", folder / "state")
        machine = SimulatedMachine(random.Random(self.rng.random()), laptop.machine.wall_ms)
        copy = Laptop(name, folder, machine, self.network, set(laptop.holds))
        self.laptops.append(copy)
        return copy

    def hub_cut(self) -> None:
        """The hub's machine loses its power."""
        image(self.folder / "hub", self.folder / "hub-left")
        self._hub_becomes(self.folder / "hub-left")

    def hub_put_back(self, backup: Path) -> None:
        """The hub's database is replaced by an old one."""
        image(backup, self.folder / "hub-left")
        self._hub_becomes(self.folder / "hub-left")

    def _hub_becomes(self, folder: Path) -> None:
        self.hub.close()
        shutil.rmtree(self.folder / "hub")
        folder.rename(self.folder / "hub")
        self.hub = self._started()

    def visit_centre(self) -> None:
        """An operator of the hub plugs the stick in."""
        for found in self.stick.parts(OUT):
            try:
                parts.take(self.hub.intake, self.stick.read_part(found))
            except LontarError:
                continue  # torn, or not for this hub: the next visit brings another copy
        with writing(self.hub.engine) as connection:
            bag = mail.compose(connection, self.hub.config, "", self.now_ms)
        mail.put(self.hub.config, self.stick, bag)

    def visit_village(self, laptop: Laptop) -> None:
        """An officer plugs the stick in."""
        node = laptop.on()
        node.bundles.read(self.stick)
        node.bundles.write(self.stick)

    def close(self) -> None:
        for laptop in self.laptops:
            laptop.close()
        self.hub.close()
