"""Moodle backups: the course in its order, every file, and nobody who was in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import moodle_course as moodle
import pytest
from foreign import SAMPLES, build, check, damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moodle_course import EMAIL, NULL, PERSON, PNG, VTT, Course, tarred, zipped

from content_packs.errors import PackError
from content_packs.importers import moodle_backup
from content_packs.importers.draft import Draft, DraftLesson
from content_packs.questions import QuestionKind as K

MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
PAGE: Final = "<p>Isi. <img src='@@PLUGINFILE@@/alur%20kas.png' alt='alur'></p>"


def page(html: str = "<p>Isi.</p>") -> str:
    return f"<content>{escape(html)}</content><contentformat>1</contentformat>"


def chapter(id_: int, title: str, html: str, subchapter: int = 0, hidden: int = 0) -> str:
    return (
        f'<chapter id="{id_}"><pagenum>{id_}</pagenum><subchapter>{subchapter}</subchapter><title>{title}</title>'
        f"<content>{escape(html)}</content><contentformat>1</contentformat><hidden>{hidden}</hidden></chapter>"
    )


def lesson_page(
    id_: int, after: int, before: int, kind: int, html: str, *answers: tuple[str, str, str]
) -> str:
    """`answers` are (text, where it leads, what is said)."""
    listed = "".join(
        f'<answer id="{id_ * 10 + number}"><jumpto>{jump}</jumpto><score>0</score>'
        f"<answer_text>{escape(text) or NULL}</answer_text><response>{escape(said) or NULL}</response>"
        f"<attempts><attempt><userid>7</userid><useranswer>{PERSON}</useranswer></attempt></attempts></answer>"
        for number, (text, jump, said) in enumerate(answers)
    )
    return (
        f'<page id="{id_}"><prevpageid>{after}</prevpageid><nextpageid>{before}</nextpageid><qtype>{kind}</qtype>'
        f"<qoption>0</qoption><title>Halaman {id_}</title><contents>{escape(html)}</contents>"
        f"<contentsformat>1</contentsformat><answers>{listed}</answers></page>"
    )


LESSON: Final = "<custom>0</custom><pages>" + "".join(
    [
        # Stored in another order than they follow one another.
        lesson_page(3, 2, 4, 20, "<p>Lalu ini.</p>", ("Terus", "-1", "")),
        lesson_page(1, 0, 2, 20, "<p>Mula-mula ini.</p>", ("Terus", "-1", "")),
        lesson_page(2, 1, 3, 3, "<p>Mana?</p>", ("<p>ini</p>", "-1", "betul"), ("<p>itu</p>", "0", "bukan")),
        lesson_page(4, 3, 5, 2, "<p>Benarkah?</p>", ("Ya", "0", ""), ("Tidak", "-9", "")),
        lesson_page(5, 4, 6, 8, "<p>Berapa?</p>", ("2:3", "-1", ""), ("9", "0", "")),
        lesson_page(6, 5, 7, 5, "<p>Pasangkan</p>", ("", "-1", ""), ("", "0", ""), ("a", "0", "b"), ("c", "0", "d")),
        lesson_page(7, 6, 8, 1, "<p>Tulis</p>", ("Kas", "-1", ""), ("*", "0", "")),
        lesson_page(8, 7, 0, 10, "<p>Karang</p>"),
    ]
) + "</pages>"  # fmt: skip


def whole(old: bool = False) -> dict[str, bytes]:
    """A course with everything that comes along, and with what doesn't."""
    course = Course()
    course.activity(1, "label", "Salam", intro="<p>Selamat datang.</p>")
    first = course.activity(1, "page", "Buku kas", page(PAGE), intro="<p>Bacalah.</p>")
    book = course.activity(
        1,
        "book",
        "Panduan",
        "<chapters>"
        + chapter(2, "Kedua", "<p>Dua</p>")
        + chapter(1, "Pertama", '<p>Satu</p><img src="@@PLUGINFILE@@/bab/1.png" alt="bab">')
        + chapter(3, "Anak", "<p>Tiga</p>", subchapter=1)
        + chapter(4, "Rahasia", "<p>Empat</p>", hidden=1)
        + "</chapters>",
    )
    course.activity(1, "forum", "Diskusi", f"<discussions><post>{PERSON}</post></discussions>")
    course.activity(
        2, "url", "Situs Kemendesa", "<externalurl>https://kemendesa.go.id/x?a=1&amp;b=2</externalurl>"
    )
    course.activity(2, "url", "Situs lama", "<externalurl>http://contoh.id/</externalurl>")
    document = course.activity(2, "resource", "Perdes contoh")
    site = course.activity(2, "resource", "Situs mini")
    folder = course.activity(2, "folder", "Lampiran")
    course.activity(2, "lesson", "Latihan bertahap", LESSON)
    course.activity(2, "page", "Tersembunyi", page(), settings="<visible>0</visible>")
    before = course.activity(3, "quiz", "Pre-test", moodle.quiz_body(old))
    last = course.activity(
        3, "quiz", "Ujian akhir", moodle.quiz_body(old, time_limit=600), intro="<p>Siap?</p>"
    )
    course.add(f"activities/quiz_{before}/grades.xml", moodle.grades(4))
    course.add(f"activities/quiz_{last}/grades.xml", moodle.grades(7.5))
    course.section(2, "", "")
    course.section(1, "Dasar", '<p>Tentang <a href="$@PAGEVIEWBYID*2@$">kas</a></p>')
    course.section(3, "Tes")
    course.section(4, "Arsip", "<p>Lama</p>", visible=0)
    course.add("questions.xml", f"<question_categories>{moodle.bank(old)}</question_categories>")
    course.store("mod_page", "content", "alur kas.png", PNG, first)
    course.store("mod_book", "chapter", "1.png", PNG, book, 1, "/bab/")
    course.store("mod_resource", "content", "Perdes.PDF", b"%PDF", document)
    course.store(
        "mod_resource", "content", "index.html", b"<h1>Situs</h1><img src='x/a.png' alt='A'>", site
    )
    course.store("mod_folder", "content", "rekaman.mp4", b"mp4", folder)
    course.store("mod_folder", "content", "hitung.xlsx", b"xlsx", folder)
    course.store("user", "draft", "foto.png", b"wajah", 7)
    return course.finished()


