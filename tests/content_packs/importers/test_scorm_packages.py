"""SCORM packages as authoring tools on Windows write them: their addresses, spellings, hidden items, pages and rules."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from foreign import build, check
from test_activities import SCORM, SCORM_12, read, zipped

from content_packs.errors import PackError
from content_packs.importers import ims_manifest, scorm
from content_packs.importers.draft import Draft, DraftActivity, DraftLesson
from content_packs.importers.folder import write_folder

CAPTIVATE: Final = """<?xml version="1.0" encoding="UTF-16"?>
<manifest identifier="kas" xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_v1p3"
 xmlns:imsss="http://www.imsglobal.org/xsd/imsss" xmlns:lom="http://ltsc.ieee.org/xsd/LOM" xml:base="kursus%20kas/">
<metadata><schema>ADL SCORM</schema><schemaversion>2004 3rd Edition</schemaversion>
<lom:lom><lom:general><lom:title><lom:string language="en">Village cash</lom:string><lom:string language="id">Kas Desa</lom:string></lom:title>
<lom:language>en-GB</lom:language></lom:general></lom:lom></metadata>
<organizations default="o"><organization identifier="o"><title/>
 <item identifier="i1" identifierref="r1"><title>Quiz</title><adlcp:dataFromLMS>tingkat=2</adlcp:dataFromLMS>
  <imsss:sequencing><imsss:controlMode choice="false"/><imsss:sequencingRules/></imsss:sequencing></item>
 <imsss:sequencing><imsss:controlMode flow="true"/></imsss:sequencing>
</organization></organizations>
<resources xml:base="Isi\\">
 <resource identifier="r1" type="webcontent" adlcp:scormType="sco" xml:base=".\\SCO1\\" href="..\\Bersama\\Mulai.htm#/bab/1?dari=http://x/"/>
