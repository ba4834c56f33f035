"""Room for the worst day: really taken, given up before an answer fails, taken again, and said in time."""

from __future__ import annotations

import shutil
from pathlib import Path

from desa import ScriptedMachine, mounted, plain_node

from node import backups, ballast
from node.ballast import MB, Ballast, Room
from node.errors import DiskFullError
from node.wiring import open_node
from sync.entries import LessonOpened

OPENED = LessonOpened(0, 0, 1, 30)


def room(free: int, ballast: int = 32 * MB, total: int = 64_000 * MB) -> Room:
    return Room(free, total, ballast, 32 * MB)


def fill(disk: Path) -> Path:
    """Photos, until nothing more fits."""
    photos = disk / "photos"
    with photos.open("wb", buffering=0) as file:
        for size in (64 * 1024, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return photos


def test_the_room_is_really_taken_and_once(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-o", "size=64m") as disk:
        before = shutil.disk_usage(disk).free
        held = Ballast(disk)
        assert held.refill()
        assert held.room().ballast == held.room().wanted == 64 * MB // 50
        assert before - shutil.disk_usage(disk).free >= held.room().wanted
        assert held.refill()
        assert not held.room().is_given_up


def test_a_disk_that_is_full_is_given_the_room_and_learning_goes_on(tmp_path: Path) -> None:
    plain_node(tmp_path / "data").close()
    with mounted(tmp_path / "disk", "-o", "size=64m") as disk:
        shutil.copytree(tmp_path / "data", disk / "data")
        node = open_node(disk / "data", ScriptedMachine())
        node.ballast.refill()
        photos = fill(disk)
        assert shutil.disk_usage(disk).free == 0
        for _ in range(20):
            node.recorder.record_many([OPENED] * 20)
        assert node.ballast.room().is_given_up, "no answer failed, and the operator can see why"
        assert node.ballast.is_low()
        backups.keep_up(node)
        assert node.ballast.room().is_given_up, "it isn't taken while the disk is full"
        photos.unlink()
        backups.keep_up(node)
        assert not node.ballast.room().is_given_up
        node.close()


def test_when_even_the_room_is_used_up_the_sentence_says_so_and_nothing_is_lost(tmp_path: Path) -> None:
    plain_node(tmp_path / "data").close()
    with mounted(tmp_path / "disk", "-o", "size=64m") as disk:
        shutil.copytree(tmp_path / "data", disk / "data")
        node = open_node(disk / "data", ScriptedMachine())
        node.ballast.refill()
        told = node.recorder.counts().saved
        try:
            while True:
                fill(disk)
                told += len(node.recorder.record_many([OPENED] * 50))
                (disk / "photos").rename(disk / f"photos{told}")
        except DiskFullError as refusal:
            assert "aman" in refusal.sentence()
        assert node.recorder.counts().saved == told
        node.close()


def test_the_operator_is_told_before_it_is_too_late() -> None:
    assert not room(free=2_000 * MB).is_low
    assert room(free=400 * MB).is_low
    assert not room(free=2_000 * MB).is_given_up
    assert room(free=2_000 * MB, ballast=0).is_given_up


def test_a_small_disk_is_low_at_a_tenth_of_it() -> None:
    small = Room(free=100 * MB, total=600 * MB, ballast=12 * MB, wanted=12 * MB)
    assert not small.is_low
    assert Room(50 * MB, 600 * MB, 12 * MB, 12 * MB).is_low


def test_no_room_is_taken_from_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-o", "size=64m") as disk:
        (disk / "photos").write_bytes(bytes(60 * MB))
        assert not Ballast(disk).refill()
        assert [path.name for path in disk.iterdir()] == ["photos"]


def test_no_new_courses_are_fetched_while_the_disk_is_low(tmp_path: Path) -> None:
    from node.cli import look_around

    plain_node(tmp_path / "data").close()
    with mounted(tmp_path / "disk", "-o", "size=64m") as disk:
        shutil.copytree(tmp_path / "data", disk / "data")
        node = open_node(disk / "data", ScriptedMachine())
        # Something that can't be fetched from nowhere: to try would end in a refusal.
        node.store.put("packs_to_fetch", [bytes(32)])
        fill(disk)
        look_around(node)
        assert ballast.Ballast(disk / "data").is_low()
        node.close()
