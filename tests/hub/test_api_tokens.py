"""Keys for programs of others: shown once, for one region, ended at once; and the page and commands that make them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from centre import PASSWORD
from click.testing import CliRunner
from flask.testing import FlaskClient
from office import ELSEWHERE, HERE_DISTRICT, PROGRAM, RECEIVER, as_of, world
from reading import Program, made_token
from sqlalchemy import select, update
from test_pages import browser, counted, press
from test_webhooks import Receiver, receiver  # noqa: F401 - the fixture

from hub import outbox, schema, tokens, webhooks
from hub.app import create_app
from hub.cli import hub as hub_command
from hub.db import reading, writing
from hub.errors import HubError, NotFoundError
from hub.roles import NATION, Role
from hub.views import sittings
from hub.wiring import Hub, now_ms

PAGE = "/kunci-api"
TOKEN = re.compile(r"lontar_[0-9a-f]{48}")


def made(client: FlaskClient, name: str = "Dasbor provinsi", region: str = "17.05", **more: str) -> str:
    """The token, as the page shows it."""
    answer = press(client, PAGE, PAGE, name=name, region=region, **more)
    assert answer.status_code == 200, answer.text
    found = TOKEN.search(answer.text)
    assert found
    return found[0]


def row(hub: Hub) -> Any:
    with reading(hub.engine) as connection:
        return connection.execute(select(schema.api_tokens)).one()


def asked(hub: Hub, token: str, path: str = "/devices") -> int:
    return Program(create_app(hub).test_client(), token).ask(path).status_code


def test_a_token_is_shown_once_and_kept_only_as_a_hash(hub: Hub) -> None:
    client = browser(hub)
    token = made(client)
    page = client.get(PAGE).text
    assert "Dasbor provinsi" in page and not TOKEN.search(page)
    assert all(token[7:] not in str(value) and token.encode() != value for value in row(hub))
    assert (row(hub).scope, row(hub).sees_names, row(hub).made_by) == ("17.05", 0, "operator")
    assert asked(hub, token) == 200


def test_an_ended_token_is_answered_no_more(hub: Hub) -> None:
    client = browser(hub)
    token = made(client, sees_names="1")
    assert row(hub).sees_names == 1
    assert press(client, PAGE, f"{PAGE}/{row(hub).pk}/akhiri").status_code == 302
    assert asked(hub, token) == 401
    assert "Diakhiri" in client.get(PAGE).text
    assert press(client, PAGE, f"{PAGE}/{row(hub).pk}/akhiri").status_code == 302, "again changes nothing"
    assert press(client, PAGE, f"{PAGE}/99/akhiri").status_code == 404


def test_whatever_is_no_token_is_answered_alike(hub: Hub) -> None:
    token = made_token(hub)
    client = create_app(hub).test_client()
    for header in (
        "", token, f"Basic {token}", f"Bearer {token[:-1]}", f"Bearer {token}0", f"Bearer {token.upper()}",
        f"Bearer {tokens.PREFIX}{'0' * 48}", "Bearer lontar_'; drop table api_tokens", f"Bearer {token} {token}",
    ):  # fmt: skip
        answer = client.get("/api/v1/devices", headers={"Authorization": header})
        assert answer.status_code == 401, header
    assert client.get(f"/api/v1/devices?token={token}").status_code == 401
    assert client.get("/api/v1/devices", headers={"Authorization": f"bearer  {token}"}).status_code == 200


def test_use_is_noted_once_an_hour_and_counting_costs_two_statements(hub: Hub) -> None:
    token, start = made_token(hub), now_ms()
    with counted(hub) as statements:
        tokens.ask(hub.engine, token, start)
    assert len([one for one in statements if "BEGIN" not in one]) == 2
    assert row(hub).used_ms == start
    tokens.ask(hub.engine, token, start + tokens.USE_NOTED_MS - 1)
    assert row(hub).used_ms == start
    tokens.ask(hub.engine, token, start + tokens.USE_NOTED_MS)
    assert row(hub).used_ms == start + tokens.USE_NOTED_MS


def test_askers_at_once_are_counted_together(hub: Hub) -> None:
    token, now = made_token(hub), now_ms()
    with ThreadPoolExecutor(4) as many:
        asked_ = list(many.map(lambda _: tokens.ask(hub.engine, token, now, a_minute=10), range(40)))
    assert len([one for one in asked_ if one and not one.wait_s]) == 10


def test_a_token_that_must_wait_writes_nothing(hub: Hub) -> None:
    token, start = made_token(hub), now_ms()
    assert [tokens.ask(hub.engine, token, start, a_minute=1) is not None for _ in range(2)] == [True, True]
    with counted(hub) as statements:
        refused = tokens.ask(hub.engine, token, start + 1000, a_minute=1)
    assert refused and refused.wait_s == 59
    assert not [one for one in statements if one.startswith("UPDATE")]


def test_operators_make_and_end_tokens_only_within_their_region(hub: Hub) -> None:
    about = world(hub)
    elsewhere, here = as_of(hub, ELSEWHERE), as_of(hub, HERE_DISTRICT)
    for region in ("", "17", "17.05", HERE_DISTRICT, "99", "x"):
        for path, form in (
            (PAGE, {"name": "x"}),
            (f"{PAGE}/webhook", {"url": RECEIVER, "kinds": outbox.ALERT_RAISED}),
        ):
            answer = press(elsewhere, PAGE, path, region=region, **form)
            assert answer.status_code == 422 and answer.text.count('class="error"') == 1, (path, region)
    for path in (f"{PAGE}/{about.token}/akhiri", f"{PAGE}/webhook/{about.webhook}/akhiri"):
        assert press(elsewhere, PAGE, path).status_code == 404
    assert PROGRAM not in elsewhere.get(PAGE).text and RECEIVER not in elsewhere.get(PAGE).text
    assert PROGRAM in here.get(PAGE).text and RECEIVER in here.get(PAGE).text
    assert press(here, PAGE, f"{PAGE}/{about.token}/akhiri").status_code == 302
    assert press(here, PAGE, f"{PAGE}/webhook/{about.webhook}/akhiri").status_code == 302
    for role in (Role.VIEWER, Role.PUBLISHER, Role.AUDITOR):
        assert as_of(hub, NATION, role).get(PAGE).status_code == 403


def test_handing_data_out_asks_for_the_password_after_some_minutes(hub: Hub) -> None:
    now = [now_ms()]
    hub.intake.now_ms = lambda: now[0]  # the hub's clock is passed in
    client = browser(hub)
    assert client.get(PAGE).status_code == 200
    now[0] += sittings.PROOF_MS + 1000
    for path, form in (
        (PAGE, {"name": "x"}),
        (f"{PAGE}/webhook", {"url": RECEIVER, "kinds": outbox.ALERT_RAISED}),
    ):
        assert press(client, PAGE, path, **form).status_code == 403, path
    assert TOKEN.search(press(client, PAGE, PAGE, name="x", proof=PASSWORD).text)


def test_wrong_forms_get_one_sentence_and_make_nothing(hub: Hub) -> None:
    client = browser(hub)
    for path, form in (
        (PAGE, {"name": ""}), (PAGE, {"name": "x" * 61}), (PAGE, {"name": "x", "region": "18"}),
        (f"{PAGE}/webhook", {"url": "http://dinas.go.id", "kinds": outbox.ALERT_RAISED}),
        (f"{PAGE}/webhook", {"url": RECEIVER}), (f"{PAGE}/webhook", {"url": RECEIVER, "kinds": "x"}),
    ):  # fmt: skip
        answer = press(client, PAGE, path, **form)
        assert answer.status_code == 422 and answer.text.count('class="error"') == 1, form
    with reading(hub.engine) as connection:
        assert tokens.listed(connection) == [] and webhooks.listed(connection) == []


def test_a_webhook_is_added_stopped_resumed_and_ended_on_the_page(hub: Hub) -> None:
    client = browser(hub)
    answer = press(client, PAGE, f"{PAGE}/webhook", url=RECEIVER, region="17.05", kinds=outbox.ALERT_RAISED)
    secret = re.search(r"whsec_[\w+/=]+", answer.text)
    assert secret and len(secret[0]) == 6 + 44
    page = client.get(PAGE).text
    assert RECEIVER in page and "Peringatan baru" in page and secret[0] not in page
    with reading(hub.engine) as connection:
        number = webhooks.listed(connection)[0].pk
    with writing(hub.engine) as connection:
        values = {"state": outbox.STOPPED, "problem": "HTTP 500", "failing_ms": now_ms()}
        connection.execute(update(schema.webhooks).values(values))
    assert "HTTP 500" in client.get(PAGE).text and "Lanjutkan" in client.get(PAGE).text
    assert press(client, PAGE, f"{PAGE}/webhook/{number}/lanjutkan").status_code == 302
    assert "Berjalan" in client.get(PAGE).text
    assert press(client, PAGE, f"{PAGE}/webhook/{number}/akhiri").status_code == 302
    assert press(client, PAGE, f"{PAGE}/webhook/{number}/lanjutkan").status_code == 404, "ended for good"


def test_the_page_for_who_writes_programs_is_open_and_names_everything(hub: Hub) -> None:
    page = create_app(hub).test_client().get("/api")
    assert page.status_code == 200
    for part in ("/api/v1/devices", "/api/v1/learners/{number}", "clock_off_seconds", "too-many", "webhook-id", "429",
                 "Perangkat terdaftar."):  # fmt: skip
        assert part in page.text, part
    assert "<script" not in page.text


@pytest.mark.parametrize("hub", ["sqlite"], indirect=True)
def test_the_command_line_adds_lists_ends_and_delivers(
    hub: Hub,
    receiver: Receiver,  # noqa: F811
) -> None:
    runner, data = CliRunner(), ["--data", str(hub.config.data)]

    def run(*args: str, **environment: str) -> str:
        result = runner.invoke(hub_command, [*args, *data], env=environment)
        assert result.exit_code == 0, result.output
        return result.output

    token = run("token", "add", "Dasbor", "--region", "17.05", "--names").strip()
    assert TOKEN.fullmatch(token) and asked(hub, token) == 200
    assert re.search(r"^1\tDasbor\t17\.05\t20\d\d-\d\d-\d\d\tdipakai$", run("token", "list"), re.MULTILINE)
    run("token", "end", "1")
    assert asked(hub, token) == 401 and "diakhiri" in run("token", "list")
    for wrong in (["token", "end", "9"], ["token", "add", "x", "--region", "99"], ["token", "add", ""]):
        result = runner.invoke(hub_command, [*wrong, *data])
        assert result.exit_code and len(result.output.splitlines()) == 1, wrong
    webhooks.add(hub.engine, receiver.url, outbox.KINDS, NATION, "x", lambda size: b"s" * size, now_ms())
    with writing(hub.engine) as connection:
        outbox.note(connection, outbox.ALERT_RAISED, "17.05.10.2007", {}, now_ms())
    assert "0 sampai, 1 gagal" in run("deliver")
    with writing(hub.engine) as connection:
        connection.execute(update(schema.webhook_deliveries).values(due_ms=now_ms()))
    assert "1 sampai" in run("deliver", LONTAR_HUB_WEBHOOK_NETWORKS="127.0.0.0/8 ::1/128")
    assert receiver.kinds == [outbox.ALERT_RAISED]


def test_what_is_not_there_is_not_ended(hub: Hub) -> None:
    with pytest.raises(NotFoundError):
        tokens.end(hub.engine, 1, now_ms())
    with pytest.raises(HubError):
        webhooks.end(hub.engine, 1)
