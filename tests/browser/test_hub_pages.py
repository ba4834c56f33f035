"""An operator's way through the centre's pages in a real browser, with JavaScript switched off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from centre import PASSWORD, made_hub
from device import VILLAGE, Device

from hub.app import create_app
from sync.entries import CourseCompleted, LessonProgressed, QuizSubmitted

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1366, "height": 768}


def enter(page: Any, address: str) -> None:
    page.goto(address)
    page.get_by_label("Nama akun").fill("operator")
    page.get_by_label("Kata sandi").fill(PASSWORD)
    page.get_by_role("button", name="Masuk", exact=True).click()


def waiting_device(hub: Any) -> Device:
    device = Device(1).open(2)
    device.ask_to_register(hub)
    device.seal(
        LessonProgressed(0, 0, 1, 10_000, 90), QuizSubmitted(0, 0, 2, 8_500, 1), CourseCompleted(0, 0, 2)
    )
    device.send(hub)
    return device


def test_an_operator_approves_a_village_and_finds_its_learner(
    chromium: Any, serve: Any, tmp_path: Path
) -> None:
    hub = made_hub(tmp_path / "hub")
    device = waiting_device(hub)
    page = chromium.new_context(java_script_enabled=False, viewport=DESKTOP).new_page()
    page.set_default_timeout(10_000)
    enter(page, serve(create_app(hub)))

    assert page.get_by_role("heading", name="Menunggu persetujuan Anda").is_visible()
    page.get_by_role("link", name=device.id.hex()[:12]).click()
    page.get_by_role("button", name="Setujui").click()
    assert page.get_by_text("Yang sudah dikirimnya kini ikut dihitung").is_visible()

    page.get_by_role("link", name="Ringkasan").click()
    for name in ("Bengkulu", "Kabupaten Seluma", "Seluma Utara", "Sekalak"):
        page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("link", name="Peserta 1").click()
    assert page.get_by_text("Tes akhir terbaik: 85").is_visible()

    page.get_by_role("button", name="Keluar").click()
    assert page.get_by_role("heading", name="Masuk ke pusat Lontar").is_visible()
    hub.close()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["360", "1366"])
def test_no_page_is_wider_than_its_screen_or_breaks_the_content_policy(
    chromium: Any, serve: Any, tmp_path: Path, size: dict[str, int]
) -> None:
    hub = made_hub(tmp_path / "hub")
    device = waiting_device(hub)
    address = serve(create_app(hub))
    page = chromium.new_context(viewport=size).new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    enter(page, address)
    for path in (
        "/",
        "/wilayah?semua=1",
        "/wilayah/17.05.10",
        f"/wilayah/{VILLAGE}",
        "/wilayah?q=se",
        "/pelatihan",
        "/perangkat",
        f"/perangkat/{device.id.hex()}",
        "/peringatan",
        "/kode",
    ):
        page.goto(address + path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    page.get_by_label("Kode desa").fill(VILLAGE)
    page.get_by_role("button", name="Buat kode pendaftaran").click()
    assert page.locator(".bigcode").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert [text for text in complaints if "[DOM]" not in text] == []
    hub.close()
