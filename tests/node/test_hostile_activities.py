"""A hostile course, a curious learner and a power cut at the player's port: each harms its own lesson at most."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from activities import KEY, activity_course, installed
from flask.testing import FlaskClient
from village import made_village

from content_packs.build import BuiltPack, build_pack
from content_packs.piece_file import Media
from node import outcomes, plays
from node.app import create_app
from node.desk import Desk, desk_of
from node.outcomes import Answered, Outcome
from node.player_app import create_player_app
from node.plays import Play, Plays
from node.serving import Served
from node.sittings import IDLE_MS, Sittings
from node.wiring import Node

VERB = "http://adlnet.gov/expapi/verbs/"
PIN = "482913"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = made_village(tmp_path, ("Siti", "Kades"), ("Budi", "Sekdes"))
    yield made
    made.close()


@pytest.fixture
def pack(node: Node, tmp_path: Path) -> int:
    built = activity_course(tmp_path / "c", "scorm", "kuis.html", {"kuis.html": "<p>Kuis</p>"})
    return installed(node, built, tmp_path / "c.lontar")


@pytest.fixture
def shared(node: Node) -> Desk:
    return desk_of(create_app(node))


@pytest.fixture
def play(shared: Desk, pack: int) -> Play:
    return shared.plays.begin(shared.sittings.begin(0), pack, 1, shared.node.recorder.now())


@pytest.fixture
def client(shared: Desk) -> FlaskClient:
    app = create_player_app(shared)
    app.config["PAGES_PORT"] = 8080
    return app.test_client()


def entries(node: Node) -> int:
    with node.store.read() as db:
        return int(db.execute("SELECT count(*) FROM pending").fetchone()[0])


def statement(verb: str, **result: object) -> dict[str, Any]:
    return {"verb": {"id": VERB + verb}, "object": {"id": "http://x/soal"}, "result": result}


def commit(**cmi: object) -> bytes:
    return json.dumps({"completionStatus": "incomplete", "runtimeData": {"cmi": cmi}}).encode()


@pytest.mark.parametrize("size", [15_000, 17_000, 100_000, outcomes.STATE_MOST - 100])
def test_a_large_state_is_there_when_the_lesson_is_opened_again(
    node: Node, client: FlaskClient, play: Play, size: int
) -> None:
    """It was kept in full and could never be read again, so the lesson never opened for that learner."""
    said = commit(suspend_data="x" * size)
    assert client.post(f"/{play.token}/hasil/scorm", data=said).status_code == 200
    assert len(node.playing.kept(play).state) > size
    assert client.get(f"/{play.token}/").status_code == 200


def test_the_largest_row_that_is_let_in_can_be_read(node: Node, play: Play) -> None:
    widest = "\U0001f40e"
    answers = tuple(
        Answered(f"{n:03}" + widest * (outcomes.ID_MOST - 3), widest * outcomes.ANSWER_MOST, True)
        for n in range(outcomes.ANSWERS_MOST)
    )
    node.playing.take(play, Outcome(answers=answers, state="x" * outcomes.STATE_MOST))
    assert len(node.playing.kept(play).answered) == outcomes.ANSWERS_MOST


def test_a_state_that_only_interactions_make_too_large_does_not_cost_the_score() -> None:
    many = {str(n): {"id": f"s{n}", "student_response": "x" * 900, "result": "correct"} for n in range(180)}
    body = json.loads(commit(suspend_data="halaman 9", interactions=many)) | {"score": {"scaled": 1}}
    outcome = outcomes.of_scorm(json.dumps(body).encode(), True)
    assert (outcome.score, len(outcome.answers)) == (10_000, 180)
    assert json.loads(outcome.state or "") == {"suspend_data": "halaman 9"}


@pytest.mark.parametrize("player", ["scorm", "h5p", "cmi5"])
def test_no_state_keeps_a_lesson_from_opening_or_saving(
    node: Node, client: FlaskClient, shared: Desk, tmp_path: Path, player: str
) -> None:
    built = activity_course(tmp_path / "lain", player, "h5p.json", {"h5p.json": "{}"}, version=2)
    pack = installed(node, built, tmp_path / "lain.lontar")
    play = shared.plays.begin(shared.sittings.begin(0), pack, 1, 0)
    address = f"/{play.token}/xapi/activities/state"
    for state in ("bukan json", "[1]", '{"a": 1}', "[" * 60_000, "null", '"x"'):
        assert client.post(f"/{play.token}/hasil/h5p", json={"state": state}).status_code == 200
        assert client.get(f"/{play.token}/").status_code == 200
        assert client.get(address).json == []
        assert client.put(f"{address}?stateId=a", data="1").status_code == 204
        assert client.get(f"{address}?stateId=a").data == b"1"


BODIES = (
    *("null", "1", '""', "[]", "[[]]", "[1]", "{}", "NaN", "[NaN]", "\ud800", "{" * 100_000, "\0"),
    '{"runtimeData": {"cmi": {"a": ' + "[" * 950 + "]" * 950 + "}}}",
    '{"runtimeData": {"cmi": {"interactions": {"0": {"id": "a", "result": [], "student_response": {}}}}}}',
    '{"runtimeData": {"cmi": {"interactions": {"childArray": "x"}}}}',
    '{"runtimeData": {"cmi": {}}, "score": {"raw": 1' + "0" * 400 + "}}",
    '{"runtimeData": {"cmi": {}}, "score": {"raw": 1e308, "min": -1e308, "max": 1e308}}',
    '{"runtimeData": {"cmi": {}}, "score": {"raw": "Infinity", "max": "nan"}}',
    '{"verb": {"id": "passed"}, "result": {"score": {"raw": -1e308, "min": 1e308}}}',
    '{"verb": {"id": ["passed"]}}',
    '{"verb": {"id": "answered"}, "object": {"id": "a"}, "result": {"response": "\\ud800"}}',
    '{"statement": {"verb": {"id": "answered"}}, "is_child": "x", "state": 5}',
    '{"statement": {"verb": {"id": "passed"}, "result": [], "object": 1}}',
)


@pytest.mark.parametrize("path", ["hasil/scorm", "hasil/h5p", "xapi/statements", "xapi/activities/state"])
def test_no_body_brings_down_an_endpoint(client: FlaskClient, play: Play, path: str) -> None:
    for body in BODIES:
        data = body.encode("utf-8", "surrogatepass")
        for send in (client.post, client.put):
            answer = send(f"/{play.token}/{path}", data=data)
            assert answer.status_code in (200, 204, 405, 422), (body[:80], answer.data)
        assert client.get(f"/{play.token}/").status_code == 200, body[:80]


def test_ten_thousand_results_are_slowed_and_make_few_entries(
    node: Node, client: FlaskClient, play: Play
) -> None:
    before, answers = entries(node), []
    for n in range(1000):
        said = statement("answered", response=str(n), score={"scaled": n / 1000})
        answers.append(client.post(f"/{play.token}/hasil/h5p", json={"statement": said}).status_code)
    assert set(answers) == {200, 429} and answers.count(200) < 400
    assert entries(node) - before < plays.ANSWERS_MOST + plays.SUBMISSIONS_MOST + 5


def test_a_flood_that_ends_is_forgiven() -> None:
    play = Play("t", "s", 0, 1, 1, 0)
    assert sum(play.may_speak(1000) for _ in range(500)) == 120
    assert not play.may_speak(1000)
    assert play.may_speak(2000)
    assert sum(play.may_speak(3_600_000) for _ in range(500)) == 120


def test_an_answer_that_is_changed_without_end_stops_making_entries(node: Node, play: Play) -> None:
    before = entries(node)
    for n in range(plays.ANSWERS_MOST + 50):
        node.playing.take(play, Outcome(answers=(Answered("soal", str(n), False),)))
    assert entries(node) - before == plays.ANSWERS_MOST
    node.playing.take(play, Outcome(completed=True, score=5000, is_final=True))
    assert entries(node) - before >= plays.ANSWERS_MOST + 2, "what matters has its own count"


def test_opening_the_page_without_end_hands_in_no_more_than_a_play_may(node: Node, play: Play) -> None:
    before = entries(node)
    for n in range(100):
        node.playing.take(play, Outcome(score=n))
        node.playing.begin(play)
    assert entries(node) - before == plays.SUBMISSIONS_MOST + 1, "and one for the course"


def test_ending_without_end_makes_few_entries(node: Node, play: Play) -> None:
    before = entries(node)
    for _ in range(100):
        play.began_t -= 60_000
        node.playing.take(play, Outcome(is_final=True))
    assert entries(node) - before == plays.TIMES_MOST


def test_a_batch_is_bounded_and_recorded_at_once(node: Node, client: FlaskClient, play: Play) -> None:
    address = f"/{play.token}/xapi/statements"
    many = [statement("answered", response=str(n)) for n in range(outcomes.STATEMENTS_MOST + 1)]
    before = entries(node)
    assert client.post(address, json=many).status_code == 422
    assert entries(node) == before
    ids = client.post(address, json=[{**many[0], "id": "a"}, {**many[1], "id": [1]}]).json
    assert ids[0] == "a" and len(ids[1]) == 36, "who gave no id is given one"
    assert entries(node) == before + 2


def with_test(folder: Path) -> BuiltPack:
    """A final test of two attempts that is an activity and has a question of ours as well."""
    activity_course(folder, "scorm", "kuis.html", {"kuis.html": "x"})
    page = (folder / "01-main.html").read_text().replace('id = "main"', 'id = "main"\nrole = "posttest"')
    (folder / "01-main.html").unlink()
    question = "\n## [satu] Berapa?\n- [x] Satu\n- [ ] Dua\n> Penjelasan: satu.\n"
    (folder / "01-main.md").write_text(page.replace("<p>Baca dulu.</p>", "Baca dulu.") + question)
    toml = folder / "course.toml"
    toml.write_text(toml.read_text() + "attempts = 2\n")
    return build_pack(folder, KEY)


def test_a_final_test_that_is_an_activity_has_no_more_attempts_than_others(
    node: Node, client: FlaskClient, shared: Desk, tmp_path: Path
) -> None:
    pack = installed(node, with_test(tmp_path / "t"), tmp_path / "t.lontar")
    play = shared.plays.begin(shared.sittings.begin(0), pack, 1, 0)
    for percent in (10, 20, 90):
        said = statement("failed", score={"scaled": percent / 100})
        client.post(f"/{play.token}/hasil/h5p", json={"statement": said})
    state = node.learning.course(0, pack).lessons[0]  # type: ignore[union-attr]
    assert (state.attempts, state.best_score) == (2, 2000)
    told = client.get(f"/{play.token}/keadaan").json
    assert (told["score"], told["over"]) == (2000, True)  # type: ignore[index]


def test_answers_of_an_activity_do_not_break_the_questions_of_its_lesson(
    node: Node, shared: Desk, tmp_path: Path
) -> None:
    pack = installed(node, with_test(tmp_path / "t"), tmp_path / "t.lontar")
    play = shared.plays.begin(shared.sittings.begin(0), pack, 1, 0)
    node.playing.take(play, Outcome(answers=(Answered("soal", "bukan pilihan", True),)))
    node.playing.take(play, Outcome(score=5000, is_final=True))
    result = node.learning.last_result(0, pack, 1)
    assert result is not None
    assert (dict(result.answers), result.right) == ({2: "bukan pilihan"}, 0)


def test_who_opens_many_lessons_ends_nobody_else_s_play() -> None:
    sittings = Sittings(lambda: 0)
    open_plays = Plays(sittings)
    siti = open_plays.begin(sittings.begin(0), 1, 1, 0)
    for _ in range(30):
        budi = sittings.begin(1)
        for lesson in range(100):
            last = open_plays.begin(budi, 1, lesson, 0)
    assert open_plays.find(siti.token) is siti
    assert open_plays.find(last.token) is last
    assert len(open_plays._open) == 1 + plays.PLAYS_OF_ONE_MOST


def test_a_page_that_asks_alone_keeps_nobody_logged_in(
    client: FlaskClient, shared: Desk, pack: int
) -> None:
    now = [0]
    sittings = Sittings(lambda: now[0])
    open_plays = Plays(sittings)
    siti = sittings.begin(0)
    play = open_plays.begin(siti, 1, 1, 0)
    for now[0] in range(0, IDLE_MS + 1, IDLE_MS // 10):
        assert open_plays.find(play.token, counts=False) is play
    now[0] = IDLE_MS + 1
    assert open_plays.find(play.token, counts=False) is None
    # The address that the page asks by itself is such a one.
    here = shared.sittings.begin(0)
    begun = shared.plays.begin(here, pack, 1, shared.node.recorder.now())
    here.seen_t -= 1000
    seen = here.seen_t
    assert client.get(f"/{begun.token}/keadaan").status_code == 200
    assert here.seen_t == seen
    assert client.get(f"/{begun.token}/").status_code == 200
    assert here.seen_t > seen


def test_an_activity_that_speaks_on_keeps_its_learner_logged_in_for_some_hours_only() -> None:
    now = [0]
    sittings = Sittings(lambda: now[0])
    open_plays = Plays(sittings)
    siti = sittings.begin(0)
    play = open_plays.begin(siti, 1, 1, 0)
    while open_plays.find(play.token) is not None:
        now[0] += IDLE_MS // 2
        assert now[0] < plays.ALONE_MOST_MS + 2 * IDLE_MS
    assert now[0] > plays.ALONE_MOST_MS
    assert sittings.find(siti.id) is None


@pytest.mark.parametrize("host", ["[", "[::1", "x; script-src *", "jahat.example", "127.0.0.1:x", ""])
def test_no_host_name_stands_in_the_policy_unless_it_is_ours(
    client: FlaskClient, play: Play, host: str
) -> None:
    answer = client.get(f"/{play.token}/", headers={"Host": host})
    assert answer.status_code in (200, 400)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "jahat" not in policy and "*" not in policy


def test_no_service_worker_is_let_in_and_no_cookie_set(client: FlaskClient, play: Play) -> None:
    assert (
        client.get(f"/{play.token}/isi/kuis.html", headers={"Service-Worker": "script"}).status_code == 403
    )
    answer = client.get("/bahasa/en")
    assert answer.status_code == 404 and "Set-Cookie" not in answer.headers


def test_a_media_type_that_breaks_headers_is_not_repeated(
    client: FlaskClient, node: Node, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Manifests are signed, but what they say of files isn't looked at by whoever signs."""
    real = node.learning.activity_file
    found: Media | None = real(play.pack, 1, "kuis.html")
    assert found is not None
    for said in ("text/html\r\nSet-Cookie: a=b", "Näch", "", "text/html; charset=utf-8; x", "x" * 100):
        lying = replace(found, media_type=said)
        monkeypatch.setattr(node.learning, "activity_file", lambda *_, lying=lying: lying)
        answer = client.get(f"/{play.token}/isi/kuis.html")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<p>Kuis</p>", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
        ('<meta http-equiv=content-type content="text/html; CHARSET=windows-1252">', "text/html"),
    ],
)
def test_an_old_page_keeps_the_encoding_that_it_names(
    client: FlaskClient, node: Node, shared: Desk, tmp_path: Path, page: str, said: str
) -> None:
    built = activity_course(tmp_path / "lama", "scorm", "kuis.html", {"kuis.html": page}, version=2)
    pack = installed(node, built, tmp_path / "lama.lontar")
    play = shared.plays.begin(shared.sittings.begin(0), pack, 1, 0)
    answer = client.get(f"/{play.token}/isi/kuis.html")
    assert (answer.headers["Content-Type"], answer.text) == (said, page)


