"""The operators' pages: closed to strangers, true to what devices sent, a fixed number of statements."""

from __future__ import annotations

import re

import pytest
from centre import PASSWORD
from device import VILLAGE, Device
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bench.statements import counted as counted
from hub import operators, registry
from hub.app import create_app
from hub.views import guesses, sittings
from hub.wiring import Hub, now_ms
from sync.entries import CourseCompleted, LessonProgressed, QuizSubmitted

PAGES = ("/", "/wilayah", "/pelatihan", "/perangkat", "/kode", "/peringatan")


def browser(hub: Hub, logged_in: bool = True) -> FlaskClient:
    app = create_app(hub)
    client = app.test_client()
    if logged_in:
        operators.set_password(hub.engine, "operator", PASSWORD)
        assert enter(client).status_code == 302
    return client


def token(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found, path
    return found[1]


def enter(client: FlaskClient, password: str = PASSWORD, query: str = "") -> TestResponse:
    form = {"name": "operator", "password": password, "csrf_token": token(client, "/masuk")}
    return client.post(f"/masuk{query}", data=form)


def press(client: FlaskClient, page: str, action: str, **form: str) -> TestResponse:
    return client.post(action, data={"csrf_token": token(client, page), **form})


def village(hub: Hub, seed: int = 1, people: int = 2) -> Device:
    """A registered device of which one learner has completed the course."""
    device = Device(seed).open(people).registered(hub)
    device.seal(
        LessonProgressed(0, 0, 1, 10_000, 90),
        QuizSubmitted(0, 0, 2, 8_500, 1),
        CourseCompleted(0, 0, 2),
    )
    device.send(hub)
    return device


def test_a_stranger_sees_only_the_log_in(hub: Hub) -> None:
    client = browser(hub, logged_in=False)
    for path in (*PAGES, f"/wilayah/{VILLAGE}", "/peserta/00", "/perangkat/00"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer.location.startswith("/masuk")


def test_no_decision_is_taken_without_a_log_in(hub: Hub) -> None:
    device = Device(1).open()
    device.ask_to_register(hub)
    client = browser(hub, logged_in=False)
    client.post(f"/perangkat/{device.id.hex()}/setujui", data={"csrf_token": token(client, "/masuk")})
    with hub.engine.connect() as connection:
        assert [d.state for d in registry.devices(connection)] == ["waiting"]


def test_empty_lists_say_what_to_do_first(hub: Hub) -> None:
    client = browser(hub)
    assert 'href="/kode"' in client.get("/perangkat").text
    assert 'href="/kode"' not in client.get("/perangkat?keadaan=revoked").text
    assert 'href="/paket"' in client.get("/pelatihan").text


def test_every_post_needs_its_token(hub: Hub) -> None:
    client = browser(hub)
    for path in ("/kode", "/keluar", "/perangkat/00/setujui", "/perangkat/00/cabut", "/masuk"):
        assert client.post(path).status_code == 400, path


def test_after_logging_in_the_page_that_was_asked_for_opens(hub: Hub) -> None:
    client = browser(hub)
    press(client, "/", "/keluar")
    answer = enter(client, query="?next=/perangkat")
    assert answer.location == "/perangkat"


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "/\\example.org"])
def test_a_log_in_leads_to_no_other_site(hub: Hub, elsewhere: str) -> None:
    client = browser(hub)
    press(client, "/", "/keluar")
    assert enter(client, query=f"?next={elsewhere}").location == "/"


def test_guessing_has_to_wait(hub: Hub) -> None:
    client = browser(hub)
    press(client, "/", "/keluar")
    statuses = [enter(client, "salah sekali").status_code for _ in range(guesses.FREE_TRIES + 1)]
    assert statuses == [422] * (guesses.FREE_TRIES - 1) + [429, 429]
    assert enter(client).status_code == 429


def test_a_sitting_ends_after_idle_time_and_when_the_password_changes(hub: Hub) -> None:
    now = [now_ms()]
    hub.intake.now_ms = lambda: now[0]  # the hub's clock is passed in
    client = browser(hub)
    now[0] += sittings.IDLE_MS - 1000
    assert client.get("/").status_code == 200
    now[0] += sittings.IDLE_MS + 1000
    assert client.get("/").status_code == 302

    assert enter(client).status_code == 302
    pk = operators.set_password(hub.engine, "operator", PASSWORD)
    sittings.Sittings(hub.engine, now_ms).end_all_of(pk)
    assert client.get("/").status_code == 302


def test_leaving_makes_a_copied_cookie_worthless(hub: Hub) -> None:
    client = browser(hub)
    cookie = client.get_cookie("lontar_hub")
    press(client, "/", "/keluar")
    client.set_cookie("lontar_hub", cookie.value)
    assert client.get("/").status_code == 302


