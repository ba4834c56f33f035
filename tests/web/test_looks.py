"""Size of text and contrast: chosen by links, kept by the browser, whatever its cookie says otherwise."""

from __future__ import annotations

import pytest
from flask import Flask
from test_web_security import made_app

from web.looks import CONTRASTS, SIZES


def page(cookie: str = "", path: str = "/tampilan") -> str:
    client = made_app().test_client()
    if cookie:
        client.set_cookie("tampilan", cookie)
    return client.get(path).text


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("contrast", CONTRASTS)
def test_a_choice_is_kept_and_shown(size: str, contrast: str) -> None:
    client = made_app().test_client()
    answer = client.get(f"/tampilan/{size}/{contrast}?next=/form")
    assert (answer.status_code, answer.location) == (302, "/form")
    assert "HttpOnly" in answer.headers["Set-Cookie"] and "SameSite=Strict" in answer.headers["Set-Cookie"]
    text = client.get("/tampilan").text
    assert f'class="teks-{size} kontras-{contrast}"' in text
    assert text.count('aria-current="true"') == 2


@pytest.mark.parametrize(
    "cookie", ["", "x", "besar", ".kuat", 'besar."><script>', "besar.kuat.kuat", "\u00e9."]
)
def test_a_cookie_of_anything_else_changes_nothing_dangerous(cookie: str) -> None:
    text = page(cookie)
    assert "<script" not in text
    assert 'class="teks-' in text


@pytest.mark.parametrize("path", ["/tampilan/raksasa/kuat", "/tampilan/besar/ungu"])
def test_what_isn_t_offered_is_not_found(path: str) -> None:
    assert made_app().test_client().get(path).status_code == 404


@pytest.mark.parametrize("elsewhere", ["https://jahat.example/", "//jahat.example", "javascript:1"])
def test_a_choice_leads_to_no_other_site(elsewhere: str) -> None:
    answer = made_app().test_client().get("/tampilan/besar/kuat", query_string={"next": elsewhere})
    assert answer.location == "/"


def test_every_page_links_to_it_and_comes_back() -> None:
    app: Flask = made_app()
    assert 'href="/tampilan?next=' in app.test_client().get("/tidak-ada").text
