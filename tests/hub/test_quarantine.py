"""What nobody let in is kept apart, looked at, and accepted or rejected; rejecting deletes nothing and breaks no path."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Collection
from pathlib import Path

import pytest
from carried import NOW
from centre import made_hub
from device import VILLAGE, Device
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from state import held, merged_state, said

from hub import identity, quarantine, rebuilding, registry, schema
from hub.db import reading
from hub.errors import NotFoundError
from hub.quarantine import Apart, Decided
from hub.wiring import Hub
from sync.decisions import EntriesAccepted, EntriesRejected
from sync.entries import (
    ClockObserved,
    CourseCompleted,
    LessonProgressed,
    ProfileChanged,
    QuestionAnswered,
    QuizSubmitted,
)
from sync.profile import Profile, learner_id


def answered(first: int, count: int = 3, learner: int = 0) -> list[QuestionAnswered]:
    return [QuestionAnswered(learner, 0, 1, at, 1, True, 5) for at in range(first, first + count)]


def stolen(hub: Hub) -> Device:
    """A laptop that was revoked after one segment of answers, and went on for three."""
    device = Device(1).registered(hub).open()
    device.seal(*answered(1))
    device.send(hub)
    registry.revoke(hub.engine, device.id, NOW, "hilang")
    for at in (2, 3, 4):
        device.seal(ClockObserved(0, NOW + at, 1), device.person(), *answered(10 * at, learner=at))
    device.send(hub, *device.segments[2:])
    return device


def apart(hub: Hub, device: Device) -> list[Apart]:
    with reading(hub.engine) as connection:
        pk = connection.execute(
            select(schema.devices.c.pk).where(schema.devices.c.device == device.id)
        ).scalar_one()
        return quarantine.of_device(connection, pk)


def decided(hub: Hub, device: Device, *accepted: int) -> int:
    """Accept these (counted from 0) of what is kept apart, reject the rest."""
    kept = apart(hub, device)
    chosen = {kept[at].pk for at in accepted}
    rest = {one.pk for one in kept} - chosen
    return quarantine.decide(hub.engine, device.id, chosen, rest, "Laptop hilang.", NOW)


def answers(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return sum(connection.execute(select(schema.lesson_progress.c.answers)).scalars())


def learners_who_answered(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        rows = connection.execute(
            select(schema.lesson_progress.c.learner, schema.lesson_progress.c.answers)
        )
        return sum(row.answers > 0 for row in rows)


def test_what_a_revoked_laptop_sends_counts_nothing_and_is_shown(hub: Hub) -> None:
    device = stolen(hub)
    kept = apart(hub, device)
    assert answers(hub) == 3
    assert [(one.index, one.first_seq, one.count, one.rejected) for one in kept] == [
        (segment.index, segment.first_seq, segment.count, False) for segment in device.segments[2:]
    ]
    assert {one.log for one in kept} == {device.log}
    assert all(one.estimate_ms is not None and one.estimate_ms <= one.received_ms for one in kept)


def test_all_may_be_accepted(hub: Hub) -> None:
    device = stolen(hub)
    assert decided(hub, device, 0, 1, 2) == sum(segment.count for segment in device.segments[2:])
    assert answers(hub) == 12
    assert apart(hub, device) == []


def test_all_may_be_rejected_and_nothing_is_deleted(hub: Hub) -> None:
    device = stolen(hub)
    assert decided(hub, device) == 0
    assert answers(hub) == 3
    assert held(hub, schema.MERGED) == len(device.entries)
    assert apart(hub, device) == []


@pytest.mark.parametrize("accepted", [(0,), (1,), (2,), (0, 2), (1, 2)])
def test_rejecting_breaks_no_path(hub: Hub, accepted: tuple[int, ...]) -> None:
    """People whom a rejected segment introduced are named by the accepted ones after it."""
    device = stolen(hub)
    decided(hub, device, *accepted)
    assert answers(hub) == 3 + 3 * len(accepted)
    assert learners_who_answered(hub) == 1 + len(accepted)
    before = merged_state(hub)
    rebuilding.everything(hub.engine)
    assert merged_state(hub) == before


def test_what_comes_after_the_decision_waits_for_the_next_one(hub: Hub) -> None:
    device = stolen(hub)
    decided(hub, device, 0)
    device.seal(*answered(50))
    device.send(hub, device.segments[-1])
    assert [one.index for one in apart(hub, device)] == [device.tip.index]
    assert answers(hub) == 6
    device.send(hub)
    assert answers(hub) == 6, "sending again what was rejected changes nothing"


def test_what_came_while_somebody_decided_stays_kept_apart(hub: Hub) -> None:
    device = stolen(hub)
    seen = apart(hub, device)[:2]
    quarantine.decide(hub.engine, device.id, {seen[0].pk}, {seen[1].pk}, "x", NOW)
    assert [one.index for one in apart(hub, device)] == [device.tip.index]


def test_the_village_is_told_which_and_why(hub: Hub) -> None:
    device = stolen(hub)
    decided(hub, device, 1)
    first, second, third = device.segments[2:]
    assert said(hub, VILLAGE)[-3:] == [
        EntriesRejected(device.log, first.first_seq, first.count, "Laptop hilang.", first.id),
        EntriesAccepted(device.log, second.first_seq, second.count, second.id),
        EntriesRejected(device.log, third.first_seq, third.count, "Laptop hilang.", third.id),
    ]


def test_a_device_let_in_again_brings_what_was_kept_apart(hub: Hub) -> None:
    device = stolen(hub)
    registry.approve(hub.engine, device.id, NOW)
    assert answers(hub) == 12


def test_a_rejected_branch_takes_nothing_from_the_other_one(hub: Hub) -> None:
    """The thief and the owner's backup sealed the same waiting entries; the owner's count."""
    device = Device(2).registered(hub).open()
    device.send(hub)
    thief = device.fork()
    registry.revoke(hub.engine, device.id, NOW)
    thief.seal(*answered(1))
    thief.send(hub, thief.segments[-1])
    decided(hub, device)
    assert answers(hub) == 0
    registry.approve(hub.engine, device.id, NOW)
    device.seal(*answered(1), *answered(20, 1))
    device.send(hub)
    assert answers(hub) == 4
    before = merged_state(hub)
    rebuilding.everything(hub.engine)
    assert merged_state(hub) == before


def test_a_device_that_nobody_knows_can_t_be_judged(hub: Hub) -> None:
    with pytest.raises(NotFoundError):
        quarantine.decide(hub.engine, bytes(16), set(), set(), "", NOW)


def commitments(hub: Hub) -> set[bytes]:
    with reading(hub.engine) as connection:
        return {bytes(one) for one in connection.execute(select(schema.learners.c.commitment)).scalars()}


def test_a_rejected_change_of_somebody_s_name_changes_nothing(hub: Hub) -> None:
    device = Device(3).registered(hub).open()
    device.send(hub)
    before = commitments(hub)
    registry.revoke(hub.engine, device.id, NOW)
    forged = Profile(b"forged".ljust(16), "Bukan Siti", "")
    device.profiles.append(forged)
    device.seal(ProfileChanged(0, forged.commitment))
    device.send(hub, device.segments[-1])
    decided(hub, device)
    assert commitments(hub) == before


def test_what_was_rejected_stays_rejected_when_the_gap_before_it_is_filled(hub: Hub) -> None:
    device = Device(4).registered(hub).open()
    device.send(hub)
    registry.revoke(hub.engine, device.id, NOW)
    device.seal(*answered(1))
    device.seal(*answered(10))
    device.send(hub, device.segments[-1])
    decided(hub, device)
    registry.approve(hub.engine, device.id, NOW)
    device.send(hub, device.segments[-2])
    assert answers(hub) == 3


# Deciding otherwise


def decisions(hub: Hub, device: Device) -> list[Decided]:
    with reading(hub.engine) as connection:
        pk = connection.execute(
            select(schema.devices.c.pk).where(schema.devices.c.device == device.id)
        ).scalar_one()
        return quarantine.decided(connection, pk)


def revised(hub: Hub, device: Device, accepted: Collection[int], by: str = "Bu Rini") -> int:
    """Decide that these (counted from 0) of all that was decided count, and the rest doesn't."""
    known = decisions(hub, device)
    chosen = {known[at].pk for at in accepted}
    rest = {one.pk for one in known} - chosen
    return quarantine.revise(hub.engine, device.id, chosen, rest, "Bukan milik desa.", NOW + 1, by)


