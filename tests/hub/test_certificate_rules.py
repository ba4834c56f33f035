"""What a certificate asks for, who confirms it, how it is numbered, and what it is as an Open Badge."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import base58
import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from device import VILLAGE, Device
from office import ELSEWHERE, as_of
from sqlalchemy import select
from test_packs_hub import publisher
from test_pages import browser, counted, press
from test_pages_road import person

from content_packs.build import build_pack
from hub import certificate_rules, certificates, courses, identity, schema
from hub.certificate_rules import Rule
from hub.db import reading
from hub.errors import HubError, NotFoundError
from hub.roles import NATION, Role
from hub.wiring import Hub, now_ms
from sync.certificate import final_code
from sync.entries import CourseCompleted, LessonProgressed, PackInstalled, QuizSubmitted
from sync.keys import sha256


def known_course(hub: Hub, folder: Path) -> tuple[bytes, bytes]:
    """(key, manifest) of a course with one lesson and a final test."""
    folder.mkdir()
    (folder / "course.toml").write_text('id = "kas"\ntitle = "Kas Desa"\nversion = 1\ngeneral = true\n')
    (folder / "01-a.md").write_text('+++\nid = "a"\ntitle = "A"\n+++\nIsi.\n')
    test = "## [satu] Kapan?\n- [x] Hari ini\n- [ ] Besok\n> Ya.\n"
    (folder / "02-b.md").write_text(f'+++\nid = "b"\ntitle = "Tes"\nrole = "posttest"\n+++\nTes.\n\n{test}')
    built, made = build_pack(folder, publisher(hub)), io.BytesIO()
    built.write(made)
    manifest = courses.note(hub.engine, built.envelope)
    return manifest.course_key, sha256(built.envelope)


class Town:
    """A village in which somebody completes the course as told."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub = hub
        self.key, manifest_hash = known_course(hub, folder)
        self.device = Device(1).open(3).registered(hub)
        self.device.seal(PackInstalled(self.key, manifest_hash, 1))

    def completes(self, learner: int, *scores: int, seconds: int = 60) -> bytes:
        tests = [QuizSubmitted(learner, 1, 2, score, 10) for score in scores]
        self.device.seal(
            LessonProgressed(learner, 1, 1, 10_000, seconds), *tests, CourseCompleted(learner, 1, 2)
        )
        self.device.send(self.hub)
        certificates.issue_within(self.hub.engine, self.hub.config, NATION, now_ms())
        return person(self.device, learner)

    def certified(self) -> list[bytes]:
        with reading(self.hub.engine) as connection:
            query = select(schema.certificates.c.learner).order_by(schema.certificates.c.pk)
            return [bytes(learner) for learner in connection.execute(query).scalars()]

    def rule(self, **values: Any) -> None:
        certificate_rules.write(self.hub.engine, self.key, Rule(**values))

    def waiting(self) -> list[bytes]:
        with reading(self.hub.engine) as connection:
            return [one.learner for one in certificates.waiting(connection, NATION)]


@pytest.fixture
def town(hub: Hub, tmp_path: Path) -> Town:
    return Town(hub, tmp_path / "course")


# Rules


@pytest.mark.parametrize(
    ("rule", "scores", "seconds", "is_certified"),
    [
        ({}, (), 0, True),
        ({"score_least": 7_000}, (6_900,), 60, False),
        ({"score_least": 7_000}, (5_000, 7_000), 60, True),
        ({"score_least": 7_000}, (), 60, False),
        ({"attempts_most": 3}, (1_000, 2_000, 9_000), 60, True),
        ({"attempts_most": 3}, (1_000, 2_000, 3_000, 9_000), 60, False),
        ({"seconds_least": 3_600}, (9_000,), 3_600, True),
        ({"seconds_least": 3_600}, (9_000,), 3_000, False),
        ({"score_least": 7_000, "attempts_most": 1, "seconds_least": 60}, (8_000,), 60, True),
    ],
)
@pytest.mark.parametrize("hub", ["sqlite"], indirect=True)
def test_a_certificate_is_issued_if_the_rule_is_met(
    town: Town, rule: dict[str, int], scores: tuple[int, ...], seconds: int, is_certified: bool
) -> None:
    town.rule(**rule)
    town.completes(0, *scores, seconds=seconds)
    assert len(town.certified()) == int(is_certified)


def test_who_meets_it_later_is_certified_then(town: Town) -> None:
    town.rule(score_least=7_000)
    who = town.completes(0, 6_000)
    assert town.certified() == []
    assert town.completes(0, 7_500) == who
    assert town.certified() == [who]


def test_a_rule_that_is_written_later_takes_nothing_back(town: Town) -> None:
    who = town.completes(0, 6_000)
    town.rule(score_least=9_900)
    town.completes(1, 6_000)
    assert town.certified() == [who]


