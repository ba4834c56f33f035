"""EPUB 2 and 3: chapters become lessons under the titles of the table of contents; locked books are refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from foreign import build, check, damaged
from hypothesis import HealthCheck, given, settings

from content_packs import render
from content_packs.errors import PackError
from content_packs.importers import epub
from content_packs.importers.draft import Draft

MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
Files = Mapping[str, str | bytes]

CONTAINER: Final = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/isi.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
OPF: Final = """<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="i">x</dc:identifier>
<dc:title>Buku  Kas</dc:title><dc:language>id-ID</dc:language><dc:creator>Budi</dc:creator>
<dc:publisher>Balai Desa</dc:publisher><dc:description>&lt;p&gt;Tentang kas.&lt;/p&gt;</dc:description>
<dc:rights>CC BY 4.0</dc:rights></metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
<item id="sampul" href="sampul.xhtml" media-type="application/xhtml+xml" properties="svg"/>
<item id="b1" href="teks/bab%201.xhtml" media-type="application/xhtml+xml"/>
<item id="b1b" href="teks/bab1b.xhtml" media-type="application/xhtml+xml"/>
<item id="b2" href="teks/bab2.xhtml" media-type="application/xhtml+xml"/>
<item id="kosong" href="teks/kosong.xhtml" media-type="application/xhtml+xml"/>
<item id="g" href="g/alur.png" media-type="image/png"/>
<item id="s" href="g/sampul.jpg" media-type="image/jpeg" properties="cover-image"/>
<item id="v" href="g/rapat.mp4" media-type="video/mp4"/><item id="w" href="g/rapat.vtt" media-type="text/vtt"/>
<item id="css" href="gaya.css" media-type="text/css"/><item id="js" href="a.js" media-type="text/javascript"/>
<item id="f" href="a.otf" media-type="font/otf"/>
</manifest>
<spine toc="ncx"><itemref idref="sampul" linear="no"/><itemref idref="nav"/><itemref idref="b1"/><itemref idref="b1b"/>
<itemref idref="kosong"/><itemref idref="b2"/><itemref idref="hilang"/></spine></package>"""
NAV: Final = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>
<nav epub:type="landmarks"><ol><li><a href="teks/bab2.xhtml">Mulai</a></li></ol></nav>
<nav epub:type="toc"><h1>Isi</h1><ol>
<li><span>Bagian satu</span><ol><li><a href="teks/bab%201.xhtml"><b>Buku</b> kas</a>
<ol><li><a href="teks/bab%201.xhtml#cara">Cara</a></li></ol></li>
<li><a href="teks/bab2.xhtml#awal">Rapat</a></li></ol></li><li><a href="hilang.xhtml">Hilang</a></li></ol></nav></body></html>"""
NCX: Final = """<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><navMap>
<navPoint id="a" playOrder="1"><navLabel><text>Kas lama</text></navLabel><content src="teks/bab%201.xhtml"/></navPoint>
<navPoint id="b" playOrder="2"><navLabel><text>Rapat lama</text></navLabel><content src="teks/bab2.xhtml"/></navPoint>
</navMap></ncx>"""
XHTML: Final = '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd"><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><style>p{}</style></head><body>%s</body></html>'
BOOK: Final[dict[str, str | bytes]] = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": CONTAINER,
    "OEBPS/isi.opf": OPF,
    "OEBPS/nav.xhtml": NAV,
    "OEBPS/toc.ncx": NCX,
    "OEBPS/sampul.xhtml": XHTML
    % '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><title>Sampul</title><image xlink:href="g/sampul.jpg"/></svg>',
    "OEBPS/teks/bab 1.xhtml": XHTML
    % '<h1>Kas</h1><p>Catat&nbsp;uang &lt; 1 &amp; <a href="bab2.xhtml">lihat</a>.</p><img src="../g/alur.png" alt="Alur"/><script src="../a.js"/><p>Ekor</p>',
    "OEBPS/teks/bab1b.xhtml": XHTML % "<p>Lanjutan bab satu.</p>",
    "OEBPS/teks/bab2.xhtml": XHTML
    % '<h1 id="awal">Rapat</h1><video><source src="../g/rapat.mp4"/><track src="../g/rapat.vtt"/></video><img src="../g/tak-ada.png" alt="Tak ada"/>',
    "OEBPS/teks/kosong.xhtml": XHTML % "<p> </p>",
    "OEBPS/g/alur.png": b"png",
    "OEBPS/g/sampul.jpg": b"jpg",
    "OEBPS/g/rapat.mp4": b"mp4",
    "OEBPS/g/rapat.vtt": b"WEBVTT\n",
    "OEBPS/gaya.css": "p{}",
    "OEBPS/a.js": "1",
    "OEBPS/a.otf": b"otf",
}


