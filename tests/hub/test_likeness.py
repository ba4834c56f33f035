"""Who may be one person: names as people here write them, and rules that don't depend on who comes first."""

from __future__ import annotations

import re

import pytest
from device import COURSE, Device
from hypothesis import given
from hypothesis import strategies as st
from office import as_of
from sqlalchemy import insert
from test_pages import browser, counted, press
from test_pages_people import two_villages

from hub import identity, schema
from hub.db import writing
from hub.likeness import (
    BLOCK_MOST,
    LEAST,
    NAMESAKES_MOST,
    Likeness,
    Person,
    Why,
    compare,
    distance,
    matched,
    pairs,
    plain,
)
from hub.wiring import Hub, now_ms
from sync.entries import LearnerAdded, LessonProgressed
from sync.profile import Profile, learner_id

VILLAGE, NEXT_DOOR, FAR = "17.05.10.2007", "17.05.10.2008", "17.05.01.2001"

words = st.text(st.sampled_from("abcdeijnostuyz '.é"), max_size=14)
people = st.builds(
    Person,
    words,
    st.sampled_from(["", "Kaur Keuangan", "kaur  keuangan", "Kepala Desa"]),
    st.sampled_from([VILLAGE, NEXT_DOOR, FAR, ""]),
    st.frozensets(st.sampled_from([b"a", b"b"])),
    st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda two: (min(two), max(two))),
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Siti Aminah", "SITI  AMINAH"),
        ("Ibu Siti Aminah", "Siti Aminah, S.Sos."),
        ("H. Soekardjo", "Bpk. Sukarjo, S.Pd"),
        ("Tjokroaminoto", "Cokroaminoto"),
        ("Muhammad Djafar, A.Md.", "muhamad jafar"),
        ("Nur'aini", "Nuraini"),
        ("Drs. H. Ahmad Yani, M.Si", "Ahmad Yani"),
        ("José Ｂelo", "Jose Belo"),
        ("Sri Wahyuni", "Sriwahyuni"),
        ("Hj. Siti Aminah, S. Pd.", "Siti Aminah"),
        ("H.Ali", "Ali"),
        ("H. Ali", "Ali"),
    ],
)
def test_names_are_compared_without_titles_and_in_today_s_spelling(one: str, other: str) -> None:
    assert compare(Person(one), Person(other)).why == (Why.SAME_NAME,)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("Aminah Siti", "Siti Aminah", Why.SAME_WORDS),
        ("Siti Amniah", "Siti Aminah", Why.LIKE_NAME),
        ("Budi Santosa", "Budi Santoso", Why.LIKE_NAME),
        ("Siti", "Siti Aminah", Why.PART_OF_NAME),
    ],
)
def test_names_may_be_turned_round_misspelt_or_shortened(one: str, other: str, why: Why) -> None:
    assert compare(Person(one), Person(other)).why == (why,)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Budi", "Siti"),
        ("Ani", "Ina"),
        ("Budi Santoso", "Budi Hartono"),
        ("", ""),
        ("Bpk.", "Ibu"),
        ("M", "Mu"),
        ("Siti 1", "Siti 2"),
    ],
)
def test_other_names_are_other_people(one: str, other: str) -> None:
    assert compare(Person(one, "", VILLAGE), Person(other, "", VILLAGE)) == Likeness(0, ())


def test_an_initial_is_no_title() -> None:
    assert plain("M. Yusuf") == ("m", "yusuf")


def test_a_namesake_far_away_with_another_position_weighs_less_than_one_next_door() -> None:
    here = Person("Siti Aminah", "Kepala Desa", VILLAGE)
    near = compare(here, Person("Siti Aminah", "Kepala Desa", NEXT_DOOR))
    far = compare(here, Person("Siti Aminah", "Kaur Keuangan", FAR))
    same = compare(here, Person("Siti Aminah", "Kepala Desa", VILLAGE))
    assert far.score < near.score < same.score
    assert Why.OTHER_POSITION in far.why


def test_who_learns_at_one_time_at_two_laptops_is_less_likely_one_person() -> None:
    def at(first: int, last: int) -> Person:
        return Person("Siti Aminah", "", VILLAGE, frozenset([b"course"]), (first, last))

    turns, at_once = compare(at(0, 10), at(11, 20)), compare(at(0, 10), at(5, 20))
    assert Why.TAKES_TURNS in turns.why and Why.AT_ONE_TIME in at_once.why
    assert Why.SAME_COURSE in turns.why
    assert at_once.score < turns.score
    assert at_once.score >= LEAST, "still worth a look"


