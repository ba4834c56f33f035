"""The class view: who is where, who needs help, which questions are hard, and that nobody is counted twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desa import MARCH_2026, ScriptedMachine, laptop
from device import Device
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from negeri import Negeri, a_negeri
from test_history import certified, take
from village import COURSE, install_course, made_village
from werkzeug.test import TestResponse
from word import trusting

from content_packs.manifest import Manifest
from content_packs.outline import Lesson
from content_packs.questions import Question
from node import config
from node.app import create_app
from node.class_days import read_days
from node.class_register import read_class, read_classes
from node.class_view import (
    CourseClass,
    GivenAnswer,
    Member,
    Standing,
    Trouble,
    hard_questions,
    newest_answers,
    plain,
    summarise,
)
from node.course_state import CourseState, state_of
from node.people import Learner
from node.versions import Version
from node.wiring import Node, open_node
from sync.decisions import LearnersMerged
from sync.entries import (
    ClockObserved,
    LearnerLeft,
    LessonOpened,
    LessonProgressed,
    QuestionAnswered,
    QuizSubmitted,
)

PASSWORD = "rahasia desa"
DAY_MS = 24 * 3600 * 1000
KAS, TAHUN = 1, 2
PRETEST, LESSON, POSTTEST = 1, 2, 3


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Node]:
    node = made_village(tmp_path, ("Siti Aminah", "Kaur Keuangan"), ("Budi Santoso", "Kepala Desa"))
    yield node
    node.close()


def course(node: Node, pack: int = 0) -> CourseClass:
    found = read_class(node, pack)
    assert found is not None
    return found


def member(node: Node, name: str) -> Member:
    return next(one for one in course(node).members if one.person.name == name)


def sit_tests(node: Node, who: int, before: int, *after: int) -> None:
    node.recorder.record(QuizSubmitted(who, 0, PRETEST, before))
    for score in after:
        node.recorder.record(QuizSubmitted(who, 0, POSTTEST, score))


def operator(node: Node) -> FlaskClient:
    client = create_app(node).test_client()
    post(client, "/operator/masuk", password=PASSWORD, again=PASSWORD)
    return client


def post(client: FlaskClient, path: str, **form: str) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sinkronisasi").text)
    assert found
    return client.post(path, data={**form, "csrf_token": found[1]})


# Who is where


def test_everybody_is_counted_where_they_stand(village: Node) -> None:
    village.recorder.add_learner("Wayan", "Kepala Dusun")
    sit_tests(village, 0, 5000, 10_000)
    village.learning.finish_reading(0, 0, LESSON, 60)
    village.recorder.record(LessonOpened(1, 0, LESSON))

    one = course(village).summary

    assert (one.not_started, one.under_way, one.completed, one.people) == (1, 1, 1, 3)


def test_a_person_is_at_the_first_lesson_that_is_not_done(village: Node) -> None:
    sit_tests(village, 0, 5000)
    siti = member(village, "Siti Aminah")
    assert (siti.standing, siti.next_title) == (Standing.UNDER_WAY, "Buku kas umum")
    assert (siti.course.done, siti.course.total, siti.tries) == (1, 3, (0, 2))
    assert member(village, "Budi Santoso").standing is Standing.NOT_STARTED


def test_the_mean_gain_is_that_of_people_who_handed_in_both_tests(village: Node) -> None:
    village.recorder.add_learner("Wayan", "Kepala Dusun")
    sit_tests(village, 0, 4000, 6000, 9000)
    sit_tests(village, 1, 8000, 7000)
    sit_tests(village, 2, 1000)

    one = course(village).summary

    assert (one.gain, one.gains) == ((5000 - 1000) // 2, 2)


def test_without_both_tests_there_is_no_gain(village: Node) -> None:
    sit_tests(village, 0, 4000)
    assert (course(village).summary.gain, course(village).summary.gains) == (None, 0)


# Who needs help


def test_whoever_used_up_the_tries_needs_help(village: Node) -> None:
    sit_tests(village, 0, 5000, 5000, 6000)
    stuck = member(village, "Siti Aminah").stuck
    assert stuck is not None
    assert (stuck.trouble, stuck.lesson.title, stuck.count) == (Trouble.NO_TRIES_LEFT, "Tes akhir", 2)
    assert course(village).summary.stuck == 1


def test_whoever_passed_at_the_last_try_needs_none(village: Node) -> None:
    sit_tests(village, 0, 5000, 5000, 7000)
    assert member(village, "Siti Aminah").stuck is None


def test_whoever_tried_often_needs_help_before_the_tries_are_used_up(tmp_path: Path) -> None:
    files = {**COURSE, "course.toml": COURSE["course.toml"].replace("attempts = 2", "attempts = 5")}
    node = village_with(tmp_path, files)
    node.recorder.add_learner("Siti Aminah")
    sit_tests(node, 0, 5000, 5000, 6000)
    stuck = member(node, "Siti Aminah").stuck
    assert stuck is not None
    assert stuck.trouble is Trouble.NOT_PASSED
    node.close()


def test_whoever_opens_one_lesson_again_and_again_needs_help(village: Node) -> None:
    for _ in range(4):
        village.recorder.record(LessonOpened(0, 0, LESSON))
    assert member(village, "Siti Aminah").stuck is None
    village.recorder.record(LessonOpened(0, 0, LESSON))
    stuck = member(village, "Siti Aminah").stuck
    assert stuck is not None
    assert (stuck.trouble, stuck.count) == (Trouble.OPENED_OFTEN, 5)
    village.recorder.record(LessonProgressed(0, 0, LESSON, 10_000))
    assert member(village, "Siti Aminah").stuck is None


# Which questions are hard


def test_a_hard_question_says_how_many_of_those_who_answered_were_wrong(village: Node) -> None:
    village.recorder.add_learner("Wayan", "Kepala Dusun")
    village.learning.answer(0, 0, POSTTEST, 1, "1")
    village.learning.answer(0, 0, POSTTEST, 2, "1")
    village.learning.submit_quiz(0, 0, POSTTEST)
    village.learning.answer(1, 0, POSTTEST, 1, "0")

    (hard,) = course(village).hard

    assert (hard.lesson.title, hard.text) == ("Tes akhir", "Kapan uang dicatat?")
    assert (hard.answered, hard.wrong, hard.share) == (2, 1, 5000)


def test_the_newest_answer_of_a_person_counts_and_no_earlier_one(village: Node) -> None:
    village.learning.answer(0, 0, POSTTEST, 1, "1")
    village.learning.submit_quiz(0, 0, POSTTEST)
    assert len(course(village).hard) == 1
    village.learning.answer(0, 0, POSTTEST, 1, "0")
    assert course(village).hard == ()


def test_questions_of_the_first_test_come_last_because_nobody_had_learned_yet(village: Node) -> None:
    for who in (0, 1):
        village.learning.answer(who, 0, PRETEST, KAS, "0")
    village.learning.answer(0, 0, POSTTEST, 1, "1")
    village.learning.answer(1, 0, POSTTEST, 1, "0")

    assert [one.lesson.role for one in course(village).hard] == ["posttest", "pretest"]


def test_a_question_is_shown_as_plain_words() -> None:
    assert plain("<p>Berapa <b>5</b> &amp; 6?</p>\n<img src=a.png>") == "Berapa 5 & 6?"


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.just(1), st.integers(1, 3), st.sampled_from(["0", "1"])),
        max_size=40,
    )
)
def test_no_question_was_missed_by_more_people_than_answered_it(
    rows: list[tuple[int, int, int, str]],
) -> None:
    questions = [Question(n, f"q{n}", f"Soal {n}", ("a", "b"), (0,), "") for n in (1, 2, 3)]
    lesson = Lesson(1, "tes", "Tes akhir", "posttest", 5, (), "", ("q1", "q2", "q3"), "tes.bin")
    answers = newest_answers(rows)

    found = hard_questions([(lesson, questions)], answers)

    assert len({(one.person, one.question) for one in answers}) == len(answers)
    for one in found:
        people = {row[0] for row in rows if row[2] == one.number}
        assert 0 < one.wrong <= one.answered == len(people)
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)


def test_answers_to_questions_that_the_course_does_not_have_are_left_out() -> None:
    assert hard_questions([], [GivenAnswer(0, 1, 1, "0")]) == ()


# Who is counted


def test_whoever_left_is_shown_apart_and_not_counted(village: Node) -> None:
    sit_tests(village, 0, 4000, 9000)
    village.learning.answer(0, 0, POSTTEST, 1, "1")
    village.recorder.record(LearnerLeft(0, 0))

    found = course(village)

    assert [one.person.name for one in found.gone] == ["Siti Aminah"]
    assert (found.summary.people, found.summary.gain, found.hard) == (1, None, ())


def test_whoever_left_before_beginning_is_not_shown(village: Node) -> None:
    village.recorder.record(LearnerLeft(0, 0))
    assert course(village).gone == ()


def test_a_person_with_two_numbers_is_counted_once(tmp_path: Path) -> None:
    with a_negeri(tmp_path) as land:
        node = land.registered()
        node.recorder.add_learner("Siti Amina", "Kaur Keuangan")
        sit_tests(node, 0, 5000)
        sit_tests(node, 2, 4000, 9000)
        node.recorder.record(QuestionAnswered(0, 0, POSTTEST, 1, 1, False))
        node.recorder.record(QuestionAnswered(2, 0, POSTTEST, 1, 1, False))
        joined(land, node, 0, 2)

        found = course(node)

        assert sorted(one.person.name for one in found.members) == ["Budi Santoso", "Siti Aminah"]
        assert member(node, "Siti Aminah").course.gain == 4000
        assert [(one.answered, one.wrong) for one in found.hard] == [(1, 1)]
        assert member(node, "Siti Aminah").last_seen is not None


@given(
    st.lists(st.sampled_from([Standing.NOT_STARTED, Standing.UNDER_WAY, Standing.COMPLETED]), max_size=20)
)
def test_the_numbers_of_a_course_add_up_to_its_people(standings: list[Standing]) -> None:
    members = [Member(Learner(at, f"P{at}", ""), state(standing)) for at, standing in enumerate(standings)]
    one = summarise(0, "Kas", members)
    assert one.people == len(standings)
    assert one.completed == standings.count(Standing.COMPLETED)


# When somebody was here


def test_the_last_activity_is_told_by_the_clock_that_ran_before_it(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    node = village_with(tmp_path, COURSE, machine)
    node.recorder.add_learner("Siti Aminah")
    node.recorder.add_learner("Budi Santoso")
    node.recorder.record(LessonOpened(0, 0, LESSON))
    node.recorder.seal()
    machine.restart(off_ms=3 * DAY_MS)
    machine.wait(60_000)
    node.recorder.record(LessonOpened(1, 0, LESSON))

    with node.store.read() as db:
        days = read_days(db)

    assert days.last_seen == {0: MARCH_2026, 1: MARCH_2026 + 3 * DAY_MS + 60_000}
    assert member(node, "Budi Santoso").last_seen == days.last_seen[1]
    node.close()


def test_a_completion_has_its_day(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    node = village_with(tmp_path, COURSE, machine)
    node.recorder.add_learner("Siti Aminah")
    sit_tests(node, 0, 5000, 9000)
    machine.wait(DAY_MS)
    node.learning.finish_reading(0, 0, LESSON, 60)
    machine.wait(DAY_MS)
    node.recorder.record(LessonOpened(0, 0, LESSON))

    siti = member(node, "Siti Aminah")

    assert (siti.completed_on, siti.last_seen) == (MARCH_2026 + DAY_MS, MARCH_2026 + 2 * DAY_MS)
    node.close()


def test_what_another_laptop_recorded_is_told_by_that_laptop_s_clock(tmp_path: Path) -> None:
    here, other = laptop(tmp_path, ScriptedMachine(wall_ms=MARCH_2026)), Device(2).open()
    last_year = MARCH_2026 - 365 * DAY_MS
    other.seal(ClockObserved(0, last_year, 0), LessonOpened(1, 0, LESSON))
    trusting(here.store)
    certified(here, other)
    take(here, other)

    with here.store.read() as db:
        days = read_days(db)

    assert days.last_seen == {1: last_year + 1000}
    here.close()


# Pages


def test_only_the_operator_sees_the_class(village: Node) -> None:
    client = create_app(village).test_client()
    for path in ("/operator/kelas", "/operator/kelas/0"):
        assert client.get(path).location == "/operator/masuk"
    assert post(client, "/operator/kelas/unduh/xlsx").location == "/operator/masuk"


def test_the_list_leads_to_the_course_and_the_course_to_the_person(village: Node) -> None:
    sit_tests(village, 0, 4000, 6500)
    client = operator(village)

    listed, shown = client.get("/operator/kelas").text, client.get("/operator/kelas/0").text

    assert 'href="/operator/kelas/0"' in listed
    assert "+25 poin" in listed
    assert 'href="/operator/peserta/0"' in shown
    assert "hari ini" in shown
    assert "Buku kas umum" in shown


def test_a_part_of_the_class_can_be_looked_at_alone(village: Node) -> None:
    sit_tests(village, 0, 4000)
    client = operator(village)
    begun = client.get("/operator/kelas/0?lihat=sedang").text
    assert "Siti Aminah" in begun
    assert "Budi Santoso" not in begun
    assert "Budi Santoso" in client.get("/operator/kelas/0?lihat=belum").text
    assert "Tidak ada peserta di bagian ini" in client.get("/operator/kelas/0?lihat=selesai").text
    assert "Budi Santoso" in client.get("/operator/kelas/0?lihat=karangan").text


def test_the_page_names_whoever_needs_help_and_why(village: Node) -> None:
    sit_tests(village, 0, 4000, 5000, 5000)
    shown = operator(village).get("/operator/kelas/0").text
    assert "Kesempatan habis: Tes akhir sudah 2 kali dan belum lulus." in shown


def test_a_course_that_is_not_here_is_not_found(village: Node) -> None:
    client = operator(village)
    assert client.get("/operator/kelas/7").status_code == 404
    assert post(client, "/operator/kelas/7/unduh/pdf").status_code == 404
    assert post(client, "/operator/kelas/0/unduh/doc").status_code == 404


def test_without_a_course_or_people_the_pages_say_what_to_do(tmp_path: Path) -> None:
    node = village_with(tmp_path, None)
    assert "Belum ada pelatihan di laptop ini." in operator(node).get("/operator/kelas").text
    node.close()
    (tmp_path / "second").mkdir()
    other = village_with(tmp_path / "second", COURSE)
    assert "Belum ada peserta di laptop ini." in operator(other).get("/operator/kelas/0").text
    other.close()


@pytest.mark.parametrize("path", ["/operator/kelas", "/operator/kelas/0"])
def test_a_page_asks_no_more_for_many_people_and_courses_than_for_few(tmp_path: Path, path: str) -> None:
    node = made_village(tmp_path, ("Siti Aminah", "Kaur Keuangan"))
    client = operator(node)
    few = statements(node, client, path)
    for at in range(80):
        who = node.recorder.add_learner(f"Peserta {at}")
        sit_tests(node, who, 4000, 6000)
        node.recorder.record(QuestionAnswered(who, 0, POSTTEST, 1, 1, False))
    (tmp_path / "second").mkdir()
    files = {**COURSE, "course.toml": COURSE["course.toml"].replace("kas-desa", "aset-desa")}
    install_course(node, tmp_path / "second", files)
    assert len(read_classes(node)) == 2

    many = statements(node, client, path)

    assert many == few
    assert few < 30
    node.close()


def test_a_page_of_a_large_class_stays_light(village: Node) -> None:
    for at in range(150):
        sit_tests(
            village, village.recorder.add_learner(f"Peserta Nomor {at}", "Pengurus RT/RW"), 4000, 6000
        )
    shown = operator(village).get("/operator/kelas/0")
    assert len(shown.data) < 50_000
    assert "halaman=2" in shown.text


def statements(node: Node, client: FlaskClient, path: str) -> int:
    """How many statements a page costs."""
    client.get(path)
    found: list[str] = []
    with node.store.read() as reader, node.store.write() as writer:
        for connection in (reader, writer):
            connection.set_trace_callback(found.append)
    assert client.get(path).status_code == 200
    with node.store.read() as reader, node.store.write() as writer:
        for connection in (reader, writer):
            connection.set_trace_callback(None)
    return len(found)


def state(standing: Standing) -> CourseState:
    """How far somebody is in a course of one lesson."""
    lesson = Lesson(1, "buku-kas", "Buku kas", "lesson", 5, (), "", (), "buku.bin")
    manifest = Manifest("kas", 1, "Kas", "id", "dasar", "", 2, 70, 2, "Penguji", bytes(32), (lesson,), ())
    rows = {} if standing is Standing.NOT_STARTED else {(0, 1): (1, 0, 0, 0, 0, 0, None)}
    completed = {0} if standing is Standing.COMPLETED else set()
    version = Version(0, manifest)
    return state_of(version, [version], rows, completed)


def village_with(
    folder: Path, files: dict[str, str] | None, machine: ScriptedMachine | None = None
) -> Node:
    """A node with nobody in it, on a machine whose clocks a test sets."""
    made = machine or ScriptedMachine()
    secrets = {name: made.random_bytes(32) for name in ("device", "sealing", "pepper", "session")}
    settings = config.Settings("http://127.0.0.1:9", "17.05.10.2007", "Lontar Asri")
    config.create(folder / "data", settings, secrets)
    node = open_node(folder / "data", made)
    if files is not None:
        install_course(node, folder, files)
    return node


def joined(land: Negeri, node: Node, one: int, other: int) -> None:
    land.told(node)
    with node.store.read() as db:
        ids = dict(db.execute("SELECT number, id FROM learners").fetchall())
    land.say(LearnersMerged(ids[one], ids[other]))
    land.told(node)