def read(
    folder: Path, files: Mapping[str, bytes], packed: Callable[[Mapping[str, bytes]], bytes] = zipped
) -> Draft:
    path = folder / "cadangan.mbz"
    path.write_bytes(packed(files))
    return check(moodle_backup.read(path))


def lesson_of(draft: Draft, title: str) -> DraftLesson:
    return next(lesson for lesson in draft.lessons if lesson.title == title)


@pytest.mark.parametrize("packed", [zipped, tarred])
def test_a_course_comes_in_its_order(
    packed: Callable[[Mapping[str, bytes]], bytes], tmp_path: Path
) -> None:
    draft = read(tmp_path, whole(), packed)
    assert [(lesson.module, lesson.title) for lesson in draft.lessons] == [
        ("Dasar", "Buku kas"),
        ("Dasar", "Panduan: Pertama"),
        ("Dasar", "Panduan: Kedua"),
        ("Topik 2", "Perdes contoh"),
        ("Topik 2", "Situs mini"),
        ("Topik 2", "Lampiran"),
        ("Topik 2", "Latihan bertahap (1)"),
        ("Topik 2", "Latihan bertahap (2)"),
        ("Tes", "Pre-test"),
        ("Tes", "Ujian akhir"),
    ]
    assert (draft.title, draft.id, draft.summary, draft.language) == (
        "Kas Desa",
        "KAS-1",
        "Untuk bendahara",
        "id",
    )


