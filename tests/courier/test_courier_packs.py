"""Courses on the officer's road: what villages lack is fetched, put on the stick as far as it fits, installed there."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from officer import Land
from test_courier_desk import let_in

from content_packs.build import BuiltPack, build_pack
from courier.desk import Desk
from hub import packs
from node.courses import install_from
from sync.errors import StickError, UnreachableError
from sync.keys import SigningKey, sha256
from sync.stick import PACKS, Files, Stick, large_pack_name


def published(land: Land, id_: str = "baru", size: int = 300_000, region: str = "17.05") -> BuiltPack:
    folder = land.folder / f"course-{id_}"
    folder.mkdir()
    (folder / "course.toml").write_text(f'id = "{id_}"\ntitle = "{id_}"\nversion = 1\ngeneral = true\n')
    (folder / "01-a.md").write_text('+++\nid = "a"\ntitle = "A"\n+++\n![Rapat](rapat.mp4)\n')
    (folder / "rapat.mp4").write_bytes(random.Random(id_).randbytes(size))
    seed = (land.hub.config.data / "keys" / "publisher.key").read_text(encoding="ascii").strip()
    built = build_pack(folder, SigningKey.from_seed(bytes.fromhex(seed)))
    with (folder / "x.lontar").open("wb") as file:
        built.write(file)
    packs.publish(land.hub.engine, land.hub.config, folder / "x.lontar", [region], 1)
    return built


def equipped(land: Land, *names: str) -> Desk:
    let_in(land, *(land.village(name) for name in names))
    desk = land.officer()
    desk.fetch()
    return desk


def test_what_villages_lack_is_fetched_once_and_reaches_them_by_stick(land: Land) -> None:
    node = land.village("asri")
    let_in(land, node)
    built, desk, stick = published(land), land.officer(), land.stick()
    desk.fetch()
    brought = desk.bring_packs()
    assert (brought.packs, brought.left_out) == (1, 0)
    assert brought.size == len(built.envelope) + sum(map(len, built.pieces.values()))
    assert desk.bring_packs().size == 0
    assert desk.deliver(stick).packs == 1
    node.bundles.read(stick)
    assert install_from(node, stick) == ["baru"]
    assert install_from(node, stick) == []
    # The village's next bundle says so, and nobody brings it again.
    node.bundles.write(stick)
    desk.collect(stick)
    desk.send()
    desk.fetch()
    assert desk.packs.wanted() == []


def test_packs_for_other_regions_stay_there(land: Land) -> None:
    published(land, "jauh", region="17.05.11")
    assert equipped(land, "asri").packs.wanted() == []


def test_a_broken_line_costs_what_was_under_way_and_no_more(land: Land) -> None:
    built = published(land)
    desk = equipped(land, "asri")
    digest = built.manifest.files[-1].pieces[-1]
    path = f"/packs/pieces/{digest.hex()[:2]}/{digest.hex()}"
    land.line.breaks_at(path, after=0)
    with pytest.raises(UnreachableError):
        desk.bring_packs()
    assert desk.packs.store.packs() == []
    land.line.forget()
    desk.bring_packs()
    assert [asked for asked in land.line.paths if asked.startswith("/packs/")] == [path]


def test_a_pack_that_is_gone_keeps_no_other_from_coming(land: Land) -> None:
    lost, _ = published(land, "hilang", 1000), published(land, "ada", 2000)
    desk = equipped(land, "asri")
    (land.hub.config.data / "packs" / f"{sha256(lost.envelope).hex()}.cose").unlink()
    brought = desk.bring_packs()
    assert (brought.packs, brought.left_out) == (1, 1)


class SmallStick(Files):
    def __init__(self, room: int) -> None:
        self.room = room

    def free(self, path: Path) -> int:
        return self.room


def test_a_small_stick_gets_what_fits_the_smallest_first(land: Land) -> None:
    small, _ = published(land, "kecil", 20_000), published(land, "besar", 900_000)
    desk = equipped(land, "asri")
    desk.bring_packs()
    drive = Stick(land.stick("small").drive, SmallStick(8 * 1024 * 1024 + 100_000))
    assert desk.deliver(drive).packs == 1
    assert [path.name for path in drive.file_paths(PACKS, "LNP")] == [
        large_pack_name(sha256(small.envelope))
    ]


class Liar(Files):
    def holds_pieces(self, path: Path, pieces: object) -> bool:
        return False


def test_a_false_stick_is_found_out_and_keeps_no_half_pack(land: Land) -> None:
    published(land)
    desk = equipped(land, "asri")
    desk.bring_packs()
    drive = Stick(land.stick("false").drive, Liar())
    with pytest.raises(StickError):
        desk.deliver(drive)
    assert list((drive.drive / "LONTAR" / PACKS).iterdir()) == []
