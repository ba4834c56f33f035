"""What the hub accepts, stores, answers, and refuses without changing anything."""

from __future__ import annotations

import pytest
from device import Device
from sqlalchemy import select
from state import held, merged_state

from hub import registry, schema
from hub.db import reading
from hub.errors import UnknownDeviceError
from hub.intake import QUARANTINE_BYTES
from hub.wiring import Hub, now_ms
from sync import exchange
from sync.entries import INT_MAX, LessonOpened, QuestionAnswered, QuizSubmitted
from sync.errors import MalformedError, SignatureError, SyncError
from sync.exchange import Request
from sync.keys import SigningKey
from sync.log import NOTHING, Head, Status


def working(hub: Hub, seed: int = 1) -> Device:
    device = Device(seed).registered(hub).open()
    device.seal(LessonOpened(0, 0, 1, 10), QuestionAnswered(0, 0, 1, 1, 2, True, 5))
    device.seal(QuizSubmitted(1, 0, 1, 8000, 7))
    return device


def test_a_push_is_stored_merged_and_confirmed_up_to_its_last_segment(hub: Hub) -> None:
    device = working(hub)
    receipt = device.send(hub)
    assert [(v.head.index, v.head.id, v.status) for v in receipt.verdicts] == [
        (2, device.tip.id[:8], Status.STORED)
    ]
    assert held(hub, schema.MERGED) == len(device.entries)


def test_a_repeated_push_changes_nothing(hub: Hub) -> None:
    device = working(hub)
    device.send(hub)
    before = merged_state(hub)
    receipt = device.send(hub)
    assert receipt.verdicts[0].head.index == 2
    assert merged_state(hub) == before


def test_a_gap_is_kept_reported_and_filled_later(hub: Hub) -> None:
    device = working(hub)
    receipt = device.send(hub, device.segments[0], device.segments[2])
    assert receipt.verdicts[0].status is Status.GAP
    assert receipt.verdicts[0].head.index == 0
    assert held(hub, schema.GAP) == 1
    receipt = device.send(hub, device.segments[1])
    assert receipt.verdicts[0].head.index == 2
    assert held(hub, schema.MERGED) == len(device.entries)


def test_segments_before_their_first_one_wait_for_it(hub: Hub) -> None:
    device = working(hub)
    receipt = device.send(hub, device.segments[2], device.segments[1])
    assert (receipt.verdicts[0].status, receipt.verdicts[0].head.index) == (Status.GAP, NOTHING)
    device.send(hub, device.segments[0])
    assert held(hub, schema.MERGED) == len(device.entries)


def test_a_long_log_that_comes_backwards_is_put_in_order(hub: Hub) -> None:
    """It once took a level of recursion a segment."""
    device = working(hub)
    for at in range(400):
        device.seal(QuizSubmitted(0, 0, 1, at, 7))
    pieces = device.segments[::-1]
    for at in range(0, len(pieces), 100):
        device.send(hub, *pieces[at : at + 100], merged=False)
    receipt = device.send(hub)
    assert receipt.verdicts[0].head.index == 402
    assert held(hub, schema.MERGED) == len(device.entries)


def test_the_largest_numbers_that_a_request_may_say_are_stored(hub: Hub) -> None:
    device = working(hub)
    header = exchange.sign_request(device.key, Request(device.id, INT_MAX, (1 << 50) - 1, ()))
    under_way = hub.intake.open(header)
    under_way.receipt()
    with reading(hub.engine) as connection:
        d = schema.devices.c
        row = connection.execute(select(d.last_t, d.last_wall_s).where(d.device == device.id)).one()
    assert tuple(row) == (INT_MAX, (1 << 50) - 1)


def test_who_passes_on_a_log_is_told_what_it_sent_of_each_branch(hub: Hub) -> None:
    device, other = working(hub), working(hub, 2)
    clone = other.fork()
    first, second = other.seal(QuizSubmitted(0, 0, 2, 5000)), clone.seal(QuizSubmitted(0, 0, 2, 9000))
    other.seal(QuizSubmitted(0, 0, 2, 6000))
    other.send(hub)
    receipt = device.send(hub, *other.segments[:4], second)
    heads = {(one.head.index, one.head.id) for one in receipt.verdicts}
    assert heads == {(3, first.id[:8]), (3, second.id[:8])}
    assert {one.status for one in receipt.verdicts} == {Status.FORK}
    unknown = Head(other.log, 3, bytes(16))
    asked = device.send(hub, heads=[Head(other.log, 3, first.id), unknown])
    assert [(one.head.index, one.status) for one in asked.verdicts] == [
        (3, Status.STORED),
        (NOTHING, Status.STORED),
    ]


