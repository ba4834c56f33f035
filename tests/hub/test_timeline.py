"""When courses were completed: dated once, the same in any order and after a rebuild, only where a clock can be believed."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from centre import made_hub
from device import VILLAGE, Device
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from test_identity import continuing, people_of
from test_pages import counted

from hub import figures, merge, rebuilding, schema, timeline
from hub.db import reading, writing
from hub.wiring import Hub
from sync.entries import AnchorNoted, ClockObserved, CourseCompleted, Kind, LessonProgressed

NOVEMBER = 1_794_000_000_000
"""6 November 2026."""
DAY_MS = 24 * 3600 * 1000


def at(hub: Hub, ms: int) -> None:
    hub.intake.now_ms = lambda: ms  # the hub's clock is passed in


def dated(hub: Hub) -> list[tuple[str, int | None, str]]:
    """(village, estimate, month) of everything completed, in the order of the people."""
    table = schema.completions.c
    query = select(table.village, table.completed_ms, table.month)
    query = query.join(schema.learners, schema.learners.c.pk == table.learner)
    with reading(hub.engine) as connection:
        return [tuple(row) for row in connection.execute(query.order_by(schema.learners.c.learner))]


def added_up(hub: Hub) -> set[tuple[object, ...]]:
    figures.refresh(hub.engine)
    with reading(hub.engine) as connection:
        return {tuple(row) for row in connection.execute(select(schema.summaries))}


def months(hub: Hub) -> list[str]:
    return [month for _village, _ms, month in dated(hub)]


def sent(hub: Hub, *kinds: Kind, received: int = NOVEMBER) -> Device:
    at(hub, received)
    device = Device(1).open().registered(hub, VILLAGE)
    device.seal(*kinds)
    device.send(hub)
    return device


def test_a_completion_is_dated_by_the_device_s_clock(hub: Hub) -> None:
    sent(hub, ClockObserved(1, NOVEMBER - 20 * DAY_MS, 0), CourseCompleted(0, 0, 2))
    assert dated(hub) == [(VILLAGE, NOVEMBER - 20 * DAY_MS + 1000, "2026-10")]


@pytest.mark.parametrize(
    "said",
    [
        [],
        [ClockObserved(1, 0, 0)],
        [ClockObserved(1, NOVEMBER + 40 * DAY_MS, 0)],
        [AnchorNoted(b"x" * 32, (NOVEMBER - 40 * DAY_MS) // 1000)],
    ],
    ids=["no clock", "a clock without a battery", "a clock that is ahead", "an anchor of long ago"],
)
def test_without_a_clock_that_can_be_believed_there_is_no_month(hub: Hub, said: list[Kind]) -> None:
    sent(hub, *said, CourseCompleted(0, 0, 2))
    assert months(hub) == [""]


def test_two_bounds_in_one_month_are_as_good_as_a_clock(hub: Hub) -> None:
    sent(hub, AnchorNoted(b"x" * 32, (NOVEMBER - 2 * DAY_MS) // 1000), CourseCompleted(0, 0, 2))
    assert months(hub) == ["2026-11"]


def test_months_are_those_of_the_village_s_zone() -> None:
    last_hour = 1_793_458_800_000  # 31 October 2026, 15.00 UTC
    assert timeline.month_of(last_hour, "17.05.10.2007") == "2026-10"
    assert timeline.month_of(last_hour, "91.03.01.2001") == "2026-11"


def test_completing_again_changes_nothing(hub: Hub) -> None:
    device = sent(hub, ClockObserved(1, NOVEMBER, 0), CourseCompleted(0, 0, 2))
    before = dated(hub)
    device.seal(ClockObserved(2, NOVEMBER + 40 * DAY_MS, 0), CourseCompleted(0, 0, 2))
    at(hub, NOVEMBER + 50 * DAY_MS)
    device.send(hub)
    assert dated(hub) == before


def test_what_a_forked_log_says_is_dated_no_more(hub: Hub) -> None:
    device = sent(hub, ClockObserved(1, NOVEMBER - DAY_MS, 0), CourseCompleted(0, 0, 2))
    assert months(hub) == ["2026-11"]
    clone = device.fork()
    device.seal(LessonProgressed(1, 0, 1, 5_000, 60))
    clone.seal(CourseCompleted(1, 0, 2))
    device.send(hub)
    clone.send(hub)
    assert dated(hub) == [(VILLAGE, None, "")] * 2
    rebuilding.everything(hub.engine)
    assert dated(hub) == [(VILLAGE, None, "")] * 2


def test_a_device_that_moves_takes_its_completions_along(hub: Hub) -> None:
    sent(hub, CourseCompleted(0, 0, 2))
    with writing(hub.engine) as connection:
        device = connection.execute(select(schema.devices.c.pk)).scalar_one()
        timeline.move(connection, device, "17.05.01.2001")
    assert [village for village, _, _ in dated(hub)] == ["17.05.01.2001"]


def test_each_identity_has_its_own_row_and_the_pages_join_them(hub: Hub) -> None:
    at(hub, NOVEMBER)
    device = sent(hub, CourseCompleted(0, 0, 2))
    other = continuing(Device(2), people_of(device)[0]).registered(hub, VILLAGE)
    other.seal(CourseCompleted(0, 0, 2))
    other.send(hub)
    assert len(dated(hub)) == 2


def test_learning_on_costs_no_statement_for_completions(hub: Hub) -> None:
    device = sent(hub, CourseCompleted(0, 0, 2))
    device.seal(LessonProgressed(1, 0, 1, 5_000, 60))
    with counted(hub) as statements:
        device.send(hub)
    assert not [statement for statement in statements if statement.startswith("INSERT INTO completions")]


steps = st.lists(
    st.one_of(
        st.builds(CourseCompleted, st.integers(0, 3), st.just(0), st.just(2)),
        st.builds(ClockObserved, st.just(1), st.integers(NOVEMBER - 90 * DAY_MS, NOVEMBER), st.just(0)),
        st.builds(AnchorNoted, st.just(b"x" * 32), st.integers(NOVEMBER // 1000 - 10**7, NOVEMBER // 1000)),
        st.builds(LessonProgressed, st.integers(0, 3), st.just(0), st.just(1), st.just(500)),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=1, max_size=6), st.integers(0, 2**32))
def test_dates_do_not_depend_on_the_order_of_merging(history: list[list[Kind]], seed: int) -> None:
    """All segments come in one second, so that only order, cuts and repetitions differ."""
    device, rng = Device(3).open(people=4), random.Random(seed)
    for batch in history:
        device.seal(*batch)
    states = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            hub = made_hub(Path(folder) / "hub")
            at(hub, NOVEMBER)
            device.registered(hub)
            mixed = [*device.segments, *rng.choices(device.segments, k=3)]
            rng.shuffle(mixed)
            for segment in mixed:
                device.send(hub, segment, merged=rng.random() < 0.7)
            merge.merge_waiting(hub.engine)
            states.append((dated(hub), added_up(hub)))
            rebuilding.everything(hub.engine)
            states.append((dated(hub), added_up(hub)))
            hub.close()
    assert all(state == states[0] for state in states)