def figures_of(hub: Hub) -> dict[str, object]:
    """All that pages add up, by what has the same name on every hub."""
    learners, packs, done = schema.learners.c, schema.packs.c, schema.completions.c
    made: dict[str, object] = dict(merged_state(hub))
    with reading(hub.engine) as connection:
        query = select(learners.learner, packs.manifest_hash, done.village, done.completed_ms, done.month)
        query = query.join(schema.learners, learners.pk == done.learner)
        query = query.join(schema.packs, packs.pk == done.pack)
        made["completions"] = sorted(map(tuple, connection.execute(query)), key=str)
        for table in (schema.village_figures, schema.village_courses, schema.summaries):
            made[table.name] = sorted(map(tuple, connection.execute(select(table))), key=str)
        named = select(learners.learner, learners.profile_segment)
        made["names"] = sorted(map(tuple, connection.execute(named)))
    return made


def assert_as_if_rebuilt(hub: Hub) -> dict[str, object]:
    before = figures_of(hub)
    rebuilding.everything(hub.engine)
    assert figures_of(hub) == before
    return before


def test_what_was_rejected_counts_once_it_is_accepted_after_all(hub: Hub) -> None:
    device = stolen(hub)
    decided(hub, device)
    assert revised(hub, device, {0, 1, 2}) == sum(segment.count for segment in device.segments[2:])
    assert answers(hub) == 12
    assert_as_if_rebuilt(hub)