def zipped(files: Files) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def read(at: Path, files: Files) -> Draft:
    path = at / "kas_desa.epub"
    path.write_bytes(zipped(files))
    assert epub.recognises(path)
    return check(epub.read(path))


def test_chapters_become_lessons_under_the_titles_of_the_contents(tmp_path: Path) -> None:
    draft = read(tmp_path, BOOK)
    assert (draft.title, draft.language, draft.publisher) == ("Buku Kas", "id", "Balai Desa")
    assert draft.summary == "Tentang kas."
    assert [(lesson.title, lesson.module) for lesson in draft.lessons] == [
        ("Buku Kas", ""),
        ("Buku kas", "Bagian satu"),
        ("Rapat", "Bagian satu"),
    ]
    cover, kas, meeting = (lesson.html for lesson in draft.lessons)
    assert cover == '<img src="media:sampul.jpg" alt="Sampul">'
    assert "Catat\xa0uang &lt; 1 &amp; lihat." in kas
    assert '<img src="media:alur.png" alt="Alur">' in kas and "Ekor" in kas and "Lanjutan" in kas
    assert 'src="media:rapat.mp4"' in meeting
    assert {name: given_() for name, given_ in draft.media.items()} == {
        "sampul.jpg": b"jpg",
        "alur.png": b"png",
        "rapat.mp4": b"mp4",
        "rapat.vtt": b"WEBVTT\n",
    }
    assert len(build(draft, tmp_path / "folder").manifest.lessons) == 3


def test_what_stays_behind_is_named(tmp_path: Path) -> None:
    left_out = " ".join(read(tmp_path, BOOK).report.left_out)
    for said in ("CSS", "Skrip", "font", "tak-ada.png", "kosong", "Budi", "CC BY 4.0", "hanya tulisannya"):
        assert said in left_out


def test_names_of_those_who_made_it_are_for_the_report_alone(tmp_path: Path) -> None:
    draft = read(tmp_path, BOOK)
    draft.report.left_out.clear()
    assert "Budi" not in repr(draft)


def test_an_older_book_is_read_by_its_ncx(tmp_path: Path) -> None:
    old = OPF.replace(' properties="nav"', "").replace('<itemref idref="nav"/>', "").replace("3.0", "2.0")
    old = old.replace("<dc:identifier", "<dc-metadata><dc:identifier").replace(
        "</metadata>", "</dc-metadata></metadata>"
    )
    draft = read(tmp_path, {**BOOK, "OEBPS/isi.opf": old})
    assert draft.title == "Buku Kas"
    assert [lesson.title for lesson in draft.lessons[1:]] == ["Kas lama", "Rapat lama"]


@pytest.mark.parametrize("nav", ["", "<x", "<html/>", NAV.replace('"toc"', '"lain"')])
def test_a_damaged_table_of_contents_gives_way_to_the_other(nav: str, tmp_path: Path) -> None:
    draft = read(tmp_path, {**BOOK, "OEBPS/nav.xhtml": nav})
    assert [lesson.title for lesson in draft.lessons[1:]] == ["Kas lama", "Rapat lama"]


def test_without_any_each_document_is_a_lesson_under_its_own_heading(tmp_path: Path) -> None:
    draft = read(tmp_path, {**BOOK, "OEBPS/nav.xhtml": "", "OEBPS/toc.ncx": ""})
    assert [lesson.title for lesson in draft.lessons] == ["Buku Kas", "Kas", "Buku Kas", "Rapat"]


def test_a_document_of_several_chapters_is_cut_where_they_begin(tmp_path: Path) -> None:
    nav = NAV[: NAV.index("<li><span>")] + "".join(
        f'<li><a href="teks/bab2.xhtml#{mark}">{mark.title()}</a></li>' for mark in ("satu", "dua", "tiga")
    )
    page = '<div>Kata <b>awal</b><h1 id="satu">1</h1><p>a</p>x<h1><a id="dua"/>2</h1><p>b</p><div><h1 id="tiga">3</h1></div></div>'
    files = {
        **BOOK,
        "OEBPS/nav.xhtml": nav + "</ol></nav></body></html>",
        "OEBPS/teks/bab2.xhtml": XHTML % page,
    }
    draft = read(tmp_path, files)
    told = [(lesson.title, render.clean(lesson.html)) for lesson in draft.lessons[-3:]]
    assert [title for title, _ in told] == ["Satu", "Dua", "Tiga"]
    assert "<p>a</p>x" in told[0][1] and "<p>b</p>" in told[1][1] and "3" in told[2][1]
    before = draft.lessons[-4].html
    assert "Kata" in before and "<b>awal</b>" in before


