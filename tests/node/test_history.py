"""The past of a village that other logs hold: adopted once, under this device's own numbers, with the hub's sums."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from desa import KEY, VILLAGE, Laptop, ScriptedMachine, laptop, rows
from device import COURSE, Device
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lumbung import Country, sums_at, sums_on, visit
from word import Word, certificate, of_devices, stream, trusting

from node import tally
from node.centre import Centre
from node.history import History
from node.shelf import HUB_LOST
from node.wiring import Node
from sync import segment
from sync.decisions import (
    DeviceRevoked,
    EntriesAccepted,
    EntriesRejected,
    LearnersMerged,
    PersonalDataErased,
)
from sync.entries import (
    Entry,
    Kind,
    LearnerContinued,
    LearnerLeft,
    LogOpened,
    OpenReason,
    PackInstalled,
    ProfileChanged,
    QuestionAnswered,
    QuizSubmitted,
)
from sync.exchange import Verdict
from sync.log import NOTHING, Head, Status
from sync.profile import Profile, learner_id
from sync.segment import Segment


@pytest.fixture
def desa(tmp_path: Path) -> Iterator[Laptop]:
    """A laptop that knows its centre, with Siti and Budi and a course."""
    made = laptop(tmp_path)
    trusting(made.store)
    for name in ("Siti", "Budi"):
        made.recorder.add_learner(name)
    made.recorder.install_pack(b"c" * 16, b"m" * 32, 1)
    made.shelf.seal()
    yield made
    made.close()


def history(desa: Laptop) -> History:
    return History(desa.store, desa.recorder, Centre(desa.store, VILLAGE), KEY.public)


def certified(desa: Laptop, *devices: Device) -> None:
    desa.shelf.take_items(stream(Word().says(*map(certificate, devices))))


def answer(learner: int, question: int = 1, right: bool = True) -> QuestionAnswered:
    return QuestionAnswered(learner, 0, 1, question, 1, right, 5)


def take(desa: Laptop, device: Device, *segments: Segment) -> int:
    profiles = [profile.encode() for profile in device.profiles]
    return history(desa).take(segments or device.segments, profiles)


def names(desa: Laptop) -> list[str]:
    return [row[0] for row in rows(desa.store, "SELECT name FROM learners ORDER BY number")]


def answers(desa: Laptop) -> dict[str, int]:
    query = """SELECT p.name, sum(l.answers) FROM lesson_progress l JOIN learners n ON n.number = l.learner
               JOIN learners p ON p.number = n.person GROUP BY p.number"""
    return dict(rows(desa.store, query))


def test_another_laptop_s_people_get_numbers_here_and_keep_their_progress(desa: Laptop) -> None:
    other = Device(2).open()
    other.seal(answer(0), answer(1), answer(1))
    certified(desa, other)
    desa.recorder.record(answer(0))
    assert take(desa, other) == 2
    assert names(desa) == ["Siti", "Budi", "Peserta 1", "Peserta 2"]
    assert answers(desa) == {"Siti": 1, "Peserta 1": 1, "Peserta 2": 2}
    manifests = rows(desa.store, "SELECT number, manifest_hash FROM packs ORDER BY number")
    assert manifests == [(0, b"m" * 32), (1, COURSE[1])]
    assert take(desa, other) == 0, "what was taken before changes nothing"
    assert answers(desa) == {"Siti": 1, "Peserta 1": 1, "Peserta 2": 2}


def test_numbers_given_here_go_into_this_device_s_own_log(desa: Laptop) -> None:
    """So the hub, and this laptop's next log, call the same people by the same numbers."""
    other = Device(2).open()
    certified(desa, other)
    take(desa, other)
    desa.recorder.seal()
    data = [row[0] for row in rows(desa.store, "SELECT data FROM segments ORDER BY log, idx")]
    said = [entry for one in data for entry in segment.open_segment(one).read().entries()]
    continued = [entry.fields[0] for entry in said if entry.kind == LearnerContinued.number]
    assert continued == [learner_id(other.log, profile.commitment) for profile in other.profiles]
    desa.recorder.record(answer(3))
    assert answers(desa) == {"Peserta 2": 1}


