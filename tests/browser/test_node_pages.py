"""A learner's way through the village pages in a real browser, with JavaScript switched off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from village import made_village

from node.app import create_app

pytestmark = pytest.mark.browser

SITI = ("Siti Aminah", "Kepala Desa")
PHONE = {"width": 360, "height": 740}


def choose(page: Any, text: str) -> None:
    page.get_by_label(text, exact=True).check()
    page.get_by_role("button", name="Simpan jawaban").click()


def enter_new_pin(page: Any) -> None:
    page.get_by_role("link", name="Siti Aminah").click()
    page.get_by_label("PIN baru (6 angka)").fill("482913")
    page.get_by_label("Ketik PIN yang sama sekali lagi").fill("482913")
    page.get_by_role("button", name="Simpan PIN dan masuk").click()


def test_a_learner_goes_from_name_to_progress_without_javascript(
    chromium: Any, serve: Any, tmp_path: Path
) -> None:
    address = serve(create_app(made_village(tmp_path, SITI)))
    page = chromium.new_context(java_script_enabled=False, viewport=PHONE).new_page()
    page.set_default_timeout(10_000)

    page.goto(address)
    enter_new_pin(page)
    page.get_by_role("link", name="Mulai belajar").click()

    page.get_by_role("link", name="Mulai tes").click()
    page.get_by_role("link", name="Mulai", exact=True).click()
    choose(page, "Kaur Keuangan")
    page.get_by_text("tersimpan di perangkat ini").first.wait_for()
    choose(page, "1 Januari")
    page.get_by_role("button", name="Kirim jawaban").click()
    page.get_by_text("2 dari 2 jawaban benar").wait_for()

    page.get_by_role("link", name="Lanjutkan belajar").click()
    page.get_by_text("Contoh Pasal 2").wait_for()
    picture = page.locator("article img")
    picture.scroll_into_view_if_needed()
    assert picture.bounding_box()["width"] > 0
    page.get_by_role("button", name="Sudah saya baca").click()

    page.get_by_role("link", name="Mulai tes").click()
    page.get_by_role("link", name="Mulai", exact=True).click()
    choose(page, "Setiap hari")
    choose(page, "Di buku kas umum")
    page.get_by_role("button", name="Kirim jawaban").click()
    page.get_by_text("Lulus", exact=True).wait_for()

    page.get_by_role("link", name="Kemajuan", exact=True).click()
    page.get_by_text("3 dari 3 materi").wait_for()
    page.get_by_role("button", name="Bukan saya").click()
    page.get_by_role("heading", name="Pilih nama Anda").wait_for()


def test_the_key_pad_enters_a_pin(chromium: Any, serve: Any, tmp_path: Path) -> None:
    address = serve(create_app(made_village(tmp_path, SITI)))
    page = chromium.new_context(viewport=PHONE).new_page()
    page.set_default_timeout(10_000)
    page.goto(address)
    page.get_by_role("link", name="Siti Aminah").click()
    for key in ["4", "8", "2", "9", "1", "7", "Hapus", "3", "4", "8", "2", "9", "1", "3"]:
        page.get_by_role("button", name=key, exact=True).click()
    page.get_by_role("button", name="Simpan PIN dan masuk").click()
    page.get_by_role("heading", name="Pelatihan saya").wait_for()


def test_no_page_is_wider_than_a_small_phone_or_breaks_the_content_policy(
    chromium: Any, serve: Any, tmp_path: Path
) -> None:
    address = serve(
        create_app(made_village(tmp_path, SITI, ("Hj. Nur Halimah binti Abdul Rahman", "Anggota BPD")))
    )
    page = chromium.new_context(viewport=PHONE).new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    enter_new_pin(page)
    for path in (
        "/pelatihan",
        "/pelatihan/0",
        "/pelatihan/0/materi/2",
        "/pelatihan/0/materi/1/kuis",
        "/pelatihan/0/materi/1/kuis/1",
        "/kemajuan",
        "/sinkronisasi",
        "/operator/masuk",
    ):
        page.goto(address + path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    assert [text for text in complaints if "[DOM]" not in text] == []
