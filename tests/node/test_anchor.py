"""The record outside the database: a disk that was set back, copied or moved doesn't go on in the same log."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Final

import pytest
from desa import KEY, ScriptedMachine, plain_node, rows

from node.anchor import Anchor
from node.recorder import Recorder
from node.store import Store
from node.wiring import Node, open_node
from sync.entries import Entry, LogOpened, OpenReason
from sync.machine import Machine
from sync.segment import open_segment

HERE: Final = b"this machine...."
THERE: Final = b"another machine."


def written(data: Path) -> tuple[Store, Recorder]:
    data.mkdir(exist_ok=True)
    store = Store(data)
    return store, Recorder(store, KEY, b"s" * 32, ScriptedMachine())


def work(recorder: Recorder, name: str = "Siti") -> None:
    recorder.add_learner(name)
    recorder.seal()


def test_nothing_noted_contradicts_nothing(tmp_path: Path) -> None:
    store, _ = written(tmp_path / "data")
    assert Anchor(tmp_path / "state", KEY.public, HERE).contradicts(store) is None
    store.close()


def test_a_disk_that_went_on_is_no_contradiction(tmp_path: Path) -> None:
    store, recorder = written(tmp_path / "data")
    anchor = Anchor(tmp_path / "state", KEY.public, HERE)
    anchor.note(store)
    work(recorder)
    assert Anchor(tmp_path / "state", KEY.public, HERE).contradicts(store) is None
    anchor.note(store)
    assert Anchor(tmp_path / "state", KEY.public, HERE).contradicts(store) is None
    store.close()


def test_a_disk_that_was_set_back_is(tmp_path: Path) -> None:
    store, recorder = written(tmp_path / "data")
    store.close()
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    store, recorder = written(tmp_path / "data")
    work(recorder)
    Anchor(tmp_path / "state", KEY.public, HERE).note(store)
    store.close()
    older = Store(tmp_path / "backup")
    for fingerprint in (HERE, THERE):
        assert Anchor(tmp_path / "state", KEY.public, fingerprint).contradicts(older) is OpenReason.RESTORED
    older.close()


def test_a_disk_in_another_machine_is(tmp_path: Path) -> None:
    store, _ = written(tmp_path / "data")
    Anchor(tmp_path / "state", KEY.public, HERE).note(store)
    assert Anchor(tmp_path / "state", KEY.public, THERE).contradicts(store) is OpenReason.MOVED
    store.close()


def test_entries_that_never_left_may_be_lost_without_a_word(tmp_path: Path) -> None:
    """Nobody else has seen them, so the log can go on with others in their place."""
    store, recorder = written(tmp_path / "data")
    anchor = Anchor(tmp_path / "state", KEY.public, HERE)
    anchor.note(store)
    store.close()
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    store, recorder = written(tmp_path / "data")
    recorder.add_learner("Siti")
    anchor.note(store)
    store.close()
    older = Store(tmp_path / "backup")
    assert Anchor(tmp_path / "state", KEY.public, HERE).contradicts(older) is None
    older.close()


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 40, b"\x85\x02\x40\x00\x40\x40", b"\x81\x01"])
def test_a_record_that_can_t_be_read_is_as_none_and_is_written_again(tmp_path: Path, data: bytes) -> None:
    store, _ = written(tmp_path / "data")
    anchor = Anchor(tmp_path / "state", KEY.public, HERE)
    anchor.note(store)
    (file,) = (tmp_path / "state").iterdir()
    file.write_bytes(data)
    again = Anchor(tmp_path / "state", KEY.public, HERE)
    assert again.contradicts(store) is None
    again.note(store)
    assert Anchor(tmp_path / "state", KEY.public, THERE).contradicts(store) is OpenReason.MOVED
    store.close()


def test_a_folder_that_can_t_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    store, _ = written(tmp_path / "data")
    (tmp_path / "state").write_text("a file, where a folder should be")
    anchor = Anchor(tmp_path / "state", KEY.public, HERE)
    anchor.note(store)
    assert anchor.contradicts(store) is None
    store.close()


def test_each_device_has_a_record_of_its_own(tmp_path: Path) -> None:
    store, _ = written(tmp_path / "data")
    Anchor(tmp_path / "state", KEY.public, HERE).note(store)
    assert Anchor(tmp_path / "state", bytes(32), THERE).contradicts(store) is None
    assert len(list((tmp_path / "state").iterdir())) == 1
    store.close()


def opening(node: Node) -> LogOpened:
    newest = rows(node.store, "SELECT data FROM segments WHERE idx = 0 ORDER BY log DESC LIMIT 1")[0][0]
    return open_segment(newest).opening()


def pending(node: Node) -> list[Entry]:
    return [Entry(*row, ()) for row in rows(node.store, "SELECT seq, kind, t FROM pending")]


def reopened(data: Path, machine: Machine | None = None) -> Node:
    return open_node(data, machine or ScriptedMachine(seed=9))


def test_the_record_is_there_before_a_byte_leaves(tmp_path: Path) -> None:
    node = plain_node(tmp_path / "data")
    node.recorder.add_learner("Siti")
    node.shelf.seal()
    node.close()
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    node = reopened(tmp_path / "data")
    node.recorder.add_learner("Budi")
    node.shelf.seal()
    node.close()
    shutil.rmtree(tmp_path / "data")
    shutil.copytree(tmp_path / "backup", tmp_path / "data")
    restored = reopened(tmp_path / "data")
    assert restored.store.get("new_log") == OpenReason.RESTORED
    restored.close()


def test_a_restored_laptop_goes_on_in_a_new_log_in_which_everybody_keeps_their_number(
    tmp_path: Path,
) -> None:
    node = plain_node(tmp_path / "data")
    for name in ("Siti", "Budi"):
        node.recorder.add_learner(name)
    node.recorder.install_pack(b"c" * 16, b"m" * 32, 1)
    node.close()
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    node = reopened(tmp_path / "data")
    node.recorder.add_learner("Joko")
    node.shelf.seal()
    log = node.recorder.log
    node.close()
    shutil.rmtree(tmp_path / "data")
    shutil.copytree(tmp_path / "backup", tmp_path / "data")
    restored = reopened(tmp_path / "data")
    assert restored.recorder.log != log
    assert opening(restored).reason == OpenReason.RESTORED
    predecessors = opening(restored).predecessors
    tip = rows(
        restored.store,
        "SELECT s.idx, s.id FROM segments s JOIN logs l ON l.pk = s.log WHERE l.log = ? ORDER BY idx DESC LIMIT 1",
        log,
    )[0]
    assert predecessors == log + tip[0].to_bytes(4, "big") + tip[1]
    assert [row[0] for row in rows(restored.store, "SELECT name FROM learners ORDER BY number")] == [
        "Siti",
        "Budi",
    ]
    assert restored.recorder.add_learner("Dewi") == 2
    assert restored.shelf.wants()
    restored.close()
    again = reopened(tmp_path / "data")
    assert len(rows(again.store, "SELECT 1 FROM logs")) == 2, "a new log once, not at every start"
    again.close()


def test_a_copied_disk_goes_on_apart_and_the_original_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Elsewhere(ScriptedMachine):
        def fingerprint(self) -> bytes:
            return THERE

    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "state"))
    node = plain_node(tmp_path / "data")
    node.recorder.add_learner("Siti")
    node.shelf.seal()
    node.close()
    shutil.copytree(tmp_path / "data", tmp_path / "twin")
    shutil.copytree(tmp_path / "state", tmp_path / "twin-state")
    node = reopened(tmp_path / "data")
    assert node.store.get("new_log") is None
    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "twin-state"))
    twin = reopened(tmp_path / "twin", Elsewhere(seed=5))
    assert twin.store.get("new_log") == OpenReason.MOVED
    assert twin.recorder.log != node.recorder.log
    assert opening(twin).nonce != opening(node).nonce
    for made in (node, twin):
        with contextlib.closing(made):
            assert pending(made) is not None
