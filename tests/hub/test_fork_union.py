"""A copied or restored disk seals again what it had recorded: entries that branches share count once, in every order."""

from __future__ import annotations

import itertools
import random
import tempfile
from pathlib import Path

import pytest
from centre import made_hub
from device import COURSE, Device
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from state import merged_state

from hub import merge, rebuilding, schema
from hub.db import reading
from hub.wiring import Hub
from sync import segment
from sync.entries import (
    Entry,
    Kind,
    LearnerContinued,
    LessonOpened,
    LogOpened,
    PackInstalled,
    ProfileChanged,
    QuestionAnswered,
    QuizSubmitted,
)
from sync.profile import learner_id
from sync.segment import Segment

small = st.integers(0, 1)
kinds = st.one_of(
    st.builds(LessonOpened, small, st.just(0), small, st.integers(0, 900)),
    st.builds(QuestionAnswered, small, st.just(0), small, small, small, st.booleans(), st.integers(0, 900)),
    st.builds(QuizSubmitted, small, st.just(0), small, st.integers(0, 10_000), st.integers(0, 900)),
)
work = st.lists(kinds, min_size=1, max_size=8)
cuts = st.sets(st.integers(1, 9), max_size=3)


def timed(device: Device, recorded: list[Kind], step: int) -> list[Entry]:
    first = len(device.entries)
    return [
        Entry(first + at, kind.number, device.t + step * (at + 1), kind.fields())
        for at, kind in enumerate(recorded)
    ]


def sealed_in(device: Device, entries: list[Entry], at: set[int]) -> list[Segment]:
    """`entries` after what `device` had, in segments cut at these places."""
    made: list[Segment] = []
    index, previous, base_t = device.tip.index, device.tip.id, device.t
    edges = [0, *sorted(place for place in at if place < len(entries)), len(entries)]
    for start, stop in itertools.pairwise(edges):
        piece = entries[start:stop]
        if piece:
            index += 1
            sealed = segment.seal(device.key, device.log, index, previous, piece, base_t)
            previous, base_t = sealed.id, piece[-1].t
            made.append(sealed)
    return made


def state_of(hub: Hub, device: Device, order: list[Segment]) -> dict[str, object]:
    device.registered(hub)
    for sent in order:
        device.send(hub, sent)
    state = {
        name: rows
        for name, rows in merged_state(hub).items()
        if name in ("lesson_progress", "course_progress")
    }
    rebuilding.everything(hub.engine)
    again = merged_state(hub)
    assert {name: again[name] for name in state} == state, "a rebuild gives the same"
    return dict(state)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(work, work, work, cuts, cuts, st.integers(0, 2**32))
def test_what_two_branches_share_counts_once_in_every_order(
    shared: list[Kind], one: list[Kind], other: list[Kind], cut: set[int], other_cut: set[int], seed: int
) -> None:
    device = Device(11).open()
    common = timed(device, shared, 1000)

    def branch(own: list[Kind], step: int, cut: set[int]) -> tuple[list[Segment], list[Entry]]:
        last = common[-1]
        rest = [
            Entry(last.seq + 1 + at, kind.number, last.t + step * (at + 1), kind.fields())
            for at, kind in enumerate(own)
        ]
        return sealed_in(device, common + rest, cut), common + rest

    first, first_entries = branch(one, 1003, cut)
    second, second_entries = branch(other, 1007, other_cut)
    opening = list(device.segments)
    everything = list({sealed.id: sealed for sealed in [*opening, *first, *second]}.values())
    rng = random.Random(seed)
    orders = [everything, [*opening, *second, *first], rng.sample(everything, len(everything))]
    states = []
    for order in orders:
        with tempfile.TemporaryDirectory() as folder:
            hub = made_hub(Path(folder) / "hub")
            states.append(state_of(hub, device, order))
            hub.close()
    assert states[0] == states[1] == states[2]
    counted = {entry for entry in first_entries + second_entries if entry.kind == QuestionAnswered.number}
    assert sum(row[6] for row in states[0]["lesson_progress"]) == len(counted)  # type: ignore[attr-defined]


def answers(count: int, first: int = 0) -> list[Kind]:
    return [
        QuestionAnswered(at % 2, 0, 1, 1 + at, at % 3, at % 2 == 0, 5) for at in range(first, first + count)
    ]


