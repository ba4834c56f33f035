"""Operators' accounts: invited with one address that works once, ended for good, never without a national one."""

from __future__ import annotations

import re

import pytest
from centre import PASSWORD
from click.testing import CliRunner
from flask.testing import FlaskClient
from office import add, as_of, entered
from sqlalchemy import select
from test_pages import browser, press, token

from hub import invitations, operators, schema
from hub.app import create_app
from hub.cli import hub as hub_command
from hub.db import reading
from hub.errors import HubError, NotFoundError
from hub.roles import NATIONAL, Role, Standing
from hub.wiring import Hub, now_ms

DAY_MS = 24 * 3600 * 1000


def invitation(
    client: FlaskClient, name: str = "Bu Siti", region: str = "17.05", role: str = "operator"
) -> str:
    """The address of the invitation, as the page shows it."""
    answer = press(client, "/akun", "/akun", name=name, region=region, role=role)
    assert answer.status_code == 200, answer.text
    found = re.search(r"/undangan/[\w-]+", answer.text)
    assert found
    return found[0]


def accepted(hub: Hub, address: str, password: str = PASSWORD, again: str | None = None) -> int:
    client = create_app(hub).test_client()
    if client.get(address).status_code == 404:
        return 404
    form = {"password": password, "again": again or password, "csrf_token": token(client, address)}
    return client.post(address, data=form).status_code


def account(hub: Hub, name: str) -> operators.Account:
    with reading(hub.engine) as connection:
        return next(one for one in operators.listed(connection, NATIONAL) if one.name == name)


def test_who_is_invited_chooses_a_password_once_and_works_in_that_region(hub: Hub) -> None:
    address = invitation(browser(hub))
    assert account(hub, "Bu Siti").is_invited
    assert operators.check(hub.engine, "Bu Siti", "") is None
    assert accepted(hub, address) == 302
    assert account(hub, "Bu Siti").standing == Standing(Role.OPERATOR, "17.05")
    assert entered(hub, "Bu Siti").get("/wilayah/17.05").status_code == 200
    assert accepted(hub, address, "kata sandi yang lain") == 404
    assert operators.check(hub.engine, "Bu Siti", PASSWORD) is not None


def test_an_invitation_holds_a_week(hub: Hub) -> None:
    now = now_ms()
    token_ = invitations.make(hub.engine, "Bu Siti", NATIONAL, lambda size: "x" * size, now)
    late = now + invitations.DAYS * DAY_MS
    with reading(hub.engine) as connection:
        assert invitations.find(connection, token_, late - 1)
        assert invitations.find(connection, token_, late) is None
    with pytest.raises(NotFoundError):
        invitations.accept(hub.engine, token_, PASSWORD, late)
    assert account(hub, "Bu Siti").is_invited


def test_what_proves_an_invitation_does_not_stand_in_the_database(hub: Hub) -> None:
    address = invitation(browser(hub))
    with reading(hub.engine) as connection:
        keys = connection.execute(select(schema.settings.c.key)).scalars().all()
    assert not any(address.rpartition("/")[2] in key for key in keys)


def test_short_and_unlike_passwords_are_refused_and_the_invitation_stays(hub: Hub) -> None:
    address = invitation(browser(hub))
    assert accepted(hub, address, "pendek") == 422
    assert accepted(hub, address, PASSWORD, "yang lain sama sekali") == 422
    assert accepted(hub, address) == 302


def test_names_are_given_once_and_wrong_forms_get_one_sentence(hub: Hub) -> None:
    client = browser(hub)
    invitation(client)
    for form in (
        {"name": "bu  siti".title(), "region": "17.05", "role": "viewer"},
        {"name": "", "region": "17.05", "role": "viewer"},
        {"name": "x" * 61, "region": "17.05", "role": "viewer"},
        {"name": "Pak Ali", "region": "17.06", "role": "viewer"},
        {"name": "Pak Ali", "region": "x", "role": "viewer"},
        {"name": "Pak Ali", "region": "17.05", "role": "king"},
        {"name": "Pak Ali", "region": "17.05"},
    ):
        answer = press(client, "/akun", "/akun", **form)
        assert answer.status_code == 422, form
        assert answer.text.count('class="error"') == 1, form
    with reading(hub.engine) as connection:
        assert len(operators.listed(connection, NATIONAL)) == 2


