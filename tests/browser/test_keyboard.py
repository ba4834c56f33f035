"""With a keyboard alone, and without JavaScript: the way from a name to a result, with the focus always in sight."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from test_node_pages import PHONE, SITI
from village import made_village

from bench.screens import SCREENS, Visitor, all_answered
from node.app import create_app

pytestmark = pytest.mark.browser

TABS_MOST: Final = 60
FOCUSED: Final = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const outlined = one => one && parseFloat(getComputedStyle(one).outlineWidth) >= 2 && getComputedStyle(one).outlineStyle !== 'none';
  const box = at.getBoundingClientRect();
  const label = at.labels && at.labels.length ? at.labels[0].innerText : at.getAttribute('aria-label') || at.innerText || at.title;
  return { name: (label || '').trim(), seen: Boolean(outlined(at) || outlined(at.nextElementSibling)),
           inside: box.bottom > 0 && box.top < window.innerHeight && box.width > 0 };
}"""


class Keyboard:
    """Fingers that know nothing but Tab, Enter, Space, arrows and letters."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def reach(self, name: str, key: str = "Tab") -> None:
        """Go on until what is called `name` has the focus; on the way the focus is never out of sight."""
        passed = []
        for _ in range(TABS_MOST):
            self.page.keyboard.press(key)
            now = self.page.evaluate(FOCUSED)
            if now is None:
                continue  # the browser's own bar, after the last link
            passed.append(now["name"])
            assert now["seen"], f"nobody sees that {now['name']!r} has the focus"
            assert now["inside"], f"{now['name']!r} is off the screen"
            if name in now["name"]:
                return
        raise AssertionError(f"{name!r} isn't reached: {passed}")

    def press(self, name: str, key: str = "Enter") -> None:
        self.reach(name)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def type(self, name: str, text: str) -> None:
        self.reach(name)
        self.page.keyboard.type(text)


def test_from_a_name_to_a_result_with_a_keyboard_alone(chromium: Any, serve: Any, tmp_path: Path) -> None:
    address = serve(create_app(made_village(tmp_path, SITI)))
    page = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.set_default_timeout(10_000)
    page.goto(address)
    keys = Keyboard(page)
    keys.press("Siti Aminah", "Enter")
    keys.type("PIN baru", "482913")
    keys.type("Ketik PIN yang sama", "482913")
    keys.press("Simpan PIN dan masuk", "Space")
    page.wait_for_url("**/pelatihan")

    page.goto(f"{address}/pelatihan/0/materi/1/kuis")
    keys.press("Mulai")
    page.wait_for_url("**/kuis/1*")
    keys.reach("Camat")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED)["seen"]
    assert page.get_by_label("Kaur Keuangan").is_checked()
    keys.press("Simpan jawaban")
    page.wait_for_url("**/kuis/2*")
    keys.reach("1 Januari")
    page.keyboard.press("Space")
    keys.press("Simpan jawaban", "Space")
    page.wait_for_url("**/kuis")
    keys.press("Kirim jawaban")
    page.wait_for_url("**/hasil")
    assert page.get_by_text("2 dari 2 jawaban benar").is_visible()


def test_the_first_tab_leads_past_the_head_of_the_page(chromium: Any, serve: Any, tmp_path: Path) -> None:
    page = chromium.new_context(viewport=PHONE).new_page()
    page.goto(serve(create_app(made_village(tmp_path, SITI))))
    keys = Keyboard(page)
    keys.press("Langsung ke isi")
    keys.reach("Cari nama")
    assert page.locator("#q").evaluate("one => one === document.activeElement")


def test_every_kind_of_question_is_answered_without_javascript(visitor: Visitor) -> None:
    practice = next(screen for screen in SCREENS if screen.name == "latihan")
    with visitor.open(practice, 360, java_script_enabled=False) as page:
        all_answered(page)
        page.get_by_role("button", name="Kirim jawaban").click()
        page.wait_for_url("**/hasil")
        assert page.get_by_role("heading", name="Pembahasan").is_visible()


@pytest.mark.parametrize("name", ["soal-urut", "soal-jodoh"])
def test_a_question_with_a_script_is_answered_by_keyboard_too(visitor: Visitor, name: str) -> None:
    screen = next(screen for screen in SCREENS if screen.name == name)
    with visitor.open(screen, 360) as page:
        keys = Keyboard(page)
        keys.reach("Simpan jawaban")
        page.keyboard.press("Shift+Tab")
        now = page.evaluate(FOCUSED)
        assert now["seen"] and now["inside"]
