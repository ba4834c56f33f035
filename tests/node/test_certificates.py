"""Certificates: a draft at once, the centre's when it has heard, withdrawn with a reason, and proven without a network."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pypdfium2
import pytest
from flask.testing import FlaskClient
from negeri import CODE, Negeri, a_negeri, device_of, office, post
from sqlalchemy import select

from hub import certificates as issuing
from hub import courses, identity, registry, schema
from hub.app import create_app as create_centre
from hub.db import reading
from hub.wiring import now_ms
from node import certificates
from node.certificates import Held
from node.course_state import WHOLE
from node.wiring import Node
from sync.certificate import Standing
from sync.decisions import CertificateIssued

PIN: Final = "482913"


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Negeri]:
    with a_negeri(tmp_path) as made:
        yield made


def complete(node: Node, learner: int = 0) -> None:
    """This person reads everything and passes the final test."""
    node.learning.answer(learner, 0, 1, 1, "1")
    node.learning.submit_quiz(learner, 0, 1)
    node.learning.finish_reading(learner, 0, 2, 60)
    node.learning.answer(learner, 0, 3, 1, "0")
    node.learning.answer(learner, 0, 3, 2, "1")
    node.learning.submit_quiz(learner, 0, 3)


def let_centre_know_the_course(land: Negeri, node: Node) -> None:
    with node.store.read() as db:
        digest = db.execute("SELECT manifest_hash FROM packs WHERE number = 0").fetchone()[0]
    (path,) = node.packs.folder.rglob(f"{digest.hex()}*")
    courses.note(land.hub.engine, path.read_bytes())


def exchange(land: Negeri, node: Node) -> None:
    """A stick goes to the centre, and another one brings back what it had to say."""
    land.told(node)
    land.told(node)


def confirmed(land: Negeri, name: str = "asri") -> Node:
    """A village in which Siti's certificate was confirmed."""
    node = land.registered(name)
    let_centre_know_the_course(land, node)
    complete(node)
    exchange(land, node)
    return node


def the_one(node: Node, learner: int = 0) -> Held:
    (held,) = certificates.of_person(node, learner)
    return held


def code(node: Node, learner: int = 0) -> str:
    found = certificates.code_of(node, learner, the_one(node, learner))
    assert found is not None
    return found[0]


def numbers(land: Negeri) -> list[str]:
    with reading(land.hub.engine) as connection:
        return list(connection.execute(select(schema.certificates.c.number)).scalars())


def logged_in(node: Node, learner: int = 0) -> FlaskClient:
    client = office(node).client
    assert post(client, f"/masuk/{learner}", pin=PIN, again=PIN).location == "/pelatihan"
    return client


def test_nobody_has_a_certificate_before_the_course_is_completed(land: Negeri) -> None:
    node = land.village()
    node.learning.finish_reading(0, 0, 2, 60)
    assert certificates.of_person(node, 0) == []
    assert "Belum ada sertifikat" in logged_in(node).get("/sertifikat").text


def test_a_completed_course_gives_a_draft_at_once_without_any_centre(land: Negeri) -> None:
    node = land.village()
    complete(node)
    held = the_one(node)
    assert (held.title, held.number, held.score, held.hours_jp) == ("Kas Desa", "", WHOLE, 2)
    page = logged_in(node).get("/sertifikat").text
    assert "Sementara" in page and "Menunggu verifikasi pusat" in page and held.verification_code in page


def test_a_draft_of_an_unregistered_laptop_proves_nothing_elsewhere(land: Negeri) -> None:
    node, other = land.village(), land.registered("jauh", "17.05.10.2008")
    complete(node)
    found, known = certificates.read(other, code(node))
    assert (found.standing, known) == (Standing.UNPROVEN, None)


def test_a_draft_is_proven_on_any_laptop_of_the_same_centre(land: Negeri) -> None:
    node, other = land.registered(), land.registered("jauh", "17.05.10.2008")
    complete(node)
    found, _ = certificates.read(other, code(node))
    assert (found.standing, found.device) == (Standing.REGISTERED, device_of(node))
    assert (found.profile.name, found.claim.village, found.claim.score) == ("Siti Aminah", CODE, WHOLE)


def test_a_draft_says_on_which_day_by_the_laptop_s_clock(land: Negeri) -> None:
    node = land.registered()
    complete(node)
    found, _ = certificates.read(node, code(node))
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", found.claim.day)


