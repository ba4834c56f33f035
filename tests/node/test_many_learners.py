"""A list of people from an office's spreadsheet: read in whatever form, explained row by row, added whole or not at all."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from negeri import Negeri, Office, a_negeri, office
from openpyxl import Workbook  # type: ignore[import-untyped, unused-ignore]

from node.many_learners import Row, as_text, judged
from node.people import Learner
from web.tables import ROWS_MOST, Fate, TableError, read_table, read_text

SITI, BUDI = ("Siti Aminah", "Kaur Keuangan"), ("Budi Santoso", "Kepala Desa")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    with a_negeri(tmp_path) as land:
        made = office(land.village())
        made.log_in()
        yield made


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book, made = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(made)
    return made.getvalue()


def said(data: bytes, *here: Learner) -> list[tuple[str, str, Fate]]:
    return [(row.name, row.position, row.fate) for row in judged(read_table(data), here)]


BOTH = [(*SITI, Fate.NEW), (*BUDI, Fate.NEW)]


@pytest.mark.parametrize("separator", ["\t", ";", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_text_is_read_whoever_wrote_it(separator: str, encoding: str, end: str) -> None:
    lines = [separator.join(("NAMA LENGKAP", "Jabatan")), *map(separator.join, (SITI, BUDI))]
    assert said(end.join(lines).encode(encoding)) == BOTH


def test_columns_are_found_by_their_headings_in_any_order() -> None:
    table = "Daftar perangkat desa\n\nNo;Jabatan;NIP;Nama\n1;kaur keuangan;19;Siti Aminah\n2;KEPALA DESA;20;Budi Santoso"
    assert said(table.encode()) == BOTH


def test_without_headings_numbers_are_no_names() -> None:
    assert said(b"1;Siti Aminah;Kaur Keuangan\n2;Budi Santoso;Kepala Desa") == BOTH


def test_names_alone_are_enough() -> None:
    assert said("Siti Aminah\nI Ketut Ñandú\n".encode("cp1252"))[1] == ("I Ketut Ñandú", "", Fate.NEW)


@pytest.mark.parametrize(
    "text", ["Siti, S.Pd.\nBudi, S.E., M.Si.", "Siti, S.Pd.;Kaur Keuangan\nBudi, S.E., M.Si.;Kepala Desa"]
)
def test_the_comma_before_a_title_parts_nothing(text: str) -> None:
    assert [row.name for row in judged(read_text(text), [])] == ["Siti, S.Pd.", "Budi, S.E., M.Si."]


def test_a_workbook_is_read() -> None:
    assert said(workbook(("No", "Nama", "Jabatan"), (1, *SITI), (2, *BUDI), (None, None, None))) == BOTH


def test_a_formula_gives_the_value_that_it_had() -> None:
    # openpyxl writes no values of formulas, as some programs don't: then there is nothing to be read.
    rows = judged(read_table(workbook(("Nama", "Jabatan"), ('=CONCAT("a","b")', "Kepala Desa"), SITI)), [])
    assert [row.fate for row in rows] == [Fate.WRONG, Fate.NEW]


def test_each_bad_row_says_what_is_wrong_and_where_it_stands() -> None:
    text = (
        f"Nama;Jabatan\n;Kaur Keuangan\n12345;Kasi\n{'x' * 101};Kasi\nSiti 1705105203980001;Kasi\n=A1;Kasi"
    )
    rows = judged(read_text(text), [])
    assert {row.fate for row in rows} == {Fate.WRONG}
    assert [row.number for row in rows] == [2, 3, 4, 5, 6]
    assert [row.why.split()[0] for row in rows] == ["Tidak", "Ini", "Nama", "Ini", "Sel"]
    assert "NIK" in rows[3].why


def test_who_is_here_already_is_not_added_again() -> None:
    assert said(b"siti  aminah;KAUR keuangan", Learner(0, *SITI)) == [
        ("siti aminah", "Kaur Keuangan", Fate.KNOWN)
    ]


@pytest.mark.parametrize("name", ["Hj. Siti Aminah", "Siti Aminah, S.Pd.", "SITI-AMINAH"])
def test_nearly_the_same_name_is_asked_about(name: str) -> None:
    (row,) = judged(read_text(f"Nama\tJabatan\n{name}\tKasi Pelayanan"), [Learner(0, *SITI)])
    assert (row.fate, row.of) == (Fate.SIMILAR, "Siti Aminah")


def test_the_same_row_twice_in_a_list_is_added_once() -> None:
    assert [row.fate for row in judged(read_text("Siti;Kasi\nSiti;Kasi\nSiti;Kaur"), [])] == [
        Fate.NEW,
        Fate.KNOWN,
        Fate.SIMILAR,
    ]


_names = (
    st.text(st.characters(categories=("L", "M", "Zs")), min_size=1, max_size=40)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: any(sign.isalpha() for sign in text) and text.isprintable())
)


@given(st.lists(st.tuples(_names, _names), min_size=1, max_size=20))
def test_what_the_preview_says_is_read_again(people: list[tuple[str, str]]) -> None:
    rows = [Row(at, *person) for at, person in enumerate(people, start=2)]
    again = judged(read_text(as_text(rows)), [])
    assert [(row.number, row.name) for row in again] == [(row.number, row.name) for row in rows]


@given(st.binary(max_size=400))
def test_any_file_is_read_or_refused_in_a_sentence(data: bytes) -> None:
    try:
        rows = judged(read_table(data), [])
    except TableError:
        return
    assert all(row.name or row.fate is Fate.WRONG for row in rows)


def test_what_is_no_list_is_refused() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 40_000_000)
    refused = {
        b"%PDF-1.7": "bukan daftar",
        b"\xd0\xcf\x11\xe0old": "xls",
        b"PK\x03\x04broken": "rusak",
        bomb.getvalue(): "terlalu besar",
        b"1;2;3": "Tidak ada nama",
        b"": "Tidak ada nama",
        b"Nama;Jabatan": "kosong",
        ("Siti\n" * (ROWS_MOST + 20)).encode(): "terlalu panjang",
    }
    for data, why in refused.items():
        with pytest.raises(TableError, match=why):
            judged(read_table(data), [])


def test_nothing_is_added_before_it_was_seen(desk: Office) -> None:
    page = desk.post(
        "/operator/peserta/banyak", list="Rina Wati;Kasi Pelayanan\nSiti Aminah;Kaur Keuangan"
    ).text
    assert "1 dari 2 baris siap ditambahkan" in page and "Sudah ada." in page
    assert len(desk.node.learning.learners()) == 2


def test_ticked_rows_are_added_at_once(desk: Office) -> None:
    text = "Nama\tJabatan\nRina Wati\tKasi Pelayanan\nDewi Lestari\tAnggota BPD\n"
    with desk.node.store.read() as db:
        before = db.execute("SELECT count(*) FROM pending").fetchone()[0]
    token = _token(desk)
    desk.client.post(
        "/operator/peserta/banyak/tambah", data={"list": text, "row": ["2", "3"], "csrf_token": token}
    )
    assert {one.name for one in desk.node.learning.learners()} >= {"Rina Wati", "Dewi Lestari"}
    with desk.node.store.read() as db:
        assert db.execute("SELECT count(*) FROM pending").fetchone()[0] == before + 2


def test_rows_without_a_tick_are_left_out(desk: Office) -> None:
    text = "Nama\tJabatan\nRina Wati\tKasi Pelayanan\nDewi Lestari\tAnggota BPD\n"
    desk.post("/operator/peserta/banyak/tambah", list=text, row="3")
    assert {one.name for one in desk.node.learning.learners()} == {
        "Siti Aminah",
        "Budi Santoso",
        "Dewi Lestari",
    }


def test_pressing_twice_adds_nobody_twice(desk: Office) -> None:
    text = "Nama\tJabatan\nRina Wati\tKasi Pelayanan\n"
    for _ in range(2):
        desk.post("/operator/peserta/banyak/tambah", list=text, row="2")
    assert [one.name for one in desk.node.learning.learners("rina")] == ["Rina Wati"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_example_can_be_brought_back_as_it_is(desk: Office, kind: str) -> None:
    example = desk.client.get(f"/operator/peserta/banyak/contoh.{kind}").data
    page = desk.client.post(
        "/operator/peserta/banyak",
        data={"file": (io.BytesIO(example), f"daftar.{kind}"), "csrf_token": _token(desk)},
    ).text
    assert "Siti Aminah" in page and "Budi Santoso" in page


def test_a_file_larger_than_usual_forms_is_taken_from_the_operator_only(desk: Office) -> None:
    # Short lines: Werkzeug keeps the last one of each 64 KiB that it reads, and once refused what was a little more.
    large = ("Nama;Jabatan\nRina Wati;Kasi\n" + f"{' ' * 20}\n" * 9000).encode()
    form = {"file": (io.BytesIO(large), "daftar.csv"), "csrf_token": _token(desk)}
    assert desk.client.post("/operator/peserta/banyak", data=form).status_code == 200
    stranger = desk.client.application.test_client()
    form = {"file": (io.BytesIO(large), "daftar.csv")}
    assert stranger.post("/operator/peserta/banyak", data=form).status_code in (302, 400, 413)


def _token(desk: Office) -> str:
    page = desk.client.get("/operator/peserta/banyak").text
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def test_only_the_operator_sees_the_list(tmp_path: Path) -> None:
    with a_negeri(tmp_path) as land:
        client = office(Negeri.village(land)).client
        assert client.get("/operator/peserta/banyak").location == "/operator/masuk"