def test_one_more_certificate_costs_few_statements(town: Town) -> None:
    counts = []
    for learners in ((0,), (1, 2)):
        for learner in learners:
            town.device.seal(LessonProgressed(learner, 1, 1, 10_000, 60), CourseCompleted(learner, 1, 2))
        town.device.send(town.hub)
        with counted(town.hub) as statements:
            certificates.issue_within(town.hub.engine, town.hub.config, NATION, now_ms())
        counts.append(len(statements))
    assert len(town.certified()) == 3
    assert counts[1] - counts[0] <= 5


# The queue


def test_what_a_person_confirms_waits_until_then(town: Town) -> None:
    town.rule(score_least=7_000, by_hand=True)
    who, _ = town.completes(0, 8_000), town.completes(1, 6_000)
    assert (town.waiting(), town.certified()) == ([who], [])
    client = as_of(town.hub, "17.05.10")
    page = client.get("/sertifikat/antrean").text
    assert "Peserta 1" in page and "Peserta 2" not in page
    assert (
        press(client, "/", f"/sertifikat/antrean/{who.hex()}/{town.key.hex()}/setujui").status_code == 302
    )
    assert (town.waiting(), town.certified()) == ([], [who])
    assert (
        press(client, "/", f"/sertifikat/antrean/{who.hex()}/{town.key.hex()}/setujui").status_code == 404
    )
    assert len(town.certified()) == 1


def test_whoever_does_not_meet_the_rule_is_confirmed_by_nobody(town: Town) -> None:
    town.rule(score_least=7_000, by_hand=True)
    who = town.completes(0, 6_000)
    with pytest.raises(NotFoundError):
        certificates.confirm(town.hub.engine, town.hub.config, who, town.key, now_ms())
    assert town.certified() == []


def test_whoever_is_refused_leaves_the_queue_with_a_reason(town: Town) -> None:
    town.rule(by_hand=True)
    who = town.completes(0, 8_000)
    client, address = browser(town.hub), f"/sertifikat/antrean/{who.hex()}/{town.key.hex()}/tolak"
    assert press(client, "/", address, reason="").status_code == 422
    assert town.waiting() == [who]
    assert press(client, "/", address, reason="bukan perangkat desa").status_code == 302
    assert (town.waiting(), town.certified()) == ([], [])
    assert press(client, "/", address, reason="lagi").status_code == 404
    page = client.get("/sertifikat/antrean").text
    assert "bukan perangkat desa" in page
    back = address.replace("tolak", "kembalikan")
    assert press(as_of(town.hub, ELSEWHERE), "/", back).status_code == 404
    assert press(client, "/", back).status_code == 302
    assert town.waiting() == [who]
    assert press(client, "/", back).status_code == 404


def test_who_does_not_meet_the_rule_takes_nobody_s_place_in_the_queue(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.rule(score_least=7_000, by_hand=True)
    town.completes(0, 6_000)
    who = town.completes(1, 8_000)
    monkeypatch.setattr(certificates, "WAITING_MOST", 1)
    assert town.waiting() == [who]


def test_nobody_sees_or_decides_the_queue_of_another_region(town: Town) -> None:
    town.rule(by_hand=True)
    who = town.completes(0, 8_000)
    stranger = as_of(town.hub, ELSEWHERE)
    assert "Peserta 1" not in stranger.get("/sertifikat/antrean").text
    for act in ("setujui", "tolak"):
        address = f"/sertifikat/antrean/{who.hex()}/{town.key.hex()}/{act}"
        assert press(stranger, "/", address, reason="x").status_code == 404
    assert town.waiting() == [who]


# Pages of rules, and numbers


def test_rules_are_the_nation_s_to_write(town: Town) -> None:
    page, address = "/sertifikat/aturan", f"/sertifikat/aturan/{town.key.hex()}"
    for client in (as_of(town.hub, "17"), as_of(town.hub, NATION, Role.VIEWER)):
        assert client.get(page).status_code == 403
        assert press(client, "/", address, score="70").status_code == 403
    client = browser(town.hub)
    for wrong in ({"score": "101"}, {"score": "-1"}, {"hours": "x"}, {"attempts": "1.5"}, {"score": "٧"}):
        assert press(client, page, address, **wrong).status_code == 422, wrong
    assert press(client, page, f"/sertifikat/aturan/{'00' * 16}", score="70").status_code == 404
    assert press(client, page, address, score="70", attempts="3", hours="", by_hand="1").status_code == 302
    with reading(town.hub.engine) as connection:
        assert certificate_rules.of_courses(connection) == {town.key: Rule(7_000, 3, None, True)}
    assert 'value="70"' in client.get(page).text


def test_certificates_are_numbered_by_the_pattern(town: Town) -> None:
    client = browser(town.hub)
    answer = press(
        client,
        "/sertifikat/aturan",
        "/sertifikat/pola",
        pattern="{nomor:4}/BPD/{kabupaten}/{romawi}/{tahun}",
    )
    assert answer.status_code == 302
    town.completes(0, 8_000)
    with reading(town.hub.engine) as connection:
        number = connection.execute(select(schema.certificates.c.number)).scalar_one()
    assert number.startswith("0001/BPD/17.05/")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "tanpa nomor {tahun}",
        "{nomor}{nomor}",
        "{nomor}/{nama}",
        "{nomor}/<b>",
        "{nomor}" + "x" * 60,
        "{nomor}/{desa",
    ],
)
@pytest.mark.parametrize("hub", ["sqlite"], indirect=True)
def test_a_pattern_that_numbers_nothing_is_refused(hub: Hub, wrong: str) -> None:
    answer = press(browser(hub), "/sertifikat/aturan", "/sertifikat/pola", pattern=wrong)
    assert answer.status_code == 422
    assert answer.text.count('class="error"') == 1
    with reading(hub.engine) as connection:
        assert certificate_rules.pattern(connection) == certificate_rules.PATTERN


