"""Who sees and does what: every table, every page and every act is held to an operator's region and role."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from device import Device
from office import CERTIFICATE, ELSEWHERE, HERE, HERE_DISTRICT, address, as_of, world
from sqlalchemy import func, select
from state import merged_state
from test_pages import browser, counted, token
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from hub import schema
from hub.app import create_app
from hub.db import reading
from hub.policies import rule_of
from hub.roles import NATION, RIGHTS, Right, Role, Standing
from hub.schema_base import metadata
from hub.seeing import seeing
from hub.views.acts import WORDS
from hub.wiring import Hub

OPEN = {
    "enter.enter", "enter.code", "enter.ask_passkey", "enter.take_passkey", "enter.prove_again", "enter.leave",
    "own.ask_passkey", "accounts.accept", "certificates.check",
}  # fmt: skip
"""What acts without an operator, or on the own session only."""
OWN = {act for act in WORDS if act.startswith("own.")}
"""What operators do to their own accounts."""
ACTS = {word for word in WORDS if not word.startswith("exports.")}
"""What changes something here; taking tables away is written down too (see test_exports)."""
SHARED = {"regions", "courses", "packs", "meta"}
"""Tables of which no row belongs to a village."""


def standing(scope: str) -> Standing:
    return Standing(Role.OPERATOR, scope)


def rows(hub: Hub, scope: str) -> dict[str, int]:
    """How many rows of each table an operator of `scope` sees."""
    with seeing(hub.engine, standing(scope)) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def routes(hub: Hub, method: str) -> Iterator[Rule]:
    for rule in create_app(hub).url_map.iter_rules():
        if method in (rule.methods or ()):
            yield rule


def shown(answer: TestResponse) -> str:
    """A page without what was asked for, which it repeats; of a workbook everything that is packed in it."""
    if answer.data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
            return "".join(packed.read(name).decode() for name in packed.namelist())
    return re.sub(r"next=[^\"]*\"|value=\"[^\"]*\"", "", answer.get_data(as_text=True))


# The database


def test_every_table_says_who_sees_its_rows() -> None:
    for table in metadata.sorted_tables:
        assert rule_of(table), table.name


def test_a_village_s_rows_are_seen_in_its_regions_and_nowhere_else(hub: Hub) -> None:
    world(hub)
    everything = rows(hub, NATION)
    for scope in ("17", "17.05", HERE_DISTRICT, HERE):
        seen = rows(hub, scope)
        for name in (
            "devices",
            "logs",
            "learners",
            "learner_profiles",
            "certificates",
            "alerts",
            "segments",
        ):
            assert seen[name] == everything[name] > 0, (scope, name)
        assert (seen["operators"], everything["operators"]) == (0, 2)
    elsewhere = rows(hub, ELSEWHERE)
    assert {name for name, count in elsewhere.items() if count} <= SHARED


def test_nothing_of_one_scope_stays_in_the_connection_for_the_next(hub: Hub) -> None:
    world(hub)
    before = rows(hub, NATION)
    assert rows(hub, ELSEWHERE)["devices"] == 0
    assert rows(hub, HERE)["devices"] == before["devices"]
    assert rows(hub, NATION) == before


def test_a_scope_that_is_no_code_is_never_put_into_a_statement(hub: Hub) -> None:
    for wrong in ("17'", "17.5", "x", "17.05.10 or true", "1"):
        with pytest.raises(ValueError, match="code"), seeing(hub.engine, standing(wrong)):
            pass


def test_narrowing_costs_few_statements(hub: Hub) -> None:
    world(hub)
    client = as_of(hub, HERE_DISTRICT)
    with counted(hub) as statements:
        assert client.get("/").status_code == 200
    assert len(statements) <= 30, statements


# Pages


def test_no_page_shows_anything_of_another_region(hub: Hub) -> None:
    about = world(hub)
    client = as_of(hub, ELSEWHERE)
    own = browser(hub)
    seen = shown(own.get(f"/pengumuman?wilayah={HERE}"))
    for rule in routes(hub, "GET"):
        if rule.endpoint in ("acts.listed", "enter.enter", "web.static"):
            continue
        path = address(rule, about)
        answer = client.get(path)
        assert answer.status_code in (200, 302, 403, 404, 422), path
        for mark in about.marks:
            assert mark not in shown(answer), (path, mark)
        seen += shown(own.get(path))
    for mark in about.marks:
        assert mark in seen, f"the marks are those of the pages: {mark}"


def test_lists_with_a_filter_for_another_region_are_empty_too(hub: Hub) -> None:
    about = world(hub)
    client = as_of(hub, ELSEWHERE)
    for path in (
        f"/wilayah?q={HERE}", "/wilayah?q=peserta", f"/buku-kiriman?wilayah={HERE}", f"/pengumuman?wilayah={HERE}",
        f"/senyap?wilayah={HERE}", "/senyap?lama=1", "/senyap?langkah=tanpa-perangkat",
        f"/sertifikat?q={HERE_DISTRICT}", f"/sertifikat?q={CERTIFICATE}", "/perangkat?keadaan=waiting",
        "/peringatan?keadaan=selesai",
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code in (200, 422), path
        for mark in about.marks:
            assert mark not in shown(answer), (path, mark)


def test_nobody_acts_on_another_region(hub: Hub) -> None:
    about = world(hub)
    client = as_of(hub, ELSEWHERE)
    before = merged_state(hub), rows(hub, NATION)
    form = {
        "csrf_token": token(client, "/akun"), "region": HERE, "village": HERE, "reason": "alasan", "title": "judul",
        "text": "isi", "number": CERTIFICATE, "name": "Peserta 1", "decision": "all", "challenge": "ABCDEF",
        "role": "viewer", "seen": "0",
    }  # fmt: skip
    tried = set()
    for rule in routes(hub, "POST"):
        # What is issued within the own region, and files whose senders sign them, reach no other one.
        if rule.endpoint in {*OPEN, *OWN, "certificates.issue", "sticks.receive", "packs.upload"}:
            continue
        answer = client.post(address(rule, about), data=form)
        assert answer.status_code in (403, 404, 422), rule.endpoint
        tried.add(rule.endpoint)
    assert tried == ACTS - {*OWN, "certificates.issue", "sticks.receive", "packs.upload"}
    after = merged_state(hub), rows(hub, NATION)
    written = {"hub_logs", "hub_segments"}
    assert after[0] == before[0]
    changed = {name for name, count in after[1].items() if count != before[1][name]}
    assert changed <= written, "only that it was tried stands in the log of acts"


def test_somebody_of_the_region_does_it(hub: Hub) -> None:
    about = world(hub)
    client = as_of(hub, HERE_DISTRICT)
    form = {
        "csrf_token": token(client, "/akun"),
        "reason": "alasan",
        "number": CERTIFICATE,
        "name": "peserta 1",
    }
    here = f"/perangkat/{about.waiting.id.hex()}"
    for path in (
        f"{here}/setujui", f"{here}/cabut", f"/peringatan/{about.alert}/ditangani", "/sertifikat/tarik",
        f"/petugas/{about.courier}/cabut", f"/peserta/{about.learner}/hapus-data",
    ):  # fmt: skip
        assert client.post(path, data=form).status_code == 302, path


def test_who_may_act_on_a_region_may_not_act_on_what_surrounds_it(hub: Hub) -> None:
    world(hub)
    client = as_of(hub, HERE_DISTRICT)
    form = {
        "csrf_token": token(client, "/akun"),
        "title": "judul",
        "text": "isi",
        "name": "x",
        "role": "viewer",
    }
    for path in ("/pengumuman", "/petugas", "/akun"):
        for region in ("", "17", "17.05"):
            answer = client.post(path, data={**form, "region": region})
            assert answer.status_code == 422, (path, region)
            assert answer.text.count("17.05.10") >= 1


# Roles


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
def test_a_role_does_only_what_it_has_a_right_to(hub: Hub, role: Role) -> None:
    about = world(hub)
    client = as_of(hub, NATION, role)
    form = {"csrf_token": token(client, "/"), "reason": "alasan"}
    refused = set()
    for rule in routes(hub, "POST"):
        if (
            rule.endpoint not in {*OPEN, *OWN}
            and client.post(address(rule, about), data=form).status_code == 403
        ):
            refused.add(rule.endpoint)
    publishing = {"announcements.post", "packs.upload", "packs.withdraw", "pack.publish"}
    assert refused == ACTS - OWN - (publishing if Right.PUBLISH in RIGHTS[role] else set())


@pytest.mark.parametrize("role", list(Role))
def test_no_page_offers_what_would_be_refused(hub: Hub, role: Role) -> None:
    """Every form that acts, and every link, on every page leads somewhere for whoever sees it."""
    about = world(hub)
    client = as_of(hub, NATION, role)
    form = {"csrf_token": token(client, "/")}
    offered = 0
    for rule in routes(hub, "GET"):
        page = client.get(address(rule, about))
        if page.status_code != 200 or not page.mimetype.startswith("text/html"):
            continue
        for action in re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', page.text):
            if action != "/keluar" and not action.startswith("/akun-saya"):
                offered += 1
                assert client.post(action, data=form).status_code != 403, (rule.rule, action)
        for link in set(re.findall(r'<a [^>]*href="(/[^"]*)"', page.text)):
            assert client.get(link).status_code in (200, 302), (rule.rule, link)
    assert offered or role in (Role.VIEWER, Role.AUDITOR)


def test_every_act_has_a_word_and_a_right(hub: Hub) -> None:
    acting = {rule.endpoint for rule in routes(hub, "POST")} - OPEN
    assert acting == ACTS


def test_a_device_that_is_not_seen_is_not_found_rather_than_forbidden(hub: Hub) -> None:
    about = world(hub)
    client = as_of(hub, ELSEWHERE)
    for number in (about.device.id.hex(), Device(9).id.hex()):
        assert client.get(f"/perangkat/{number}").status_code == 404


def test_the_front_page_of_a_region_counts_only_what_is_its_own(hub: Hub) -> None:
    world(hub)
    with reading(hub.engine) as connection:
        assert connection.execute(select(func.count()).select_from(schema.learners)).scalar_one() == 2
    pattern = re.compile(r"<dt>Peserta</dt><dd>(\d+)")
    for scope, count in ((NATION, "2"), (HERE, "2"), (ELSEWHERE, "0")):
        found = pattern.search(as_of(hub, scope).get("/").text)
        assert found and found[1] == count, scope
