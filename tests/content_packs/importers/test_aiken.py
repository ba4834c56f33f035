"""Aiken: what a teacher types without learning a format."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from foreign import build, check, damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_packs.errors import PackError
from content_packs.importers import aiken
from content_packs.questions import QuestionKind

BANK: Final = """Siapa memimpin desa?
A) Camat
B) Kepala Desa
C) Bupati
ANSWER: B

RPJM Desa berlaku
berapa tahun?
A. Enam
B. Delapan,
sejak undang-undang baru
ANSWER: b
"""
MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def test_a_bank_becomes_a_lesson_that_builds(tmp_path: Path) -> None:
    path = tmp_path / "Soal_Desa.txt"
    path.write_text(BANK)
    draft = check(aiken.read(path))
    first, second = draft.lessons[0].questions
    assert draft.lessons[0].title == "Soal Desa"
    assert (first.text, first.choices, first.right) == (
        "Siapa memimpin desa?",
        ("Camat", "Kepala Desa", "Bupati"),
        (1,),
    )
    assert first.kind is QuestionKind.CHOICE
    assert second.text == "RPJM Desa berlaku<br>\nberapa tahun?"
    assert second.choices[1] == "Delapan,<br>\nsejak undang-undang baru"
    assert draft.report.taken == ["Soal dengan satu jawaban benar: 2."]
    assert len(build(draft, tmp_path / "course").manifest.lessons[0].question_ids) == 2


@pytest.mark.parametrize(
    "block",
    [
        "Apa?\nA. a\nB. b",
        "Apa?\nA. a\nB. b\nANSWER: C",
        "Apa?\nA. a\nA. b\nANSWER: A",
        "Apa?\nA. a\nANSWER: A",
        "Apa?\nANSWER: A",
        "A. a\nB. b\nANSWER: A",
        "Apa?\nA. a\nB. b\nANSWER: AB\n\n",
    ],
)
def test_a_question_without_one_right_letter_is_named(block: str) -> None:
    found, report = aiken.questions_in(f"{block}\n\nBaik?\nA. ya\nB. tidak\nANSWER: A")
    assert [question.text for question in found] == ["Baik?"]
    assert len(report.left_out) == 1
    assert "tanpa baris ANSWER yang sah: 1." in report.left_out[0]


def test_letters_count_not_places() -> None:
    found, _report = aiken.questions_in("Apa?\nB. kedua\nA. pertama\nJawaban: A.")
    assert found[0].right == (1,)


def test_text_is_text() -> None:
    found, _report = aiken.questions_in("a < b & <b>c</b>?\nA. <i>ya</i>\nB. tidak\nANSWER: A")
    assert found[0].text == "a &lt; b &amp; &lt;b&gt;c&lt;/b&gt;?"
    assert found[0].choices[0] == "&lt;i&gt;ya&lt;/i&gt;"


def test_it_recognises_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for text, is_aiken in [(BANK, True), ("Apa?{T}", False), ("A. Pasal satu\nB. Pasal dua\n", False)]:
        path.write_text(text)
        assert aiken.recognises(path) is is_aiken
    assert not aiken.recognises(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"teks", b"Apa?\nA. a\nB. b\n"])
def test_what_holds_no_question_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(PackError, match=r"a\.txt"):
        aiken.read(path)


lines = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=1, max_size=20).filter(
    lambda line: line == line.strip()
)


@given(lines, st.lists(lines, min_size=2, max_size=12, unique=True), st.data())
def test_what_was_written_is_read_as_it_was(text: str, choices: list[str], data: st.DataObject) -> None:
    right = data.draw(st.integers(0, len(choices) - 1))
    written = [f"{'ABCDEFGHIJKL'[at]}) {choice}" for at, choice in enumerate(choices)]
    found, _report = aiken.questions_in(
        "\n".join([f"{text} …?", *written, f"ANSWER: {'ABCDEFGHIJKL'[right]}"])
    )
    assert len(found[0].choices) == len(choices)
    assert found[0].right == (right,)


@MANY
@given(damaged(BANK.encode()))
def test_no_damage_brings_anything_but_a_refusal_or_a_draft(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    aiken.recognises(path)
    try:
        check(aiken.read(path))
    except PackError as problem:
        assert problem.sentence()
