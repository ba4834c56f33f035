"""Lists of who works in each village: explained row by row, kept once, compared with who learns; on both databases."""

from __future__ import annotations

import io
import re

import pytest
from device import VILLAGE, Device
from flask.testing import FlaskClient
from office import ELSEWHERE, HERE_DISTRICT, as_of
from openpyxl import load_workbook  # type: ignore[import-untyped, unused-ignore]
from sqlalchemy import func, select
from test_likeness import people_of
from test_pages import browser, counted, press, token
from test_pages_road import NEXT_DOOR
from werkzeug.test import TestResponse

from hub import rosters, schema
from hub.db import reading
from hub.queries import rosters as kept
from hub.roles import Role
from hub.wiring import Hub
from web.tables import Fate, TableError, as_workbook, read_table, read_text

PAGE = "/daftar-nama"
LIST = f"Kode desa;Nama;Jabatan\n{VILLAGE};Siti Aminah;Sekretaris Desa\n{NEXT_DOOR};Budi Santoso;Kaur Keuangan\n"
OWN = frozenset({VILLAGE, NEXT_DOOR})


def judged(text: str, **here: list[tuple[str, str]]) -> list[tuple[str, Fate]]:
    rows = rosters.judged(rosters.read(read_text(text)), OWN, {VILLAGE: here.get("here", [])})
    return [(row.name, row.fate) for row in rows]


def brought(client: FlaskClient, text: str = LIST) -> TestResponse:
    """The list was looked at, and what is good in it kept."""
    page = press(client, PAGE, PAGE, list=text)
    assert page.status_code == 200
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.S)
    return press(client, PAGE, f"{PAGE}/simpan", list=found[1] if found else text)


def names(hub: Hub, village: str = VILLAGE) -> list[str]:
    with reading(hub.engine) as connection:
        return [name for name, _ in kept.of_villages(connection, [village]).get(village, ())]


# Reading


@pytest.mark.parametrize(
    "text",
    [
        f"No;Jabatan;Nama;Kode Desa\n1;Kasi;Siti;{VILLAGE}",
        f"Daftar perangkat desa\n\nKode;Nama Lengkap;Jabatan\n{VILLAGE.replace('.', '')};Siti;Kasi",
        f"1;{VILLAGE};Siti;Kasi",
    ],
)
def test_columns_are_found_with_and_without_headings(text: str) -> None:
    (row,) = rosters.read(read_text(text))
    assert (row.village, row.name, row.position) == (VILLAGE, "Siti", "Kasi")


def test_each_row_is_explained() -> None:
    text = (
        f"Kode desa;Nama;Jabatan\n{VILLAGE};Siti Aminah;Kasi\n;Budi;Kasi\n99.99.99.9999;Budi;Kasi\n{VILLAGE};;Kasi\n"
        f"{VILLAGE};1705105203980001;Kasi\n{VILLAGE};siti  aminah;KASI\n{VILLAGE};Hj. Siti Aminah;Kaur\n"
    )
    fates = [fate for _, fate in judged(text)]
    assert fates == [Fate.NEW, *[Fate.WRONG] * 4, Fate.KNOWN, Fate.SIMILAR]
    assert judged(f"{VILLAGE};Siti;Kasi", here=[("SITI", "kasi")]) == [("Siti", Fate.KNOWN)]


@pytest.mark.parametrize(
    "text", ["", "Nama;Jabatan\nSiti;Kasi", "Siti;Kasi", "Kode desa;Nama\n\n", VILLAGE]
)
def test_a_list_without_codes_or_names_is_refused(text: str) -> None:
    with pytest.raises(TableError):
        rosters.read(read_text(text))


def test_a_workbook_with_codes_as_numbers_is_read_and_no_name_becomes_a_formula() -> None:
    made = as_workbook("x", rosters.HEADINGS, [("1705102007", "=Siti", "Kasi")], (10, 10, 10))
    (row,) = rosters.read(read_table(made))
    assert (row.village, row.name) == (VILLAGE, "=Siti")
    assert load_workbook(io.BytesIO(made)).active["B2"].data_type == "s"


# The pages


def test_nothing_is_kept_before_it_was_seen(hub: Hub) -> None:
    client = browser(hub)
    page = press(client, PAGE, PAGE, list=LIST + "99.99.99.9999;Joko;Kasi\n").text
    assert "2 dari 3 baris siap disimpan, untuk 2 desa" in page
    assert "Tidak ada desa berkode 99.99.99.9999" in page
    assert names(hub) == []


def test_a_list_that_is_brought_twice_is_kept_once(hub: Hub) -> None:
    client = browser(hub)
    for _ in range(2):
        assert brought(client).status_code == 302
        assert (names(hub), names(hub, NEXT_DOOR)) == (["Siti Aminah"], ["Budi Santoso"])
    assert "2 nama di 2 desa" in client.get(PAGE).text


def test_a_file_is_read(hub: Hub) -> None:
    client = browser(hub)
    example = client.get(f"{PAGE}/contoh.xlsx").data
    form = {"csrf_token": token(client, PAGE), "file": (io.BytesIO(example), "daftar.xlsx")}
    page = client.post(PAGE, data=form, content_type="multipart/form-data")
    assert "2 dari 2 baris siap disimpan, untuk 1 desa" in page.text