def test_what_comes_later_of_a_log_goes_on_under_the_same_numbers(desa: Laptop) -> None:
    other = Device(2).open()
    other.seal(answer(0))
    certified(desa, other)
    take(desa, other, other.segments[0])
    desa.recorder.add_learner("Joko")
    other.seal(other.person(), answer(2))
    take(desa, other)
    assert names(desa) == ["Siti", "Budi", "Peserta 1", "Peserta 2", "Joko", "Peserta 3"]
    assert answers(desa) == {"Peserta 1": 1, "Peserta 3": 1}


def test_devices_that_the_centre_doesn_t_know_or_of_another_village_are_not_believed(desa: Laptop) -> None:
    stranger, elsewhere = Device(2).open(), Device(3).open()
    desa.shelf.take_items(stream(Word("17").says(certificate(elsewhere, "17.05.11.2001"))))
    assert take(desa, stranger) == take(desa, elsewhere) == 0
    assert names(desa) == ["Siti", "Budi"]


def test_a_forged_segment_is_passed_over_and_the_good_ones_are_taken(desa: Laptop) -> None:
    other = Device(2).open()
    other.seal(answer(0))
    certified(desa, other)
    thief = Device(9)
    forged = segment.seal(thief.key, other.log, 1, other.log, other.segments[1].read().entries(), other.t)
    assert take(desa, other, forged, *other.segments) == 2
    assert answers(desa) == {"Peserta 1": 1}


def test_a_revoked_laptop_s_earlier_work_is_still_the_village_s(desa: Laptop) -> None:
    other = Device(2).open()
    other.seal(answer(0))
    desa.shelf.take_items(stream(Word().says(certificate(other), DeviceRevoked(other.id, "hilang"))))
    take(desa, other)
    assert answers(desa) == {"Peserta 1": 1}


def test_what_comes_before_its_parent_is_left_until_the_parent_is_there(desa: Laptop) -> None:
    other = Device(2).open()
    for at in range(3):
        other.seal(answer(0, at))
    certified(desa, other)
    assert take(desa, other, other.segments[2], other.segments[3]) == 0
    assert take(desa, other, other.segments[0]) == 1
    assert take(desa, other, other.segments[3], other.segments[2]) == 0
    assert take(desa, other, *reversed(other.segments)) == 3
    assert answers(desa) == {"Peserta 1": 3}


def test_both_branches_of_a_copied_disk_count_and_what_they_share_once(desa: Laptop) -> None:
    other = Device(2).open()
    waiting = [
        Entry(len(other.entries) + at, 11, other.t + 1000 * (at + 1), answer(0, at).fields())
        for at in range(4)
    ]
    tip, base_t = other.tip, other.t
    one = segment.seal(other.key, other.log, 1, tip.id, waiting, base_t)
    more = [Entry(waiting[-1].seq + 1, 11, waiting[-1].t + 7, answer(1).fields())]
    two = segment.seal(
        other.key,
        other.log,
        1,
        tip.id,
        [*waiting[:2], Entry(waiting[2].seq, 11, waiting[2].t + 3, answer(1).fields())],
        base_t,
    )
    three = segment.seal(other.key, other.log, 2, one.id, more, waiting[-1].t)
    certified(desa, other)
    for order in ([two, one, three], [one, two, three]):
        take(desa, other, other.segments[0], *order)
    assert answers(desa) == {"Peserta 1": 4, "Peserta 2": 2}
    assert {(head.index, head.id) for head in history(desa).heads() if head.log == other.log} == {
        (1, two.id),
        (2, three.id),
    }


def test_a_disk_set_back_with_entries_waiting_knows_them_again_in_its_lost_tail(tmp_path: Path) -> None:
    """Nothing tells this laptop that it was set back; a neighbour brings what it had recorded and sealed then."""
    (tmp_path / "data").mkdir()
    made = laptop(tmp_path / "data")
    trusting(made.store)
    made.recorder.add_learner("Siti")
    made.recorder.install_pack(b"c" * 16, b"m" * 32, 1)
    made.recorder.seal()
    for at in range(3):
        made.recorder.record(answer(0, at))
    made.close()
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    made = laptop(tmp_path / "data", ScriptedMachine(seed=3))
    made.recorder.record(answer(0, 9))
    made.recorder.seal(even_quiet=True)
    tail = [
        segment.open_segment(row[0]) for row in rows(made.store, "SELECT data FROM segments ORDER BY idx")
    ]
    made.close()
    restored = laptop(tmp_path / "backup", ScriptedMachine(seed=4))
    assert history(restored).take(tail) == 1
    assert answers(restored) == {"Siti": 4}
    restored.close()


