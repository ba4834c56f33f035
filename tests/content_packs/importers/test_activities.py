"""SCORM, cmi5 and H5P packages: what needs a player is kept whole, what doesn't becomes a lesson or a question."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from foreign import SAMPLES, build, check, damaged, questions
from hypothesis import HealthCheck, given, settings

from content_packs.errors import PackError
from content_packs.importers import cmi5, h5p, importer_of, scorm
from content_packs.importers.draft import Draft
from content_packs.questions import QuestionKind as K

MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
SCORM_12: Final = """<?xml version="1.0"?>
<manifest identifier="m" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2"
 xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2">
<metadata><schema>ADL SCORM</schema><schemaversion>1.2</schemaversion></metadata>
<organizations default="b">
<organization identifier="a"><title>Lain</title></organization>
<organization identifier="b"><title>Kas Desa</title>
 <item identifier="i1"><title>Bab satu</title>
  <item identifier="i2" identifierref="r1" parameters="?soal=1"><title>Kuis</title>
   <adlcp:masteryscore>80</adlcp:masteryscore></item>
  <item identifier="i3" identifierref="r2"><title>Bacaan</title></item>
 </item>
 <item identifier="i4" identifierref="hilang"><title>Tak ada</title></item>
 <item identifier="i5" identifierref="r1" isvisible="false"><title>Sembunyi</title></item>
</organization></organizations>
<resources xml:base="isi/">
 <resource identifier="r1" type="webcontent" adlcp:scormtype="sco" href="kuis%20satu.html"><file href="kuis%20satu.html"/></resource>
 <resource identifier="r2" type="webcontent" adlcp:scormtype="asset" href="baca.html"><file href="baca.html"/></resource>
</resources></manifest>"""
SCORM: Final = {
    "imsmanifest.xml": SCORM_12,
    "adlcp_rootv1p2.xsd": "<x/>",
    "isi/kuis satu.html": "<script>parent.API.LMSInitialize('')</script>",
    "isi/baca.html": "<p>Catat <b>setiap</b> hari.</p><img src='buku.png' alt='Buku'>",
    "isi/buku.png": "png",
    "isi/disebut-skrip.js": "1",
}
CMI5: Final = {
    "cmi5.xml": """<courseStructure xmlns="https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd">
