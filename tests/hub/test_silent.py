"""Which villages are silent, since when, and what to do next about each; on both databases."""

from __future__ import annotations

import re

import pytest
from device import COURSE, VILLAGE, Device
from office import ELSEWHERE, HERE_DISTRICT, as_of
from sqlalchemy import insert, update
from test_pages import browser, counted
from test_pages_road import NEXT_DOOR

from hub import ledger, registry, schema
from hub.advice import VISIT_MS, Known, Step, first, steps
from hub.db import reading, writing
from hub.queries import silent
from hub.roles import Role
from hub.wiring import Hub, now_ms

DAY_MS = 24 * 3600 * 1000
QUIET_MS = 14 * DAY_MS
NOW = 1_772_413_200_000
THIRD, FOURTH, FIFTH = "17.05.10.2006", "17.05.10.2005", "17.05.10.2004"


def ago(hub: Hub, device: Device, **days: float | None) -> None:
    """Let what is known of a device be that many days old."""
    values = {name: None if age is None else int(now_ms() - age * DAY_MS) for name, age in days.items()}
    with writing(hub.engine) as connection:
        connection.execute(
            update(schema.devices).where(schema.devices.c.device == device.id).values(**values)
        )


def quiet(hub: Hub, seed: int, code: str = VILLAGE, days: float = 20) -> Device:
    """A laptop that was in contact that many days ago."""
    device = Device(seed).open(1).registered(hub, code)
    device.send(hub)
    ago(hub, device, first_seen_ms=days + 1, registered_ms=days + 1, last_contact_ms=days)
    with writing(hub.engine) as connection:
        same = schema.devices.c.last_contact_ms / 1000
        connection.execute(
            update(schema.devices).where(schema.devices.c.device == device.id).values(last_wall_s=same)
        )
    return device


def on_the_road(hub: Hub, device: Device, days: float) -> bytes:
    bundle = device.rng.randbytes(16)
    with writing(hub.engine) as connection:
        pk = silent_pk(hub, device)
        ledger.note_written(connection, bundle, pk, int(now_ms() - days * DAY_MS))
    return bundle


def silent_pk(hub: Hub, device: Device) -> int:
    with reading(hub.engine) as connection:
        query = schema.devices.select().where(schema.devices.c.device == device.id)
        return int(connection.execute(query).one().pk)


def found(hub: Hub, region: str = "") -> list[silent.SilentVillage]:
    with reading(hub.engine) as connection:
        return silent.listed(connection, region, QUIET_MS, now_ms(), 100)[0]


def cards(page: str) -> list[str]:
    """The villages of the page in their order."""
    return re.findall(r'<h2><a href="/wilayah/([0-9.]+)"', page)


# The rules


@pytest.mark.parametrize(
    ("known", "step"),
    [
        (Known(0, 1, NOW, None), Step.DECIDE),
        (Known(0, 0, NOW, NOW), Step.REPLACE),
        (Known(1, 0, NOW, None), Step.BEGIN),
        (Known(1, 0, NOW - QUIET_MS, NOW - QUIET_MS), Step.CALL),
        (Known(1, 0, NOW - VISIT_MS - 1, NOW - VISIT_MS - 1), Step.VISIT),
        (Known(1, 0, NOW, NOW, road_ms=NOW), Step.WAIT),
        (Known(1, 0, NOW, NOW, road_ms=NOW, is_overdue=True), Step.SEEK),
        (Known(1, 0, NOW, None, road_ms=NOW), Step.WAIT),
    ],
)
def test_there_is_one_thing_to_do_now(known: Known, step: Step) -> None:
    assert first(known, NOW) is step
    assert steps(known, NOW) == [step]


def test_a_wrong_clock_and_missing_packs_are_seen_to_on_the_same_occasion() -> None:
    known = Known(1, 1, NOW, NOW, clocks_ms=(3_600_000,), packs=("Keuangan Desa",))
    assert steps(known, NOW) == [Step.CALL, Step.DECIDE, Step.SET_CLOCK, Step.BRING_PACKS]
    gone = Known(0, 0, NOW, NOW, clocks_ms=(3_600_000,), packs=("Keuangan Desa",))
    assert steps(gone, NOW) == [Step.REPLACE], "a revoked laptop needs neither"


# Which villages


def test_a_village_is_silent_when_none_of_its_laptops_was_heard_of(hub: Hub) -> None:
    quiet(hub, 1)
    assert [(one.village, one.registered) for one in found(hub)] == [(VILLAGE, 1)]
    Device(2).open(1).registered(hub).send(hub)
    assert found(hub) == []


def test_what_came_by_stick_counts_as_heard(hub: Hub) -> None:
    device = quiet(hub, 1, days=40)
    ago(hub, device, last_stick_ms=20)
    (one,) = found(hub)
    assert one.stick_ms and one.contact_ms and one.since_ms == one.stick_ms > one.contact_ms
    ago(hub, device, last_stick_ms=2)
    assert found(hub) == []


