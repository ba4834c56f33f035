"""Who is one person: joined and parted in any order to the same, undone exactly, erased for good."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from centre import made_hub
from device import COURSE, VILLAGE, Device
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from state import said

from hub import identity, rebuilding, schema
from hub.db import reading, writing
from hub.errors import NotFoundError
from hub.wiring import Hub
from sync.decisions import LearnersMerged, LearnersSeparated, PersonalDataErased
from sync.entries import LearnerContinued, LogOpened, PackInstalled, ProfileChanged, QuestionAnswered
from sync.profile import Profile, learner_id
from sync.sealing import sealing_public

NOW = 1_772_413_200_000
OTHER_VILLAGE = "17.05.11.2001"


def people_of(device: Device) -> list[bytes]:
    return [learner_id(device.log, profile.commitment) for profile in device.profiles]


def persons(hub: Hub) -> set[frozenset[bytes]]:
    """Everybody, as the groups of identities that are one person."""
    groups: dict[int, set[bytes]] = {}
    with reading(hub.engine) as connection:
        table = schema.learners.c
        for identity_, person in connection.execute(select(table.learner, table.person)):
            groups.setdefault(person, set()).add(bytes(identity_))
        shown = dict(connection.execute(select(table.pk, table.learner)).all())
    for person, group in groups.items():
        assert bytes(shown[person]) == min(group), "pages speak of the smallest identity"
    return {frozenset(group) for group in groups.values()}


def continuing(device: Device, *identities: bytes) -> Device:
    """Another log in which these people go on."""
    opened = LogOpened(1, device.key.public, sealing_public(bytes(32)), device.rng.randbytes(16), 4, b"")
    device.seal(opened, PackInstalled(*COURSE), *map(LearnerContinued, identities))
    return device


@pytest.fixture(scope="module")
def six() -> Iterator[tuple[Hub, list[bytes]]]:
    """A hub with six people of one log; each test leaves decisions behind and clears them first."""
    with tempfile.TemporaryDirectory() as folder:
        hub = made_hub(Path(folder) / "hub")
        device = Device(1).registered(hub).open(people=6)
        device.send(hub)
        yield hub, people_of(device)
        hub.close()


def cleared(hub: Hub) -> None:
    with writing(hub.engine) as connection:
        connection.execute(delete(schema.same_person))
        connection.execute(update(schema.learners).values(person=schema.learners.c.pk))


pairs = st.sampled_from(list(itertools.combinations(range(6), 2)))


@settings(max_examples=20, deadline=None)
@given(st.lists(pairs, max_size=6), st.randoms(use_true_random=False))
def test_joining_makes_the_same_persons_in_every_order(
    six: tuple[Hub, list[bytes]], joined: list[tuple[int, int]], rng: random.Random
) -> None:
    hub, people = six
    states = []
    for order in (joined, rng.sample(joined, len(joined))):
        cleared(hub)
        for one, other in order:
            one, other = rng.sample([one, other], 2)
            identity.merge(hub.engine, people[one], people[other], NOW)
        states.append(persons(hub))
    assert states[0] == states[1] == groups_of(people, joined)


def groups_of(people: Sequence[bytes], joined: Sequence[tuple[int, int]]) -> set[frozenset[bytes]]:
    groups = [{person} for person in people]
    for one, other in joined:
        first = next(group for group in groups if people[one] in group)
        second = next(group for group in groups if people[other] in group)
        if first is not second:
            groups.remove(second)
            first |= second
    return {frozenset(group) for group in groups}


@settings(max_examples=20, deadline=None)
@given(st.lists(pairs, max_size=5, unique=True), pairs)
def test_parting_restores_exactly_what_was_before(
    six: tuple[Hub, list[bytes]], joined: list[tuple[int, int]], last: tuple[int, int]
) -> None:
    hub, people = six
    cleared(hub)
    before = [pair for pair in joined if pair != last]
    for one, other in before:
        identity.merge(hub.engine, people[one], people[other], NOW)
    expected = persons(hub)
    identity.merge(hub.engine, people[last[0]], people[last[1]], NOW)
    assert persons(hub) == groups_of(people, [*before, last])
    identity.separate(hub.engine, people[last[1]], people[last[0]], NOW)
    assert persons(hub) == expected


def test_a_laptop_of_the_same_village_that_continues_somebody_joins_them(hub: Hub) -> None:
    first, second = Device(1).registered(hub).open(), Device(2).registered(hub)
    siti, budi = people_of(first)
    first.send(hub)
    continuing(second, siti).send(hub)
    here = learner_id(second.log, siti)
    assert persons(hub) == {frozenset({siti, here}), frozenset({budi})}


def test_the_log_that_is_continued_may_come_later(hub: Hub) -> None:
    first, second = Device(1).registered(hub).open(), Device(2).registered(hub)
    siti, budi = people_of(first)
    continuing(second, siti).send(hub)
    assert len(persons(hub)) == 1
    first.send(hub)
    assert persons(hub) == {frozenset({siti, learner_id(second.log, siti)}), frozenset({budi})}


def test_a_claim_to_continue_somebody_of_another_village_joins_nobody(hub: Hub) -> None:
    first, second = Device(1).registered(hub).open(), Device(2).registered(hub, OTHER_VILLAGE)
    siti, _ = people_of(first)
    first.send(hub)
    continuing(second, siti).send(hub)
    assert len(persons(hub)) == 3
    identity.merge(hub.engine, siti, learner_id(second.log, siti), NOW)
    assert frozenset({siti, learner_id(second.log, siti)}) in persons(hub), "an operator may"
    assert said(hub, OTHER_VILLAGE)[-1] == said(hub, VILLAGE)[-1]


def test_an_operator_s_word_stands_above_what_logs_say(hub: Hub) -> None:
    first, second = Device(1).registered(hub).open(), Device(2).registered(hub)
    siti, budi = people_of(first)
    first.send(hub)
    continuing(second, siti).send(hub)
    here = learner_id(second.log, siti)
    identity.separate(hub.engine, here, siti, NOW)
    assert persons(hub) == {frozenset({siti}), frozenset({here}), frozenset({budi})}
    third = Device(3).registered(hub)
    continuing(third, here).send(hub)
    assert frozenset({here, learner_id(third.log, here)}) in persons(hub)
    identity.merge(hub.engine, here, siti, NOW)
    assert len(persons(hub)) == 2


def test_a_chain_of_laptops_is_one_person_and_comes_apart_in_the_middle(hub: Hub) -> None:
    devices = [Device(number).registered(hub) for number in range(1, 5)]
    devices[0].open(people=1).send(hub)
    chain = [people_of(devices[0])[0]]
    for device in devices[1:]:
        continuing(device, chain[-1]).send(hub)
        chain.append(learner_id(device.log, chain[-1]))
    assert persons(hub) == {frozenset(chain)}
    identity.separate(hub.engine, chain[1], chain[2], NOW)
    assert persons(hub) == {frozenset(chain[:2]), frozenset(chain[2:])}


def test_the_villages_are_told(hub: Hub) -> None:
    device = Device(1).registered(hub).open()
    device.send(hub)
    one, other = sorted(people_of(device))
    identity.merge(hub.engine, other, one, NOW)
    identity.separate(hub.engine, other, one, NOW)
    assert said(hub, VILLAGE)[-2:] == [LearnersMerged(one, other), LearnersSeparated(one, other)]


def test_somebody_who_isn_t_known_can_t_be_joined(hub: Hub) -> None:
    device = Device(1).registered(hub).open()
    device.send(hub)
    siti, _ = people_of(device)
    for pair in ((siti, bytes(16)), (siti, siti)):
        with pytest.raises(NotFoundError):
            identity.merge(hub.engine, *pair, NOW)
    with pytest.raises(NotFoundError):
        identity.erase(hub.engine, bytes(16), NOW)


def test_progress_stays_with_each_identity(hub: Hub) -> None:
    device = Device(1).registered(hub).open()
    device.seal(QuestionAnswered(0, 0, 1, 1, 1, True, 5), QuestionAnswered(1, 0, 1, 1, 1, True, 5))
    device.send(hub)
    with reading(hub.engine) as connection:
        before = connection.execute(select(schema.lesson_progress)).all()
    identity.merge(hub.engine, *people_of(device), NOW)
    with reading(hub.engine) as connection:
        assert connection.execute(select(schema.lesson_progress)).all() == before


def test_a_rebuild_keeps_what_operators_decided(hub: Hub) -> None:
    first, second = Device(1).registered(hub).open(people=3), Device(2).registered(hub)
    first.send(hub)
    siti, budi, joko = people_of(first)
    continuing(second, siti, budi).send(hub)
    identity.merge(hub.engine, budi, joko, NOW)
    identity.separate(hub.engine, siti, learner_id(second.log, siti), NOW)
    before = persons(hub)
    assert len(before) == 3
    rebuilding.everything(hub.engine)
    assert persons(hub) == before


def profiles_at(hub: Hub) -> set[bytes]:
    with reading(hub.engine) as connection:
        return {
            bytes(commitment)
            for commitment in connection.execute(select(schema.profiles.c.commitment)).scalars()
        }


def test_erasing_takes_every_profile_of_the_person_and_nobody_else_s(hub: Hub) -> None:
    first, second = Device(1).registered(hub).open(), Device(2).registered(hub)
    siti, _ = people_of(first)
    later = Profile(b"later".ljust(16), "Siti A.", "Kaur Keuangan")
    first.profiles.append(later)
    first.seal(ProfileChanged(0, later.commitment), QuestionAnswered(0, 0, 1, 1, 1, True, 5))
    first.send(hub)
    continuing(second, siti).send(hub)
    here = learner_id(second.log, siti)
    renamed = Profile(b"there".ljust(16), "Bu Siti", "Kaur Keuangan")
    second.profiles.append(renamed)
    second.seal(ProfileChanged(0, renamed.commitment))
    second.send(hub)
    assert len(profiles_at(hub)) == 4
    assert identity.erase(hub.engine, here, NOW) == 3
    assert profiles_at(hub) == {first.profiles[1].commitment}
    told = {kind.commitment for kind in said(hub, VILLAGE) if isinstance(kind, PersonalDataErased)}
    assert told == {first.profiles[0].commitment, later.commitment, renamed.commitment}
    with reading(hub.engine) as connection:
        assert connection.execute(select(schema.lesson_progress.c.answers)).scalars().all() == [1]


def test_erasure_wins_over_what_comes_later_again(hub: Hub) -> None:
    device = Device(1).registered(hub).open()
    device.send(hub)
    siti, _ = people_of(device)
    identity.erase(hub.engine, siti, NOW)
    left = {device.profiles[1].commitment}
    device.send(hub)
    assert profiles_at(hub) == left
    clone = device.fork()
    clone.seal(QuestionAnswered(0, 0, 1, 1, 1, True, 5))
    clone.send(hub)
    rebuilding.everything(hub.engine)
    assert profiles_at(hub) == left
    assert identity.erase(hub.engine, siti, NOW) == 1, "it is still known what was erased, and said again"


def test_a_rebuild_keeps_a_pair_that_only_an_operator_joined(hub: Hub) -> None:
    device = Device(1).registered(hub).open()
    device.send(hub)
    identity.merge(hub.engine, *people_of(device), NOW)
    rebuilding.everything(hub.engine)
    assert persons(hub) == {frozenset(people_of(device))}


def test_a_new_name_from_before_the_village_heard_of_the_erasure_is_erased_too(hub: Hub) -> None:
    device = Device(1).registered(hub).open()
    device.send(hub)
    identity.erase(hub.engine, people_of(device)[0], 1)
    renamed = Profile.make(device.rng.randbytes, "Nama Baru", "Kaur Keuangan")
    device.profiles.append(renamed)
    device.seal(ProfileChanged(0, renamed.commitment))
    device.send(hub)
    assert renamed.commitment not in profiles_at(hub)
    rebuilding.everything(hub.engine)
    assert renamed.commitment not in profiles_at(hub)
    erasures = [one for one in said(hub, VILLAGE) if isinstance(one, PersonalDataErased)]
    assert PersonalDataErased(renamed.commitment) in erasures
    assert len(erasures) == len(set(erasures)), "said once"
