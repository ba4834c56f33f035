"""What happens in a village: people learn, laptops meet, disks and clocks suffer."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from node import backups
from node.courses import install_pack
from simulation.network import Faults
from simulation.power import PowerCut
from simulation.template import PUBLISHER, VERSIONS, template_pack
from simulation.things import Laptop, image
from sync.entries import QuestionAnswered
from sync.errors import LontarError
from sync.keys import fingerprint

if TYPE_CHECKING:
    from simulation.story import Story

DAY_MS: Final = 86_400_000
_YEARS_MS: Final = (0, 1_262_304_000_000, 1_790_000_000_000, 3_700_000_000_000)
"""1970, 2010, 2026 and 2087, as batteries and careless hands set clocks."""


def learn(story: Story, laptop: Laptop) -> None:
    for _ in range(story.rng.randint(1, 6)):
        if not answer(story, laptop):
            return


def answer(story: Story, laptop: Laptop) -> bool:
    """One answer; False if it wasn't said to be saved."""
    model, rng = story.model, story.rng
    number = model.next_number
    model.next_number += 1
    with laptop.on().store.read() as db:
        learners = db.execute("SELECT count(*) FROM learners").fetchone()[0]
        packs = db.execute("SELECT count(*) FROM packs").fetchone()[0]
    learner, pack = rng.randrange(learners), rng.randrange(packs)
    made = QuestionAnswered(learner, pack, 1, 1 + number % 2, number % 3, learner == 0, number)
    model.perhaps.add(number)
    laptop.holds.add(number)  # if it is; what counts is what was told
    try:
        laptop.on().recorder.record(made)
    except PowerCut:
        laptop.cut()
        return False
    except LontarError as problem:
        story.say(problem)
        return False
    model.perhaps.discard(number)
    model.told_saved.add(number)
    return True


def add_person(story: Story, laptop: Laptop) -> None:
    name = f"Warga {story.rng.randrange(10**9)}"
    story.attempt(laptop, lambda: laptop.on().recorder.add_learner(name, "Kaur Umum"))


def install_update(story: Story, laptop: Laptop) -> None:
    """A next version of the course comes on a stick."""
    file = template_pack(story.land.origin, story.rng.choice(VERSIONS))
    story.attempt(laptop, lambda: install_pack(laptop.on(), file, fingerprint(PUBLISHER.public)))


def sync(story: Story, laptop: Laptop) -> None:
    story.attempt(laptop, lambda: story.exchange(laptop))


def meet(story: Story, laptop: Laptop) -> None:
    """Two laptops of a village on one hotspot."""
    others = story.land.neighbours_of(laptop)
    if others:
        other = story.rng.choice(others)
        road = story.land.road_to(other)
        story.attempt(laptop, lambda: laptop.on().neighbours.meet("http://neighbour", lambda _: road))
        story.recover(other)


def time_passes(story: Story, laptop: Laptop) -> None:
    for other in story.land.laptops:
        other.machine.spend(story.rng.randrange(DAY_MS))
    story.attempt(laptop, lambda: backups.keep_up(laptop.on()))
    story.land.now_ms += story.rng.randrange(DAY_MS)


def restart(story: Story, laptop: Laptop) -> None:
    story.attempt(laptop, lambda: backups.keep_up(laptop.on(), at_a_stop=True))
    laptop.close()
    laptop.machine.switch_on_again()


def cut(story: Story, laptop: Laptop) -> None:
    laptop.cut()


def cut_within(story: Story, laptop: Laptop) -> None:
    """Power fails in the midst of what comes next."""
    laptop.on()
    laptop.power.arm(story.rng, 12)


def set_clock(story: Story, laptop: Laptop) -> None:
    laptop.machine.wall_ms = story.rng.choice(_YEARS_MS) + story.rng.randrange(DAY_MS)


def back_up(story: Story, laptop: Laptop) -> None:
    kept = story.backups.setdefault(laptop.name, [])
    path = story.folder / f"{laptop.name}-backup-{len(kept)}"
    image(laptop.disk, path)
    kept.append((path, set(laptop.holds), set(laptop.shown)))


def put_back(story: Story, laptop: Laptop) -> None:
    kept = story.backups.get(laptop.name)
    if kept:
        path, holds, shown = story.rng.choice(kept)
        if story.rng.random() < 0.3:
            laptop.close()
            shutil.rmtree(laptop.folder / "state", ignore_errors=True)
        laptop.put_back(path)
        laptop.holds, laptop.shown = set(holds), set(shown)


def clone(story: Story, laptop: Laptop) -> None:
    if len(story.land.laptops) < story.land.laptops_most:
        story.land.clone(laptop)


def swap_machine(story: Story, laptop: Laptop) -> None:
    """Its disk goes on in another computer."""
    laptop.close()
    laptop.machine.identity = story.rng.randbytes(16)
    laptop.machine.switch_on_again()


def new_laptop(story: Story, laptop: Laptop) -> None:
    """One more laptop comes to this village with a code, and is registered if the line lets it."""
    if len(story.land.laptops) >= story.land.laptops_most:
        return
    codes: list[str] = []
    story.attempt(None, lambda: codes.append(story.land.new_code(laptop.village)))
    if codes:
        made = story.land.new_laptop(laptop.village)
        story.attempt(made, lambda: made.worker.enrol(codes[0]))


def replace_laptop(story: Story, laptop: Laptop) -> None:
    """Lost for ever, with what it hadn't sent; another one takes its place."""
    if len(story.land.laptops) < 2:
        return
    codes: list[str] = []
    story.attempt(None, lambda: codes.append(story.land.new_code(laptop.village)))
    if codes:
        made = story.land.replaced(laptop)
        story.attempt(made, lambda: made.worker.enrol(codes[0]))


def weather(story: Story, laptop: Laptop) -> None:
    """How the line is from now on."""
    some = story.rng.choice((0.0, 0.1, 0.4))
    story.land.faults[0] = Faults(*(story.rng.random() * some for _ in range(6)))


WEIGHTS: Final = {
    learn: 30,
    sync: 24,
    meet: 6,
    time_passes: 8,
    restart: 3,
    cut: 4,
    cut_within: 6,
    set_clock: 4,
    back_up: 5,
    put_back: 3,
    clone: 1,
    swap_machine: 1,
    new_laptop: 1,
    replace_laptop: 1,
    add_person: 2,
    install_update: 1,
    weather: 4,
}
