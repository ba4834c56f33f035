"""Who is one person on the operators' pages: counted once, merged, separated, erased; on both databases."""

from __future__ import annotations

from device import VILLAGE, Device
from test_pages import browser, counted, press, village
from test_pages_road import NEXT_DOOR, NOWHERE, figures, ledger_with, person, said, seconds_of

from hub import identity
from hub.db import reading
from hub.queries import courses, persons, progress, regions
from hub.wiring import Hub, now_ms
from sync.decisions import PersonalDataErased
from sync.entries import CourseCompleted, LessonProgressed, QuizSubmitted


def two_villages(hub: Hub) -> tuple[Device, Device]:
    """The same course completed by the first learner of each; the second village did better and saw more."""
    here = village(hub, 1)
    there = Device(2).open(2).registered(hub, NEXT_DOOR)
    there.seal(
        LessonProgressed(0, 0, 1, 10_000, 30),
        QuizSubmitted(0, 0, 2, 9_500, 1),
        CourseCompleted(0, 0, 2),
    )
    there.send(hub)
    return here, there


def merged_people(hub: Hub) -> tuple[Device, Device]:
    here, there = two_villages(hub)
    identity.merge(hub.engine, person(here, 0), person(there, 0), now_ms())
    return here, there


def test_a_person_with_two_identities_counts_once_everywhere(hub: Hub) -> None:
    _, there = merged_people(hub)
    with reading(hub.engine) as connection:
        tallies = [regions.tallies(connection, "17.05.10", width) for width in (8, 13)]
        (course,) = courses.listed(connection)
        by_village = courses.by_village(connection, course.course_key, 10, 0)
        found = persons.find(connection, person(there, 0))
        assert found
        (progress_,) = progress.of_people(connection, [found.pk])[found.pk]

    assert (tallies[0]["17.05.10"].learners, tallies[0]["17.05.10"].completions) == (3, 1)
    assert {code: tally.learners for code, tally in tallies[1].items()} == {VILLAGE: 2, NEXT_DOOR: 2}
    assert (course.started, course.completed) == (1, 1)
    assert {(row.village, row.started, row.completed) for row in by_village} == {
        (VILLAGE, 1, 1),
        (NEXT_DOOR, 1, 1),
    }
    assert progress_.seconds == 91 + 31, "sums add"
    assert progress_.best_score == 9_500, "the best is the best of all"
    assert len(progress_.completed) == 2
    front = figures(browser(hub).get("/").text)
    assert (front["Peserta"], front["Pelatihan diselesaikan"]) == (3, 1)


def test_the_name_is_that_of_the_newest_profile_wherever_the_person_is_opened(hub: Hub) -> None:
    here, there = two_villages(hub)
    client = browser(hub)
    identity.merge(hub.engine, person(here, 1), person(there, 0), now_ms())
    for id_ in (person(here, 1), person(there, 0)):
        assert "<h1>Peserta 1</h1>" in client.get(f"/peserta/{id_.hex()}").text
    assert client.get(f"/wilayah/{VILLAGE}").text.count(">Peserta 1</a>") == 2


def test_two_people_are_compared_merged_and_separated_again(hub: Hub) -> None:
    here, there = two_villages(hub)
    one, other = person(here, 0).hex(), person(there, 0).hex()
    client, page = browser(hub), f"/peserta/{one}"

    found = client.get(f"{page}/gabung?q=peserta&wilayah=17.05").text
    assert f'href="{page}/gabung/{other}"' in found
    evidence = client.get(f"{page}/gabung/{other}").text
    assert evidence.count("Kaur Keuangan") == 2
    assert NEXT_DOOR in evidence

    press(client, f"{page}/gabung/{other}", f"{page}/gabung/{other}")
    assert seconds_of(hub, person(here, 0)) == 91 + 31
    assert "digabungkan oleh operator" in client.get(page).text

    press(client, page, f"{page}/pisah/{other}")
    assert seconds_of(hub, person(here, 0)) == 91
    assert "dinyatakan bukan orang yang sama" in client.get(page).text


def test_a_search_in_no_region_gets_one_sentence(hub: Hub) -> None:
    client, page = browser(hub), f"/peserta/{person(village(hub), 0).hex()}/gabung"
    for region in NOWHERE:
        answer = client.get(page, query_string={"wilayah": region})
        assert answer.status_code == 422, region
        assert answer.text.count('class="error"') == 1, region


def test_nobody_is_merged_with_themselves_or_with_nobody(hub: Hub) -> None:
    device = village(hub)
    client, one = browser(hub), person(device, 0).hex()
    for other in (one, "00" * 16, "zz"):
        page = f"/peserta/{one}/gabung/{other}"
        assert press(client, "/petugas", page).status_code == 404
        assert press(client, "/petugas", page.replace("gabung", "pisah")).status_code == 404


def test_personal_data_is_erased_once_the_name_is_typed_and_the_progress_stays(hub: Hub) -> None:
    here, _ = merged_people(hub)
    client, page = browser(hub), f"/peserta/{person(here, 0).hex()}"

    answer = press(client, page, f"{page}/hapus-data", name="Peserta 2")
    assert answer.status_code == 422
    assert answer.text.count('class="error"') == 1
    assert "<h1>Peserta 1</h1>" in client.get(page).text

    press(client, page, f"{page}/hapus-data", name=" peserta  1 ")
    shown = client.get(page).text
    assert "<h1>(tanpa nama)</h1>" in shown
    assert "Data pribadi dihapus" in shown
    assert "Tes akhir terbaik: 95" in shown
    for scope in (VILLAGE, NEXT_DOOR):
        erased = {one for one in said(hub, scope) if isinstance(one, PersonalDataErased)}
        assert {one.commitment for one in erased} >= {here.profiles[0].commitment}
    here.send(hub)
    assert "<h1>(tanpa nama)</h1>" in client.get(page).text, "what comes again isn't kept"
    assert "(tanpa nama)" in client.get(f"/wilayah/{VILLAGE}").text


def test_the_page_of_a_person_takes_as_many_statements_for_many_identities_as_for_two(hub: Hub) -> None:
    here, _ = merged_people(hub)
    ledger_with(hub, here)
    client = browser(hub)
    paths = [f"/peserta/{person(here, 0).hex()}", f"/wilayah/{VILLAGE}", "/buku-kiriman", "/petugas"]
    counts = []
    for _ in range(2):
        with counted(hub) as statements:
            for path in paths:
                assert client.get(path).status_code == 200
        counts.append(len(statements))
        for seed in range(3, 6):
            more = village(hub, seed)
            identity.merge(hub.engine, person(here, 0), person(more, 0), now_ms())
            ledger_with(hub, more)
    assert counts[1] <= counts[0]