@pytest.mark.parametrize(
    "range_", ["bytes=-1", "bytes=5-1", "bytes=0-99999999999999999999", "bytes=a", "x=1"]
)
def test_no_range_brings_down_a_file(client: FlaskClient, play: Play, range_: str) -> None:
    answer = client.get(f"/{play.token}/isi/kuis.html", headers={"Range": range_})
    assert answer.status_code in (200, 206, 416)


def test_cmi5_units_of_real_tools_are_understood(client: FlaskClient, play: Play) -> None:
    """What TinCan.js, xAPIWrapper and @xapi/cmi5 send beside statements."""
    lrs = f"/{play.token}/xapi"
    assert client.get(f"{lrs}/about").headers["X-Experience-API-Version"] == "1.0.3"
    assert client.get(f"{lrs}/agents/profile?profileId=cmi5LearnerPreferences").status_code == 404
    assert client.put(f"{lrs}/agents/profile?profileId=x", data="{}").status_code == 403, "isn't kept"
    # Storyline keeps its bookmark as plain text, and reads it as what it was.
    bookmark = {"data": "2f1|7", "content_type": "application/octet-stream"}
    state = f"{lrs}/activities/state?stateId=resume&activityId=x&agent=%7B%7D&registration=y"
    assert client.put(state, **bookmark).status_code == 204  # type: ignore[arg-type]
    answer = client.get(state)
    assert (answer.data, answer.headers["Content-Type"]) == (b"2f1|7", "application/octet-stream")
    # An endpoint that ends with a slash, and a client that adds one.
    passed = statement("passed", score={"raw": 8, "min": 0, "max": 10, "scaled": 0.8}, success=True)
    doubled = client.put(
        f"{lrs}//statements?statementId=1", json=passed, follow_redirects=True, base_url="http://127.0.0.1"
    )
    assert doubled.status_code == 204
    assert client.get(f"/{play.token}/keadaan").json["score"] == 8000  # type: ignore[index]


