"""How alerts end: by an operator who has dealt with them, or by themselves when their cause is gone."""

from __future__ import annotations

import re

import pytest
from device import Device
from sqlalchemy import select
from test_pages import browser, press, token

from hub import alerts, rebuilding, schema
from hub.alerts import AHEAD, BEHIND, FORK, UNREADABLE
from hub.db import reading, writing
from hub.errors import NotFoundError
from hub.queries import alerts as asked
from hub.queries.alerts import AlertRow
from hub.wiring import Hub
from sync.entries import QuizSubmitted

NOW = 1_772_413_200_000


def open_alerts(hub: Hub) -> list[AlertRow]:
    with reading(hub.engine) as connection:
        found = asked.listed(connection, 100)
        assert asked.count(connection) == len(found)
        return found


def over(hub: Hub) -> list[AlertRow]:
    with reading(hub.engine) as connection:
        found = asked.listed(connection, 100, is_open=False)
        assert asked.count(connection, is_open=False) == len(found)
        return found


def handle(hub: Hub, pk: int, operator: str = "operator", now_ms: int = NOW) -> None:
    with writing(hub.engine) as connection:
        alerts.handle(connection, pk, operator, now_ms)


def forked(hub: Hub) -> Device:
    device = Device(1).registered(hub).open()
    clone = device.fork()
    device.seal(QuizSubmitted(0, 0, 1, 5000))
    clone.seal(QuizSubmitted(0, 0, 1, 9000))
    device.send(hub)
    clone.send(hub)
    return device


def test_what_was_handled_is_open_no_more_and_keeps_who_did_it_first(hub: Hub) -> None:
    forked(hub)
    (alert,) = open_alerts(hub)
    assert (alert.kind, alert.handled_by) == (FORK, None)
    handle(hub, alert.pk, "ratna", NOW)
    handle(hub, alert.pk, "budi", NOW + 1)
    assert open_alerts(hub) == []
    assert [(row.kind, row.handled_by, row.handled_ms) for row in over(hub)] == [(FORK, "ratna", NOW)]


def test_the_same_thing_is_not_raised_again_after_it_was_handled(hub: Hub) -> None:
    device = Device(1).registered(hub).open()
    old = device.tip
    device.seal(QuizSubmitted(0, 0, 1, 5000))
    device.send(hub)
    device.send(hub, heads=[old])
    (alert,) = open_alerts(hub)
    assert alert.kind == BEHIND
    handle(hub, alert.pk)
    device.send(hub, heads=[old])
    rebuilding.everything(hub.engine)
    assert open_alerts(hub) == []


def test_an_alert_that_isn_t_there_can_t_be_handled(hub: Hub) -> None:
    with pytest.raises(NotFoundError):
        handle(hub, 5)


def test_what_the_hub_had_lost_ends_by_itself_when_the_device_has_sent_it_again(hub: Hub) -> None:
    device = Device(1).registered(hub).open()
    device.send(hub)
    device.seal(QuizSubmitted(0, 0, 1, 5000))
    device.send(hub, heads=[device.tip])
    assert [row.kind for row in open_alerts(hub)] == [AHEAD]
    device.send(hub)
    assert open_alerts(hub) == []
    assert [(row.kind, row.handled_by) for row in over(hub)] == [(AHEAD, None)]


def test_one_device_s_segment_ends_no_other_device_s_alert(hub: Hub) -> None:
    device, other = Device(1).registered(hub).open(), Device(2).registered(hub).open()
    device.send(hub)
    device.seal(QuizSubmitted(0, 0, 1, 5000))
    device.send(hub)
    other.send(hub)
    with writing(hub.engine) as connection:
        query = select(schema.devices.c.pk).where(schema.devices.c.device == other.id)
        pk = connection.execute(query).scalar_one()
        alerts.raise_alert(connection, AHEAD, pk, device.tip.id[:8], NOW)
    assert [(row.kind, row.device) for row in open_alerts(hub)] == [(AHEAD, other.id)]


def test_what_could_not_be_read_stays_open_until_it_can(hub: Hub) -> None:
    device = Device(1).registered(hub).open()
    device.seal(QuizSubmitted(7, 0, 1, 10_000))  # learner 7 was never introduced
    device.send(hub)
    rebuilding.everything(hub.engine)
    assert [row.kind for row in open_alerts(hub)] == [UNREADABLE]
    with writing(hub.engine) as connection:
        query = select(schema.alerts.c.device)
        pk = connection.execute(query).scalar_one()
        # As an older Lontar left it that couldn't read what this one has read.
        alerts.raise_alert(connection, UNREADABLE, pk, device.segments[0].id, NOW)
    assert len(open_alerts(hub)) == 1
    assert [row.kind for row in over(hub)] == [UNREADABLE]


def test_an_operator_presses_a_button_and_finds_who_did_under_the_finished_ones(hub: Hub) -> None:
    forked(hub)
    client = browser(hub)
    found = re.search(r'action="(/peringatan/\d+/ditangani)"', client.get("/peringatan").text)
    assert found
    assert client.get("/").text.count(found[1]) == 1
    page = press(client, "/peringatan", found[1])
    assert page.location == "/peringatan"
    assert "Tidak ada peringatan." in client.get("/peringatan").text
    assert found[1] not in client.get("/").text
    finished = client.get("/peringatan?keadaan=selesai").text
    assert "Catatan bercabang" in finished
    assert re.search(r"Ditangani</span> operator, \d", finished)
    assert found[1] not in finished


def test_what_was_handled_by_mistake_is_opened_again(hub: Hub) -> None:
    forked(hub)
    client = browser(hub)
    (before,) = open_alerts(hub)
    here = f"/peringatan/{before.pk}"
    press(client, "/peringatan", f"{here}/ditangani")
    assert open_alerts(hub) == []
    press(client, "/peringatan?keadaan=selesai", f"{here}/buka-lagi")
    assert open_alerts(hub) == [before]


def test_a_number_that_is_no_alert_is_not_found(hub: Hub) -> None:
    client = browser(hub)
    form = {"csrf_token": token(client, "/kode")}
    for number in (7, 2**63, 10**30):
        for act in ("ditangani", "buka-lagi"):
            assert client.post(f"/peringatan/{number}/{act}", data=form).status_code == 404
        if number != 7:
            assert client.post(f"/petugas/{number}/cabut", data=form).status_code == 404
