"""A lesson goes on where its reader was, in a real browser; and everything works without JavaScript."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from test_node_pages import PHONE, SITI, enter_new_pin
from village import COURSE, install_course, made_village

from node.app import create_app
from node.wiring import Node

pytestmark = pytest.mark.browser

DESK: Final = {"width": 1366, "height": 740}
PARTS: Final = 6
LONG: Final = "\n\n".join(
    f"## Bagian {part}\n\n"
    + "\n\n".join(
        f"Paragraf {part}.{at}. " + "Kalimat yang perlu dibaca dengan tenang. " * 12 for at in range(6)
    )
    for part in range(1, PARTS + 1)
)
ORDER: Final = """
## [urut|urut] Urutkan langkahnya.
1. Menyusun rancangan
2. Membahas bersama BPD
3. Menetapkan
> Penjelasan: Begitu urutannya.
"""


def village(folder: Path) -> Node:
    """With a long lesson, and a test that asks for an order, in course 1."""
    node = made_village(folder, SITI)
    files = {
        **COURSE,
        "course.toml": COURSE["course.toml"].replace('"kas-desa"', '"kas-panjang"'),
        "01-tes-awal.md": COURSE["01-tes-awal.md"].split("## [kas]")[0] + ORDER,
        "02-buku-kas.md": COURSE["02-buku-kas.md"].replace("## Mencatat setiap hari", LONG),
    }
    (folder / "long").mkdir()
    install_course(node, folder / "long", files)
    return node


def a_browser(chromium: Any, address: str, viewport: dict[str, int] = PHONE, script: bool = True) -> Any:
    page = chromium.new_context(viewport=viewport, java_script_enabled=script).new_page()
    page.set_default_timeout(10_000)
    page.goto(address)
    return page


def enter(page: Any) -> None:
    page.get_by_role("link", name="Siti Aminah").click()
    page.get_by_label("PIN", exact=False).first.fill("482913")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Pelatihan saya").wait_for()


def stay_at(page: Any, where: str) -> int:
    """Scroll there and read until the page has told it; returns what the answer was."""
    with page.expect_response("**/tempat") as told:
        page.evaluate(where)
    return int(told.value.status)


def is_in_view(locator: Any) -> bool:
    """Waits for it: scrolling may be smooth."""
    from playwright.sync_api import expect

    expect(locator).to_be_in_viewport()
    return True


def test_a_lesson_opens_where_its_reader_was_after_a_new_login_on_another_screen(
    chromium: Any, serve: Any, tmp_path: Path
) -> None:
    node = village(tmp_path)
    address = serve(create_app(node))
    phone = a_browser(chromium, address)
    enter_new_pin(phone)
    phone.goto(f"{address}/pelatihan/1/materi/2")
    assert phone.locator(".lasthere").count() == 0
    entries = node.recorder.counts().saved
    assert stay_at(phone, "document.getElementById('bagian-bagian-4').scrollIntoView()") == 204
    phone.get_by_role("button", name="Bukan saya").click()
    phone.get_by_role("heading", name="Pilih nama Anda").wait_for()
    assert node.recorder.counts().saved == entries

    laptop = a_browser(chromium, address, DESK)
    enter(laptop)
    laptop.get_by_role("link", name="Lanjutkan belajar").click()
    bar = laptop.locator(".lasthere")
    bar.wait_for()
    assert is_in_view(bar)
    assert is_in_view(laptop.get_by_role("heading", name="Bagian 4"))
    assert "Anda terakhir sampai di sini" in bar.inner_text()

    laptop.get_by_role("button", name="Ke awal").click()
    assert is_in_view(laptop.get_by_role("heading", name="Buku kas umum"))
    node.close()


def test_whoever_has_read_to_the_end_begins_at_the_beginning(
    chromium: Any, serve: Any, tmp_path: Path
) -> None:
    node = village(tmp_path)
    address = serve(create_app(node))
    page = a_browser(chromium, address)
    enter_new_pin(page)
    page.goto(f"{address}/pelatihan/1/materi/2")
    stay_at(page, "window.scrollTo(0, document.body.scrollHeight)")
    page.goto(f"{address}/pelatihan/1/materi/2")
    assert page.evaluate("window.pageYOffset") == 0
    assert page.locator(".lasthere").count() == 0
    node.close()


def test_without_javascript_the_list_of_parts_leads_to_them_and_the_place_is_offered(
    chromium: Any, serve: Any, tmp_path: Path
) -> None:
    node = village(tmp_path)
    address = serve(create_app(node))
    page = a_browser(chromium, address, script=False)
    enter_new_pin(page)
    page.goto(f"{address}/pelatihan/1/materi/2")
    page.get_by_text(f"Isi materi: {PARTS} bagian").click()
    page.get_by_role("link", name="Bagian 5").click()
    assert page.url.endswith("#bagian-bagian-5")
    assert is_in_view(page.get_by_role("heading", name="Bagian 5"))

    node.places.reach(0, 1, 2, "bagian-bagian-3", 0, 5000)
    page.goto(f"{address}/pelatihan")
    page.get_by_role("link", name="Lanjutkan belajar").click()
    page.get_by_role("link", name="Lanjutkan dari sana").click()
    assert is_in_view(page.get_by_role("heading", name="Bagian 3"))
    node.close()


@pytest.mark.parametrize("script", [True, False])
def test_steps_are_put_into_order_by_keys_or_by_numbers(
    chromium: Any, serve: Any, tmp_path: Path, script: bool
) -> None:
    node = village(tmp_path)
    address = serve(create_app(node))
    page = a_browser(chromium, address, script=script)
    enter_new_pin(page)
    page.goto(f"{address}/pelatihan/1/materi/1/kuis/1")
    steps = ("Menyusun rancangan", "Membahas bersama BPD", "Menetapkan")
    if script:
        for step in reversed(steps):
            up = page.get_by_role("button", name=f"Naikkan: {step}")
            up.focus()
            while not up.is_disabled():
                page.keyboard.press("Enter")
        assert page.locator(".order label").all_inner_texts() == list(steps)
    else:
        for place, step in enumerate(steps, start=1):
            page.get_by_label(step).select_option(str(place))
    page.get_by_role("button", name="Simpan jawaban").click()
    page.get_by_role("button", name="Kirim jawaban").click()
    assert page.get_by_text("1 dari 1 jawaban benar").is_visible()
    node.close()
