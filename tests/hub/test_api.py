"""The read API: what programs of others are answered, held to the region of their token."""

from __future__ import annotations

import itertools

import pytest
import schemathesis
from device import COURSE
from hypothesis import HealthCheck, Phase, given, settings
from office import CERTIFICATE, ELSEWHERE, HERE, HERE_DISTRICT, NEIGHBOUR, world
from reading import Program, made_token, program
from test_pages import browser, counted, village
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from hub import registry, tokens
from hub.api.app import PATH, create_api
from hub.api.operations import LISTINGS, SINGLES
from hub.app import create_app
from hub.wiring import Hub, application, now_ms

LISTS = tuple(f"/{one.name}" for one in LISTINGS)
COURSE_ID = COURSE[0].hex()


def addresses(about_device: str, learner: str) -> list[str]:
    """Every address of the API, the single ones about something that is there."""
    numbers = {"devices": about_device, "learners": learner}
    return [*LISTS, *(f"/{one.name}/{numbers[one.name]}" for one in SINGLES)]


# What is answered


def test_a_village_is_read_as_its_pages_show_it(hub: Hub) -> None:
    about = world(hub)
    reader = program(hub)
    [province] = reader.items("/regions")
    assert (province["code"], province["level"], province["devices"], province["learners"]) == (
        "17", "province", 1, 2,
    )  # fmt: skip
    assert province["waiting"] == 1 and province["completions"] == 1 and province["last_contact"]
    [here] = reader.items(f"/regions?region={HERE}")
    assert here["code"] == HERE and here["parent"] == HERE_DISTRICT
    assert [
        one["code"] for one in reader.items("/villages?region=17.05.10&limit=200") if one["devices"]
    ] == [HERE]
    device, waiting = reader.items("/devices")
    assert device["id"] == about.device.id.hex() and device["state"] == "registered"
    assert device["packs"] == [{"course": COURSE_ID, "version": 1}] and device["entries"]["merged"] > 0
    assert (waiting["state"], waiting["silent"], waiting["registered"]) == ("waiting", False, None)
    [course] = reader.items("/courses")
    assert (course["id"], course["started"], course["completed"]) == (COURSE_ID, 1, 1)
    [progress] = reader.items("/progress")
    assert progress["code"] == "17" and progress["courses"][0]["completed"] == 1
    [certificate] = reader.items("/certificates")
    assert (certificate["number"], certificate["village"]) == (CERTIFICATE, HERE)
    [alert] = reader.items("/alerts")
    assert (alert["kind"], alert["device"], alert["open"]) == ("fork", about.device.id.hex(), True)


def test_one_device_and_one_learner_are_found_by_their_numbers(hub: Hub) -> None:
    about = world(hub)
    reader = program(hub)
    assert reader.read(f"/devices/{about.device.id.hex()}")["village"] == HERE
    one = reader.read(f"/learners/{about.learner}")
    assert about.learner in one["identities"]
    assert one["courses"][0]["completed"] is True and one["courses"][0]["seconds"] == 91


def test_names_and_reasons_are_only_for_tokens_that_may_see_them(hub: Hub) -> None:
    about = world(hub)
    for path in addresses(about.device.id.hex(), about.learner):
        text = program(hub).ask(path).text
        for name in ("Peserta 1", "Peserta 2", "Kaur", "Bu Petugas", NEIGHBOUR):
            assert name not in text, path
    named = program(hub, sees_names=True)
    assert [one["name"] for one in named.items("/learners")] == ["Peserta 1", "Peserta 2"]
    assert named.items("/certificates")[0]["name"] == "Peserta 1"


def test_filters_take_a_region_a_course_and_a_state(hub: Hub) -> None:
    world(hub)
    reader = program(hub)
    for path, count in (
        ("/devices?state=waiting", 1), ("/devices?state=registered", 1), ("/devices?state=silent", 0),
        (f"/devices?region={HERE}", 2), (f"/devices?region={ELSEWHERE}", 0), (f"/learners?course={COURSE_ID}", 1),
        (f"/learners?course={'0' * 32}", 0), (f"/learners?region={HERE_DISTRICT}", 2), ("/alerts?state=open", 1),
        ("/alerts?state=closed", 0), ("/certificates?state=valid", 1), ("/certificates?state=withdrawn", 0),
        (f"/certificates?course={COURSE_ID}&region=17", 1), (f"/certificates?region={ELSEWHERE}", 0),
    ):  # fmt: skip
        assert len(reader.items(path)) == count, path
    assert reader.items(f"/progress?course={'0' * 32}")[0]["courses"] == []