@pytest.mark.parametrize("old", [False, True], ids=["moodle-4", "moodle-3"])
def test_every_question_of_a_quiz_comes_in_its_place(old: bool, tmp_path: Path) -> None:
    draft = read(tmp_path, whole(old))
    quiz = lesson_of(draft, "Ujian akhir")
    assert quiz.html == "<p>Siap?</p>\n<p>Apa?</p>"
    found = [
        (one.id, one.kind, one.choices or one.accepted, one.right, one.targets) for one in quiz.questions
    ]
    assert found == [
        ("soal-10", K.CHOICE, ("ya", "tidak"), (0,), ()),
        ("soal-11", K.CHOICE, ("Benar", "Salah"), (0,), ()),
        ("soal-12", K.NUMBER, ("2,5", "0,25"), (), ()),
        ("soal-13", K.MATCHING, ("RKP", "RPJM"), (0, 1), ("satu tahun", "delapan tahun")),
        ("soal-14", K.TEXT, ("APB Desa",), (), ()),
        ("soal-15", K.ORDERING, ("pertama", "kedua"), (), ()),
    ]


def test_what_the_importer_says_itself_is_in_the_course_s_language(tmp_path: Path) -> None:
    files = whole()
    files["course/course.xml"] = files["course/course.xml"].replace(b"<lang>id<", b"<lang>en_us<")
    draft = read(tmp_path, files)
    assert draft.language == "en"
    assert lesson_of(draft, "Ujian akhir").questions[1].choices == ("True", "False")
    assert "Topic 2" in {lesson.module for lesson in draft.lessons}


def test_the_quizzes_before_and_after_are_the_tests(tmp_path: Path) -> None:
    draft = read(tmp_path, whole())
    assert (lesson_of(draft, "Pre-test").role, lesson_of(draft, "Ujian akhir").role) == (
        "pretest",
        "posttest",
    )
    assert (draft.passing_grade, draft.attempts) == (75, 2)


def test_a_test_without_a_passing_grade_says_that_it_became_seventy(tmp_path: Path) -> None:
    files = {name: data for name, data in whole().items() if not name.endswith("grades.xml")}
    draft = read(tmp_path, files)
    assert draft.passing_grade == 70
    assert "Nilai lulus yang tidak disebut dan menjadi 70: 1." in draft.report.changed


def test_the_report_says_what_became_of_everything(tmp_path: Path) -> None:
    report = read(tmp_path, whole()).report
    assert report.taken == [
        "Bagian (topik): 3.",
        "Label: 1.",
        "Halaman: 1.",
        "Bab buku: 3.",
        "Tautan: 1.",
        "Berkas: 2.",
        "Folder: 1.",
        "Pelajaran (lesson): 1.",
        "Soal dengan satu jawaban benar: 4.",
        "Soal angka: 2.",
        "Soal menjodohkan: 2.",
        "Soal isian: 2.",
        "Soal mengurutkan: 1.",
        "Teks tanpa jawaban, yang menjadi bacaan: 2.",
        "Kuis: 2.",
    ]
    assert report.left_out == [
        "Tautan yang bukan https dan tidak dibawa, hanya tulisannya: 1.",
        "Bagian tersembunyi yang tidak dibawa: 1. Contoh: Arsip.",
        "Bab buku yang tersembunyi: 1. Contoh: Rahasia.",
        "Kegiatan jenis forum yang tidak dibawa: 1. Contoh: Diskusi.",
        "Tautan yang bukan https dan tidak dibawa: 1. Contoh: Situs lama.",
        "Berkas yang disebut tetapi tidak ada dalam sumbernya: 1. Contoh: x/a.png.",
        "Berkas jenis xlsx, yang tidak dapat ditampilkan materi: 1. Contoh: hitung.xlsx.",
        "Soal jenis essay yang tidak dapat dibawa: 2. Contoh: Halaman 8; Soal 17.",
        "Kegiatan tersembunyi yang tidak dibawa: 1. Contoh: Tersembunyi.",
        "Soal tanpa tanggapan umumnya (benar, sebagian, salah): 1.",
        "Batas waktu kuis: 1. Contoh: Ujian akhir.",
        "Nilai lulus kuis yang bukan tes akhir: 1.",
        "Soal bank yang tidak dipakai kuis mana pun: 1.",
        "Blok di tepi halaman: 1.",
        "Berkas cadangan tentang orang, nilai dan catatan, yang tidak dibaca: 2.",
    ]


