"""Guessing, stolen cookies, ways out of a site, and whether a page tells who has an account."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from centre import PASSWORD, made_hub
from desa import ScriptedMachine, plain_node
from doors import OPEN, PIN, Apps, post, token
from flask.testing import FlaskClient
from office import add, entered
from sqlalchemy import update

from hub import operators
from hub.db import writing
from hub.roles import Role
from hub.schema import operators as accounts
from hub.wiring import now_ms
from node.learners import FREE_TRIES, WAITS_S, Secrets
from node.wiring import open_node
from sync.entries import QuestionAnswered

YEAR_MS = 365 * 24 * 3600 * 1000
ELSEWHERE = (
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "/%5cevil.example",
    "javascript:alert(1)",
)


# Guessing at the laptop


def test_pulling_the_plug_and_turning_the_clock_give_no_tries(tmp_path: Path) -> None:
    """For half an hour of powered-on time somebody restarts the laptop and sets its clock after every try."""
    machine = ScriptedMachine()
    plain_node(tmp_path / "data", machine=machine).close()
    checked = 0
    for turn, clock_ms in enumerate((YEAR_MS, -20 * YEAR_MS, 50 * YEAR_MS, 3_600_000, -YEAR_MS, 0) * 5):
        machine.restart(clock_ms)
        node = open_node(tmp_path / "data", machine)
        secrets = Secrets(node.store, node.recorder.now, node.config.pepper)
        secrets.set(0, PIN)
        checked += secrets.wait_s(0) == 0
        assert not secrets.attempt(0, f"{turn:06}").right
        machine.wait(60_000)
        node.recorder.record(QuestionAnswered(0, 0, 1, 1, 0, True, 5))
        node.close()
    most = (
        FREE_TRIES + sum(1 for at in range(1, 60) if sum(WAITS_S[:at]) <= 3600 and at <= len(WAITS_S)) + 3
    )
    assert FREE_TRIES <= checked <= most, "five at once, then one after each wait that was sat out"


# Stolen cookies


def copied(client: FlaskClient, name: str) -> FlaskClient:
    """Another browser that sends the cookie of this one, and says that it is the same one."""
    cookie = client.get_cookie(name)
    assert cookie is not None
    thief = client.application.test_client()
    thief.set_cookie(name, cookie.value)
    return thief


def test_a_copied_cookie_is_worth_nothing_after_the_log_out(apps: Apps) -> None:
    learner = apps.learner()
    thief = copied(learner, "lontar_node")
    assert thief.get("/kemajuan").status_code == 200, (
        "while it lasts nothing tells them apart but the browser"
    )
    post(learner, "/keluar")
    assert thief.get("/kemajuan").location == "/"


def test_a_copied_cookie_of_an_operator_is_worth_nothing_after_the_log_out(apps: Apps) -> None:
    add(apps.hub, "Bu Pulang")
    client = entered(apps.hub, "Bu Pulang")
    thief = copied(client, "lontar_hub")
    assert thief.get("/akun-saya").status_code == 200
    client.post("/keluar", data={"csrf_token": token(client, "/akun-saya")})
    assert thief.get("/akun-saya").location.startswith("/masuk")


def test_an_operator_s_cookie_opens_nothing_in_another_browser(apps: Apps) -> None:
    add(apps.hub, "Bu Kue")
    thief = copied(entered(apps.hub, "Bu Kue"), "lontar_hub")
    answer = thief.get("/akun-saya", headers={"User-Agent": "another"})
    assert answer.location.startswith("/masuk")


def test_the_cookie_before_a_log_in_is_not_the_one_after_it(apps: Apps) -> None:
    """Whoever put a cookie into somebody's browser isn't logged in with them."""
    client = apps.stranger("node")
    token(client, "/sinkronisasi")
    planted = copied(client, "lontar_node")
    post(client, "/masuk/0", pin=PIN, again=PIN)
    assert client.get("/kemajuan").status_code == 200
    assert planted.get("/kemajuan").location == "/"


def test_a_right_that_was_taken_away_is_gone_at_the_next_page(apps: Apps) -> None:
    add(apps.hub, "Bu Turun")
    client = entered(apps.hub, "Bu Turun")
    assert client.get("/akun").status_code == 200
    with writing(apps.hub.engine) as connection:
        lowered = update(accounts).where(accounts.c.name == "Bu Turun")
        connection.execute(lowered.values(role=Role.VIEWER.value, scope="17.05.01"))
    form = {"csrf_token": token(client, "/akun-saya"), "name": "x", "role": "viewer", "region": "17.05.01"}
    assert client.post("/akun", data=form).status_code == 403
    operators.end(apps.hub.engine, "Bu Turun", now_ms())
    assert client.get("/akun-saya").location.startswith("/masuk")


# Ways out


def is_away(place: str) -> bool:
    return not place.startswith("/") or place.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "app", [pytest.param(app, marks=[pytest.mark.slow] if app == "hub" else []) for app in OPEN]
)
def test_no_address_of_ours_leads_to_another_site(apps: Apps, app: str) -> None:
    headers = {"Referer": "http://evil.example/x", "X-Forwarded-Host": "evil.example"}
    led = 0
    for client in (apps.within(app), apps.stranger(app)):
        for door in apps.doors(app):
            if door.method != "GET" or door.endpoint.endswith("static"):
                continue
            plain = client.get(door.path, query_string={"next": ELSEWHERE[0]}, headers=headers)
            assert not is_away(plain.location or "/"), door
            if plain.mimetype == "text/html":
                links = re.findall(r'(?:href|action|formaction|src)="([^"]*)"', plain.text)
                assert not [link for link in links if "evil" in link and is_away(link)], door
                # Whoever listens to `next` is asked in all ways.
                heard = client.get(door.path, query_string={"next": "/heard"}, headers=headers)
                if heard.location == "/heard" or 'href="/heard"' in heard.text:
                    led += 1
                    for place in ELSEWHERE:
                        answer = client.get(door.path, query_string={"next": place}, headers=headers)
                        assert not is_away(answer.location or "/"), (door, place)
    assert bool(led) == (app in ("hub", "node", "setup", "courier"))


def test_a_log_in_leads_to_no_other_site(apps: Apps) -> None:
    add(apps.hub, "Bu Arah")
    for place in ELSEWHERE:
        client = apps.stranger("hub")
        form = {"name": "Bu Arah", "password": PASSWORD, "csrf_token": token(client, "/masuk")}
        answer = client.post("/masuk", query_string={"next": place}, data=form)
        assert answer.status_code == 302
        assert re.match(r"/(?![/\\])", answer.location), (place, answer.location)


# Who has an account


def test_the_log_in_answers_alike_whoever_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody, somebody with another password, somebody who has ended, somebody only invited: one page, one slow hash each."""
    hub = made_hub(tmp_path / "hub")
    for name in ("ada", "akhir"):
        add(hub, name)
    with writing(hub.engine) as connection:
        operators.add(connection, "diundang", operators.NATIONAL, None, now_ms())
    operators.end(hub.engine, "akhir", now_ms())
    hashes: list[str] = []
    fits = operators.password_fits

    def counting(stored: str, password: str) -> bool:
        hashes.append(stored)
        return fits(stored, password)

    monkeypatch.setattr(operators, "password_fits", counting)
    from hub.app import create_app

    client, pages = create_app(hub).test_client(), []
    for name in ("ada", "akhir", "diundang", "tak-ada"):
        page = client.post(
            "/masuk", data={"name": name, "password": "salah" * 4, "csrf_token": token(client, "/masuk")}
        )
        text = re.sub(r'name="csrf_token" value="[^"]*"', "", page.text).replace(f'"{name}"', "")
        pages.append((page.status_code, text, sorted(page.headers.keys())))
    assert pages == [pages[0]] * 4
    assert len(hashes) == 4
    assert len({stored.rsplit("$", 2)[0] for stored in hashes}) == 1, "of the same cost"
    hub.close()


def test_invitations_that_are_none_and_that_are_over_are_answered_alike(apps: Apps) -> None:
    answers = {
        apps.stranger("hub").get(f"/undangan/{given}").status_code for given in ("x", "a" * 43, "0" * 64)
    }
    assert len(answers) == 1