def test_a_revoked_device_changes_its_state(hub: Hub) -> None:
    about = world(hub)
    registry.revoke(hub.engine, about.device.id, now_ms())
    assert program(hub).read(f"/devices/{about.device.id.hex()}")["state"] == "revoked"


# Regions


def test_a_token_of_another_region_never_sees_anything(hub: Hub) -> None:
    about = world(hub)
    elsewhere, here = (program(hub, scope, sees_names=True) for scope in (ELSEWHERE, HERE_DISTRICT))
    seen = ""
    for path in addresses(about.device.id.hex(), about.learner):
        answer = elsewhere.ask(path)
        assert answer.status_code == (200 if path in LISTS else 404), path
        for mark in about.marks:
            assert mark not in answer.text, (path, mark)
        seen += here.ask(path).text
        for region in (HERE, HERE_DISTRICT, "17.05", "17"):
            narrowed = elsewhere.ask(f"{path}?region={region}")
            assert narrowed.status_code in (403, 404, 422), (path, region)
    for mark in ("Peserta 1", "Peserta 2", about.learner, CERTIFICATE, about.device.id.hex()):
        assert mark in seen, "what could have been seen is here"
    assert all(one["devices"] == one["learners"] == 0 for one in elsewhere.items("/villages?limit=200"))


def test_without_a_region_a_token_reads_its_own(hub: Hub) -> None:
    world(hub)
    for path in ("/regions", "/villages"):
        codes = [one["code"] for one in program(hub, HERE_DISTRICT).items(f"{path}?limit=200")]
        assert HERE in codes and all(code.startswith(f"{HERE_DISTRICT}.") for code in codes), path
    assert [one["code"] for one in program(hub, HERE).items("/progress")] == [HERE]


# Pages


def test_pages_hold_everything_once_also_while_something_is_added(hub: Hub) -> None:
    for seed in range(1, 6):
        village(hub, seed, people=2)
    reader = program(hub)
    for path in LISTS:
        whole = reader.items(f"{path}?limit=200")
        pages = list(itertools.islice(reader.pages(f"{path}?limit=2"), 10))
        assert [one for page in pages for one in page] == whole[:20], path
    first = reader.read("/devices?limit=3")
    village(hub, 9)
    rest = reader.items(f"/devices?limit=200&after={first['next']}")
    numbers = [one["id"] for one in first["items"] + rest]
    assert len(numbers) == len(set(numbers)) == 6


@pytest.mark.parametrize("path", LISTS)
def test_a_page_costs_a_fixed_number_of_statements(hub: Hub, path: str) -> None:
    village(hub, 1)
    reader = program(hub)
    with counted(hub) as few:
        reader.read(f"{path}?limit=200")
    for seed in range(2, 5):
        village(hub, seed)
    with counted(hub) as many:
        reader.read(f"{path}?limit=200")
    assert len(many) == len(few) <= 14, many


def test_what_has_not_changed_is_not_sent_again(hub: Hub) -> None:
    village(hub)
    reader = program(hub)
    tag = reader.ask("/devices").headers["ETag"]
    again = reader.ask("/devices", If_None_Match=tag)
    assert (again.status_code, again.data) == (304, b"")
    village(hub, 2)
    assert reader.ask("/devices", If_None_Match=tag).status_code == 200


# Refusals


