"""Quizzes on the page: what is at stake, what going back does, each kind of question, the gain at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient
from test_views_learning import SITI, answer, kinds, log_in, post, take_test
from village import COURSE, install_course, made_village

from node.app import create_app
from node.wiring import Node
from sync.entries import QuestionAnswered, QuestionResponded, QuizSubmitted

PRETEST, READING, POSTTEST = 1, 2, 3
QUIZ: Final = "/pelatihan/0/materi/3/kuis"

EVERY_KIND: Final = """
## [pasang|jodoh] Cocokkan.
- Peraturan Desa => Kepala Desa dan BPD
- Keputusan => Kepala Desa
> Penjelasan: Pasal contoh.

## [urut|urut] Urutkan.
1. Menyusun
2. Membahas
3. Menetapkan
> Penjelasan: Pasal contoh.

## [kata|isian] Siapa memegang kas?
- [x] Kaur Keuangan
> Penjelasan: Pasal contoh.

## [angka|angka] Berapa saldo dari 2.000 dikurangi 500?
- [x] 1.500 ± 0
> Penjelasan: Pasal contoh.

## [banyak|ganda] Mana yang buku?
- [x] Buku kas
- [x] Buku bank
- [ ] Papan nama
> Penjelasan: Pasal contoh.
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = made_village(tmp_path, SITI)
    yield made
    made.close()


@pytest.fixture
def client(node: Node) -> FlaskClient:
    made = create_app(node).test_client()
    log_in(made)
    return made


def every_kind(node: Node, folder: Path) -> str:
    """The address of a quiz with every other kind of question."""
    text = COURSE["01-tes-awal.md"]
    files = {
        **COURSE,
        "course.toml": COURSE["course.toml"].replace('"kas-desa"', '"segala-soal"'),
        "01-tes-awal.md": text[: text.index("## [kas]")] + EVERY_KIND,
    }
    folder.mkdir()
    install_course(node, folder, files)
    return "/pelatihan/1/materi/1/kuis"


def test_the_first_test_says_that_nobody_can_fail_it(client: FlaskClient) -> None:
    page = client.get("/pelatihan/0/materi/1/kuis").text
    assert "Tidak ada lulus atau tidak lulus" in page
    assert "Nilai kelulusan" not in page
    assert "nilai paling sedikit 70" in client.get(QUIZ).text


def test_going_back_after_handing_in_begins_no_other_attempt(node: Node, client: FlaskClient) -> None:
    take_test(client, POSTTEST, 1, 0)
    went = client.get(f"{QUIZ}/2")
    assert went.location == QUIZ
    assert "sudah dikirim" in client.get(QUIZ).text
    before = kinds(node).count(QuestionAnswered.number)
    stale = post(client, f"{QUIZ}/2", choice="1", percobaan="1")
    assert stale.location == QUIZ
    assert kinds(node).count(QuestionAnswered.number) == before


def test_another_attempt_begins_with_the_button_for_it(node: Node, client: FlaskClient) -> None:
    take_test(client, POSTTEST, 1, 0)
    page = client.get(QUIZ).text
    again = re.search(r'href="([^"]+)">Coba lagi', page)
    assert again
    question = client.get(again[1].replace("&amp;", "&"))
    assert question.status_code == 200
    assert "Percobaan ke-2 dari 2" in question.text
    before = kinds(node).count(QuestionAnswered.number)
    post(client, f"{QUIZ}/1", choice="0", percobaan="2")
    assert kinds(node).count(QuestionAnswered.number) == before + 1


def test_handing_in_twice_shows_the_result_and_counts_once(node: Node, client: FlaskClient) -> None:
    take_test(client, POSTTEST, 0, 1)
    assert post(client, f"{QUIZ}/kirim").location == f"{QUIZ}/hasil"
    assert kinds(node).count(QuizSubmitted.number) == 1


def test_an_answered_question_says_where_its_answer_is(client: FlaskClient) -> None:
    answer(client, POSTTEST, 1, 0)
    page = client.get(f"{QUIZ}/1").text
    assert "Soal 1 dari 2" in page
    assert "Tersimpan di perangkat ini</span>" in page
    assert "checked" in page


