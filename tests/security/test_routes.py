"""Every route of every application: who is let in, and what is refused before anybody looks at it.

Routes are taken from `url_map`, so a new one is tried by itself. See `doors` for who may open what.
"""

from __future__ import annotations

from typing import Any

import pytest
from doors import (
    AT_THE_LAPTOP,
    LEARNERS,
    MACHINES,
    ONLY_AT_THE_LAPTOP,
    OPEN,
    OPERATORS,
    PAGES_WITH_FORMS,
    PHONE,
    Apps,
    knock,
    token,
)
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

APPS = tuple(OPEN)
PAGES = tuple(PAGES_WITH_FORMS)
"""The applications with forms."""
STAYED_OUT = {"/", "/masuk", "/operator/masuk"}


class Untouchable:
    """A body that nobody may read: reading it fails the request."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = readinto = __iter__ = read


def is_kept_out(answer: TestResponse) -> bool:
    """Whether somebody got nothing: sent to a log-in, or refused."""
    if answer.status_code in (301, 302, 303):
        return (answer.location or "").partition("?")[0] in STAYED_OUT
    return answer.status_code in (401, 403, 404)


def entering(client: FlaskClient, app: str) -> dict[str, str]:
    return {"csrf_token": token(client, *PAGES_WITH_FORMS[app])} if app in PAGES_WITH_FORMS else {}


def answers(apps: Apps, client: FlaskClient, app: str, doors: set[str] | frozenset[str]) -> list[str]:
    """The doors of these endpoints that let `client` in."""
    form, opened, seen = entering(client, app), [], set()
    name = str(apps.made[app].config["SESSION_COOKIE_NAME"])
    cookie = client.get_cookie(name)
    for door in apps.doors(app):
        if door.endpoint in doors:
            seen.add(door.endpoint)
            if cookie is not None:
                client.set_cookie(name, cookie.value)  # as it was before the last door
            answer = knock(client, door, data=form if door.method != "GET" else None)
            if not is_kept_out(answer):
                opened.append(f"{door}: {answer.status_code} {answer.location}")
    assert seen == doors
    return opened


# Who is let in


def test_every_route_of_a_laptop_is_given_to_somebody(apps: Apps) -> None:
    given = OPEN["node"] | LEARNERS | OPERATORS | AT_THE_LAPTOP | ONLY_AT_THE_LAPTOP
    assert {door.endpoint for door in apps.doors("node")} == given
    assert sum(map(len, (OPEN["node"], LEARNERS, OPERATORS, AT_THE_LAPTOP, ONLY_AT_THE_LAPTOP))) == len(
        given
    )


@pytest.mark.parametrize("app", APPS)
def test_what_is_said_to_be_open_is_there(apps: Apps, app: str) -> None:
    assert OPEN[app] <= {door.endpoint for door in apps.doors(app)}


@pytest.mark.parametrize("app", ["hub", "api", "player"])
def test_a_stranger_on_the_internet_is_kept_out_of_everything_that_is_not_open(
    apps: Apps, app: str
) -> None:
    closed = {door.endpoint for door in apps.doors(app)} - OPEN[app]
    assert not answers(apps, apps.stranger(app), app, closed)


def test_a_phone_without_a_log_in_is_kept_out_of_everything_that_is_not_open(apps: Apps) -> None:
    closed = {door.endpoint for door in apps.doors("node")} - OPEN["node"]
    assert not answers(apps, apps.stranger("node", **PHONE), "node", closed)


def test_at_the_laptop_without_a_log_in_only_sticks_are_open_too(apps: Apps) -> None:
    assert not answers(apps, apps.stranger("node"), "node", LEARNERS | OPERATORS)
    page = apps.stranger("node").get("/flashdisk")
    assert page.status_code == 200


def test_a_learner_is_no_operator(apps: Apps) -> None:
    assert not answers(apps, apps.learner(), "node", OPERATORS)
    assert not answers(apps, apps.learner(**PHONE), "node", OPERATORS | AT_THE_LAPTOP | ONLY_AT_THE_LAPTOP)


def test_the_operator_is_no_learner(apps: Apps) -> None:
    assert not answers(apps, apps.village_operator(), "node", LEARNERS)


def test_the_wizard_of_the_first_day_is_for_the_laptop_s_own_browser(apps: Apps) -> None:
    phone = apps.stranger("setup", **PHONE)
    for door in apps.doors("setup"):
        if door.endpoint not in OPEN["setup"]:
            assert knock(phone, door).status_code in (400, 403), door
    assert apps.stranger("setup").get("/siapkan/desa").status_code == 200


def test_whoever_may_open_a_page_is_let_in(apps: Apps) -> None:
    """Else the tests above would hold of pages that open to nobody."""
    opened = answers(apps, apps.within("node"), "node", {"operator.learners", "backups.listed"})
    assert len(opened) == 2
    assert apps.learner().get("/kemajuan").status_code == 200
    for path in ("/", "/wilayah", "/perangkat", "/jejak", "/akun"):
        assert apps.within("hub").get(path).status_code == 200


# Forms


@pytest.mark.parametrize("app", PAGES)
def test_no_form_is_taken_without_its_token(apps: Apps, app: str) -> None:
    client, tried = apps.within(app), 0
    for door in apps.forms(app):
        if door.endpoint not in MACHINES:
            for data in ({}, {"csrf_token": "x"}):
                answer = knock(client, door, data=data)
                assert (answer.status_code, "sudah tidak berlaku" in answer.text) == (400, True), door
            tried += 1
    assert tried >= 5


@pytest.mark.parametrize("app", PAGES)
def test_no_form_is_taken_with_the_token_of_another_browser(apps: Apps, app: str) -> None:
    other = entering(apps.stranger(app), app)
    for door in apps.forms(app):
        if door.endpoint not in MACHINES:
            assert knock(apps.within(app), door, data=other).status_code == 400, door


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"},
        {"Origin": "http://evil.example"}, {"Origin": "http://localhost:8081"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("app", PAGES)
def test_no_form_from_elsewhere_is_taken_even_with_its_token(
    apps: Apps, app: str, headers: dict[str, str]
) -> None:
    client = apps.within(app)
    form = entering(client, app)
    for door in apps.forms(app):
        answer = knock(client, door, data=form, headers=headers)
        assert (answer.status_code, "dari situs lain" in answer.text) == (403, True), door


@pytest.mark.parametrize("app", APPS)
def test_nothing_is_done_by_opening_an_address(apps: Apps, app: str) -> None:
    """What only POST does, GET doesn't do: no link and no picture acts."""
    for door in apps.forms(app):
        if not any(other.endpoint == door.endpoint and other.method == "GET" for other in apps.doors(app)):
            answer = apps.within(app).get(door.path)
            same = [one for one in apps.doors(app) if one.method == "GET" and one.path == door.path]
            assert same or answer.status_code in (404, 405), door


