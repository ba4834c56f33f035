"""Every table of the operators' pages as CSV and XLSX: in scope only, in pieces, without effect in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from html import unescape

import pytest
from centre import PASSWORD
from device import COURSE, VILLAGE, Device
from flask.testing import FlaskClient
from office import CERTIFICATE, ELSEWHERE, HERE_DISTRICT, as_of, world
from openpyxl import load_workbook
from sqlalchemy import insert, select
from test_pages import browser, counted, token

from hub import audit, db, identity, schema
from hub.app import create_app
from hub.db import reading, writing
from hub.exports import xlsx_file
from hub.exports.tables import ROWS
from hub.queries import courses, said
from hub.roles import NATION, Role
from hub.views import sittings
from hub.views.acts import WORDS
from hub.views.exports import TABLES
from hub.wiring import Hub, now_ms
from sync.decisions import HubOperatorActed
from sync.entries import LearnerAdded, QuizSubmitted
from sync.profile import Profile, learner_id
from web.zones import ZONES

NEIGHBOUR_VILLAGE = "17.05.10.2008"


def address(name: str, kind: str = "csv") -> str:
    course = f"?pelatihan={COURSE[0].hex()}" if name == "course_villages" else ""
    return f"/ekspor/{TABLES[name].name}.{kind}{course}"


def table(client: FlaskClient, path: str) -> list[dict[str, str]]:
    """The rows of a CSV as a program reads them, by heading."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))


def acts(hub: Hub) -> list[HubOperatorActed]:
    with reading(hub.engine) as connection:
        return [one.kind for one in said.in_scope(connection, audit.SCOPE, 100)]  # type: ignore[misc]


def many(hub: Hub, villages: int, people: int) -> None:
    """So many villages with so many people each, without their logs."""
    with writing(hub.engine) as connection:
        for village in range(villages):
            device = {
                "device": b"d%015d" % village, "public_key": b"", "sealing_key": b"", "sealing_id": b"%08d" % village,
                "village": f"17.05.{village // 100:02}.{2000 + village % 100}", "state": "registered", "first_seen_ms": 0,
            }  # fmt: skip
            query = insert(schema.devices).values(**device).returning(schema.devices.c.pk)
            pk = connection.execute(query).scalar_one()
            first = village * people + 1000
            rows = [
                {
                    "pk": first + at, "learner": b"l%015d" % (first + at), "device": pk, "profile_seq": 0,
                    "profile_segment": b"", "person": first + at,
                }
                for at in range(people)
            ]  # fmt: skip
            connection.execute(insert(schema.learners), rows)


def called(name: str, seed: int) -> Device:
    """A device at which one person of this name learns."""
    device = Device(seed)

    def person() -> LearnerAdded:
        profile = Profile.make(device.rng.randbytes, name, "Kaur")
        device.profiles.append(profile)
        return LearnerAdded(profile.commitment)

    device.person = person  # type: ignore[method-assign]
    return device


# What stands in them


def test_learners_come_with_their_courses_and_places(hub: Hub) -> None:
    world(hub)
    rows = table(browser(hub), "/ekspor/peserta.csv?wilayah=17.05")
    assert [row["Nama"] for row in rows] == ["Peserta 1", "Peserta 2"]
    first, second = rows
    assert first["Kode desa"] == VILLAGE
    assert (first["Kabupaten/Kota"], first["Provinsi"]) == ("Kabupaten Seluma", "Bengkulu")
    assert first["Jabatan"] == "Kaur Keuangan"
    assert (first["Materi selesai"], first["Tes akhir terbaik"], first["Keadaan"]) == ("2", "85", "Selesai")
    at = datetime.fromisoformat(first["Selesai kira-kira (WIB)"])
    assert abs((at - datetime.now(ZONES["WIB"]).replace(tzinfo=None)).total_seconds()) < 120
    assert (second["Pelatihan"], second["Keadaan"]) == ("", "Belum dimulai")


def test_every_table_has_what_its_page_shows(hub: Hub) -> None:
    about = world(hub)
    client = browser(hub)
    device = about.device.id.hex()
    for name, mark in {
        "learners": "Peserta 2", "certificates": CERTIFICATE, "regions": "Bengkulu", "courses": COURSE[0].hex(),
        "course_villages": VILLAGE, "devices": device, "alerts": "Catatan bercabang", "couriers": "Bu Petugas",
    }.items():  # fmt: skip
        assert mark in client.get(address(name)).text, name


