"""The merged state is a function of the set of entries: not of order, batches, duplicates or the road."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from centre import made_hub
from device import Device
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from state import held, merged_state

from hub import merge, rebuilding, schema
from hub.wiring import Hub
from sync.entries import (
    ClockObserved,
    CourseCompleted,
    Entry,
    Kind,
    LessonOpened,
    LessonProgressed,
    ProfileChanged,
    QuestionAnswered,
    QuizSubmitted,
)
from sync.segment import Segment

small = st.integers(0, 3)
kinds = st.one_of(
    st.builds(LessonOpened, small, st.just(0), small, st.integers(0, 900)),
    st.builds(LessonProgressed, small, st.just(0), small, st.integers(0, 10_000), st.integers(0, 900)),
    st.builds(QuestionAnswered, small, st.just(0), small, small, small, st.booleans(), st.integers(0, 900)),
    st.builds(QuizSubmitted, small, st.just(0), small, st.integers(0, 10_000), st.integers(0, 900)),
    st.builds(CourseCompleted, small, st.just(0), small, st.integers(0, 900)),
    st.builds(ClockObserved, small, st.integers(0, 2**41), small),
    st.builds(ProfileChanged, small, st.binary(min_size=32, max_size=32)),
)
histories = st.lists(st.lists(kinds, min_size=1, max_size=6), min_size=1, max_size=6)


def state_after(device: Device, sent: Sequence[Segment], batches: random.Random) -> dict[str, object]:
    """The state of a new hub to which `sent` came, cut into requests at random."""
    with tempfile.TemporaryDirectory() as folder:
        hub = made_hub(Path(folder) / "hub")
        device.registered(hub)
        waiting = list(sent)
        while waiting:
            count = batches.randint(1, len(waiting))
            device.send(hub, *waiting[:count], merged=batches.random() < 0.7)
            waiting = waiting[count:]
        merge.merge_waiting(hub.engine)
        state = dict(merged_state(hub))
        rebuilding.everything(hub.engine)
        assert dict(merged_state(hub)) == state, "rebuilt state differs from the incremental one"
        hub.close()
        return state


def written(device: Device, history: Sequence[Sequence[Kind]]) -> None:
    for batch in history:
        device.seal(*batch)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, histories, st.integers(0, 2**32))
def test_order_batches_and_duplicates_make_no_difference(
    history: list[list[Kind]], other: list[list[Kind]], seed: int
) -> None:
    device = Device(3).open(people=4)
    written(device, history)
    clone = device.fork()
    written(device, other)
    written(clone, [*reversed(other), *history])
    everything = list({sealed.id: sealed for sealed in [*device.segments, *clone.segments]}.values())
    rng = random.Random(seed)
    shuffled = [*everything, *rng.choices(everything, k=len(everything))]
    rng.shuffle(shuffled)
    assert state_after(device, shuffled, rng) == state_after(device, everything, random.Random(0))


@pytest.mark.parametrize("seed", range(3))
def test_unknown_kinds_and_fields_are_kept_and_change_nothing_else(hub: Hub, seed: int) -> None:
    plain, odd = Device(4).open(), Device(4).open()
    answers = [QuestionAnswered(0, 0, 1, number, 1, True, 9) for number in range(1, 5)]
    plain.seal(*answers)
    base_t, entries = odd.t, []
    for kind in answers:
        odd.t += 1000
        entries.append(Entry(len(odd.entries) + len(entries), 11, odd.t, (*kind.fields(), "nanti", seed)))
    odd.seal_entries(entries, base_t)
    odd.seal_entries([Entry(len(odd.entries), 9996, odd.t, (0, b"masa depan", True))], odd.t)
    odd.registered(hub).send(hub)
    rows = merged_state(hub)["lesson_progress"]
    assert [(row[6], row[7]) for row in rows] == [(4, 4)]
    assert held(hub, schema.MERGED) == len(odd.entries)


def test_a_rebuild_gives_the_same_state(hub: Hub) -> None:
    device = Device(5).registered(hub).open(people=4)
    rng = random.Random(5)
    for _ in range(8):
        device.seal(
            *(
                QuizSubmitted(rng.randrange(4), 0, rng.randrange(3), rng.randrange(10_001))
                for _ in range(20)
            )
        )
    device.send(hub)
    before = merged_state(hub)
    assert rebuilding.everything(hub.engine) == len(device.entries)
    assert merged_state(hub) == before
