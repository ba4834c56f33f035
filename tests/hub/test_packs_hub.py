"""Packs at the hub: promised to regions, withdrawn, counted, and served as plain files that never change."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from carried import NOW, let_in
from device import Device
from state import said
from werkzeug.test import Client

from content_packs.build import BuiltPack, build_pack
from content_packs.errors import UntrustedPackError
from content_packs.transfer import manifest_path, piece_path
from hub import packs
from hub.app import create_app
from hub.db import reading
from hub.endpoint import Endpoint
from hub.errors import NotFoundError
from hub.wiring import Hub
from sync.decisions import PackPublished, PackWithdrawn
from sync.entries import PackInstalled
from sync.keys import SigningKey, sha256

NEAR, FAR = "17.05.10.2007", "17.05.11.2001"


def course(folder: Path, key: SigningKey, version: int = 1, id_: str = "kas") -> tuple[Path, BuiltPack]:
    folder.mkdir()
    (folder / "course.toml").write_text(
        f'id = "{id_}"\ntitle = "Kas"\nversion = {version}\ngeneral = true\n'
    )
    (folder / "01-a.md").write_text(f'+++\nid = "a"\ntitle = "A"\n+++\nIsi {version}.\n')
    built = build_pack(folder, key)
    file = folder / "x.lontar"
    with file.open("wb") as opened:
        built.write(opened)
    return file, built


def publisher(hub: Hub) -> SigningKey:
    seed = (hub.config.data / "keys" / "publisher.key").read_text(encoding="ascii").strip()
    return SigningKey.from_seed(bytes.fromhex(seed))


def test_a_pack_is_promised_to_each_region_once(hub: Hub, tmp_path: Path) -> None:
    file, built = course(tmp_path / "c", publisher(hub))
    for scopes in (["17.05.10"], ["17.05.10", NEAR]):
        manifest, manifest_hash = packs.publish(hub.engine, hub.config, file, scopes, NOW)
    promise = PackPublished(manifest.course_key, manifest_hash, 1, manifest.packed, "Kas")
    assert manifest_hash == sha256(built.envelope)
    assert said(hub, "17.05.10") == [promise]
    assert said(hub, NEAR) == [promise]
    assert [one.manifest for one in packs.store_of(hub.config).packs()] == [manifest]


def test_a_stranger_s_pack_and_an_unknown_region_change_nothing(hub: Hub, tmp_path: Path) -> None:
    file, _ = course(tmp_path / "c", SigningKey.from_seed(b"s" * 32))
    with pytest.raises(UntrustedPackError):
        packs.publish(hub.engine, hub.config, file, [""], NOW)
    mine, _ = course(tmp_path / "d", publisher(hub))
    with pytest.raises(NotFoundError):
        packs.publish(hub.engine, hub.config, mine, ["17.05.10", "99"], NOW)
    assert said(hub, "") == said(hub, "17.05.10") == []
    assert packs.store_of(hub.config).packs() == []


def test_withdrawing_is_said_wherever_it_was_promised_and_can_be_taken_back(
    hub: Hub, tmp_path: Path
) -> None:
    file, built = course(tmp_path / "c", publisher(hub))
    _, manifest_hash = packs.publish(hub.engine, hub.config, file, ["17.05.10", NEAR], NOW)
    packs.withdraw(hub.engine, manifest_hash, "Salah.", NOW + 1)
    for scope in ("17.05.10", NEAR):
        assert said(hub, scope)[-1] == PackWithdrawn(manifest_hash, "Salah.")
    with pytest.raises(NotFoundError):
        packs.withdraw(hub.engine, manifest_hash, "Lagi.", NOW + 2)
    packs.publish(hub.engine, hub.config, file, [NEAR], NOW + 3)
    assert isinstance(said(hub, NEAR)[-1], PackPublished)
    assert len(said(hub, "17.05.10")) == 2
    assert built.manifest.title == "Kas"


def test_what_villages_of_a_region_lack_is_the_newest_that_some_device_hasn_t_installed(
    hub: Hub, tmp_path: Path
) -> None:
    near, far = let_in(hub, Device(1), NEAR).open(), let_in(hub, Device(2), FAR).open()
    key = publisher(hub)
    (old, _), (new, built), (other, _) = (
        course(tmp_path / "1", key),
        course(tmp_path / "2", key, 2),
        course(tmp_path / "3", key, 1, "lain"),
    )
    packs.publish(hub.engine, hub.config, old, [""], NOW)
    packs.publish(hub.engine, hub.config, new, [""], NOW)
    _, only_far = packs.publish(hub.engine, hub.config, other, [FAR], NOW)
    newest, size = sha256(built.envelope), built.manifest.packed
    with reading(hub.engine) as connection:
        assert packs.lacking(connection, "17.05.10") == [(newest, size)]
        assert {one for one, _ in packs.lacking(connection, "17.05")} == {newest, only_far}
    near.seal(PackInstalled(built.manifest.course_key, newest, 2))
    near.send(hub)
    far.send(hub)
    with reading(hub.engine) as connection:
        assert packs.lacking(connection, "17.05.10") == []
        assert newest in {one for one, _ in packs.lacking(connection, "17.05")}
        rows = {row.manifest_hash: row for row in packs.given(connection, packs.store_of(hub.config))}
    assert (rows[newest].devices, rows[newest].have_it) == (2, 1)
    assert (rows[only_far].scopes, rows[only_far].devices) == ((FAR,), 1)


def test_a_stage_is_the_first_villages_with_a_laptop(hub: Hub) -> None:
    for seed, code in ((1, FAR), (2, NEAR), (3, NEAR)):
        let_in(hub, Device(seed), code)
    with reading(hub.engine) as connection:
        assert packs.first_villages(connection, "17.05", 10) == [NEAR, FAR]
        assert packs.first_villages(connection, "17.05", 1) == [NEAR]
        assert packs.first_villages(connection, "17.05.11", 10) == [FAR]


def client_of(hub: Hub) -> Client:
    return Client(Endpoint(hub.intake, create_app(hub).wsgi_app))


def test_files_are_served_whole_and_in_part_and_may_be_cached_for_ever(hub: Hub, tmp_path: Path) -> None:
    file, built = course(tmp_path / "c", publisher(hub))
    packs.publish(hub.engine, hub.config, file, [""], NOW)
    client = client_of(hub)
    digest, piece = next(iter(built.pieces.items()))
    whole = client.get("/packs/" + piece_path(digest))
    assert (whole.status_code, whole.data) == (200, piece)
    assert "immutable" in whole.headers["Cache-Control"]
    assert client.get("/packs/" + manifest_path(sha256(built.envelope))).data == built.envelope
    rest = client.get("/packs/" + piece_path(digest), headers={"Range": "bytes=5-"})
    assert (rest.status_code, rest.data) == (206, piece[5:])
    assert rest.headers["Content-Length"] == str(len(piece) - 5)
    nothing = client.get("/packs/" + piece_path(digest), headers={"Range": f"bytes={len(piece)}-"})
    assert nothing.status_code == 416


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../hub.toml",
        "..%2fhub.toml",
        "pieces/../../keys/hub.key",
        "%2e%2e/keys/hub.key",
        "offers/" + "0" * 64 + ".cose",
        "pieces/00/" + "0" * 64,
        "0" * 64 + ".cose",
    ],
)
def test_nothing_else_of_the_hub_s_folder_is_served(hub: Hub, name: str) -> None:
    answer = client_of(hub).get(f"/packs/{name}")
    assert answer.status_code == 404
    assert answer.data == b""


def test_files_take_nothing(hub: Hub) -> None:
    assert client_of(hub).post("/packs/" + "0" * 64 + ".cose", data=io.BytesIO(b"x")).status_code == 404
