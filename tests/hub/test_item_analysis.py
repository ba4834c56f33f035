"""Which questions go wrong: figures worked out by hand, the same in any order, each person once, seen in one scope only."""

from __future__ import annotations

import random

import pytest
from device import COURSE, VILLAGE, Device
from hypothesis import given
from hypothesis import strategies as st
from office import as_of
from test_identity import continuing, people_of
from test_pages import browser, counted

from hub.db import reading
from hub.items import Advice, Firsts, Item, Person, analysed, point_biserial
from hub.kept import DAY_MS
from hub.queries import items
from hub.wiring import Hub
from sync.batch import batch_of
from sync.entries import Entry, Kind, QuestionAnswered, QuestionResponded, QuizSubmitted

PAGE = f"/soal/{COURSE[0].hex()}"
NEIGHBOUR = "17.05.01.2001"


def answer(learner: int, question: int, choice: int, right: bool) -> QuestionAnswered:
    return QuestionAnswered(learner, 0, 2, question, choice, right)


def sitting(learner: int, score: int, *choices: int) -> list[Kind]:
    """One try at a quiz of which every right choice is 0."""
    answers = [answer(learner, at, choice, choice == 0) for at, choice in enumerate(choices, start=1)]
    return [*answers, QuizSubmitted(learner, 0, 2, score)]


def entries(*kinds: Kind) -> list[Entry]:
    return [Entry(at, kind.number, at, kind.fields()) for at, kind in enumerate(kinds)]


def folded(*kinds: Kind, log: bytes = b"a") -> Firsts:
    firsts = Firsts()
    firsts.take(log, [Person(number, False) for number in range(50)], {0}, batch_of(entries(*kinds)))
    return firsts


# The figures


def test_four_people_by_hand() -> None:
    """Scores 90 and 80 are right, 40 and 30 wrong: means 85 and 35, deviation √650, so r = 50 ÷ √650 × ½."""
    tries = [(0, 9_000, 0), (1, 8_000, 0), (2, 4_000, 2), (3, 3_000, 2)]
    firsts = folded(*(kind for learner, score, choice in tries for kind in sitting(learner, score, choice)))
    assert analysed(firsts) == [Item(2, 1, 4, 2, round(50 / 650**0.5 / 2, 4), "2", 2)]


def test_nothing_is_said_where_nothing_differs() -> None:
    assert point_biserial([(True, 90), (True, 20)]) is None
    assert point_biserial([(False, 90), (False, 20)]) is None
    assert point_biserial([(True, 50), (False, 50)]) is None
    assert point_biserial([]) is None
    assert point_biserial([(True, 100), (False, 0)]) == pytest.approx(1)
    assert point_biserial([(False, 100), (True, 0)]) == pytest.approx(-1)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10_000)), max_size=40))
def test_a_correlation_lies_between_its_ends(pairs: list[tuple[bool, int]]) -> None:
    found = point_biserial(pairs)
    assert found is None or -1.0001 <= found <= 1.0001


def test_only_the_first_answer_and_the_first_score_count() -> None:
    firsts = folded(*sitting(0, 2_000, 3), *sitting(0, 10_000, 0))
    assert analysed(firsts) == [Item(2, 1, 1, 0, None, "", 0)]
    assert [score for _rank, score in firsts.scores.values()] == [2_000]


def test_a_wrong_answer_of_one_person_alone_is_not_shown() -> None:
    typed = [QuestionResponded(learner, 0, 2, 1, text, False) for learner, text in enumerate("aab")]
    assert analysed(folded(*typed))[0].wrong == "a"
    assert analysed(folded(*typed[1:]))[0].wrong == ""


def test_other_packs_add_nothing() -> None:
    assert analysed(folded(QuestionAnswered(0, 1, 2, 1, 0, True))) == []