def test_a_question_alone_is_answered_with_what_the_hub_holds(hub: Hub) -> None:
    device = working(hub)
    device.send(hub, device.segments[0])
    receipt = device.send(hub, heads=[device.tip])
    assert (receipt.verdicts[0].head.index, receipt.verdicts[0].status) == (0, Status.STORED)


def test_an_unknown_log_is_answered_with_nothing(hub: Hub) -> None:
    device = working(hub)
    receipt = device.send(hub, heads=[device.tip])
    assert (receipt.verdicts[0].head.index, receipt.verdicts[0].status) == (NOTHING, Status.STORED)


def test_both_branches_of_a_clone_count_and_the_fork_is_reported(hub: Hub) -> None:
    device = working(hub)
    device.send(hub)
    clone = device.fork()
    device.seal(QuizSubmitted(0, 0, 2, 5000))
    clone.seal(QuizSubmitted(0, 0, 2, 9000), clone.person())
    assert device.send(hub).verdicts[0].status is Status.STORED
    receipt = clone.send(hub)
    assert (receipt.verdicts[0].status, receipt.verdicts[0].head.id) == (Status.FORK, clone.tip.id[:8])
    rows = [row for row in merged_state(hub)["lesson_progress"] if row[2] == 2]
    assert [(row[8], row[9]) for row in rows] == [(2, 9000)]
    assert [kind for kind, _ in merged_state(hub)["alerts"]] == ["fork"]


def test_people_added_on_two_branches_are_two_people(hub: Hub) -> None:
    device = working(hub)
    clone = device.fork()
    clone.rng.seed(99)
    device.seal(device.person(), QuizSubmitted(2, 0, 1, 5000))
    clone.seal(clone.person(), QuizSubmitted(2, 0, 1, 9000))
    device.send(hub)
    clone.send(hub)
    state = merged_state(hub)
    assert len(state["learners"]) == 4
    assert sorted(row[9] for row in state["lesson_progress"] if row[9] is not None) == [5000, 8000, 9000]


def test_a_restored_device_is_told_that_it_is_behind(hub: Hub) -> None:
    device = working(hub)
    device.send(hub)
    old = device.segments[1]
    receipt = device.send(hub, heads=[Head(device.log, old.index, old.id)])
    assert receipt.verdicts[0].status is Status.BEHIND
    assert receipt.verdicts[0].head.index == 2


def test_a_device_that_nobody_registered_is_refused(hub: Hub) -> None:
    with pytest.raises(UnknownDeviceError):
        Device(5).open().send(hub)
    assert held(hub, *range(5)) == 0


def test_a_waiting_device_is_kept_in_quarantine_until_it_is_approved(hub: Hub) -> None:
    device = Device(6).open()
    device.ask_to_register(hub)
    receipt = device.send(hub)
    assert (receipt.verdicts[0].status, receipt.verdicts[0].head) == (
        Status.UNKNOWN_DEVICE,
        device.short_tip,
    )
    assert (held(hub, schema.QUARANTINED), held(hub, schema.MERGED)) == (len(device.entries), 0)
    registry.approve(hub.engine, device.id, now_ms())
    device.send(hub)
    assert held(hub, schema.MERGED) == len(device.entries)


def test_a_waiting_device_may_not_fill_the_disk(hub: Hub) -> None:
    device = Device(7).open()
    device.ask_to_register(hub)
    device.send(hub, device.segments[0])
    noise = device.rng.randbytes
    from sync.entries import Entry

    while sum(len(sealed.data) for sealed in device.segments) < QUARANTINE_BYTES + 200_000:
        first = len(device.entries)
        entries = [Entry(first + at, 4000, device.t, (noise(3000),)) for at in range(16)]
        device.seal_entries(entries, device.t)
    for sealed in device.segments[1:]:
        receipt = device.send(hub, sealed)
    assert receipt.verdicts == () or receipt.verdicts[0].status is Status.TRY_LATER
    assert held(hub, schema.QUARANTINED) < len(device.entries)


