"""What a learner's tables say of a course: the gain between tests, what is left to do, the hours, how long a lesson takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from test_views_learning import BUDI, SITI, log_in
from village import COURSE, install_course, made_village

from content_packs.lesson_file import LessonContent
from content_packs.questions import Question
from node.app import create_app
from node.course_state import CourseState, hours_earned
from node.durations import guess
from node.wiring import Node
from sync.entries import CourseCompleted, QuizSubmitted

WHO, PACK, PRETEST, READING, POSTTEST = 0, 0, 1, 2, 3


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = made_village(tmp_path, SITI, BUDI)
    yield made
    made.close()


def state(node: Node) -> CourseState:
    found = node.learning.course(WHO, PACK)
    assert found is not None
    return found


def submit(node: Node, lesson: int, score: int) -> None:
    node.recorder.record(QuizSubmitted(WHO, PACK, lesson, score))


def test_without_both_tests_there_is_no_gain(node: Node) -> None:
    assert (state(node).pretest, state(node).posttest, state(node).gain) == (None, None, None)
    submit(node, PRETEST, 4_000)
    assert (state(node).pretest, state(node).gain) == (4_000, None)


def test_the_gain_is_the_best_final_score_less_the_first_one(node: Node) -> None:
    submit(node, PRETEST, 4_000)
    submit(node, POSTTEST, 5_000)
    submit(node, POSTTEST, 9_000)
    assert (state(node).posttest, state(node).gain) == (9_000, 5_000)


def test_whoever_did_worse_has_a_negative_gain(node: Node) -> None:
    submit(node, PRETEST, 8_000)
    submit(node, POSTTEST, 6_000)
    assert state(node).gain == -2_000


def test_a_first_test_that_was_repeated_makes_no_gain_larger(node: Node) -> None:
    submit(node, PRETEST, 2_000)
    submit(node, PRETEST, 7_000)
    submit(node, POSTTEST, 9_000)
    assert state(node).gain == 2_000


def test_attempts_are_counted_down_for_the_final_test_only(node: Node) -> None:
    assert [state(node).attempts_left(number) for number in (PRETEST, READING, POSTTEST, 9)] == [
        None,
        None,
        2,
        None,
    ]
    for left in (1, 0, 0):
        submit(node, POSTTEST, 0)
        assert state(node).attempts_left(POSTTEST) == left


def test_what_is_done_is_tallied_by_role(node: Node) -> None:
    submit(node, PRETEST, 0)
    tallies = [state(node).tally(role) for role in ("pretest", "lesson", "posttest")]
    assert tallies == [(1, 1), (0, 1), (0, 1)]


def test_hours_of_a_course_with_two_versions_on_the_list_count_once(node: Node, tmp_path: Path) -> None:
    node.recorder.record(CourseCompleted(WHO, PACK, POSTTEST))
    first = state(node)
    (tmp_path / "two").mkdir()
    newer = {**COURSE, "course.toml": COURSE["course.toml"].replace("version = 1", "version = 2")}
    install_course(node, tmp_path / "two", newer)
    (second,) = node.learning.courses(WHO)
    assert second.manifest.version == 2
    assert hours_earned([first, second]) == hours_earned([second]) == 2


def test_minutes_of_the_author_come_first_and_guesses_say_so(node: Node, tmp_path: Path) -> None:
    assert {one.is_guess for one in node.learning.durations(PACK).values()} == {False}
    files = {name: text.replace("minutes = 10\n", "") for name, text in COURSE.items()}
    files["course.toml"] = files["course.toml"].replace('"kas-desa"', '"tanpa-menit"')
    files["02-buku-kas.md"] += "kata " * 480
    (tmp_path / "two").mkdir()
    install_course(node, tmp_path / "two", files)
    duration = node.learning.durations(1)[READING]
    assert (duration.minutes, duration.is_guess) == (4, True)


@given(st.integers(0, 5_000), st.integers(0, 50))
def test_more_to_read_or_to_answer_never_takes_less_time(words: int, questions: int) -> None:
    def minutes(words: int, questions: int) -> int:
        asked = tuple(Question(n, str(n), "?", ("a", "b"), (0,), "") for n in range(questions))
        return guess(LessonContent("<p>" + "kata " * words + "</p>", asked))

    assert 1 <= minutes(words, questions) <= minutes(words + 160, questions)
    assert minutes(words, questions) < minutes(words, questions + 1) or words == questions == 0


def statements(node: Node, ask: Callable[[], object]) -> int:
    """How many statements answering takes."""
    found: list[str] = []
    with node.store.read() as db:
        db.set_trace_callback(found.append)
    ask()
    with node.store.read() as db:
        db.set_trace_callback(None)
    return len(found)


def test_pages_ask_the_database_no_more_for_more_courses_lessons_and_people(
    node: Node, tmp_path: Path
) -> None:
    client: FlaskClient = create_app(node).test_client()
    log_in(client)
    paths = (
        "/pelatihan",
        "/pelatihan/0",
        "/pelatihan/0/materi/2",
        "/pelatihan/0/materi/1/kuis/1",
        "/kemajuan",
    )
    for path in paths:
        client.get(path)
    before = [statements(node, lambda path=path: client.get(path)) for path in paths]  # type: ignore[misc]
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        more = {**COURSE, "course.toml": COURSE["course.toml"].replace('"kas-desa"', f'"kas-{number}"')}
        more |= {
            f"02-{at}.md": COURSE["02-buku-kas.md"].replace('"buku-kas"', f'"b-{at}"') for at in range(9)
        }
        install_course(node, tmp_path / str(number), more)
        node.recorder.add_learner(f"Warga {number}", "Kepala Dusun")
    after = [statements(node, lambda path=path: client.get(path)) for path in paths]  # type: ignore[misc]
    assert after == before
    assert max(before) <= 25