@pytest.mark.parametrize(
    ("people", "right", "found", "advice"),
    [
        (9, 0, -0.5, Advice.FEW),
        (10, 5, -0.1, Advice.KEY),
        (10, 2, 0.5, Advice.HARD),
        (10, 2, None, Advice.HARD),
        (10, 3, 0.1, Advice.POOR),
        (10, 10, None, Advice.EASY),
        (100, 99, -0.1, Advice.EASY),
        (10, 5, 0.2, Advice.GOOD),
        (10, 5, None, Advice.GOOD),
    ],
)
def test_advice_names_the_most_pressing(
    people: int, right: int, found: float | None, advice: Advice
) -> None:
    assert Item(1, 1, people, right, found, "", 0).advice is advice


small = st.integers(0, 3)
kinds = st.one_of(
    st.builds(answer, small, small, small, st.booleans()),
    st.builds(QuestionResponded, small, st.just(0), small, small, st.sampled_from("abc"), st.booleans()),
    st.builds(QuizSubmitted, small, st.integers(0, 1), small, st.integers(0, 10_000)),
)


@given(st.lists(st.lists(kinds, min_size=1, max_size=8), min_size=1, max_size=8), st.integers(0, 2**32))
def test_folding_in_any_order_and_twice_is_the_same(history: list[list[Kind]], seed: int) -> None:
    """Segments of two logs, in which numbers 0 and 1 of the second go on from those of the first."""
    everything = entries(*(kind for many in history for kind in many))
    cut, batches = 0, []
    for at, many in enumerate(history):
        batches.append((bytes([at % 2]), batch_of(everything[cut : cut + len(many)])))
        cut += len(many)
    people = {
        b"\0": [Person(number, False) for number in range(4)],
        b"\1": [Person(number, number < 2) for number in range(4)],
    }

    def total(order: list[tuple[bytes, object]], parts: int) -> Firsts:
        made = [Firsts() for _ in range(parts)]
        for at, (log, batch) in enumerate(order):
            made[at % parts].take(log, people[log], {0}, batch)  # type: ignore[arg-type]
        for other in made[1:]:
            made[0].join(other)
        return made[0]

    rng = random.Random(seed)
    mixed = [*batches, *rng.choices(batches, k=2)]
    rng.shuffle(mixed)
    assert total(list(mixed), rng.randint(1, 3)) == total(list(batches), 1)


# Reading the segments


def village(hub: Hub, seed: int = 1, place: str = VILLAGE, people: int = 12) -> Device:
    """Half of the people know it all; half choose 2 in the second question."""
    device = Device(seed).open(people).registered(hub, place)
    for learner in range(people):
        knows = learner < people // 2
        device.seal(*sitting(learner, 10_000 if knows else 5_000, 0, 0 if knows else 2))
    device.send(hub)
    return device


def read(hub: Hub) -> items.Read:
    with reading(hub.engine) as connection:
        packs = [version.pack for version in items.versions(connection, 10)]
        return items.read(connection, packs)


def test_answers_are_read_from_the_segments(hub: Hub) -> None:
    village(hub)
    found = read(hub)
    assert (found.logs, found.of) == (1, 1)
    assert analysed(found.firsts) == [
        Item(2, 1, 12, 12, None, "", 0),
        Item(2, 2, 12, 6, 1.0, "2", 6),
    ]


