"""The second proof: a telephone's code that is good once, recovery codes on paper, and being asked again."""

from __future__ import annotations

import base64
import re

import pytest
from centre import PASSWORD
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask.testing import FlaskClient
from office import as_of, entered, world
from sqlalchemy import select, update
from test_pages import browser, press, token
from werkzeug.test import TestResponse

from hub import schema, second_factor
from hub.app import create_app
from hub.views import enter, guesses, sittings
from hub.wiring import Hub, now_ms

HELD = "operator nasional"


class Clock:
    """The hub's clock, which is passed in."""

    def __init__(self, hub: Hub) -> None:
        self.ms = now_ms()
        hub.intake.now_ms = lambda: self.ms

    def forward(self, seconds: int) -> None:
        self.ms += seconds * 1000


class Telephone:
    """What an operator's telephone knows: the secret that it read from the page."""

    def __init__(self, page: str) -> None:
        found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
        assert found
        self.secret = base64.b32decode(found[1].replace(" ", ""))

    def code(self, ms: int) -> str:
        return TOTP(self.secret, 6, SHA1(), 30, enforce_key_length=False).generate(ms // 1000).decode()


def with_telephone(client: FlaskClient, clock: Clock) -> tuple[Telephone, list[str]]:
    """Install the second proof; returns the telephone and the recovery codes."""
    telephone = Telephone(press(client, "/akun-saya", "/akun-saya/kode").text)
    answer = press(client, "/akun-saya", "/akun-saya/kode/pakai", code=telephone.code(clock.ms))
    codes = re.findall(r'class="bigcode">([0-9A-Z-]+)<', answer.text)
    assert len(codes) == second_factor.RECOVERY_CODES
    clock.forward(60)
    return telephone, codes


def half_way(hub: Hub) -> FlaskClient:
    """Somebody who wrote the right password."""
    client = create_app(hub).test_client()
    form = {"name": HELD, "password": PASSWORD, "csrf_token": token(client, "/masuk")}
    assert client.post("/masuk", data=form).location.startswith("/masuk/kode")
    assert client.get("/").status_code == 302, "not logged in yet"
    return client


def coded(client: FlaskClient, code: str) -> TestResponse:
    return press(client, "/masuk/kode", "/masuk/kode", code=code)


def test_after_it_is_installed_the_password_alone_opens_nothing(hub: Hub) -> None:
    clock = Clock(hub)
    telephone, _ = with_telephone(as_of(hub), clock)
    client = half_way(hub)
    assert coded(client, telephone.code(clock.ms)).status_code == 302
    assert client.get("/akun-saya").status_code == 200


def test_it_is_not_in_force_before_a_code_was_right(hub: Hub) -> None:
    Clock(hub)
    client = as_of(hub)
    press(client, "/akun-saya", "/akun-saya/kode")
    answer = press(client, "/akun-saya", "/akun-saya/kode/pakai", code="000000")
    assert answer.status_code == 422
    assert entered(hub, HELD).get("/").status_code == 200


def test_a_code_is_good_once_and_for_a_minute(hub: Hub) -> None:
    clock = Clock(hub)
    telephone, _ = with_telephone(as_of(hub), clock)
    code = telephone.code(clock.ms)
    assert coded(half_way(hub), code).status_code == 302
    assert coded(half_way(hub), code).status_code == 422, "somebody looked over the shoulder"
    old = telephone.code(clock.ms + 30_000)
    clock.forward(120)
    assert coded(half_way(hub), old).status_code == 422
    assert coded(half_way(hub), telephone.code(clock.ms - 30_000)).status_code == 302, (
        "a clock half a minute late"
    )


def test_a_recovery_code_is_good_once_however_it_is_written(hub: Hub) -> None:
    clock = Clock(hub)
    _, codes = with_telephone(as_of(hub), clock)
    assert coded(half_way(hub), codes[0].lower().replace("-", " ")).status_code == 302
    assert coded(half_way(hub), codes[0]).status_code == 422
    client = half_way(hub)
    assert coded(client, codes[1]).status_code == 302
    assert "Kode pemulihan tersisa: 8" in client.get("/akun-saya").text


def test_codes_can_not_be_guessed_at_length(hub: Hub) -> None:
    clock = Clock(hub)
    telephone, _ = with_telephone(as_of(hub), clock)
    client = half_way(hub)
    statuses = [coded(client, "000000").status_code for _ in range(guesses.FREE_TRIES)]
    assert statuses[-1] == 429
    assert coded(client, telephone.code(clock.ms)).status_code == 429


def test_whoever_waits_too_long_begins_with_the_password(hub: Hub) -> None:
    clock = Clock(hub)
    telephone, _ = with_telephone(as_of(hub), clock)
    client = half_way(hub)
    clock.ms += enter.HALF_MS + 1000
    assert client.get("/masuk/kode").location.startswith("/masuk?")
    answer = client.post(
        "/masuk/kode", data={"csrf_token": token(client, "/masuk"), "code": telephone.code(clock.ms)}
    )
    assert answer.location.startswith("/masuk?")


def test_what_is_kept_makes_no_codes_without_the_data_folder_s_key(hub: Hub) -> None:
    clock = Clock(hub)
    telephone, codes = with_telephone(as_of(hub), clock)
    with hub.engine.begin() as connection:
        row = connection.execute(select(schema.second_factors)).one()
        assert telephone.secret not in row.sealed
        assert not any(code.encode() in row.recovery for code in codes)
        # Moved to another account it opens nothing there.
        other = connection.execute(
            select(schema.operators.c.pk).where(schema.operators.c.pk != row.operator)
        ).scalar()
        connection.execute(update(schema.second_factors).values(operator=other))
    assert not second_factor.fits(hub.engine, hub.config, other or 0, telephone.code(clock.ms), clock.ms)


def test_it_is_taken_away_only_by_whoever_knows_the_password(hub: Hub) -> None:
    clock = Clock(hub)
    client = as_of(hub)
    with_telephone(client, clock)
    clock.ms += sittings.PROOF_MS
    assert press(client, "/akun-saya", "/akun-saya/kode/lepas").status_code == 403
    assert press(client, "/akun-saya", "/akun-saya/kode/lepas", proof=PASSWORD).status_code == 302
    assert entered(hub, HELD).get("/").status_code == 200


def test_an_invitation_anew_takes_the_lost_telephone_away(hub: Hub) -> None:
    clock = Clock(hub)
    theirs = as_of(hub)
    with_telephone(theirs, clock)
    answer = press(browser(hub), "/akun", f"/akun/{HELD}/undang-lagi")
    found = re.search(r"/undangan/[\w-]+", answer.text)
    assert found
    assert theirs.get("/").status_code == 200, "until it is accepted the old account holds"
    stranger = create_app(hub).test_client()
    form = {"password": "yang lain sama sekali", "again": "yang lain sama sekali"}
    assert press(stranger, found[0], found[0], **form).status_code == 302
    assert theirs.get("/").status_code == 302
    form = {"name": HELD, "password": "yang lain sama sekali", "csrf_token": token(stranger, "/masuk")}
    assert stranger.post("/masuk", data=form).location == "/"


# Being asked again


def test_what_can_t_be_undone_asks_for_the_password_after_some_minutes(hub: Hub) -> None:
    clock, about = Clock(hub), world(hub)
    client = as_of(hub)
    page = f"/peserta/{about.learner}"
    assert client.get(page).status_code == 200
    clock.ms += sittings.PROOF_MS + 1000
    asked = press(client, page, f"{page}/hapus-data", name="Peserta 1")
    assert asked.status_code == 403
    assert 'name="name" value="Peserta 1"' in asked.text and "csrf_token" in asked.text
    assert "<h1>Peserta 1</h1>" in client.get(page).text, "nothing happened"

    wrong = press(client, page, f"{page}/hapus-data", name="Peserta 1", proof="salah")
    assert wrong.status_code == 422
    assert press(client, page, f"{page}/hapus-data", name="Peserta 1", proof=PASSWORD).status_code == 302
    assert "(tanpa nama)" in client.get(page).text
    assert (
        press(client, page, f"/perangkat/{about.device.id.hex()}/cabut", reason="x").status_code == 302
    ), "and not again at once"


def test_what_can_be_undone_does_not_ask(hub: Hub) -> None:
    clock, about = Clock(hub), world(hub)
    client = as_of(hub)
    clock.ms += sittings.PROOF_MS + 1000
    assert press(client, "/peringatan", f"/peringatan/{about.alert}/ditangani").status_code == 302


def test_a_password_comes_back_in_no_page(hub: Hub) -> None:
    clock, about = Clock(hub), world(hub)
    client = as_of(hub)
    clock.ms += sittings.PROOF_MS + 1000
    page = f"/peserta/{about.learner}"
    answer = press(client, page, f"{page}/hapus-data", name="Peserta 1", proof="kata sandi yang salah")
    assert "kata sandi yang salah" not in answer.text


# The own account


def test_a_changed_password_ends_every_other_place(hub: Hub) -> None:
    here, there = as_of(hub), entered(hub, HELD)
    change = {"old": PASSWORD, "password": "yang lain sama sekali", "again": "yang lain sama sekali"}
    for wrong in ({"old": "salah"}, {"again": "tidak sama"}, {"password": "pendek", "again": "pendek"}):
        answer = press(here, "/akun-saya", "/akun-saya/kata-sandi", **{**change, **wrong})
        assert answer.status_code == 422 and answer.text.count('class="error"') == 2, wrong
    assert there.get("/").status_code == 200
    assert press(here, "/akun-saya", "/akun-saya/kata-sandi", **change).status_code == 302
    assert (here.get("/").status_code, there.get("/").status_code) == (200, 302)


def test_the_places_where_an_account_is_logged_in_are_listed_and_ended(hub: Hub) -> None:
    here, there, stranger = as_of(hub), entered(hub, HELD), browser(hub)
    page = here.get("/akun-saya").text
    (key,) = re.findall(r"/akun-saya/tempat/([0-9a-f]+)/keluarkan", page)
    press(stranger, "/", f"/akun-saya/tempat/{key}/keluarkan")
    assert there.get("/").status_code == 200, "not by somebody else"
    press(here, "/", f"/akun-saya/tempat/{key}/keluarkan")
    assert (here.get("/").status_code, there.get("/").status_code) == (200, 302)
    again = entered(hub, HELD)
    press(here, "/", "/akun-saya/tempat-lain/keluarkan")
    assert (here.get("/").status_code, again.get("/").status_code) == (200, 302)


@pytest.mark.parametrize("path", ["/masuk/kunci", "/akun-saya/kunci"])
def test_an_answer_that_nobody_asked_for_is_no_passkey(hub: Hub, path: str) -> None:
    client = as_of(hub) if path.startswith("/akun") else browser(hub, logged_in=False)
    page = "/akun-saya" if path.startswith("/akun") else "/masuk"
    headers = {"X-CSRFToken": token(client, page)}
    assert client.post(path, json={"id": "x"}, headers=headers).status_code == 400
    assert client.post(f"{path}/mulai", json={}, headers=headers).status_code == 200
    for nonsense in ({}, {"id": "x", "rawId": "eA", "type": "public-key", "response": {}}):
        answer = client.post(path, json=nonsense, headers=headers)
        assert answer.status_code == 422 and answer.json["problem"]
        client.post(f"{path}/mulai", json={}, headers=headers)
