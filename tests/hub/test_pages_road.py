"""The operators' pages about sticks, couriers, quarantine, announcements, and who is one person."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from collections.abc import Sequence

import pytest
from centre import PASSWORD
from device import VILLAGE, Device
from flask.testing import FlaskClient
from sqlalchemy import select
from state import said
from test_pages import browser, counted, press, token, village
from werkzeug.test import TestResponse

from hub import couriers, downlink, ledger, operators, parts, schema
from hub.db import reading, writing
from hub.queries import persons, progress
from hub.views import sticks
from hub.wiring import Hub, now_ms
from sync import bundle, exchange, unlock
from sync.bundle import FromDevice
from sync.courier import Note, Taken
from sync.decisions import (
    HUB_KINDS,
    AnnouncementPosted,
    DeviceRevoked,
    EntriesRejected,
    HubLogOpened,
    UnlockCodeGiven,
)
from sync.entries import LessonProgressed
from sync.keys import sha256
from sync.profile import learner_id
from sync.sealing import CLASSICAL, OpeningKey, SealingKey

NEXT_DOOR = "17.05.10.2008"
DAY_MS = 24 * 3600 * 1000
PAGES = ("/flashdisk", "/buku-kiriman", "/petugas", "/pengumuman", "/lainnya")
pytestmark = pytest.mark.parametrize("hub", ["sqlite"], indirect=True)
"""What groups and sums is tested on both databases, in test_pages_people."""
NOWHERE = ["99", "17.5", "bukan kode", "17.05\x00"]


def part_of(hub: Hub, device: Device, recipient: SealingKey | None = None) -> bytes:
    """Everything that a device has, as one part for a stick."""
    request = exchange.Request(device.id, device.t, now_ms() // 1000, ())
    stream = [*(profile.encode() for profile in device.profiles), *(one.data for one in device.segments)]
    sender = sha256(device.id)[:8]
    made = bundle.seal_parts(
        recipient or hub.config.keyset.intake,
        device.key,
        FromDevice(request),
        stream,
        bundle.new_bundle(sender, device.rng.randbytes),
    )
    assert len(made) == 1
    return made[0]


def upload(client: FlaskClient, *files: bytes) -> TestResponse:
    form: dict[str, object] = {"csrf_token": token(client, "/flashdisk")}
    form["parts"] = [(io.BytesIO(data), f"{at}.LNB") for at, data in enumerate(files)]
    return client.post("/flashdisk/terima", data=form, content_type="multipart/form-data")


def figures(page: str) -> dict[str, int]:
    """The numbers of a page's counts, by what they count."""
    return {label: int(value) for label, value in re.findall(r"<dt>([^<]+)</dt><dd>(\d+)", page)}


def refused(answer: TestResponse) -> None:
    assert answer.status_code == 422
    assert answer.text.count('class="error"') == 1


def person(device: Device, at: int) -> bytes:
    return learner_id(device.log, device.profiles[at].commitment)


def revoked(hub: Hub, lessons: Sequence[int] = (1, 2, 3)) -> Device:
    """A revoked laptop that went on sending, a segment for each lesson."""
    device = village(hub)
    page = f"/perangkat/{device.id.hex()}"
    press(browser(hub), page, f"{page}/cabut", reason="laptop hilang")
    for lesson in lessons:
        device.seal(LessonProgressed(1, 0, lesson, 10_000, 60))
    device.send(hub)
    return device


def seconds_of(hub: Hub, learner: bytes) -> int:
    with reading(hub.engine) as connection:
        found = persons.find(connection, learner)
        assert found
        return sum(course.seconds for course in progress.of_people(connection, [found.pk])[found.pk])


# Who may


def test_a_stranger_sees_none_of_these_pages(hub: Hub) -> None:
    client = browser(hub, logged_in=False)
    for path in (*PAGES, "/peserta/00/gabung", "/peserta/00/gabung/01"):
        assert client.get(path).location.startswith("/masuk"), path


