"""People whom the centre joined are shown once, whoever they once were; and those who moved away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from negeri import PASSWORD, Negeri, Office, a_negeri, learn, office, post

from node.wiring import Node
from sync.decisions import LearnersMerged, LearnersSeparated
from sync.entries import LessonProgressed, QuestionAnswered, QuizSubmitted

SITI, BUDI, TWIN = 0, 1, 2
PIN = "482913"


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Negeri]:
    with a_negeri(tmp_path) as made:
        yield made


def with_twin(land: Negeri) -> Node:
    """A registered laptop on which Siti was added a second time."""
    node = land.registered()
    node.recorder.add_learner("Siti Amina", "Kaur Keuangan")
    land.told(node)
    return node


def decide(land: Negeri, node: Node, kind: type[LearnersMerged | LearnersSeparated]) -> None:
    with node.store.read() as db:
        ids = dict(db.execute("SELECT number, id FROM learners").fetchall())
    land.say(kind(ids[SITI], ids[TWIN]))
    land.told(node)


def names(node: Node, search: str = "") -> list[str]:
    return [one.name for one in node.learning.learners(search)]


def test_one_person_is_listed_once_and_found_by_either_name(land: Negeri) -> None:
    node = with_twin(land)
    decide(land, node, LearnersMerged)
    assert names(node) == ["Budi Santoso", "Siti Aminah"]
    assert names(node, "amina") == names(node, "siti amina") == ["Siti Aminah"]
    decide(land, node, LearnersSeparated)
    assert names(node, "siti") == ["Siti Amina", "Siti Aminah"]


def test_progress_is_that_of_the_whole_person(land: Negeri) -> None:
    node = with_twin(land)
    for kind in (
        QuizSubmitted(SITI, 0, 1, 5000, 10),
        QuizSubmitted(TWIN, 0, 1, 7500, 20),
        LessonProgressed(TWIN, 0, 2, 10_000, 5),
    ):
        node.recorder.record(kind)
    decide(land, node, LearnersMerged)
    for number in (SITI, TWIN):
        course = node.learning.courses(number)[0]
        test, reading = course.lessons[0], course.lessons[1]
        assert (test.attempts, test.best_score, test.seconds) == (2, 7500, 30)
        assert reading.done
    assert node.learning.courses(BUDI)[0].lessons[0].attempts == 0
    decide(land, node, LearnersSeparated)
    assert node.learning.courses(SITI)[0].lessons[0].attempts == 1


def test_what_is_under_way_stays_with_the_number_and_the_last_result_with_the_person(land: Negeri) -> None:
    node = with_twin(land)
    node.recorder.record(QuestionAnswered(TWIN, 0, 1, 1, 1, True))
    node.recorder.record(QuizSubmitted(TWIN, 0, 1, 5000))
    node.recorder.record(QuestionAnswered(TWIN, 0, 1, 2, 0, True))
    decide(land, node, LearnersMerged)
    assert node.learning.open_answers(SITI, 0, 1) == {}
    assert node.learning.open_answers(TWIN, 0, 1) == {2: "0"}
    result = node.learning.last_result(SITI, 0, 1)
    assert result is not None
    assert result.answers == {1: "1"}


def test_attempts_are_counted_together(land: Negeri) -> None:
    node = with_twin(land)
    node.recorder.record(QuizSubmitted(SITI, 0, 3, 5000))
    node.recorder.record(QuizSubmitted(TWIN, 0, 3, 5000))
    assert node.learning.attempts_left(SITI, 0, 3) == 1
    decide(land, node, LearnersMerged)
    assert node.learning.attempts_left(SITI, 0, 3) == 0


def test_any_number_enters_as_the_person(land: Negeri) -> None:
    node = with_twin(land)
    decide(land, node, LearnersMerged)
    made = office(node)
    assert "Siti Aminah" in made.client.get(f"/masuk/{TWIN}").text
    assert made.post(f"/masuk/{TWIN}", pin=PIN, again=PIN).location == "/pelatihan"
    made.post("/pelatihan/0/materi/2/dibaca")
    with node.store.read() as db:
        query = "SELECT learner FROM lesson_progress WHERE furthest > 0"
        assert db.execute(query).fetchall() == [(SITI,)]


def test_a_pin_of_either_number_goes_on_and_nobody_can_set_another_one(land: Negeri) -> None:
    node = with_twin(land)
    made = office(node)
    made.post(f"/masuk/{TWIN}", pin=PIN, again=PIN)
    made.post("/keluar")
    decide(land, node, LearnersMerged)
    assert "PIN baru" not in made.client.get(f"/masuk/{SITI}").text
    assert "PIN salah" in made.post(f"/masuk/{SITI}", pin="111222").text
    assert made.post(f"/masuk/{SITI}", pin=PIN).location == "/pelatihan"
    made.post("/keluar")
    made.log_in()
    made.post(f"/operator/peserta/{SITI}/pin")
    assert "PIN baru" in office(node).client.get(f"/masuk/{SITI}").text


def desk_of_operator(node: Node) -> Office:
    made = office(node)
    made.log_in()
    return made


def test_the_operator_gives_somebody_another_name_and_position(land: Negeri) -> None:
    node = land.village()
    made = desk_of_operator(node)
    done = made.post("/operator/peserta/0", name="  Siti  Aminah, S.E. ", position="*", other="Bendahara")
    assert done.location == "/operator/peserta/0"
    person = node.learning.learner(SITI)
    assert person is not None
    assert (person.name, person.position) == ("Siti Aminah, S.E.", "Bendahara")
    page = made.client.get("/operator/peserta/0").text
    assert 'value="Bendahara"' in page


@pytest.mark.parametrize(
    ("name", "sentence"), [("", "Nama tidak boleh kosong"), ("budi santoso", "sudah ada")]
)
def test_a_name_that_will_not_do_is_refused_near_the_field(land: Negeri, name: str, sentence: str) -> None:
    made = desk_of_operator(land.village())
    refused = made.post("/operator/peserta/0", name=name, position="Kepala Desa")
    assert refused.status_code == 422
    assert sentence in refused.text


def test_the_same_name_with_another_position_may_be_kept(land: Negeri) -> None:
    made = desk_of_operator(land.village())
    kept = made.post("/operator/peserta/0", name="Siti Aminah", position="Kaur Keuangan")
    assert kept.location == "/operator/peserta/0"


def test_who_moved_away_is_not_shown_until_coming_back(land: Negeri) -> None:
    node = land.village()
    made = desk_of_operator(node)
    learn(node, 3, learner=SITI)
    siti = made.client.application.test_client()
    post(siti, "/masuk/0", pin=PIN, again=PIN)

    made.post("/operator/peserta/0/pindah")

    assert names(node) == ["Budi Santoso"]
    assert siti.get("/pelatihan").location == "/"
    assert siti.get("/masuk/0").status_code == 404
    assert "Sudah pindah atau tidak lagi belajar (1)" in made.client.get("/operator").text
    made.post("/operator/peserta/0/pindah")
    assert names(node) == ["Budi Santoso", "Siti Aminah"]
    assert node.learning.courses(SITI)[0].lessons[0].answers == 3
    assert post(siti, "/masuk/0", pin=PIN).location == "/pelatihan"


def test_only_the_operator_changes_people(land: Negeri) -> None:
    made = office(land.village())
    for path in ("/operator/peserta/0", "/operator/peserta/0/pindah"):
        assert made.post(path, name="X", position="").location == "/operator/masuk"
    assert names(made.node) == ["Budi Santoso", "Siti Aminah"]
    assert made.post("/operator/masuk", password=PASSWORD, again=PASSWORD).location == "/operator"
    assert made.client.get("/operator/peserta/9").status_code == 404
