"""Unduh data saya: everything about one person, and nothing about another one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from negeri import Negeri, a_negeri, device_of, learn, office

from hub import registry
from hub.wiring import now_ms
from node.mydata import gather
from node.wiring import Node
from sync.decisions import EntriesAccepted, EntriesRejected, LearnersMerged
from sync.entries import LessonOpened, QuestionAnswered

SITI, BUDI = 0, 1


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Negeri]:
    with a_negeri(tmp_path) as made:
        yield made


def downloaded(node: Node, number: int) -> dict[str, Any]:
    made = office(node)
    made.post(f"/masuk/{number}", pin="482913", again="482913")
    answer = made.post("/kemajuan/unduh")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    found: dict[str, Any] = json.loads(answer.data)
    return found


def kinds(data: dict[str, Any]) -> list[str]:
    return [entry["kind"] for entry in data["entries"]]


def test_it_is_a_file_with_the_profile_the_courses_and_every_entry(land: Negeri) -> None:
    node = land.village()
    learn(node, 6)
    node.recorder.seal()
    learn(node, 2)
    data = downloaded(node, SITI)
    assert data["profile"]["name"] == "Siti Aminah"
    assert data["profile"]["position"] == "Kaur Keuangan"
    assert data["courses"][0]["title"] == "Kas Desa"
    assert kinds(data) == ["learner_added", *["question_answered"] * 4, "operator_acted"]
    answered = data["entries"][1]
    assert answered["fields"]["learner"] == SITI
    assert answered["at"].endswith("+00:00")
    assert answered["log_time_ms"] >= 0


def test_nothing_of_others_and_no_secret_is_in_it(land: Negeri) -> None:
    node = land.village()
    learn(node, 6)
    text = json.dumps(downloaded(node, SITI))
    assert "Budi" not in text
    assert "argon2" not in text
    assert "482913" not in text
    assert {
        entry["fields"]["learner"]
        for entry in gather(node, BUDI)["entries"]
        if "learner" in entry["fields"]
    } == {BUDI}


def test_that_it_was_made_is_in_it_and_in_the_log(land: Negeri) -> None:
    data = downloaded(land.village(), BUDI)
    assert data["entries"][-1]["kind"] == "operator_acted"
    assert data["entries"][-1]["fields"] == {"action": 4, "subject": BUDI}


def test_each_entry_says_how_far_it_has_come(land: Negeri) -> None:
    node = land.registered()
    learn(node, 2, learner=SITI)
    stick = land.stick()
    node.bundles.write(stick)
    land.visit_centre(stick)
    node.bundles.read(stick)
    learn(node, 1, learner=SITI)
    node.bundles.write(land.stick("lain"))
    learn(node, 1, learner=SITI)
    states = [entry["state"] for entry in gather(node, SITI)["entries"]]
    assert states == ["confirmed", "confirmed", "confirmed", "sent", "waiting"]


def test_what_the_centre_said_of_entries_stands_beside_them(land: Negeri) -> None:
    node = land.registered()
    land.told(node)
    first = node.recorder.record(QuestionAnswered(SITI, 0, 1, 1, 0, False)).seq
    node.recorder.record(QuestionAnswered(SITI, 0, 1, 2, 0, True))
    node.recorder.record(LessonOpened(SITI, 0, 1))
    log = node.recorder.log
    land.say(EntriesRejected(log, first, 2, "Dikerjakan orang lain."))
    land.told(node)
    rejected = [entry for entry in gather(node, SITI)["entries"] if entry["state"] == "rejected"]
    assert [entry["number"] for entry in rejected] == [first, first + 1]
    assert {entry["reason"] for entry in rejected} == {"Dikerjakan orang lain."}
    land.say(EntriesAccepted(log, first, 1))
    land.told(node)
    states = {entry["number"]: entry["state"] for entry in gather(node, SITI)["entries"]}
    assert (states[first], states[first + 1]) == ("accepted", "rejected")


def test_joined_numbers_and_what_the_centre_said_of_the_person_are_in_it(land: Negeri) -> None:
    node = land.registered()
    node.recorder.add_learner("Siti A.", "Kader Posyandu")
    learn(node, 1, learner=2)
    land.told(node)
    with node.store.read() as db:
        ids = dict(db.execute("SELECT number, id FROM learners").fetchall())
    land.say(LearnersMerged(ids[0], ids[2]))
    land.told(node)
    data = gather(node, SITI)
    assert data["profile"]["numbers_on_this_laptop"] == [0, 2]
    assert {one["name"] for one in data["profile"]["all_names"]} == {"Siti Aminah", "Siti A."}
    assert data["from_the_centre"][0]["kind"] == "learners_merged"
    assert kinds(data).count("learner_added") == 2


def test_history_from_another_laptop_of_the_village_is_in_it_too(land: Negeri) -> None:
    old = land.registered()
    learn(old, 4, learner=SITI)
    land.told(old)
    new = land.registered("pengganti")
    new.shelf.want_history()
    registry.approve(land.hub.engine, device_of(old), now_ms())
    land.told(new)
    land.told(new)
    person = next(
        one for one in new.learning.learners("siti") if new.learning.courses(one.number)[0].started
    )
    data = gather(new, person.number)
    assert kinds(data).count("question_answered") == 4
    assert data["entries"][0]["log"] != ""


def test_only_somebody_who_is_logged_in_gets_a_file(land: Negeri) -> None:
    made = office(land.village())
    assert made.post("/kemajuan/unduh").location == "/"
    made.log_in()
    assert made.post("/kemajuan/unduh").location == "/"