def test_every_number_fits_what_a_code_can_hold() -> None:
    for pattern in (certificate_rules.PATTERN, "{nomor:9} {desa} {kabupaten} {provinsi} {tahun} {bulan}"):
        certificate_rules.check_pattern(pattern)
    with pytest.raises(HubError):
        certificate_rules.check_pattern("{nomor:9}{desa}{desa}{desa}{desa}{desa}{desa}{desa}{desa}")


# Open Badges


def badge(town: Town) -> tuple[str, dict[str, Any]]:
    """(the code on the paper, the credential that whoever holds it gets)."""
    town.completes(0, 8_750)
    with reading(town.hub.engine) as connection:
        sealed = connection.execute(select(schema.certificates.c.sealed)).scalar_one()
    code = final_code(bytes(sealed), town.device.profiles[0].encode()).rpartition("/P/")[2]
    answer = browser(town.hub, logged_in=False).get(f"/P/{code}/lencana.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/vc+ld+json"
    return code, json.loads(answer.data)


def check(credential: dict[str, Any]) -> None:
    """As any other system does it: eddsa-jcs-2022, with the key out of did:key."""
    proof = dict(credential["proof"])
    value = base58.b58decode(proof.pop("proofValue").removeprefix("z"))
    plain = {key: part for key, part in credential.items() if key != "proof"}
    key = base58.b58decode(credential["issuer"]["id"].removeprefix("did:key:z"))
    assert key[:2] == b"\xed\x01"
    digest = sha256(rfc8785.dumps(proof)) + sha256(rfc8785.dumps(plain))
    Ed25519PublicKey.from_public_bytes(key[2:]).verify(value, digest)


def test_a_certificate_is_an_open_badge_that_others_verify(town: Town) -> None:
    _, credential = badge(town)
    check(credential)
    assert credential["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert credential["credentialSubject"]["achievement"]["name"] == "Kas Desa"
    assert credential["credentialSubject"]["result"][0]["value"] == "87.5"
    for change in (("name", "Lain"), ("validFrom", "2020-01-01T00:00:00Z")):
        with pytest.raises(InvalidSignature):
            check({**credential, change[0]: change[1]})


def test_a_badge_says_no_more_than_the_paper(town: Town) -> None:
    _, credential = badge(town)
    text = json.dumps(credential)
    assert "Peserta 1" in text
    for secret in ("Peserta 2", town.device.id.hex(), town.device.log.hex()):
        assert secret not in text
    assert VILLAGE in credential["id"], "its number does"


def test_no_badge_of_what_was_withdrawn_or_is_no_certificate(town: Town) -> None:
    code, _ = badge(town)
    client = browser(town.hub, logged_in=False)
    assert "lencana.json" in client.get(f"/P/{code}").text
    with reading(town.hub.engine) as connection:
        number = connection.execute(select(schema.certificates.c.number)).scalar_one()
    certificates.withdraw(town.hub.engine, number, "keliru", now_ms())
    assert client.get(f"/P/{code}/lencana.json").status_code == 404
    assert "lencana.json" not in client.get(f"/P/{code}").text
    assert client.get("/P/AAAA/lencana.json").status_code == 404


def test_the_list_leads_to_the_page_that_everybody_sees(town: Town) -> None:
    who = town.completes(0, 8_750)
    client = browser(town.hub)
    with reading(town.hub.engine) as connection:
        number = connection.execute(select(schema.certificates.c.number)).scalar_one()
    link = re.search(r'href="(/sertifikat/bukti[^"]+)"', client.get("/sertifikat").text)
    assert link
    led = client.get(link[1])
    shown = browser(town.hub, logged_in=False).get(led.location).text
    assert "Terverifikasi: sertifikat ini bersegel pusat" in shown and number in shown

    identity.erase(town.hub.engine, who, now_ms())
    assert "/sertifikat/bukti" not in client.get("/sertifikat").text
    said = client.get(link[1], follow_redirects=True).text
    assert "namanya sudah dihapus" in said
    assert client.get("/sertifikat/bukti?nomor=tidak-ada").status_code == 404
    assert as_of(town.hub, ELSEWHERE).get(link[1]).status_code == 404
