"""A forgotten operator's password and the code that the centre reads out, without any network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from negeri import PASSWORD, Negeri, Office, a_negeri, device_of, office

from hub import unlock as at_the_centre
from hub.wiring import now_ms
from node.excerpts import excerpt
from node.recorder import OperatorAction
from node.unlocking import TRIES
from sync.entries import OperatorActed
from sync.unlock import read_challenge

NEW = "sandi baru desa"


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Negeri]:
    with a_negeri(tmp_path) as made:
        yield made


def locked_out(land: Negeri) -> Office:
    """A registered laptop whose operator has a password that nobody remembers."""
    made = office(land.registered())
    made.log_in()
    made.post("/keluar")
    return made


def challenge_on(made: Office) -> str:
    found = re.search(r'class="bigcode">(\w{6})<', made.client.get("/operator/lupa").text)
    assert found
    return read_challenge(found[1])


def code_for(land: Negeri, made: Office, challenge: str) -> str:
    hub = land.hub
    return at_the_centre.give(hub.engine, hub.config, device_of(made.node), challenge, now_ms())[0]


def acts(made: Office) -> list[int]:
    node = made.node
    with node.store.read() as db:
        entries = excerpt(db, node.recorder.log)
    return [
        OperatorActed.from_fields(entry.fields).action
        for entry in entries
        if entry.kind == OperatorActed.number
    ]


def test_the_centre_s_code_gives_a_new_password_at_once(land: Negeri) -> None:
    made = locked_out(land)
    assert "Lupa kata sandi operator?" in made.client.get("/operator/masuk").text
    code = code_for(land, made, challenge_on(made))

    done = made.post("/operator/lupa", code=code.lower(), password=NEW, again=NEW)

    assert done.location == "/operator"
    assert made.client.get("/operator").status_code == 200
    other = office(made.node)
    assert "Kata sandi salah" in other.post("/operator/masuk", password=PASSWORD).text
    assert other.post("/operator/masuk", password=NEW).location == "/operator"
    assert acts(made) == [OperatorAction.PASSWORD_SET, OperatorAction.UNLOCKED_BY_CENTRE]


def test_others_who_sit_as_operator_are_sent_away(land: Negeri) -> None:
    made = locked_out(land)
    stranger = Office(made.node, made.visits, made.client.application.test_client())
    stranger.post("/operator/masuk", password=PASSWORD)
    assert stranger.client.get("/operator").status_code == 200
    code = code_for(land, made, challenge_on(made))
    made.post("/operator/lupa", code=code, password=NEW, again=NEW)
    assert stranger.client.get("/operator").location == "/operator/masuk"


def test_a_code_works_once(land: Negeri) -> None:
    made = locked_out(land)
    challenge = challenge_on(made)
    code = code_for(land, made, challenge)
    made.post("/operator/lupa", code=code, password=NEW, again=NEW)
    made.post("/keluar")
    assert challenge_on(made) != challenge
    again = made.post("/operator/lupa", code=code, password="sandi lain lagi", again="sandi lain lagi")
    assert again.status_code == 422
    assert "Kode dari pusat salah" in again.text


def test_the_challenge_stays_over_a_restart_until_five_wrong_codes(land: Negeri) -> None:
    made = locked_out(land)
    challenge = challenge_on(made)
    made = office(land.opened("asri"))
    assert challenge_on(made) == challenge
    for left in range(TRIES - 1, 0, -1):
        wrong = made.post("/operator/lupa", code="0000-0000", password=NEW, again=NEW)
        assert f"Sisa {left} kali coba" in wrong.text
        assert challenge_on(made) == challenge
    last = made.post("/operator/lupa", code="0000-0000", password=NEW, again=NEW)
    assert "Kode salah lima kali" in last.text
    assert challenge_on(made) != challenge
    assert made.post("/operator/masuk", password=PASSWORD).location == "/operator", "nothing else changed"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"code": "123", "password": NEW, "again": NEW}, "8 huruf atau angka"),
        ({"code": "0000-0000", "password": "pendek", "again": "pendek"}, "8 huruf atau lebih"),
        ({"code": "0000-0000", "password": NEW, "again": NEW + "x"}, "tidak sama"),
    ],
)
def test_what_can_be_no_code_or_no_password_costs_no_try(
    land: Negeri, form: dict[str, str], sentence: str
) -> None:
    made = locked_out(land)
    challenge = challenge_on(made)
    refused = made.post("/operator/lupa", **form)
    assert refused.status_code == 422
    assert sentence in refused.text
    assert made.node.store.get("unlock") == [challenge, 0]


def test_another_laptop_s_code_opens_nothing(land: Negeri) -> None:
    made, other = locked_out(land), land.registered("lain", "17.05.10.2008")
    challenge = challenge_on(made)
    code = code_for(land, office(other), challenge)
    assert made.post("/operator/lupa", code=code, password=NEW, again=NEW).status_code == 422


def test_it_is_only_opened_at_the_laptop_itself(land: Negeri) -> None:
    made = locked_out(land)
    phone = made.phone()
    assert "Lupa kata sandi" not in phone.get("/operator/masuk").text
    refused = phone.get("/operator/lupa")
    assert refused.status_code == 403
    assert "bukan dari ponsel" in refused.text


def test_a_laptop_that_knows_no_centre_says_so(land: Negeri) -> None:
    made = office(land.village())
    assert made.client.get("/operator/lupa").location == "/operator/masuk", "there is no password yet"
    made.log_in()
    made.post("/keluar")
    assert "belum mengenal pusat" in made.client.get("/operator/lupa").text
