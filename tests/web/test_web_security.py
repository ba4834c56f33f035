"""What every page refuses and what every answer carries."""

from __future__ import annotations

import re

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from sync.errors import LontarError
from web.app import prepare
from web.languages import safe_path
from web.security import FORM_LIMIT, host_is_ours


class TeapotError(LontarError):
    code = "teapot"
    http_status = 403


def made_app(**config: object) -> Flask:
    app = Flask("tests.web", template_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, **config)
    prepare(app)

    @app.get("/form")
    def form() -> str:
        return app.jinja_env.globals["csrf_token"]()  # type: ignore[operator]

    @app.post("/form")
    def sent() -> str:
        return request.form["text"]

    @app.get("/refused")
    def refused() -> str:
        raise TeapotError("Teko %(name)s tidak mau.", name="biru")

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("secret detail")

    return app


def token(client: FlaskClient) -> str:
    return client.get("/form").text


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "192.168.43.1:8080", "[::1]:8080", "10.0.0.5"]
)
def test_literal_addresses_and_own_names_are_our_hosts(host: str) -> None:
    assert host_is_ours(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.168.1.1.evil.example", "", "[::1"]
)
def test_other_names_are_not_our_hosts(host: str) -> None:
    assert not host_is_ours(host)


def test_a_configured_list_of_hosts_replaces_the_default() -> None:
    assert host_is_ours("Pusat.Example:443", ("pusat.example",))
    assert not host_is_ours("localhost", ("pusat.example",))


def test_a_wrong_host_gets_a_page_that_says_so() -> None:
    answer = made_app().test_client().get("/form", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "alamat yang tidak dikenal" in answer.text


def test_every_answer_carries_the_security_headers() -> None:
    client = made_app().test_client()
    for path in ("/form", "/nowhere", "/web/static/lontar.css"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_pages_are_not_kept_and_versioned_files_are() -> None:
    app = made_app()
    client = app.test_client()
    assert client.get("/form").headers["Cache-Control"] == "no-store"
    with app.test_request_context():
        address = app.jinja_env.globals["asset"]("web.static", "lontar.css")  # type: ignore[operator]
    assert re.search(r"\?v=[0-9a-f]{10}$", address)
    assert "immutable" in client.get(address).headers["Cache-Control"]


def test_the_session_cookie_is_hidden_from_scripts_and_other_sites() -> None:
    cookie = made_app().test_client().get("/form").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_form_with_its_token_is_taken() -> None:
    client = made_app().test_client()
    answer = client.post("/form", data={"text": "ya", "csrf_token": token(client)})
    assert (answer.status_code, answer.text) == (200, "ya")


def test_a_form_without_a_token_is_refused_in_plain_words() -> None:
    answer = made_app().test_client().post("/form", data={"text": "ya"})
    assert answer.status_code == 400
    assert "sudah tidak berlaku" in answer.text
    assert "tetap aman" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_from_elsewhere_is_refused_even_with_a_token(headers: dict[str, str]) -> None:
    client = made_app().test_client()
    answer = client.post("/form", data={"text": "ya", "csrf_token": token(client)}, headers=headers)
    assert answer.status_code == 403


def test_a_form_from_here_may_say_so() -> None:
    client = made_app().test_client()
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    answer = client.post("/form", data={"text": "ya", "csrf_token": token(client)}, headers=headers)
    assert answer.status_code == 200


def test_a_form_over_the_limit_is_refused() -> None:
    client = made_app().test_client()
    answer = client.post("/form", data={"text": "x" * FORM_LIMIT, "csrf_token": token(client)})
    assert answer.status_code == 413
    assert "terlalu besar" in answer.text


def test_a_refusal_of_ours_is_shown_as_its_sentence() -> None:
    answer = made_app().test_client().get("/refused")
    assert answer.status_code == 403
    assert "Teko biru tidak mau." in answer.text
    assert "teapot" in answer.text


def test_an_unexpected_error_shows_no_details() -> None:
    app = made_app(PROPAGATE_EXCEPTIONS=False)
    answer = app.test_client().get("/broken")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "tetap aman" in answer.text


def test_a_missing_page_says_so() -> None:
    assert "Halaman tidak ditemukan" in made_app().test_client().get("/nowhere").text


def test_choosing_a_language_sets_it_for_the_next_pages() -> None:
    client = made_app().test_client()
    answer = client.get("/bahasa/en?next=/nowhere")
    assert answer.location == "/nowhere"
    assert '<html lang="en"' in client.get("/nowhere").text
    assert '<html lang="id"' in client.get("/nowhere?lang=id").text


def test_a_language_that_is_not_offered_is_not_set() -> None:
    client = made_app().test_client()
    assert client.get("/bahasa/xx").status_code == 404
    assert '<html lang="id"' in client.get("/nowhere?lang=xx").text


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        None,
        "/a\n/b",
    ],
)
def test_only_places_on_this_site_are_gone_back_to(path: str | None) -> None:
    assert safe_path(path) == "/"


def test_a_place_on_this_site_keeps_its_query() -> None:
    assert safe_path("/masuk/3?q=siti&halaman=2") == "/masuk/3?q=siti&halaman=2"
