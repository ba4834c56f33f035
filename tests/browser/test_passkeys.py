"""Passkeys in a real browser, with the authenticator that Chromium keeps for tests (W3C Web Authentication, 11)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from centre import PASSWORD, made_hub
from flask import Flask

from hub import schema
from hub.app import create_app
from hub.wiring import Hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = made_hub(tmp_path / "hub")
    yield made
    made.close()


@pytest.fixture
def page(chromium: Any, serve: Callable[[Flask], str], hub: Hub) -> Iterator[Any]:
    """A browser with an authenticator that asks for a finger, at the centre's address."""
    # No passkey is bound to an address of numbers.
    address = serve(create_app(hub)).replace("127.0.0.1", "localhost")
    context = chromium.new_context(
        base_url=address, locale="id-ID", viewport={"width": 1366, "height": 900}
    )
    made = context.new_page()
    tools = context.new_cdp_session(made)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
    }
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    added = tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    made.finger = lambda is_right: tools.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": added["authenticatorId"], "isUserVerified": is_right},
    )
    yield made
    context.close()


def enter_by_password(page: Any) -> None:
    page.goto("/masuk")
    page.fill("#name", "operator")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Masuk", exact=True).click()
    page.wait_for_url("**/")


def add_passkey(page: Any) -> None:
    page.goto("/akun-saya")
    page.get_by_role("button", name="Tambah kunci sandi").click()
    page.get_by_role("button", name="Hapus").wait_for()


def test_a_passkey_is_made_and_opens_the_centre_without_a_password(page: Any, hub: Hub) -> None:
    enter_by_password(page)
    add_passkey(page)
    assert "Chrome, Linux" in page.inner_text("main")
    page.get_by_role("button", name="Keluar", exact=True).click()
    page.goto("/masuk?next=/perangkat")
    page.get_by_role("button", name="Masuk dengan kunci sandi").click()
    page.wait_for_url(re.compile(r":\d+/perangkat$"))
    assert page.get_by_role("link", name="operator").is_visible()
    with hub.engine.connect() as connection:
        row = connection.execute(schema.passkeys.select()).one()
    assert row.used_ms is not None


def test_without_the_right_finger_nothing_opens(page: Any) -> None:
    enter_by_password(page)
    add_passkey(page)
    page.get_by_role("button", name="Keluar", exact=True).click()
    page.goto("/masuk")
    page.finger(False)
    page.get_by_role("button", name="Masuk dengan kunci sandi").click()
    page.get_by_role("alert").wait_for()
    assert "Kunci sandi tidak dapat dipakai" in page.inner_text("main")
    assert page.url.endswith("/masuk")


def test_a_passkey_that_was_deleted_here_is_told_so(page: Any) -> None:
    enter_by_password(page)
    add_passkey(page)
    page.get_by_role("button", name="Hapus").click()
    page.get_by_text("Kunci sandi dihapus").wait_for()
    page.get_by_role("button", name="Keluar", exact=True).click()
    page.goto("/masuk")
    page.get_by_role("button", name="Masuk dengan kunci sandi").click()
    page.get_by_text("tidak dikenal di sini").wait_for()


def test_a_copied_passkey_is_refused(page: Any, hub: Hub) -> None:
    enter_by_password(page)
    add_passkey(page)
    with hub.engine.begin() as connection:
        connection.execute(schema.passkeys.update().values(sign_count=1_000_000))
    page.get_by_role("button", name="Keluar", exact=True).click()
    page.goto("/masuk")
    page.get_by_role("button", name="Masuk dengan kunci sandi").click()
    page.get_by_text("tidak dikenal di sini").wait_for()
