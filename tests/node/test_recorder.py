"""The one way into the log: numbered, timed, on the disk, sealed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from desa import KEY, MARCH_2026, ScriptedMachine, count, laptop, plain_node, rows, sealed, whole_log
from hypothesis import given, settings
from hypothesis import strategies as st

from node.recorder import OperatorAction, Source
from node.store import FILE
from node.wiring import open_node
from sync import limits
from sync.entries import (
    AnchorNoted,
    ClockObserved,
    LearnerAdded,
    LessonOpened,
    LogOpened,
    OperatorActed,
    PackInstalled,
    QuestionAnswered,
)
from sync.errors import MalformedError
from sync.machine import Machine
from sync.profile import commitment_of, learner_id
from sync.segment import open_segment

OPENED = LessonOpened(0, 0, 1, 30)


def notes(made_log: list[object]) -> list[ClockObserved]:
    return [ClockObserved.from_fields(e.fields) for e in made_log if e.kind == ClockObserved.number]  # type: ignore[attr-defined]


def test_an_entry_is_in_the_database_when_record_returns(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    entry = made.recorder.record(OPENED)
    other = sqlite3.connect(tmp_path / FILE)
    assert other.execute("SELECT seq, kind, t FROM pending").fetchall() == [
        (entry.seq, entry.kind, entry.t)
    ]
    other.close()


def test_either_all_of_several_entries_are_recorded_or_none(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    before = made.recorder.counts()
    with pytest.raises(MalformedError):
        made.recorder.record_many([OPENED, OPENED, LessonOpened(-1, 0, 1)])
    assert made.recorder.counts() == before
    assert count(made.store, "lesson_progress") == 0
    assert [entry.seq for entry in made.recorder.record_many([OPENED] * 3)] == [2, 3, 4]


def test_a_log_begins_with_whose_it_is_and_what_time_it_was(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    first, second = sealed(made.store)
    assert LogOpened.from_fields(first.fields).public_key == KEY.public
    assert ClockObserved.from_fields(second.fields) == ClockObserved(0, MARCH_2026, Source.START)
    assert rows(made.store, "SELECT log FROM logs") == [(made.recorder.log,)]
    assert rows(made.store, "SELECT id FROM segments") == [(made.recorder.log,)]


def test_numbers_run_on_after_sealing_and_after_opening_again(tmp_path: Path) -> None:
    machine, seqs = ScriptedMachine(), []
    for _ in range(3):
        made = laptop(tmp_path, machine)
        seqs.append(made.recorder.record(OPENED).seq)
        made.recorder.seal()
        seqs.append(made.recorder.record(OPENED).seq)
        made.close()
    assert seqs == [2, 3, 4, 5, 6, 7]
    assert [entry.seq for entry in whole_log(laptop(tmp_path, machine))] == list(range(8))


def test_the_log_stays_the_same_when_a_node_is_opened_again(tmp_path: Path) -> None:
    first = laptop(tmp_path)
    first.close()
    assert laptop(tmp_path, ScriptedMachine(seed=2)).recorder.log == first.recorder.log


YEARS = {1970: 0, 2010: 1_262_304_000_000, 2026: MARCH_2026, 2087: 3_692_217_600_000}
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 5_000_000)),
        st.tuples(st.just("wall"), st.sampled_from(sorted(YEARS))),
        st.tuples(st.just("off"), st.integers(0, 10**9)),
        st.tuples(st.just("record"), st.integers(1, 3)),
        st.tuples(st.just("seal"), st.just(0)),
    ),
    min_size=3,
    max_size=15,
)


@given(happenings)
@settings(max_examples=25, deadline=None)
def test_log_time_never_decreases_and_never_runs_early(story: list[tuple[str, int]]) -> None:
    """Whatever the wall clock says, and however often the power goes: the cut loses what wasn't noted."""
    machine, powered, boots = ScriptedMachine(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        made = laptop(Path(folder), machine)
        said, recorded = [made.recorder.now()], [0]
        for what, amount in [*story, ("record", 1)]:
            if what == "wait":
                machine.wait(amount)
                powered += amount
            elif what == "wall":
                machine.wall_ms = YEARS[amount]
            elif what == "off":
                made.close()
                machine.restart(amount)
                boots += 1
                made = laptop(Path(folder), machine)
                said = [recorded[-1]]
            elif what == "record":
                recorded += [entry.t for entry in made.recorder.record_many([OPENED] * amount)]
                said.append(recorded[-1])
            else:
                made.recorder.seal()
            said.append(made.recorder.now())
            assert said == sorted(said)
            assert said[-1] <= powered + boots
        ts = [entry.t for entry in whole_log(made)]
        made.close()
    assert ts == sorted(ts)
    assert recorded == sorted(recorded)


def test_log_time_goes_on_after_a_restart_from_what_was_on_the_disk(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    first = laptop(tmp_path, machine)
    machine.wait(60_000)
    before = first.recorder.record(OPENED).t
    machine.wait(60_000)
    first.close()
    machine.restart(off_ms=3_600_000)
    again = laptop(tmp_path, machine)
    machine.wait(5_000)
    assert before == 60_000
    assert 65_000 <= again.recorder.record(OPENED).t <= 65_001


def test_the_wall_clock_is_noted_only_when_it_moved_against_log_time(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    made = laptop(tmp_path, machine)
    for _ in range(3):
        machine.wait(3_600_000)
        machine.wall_ms += 600
        made.recorder.record(OPENED)
    assert len(notes(whole_log(made))) == 1
    machine.wall_ms += 201
    made.recorder.record(OPENED)
    made.recorder.record(OPENED)
    assert notes(whole_log(made))[1:] == [ClockObserved(0, machine.wall_ms, Source.JUMP)]


def test_a_clock_that_is_wrong_after_switching_on_is_noted_as_a_start(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    made = laptop(tmp_path, machine)
    made.recorder.record(OPENED)
    made.close()
    machine.restart()
    machine.wall_ms = YEARS[1970]
    made = laptop(tmp_path, machine)
    made.recorder.record(OPENED)
    assert notes(whole_log(made))[1:] == [ClockObserved(1, 0, Source.START)]


def test_at_1024_waiting_entries_a_segment_is_sealed(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    made.recorder.record_many([OPENED] * 1023)
    assert (count(made.store, "segments"), count(made.store, "pending")) == (1, 1023)
    made.recorder.record(OPENED)
    assert (count(made.store, "segments"), count(made.store, "pending")) == (2, 0)
    made.recorder.record_many([OPENED] * 2500)
    assert (count(made.store, "segments"), count(made.store, "pending")) == (4, 2500 - 2048)


def test_clock_notes_alone_are_not_sealed_but_go_along_with_others(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    made = laptop(tmp_path, machine)
    machine.wall_ms = YEARS[2087]
    made.recorder.record(AnchorNoted(bytes(8), 1_772_413_200))
    made.recorder.seal()
    assert (count(made.store, "segments"), count(made.store, "pending")) == (1, 2)
    made.recorder.record(OPENED)
    made.recorder.seal()
    assert (count(made.store, "segments"), count(made.store, "pending")) == (2, 0)


def test_what_is_sealed_is_signed_and_says_what_was_recorded(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    made, told = laptop(tmp_path, machine), []
    for number in range(1, 40):
        machine.wait(number * 777)
        told.append(made.recorder.record(QuestionAnswered(0, 0, 1, number, number % 4, True, number)))
        if number % 7 == 0:
            made.recorder.seal()
    made.recorder.seal()
    previous = None
    for (data,) in rows(made.store, "SELECT data FROM segments ORDER BY idx"):
        segment = open_segment(data)
        segment.verify(KEY.public)
        assert previous is None or (segment.previous, segment.first_seq) == (previous.id, previous.end_seq)
        previous = segment
    assert sealed(made.store)[2:] == told


def test_people_are_numbered_and_known_by_what_the_log_commits_to(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    assert made.recorder.add_learner("Siti Aminah", "Kepala Desa") == 0
    assert made.recorder.add_learners([made.recorder.new_profile(f"Budi {n}", "") for n in range(3)]) == [
        1,
        2,
        3,
    ]
    added = [entry for entry in whole_log(made) if entry.kind == LearnerAdded.number]
    profiles = dict(rows(made.store, "SELECT seq, data FROM profiles"))
    assert {entry.seq: entry.fields[0] for entry in added} == {
        seq: commitment_of(data) for seq, data in profiles.items()
    }
    ids = [learner_id(made.recorder.log, bytes(entry.fields[0])) for entry in added]  # type: ignore[arg-type]
    assert rows(made.store, "SELECT id FROM learners ORDER BY number") == [(id_,) for id_ in ids]


def test_a_name_must_say_something(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    with pytest.raises(MalformedError):
        made.recorder.add_learner("  ")
    assert made.recorder.counts().saved == 2


def test_every_segment_fits_into_a_request_however_long_the_names_are(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    people = [made.recorder.new_profile("é" * 200, "é" * 200) for _ in range(700)]
    made.recorder.add_learners(people)
    made.recorder.seal()
    assert count(made.store, "learners") == 700
    [log] = made.shelf.logs()
    assert all(size <= limits.REQUEST_BODY - 4096 for _, size in log.waiting)
    assert len(whole_log(made)) == 702


def test_a_pack_keeps_its_number(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    numbers = [made.recorder.install_pack(bytes(16), bytes([hash_]) * 32, 1) for hash_ in (1, 2, 1, 3, 2)]
    assert numbers == [0, 1, 0, 2, 1]
    assert sum(entry.kind == PackInstalled.number for entry in whole_log(made)) == 3


def test_what_the_operator_did_is_recorded(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    made.recorder.act(OperatorAction.PIN_RESET, 3)
    assert whole_log(made)[-1].fields == (1, 3)
    assert whole_log(made)[-1].kind == OperatorActed.number


def test_activity_that_brings_its_own_times_moves_log_time_on(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    made = laptop(tmp_path, machine)
    now = made.recorder.now()
    made.recorder.record_played([(OPENED, now + 1000), (OPENED, now + 86_400_000)], (now, 0))
    assert made.recorder.now() == now + 86_400_000
    machine.wait(10)
    assert made.recorder.record(OPENED).t == now + 86_400_010
    assert [note.source for note in notes(whole_log(made))] == [Source.START, Source.JUMP]


_WRITER = """
import sys
from pathlib import Path
from node.wiring import open_node
from sync.entries import LessonOpened
node = open_node(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    print(node.recorder.record(LessonOpened(0, 0, 1, number)).seq)
    if number % 13 == 0:
        node.recorder.seal()
node.close()
"""


def test_two_processes_that_record_at_once_give_each_entry_its_own_number(tmp_path: Path) -> None:
    plain_node(tmp_path, machine=Machine()).close()
    command = [sys.executable, "-c", _WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    seqs = [int(seq) for writer in writers for seq in writer.communicate(timeout=60)[0].split()]
    assert len(set(seqs)) == len(seqs) == 120
    node = open_node(tmp_path)
    log = whole_log(node)
    assert [entry.seq for entry in log] == list(range(len(log)))
    assert [entry.t for entry in log] == sorted(entry.t for entry in log)
    assert {entry.seq for entry in log if entry.kind == LessonOpened.number} == set(seqs)
    assert rows(node.store, "SELECT openings FROM lesson_progress") == [(120,)]
    node.close()
