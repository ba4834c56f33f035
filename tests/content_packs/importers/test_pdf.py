"""PDF: pages become pictures with their text, lessons follow the bookmarks; what is locked or damaged is refused."""

from __future__ import annotations

import io
import random
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from foreign import build, check, damaged
from hypothesis import HealthCheck, given, settings
from PIL import Image, ImageDraw

from content_packs import render
from content_packs.errors import PackError
from content_packs.importers import pdf
from content_packs.importers.draft import Draft
from content_packs.importers.pdf_pages import PAGES_MOST, picture_bytes

MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
Mark = tuple[int, str, int]
"""Level, title and page (from 0) of a bookmark."""


def pdf_of(
    texts: Sequence[str],
    marks: Sequence[Mark] = (),
    title: str = "",
    language: str = "",
    trailer: str = "",
    size: str = "595 842",
) -> bytes:
    """A PDF as ISO 32000 describes it: a page for each text, whose lines are its lines."""
    kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(len(texts)))
    first = 10 + 2 * len(texts)
    outline = f"/Outlines {first} 0 R" if marks else ""
    objects = {
        1: f"<</Type/Catalog/Pages 2 0 R{outline}/Lang({language})>>",
        2: f"<</Type/Pages/Count {len(texts)}/Kids[{kids}]/MediaBox[0 0 {size}]>>",
        3: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        4: f"<</Title({title})/Author(Budi)>>",
    }
    for number, text in enumerate(texts):
        lines = "".join(f"({line}) Tj T* " for line in text.splitlines())
        content = f"BT /F 18 Tf 24 TL 60 760 Td {lines} ET"
        objects[10 + 2 * number] = (
            f"<</Type/Page/Parent 2 0 R/Resources<</Font<</F 3 0 R>>>>/Contents {11 + 2 * number} 0 R>>"
        )
        objects[11 + 2 * number] = f"<</Length {len(content)}>>stream\n{content}\nendstream"
    objects |= _outline(first, marks)
    made = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, object_ in sorted(objects.items()):
        places[number] = len(made)
        made += f"{number} 0 obj\n{object_}\nendobj\n".encode("latin-1")
    start, count = len(made), max(objects) + 1
    rows = [f"{places[n]:010} 00000 n \n" if n in places else "0000000000 65535 f \n" for n in range(count)]
    made += f"xref\n0 {count}\n{''.join(rows)}".encode()
    made += f"trailer<</Size {count}/Root 1 0 R/Info 4 0 R{trailer}>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(made)


def _outline(first: int, marks: Sequence[Mark]) -> dict[int, str]:
    """The bookmarks as PDF links them: each knows its parent, its neighbours and its first and last child."""
    numbers = {place: first + 1 + place for place in range(len(marks))}
    parents = {}
    for place, (level, _, _) in enumerate(marks):
        above = [other for other in range(place) if marks[other][0] < level]
        parents[place] = above[-1] if above else None
    made = {}
    for place in (None, *numbers):
        children = [numbers[one] for one in numbers if parents[one] == place]
        inside = (
            f"/First {children[0]} 0 R/Last {children[-1]} 0 R/Count {len(children)}" if children else ""
        )
        if place is None:
            made[first] = f"<<{inside}>>"
            continue
        siblings = [numbers[one] for one in numbers if parents[one] == parents[place]]
        at = siblings.index(numbers[place])
        links = f"/Next {siblings[at + 1]} 0 R" if at + 1 < len(siblings) else ""
        links += f"/Prev {siblings[at - 1]} 0 R" if at else ""
        above = first if parents[place] is None else numbers[parents[place] or 0]
        _, title, page = marks[place]
        made[numbers[place]] = (
            f"<</Title({title})/Parent {above} 0 R/Dest[{10 + 2 * page} 0 R/Fit]{links}{inside}>>"
        )
    return made if marks else {}


def read(at: Path, content: bytes, name: str = "naskah.pdf") -> Draft:
    path = at / name
    path.write_bytes(content)
    assert pdf.recognises(path)
    return check(pdf.read(path))


def test_a_page_is_a_picture_with_its_text_below(tmp_path: Path) -> None:
    draft = read(tmp_path, pdf_of(["Kas < desa\nCatat & hitung"], title="Buku Kas", language="id-ID"))
    assert (draft.title, draft.language) == ("Buku Kas", "id")
    (lesson,) = draft.lessons
    assert lesson.title == "Buku Kas"
    assert '<img src="media:halaman-001.webp" alt="Halaman 1">' in lesson.html
    assert "<details><summary>Teks halaman 1</summary>" in lesson.html
    assert "Kas &lt; desa<br>Catat &amp; hitung" in lesson.html
    picture = Image.open(io.BytesIO(draft.media["halaman-001.webp"]()))
    assert (picture.format, picture.width) == ("WEBP", 1000)
    assert picture.convert("L").getextrema()[0] < 60, "there is ink on the page"


def test_the_built_lesson_still_has_picture_and_text(tmp_path: Path) -> None:
    draft = read(tmp_path, pdf_of(["Kas desa"]))
    pack = build(draft, tmp_path / "folder")
    assert pack.manifest.file("halaman-001.webp") is not None
    kept = render.clean(draft.lessons[0].html)
    assert "<details><summary>Teks halaman 1</summary><p>Kas desa</p></details>" in kept


def test_lessons_follow_the_bookmarks(tmp_path: Path) -> None:
    marks = [(0, "Satu", 1), (1, "Dalam", 1), (0, "Dua", 3), (0, "Dua lagi", 3)]
    draft = read(tmp_path, pdf_of([f"hal {n}" for n in range(6)], marks), "kas_desa.pdf")
    assert draft.title == "kas desa"
    pages = [(lesson.title, lesson.html.count("<img")) for lesson in draft.lessons]
    assert pages == [("kas desa", 1), ("Satu", 2), ("Dua / Dua lagi", 3)]
    assert draft.media.keys() == {f"halaman-{number:03}.webp" for number in range(1, 7)}