def total(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return sum(connection.execute(select(schema.lesson_progress.c.answers)).scalars())


@pytest.mark.parametrize("order", range(4))
def test_a_restored_disk_that_sealed_its_waiting_entries_again(hub: Hub, order: int) -> None:
    device = Device(12).open().registered(hub)
    waiting = timed(device, answers(6), 1000)
    lost = [
        Entry(waiting[-1].seq + 1 + at, kind.number, waiting[-1].t + 500 * (at + 1), kind.fields())
        for at, kind in enumerate(answers(3, 6))
    ]
    before = sealed_in(device, waiting + lost, {4})
    after = sealed_in(device, waiting, set())
    sent = [
        [*before, *after],
        [*after, *before],
        [before[0], after[0], before[1]],
        [before[1], *after, before[0]],
    ]
    device.send(hub)
    for one in sent[order]:
        device.send(hub, one)
    assert total(hub) == 9


def test_the_same_entry_twice_on_one_path_would_be_two(hub: Hub) -> None:
    """Only what has the same number is the same entry: two equal answers count twice."""
    device = Device(13).open().registered(hub)
    device.seal(*answers(1), *answers(1))
    device.send(hub)
    assert total(hub) == 2


def test_entries_with_the_same_number_that_differ_are_two(hub: Hub) -> None:
    device = Device(14).open().registered(hub)
    clone = device.fork()
    device.seal(QuestionAnswered(0, 0, 1, 1, 1, True, 5))
    clone.seal(QuestionAnswered(0, 0, 1, 1, 2, False, 5))
    device.send(hub)
    clone.send(hub)
    assert total(hub) == 2


def test_three_branches_over_each_other(hub: Hub) -> None:
    device = Device(15).open().registered(hub)
    waiting = timed(device, answers(9), 1000)
    branches = [
        sealed_in(device, waiting[:count], cut) for count, cut in ((9, {2, 5}), (7, {3}), (5, set()))
    ]
    device.send(hub)
    for branch in reversed(branches):
        device.send(hub, *branch)
    assert total(hub) == 9
    rebuilding.everything(hub.engine)
    assert total(hub) == 9


@pytest.mark.parametrize("swapped", [False, True])
def test_branches_that_are_merged_at_once_give_their_people_numbers_of_their_own(
    hub: Hub, swapped: bool
) -> None:
    """Two copies of a laptop each introduced people after the fork. Merged in one transaction, as a rebuild does, the second
    branch once began with the people of the first, and its answers counted for somebody else (simulation, seed 227).
    """
    device = Device(11).open(people=0).registered(hub)
    copy = device.fork()
    copy.rng = random.Random(12)
    for one, seconds in ((device, 5), (copy, 7)):
        one.seal(one.person(), one.person(), QuestionAnswered(1, 0, 1, 1, 0, True, seconds))
    both = [device, copy]
    for one in reversed(both) if swapped else both:
        one.send(hub, merged=False)
    merge.merge_waiting(hub.engine)
    at_once = counted(hub)
    assert at_once == {
        learner_id(one.log, one.profiles[1].commitment): seconds
        for one, seconds in ((device, 5), (copy, 7))
    }
    rebuilding.everything(hub.engine)
    assert counted(hub) == at_once


def counted(hub: Hub) -> dict[bytes, int]:
    """Seconds by learner."""
    learners, progress = schema.learners, schema.lesson_progress.c
    query = select(learners.c.learner, progress.seconds).join(
        schema.lesson_progress, progress.learner == learners.c.pk
    )
    with reading(hub.engine) as connection:
        return {bytes(learner): seconds for learner, seconds in connection.execute(query)}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_is_continued_on_two_branches_has_the_last_profile_in_every_order(
    hub: Hub, order: tuple[int, int]
) -> None:
    """What the branch that came first said weighed more than a change on the other (simulation, seed 1607)."""
    origin = Device(1).registered(hub).open()
    device = Device(2).registered(hub)
    device.seal(LogOpened(1, device.key.public, bytes(32), bytes(16), 2, b""), PackInstalled(*COURSE))
    siti = learner_id(origin.log, origin.profiles[0].commitment)
    early, late = device.fork(), device.fork()
    changed = early.person().commitment
    early.seal(LearnerContinued(siti))
    early.seal(ProfileChanged(0, changed))
    late.seal(*(LogOpened(1, device.key.public, bytes(32), bytes([at] * 16), 2, b"") for at in range(9)))
    late.seal(LearnerContinued(siti))
    origin.send(hub)
    device.send(hub)
    for at in order:
        (early, late)[at].send(hub)
    query = select(schema.learners.c.commitment).where(
        schema.learners.c.learner == learner_id(device.log, siti)
    )
    with reading(hub.engine) as connection:
        assert connection.execute(query).scalar_one() == changed
    before = merged_state(hub)
    rebuilding.everything(hub.engine)
    assert merged_state(hub) == before
