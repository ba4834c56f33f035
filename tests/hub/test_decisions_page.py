"""What needs a decision, on one page: each thing once, with its link and where it is undone; on both databases."""

from __future__ import annotations

import re

import pytest
from device import VILLAGE, Device
from flask.testing import FlaskClient
from office import ELSEWHERE, HERE_DISTRICT, as_of
from test_likeness import people_of
from test_pages import browser, counted, press, village
from test_pages_road import NEXT_DOOR, person, refused, revoked, seconds_of
from test_silent import on_the_road, quiet
from werkzeug.test import TestResponse

from hub.db import reading
from hub.queries import decisions
from hub.roles import Role
from hub.views.decisions import SHOWN
from hub.wiring import Hub
from sync.entries import LessonProgressed

PAGE = "/keputusan"


def totals(page: str) -> dict[str, int]:
    """How many of each thing there are, by the name of its part."""
    return {name: int(total) for name, total in re.findall(r'<a href="#(\w+)">[^<(]*\((\d+)\)</a>', page)}


def part(page: str, name: str) -> str:
    """What stands below one heading."""
    found = re.search(rf'<h2 id="{name}">.*?(?=<h2 id=|</main>)', page, re.S)
    assert found, name
    return found[0]


def forked(hub: Hub, seed: int = 1) -> Device:
    device = village(hub, seed)
    clone = device.fork()
    device.seal(LessonProgressed(1, 0, 1, 5_000, 60))
    clone.seal(LessonProgressed(1, 0, 2, 5_000, 60))
    clone.seal(LessonProgressed(1, 0, 3, 5_000, 60))
    device.send(hub)
    clone.send(hub)
    device.segments.append(clone.segments[-1])
    return device


def test_where_nothing_waits_the_page_says_so(hub: Hub) -> None:
    assert totals(browser(hub).get(PAGE).text) == dict.fromkeys(
        ("perangkat", "bercabang", "karantina", "ditolak", "flashdisk"), 0
    )


def test_a_waiting_device_is_decided_with_what_it_sent(hub: Hub) -> None:
    device = Device(1).open(1)
    device.ask_to_register(hub)
    device.send(hub)
    page = browser(hub).get(PAGE).text
    assert f'href="/perangkat/{device.id.hex()}"' in part(page, "perangkat")
    assert (totals(page)["perangkat"], totals(page)["karantina"]) == (1, 0)


def test_a_fork_shows_the_signed_end_of_each_copy(hub: Hub) -> None:
    device = forked(hub)
    client = browser(hub)
    shown = part(client.get(PAGE).text, "bercabang")
    longer, shorter = device.segments[-1], device.segments[-2]
    assert shown.index(longer.id.hex()[:12]) < shown.index(shorter.id.hex()[:12])
    with reading(hub.engine) as connection:
        (fork,) = decisions.forks(connection, 10)
    assert {tip.id for tip in fork.tips} == {longer.id, shorter.id}
    press(client, PAGE, f"/peringatan/{fork.alert.pk}/ditangani")
    assert totals(client.get(PAGE).text)["bercabang"] == 0
    assert "Catatan bercabang" in client.get("/peringatan?keadaan=selesai").text


def test_what_is_kept_apart_moves_on_once_it_is_rejected(hub: Hub) -> None:
    device = revoked(hub)
    client, here = browser(hub), f"/perangkat/{device.id.hex()}"
    page = client.get(PAGE).text
    assert (totals(page)["karantina"], totals(page)["ditolak"]) == (1, 0)
    assert re.search(r'"Catatan">3</td>', part(page, "karantina"))
    assert f'href="{here}"' in part(page, "karantina")
    seen = re.search(r'name="seen" value="(\w+)"', client.get(here).text)
    assert seen
    press(client, here, f"{here}/karantina", seen=seen[1], decision="none", reason="laptop hilang")
    page = client.get(PAGE).text
    assert (totals(page)["karantina"], totals(page)["ditolak"]) == (0, 1)
    assert f'href="{here}"' in part(page, "ditolak")


def turned(client: FlaskClient, device: Device, **form: str) -> TestResponse:
    """Press a button of what was decided on the device's page; `seen` is what the page shows unless it is named."""
    here = f"/perangkat/{device.id.hex()}"
    section = re.search(r'id="diputuskan".*?</form>', client.get(here).text, re.S)
    assert section
    seen = re.search(r'name="seen" value="(\w+)"', section[0])
    assert seen
    return press(client, here, f"{here}/karantina/ubah", **{"seen": seen[1], **form})


def numbers(client: FlaskClient, device: Device) -> list[str]:
    return re.findall(r'name="turn" value="(\d+)"', client.get(f"/perangkat/{device.id.hex()}").text)