@pytest.mark.parametrize("back_at, confirms", [(2, 2), (1, 1)])
def test_a_disk_set_back_hears_that_the_hub_holds_its_old_log_further(
    tmp_path: Path, back_at: int, confirms: int
) -> None:
    """It once sent the same segment for ever: the hub's word was on an end of its log that it didn't know (simulation, seed 31)."""
    (tmp_path / "data").mkdir()
    made = laptop(tmp_path / "data")
    trusting(made.store)
    made.recorder.add_learner("Siti")
    made.recorder.install_pack(b"c" * 16, b"m" * 32, 1)
    for at in range(1, 5):
        made.recorder.record(answer(0, at))
        made.recorder.seal(even_quiet=True)
        if at == back_at:
            made.close()
            shutil.copytree(tmp_path / "data", tmp_path / "backup")
            made = laptop(tmp_path / "data", ScriptedMachine(seed=3))
    tail = [
        segment.open_segment(row[0]) for row in rows(made.store, "SELECT data FROM segments ORDER BY idx")
    ]
    made.close()
    restored = laptop(tmp_path / "backup", ScriptedMachine(seed=4))
    old = restored.recorder.log
    restored.shelf.start_new_log(OpenReason.RESTORED)
    told(restored, Head(old, tail[-1].index, tail[-1].id))
    assert passed_on(restored), "an end that this disk can't join to what it holds proves nothing"
    history(restored).take(tail, from_hub=True)
    told(restored, Head(old, tail[-1].index, tail[-1].id))
    assert rows(restored.store, "SELECT confirmed FROM logs ORDER BY pk")[0] == (confirms,)
    assert [waiting for _, waiting in passed_on(restored) if waiting] == []
    assert not restored.store.get(HUB_LOST, 0)
    restored.close()


def test_somebody_who_goes_on_in_another_log_has_one_number(desa: Laptop) -> None:
    first, second = Device(2).open(), Device(3)
    siti = learner_id(first.log, first.profiles[0].commitment)
    opened = LogOpened(1, second.key.public, bytes(32), bytes(16), 4, b"")
    second.seal(opened, PackInstalled(*COURSE), LearnerContinued(siti))
    second.seal(answer(0))
    first.seal(answer(0))
    certified(desa, first, second)
    take(desa, second)
    assert names(desa) == ["Siti", "Budi", "?"], "the name comes with the log that introduced her"
    take(desa, first)
    assert names(desa) == ["Siti", "Budi", "Peserta 1", "Peserta 2"]
    assert answers(desa) == {"Peserta 1": 2}
    third = Device(4)
    third.seal(
        LogOpened(1, third.key.public, bytes(32), bytes(16), 4, b""),
        PackInstalled(*COURSE),
        LearnerContinued(learner_id(second.log, siti)),
        answer(0),
    )
    desa.shelf.take_items(stream(Word(nonce=b"x" * 16).says(certificate(third))))
    take(desa, third)
    assert answers(desa) == {"Peserta 1": 3}


def test_renaming_in_another_log_renames_here(desa: Laptop) -> None:
    other = Device(2).open()
    renamed = Profile(b"renamed".ljust(16), "Hj. Siti", "Kaur")
    other.profiles.append(renamed)
    other.seal(ProfileChanged(0, renamed.commitment))
    certified(desa, other)
    take(desa, other)
    assert names(desa)[2:] == ["Hj. Siti", "Peserta 2"]


def test_people_of_whom_the_centre_spoke_before_they_were_known_here_are_joined(desa: Laptop) -> None:
    """What the centre says comes first, the history after it in the same answer."""
    other = Device(2).open()
    here = rows(desa.store, "SELECT id FROM learners WHERE number = 0")[0][0]
    there = learner_id(other.log, other.profiles[0].commitment)
    word = Word().says(certificate(other), LearnersMerged(*sorted((here, there))))
    other.seal(answer(0))
    desa.recorder.record(answer(0))
    desa.shelf.take_items(stream(word) + of_devices([other]))
    assert [row[0] for row in rows(desa.store, "SELECT person FROM learners ORDER BY number")] == [
        0,
        1,
        0,
        3,
    ]
    assert answers(desa) == {"Siti": 2}