def test_one_bookmark_at_the_top_is_the_book_itself(tmp_path: Path) -> None:
    marks = [(0, "Buku", 0), (1, "Satu", 0), (1, "Dua", 2)]
    draft = read(tmp_path, pdf_of(["a"] * 4, marks))
    assert [lesson.title for lesson in draft.lessons] == ["Satu", "Dua"]


def test_a_long_part_is_cut_at_its_chapters_and_a_long_chapter_by_pages(tmp_path: Path) -> None:
    marks = [(0, "Bagian", 0), (1, "Satu", 0), (1, "Dua", 5), (0, "Akhir", 30)]
    draft = read(tmp_path, pdf_of(["a"] * 31, marks))
    told = [(lesson.title, lesson.module, lesson.html.count("<img")) for lesson in draft.lessons]
    assert told == [
        ("Satu", "Bagian", 5),
        ("Dua", "Bagian", 20),
        ("Dua (2)", "Bagian", 5),
        ("Akhir", "", 1),
    ]


def test_without_bookmarks_ten_pages_are_a_lesson(tmp_path: Path) -> None:
    draft = read(tmp_path, pdf_of(["a"] * 21, language="en"))
    assert [lesson.title for lesson in draft.lessons] == ["Page 1–10", "Page 11–20", "Page 21"]
    assert any("tanpa penanda bab" in said for said in draft.report.changed)


def test_pages_without_text_are_named_as_they_can_t_be_heard(tmp_path: Path) -> None:
    draft = read(tmp_path, pdf_of(["", "kas"]))
    assert "<details>" not in draft.lessons[0].html.partition("halaman-002")[0]
    assert any("tanpa teks" in said and ": 1." in said for said in draft.report.changed)


def test_who_made_it_stays_behind(tmp_path: Path) -> None:
    draft = read(tmp_path, pdf_of(["kas"]))
    assert any("Nama pembuat" in said for said in draft.report.left_out)
    assert "Budi" not in repr(draft)


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Microsoft Word - Kas Desa.docx", "Kas Desa"),
        ("Untitled 1", "naskah"),
        ("Presentation", "naskah"),
        ("Dokumen Desa", "Dokumen Desa"),
    ],
)
def test_titles_that_a_program_gave_are_no_titles(said: str, title: str, tmp_path: Path) -> None:
    assert read(tmp_path, pdf_of(["a"], title=said)).title == title


@pytest.mark.parametrize("size", ["1 14400", "14400 1", "0 0", "1e9 1e9", "-5 10"])
def test_pages_of_odd_sizes_don_t_fill_the_memory(size: str, tmp_path: Path) -> None:
    draft = read(tmp_path, pdf_of(["a"], size=size))
    picture = Image.open(io.BytesIO(draft.media["halaman-001.webp"]()))
    assert picture.width <= 1000 and picture.height <= 2000


def test_pages_are_drawn_when_they_are_needed_and_by_several_at_once(tmp_path: Path) -> None:
    draft = read(tmp_path, pdf_of(["satu", "dua", "tiga"]))
    alone = {name: draw() for name, draw in draft.media.items()}
    together: dict[str, bytes] = {}

    def draw_all() -> None:
        together.update({name: draw() for name, draw in draft.media.items()})

    threads = [threading.Thread(target=draw_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    (tmp_path / "naskah.pdf").unlink()
    with pytest.raises(PackError):
        draft.media["halaman-001.webp"]()


def test_pages_of_text_keep_their_ink_and_photos_are_kept_small() -> None:
    page = Image.new("RGB", (400, 300), "white")
    ImageDraw.Draw(page).text((20, 20), "Kas desa", fill="black")
    again = Image.open(io.BytesIO(picture_bytes(page)))
    darkest, lightest = again.convert("L").getextrema()
    assert darkest < 20 and lightest > 250
    dots = random.Random(1).randbytes(400 * 300 * 3)
    photo = Image.frombytes("RGB", (400, 300), dots)
    assert len(picture_bytes(photo)) < len(dots) // 4


LOCKED: Final = f"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{'00' * 32}>/U<{'11' * 32}>>>/ID[<00><00>]"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pdf_of(["kas"], trailer=LOCKED), "kata sandi"),
        (b"%PDF-1.7\nbukan", "rusak"),
        (pdf_of([]), "rusak"),
        (b"bukan PDF", "bukan PDF"),
        (pdf_of(["a"] * (PAGES_MOST + 1)), "terlalu panjang"),
    ],
    ids=["locked", "damaged", "empty", "other", "long"],
)
def test_what_can_t_be_read_is_refused_with_the_reason(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    with pytest.raises(PackError) as refused:
        pdf.read(path)
    assert said in refused.value.sentence()


def test_a_zip_that_begins_with_a_pdf_is_no_pdf(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.pdf", pdf_of(["kas"]))
    assert not pdf.recognises(tmp_path / "a.zip")


SAMPLE: Final = pdf_of(["Kas desa", "dua"], [(0, "Satu", 0), (0, "Dua", 1)], title="Kas")


@MANY
@given(damaged(SAMPLE))
def test_no_damage_brings_anything_but_a_refusal_or_a_draft(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "rusak.pdf"
    path.write_bytes(data)
    pdf.recognises(path)
    try:
        for draw in check(pdf.read(path)).media.values():
            draw()
    except PackError as problem:
        assert problem.sentence()