def test_a_revoked_laptop_that_still_sends_makes_no_village_heard_of(hub: Hub) -> None:
    quiet(hub, 1)
    stolen = Device(2).open(1).registered(hub)
    registry.revoke(hub.engine, stolen.id, now_ms())
    stolen.send(hub)
    (one,) = found(hub)
    assert one.contact_ms and one.contact_ms < now_ms() - QUIET_MS
    assert (one.registered, one.revoked) == (1, 1)


def test_who_was_let_in_again_yesterday_is_not_silent_yet(hub: Hub) -> None:
    ago(hub, quiet(hub, 1), registered_ms=1)
    assert found(hub) == []


def test_the_most_urgent_stand_first_in_the_order_of_what_is_to_be_done(hub: Hub) -> None:
    quiet(hub, 1, VILLAGE, days=20)
    quiet(hub, 2, NEXT_DOOR, days=90)
    on_the_road(hub, quiet(hub, 3, THIRD, days=30), days=2)
    on_the_road(hub, quiet(hub, 4, FOURTH, days=30), days=30)
    never = Device(5).open(1).registered(hub, FIFTH)
    ago(hub, never, first_seen_ms=20, registered_ms=20)
    Device(6).open(1).ask_to_register(hub, "17.05.10.2003")
    revoked = quiet(hub, 7, "17.05.10.2002")
    registry.revoke(hub.engine, revoked.id, now_ms())
    villages, now = found(hub), now_ms()
    assert [one.steps(now)[0] for one in villages] == [
        Step.DECIDE, Step.SEEK, Step.REPLACE, Step.BEGIN, Step.VISIT, Step.CALL, Step.WAIT,
    ]  # fmt: skip
    with reading(hub.engine) as connection:
        one, counts = silent.listed(connection, "", QUIET_MS, now, 1, 3, Step.VISIT)
        assert one == [], "there is no fourth one"
    assert counts == dict.fromkeys(list(Step)[:7], 1), "the database chooses the step that `advice` does"
    assert cards(browser(hub).get("/senyap").text) == [one.village for one in villages]


def test_each_village_says_who_carries_its_bundle(hub: Hub) -> None:
    bundle = on_the_road(hub, quiet(hub, 1), days=2)
    with writing(hub.engine) as connection:
        courier = connection.execute(
            insert(schema.couriers)
            .values(name="Pak Karto", region="17.05", state="registered", made_ms=0)
            .returning(schema.couriers.c.pk)
        ).scalar_one()
        connection.execute(
            insert(schema.custody).values(courier=courier, bundle=bundle, idx=0, seen_s=0, noted_ms=0)
        )
    assert re.search(r"Tunggu flashdisk[^<]*\(Pak Karto\)", browser(hub).get("/senyap").text)


