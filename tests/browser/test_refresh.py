"""A page that waits is brought up to date where it stands: the reader keeps place and focus; without a script it reloads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from village import made_village

from node.app import create_app
from node.visits import Visits
from sync.drives import Drive

pytestmark = pytest.mark.browser


def waiting(chromium: Any, serve: Any, folder: Path, drives: list[Drive], **options: object) -> Any:
    node = made_village(folder, ("Siti Aminah", "Kepala Desa"))
    page = chromium.new_context(**options).new_page()
    page.set_default_timeout(20_000)
    page.goto(serve(create_app(node, Visits(node, None, lambda: drives))) + "/flashdisk")
    return page


def test_a_stick_appears_without_the_page_being_loaded_again(
    chromium: Any, serve: Any, tmp_path: Path
) -> None:
    drives: list[Drive] = []
    page = waiting(chromium, serve, tmp_path, drives)
    page.evaluate("window.stillHere = true")
    page.get_by_role("link", name="Pilih nama Anda").focus()
    assert page.get_by_text("Pasang flashdisk di laptop ini.").is_visible()
    (tmp_path / "STICK").mkdir()
    drives.append(Drive(tmp_path / "STICK", "STICK"))
    page.get_by_text("Flashdisk yang dipakai").wait_for()
    assert page.evaluate("window.stillHere") is True
    assert page.evaluate("document.activeElement.tagName") == "MAIN"


def test_what_is_being_typed_is_not_taken_away(chromium: Any, serve: Any, tmp_path: Path) -> None:
    drives: list[Drive] = []
    page = waiting(chromium, serve, tmp_path, drives)
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<input id=tulis aria-label=tulis>')"
    )
    page.locator("#tulis").fill("/media/desa")
    (tmp_path / "STICK").mkdir()
    drives.append(Drive(tmp_path / "STICK", "STICK"))
    for _ in range(2):
        with page.expect_response("**/flashdisk"):
            pass
    assert page.locator("#tulis").input_value() == "/media/desa"


def test_without_a_script_the_browser_loads_it_again(chromium: Any, serve: Any, tmp_path: Path) -> None:
    drives: list[Drive] = []
    page = waiting(chromium, serve, tmp_path, drives, java_script_enabled=False)
    (tmp_path / "STICK").mkdir()
    drives.append(Drive(tmp_path / "STICK", "STICK"))
    page.get_by_text("Flashdisk yang dipakai").wait_for()