def test_pages_show_what_a_device_sent(hub: Hub) -> None:
    device = village(hub)
    client = browser(hub)
    assert "Bengkulu" in client.get("/").text
    page = client.get(f"/wilayah/{VILLAGE}").text
    assert "Peserta 1" in page
    assert "Peserta 2" in page
    assert "85" in page
    assert device.id.hex()[:12] in page

    learner = re.search(r'href="(/peserta/[0-9a-f]{32})">Peserta 1', page)
    assert learner
    page = client.get(learner[1]).text
    assert "Kaur Keuangan" in page
    assert "Tes akhir terbaik: 85" in page

    page = client.get(f"/perangkat/{device.id.hex()}").text
    assert "Terdaftar" in page
    assert device.log.hex()[:12] in page


def test_regions_lead_from_the_nation_down_to_the_village(hub: Hub) -> None:
    village(hub)
    client = browser(hub)
    path = "/wilayah"
    for code in ("17", "17.05", "17.05.10", VILLAGE):
        assert f'href="/wilayah/{code}"' in client.get(path).text
        path = f"/wilayah/{code}"
    assert client.get(path).status_code == 200


def test_a_waiting_device_is_approved_and_what_it_sent_counts(hub: Hub) -> None:
    device = Device(1).open()
    device.ask_to_register(hub)
    device.send(hub)
    client = browser(hub)
    page = f"/perangkat/{device.id.hex()}"
    assert "Menunggu persetujuan" in client.get("/").text

    press(client, page, f"{page}/setujui")
    device.send(hub)
    assert "Terdaftar" in client.get(page).text
    assert "Peserta 1" in client.get(f"/wilayah/{VILLAGE}").text


def test_a_revoked_device_s_entries_are_shown_as_quarantined(hub: Hub) -> None:
    device = village(hub)
    client = browser(hub)
    page = f"/perangkat/{device.id.hex()}"
    press(client, page, f"{page}/cabut", reason="laptop hilang")
    device.seal(LessonProgressed(1, 0, 1, 10_000, 60))
    device.send(hub)
    assert "1 dikarantina" in client.get(page).text


def test_a_fork_is_explained(hub: Hub) -> None:
    device = village(hub)
    clone = device.fork()
    device.seal(LessonProgressed(1, 0, 1, 5_000, 60))
    clone.seal(LessonProgressed(1, 0, 2, 5_000, 60))
    device.send(hub)
    clone.send(hub)
    client = browser(hub)
    assert "Catatan bercabang" in client.get("/peringatan").text
    assert "Bercabang" in client.get(f"/perangkat/{device.id.hex()}").text


def test_a_code_registers_the_village_it_was_made_for(hub: Hub) -> None:
    client = browser(hub)
    form = {"csrf_token": token(client, "/kode"), "village": VILLAGE}
    page = client.post("/kode", data=form).text
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", page)


@pytest.mark.parametrize("wrong", ["", "17.05", "99.99.99.9999", "bukan kode!!!"])
def test_a_wrong_village_gets_one_sentence_and_no_code(hub: Hub, wrong: str) -> None:
    client = browser(hub)
    answer = client.post("/kode", data={"csrf_token": token(client, "/kode"), "village": wrong})
    assert answer.status_code == 422
    assert 'class="error"' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/wilayah/99",
        "/wilayah/17.05.10.9999",
        "/peserta/zz",
        "/peserta/00",
        "/perangkat/zz",
        "/perangkat/00",
        "/pelatihan/zz",
        "/pelatihan/00",
    ],
)
def test_what_isn_t_there_is_not_found(hub: Hub, path: str) -> None:
    assert browser(hub).get(path).status_code == 404


def test_a_name_is_text_and_never_markup(hub: Hub) -> None:
    device = Device(1)
    device.person = lambda: hostile(device)  # type: ignore[method-assign]
    device.open(1).registered(hub).send(hub)
    page = browser(hub).get(f"/wilayah/{VILLAGE}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def hostile(device: Device) -> object:
    from sync.entries import LearnerAdded
    from sync.profile import Profile

    profile = Profile.make(device.rng.randbytes, "<script>alert(1)</script>", "Kaur")
    device.profiles.append(profile)
    return LearnerAdded(profile.commitment)


def test_pages_take_as_many_statements_for_many_devices_as_for_one(hub: Hub) -> None:
    village(hub)
    client = browser(hub)
    paths = [
        "/",
        "/wilayah",
        "/wilayah/17.05",
        f"/wilayah/{VILLAGE}",
        "/pelatihan",
        "/perangkat",
        "/peringatan",
    ]
    counts = []
    for _ in range(2):
        with counted(hub) as statements:
            for path in paths:
                assert client.get(path).status_code == 200
        counts.append(len(statements))
        for seed in range(2, 6):
            village(hub, seed, people=3)
    assert counts[1] <= counts[0]
    assert counts[0] <= 20 * len(paths)