def rejected_at_first(hub: Hub) -> tuple[FlaskClient, Device]:
    device = revoked(hub)
    client, here = browser(hub), f"/perangkat/{device.id.hex()}"
    shown = re.search(r'name="seen" value="(\w+)"', client.get(here).text)
    assert shown
    press(client, here, f"{here}/karantina", seen=shown[1], decision="none", reason="laptop hilang")
    return client, device


def test_a_decision_is_turned_round_and_back_and_the_page_says_who_and_when(hub: Hub) -> None:
    client, device = rejected_at_first(hub)
    assert seconds_of(hub, person(device, 1)) == 0
    assert turned(client, device, turn="accept").status_code == 302
    assert seconds_of(hub, person(device, 1)) == 180
    page = client.get(PAGE).text
    assert totals(page)["ditolak"] == 0
    shown = part(page, "ditolak")
    assert shown.index("Diterima</td>") < shown.index("Ditolak</td>")
    assert shown.count('data-label="Oleh">operator</td>') == 2
    assert (
        turned(client, device, turn=numbers(client, device)[1], reason="ternyata palsu").status_code == 302
    )
    assert seconds_of(hub, person(device, 1)) == 120
    assert "ternyata palsu" in client.get(f"/perangkat/{device.id.hex()}").text
    assert totals(client.get(PAGE).text)["ditolak"] == 1


def test_an_unclear_or_late_turn_changes_nothing(hub: Hub) -> None:
    client, device = rejected_at_first(hub)
    turned(client, device, turn="accept")
    some = numbers(client, device)[0]
    for form in (
        {"turn": "reject"},
        {"turn": "reject", "reason": "x" * 301},
        {"turn": "accept"},
        {"turn": "999999"},
        {},
        {"turn": some, "reason": "x", "seen": "0" * 16},
    ):
        refused(turned(client, device, **form))
    assert seconds_of(hub, person(device, 1)) == 180


def test_who_may_not_decide_sees_decisions_without_buttons(hub: Hub) -> None:
    _client, device = rejected_at_first(hub)
    viewer = as_of(hub, HERE_DISTRICT, Role.VIEWER)
    page = viewer.get(f"/perangkat/{device.id.hex()}").text
    assert "laptop hilang" in page and 'name="turn"' not in page
    assert device.id.hex()[:12] not in part(as_of(hub, ELSEWHERE).get(PAGE).text, "ditolak")


def test_a_late_stick_leads_to_the_ledger_and_its_village(hub: Hub) -> None:
    on_the_road(hub, quiet(hub, 1), days=30)
    on_the_road(hub, quiet(hub, 2, NEXT_DOOR), days=2)
    page = browser(hub).get(PAGE).text
    assert totals(page)["flashdisk"] == 1
    assert f"/wilayah/{VILLAGE}" in part(page, "flashdisk")
    assert NEXT_DOOR not in part(page, "flashdisk")


def test_duplicates_are_counted_where_names_can_be_compared(hub: Hub) -> None:
    people_of(hub, 1, VILLAGE, "Siti Aminah", "Siti Amniah")
    assert totals(as_of(hub, HERE_DISTRICT).get(PAGE).text)["ganda"] == 1
    assert "ganda" not in totals(browser(hub).get(PAGE).text)


def test_nobody_sees_what_waits_elsewhere_and_viewers_see_no_buttons(hub: Hub) -> None:
    device = forked(hub)
    assert device.id.hex()[:12] not in as_of(hub, ELSEWHERE).get(PAGE).text
    page = as_of(hub, HERE_DISTRICT, Role.VIEWER).get(PAGE).text
    assert device.id.hex()[:12] in page
    assert "/ditangani" not in page


@pytest.mark.parametrize("scope", ["", HERE_DISTRICT])
def test_much_that_waits_takes_as_many_statements_as_little(hub: Hub, scope: str) -> None:
    forked(hub)
    revoked(hub)
    on_the_road(hub, quiet(hub, 20), days=30)
    Device(30).open(1).ask_to_register(hub)
    client, counts = as_of(hub, scope), []
    for _ in range(2):
        with counted(hub) as statements:
            page = client.get(PAGE)
        assert page.status_code == 200
        counts.append(len(statements))
        for seed in range(2, 3 + SHOWN):
            forked(hub, seed)
            on_the_road(hub, quiet(hub, 20 + seed), days=30)
            Device(30 + seed).open(1).ask_to_register(hub)
    assert counts[0] == counts[1] <= 30
    assert len(re.findall("<h3>", client.get(PAGE).text)) == SHOWN, "the rest is behind its link"
