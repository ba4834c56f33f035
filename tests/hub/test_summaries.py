"""What villages have learned, added up: always what the tables of progress say, after every way in which those change."""

from __future__ import annotations

from typing import Any

from device import VILLAGE, Device
from sqlalchemy import select
from test_identity import people_of
from test_pages_summary import COURSE, ENVELOPE, NEIGHBOUR, both_tests, learning, nation_in_small
from test_timeline import NOVEMBER, at

from hub import courses, figures, identity, rebuilding, schema, summaries
from hub.db import reading, writing
from hub.schema_summaries import EVERYBODY
from hub.wiring import Hub
from sync.entries import CourseCompleted, PackInstalled
from sync.keys import sha256


def rows(hub: Hub) -> set[tuple[Any, ...]]:
    figures.refresh(hub.engine)
    with reading(hub.engine) as connection:
        return {
            tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
            for row in connection.execute(select(schema.summaries))
        }


def people(hub: Hub, course_key: bytes = EVERYBODY) -> dict[str, int]:
    """How many people each village has, or has in a course."""
    table = schema.summaries.c
    found: dict[str, int] = {}
    figures.refresh(hub.engine)
    with reading(hub.engine) as connection:
        query = select(table.village, table.people).where(table.course_key == course_key)
        for village, count in connection.execute(query):
            found[village] = found.get(village, 0) + count
    return found


def test_a_rebuild_arrives_at_the_same_rows(hub: Hub) -> None:
    nation_in_small(hub)
    before = rows(hub)
    assert before
    rebuilding.everything(hub.engine)
    assert rows(hub) == before


def test_adding_up_again_changes_nothing(hub: Hub) -> None:
    nation_in_small(hub)
    before = rows(hub)
    with writing(hub.engine) as connection:
        summaries.refresh(connection, {VILLAGE, NEIGHBOUR, "17.05.01.2002"})
    assert rows(hub) == before


def test_a_course_that_becomes_known_later_has_its_tests_at_once(hub: Hub) -> None:
    at(hub, NOVEMBER)
    device = Device(1).open().registered(hub, VILLAGE)
    device.seal(PackInstalled(COURSE, sha256(ENVELOPE), 1), *both_tests(0, 4_000, 9_000))
    device.send(hub)
    table = schema.summaries.c
    query = select(table.paired, table.before_sum, table.after_sum).where(table.course_key == COURSE)
    figures.refresh(hub.engine)
    with reading(hub.engine) as connection:
        assert tuple(connection.execute(query).one()) == (0, 0, 0)
    courses.note(hub.engine, ENVELOPE)
    figures.refresh(hub.engine)
    with reading(hub.engine) as connection:
        assert tuple(connection.execute(query).one()) == (1, 4_000, 9_000)


def test_a_person_of_two_villages_counts_in_one_and_separating_undoes_it(hub: Hub) -> None:
    at(hub, NOVEMBER)
    one = learning(hub, 1, VILLAGE, *both_tests(0, 4_000, 6_000), CourseCompleted(0, 1, 3), people=1)
    other = learning(hub, 2, NEIGHBOUR, *both_tests(0, 3_000, 8_000), CourseCompleted(0, 1, 3), people=1)
    before = rows(hub)
    assert people(hub) == people(hub, COURSE) == {VILLAGE: 1, NEIGHBOUR: 1}
    pair = people_of(one)[0], people_of(other)[0]
    identity.merge(hub.engine, *pair, NOVEMBER)
    here = VILLAGE if pair[0] < pair[1] else NEIGHBOUR
    assert people(hub) == people(hub, COURSE) == {here: 1}
    # What the other device records still counts with this person.
    merged = rows(hub)
    other.seal(*both_tests(0, 3_000, 10_000))
    other.send(hub)
    assert rows(hub) != merged
    assert people(hub, COURSE) == {here: 1}
    rebuilding.everything(hub.engine)
    assert people(hub, COURSE) == {here: 1}
    identity.separate(hub.engine, *pair, NOVEMBER)
    assert {row[0] for row in rows(hub)} == {row[0] for row in before}


def test_scores_that_no_honest_device_records_break_nothing(hub: Hub) -> None:
    learning(
        hub, 1, VILLAGE, *both_tests(0, (1 << 31) - 1, (1 << 31) - 1), *both_tests(1, 0, (1 << 31) - 1)
    )
    assert people(hub, COURSE) == {VILLAGE: 2}
