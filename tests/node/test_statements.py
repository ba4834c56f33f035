"""No page asks the database more for more people, courses, lessons or answers, and an answer costs one commit.

Every address of the laptop is in one of the tables below; a new one fails until it is. Counts are of SQL statements, on
the connection that writes and on the one that reads.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient
from negeri import PASSWORD, office, post
from village import COURSE, install_course, made_village

from node.wiring import Node
from sync.entries import LearnerLeft

PIN: Final = "482913"
NO_PAGE: Final = {
    "static": "a file",
    "web.static": "a file",
    "learn.media": "a file of a course",
    "neighbour.pack_file": "for another laptop",
    "languages.choose": "goes back",
    "looks.choose": "goes back",
    "checks.typed": "goes to the same address in capitals",
    "welcome.enter": "logs in once after the wizard",
    "many_learners.example_csv": "the same file for everybody",
    "many_learners.example_xlsx": "the same file for everybody",
    "class_view.recap": "a file of all people; its table is that of the page",
    "sticks.people": "a list for one stick, seldom asked for; a statement a person",
    "sticks.visit": "goes on while a stick is written",
    "welcome.show": "once, after the wizard",
}
"""Addresses that are no page, or that nobody waits for, and why."""
ANYBODY: Final = {
    "learner.choose": "/",
    "learner.enter": "/masuk/1",
    "checks.check": "/periksa",
    "checks.scanned": "/P/AAAA",
    "news.show": "/kabar",
    "sync_state.show": "/sinkronisasi",
    "sticks.show": "/flashdisk",
    "looks.show": "/tampilan",
    "operator.enter": "/operator/masuk",
}
LEARNER: Final = {
    "learn.courses": "/pelatihan",
    "learn.course": "/pelatihan/0",
    "learn.read": "/pelatihan/0/materi/2",
    "learn.progress": "/kemajuan",
    "quiz.overview": "/pelatihan/0/materi/3/kuis",
    "quiz.question": "/pelatihan/0/materi/3/kuis/1",
    "quiz.result": "/pelatihan/0/materi/1/kuis/hasil",
    "certificates.mine": "/sertifikat",
}
OPERATOR: Final = {
    "operator.learners": "/operator",
    "operator.learner": "/operator/peserta/1",
    "certificates.of_learner": "/operator/peserta/1/sertifikat",
    "class_view.listed": "/operator/kelas",
    "class_view.shown": "/operator/kelas/0",
    "packs.listed": "/operator/pelatihan",
    "sticks.lost": "/flashdisk/hilang",
    "many_learners.form": "/operator/peserta/banyak",
    "device.show": "/operator/perangkat",
    "backups.listed": "/operator/cadangan",
    "hub_address.show": "/operator/pusat",
}
ONE_THING: Final = {
    "certificates.my_paper": "one certificate",
    "certificates.paper": "one certificate",
    "backups.paper": "one code",
    "backups.plan": "one copy",
    "unlock.show": "one code",
}
"""Addresses that are of one thing, whatever else there is."""
MOST: Final = 20
"""Statements of the page that asks most."""
WEIGHT_MOST: Final = 50 * 1024
"""Bytes of a page with everything that it loads but pictures of courses, as a browser that has nothing yet gets it."""
_LOADED: Final = re.compile(r'(?:href|src)="(/(?:web/)?static/[^"]+)"')


@dataclass
class Counted:
    statements: list[str] = field(default_factory=list)

    @property
    def commits(self) -> int:
        return sum(one.startswith("COMMIT") for one in self.statements)


@contextlib.contextmanager
def counting(node: Node) -> Iterator[Counted]:
    counted = Counted()
    with node.store.write() as writer, node.store.read() as reader:
        both = (writer, reader)
    for connection in both:
        connection.set_trace_callback(counted.statements.append)
    try:
        yield counted
    finally:
        for connection in both:
            connection.set_trace_callback(None)


def a_village(folder: Path, people: int, courses: int, lessons: int) -> Node:
    """Everybody handed in the first test of every course and reads its lessons; some have left."""
    folder.mkdir()
    node = made_village(folder, *((f"Peserta {at:02}", "Kepala Dusun") for at in range(people)))
    extra = {
        f"02{chr(97 + at)}-bacaan.md": COURSE["02-buku-kas.md"].replace('"buku-kas"', f'"bacaan-{at}"')
        for at in range(lessons)
    }
    for at in range(1, courses):
        place = folder / str(at)
        place.mkdir()
        about = COURSE["course.toml"].replace("kas-desa", f"kas-desa-{at}")
        install_course(node, place, {**COURSE, **extra, "course.toml": about})
    for learner in range(people):
        for pack in range(courses):
            node.learning.answer(learner, pack, 1, 1, "1")
            node.learning.submit_quiz(learner, pack, 1)
            node.learning.finish_reading(learner, pack, 2, 30)
    node.recorder.record(LearnerLeft(people - 1, 0))
    return node


@dataclass
class Visits:
    """What each page asked, by endpoint, and how large it was."""

    asked: dict[str, list[str]]
    sizes: dict[str, int]


def visited(node: Node) -> Visits:
    found = Visits({}, {})

    def look(client: FlaskClient, pages: dict[str, str]) -> None:
        for endpoint, path in pages.items():
            # The first visit fills what is remembered between pages.
            assert client.get(path).status_code in (200, 422), path
            with counting(node) as counted:
                answer = client.get(path)
            found.asked[endpoint] = counted.statements
            loaded = {unescape(path).partition("#")[0] for path in _LOADED.findall(answer.text)}
            found.sizes[endpoint] = len(answer.data) + sum(len(client.get(one).data) for one in loaded)

    desk = office(node)
    look(desk.client, ANYBODY)
    learner = desk.client.application.test_client()
    assert post(learner, "/masuk/1", pin=PIN, again=PIN).location == "/pelatihan"
    look(learner, LEARNER)
    desk.post("/operator/masuk", password=PASSWORD, again=PASSWORD)
    look(desk.client, OPERATOR)
    return found


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Visits]]:
    node = a_village(tmp_path_factory.mktemp("few") / "v", 3, 2, 0)
    yield node, visited(node)
    node.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Visits]]:
    node = a_village(tmp_path_factory.mktemp("many") / "v", 60, 6, 12)
    yield node, visited(node)
    node.close()


def test_every_address_is_counted_or_says_why_not(few: tuple[Node, Visits]) -> None:
    rules = office(few[0]).client.application.url_map.iter_rules()
    shown = {rule.endpoint for rule in rules if "GET" in (rule.methods or ())}
    known = {*NO_PAGE, *ANYBODY, *LEARNER, *OPERATOR, *ONE_THING}
    assert shown - known == set()
    assert {*ANYBODY, *LEARNER, *OPERATOR} - shown == set()


@pytest.mark.parametrize("endpoint", [*ANYBODY, *LEARNER, *OPERATOR])
def test_a_page_asks_no_more_in_a_large_village(
    few: tuple[Node, Visits], many: tuple[Node, Visits], endpoint: str
) -> None:
    small, large = few[1].asked[endpoint], many[1].asked[endpoint]
    assert len(large) <= len(small), "\n".join(sorted(set(large) - set(small)))
    assert len(large) <= MOST


@pytest.mark.parametrize("endpoint", [*ANYBODY, *LEARNER, *OPERATOR])
def test_a_page_weighs_little_in_a_large_village_with_style_and_scripts(
    many: tuple[Node, Visits], endpoint: str
) -> None:
    assert many[1].sizes[endpoint] <= WEIGHT_MOST


def test_looking_writes_nothing(few: tuple[Node, Visits]) -> None:
    changing = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|COMMIT)", re.I)
    # That a wait for a PIN is over, and that news were seen, is written down.
    allowed = {"learner.enter", "news.show"}
    writing = {
        endpoint: [one for one in asked if changing.match(one)]
        for endpoint, asked in few[1].asked.items()
        if endpoint not in allowed
    }
    assert {endpoint: said for endpoint, said in writing.items() if said} == {}


def test_an_answer_is_one_commit_and_asks_no_more_in_a_large_village(
    few: tuple[Node, Visits], many: tuple[Node, Visits]
) -> None:
    asked = {}
    for name, (node, _) in (("few", few), ("many", many)):
        client = office(node).client
        assert post(client, "/masuk/1", pin=PIN).location == "/pelatihan"
        send = _answering(client)
        send("0")
        with counting(node) as counted:
            assert send("1").startswith("/pelatihan/0/materi/3/kuis")
        assert counted.commits == 1
        asked[name] = len(counted.statements)
    assert asked["many"] <= asked["few"] <= 24


def _answering(client: FlaskClient) -> Callable[[str], str]:
    path = "/pelatihan/0/materi/3/kuis/1"
    page = client.get(path).text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    return lambda choice: client.post(path, data={**fields, "choice": choice}).location or ""
