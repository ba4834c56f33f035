"""Lesson files: what an author writes, and the sentence for everything that must be mended first."""

from __future__ import annotations

from pathlib import Path

import pytest
from workshop import HEAD, QUESTION, READING

from content_packs import limits
from content_packs.errors import PackError
from content_packs.source import SourceLesson, read_lesson


def lesson(folder: Path, text: str) -> SourceLesson:
    path = folder / "07-kas.md"
    path.write_text(text, encoding="utf-8")
    return read_lesson(path)


def question(**parts: str) -> str:
    made = {"id": "catat", "text": "Kapan?", "choices": "- [x] Hari ini\n- [ ] Lusa", "after": "", **parts}
    return f"\n## [{made['id']}] {made['text']}\n{made['choices']}\n{made['after']}\n"


def test_a_lesson_is_a_head_a_reading_and_questions(tmp_path: Path) -> None:
    read = lesson(tmp_path, HEAD + READING + QUESTION)
    assert (read.id, read.title, read.role, read.minutes) == ("buku-kas", "Buku kas umum", "lesson", 10)
    assert (read.legal_basis, read.reviewed) == (("Contoh Pasal 2",), "2026-03-01")
    assert read.reading == READING.strip()
    (asked,) = read.questions
    assert (asked.id, asked.text, asked.right) == ("catat", "Kapan uang dicatat?", (0,))
    assert asked.choices == ("Hari ini", "Tahun depan")
    assert asked.explanation == "Dicatat pada hari yang sama."


def test_a_lesson_needs_no_questions(tmp_path: Path) -> None:
    read = lesson(tmp_path, HEAD + READING)
    assert (read.reading, read.questions) == (READING.strip(), ())


def test_a_test_needs_no_legal_basis_and_no_reading(tmp_path: Path) -> None:
    read = lesson(tmp_path, '+++\nid = "awal"\ntitle = "Awal"\nrole = "pretest"\n+++\n' + QUESTION)
    assert (read.role, read.legal_basis, read.reviewed, read.reading) == ("pretest", (), "", "")


def test_a_date_may_stand_without_quotes(tmp_path: Path) -> None:
    assert lesson(tmp_path, HEAD.replace('"2026-03-01"', "2026-03-01")).reviewed == "2026-03-01"


def test_a_question_and_an_explanation_may_take_several_lines(tmp_path: Path) -> None:
    text = question(
        text="Kapan", choices="uang dicatat?\n\n* [ ] Lusa\n* [X] Hari ini", after="> Karena\n> begitu."
    )
    (asked,) = lesson(tmp_path, HEAD + text).questions
    assert (asked.text, asked.right, asked.explanation) == ("Kapan uang dicatat?", (1,), "Karena begitu.")


REFUSED = {
    "no head": ("Bacaan saja.", "harus dimulai dengan kepala di antara dua baris +++"),
    "a head that never ends": ("+++\nid = 'a'\n", "harus dimulai dengan kepala"),
    "a head that is no TOML": ("+++\nid = \n+++\n", "kepala tidak dapat dibaca"),
    "an unknown field": (HEAD.replace("minutes", "menit"), "isian menit di kepala tidak dikenal"),
    "an unknown role": (HEAD.replace("minutes", 'role = "exam"\nminutes'), "role exam tidak dikenal"),
    "no id": (HEAD.replace('id = "buku-kas"\n', ""), "id harus ada"),
    "an id with capitals": (HEAD.replace("buku-kas", "Buku"), "id harus ada, dari huruf kecil"),
    "no title": (HEAD.replace('"Buku kas umum"', '" "'), "title harus ada"),
    "minutes as text": (HEAD.replace("10", '"10"'), "minutes harus bilangan"),
    "negative minutes": (HEAD.replace("10", "-1"), "minutes harus bilangan"),
    "a week of minutes": (HEAD.replace("10", "10001"), "minutes harus bilangan 0–10000"),
    "a legal basis that is no list": (HEAD.replace('["Contoh Pasal 2"]', '"Pasal 2"'), "harus daftar"),
    "no legal basis": (HEAD.replace('["Contoh Pasal 2"]', "[]"), "harus menyebut legal_basis dan reviewed"),
    "no review": (HEAD.replace('reviewed = "2026-03-01"\n', ""), "harus menyebut legal_basis dan reviewed"),
    "a date that is none": (HEAD.replace("2026-03-01", "1 Maret 2026"), "tanggal 1 Maret 2026 tidak sah"),
    "a test without questions": (HEAD.replace("minutes", 'role = "pretest"\nminutes'), "tes harus berisi soal"),
    "a question twice": (HEAD + QUESTION + QUESTION, "soal catat ada dua kali"),
    "a question's id": (HEAD + question(id="Soal 1"), "id soal [Soal 1] harus dari huruf kecil"),
    "a question that asks nothing": (HEAD + question(text=""), "soal [catat] harus berisi pertanyaan"),
    "one choice": (HEAD + question(choices="- [x] Ya"), "[catat] harus punya 2 sampai 12 pilihan"),
    "no choice": (HEAD + question(choices=""), "[catat] harus punya 2 sampai 12 pilihan"),
    "thirteen choices": (
        HEAD + question(choices="- [x] a\n" + "".join(f"- [ ] {at}\n" for at in range(12))),
        "[catat] harus punya 2 sampai 12 pilihan",
    ),
    "no right choice": (HEAD + question(choices="- [ ] a\n- [ ] b"), "tepat satu pilihan benar [x]"),
    "two right choices": (HEAD + question(choices="- [x] a\n- [x] b"), "tepat satu pilihan benar [x]"),
    "two choices alike": (HEAD + question(choices="- [x] a\n- [ ] a"), "punya dua pilihan yang sama"),
    "prose after the choices": (HEAD + question(after="Catatan."), "baris tak dikenal dalam soal [catat]"),
    "too many questions": (
        HEAD + "".join(question(id=f"q{at}") for at in range(limits.QUESTIONS_PER_LESSON + 1)),
        "terlalu banyak soal",
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_must_be_mended_is_told_with_the_file_s_name(tmp_path: Path, why: str) -> None:
    text, sentence = REFUSED[why]
    with pytest.raises(PackError) as refused:
        lesson(tmp_path, text)
    assert str(refused.value).startswith("07-kas.md: ")
    assert sentence in str(refused.value)


def test_a_file_in_another_encoding_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "07-kas.md"
    path.write_bytes((HEAD + "Harga £5").encode("cp1252"))
    with pytest.raises(PackError, match=r"07-kas\.md: simpan berkas ini sebagai UTF-8"):
        read_lesson(path)


def test_the_sentence_is_translated_without_its_file_name(tmp_path: Path) -> None:
    asked: list[str] = []

    def translate(text: str) -> str:
        asked.append(text)
        return "a test must hold questions"

    with pytest.raises(PackError) as refused:
        lesson(tmp_path, HEAD.replace("minutes", 'role = "pretest"\nminutes'))
    assert refused.value.sentence(translate) == "07-kas.md: a test must hold questions"
    assert asked == ["tes harus berisi soal"]
