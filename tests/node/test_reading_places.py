"""A lesson that is opened again goes on where its reader was: after a power cut, from another phone, in a newer version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

import pytest
from desa import count, rows
from hypothesis import given
from hypothesis import strategies as st
from test_views_learning import BUDI, PIN, SITI, log_in, post
from village import COURSE, install_course, made_village

from node import centre, mydata
from node.app import create_app
from node.errors import UnknownThingError
from node.home import Home, home
from node.lesson_page import with_ids
from node.reading_places import Place, readable
from node.wiring import Node, open_node

SITI_NUMBER, BUDI_NUMBER = 0, 1
LESSON: Final = 2
LONG: Final = "\n\n".join(f"## Bagian {at}\n\n" + "Kalimat yang perlu dibaca. " * 60 for at in range(1, 5))
LONG_COURSE: Final = {
    **COURSE,
    "course.toml": COURSE["course.toml"].replace('"kas-desa"', '"kas-panjang"'),
    "02-buku-kas.md": COURSE["02-buku-kas.md"].replace("## Mencatat setiap hari", LONG),
}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = made_village(tmp_path, SITI, BUDI)
    yield made
    made.close()


def installed(node: Node, folder: Path, version: int = 1) -> int:
    """The number of the long course, in that version."""
    files = dict(LONG_COURSE)
    files["course.toml"] = files["course.toml"].replace("version = 1", f"version = {version}")
    folder.mkdir(parents=True)
    install_course(node, folder, files)
    return max(version.pack for version in node.learning.versions()[0])


def test_a_place_is_found_again_after_a_restart(node: Node, tmp_path: Path) -> None:
    node.places.reach(SITI_NUMBER, 0, LESSON, "bagian-mencatat-setiap-hari", 2500, 4000)
    node.close()
    after = open_node(tmp_path / "data")
    place = after.places.place(SITI_NUMBER, 0, LESSON)
    assert (place.heading, place.within, place.share) == ("bagian-mencatat-setiap-hari", 2500, 4000)
    after.close()


def test_a_place_makes_no_entry_and_said_again_no_write(node: Node) -> None:
    before, unread = node.recorder.counts(), rows(node.store, "PRAGMA data_version")
    node.places.reach(SITI_NUMBER, 0, LESSON, "bagian-kas", 1, 2)
    written = rows(node.store, "PRAGMA data_version")
    node.places.reach(SITI_NUMBER, 0, LESSON, "bagian-kas", 1, 2)
    assert rows(node.store, "PRAGMA data_version") == written != unread
    assert node.recorder.counts() == before


def test_opening_a_lesson_remembers_that_it_was_the_last_and_keeps_its_place(node: Node) -> None:
    node.places.reach(SITI_NUMBER, 0, LESSON, "bagian-kas", 10, 20)
    node.places.open_lesson(SITI_NUMBER, 0, LESSON)
    assert node.places.place(SITI_NUMBER, 0, LESSON).heading == "bagian-kas"
    node.places.open_lesson(BUDI_NUMBER, 0, 1)
    assert [lesson for _key, lesson in node.places.places(BUDI_NUMBER)] == ["tes-awal"]


def test_a_place_outlives_a_newer_version_of_the_course(node: Node, tmp_path: Path) -> None:
    old = installed(node, tmp_path / "one")
    node.places.reach(SITI_NUMBER, old, LESSON, "bagian-bagian-3", 100, 5000)
    new = installed(node, tmp_path / "two", version=2)
    assert new != old
    assert node.places.place(SITI_NUMBER, new, LESSON).heading == "bagian-bagian-3"


def test_places_of_one_person_are_not_those_of_another(node: Node) -> None:
    node.places.reach(SITI_NUMBER, 0, LESSON, "bagian-kas", 10, 20)
    assert node.places.place(BUDI_NUMBER, 0, LESSON) == Place()
    assert node.places.places(BUDI_NUMBER) == {}


def test_joined_numbers_of_one_person_go_on_at_the_latest_place(node: Node) -> None:
    node.places.reach(SITI_NUMBER, 0, LESSON, "bagian-lama", 10, 20)
    with node.store.write() as db:
        db.execute("UPDATE reading_places SET t = t - 1")
        db.execute("UPDATE learners SET person = ?", (SITI_NUMBER,))
    node.places.reach(BUDI_NUMBER, 0, LESSON, "bagian-baru", 10, 20)
    for number in (SITI_NUMBER, BUDI_NUMBER):
        assert node.places.place(number, 0, LESSON).heading == "bagian-baru"


def test_a_place_is_deleted_with_the_person(node: Node) -> None:
    for number in (SITI_NUMBER, BUDI_NUMBER):
        node.places.reach(number, 0, LESSON, "bagian-kas", 10, 20)
    with node.store.write() as db:
        (commitment,) = db.execute("SELECT commitment FROM learners WHERE number = 0").fetchone()
        centre.erase(db, commitment)
    assert count(node.store, "reading_places") == 1
    assert node.places.places(BUDI_NUMBER)


def test_a_place_is_in_the_file_of_the_persons_data(node: Node) -> None:
    node.places.reach(SITI_NUMBER, 0, LESSON, "bagian-kas", 10, 2550)
    told = mydata.gather(node, SITI_NUMBER)["reading_places"]
    assert [(one["lesson"], one["heading"], one["share_percent"]) for one in told] == [
        ("buku-kas", "bagian-kas", 25.5)
    ]
    assert mydata.gather(node, BUDI_NUMBER)["reading_places"] == []


@given(st.text(max_size=100), st.integers(), st.integers())
def test_whatever_a_browser_says_what_is_kept_is_a_place(heading: str, within: int, share: int) -> None:
    kept = Place(*readable(heading, within, share))
    assert re.fullmatch(r"[a-z0-9-]{0,80}", kept.heading)
    assert 0 <= kept.within <= 10_000
    assert 0 <= kept.share <= 10_000


def test_a_place_in_no_lesson_is_refused(node: Node) -> None:
    for pack, lesson in ((9, 1), (0, 0), (0, 9)):
        with pytest.raises(UnknownThingError):
            node.places.reach(SITI_NUMBER, pack, lesson, "", 0, 0)
    assert count(node.store, "reading_places") == 0


@pytest.mark.parametrize(
    ("place", "is_under_way"),
    [
        (Place(), False),
        (Place("", 1, 500), True),
        (Place("bagian-kas", 0, 500), True),
        (Place("bagian-kas", 9000, 9600), False),
    ],
)
def test_going_on_is_offered_only_in_the_middle(place: Place, is_under_way: bool) -> None:
    assert place.is_under_way is is_under_way


@given(st.lists(st.text(max_size=30), max_size=8))
def test_each_heading_gets_an_id_of_its_own_and_the_text_stays(texts: list[str]) -> None:
    html = "".join(f"<h2>{escape(text)}</h2><p>isi</p>" for text in texts)
    made, headings = with_ids(html)
    assert re.sub(r' id="[^"]*"', "", made) == html
    assert len({one.id for one in headings}) == len(texts)
    assert all(re.fullmatch(r"bagian-[a-z0-9-]{1,73}", one.id) for one in headings)
    assert [one.text for one in headings] == [" ".join(text.split()) for text in texts]


def test_an_id_comes_from_the_words_so_a_new_part_before_it_changes_nothing() -> None:
    _, before = with_ids("<h2>Kas &amp; bank</h2>")
    _, after = with_ids("<h2>Pembuka</h2><h3>Kas <em>&amp;</em> bank</h3>")
    assert before[0].id == after[1].id == "bagian-kas-bank"


def test_the_page_offers_to_go_on_and_lists_its_parts(node: Node, tmp_path: Path) -> None:
    pack = installed(node, tmp_path / "long")
    client = create_app(node).test_client()
    log_in(client)
    where = f"/pelatihan/{pack}/materi/{LESSON}"
    before = client.get(where).text
    assert "Anda terakhir sampai" not in before.replace("Anda terakhir sampai di sini", "")
    assert "Isi materi: 4 bagian" in before
    assert 'href="#bagian-bagian-3"' in before
    sent = post(client, f"{where}/tempat", heading="bagian-bagian-3", within="300", share="6000")
    assert (sent.status_code, sent.data) == (204, b"")
    other = create_app(node).test_client()
    assert post(other, f"/masuk/{SITI_NUMBER}", pin=PIN).location == "/pelatihan"
    assert "kira-kira 60%" in other.get("/pelatihan").text
    page = other.get(where).text
    assert "Anda terakhir sampai di bagian “Bagian 3”." in page
    assert 'data-heading="bagian-bagian-3" data-within="300"' in page


def test_a_lesson_with_few_parts_has_no_list_of_them(node: Node) -> None:
    client = create_app(node).test_client()
    log_in(client)
    assert "Isi materi" not in client.get("/pelatihan/0/materi/2").text


def test_a_place_of_nobody_is_not_kept(node: Node) -> None:
    client = create_app(node).test_client()
    assert post(client, "/pelatihan/0/materi/2/tempat", heading="bagian-kas").status_code == 401
    assert client.post("/pelatihan/0/materi/2/tempat").status_code == 400
    assert count(node.store, "reading_places") == 0


def test_home_goes_on_with_the_lesson_that_was_opened_last(node: Node, tmp_path: Path) -> None:
    long = installed(node, tmp_path / "long")
    node.places.open_lesson(SITI_NUMBER, 0, 1)
    with node.store.write() as db:
        db.execute("UPDATE reading_places SET t = t - 10")
    node.places.open_lesson(SITI_NUMBER, long, LESSON)
    step = _home(node).step
    assert step is not None
    assert (step.course.pack, step.state.lesson.number) == (long, LESSON)
    node.learning.finish_reading(SITI_NUMBER, long, LESSON, 60)
    step = _home(node).step
    assert step is not None
    assert (step.course.pack, step.state.lesson.number) == (long, 1), (
        "what was done gives way to what comes next"
    )


def test_home_says_that_answers_wait_to_be_sent(node: Node) -> None:
    node.places.open_lesson(SITI_NUMBER, 0, 1)
    node.learning.answer(SITI_NUMBER, 0, 1, 1, "1")
    step = _home(node).step
    assert step is not None
    assert (step.is_quiz, step.answered) == (True, 1)


def test_home_of_somebody_new_begins_the_first_course(node: Node) -> None:
    here = _home(node)
    assert here.step is not None
    assert (here.step.course.pack, here.step.state.lesson.number) == (0, 1)
    assert (len(here.new), here.going, here.completed) == (1, (), ())


def _home(node: Node) -> Home:
    learning = node.learning
    return home(
        learning.courses(SITI_NUMBER), node.places.places(SITI_NUMBER), learning.under_way(SITI_NUMBER)
    )
