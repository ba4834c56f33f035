"""What activities say becomes few, bounded entries; a play's address opens one activity to one learner."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from activities import activity_course, installed
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from village import made_village

from node import outcomes, playing
from node.app import create_app
from node.desk import desk_of
from node.errors import OutcomeError
from node.outcomes import Answered, Outcome
from node.player_app import beside, create_player_app
from node.plays import PLAYS_MOST, SUBMISSIONS_MOST, Play, Plays
from node.sittings import IDLE_MS, Sittings
from node.wiring import Node
from sync.entries import LessonProgressed, QuestionResponded, QuizSubmitted

FILES = {"kuis.html": "<p>Kuis</p>", "gambar.png": "png"}
VERB = "http://adlnet.gov/expapi/verbs/"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = made_village(tmp_path, ("Siti", "Kades"), ("Budi", "Sekdes"))
    yield made
    made.close()


@pytest.fixture
def play(node: Node, tmp_path: Path) -> Play:
    pack = installed(
        node, activity_course(tmp_path / "c", "scorm", "kuis.html", FILES), tmp_path / "c.lontar"
    )
    return Play("t", "s", 0, pack, 1, node.recorder.now())


def recorded(node: Node) -> list[tuple[int, list[Any]]]:
    from sync import cbor

    kinds = (LessonProgressed.number, QuizSubmitted.number, QuestionResponded.number)
    with node.store.read() as db:
        rows = db.execute("SELECT kind, fields FROM pending ORDER BY seq").fetchall()
    return [(kind, cbor.decode(fields)) for kind, fields in rows if kind in kinds]


def kinds(node: Node) -> list[int]:
    return [kind for kind, _fields in recorded(node)]


def commit(**more: object) -> bytes:
    return json.dumps({"completionStatus": "incomplete", "runtimeData": {"cmi": {}}, **more}).encode()


def test_a_scorm_commit_is_read(node: Node) -> None:
    cmi = {
        "core": {"lesson_status": "passed"},
        "suspend_data": "x",
        "interactions": {
            "0": {"id": "a", "student_response": "b", "result": "correct"},
            "1": {"id": "c", "student_response": "d", "result": "wrong"},
            "2": {"id": "belum"},
        },
    }
    body = commit(
        completionStatus="completed", runtimeData={"cmi": cmi}, score={"raw": 80, "min": 0, "max": 100}
    )
    outcome = outcomes.of_scorm(body, is_final=True)
    assert (outcome.completed, outcome.score, outcome.is_final) == (True, 8000, True)
    assert outcome.answers == (Answered("a", "b", True), Answered("c", "d", False))
    assert json.loads(outcome.state or "") == cmi


@pytest.mark.parametrize(
    ("score", "read"),
    [
        ({"scaled": 0.5}, 5000),
        ({"scaled": -1}, 0),
        ({"scaled": 7}, 10_000),
        ({"raw": "45", "min": "20", "max": "70"}, 5000),
        ({"raw": 30}, 3000),
        ({"raw": "", "max": 100}, None),
        ({"raw": "banyak"}, None),
        ({"raw": 1, "min": 5, "max": 5}, None),
        ({"raw": "1e999"}, None),
        ({}, None),
    ],
)
def test_scores_of_every_scale_are_hundredths_of_a_percent(
    score: dict[str, object], read: int | None
) -> None:
    assert outcomes.of_scorm(commit(score=score), False).score == read


@pytest.mark.parametrize(
    ("verb", "result", "completed", "is_final"),
    [
        ("initialized", {}, False, False),
        ("completed", {}, True, True),
        ("passed", {"score": {"scaled": 1}}, True, True),
        ("failed", {"score": {"scaled": 0.2}}, False, True),
        ("experienced", {"completion": True}, True, False),
        ("answered", {"completion": True, "response": "x"}, False, False),
        ("terminated", {}, False, True),
    ],
)
def test_statements_say_whether_it_is_done_and_final(
    verb: str, result: dict[str, object], completed: bool, is_final: bool
) -> None:
    outcome = outcomes.of_statement({"verb": {"id": VERB + verb}, "result": result, "object": {"id": "x"}})
    assert (outcome.completed, outcome.is_final) == (completed, is_final)


def test_a_part_of_an_h5p_task_gives_an_answer_and_no_score() -> None:
    statement = {
        "verb": {"id": VERB + "answered"},
        "object": {"id": "http://x/soal"},
        "result": {"response": "1", "score": {"scaled": 1}, "success": True},
    }
    part = outcomes.of_h5p(json.dumps({"statement": statement, "is_child": True}).encode())
    assert (part.answers, part.score, part.is_final) == (
        (Answered("http://x/soal", "1", True),),
        None,
        False,
    )
    whole = outcomes.of_h5p(json.dumps({"statement": statement}).encode())
    assert (whole.score, whole.completed, whole.is_final) == (10_000, True, True)


@given(st.binary(max_size=300))
def test_no_bytes_bring_anything_but_a_refusal_or_an_outcome(body: bytes) -> None:
    for read in (lambda: outcomes.of_scorm(body, True), lambda: outcomes.of_h5p(body)):
        with contextlib.suppress(OutcomeError):
            assert isinstance(read(), Outcome)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "verb",
        "id",
        "object",
        "result",
        "score",
        "scaled",
        "raw",
        "min",
        "max",
        "response",
        "success",
        "completion",
    ]
)


@given(st.dictionaries(names, values | st.dictionaries(names, values | st.dictionaries(names, values))))
def test_no_statement_brings_anything_but_a_refusal_or_bounded_values(statement: dict[str, Any]) -> None:
    try:
        outcome = outcomes.of_statement(statement)
    except OutcomeError:
        return
    assert outcome.score is None or 0 <= outcome.score <= 10_000
    assert all(len(answer.response) <= outcomes.ANSWER_MOST for answer in outcome.answers)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(OutcomeError):
        outcomes.of_scorm(b" " * (outcomes.BODY_MOST + 1), False)
    with pytest.raises(OutcomeError):
        outcomes.of_h5p(json.dumps({"state": "x" * (outcomes.STATE_MOST + 1)}).encode())


def test_what_was_said_before_makes_no_entry(node: Node, play: Play) -> None:
    said = Outcome(score=8000, answers=(Answered("a", "x", True),), state="s")
    for _ in range(5):
        node.playing.take(play, said)
    assert kinds(node) == [QuestionResponded.number], "a score counts when it is handed in"
    final = Outcome(completed=True, score=8000, is_final=True)
    for _ in range(5):
        node.playing.take(play, final)
    assert kinds(node) == [QuestionResponded.number, LessonProgressed.number, QuizSubmitted.number]
    (state,) = [one for one in node.learning.courses(0) if one.pack == play.pack]
    assert (state.completed, state.lessons[0].best_score) == (True, 8000)
    # Somebody tries again and does better.
    node.playing.take(play, Outcome(completed=True, score=9000, is_final=True))
    assert kinds(node)[-1] == QuizSubmitted.number
    assert node.playing.kept(play).state == "s"


def test_a_score_that_a_power_cut_kept_back_is_handed_in_at_the_next_opening(
    node: Node, play: Play
) -> None:
    node.playing.take(play, Outcome(score=7000, state="s"))
    assert QuizSubmitted.number not in kinds(node)
    node.playing.begin(Play("u", "s2", 0, play.pack, 1, 0))
    assert kinds(node) == [QuizSubmitted.number]
    node.playing.begin(play)
    assert kinds(node) == [QuizSubmitted.number]


def test_a_bad_course_can_t_fill_the_log(node: Node, play: Play) -> None:
    for number in range(300):
        answers = (Answered(f"soal {number}", "x", False),)
        node.playing.take(play, Outcome(score=number, is_final=True, completed=True, answers=answers))
    assert kinds(node).count(QuizSubmitted.number) == SUBMISSIONS_MOST
    assert kinds(node).count(QuestionResponded.number) == outcomes.ANSWERS_MOST


def test_a_new_version_goes_on_unless_its_lesson_was_revised(
    node: Node, play: Play, tmp_path: Path
) -> None:
    node.playing.take(play, Outcome(state="halaman 3"))
    second = activity_course(tmp_path / "c2", "scorm", "kuis.html", FILES, version=2)
    pack = installed(node, second, tmp_path / "c2.lontar")
    assert node.playing.kept(Play("u", "s", 0, pack, 1, 0)).state == "halaman 3"
    lesson = tmp_path / "c2" / "01-main.html"
    lesson.write_text(lesson.read_text().replace('id = "main"', 'id = "main"\nrevised_in = 3'))
    toml = tmp_path / "c2" / "course.toml"
    toml.write_text(toml.read_text().replace("version = 2", "version = 3"))
    from activities import KEY

    from content_packs.build import build_pack

    pack = installed(node, build_pack(tmp_path / "c2", KEY), tmp_path / "c3.lontar")
    assert node.playing.kept(Play("u", "s", 0, pack, 1, 0)).state == ""


def test_erasing_a_person_erases_what_activities_kept(node: Node, play: Play) -> None:
    node.playing.take(play, Outcome(state="nama saya Siti"))
    with node.store.write() as db:
        (commitment,) = db.execute("SELECT commitment FROM learners WHERE number = 0").fetchone()
        playing.forget(db, commitment)
        assert db.execute("SELECT count(*) FROM activity_states").fetchone()[0] == 0


def test_a_play_ends_with_its_learner_s_sitting() -> None:
    now = [0]
    sittings = Sittings(lambda: now[0])
    plays = Plays(sittings)
    siti = sittings.begin(0)
    play = plays.begin(siti, 1, 1, 0)
    assert plays.begin(siti, 1, 1, 0) is play
    assert plays.begin(siti, 1, 2, 0).token != play.token
    now[0] = IDLE_MS - 1
    assert plays.find(play.token) is play
    now[0] = 2 * IDLE_MS - 2
    assert plays.find(play.token) is play, "who plays isn't idle"
    sittings.end(siti.id)
    assert plays.find(play.token) is None
    assert plays.find("") is None
    budi = sittings.begin(1)
    for lesson in range(PLAYS_MOST + 1):
        last = plays.begin(budi, 1, lesson, 0)
    assert plays.find(last.token) is last


@pytest.fixture
def player(node: Node, play: Play) -> tuple[FlaskClient, str]:
    pages = create_app(node)
    app = create_player_app(desk_of(pages))
    app.config["PAGES_PORT"] = 8080
    shared = desk_of(pages)
    begun = shared.plays.begin(shared.sittings.begin(0), play.pack, 1, 0)
    return app.test_client(), begun.token


def test_a_token_opens_its_activity_and_nothing_else(player: tuple[FlaskClient, str]) -> None:
    client, token = player
    assert client.get(f"/{token}/isi/kuis.html").data == b"<p>Kuis</p>"
    assert client.get(f"/{token}/isi/gambar.png", headers={"Range": "bytes=1-"}).data == b"ng"
    for path in ("01-main.cbor", "main.cbor", "../main.cbor", "%2e%2e/main.cbor", "isi/kuis.html", ""):
        assert client.get(f"/{token}/isi/{path}").status_code == 404
    for path in ("bar.js/../../app.py", "..%2fapp.py", "lain.js", "bar.js%00"):
        assert client.get(f"/{token}/lontar/{path}").status_code == 404
    assert client.get(f"/{token}/lontar/bar.js").status_code == 200
    for other in ("x", token[:-1], token + "x", token.swapcase()):
        assert client.get(f"/{other}/").status_code == 404
        assert client.post(f"/{other}/hasil/scorm", data=commit()).status_code == 404


def test_every_answer_there_forbids_the_network_and_sets_no_cookie(player: tuple[FlaskClient, str]) -> None:
    client, token = player
    for path in (f"/{token}/", f"/{token}/isi/kuis.html", "/tidak/ada"):
        answer = client.get(path, base_url="http://192.168.43.1:8081")
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "form-action 'none'" in policy
        assert policy.endswith("frame-ancestors 'self' http://192.168.43.1:8080")
        assert "http" not in policy.replace("http://192.168.43.1:8080", "")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Set-Cookie" not in answer.headers
    assert client.get(f"/{token}/", headers={"Host": "jahat.example"}).status_code == 400
    assert beside("[::1]:9", 8080) == "http://[::1]:8080"


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"{", b'{"runtimeData": 1}', b'{"runtimeData": {"cmi": 1}}', b"\xff"]
)
def test_what_can_t_be_read_is_refused_and_changes_nothing(
    player: tuple[FlaskClient, str], node: Node, body: bytes
) -> None:
    client, token = player
    before = recorded(node)
    assert client.post(f"/{token}/hasil/scorm", data=body).status_code == 422
    assert client.put(f"/{token}/xapi/statements", data=body).status_code in (422, 204)
    assert recorded(node) == before
    assert client.post(f"/{token}/hasil/scorm", data=b" " * (outcomes.BODY_MOST + 1)).status_code in (
        413,
        422,
    )


def test_one_bad_statement_keeps_the_others_of_its_batch_out(
    player: tuple[FlaskClient, str], node: Node
) -> None:
    client, token = player
    good = {"verb": {"id": VERB + "passed"}, "result": {"score": {"scaled": 1}}}
    assert client.post(f"/{token}/xapi/statements", json=[good, {"verb": 1}]).status_code == 422
    assert recorded(node) == []
    assert client.post(f"/{token}/xapi/statements", json=[good]).status_code == 200
    assert QuizSubmitted.number in kinds(node)


def test_documents_of_a_cmi5_unit_are_kept_for_its_learner(player: tuple[FlaskClient, str]) -> None:
    client, token = player
    address = f"/{token}/xapi/activities/state"
    assert client.get(f"{address}?stateId=halaman").status_code == 404
    assert client.put(f"{address}?stateId=halaman", data=b'{"di": 3}').status_code == 204
    assert client.get(f"{address}?stateId=halaman").json == {"di": 3}
    assert client.get(address).json == ["halaman"]
    assert client.get(f"{address}?stateId=LMS.LaunchData").json["launchMode"] == "Normal"  # type: ignore[index]
    big = b"x" * (outcomes.STATE_MOST - 10)
    assert client.put(f"{address}?stateId=besar", data=big).status_code == 422
    assert client.delete(f"{address}?stateId=halaman").status_code == 204
    assert client.get(f"{address}?stateId=halaman").status_code == 404


def test_launch_parameters_of_cmi5_stand_before_a_fragment(node: Node, tmp_path: Path) -> None:
    files = {"au.html": "<p>AU</p>"}
    pack = installed(
        node, activity_course(tmp_path / "au", "cmi5", "au.html#/a", files), tmp_path / "au.lontar"
    )
    pages = create_app(node)
    app = create_player_app(desk_of(pages))
    app.config["PAGES_PORT"] = 8080
    shared = desk_of(pages)
    begun = shared.plays.begin(shared.sittings.begin(0), pack, 1, 0)
    text = app.test_client().get(f"/{begun.token}/").text
    assert f"/{begun.token}/isi/au.html?endpoint=" in text and '#/a"' in text