def test_documents_that_are_put_at_once_are_all_kept(
    node: Node, client: FlaskClient, shared: Desk, play: Play
) -> None:
    """A unit that saves its bookmark and its answers at once lost one of them."""
    address = f"/{play.token}/xapi/activities/state"
    app = client.application

    def put(number: int) -> None:
        for _ in range(5):
            app.test_client().put(f"{address}?stateId=d{number}", data=str(number))

    threads = [Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(client.get(address).json) == [f"d{number}" for number in range(8)]
    assert client.delete(address).status_code == 204
    assert client.get(address).json == []


def test_both_ports_refuse_large_bodies_before_they_are_on_the_disk(node: Node) -> None:
    server = Served(create_app(node), "127.0.0.1", 0, 0)
    Thread(target=server.run, daemon=True).start()
    try:
        ports = [server.port, server._player.effective_port]
        for port in ports:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
                line.sendall(
                    b"POST /x/hasil/h5p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000000\r\n\r\nx"
                )
                assert line.recv(100).startswith(b"HTTP/1.1 413")
    finally:
        server.close()


def test_a_false_session_cookie_before_ours_logs_nobody_out(node: Node, pack: int) -> None:
    pages = create_app(node).test_client()
    form = pages.get("/masuk/0").text
    token = form.partition('name="csrf_token" value="')[2].partition('"')[0]
    pages.post("/masuk/0", data={"csrf_token": token, "pin": PIN, "again": PIN})
    ours = pages.get_cookie("lontar_node")
    assert ours is not None and pages.get("/pelatihan").status_code == 200
    path = f"/pelatihan/{pack}"
    header = {"Cookie": f"lontar_node=palsu; lontar_node=; lontar_node={ours.value}"}
    plain = create_app(node).test_client(use_cookies=False)
    assert plain.get(path, headers=header).status_code == 302, "another process knows no such sitting"
    there = pages.application.test_client(use_cookies=False)
    answer = there.get(path, headers=header)
    assert answer.status_code == 200
    told = answer.headers.getlist("Set-Cookie")
    for where in ("/pelatihan", "/pelatihan/", path):
        assert any(one.startswith(f"lontar_node=; Path={where};") for one in told)
    assert not any(one.startswith("lontar_node=; Path=/;") for one in told)


def test_only_a_flood_of_cookies_is_deleted(node: Node) -> None:
    pages = create_app(node).test_client(use_cookies=False)
    few = "lontar_hub=a; lain=b; lang=en"
    assert "Set-Cookie" not in pages.get("/", headers={"Cookie": few}).headers or all(
        "Max-Age=0" not in one
        for one in pages.get("/", headers={"Cookie": few}).headers.getlist("Set-Cookie")
    )
    flood = few + "".join(f"; k{n}={'x' * 4000}" for n in range(10))
    told = pages.get("/", headers={"Cookie": flood}).headers.getlist("Set-Cookie")
    gone = {one.partition("=")[0] for one in told if "Max-Age=0" in one}
    assert gone == {"lain", *(f"k{n}" for n in range(10))}