def test_what_was_accepted_counts_no_more_once_it_is_rejected(hub: Hub) -> None:
    device = stolen(hub)
    decided(hub, device, 0, 1, 2)
    assert revised(hub, device, {1}) == device.segments[2].count + device.segments[4].count
    assert answers(hub) == 6
    assert learners_who_answered(hub) == 2
    assert_as_if_rebuilt(hub)


def test_to_decide_the_same_again_says_and_changes_nothing(hub: Hub) -> None:
    device = stolen(hub)
    decided(hub, device, 0)
    before = figures_of(hub), said(hub, VILLAGE)
    assert revised(hub, device, {0}) == 0
    assert (figures_of(hub), said(hub, VILLAGE)) == before


def test_what_nobody_decided_yet_can_t_be_decided_otherwise(hub: Hub) -> None:
    device = stolen(hub)
    everything = {one.pk for one in apart(hub, device)}
    assert quarantine.revise(hub.engine, device.id, everything, set(), "", NOW) == 0
    assert answers(hub) == 3 and len(apart(hub, device)) == 3


def test_the_village_hears_the_last_word_and_the_page_who_said_it(hub: Hub) -> None:
    device = stolen(hub)
    decided(hub, device)
    revised(hub, device, {1})
    second = device.segments[3]
    assert said(hub, VILLAGE)[-1] == EntriesAccepted(device.log, second.first_seq, second.count, second.id)
    assert [
        (one.rejected, one.reason, one.decided_by, one.decided_ms) for one in decisions(hub, device)
    ] == [
        (True, "Laptop hilang.", "", NOW),
        (False, "", "Bu Rini", NOW + 1),
        (True, "Laptop hilang.", "", NOW),
    ]


def test_a_name_goes_back_with_the_decision_about_it(hub: Hub) -> None:
    device = Device(3).registered(hub).open()
    device.send(hub)
    first = commitments(hub)
    registry.revoke(hub.engine, device.id, NOW)
    names = [Profile(seed.ljust(16), "Nama lain", "") for seed in (b"one", b"two")]
    for name in names:
        device.profiles.append(name)
        device.seal(ProfileChanged(0, name.commitment))
    device.send(hub, *device.segments[1:])
    decided(hub, device, 0, 1)
    assert names[1].commitment in commitments(hub)
    revised(hub, device, {0})
    assert names[0].commitment in commitments(hub) and names[1].commitment not in commitments(hub)
    revised(hub, device, ())
    assert commitments(hub) == first
    revised(hub, device, {1})
    assert names[1].commitment in commitments(hub)
    assert_as_if_rebuilt(hub)


