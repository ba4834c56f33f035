"""From the front door to the result: what a learner sees, and what is in the log afterwards."""

from __future__ import annotations

import re
from pathlib import Path

from flask.testing import FlaskClient
from village import made_village
from werkzeug.test import TestResponse

from node.app import create_app
from node.wiring import Node
from sync.entries import CourseCompleted, LessonOpened, LessonProgressed, QuestionAnswered, QuizSubmitted

PIN = "482913"
SITI = ("Siti Aminah", "Kepala Desa")
BUDI = ("Budi Santoso", "Kaur Keuangan")


def open_door(folder: Path, *people: tuple[str, str]) -> tuple[Node, FlaskClient]:
    node = made_village(folder, *(people or (SITI, BUDI)))
    return node, create_app(node).test_client()


def post(client: FlaskClient, path: str, **form: str) -> TestResponse:
    """Send a form with the token of the last page, as a browser would."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sinkronisasi").text)
    assert found
    return client.post(path, data={**form, "csrf_token": found[1]})


def log_in(client: FlaskClient, number: int = 0, pin: str = PIN) -> None:
    assert post(client, f"/masuk/{number}", pin=pin, again=pin).location == "/pelatihan"


def answer(client: FlaskClient, lesson: int, question: int, choice: int) -> TestResponse:
    return post(client, f"/pelatihan/0/materi/{lesson}/kuis/{question}", choice=str(choice))


def take_test(client: FlaskClient, lesson: int, *choices: int) -> TestResponse:
    for question, choice in enumerate(choices, start=1):
        answer(client, lesson, question, choice)
    return post(client, f"/pelatihan/0/materi/{lesson}/kuis/kirim")


def kinds(node: Node) -> list[int]:
    with node.store.read() as db:
        return [row[0] for row in db.execute("SELECT kind FROM pending ORDER BY seq")]


def test_without_people_the_front_page_says_whom_to_ask(tmp_path: Path) -> None:
    node = made_village(tmp_path)
    assert "Minta operator desa menambahkan nama Anda" in create_app(node).test_client().get("/").text


def test_any_part_of_a_name_finds_it(tmp_path: Path) -> None:
    _, client = open_door(tmp_path)
    page = client.get("/?q=amin").text
    assert "Siti Aminah" in page
    assert "Budi" not in page


def test_many_people_are_paged_at_sixty(tmp_path: Path) -> None:
    _, client = open_door(tmp_path, *((f"Warga {number:03}", "Anggota BPD") for number in range(61)))
    first, second = client.get("/").text, client.get("/?halaman=2").text
    assert first.count('class="person"') == 60
    assert second.count('class="person"') == 1
    assert "Warga 060" in second


def test_a_name_is_shown_as_text_never_as_markup(tmp_path: Path) -> None:
    _, client = open_door(tmp_path, ("<script>alert(1)</script>", "Kepala Desa"))
    assert "<script>alert" not in client.get("/").text
    assert "<script>alert" not in client.get("/?q=<script>alert(1)</script>").text


def test_pages_of_learners_lead_to_the_front_door_without_a_pin(tmp_path: Path) -> None:
    _, client = open_door(tmp_path)
    for path in (
        "/pelatihan",
        "/pelatihan/0",
        "/pelatihan/0/materi/1",
        "/pelatihan/0/materi/1/kuis/1",
        "/kemajuan",
    ):
        assert client.get(path).location == "/"


def test_the_first_time_a_pin_is_chosen_and_then_asked_for(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    assert "Kedua PIN tidak sama" in post(client, "/masuk/0", pin=PIN, again="482914").text
    assert "terlalu mudah" in post(client, "/masuk/0", pin="123456", again="123456").text
    assert "tepat 6 angka" in post(client, "/masuk/0", pin="12", again="12").text
    log_in(client)
    other = create_app(node).test_client()
    refused = post(other, "/masuk/0", pin="482914")
    assert refused.status_code == 422
    assert "Sisa 4 kali" in refused.text
    assert post(other, "/masuk/0", pin=PIN).location == "/pelatihan"


def test_guessing_makes_one_wait(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    guesser = create_app(node).test_client()
    answers = [post(guesser, "/masuk/0", pin="999998") for _ in range(5)]
    assert answers[-1].status_code == 429
    assert "Tunggu 30 detik" in answers[-1].text
    assert post(guesser, "/masuk/0", pin=PIN).status_code == 429


def test_not_me_ends_the_sitting(tmp_path: Path) -> None:
    _, client = open_door(tmp_path)
    log_in(client)
    assert "Bukan saya" in client.get("/pelatihan").text
    assert post(client, "/keluar").location == "/"
    assert client.get("/pelatihan").location == "/"


def test_a_cookie_taken_to_another_browser_opens_nothing(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    cookie = client.get_cookie("lontar_node")
    assert cookie
    thief = create_app(node).test_client()
    thief.set_cookie("lontar_node", cookie.value)
    assert thief.get("/pelatihan", headers={"User-Agent": "another"}).location == "/"


def test_reading_is_recorded_once_an_opening_and_when_it_is_finished(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    client.get("/pelatihan/0/materi/2")
    client.get("/pelatihan/0/materi/2")
    assert kinds(node).count(LessonOpened.number) == 1
    assert post(client, "/pelatihan/0/materi/2/dibaca").location == "/pelatihan/0/materi/3"
    assert kinds(node).count(LessonProgressed.number) == 1
    assert "Sudah saya baca" not in client.get("/pelatihan/0/materi/2").text


def test_a_lesson_shows_its_picture_legal_basis_and_date_of_review(tmp_path: Path) -> None:
    _, client = open_door(tmp_path)
    log_in(client)
    page = client.get("/pelatihan/0/materi/2").text
    assert "Contoh Pasal 2" in page
    assert "1 Maret 2026" in page
    picture = re.search(r'src="(/pelatihan/[^"]+)"', page)
    assert picture
    shown = client.get(picture[1])
    assert shown.mimetype == "image/svg+xml"
    assert "sandbox" in shown.headers["Content-Security-Policy"]


def test_each_answer_is_recorded_at_once_and_leads_to_the_next_question(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    moved = answer(client, 1, 1, 1)
    assert moved.location == "/pelatihan/0/materi/1/kuis/2"
    assert kinds(node)[-1] == QuestionAnswered.number
    assert "tersimpan di perangkat ini" in client.get(moved.location).text


def test_a_question_without_a_choice_says_so_near_the_choices(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    refused = post(client, "/pelatihan/0/materi/1/kuis/1")
    assert refused.status_code == 422
    assert "Pilih salah satu jawaban." in refused.text
    assert QuestionAnswered.number not in kinds(node)


def test_a_quiz_goes_on_where_it_was_after_the_power_died(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    answer(client, 1, 1, 1)
    after = create_app(node).test_client()
    assert post(after, "/masuk/0", pin=PIN).location == "/pelatihan"
    page = after.get("/pelatihan/0/materi/1/kuis").text
    assert "1 soal belum dijawab" in page
    assert 'href="/pelatihan/0/materi/1/kuis/2">Lanjutkan' in page


def test_a_quiz_with_open_questions_is_not_sent(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    answer(client, 1, 1, 1)
    assert post(client, "/pelatihan/0/materi/1/kuis/kirim").location == "/pelatihan/0/materi/1/kuis"
    assert QuizSubmitted.number not in kinds(node)


def test_the_result_explains_each_answer(tmp_path: Path) -> None:
    _, client = open_door(tmp_path)
    log_in(client)
    assert take_test(client, 1, 1, 1).location == "/pelatihan/0/materi/1/kuis/hasil"
    page = client.get("/pelatihan/0/materi/1/kuis/hasil").text
    assert "1 dari 2 jawaban benar" in page
    assert "Jawaban yang benar: 1 Januari" in page
    assert "fungsi kebendaharaan" in page
    assert "Lulus" not in page


def test_a_final_test_can_be_tried_as_often_as_the_course_says(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    assert "Percobaan ke-1 dari 2" in client.get("/pelatihan/0/materi/3/kuis").text
    take_test(client, 3, 1, 0)
    page = client.get("/pelatihan/0/materi/3/kuis/hasil").text
    assert "Belum lulus" in page
    take_test(client, 3, 1, 0)
    assert "Semua percobaan untuk tes ini sudah dipakai" in client.get("/pelatihan/0/materi/3/kuis").text
    before = kinds(node).count(QuestionAnswered.number)
    answer(client, 3, 1, 0)
    assert kinds(node).count(QuestionAnswered.number) == before


def test_meeting_all_rules_completes_the_course(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    take_test(client, 1, 0, 0)
    client.get("/pelatihan/0/materi/2")
    post(client, "/pelatihan/0/materi/2/dibaca")
    take_test(client, 3, 0, 1)
    assert CourseCompleted.number in kinds(node)
    assert "Lulus" in client.get("/pelatihan/0/materi/3/kuis/hasil").text
    progress = client.get("/kemajuan").text
    assert "3 dari 3 materi" in progress
    assert "Selesai" in progress


def test_one_learner_sees_nothing_of_another(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    log_in(client)
    take_test(client, 1, 1, 0)
    other = create_app(node).test_client()
    log_in(other, number=1, pin="731904")
    assert "0 dari 3 materi" in other.get("/pelatihan").text
    assert other.get("/pelatihan/0/materi/1/kuis/hasil").location == "/pelatihan/0/materi/1/kuis"


def test_what_is_not_there_is_a_page_that_says_so(tmp_path: Path) -> None:
    _, client = open_door(tmp_path)
    log_in(client)
    for path in (
        "/masuk/99",
        "/pelatihan/9",
        "/pelatihan/0/materi/9",
        "/pelatihan/0/materi/2/kuis",
        "/pelatihan/0/materi/1/kuis/9",
        "/pelatihan/0/media/tiada.svg",
    ):
        answered = client.get(path)
        assert answered.status_code == 404, path
        assert "tetap aman" in answered.text


def test_pages_are_small_and_hold_no_inline_script_or_style(tmp_path: Path) -> None:
    _, client = open_door(tmp_path)
    log_in(client)
    for path in (
        "/pelatihan",
        "/pelatihan/0",
        "/pelatihan/0/materi/2",
        "/pelatihan/0/materi/1/kuis/1",
        "/kemajuan",
    ):
        page = client.get(path).text
        assert len(page.encode()) < 50_000
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style| style=|\son[a-z]+=", page), path


def test_the_sync_page_tells_the_three_states_apart(tmp_path: Path) -> None:
    _, client = open_door(tmp_path)
    page = client.get("/sinkronisasi").text
    for text in ("Tersimpan di perangkat ini", "Terkirim", "Dikonfirmasi", "Belum pernah disinkronkan"):
        assert text in page
    assert post(client, "/sinkronisasi").location == "/sinkronisasi"


def test_the_last_error_of_a_round_trip_is_shown_as_it_was_said(tmp_path: Path) -> None:
    node, client = open_door(tmp_path)
    node.store.put("last_error", ["Pusat %(url)s tidak dapat dihubungi.", [["url", "http://pusat/a%20b"]]])
    page = client.get("/sinkronisasi").text
    assert "http://pusat/a%20b tidak dapat dihubungi" in page
    assert "Pekerjaan Anda aman" in page
