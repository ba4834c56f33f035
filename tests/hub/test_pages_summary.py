"""How training is going: figures that can be worked out by hand, the same ones in charts, held to each operator's region."""

from __future__ import annotations

import math
import re

import pytest
from device import VILLAGE, Device
from office import ELSEWHERE, as_of
from test_identity import continuing, people_of
from test_pages import browser, counted
from test_timeline import DAY_MS, NOVEMBER, at

from content_packs.manifest import Manifest, sign_manifest
from content_packs.outline import File, Lesson
from hub import courses, figures, kept
from hub.db import reading
from hub.queries import summary
from hub.queries.regions import CHILD
from hub.queries.summary import Asked, Summary
from hub.views import summary as summary_page
from hub.wiring import Hub
from sync.entries import (
    ClockObserved,
    CourseCompleted,
    Kind,
    LessonProgressed,
    PackInstalled,
    QuizSubmitted,
)
from sync.keys import SigningKey, sha256

KEY = SigningKey.generate(lambda size: bytes(size - 1) + b"\1")
NEIGHBOUR = "17.05.01.2001"


def manifest() -> Manifest:
    lessons = tuple(
        Lesson(number, id_, title, role, 10, (), "", questions, "isi.cbor")
        for number, (id_, title, role, questions) in enumerate(
            [
                ("awal", "Tes awal", "pretest", ("satu",)),
                ("bacaan", "Bacaan", "lesson", ()),
                ("akhir", "Tes akhir", "posttest", ("satu", "dua")),
            ],
            start=1,
        )
    )
    file = File("isi.cbor", "application/cbor", 3, (sha256(b"isi"),))
    return Manifest(
        "keuangan", 1, "Keuangan Desa", "id", "dasar", "", 2, 70, 3, "Penerbit", KEY.public, lessons, (file,)
    )  # fmt: skip


ENVELOPE = sign_manifest(KEY, manifest())
COURSE = manifest().course_key


def learning(hub: Hub, seed: int, place: str, *kinds: Kind, people: int = 2) -> Device:
    """A device with the course as its pack 1, on which these things happened."""
    courses.note(hub.engine, ENVELOPE)
    device = Device(seed).open(people).registered(hub, place)
    device.seal(PackInstalled(COURSE, sha256(ENVELOPE), 1), *kinds)
    device.send(hub)
    return device


def both_tests(learner: int, before: int, after: int) -> list[Kind]:
    return [QuizSubmitted(learner, 1, 1, before), QuizSubmitted(learner, 1, 3, after)]


def nation_in_small(hub: Hub) -> None:
    """Two villages: three people begin, two complete, in October and November; one of four only reads another course."""
    at(hub, NOVEMBER)
    clock = ClockObserved(1, NOVEMBER - 20 * DAY_MS, 0)
    learning(
        hub, 1, VILLAGE, clock, *both_tests(0, 4_000, 9_000), LessonProgressed(0, 1, 2, 10_000, 5_400),
        CourseCompleted(0, 1, 3), *both_tests(1, 5_000, 6_000),
    )  # fmt: skip
    clock = ClockObserved(1, NOVEMBER - DAY_MS, 0)
    learning(
        hub, 2, NEIGHBOUR, clock, QuizSubmitted(0, 1, 3, 10_000), CourseCompleted(0, 1, 3),
        LessonProgressed(1, 0, 1, 5_000, 1_800),
    )  # fmt: skip


def shown(hub: Hub, code: str = "", **asked: str) -> Summary:
    course = bytes.fromhex(asked["course"]) if "course" in asked else None
    question = Asked(code, course, asked.get("first", ""), asked.get("last", ""))
    figures.refresh(hub.engine)
    with reading(hub.engine) as connection:
        return summary.of_region(connection, question, CHILD.get(len(code)))