def test_what_introduces_an_activity_stands_above_it(tmp_path: Path) -> None:
    draft = read(tmp_path, whole())
    assert lesson_of(draft, "Buku kas").html == (
        "<p>Tentang kas</p>\n<p>Selamat datang.</p>\n<p>Bacalah.</p>\n"
        '<p>Isi. <img src="media:alur-kas.png" alt="alur"></p>'
    )
    assert lesson_of(draft, "Perdes contoh").html == (
        '<p><a href="https://kemendesa.go.id/x?a=1&amp;b=2">Situs Kemendesa</a></p>\n'
        '<p><img src="media:perdes.pdf" alt="Perdes contoh"></p>'
    )


def test_long_introductions_and_last_words_are_lessons(tmp_path: Path) -> None:
    course = Course()
    course.activity(1, "label", "Panjang", intro=f"<p>{'kata ' * 60}</p>")
    course.activity(1, "page", "Isi", page())
    course.activity(1, "label", "Akhir", intro="<p>Selesai.</p>")
    course.section(1, "Satu")
    draft = read(tmp_path, course.finished())
    assert [lesson.title for lesson in draft.lessons] == ["Satu", "Isi", "Satu"]
    assert draft.lessons[2].html == "<p>Selesai.</p>"


def test_chapters_hold_their_subchapters(tmp_path: Path) -> None:
    draft = read(tmp_path, whole())
    assert lesson_of(draft, "Panduan: Pertama").html == (
        '<p>Satu</p><img src="media:alur-kas.png" alt="bab">'
    ), "the same picture as on the page"
    assert lesson_of(draft, "Panduan: Kedua").html == "<p>Dua</p>\n<h2>Anak</h2>\n<p>Tiga</p>"


def test_pages_of_a_lesson_follow_one_another_and_questions_what_was_read(tmp_path: Path) -> None:
    draft = read(tmp_path, whole())
    first, second = (lesson_of(draft, f"Latihan bertahap ({number})") for number in (1, 2))
    assert first.html == "<h2>Halaman 1</h2>\n<p>Mula-mula ini.</p>"
    assert second.html == "<h2>Halaman 3</h2>\n<p>Lalu ini.</p>"
    assert [(one.choices, one.right, one.explanation) for one in first.questions] == [
        (("ini", "itu"), (0,), "<p>ini: betul</p>\n<p>itu: bukan</p>")
    ]
    assert [
        (one.kind, one.choices or one.accepted, one.right, one.targets) for one in second.questions
    ] == [
        (K.CHOICE, ("Ya", "Tidak"), (1,), ()),
        (K.NUMBER, ("2,5", "0,5"), (), ()),
        (K.MATCHING, ("a", "c"), (0, 1), ("b", "d")),
        (K.TEXT, ("Kas",), (), ()),
    ]


def lesson_with(folder: Path, *pages: str) -> Draft:
    course = Course()
    course.activity(1, "lesson", "Bertahap", f"<custom>0</custom><pages>{''.join(pages)}</pages>")
    return read(folder, course.finished())


