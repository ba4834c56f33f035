"""What happens away from the villages: at the centre, at the nation's hub, to sticks and with officers."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from centre import REGENCY
from sqlalchemy import Select, select

from hub import config as hub_config
from hub import downlink, identity, keyring, quarantine, registry, schema
from hub.db import reading, writing
from simulation import checker
from simulation.things import Laptop
from sync.bundle import HASH
from sync.entries import Kind
from sync.keys import sha256
from sync.stick import Stick

if TYPE_CHECKING:
    from simulation.story import Story

_l: Final = schema.learners.c


def replay(story: Story, laptop: Laptop) -> None:
    story.attempt(None, story.land.road.replay)


def hub_cut(story: Story, laptop: Laptop) -> None:
    story.land.centre.cut()


def hub_cut_within(story: Story, laptop: Laptop) -> None:
    """Power fails in the midst of what comes next, and somebody syncs."""
    story.land.centre.power.arm(story.rng, 8)
    story.attempt(laptop, lambda: story.exchange(laptop))


def hub_back_up(story: Story, laptop: Laptop) -> None:
    path = story.folder / f"hub-backup-{len(story.hub_backups)}"
    story.land.centre.back_up(path)
    story.hub_backups.append(path)


def hub_put_back(story: Story, laptop: Laptop) -> None:
    if not story.hub_backups:
        return
    centre = story.land.centre
    before = checker.numbers_at(centre.hub)
    centre.put_back(story.rng.choice(story.hub_backups))
    story.model.hub_lost(before - checker.numbers_at(centre.hub))
    story.model.erased &= checker.erased_at(centre.hub)
    revoked = checker.revoked_at(centre.hub)
    story.model.revoked = {one: at for one, at in story.model.revoked.items() if one in revoked}


def pass_on(story: Story, laptop: Laptop) -> None:
    """The centre brings the nation's hub what it lacks."""
    story.attempt(None, story.pass_on)


def nation_cut(story: Story, laptop: Laptop) -> None:
    if story.rng.random() < 0.5:
        story.land.nation.cut()
    else:
        story.land.nation.power.arm(story.rng, 8)


def nation_back_up(story: Story, laptop: Laptop) -> None:
    path = story.folder / f"nation-backup-{len(story.nation_backups)}"
    story.land.nation.back_up(path)
    story.nation_backups.append(path)


def nation_put_back(story: Story, laptop: Laptop) -> None:
    if story.nation_backups:
        story.land.nation.put_back(story.rng.choice(story.nation_backups))


def revoke(story: Story, laptop: Laptop) -> None:
    """An operator no longer believes this laptop."""
    device = laptop.device()
    if checker.state_of(story.land.centre.hub, device) == "registered":
        at = story.land.now_ms
        story.attempt(None, lambda: registry.revoke(story.land.centre.hub.engine, device, at, "hilang"))
        if checker.state_of(story.land.centre.hub, device) == "revoked":
            story.model.revoked[device] = at


def let_in(story: Story, laptop: Laptop) -> None:
    """An operator lets this laptop in, or in again."""
    device = laptop.device()
    if checker.state_of(story.land.centre.hub, device) not in ("", "registered"):
        story.model.revoked.pop(device, None)
        story.attempt(
            None, lambda: registry.approve(story.land.centre.hub.engine, device, story.land.now_ms)
        )


def decide_quarantine(story: Story, laptop: Laptop) -> None:
    """An operator rejects half of what this laptop's quarantine holds, and lets the rest count."""
    hub, device = story.land.centre.hub, laptop.device()
    with reading(hub.engine) as connection:
        pk = connection.execute(
            select(schema.devices.c.pk).where(schema.devices.c.device == device)
        ).scalar()
        apart = quarantine.of_device(connection, pk) if pk else []
    if apart:
        half = {one.pk for one in apart if story.rng.random() < 0.5}
        rest = {one.pk for one in apart} - half
        story.attempt(
            None, lambda: quarantine.decide(hub.engine, device, rest, half, "ragu", story.land.now_ms)
        )
        if device in story.model.revoked:
            # What came until now is decided.
            story.model.revoked[device] = story.land.now_ms


def _two_people(story: Story) -> list[bytes]:
    found = _rows(story, select(_l.learner).order_by(_l.learner))
    people = [bytes(row[0]) for row in found]
    return story.rng.sample(people, 2) if len(people) > 1 else []


def merge_people(story: Story, laptop: Laptop) -> None:
    pair = _two_people(story)
    if pair:
        engine, now = story.land.centre.hub.engine, story.land.now_ms
        story.attempt(None, lambda: identity.merge(engine, *pair, now))


def separate_people(story: Story, laptop: Laptop) -> None:
    pairs = _rows(story, select(schema.same_person.c.one, schema.same_person.c.other))
    if pairs:
        one, other = story.rng.choice(sorted((bytes(a), bytes(b)) for a, b in pairs))
        engine, now = story.land.centre.hub.engine, story.land.now_ms
        story.attempt(None, lambda: identity.separate(engine, one, other, now))


