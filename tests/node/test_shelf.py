"""What leaves the village's database, and what a receipt changes in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from desa import MARCH_2026, Laptop, ScriptedMachine, count, laptop, rows

from node.errors import DamagedDatabaseError
from node.recorder import Counts
from node.shelf import HUB_LOST, LAST_CONTACT, NEW_LOG, REGISTRATION
from sync import limits
from sync.entries import AnchorNoted, LessonOpened, OpenReason
from sync.exchange import SHORT_ID, Receipt, Verdict, Wants
from sync.log import NOTHING, Head, Status
from sync.logclock import ANCHOR_EVERY_S

HOUR_MS = ANCHOR_EVERY_S * 1000


def with_segments(data: Path, number: int, machine: ScriptedMachine | None = None) -> Laptop:
    """Segment 0 and `number` more, of two entries each; segment 1 begins with a person."""
    made = laptop(data, machine)
    for at in range(number):
        if at == 0:
            made.recorder.add_learner("Siti Aminah", "Kepala Desa")
            made.recorder.record(LessonOpened(0, 0, 1))
        else:
            made.recorder.record_many([LessonOpened(0, 0, 1, at)] * 2)
        made.recorder.seal()
    return made


def head_of(made: Laptop, index: int) -> Head:
    """As a hub names it: ids cut to what is on the wire."""
    id_ = (
        b"" if index == NOTHING else rows(made.store, "SELECT id FROM segments WHERE idx = ?", index)[0][0]
    )
    return Head(made.recorder.log[:SHORT_ID], index, id_[:SHORT_ID])


def receive(
    made: Laptop,
    head: Head,
    status: Status = Status.STORED,
    hub_ms: int = MARCH_2026,
    data: bytes = b"receipt",
) -> None:
    made.shelf.take_receipt(Receipt(bytes(16), hub_ms, (Verdict(head, status),), data=data))


def confirmed(made: Laptop) -> int:
    return int(rows(made.store, "SELECT confirmed FROM logs ORDER BY pk")[0][0])


def test_everything_after_the_confirmed_segment_waits(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 3)
    [log] = made.shelf.logs()
    assert log.tip == Head(made.recorder.log, 3, log.tip.id)
    assert (log.held, [index for index, _ in log.waiting]) == (NOTHING, [0, 1, 2, 3])
    receive(made, head_of(made, 2))
    assert [index for index, _ in made.shelf.logs()[0].waiting] == [3]


def test_the_segment_that_leaves_is_the_one_on_the_disk_after_its_profiles(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 2)
    stored = [data for (data,) in rows(made.store, "SELECT data FROM segments ORDER BY idx")]
    profiles = [data for (data,) in rows(made.store, "SELECT data FROM profiles")]
    assert [list(made.shelf.items(made.shelf.logs()[-1].tip, index)) for index in range(3)] == [
        [stored[0]],
        [*profiles, stored[1]],
        [stored[2]],
    ]
    sizes = [sum(map(len, made.shelf.items(made.shelf.logs()[-1].tip, index))) for index in range(3)]
    assert [size for _, size in made.shelf.logs()[0].waiting] == sizes


@pytest.mark.parametrize("at", [0, 20, -1])
def test_a_segment_that_is_damaged_on_the_disk_never_leaves(tmp_path: Path, at: int) -> None:
    made = with_segments(tmp_path, 2)
    data = bytearray(rows(made.store, "SELECT data FROM segments WHERE idx = 1")[0][0])
    data[at] ^= 1
    with made.store.write() as db:
        db.execute("UPDATE segments SET data = ? WHERE idx = 1", (bytes(data),))
    with pytest.raises(DamagedDatabaseError) as refusal:
        made.shelf.items(made.shelf.logs()[-1].tip, 1)
    assert "Segmen 1" in refusal.value.sentence()
    assert made.shelf.items(made.shelf.logs()[-1].tip, 2)


def test_saved_sent_and_confirmed_are_counted_in_entries(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 2)
    made.recorder.record(LessonOpened(0, 0, 1))
    assert made.recorder.counts() == Counts(saved=7, sent=0, confirmed=0)
    made.shelf.note_departure(made.recorder.log, 2)
    assert made.recorder.counts() == Counts(saved=7, sent=6, confirmed=0)
    receive(made, head_of(made, 1))
    assert made.recorder.counts() == Counts(saved=8, sent=6, confirmed=4), "the anchor was recorded too"
    receive(made, head_of(made, 2))
    assert made.recorder.counts() == Counts(saved=8, sent=6, confirmed=6)


def test_a_receipt_for_a_part_confirms_that_part(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 3)
    for index in (0, 2, 3):
        receive(made, head_of(made, index))
        assert confirmed(made) == index
    assert made.store.get(REGISTRATION) == "registered"
    assert made.store.get(LAST_CONTACT) == MARCH_2026


def test_between_a_departure_and_a_receipt_nobody_knows(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 1)
    assert made.shelf.is_unsure(), "not registered yet"
    receive(made, head_of(made, 0))
    assert not made.shelf.is_unsure()
    made.shelf.note_departure(made.recorder.log, 1)
    assert made.shelf.is_unsure()
    made.close()
    made = laptop(tmp_path)
    assert made.shelf.is_unsure(), "also after a power cut"
    receive(made, head_of(made, 1))
    assert not made.shelf.is_unsure()


def test_a_departure_is_never_taken_back(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 3)
    for index in (2, 1):
        made.shelf.note_departure(made.recorder.log, index)
        assert rows(made.store, "SELECT departed FROM logs") == [(2,)]


@pytest.mark.parametrize(("index", "confirms"), [(1, NOTHING), (2, 0), (7, 0)])
def test_another_segment_in_our_place_is_a_fork_and_confirms_nothing(
    tmp_path: Path, index: int, confirms: int
) -> None:
    """Asked about our end, a hub that names another before it has lost ours."""
    made = with_segments(tmp_path, 2)
    receive(made, head_of(made, 0))
    before = made.recorder.log
    receive(made, Head(before[:SHORT_ID], index, b"stranger"), Status.FORK)
    assert confirmed(made) == confirms
    assert made.store.get(NEW_LOG) == OpenReason.FORKED
    assert made.recorder.log != before
    assert made.shelf.wants() is Wants.HISTORY


def test_a_hub_that_is_further_than_this_disk_shows_that_an_older_one_was_restored(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 1)
    receive(made, Head(made.recorder.log[:SHORT_ID], 5, b"future.."), Status.BEHIND)
    assert confirmed(made) == NOTHING
    assert made.store.get(NEW_LOG) == OpenReason.FORKED


def test_a_fork_of_a_log_that_was_left_long_ago_opens_no_other(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 1)
    old = head_of(made, 1)
    receive(made, old, Status.FORK)
    newest = made.recorder.log
    receive(made, old, Status.FORK)
    assert made.recorder.log == newest


@pytest.mark.parametrize("index", [NOTHING, 0, 1])
def test_what_a_hub_lost_is_sent_again(tmp_path: Path, index: int) -> None:
    made = with_segments(tmp_path, 3)
    receive(made, head_of(made, 3))
    receive(made, head_of(made, index))
    assert confirmed(made) == index
    assert [at for at, _ in made.shelf.logs()[0].waiting] == list(range(index + 1, 4))
    assert made.store.get(HUB_LOST) == 3 - index


@pytest.mark.parametrize(
    ("status", "registration"), [(Status.UNKNOWN_DEVICE, "waiting"), (Status.REVOKED, "revoked")]
)
def test_a_device_that_is_not_let_in_keeps_what_it_has(
    tmp_path: Path, status: Status, registration: str
) -> None:
    made = with_segments(tmp_path, 2)
    receive(made, head_of(made, 1))
    receive(made, head_of(made, 2), status)
    assert (confirmed(made), made.store.get(REGISTRATION)) == (1, registration)
    assert made.store.get(HUB_LOST) is None
    assert made.shelf.is_unsure(), "it asks before it sends"
    assert made.shelf.logs()[0].waiting == [], "what the hub keeps apart need not go there again"
    receive(made, head_of(made, 2))
    assert (confirmed(made), made.store.get(REGISTRATION)) == (2, "registered")


def test_a_hub_that_has_no_time_changes_nothing(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 2)
    receive(made, head_of(made, 1))
    receive(made, head_of(made, NOTHING), Status.TRY_LATER)
    assert confirmed(made) == 1
    assert made.store.get(REGISTRATION) == "registered"


def test_a_verdict_on_a_log_that_is_not_ours_is_ignored(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 1)
    receive(made, Head(b"notours.", 1, b"stranger"), Status.REVOKED)
    assert (confirmed(made), made.store.get(REGISTRATION)) == (NOTHING, None)


def test_a_receipt_becomes_an_anchor_at_most_once_an_hour(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 1)

    def anchors() -> int:
        return int(
            rows(made.store, "SELECT count(*) FROM pending WHERE kind = ?", AnchorNoted.number)[0][0]
        )

    told = []
    for hub_ms in (0, HOUR_MS - 1000, HOUR_MS, 2 * HOUR_MS - 1, 2 * HOUR_MS, 2 * HOUR_MS + 1):
        receive(made, head_of(made, 1), hub_ms=MARCH_2026 + hub_ms)
        told.append(anchors())
    assert told == [1, 1, 2, 2, 3, 3]


def test_a_registration_is_the_first_anchor(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 1)
    made.shelf.note_registration("waiting", MARCH_2026, b"0123456789abcdef")
    receive(made, head_of(made, 1), hub_ms=MARCH_2026 + 1000)
    assert rows(made.store, "SELECT kind FROM pending") == [(AnchorNoted.number,)]
    assert made.store.get(LAST_CONTACT) == MARCH_2026 + 1000


def test_the_upload_halves_after_a_drop_and_doubles_after_a_success(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    assert made.shelf.upload_size() == limits.UPLOAD_START
    sizes = []
    for succeeded in [False] * 6 + [True] * 8:
        made.shelf.note_attempt(succeeded, limits.REQUEST_BODY)
        sizes.append(made.shelf.upload_size() // 1024)
    assert sizes == [32, 16, 8, 4, 4, 4, 8, 16, 32, 64, 128, 256, 256, 256]
    made.shelf.note_attempt(succeeded=True, most=20_000)
    assert made.shelf.upload_size() == 20_000
    made.close()
    assert laptop(tmp_path).shelf.upload_size() == 20_000


def test_before_anything_leaves_what_waits_is_sealed(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    made.recorder.record(LessonOpened(0, 0, 1))
    made.shelf.seal()
    assert (count(made.store, "segments"), count(made.store, "pending")) == (2, 0)


def test_an_older_log_that_was_kept_apart_is_asked_about_until_it_counts(tmp_path: Path) -> None:
    """It was never confirmed once its device was let in (simulation, seed 3)."""
    made = with_segments(tmp_path, 2)
    old = made.recorder.log
    made.recorder.seal(even_quiet=True)
    made.shelf.start_new_log(OpenReason.MOVED)
    (last,) = rows(made.store, "SELECT max(idx) FROM segments WHERE log = 1")[0]
    tip = Head(
        old[:SHORT_ID], last, rows(made.store, "SELECT id FROM segments WHERE idx = ?", last)[0][0][:8]
    )
    receive(made, tip, Status.REVOKED)
    first = made.shelf.logs()[0]
    assert (first.tip.log, list(first.waiting)) == (old, [])
    receive(made, tip, Status.STORED)
    assert confirmed(made) == last
    assert [log.tip.log for log in made.shelf.logs() if log.waiting] == [made.recorder.log]


def test_history_is_asked_for_until_the_hub_believes_this_laptop(tmp_path: Path) -> None:
    """It was taken for complete while the hub gave a revoked laptop none, and never asked for again (simulation, seed 468)."""
    made = with_segments(tmp_path, 1)
    receive(made, head_of(made, 1))
    made.shelf.want_history()
    receive(made, head_of(made, 1), Status.REVOKED)
    assert made.shelf.wants() is Wants.HISTORY
    for _ in range(2):  # the first tells that it is let in again
        receive(made, head_of(made, 1))
    assert made.shelf.wants() is Wants.NOTHING


def test_what_was_confirmed_last_is_asked_about_until_a_new_log_is_confirmed(tmp_path: Path) -> None:
    """A hub that was set back to before it lost an old log's end unnoticed (simulation, seed 1920)."""
    made = with_segments(tmp_path, 2)
    old = made.recorder.log
    receive(made, head_of(made, 2))
    made.shelf.start_new_log(OpenReason.FORKED)
    new = made.recorder.log
    (last,) = rows(made.store, "SELECT max(idx) FROM segments WHERE log = 1")[0]
    receive(
        made,
        Head(
            old[:SHORT_ID], last, rows(made.store, "SELECT id FROM segments WHERE idx = ?", last)[0][0][:8]
        ),
    )
    assert [one.tip.log for one in made.shelf.logs()] == [old, new]
    (tip,) = rows(made.store, "SELECT id FROM segments WHERE log = 2 AND idx = 0")[0]
    receive(made, Head(new[:SHORT_ID], 0, tip[:SHORT_ID]))
    assert [one.tip.log for one in made.shelf.logs()] == [new]