def test_only_ways_that_part_are_called_branches(tmp_path: Path) -> None:
    onward = ("Terus", "-1", ""), ("Lagi", "2", ""), ("Kembali", "-40", ""), ("Ulang", "0", "")
    last = lesson_page(2, 1, 3, 20, "b", ("Awal", "1", ""), ("Selesai", "-9", ""))
    straight = lesson_with(tmp_path, lesson_page(1, 0, 2, 20, "a", *onward), last)
    assert not straight.report.changed
    apart = lesson_with(
        tmp_path,
        lesson_page(1, 0, 2, 20, "a", ("Camat", "2", ""), ("Kades", "3", "")),
        last,
        lesson_page(3, 2, 0, 20, "c"),
    )
    assert apart.report.changed == [
        "Percabangan pelajaran Moodle yang menjadi urutan lurus: 1. Contoh: Halaman 1."
    ]


def test_a_lesson_of_many_long_pages_becomes_several(tmp_path: Path) -> None:
    draft = lesson_with(
        tmp_path,
        *(lesson_page(id_, id_ - 1, id_ + 1, 20, f"<p>{'kata ' * 3000}</p>") for id_ in range(1, 5)),
    )
    assert [lesson.title for lesson in draft.lessons] == ["Bertahap (1)", "Bertahap (2)"]


def test_files_can_be_read_when_the_backup_is_gone(tmp_path: Path) -> None:
    for packed in (zipped, tarred):
        draft = read(tmp_path, whole(), packed)
        (tmp_path / "cadangan.mbz").unlink()
        assert {name: read_() for name, read_ in draft.media.items()} == {
            "alur-kas.png": PNG,
            "perdes.pdf": b"%PDF",
            "rekaman.mp4": b"mp4",
        }


def test_a_web_page_of_files_shows_its_own(tmp_path: Path) -> None:
    course = Course()
    site = course.activity(1, "resource", "Situs")
    html = '<h1>A</h1><img src="../gambar/b%20c.png?v=1" alt="b"><a href="dua.html#x">lagi</a>'
    course.store("mod_resource", "content", "index.html", html.encode(), site, path="/isi/")
    course.store("mod_resource", "content", "dua.html", b"<p>dua</p>", site, path="/isi/")
    course.store("mod_resource", "content", "b c.png", PNG, site, path="/gambar/")
    draft = read(tmp_path, course.finished())
    assert draft.lessons[0].html == '<h2>A</h2><img src="media:b-c.png" alt="b">lagi'
    assert any("jenis html" in sentence for sentence in draft.report.left_out)


def test_a_video_brings_its_subtitles(tmp_path: Path) -> None:
    course = Course()
    html = (
        '<video controls title="Kas"><source src="@@PLUGINFILE@@/kas.mp4">'
        '<track src="@@PLUGINFILE@@/kas%20(id).vtt">@@PLUGINFILE@@/kas.mp4</video>'
    )
    module = course.activity(1, "page", "Video", page(html))
    course.store("mod_page", "content", "kas.mp4", b"mp4", module)
    course.store("mod_page", "content", "kas (id).vtt", VTT, module)
    draft = read(tmp_path, course.finished())
    assert draft.lessons[0].html == '<img src="media:kas.mp4" alt="Kas">'
    assert draft.media["kas.vtt"]() == VTT


@pytest.mark.parametrize("old", [False, True])
def test_nobody_who_was_in_the_course_is_in_the_draft(old: bool, tmp_path: Path) -> None:
    draft = read(tmp_path, whole(old))
    build(draft, tmp_path / "course")
    written = b"".join(path.read_bytes() for path in (tmp_path / "course").iterdir())
    told = f"{draft!r}".encode() + written
    for secret in (PERSON, EMAIL, "wajah"):
        assert secret.encode() not in told


def test_what_was_imported_builds(tmp_path: Path) -> None:
    manifest = build(read(tmp_path, whole()), tmp_path / "course").manifest
    assert [(module.title, module.lessons) for module in manifest.modules] == [
        ("Dasar", 3),
        ("Topik 2", 5),
        ("Tes", 2),
    ]
    assert manifest.passing_grade == 75
    assert {file.path for file in manifest.files} >= {"alur-kas.png", "perdes.pdf", "rekaman.mp4"}