def test_erased_people_have_no_name_when_their_history_comes(desa: Laptop) -> None:
    other = Device(2).open()
    erased = PersonalDataErased(other.profiles[0].commitment)
    desa.shelf.take_items(stream(Word().says(certificate(other), erased)) + of_devices([other]))
    assert names(desa)[2:] == ["?", "Peserta 2"]
    assert rows(desa.store, "SELECT 1 FROM profiles WHERE commitment = ?", erased.commitment) == []


def test_entries_of_tomorrow_are_kept_and_passed_on(desa: Laptop) -> None:
    other = Device(2).open()
    other.seal_entries([Entry(len(other.entries), 9999, other.t, (0, 0, 0, b"nanti"))], other.t)
    odd = Entry(len(other.entries), 11, other.t, (7, 0, 1, 1, 1, True, 5))
    other.seal_entries([odd], other.t)
    other.seal(answer(0))
    certified(desa, other)
    assert take(desa, other) == 4
    assert answers(desa) == {"Peserta 1": 1}
    passed = [item for _, item in history(desa).segments_beyond([])]
    assert {one.data for one in other.segments} <= set(passed)


def test_a_neighbour_gets_exactly_what_it_lacks(desa: Laptop) -> None:
    other = Device(2).open()
    for at in range(4):
        other.seal(answer(0, at))
    certified(desa, other)
    take(desa, other)
    everything = history(desa).segments_beyond([])
    assert {data for _, data in everything} == {
        *(one.data for one in other.segments),
        *(row[0] for row in rows(desa.store, "SELECT data FROM segments")),
    }
    assert sorted(len(profiles) for profiles, _ in everything)[-2:] == [2, 2]
    assert history(desa).segments_beyond(history(desa).heads()) == []
    partly = [
        *(head for head in history(desa).heads() if head.log != other.log),
        Head(other.log, 2, other.segments[2].id),
    ]
    assert [data for _, data in history(desa).segments_beyond(partly)] == [
        one.data for one in other.segments[3:]
    ]
    short = [Head(head.log[:8], head.index, head.id[:8]) for head in history(desa).heads()]
    assert history(desa).segments_beyond(short) == []


def test_what_a_neighbour_brought_is_passed_on_to_the_hub_until_it_has_it(desa: Laptop) -> None:
    other = Device(2).open()
    other.seal(answer(0))
    certified(desa, other)
    take(desa, other)
    (waiting,) = [one for one in desa.shelf.logs() if one.tip.log == other.log]
    assert [index for index, _ in waiting.waiting] == [0, 1]
    assert desa.shelf.items(other.tip, 0) == [
        *(one.encode() for one in other.profiles),
        other.segments[0].data,
    ]
    told(desa, other.tip)
    assert passed_on(desa) == []


def told(desa: Laptop, *heads: Head, hub_ms: int = 1000, answered: bool = True) -> None:
    """The hub says that it holds these, in a receipt or in mail."""
    said = [Verdict(Head(head.log[:8], head.index, head.id[:8]), Status.STORED) for head in heads]
    desa.shelf.take_verdicts(said, hub_ms, answered)


def passed_on(desa: Laptop) -> list[tuple[Head, list[int]]]:
    own = desa.recorder.log
    return [
        (one.tip, [index for index, _ in one.waiting])
        for one in desa.shelf.logs()
        if one.tip.log != own and one.waiting
    ]


def forked(desa: Laptop) -> tuple[Device, Device]:
    """Another laptop's log and that of its copy, which share two segments; both are here, the copy's is shorter."""
    other = Device(2).open()
    other.seal(answer(0))
    copy = other.fork()
    other.seal(answer(0, 2))
    other.seal(answer(0, 3))
    copy.seal(answer(1, 4))
    certified(desa, other)
    take(desa, other)
    take(desa, copy)
    return other, copy


def test_each_branch_of_another_laptop_s_log_is_passed_on_until_the_hub_has_it(desa: Laptop) -> None:
    other, copy = forked(desa)
    waiting = dict(passed_on(desa))
    assert set(waiting) == {other.tip, copy.tip}
    assert sorted(index for indexes in waiting.values() for index in indexes) == [0, 1, 2, 2, 3]
    told(desa, other.tip)
    assert passed_on(desa) == [(copy.tip, [2])]
    assert desa.shelf.items(copy.tip, 2)[-1] == copy.segments[2].data
    assert desa.shelf.items(other.tip, 2)[-1] == other.segments[2].data
    told(desa, copy.tip)
    assert passed_on(desa) == []


