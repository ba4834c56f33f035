"""Everything merged can be thrown away and made again: by region, by several processes, broken off and gone on with."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from device import Device
from sqlalchemy import delete, select, update
from state import merged_state

from hub import cli, figures, identity, rebuilding, schema
from hub.db import reading, writing
from hub.wiring import Hub
from sync.entries import CourseCompleted, LessonOpened, QuizSubmitted
from sync.profile import learner_id

VILLAGES = ("17.05.01.2001", "17.05.01.2002", "18.01.01.2001", "35.05.14.2005")
NOW = 1_800_000_000_000


def sent(hub: Hub) -> list[Device]:
    devices = [Device(at).registered(hub, village).open() for at, village in enumerate(VILLAGES, 1)]
    for device in devices:
        device.seal(LessonOpened(0, 0, 1, 5), QuizSubmitted(1, 0, 5, 8_000, 60), CourseCompleted(1, 0, 5))
        device.send(hub)
    return devices


def spoil(hub: Hub) -> None:
    """What a bug or a careless hand could do to tables that can be made again."""
    with writing(hub.engine) as connection:
        connection.execute(delete(schema.course_progress))
        connection.execute(update(schema.lesson_progress).values(openings=77))
        connection.execute(update(schema.village_figures).values(learners=99))


def figures_of(hub: Hub) -> list[tuple[object, ...]]:
    figures.refresh(hub.engine)
    with reading(hub.engine) as connection:
        query = select(schema.village_figures).order_by(schema.village_figures.c.village)
        return [tuple(row) for row in connection.execute(query)]


def told(hub: Hub, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.hub, ["rebuild", "--data", str(hub.config.data), *arguments])
    return result.exit_code, result.output


def test_one_region_is_made_anew_and_the_others_are_left_alone(hub: Hub) -> None:
    sent(hub)
    spoil(hub)
    assert rebuilding.region(hub.engine, "17.05") == 2 * 7
    with reading(hub.engine) as connection:
        query = select(schema.devices.c.village, schema.lesson_progress.c.openings).distinct()
        query = query.join(schema.learners, schema.learners.c.pk == schema.lesson_progress.c.learner)
        query = query.join(schema.devices, schema.devices.c.pk == schema.learners.c.device)
        openings = connection.execute(query.order_by(schema.devices.c.village)).all()
    assert {village[:5] for village, count in openings if count == 77} == {"18.01", "35.05"}
    assert {village[:5] for village, count in openings if count != 77} == {"17.05"}


def test_the_command_mends_what_was_spoiled(hub: Hub) -> None:
    sent(hub)
    before, sums = merged_state(hub), figures_of(hub)
    spoil(hub)
    assert told(hub) == (0, "28 catatan digabungkan ulang.\n")
    assert (merged_state(hub), figures_of(hub)) == (before, sums)
    assert rebuilding.left(hub.engine) == []


def test_what_was_broken_off_goes_on_where_it_was(hub: Hub) -> None:
    sent(hub)
    before = merged_state(hub)
    spoil(hub)
    assert rebuilding.begin(hub.engine) == ["17.05", "18.01", "35.05"]
    rebuilding.region(hub.engine, "18.01")
    rebuilding.done(hub.engine, "18.01")
    status, output = told(hub)
    assert (status, "tinggal 2 wilayah" in output) == (0, True)
    assert merged_state(hub) == before
    _, output = told(hub, "--from-start")
    assert "28 catatan" in output


def test_several_processes_come_to_the_same(hub: Hub) -> None:
    sent(hub)
    before, sums = merged_state(hub), figures_of(hub)
    spoil(hub)
    status, output = told(hub, "--jobs", "3")
    if hub.engine.dialect.name == "sqlite":
        assert (status, "tanpa --jobs" in output) == (1, True)
        return
    assert (status, output) == (0, "28 catatan digabungkan ulang.\n")
    assert (merged_state(hub), figures_of(hub)) == (before, sums)


def test_what_comes_meanwhile_counts_once(hub: Hub) -> None:
    devices = sent(hub)
    for code in rebuilding.begin(hub.engine):
        for device in devices:
            device.seal(LessonOpened(0, 0, 1, 5))
            device.send(hub)
        rebuilding.region(hub.engine, code)
        rebuilding.done(hub.engine, code)
    openings = [row[3] for row in merged_state(hub)["lesson_progress"] if row[3]]
    assert openings == [4, 4, 4, 4]


def test_somebody_of_two_regions_stays_one_person(hub: Hub) -> None:
    devices = sent(hub)
    one, other = (
        learner_id(device.log, device.profiles[0].commitment) for device in (devices[0], devices[2])
    )
    identity.merge(hub.engine, one, other, NOW)

    def persons() -> dict[bytes, bytes]:
        named = schema.learners.alias()
        query = select(schema.learners.c.learner, named.c.learner)
        query = query.join(named, named.c.pk == schema.learners.c.person)
        with reading(hub.engine) as connection:
            return {bytes(learner): bytes(person) for learner, person in connection.execute(query)}

    before = persons()
    for code in ("18.01", "17.05", "18.01"):
        rebuilding.region(hub.engine, code)
        assert persons() == before


@pytest.mark.parametrize("jobs", ["0", "-1", "banyak"])
def test_a_number_of_processes_that_is_none_changes_nothing(hub: Hub, jobs: str) -> None:
    status, _ = told(hub, "--jobs", jobs)
    assert status == 2
    assert rebuilding.left(hub.engine) == []
