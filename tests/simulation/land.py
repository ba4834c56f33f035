"""One world: hubs, laptops of some villages, officers, sticks, and the roads between them."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Final

from courier.desk import Desk
from courier.wiring import open_desk
from hub import mail, parts, registry
from hub.db import writing
from node.shelf import NEW_LOG
from simulation import hub_disks
from simulation.machine import SimulatedMachine
from simulation.network import Faults, PackLine, Road, asking
from simulation.template import (
    BEGIN_MS,
    LARGE,
    OFFICERS,
    SMALL,
    identity_of,
    make_laptop,
    template,
    template_pack,
)
from simulation.things import Centre, Laptop, image, torn
from sync.entries import OpenReason
from sync.errors import LontarError
from sync.stick import OUT, Stick

STICKS: Final = 2


class Land:
    """Begins as the template does, with as many of its villages and laptops as the dice say."""

    def __init__(self, folder: Path, rng: random.Random, villages: int) -> None:
        self.folder = folder
        self.rng = rng
        self.now_ms = BEGIN_MS
        self.origin = template(SMALL if villages <= SMALL else LARGE)
        self.faults = [Faults()]
        for name in ("centre", "nation"):
            hub_disks.copy(self.origin / name, folder / name)
        self.centre, self.nation = (
            Centre(folder / name, lambda: self.now_ms, rng) for name in ("centre", "nation")
        )
        self.road = Road(rng, asking(self.centre.endpoint), self.faults)
        self.road_up = Road(rng, asking(self.nation.endpoint), self.faults)
        self.laptops: list[Laptop] = []
        self._made = 0
        for path in sorted(self.origin.glob("laptop-*")):
            _, village, place = path.name.split("-")
            if int(village) < villages and (place == "0" or rng.random() < 0.5):
                self._copied(path.name)
        self.laptops_most = len(self.laptops) + 4
        self.desks = [self._officer(at) for at in range(rng.randint(1, OFFICERS))]
        self.sticks = [folder / f"stick-{at}" for at in range(STICKS)]
        for path in self.sticks:
            path.mkdir()

    def _copied(self, name: str) -> None:
        shutil.copytree(self.origin / name, self.folder / name)
        self._arrive(name, identity_of(name))

    def _arrive(self, name: str, identity: bytes) -> Laptop:
        machine = SimulatedMachine(random.Random(self.rng.random()), self.now_ms, identity)
        laptop = Laptop(name, "", self.folder / name, machine, self.road)
        laptop.village = laptop.on().config.village
        self.laptops.append(laptop)
        return laptop

    def _officer(self, at: int) -> Desk:
        shutil.copytree(self.origin / f"officer-{at}", self.folder / f"officer-{at}")
        return self._opened_desk(at)

    def _opened_desk(self, at: int) -> Desk:
        machine = SimulatedMachine(self.rng, self.now_ms, b"officer")
        folder = self.folder / f"officer-{at}"
        return open_desk(folder, machine, road=lambda url: self.road, line=lambda url: self.pack_line())

    def pack_line(self, neighbour: Laptop | None = None) -> PackLine:
        """To the packs of the centre or of a laptop near by."""
        return PackLine(self.rng, neighbour.packs if neighbour else self.centre.endpoint, self.faults)

    def _name(self, how: str) -> str:
        self._made += 1
        return f"laptop-{how}-{self._made}"

    def new_laptop(self, village: str) -> Laptop:
        name = self._name("new")
        shutil.copy(template_pack(self.origin, 1), self.folder)
        make_laptop(self.folder, name, village, self.rng)
        return self._arrive(name, identity_of(name))

    def new_code(self, village: str) -> str:
        engine = self.centre.hub.engine
        return str(registry.issue_code(engine, village, self.rng.randbytes, self.now_ms))

    def replaced(self, laptop: Laptop) -> Laptop:
        """It is lost with all that it holds; a new one takes over its village's history."""
        self.laptops.remove(laptop)
        laptop.close()
        made = self.new_laptop(laptop.village)
        node = made.on()
        node.store.put(NEW_LOG, int(OpenReason.REPLACED))
        node.shelf.want_history()
        return made

    def clone(self, laptop: Laptop) -> Laptop:
        """The disk is copied into another computer, and both are used from now on."""
        name = self._name("copy")
        laptop.close()
        (self.folder / name).mkdir()
        shutil.copytree(laptop.disk, self.folder / name / "disk")
        if self.rng.random() < 0.5 and (laptop.folder / "state").is_dir():
            shutil.copytree(laptop.folder / "state", self.folder / name / "state")
        copy = self._arrive(name, identity_of(name))
        copy.machine.wall_ms = laptop.machine.wall_ms
        copy.holds, copy.shown = set(laptop.holds), set(laptop.shown)
        return copy

    def has(self, laptop: Laptop) -> bool:
        """False if it was lost."""
        return any(one is laptop for one in self.laptops)

    def neighbours_of(self, laptop: Laptop) -> list[Laptop]:
        return [one for one in self.laptops if one.village == laptop.village and one is not laptop]

    def road_to(self, laptop: Laptop) -> Road:
        return Road(self.rng, laptop.asked, self.faults)

    def visit_centre(self, stick: Stick) -> None:
        """An operator of the hub plugs the stick in."""
        hub = self.centre.hub
        for found in stick.parts(OUT):
            try:
                parts.take(hub.intake, stick.read_part(found))
            except LontarError:
                continue  # torn, or not for this hub: the next visit brings another copy
        with writing(hub.engine) as connection:
            bag = mail.compose(connection, hub.config, "", self.now_ms)
        mail.put(hub.config, stick, bag)

    def visit_village(self, laptop: Laptop, stick: Stick) -> None:
        """Somebody plugs the stick in at a village."""
        node = laptop.on()
        if not laptop.knows_the_centre and node.bundles.keyset_on(stick) is not None:
            node.bundles.trust(stick)
        node.bundles.read(stick)
        if laptop.knows_the_centre:
            node.bundles.write(stick)

    def officer_is_cut(self, at: int) -> None:
        """Power fails at an officer's laptop, between two things that it did."""
        folder, left = self.folder / f"officer-{at}", self.folder / "officer-left"
        image(folder, left)
        torn(left, self.rng)
        self._officer_becomes(at, left)

    def officer_is_lost(self, at: int) -> None:
        """And with the laptop what it carried; another one is set up as the first was."""
        left = self.folder / "officer-left"
        image(self.origin / f"officer-{at}", left)
        self._officer_becomes(at, left)

    def _officer_becomes(self, at: int, left: Path) -> None:
        self.desks[at].ledger.close()
        shutil.rmtree(self.folder / f"officer-{at}")
        left.rename(self.folder / f"officer-{at}")
        self.desks[at] = self._opened_desk(at)

    def close(self) -> None:
        for laptop in self.laptops:
            laptop.close()
        for desk in self.desks:
            desk.ledger.close()
        self.centre.close()
        self.nation.close()
        for name in self.folder.glob("*/database"):
            hub_disks.remove(name.parent)