def test_the_filters_of_a_page_are_those_of_its_files(hub: Hub) -> None:
    about = world(hub)
    client = browser(hub)
    waiting = table(client, "/ekspor/perangkat.csv?keadaan=waiting")
    assert [row["Perangkat"] for row in waiting] == [about.waiting.id.hex()]
    assert table(client, "/ekspor/peringatan.csv?keadaan=selesai") == []
    assert table(client, "/ekspor/sertifikat.csv?q=9999") == []
    assert table(client, f"/ekspor/peserta.csv?wilayah={ELSEWHERE}") == []
    assert [row["Kode wilayah"] for row in table(client, "/ekspor/wilayah.csv?wilayah=17")] == ["17.05"]
    whole = table(client, "/ekspor/wilayah.csv?wilayah=17.05&semua=1")
    assert len(whole) > 5 and sum(int(row["Peserta"]) for row in whole) == 2


def test_the_villages_of_a_course_come_in_pages_by_their_codes(hub: Hub) -> None:
    for seed in range(1, 5):
        device = Device(seed).open(seed).registered(hub, f"17.05.10.200{5 - seed}")
        device.seal(*(QuizSubmitted(person, 0, 2, 8_000, 1) for person in range(seed)))
        device.send(hub)
    found = table(browser(hub), f"/ekspor/pelatihan-desa.csv?pelatihan={COURSE[0].hex()}")
    assert [(row["Kode desa"][-1], row["Peserta"]) for row in found] == [
        ("1", "4"), ("2", "3"), ("3", "2"), ("4", "1"),
    ]  # fmt: skip
    with reading(hub.engine) as connection:
        rows = courses.after(connection, COURSE[0], "17.05.10.2002", 1)
        assert [(row.village, row.started) for row in rows] == [("17.05.10.2003", 2)]


def test_an_excel_file_holds_numbers_dates_and_codes_that_stay_text(hub: Hub) -> None:
    world(hub)
    answer = browser(hub).get("/ekspor/peserta.xlsx")
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    sheet = load_workbook(io.BytesIO(answer.data)).worksheets[0]
    heading, first, *_rest = list(sheet.iter_rows(values_only=True))
    row = dict(zip(heading, first, strict=True))
    assert row["Kode desa"] == VILLAGE
    assert row["Tes akhir terbaik"] == 85
    assert isinstance(row["Selesai kira-kira (WIB)"], datetime)


def test_somebody_of_two_villages_is_listed_once(hub: Hub) -> None:
    one = Device(1).open(1).registered(hub)
    one.send(hub)
    other = Device(2).open(1).registered(hub, NEIGHBOUR_VILLAGE)
    other.send(hub)
    both = [learner_id(device.log, device.profiles[0].commitment) for device in (one, other)]
    assert len(table(browser(hub), "/ekspor/peserta.csv")) == 2
    identity.merge(hub.engine, *both, now_ms())
    client = browser(hub)
    assert [row["Kode desa"] for row in table(client, "/ekspor/peserta.csv")] == [VILLAGE]
    # Whoever looks at one village finds them in it, as on its page.
    for village in (VILLAGE, NEIGHBOUR_VILLAGE):
        rows = table(client, f"/ekspor/peserta.csv?wilayah={village}")
        assert [row["Kode desa"] for row in rows] == [village]


# Who takes them


def test_nobody_takes_away_what_lies_in_another_region(hub: Hub) -> None:
    about = world(hub)
    client = as_of(hub, ELSEWHERE)
    for name in TABLES:
        for kind in ("csv", "xlsx"):
            answer = client.get(address(name, kind))
            assert answer.status_code == 200
            if kind == "csv":
                assert not any(mark in answer.text for mark in about.marks), name
                assert len(answer.text.splitlines()) == 1 or name == "courses", answer.text
    for region in ("17.05", HERE_DISTRICT):
        assert client.get(f"/ekspor/peserta.csv?wilayah={region}").status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.PUBLISHER])
def test_names_leave_only_with_the_right_to_export(hub: Hub, role: Role) -> None:
    world(hub)
    client = as_of(hub, NATION, role)
    for name, one in TABLES.items():
        assert client.get(address(name)).status_code == (403 if one.names_people else 200), name
    assert "/ekspor/peserta" not in client.get(f"/wilayah/{VILLAGE}").text
    assert "/ekspor/perangkat" in client.get("/perangkat").text