def test_every_kind_of_question_is_asked_answered_and_explained(
    node: Node, client: FlaskClient, tmp_path: Path
) -> None:
    quiz = every_kind(node, tmp_path / "kinds")
    answers = (
        {"target-0": "0", "target-1": "1"},
        {"place-0": "1", "place-1": "2", "place-2": "3"},
        {"choice": "kaur keuangan"},
        {"choice": "1500"},
        {"choice": "0"},
    )
    for number, form in enumerate(answers, start=1):
        page = client.get(f"{quiz}/{number}").text
        for name in form:
            assert f'name="{name}"' in page
        assert post(client, f"{quiz}/{number}", **form).status_code == 302
    assert kinds(node).count(QuestionResponded.number) == len(answers)
    post(client, f"{quiz}/kirim")
    result = client.get(f"{quiz}/hasil").text
    assert "4 dari 5 jawaban benar" in result
    assert result.count("Pasal contoh.") == len(answers)
    assert "Contoh Pasal 1" in result
    assert "1 Maret 2026" in result


@pytest.mark.parametrize(
    ("number", "form", "problem"),
    [
        (1, {"target-0": "0"}, "Pilih pasangan untuk setiap baris."),
        (2, {"place-0": "1", "place-1": "1", "place-2": "3"}, "nomor urut yang berbeda"),
        (3, {"choice": "  "}, "Tulis jawaban Anda"),
        (4, {"choice": "seribu"}, "dengan angka"),
        (5, {}, "Pilih paling sedikit satu jawaban."),
    ],
)
def test_what_is_no_answer_is_said_beside_the_question(
    node: Node, client: FlaskClient, tmp_path: Path, number: int, form: dict[str, str], problem: str
) -> None:
    quiz = every_kind(node, tmp_path / "kinds")
    refused = post(client, f"{quiz}/{number}", **form)
    assert refused.status_code == 422
    assert problem in refused.text
    assert 'id="choice-error"' in refused.text
    assert QuestionResponded.number not in kinds(node)


def test_the_result_of_the_final_test_shows_what_was_gained(client: FlaskClient) -> None:
    take_test(client, PRETEST, 1, 1)
    assert "Nilai Anda naik" not in client.get("/pelatihan/0/materi/1/kuis/hasil").text
    take_test(client, POSTTEST, 0, 1)
    assert "Nilai Anda naik 50 poin." in client.get(f"{QUIZ}/hasil").text
    assert "Nilai Anda naik 50 poin." in client.get("/kemajuan").text


def test_right_answers_stay_hidden_while_there_is_another_attempt(client: FlaskClient) -> None:
    take_test(client, POSTTEST, 1, 0)
    page = client.get(f"{QUIZ}/hasil").text
    assert "Jawaban yang benar:" not in page
    assert "Masih ada 1 percobaan" in page
    post(client, f"{QUIZ}/1", choice="1", percobaan="2")
    post(client, f"{QUIZ}/2", choice="0", percobaan="2")
    post(client, f"{QUIZ}/kirim")
    page = client.get(f"{QUIZ}/hasil").text
    assert "Jawaban yang benar: Setiap hari" in page
    assert "Semua percobaan sudah dipakai" in page


def test_the_course_page_says_what_is_needed_and_what_is_done(client: FlaskClient) -> None:
    take_test(client, PRETEST, 1, 0)
    page = client.get("/pelatihan/0").text
    needs = re.findall(r'<li class="(met)?"><span class="sr">(\w+):</span> (\w+)', page)
    assert needs == [("met", "Sudah", "Kerjakan"), ("", "Belum", "Pelajari"), ("", "Belum", "Lulus")]
    assert "kira-kira 20 menit" in page
    assert "Nilai terbaik 100" in page


def test_hours_are_those_of_courses_that_were_completed(client: FlaskClient) -> None:
    assert "0 JP" in client.get("/kemajuan").text
    take_test(client, PRETEST, 0, 0)
    client.get("/pelatihan/0/materi/2")
    post(client, "/pelatihan/0/materi/2/dibaca")
    take_test(client, POSTTEST, 0, 1)
    assert re.search(r"<dd>2 JP", client.get("/kemajuan").text)