def test_a_hub_that_lost_a_branch_gets_it_again(desa: Laptop) -> None:
    other, copy = forked(desa)
    told(desa, other.tip, copy.tip)
    told(desa, Head(other.log, 1, other.segments[1].id))
    assert {index for _, waiting in passed_on(desa) for index in waiting} == {2, 3}
    told(desa, Head(other.log, NOTHING, b""))
    assert {index for _, waiting in passed_on(desa) for index in waiting} == {0, 1, 2, 3}


def test_what_was_passed_on_last_is_asked_about_until_something_of_this_laptop_is_confirmed(
    desa: Laptop,
) -> None:
    """A hub that was set back since may hold all of this laptop's log, and have lost only that."""
    other, _ = forked(desa)
    told(desa, other.tip)
    assert asked_about(desa, other)
    desa.recorder.add_learner("Bu Sari")
    desa.shelf.seal()
    assert asked_about(desa, other)
    told(desa, desa.shelf.logs()[-1].tip)
    assert not asked_about(desa, other)


def asked_about(desa: Laptop, other: Device) -> bool:
    return any(one.tip == other.tip and not one.waiting for one in desa.shelf.logs())


def test_a_hub_that_lost_what_comes_before_gets_all_that_it_once_confirmed(desa: Laptop) -> None:
    other, copy = forked(desa)
    told(desa, other.tip)
    lost = Verdict(Head(other.log[:8], 0, other.segments[0].id[:8]), Status.GAP)
    desa.shelf.take_verdicts([lost], 2000, answered=True)
    assert {index for _, waiting in passed_on(desa) for index in waiting} == {1, 2, 3}
    told(desa, copy.tip)
    assert passed_on(desa) == [(other.tip, [2, 3])]


@pytest.mark.parametrize("hub_ms, is_lost", [(900, False), (1001, True)])
def test_mail_that_is_no_older_says_what_a_hub_lost(desa: Laptop, hub_ms: int, is_lost: bool) -> None:
    other, copy = forked(desa)
    told(desa, other.tip)
    assert not any(head == other.tip for head in desa.shelf.have(named=True))
    assert other.tip in desa.shelf.have(named=True, even_unasked=True)
    lacks = [Verdict(Head(tip.log[:8], tip.index, tip.id[:8]), Status.GAP) for tip in (copy.tip, other.tip)]
    desa.shelf.take_verdicts(lacks[:1], hub_ms)
    assert passed_on(desa) == [(copy.tip, [2])], "it was never confirmed"
    desa.shelf.take_verdicts(lacks[1:], hub_ms)
    again = {index for _, waiting in passed_on(desa) for index in waiting}
    assert again == ({0, 1, 2, 3} if is_lost else {2})


def test_older_mail_confirms_nothing_that_the_hub_has_lost_since(desa: Laptop) -> None:
    other, _ = forked(desa)
    told(desa, other.tip, hub_ms=5000)
    told(desa, Head(other.log, NOTHING, b""), hub_ms=9000)
    before = passed_on(desa)
    told(desa, other.tip, hub_ms=5000, answered=False)
    assert passed_on(desa) == before
    told(desa, other.tip, hub_ms=9001, answered=False)
    assert passed_on(desa) != before


def test_who_left_another_laptop_is_no_obstacle_to_what_was_learned_there(desa: Laptop) -> None:
    """It once kept the whole segment from being added up."""
    other = Device(2).open()
    other.seal(answer(0), LearnerLeft(0, 0), answer(1))
    certified(desa, other)
    take(desa, other)
    assert answers(desa) == {"Peserta 1": 1, "Peserta 2": 1}
    left = "SELECT count(*) FROM learners WHERE has_left"
    assert rows(desa.store, left) == [(0,)], "only there, not here"


# What the centre rejects.


def rejection(device: Device, segment_: Segment) -> EntriesRejected:
    return EntriesRejected(device.log, segment_.first_seq, segment_.count, "Laptop hilang.", segment_.id)


def hear(desa: Laptop, word: Word, *kinds: Kind) -> None:
    desa.shelf.take_items(stream(word.says(*kinds)))


