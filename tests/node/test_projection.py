"""The village's tables are the same whether they grew entry by entry or are made again from the log."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from desa import Laptop, ScriptedMachine, count, laptop, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from node import projection
from node.logs import LogRow
from node.store import Store
from sync.entries import (
    CourseCompleted,
    Kind,
    LessonOpened,
    LessonProgressed,
    OpenReason,
    OperatorActed,
    QuestionAnswered,
    QuizSubmitted,
)
from sync.segment import open_segment

TABLES = ("lesson_progress", "course_progress", "learners", "packs", "attempt_answers")

places = (st.integers(0, 2), st.integers(0, 1), st.integers(1, 3))
seconds = st.integers(0, 900)
learning = st.one_of(
    st.builds(LessonOpened, *places, seconds),
    st.builds(LessonProgressed, *places, st.integers(0, 10_000), seconds),
    st.builds(QuestionAnswered, *places, st.integers(1, 3), st.integers(0, 3), st.booleans(), seconds),
    st.builds(QuizSubmitted, *places, st.integers(0, 10_000), seconds),
    st.builds(CourseCompleted, *places, seconds),
    st.builds(OperatorActed, st.integers(1, 2), st.integers(0, 2)),
)
names = st.text("abcdefghij éÉß", min_size=1).map(str.strip).filter(bool)
acts = st.one_of(
    st.lists(learning, min_size=1, max_size=8),
    st.tuples(st.just("person"), names),
    st.tuples(st.just("renamed"), names),
    st.tuples(st.just("pack"), st.integers(1, 4)),
    st.just("seal"),
    st.just("new log"),
)


def act(made: Laptop, what: Any) -> None:
    if isinstance(what, list):
        made.recorder.record_many(what)
    elif what == "seal":
        made.recorder.seal()
    elif what == "new log":
        made.recorder.start_new_log(OpenReason.RESTORED)
    elif what[0] == "person":
        made.recorder.add_learner(what[1], "Kaur Keuangan")
    elif what[0] == "pack":
        made.recorder.install_pack(bytes(16), bytes([what[1]]) * 32, what[1])
    else:
        rename(made, what[1])


def rename(made: Laptop, name: str) -> None:
    """Give person 0 another name, if there is one."""
    if count(made.store, "learners"):
        made.recorder.change_profile(0, name, "Kepala Desa")


def tables(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(rows(store, f"SELECT * FROM {name}")) for name in TABLES}


def rebuild(made: Laptop) -> None:
    made.recorder.seal()
    with made.store.write() as db:
        query = (
            "SELECT l.pk, l.log, s.data FROM segments s JOIN logs l ON l.pk = s.log ORDER BY l.pk, s.idx"
        )
        segments = db.execute(query).fetchall()
        projection.clear(db)
        for pk, log, data in segments:
            projection.project(db, LogRow(pk, log), open_segment(data).read())


@given(st.lists(acts, max_size=20))
@settings(max_examples=40, deadline=None)
def test_tables_made_again_from_the_log_are_the_same(story: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = ScriptedMachine()
        made = laptop(Path(folder), machine)
        for what in story:
            machine.wait(1234)
            act(made, what)
        grown = tables(made.store)
        rebuild(made)
        assert tables(made.store) == grown
        made.close()


def test_clearing_forgets_every_table_that_comes_from_the_log(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    act(made, ("person", "Siti"))
    act(made, ("pack", 1))
    kinds: list[Kind] = [QuestionAnswered(0, 0, 1, 1, 0, True), CourseCompleted(0, 0, 1)]
    made.recorder.record_many(kinds)
    assert all(tables(made.store).values())
    with made.store.write() as db:
        projection.clear(db)
    assert not any(tables(made.store).values())


def test_an_attempt_begins_anew_after_it_was_submitted(tmp_path: Path) -> None:
    made = laptop(tmp_path)

    def answers() -> list[tuple[object, ...]]:
        return rows(made.store, "SELECT submitted, question, answer FROM attempt_answers ORDER BY 1, 2")

    def answered(question: int, choice: int) -> QuestionAnswered:
        return QuestionAnswered(0, 0, 1, question, choice, True)

    made.recorder.record_many([answered(1, 0), answered(2, 0), answered(1, 3)])
    assert answers() == [(0, 1, "3"), (0, 2, "0")]
    made.recorder.record(QuizSubmitted(0, 0, 1, 5000))
    assert answers() == [(1, 1, "3"), (1, 2, "0")]
    made.recorder.record_many([answered(2, 1)])
    assert answers() == [(0, 2, "1"), (1, 1, "3"), (1, 2, "0")]
    made.recorder.record(QuizSubmitted(0, 0, 1, 5000))
    assert answers() == [(1, 2, "1")]


def test_a_new_name_replaces_the_old_one_and_is_found(tmp_path: Path) -> None:
    made = laptop(tmp_path)
    made.recorder.add_learner("Siti", "Kaur Keuangan")
    rename(made, "Siti Aminah")
    query = "SELECT number, name, position, search FROM learners"
    assert rows(made.store, query) == [(0, "Siti Aminah", "Kepala Desa", "siti aminah")]