@given(people, people)
def test_it_does_not_matter_who_comes_first(one: Person, other: Person) -> None:
    assert compare(one, other) == compare(other, one)
    assert compare(one, other) == compare(one, other)
    assert 0 <= compare(one, other).score <= 100


@given(words)
def test_capitals_and_spaces_make_no_other_name(name: str) -> None:
    assert plain(f"  {name.upper()} ") == plain(name)


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.integers(0, 3))
def test_the_distance_is_symmetric_and_nothing_to_oneself(one: str, other: str, most: int) -> None:
    assert distance(one, other, most) == distance(other, one, most)
    assert distance(one, one, most) == 0
    assert (distance(one, other, 9) == 0) == (one == other)
    assert distance(one, other, most) == min(distance(one, other, 9), most + 1)


def found(people: list[tuple[str, str]]) -> set[frozenset[int]]:
    return {
        frozenset((one[0], other[0]))
        for one, other in pairs(
            list(enumerate(people)), lambda person: person[1][0], lambda person: person[1][1]
        )
    }


def test_only_people_of_one_village_or_one_name_in_a_regency_are_compared() -> None:
    people = [
        ("Siti Aminah", VILLAGE),
        ("Siti Amniah", VILLAGE),
        ("Aminah Siti", FAR),
        ("Siti Amniah", NEXT_DOOR),
        ("Siti Aminah", "18.01.01.2001"),
        ("Budi", VILLAGE),
    ]
    assert found(people) == {frozenset(pair) for pair in ((0, 1), (0, 2), (1, 3))}


@given(st.lists(st.tuples(words, st.sampled_from([VILLAGE, NEXT_DOOR, FAR])), max_size=20), st.randoms())
def test_whom_to_compare_does_not_depend_on_the_order(
    people: list[tuple[str, str]], random: object
) -> None:
    turned = list(reversed(people))
    last = len(people) - 1
    assert {frozenset(last - at for at in pair) for pair in found(turned)} == found(people)


def test_the_work_stays_bounded_in_villages_of_any_size() -> None:
    many = [(f"Peserta {chr(97 + at % 26)}{chr(97 + at // 26 % 26)}udin", VILLAGE) for at in range(5000)]
    assert len(found(many)) <= BLOCK_MOST**2 * 100
    crowd = [("Muhammad", f"17.05.{at:02}.2001") for at in range(NAMESAKES_MOST + 1)]
    assert found(crowd) == set(), "so common a name says nothing"
    assert len(found(crowd[:-1])) == NAMESAKES_MOST * (NAMESAKES_MOST - 1) // 2


def test_a_list_of_names_is_matched_with_people_once_each() -> None:
    wanted = ["Siti Aminah", "Siti", "Budi Santosa", "Joko"]
    here = ["SITI AMINAH, S.Sos", "Budi Santoso", "Rudi"]
    assert matched(wanted, here) == {0: 0, 2: 1}


# The pages


def person_at(device: Device, at: int) -> str:
    return learner_id(device.log, device.profiles[at].commitment).hex()


def people_of(hub: Hub, seed: int, village: str, *names: str, days: int = 0) -> Device:
    """A laptop with people of these names; all have begun the course."""
    device = Device(seed).open(0).registered(hub, village)
    for name in names:
        profile = Profile.make(device.rng.randbytes, name, "Kaur Keuangan")
        device.profiles.append(profile)
        device.seal(LearnerAdded(profile.commitment))
    for at in range(len(names)):
        device.seal(LessonProgressed(at, 0, 1, 10_000, 60))
    device.send(hub)
    return device


def listed(page: str) -> set[frozenset[str]]:
    """The pairs of the page, by the numbers in their links."""
    return {frozenset(pair) for pair in re.findall(r"/peserta/([0-9a-f]{32})/gabung/([0-9a-f]{32})", page)}


def test_the_page_shows_likely_pairs_with_what_speaks_for_them(hub: Hub) -> None:
    here = people_of(hub, 1, VILLAGE, "Siti Aminah", "Budi Santoso")
    there = people_of(hub, 2, NEXT_DOOR, "Hj. Siti Aminah, S.Sos.", "Joko")
    page = browser(hub).get("/orang-sama?wilayah=17.05").text
    assert listed(page) == {frozenset((person_at(here, 0), person_at(there, 0)))}
    for words in ("Nama sama", "Satu kecamatan", "Jabatan sama", "Pelatihan sama"):
        assert words in page