def test_wrong_clocks_and_packs_are_said_as_far_as_they_are_known(hub: Hub) -> None:
    device = quiet(hub, 1)
    offer = {
        "manifest_hash": bytes(32),
        "course_key": COURSE[0],
        "version": 2,
        "size": 9,
        "published_ms": 0,
    }
    with writing(hub.engine) as connection:
        connection.execute(insert(schema.offers).values(scope="17.05", **offer))
    ago(hub, device, last_contact_ms=20)
    with writing(hub.engine) as connection:
        connection.execute(update(schema.devices).values(last_wall_s=now_ms() // 1000))
    (one,) = found(hub)
    assert [(pack.version, pack.held) for pack in one.lacking] == [(2, 1)]
    page = browser(hub).get("/senyap").text
    assert "menyetel jam laptop yang 20 hari terlalu cepat" in page
    assert "Bawakan paket pelatihan" in page
    assert "Versi Lontar dan ruang disk</dt><dd>belum diketahui" in page
    ago(hub, device, last_contact_ms=None)
    assert re.search(r"<dt>Jam</dt><dd>\s*belum diketahui", browser(hub).get("/senyap").text)


def test_villages_without_a_laptop_are_counted_in_districts_where_others_have_one(hub: Hub) -> None:
    quiet(hub, 1)
    client = browser(hub)
    page = client.get("/senyap?langkah=tanpa-perangkat").text
    assert NEXT_DOOR in page
    assert f"<td>{VILLAGE}" not in page
    with reading(hub.engine) as connection:
        count = silent.count_without(connection, "")
        assert len(silent.without(connection, "", 1000)) == count > 1
        assert silent.count_without(connection, "17.05.01") == 0, "nobody there has one"
    assert f"{count} desa belum punya perangkat" in client.get("/senyap?wilayah=17.05").text
    assert "Desa yang belum punya perangkat" in client.get("/senyap").text, "not counted in a whole nation"


def test_filters_stand_in_the_address(hub: Hub) -> None:
    quiet(hub, 1, VILLAGE, days=20)
    quiet(hub, 2, NEXT_DOOR, days=90)
    client = browser(hub)
    for query, villages in (
        ("", [NEXT_DOOR, VILLAGE]),
        ("?lama=30", [NEXT_DOOR]),
        ("?lama=100", []),
        ("?langkah=hubungi", [VILLAGE]),
        (f"?wilayah={NEXT_DOOR}", [NEXT_DOOR]),
        ("?wilayah=17.05.01", []),
        ("?langkah=apa-saja", [NEXT_DOOR, VILLAGE]),
        ("?halaman=2", [NEXT_DOOR, VILLAGE]),
        (f"?halaman={10**30}", [NEXT_DOOR, VILLAGE]),
    ):
        answer = client.get(f"/senyap{query}")
        assert (answer.status_code, cards(answer.text)) == (200, villages), query


@pytest.mark.parametrize(
    "query",
    ["wilayah=99", "wilayah=17.5", "wilayah=x", "lama=0", "lama=-1", "lama=x", "lama=9999", "lama=²"],
)
def test_a_filter_that_can_not_be_gets_one_sentence(hub: Hub, query: str) -> None:
    answer = browser(hub).get(f"/senyap?{query}")
    assert answer.status_code == 422
    assert answer.text.count('class="error"') == 1
    wrong = re.findall(r'id="(\w+)"[^>]*aria-invalid', answer.text)
    assert wrong == [query.partition("=")[0]]


def test_an_operator_of_elsewhere_sees_none_of_it(hub: Hub) -> None:
    quiet(hub, 1)
    client = as_of(hub, ELSEWHERE)
    assert cards(client.get("/senyap").text) == []
    assert NEXT_DOOR not in client.get("/senyap?langkah=tanpa-perangkat").text
    assert client.get(f"/senyap?wilayah={HERE_DISTRICT}").status_code == 422
    assert client.get(f"/senyap/rute/{HERE_DISTRICT}").status_code == 404
    theirs = as_of(hub, VILLAGE).get("/senyap?langkah=tanpa-perangkat").text
    assert NEXT_DOOR not in theirs, "whether the neighbour has a laptop isn't theirs to know"


# The list to take along


def test_the_list_goes_from_village_to_village(hub: Hub) -> None:
    quiet(hub, 1, VILLAGE, days=20)
    quiet(hub, 2, NEXT_DOOR, days=90)
    client = browser(hub)
    for code in (HERE_DISTRICT, "17.05"):
        page = client.get(f"/senyap/rute/{code}").text
        assert page.index(VILLAGE) < page.index(NEXT_DOOR)
        assert "Flashdisk dengan surat desa" in page
        assert "Operator desa" in page
        answer = client.get(f"/senyap/rute/{code}?bentuk=pdf")
        assert answer.mimetype == "application/pdf"
        assert answer.data.startswith(b"%PDF-")


def test_the_list_names_whom_to_ask_for(hub: Hub) -> None:
    device = Device(1)
    device.open(1)
    from sync.entries import LearnerAdded
    from sync.profile import Profile

    profile = Profile.make(device.rng.randbytes, "Siti Aminah", "Sekretaris Desa")
    device.profiles.append(profile)
    device.seal(LearnerAdded(profile.commitment))
    device.registered(hub).send(hub)
    ago(hub, device, first_seen_ms=30, registered_ms=30, last_contact_ms=20)
    page = browser(hub).get(f"/senyap/rute/{HERE_DISTRICT}").text
    assert "Siti Aminah (Sekretaris Desa)" in page
    assert "Peserta 1" not in page


@pytest.mark.parametrize("code", ["17", VILLAGE, "99.99", "17.05.99", "x"])
def test_there_is_a_list_for_districts_and_regencies_only(hub: Hub, code: str) -> None:
    assert browser(hub).get(f"/senyap/rute/{code}").status_code == 404


def test_names_leave_the_centre_only_with_the_right_to_export(hub: Hub) -> None:
    quiet(hub, 1)
    client = as_of(hub, "17.05", Role.VIEWER)
    page = client.get(f"/senyap/rute/{HERE_DISTRICT}")
    assert page.status_code == 200
    assert "bentuk=pdf" not in page.text
    assert client.get(f"/senyap/rute/{HERE_DISTRICT}?bentuk=pdf").status_code == 403


def test_many_villages_take_as_many_statements_as_one(hub: Hub) -> None:
    on_the_road(hub, quiet(hub, 1), days=2)
    client, taken = browser(hub), []
    for _ in range(2):
        for path in ("/senyap", "/senyap?langkah=tanpa-perangkat", f"/senyap/rute/{HERE_DISTRICT}"):
            with counted(hub) as statements:
                assert client.get(path).status_code == 200
            taken.append(len(statements))
        for seed, code in enumerate((NEXT_DOOR, THIRD, FOURTH, FIFTH), start=2):
            on_the_road(hub, quiet(hub, seed, code), days=2)
    assert taken[:3] == taken[3:]
    assert max(taken) <= 20
