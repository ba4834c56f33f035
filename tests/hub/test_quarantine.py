"""What nobody let in is kept apart, looked at, and accepted or rejected; rejecting deletes nothing and breaks no path."""

from __future__ import annotations

import pytest
from carried import NOW
from device import VILLAGE, Device
from sqlalchemy import select
from state import held, merged_state, said

from hub import quarantine, rebuilding, registry, schema
from hub.db import reading
from hub.errors import NotFoundError
from hub.quarantine import Apart
from hub.wiring import Hub
from sync.decisions import EntriesAccepted, EntriesRejected
from sync.entries import ClockObserved, ProfileChanged, QuestionAnswered
from sync.profile import Profile


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
