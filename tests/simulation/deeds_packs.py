"""Courses on their way: given out by the centre, fetched over the line, from neighbours, and from sticks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from centre import REGENCY
from sqlalchemy import select

from hub import packs, schema
from hub.db import reading
from node.courses import install_from
from node.offers import choose, fetch_chosen, offers
from simulation.template import VERSIONS, template_pack
from simulation.things import Laptop
from sync.stick import Stick

if TYPE_CHECKING:
    from simulation.story import Story

_NEIGHBOUR: Final = "http://neighbour"


def publish(story: Story, laptop: Laptop) -> None:
    """The centre gives out a version of the course, to everybody or to one village."""
    hub, rng = story.land.centre.hub, story.rng
    file = template_pack(story.land.origin, rng.choice(VERSIONS))
    scopes = [rng.choice((REGENCY, laptop.village))]
    story.attempt(None, lambda: packs.publish(hub.engine, hub.config, file, scopes, story.land.now_ms))


def withdraw(story: Story, laptop: Laptop) -> None:
    """It thinks better of one."""
    hub = story.land.centre.hub
    with reading(hub.engine) as connection:
        given = sorted(set(map(bytes, connection.execute(select(schema.offers.c.manifest_hash)).scalars())))
    if given:
        one = story.rng.choice(given)
        story.attempt(None, lambda: packs.withdraw(hub.engine, one, "salah", story.land.now_ms))


def fetch(story: Story, laptop: Laptop) -> None:
    """The operator of a laptop chooses everything that is offered."""
    story.attempt(laptop, lambda: fetch_all(story, laptop))


def fetch_all(story: Story, laptop: Laptop) -> None:
    """From a neighbour if one is near, else from the centre."""
    node, land = laptop.on(), story.land
    for offer in offers(node):
        choose(node, offer.manifest_hash)
    near = land.neighbours_of(laptop)
    neighbour = story.rng.choice(near) if near and story.rng.random() < 0.5 else None
    fetch_chosen(
        node,
        laptop.machine.wall_ms,
        [_NEIGHBOUR] if neighbour else [],
        lambda url: land.pack_line(neighbour if url == _NEIGHBOUR else None),
    )


def install_from_stick(story: Story, laptop: Laptop) -> None:
    stick = Stick(story.rng.choice(story.land.sticks))
    story.attempt(laptop, lambda: install_from(laptop.on(), stick))


WEIGHTS: Final = {
    publish: 2,
    withdraw: 1,
    fetch: 4,
    install_from_stick: 3,
}