def test_every_post_needs_a_log_in_and_its_token(hub: Hub) -> None:
    device = village(hub)
    here, other = f"/peserta/{person(device, 0).hex()}", person(device, 1).hex()
    laptop = f"/perangkat/{device.id.hex()}"
    actions = (
        "/flashdisk/terima", "/flashdisk/kirim", "/petugas", "/petugas/1/cabut", "/pengumuman",
        f"{here}/gabung/{other}", f"{here}/pisah/{other}", f"{here}/hapus-data",
        f"{laptop}/cabut", f"{laptop}/karantina", f"{laptop}/kode-pembuka",
    )  # fmt: skip
    client, stranger = browser(hub), browser(hub, logged_in=False)
    for path in actions:
        assert client.post(path).status_code == 400, path
        answer = stranger.post(path, data={"csrf_token": token(stranger, "/masuk")})
        assert answer.location.startswith("/masuk"), path
    assert said(hub, VILLAGE)[-1].number == 68, "nothing was decided"  # type: ignore[union-attr]


# Sticks


def test_parts_that_are_uploaded_count_once_and_the_page_says_what_became_of_each(hub: Hub) -> None:
    device = Device(1).open(2).registered(hub)
    part = part_of(hub, device)
    foreign = part_of(hub, device, OpeningKey(CLASSICAL, bytes(31) + b"x").public)
    unknown = part_of(hub, Device(7).open(1))
    client = browser(hub)

    page = upload(client, part, part, foreign, part[:-5], b"bukan paket", unknown).text

    assert figures(page) == {
        "Diterima": 1,
        "Sudah ada": 1,
        "Untuk pusat lain": 1,
        "Tidak utuh": 2,
        "Belum dapat disimpan": 1,
        "Ditolak": 0,
    }
    assert "Peserta 1" in client.get(f"/wilayah/{VILLAGE}").text
    assert figures(upload(client, part).text)["Sudah ada"] == 1


