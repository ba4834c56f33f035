"""Every screen of the centre meets WCAG 2.2 AA as far as axe-core can tell, and fits on a phone and on a laptop.

The screens are those of bench/screens_centre.py, so what is photographed is what is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from test_access import faults

from bench.screens_centre import SCREENS, SIZES, Screen, Visitor
from bench.shown_centre import shown_centre

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NO_SCREEN: Final = {
    "web.static": "a file, not a page",
    "pack.media": "a picture, film or document of a course",
    "languages.choose": "goes back to where it was chosen",
    "looks.choose": "goes back to where it was chosen",
    "looks.show": "the village's, shown there",
    "certificates.badge": "JSON for programs",
    "certificates.proof": "goes to what everybody sees of a certificate",
    "certificates.scanned_small": "goes to the same address in capitals",
    "rosters.exported": "a file",
    "rosters.example": "a file to fill in",
    "enter.code": "only with an account that has a code",
    "accounts.accept": "only with an invitation",
}  # fmt: skip
"""Addresses that are no screen, and why."""


@pytest.fixture(scope="module")
def centre_visitor(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    with shown_centre(tmp_path_factory.mktemp("pusat")) as centre:
        made = Visitor(chromium, centre)
        made.prepare()
        yield made


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_screen_of_the_centre_is_accessible(centre_visitor: Visitor, screen: Screen) -> None:
    with centre_visitor.open(screen, 360) as page:
        assert faults(page) == []
        page.set_viewport_size({"width": 1366, "height": SIZES[1366]})
        assert too_wide(page) <= 0


def too_wide(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_every_address_of_the_centre_has_a_screen(centre_visitor: Visitor) -> None:
    app = centre_visitor.centre.app
    match = app.url_map.bind("localhost").match
    shown = {
        match(screen.address.format(**centre_visitor.places).partition("?")[0])[0] for screen in SCREENS
    }
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.endpoint.startswith("exports.")
    }
    assert pages - shown - set(NO_SCREEN) == set(), (
        "a new page: add it to SCREENS in bench/screens_centre.py"
    )
    assert set(NO_SCREEN) - pages == set(), "gone"