def test_every_refusal_is_a_problem_in_the_language_that_was_asked_for(hub: Hub) -> None:
    reader = program(hub, ELSEWHERE)
    stranger = Program(reader.client, "lontar_" + "0" * 48)
    for who, path, status in (
        (stranger, "/devices", 401), (reader, "/devices?region=17", 403), (reader, "/siapa", 404),
        (reader, f"/devices/{'0' * 32}", 404), (reader, "/devices/x", 404), (reader, "/devices?limit=0", 422),
        (reader, "/devices?limit=201", 422), (reader, "/devices?limit=1&limit=2", 422), (reader, "/devices?x=1", 422),
        (reader, "/devices?state=mati", 422), (reader, "/devices?after=x", 422), (reader, "/regions?region=17%0A", 422),
        (reader, "/devices?region=", 422), (reader, f"/devices/{'0' * 32}?x=1", 422),
        (reader, f"/devices?region={ELSEWHERE}.9999", 404),
    ):  # fmt: skip
        answer = who.ask(path, Accept_Language="en-GB, id;q=0.5")
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), path
        said = answer.json
        assert said and said["status"] == status and said["type"].startswith("/api#") and said["detail"]
        assert answer.headers["Content-Language"] == "en"
        assert who.ask(path).headers["Content-Language"] == "id"
    assert stranger.ask("/devices").headers["WWW-Authenticate"].startswith("Bearer")


def test_nothing_is_written_and_no_other_site_reads(hub: Hub) -> None:
    reader = program(hub)
    headers = {"Authorization": f"Bearer {reader.token}"}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = reader.client.open(f"{PATH}/devices", method=method, headers=headers)
        assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
        assert "GET" in answer.headers["Allow"]
    answer = reader.ask("/devices", Origin="https://example.org")
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    assert reader.ask("/devices", Host="example.org").status_code == 400


def test_it_is_served_beside_what_devices_speak_to(hub: Hub) -> None:
    client = Client(application(str(hub.config.data)))
    headers = {"Authorization": f"Bearer {made_token(hub)}"}
    assert client.get(f"{PATH}/regions", headers=headers).status_code == 200
    assert client.get("/masuk").status_code == 200


def test_a_logged_in_browser_is_no_token(hub: Hub) -> None:
    assert browser(hub).get(f"{PATH}/devices").status_code == 401


def test_a_token_asks_so_often_a_minute_whatever_worker_answers(hub: Hub) -> None:
    now = [now_ms()]
    hub.intake.now_ms = lambda: now[0]  # the hub's clock is passed in
    token, other = made_token(hub), made_token(hub)
    workers = [Program(create_app(hub).test_client(), token) for _ in range(2)]
    statuses = [workers[at % 2].ask("/courses").status_code for at in range(tokens.A_MINUTE + 1)]
    assert statuses == [200] * tokens.A_MINUTE + [429]
    now[0] += 10_000
    refused = workers[0].ask("/courses")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "50")
    assert Program(workers[0].client, other).ask("/courses").status_code == 200
    now[0] += 50_000
    assert workers[1].ask("/courses").status_code == 200
    now[0] -= 3_600_000
    assert workers[1].ask("/courses").status_code == 200, "a clock that is set back locks nobody out"


# The description


def test_the_description_is_open_and_names_every_address(hub: Hub) -> None:
    client = create_app(hub).test_client()
    told = client.get(f"{PATH}/openapi.json").json
    assert told and told["openapi"].startswith("3.1")
    assert set(told["paths"]) == {*LISTS, *(f"/{one.name}/{{number}}" for one in SINGLES)}
    served = {
        rule.rule.replace("<", "{").replace(">", "}") for rule in create_api(hub).url_map.iter_rules()
    }
    assert served == {*told["paths"], "/openapi.json"}
    english = client.get(f"{PATH}/openapi.json", headers={"Accept-Language": "en"})
    assert english.headers["Vary"]


@pytest.mark.slow
@pytest.mark.parametrize("hub", ["sqlite"], indirect=True)
def test_schemathesis_finds_nothing(hub: Hub) -> None:
    """Questions that fit the description, and such that don't: the answers are always what it promises."""
    world(hub)
    served = DispatcherMiddleware(create_app(hub), {PATH: create_api(hub, a_minute=1_000_000)})
    headers = {"Authorization": f"Bearer {made_token(hub, '17', sees_names=True)}"}
    schema = schemathesis.openapi.from_wsgi(f"{PATH}/openapi.json", served)
    statuses = set()
    for found, mode in itertools.product(schema.get_all_operations(), schemathesis.GenerationMode):

        @settings(max_examples=15, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(found.ok().as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case) -> None:
            answer = case.call_and_validate(headers=headers)
            statuses.add(answer.status_code)

        ask()
    assert statuses >= {200, 404, 422} and not statuses & {429, 500, 503}
