"""What happens to disks of villages: they are full, can't be written, or give back other pages than were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from node.errors import NodeError
from node.incidents import What
from node.store import FILE
from simulation import checker
from simulation.things import BrokenPromiseError, Laptop

if TYPE_CHECKING:
    from simulation.story import Story

_PAGE: Final = 4096


def fill_disk(story: Story, laptop: Laptop) -> None:
    laptop.fill_disk(story.rng)


def protect_disk(story: Story, laptop: Laptop) -> None:
    laptop.protect_disk()


def free_disk(story: Story, laptop: Laptop) -> None:
    laptop.free_disk()


def page_suffers(story: Story, laptop: Laptop) -> None:
    """With a power cut, a page of the database is zeroed, loses a sector, or is written where another one was.

    Lontar mends what can be mended, and says what is missing; if nothing can be, somebody sets up another laptop.
    """
    held = laptop.holds & story.model.told_saved
    laptop.on()
    if story.rng.random() < 0.5:
        # SQLite has just folded its log into the file.
        laptop.close()
        laptop.on()
    laptop.cut()
    path = laptop.disk / FILE
    data = bytearray(path.read_bytes())
    pages = range(0, len(data), _PAGE)
    at, other = story.rng.choice(pages), story.rng.choice(pages)
    sector = at + 512 * story.rng.randrange(8)
    story.rng.choice(
        (
            lambda: data.__setitem__(slice(at, at + _PAGE), bytes(_PAGE)),
            lambda: data.__setitem__(slice(sector, sector + 512), story.rng.randbytes(512)),
            lambda: data.__setitem__(slice(at, at + _PAGE), data[other : other + _PAGE]),
        )
    )()
    path.write_bytes(data)
    try:
        node = laptop.on()
    except NodeError as problem:
        story.say(problem)
        story.land.replaced(laptop)
        return
    laptop.holds &= checker.answers_on(node)
    laptop.shown &= laptop.holds
    told = node.incidents.now()
    if (lost := held - laptop.holds) and (told is None or told.what < What.RECENT_UNSURE):
        raise BrokenPromiseError(f"{laptop.name} lost answers without a word: {sorted(lost)}")


WEIGHTS: Final = {fill_disk: 2, protect_disk: 1, free_disk: 3, page_suffers: 1}
