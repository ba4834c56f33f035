"""Entries looked up again, and when they were made, as far as a laptop can tell by itself."""

from __future__ import annotations

from pathlib import Path

from desa import MARCH_2026, Laptop, ScriptedMachine, laptop

from node.excerpts import excerpt, logs_here, moment_of
from sync.entries import AnchorNoted, LessonOpened, OpenReason

DAY_MS = 24 * 3600 * 1000


def when(made: Laptop, t: int) -> int | None:
    with made.store.read() as db:
        return moment_of(db, t)


def test_an_excerpt_holds_what_is_sealed_and_what_waits(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    made.recorder.add_learner("Siti")
    first = made.recorder.record(LessonOpened(0, 0, 1)).seq
    made.recorder.seal()
    made.recorder.record(LessonOpened(0, 0, 2))
    with made.store.read() as db:
        assert [entry.fields[2] for entry in excerpt(db, made.recorder.log, first)] == [1, 2]
        assert [entry.fields[2] for entry in excerpt(db, made.recorder.log, first, 1)] == [1]
        assert excerpt(db, b"?" * 16) == []


def test_days_without_power_are_counted(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    made = laptop(tmp_path, machine)
    made.recorder.add_learner("Siti")
    machine.wait(60_000)
    early = made.recorder.record(LessonOpened(0, 0, 1)).t
    made.recorder.seal()
    made.close()
    machine.restart(3 * DAY_MS)
    made = laptop(tmp_path, machine)
    machine.wait(60_000)
    late = made.recorder.record(LessonOpened(0, 0, 1)).t
    for _ in range(2):
        assert when(made, early) == MARCH_2026 + 60_000
        assert when(made, late) == MARCH_2026 + 3 * DAY_MS + 120_000
        made.recorder.seal()


def test_a_clock_that_stands_in_the_past_is_mended_by_a_receipt(tmp_path: Path) -> None:
    machine = ScriptedMachine(wall_ms=MARCH_2026 - 5000 * DAY_MS)
    made = laptop(tmp_path, machine)
    made.recorder.record(AnchorNoted(b"receipt.", MARCH_2026 // 1000))
    machine.wait(1000)
    assert when(made, made.recorder.now()) == MARCH_2026 + 1000


def test_a_new_log_goes_on_with_the_same_time(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    made = laptop(tmp_path, machine)
    made.recorder.add_learner("Siti")
    early = made.recorder.record(LessonOpened(0, 0, 1)).t
    machine.wait(5000)
    before = made.recorder.log
    made.recorder.start_new_log(OpenReason.FORKED)
    late = made.recorder.record(LessonOpened(0, 0, 1)).t
    with made.store.read() as db:
        assert logs_here(db) == [before, made.recorder.log]
    assert (when(made, early), when(made, late)) == (MARCH_2026, MARCH_2026 + 5000)