# Questions by chance


def random_place(condition: str) -> str:
    return (
        f"<question_instance id='90'><slot>90</slot><question_set_reference id='1'>"
        f"<filtercondition>{escape(condition)}</filtercondition></question_set_reference></question_instance>"
    )


@pytest.mark.parametrize(
    "condition",
    [
        '{"questioncategoryid":"5","includingsubcategories":"0"}',
        '{"filter":{"category":{"jointype":1,"values":[5],"filteroptions":{"includesubcategories":true}}}}',
    ],
)
def test_a_question_by_chance_becomes_one_of_its_category(condition: str, tmp_path: Path) -> None:
    course = Course()
    course.activity(1, "quiz", "Kuis", moodle.quiz_body(False, random_place(condition)))
    course.add("questions.xml", f"<question_categories>{moodle.bank(False)}</question_categories>")
    draft = read(tmp_path, course.finished())
    assert draft.lessons[0].questions[-1].id == "soal-18"
    assert "Soal acak yang kini soal tetap dari kategorinya: 1." in draft.report.changed
    assert not any("tidak dipakai kuis" in sentence for sentence in draft.report.left_out)


def test_moodle_3_s_question_by_chance_too(tmp_path: Path) -> None:
    course = Course()
    chance = moodle.bank_question(50, "random", "", "0")
    place = "<question_instance id='90'><slot>90</slot><questionid>50</questionid></question_instance>"
    course.activity(1, "quiz", "Kuis", moodle.quiz_body(True, place, place.replace(">90<", ">91<")))
    course.add("questions.xml", f"<question_categories>{moodle.bank(True, chance)}</question_categories>")
    draft = read(tmp_path, course.finished())
    assert draft.lessons[0].questions[-1].id == "soal-18"
    assert "Soal kuis yang tidak ada dalam cadangan ini: 1. Contoh: Kuis." in draft.report.left_out


@pytest.mark.parametrize(
    "condition", ["", "{", "[]", "5", '{"filter":{}}', "[" * 5000, '{"questioncategoryid":[]}']
)
def test_a_place_that_no_question_fills_is_named(condition: str, tmp_path: Path) -> None:
    course = Course()
    course.activity(1, "quiz", "Kuis", moodle.quiz_body(False, random_place(condition)))
    course.add("questions.xml", f"<question_categories>{moodle.bank(False)}</question_categories>")
    draft = read(tmp_path, course.finished())
    assert "Soal kuis yang tidak ada dalam cadangan ini: 1. Contoh: Kuis." in draft.report.left_out


def test_a_quiz_can_ask_for_an_older_version(tmp_path: Path) -> None:
    course = Course()
    place = (
        "<question_instance id='1'><slot>1</slot><question_reference id='1'><questionbankentryid>110"
        "</questionbankentryid><version>1</version></question_reference></question_instance>"
    )
    course.activity(1, "quiz", "Kuis", f"<question_instances>{place}</question_instances>")
    course.add("questions.xml", f"<question_categories>{moodle.bank(False)}</question_categories>")
    assert read(tmp_path, course.finished()).lessons[0].questions[0].text == "Dulu?"


# Other backups, and none


def test_a_backup_of_one_activity_has_its_name(tmp_path: Path) -> None:
    course = Course()
    course.activity(1, "page", "Buku kas", page())
    assert read(tmp_path, course.finished("activity")).title == "Buku kas"


def test_a_real_backup_is_read(tmp_path: Path) -> None:
    sample = SAMPLES / "STACK-syntax-quiz.mbz"
    if not sample.exists():
        pytest.skip("the real samples aren't on this machine")
    draft = check(moodle_backup.read(sample))
    assert moodle_backup.recognises(sample)
    assert [(lesson.title, lesson.questions) for lesson in draft.lessons] == [("Stack Syntax Quiz", [])]
    assert "an algebraic expression" in draft.lessons[0].html
    assert any("jenis stack yang tidak dapat dibawa: 9." in sentence for sentence in draft.report.left_out)
    build(draft, tmp_path / "course")