def test_a_person_with_two_identities_answers_once(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    device.seal(*sitting(0, 5_000, 2))
    other = continuing(Device(2), people_of(device)[0]).registered(hub)
    other.seal(*sitting(0, 10_000, 0))
    other.send(hub)
    device.send(hub)
    found = read(hub)
    assert found.logs == 2
    assert [(item.people, item.right) for item in analysed(found.firsts)] == [(1, 0)]


def test_what_stands_in_both_branches_of_a_fork_counts_once(hub: Hub) -> None:
    device = Device(1).open(3).registered(hub)
    clone = device.fork()
    device.seal(*sitting(0, 5_000, 2), *sitting(1, 5_000, 2))
    clone.seal(*sitting(0, 5_000, 2), *sitting(2, 5_000, 2))
    device.send(hub)
    clone.send(hub)
    assert [(item.people, item.wrong_people) for item in analysed(read(hub).firsts)] == [(3, 3)]


def test_no_more_logs_are_read_than_are_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(1, 4):
        village(hub, seed, people=2)
    monkeypatch.setattr(items, "LOGS_MOST", 2)
    assert (read(hub).logs, read(hub).of) == (2, 3)
    monkeypatch.setattr(items, "ENTRIES_MOST", 1)
    assert (read(hub).logs, read(hub).of) == (1, 3)


# The pages


def test_the_page_says_what_is_wrong_with_each_question(hub: Hub) -> None:
    village(hub)
    client = browser(hub)
    assert f'href="{PAGE}"' in client.get("/soal").text
    page = client.get(PAGE).text
    assert "12 orang" in page
    assert "Terlalu mudah" in page
    assert "Ebel" in page
    assert ">C <" in page and "6 orang" in page


def test_with_few_people_the_page_says_that_it_says_little(hub: Hub) -> None:
    village(hub, people=4)
    page = browser(hub).get(PAGE).text
    assert "belum berarti banyak" in page
    assert "Belum cukup jawaban" in page


def test_empty_pages_say_so(hub: Hub) -> None:
    client = browser(hub)
    assert "Belum ada pelatihan" in client.get("/soal").text
    Device(1).open().registered(hub).send(hub)
    assert "Belum ada soal" in client.get(PAGE).text


@pytest.mark.parametrize("path", ["/soal/zz", "/soal/00", f"{PAGE}?versi=9"])
def test_what_is_not_there_is_not_found(hub: Hub, path: str) -> None:
    village(hub, people=2)
    assert browser(hub).get(path).status_code == 404


def test_opening_again_within_a_day_costs_two_statements_beside_the_log_in(hub: Hub) -> None:
    village(hub)
    now = [hub.intake.now_ms()]
    hub.intake.now_ms = lambda: now[0]  # the hub's clock is passed in
    client = browser(hub)
    assert "12 orang" in client.get(PAGE).text
    village(hub, seed=2)
    with counted(hub) as statements:
        assert "12 orang" in client.get(PAGE).text
    reads = [one for one in statements if one.lstrip().upper().startswith("SELECT")]
    own = [one for one in reads if "FROM sittings" not in one and "FROM operators" not in one]
    assert len(own) <= 2, own
    now[0] += DAY_MS + 1
    assert "24 orang" in browser(hub).get(PAGE).text


def test_working_it_out_takes_a_fixed_number_of_statements(hub: Hub) -> None:
    village(hub)
    client = browser(hub)
    with counted(hub) as few:
        assert client.get(PAGE).status_code == 200
    for seed in range(2, 6):
        village(hub, seed, NEIGHBOUR)
    later = hub.intake.now_ms() + DAY_MS + 1
    hub.intake.now_ms = lambda: later
    client = browser(hub)
    with counted(hub) as many:
        assert "60 orang" in client.get(PAGE).text
    assert len(many) <= len(few) <= 25


def test_each_scope_is_worked_out_of_what_it_sees_and_kept_for_it_alone(hub: Hub) -> None:
    village(hub)
    village(hub, 2, NEIGHBOUR, people=14)
    expected = {"": 26, "17.05": 26, "17.05.10": 12, "17.05.01": 14}
    for scope, people in expected.items():
        assert f"{people} orang" in as_of(hub, scope).get(PAGE).text, scope
    with reading(hub.engine) as connection:
        found = connection.exec_driver_sql("select scope from kept_results").scalars()
        assert set(found) == set(expected)


def test_a_scope_sees_no_result_of_the_scope_around_it(hub: Hub) -> None:
    village(hub, 2, NEIGHBOUR)
    assert "12 orang" in browser(hub).get(PAGE).text
    client = as_of(hub, "17.05.10")
    assert "Belum ada soal" in client.get(PAGE).text
