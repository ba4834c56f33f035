"""The operator's page of courses, and the one that an author's preview begins with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from test_courses import PUBLISHER, folder, newer, seen, signed
from test_views_operator import PHONE, office, post

from node import allowance, cli_preview
from node.wiring import Node
from sync.keys import fingerprint

PAGE = "/operator/pelatihan"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Node, FlaskClient]]:
    node, client = office(tmp_path)
    yield node, client
    node.close()


def test_only_the_operator_sees_it(made: tuple[Node, FlaskClient]) -> None:
    _node, client = made
    stranger = client.application.test_client()
    assert stranger.get(PAGE).location == "/operator/masuk"
    for address in ("versi", "pasang", "jatah"):
        assert post(stranger, f"{PAGE}/{address}").location == "/operator/masuk"
    assert "Kas Desa" in client.get(PAGE).text


def test_a_folder_at_the_laptop_becomes_a_course_of_the_village(
    made: tuple[Node, FlaskClient], tmp_path: Path
) -> None:
    node, client = made
    path = str(folder(tmp_path / "sejarah", "sejarah-desa"))
    assert post(client, f"{PAGE}/pasang", source=path).location == PAGE
    assert "dibuat di desa ini" in client.get(PAGE).text
    assert "sejarah-desa" in seen(node)


def test_a_pack_is_installed_with_its_publisher_s_fingerprint_and_not_without(
    made: tuple[Node, FlaskClient], tmp_path: Path
) -> None:
    node, client = made
    file = str(signed(tmp_path / "x.lontar", folder(tmp_path / "x", "lain"), PUBLISHER))
    refused = post(client, f"{PAGE}/pasang", source=file)
    assert refused.status_code == 422
    assert fingerprint(PUBLISHER.public) in refused.text
    assert "lain" not in seen(node)
    assert post(client, f"{PAGE}/pasang", source=file, trust=fingerprint(PUBLISHER.public)).location == PAGE
    assert "lain" in seen(node)


@pytest.mark.parametrize("path", ["", "/tidak/ada", "x\0y"])
def test_what_isn_t_there_is_said_to_be_so(made: tuple[Node, FlaskClient], path: str) -> None:
    assert post(made[1], f"{PAGE}/pasang", source=path).status_code == 422


def test_from_a_phone_nobody_names_files_of_the_laptop(
    made: tuple[Node, FlaskClient], tmp_path: Path
) -> None:
    node, client = made
    client.environ_base.update(PHONE)
    path = str(folder(tmp_path / "sejarah", "sejarah-desa"))
    assert "Dari berkas atau folder" not in client.get(PAGE).text
    assert post(client, f"{PAGE}/pasang", source=path).status_code in (302, 403)
    assert "sejarah-desa" not in seen(node)


def test_a_version_is_taken_back_and_used_again(made: tuple[Node, FlaskClient], tmp_path: Path) -> None:
    node, client = made
    assert "Versi ini bermasalah?" not in client.get(PAGE).text
    newer(node, tmp_path, 2)
    assert "Versi ini bermasalah?" in client.get(PAGE).text
    post(client, f"{PAGE}/versi", course="kas-desa")
    assert seen(node) == {"kas-desa": 1}
    assert "Pakai lagi versi ini" in client.get(PAGE).text
    post(client, f"{PAGE}/versi", course="kas-desa", again="1")
    assert seen(node) == {"kas-desa": 2}
    post(client, f"{PAGE}/versi", course="tidak-ada")
    assert "tidak punya versi sebelumnya" in client.get(PAGE).text


def test_the_allowance_is_set_in_whole_numbers_and_lifted_by_nothing(
    made: tuple[Node, FlaskClient],
) -> None:
    node, client = made
    post(client, f"{PAGE}/jatah", megabytes="1.500", price="100")
    state = allowance.allowance(node.store, "2026-11")
    assert (state.megabytes, state.price) == (1500, 100)
    for wrong in ("banyak", "-1", "1,5", "9999999999", "²"):
        assert post(client, f"{PAGE}/jatah", megabytes=wrong).status_code == 422
    assert allowance.allowance(node.store, "2026-11").megabytes == 1500
    post(client, f"{PAGE}/jatah", megabytes="", price="")
    assert allowance.allowance(node.store, "2026-11").megabytes is None


def test_a_preview_shows_the_folder_as_it_is_now_and_only_to_who_began_it(tmp_path: Path) -> None:
    course = folder(tmp_path / "c", "coba")
    node = cli_preview.made_node(tmp_path)
    cli_preview.install(node, course)
    client = cli_preview.create_app(node, course, "kunci").test_client()
    assert client.get("/pratinjau/salah").status_code == 404
    assert client.get("/pelatihan").status_code == 302, "nobody is logged in yet"

    def reading() -> str:
        address = client.get("/pratinjau/kunci").location
        return client.get(f"{address}/materi/1").text

    before = (course / "01-a.md").read_text()
    assert "Isi." in reading()
    (course / "01-a.md").write_text(before.replace("Isi.", "Diubah."))
    assert "Diubah." in reading()
    (course / "01-a.md").write_text(before)
    assert "Isi." in reading(), "who undoes a change sees what was there before"
    (course / "01-a.md").write_text("rusak")
    assert "Isi." in reading()
    node.close()