def test_it_recognises_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.mbz"
    for data, is_backup in [
        (zipped(whole()), True),
        (tarred(whole()), True),
        (zipped({"imsmanifest.xml": b""}), False),
        (tarred({})[:-30], True),
        (b"\x1f\x8b", False),
        (b"", False),
        (b"Apa?{T}", False),
    ]:
        path.write_bytes(data)
        assert moodle_backup.recognises(path) is is_backup
    assert not moodle_backup.recognises(tmp_path)
    assert not moodle_backup.recognises(tmp_path / "tidak-ada")


def without(name: str, content: bytes = b"") -> dict[str, bytes]:
    files = {**whole(), name: content}
    return {one: data for one, data in files.items() if data}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (without("moodle_backup.xml"), "bukan cadangan"),
        (without("moodle_backup.xml", b"<x/>"), "bukan cadangan"),
        (without("moodle_backup.xml", b"<moodle_backup>"), "bukan XML"),
        (without("questions.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "entitas"),
        (Course().finished(), "tidak berisi bahan"),
    ],
)
def test_what_is_no_backup_is_refused(files: dict[str, bytes], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(PackError, match=sentence):
        read(tmp_path, files)


def test_empty_activities_and_their_conditions_are_named(tmp_path: Path) -> None:
    course = Course()
    course.activity(1, "page", "Isi", page())
    course.activity(
        1, "page", "Kosong", page(""), settings="<visible>1</visible><completion>2</completion>"
    )
    report = read(tmp_path, course.finished()).report
    assert report.left_out[:2] == [
        "Kegiatan yang kosong: 1. Contoh: Kosong.",
        "Syarat akses atau penyelesaian kegiatan: 1.",
    ]


def test_a_backup_lacks_what_its_list_names(tmp_path: Path) -> None:
    for name in ("files.xml", "questions.xml", "course/course.xml", "activities/page_2/page.xml"):
        draft = read(tmp_path, without(name))
        assert draft.lessons
    assert any("Kegiatan jenis page" in sentence for sentence in draft.report.left_out)


@MANY
@given(st.data())
def test_no_damage_brings_anything_but_a_refusal_or_a_draft(tmp_path: Path, data: st.DataObject) -> None:
    files = dict(WHOLE)
    name = data.draw(st.sampled_from(sorted(files)))
    files[name] = data.draw(damaged(files[name]))
    try:
        read(tmp_path, files)
    except PackError as problem:
        assert problem.sentence()


@MANY
@given(st.data())
def test_no_damaged_bytes_of_the_archive_do_either(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.mbz"
    path.write_bytes(data.draw(damaged(data.draw(st.sampled_from([zipped(WHOLE), tarred(WHOLE)])))))
    moodle_backup.recognises(path)
    try:
        check(moodle_backup.read(path))
    except PackError as problem:
        assert problem.sentence()


@MANY
@given(st.randoms(use_true_random=False), st.sampled_from([False, True]))
def test_no_other_structure_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, dice: random.Random, old: bool
) -> None:
    files = dict(OLD if old else WHOLE)
    names = [name for name in files if name.endswith(".xml")]
    roots = {name: ElementTree.fromstring(files[name]) for name in names}
    for _ in range(dice.randrange(1, 10)):
        one, other = (dice.choice(list(roots[dice.choice(names)].iter())) for _ in range(2))
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
    for name, root in roots.items():
        files[name] = ElementTree.tostring(root)
    try:
        read(tmp_path, files)
    except PackError as problem:
        assert problem.sentence()


WHOLE: Final = whole()
OLD: Final = whole(old=True)
