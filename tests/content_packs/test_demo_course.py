"""The demonstration course: sound, with sources, and without the facts that UU 3/2024 has overtaken."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from workshop import PUBLISHER, opens, pack_bytes

import content_packs
from content_packs.build import BuiltPack, build_pack
from content_packs.source import SourceLesson, read_lesson
from content_packs.source_questions import SourceQuestion

FOLDER = Path(content_packs.__file__).parent / "demo" / "pengelolaan-keuangan-desa"
LESSONS = [read_lesson(path) for path in sorted(FOLDER.glob("[0-9][0-9]-*.md"))]
TEXTS = {lesson.path.name: lesson.path.read_text(encoding="utf-8") for lesson in LESSONS}
QUESTIONS = [(lesson, question) for lesson in LESSONS for question in lesson.questions]

by_file = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.name)


@cache
def demo() -> BuiltPack:
    return build_pack(FOLDER, PUBLISHER)


def test_it_builds_and_opens(tmp_path: Path) -> None:
    assert opens(tmp_path, pack_bytes(demo())) == demo().manifest


def test_it_fits_a_slow_line_and_a_small_screen() -> None:
    assert len(pack_bytes(demo())) < 100 * 1024
    for file in demo().manifest.files:
        assert file.size < 50 * 1024, file.path


def test_it_has_lessons_between_a_test_before_and_a_test_after() -> None:
    roles = [lesson.role for lesson in LESSONS]
    assert roles.count("lesson") >= 6
    assert (roles[0], roles[-1]) == ("pretest", "posttest")
    assert set(roles[1:-1]) == {"lesson"}
    assert sum(bool(lesson.questions) for lesson in LESSONS) >= 2


def test_both_tests_have_the_same_length_and_no_question_in_common() -> None:
    before, after = LESSONS[0], LESSONS[-1]
    assert len(before.questions) == len(after.questions) >= 10
    assert not {question.text for question in before.questions} & {q.text for q in after.questions}


@by_file
def test_each_lesson_names_its_legal_basis_and_the_date_of_its_review(lesson: SourceLesson) -> None:
    assert lesson.legal_basis
    assert all(re.search(r"\b(UU|PP|Permendagri|Permendes) \d+/\d{4}", text) for text in lesson.legal_basis)
    assert date(2026, 1, 1) <= date.fromisoformat(lesson.reviewed)
    assert lesson.minutes > 0


@pytest.mark.parametrize(
    ("lesson", "question"), QUESTIONS, ids=[f"{lesson.id}-{question.id}" for lesson, question in QUESTIONS]
)
def test_each_question_has_one_right_choice_and_an_explanation(
    lesson: SourceLesson, question: SourceQuestion
) -> None:
    assert 3 <= len(question.choices) <= 6
    assert 0 <= question.right[0] < len(question.choices)
    block = TEXTS[lesson.path.name].split(f"[{question.id}]", 1)[1].split("\n## ", 1)[0]
    assert len(re.findall(r"^- \[x\] ", block, re.M)) == 1
    assert len(question.explanation) > 20
    assert question.text.endswith(("?", "…"))


def test_the_right_choice_does_not_stand_in_one_place() -> None:
    places = Counter(question.right[0] for _, question in QUESTIONS)
    assert max(places.values()) < len(QUESTIONS) * 0.4


def test_ids_of_questions_are_unique_in_the_whole_course() -> None:
    assert max(Counter(question.id for _, question in QUESTIONS).values()) == 1


def test_it_says_that_it_is_an_example_that_a_person_must_check() -> None:
    assert "diperiksa oleh seseorang" in LESSONS[0].reading
    assert "diperiksa oleh seseorang" in demo().manifest.summary
    assert "contoh" in demo().manifest.publisher


TRAPS = {
    "a term of six years": r"\b(6|enam)( \(\w+\))? tahun\b",
    "three terms": r"\b(3|tiga)( \(\w+\))? (periode|kali masa jabatan)\b",
    "the years of the RPJM Desa": r"RPJM[^.\n]*\b(6|8|enam|delapan)\b[^.\n]*\btahun\b",
    "the share of women in the BPD": r"\b30 ?(%|persen)|keterwakilan perempuan|seorang perempuan",
    "the date of the first half-year report": r"semester pertama|akhir (bulan )?Juli|minggu kedua (bulan )?Juli",
    "electronic signature, which means something else": r"tanda tangan elektronik|ditandatangani secara elektronik",
    "the old regulation on finances as if in force": r"Permendagri 113/2014 Pasal",
    "a wrong name of SPP": r"Surat Perintah Pembayaran",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_none_of_the_known_traps_is_in_it(trap: str) -> None:
    for name, text in TEXTS.items():
        found = re.search(TRAPS[trap], text, re.I)
        assert not found, f"{name}: {found and found[0]}"


@pytest.mark.parametrize(
    ("trap", "text"),
    [
        ("a term of six years", "Masa jabatan Kepala Desa 6 tahun."),
        ("a term of six years", "Anggota BPD menjabat enam (6) tahun"),
        ("three terms", "paling banyak 3 periode"),
        ("three terms", "paling banyak tiga kali masa jabatan"),
        ("the years of the RPJM Desa", "RPJM Desa berlaku untuk jangka waktu 8 (delapan) tahun"),
        ("the share of women in the BPD", "memperhatikan 30 persen keterwakilan perempuan"),
        ("the date of the first half-year report", "paling lambat akhir bulan Juli"),
    ],
)
def test_the_traps_would_be_found(trap: str, text: str) -> None:
    assert re.search(TRAPS[trap], text, re.I)