<course id="https://x/c"><title><langstring lang="en-US">Village cash</langstring></title>
<description><langstring lang="en-US">About cash.</langstring></description></course>
<block id="https://x/b"><title><langstring lang="en-US">Part one</langstring></title>
<au id="https://x/1" moveOn="Passed" masteryScore="0.8"><title><langstring lang="en-US">Quiz</langstring></title>
<url>isi/index.html?a=1</url></au></block>
<au id="https://x/2"><title><langstring lang="en-US">Far</langstring></title><url>https://jauh.example/x</url></au>
</courseStructure>""",
    "isi/index.html": "<script src='a.js'></script>",
    "isi/a.js": "1",
}
TRUE_FALSE: Final = {"question": "<p>Benar?</p>", "correct": "false"}
CHOICE: Final = {
    "question": "<p>Pilih.</p>",
    "answers": [
        {
            "text": "<div>A</div>",
            "correct": False,
            "tipsAndFeedback": {"chosenFeedback": "<div>Bukan.</div>"},
        },
        {"text": "<div>B</div>", "correct": True},
    ],
    "media": {
        "type": {"library": "H5P.Image 1.1", "params": {"file": {"path": "images/a.png"}, "alt": "Alur"}}
    },
}


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def h5p_of(library: str, content: object, **more: str) -> dict[str, str | bytes]:
    about = {"title": "Uji", "language": "id", "mainLibrary": library}
    dependency = {"machineName": library, "majorVersion": "1", "minorVersion": "0"}
    return {
        "h5p.json": json.dumps({**about, "preloadedDependencies": [dependency]}),
        "content/content.json": json.dumps(content),
        "content/images/a.png": b"png",
        f"{library}-1.0/library.json": "{}",
        **more,
    }


def read(importer: ModuleType, at: Path, files: Mapping[str, str | bytes]) -> Draft:
    path = at / "paket.zip"
    path.write_bytes(zipped(files))
    assert importer.recognises(path)
    assert importer_of(path) is importer
    made: Draft = importer.read(path)
    return check(made)


def test_scorm_keeps_order_headings_and_every_file_its_scripts_may_want(tmp_path: Path) -> None:
    draft = read(scorm, tmp_path, SCORM)
    assert draft.title == "Kas Desa"
    quiz, reading = draft.lessons
    assert (quiz.title, quiz.module) == ("Kuis", "Bab satu")
    assert quiz.activity is not None
    assert (quiz.activity.player, quiz.activity.entry) == ("scorm", "isi/kuis satu.html?soal=1")
    files = {name: read_() for name, read_ in quiz.activity.files.items()}
    assert set(files) == {name for name in SCORM if name.startswith("isi/")}
    assert files["isi/disebut-skrip.js"] == b"1"
    assert reading.activity is None
    assert "<b>setiap</b>" in reading.html and 'src="media:buku.png"' in reading.html
    left_out = " ".join(draft.report.left_out)
    for said in ("Urutan lain", "nilai lulus", "berkasnya tidak ada"):
        assert said in left_out
    built = build(draft, tmp_path / "folder")
    assert built.manifest.players == {"scorm"}
    assert built.manifest.file(f"{built.manifest.lessons[0].activity}/isi/kuis satu.html")


def test_scorm_2004_is_read_and_its_rules_are_named(tmp_path: Path) -> None:
    text = SCORM_12.replace("<schemaversion>1.2", "<schemaversion>2004 4th Edition")
    text = text.replace("adlcp:scormtype", "adlcp:scormType").replace("adlcp_rootv1p2", "adlcp_v1p3")
    text = text.replace(
        "</organization>", '<s:sequencing xmlns:s="http://www.imsglobal.org/xsd/imsss"/></organization>'
    )
    draft = read(scorm, tmp_path, {**SCORM, "imsmanifest.xml": text})
    assert [lesson.activity is not None for lesson in draft.lessons] == [True, False]
    assert any("SCORM 2004" in said for said in draft.report.left_out)


@pytest.mark.parametrize(
    ("href", "parameters", "address"),
    [
        ("a.html", "x=1", "a.html?x=1"),
        ("a.html?y=2", "?x=1", "a.html?y=2&x=1"),
        ("a.html", "#s", "a.html#s"),
        ("a.html", "", "a.html"),
        ("a.html", " ?x=1 ", "a.html?x=1"),
        ("a.html#s", "x=1", "a.html#s?x=1"),
        ("a.html#s", "#t", "a.html#s"),
        ("a.html#/bab?y=2", "&amp;x=1", "a.html#/bab?y=2&x=1"),
    ],
)
def test_parameters_are_added_as_the_standard_says(
    href: str, parameters: str, address: str, tmp_path: Path
) -> None:
    text = SCORM_12.replace("kuis%20satu.html", href, 1).replace("?soal=1", parameters)
    draft = read(scorm, tmp_path, {**SCORM, "imsmanifest.xml": text, "isi/a.html": ""})
    activity = draft.lessons[0].activity
    assert activity is not None and activity.entry == f"isi/{address}"


def test_a_resource_that_leads_out_of_the_package_isn_t_followed(tmp_path: Path) -> None:
    for href in ("../../etc/passwd", "https://jauh.example/a.html", "/etc/passwd"):
        text = SCORM_12.replace("kuis%20satu.html", href, 1)
        draft = read(scorm, tmp_path, {**SCORM, "imsmanifest.xml": text})
        assert [lesson.title for lesson in draft.lessons] == ["Bacaan"]


def test_cmi5_takes_the_units_that_lie_in_the_package(tmp_path: Path) -> None:
    draft = read(cmi5, tmp_path, CMI5)
    (unit,) = draft.lessons
    assert (draft.title, draft.language, unit.title, unit.module) == (
        "Village cash",
        "en",
        "Quiz",
        "Part one",
    )
    assert unit.activity is not None
    assert (unit.activity.player, unit.activity.entry) == ("cmi5", "isi/index.html?a=1")
    assert set(unit.activity.files) == {"isi/index.html", "isi/a.js"}
    left_out = " ".join(draft.report.left_out)
    assert "hanya ada di internet" in left_out and "masteryScore" in left_out
    assert build(draft, tmp_path / "folder").manifest.players == {"cmi5"}


def test_h5p_is_kept_whole_for_its_player(tmp_path: Path) -> None:
    files = h5p_of("H5P.Kartu", {"x": 1}, **{"H5P.Kartu-1.0/kartu.js": "1"})
    draft = read(h5p, tmp_path, files)
    (lesson,) = draft.lessons
    assert lesson.activity is not None
    assert (lesson.activity.player, lesson.activity.entry) == ("h5p", "h5p.json")
    assert set(lesson.activity.files) == set(files)
    assert build(draft, tmp_path / "folder").manifest.players == {"h5p"}


def test_h5p_without_its_libraries_says_how_to_get_them(tmp_path: Path) -> None:
    files = h5p_of("H5P.Kartu", {"x": 1})
    del files["H5P.Kartu-1.0/library.json"]
    (tmp_path / "a.h5p").write_bytes(zipped(files))
    with pytest.raises(PackError, match=r"H5P\.Kartu-1\.0.*beserta pustaka"):
        h5p.read(tmp_path / "a.h5p")


def test_plain_h5p_questions_need_no_player(tmp_path: Path) -> None:
    content = {
        "questions": [
            {"library": "H5P.TrueFalse 1.8", "params": TRUE_FALSE},
            {"library": "H5P.MultiChoice 1.16", "params": CHOICE},
            {
                "library": "H5P.Blanks 1.14",
                "params": {"questions": ["<p>Ibu kota: *Jakarta/DKI:kota*.</p>"]},
            },
            {
                "library": "H5P.SingleChoiceSet 1.11",
                "params": {"choices": [{"question": "Mana?", "answers": ["<p>Ini</p>", "<p>Itu</p>"]}]},
            },
        ]
    }
    draft = read(h5p, tmp_path, h5p_of("H5P.QuestionSet", content))
    truth, choice, blank, single = questions(draft)
    assert (truth.choices, truth.right) == (("Benar", "Salah"), (1,))
    assert (choice.choices, choice.right, choice.kind) == (("A", "B"), (1,), K.CHOICE)
    assert 'src="media:a.png" alt="Alur"' in choice.text and "Bukan." in choice.explanation
    assert (blank.kind, blank.accepted) == (K.TEXT, ("Jakarta", "DKI"))
    assert "_____" in blank.text and "Jakarta" not in blank.text
    assert single.right == (0,)
    assert not build(draft, tmp_path / "folder").manifest.players


@pytest.mark.parametrize(
    "params",
    [
        {"questions": ["<p>*Satu* dan *dua*.</p>"]},
        {"questions": [{"teks": 1}]},
        {"questions": []},
    ],
)
def test_h5p_that_is_only_nearly_plain_goes_to_the_player_whole(
    params: dict[str, Any], tmp_path: Path
) -> None:
    draft = read(h5p, tmp_path, h5p_of("H5P.Blanks", params))
    assert draft.lessons[0].activity is not None and not questions(draft)


@pytest.mark.parametrize(
    ("importer", "files"), [(scorm, SCORM), (cmi5, CMI5), (h5p, h5p_of("H5P.MultiChoice", CHOICE))]
)
def test_packages_of_others_and_empty_ones_are_refused(
    importer: ModuleType, files: Mapping[str, str | bytes], tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    name = next(iter(files))
    for made in (
        {"lain.txt": "x"},
        {**files, name: "<x/>"},
        {**files, name: "{}"},
        {**files, name: ""},
        {name: files[name]},
    ):
        path.write_bytes(zipped(made))
        with pytest.raises(PackError):
            importer.read(path)
    path.write_bytes(b"bukan arsip")
    assert not importer.recognises(path)


@MANY
@given(damaged(SCORM_12.encode()))
def test_no_damage_of_a_scorm_manifest_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, data: bytes
) -> None:
    survives(scorm, tmp_path, {**SCORM, "imsmanifest.xml": data})


@MANY
@given(damaged(CMI5["cmi5.xml"].encode()))
def test_no_damage_of_a_cmi5_structure_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, data: bytes
) -> None:
    survives(cmi5, tmp_path, {**CMI5, "cmi5.xml": data})


@MANY
@given(damaged(json.dumps(CHOICE).encode()))
def test_no_damage_of_h5p_content_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, data: bytes
) -> None:
    survives(h5p, tmp_path, {**h5p_of("H5P.MultiChoice", CHOICE), "content/content.json": data})


def survives(importer: ModuleType, at: Path, files: Mapping[str, str | bytes]) -> None:
    path = at / "rusak.zip"
    path.write_bytes(zipped(files))
    importer.recognises(path)
    try:
        check(importer.read(path))
    except PackError as problem:
        assert problem.sentence()


@pytest.mark.parametrize(
    ("name", "importer", "lessons"),
    [
        ("singlescobasic.zip", scorm, 1),
        ("RuntimeMinimumCalls_SCORM12-mini.zip", scorm, 9),
        ("greetingcard1.h5p", h5p, 1),
    ],
)
def test_real_samples_become_courses(name: str, importer: ModuleType, lessons: int, tmp_path: Path) -> None:
    if not (SAMPLES / name).is_file():
        pytest.skip(f"{SAMPLES / name} isn't there")
    assert importer_of(SAMPLES / name) is importer
    made: Draft = importer.read(SAMPLES / name)
    assert len(build(made, tmp_path / "folder").manifest.lessons) == lessons