def test_a_pair_that_was_merged_or_separated_is_no_longer_listed(hub: Hub) -> None:
    here = people_of(hub, 1, VILLAGE, "Siti Aminah")
    there = people_of(hub, 2, VILLAGE, "Siti Aminah")
    client, address = browser(hub), "/orang-sama?wilayah=17.05"
    (pair,) = listed(client.get(address).text)
    one, other = person_at(here, 0), person_at(there, 0)
    assert pair == {one, other}
    compare_page = f"/peserta/{one}/gabung/{other}"
    assert "Bukan orang yang sama" in client.get(compare_page).text
    press(client, compare_page, f"/peserta/{one}/pisah/{other}")
    assert listed(client.get(address).text) == set()
    shown = client.get(compare_page).text
    assert "sudah dinyatakan bukan orang yang sama" in shown
    press(client, compare_page, compare_page)
    assert listed(client.get(address).text) == set(), "one person now"


def test_the_comparison_shows_what_merging_would_make_of_the_numbers(hub: Hub) -> None:
    here, there = two_villages(hub)
    one, other = person_at(here, 0), person_at(there, 0)
    certified = {"course_key": COURSE[0], "village": VILLAGE, "sealed": b"", "issued_ms": 0}
    with writing(hub.engine) as connection:
        for at, number in ((one, "0001/A"), (other, "0002/B")):
            row = {"number": number, "learner": bytes.fromhex(at), **certified}
            connection.execute(insert(schema.certificates).values(**row))
    page = browser(hub).get(f"/peserta/{one}/gabung/{other}").text
    row = re.search(r"<h2>Bila digabungkan</h2>.*?</table>", page, re.S)
    assert row
    shown = re.sub(r"\s+", " ", row[0])
    assert re.search(r'Menjadi"><b>.*Tes akhir terbaik: 95.*Waktu belajar: 3 menit', shown)
    assert "0001/A<br>0002/B" in shown
    assert "Dua untuk satu pelatihan" in shown
    identity.merge(hub.engine, bytes.fromhex(one), bytes.fromhex(other), now_ms())
    after = browser(hub).get(f"/peserta/{one}").text
    assert "Tes akhir terbaik: 95" in after and "Waktu belajar: 3 menit" in after, "as it was foretold"


def test_a_nation_is_asked_for_a_regency_first(hub: Hub) -> None:
    people_of(hub, 1, VILLAGE, "Siti Aminah", "Siti Amniah")
    client = browser(hub)
    assert 'href="/orang-sama?wilayah=17"' in client.get("/orang-sama").text
    assert 'href="/orang-sama?wilayah=17.05"' in client.get("/orang-sama?wilayah=17").text
    assert len(listed(client.get(f"/orang-sama?wilayah={VILLAGE}").text)) == 1
    for wrong in ("99", "x"):
        answer = client.get(f"/orang-sama?wilayah={wrong}")
        assert (answer.status_code, answer.text.count('class="error"')) == (422, 1)


def test_an_operator_sees_pairs_of_the_own_region_only(hub: Hub) -> None:
    people_of(hub, 1, VILLAGE, "Siti Aminah", "Siti Amniah")
    assert listed(as_of(hub, "17.05.10").get("/orang-sama").text)
    theirs = as_of(hub, "17.05.01")
    assert listed(theirs.get("/orang-sama").text) == set()
    assert theirs.get("/orang-sama?wilayah=17.05.10").status_code == 422


def test_an_erased_name_is_nobody_s(hub: Hub) -> None:
    device = people_of(hub, 1, VILLAGE, "Siti Aminah", "Siti Aminah")
    identity.erase(hub.engine, bytes.fromhex(person_at(device, 0)), now_ms())
    assert listed(browser(hub).get("/orang-sama?wilayah=17.05").text) == set()


def test_many_people_take_as_many_statements_as_two(hub: Hub) -> None:
    here = people_of(hub, 1, VILLAGE, "Siti Aminah", "Siti Amniah")
    client, counts = browser(hub), []
    one, other = person_at(here, 0), person_at(here, 1)
    for _ in range(2):
        for path in ("/orang-sama?wilayah=17.05", f"/peserta/{one}/gabung/{other}"):
            with counted(hub) as statements:
                assert client.get(path).status_code == 200
            counts.append(len(statements))
        for seed in range(2, 6):
            people_of(hub, seed, NEXT_DOOR, "Siti Aminah", "Budi", "Joko")
    assert counts[:2] == counts[2:]
    assert max(counts) <= 20