def test_every_page_with_a_table_offers_its_files(hub: Hub) -> None:
    world(hub)
    client = browser(hub)
    pages = (
        "/wilayah/17", f"/wilayah/{VILLAGE}", "/pelatihan", f"/pelatihan/{COURSE[0].hex()}", "/perangkat?keadaan=waiting",
        "/peringatan", "/petugas", "/sertifikat?q=2007",
    )  # fmt: skip
    offered = set()
    for page in pages:
        for link in re.findall(r'href="(/ekspor/[^"]+)"', client.get(page).text):
            offered.add(link.partition("?")[0])
            assert client.get(link.replace("&amp;", "&")).status_code == 200, link
    assert offered | {"/ekspor/buku-kiriman.csv", "/ekspor/buku-kiriman.xlsx"} == {
        f"/ekspor/{one.name}.{kind}" for one in TABLES.values() for kind in ("csv", "xlsx")
    }


def test_taking_names_is_written_down_before_it_happens_and_without_names(hub: Hub) -> None:
    world(hub)
    client = as_of(hub, "17.05")
    client.get("/ekspor/peserta.csv?wilayah=17.05.10")
    client.get("/ekspor/sertifikat.xlsx?q=Peserta 1")
    client.get("/ekspor/wilayah.csv")
    found = [(one.operator, one.act, one.about) for one in reversed(acts(hub))]
    assert found == [
        ("operator 17.05", "exports.learners", "kind=csv, wilayah=17.05.10"),
        ("operator 17.05", "exports.certificates", "kind=xlsx"),
    ]
    assert "Mengunduh tabel peserta" in browser(hub).get("/jejak").text


def test_names_leave_only_after_a_recent_proof_of_who_takes_them(hub: Hub) -> None:
    world(hub)
    now = [now_ms()]
    hub.intake.now_ms = lambda: now[0]  # the hub's clock is passed in
    client = browser(hub)
    now[0] += sittings.PROOF_MS + 1000
    path = f"/ekspor/peserta.csv?wilayah={HERE_DISTRICT}"
    answer = client.get(path)
    assert answer.status_code == 403
    assert "Peserta 1" not in answer.text
    assert client.get("/ekspor/wilayah.csv").status_code == 200
    assert acts(hub) == []
    again = unescape(re.findall(r'<form[^>]*action="([^"]+)"', answer.text)[-1])
    proof = {"proof": PASSWORD, "csrf_token": token(client, path)}
    answer = client.post(again, data=proof)
    assert (answer.status_code, answer.location) == (302, path)
    assert len(table(client, path)) == 2


def test_every_table_with_names_has_a_word_in_the_log_of_acts(hub: Hub) -> None:
    named = {f"exports.{name}" for name, one in TABLES.items() if one.names_people}
    assert named == {word for word in WORDS if word.startswith("exports.")}
    assert named == {
        f"exports.{name}" for name in ("learners", "certificates", "alerts", "bundles", "couriers")
    }