def test_what_a_revoked_device_sends_later_does_not_count(hub: Hub) -> None:
    device = working(hub)
    device.send(hub)
    before = merged_state(hub)
    registry.revoke(hub.engine, device.id, now_ms())
    device.seal(QuizSubmitted(0, 0, 1, 10_000))
    assert device.send(hub).verdicts[0].status is Status.REVOKED
    assert merged_state(hub) == before
    assert held(hub, schema.QUARANTINED) == 1


def test_a_segment_signed_by_another_key_is_refused(hub: Hub) -> None:
    device = working(hub)
    device.send(hub, device.segments[0])
    thief = Device(1, [device.segments[0]], list(device.entries[:4]), [], device.t)
    thief.key = SigningKey.generate(thief.rng.randbytes)
    forged = thief.seal(QuizSubmitted(0, 0, 1, 10_000))
    with pytest.raises(SignatureError):
        device.send(hub, forged)
    assert held(hub, *range(5)) == 4


@pytest.mark.parametrize("at", [0, 60, -1])
def test_a_changed_byte_is_refused_and_what_came_before_it_stays(hub: Hub, at: int) -> None:
    device = working(hub)
    data = bytearray(device.segments[1].data)
    data[at] ^= 1
    under_way = hub.intake.open(device.header())
    under_way.take(device.segments[0].data)
    with pytest.raises(SyncError):
        under_way.take(bytes(data))
    assert held(hub, *range(5)) == device.segments[0].count


def test_what_a_neighbour_brings_of_a_forgotten_laptop_waits_for_an_operator(hub: Hub) -> None:
    """A hub that was set back refused it, and with it everything that the neighbour had of its own, for ever."""
    bearer, lost = working(hub), Device(7).open()
    lost.seal(QuizSubmitted(0, 0, 1, 9000))
    bearer.profiles += lost.profiles
    receipt = bearer.send(hub, *lost.segments, *bearer.segments)
    assert [one.head.index for one in receipt.verdicts] == [1, len(bearer.segments) - 1]
    assert (held(hub, schema.QUARANTINED), held(hub, schema.MERGED)) == (
        len(lost.entries),
        len(bearer.entries),
    )
    registry.approve(hub.engine, lost.id, now_ms())
    assert held(hub, schema.MERGED) == len(lost.entries) + len(bearer.entries)


def test_of_a_log_that_is_not_known_at_all_the_beginning_is_asked_for(hub: Hub) -> None:
    bearer, lost = working(hub), Device(7).open()
    middle = lost.seal(QuizSubmitted(0, 0, 1, 9000))
    receipt = bearer.send(hub, middle, *bearer.segments)
    told = {one.head.log: (one.head.index, one.status) for one in receipt.verdicts}
    assert told[lost.log[:8]] == (NOTHING, Status.STORED)
    assert held(hub, *range(5)) == len(bearer.entries)


def test_a_stranger_s_log_opens_nothing_for_who_is_not_let_in(hub: Hub) -> None:
    waiting, other = Device(6).open(), Device(7).open()
    waiting.ask_to_register(hub)
    with pytest.raises(UnknownDeviceError):
        waiting.send(hub, *other.segments)


def test_a_segment_that_contradicts_its_parent_is_refused(hub: Hub) -> None:
    device = working(hub)
    device.send(hub)
    liar = device.fork()
    liar.entries = liar.entries[:-1]
    with pytest.raises(MalformedError):
        device.send(hub, liar.seal(QuizSubmitted(0, 0, 1, 10_000)))


def test_a_request_in_another_device_s_name_is_refused(hub: Hub) -> None:
    honest, liar = working(hub), Device(8)
    liar_header = honest.header()[:-1] + bytes([honest.header()[-1] ^ 1])
    with pytest.raises(SignatureError):
        hub.intake.open(liar_header)
    assert liar.id != honest.id


def test_history_that_cannot_be_read_is_kept_and_reported(hub: Hub) -> None:
    device = working(hub)
    device.seal(QuizSubmitted(7, 0, 1, 10_000))  # learner 7 was never introduced
    device.send(hub)
    assert held(hub, schema.UNREADABLE) == 1
    assert [kind for kind, _ in merged_state(hub)["alerts"]] == ["unreadable"]
    assert held(hub, schema.MERGED) == len(device.entries) - 1


def test_another_device_may_bring_segments_that_their_own_device_signed(hub: Hub) -> None:
    courier, author = Device(9).registered(hub).open(), working(hub)
    receipt = courier.send(hub, *author.segments)
    assert receipt.verdicts[0].head.id == author.tip.id[:8]
    assert held(hub, schema.MERGED) == len(author.entries)
