"""GIFT as Moodle reads it. The examples are those of its documentation, in other words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from foreign import build, check, damaged, questions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_packs.errors import PackError
from content_packs.importers import gift
from content_packs.importers.draft import Draft, DraftQuestion
from content_packs.questions import QuestionKind as K

ALL: Final = r"""// Bank soal desa
$CATEGORY: $course$/top/Desa/Kas

::Ibu kota::Apa ibu kota Indonesia?{~Bandung#Itu Jawa Barat. =Jakarta ~Surabaya ####Lihat peta.}

Uang desa disimpan di {~rumah =rekening kas desa} setiap hari.

Matahari terbit di timur.{TRUE#Salah lihat.#Tepat.}

Siapa memimpin desa?{=Kepala Desa =%50%Kades}

$CATEGORY: $course$/top/Desa/Rencana

[markdown]Dua yang **benar**? {
    ~%-50%satu
    ~%50%*dua*

    ~%50%tiga
}

Jodohkan. {
    =RPJM Desa -> enam tahun
    =RKP Desa -> satu tahun
}

Berapa pi? {#3.1415:0.0005}

Tulis pendapat Anda. {}

Ini hanya teks untuk dibaca.
"""
MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def read(folder: Path, text: str | bytes, name: str = "bank_soal.gift") -> Draft:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return check(gift.read(path))


def one(text: str) -> DraftQuestion:
    found, report = gift.questions_in(text)
    assert len(found) == 1, report
    return found[0]


def test_a_bank_becomes_lessons_of_its_categories(tmp_path: Path) -> None:
    draft = read(tmp_path, ALL)
    assert draft.title == "bank soal"
    assert [(lesson.module, lesson.title, len(lesson.questions)) for lesson in draft.lessons] == [
        ("Desa", "Kas", 4),
        ("Desa", "Rencana", 3),
    ]
    assert draft.lessons[1].html == "<p>Ini hanya teks untuk dibaca.</p>"
    manifest = build(draft, tmp_path / "course").manifest
    assert sum(len(lesson.question_ids) for lesson in manifest.lessons) == 7


def test_the_report_says_what_became_of_everything(tmp_path: Path) -> None:
    report = read(tmp_path, ALL).report
    assert report.taken == [
        "Soal dengan satu jawaban benar: 3.",
        "Soal isian: 1.",
        "Soal dengan beberapa jawaban benar: 1.",
        "Soal menjodohkan: 1.",
        "Soal angka: 1.",
        "Teks tanpa jawaban, yang menjadi bacaan: 1.",
    ]
    assert report.left_out == ["Soal jenis essay yang tidak dapat dibawa: 1. Contoh: Tulis pendapat Anda.."]
    assert "Jawaban yang dulu bernilai sebagian dan kini dihitung salah: 1." in report.changed


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("q{~a =b ~c}", {"kind": K.CHOICE, "choices": ("a", "b", "c"), "right": (1,)}),
        ("q{=%100%a ~%50%b}", {"choices": ("a", "b"), "right": (0,)}),
        ("q{T}", {"choices": ("Benar", "Salah"), "right": (0,)}),
        ("q{FALSE}", {"choices": ("Benar", "Salah"), "right": (1,)}),
        ("q{~%50%a ~%50%b ~c}", {"kind": K.MULTIPLE, "right": (0, 1)}),
        ("q{~%100%a ~%-100%b}", {"kind": K.MULTIPLE, "right": (0,)}),
        ("q{=satu =dua}", {"kind": K.TEXT, "accepted": ("satu", "dua")}),
        ("q{satu}", {"kind": K.TEXT, "accepted": ("satu",)}),
        ("q{=a->b =c -> d}", {"kind": K.MATCHING, "choices": ("a", "c"), "targets": ("b", "d")}),
        ("q{=a->b =c->b =->e}", {"right": (0, 0), "targets": ("b", "e")}),
        ("q{#1945}", {"kind": K.NUMBER, "accepted": ("1945", "0")}),
        ("q{#3.142:0.0005}", {"accepted": ("3,142", "0,0005")}),
        ("q{#-2..2}", {"accepted": ("0", "2")}),
        ("q{#3.141..3.142}", {"accepted": ("3,1415", "0,0005")}),
        ("q{#=1822:0 =%50%1822:2 ~#lain}", {"accepted": ("1822", "0")}),
        ("uang {=kas} desa", {"text": "uang _____ desa"}),
        ("q?{=a ~b}.", {"text": "q?_____."}),
    ],
)
def test_every_kind_of_question(text: str, fields: dict[str, Any]) -> None:
    question = one(text)
    assert {name: getattr(question, name) for name in fields} == fields


def test_a_number_with_three_digits_after_the_point_isn_t_thousands() -> None:
    # An Indonesian reads 3.142 as three thousand and more.
    assert one("pi?{#3.142}").accepted[0] == "3,142"


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        (r"\= 5", "= 5"),
        (r"\~\#\{\}\:", "~#{}:"),
        (r"C:\\berkas", "C:\\berkas"),
        (r"baris\nbaru", "baris<br>\nbaru"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("a <b>tebal</b>", "a <b>tebal</b>"),
        (r"\(x^2\)", r"\(x^2\)"),
    ],
)
def test_what_a_backslash_takes_the_meaning_of_is_text(text: str, choice: str) -> None:
    assert one(f"q{{~{text} =lain}}").choices[0] == choice


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[html]<i>q</i> a", "<i>q</i> a"),
        ("[markdown]*q* a", "<em>q</em> a"),
        ("[plain]*q* <i>a</i>", "*q* &lt;i&gt;a&lt;/i&gt;"),
        ("[moodle]q", "q"),
        ("[lain]q", "[lain]q"),
    ],
)
def test_a_text_says_how_it_is_written(text: str, html: str) -> None:
    assert one(f"{text}{{T}}").text == html


def test_answers_are_written_as_their_question_unless_they_say_so() -> None:
    assert one("[markdown]q{~*a* =[plain]*b*}").choices == ("<em>a</em>", "*b*")


def test_remarks_become_the_explanation() -> None:
    question = one("q{~a#salah =b#betul ####umum}")
    assert question.explanation == "<p>umum</p>\n<p>a: salah</p>\n<p>b: betul</p>"
    assert one("q{F#bukan#ya}").explanation == "<p>Benar: bukan</p>\n<p>Salah: ya</p>"
    assert one("q{#5#tepat ~#jauh}").explanation == "<p>5: tepat</p>\n<p>Jawaban lain: jauh</p>"
    assert one("q{=x\\<y#ya}").explanation == "<p>x\\&lt;y: ya</p>"


def test_a_title_is_the_id_of_its_question() -> None:
    assert one("::Q1\\: Kas Desa:: Apa?{T}").id == "q1-kas-desa"
    assert one("Apa?{T}").id == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("q{}", "essay"),
        ("q{####hanya penjelasan}", "essay"),
        ("q{~a ~b}", "tanpa jawaban benar"),
        ("q{=a =b ~c}", "dua jawaban benar"),
        ("q{=a ~a}", "dua pilihan yang sama"),
        ("q{~satu}", "tidak lengkap"),
        ("{=a ~b}", "tidak lengkap"),
        ("q{=a->b =c}", "tidak dapat dibaca"),
        ("q{=a->b =c->}", "tidak lengkap"),
        ("q{#1 =2}", "beberapa jawaban benar"),
        ("q{#satu}", "tanpa jawaban benar"),
        ("q{#1e999999999}", "tanpa jawaban benar"),
        ("q{=*}", "tanpa jawaban benar"),
        ("q{=???}", "tanpa jawaban benar"),
        ("q}{", "tidak dapat dibaca"),
        ("q{=a ~b", "tidak dapat dibaca"),
        ("q{" + " ".join(f"~{number}" for number in range(12)) + " =x}", "lebih dari 12"),
    ],
)
def test_what_nobody_could_answer_is_named_with_the_reason(text: str, sentence: str) -> None:
    found, report = gift.questions_in(f"{text}\n\nBaik?{{T}}")
    assert [question.text for question in found] == ["Baik?"]
    assert len(report.left_out) == 1
    assert sentence in report.left_out[0]


def test_a_pattern_isn_t_an_answer_that_can_be_typed() -> None:
    found, report = gift.questions_in("q{=merah =*biru* =bintang \\*}")
    assert found[0].accepted == ("merah", "bintang *")
    assert report.left_out == [
        "Jawaban isian dengan tanda bintang, atau yang tidak dapat diketik: 1. Contoh: q."
    ]


def test_pictures_that_no_village_can_load_are_named() -> None:
    found, report = gift.questions_in('[html]<img src\\="https\\://a.b/c.png" alt\\="peta"> q{T}')
    assert found[0].text == "peta q"
    assert any("internet" in sentence for sentence in report.left_out)


def test_a_picture_in_the_text_itself_comes_along_in_a_course_and_not_in_a_lesson_file(
    tmp_path: Path,
) -> None:
    text = '[html]<img src\\="data\\:image/png;base64,iVBORw0KGgo\\=" alt\\="x"> q{T}'
    draft = read(tmp_path, text)
    assert {name: read_() for name, read_ in draft.media.items()} == {"gambar.png": b"\x89PNG\r\n\x1a\n"}
    found, report = gift.questions_in(text)
    assert "media:" not in found[0].text
    assert "Gambar di dalam soal yang tidak dibawa: 1." in report.left_out


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_files_of_every_editor_are_read(code: str, ending: str, tmp_path: Path) -> None:
    draft = read(tmp_path, ALL.replace("\n", ending).encode(code))
    assert len(questions(draft)) == 7


@pytest.mark.parametrize("data", [b"", b"\xff\xff{T}", b"a\0b{T}", b"hanya teks", b"q{}"])
def test_what_holds_no_question_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"bank_soal\.gift"):
        read(tmp_path, data)
    with pytest.raises(PackError):
        gift.read(tmp_path)


def test_a_file_of_absurd_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="terlalu besar"):
        read(tmp_path, b"q{T}\n\n" * 400_000)


def test_more_questions_than_a_lesson_holds_become_several(tmp_path: Path) -> None:
    draft = read(tmp_path, "\n\n".join(f"q{number}{{T}}" for number in range(450)))
    assert [(lesson.title, len(lesson.questions)) for lesson in draft.lessons] == [
        ("bank soal", 200),
        ("bank soal (2)", 200),
        ("bank soal (3)", 50),
    ]


def test_it_recognises_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for text, is_gift in [
        (ALL, True),
        ("Apa?\nA. a\nB. b\nANSWER: A\n", False),
        ('<quiz><question type="x"/></quiz>', False),
        ('{"a": "="}', False),
        ("teks biasa {kurung} saja", False),
        ("", False),
    ]:
        path.write_text(text)
        assert gift.recognises(path) is is_gift
    path.write_bytes(bytes(range(256)))
    assert not gift.recognises(path)
    assert not gift.recognises(tmp_path)
    assert not gift.recognises(tmp_path / "tidak-ada")


# Laws

words = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc", "Zl", "Zp"])
    | st.sampled_from(list("~=#{}:\\&<>*[]%$-/\n")),
    min_size=1,
    max_size=20,
).filter(lambda text: text.strip() != "")


def escaped(text: str) -> str:
    """As Moodle exports it."""
    for char in "\\~=#{}:":
        text = text.replace(char, "\\" + char)
    return text.replace("\n", "\\n")


@given(words, st.lists(words, min_size=2, max_size=6), st.data())
def test_what_an_exporter_wrote_is_read_as_it_was(
    text: str, choices: list[str], data: st.DataObject
) -> None:
    right = data.draw(st.integers(0, len(choices) - 1))
    lines = [f"{'=' if at == right else '~'}[plain]{escaped(one)}" for at, one in enumerate(choices)]
    found, report = gift.questions_in(f"::judul::[plain]{escaped(text)}{{\n" + "\n".join(lines) + "\n}\n")
    plain = [gift.html_of(choice, gift.Format.PLAIN) for choice in choices]
    if len(set(plain)) < len(plain):
        assert not found
        assert report.left_out
    else:
        assert found[0].text == gift.html_of(text, gift.Format.PLAIN)
        assert (found[0].choices, found[0].right) == (tuple(plain), (right,))


@MANY
@given(damaged(ALL.encode()))
def test_no_damage_brings_anything_but_a_refusal_or_a_draft(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.gift"
    path.write_bytes(data)
    gift.recognises(path)
    try:
        check(gift.read(path))
    except PackError as problem:
        assert problem.sentence()


@given(st.text(st.sampled_from(list("~=#{}:\\%*-> .1aT\n[]$/")), max_size=80))
def test_no_text_of_marks_brings_anything_but_questions(text: str) -> None:
    found, report = gift.questions_in(text)
    check(Draft("x", report=report))
    assert all(question.text for question in found)
