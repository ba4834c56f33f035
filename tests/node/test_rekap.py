"""The Rekap as files: what stands in them reads back, no name becomes a formula, and that one was made is recorded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pypdfium2
import pytest
from test_class_view import POSTTEST, operator, post, sit_tests
from test_node_cli import lontar, one_sentence
from village import made_village

from node.recorder import OperatorAction
from node.rekap import Rekap, make_rekap
from node.rekap_excel import write_excel
from node.rekap_pdf import write_pdf
from node.wiring import Node
from sync.entries import LearnerLeft, OperatorActed

FORMULAS = ("=1+2", "+62812", "-5", "@SUM(A1)", '=HYPERLINK("http://x")')


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Node]:
    node = made_village(tmp_path, ("Siti Aminah", "Kaur Keuangan"), ("Budi Santoso", "Kepala Desa"))
    sit_tests(node, 0, 4000, 6550)
    node.learning.answer(0, 0, POSTTEST, 1, "1")
    yield node
    node.close()


def book(rekap: Rekap) -> Any:
    return openpyxl.load_workbook(io.BytesIO(write_excel(rekap)))


def people(found: Any) -> list[dict[str, Any]]:
    headings, *rows = found["Peserta"].iter_rows(values_only=True)
    return [dict(zip(headings, row, strict=True)) for row in rows]


def text_of(pdf: bytes) -> str:
    pages = (page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return " ".join("\n".join(pages).split())


def test_the_first_sheet_says_whose_numbers_they_are_and_what_the_columns_mean(village: Node) -> None:
    found = book(make_rekap(village))
    said = dict(found["Keterangan"].iter_rows(values_only=True))
    assert said["Desa"] == "Desa Lontar Asri"
    assert (said["Kode desa"], said["Zona waktu"]) == ("17.05.10.2007", "WIB")
    assert said["Dibuat"].endswith("WIB")
    assert "tidak terkunci" in said["Perhatian"]
    assert all(cell.value in said for cell in found["Peserta"][1])


def test_scores_are_numbers_and_moments_are_dates(village: Node) -> None:
    siti = next(row for row in people(book(make_rekap(village, 0))) if row["Nama"] == "Siti Aminah")
    assert (siti["Tes awal"], siti["Tes akhir"], siti["Kenaikan"]) == (40, 65.5, 25.5)
    assert (siti["Materi selesai"], siti["Dari"], siti["Percobaan"], siti["Batas percobaan"]) == (
        1,
        3,
        1,
        2,
    )
    assert isinstance(siti["Terakhir aktif"], datetime)
    assert siti["Selesai pada"] is None


def test_headings_stay_in_sight_and_can_be_filtered(village: Node) -> None:
    sheet = book(make_rekap(village))["Peserta"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:P3"
    assert sheet.column_dimensions["B"].width > 30


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_that_looks_like_a_formula_stays_text(village: Node, name: str) -> None:
    village.recorder.add_learner(name, name)
    sheet = book(make_rekap(village))["Peserta"]
    (row,) = [cells for cells in sheet.iter_rows(min_row=2) if cells[1].value == name]
    assert [(cell.data_type, cell.number_format, bool(cell.quotePrefix)) for cell in row[1:3]] == [
        ("s", "@", True)
    ] * 2


def test_signs_that_no_file_may_hold_are_left_out_of_names(village: Node) -> None:
    village.recorder.add_learner("Wayan\x01Sudra")
    assert "WayanSudra" in [row["Nama"] for row in people(book(make_rekap(village)))]


def test_whoever_left_stands_in_the_table_but_not_in_the_sums(village: Node) -> None:
    village.recorder.record(LearnerLeft(0, 0))
    found = book(make_rekap(village))
    assert {row["Nama"]: row["Masih di sini"] for row in people(found)} == {
        "Budi Santoso": "Ya",
        "Siti Aminah": "Tidak",
    }
    summary = list(found["Ringkasan"].iter_rows(min_row=2, values_only=True))
    assert summary == [("Kas Desa", 1, 0, 0, 0, None, 0)]


def test_hard_questions_have_their_sheet(village: Node) -> None:
    rows = list(book(make_rekap(village))["Soal sulit"].iter_rows(min_row=2, values_only=True))
    assert rows == [("Kas Desa", "Tes akhir", 1, "Kapan uang dicatat?", 1, 1, 100)]


def test_the_pdf_says_the_same_on_paper(village: Node) -> None:
    said = text_of(write_pdf(make_rekap(village, 0)))
    for text in ("Desa Lontar Asri (17.05.10.2007)", "Rekap belajar: Kas Desa", "Siti Aminah", "65,5",
                 "25,5", "Belum dimulai (1): Budi Santoso", "Kapan uang dicatat?", "Halaman 1 dari 1", "WIB"):  # fmt: skip
        assert text in said


def test_the_same_rekap_is_the_same_paper(village: Node) -> None:
    rekap = make_rekap(village, 0)
    assert write_pdf(rekap) == write_pdf(rekap)


def test_that_a_rekap_was_made_is_recorded(village: Node) -> None:
    before = made(village)
    make_rekap(village)
    assert made(village) == before + 1


def test_the_operator_downloads_it_from_the_class(village: Node) -> None:
    client = operator(village)
    assert "tidak terkunci" in client.get("/operator/kelas/0").text
    excel = post(client, "/operator/kelas/0/unduh/xlsx")
    assert "rekap-kas-desa-" in excel.headers["Content-Disposition"]
    assert people(openpyxl.load_workbook(io.BytesIO(excel.data)))
    paper = post(client, "/operator/kelas/unduh/pdf")
    assert paper.data.startswith(b"%PDF-")
    assert "no-store" in paper.headers["Cache-Control"]
    assert client.get("/operator/kelas/unduh/pdf").status_code == 405


def test_the_command_writes_what_the_page_writes(village: Node, tmp_path: Path) -> None:
    data = village.config.data
    for name, start in (("kelas.xlsx", b"PK"), ("kelas.PDF", b"%PDF-")):
        done = lontar("node", "rekap", "--data", data, "--out", tmp_path / name, "--course", "kas-desa")
        assert (done.exit_code, done.stdout) == (0, f"Rekap ditulis di {tmp_path / name}.\n")
        assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--out", "kelas.doc"), "berakhir dengan .xlsx atau .pdf"),
        (("--out", "kelas.pdf", "--course", "aset"), "Pelatihan aset tidak ada"),
        (("--out", "tidak/ada/kelas.pdf"), "tidak dapat ditulis"),
    ],
)
def test_a_rekap_that_cannot_be_made_is_refused_in_one_sentence(
    village: Node, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    out = tmp_path / words[1]
    done = lontar("node", "rekap", "--data", village.config.data, "--out", out, *words[2:])
    assert done.exit_code != 0
    assert sentence in one_sentence(done)
    assert not out.exists()


def made(node: Node) -> int:
    with node.store.read() as db:
        query = "SELECT fields FROM pending WHERE kind = ?"
        fields = [row[0] for row in db.execute(query, (OperatorActed.number,))]
    return sum(bytes([OperatorAction.CLASS_EXPORTED]) == field[1:2] for field in fields)
