"""People who want to deceive: a device that lies, registered or not, over the line and on sticks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from hub import registry, schema
from hub.db import reading
from simulation import checker
from simulation.rogue import Known, Rogue
from simulation.things import BrokenPromiseError, Laptop
from sync import exchange, items
from sync.items import ItemKind
from sync.log import Head
from sync.sealing import CLASSICAL, SealingKey, sealing_public
from sync.stick import IN, OUT, Stick

if TYPE_CHECKING:
    from simulation.story import Story

_MOST: Final = 2


def rogue_arrives(story: Story, laptop: Laptop) -> None:
    """It asks to be registered for this village; perhaps somebody lets it in."""
    if len(story.model.rogues) >= _MOST:
        return
    made = Rogue(laptop.village, story.dice())
    story.model.rogues.append(made)
    hub, now = story.land.centre.hub, story.land.now_ms
    story.attempt(None, lambda: registry.register(hub.engine, hub.config, made.registration(), now))
    if story.rng.random() < 0.7:
        story.attempt(None, lambda: registry.approve(hub.engine, made.id, now))


def rogue_lies(story: Story, laptop: Laptop) -> None:
    """Over the line; what it hears is only what its village may know."""
    if not story.model.rogues:
        rogue_arrives(story, laptop)
    rogue = story.rng.choice(story.model.rogues)
    for _ in range(story.rng.randint(1, 4)):
        body = rogue.body(story, _known(story))
        story.attempt(None, lambda body=body: _hear(story, rogue, body))  # type: ignore[misc]


def rogue_has_a_stick(story: Story, laptop: Laptop) -> None:
    """Its own bundle, or mail as if the centre had written it, lies on a stick."""
    if not story.model.rogues:
        return
    rogue = story.rng.choice(story.model.rogues)
    stick = Stick(story.rng.choice(story.land.sticks))
    intake = story.land.centre.hub.config.keyset.intake
    known = _known(story)
    if story.rng.random() < 0.5:
        parts = rogue.parts(story, known, intake)
        story.attempt(None, lambda: stick.write_parts(OUT, parts))
    else:
        to = SealingKey(CLASSICAL, sealing_public(laptop.on().config.sealing_seed))
        parts = rogue.mail(to, laptop.device(), known, intake)
        story.attempt(None, lambda: stick.write_parts(IN, parts))


def rogue_is_revoked(story: Story, laptop: Laptop) -> None:
    if story.model.rogues:
        device = story.rng.choice(story.model.rogues).id
        hub, now = story.land.centre.hub, story.land.now_ms
        if checker.state_of(hub, device) == "registered":
            story.attempt(None, lambda: registry.revoke(hub.engine, device, now, "bohong"))
            if checker.state_of(hub, device) == "revoked":
                story.model.revoked[device] = now


def _hear(story: Story, rogue: Rogue, body: bytes) -> None:
    status, _, answer = story.land.road.ask(exchange.PATH, body, len(body))
    if status != 200:
        return
    hub = story.land.centre.hub
    with reading(hub.engine) as connection:
        d, logs = schema.devices.c, schema.logs.c
        owners = select(logs.log, d.village).join(schema.devices, d.pk == logs.device)
        villages = {bytes(log)[:8]: village for log, village in connection.execute(owners)}
    for data in items.split(exchange.split_answer(answer)[1]):
        item = items.read_item(data)
        if item is None or item.kind is not ItemKind.SEGMENT:
            continue
        found = item.segment()
        village = villages.get((found.log or found.id)[:8], rogue.village)
        if village != rogue.village or checker.state_of(hub, rogue.id) != "registered":
            raise BrokenPromiseError(f"a device of {rogue.village} was told what {village} wrote")


def _known(story: Story) -> Known:
    """More than any device could find out: everything that the centre has stored of others."""
    rogues = {one.id for one in story.model.rogues}
    logs, s, d = schema.logs.c, schema.segments.c, schema.devices.c
    query = select(logs.log, s.idx, s.id, s.data, d.device).join(schema.logs, logs.pk == s.log)
    query = query.join(schema.devices, d.pk == logs.device).order_by(s.received_ms, s.id)
    with reading(story.land.centre.hub.engine) as connection:
        rows = [row for row in connection.execute(query).all() if bytes(row.device) not in rogues]
        people = connection.execute(select(schema.learners.c.learner).order_by(schema.learners.c.learner))
        learners = [bytes(one) for one in people.scalars()]
    return Known(
        [Head(bytes(row.log), row.idx, bytes(row.id)) for row in rows],
        [bytes(row.data) for row in rows],
        learners,
    )


WEIGHTS: Final = {
    rogue_arrives: 1,
    rogue_lies: 4,
    rogue_has_a_stick: 2,
    rogue_is_revoked: 1,
}
