"""One world: a plan says what happens; then everything is well again, and a plain model says what must be there."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub import registry, upstream
from simulation import checker, deeds, deeds_disks, deeds_elsewhere, deeds_hostile, deeds_packs
from simulation.land import Land
from simulation.model import Model
from simulation.network import Faults
from simulation.power import PowerCut
from simulation.things import BrokenPromiseError, Laptop
from sync.errors import LontarError, NotAHubError, RefusedError
from sync.stick import Stick

ROUNDS_TO_HEAL: Final = 12
VILLAGES: Final = {1: 30, 2: 30, 3: 30, 12: 2, 40: 1}
"""How many a world has, and how often."""
SHARES: Final = (1.0, 0.5, 0.25)
"""Of the kinds of deeds, how many happen in a world."""
ALWAYS: Final = {"learn", "sync"}
WEIGHTS: Final = (
    deeds.WEIGHTS
    | deeds_disks.WEIGHTS
    | deeds_elsewhere.WEIGHTS
    | deeds_packs.WEIGHTS
    | deeds_hostile.WEIGHTS
)
DEEDS: Final = {deed.__name__: (deed, weight) for deed, weight in WEIGHTS.items()}


@dataclass(frozen=True)
class Step:
    """One thing that happens. Dice of its own, so that it stays what it is when others are taken out of the plan."""

    deed: str
    dice: int
    place: int | None = None
    """Which laptop it happens to, by its place among those that there are then (-1: the newest); None: the dice say."""


def plan(seed: int, steps: int) -> list[Step]:
    """What happens in a world. In most, only some kinds of things do, and these the more often: what a few of them bring
    about together drowns where all happen (swarm testing: Groce, Zhang, Eide, Chen, Regehr 2012).
    """
    rng = random.Random(f"plan {seed}")
    share = rng.choice(SHARES)
    names = [name for name in DEEDS if name in ALWAYS or rng.random() < share]
    weights = [DEEDS[name][1] for name in names]
    return [Step(rng.choices(names, weights)[0], rng.getrandbits(48)) for _ in range(steps)]


class Surprises(logging.Handler):
    """What the hub meets and has no sentence for: it answers "try later" and writes it down, and nobody would notice here."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._found: list[str] = []
        logging.getLogger("hub").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append(self.format(record))

    def check(self) -> None:
        """
        Raises:
            BrokenPromiseError: there was one.
        """
        if self._found:
            raise BrokenPromiseError("an error without a sentence: " + "\n".join(self._found))

    def close(self) -> None:
        logging.getLogger("hub").removeHandler(self)


