"""Statements of the Experience API: what they say of entries that count, in a file and in somebody else's store."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from centre import made_hub
from click.testing import CliRunner
from device import VILLAGE, Device
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from test_pages import counted as statements_counted

from content_packs.manifest import Manifest, sign_manifest
from content_packs.outline import File, Lesson
from hub import courses, registry, schema
from hub.cli import hub as hub_command
from hub.db import reading, writing
from hub.exports import lrs, statements
from hub.exports.entries import Choice, Counted, Marks, counted
from hub.queries.moments import LogTime
from hub.wiring import Hub, now_ms
from sync.entries import (
    CourseCompleted,
    LessonOpened,
    LessonProgressed,
    PackInstalled,
    QuestionAnswered,
    QuestionResponded,
    QuizSubmitted,
)
from sync.keys import SigningKey, sha256
from sync.logclock import Anchor, Received, WallNote
from sync.profile import learner_id

HOME = "https://pusat.contoh.id"
FAR = "17.05.01.2001"
DAY_MS = 24 * 3600 * 1000


@dataclass
class Shop:
    """Somebody else's learning record store, as the specification describes its statements resource."""

    url: str = ""
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    """Answers to give before anything is taken, the first one first."""
    headers: list[dict[str, str]] = field(default_factory=list)
    closes_after: int | None = None
    """So many batches are answered; then every one is refused."""

    def post(self, said: list[dict[str, Any]]) -> int:
        if len({one["id"] for one in said}) < len(said):
            return 400
        if any(one["id"] in self.held and self.held[one["id"]] != one for one in said):
            return 409
        if self.closes_after is not None and len(self.batches) >= self.closes_after:
            return 403
        self.batches.append(len(said))
        self.held.update({one["id"]: one for one in said})
        return 200

    def put(self, id_: str, one: dict[str, Any]) -> int:
        if id_ in self.held:
            return 204 if self.held[id_] == one else 409
        self.held[id_] = one
        return 204