def test_the_centre_confirms_by_stick_with_a_number_and_a_date(land: Negeri) -> None:
    node = confirmed(land)
    held = the_one(node)
    assert re.fullmatch(rf"\d{{6}}/{re.escape(CODE)}/20\d\d", held.number)
    assert held.issued_ms is not None
    page = logged_in(node).get("/sertifikat").text
    assert "Dikonfirmasi pusat" in page and held.number in page


def test_a_final_certificate_is_proven_on_any_laptop_of_the_same_centre(land: Negeri) -> None:
    node, other = confirmed(land), land.registered("jauh", "17.05.10.2008")
    found, _ = certificates.read(other, code(node))
    assert found.standing is Standing.CONFIRMED
    assert (found.claim.number, found.profile.name) == (the_one(node).number, "Siti Aminah")
    assert (found.claim.title, found.claim.score) == ("Kas Desa", WHOLE)
    assert found.claim.day


def test_the_letters_that_people_compare_stay_the_same(land: Negeri) -> None:
    node = land.registered()
    let_centre_know_the_course(land, node)
    complete(node)
    before = the_one(node).verification_code
    exchange(land, node)
    assert (the_one(node).number != "", the_one(node).verification_code) == (True, before)


def test_however_often_a_village_calls_it_gets_one_certificate_a_person_and_course(land: Negeri) -> None:
    node = confirmed(land)
    complete(node, 1)
    for _ in range(3):
        exchange(land, node)
    assert len(numbers(land)) == len(set(numbers(land))) == 2
    assert issuing.issue_within(land.hub.engine, land.hub.config, "", now_ms()) == 0


def test_a_course_that_the_centre_does_not_know_is_not_confirmed_until_it_does(land: Negeri) -> None:
    node = land.registered()
    complete(node)
    exchange(land, node)
    assert the_one(node).number == ""
    let_centre_know_the_course(land, node)
    assert issuing.issue_within(land.hub.engine, land.hub.config, "", now_ms()) == 1
    exchange(land, node)
    assert the_one(node).number


def identity_of(node: Node, learner: int = 0) -> bytes:
    with node.store.read() as db:
        return bytes(db.execute("SELECT id FROM learners WHERE number = ?", (learner,)).fetchone()[0])


def test_who_learns_on_two_laptops_gets_one_certificate(land: Negeri) -> None:
    node, second = confirmed(land), land.registered("kedua")
    exchange(land, second)
    identity.merge(land.hub.engine, identity_of(node), identity_of(second), now_ms())
    complete(second)
    exchange(land, second)
    assert numbers(land) == [the_one(node).number] == [the_one(second).number]


def test_a_withdrawn_certificate_says_why_and_can_not_be_printed(land: Negeri) -> None:
    node = confirmed(land)
    paper = code(node)
    issuing.withdraw(land.hub.engine, the_one(node).number, "Tes dikerjakan orang lain", now_ms())
    exchange(land, node)
    client = logged_in(node)
    page = client.get("/sertifikat").text
    assert "Ditarik" in page and "Tes dikerjakan orang lain" in page and ".pdf" not in page
    assert client.get("/sertifikat/0.pdf").location == "/sertifikat"
    check = post(client, "/periksa", code=paper).text
    assert "sudah ditarik" in check and "Tes dikerjakan orang lain" in check


def test_a_certificate_is_withdrawn_once(land: Negeri) -> None:
    number = the_one(confirmed(land)).number
    issuing.withdraw(land.hub.engine, number, "Salah orang", now_ms())
    with pytest.raises(issuing.HubError, match="sudah ditarik"):
        issuing.withdraw(land.hub.engine, number, "Sekali lagi", now_ms())
    with pytest.raises(issuing.NotFoundError):
        issuing.withdraw(land.hub.engine, "000000/x/2026", "Tidak ada", now_ms())


def test_somebody_whose_data_was_erased_gets_no_certificate(land: Negeri) -> None:
    node = land.registered()
    complete(node)
    exchange(land, node)
    identity.erase(land.hub.engine, identity_of(node), now_ms())
    let_centre_know_the_course(land, node)
    assert issuing.issue_within(land.hub.engine, land.hub.config, "", now_ms()) == 0


