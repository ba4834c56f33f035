"""Printed pages: what stands on them, that they repeat to the byte, and that a camera can read their codes."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pypdfium2
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from web import paper
from web.paper import Column, Imprint, Paper

MADE = datetime(2026, 11, 26, 14, 5, tzinfo=timezone(timedelta(hours=8)))
IMPRINT = Imprint("Daftar Peserta", "Desa Wae Rebo", "Dicetak 26 November 2026 pukul 14.05 WITA", MADE)
COLUMNS = [Column("Nama", 3), Column("Nilai", 1, "R")]


def pages(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_range() for page in document]


def listed(people: int) -> bytes:
    sheet = Paper(IMPRINT)
    sheet.heading(IMPRINT.title)
    sheet.table(COLUMNS, [[f"Peserta {number}", str(number)] for number in range(people)])
    return sheet.written()


def test_each_page_says_the_village_when_it_was_printed_and_which_of_how_many_it_is() -> None:
    texts = pages(listed(120))

    assert len(texts) > 2
    for number, text in enumerate(texts, 1):
        assert "Desa Wae Rebo" in text
        assert "Dicetak 26 November 2026 pukul 14.05 WITA" in text
        assert f"Halaman {number} dari {len(texts)}" in text


def test_the_headings_of_a_table_come_again_on_each_page_and_no_row_is_lost() -> None:
    texts = pages(listed(120))

    assert all(text.count("Nama Nilai") == 1 for text in texts)
    for number in range(120):
        assert sum(f"Peserta {number} {number}" in text.split("\r\n") for text in texts) == 1


def test_the_same_page_made_twice_is_the_same_to_the_byte() -> None:
    assert listed(3) == listed(3)


def test_letters_of_many_languages_and_ticks_can_be_read_back_from_the_file() -> None:
    sheet = Paper(IMPRINT)
    sheet.text("Dé Ngurah ḥajj “kutip” – 50 % → ✓ ☐ Ω")
    assert "Dé Ngurah ḥajj “kutip” – 50 % → ✓ ☐ Ω" in pages(sheet.written())[0]


def test_what_the_fonts_do_not_hold_is_an_empty_square_and_letters_are_composed() -> None:
    assert paper.printable("Siti 😀 ꦲ") == "Siti □ □"
    assert paper.printable("cafe\u0301\tbaru") == "café baru"


@given(st.text(max_size=2000))
@settings(max_examples=15, deadline=None)
def test_whatever_people_call_themselves_a_table_can_be_printed(name: str) -> None:
    sheet = Paper(IMPRINT)
    sheet.table(COLUMNS, [[name, "1"]])
    assert sheet.written().startswith(b"%PDF-")


def test_a_square_code_has_each_of_its_squares_where_a_camera_looks() -> None:
    text, side, x, y = "LONTAR:" + "A1B2" * 20, 50.0, 20.0, 30.0
    sheet = Paper(IMPRINT, landscape=True, bare=True)
    sheet.frame()
    sheet.draw_qr(text, x, y, side)

    scale = 6.0
    image = pypdfium2.PdfDocument(sheet.written())[0].render(scale=scale).to_pil().convert("L")
    rows = [bytes(row) for row in segno.make(text, micro=False, error="m").matrix]
    step = side / (len(rows) + 8)
    points_per_mm = scale * 72 / 25.4
    for row, cells in enumerate(rows):
        for column, dark in enumerate(cells):
            place = (x + (column + 4.5) * step, y + (row + 4.5) * step)
            pixel = image.getpixel((int(place[0] * points_per_mm), int(place[1] * points_per_mm)))
            assert (pixel < 128) == bool(dark)


def test_a_line_that_is_too_long_is_set_smaller_until_it_fits() -> None:
    sheet = Paper(IMPRINT, landscape=True, bare=True)
    assert sheet.line("Siti", 40, 30, width=200) == 30
    size = sheet.line("Raden Ayu Siti Nurhayati Kusumawardhani Sastroatmodjo", 60, 30, width=200)
    assert 12 < size < 30


@pytest.mark.parametrize("landscape", [False, True])
def test_a_page_is_a4(landscape: bool) -> None:
    sheet = Paper(IMPRINT, landscape=landscape)
    assert sorted((round(sheet.width), round(sheet.height))) == [210, 297]
    assert (sheet.width > sheet.height) == landscape


def test_nothing_of_the_printing_library_is_loaded_before_the_first_page() -> None:
    code = "import sys, web.paper; assert not {'fpdf', 'PIL', 'fontTools'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_fonts_are_modest_and_lie_beside_their_licences() -> None:
    fonts = Path(paper.__file__).parent / "fonts"
    assert len(list(fonts.glob("*.ttf"))) == 5
    assert all(path.stat().st_size < 120_000 for path in fonts.glob("*.ttf"))
    assert {path.name for path in fonts.glob("*.txt")} == {"OFL.txt", "DejaVu.txt"}