@contextmanager
def shop() -> Iterator[Shop]:
    kept = Shop()

    class Door(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def body(self) -> Any:
            kept.headers.append(dict(self.headers.items()))
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        def do_POST(self) -> None:
            said = self.body()
            assert self.path == "/xapi/statements"
            self.answer(kept.failures.pop(0) if kept.failures else kept.post(said))

        def do_PUT(self) -> None:
            said = self.body()
            (id_,) = parse_qs(urlsplit(self.path).query)["statementId"]
            self.answer(kept.put(id_, said))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    kept.url = f"http://127.0.0.1:{server.server_port}/xapi"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def known_course(hub: Hub) -> tuple[bytes, bytes, int]:
    """A course of two lessons whose second one is the final test, passed from 70."""
    key = SigningKey.generate(lambda size: b"k" * size)
    lessons = tuple(
        Lesson(number, f"bagian-{number}", title, role, 10, (), "", ("s1", "s2"), f"{number}.html")
        for number, title, role in ((1, "Asas", "lesson"), (2, "Tes akhir", "posttest"))
    )
    files = tuple(File(lesson.content, "text/html", 1, (sha256(b"x"),)) for lesson in lessons)
    manifest = Manifest(
        "kas", 3, "Keuangan Desa", "id", "dasar", "", 4, 70, 3, "Uji", key.public, lessons, files
    )
    envelope = sign_manifest(key, manifest)
    courses.note(hub.engine, envelope)
    return manifest.course_key, sha256(envelope), 3


def learned(hub: Hub, seed: int = 1, village: str = VILLAGE) -> Device:
    """A device of which one person has done something of everything in the known course (pack 1)."""
    device = Device(seed).open(1).registered(hub, village)
    device.seal(PackInstalled(*known_course(hub)))
    device.seal(
        LessonOpened(0, 1, 1, 5),
        LessonProgressed(0, 1, 1, 5_000, 90),
        QuestionAnswered(0, 1, 1, 2, 3, True, 7),
        QuestionResponded(0, 1, 1, 1, "a b", False, 8),
        QuizSubmitted(0, 1, 2, 8_525, 60),
        CourseCompleted(0, 1, 2),
    )
    device.send(hub)
    return device


def told(hub: Hub, region: str = "", since_ms: int = 0, names: bool = False) -> list[dict[str, Any]]:
    choice = Choice(statements.KINDS, region, since_ms, names)
    found = counted(hub.engine, choice, Marks())
    return [json.loads(statements.line(one, HOME)) for segment in found for one in segment.told]


def sent(hub: Hub, kept: Shop, waits: list[float] | None = None) -> int:
    store = lrs.Store(kept.url, "pusat", "rahasia", (waits if waits is not None else []).append)
    marks = lrs.SentMarks(hub.engine, store.url)
    choice = Choice(statements.KINDS)

    def make(segment: Counted) -> list[statements.Json]:
        return [statements.statement(one, HOME) for one in segment.told]

    return lrs.send(store, counted(hub.engine, choice, marks), marks, make)


def practised(device: Device, entries: int) -> None:
    device.seal(*(LessonProgressed(0, 0, 1, at, 1) for at in range(entries)))


# What they say


def test_every_kind_of_entry_becomes_a_statement_with_adl_s_verbs(hub: Hub) -> None:
    device = learned(hub)
    found = told(hub)
    assert [one["verb"]["id"].rpartition("/")[2] for one in found] == [
        "progressed", "answered", "answered", "scored", "completed",
    ]  # fmt: skip
    progressed, choice, response, scored, completed = found
    learner = learner_id(device.log, device.profiles[0].commitment).hex()
    for one in found:
        assert one["actor"] == {"objectType": "Agent", "account": {"homePage": HOME, "name": learner}}
        assert uuid.UUID(one["id"]).version == 5
        assert one["context"]["extensions"] == {f"{HOME}/xapi/wilayah": VILLAGE}
        assert one["timestamp"].endswith("+00:00")
    course = f"{HOME}/pelatihan/{known_course(hub)[0].hex()}"
    lesson = f"{course}/versi/3/materi/1"
    assert (completed["object"]["id"], completed["result"]["completion"]) == (course, True)
    assert completed["object"]["definition"]["name"] == {"id-ID": "Keuangan Desa"}
    assert progressed["object"]["id"] == lesson
    assert list(progressed["result"]["extensions"].values()) == [50]
    assert progressed["result"]["duration"] == "PT90S"
    assert choice["object"]["id"] == f"{lesson}/soal/2"
    assert (choice["result"]["success"], choice["result"]["response"]) == (True, "3")
    assert (response["result"]["success"], response["result"]["response"]) == (False, "a b")
    assert response["context"]["contextActivities"]["parent"][0]["id"] == lesson
    assert scored["result"]["score"] == {"scaled": 0.8525, "raw": 85.25, "min": 0, "max": 100}
    assert scored["result"]["success"] is True
    assert scored["object"]["definition"]["type"].endswith("/assessment")


def test_a_course_that_the_centre_does_not_know_is_told_by_its_key(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    device.seal(QuizSubmitted(0, 0, 2, 8_500, 1))
    device.send(hub)
    (one,) = told(hub)
    assert "name" not in one["object"]["definition"]
    assert "success" not in one["result"]


def test_names_stand_in_them_only_when_asked_for(hub: Hub) -> None:
    learned(hub)
    assert "Peserta 1" not in json.dumps(told(hub))
    assert {one["actor"]["name"] for one in told(hub, names=True)} == {"Peserta 1"}


def test_only_what_counts_is_told(hub: Hub) -> None:
    learned(hub)
    waiting = Device(2).open(1)
    waiting.ask_to_register(hub)
    waiting.seal(LessonProgressed(0, 0, 1, 1, 1))
    waiting.send(hub)
    assert len(told(hub)) == 5
    with writing(hub.engine) as connection:
        rejected = update(schema.segments).where(schema.segments.c.idx == 2)
        connection.execute(rejected.values(rejected=1))
    assert told(hub) == []
    registry.approve(hub.engine, waiting.id, now_ms())
    waiting.send(hub)
    assert len(told(hub)) == 1


def test_a_region_and_a_day_narrow_them(hub: Hub) -> None:
    learned(hub)
    learned(hub, 2, FAR)
    assert len(told(hub)) == 10
    assert len(told(hub, "17.05.01")) == len(told(hub, "17.05.10")) == 5
    assert told(hub, "17.05.02") == []
    with writing(hub.engine) as connection:
        old = update(schema.segments).where(schema.segments.c.log == 1)
        connection.execute(old.values(received_ms=now_ms() - 9 * DAY_MS))
    assert len(told(hub, since_ms=now_ms() - DAY_MS)) == 5


def test_what_two_branches_share_is_told_once_and_without_a_time(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    device.send(hub)
    clone = device.fork()
    shared, own = LessonProgressed(0, 0, 1, 100, 1), LessonProgressed(0, 0, 1, 200, 1)
    device.seal(shared)
    device.seal(own)
    clone.seal(shared, LessonProgressed(0, 0, 1, 300, 1))
    device.send(hub)
    clone.send(hub)
    found = told(hub)
    assert len(found) == len({one["id"] for one in found}) == 3
    assert not any("timestamp" in one for one in found)


def test_ids_stay_the_same_and_differ_from_one_another(hub: Hub) -> None:
    learned(hub)
    learned(hub, 2)
    first, again = told(hub), told(hub)
    assert first == again
    assert len({one["id"] for one in first}) == 10


# In pieces


times = st.integers(0, 400_000)
near = st.integers(0, 4_000_000)


@given(
    st.lists(st.builds(Anchor, times, near), max_size=6),
    st.lists(st.builds(Received, times, near), max_size=6),
    st.lists(st.builds(WallNote, times, near), max_size=4),
    st.tuples(times, times, times),
)
def test_what_matters_to_a_stretch_of_a_log_says_the_same_as_everything(
    anchors: list[Anchor], received: list[Received], walls: list[WallNote], ts: tuple[int, int, int]
) -> None:
    whole = LogTime(tuple(anchors), tuple(received), tuple(walls))
    first, t, last = sorted(ts)
    assert whole.between(first, last).moment(t) == whole.moment(t)


def test_ten_thousand_entries_are_read_in_blocks(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    for _ in range(200):
        practised(device, 50)
    for at in range(0, len(device.segments), 100):
        device.send(hub, *device.segments[at : at + 100])
    sizes = []
    with statements_counted(hub) as asked:
        for segment in counted(hub.engine, Choice(statements.KINDS), Marks()):
            sizes.append(len(segment.told))
            assert hub.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert sum(sizes) == 10_000
    assert max(sizes) == 50
    # Four blocks of segments, each with whom and what its numbers mean.
    assert len(asked) <= 10 + 4 * 5


# To a store


def test_a_store_gets_batches_of_fifty_with_the_headers_of_the_specification(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    for _ in range(4):
        practised(device, 30)
    device.send(hub)
    with shop() as kept:
        assert sent(hub, kept) == 120
        assert kept.batches == [50, 50, 20]
        assert len(kept.held) == 120
        assert kept.headers[0]["X-Experience-API-Version"] == "1.0.3"
        word = base64.b64decode(kept.headers[0]["authorization"].removeprefix("Basic "))
        assert word == b"pusat:rahasia"
        assert sent(hub, kept) == 0
        practised(device, 3)
        device.send(hub)
        assert sent(hub, kept) == 3


def test_sending_goes_on_where_it_stopped_and_counts_nothing_twice(hub: Hub) -> None:
    for seed in range(1, 7):
        device = Device(seed).open(1).registered(hub)
        practised(device, 20)
        practised(device, 20)
        device.send(hub)
    with shop() as kept:
        kept.closes_after = 2
        with pytest.raises(lrs.LrsError):
            sent(hub, kept)
        assert len(kept.held) == 100
        kept.closes_after = None
        # What was confirmed is marked by whole segments: at most what was left of one is sent again.
        assert 140 <= sent(hub, kept) <= 160
        assert len(kept.held) == 240
        assert sent(hub, kept) == 0


def test_what_comes_to_count_later_is_sent_later(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    for _ in range(3):
        practised(device, 10)
    device.send(hub)
    middle = (schema.segments.c.idx == 2,)
    with writing(hub.engine) as connection:
        connection.execute(update(schema.segments).where(*middle).values(rejected=1))
    with shop() as kept:
        assert sent(hub, kept) == 20
        with writing(hub.engine) as connection:
            connection.execute(update(schema.segments).where(*middle).values(rejected=0))
        sent(hub, kept)
        assert len(kept.held) == 30


def test_a_store_that_is_busy_is_asked_again_and_one_that_stays_away_gets_one_sentence(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    practised(device, 10)
    device.send(hub)
    waits: list[float] = []
    with shop() as kept:
        kept.failures = [503, 500, 429]
        assert sent(hub, kept, waits) == 10
        assert waits == [1, 2, 4]
        gone = kept.url
    practised(device, 1)
    device.send(hub)
    waits.clear()
    with pytest.raises(lrs.LrsError, match="tidak menjawab"):
        sent(hub, Shop(gone), waits)
    assert len(waits) == lrs.TRIES - 1


def test_what_a_store_has_in_other_words_stays_as_it_is_there(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    practised(device, 5)
    device.send(hub)
    with shop() as kept:
        first = told(hub)[0]
        kept.held[first["id"]] = {"id": first["id"], "kept": "before"}
        assert sent(hub, kept) == 5
        assert len(kept.held) == 5
        assert kept.held[first["id"]]["kept"] == "before"


def test_a_password_never_goes_out_in_clear() -> None:
    for url in ("http://lrs.contoh.id/xapi", "http://10.0.0.1/xapi", "ftp://x", "lrs", ""):
        with pytest.raises(lrs.LrsError):
            lrs.Store(url, "a", "b")
    for url in ("https://lrs.contoh.id/xapi/", "https://lrs.contoh.id/xapi/statements"):
        assert lrs.Store(url, "a", "b").url == "https://lrs.contoh.id/xapi/statements"


# The command


def run(hub: Hub, *args: str) -> Any:
    return CliRunner().invoke(hub_command, ["export", "xapi", *args, "--data", str(hub.config.data)])


def test_the_command_writes_a_file_or_sends(tmp_path: Path) -> None:
    hub = made_hub(tmp_path / "hub")
    learned(hub)
    file = tmp_path / "pernyataan.jsonl"
    result = run(hub, str(file), "--home", HOME)
    assert (result.exit_code, "5 pernyataan ditulis." in result.output) == (0, True), result.output
    assert [json.loads(text) for text in file.read_text("utf-8").splitlines()] == told(hub)
    with shop() as kept:
        result = run(hub, "--lrs", kept.url, "--user", "a", "--password", "b", "--home", HOME, "--names")
        assert result.exit_code == 0, result.output
        assert {one["actor"]["name"] for one in kept.held.values()} == {"Peserta 1"}
    with reading(hub.engine) as connection:
        keys = connection.execute(select(schema.settings.c.key)).scalars().all()
    assert sum(key.startswith("xapi/") for key in keys) == 1
    hub.close()


def test_a_wrong_command_gets_one_sentence_and_leaves_no_file(tmp_path: Path) -> None:
    hub = made_hub(tmp_path / "hub")
    learned(hub)
    file = str(tmp_path / "x.jsonl")
    for args in (
        (file,), (file, "--home", "pusat"), (file, "--home", HOME, "--region", "99"), (file, "--home", HOME, "--region", "x"),
        ("--lrs", "http://lrs.contoh.id", "--home", HOME), (), (file, "--lrs", "https://lrs.contoh.id"),
        (file, "--home", HOME, "--since", "kemarin"), (str(tmp_path / "no" / "x"), "--home", HOME),
    ):  # fmt: skip
        result = run(hub, *args)
        assert result.exit_code != 0, args
        assert "Traceback" not in result.output
    assert not list(tmp_path.glob("x.jsonl*"))
    hub.close()
