"""Large text and strong contrast on a phone: nothing is cut off, nothing needs a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_node_pages import PHONE, SITI, enter_new_pin
from village import made_village

from node.app import create_app

pytestmark = pytest.mark.browser


def test_very_large_text_fits_a_phone_without_a_script(chromium: Any, serve: Any, tmp_path: Path) -> None:
    address = serve(create_app(made_village(tmp_path, SITI)))
    page = chromium.new_context(java_script_enabled=False, viewport=PHONE).new_page()
    page.set_default_timeout(6_000)
    page.goto(address)
    enter_new_pin(page)
    page.get_by_role("link", name="Tampilan").click()
    page.get_by_role("link", name="Sangat besar").click()
    page.get_by_role("link", name="Kuat: hitam di atas putih").click()
    page.get_by_role("link", name="Selesai").click()
    assert page.get_by_role("heading", name="Pelatihan saya").is_visible()
    style = page.locator("body").evaluate(
        "e => [getComputedStyle(e).fontSize, getComputedStyle(e).backgroundColor]"
    )
    assert style == ["23.375px", "rgb(255, 255, 255)"]
    for path in (
        "pelatihan",
        "pelatihan/0",
        "pelatihan/0/materi/2",
        "kemajuan",
        "flashdisk",
        "sinkronisasi",
    ):
        page.goto(f"{address}/{path}")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], path


def test_a_button_that_reads_aloud_is_only_there_with_a_voice(
    chromium: Any, serve: Any, tmp_path: Path
) -> None:
    address = serve(create_app(made_village(tmp_path, SITI)))
    page = chromium.new_context(viewport=PHONE).new_page()
    page.set_default_timeout(6_000)
    page.goto(address)
    enter_new_pin(page)
    page.goto(f"{address}/pelatihan/0/materi/2")
    assert page.get_by_role("button", name="Bacakan").count() == 0, "this browser has no voice"
    # With a voice of the page's language: what it would say, paragraph by paragraph.
    page.add_init_script("""
      window.kata = [];
      window.SpeechSynthesisUtterance = function (text) { this.text = text; };
      Object.defineProperty(window, 'speechSynthesis', { value: {
        getVoices: function () { return [{ lang: 'id-ID', localService: true }]; },
        speak: function (one) { window.kata.push(one.text); setTimeout(one.onend, 1); },
        cancel: function () {} } });
    """)
    page.goto(f"{address}/pelatihan/0/materi/2")
    page.get_by_role("button", name="Bacakan").click()
    page.wait_for_function("window.kata.length >= 3")
    assert page.evaluate("window.kata") == [
        "Mencatat setiap hari",
        "Catat uang masuk dan keluar.",
        "Buku kas",
    ]
