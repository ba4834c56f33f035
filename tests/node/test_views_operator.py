"""The village operator's pages: who may open them and what they change."""

from __future__ import annotations

import re
from pathlib import Path

import pypdfium2
import pytest
from flask.testing import FlaskClient
from village import made_village
from werkzeug.test import TestResponse

from node.app import create_app
from node.desk import is_local
from node.wiring import Node
from sync.entries import OperatorActed

PASSWORD = "rahasia desa"
PHONE = {"REMOTE_ADDR": "192.168.43.20"}


def post(client: FlaskClient, path: str, **form: str) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sinkronisasi").text)
    assert found
    return client.post(path, data={**form, "csrf_token": found[1]})


def office(folder: Path) -> tuple[Node, FlaskClient]:
    """A village with one learner and the operator logged in."""
    node = made_village(folder, ("Siti Aminah", "Kepala Desa"))
    client = create_app(node).test_client()
    assert post(client, "/operator/masuk", password=PASSWORD, again=PASSWORD).location == "/operator"
    return node, client


def acts(node: Node) -> int:
    with node.store.read() as db:
        query = "SELECT count(*) FROM pending WHERE kind = ?"
        return int(db.execute(query, (OperatorActed.number,)).fetchone()[0])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.5.5.5"])
def test_the_laptop_itself_is_local(address: str) -> None:
    assert is_local(address)


@pytest.mark.parametrize(
    "address", ["192.168.43.20", "fe80::1", "", None, "localhost", "::ffff:192.168.0.1"]
)
def test_others_are_not_local(address: str | None) -> None:
    assert not is_local(address)


def test_without_the_password_nothing_opens(tmp_path: Path) -> None:
    node = made_village(tmp_path, ("Siti Aminah", "Kepala Desa"))
    client = create_app(node).test_client()
    for path in ("/operator", "/operator/peserta/0"):
        assert client.get(path).location == "/operator/masuk"
    assert post(client, "/operator", name="Penyusup", position="Kepala Desa").location == "/operator/masuk"
    assert post(client, "/operator/peserta/0/pin").location == "/operator/masuk"
    assert len(node.learning.learners()) == 1


def test_the_password_is_first_set_at_the_laptop_only(tmp_path: Path) -> None:
    client = create_app(made_village(tmp_path)).test_client()
    refused = client.get("/operator/masuk", environ_base=PHONE)
    assert refused.status_code == 403
    assert "bukan dari ponsel" in refused.text
    assert "Kata sandi baru" in client.get("/operator/masuk").text


def test_a_password_that_was_set_works_from_a_phone_too(tmp_path: Path) -> None:
    node, _ = office(tmp_path)
    phone = create_app(node).test_client()
    phone.environ_base.update(PHONE)
    assert "Kata sandi salah" in post(phone, "/operator/masuk", password="salah besar").text
    assert post(phone, "/operator/masuk", password=PASSWORD).location == "/operator"


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [("pendek", "pendek", "8 huruf atau lebih"), (PASSWORD, PASSWORD + "x", "tidak sama")],
)
def test_a_password_that_will_not_do_is_refused_near_the_field(
    tmp_path: Path, password: str, again: str, sentence: str
) -> None:
    client = create_app(made_village(tmp_path)).test_client()
    refused = post(client, "/operator/masuk", password=password, again=again)
    assert refused.status_code == 422
    assert sentence in refused.text


def test_a_learner_is_not_the_operator(tmp_path: Path) -> None:
    node, _ = office(tmp_path)
    client = create_app(node).test_client()
    post(client, "/masuk/0", pin="482913", again="482913")
    assert client.get("/operator").location == "/operator/masuk"


def test_an_added_learner_can_be_chosen_at_the_front_door(tmp_path: Path) -> None:
    node, client = office(tmp_path)
    assert (
        post(client, "/operator", name="  Budi   Santoso ", position="Kaur Keuangan").location
        == "/operator"
    )
    assert "Budi Santoso" in create_app(node).test_client().get("/").text


def test_a_position_that_is_not_in_the_list_can_be_typed(tmp_path: Path) -> None:
    node, client = office(tmp_path)
    post(client, "/operator", name="Wayan", position="*", other="Pekaseh")
    assert [one.position for one in node.learning.learners("wayan")] == ["Pekaseh"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("   ", "Nama tidak boleh kosong"), ("siti aminah", "sudah ada"), ("N" * 3000, "terlalu panjang")],
)
def test_a_name_that_will_not_do_is_refused_near_the_field(
    tmp_path: Path, name: str, sentence: str
) -> None:
    node, client = office(tmp_path)
    refused = post(client, "/operator", name=name, position="Kepala Desa")
    assert refused.status_code == 422
    assert sentence in refused.text
    assert len(node.learning.learners()) == 1


def test_a_pin_reset_ends_the_sitting_and_is_recorded(tmp_path: Path) -> None:
    node, client = office(tmp_path)
    app = client.application
    learner = app.test_client()
    assert post(learner, "/masuk/0", pin="482913", again="482913").location == "/pelatihan"
    before = acts(node)
    assert post(client, "/operator/peserta/0/pin").location == "/operator"
    assert acts(node) == before + 1
    assert learner.get("/pelatihan").location == "/"
    assert "PIN baru" in app.test_client().get("/masuk/0").text


def test_the_list_says_who_has_no_pin_yet(tmp_path: Path) -> None:
    node, client = office(tmp_path)
    assert "belum ada PIN" in client.get("/operator").text
    post(client, "/masuk/0", pin="482913", again="482913")
    assert "belum ada PIN" not in client.get("/operator").text
    node.close()


def test_the_list_of_names_can_be_printed_and_printing_is_recorded(tmp_path: Path) -> None:
    node, client = office(tmp_path)
    before = acts(node)
    paper = post(client, "/operator/daftar-peserta.pdf")
    pages = pypdfium2.PdfDocument(paper.data)
    said = " ".join(pages[0].get_textpage().get_text_range().split())
    assert paper.mimetype == "application/pdf"
    assert "Daftar peserta" in said and "1 Siti Aminah Kepala Desa belum" in said
    assert acts(node) == before + 1
    node.close()
