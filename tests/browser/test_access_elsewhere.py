"""The centre's and the officer's pages, as far as links lead to them, meet WCAG 2.2 AA as far as axe-core can tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import pytest
from test_access import faults
from werkzeug.exceptions import HTTPException

from bench.screens import SIZES, Visitor, typed
from bench.world import PASSWORD
from courier.app import create_app
from courier.wiring import open_desk
from courier.worker import Worker
from sync.drives import Drive

pytestmark = pytest.mark.browser

ELSEWHERE: Final = ("languages.", "looks.choose", "static")
CENTRE_PAGES_LEAST: Final = 18


def walked(page: Any, app: Any, start: str) -> Iterator[str]:
    """Opens one page of each kind that links lead to; yields the name of its view."""
    match = app.url_map.bind("localhost").match
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        address = waiting.pop(0)
        try:
            name = match(urlsplit(address).path)[0]
        except HTTPException:  # an address that only takes forms
            continue
        if name in seen or any(part in name for part in ELSEWHERE):
            continue
        seen.add(name)
        if "text/html" not in page.request.get(address).headers["content-type"]:
            continue
        page.goto(address)
        links = page.locator("a[href]").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        yield name
        waiting += [urljoin(address, link) for link in links if urljoin(address, link).startswith(start)]


def test_the_centre_s_pages_are_accessible(visitor: Visitor) -> None:
    centre = visitor.shown.hub
    page = visitor.chromium.new_context().new_page()
    page.goto(f"{centre.address}/masuk")
    assert faults(page) == []
    typed(name="operator", password="keliru")(page)
    assert faults(page) == []
    typed(name="operator", password=PASSWORD)(page)
    found: dict[str, list[str]] = {}
    for name in walked(page, centre.app, f"{centre.address}/"):
        found[name] = []
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            found[name] += faults(page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(found) >= CENTRE_PAGES_LEAST, sorted(found)


def test_the_officer_s_pages_are_accessible(
    visitor: Visitor, chromium: Any, serve: Any, tmp_path: Path
) -> None:
    desk, drives = open_desk(tmp_path / "petugas"), [Drive(visitor.shown.desa.stick, "FLASHDISK DESA")]
    plugged: list[Drive] = []
    app = create_app(desk, Worker(), lambda: plugged)
    address = serve(app)
    page = chromium.new_context(viewport={"width": 360, "height": 740}).new_page()
    page.goto(address)
    assert faults(page) == []
    desk.set_hub(visitor.shown.hub.address)
    plugged += drives
    found = {name: faults(page) for name in walked(page, app, f"{address}/")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(found) >= 3, found
    desk.ledger.close()