def test_a_hub_that_answers_about_both_sides_of_a_fork_has_lost_neither(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 2)
    receive(made, head_of(made, 2))
    other = Verdict(Head(made.recorder.log[:SHORT_ID], 1, b"stranger"), Status.STORED)
    for said in (
        (Verdict(head_of(made, 2), Status.STORED), other),
        (other, Verdict(head_of(made, 2), Status.STORED)),
    ):
        made.shelf.take_receipt(Receipt(bytes(16), MARCH_2026, said, data=b"receipt"))
        assert confirmed(made) == 2


def test_a_hub_that_names_only_the_other_side_gets_this_one_from_halfway(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 9)
    log = made.recorder.log
    receive(made, head_of(made, 9))
    held = []
    while confirmed(made) > NOTHING:
        receive(made, Head(log[:SHORT_ID], 8, b"stranger"), Status.GAP)
        held.append(confirmed(made))
    assert held == [3, 1, 0, NOTHING]


def test_a_disk_that_was_set_back_asks_for_its_history_when_the_hub_is_further(tmp_path: Path) -> None:
    """It sealed again the very segment that the hub held, heard of an end after it, and sent it for ever (simulation, seed 63)."""
    made = with_segments(tmp_path, 1)
    old = made.recorder.log
    receive(made, Head(old[:SHORT_ID], 5, b"future.."), Status.STORED)
    assert confirmed(made) == NOTHING
    assert made.recorder.log != old
    assert made.shelf.wants() is Wants.HISTORY