@pytest.mark.parametrize("first", ["history", "rejection"])
def test_entries_that_the_centre_rejected_add_nothing_whatever_came_first(desa: Laptop, first: str) -> None:
    other, word = Device(2).open(), Word("17.05")
    certified(desa, other)
    other.seal(answer(0))
    bad = other.seal(answer(0), answer(1), ProfileChanged(1, other.person().commitment))
    other.seal(answer(1))
    desa.recorder.record(answer(0))
    if first == "history":
        take(desa, other)
        assert answers(desa) == {"Siti": 1, "Peserta 1": 2, "Peserta 3": 2}
        hear(desa, word, rejection(other, bad))
    else:
        hear(desa, word, rejection(other, bad))
        take(desa, other)
    assert answers(desa) == {"Siti": 1, "Peserta 1": 1, "Peserta 2": 1}
    hear(desa, word, EntriesAccepted(other.log, bad.first_seq, bad.count, bad.id))
    assert answers(desa) == {"Siti": 1, "Peserta 1": 2, "Peserta 3": 2}


def test_a_rejected_segment_of_one_branch_leaves_the_other_branch_alone(desa: Laptop) -> None:
    other = Device(2).open()
    copy = other.fork()
    bad, good = other.seal(answer(0, 1)), copy.seal(answer(0, 2))
    assert (bad.first_seq, bad.count) == (good.first_seq, good.count)
    certified(desa, other)
    take(desa, other)
    take(desa, copy)
    hear(desa, Word("17.05"), rejection(other, bad))
    assert answers(desa) == {"Peserta 1": 1}


def test_what_stands_in_a_rejected_segment_and_in_one_that_counts_counts(desa: Laptop) -> None:
    other = Device(2).open()
    copy = other.fork()
    bad = other.seal(answer(0, 1), answer(0, 2))
    copy.seal_entries(other.entries[-2:-1], copy.t)
    certified(desa, other)
    take(desa, other)
    take(desa, copy)
    assert answers(desa) == {"Peserta 1": 2}
    hear(desa, Word("17.05"), rejection(other, bad))
    assert answers(desa) == {"Peserta 1": 1}


def test_entries_of_this_laptop_that_were_rejected_add_nothing_and_what_waits_still_does(
    desa: Laptop,
) -> None:
    desa.recorder.record(answer(0))
    desa.shelf.seal()
    desa.recorder.record(answer(1))
    (data,) = rows(desa.store, "SELECT data FROM segments ORDER BY idx DESC LIMIT 1")[0]
    bad = segment.open_segment(data)
    hear(desa, Word("17.05"), EntriesRejected(bad.log, bad.first_seq, bad.count, "Salah.", bad.id))
    assert answers(desa) == {"Budi": 1}
    hear(desa, Word("17"), EntriesRejected(bad.log, bad.first_seq, bad.count, "Dari pusat lama."))
    assert answers(desa) == {"Budi": 1}