def test_a_list_of_a_whole_regency_fits(hub: Hub) -> None:
    client = browser(hub)
    many = "".join(
        f"{VILLAGE};Nama {chr(97 + at % 26)}{chr(97 + at // 26)}an;Anggota BPD\n" for at in range(600)
    )
    assert brought(client, many * 4).status_code == 302
    assert len(names(hub)) == 600
    answer = press(client, PAGE, PAGE, list=many * 10)
    assert (answer.status_code, answer.text.count('class="error"')) == (422, 1)


@pytest.mark.parametrize("text", ["", "Nama;Jabatan\nSiti;Kasi", '"'])
def test_what_is_no_list_gets_one_sentence(hub: Hub, text: str) -> None:
    client = browser(hub)
    for path in (PAGE, f"{PAGE}/simpan"):
        answer = press(client, PAGE, path, list=text)
        assert (answer.status_code, answer.text.count('class="error"')) == (422, 1)


def test_a_changed_list_is_not_kept(hub: Hub) -> None:
    client = browser(hub)
    answer = press(client, PAGE, f"{PAGE}/simpan", list="Kode desa;Nama\n99.99.99.9999;Siti")
    assert answer.status_code == 422
    with reading(hub.engine) as connection:
        assert connection.execute(select(func.count()).select_from(schema.rosters)).scalar_one() == 0


def test_who_has_not_begun_is_shown_with_the_village(hub: Hub) -> None:
    people_of(hub, 1, VILLAGE, "Hj. Siti Aminah, S.Sos.")
    Device(2).open(1).registered(hub).send(hub)  # "Peserta 1" has begun nothing
    client = browser(hub)
    brought(client, LIST + f"{VILLAGE};Peserta 1;Kasi\n{VILLAGE};Joko Susilo;Kasi\n")
    page = client.get(f"{PAGE}/{VILLAGE}").text
    assert "1 dari 3 orang sudah mulai belajar" in page
    states = dict(re.findall(r'<th scope="row">([^<]+)</th>.*?<span class="tag[^>]*>([^<]+)<', page, re.S))
    assert states == {
        "Siti Aminah": "Sudah mulai",
        "Peserta 1": "Belum mulai",
        "Joko Susilo": "Belum terdaftar di laptop",
    }
    page = client.get(f"/wilayah/{VILLAGE}").text
    assert "1 dari 3 orang sudah mulai belajar" in page
    assert re.search(r"Belum mulai:</b> Joko Susilo", page)


def test_a_roster_is_taken_along_as_a_workbook(hub: Hub) -> None:
    client = browser(hub)
    brought(client)
    sheet = load_workbook(io.BytesIO(client.get(f"{PAGE}/{VILLAGE}.xlsx").data)).active
    assert [[cell.value for cell in row] for row in sheet][1] == [
        VILLAGE, "Siti Aminah", "Sekretaris Desa", "Belum terdaftar di laptop",
    ]  # fmt: skip
    viewer = as_of(hub, HERE_DISTRICT, Role.VIEWER)
    assert viewer.get(f"{PAGE}/{VILLAGE}").status_code == 200
    assert viewer.get(f"{PAGE}/{VILLAGE}.xlsx").status_code == 403
    assert viewer.get(PAGE).status_code == 403


def test_a_roster_is_deleted_when_that_was_meant(hub: Hub) -> None:
    client = browser(hub)
    brought(client)
    page = f"{PAGE}/{VILLAGE}"
    assert press(client, page, f"{page}/hapus").status_code == 422
    assert names(hub) == ["Siti Aminah"]
    assert press(client, page, f"{page}/hapus", sure="ya").status_code == 302
    assert (names(hub), names(hub, NEXT_DOOR)) == ([], ["Budi Santoso"])
    assert client.get(page).status_code == 404


def test_nobody_writes_or_reads_lists_of_another_region(hub: Hub) -> None:
    brought(browser(hub))
    client = as_of(hub, ELSEWHERE)
    page = press(client, PAGE, PAGE, list=LIST)
    assert page.text.count("Tidak ada desa berkode") == 2
    assert press(client, PAGE, f"{PAGE}/simpan", list=LIST).status_code == 422
    for path in (f"{PAGE}/{VILLAGE}", f"{PAGE}/{VILLAGE}.xlsx"):
        assert client.get(path).status_code == 404
    assert press(client, PAGE, f"{PAGE}/{VILLAGE}/hapus", sure="ya").status_code == 404
    assert "0 nama di 0 desa" in client.get(PAGE).text
    assert names(hub) == ["Siti Aminah"]


def test_the_list_of_visits_asks_for_whom_the_roster_names(hub: Hub) -> None:
    from test_silent import quiet

    quiet(hub, 1)
    client = browser(hub)
    brought(client)
    assert "Siti Aminah (Sekretaris Desa)" in client.get(f"/senyap/rute/{HERE_DISTRICT}").text


def test_many_names_take_as_many_statements_as_one(hub: Hub) -> None:
    people_of(hub, 1, VILLAGE, "Siti Aminah")
    client, counts = browser(hub), []
    brought(client)
    for _ in range(2):
        for path in (PAGE, f"{PAGE}/{VILLAGE}", f"/wilayah/{VILLAGE}"):
            with counted(hub) as statements:
                assert client.get(path).status_code == 200
            counts.append(len(statements))
        brought(client, "".join(f"17.05.10.{code};Joko Susilo;Kasi\n" for code in range(2001, 2009)))
    assert counts[:3] == counts[3:]