def test_the_figures_are_those_worked_out_by_hand(hub: Hub) -> None:
    nation_in_small(hub)
    made = shown(hub)
    whole = made.whole
    assert (whole.learners, whole.started, whole.completed, whole.seconds) == (4, 4, 2, 7_200)
    assert (whole.scored, whole.best) == (3, round(25_000 / 3))
    assert (whole.paired, whole.before, whole.after, whole.gain) == (2, 4_500, 7_500, 3_000)
    assert made.months == {"2026-10": 1, "2026-11": 1}
    assert made.scores == [0, 0, 0, 0, 0, 0, 1, 0, 0, 2]
    of_course = made.courses[COURSE.hex()]
    assert (of_course.started, of_course.completed) == (3, 2)
    assert {code: one.completed for code, one in made.parts.items()} == {"17": 2}
    assert (made.parts["17"].learners, made.parts["17"].started) == (4, 4)


def test_the_parts_of_a_regency_are_its_districts_and_a_village_has_none(hub: Hub) -> None:
    nation_in_small(hub)
    made = shown(hub, "17.05")
    assert {code: one.started for code, one in made.parts.items()} == {"17.05.10": 2, "17.05.01": 2}
    made = shown(hub, VILLAGE)
    assert made.parts == {}
    assert (made.whole.learners, made.whole.completed) == (2, 1)


def test_a_period_counts_what_was_completed_in_it(hub: Hub) -> None:
    nation_in_small(hub)
    made = shown(hub, first="2026-10", last="2026-10")
    assert made.months == {"2026-10": 1}
    assert (made.whole.started, made.whole.completed) == (4, 1)
    assert (made.whole.best, made.whole.gain, sum(made.scores)) == (9_000, 5_000, 1)


def test_a_course_is_asked_for_alone(hub: Hub) -> None:
    nation_in_small(hub)
    made = shown(hub, course=COURSE.hex())
    assert set(made.courses) == {COURSE.hex()}
    assert (made.whole.started, made.whole.completed, made.whole.learners) == (3, 2, 4)


def test_a_person_with_two_identities_counts_once(hub: Hub) -> None:
    at(hub, NOVEMBER)
    device = learning(hub, 1, VILLAGE, *both_tests(0, 4_000, 6_000), CourseCompleted(0, 1, 3), people=1)
    other = continuing(Device(2), people_of(device)[0]).registered(hub, VILLAGE)
    clock = ClockObserved(1, NOVEMBER - DAY_MS, 0)
    other.seal(
        clock,
        PackInstalled(COURSE, sha256(ENVELOPE), 1),
        *both_tests(0, 3_000, 8_000),
        CourseCompleted(0, 1, 3),
    )
    other.send(hub)
    for code in ("", "17.05", VILLAGE):
        made = shown(hub, code)
        assert (made.whole.learners, made.whole.started, made.whole.completed) == (1, 1, 1), code
        assert (made.whole.before, made.whole.after) == (4_000, 8_000)
        assert made.months == {"2026-11": 1}, "the month that is known, of two completions"


