"""Every screen of the village laptop meets WCAG 2.2 AA as far as axe-core can tell, on a phone and on a laptop.

The screens are those of bench/screens.py, so what is photographed is what is checked; an address without a screen fails.
Source: https://www.w3.org/TR/WCAG22/, https://github.com/dequelabs/axe-core.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe

from bench.screens import SCREENS, SIZES, Role, Screen, Visitor

pytestmark = pytest.mark.browser

STANDARDS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
MORE_RULES: Final = (
    "target-size",
    "heading-order",
    "page-has-heading-one",
    "landmark-one-main",
    "label-title-only",
)
"""Rules that axe leaves out of the standards' tags, and that our screens keep."""
CHECKED: Final = {
    "runOnly": {"type": "tag", "values": list(STANDARDS)},
    "rules": {rule: {"enabled": True} for rule in MORE_RULES},
    "resultTypes": ["violations"],
}
LARGE_AND_STRONG: Final = "sangat-besar.kuat"

NO_SCREEN: Final = {
    "static": "a file, not a page",
    "web.static": "a file, not a page",
    "learn.media": "a picture, film or document of a course",
    "languages.choose": "goes back to where it was chosen",
    "looks.choose": "goes back to where it was chosen",
    "checks.typed": "goes to the same address in capitals",
    "certificates.my_paper": "a PDF",
    "certificates.paper": "a PDF",
    "many_learners.example_csv": "a file to fill in",
    "many_learners.example_xlsx": "a file to fill in",
    "neighbour.pack_file": "for another laptop, not for people",
    "welcome.enter": "logs the operator in once, after the wizard, and goes on",
    "setup.begin": "goes to the first question without an answer",
}  # fmt: skip
"""Addresses that are no screen, and why."""


def faults(page: Any) -> list[str]:
    """What is wrong with the page as it is shown: axe's findings, and whether it must be scrolled sideways."""
    found = [
        f"{one['id']}: {node['html'][:140]} {node['failureSummary'][:200]}"
        for one in Axe().run(page, options=CHECKED).response["violations"]
        for node in one["nodes"]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found + ([f"{wide} px too wide"] if wide > 0 else [])


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_screen_is_accessible(visitor: Visitor, screen: Screen) -> None:
    for width in SIZES:
        with visitor.open(screen, width) as page:
            assert faults(page) == [], width


@pytest.mark.parametrize("screen", [one for one in SCREENS if one.is_main], ids=lambda screen: screen.name)
def test_a_main_screen_is_accessible_very_large_and_in_strong_contrast(
    visitor: Visitor, screen: Screen
) -> None:
    with visitor.open(screen, 360, LARGE_AND_STRONG) as page:
        assert page.locator("html.teks-sangat-besar.kontras-kuat").count() == 1
        assert faults(page) == []


def addresses_shown(visitor: Visitor, app: Any, wizard: bool) -> tuple[set[str], set[str]]:
    """The pages of an application, and those of them that a screen shows."""
    match = app.url_map.bind("localhost").match
    shown = {
        match(screen.address.format(**visitor.places).partition("?")[0])[0]
        for screen in SCREENS
        if (screen.role in (Role.FIRST, Role.ANSWERED)) == wizard and screen.name != "halaman-tidak-ada"
    }
    return {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}, shown


def test_every_address_has_a_screen(visitor: Visitor) -> None:
    pages, shown = addresses_shown(visitor, visitor.shown.desa.app, wizard=False)
    first, shown_first = addresses_shown(visitor, visitor.shown.kotak.app, wizard=True)
    lacking = (pages - shown) | (first - shown_first - pages)
    assert lacking - set(NO_SCREEN) == set(), "a new page: add it to SCREENS in bench/screens.py"
    assert set(NO_SCREEN) - pages - first == set(), "gone"


def test_axe_finds_a_fault_that_is_there(visitor: Visitor) -> None:
    with visitor.open(SCREENS[0], 360) as page:
        page.evaluate(
            "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x><input>')"
        )
        assert {one.partition(":")[0] for one in faults(page)} >= {"image-alt", "label"}


@pytest.mark.parametrize("language", ["en", "jv"])
def test_the_front_page_is_accessible_in_other_languages(visitor: Visitor, language: str) -> None:
    elsewhere = Screen("bahasa", Role.NOBODY, f"/?lang={language}", "")
    with visitor.open(elsewhere, 360) as page:
        assert page.locator("html").get_attribute("lang") == language
        assert faults(page) == []