def test_a_name_that_was_erased_meanwhile_stays_erased(hub: Hub) -> None:
    device = Device(5).registered(hub).open(1)
    device.send(hub)
    registry.revoke(hub.engine, device.id, NOW)
    other = Profile(b"other".ljust(16), "Nama lain", "")
    device.profiles.append(other)
    device.seal(ProfileChanged(0, other.commitment))
    device.send(hub, device.segments[-1])
    decided(hub, device)
    with reading(hub.engine) as connection:
        learner = bytes(connection.execute(select(schema.learners.c.learner)).scalar_one())
    identity.erase(hub.engine, learner, NOW)
    revised(hub, device, {0})
    with reading(hub.engine) as connection:
        assert connection.execute(select(schema.profiles.c.commitment)).all() == []


def test_when_one_of_two_copies_is_rejected_the_other_one_s_entries_count(hub: Hub) -> None:
    """Both sealed the same waiting entries, of which one copy counts: whichever is left."""
    device = Device(2).registered(hub).open()
    device.send(hub)
    thief = device.fork()
    registry.revoke(hub.engine, device.id, NOW)
    thief.seal(*answered(1))
    device.seal(*answered(1), *answered(20, 1))
    thief.send(hub, thief.segments[-1])
    device.send(hub, device.segments[-1])
    kept = [one.id for one in apart(hub, device)]
    decided(hub, device, 0, 1)
    for left, total in (
        ({0, 1}, 4),
        ({kept.index(device.tip.id)}, 4),
        ({kept.index(thief.tip.id)}, 3),
        (set(), 0),
    ):
        revised(hub, device, left)
        assert answers(hub) == total
        assert_as_if_rebuilt(hub)


_seeds = itertools.count(100)
choices = st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=4)


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sets(st.integers(0, 5)), choices)
def test_only_the_last_decision_counts(hub: Hub, first: set[int], later: list[set[int]]) -> None:
    """Whatever was accepted and rejected before: every sum is that of a hub which decided so at once."""
    seed = next(_seeds)
    device = revoked_with_copies(hub, seed)
    decided(hub, device, *(at for at in first if at < len(apart(hub, device))))
    for accepted in later:
        revised(hub, device, {at for at in accepted if at < 6})
    state = assert_as_if_rebuilt(hub)
    ids = {one.id for one in decisions(hub, device) if not one.rejected}
    with tempfile.TemporaryDirectory() as folder:
        fresh = made_hub(Path(folder) / "hub")
        again = revoked_with_copies(fresh, seed)
        kept = apart(fresh, again)
        assert len(kept) == 6
        decided(fresh, again, *(at for at, one in enumerate(kept) if one.id in ids))
        expected = figures_of(fresh)
        fresh.close()
    # The `hub` of this test holds the devices of earlier examples too.
    for name in ("lesson_progress", "course_progress", "learners"):
        assert set(expected[name]) <= set(state[name]), name  # type: ignore[call-overload]
        own = {row for row in state[name] if row[0] in mine(again)}  # type: ignore[attr-defined]
        assert own == set(expected[name]), name  # type: ignore[call-overload]


def mine(device: Device) -> set[bytes]:
    return {learner_id(device.log, profile.commitment) for profile in device.profiles}


def revoked_with_copies(hub: Hub, seed: int) -> Device:
    """A revoked laptop and its copy, which go on from waiting entries that both seal: six segments kept apart."""
    device = Device(seed).registered(hub).open(2)
    device.seal(*answered(1), CourseCompleted(0, 0, 9_000, 1))
    device.send(hub)
    registry.revoke(hub.engine, device.id, NOW)
    copy = device.fork()
    for writer, more in ((device, 3), (copy, 5)):
        writer.seal(*answered(10), ClockObserved(0, NOW, 1), *answered(15, more))
        writer.seal(
            *answered(20, more), CourseCompleted(1, 0, 100 * more, 1), QuizSubmitted(0, 0, 1, more, 5)
        )
        writer.seal(
            LessonProgressed(1, 0, 2, 1_000 * more, 60),
            ProfileChanged(0, bytes([more]) * 32),
            *answered(30, more, 1),
        )
    device.send(hub, *device.segments[2:])
    copy.send(hub, *copy.segments[2:])
    return device