def test_a_wrong_filter_gets_one_sentence(hub: Hub) -> None:
    client = browser(hub)
    for path, status in (
        ("/ekspor/peserta.csv?wilayah=bengkulu", 422), ("/ekspor/peserta.pdf", 404), ("/ekspor/akun.csv", 404),
        ("/ekspor/pelatihan-desa.csv", 404), ("/ekspor/pelatihan-desa.csv?pelatihan=zz", 404),
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == status, path
        assert answer.mimetype == "text/html"


# Spreadsheets


@pytest.mark.parametrize(
    "name", ["=1+1", "+62 812", "-1", "@SUM(A1)", " =1+1", "＝1+1", 'x";=1+1;"', "a,=cmd|' /C calc'!A0"]
)
def test_a_name_is_never_a_formula(hub: Hub, name: str) -> None:
    called(name, 1).open(1).registered(hub).send(hub)
    client = browser(hub)
    (row,) = table(client, "/ekspor/peserta.csv")
    starts = name.strip()[0] in "=+-@＝"
    assert (
        row["Nama"] == (f"'{name}" if starts else name).strip()
        or row["Nama"].lstrip("'").strip() == name.strip()
    )
    assert not row["Nama"].strip().startswith(tuple("=+-@＝"))
    sheet = load_workbook(io.BytesIO(client.get("/ekspor/peserta.xlsx").data)).worksheets[0]
    cell = sheet["B2"]
    assert (cell.data_type, str(cell.value).strip()) == ("s", name.strip())
    assert bool(cell.quotePrefix) is starts


def test_marks_and_dates_are_written_as_an_indonesian_excel_reads_them(hub: Hub) -> None:
    device = Device(1).open(1).registered(hub)
    device.seal(QuizSubmitted(0, 0, 2, 8_525, 1))
    device.send(hub)
    text = browser(hub).get("/ekspor/peserta.csv").data.decode("utf-8-sig")
    assert ';"85,25";' in text
    assert text.splitlines()[0].startswith('"Nomor peserta";"Nama";')


# Streams


def test_ten_thousand_people_stream_in_pieces_with_a_bounded_number_of_statements(hub: Hub) -> None:
    many(hub, villages=200, people=50)
    client = browser(hub)
    engines = (hub.engine, db.narrowed(hub.engine))
    with counted(hub) as statements:
        answer = client.get("/ekspor/peserta.csv?wilayah=17.05", buffered=False)
        sizes, lines = [], 0
        for chunk in answer.iter_encoded():
            # Between two pieces nothing is held in the database, however slowly they are taken.
            assert all(engine.pool.checkedout() == 0 for engine in engines)  # type: ignore[attr-defined]
            sizes.append(len(chunk))
            lines += chunk.count(b"\r\n")
        answer.close()
    assert lines == 10_001
    assert len(sizes) >= 10_000 // ROWS
    assert max(sizes) < ROWS * 300
    assert len(statements) <= 15 * len(sizes) + 20


def test_pages_end_where_blocks_of_villages_and_people_end(hub: Hub) -> None:
    many(hub, villages=101, people=ROWS // 50)
    client = as_of(hub, "17.05")
    numbers = [row["Nomor peserta"] for row in table(client, "/ekspor/peserta.csv")]
    assert len(numbers) == len(set(numbers)) == 101 * (ROWS // 50)
    assert len(table(client, "/ekspor/perangkat.csv")) == 101


def test_who_hangs_up_leaves_nothing_behind_and_two_take_at_once(hub: Hub) -> None:
    many(hub, villages=60, people=20)
    clients = [as_of(hub, "17.05"), as_of(hub, "17")]
    answers = [client.get("/ekspor/peserta.csv", buffered=False) for client in clients]
    streams = [answer.iter_encoded() for answer in answers]
    begun = [next(stream) for stream in streams for _ in range(2)]
    assert all(begun)
    answers[0].close()
    assert sum(chunk.count(b"\r\n") for chunk in streams[1]) > 500
    answers[1].close()
    for engine in (hub.engine, db.narrowed(hub.engine)):
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    # And writers are in nobody's way.
    Device(3).open(1).registered(hub).send(hub)


def test_too_much_for_excel_is_said_before_anything_is_sent(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    world(hub)
    monkeypatch.setattr(xlsx_file, "ROWS_MOST", 1)
    client = browser(hub)
    answer = client.get("/ekspor/peserta.xlsx")
    assert answer.status_code == 422
    assert "CSV" in answer.text
    assert len(table(client, "/ekspor/peserta.csv")) == 2


def test_a_file_is_kept_by_no_browser(hub: Hub) -> None:
    client = create_app(hub).test_client()
    assert client.get("/ekspor/peserta.csv").status_code == 302
    answer = browser(hub).get("/ekspor/peserta.csv")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="peserta-')


def test_a_bundle_on_the_road_is_in_the_ledger_s_file(hub: Hub) -> None:
    about = world(hub)
    with writing(hub.engine) as connection:
        device = select(schema.devices.c.pk).where(schema.devices.c.device == about.device.id)
        pk = connection.execute(device).scalar_one()
        row = {"bundle": b"b" * 16, "device": pk, "parts": 3, "received": 1, "noted_ms": now_ms()}
        connection.execute(insert(schema.bundles).values(**row))
    client = browser(hub)
    (found,) = table(client, "/ekspor/buku-kiriman.csv?keadaan=under-way&wilayah=17")
    assert (found["Bagian yang tiba"], found["Jumlah bagian"], found["Keadaan"]) == (
        "1",
        "3",
        "Di perjalanan",
    )
    assert "/ekspor/buku-kiriman.xlsx" in client.get("/buku-kiriman").text