def test_the_pdf_names_the_person_the_course_and_what_it_proves(land: Negeri) -> None:
    node = land.registered()
    let_centre_know_the_course(land, node)
    complete(node)
    client = logged_in(node)
    draft = _words(client.get("/sertifikat/0.pdf").data)
    for said in ("Sertifikat sementara", "Siti Aminah", "Kas Desa", "Menunggu verifikasi pusat", "2 JP"):
        assert said in draft
    exchange(land, node)
    final = _words(client.get("/sertifikat/0.pdf").data)
    assert the_one(node).number in final and "sementara" not in final and "Bersegel digital pusat" in final
    assert "elektronik" not in (draft + final).lower()


def test_the_operator_prints_it_for_others_and_nobody_else_does(land: Negeri) -> None:
    node = land.village()
    complete(node)
    desk = office(node)
    assert desk.client.get("/operator/peserta/0/sertifikat/0.pdf").location == "/operator/masuk"
    desk.log_in()
    assert "Kas Desa" in desk.client.get("/operator/peserta/0/sertifikat").text
    assert desk.client.get("/operator/peserta/0/sertifikat/0.pdf").mimetype == "application/pdf"
    assert desk.client.get("/operator/peserta/0/sertifikat/7.pdf").status_code == 404
    assert logged_in(node, 1).get("/sertifikat/0.pdf").status_code == 404


def test_anybody_checks_a_certificate_without_logging_in(land: Negeri) -> None:
    node = confirmed(land)
    client = office(node).client
    paper = code(node)
    assert "bersegel pusat" in post(client, "/periksa", code=paper).text
    assert "bersegel pusat" in client.get(f"/P/{paper.rpartition('/')[2]}").text
    wrong = post(client, "/periksa", code=paper[:-40] + "A" * 40)
    assert wrong.status_code == 422
    assert "bukan kode sertifikat" in post(client, "/periksa", code="halo").text


def test_a_photo_of_the_paper_is_enough(land: Negeri) -> None:
    node = confirmed(land)
    printed = logged_in(node).get("/sertifikat/0.pdf").data
    photo = io.BytesIO()
    pypdfium2.PdfDocument(printed)[0].render(scale=2).to_pil().save(photo, "JPEG", quality=70)
    client = office(node).client
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/periksa").text)
    assert token
    form = {"photo": (io.BytesIO(photo.getvalue()), "foto.jpg"), "csrf_token": token[1]}
    assert "bersegel pusat" in client.post("/periksa", data=form).text
    form = {"photo": (io.BytesIO(b"no photo"), "foto.jpg"), "csrf_token": token[1]}
    refused = client.post("/periksa", data=form)
    assert (refused.status_code, "bukan foto" in refused.text) == (422, True)


def test_the_centre_s_page_proves_it_to_anybody_and_knows_of_a_later_confirmation(land: Negeri) -> None:
    node = land.registered()
    let_centre_know_the_course(land, node)
    complete(node)
    draft = code(node)
    client = create_centre(land.hub).test_client()
    page = client.get(f"/P/{draft.rpartition('/')[2]}").text
    assert "belum dikonfirmasi pusat" in page and "Siti Aminah" in page
    exchange(land, node)
    number = the_one(node).number
    assert number in client.get(f"/P/{draft.rpartition('/')[2]}").text
    final = client.get(f"/p/{code(node).rpartition('/')[2].lower()}", follow_redirects=True).text
    assert "bersegel pusat" in final and number in final
    issuing.withdraw(land.hub.engine, number, "Salah orang", now_ms())
    assert "sudah ditarik" in client.get(f"/P/{draft.rpartition('/')[2]}").text


def test_a_revoked_laptop_s_drafts_prove_nothing_where_that_is_known(land: Negeri) -> None:
    node = land.registered()
    complete(node)
    paper = code(node)
    registry.revoke(land.hub.engine, device_of(node), now_ms(), "Dicuri")
    with reading(land.hub.engine) as connection:
        state = connection.execute(select(schema.devices.c.state)).scalar_one()
    assert state == "revoked"
    page = create_centre(land.hub).test_client().get(f"/P/{paper.rpartition('/')[2]}").text
    assert "Laptop yang menyegelnya sudah dicabut" in page


def test_a_forged_number_in_the_hub_log_of_another_village_changes_nothing_here(land: Negeri) -> None:
    node = land.registered()
    complete(node)
    land.say(CertificateIssued(bytes(16), bytes(16), "000009/lain/2026"))
    exchange(land, node)
    assert the_one(node).number == ""


def _words(pdf: bytes) -> str:
    pages = pypdfium2.PdfDocument(pdf)
    return " ".join(page.get_textpage().get_text_range() for page in pages)