def test_old_mail_that_tells_nothing_new_ends_no_question(tmp_path: Path) -> None:
    made = with_segments(tmp_path, 2)
    receive(made, head_of(made, 2))
    receive(made, head_of(made, 1))
    assert made.store.get("name_all_logs") == 1, "the hub lost some, and may have lost more"
    made.shelf.take_verdicts([Verdict(head_of(made, 2), Status.FORK)], MARCH_2026 - 1000)
    assert made.store.get("name_all_logs") == 1


@pytest.mark.parametrize("later_ms, is_lost", [(-1, False), (1, True)])
def test_mail_that_does_not_name_a_log_says_that_the_hub_has_nothing_of_it(
    tmp_path: Path, later_ms: int, is_lost: bool
) -> None:
    """A centre that was set back to before it lost the whole log, and couldn't say so by stick (simulation, seed 124)."""
    made = with_segments(tmp_path, 2)
    old = made.recorder.log
    receive(made, head_of(made, 2))
    made.shelf.start_new_log(OpenReason.RESTORED)
    of_new = Verdict(Head(made.recorder.log[:SHORT_ID], NOTHING, b""), Status.STORED)
    made.shelf.take_mail([of_new], MARCH_2026 + later_ms)
    waiting = {one.tip.log for one in made.shelf.logs() if one.held == NOTHING}
    assert (old in waiting) == is_lost