@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counting_anew_comes_to_the_same_sums(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    made = laptop(tmp_path_factory.mktemp("desa"))
    trusting(made.store)
    made.recorder.add_learner("Siti")
    made.recorder.install_pack(b"c" * 16, b"m" * 32, 1)
    devices = [Device(2).open(), Device(3).open()]
    certified(made, *devices)
    for step in data.draw(st.lists(st.integers(0, 4), max_size=8)):
        if step < 2:
            devices[step].seal(answer(step), QuizSubmitted(0, 0, 1, 100 * step), answer(0))
            take(made, devices[step])
        elif step == 2:
            made.recorder.record(answer(0))
        elif step == 3:
            made.shelf.seal()
        else:
            devices.append(devices[0].fork())
            devices[-1].seal(answer(1, 3))
            take(made, devices[-1])
    sums = "SELECT * FROM lesson_progress ORDER BY learner, pack, lesson"
    before = rows(made.store, sums)
    with made.store.write() as db:
        tally.recount(db)
    assert rows(made.store, sums) == before
    made.close()


def test_what_came_from_the_hub_need_not_go_back(desa: Laptop) -> None:
    other = Device(2).open()
    certified(desa, other)
    desa.shelf.take_items(of_devices([other]))
    assert [one for one in desa.shelf.logs() if one.tip.log == other.log] == []


# Whole villages, with a real hub and sticks.


@pytest.fixture
def country(tmp_path: Path) -> Iterator[Country]:
    made = Country(tmp_path)
    yield made
    made.close()


def started(node: Node, *people: str) -> Node:
    for name in people:
        node.recorder.add_learner(name)
    node.recorder.install_pack(b"c" * 16, b"m" * 32, 1)
    return node


def learn(node: Node, rng: random.Random, count: int = 5) -> None:
    people = [row[0] for row in rows(node.store, "SELECT number FROM learners")]
    for _ in range(count):
        learner, lesson = rng.choice(people), rng.randrange(1, 3)
        node.recorder.record(
            QuestionAnswered(
                learner, 0, lesson, rng.randrange(1, 5), 1, rng.random() < 0.5, rng.randrange(60)
            )
        )
        if rng.random() < 0.3:
            node.recorder.record(
                QuizSubmitted(learner, 0, lesson, rng.randrange(10_001), rng.randrange(60))
            )


def rounds(country: Country, count: int, *nodes: Node) -> None:
    stick = country.stick()
    for _ in range(count):
        for node in nodes:
            node.shelf.want_history()
            visit(node, stick)
            country.deliver(stick)
            node.bundles.read(stick)


def same_sums(country: Country, *nodes: Node) -> None:
    expected = sorted(sums_at(country.hub).values(), key=str)
    for node in nodes:
        assert sorted(sums_on(node).values(), key=str) == expected


@pytest.mark.parametrize("seed", range(2))
def test_two_laptops_and_a_copy_of_one_end_with_the_hub_s_sums(country: Country, seed: int) -> None:
    rng, stick = random.Random(seed), country.stick()
    first = started(country.registered("first", stick), "Siti", "Budi")
    second = started(country.registered("second", stick), "Joko")
    learn(first, rng)
    learn(second, rng)
    rounds(country, 1, first, second)
    learn(first, rng)
    first.close()
    twin = country.copied("first", "twin")
    first = country.opened("first")
    assert twin.store.get("new_log") == OpenReason.MOVED
    for node in rng.sample([first, second, twin], 3):
        learn(node, rng)
    rounds(country, 3, first, second, twin)
    same_sums(country, first, second, twin)


def test_a_copy_that_was_switched_on_for_less_time_gets_its_mail_too(country: Country) -> None:
    rng, stick = random.Random(1), country.stick()
    first = started(country.registered("first", stick), "Siti", "Budi")
    learn(first, rng)
    rounds(country, 1, first)
    first.close()
    twin = country.copied("first", "twin")
    first = country.opened("first")
    country.machines["first"].wait(3_600_000)
    learn(first, rng)
    learn(twin, rng)
    rounds(country, 3, first, twin)
    same_sums(country, first, twin)


@pytest.mark.parametrize("seed", range(2))
def test_a_disk_set_back_gets_its_lost_tail_again(country: Country, seed: int) -> None:
    rng, stick = random.Random(seed), country.stick()
    node = started(country.registered("asri", stick), "Siti", "Budi")
    learn(node, rng)
    node.close()
    shutil.copytree(country.folder / "asri", country.folder / "backup")
    node = country.opened("asri")
    for round_ in range(5):
        if round_ == 2:
            node.recorder.add_learner("Citra")
        learn(node, rng)
        rounds(country, 1, node)
    before = sums_on(node)
    node.close()
    restored = country.set_back("asri", "backup")
    assert restored.store.get("new_log") == OpenReason.RESTORED
    assert restored.recorder.add_learner("Dewi") == 2
    rounds(country, 3, restored)
    everybody = [row[0] for row in rows(restored.store, "SELECT name FROM learners ORDER BY number")]
    assert everybody == ["Siti", "Budi", "Dewi", "Citra"], "numbers stay the same, and nobody is lost"
    assert sums_on(restored) == before
    learn(restored, rng)
    rounds(country, 2, restored)
    same_sums(country, restored)


def test_a_new_laptop_takes_over_with_everybody_and_their_progress(country: Country) -> None:
    rng, stick = random.Random(5), country.stick()
    old = started(country.registered("old", stick), "Siti", "Budi")
    learn(old, rng, 20)
    rounds(country, 1, old)
    before = sums_on(old)
    new = country.registered("new", stick)
    rounds(country, 2, new)
    assert sums_on(new) == before
    learn(new, rng, 10)
    rounds(country, 2, new, old)
    same_sums(country, new, old)
