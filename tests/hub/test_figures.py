"""Sums a village: exact at any moment, whatever was merged since they were made, and whoever is one person with whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from centre import made_hub
from device import COURSE, VILLAGE, Device
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select
from test_certificate_rules import known_course
from test_pages_people import two_villages
from test_pages_road import NEXT_DOOR, person

from hub import figures, identity, overview, rebuilding, schema, stale
from hub.db import open_engine, reading, upgrade, upgrade_within, writing
from hub.queries import courses, regions
from hub.wiring import Hub, now_ms
from sync.entries import CourseCompleted, LessonProgressed, QuizSubmitted

FAR = "17.05.11.2001"


def counted(hub: Hub) -> dict[str, object]:
    """What pages say."""
    with reading(hub.engine) as connection:
        key = COURSE[0]
        (course,) = courses.listed(connection)
        return {
            "front": overview.figures(connection),
            "regency": regions.tallies(connection, "17", 5),
            "districts": regions.tallies(connection, "17.05", 8),
            "villages": regions.tallies(connection, "17.05.10", 13),
            "course": course,
            "by village": sorted(courses.by_village(connection, key, 10, 0), key=lambda row: row.village),
            "number": courses.count_villages(connection, key),
        }


def marked(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return connection.execute(select(func.count()).select_from(schema.stale_villages)).scalar_one()


def summed(hub: Hub) -> dict[str, object]:
    """What pages say when every sum has just been made."""
    figures.refresh(hub.engine)
    assert marked(hub) == 0
    return counted(hub)


def anew(hub: Hub) -> dict[str, object]:
    """What pages say when they trust no sum."""
    with writing(hub.engine) as connection:
        stale.mark(connection, (VILLAGE, NEXT_DOOR, FAR))
    return counted(hub)


def test_pages_say_the_same_from_sums_and_from_people(hub: Hub) -> None:
    here, there = two_villages(hub)
    first = counted(hub)
    assert marked(hub) > 0
    assert summed(hub) == first == anew(hub)
    identity.merge(hub.engine, person(here, 0), person(there, 0), now_ms())
    joined = counted(hub)
    assert joined != first
    assert summed(hub) == joined == anew(hub)
    identity.separate(hub.engine, person(here, 0), person(there, 0), now_ms())
    assert summed(hub) == first == anew(hub)


def test_what_is_merged_after_the_sums_were_made_counts_at_once(hub: Hub) -> None:
    here, _ = two_villages(hub)
    before = summed(hub)
    here.seal(LessonProgressed(1, 0, 1, 10_000, 30), CourseCompleted(1, 0, 9))
    here.send(hub)
    assert marked(hub) == 1
    after = counted(hub)
    assert after != before
    assert summed(hub) == after


def test_a_rebuild_makes_the_same_sums(hub: Hub) -> None:
    here, there = two_villages(hub)
    identity.merge(hub.engine, person(here, 0), person(there, 0), now_ms())
    before = summed(hub)
    rebuilding.everything(hub.engine)
    assert marked(hub) == 0
    assert counted(hub) == before


def test_marking_again_and_again_is_one_mark(hub: Hub) -> None:
    two_villages(hub)
    for _ in range(3):
        with writing(hub.engine) as connection:
            stale.mark(connection, (VILLAGE, VILLAGE))
    assert marked(hub) == 2


def test_many_marked_villages_are_summed_in_one_go_behind_an_intake(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_villages(hub)
    anew(hub)
    figures.keep_up(hub.engine)
    assert marked(hub) == 3, "few are left to the pages"
    monkeypatch.setattr(figures, "MARKED_MOST", 2)
    figures.keep_up(hub.engine)
    assert marked(hub) == 0


def test_while_sums_are_made_nothing_that_is_merged_meanwhile_is_lost(hub: Hub) -> None:
    """The mark of a transaction that isn't over yet is neither taken nor lost."""
    if hub.engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets one transaction write at a time")
    two_villages(hub)
    with writing(hub.engine) as connection:
        stale.mark(connection, (VILLAGE,))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(figures.refresh, hub.engine).result(timeout=30) == 1, "the other village's"
    assert marked(hub) == 1


def test_an_older_database_learns_which_lessons_are_tests(hub: Hub, tmp_path: Path) -> None:
    _key, manifest_hash = known_course(hub, tmp_path / "course")
    with writing(hub.engine) as connection:
        (course,) = connection.execute(select(schema.courses)).all()
    older = open_engine(f"sqlite:///{tmp_path / 'older.db'}")
    with writing(older) as connection:
        upgrade_within(connection, "0008")
        connection.execute(insert(schema.courses).values(**course._mapping))
    upgrade(older)
    with reading(older) as connection:
        rows = connection.execute(select(schema.test_lessons)).all()
    older.dispose()
    assert [(bytes(row.manifest_hash), row.lesson, row.is_after) for row in rows] == [(manifest_hash, 2, 1)]


def test_a_page_takes_the_same_statements_with_and_without_marks(hub: Hub) -> None:
    from test_pages import counted as statements_of

    two_villages(hub)
    numbers = []
    for _ in range(2):
        with statements_of(hub) as statements:
            counted(hub)
        numbers.append(len(statements))
        figures.refresh(hub.engine)
    assert numbers[0] == numbers[1]
    with statements_of(hub) as statements, reading(hub.engine) as connection:
        regions.tallies(connection, "", 2)
    assert len(statements) <= 7


acts = st.lists(
    st.one_of(
        st.tuples(st.just("learn"), st.integers(0, 2), st.integers(0, 1)),
        st.tuples(st.just("complete"), st.integers(0, 2), st.integers(0, 1)),
        st.tuples(st.just("merge"), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("separate"), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("refresh"), st.just(0), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_in_whatever_order_things_happen_sums_and_people_agree(
    tmp_path_factory: pytest.TempPathFactory, order: list[tuple[str, int, int]]
) -> None:
    hub = made_hub(tmp_path_factory.mktemp("hub") / "hub")
    places = (VILLAGE, NEXT_DOOR, FAR)
    devices = [Device(seed).open(2).registered(hub, place) for seed, place in enumerate(places, 1)]
    for device in devices:
        device.seal(LessonProgressed(0, 0, 1, 10_000, 9))
        device.send(hub)
    for act, one, other in order:
        if act == "learn":
            devices[one].seal(QuizSubmitted(other, 0, 2, 7_000 + one, 1))
            devices[one].send(hub)
        elif act == "complete":
            devices[one].seal(CourseCompleted(other, 0, 2))
            devices[one].send(hub)
        elif act == "refresh":
            figures.refresh(hub.engine)
        elif one != other:
            decide = identity.merge if act == "merge" else identity.separate
            decide(hub.engine, person(devices[one], 0), person(devices[other], 0), now_ms())
    now = counted(hub)
    assert summed(hub) == now == anew(hub)
    hub.close()
