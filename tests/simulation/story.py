"""One world: a seed chooses what happens; then everything is well again, and a plain model says what must be there."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from simulation.checker import BrokenPromiseError, check_hub, confirmed_on, numbers_at
from simulation.land import Land, Laptop, image
from simulation.network import Faults
from simulation.power import PowerCut
from sync.entries import QuestionAnswered
from sync.errors import LontarError

DAY_MS = 86_400_000
_YEARS_MS = (0, 1_262_304_000_000, 1_790_000_000_000, 3_700_000_000_000)
"""1970, 2010, 2026 and 2087, as batteries and careless hands set clocks."""
ROUNDS_TO_HEAL = 12


@dataclass
class Model:
    """What people were told. An answer is known by its number, which stands in its seconds."""

    told_saved: set[int] = field(default_factory=set)
    perhaps: set[int] = field(default_factory=set)
    """Being saved when the power failed: may be there or not."""
    told_confirmed: set[int] = field(default_factory=set)
    perished: set[int] = field(default_factory=set)
    """On a disk that was overwritten, and nowhere else."""
    next_number: int = 1


class Story:
    """Runs one seed in a folder."""

    def __init__(self, seed: int, folder: Path, steps: int = 60) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.land = Land(folder, self.rng)
        self.model = Model()
        self.steps = steps
        self.told: list[str] = []
        """What happened, for whoever has to find out why it broke."""
        self.backups: dict[str, list[tuple[Path, set[int]]]] = {}
        self.hub_backups: list[Path] = []

    def run(self) -> None:
        """
        Raises:
            BrokenPromiseError: a promise didn't hold; its text says which.
        """
        for _ in range(self.rng.randint(1, 3)):
            self.land.village()
        deeds: dict[Callable[[Laptop], None], int] = {
            self._learn: 30,
            self._sync: 22,
            self._time_passes: 8,
            self._restart: 3,
            self._cut: 4,
            self._cut_within: 6,
            self._set_clock: 4,
            self._back_up: 5,
            self._put_back: 3,
            self._clone: 1,
            self._weather: 4,
            self._replay: 3,
            self._hub_cut: 3,
            self._hub_back_up: 2,
            self._hub_put_back: 1,
            self._stick_to_village: 6,
            self._stick_to_centre: 5,
            self._stick_suffers: 2,
        }
        for _ in range(self.steps):
            deed = self.rng.choices(list(deeds), list(deeds.values()))[0]
            laptop = self.rng.choice(self.land.laptops)
            self.told.append(f"{deed.__name__[1:]} {laptop.name}")
            deed(laptop)
        self._heal()
        self._check()

    # What happens

    def _learn(self, laptop: Laptop) -> None:
        for _ in range(self.rng.randint(1, 6)):
            number = self.model.next_number
            self.model.next_number += 1
            learner = number % 2
            answer = QuestionAnswered(learner, 0, 1, 1 + number % 2, number % 3, learner == 0, number)
            self.model.perhaps.add(number)
            try:
                laptop.on().recorder.record(answer)
            except PowerCut:
                laptop.holds.add(number)  # if it is; the disk decides
                laptop.cut()
                return
            self.model.perhaps.discard(number)
            self.model.told_saved.add(number)
            laptop.holds.add(number)

    def _sync(self, laptop: Laptop) -> None:
        self._try(laptop, lambda: laptop.worker.exchange())

    def _time_passes(self, laptop: Laptop) -> None:
        for other in self.land.laptops:
            other.machine.spend(self.rng.randrange(DAY_MS))
        self.land.now_ms += self.rng.randrange(DAY_MS)

    def _restart(self, laptop: Laptop) -> None:
        laptop.close()
        laptop.machine.switch_on_again()

    def _cut(self, laptop: Laptop) -> None:
        laptop.cut()

    def _cut_within(self, laptop: Laptop) -> None:
        """Power fails in the midst of what comes next."""
        laptop.on()
        laptop.power.arm(self.rng, 12)

    def _set_clock(self, laptop: Laptop) -> None:
        laptop.machine.wall_ms = self.rng.choice(_YEARS_MS) + self.rng.randrange(DAY_MS)

    def _back_up(self, laptop: Laptop) -> None:
        kept = self.backups.setdefault(laptop.name, [])
        path = self.folder / f"{laptop.name}-backup-{len(kept)}"
        image(laptop.disk, path)
        kept.append((path, set(laptop.holds)))

    def _put_back(self, laptop: Laptop) -> None:
        kept = self.backups.get(laptop.name)
        if kept:
            path, holds = self.rng.choice(kept)
            if self.rng.random() < 0.3:
                shutil.rmtree(laptop.folder / "state", ignore_errors=True)
            laptop.put_back(path)
            laptop.holds = set(holds)

    def _clone(self, laptop: Laptop) -> None:
        if len(self.land.laptops) < 5:
            self.land.clone(laptop)

    def _weather(self, laptop: Laptop) -> None:
        """How the line is from now on."""
        some = self.rng.choice((0.0, 0.1, 0.4))
        self.land.network.faults = Faults(*(self.rng.random() * some for _ in range(6)))

    def _replay(self, laptop: Laptop) -> None:
        self._at_hub(self.land.network.replay)

    def _hub_cut(self, laptop: Laptop) -> None:
        if self.rng.random() < 0.5:
            self.land.power.arm(self.rng, 8)
        else:
            self.land.hub_cut()

    def _hub_back_up(self, laptop: Laptop) -> None:
        path = self.folder / f"hub-backup-{len(self.hub_backups)}"
        image(self.land.folder / "hub", path)
        self.hub_backups.append(path)

    def _hub_put_back(self, laptop: Laptop) -> None:
        if self.hub_backups:
            self.land.hub_put_back(self.rng.choice(self.hub_backups))
            # What only the hub had left is gone with its disk.
            alive = numbers_at(self.land.hub) | set().union(*(one.holds for one in self.land.laptops))
            self.model.told_confirmed &= alive

    def _stick_to_village(self, laptop: Laptop) -> None:
        self._try(laptop, lambda: self.land.visit_village(laptop))

    def _stick_to_centre(self, laptop: Laptop) -> None:
        self._at_hub(self.land.visit_centre)

    def _stick_suffers(self, laptop: Laptop) -> None:
        """It is pulled too early, or a file on it is damaged or lost."""
        files = sorted(path for path in (self.folder / "stick").rglob("*") if path.is_file())
        if files:
            path = self.rng.choice(files)
            data = path.read_bytes()
            match self.rng.randrange(3):
                case 0:
                    path.write_bytes(data[: self.rng.randrange(len(data) + 1)])
                case 1:
                    path.unlink()
                case _ if data:
                    at = self.rng.randrange(len(data))
                    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])

    # How it is carried out

    def _try(self, laptop: Laptop, act: Callable[[], object]) -> None:
        try:
            act()
        except LontarError as problem:
            self.told.append(f"  {problem}")
        except PowerCut:
            if self.land.power.off:
                self.land.hub_cut()
            if laptop.power.off:
                laptop.cut()
                return
        self._believe(laptop)

    def _at_hub(self, act: Callable[[], object]) -> None:
        try:
            act()
        except PowerCut:
            self.land.hub_cut()

    def _believe(self, laptop: Laptop) -> None:
        """What this laptop says is confirmed must never be missing again."""
        self.model.told_confirmed |= confirmed_on(laptop.on())

    # And in the end

    def _heal(self) -> None:
        self.land.network.faults = Faults()
        if self.land.power.off:
            self.land.hub_cut()
        self.land.power.start()
        for _ in range(ROUNDS_TO_HEAL):
            for laptop in self.land.laptops:
                laptop.power.start()
                laptop.on().recorder.seal(even_quiet=True)
                laptop.worker.exchange()
            counts = [laptop.on().recorder.counts() for laptop in self.land.laptops]
            if all(one.saved == one.confirmed for one in counts):
                return
        raise BrokenPromiseError(
            f"what waits isn't confirmed after {ROUNDS_TO_HEAL} quiet rounds: {counts}"
        )

    def _check(self) -> None:
        model = self.model
        on_disks = set().union(*(laptop.holds for laptop in self.land.laptops)) - model.perhaps
        required = (on_disks & model.told_saved) | model.told_confirmed
        allowed = model.told_saved | model.perhaps
        check_hub(self.land.hub, required, allowed)