def test_a_form_with_many_parts_may_be_large_and_other_forms_may_not(hub: Hub) -> None:
    client = browser(hub)
    large = [b"x" * (sticks.UPLOAD_MOST // 200)] * 4
    assert figures(upload(client, *large).text)["Tidak utuh"] == 4
    form = {"csrf_token": token(client, "/pengumuman"), "title": "a", "text": "x" * 100_000}
    assert client.post("/pengumuman", data=form).status_code == 413


def test_a_stranger_s_large_form_is_refused_before_it_is_read(hub: Hub) -> None:
    stranger = browser(hub, logged_in=False)
    form = {"csrf_token": token(stranger, "/masuk"), "parts": (io.BytesIO(b"x" * 100_000), "1.LNB")}
    assert stranger.post("/flashdisk/terima", data=form).status_code == 413


def test_nothing_chosen_gets_one_sentence(hub: Hub) -> None:
    client = browser(hub)
    refused(press(client, "/flashdisk", "/flashdisk/terima"))


def test_what_goes_back_is_a_zip_with_a_stick_s_folder(hub: Hub) -> None:
    village(hub)
    client = browser(hub)
    answer = press(client, "/flashdisk", "/flashdisk/kirim", region="17.05")
    assert answer.headers["Content-Disposition"] == "attachment; filename=flashdisk-17.05.zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as made:
        names = made.namelist()
        assert [name for name in names if name.startswith("LONTAR/IN/") and name.endswith(".LNB")]
        assert [made.read(name) for name in names if name.startswith("LONTAR/PUB/KEYSET.")] == [
            hub.config.keyset_data
        ]
        assert {one.date_time[0] for one in made.infolist()} == {1980}


def test_no_zip_for_a_region_that_isn_t_there_or_has_no_device(hub: Hub) -> None:
    village(hub)
    client = browser(hub)
    for wrong in (*NOWHERE, "17.05.11"):
        refused(press(client, "/flashdisk", "/flashdisk/kirim", region=wrong))


# The ledger


def ledger_with(hub: Hub, device: Device) -> None:
    """One bundle that came, one that came another way, one under way with a courier, one overdue."""
    now = now_ms()
    parts.take(hub.intake, part_of(hub, device))
    couriers.add(hub.engine, "Pak Made", "17.05", device.rng.randbytes, now)
    with writing(hub.engine) as connection:
        devices = schema.devices.c
        pk = connection.execute(select(devices.pk).where(devices.device == device.id)).scalar_one()
        courier = max(connection.execute(select(schema.couriers.c.pk)).scalars())
        came, carried, late = (device.rng.randbytes(16) for _ in range(3))
        for id_, since in ((came, 1), (carried, 2), (late, 30)):
            ledger.note_written(connection, id_, pk, now - since * DAY_MS)
        ledger.note_covered(connection, came, pk, now)
        ledger.note_custody(connection, courier, [Note(carried, 0, now // 1000)], now)


def test_the_ledger_tells_what_is_on_the_road_what_came_and_what_is_overdue(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    ledger_with(hub, device)
    client = browser(hub)

    page = client.get("/buku-kiriman").text
    assert "4 kiriman" in page
    assert "Pak Made" in page
    assert "1 dari 1" in page
    assert page.count("lewat jalan lain") == 1
    for state, count in (("overdue", 1), ("under-way", 1), ("arrived", 2)):
        assert f"{count} kiriman" in client.get(f"/buku-kiriman?keadaan={state}").text
    assert "4 kiriman" in client.get(f"/buku-kiriman?wilayah={VILLAGE}").text
    assert "0 kiriman" in client.get(f"/buku-kiriman?wilayah={NEXT_DOOR}").text


def test_a_filter_that_is_no_code_gets_one_sentence(hub: Hub) -> None:
    refused(browser(hub).get("/buku-kiriman?wilayah=seluma"))


# Couriers


def test_a_courier_is_added_with_a_code_shown_once_listed_and_revoked(hub: Hub) -> None:
    client = browser(hub)
    page = press(client, "/petugas", "/petugas", name="  Ibu  Ketut ", region="17.05").text
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", page)
    with reading(hub.engine) as connection:
        (made,) = couriers.listed(connection)
    assert (made.name, made.region) == ("Ibu Ketut", "17.05")

    page = client.get("/petugas").text
    assert "Kode belum dipakai" in page
    assert "Belum pernah" in page
    press(client, "/petugas", f"/petugas/{made.pk}/cabut")
    assert "Dicabut" in client.get("/petugas").text


def test_a_courier_without_name_or_region_is_refused_with_one_sentence(hub: Hub) -> None:
    client = browser(hub)
    nameless = [(name, "17.05") for name in ("", "   ", "\u200b\x00", "x" * 101)]
    for name, region in (*nameless, *(("Made", code) for code in ("", *NOWHERE))):
        refused(press(client, "/petugas", "/petugas", name=name, region=region))
    with reading(hub.engine) as connection:
        assert couriers.listed(connection) == []


def test_a_courier_who_isn_t_there_can_t_be_revoked(hub: Hub) -> None:
    assert press(browser(hub), "/petugas", "/petugas/99/cabut").status_code == 404


# Devices: revoking, quarantine, unlocking


def test_revoking_needs_a_reason_and_the_village_is_told_it(hub: Hub) -> None:
    device = village(hub)
    client, page = browser(hub), f"/perangkat/{device.id.hex()}"
    assert press(client, page, f"{page}/cabut", reason=" ").status_code == 422
    assert "Terdaftar" in client.get(page).text
    press(client, page, f"{page}/cabut", reason="laptop dicuri")
    assert said(hub, VILLAGE)[-1] == DeviceRevoked(device.id, "laptop dicuri")


def in_quarantine(client: FlaskClient, device: Device) -> tuple[str, list[str]]:
    """(what the page showed, the numbers of its rows but the last)."""
    page = client.get(f"/perangkat/{device.id.hex()}").text
    shown = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    assert shown
    return shown[1], re.findall(r'name="until" value="(\d+)"', page)


@pytest.mark.parametrize(
    ("choice", "counted_seconds"),
    [({"decision": "all"}, 180), ({"until": "1"}, 120), ({"decision": "none", "reason": "palsu"}, 0)],
    ids=["all", "up to the second", "none"],
)
def test_a_quarantine_is_accepted_wholly_in_part_or_not_at_all(
    hub: Hub, choice: dict[str, str], counted_seconds: int
) -> None:
    device = revoked(hub)
    client, page = browser(hub), f"/perangkat/{device.id.hex()}"
    shown, rows = in_quarantine(client, device)
    assert len(rows) == 2
    form = {"seen": shown, "reason": "sesudah hilang", **choice}
    if "until" in choice:
        form["until"] = rows[1]

    press(client, page, f"{page}/karantina", **form)

    assert seconds_of(hub, person(device, 1)) == counted_seconds
    assert "dikarantina ·" not in client.get(page).text
    rejected = [one for one in said(hub, VILLAGE) if isinstance(one, EntriesRejected)]
    assert len(rejected) == 3 - counted_seconds // 60
    assert {one.reason for one in rejected} <= {form["reason"]}


def test_a_quarantine_stays_as_it_is_when_the_decision_is_unclear(hub: Hub) -> None:
    device = revoked(hub)
    client, page = browser(hub), f"/perangkat/{device.id.hex()}"
    shown, _ = in_quarantine(client, device)
    for unclear in (
        {"decision": "none"},
        {"decision": "perhaps", "reason": "x"},
        {"until": "999999", "reason": "x"},
        {"reason": "x"},
        {"decision": "none", "reason": "x" * 301},
        {"decision": "all", "seen": "0" * 16},
    ):
        refused(press(client, page, f"{page}/karantina", **{"seen": shown, **unclear}))
        assert in_quarantine(client, device)[0] == shown, unclear


def test_the_unlock_code_is_the_one_that_the_laptop_computes(hub: Hub) -> None:
    device = village(hub)
    client, page = browser(hub), f"/perangkat/{device.id.hex()}"
    answer = press(client, page, f"{page}/kode-pembuka", challenge="7kq2-mo")
    # tests' devices register with this sealing key
    laptop = OpeningKey(CLASSICAL, bytes(32))
    expected = unlock.code(laptop, hub.config.keyset.intake.public, device.id, "7KQ2M0")
    assert expected in answer.text
    assert said(hub, VILLAGE)[-1] == UnlockCodeGiven(device.id, "7KQ2M0")


def test_no_unlock_code_for_what_no_laptop_shows(hub: Hub) -> None:
    device = village(hub)
    client, page = browser(hub), f"/perangkat/{device.id.hex()}"
    for challenge in ("", "ABC", "ABCDEFG", "AB CD!F"):
        refused(press(client, page, f"{page}/kode-pembuka", challenge=challenge))
    assert not any(isinstance(one, UnlockCodeGiven) for one in said(hub, VILLAGE))


def test_no_unlock_code_for_a_revoked_laptop(hub: Hub) -> None:
    device = revoked(hub)
    client = browser(hub)
    page = f"/perangkat/{device.id.hex()}"
    assert press(client, "/petugas", f"{page}/kode-pembuka", challenge="7KQ2M0").status_code == 422


def test_a_village_that_only_sticks_reach_isn_t_silent(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    with writing(hub.engine) as connection:
        long_ago = now_ms() - 60 * DAY_MS
        connection.execute(schema.devices.update().values(registered_ms=long_ago, first_seen_ms=long_ago))
    client = browser(hub)
    assert device.id.hex()[:12] in client.get("/perangkat?keadaan=silent").text
    parts.take(hub.intake, part_of(hub, device))
    assert device.id.hex()[:12] not in client.get("/perangkat?keadaan=silent").text
    assert "(lewat flashdisk)" in client.get("/perangkat").text


# Announcements and alerts


def test_an_announcement_goes_into_the_log_of_its_scope_and_is_listed_there(hub: Hub) -> None:
    client = browser(hub)
    form = {"region": "17.05", "title": "Pelatihan  baru", "text": "Baris satu\r\n\r\nBaris dua"}
    press(client, "/pengumuman", "/pengumuman", **form)
    assert said(hub, "17.05") == [AnnouncementPosted("Pelatihan baru", "Baris satu\n\nBaris dua")]
    page = client.get("/pengumuman?wilayah=17.05").text
    assert "Pelatihan baru" in page
    assert "Menunggu desa pertama" in page
    assert "Pelatihan baru" not in client.get("/pengumuman").text

    village(hub)
    with writing(hub.engine) as connection:
        downlink.seal(connection, hub.config, ["17.05"], now_ms())
    assert "Menunggu desa pertama" not in client.get("/pengumuman?wilayah=17.05").text


def test_an_announcement_that_can_t_be_sent_is_refused_and_what_was_typed_stays(hub: Hub) -> None:
    client = browser(hub)
    for form in (
        {"title": "", "text": "isi"},
        {"title": "judul", "text": " \n "},
        {"title": "x" * 121, "text": "isi"},
        {"title": "judul", "text": "x" * 2001},
        {"title": "judul", "text": "ꦲ" * 2000},
        *({"title": "judul", "text": "isi", "region": code} for code in NOWHERE),
    ):
        answer = press(client, "/pengumuman", "/pengumuman", **form)
        assert answer.status_code == 422, form
        assert answer.text.count('role="alert"') == 1, form
        assert f">{form['text']}</textarea>" in answer.text or not form["text"].strip()
    with reading(hub.engine) as connection:
        assert connection.execute(select(schema.hub_pending)).all() == []


def test_every_decision_is_said_in_words(hub: Hub) -> None:
    examples: dict[str, object] = {"bytes": bytes(16), "int": 3, "str": "laptop hilang"}
    kinds = [kind for kind in HUB_KINDS.values() if kind is not HubLogOpened]
    with writing(hub.engine) as connection:
        for kind in kinds:
            fields = [examples[str(field.type)] for field in dataclasses.fields(kind)]
            downlink.decide(connection, "", kind(*fields), now_ms())
    page = browser(hub).get("/pengumuman").text
    assert page.count("Menunggu desa pertama") == len(kinds)
    assert "Keputusan lain" not in page


def test_a_page_of_decisions_is_the_newest_and_opens_no_more_segments_than_it_shows(hub: Hub) -> None:
    device = village(hub)
    titles = [f"Kabar {at:03}" for at in range(120)]
    with writing(hub.engine) as connection:
        for at, title in enumerate(titles):
            downlink.decide(connection, "17.05", AnnouncementPosted(title, "Isi"), now_ms())
            if at % 20 == 9:
                downlink.seal(connection, hub.config, ["17.05"], now_ms())
    client = browser(hub)
    device.send(hub)
    shown: list[str] = []
    for page in (1, 2, 3):
        with counted(hub) as statements:
            text = client.get(f"/pengumuman?wilayah=17.05&halaman={page}").text
        assert "Halaman" in text
        assert sum("FROM hub_segments" in statement for statement in statements) <= 1 + 3 * page
        shown += re.findall(r"Kabar \d{3}", text)
    assert shown == titles[::-1]


def test_every_kind_of_alert_is_explained_in_words(hub: Hub) -> None:
    from hub import alerts
    from hub.views.words import ALERTS

    kinds = {value for name, value in vars(alerts).items() if name.isupper() and isinstance(value, str)}
    assert kinds == set(ALERTS)
    device = village(hub)
    with writing(hub.engine) as connection:
        pk = connection.execute(select(schema.devices.c.pk)).scalar_one()
        for kind in kinds:
            alerts.raise_alert(connection, kind, pk, device.id, now_ms())
    page = browser(hub).get("/peringatan").text
    for kind in kinds:
        assert ALERTS[kind][0] in page
        assert f"<h3>{kind}</h3>" not in page


def test_what_a_name_or_reason_holds_is_text_and_never_markup(hub: Hub) -> None:
    client = browser(hub)
    operators.set_password(hub.engine, "operator", PASSWORD)
    hostile = "<script>alert(1)</script>"
    press(client, "/petugas", "/petugas", name=hostile, region="17.05")
    press(client, "/pengumuman", "/pengumuman", title=hostile, text=hostile)
    for path in ("/petugas", "/pengumuman"):
        assert hostile not in client.get(path).text
        assert "&lt;script&gt;" in client.get(path).text


def test_a_part_is_taken_by_the_page_as_by_anybody(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    part = part_of(hub, device)
    upload(browser(hub), part)
    assert parts.take(hub.intake, part) is Taken.HELD