@pytest.mark.parametrize("app", APPS)
def test_no_body_over_the_limit_is_read(apps: Apps, app: str) -> None:
    client = apps.within(app)
    largest = 1 << 40
    for door in apps.forms(app):
        environ = {"wsgi.input": Untouchable(), "CONTENT_LENGTH": str(largest)}
        kind = "multipart/form-data; boundary=x"
        answer = knock(client, door, environ_overrides=environ, content_type=kind)
        assert answer.status_code in (400, 401, 403, 404, 413), door
        assert answer.status_code == 413 or app == "player", door


# Hosts


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"])
@pytest.mark.parametrize("app", APPS)
def test_under_a_foreign_name_nothing_opens(apps: Apps, app: str, host: str) -> None:
    client = apps.within(app)
    for door in apps.doors(app):
        answer = knock(client, door, headers={"Host": host})
        assert answer.status_code == 400, door


# Answers


@pytest.mark.parametrize("app", APPS)
def test_every_answer_has_the_security_headers(apps: Apps, app: str) -> None:
    for door, headers in apps.heads(app):
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy or "default-src 'none'" in policy, door
        if app != "player":
            assert "unsafe" not in policy, door
            assert headers["X-Frame-Options"] == "DENY", door
            assert "frame-ancestors 'none'" in policy, door
        assert headers["X-Content-Type-Options"] == "nosniff", door
        assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), door
        assert "Access-Control-Allow-Origin" not in headers, door
        assert headers["Cache-Control"], door


@pytest.mark.parametrize("app", APPS)
def test_every_cookie_is_hidden_from_scripts_and_other_sites(apps: Apps, app: str) -> None:
    given = 0
    for door, headers in apps.heads(app):
        for cookie in headers.getlist("Set-Cookie"):
            if cookie.partition(";")[0].endswith("="):
                continue  # taken away
            given += 1
            assert "HttpOnly" in cookie, door
            assert "Domain=" not in cookie, door
            ours = cookie.startswith("lontar_")
            assert "SameSite=Strict" in cookie or ("SameSite=Lax" in cookie and not ours), door
            assert "Secure" in cookie or not cookie.startswith("lontar_hub"), door
    assert bool(given) == (app in PAGES)