def test_an_ended_account_is_out_at_once_and_its_name_stays_taken(hub: Hub) -> None:
    theirs, ours = as_of(hub, "17.05"), browser(hub)
    assert theirs.get("/").status_code == 200
    name = "operator 17.05"
    assert press(ours, "/akun", f"/akun/{name}/akhiri").status_code == 302
    assert theirs.get("/").status_code == 302
    assert operators.check(hub.engine, name, PASSWORD) is None
    assert press(ours, "/akun", "/akun", name=name, region="", role="viewer").status_code == 422
    assert "Diakhiri" in ours.get("/akun").text


def test_an_invited_account_that_was_ended_can_not_be_taken_up(hub: Hub) -> None:
    client = browser(hub)
    address = invitation(client)
    press(client, "/akun", "/akun/Bu Siti/akhiri")
    assert accepted(hub, address) == 404


def test_the_last_national_account_stays(hub: Hub) -> None:
    client = browser(hub)
    as_of(hub, "17.05")
    as_of(hub, "", Role.VIEWER)
    answer = press(client, "/akun", "/akun/operator/akhiri")
    assert answer.status_code == 422
    add(hub, "Bu Kedua")
    assert press(client, "/akun", "/akun/operator/akhiri").status_code == 302


def test_accounts_of_other_regions_are_neither_seen_nor_ended(hub: Hub) -> None:
    add(hub, "Orang Jauh", "17.05.01")
    client = as_of(hub, "17.05.10")
    assert "Orang Jauh" not in client.get("/akun").text
    assert press(client, "/akun", "/akun/Orang Jauh/akhiri").status_code == 404
    assert account(hub, "Orang Jauh").ended_ms is None


def test_an_invited_account_that_nobody_took_up_does_not_save_the_last_national_one(hub: Hub) -> None:
    client = browser(hub)
    invitation(client, region="")
    assert press(client, "/akun", "/akun/operator/akhiri").status_code == 422


@pytest.mark.parametrize("hub", ["sqlite"], indirect=True)
def test_the_command_line_invites_lists_ends_and_audits(hub: Hub) -> None:
    runner, data = CliRunner(), ["--data", str(hub.config.data)]

    def run(*args: str) -> str:
        result = runner.invoke(hub_command, [*args, *data])
        assert result.exit_code == 0, result.output
        return result.output

    shown = run(
        "operator",
        "invite",
        "Bu Siti",
        "--region",
        "17.05",
        "--role",
        "auditor",
        "--address",
        "https://p.id/",
    )
    found = re.search(r"https://p\.id(/undangan/\S+)", shown)
    assert found and accepted(hub, found[1]) == 302
    assert "Bu Siti\tauditor\t17.05\tdipakai" in run("operator", "list")
    run("operator", "end", "Bu Siti")
    assert "Bu Siti\tauditor\t17.05\tdiakhiri" in run("operator", "list")
    press(browser(hub), "/akun", "/akun", name="Pak Ali", region="", role="viewer")
    assert "accounts.invite" in run("audit")
    for wrong in (["operator", "end", "Siapa"], ["operator", "invite", "X", "--region", "99"]):
        result = runner.invoke(hub_command, [*wrong, *data])
        assert result.exit_code and len(result.output.splitlines()) == 1, wrong


def test_a_password_for_an_unknown_name_makes_a_national_operator(hub: Hub) -> None:
    operators.set_password(hub.engine, "baru", PASSWORD)
    assert account(hub, "baru").standing == NATIONAL
    with pytest.raises(HubError):
        operators.set_password(hub.engine, "baru", "pendek")