@pytest.fixture(autouse=True)
def nothing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a page might be kept, and then takes fewer statements."""
    monkeypatch.setattr(summary_page, "SLOW_S", math.inf)


def test_what_is_kept_is_what_was_worked_out_for_that_scope_only(hub: Hub) -> None:
    nation_in_small(hub)
    made = shown(hub)
    kept.keep(hub.engine, "x", "17", summary.as_json(made), NOVEMBER)
    with reading(hub.engine) as connection:
        found = kept.find(connection, "x", "17", NOVEMBER)
        assert found and summary.from_json(found.result) == made
        assert kept.find(connection, "x", "", NOVEMBER) is None
        assert kept.find(connection, "x", "17", NOVEMBER + 1) is None
    kept.keep(hub.engine, "y", "17", 1, NOVEMBER + kept.DAY_MS + 1)
    with reading(hub.engine) as connection:
        assert kept.find(connection, "x", "17", 0) is None


def test_the_pages_lead_from_the_nation_down_to_a_village_and_keep_what_was_asked_for(hub: Hub) -> None:
    nation_in_small(hub)
    client = browser(hub)
    query = f"pelatihan={COURSE.hex()}&amp;dari=2026-10"
    path = "/kemajuan"
    for code in ("17", "17.05", "17.05.10", VILLAGE):
        page = client.get(f"{path}?pelatihan={COURSE.hex()}&dari=2026-10").text
        assert f'href="/kemajuan/{code}?{query}"' in page, code
        path = f"/kemajuan/{code}"
    page = client.get(path).text
    assert f'href="/wilayah/{VILLAGE}"' in page
    assert "Keuangan Desa" in page


def test_every_chart_has_a_title_a_description_and_its_numbers(hub: Hub) -> None:
    nation_in_small(hub)
    client = browser(hub)
    seen = set()
    for path in ("/kemajuan", "/kemajuan/17.05"):
        page = client.get(path).text
        drawings = re.findall(r"<svg.*?</details>", page, re.S)
        assert drawings
        for drawing in drawings:
            label = re.search(r'role="(img|group)" aria-labelledby="([\w-]+) ([\w-]+)"', drawing)
            assert label, drawing
            assert f'<title id="{label[2]}">' in drawing and f'<desc id="{label[3]}">' in drawing
            assert "<th scope=" in drawing
            assert "style=" not in drawing and "<script" not in drawing
            seen.add(label[2])
    assert seen == {"map-title", "months-title", "scores-title", "gain-title", "parts-title"}


@pytest.mark.parametrize("wrong", ["dari=2026", "dari=2026-13", "sampai=x", "dari=2026-05&sampai=2026-04"])
def test_months_that_are_none_get_one_sentence(hub: Hub, wrong: str) -> None:
    nation_in_small(hub)
    answer = browser(hub).get(f"/kemajuan?{wrong}")
    assert answer.status_code == 422
    assert answer.text.count('role="alert"') == 1


@pytest.mark.parametrize("path", ["/kemajuan/99", "/kemajuan?pelatihan=zz", "/kemajuan?pelatihan=00"])
def test_what_is_not_there_is_not_found(hub: Hub, path: str) -> None:
    assert browser(hub).get(path).status_code == 404


def test_without_learners_the_page_says_so(hub: Hub) -> None:
    assert "Belum ada peserta" in browser(hub).get("/kemajuan").text


def test_an_operator_sees_the_figures_of_the_own_region_only(hub: Hub) -> None:
    nation_in_small(hub)
    client = as_of(hub, "17.05.10")
    assert client.get("/kemajuan").location == "/kemajuan/17.05.10"
    page = client.get("/kemajuan/17.05.10").text
    assert re.search(r"<dt>Peserta</dt><dd>2", page)
    for code in ("17.05", ELSEWHERE, NEIGHBOUR):
        assert client.get(f"/kemajuan/{code}").status_code == 404


def test_pages_take_a_fixed_number_of_statements(hub: Hub) -> None:
    nation_in_small(hub)
    client = browser(hub)
    paths = [
        "/kemajuan", "/kemajuan/17.05", f"/kemajuan/{VILLAGE}", f"/kemajuan/17?pelatihan={COURSE.hex()}",
        "/kemajuan?dari=2026-01",
    ]  # fmt: skip
    counts = []
    for _ in range(2):
        for path in paths:
            with counted(hub) as statements:
                assert client.get(path).status_code == 200
            counts.append(len(statements))
        for seed in range(11, 15):
            learning(
                hub,
                seed,
                f"17.05.0{seed - 10}.2001",
                *both_tests(0, 3_000, 8_000),
                CourseCompleted(0, 1, 3),
            )
    assert counts[:5] == counts[5:]
    assert max(counts) <= 40, "the first page after merges adds up the villages that they marked"
    assert max(counts[1:5]) <= 25