class Story:
    """Plays a plan in a folder."""

    def __init__(
        self, seed: int, folder: Path, villages: int | None = None, heals_by_stick: bool | None = None
    ) -> None:
        self.seed = seed
        self._heals_by_stick = heals_by_stick
        self.rng = random.Random(f"land {seed}")
        self.folder = folder
        drawn = self.rng.choices(list(VILLAGES), list(VILLAGES.values()))[0]
        self.surprises = Surprises()
        self.land = Land(folder, self.rng, villages or drawn)
        self.model = Model()
        self.told: list[str] = []
        """What happened, for whoever has to find out why it broke."""
        self.backups: dict[str, list[tuple[Path, set[int], set[int]]]] = {}
        self.hub_backups: list[Path] = []
        self.nation_backups: list[Path] = []

    def run(self, steps: Sequence[Step]) -> None:
        """
        Raises:
            BrokenPromiseError: a promise didn't hold; its text says which.
        """
        for at, step in enumerate(steps):
            self.rng.seed(step.dice)
            self.land.now_ms += 1000
            place = step.dice % len(self.land.laptops) if step.place is None else step.place
            laptop = self.land.laptops[place]
            self.told.append(f"{at:3} {step.deed} {laptop.name}")
            DEEDS[step.deed][0](self, laptop)
            self.recover(laptop)
            self.surprises.check()
        self.rng.seed(f"heal {self.seed}")
        checker.check_revoked(self.land.centre.hub, self.model.revoked)
        self._heal()
        checker.check(self.land, self.model)
        self.surprises.check()

    def dice(self) -> random.Random:
        """For somebody who throws them from now on."""
        return random.Random(self.rng.random())

    def close(self) -> None:
        self.land.close()
        self.surprises.close()

    def say(self, problem: LontarError) -> None:
        self.told.append(f"      {problem}")

    # How what happens is carried out

    def attempt(self, laptop: Laptop | None, act: Callable[[], object]) -> None:
        """Somebody does that, and is told if it couldn't be done."""
        try:
            act()
        except LontarError as problem:
            self.say(problem)
        except PowerCut:
            pass
        self.recover(laptop)

    def recover(self, laptop: Laptop | None) -> None:
        """Who has lost power is switched on again; what a laptop shows as confirmed is noted."""
        for one in (self.land.centre, self.land.nation):
            if one.power.off:
                self.told.append(f"      {one.folder.name} is cut")
                one.cut()
        if laptop is None or not self.land.has(laptop):
            return
        if laptop.power.off:
            self.told.append(f"      {laptop.name} is cut")
            laptop.cut()
        shown = checker.confirmed_on(laptop.on())
        self.model.told_confirmed |= shown - laptop.shown
        laptop.shown = shown

    def exchange(self, laptop: Laptop) -> None:
        """One exchange over the line; what it confirms of the log that is written now must be at the hub."""
        laptop.worker.exchange()
        if laptop.is_registered:
            checker.check_confirmed(self.land.centre.hub, laptop.on())

    def pass_on(self) -> None:
        centre, road = self.land.centre.hub, self.land.road_up
        upstream.pass_on(centre.engine, centre.config, lambda _: road, lambda: self.land.now_ms)

    # And in the end

    def _heal(self) -> None:
        self.land.faults[0] = Faults()
        for one in (self.land.centre, self.land.nation):
            if one.power.off:
                one.cut()
            one.power.start()
        for laptop in self.land.laptops:
            laptop.power.start()
            laptop.free_disk()
        self.model.revoked.clear()
        # In some worlds answers come by a stick alone, with which somebody goes round.
        drawn = self.rng.random() < 0.25
        by_stick = drawn if self._heals_by_stick is None else self._heals_by_stick
        stick = Stick(self.folder / "new-stick") if by_stick else None
        (self.folder / "new-stick").mkdir()
        for _ in range(ROUNDS_TO_HEAL):
            self._let_in_who_is_lost()
            for laptop in self.land.laptops:
                self._visit(laptop, stick)
            counts = [laptop.on().recorder.counts() for laptop in self.land.laptops]
            # That the bundle for the nation was written can't stand in the regency's, which was written before.
            if all(one.saved - one.confirmed <= (1 if stick else 0) for one in counts):
                break
        else:
            raise BrokenPromiseError(
                f"what waits isn't confirmed after {ROUNDS_TO_HEAL} quiet rounds: {counts}"
            )
        for _ in range(3):
            self.pass_on()

    def _let_in_who_is_lost(self) -> None:
        """What laptops that are no more had sent counts after all."""
        engine = self.land.centre.hub.engine
        here = {laptop.device() for laptop in self.land.laptops} | {one.id for one in self.model.rogues}
        for device in sorted(checker.kept_out_at(self.land.centre.hub) - here):
            registry.approve(engine, device, self.land.now_ms)

    def _visit(self, laptop: Laptop, stick: Stick | None) -> None:
        """A quiet hour: the laptop is let in if it isn't, and brings and takes what there is."""
        engine = self.land.centre.hub.engine
        state = checker.state_of(self.land.centre.hub, laptop.device())
        if state and state != "registered":
            registry.approve(engine, laptop.device(), self.land.now_ms)
        laptop.on().recorder.seal(even_quiet=True)
        try:
            if stick is not None:
                self.land.visit_centre(stick)
                self.land.visit_village(laptop, stick)
                self.land.visit_centre(stick)
                laptop.on().bundles.read(stick)
            else:
                if not laptop.knows_the_centre or not state:
                    laptop.worker.enrol(self.land.new_code(laptop.village))
                laptop.worker.exchange()
            deeds_packs.fetch_all(self, laptop)
        except (RefusedError, NotAHubError) as problem:
            self.say(problem)
        self.recover(laptop)
