"""Moodle XML as Moodle exports it: every kind of question, with its pictures and categories."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pytest
from foreign import build, check, damaged, questions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_packs.errors import PackError
from content_packs.importers import moodle_xml
from content_packs.importers.draft import Draft, DraftQuestion
from content_packs.questions import QuestionKind as K

PNG: Final = b"\x89PNG\r\n\x1a\nbukan gambar sungguhan"
MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def text(tag: str, html: str, files: str = "", form: str = "html") -> str:
    return f'<{tag} format="{form}"><text><![CDATA[{html}]]></text>{files}</{tag}>'


def answer(fraction: float, html: str, remark: str = "", more: str = "", form: str = "html") -> str:
    return (
        f'<answer fraction="{fraction}" format="{form}"><text><![CDATA[{html}]]></text>'
        f"{text('feedback', remark)}{more}</answer>"
    )


def question(
    kind: str, body: str = "", name: str = "Soal", html: str = "<p>Apa?</p>", files: str = ""
) -> str:
    return (
        f'<question type="{kind}"><name><text>{name}</text></name>{text("questiontext", html, files)}'
        f"{text('generalfeedback', '')}<defaultgrade>1.0000000</defaultgrade><penalty>0.3333333</penalty>"
        f"<hidden>0</hidden><idnumber></idnumber>{body}</question>"
    )


def category(path: str) -> str:
    return f'<question type="category"><category><text>{path}</text></category></question>'


def embedded(name: str, content: bytes = PNG) -> str:
    return f'<file name="{name}" path="/" encoding="base64">{base64.b64encode(content).decode()}</file>'


def quiz(*items: str) -> bytes:
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n' + "\n".join(items) + "\n</quiz>").encode()


CHOICE: Final = "<single>true</single>" + answer(100, "<p>ya</p>", "tepat") + answer(0, "<p>tidak</p>")
TRUE: Final = answer(100, "true", form="moodle_auto_format") + answer(0, "false", form="moodle_auto_format")
PAIRS: Final = "".join(
    f"{text('subquestion', stem)[:-14]}<answer><text>{target}</text></answer></subquestion>"
    for stem, target in (
        ("<p>RKP</p>", "satu &lt; dua tahun"),
        ("<p>RPJM</p>", "delapan tahun"),
        ("", "sepuluh"),
    )
)
STEPS: Final = answer(2, "kedua") + answer(1, "pertama") + answer(3, "ketiga")
ALL: Final = quiz(
    category("$course$/top/Desa/Kas"),
    question(
        "multichoice", CHOICE, html='<p>Apa ini? <img src="@@PLUGINFILE@@/peta%20desa.png" alt="peta"></p>',
        files=embedded("peta desa.png"),
    ),
    question("truefalse", TRUE),
    question("shortanswer", "<usecase>1</usecase>" + answer(100, "APB Desa") + answer(50, "APBDes") + answer(0, "*")),
    category("$course$/top/Desa/Hitung"),
    question("description", html="<p>Bacalah <b>ini</b>.</p>"),
    question("numerical", answer(100, "12.345", more="<tolerance>0.5</tolerance>")),
    question("match", PAIRS),
    question("ordering", STEPS),
    question("essay", name="Karangan"),
    question("stack", name="Rumus"),
)  # fmt: skip


def read(folder: Path, data: bytes) -> Draft:
    path = folder / "bank.xml"
    path.write_bytes(data)
    return check(moodle_xml.read(path))


def one(folder: Path, kind: str, body: str, **more: str) -> DraftQuestion:
    found = questions(read(folder, quiz(question(kind, body, **more))))
    assert len(found) == 1
    return found[0]


def test_a_bank_becomes_lessons_of_its_categories(tmp_path: Path) -> None:
    draft = read(tmp_path, ALL)
    assert [(lesson.module, lesson.title, len(lesson.questions)) for lesson in draft.lessons] == [
        ("Desa", "Kas", 3),
        ("Desa", "Hitung", 3),
    ]
    assert draft.lessons[1].html == "<p>Bacalah <b>ini</b>.</p>"
    assert draft.media["peta-desa.png"]() == PNG
    assert 'src="media:peta-desa.png" alt="peta"' in draft.lessons[0].questions[0].text
    built = build(draft, tmp_path / "course")
    assert "peta-desa.png" in {file.path for file in built.manifest.files}


def test_the_report_says_what_became_of_everything(tmp_path: Path) -> None:
    report = read(tmp_path, ALL).report
    assert report.taken == [
        "Soal dengan satu jawaban benar: 2.",
        "Soal isian: 1.",
        "Teks tanpa jawaban, yang menjadi bacaan: 1.",
        "Soal angka: 1.",
        "Soal menjodohkan: 1.",
        "Soal mengurutkan: 1.",
    ]
    assert report.changed == [
        "Tanggapan per jawaban yang digabung menjadi penjelasan soal: 1.",
        "Jawaban yang dulu bernilai sebagian dan kini dihitung salah: 1.",
        "Isian yang tidak lagi membedakan huruf besar dan kecil: 1.",
    ]
    assert report.left_out == [
        "Soal jenis essay yang tidak dapat dibawa: 1. Contoh: Karangan.",
        "Soal jenis stack yang tidak dapat dibawa: 1. Contoh: Rumus.",
    ]


@pytest.mark.parametrize(
    ("kind", "body", "fields"),
    [
        ("multichoice", CHOICE, {"kind": K.CHOICE, "choices": ("ya", "tidak"), "right": (0,)}),
        (
            "multichoice",
            "<single>false</single>" + answer(50, "a") + answer(-100, "b") + answer(33.33333, "c"),
            {"kind": K.MULTIPLE, "right": (0, 2)},
        ),
        ("multichoiceset", answer(100, "a") + answer(0, "b"), {"kind": K.MULTIPLE, "right": (0,)}),
        ("truefalse", TRUE, {"choices": ("Benar", "Salah"), "right": (0,)}),
        ("truefalse", answer(0, "true") + answer(100, "false"), {"right": (1,)}),
        ("truefalse", answer(100, "false") + answer(0, "true"), {"right": (1,)}),
        ("truefalse", answer(0, "Betul") + answer(100, "Keliru"), {"right": (1,)}),
        ("shortanswer", answer(100, "Kas") + answer(0, "*"), {"kind": K.TEXT, "accepted": ("Kas",)}),
        ("numerical", answer(100, "1500"), {"kind": K.NUMBER, "accepted": ("1500", "0")}),
        (
            "numerical",
            answer(100, "2.5", more="<tolerance>0.125</tolerance>"),
            {"accepted": ("2,5", "0,125")},
        ),
        (
            "match",
            PAIRS,
            {
                "kind": K.MATCHING,
                "choices": ("RKP", "RPJM"),
                "right": (0, 1),
                "targets": ("satu &lt; dua tahun", "delapan tahun", "sepuluh"),
            },
        ),
        ("ordering", STEPS, {"kind": K.ORDERING, "choices": ("pertama", "kedua", "ketiga"), "right": ()}),
    ],
)
def test_every_kind_of_question(kind: str, body: str, fields: dict[str, Any], tmp_path: Path) -> None:
    made = one(tmp_path, kind, body)
    assert {name: getattr(made, name) for name in fields} == fields


def test_a_unit_is_said_with_the_question(tmp_path: Path) -> None:
    units = "<units><unit><multiplier>1</multiplier><unit_name>m²</unit_name></unit></units>"
    made = one(tmp_path, "numerical", answer(100, "5") + units)
    assert made.text == "<p>Apa?</p><p>Satuan: m²</p>"
    assert made.accepted == ("5", "0")


@pytest.mark.parametrize(
    ("form", "html"),
    [
        ("markdown", "<strong>a</strong> &lt; b"),
        ("plain_text", "**a** &lt; b"),
        ("moodle_auto_format", "**a** &lt; b"),
        ("html", "**a** &lt; b"),
    ],
)
def test_a_text_says_how_it_is_written(form: str, html: str, tmp_path: Path) -> None:
    body = question("truefalse", TRUE).replace(
        text("questiontext", "<p>Apa?</p>"), text("questiontext", "**a** < b", form=form)
    )
    assert questions(read(tmp_path, quiz(body)))[0].text == html


def test_the_id_number_is_the_question_s_id_else_its_name(tmp_path: Path) -> None:
    assert one(tmp_path, "truefalse", TRUE, name="Soal Satu").id == "soal-satu"
    numbered = question("truefalse", TRUE).replace("<idnumber></idnumber>", "<idnumber>KAS-01</idnumber>")
    assert questions(read(tmp_path, quiz(numbered)))[0].id == "kas-01"


def test_one_picture_in_many_texts_is_one_file(tmp_path: Path) -> None:
    shown = '<img src="@@PLUGINFILE@@/a.png" alt="a">'
    body = question("truefalse", TRUE, html=shown, files=embedded("a.png"))
    other = question("truefalse", TRUE, html=shown, files=embedded("a.png", b"lain"))
    draft = read(tmp_path, quiz(body, body, other))
    assert {name: read_() for name, read_ in draft.media.items()} == {"a.png": PNG, "a-2.png": b"lain"}


def test_files_in_answers_and_the_old_kind_of_picture_come_along(tmp_path: Path) -> None:
    shown = '<img src="@@PLUGINFILE@@/b.png" alt="b">'
    choices = answer(100, shown, more=embedded("b.png")) + answer(0, "tidak")
    old = f"<image>lama.png</image><image_base64>{base64.b64encode(b'lama').decode()}</image_base64>"
    made = one(tmp_path, "multichoice", choices + old)
    assert made.choices[0] == '<img src="media:b.png" alt="b">'
    assert 'src="media:lama.png"' in made.text


def test_files_that_lessons_can_t_show_or_that_aren_t_there_are_named(tmp_path: Path) -> None:
    html = (
        '<a href="@@PLUGINFILE@@/a.docx">surat</a> <img src="@@PLUGINFILE@@/hilang.png" alt="hilang">'
        '<img src="@@PLUGINFILE@@/rusak.png" alt="rusak"> <script>alert(1)</script>'
    )
    broken = '<file name="rusak.png" path="/" encoding="base64">!!!</file>'
    draft = read(tmp_path, quiz(question("truefalse", TRUE, html=html, files=embedded("a.docx") + broken)))
    assert questions(draft)[0].text == "surat hilangrusak"
    assert not draft.media
    assert draft.report.left_out == [
        "Berkas jenis docx, yang tidak dapat ditampilkan materi: 1. Contoh: a.docx.",
        "Berkas yang disebut tetapi tidak ada dalam sumbernya: 2. Contoh: hilang.png; rusak.png.",
        "Skrip yang tidak dibawa: 1.",
    ]


def test_pictures_of_questions_that_stay_behind_stay_behind(tmp_path: Path) -> None:
    shown = '<img src="@@PLUGINFILE@@/a.png" alt="a">'
    lost = question("multichoice", answer(0, "a") + answer(0, "b"), html=shown, files=embedded("a.png"))
    draft = read(tmp_path, quiz(lost, question("truefalse", TRUE)))
    assert not draft.media


def test_hints_and_general_remarks_are_named(tmp_path: Path) -> None:
    more = text("correctfeedback", "Bagus") + text("incorrectfeedback", "Ulangi") + text("hint", "Ingat")
    heavy = question("multichoice", CHOICE + more).replace("1.0000000</defaultgrade>", "3</defaultgrade>")
    report = read(tmp_path, quiz(heavy)).report
    assert report.left_out == [
        "Soal tanpa tanggapan umumnya (benar, sebagian, salah): 1.",
        "Petunjuk (hint) yang tidak dibawa: 1.",
    ]
    assert "Soal yang dulu bobotnya bukan 1 dan kini sama dengan yang lain: 1." in report.changed


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (question("truefalse", ""), "tidak lengkap"),
        (question("truefalse", answer(0, "true") + answer(0, "false")), "tidak lengkap"),
        (question("multichoice", answer(100, "a") + answer(100, "b")), "dua jawaban benar"),
        (question("match", ""), "tidak lengkap"),
        (question("ordering", answer(1, "a")), "tidak lengkap"),
        (question("numerical", answer(100, "*")), "tanpa jawaban benar"),
        (question("numerical", answer(100, "nan")), "tanpa jawaban benar"),
        (question("multichoice", CHOICE, html=""), "tidak lengkap"),
        (question("multichoice", answer(float("nan"), "a") + answer(0, "b")), "tanpa jawaban benar"),
        (question("cloze[x"), "cloze[x"),
        ("<question><name/></question>", "jenis ?"),
    ],
)
def test_what_nobody_could_answer_is_named_with_the_reason(
    body: str, sentence: str, tmp_path: Path
) -> None:
    draft = read(tmp_path, quiz(body, question("truefalse", TRUE)))
    assert len(questions(draft)) == 1
    assert len(draft.report.left_out) == 1
    assert sentence in draft.report.left_out[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<quiz></quiz>",
        b"<other>" + question("truefalse", TRUE).encode() + b"</other>",
        ALL[:-20],
        b'<!DOCTYPE quiz [<!ENTITY x "y">]>' + ALL.partition(b"?>")[2],
        quiz(question("essay")),
    ],
)
def test_what_is_no_bank_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"bank\.xml"):
        read(tmp_path, data)
    with pytest.raises(PackError):
        moodle_xml.read(tmp_path)


def test_it_recognises_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    for data, is_xml in [(ALL, True), (b"<quizlet/>", False), (b"Apa?{T}", False), (b"\xff\xfe\0", False)]:
        path.write_bytes(data)
        assert moodle_xml.recognises(path) is is_xml
    assert not moodle_xml.recognises(tmp_path)


@MANY
@given(damaged(ALL))
def test_no_damage_brings_anything_but_a_refusal_or_a_draft(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(data)
    moodle_xml.recognises(path)
    try:
        check(moodle_xml.read(path))
    except PackError as problem:
        assert problem.sentence()


@MANY
@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_no_other_structure_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, dice: random.Random, changes: int
) -> None:
    root = ElementTree.fromstring(ALL)
    for _ in range(changes):
        elements = list(root.iter())
        one, other = dice.choice(elements), dice.choice(elements)
        match dice.randrange(5):
            case 0:
                one.tag, other.tag = other.tag, one.tag
            case 1:
                one.text, other.text = other.text, one.text
            case 2:
                one.attrib = dict(other.attrib)
            case 3:
                for child in list(one):
                    one.remove(child)
            case _:
                one.append(ElementTree.fromstring(ElementTree.tostring(other)))
    path = tmp_path / "a.xml"
    path.write_bytes(ElementTree.tostring(root))
    try:
        check(moodle_xml.read(path))
    except PackError as problem:
        assert problem.sentence()