def erase_person(story: Story, laptop: Laptop) -> None:
    """Somebody wants to be forgotten."""
    people = _rows(story, select(_l.learner).order_by(_l.learner))
    if people:
        hub, who = story.land.centre.hub, bytes(story.rng.choice(people)[0])
        story.attempt(None, lambda: identity.erase(hub.engine, who, story.land.now_ms))
        story.model.erased |= checker.erased_at(story.land.centre.hub)


@dataclass(frozen=True, slots=True)
class Later(Kind):
    """A decision that only a later Lontar knows."""

    number: ClassVar[int] = 4_000
    text: str
    bits: bytes
    count: int


def speak_of_later_things(story: Story, laptop: Laptop) -> None:
    """The centre is newer than the laptops."""
    scope, now = story.rng.choice(("", REGENCY, laptop.village)), story.land.now_ms
    said = Later("baru", story.rng.randbytes(9), story.rng.randrange(1 << 60))

    def speak() -> None:
        with writing(story.land.centre.hub.engine) as connection:
            downlink.decide(connection, scope, said, now)

    story.attempt(None, speak)


def rotate_keys(story: Story, laptop: Laptop) -> None:
    centre = story.land.centre
    made = hub_config.load(centre.folder)
    change = keyring.Change(new_hub_key=True, new_intake=story.rng.choice((None, 1)))
    story.attempt(None, lambda: keyring.rotate(centre.hub.engine, made, None, change, story.land.now_ms))
    centre.start_again()


# Sticks.


def _stick(story: Story) -> Stick:
    return Stick(story.rng.choice(story.land.sticks))


def stick_to_village(story: Story, laptop: Laptop) -> None:
    stick = _stick(story)
    story.attempt(laptop, lambda: story.land.visit_village(laptop, stick))


def stick_to_centre(story: Story, laptop: Laptop) -> None:
    stick = _stick(story)
    story.attempt(None, lambda: story.land.visit_centre(stick))


def stick_suffers(story: Story, laptop: Laptop) -> None:
    """It was pulled too early, or a file on it is damaged, lost, or mixed with another by somebody who can't open either."""
    rng = story.rng
    files = sorted(path for path in rng.choice(story.land.sticks).rglob("*") if path.is_file())
    if files:
        path = rng.choice(files)
        data = path.read_bytes()
        match rng.randrange(5):
            case 0:
                path.write_bytes(data[: rng.randrange(len(data) + 1)])
            case 1:
                path.unlink()
            case 2:
                other, at = rng.choice(files).read_bytes(), rng.randrange(len(data) + 1)
                path.write_bytes(data[:at] + other[at:])
            case 3:
                other, at = rng.choice(files).read_bytes(), rng.randrange(200)
                mixed = (data[:at] + other[at:])[:-HASH]
                path.write_bytes(mixed + sha256(mixed))
            case _ if data:
                at = rng.randrange(len(data))
                path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def stick_is_copied(story: Story, laptop: Laptop) -> None:
    """What is on one stick lies on the other from now on, and comes twice, or late."""
    one, other = story.rng.sample(story.land.sticks, 2)
    shutil.rmtree(other)
    shutil.copytree(one, other)


def _officer(story: Story) -> int:
    return story.rng.randrange(len(story.land.desks))


def officer_collects(story: Story, laptop: Laptop) -> None:
    desk, stick = story.land.desks[_officer(story)], _stick(story)
    story.attempt(None, lambda: desk.collect(stick))


def officer_sends(story: Story, laptop: Laptop) -> None:
    desk = story.land.desks[_officer(story)]
    for act in (desk.send, desk.fetch, desk.bring_packs):
        story.attempt(None, act)


def officer_delivers(story: Story, laptop: Laptop) -> None:
    desk, stick = story.land.desks[_officer(story)], _stick(story)
    story.attempt(None, lambda: desk.deliver(stick))


def officer_cut(story: Story, laptop: Laptop) -> None:
    story.land.officer_is_cut(_officer(story))


def officer_lost(story: Story, laptop: Laptop) -> None:
    story.land.officer_is_lost(_officer(story))


def _rows(story: Story, query: Select[Any]) -> list[Any]:
    with reading(story.land.centre.hub.engine) as connection:
        return list(connection.execute(query).all())


WEIGHTS: Final = {
    replay: 3,
    hub_cut: 2,
    hub_cut_within: 4,
    hub_back_up: 3,
    hub_put_back: 2,
    pass_on: 4,
    nation_cut: 1,
    nation_back_up: 1,
    nation_put_back: 1,
    revoke: 1,
    let_in: 1,
    decide_quarantine: 1,
    merge_people: 1,
    separate_people: 1,
    erase_person: 1,
    rotate_keys: 1,
    speak_of_later_things: 1,
    stick_to_village: 6,
    stick_to_centre: 5,
    stick_suffers: 2,
    stick_is_copied: 1,
    officer_collects: 3,
    officer_sends: 3,
    officer_delivers: 3,
    officer_cut: 1,
    officer_lost: 1,
}
