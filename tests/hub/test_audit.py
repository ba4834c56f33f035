"""What operators do is written down first, chained and signed, and whoever changes it is found out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from office import ELSEWHERE, World, as_of, world
from sqlalchemy import delete, select, update
from test_pages import press, token, village

from hub import audit, downlink, schema
from hub.db import reading, writing
from hub.errors import BusyError, HubError
from hub.operators import Operator
from hub.queries import said
from hub.roles import NATIONAL, Role
from hub.wiring import Hub, now_ms
from sync.decisions import HubOperatorActed
from sync.entries import LessonProgressed

_SEGMENTS = schema.hub_segments


def acts(hub: Hub) -> list[HubOperatorActed]:
    with reading(hub.engine) as connection:
        kinds = [one.kind for one in said.in_scope(connection, audit.SCOPE, 1000)[::-1]]
    return [kind for kind in kinds if isinstance(kind, HubOperatorActed)]


def verified(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return audit.verify(connection, hub.config)


def three_acts(hub: Hub) -> None:
    for act in ("one", "two", "three"):
        audit.write(hub.engine, hub.config, Operator(1, "Bu Operator", NATIONAL), act, "", now_ms())
    assert verified(hub) == 3


def handled(hub: Hub, about: World) -> HubOperatorActed:
    client = as_of(hub, "17.05.10")
    press(client, "/peringatan", f"/peringatan/{about.alert}/ditangani")
    return acts(hub)[-1]


def test_an_act_says_who_as_what_and_what_about(hub: Hub) -> None:
    about = world(hub)
    expected = HubOperatorActed(
        "operator 17.05.10", "operator", "17.05.10", "alerts.handle", f"number={about.alert}"
    )
    assert handled(hub, about) == expected
    assert verified(hub) == len(acts(hub)) == 1


def test_looking_is_no_act(hub: Hub) -> None:
    client = as_of(hub)
    for path in ("/", "/akun", "/jejak", "/perangkat"):
        assert client.get(path).status_code == 200
    assert acts(hub) == []


def test_what_failed_and_what_was_refused_within_a_right_are_written_too(hub: Hub) -> None:
    about = world(hub)
    client = as_of(hub, ELSEWHERE)
    assert (
        press(client, "/akun", f"/perangkat/{about.device.id.hex()}/cabut", reason="x").status_code == 404
    )
    assert [act.act for act in acts(hub)] == ["devices.revoke"]


def test_whoever_has_no_right_writes_nothing(hub: Hub) -> None:
    client = as_of(hub, role=Role.VIEWER)
    assert press(client, "/", "/pengumuman", title="a", text="b").status_code == 403
    assert acts(hub) == []


def test_names_and_reasons_never_stand_in_it(hub: Hub) -> None:
    about = world(hub)
    client = as_of(hub)
    press(client, "/", f"/peserta/{about.learner}/hapus-data", name="Peserta 1")
    press(client, "/", f"/perangkat/{about.device.id.hex()}/cabut", reason="Pak Budi mengambilnya")
    written = " ".join(act.about for act in acts(hub))
    assert about.learner in written
    assert "Peserta" not in written and "Budi" not in written


def test_nothing_happens_that_cannot_be_written_down(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    device = village(hub)
    client = as_of(hub)
    form = {"csrf_token": token(client, "/"), "reason": "hilang"}

    def full(*_: object) -> None:
        raise BusyError("disk full")

    monkeypatch.setattr(downlink, "decide", full)
    answer = client.post(f"/perangkat/{device.id.hex()}/cabut", data=form)
    assert answer.status_code == 503
    with reading(hub.engine) as connection:
        state = select(schema.devices.c.state).where(schema.devices.c.device == device.id)
        assert connection.execute(state).scalar_one() == "registered"


def test_no_device_is_told_of_it(hub: Hub) -> None:
    device = village(hub)
    three_acts(hub)
    device.seal(LessonProgressed(0, 0, 1, 10_000, 5))
    device.send(hub)
    assert device.came, "it is told of other things"
    with reading(hub.engine) as connection:
        sealed = connection.execute(
            select(_SEGMENTS.c.data).join(schema.hub_logs).where(schema.hub_logs.c.scope == audit.SCOPE)
        )
        assert not any(bytes(data) in device.came for data in sealed.scalars())


def test_a_missing_a_changed_and_a_cut_off_part_are_each_found(hub: Hub) -> None:
    three_acts(hub)
    with reading(hub.engine) as connection:
        parts = connection.execute(
            select(_SEGMENTS.c.idx, _SEGMENTS.c.data).order_by(_SEGMENTS.c.idx)
        ).all()
    last, middle = parts[-1], parts[-2]
    for change in (
        delete(_SEGMENTS).where(_SEGMENTS.c.idx == last.idx),
        delete(_SEGMENTS).where(_SEGMENTS.c.idx == middle.idx),
        update(_SEGMENTS).where(_SEGMENTS.c.idx == last.idx).values(data=middle.data),
        update(_SEGMENTS)
        .where(_SEGMENTS.c.idx == last.idx)
        .values(data=last.data[:-1] + bytes([last.data[-1] ^ 1])),
    ):
        with hub.engine.connect() as connection:
            connection.execute(change)
            with pytest.raises(HubError, match="tidak utuh"):
                audit.verify(connection, hub.config)
            connection.rollback()
    assert verified(hub) == 3


def test_several_at_once_make_one_chain(hub: Hub) -> None:
    def act(number: int) -> None:
        for _ in range(5):
            audit.write(hub.engine, hub.config, Operator(number, "Bu", NATIONAL), "act", "", now_ms())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(4)))
    assert verified(hub) == 20
    with reading(hub.engine) as connection:
        logs = connection.execute(
            select(schema.hub_logs.c.pk).where(schema.hub_logs.c.scope == audit.SCOPE)
        )
        assert len(logs.all()) == 1


def test_only_those_who_audit_the_nation_read_it(hub: Hub) -> None:
    handled(hub, world(hub))
    assert "Menyatakan peringatan sudah ditangani" in as_of(hub, role=Role.AUDITOR).get("/jejak").text
    for scope, role in (
        ("", Role.VIEWER),
        ("", Role.PUBLISHER),
        ("17.05", Role.AUDITOR),
        ("17", Role.OPERATOR),
    ):
        client = as_of(hub, scope, role)
        assert client.get("/jejak").status_code == 403
        assert "/jejak" not in client.get("/lainnya").text


def test_a_page_of_acts_is_the_newest(hub: Hub) -> None:
    with writing(hub.engine) as connection:
        for number in range(60):
            said_ = HubOperatorActed("Bu", "operator", "", f"act {number}", "")
            downlink.decide(connection, audit.SCOPE, said_, now_ms())
        downlink.seal(connection, hub.config, (audit.SCOPE,), now_ms())
    client = as_of(hub)
    assert "act 59<" in client.get("/jejak").text and "act 9<" not in client.get("/jejak").text
    assert "act 9<" in client.get("/jejak?halaman=2").text
