"""The one file: whole transactions, and a sentence for everything that can be wrong with the disk."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from desa import ScriptedMachine, count, laptop, mounted, plain_node, rows, whole_log

from node.errors import DamagedDatabaseError, DiskFullError, NewerDatabaseError, NodeError
from node.store import FILE, Store
from node.wiring import open_node
from sync.entries import LessonOpened

OPENED = LessonOpened(0, 0, 1, 30)


def filled(data: Path) -> Path:
    """A database with some pages of everything; returns the file."""
    data.mkdir(exist_ok=True)
    made = laptop(data)
    made.recorder.add_learner("Siti Aminah", "Kepala Desa")
    for number in range(30):
        made.recorder.record_many([LessonOpened(number % 3, 0, 1 + number, number)] * 20)
        made.recorder.seal()
    made.close()
    return data / FILE


def test_what_was_put_is_there_after_opening_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("cuaca", ["hujan", 7, b"\x00", None])
    store.put("cuaca", ["cerah", 8, b"\xff", True])
    store.close()
    assert Store(tmp_path).get("cuaca") == ["cerah", 8, b"\xff", True]
    assert Store(tmp_path).get("angin", "tenang") == "tenang"


def test_a_transaction_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError), store.write() as db:
        db.execute("INSERT INTO profiles VALUES (1, 1, x'00', x'00')")
        store.put("satu", 1)
        raise RuntimeError("mati lampu")
    assert count(store, "profiles") == 0
    assert store.get("satu") is None


def test_readers_see_only_what_is_written_whole_and_cannot_write(tmp_path: Path) -> None:
    store = Store(tmp_path)
    seen = []
    with store.write() as db:
        db.execute("INSERT INTO profiles VALUES (1, 1, x'00', x'00')")
        reader = threading.Thread(target=lambda: seen.append(count(store, "profiles")))
        reader.start()
        reader.join()
    assert seen == [0]
    assert count(store, "profiles") == 1
    with pytest.raises(NodeError), store.read() as db:
        db.execute("DELETE FROM profiles")


def test_after_closing_there_is_one_file_and_every_commit_was_on_the_disk(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.write() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    count(store, "logs")
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_database_of_a_newer_lontar_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = filled(tmp_path)
    db = sqlite3.connect(file)
    db.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
        "VALUES ('lontar-node', 'm999_tomorrow', '2087-01-01')"
    )
    db.execute("PRAGMA user_version=999")
    db.commit()
    db.close()
    before = file.read_bytes()
    with pytest.raises(NewerDatabaseError) as refusal:
        Store(tmp_path)
    assert (refusal.value.exit_code, str(file) in refusal.value.sentence()) == (3, True)
    assert file.read_bytes() == before


@pytest.mark.parametrize("size", [100, 4096])
def test_a_file_that_is_no_database_is_called_damaged(tmp_path: Path, size: int) -> None:
    (tmp_path / FILE).write_bytes(b"bukan basis data" * (size // 16 + 1))
    with pytest.raises(DamagedDatabaseError) as refusal:
        Store(tmp_path)
    assert refusal.value.exit_code == 8
    assert "Jangan dihapus" in refusal.value.sentence()


def test_a_file_that_ends_too_early_is_called_damaged(tmp_path: Path) -> None:
    file = filled(tmp_path)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DamagedDatabaseError):
        Store(tmp_path)


@pytest.mark.parametrize("name", [b"lesson_progress", b'"attempt_answers', b"learners"])
def test_unreadable_names_of_tables_are_called_damage(tmp_path: Path, name: bytes) -> None:
    file = filled(tmp_path)
    file.write_bytes(
        file.read_bytes().replace(b"CREATE TABLE " + name, b"CREATE TABLE \xa0\xff" + name[2:])
    )
    with pytest.raises(DamagedDatabaseError):
        Store(tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_bit_of_the_head_or_the_pages_flips_it_opens_or_says_a_sentence(
    tmp_path: Path, seed: int
) -> None:
    whole = filled(tmp_path / "whole").read_bytes()
    rng = random.Random(seed)
    places = [*range(16 + seed, 100, 6), *(rng.randrange(8192, len(whole)) for _ in range(15))]
    for place in places:
        data = tmp_path / f"{place}"
        data.mkdir(exist_ok=True)
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.randrange(8)
        (data / FILE).write_bytes(flipped)
        try:
            Store(data).close()
        except NodeError as refusal:
            assert str(data / FILE) in refusal.sentence()


def test_a_folder_that_cannot_be_written_is_said_to_be_so(tmp_path: Path) -> None:
    filled(tmp_path / "whole")
    with mounted(tmp_path / "disk") as disk:
        shutil.copytree(tmp_path / "whole", disk / "data")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(NodeError) as refusal:
            Store(disk / "data")
        assert "Periksa izinnya" in refusal.value.sentence()


def test_a_disk_that_is_full_refuses_and_once_there_is_room_recording_goes_on(tmp_path: Path) -> None:
    """A database that may not grow: nothing acknowledged is lost, nothing half done stays."""
    made = laptop(tmp_path)
    with made.store.write() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 4}")
    told = []
    with pytest.raises(DiskFullError) as refusal:
        while True:
            told += made.recorder.record_many([OPENED] * 100)
    assert refusal.value.exit_code == 7
    assert made.recorder.counts().saved == 2 + len(told)
    assert rows(made.store, "SELECT openings FROM lesson_progress") == [(len(told),)]
    with made.store.write() as db:
        db.execute("PRAGMA max_page_count = 100000")
    assert made.recorder.record(OPENED).seq == 2 + len(told)
    assert whole_log(made)[2:-1] == told


def test_a_really_full_disk_loses_nothing_and_the_command_ends_with_seven(tmp_path: Path) -> None:
    plain_node(tmp_path / "data", machine=ScriptedMachine()).close()
    with mounted(tmp_path / "disk", "-o", "size=2m") as disk:
        shutil.copytree(tmp_path / "data", disk / "data")
        node = open_node(disk / "data", ScriptedMachine())
        node.recorder.record(OPENED)
        with (disk / "photos").open("wb", buffering=0) as photos, pytest.raises(OSError, match="No space"):
            while True:
                photos.write(bytes(4096))
        told = []
        with pytest.raises(DiskFullError):
            while True:
                told += node.recorder.record_many([OPENED] * 50)
        assert node.recorder.counts().saved == 3 + len(told)
        command = [sys.executable, "-m", "lontar", "sync", "--data", str(disk / "data")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (7, 1)
        (disk / "photos").unlink()
        assert node.recorder.record(OPENED).kind == OPENED.number
        node.close()
        log = whole_log(open_node(disk / "data", ScriptedMachine()))
        assert [entry.kind for entry in log].count(OPENED.number) == 2 + len(told)