</resources>
<imsss:sequencingCollection><imsss:sequencing ID="x"/></imsss:sequencingCollection></manifest>"""


def test_a_package_as_windows_programs_write_it_is_found_by_all_its_addresses(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "IMSmanifest.xml": CAPTIVATE.encode("utf-16"),
        "kursus kas/isi/bersama/mulai.htm": "<script>",
    }
    draft = read(scorm, tmp_path, files)
    assert (draft.title, draft.language) == ("Village cash", "en")
    (quiz,) = draft.lessons
    assert quiz.activity is not None
    assert quiz.activity.entry == "kursus kas/isi/bersama/mulai.htm#/bab/1?dari=http://x/"
    said = " ".join(draft.report.left_out)
    assert "Aturan urutan SCORM 2004 yang tidak dibawa; setiap materi dapat dibuka: 2." in said
    assert "dataFromLMS" in said
    built = build(draft, tmp_path / "folder")
    assert built.manifest.lessons[0].entry == quiz.activity.entry


@pytest.mark.parametrize(
    ("href", "file"),
    [
        ("index.html?kembali=https://x/y", "isi/index.html"),
        ("Index.HTML", "isi/index.html"),
        ("soal%201.html", "isi/soal%201.html"),
        ("bab\\satu.html", "isi/bab/satu.html"),
        ("..\\bersama\\satu.html", "bersama/satu.html"),
        ("50%.html", "isi/50%.html"),
    ],
)
def test_a_file_is_found_however_the_manifest_spells_it(href: str, file: str, tmp_path: Path) -> None:
    text = SCORM_12.replace("kuis%20satu.html", href, 1)
    draft = read(scorm, tmp_path, {**SCORM, "imsmanifest.xml": text, file: ""})
    activity = draft.lessons[0].activity
    assert activity is not None
    assert activity.entry.partition("?")[0] == file


def test_what_stands_below_a_hidden_item_is_taken_and_hidden_material_is_named(tmp_path: Path) -> None:
    text = SCORM_12.replace('<item identifier="i1">', '<item identifier="i1" isvisible="0">')
    draft = read(scorm, tmp_path, {**SCORM, "imsmanifest.xml": text})
    assert [(lesson.title, lesson.module) for lesson in draft.lessons] == [("Kuis", ""), ("Bacaan", "")]
    assert any("disembunyikan pembuatnya" in said and "1." in said for said in draft.report.left_out)


def test_the_title_isn_t_that_of_a_part(tmp_path: Path) -> None:
    part = '<metadata><lom><general><title><langstring xml:lang="id">Bagian</langstring></title></general></lom></metadata>'
    text = SCORM_12.replace("<title>Kas Desa</title>", "").replace(
        '<file href="baca.html"/>', f'{part}<file href="baca.html"/>'
    )
    assert read(scorm, tmp_path, {**SCORM, "imsmanifest.xml": text}).title == "paket"


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-8-sig", "utf-16"])
def test_a_page_is_read_in_its_own_characters(encoding: str, tmp_path: Path) -> None:
    page = "<p>Harga “kopi” Rp 5.000 – café.</p>"
    draft = read(scorm, tmp_path, {**SCORM, "isi/baca.html": page.encode(encoding)})
    assert draft.lessons[1].html == page


@pytest.mark.parametrize(
    "page",
    [
        b"<p>Bab 1</p><a href='bab2.html'>Lanjut</a>",
        b"<svg><circle r='9'/></svg>",
        b"<meta http-equiv=Refresh content='0;url=bab2.html'><p>Tunggu</p>",
        "<p>Halo</p><script>1</script>".encode("utf-16"),
    ],
)
def test_a_page_that_would_lose_what_it_says_is_left_to_the_player(page: bytes, tmp_path: Path) -> None:
    draft = read(scorm, tmp_path, {**SCORM, "isi/baca.html": page, "isi/bab2.html": "<p>Bab 2</p>"})
    reading = draft.lessons[1]
    assert reading.activity is not None and reading.activity.entry == "isi/baca.html"
    assert "isi/bab2.html" in reading.activity.files
    assert len(build(draft, tmp_path / "folder").manifest.lessons) == 2


def test_pages_that_link_to_one_another_as_lessons_stay_readings(tmp_path: Path) -> None:
    text = SCORM_12.replace('identifierref="hilang"', 'identifierref="r3"').replace(
        "</resources>", '<resource identifier="r3" type="webcontent" href="bab2.html"/></resources>'
    )
    page = "<p>Bab 1</p><a href='bab2.html'>Lanjut</a>"
    files = {**SCORM, "imsmanifest.xml": text, "isi/baca.html": page, "isi/bab2.html": "<p>Bab 2</p>"}
    assert [lesson.activity is None for lesson in read(scorm, tmp_path, files).lessons] == [
        False,
        True,
        True,
    ]


def test_a_document_is_shown_without_a_player(tmp_path: Path) -> None:
    text = SCORM_12.replace("baca.html", "Naskah.PDF")
    draft = read(scorm, tmp_path, {**SCORM, "imsmanifest.xml": text, "isi/naskah.pdf": b"%PDF-1.4"})
    assert draft.lessons[1].html == '<p><img src="media:naskah.pdf" alt="Bacaan"></p>'
    assert draft.media["naskah.pdf"]() == b"%PDF-1.4"


def test_what_systems_leave_in_archives_stays_behind(tmp_path: Path) -> None:
    litter = ("__MACOSX/isi/._baca.html", "isi/.DS_Store", "isi/Thumbs.db", "imscp_rootv1p1p2.xsd")
    activity = read(scorm, tmp_path, {**SCORM, **dict.fromkeys(litter, "x")}).lessons[0].activity
    assert activity is not None
    assert not set(litter) & set(activity.files)


@pytest.mark.parametrize("names", [("isi/a", "isi/a/b"), ("isi/" + "界" * 100,)])
def test_files_that_no_folder_can_hold_are_refused_before_anything_is_written(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    files = {name: lambda: b"x" for name in ("a.html", *names)}
    draft = Draft("Kas", [DraftLesson("Kuis", activity=DraftActivity("scorm", "a.html", files))])
    with pytest.raises(PackError, match="Nama berkas isi/"):
        write_folder(check(draft), tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_a_manifest_that_names_files_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ims_manifest, "ADDRESSES_MOST", 100)
    text = SCORM_12.replace('<file href="baca.html"/>', '<file href="baca.html"/>' * 100)
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({**SCORM, "imsmanifest.xml": text}))
    with pytest.raises(PackError, match="terlalu besar"):
        scorm.read(path)