def test_a_page_that_isn_t_xml_is_read_as_well_as_it_goes(tmp_path: Path) -> None:
    page = "<html><head><title/></head><body><p>Kas & desa<br>baris<p>Lagi</body>"
    draft = read(tmp_path, {**BOOK, "OEBPS/teks/bab2.xhtml": page})
    assert "baris" in draft.lessons[-1].html and "Lagi" in draft.lessons[-1].html
    assert any("bab2.xhtml" in said for said in draft.report.changed)


def test_characters_that_only_html_names_can_t_bring_in_markup(tmp_path: Path) -> None:
    page = XHTML % "<p>&eacute;&LT;script&GT;x&takada;</p>"
    draft = read(tmp_path, {**BOOK, "OEBPS/teks/bab2.xhtml": page})
    assert "é&lt;script&gt;x&amp;takada;" in draft.lessons[-1].html


ENCRYPTED: Final = """<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<enc:EncryptedData xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptionMethod Algorithm="%s"/>
<enc:CipherData><enc:CipherReference URI="OEBPS/a.otf"/></enc:CipherData></enc:EncryptedData></encryption>"""


@pytest.mark.parametrize(
    "algorithm",
    ["http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.w3.org/2001/04/xmlenc#aes256-cbc", ""],
)
def test_locked_books_are_refused_with_the_reason(algorithm: str, tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    path.write_bytes(zipped({**BOOK, "META-INF/encryption.xml": ENCRYPTED % algorithm}))
    with pytest.raises(PackError) as refused:
        epub.read(path)
    assert "DRM" in refused.value.sentence()


@pytest.mark.parametrize(
    "algorithm", ["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"]
)
def test_fonts_that_only_their_book_can_use_lock_nothing(algorithm: str, tmp_path: Path) -> None:
    assert len(read(tmp_path, {**BOOK, "META-INF/encryption.xml": ENCRYPTED % algorithm}).lessons) == 3


@pytest.mark.parametrize(
    "files",
    [
        {"lain.txt": "x"},
        {**BOOK, "META-INF/container.xml": "<x"},
        {**BOOK, "META-INF/container.xml": CONTAINER.replace("OEBPS/isi.opf", "../../etc/passwd")},
        {**BOOK, "OEBPS/isi.opf": "<x/>"},
        {**BOOK, "OEBPS/isi.opf": "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"},
    ],
)
def test_what_is_no_readable_book_is_refused(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    path.write_bytes(zipped(files))
    with pytest.raises(PackError):
        epub.read(path)


def test_other_files_aren_t_recognised(tmp_path: Path) -> None:
    for content in (b"", b"PK", b"%PDF-1.7", zipped({"word/document.xml": "<x/>"})):
        (tmp_path / "a").write_bytes(content)
        assert not epub.recognises(tmp_path / "a")
    assert not epub.recognises(tmp_path)
    assert not epub.recognises(tmp_path / "tidak-ada")


def survives(at: Path, content: bytes) -> None:
    path = at / "rusak.epub"
    path.write_bytes(content)
    epub.recognises(path)
    try:
        check(epub.read(path))
    except PackError as problem:
        assert problem.sentence()


@MANY
@given(damaged(OPF.encode()))
def test_no_damage_of_the_package_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, data: bytes
) -> None:
    survives(tmp_path, zipped({**BOOK, "OEBPS/isi.opf": data}))


@MANY
@given(damaged(NAV.encode()), damaged(NCX.encode()))
def test_no_damage_of_the_contents_keeps_a_book_out(tmp_path: Path, nav: bytes, ncx: bytes) -> None:
    assert read(tmp_path, {**BOOK, "OEBPS/nav.xhtml": nav, "OEBPS/toc.ncx": ncx}).lessons


@MANY
@given(damaged(str(BOOK["OEBPS/teks/bab 1.xhtml"]).encode()))
def test_no_damage_of_a_chapter_keeps_the_others_out(tmp_path: Path, data: bytes) -> None:
    draft = read(tmp_path, {**BOOK, "OEBPS/teks/bab 1.xhtml": data})
    assert draft.lessons[-1].title == "Rapat"


@MANY
@given(damaged(zipped(BOOK)))
def test_no_damage_of_the_archive_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, data: bytes
) -> None:
    survives(tmp_path, data)
