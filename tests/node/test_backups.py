"""Snapshots, sealed copies in a second place, and going back to them: nothing lost unsaid, nothing readable to finders."""

from __future__ import annotations

import contextlib
import errno
import io
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from desa import ScriptedMachine, plain_node, rows
from hypothesis import given
from hypothesis import strategies as st
from negeri import FullFiles, a_negeri, learn

from lontar import cli as main
from node import backups, power, restoring, sealed_copy, snapshots
from node.errors import DiskFullError, NodeError
from node.incidents import What
from node.snapshots import DAY_MS, EVERY_MS, WEEK_MS
from node.store import FILE
from node.wiring import Node, open_node
from sync.entries import LessonOpened, OpenReason
from sync.errors import LontarError, MalformedError, SealError, StickError
from sync.stick import Files
from web.data_folder import DataFolderError

OPENED = LessonOpened(0, 0, 1, 30)
SECRET = bytes(range(12))


def village(folder: Path, machine: ScriptedMachine | None = None) -> Node:
    node = plain_node(folder / "data", machine=machine)
    node.recorder.add_learner("Siti Aminah", "Kaur Keuangan")
    node.recorder.install_pack(bytes(16), bytes(32), 1)
    return node


def reopened(data: Path) -> Node:
    return open_node(data, ScriptedMachine(seed=9))


def drive(folder: Path) -> Path:
    (folder / "stick").mkdir(exist_ok=True)
    return folder / "stick"


# Snapshots


def test_a_snapshot_holds_everything_and_is_sound(tmp_path: Path) -> None:
    node = village(tmp_path)
    node.recorder.record_many([OPENED] * 5)
    made = snapshots.make(tmp_path / "data")
    assert made.facts.entries == node.recorder.counts().saved
    assert (made.facts.learners, made.log) == (1, node.recorder.log)
    snapshots.check(made.path)
    assert made.path.stat().st_mode & 0o077 == 0
    node.close()


def test_snapshots_are_made_when_the_laptop_has_been_on_long_enough_and_something_is_new(
    tmp_path: Path,
) -> None:
    machine = ScriptedMachine()
    node = village(tmp_path, machine)
    backups.keep_up(node)
    assert len(snapshots.listed(tmp_path / "data")) == 1
    machine.wall_ms += 400 * DAY_MS
    node.recorder.record(OPENED)
    backups.keep_up(node)
    assert len(snapshots.listed(tmp_path / "data")) == 1, "a clock that jumped makes none"
    machine.wait(EVERY_MS)
    backups.keep_up(node)
    assert len(snapshots.listed(tmp_path / "data")) == 2
    machine.wait(EVERY_MS)
    before = [one.number for one in snapshots.listed(tmp_path / "data")]
    backups.keep_up(node)
    assert [one.number for one in snapshots.listed(tmp_path / "data")] == before, "nothing new, no copy"
    node.close()


def test_a_clean_stop_makes_one_that_is_due(tmp_path: Path) -> None:
    from node.service import in_service

    machine = ScriptedMachine()
    node = village(tmp_path, machine)
    snapshots.make(tmp_path / "data")
    with in_service(node):
        assert power.is_served(tmp_path / "data")
        machine.wait(snapshots.AT_A_STOP_MS)
        node.recorder.record(OPENED)
    assert len(snapshots.listed(tmp_path / "data")) == 2
    assert not power.was_cut_off(tmp_path / "data")
    node.close()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=300))
def test_three_generations_are_kept_and_grow_as_old_as_they_should(hours: list[int]) -> None:
    t, held, oldest = 0, list[tuple[int, int]](), 0
    for hour in hours:
        t += hour * snapshots.HOUR_MS
        held = [(one, one) for one in snapshots.kept([(t, t), *held])]
        assert held[0][0] == t, "the newest stays"
        assert len(held) <= 3
        oldest = max(oldest, t - held[-1][0])
    if len(hours) > 3 * 40:
        assert t - held[-1][0] >= DAY_MS
        assert oldest >= WEEK_MS


def test_a_damaged_database_makes_no_snapshot_and_the_good_ones_stay(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = village(tmp_path)
    node.recorder.record_many([OPENED] * 900)
    made = snapshots.make(data)
    node.close()
    whole = (data / FILE).read_bytes()
    (data / FILE).write_bytes(whole[:8192] + bytes(len(whole) - 8192))
    with pytest.raises(snapshots.SnapshotError):
        snapshots.make(data)
    assert [one.number for one in snapshots.listed(data)] == [made.number]
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]


def test_a_snapshot_needs_room_to_spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from node import ballast

    node = village(tmp_path)
    monkeypatch.setattr(ballast, "_free", lambda folder: 1000)
    with pytest.raises(DiskFullError):
        snapshots.make(tmp_path / "data")
    node.close()


# The sealed file


@given(st.binary(min_size=12, max_size=12), st.lists(st.binary(max_size=300), max_size=5))
def test_what_is_sealed_opens_with_the_words_alone(secret: bytes, pieces: list[bytes]) -> None:
    data = b"".join(sealed_copy.sealed(secret, bytes(16), pieces))
    typed = " ".join(word.upper() for word in sealed_copy.words_of(secret))
    opened = list(sealed_copy.unsealed(sealed_copy.secret_of(typed), io.BytesIO(data)))
    assert opened == (pieces or [b""])


@given(st.data())
def test_whatever_is_changed_cut_or_swapped_is_refused(data: st.DataObject) -> None:
    whole = b"".join(sealed_copy.sealed(SECRET, bytes(16), [b"satu" * 9, b"dua" * 9, b"tiga" * 9]))
    how = data.draw(st.sampled_from(["flip", "cut", "more"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if how == "flip":
        changed = whole[:at] + bytes([whole[at] ^ 1 << data.draw(st.integers(0, 7))]) + whole[at + 1 :]
    else:
        changed = whole[:at] if how == "cut" else whole + whole[at:]
    with pytest.raises(SealError):
        list(sealed_copy.unsealed(SECRET, io.BytesIO(changed)))


def test_wrong_words_are_said_to_be_wrong() -> None:
    words = sealed_copy.words_of(SECRET)
    with pytest.raises(MalformedError) as few:
        sealed_copy.secret_of(" ".join(words[:11]))
    assert "11" in few.value.sentence()
    with pytest.raises(MalformedError) as unknown:
        sealed_copy.secret_of(" ".join([*words[:4], "komputer", *words[5:]]))
    assert "ke-5" in unknown.value.sentence()
    other = b"".join(sealed_copy.sealed(bytes(12), bytes(16), [b"isi"]))
    with pytest.raises(SealError) as others:
        list(sealed_copy.unsealed(SECRET, io.BytesIO(other)))
    assert "kertas pemulihan" in others.value.sentence()


# The second place


def test_nothing_in_the_second_place_can_be_read_without_the_words(tmp_path: Path) -> None:
    node = village(tmp_path)
    backups.choose_place(node, str(drive(tmp_path)))
    backups.back_up_now(node)
    (file,) = backups.copies_in(drive(tmp_path))
    data = file.read_bytes()
    for secret in (b"Siti", b"SQLite", b"17.05.10.2007", node.config.device_key.seed, node.config.pepper):
        assert secret not in data
    assert backups.second_place(node).last is not None
    node.close()


def test_two_generations_are_kept_there_and_other_laptops_are_left_alone(tmp_path: Path) -> None:
    node = village(tmp_path)
    place = drive(tmp_path)
    (place / "LONTAR" / "CADANGAN").mkdir(parents=True)
    foreign = place / "LONTAR" / "CADANGAN" / "0123abcd-000009.LNC"
    foreign.write_bytes(b"milik desa lain")
    backups.choose_place(node, str(place))
    for _ in range(4):
        node.recorder.record(OPENED)
        backups.back_up_now(node)
    own = [path for path in backups.copies_in(place) if path != foreign]
    assert [path.stem.partition("-")[2] for path in own] == ["000004", "000003"]
    assert foreign.read_bytes() == b"milik desa lain"
    node.close()


class LockedFiles(Files):
    def write_pieces(self, path: Path, pieces: Iterator[bytes]) -> None:
        raise OSError(errno.EROFS, "read-only")


class LosingFiles(Files):
    def holds_pieces(self, path: Path, pieces: Iterator[bytes]) -> bool:
        return False


@pytest.mark.parametrize("files", [FullFiles(), LockedFiles(), LosingFiles()])
def test_a_bad_stick_is_said_to_be_bad_and_what_lay_there_stays(tmp_path: Path, files: Files) -> None:
    node = village(tmp_path)
    backups.choose_place(node, str(drive(tmp_path)))
    backups.back_up_now(node)
    before = {path.name: path.read_bytes() for path in backups.copies_in(drive(tmp_path))}
    node.recorder.record(OPENED)
    with pytest.raises(StickError):
        backups.back_up_now(node, files)
    assert backups.second_place(node).error is not None
    after = {path.name: path.read_bytes() for path in backups.copies_in(drive(tmp_path))}
    assert before == after
    node.close()


def test_a_place_that_is_unplugged_is_waited_for(tmp_path: Path) -> None:
    machine = ScriptedMachine()
    node = village(tmp_path, machine)
    place = drive(tmp_path)
    backups.choose_place(node, str(place))
    place.rmdir()
    backups.keep_up(node)
    assert not place.exists(), "no folder is made where a stick should be"
    assert not backups.second_place(node).is_there
    place.mkdir()
    backups.keep_up(node)
    assert len(backups.copies_in(place)) == 1
    node.close()


@pytest.mark.parametrize("wrong", ["tidak-mutlak", "/tidak/ada", "data", "data/packs"])
def test_a_place_that_cannot_be_one_is_refused(tmp_path: Path, wrong: str) -> None:
    node = village(tmp_path)
    (tmp_path / "data" / "packs").mkdir(exist_ok=True)
    text = str(tmp_path / wrong) if wrong.startswith("data") else wrong
    with pytest.raises(NodeError):
        backups.choose_place(node, text)
    assert node.store.get("backup_place", "") == ""
    node.close()


# Going back


def test_the_plan_tells_what_will_be_missing_and_what_comes_back(tmp_path: Path) -> None:
    with a_negeri(tmp_path) as world:
        node = world.registered()
        learn(node, 10)
        copy = snapshots.make(node.config.data)
        learn(node, 30)
        world.told(node)
        world.told(node)
        confirmed = node.recorder.counts().confirmed
        learn(node, 7)
        plan = restoring.look(node.config.data, copy.path)
        now = node.recorder.counts().saved
        assert plan.newer == now - copy.entries
        assert plan.come_back == confirmed - copy.entries > 0
        assert plan.lost == now - confirmed >= 7


def test_restoring_happens_at_the_next_start_keeps_what_was_and_opens_a_new_log(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = village(tmp_path)
    copy = snapshots.make(data)
    node.recorder.add_learner("Budi Santoso")
    saved = node.recorder.counts().saved
    restoring.prepare(node.config, copy.path)
    assert len(rows(node.store, "SELECT 1 FROM learners")) == 2, "pages go on until then"
    assert restoring.prepared(data) is not None
    node.close()
    with contextlib.closing(reopened(data)) as again:
        assert len(rows(again.store, "SELECT 1 FROM learners")) == 1
        assert again.store.get("new_log") == OpenReason.RESTORED
        assert again.shelf.wants()
        incident = again.incidents.now()
        assert incident is not None
        assert (incident.what, incident.entries, incident.missing) == (
            What.RESTORED,
            copy.entries,
            saved - copy.entries,
        )
        with contextlib.closing(sqlite3.connect(data / incident.aside / FILE)) as kept:
            assert kept.execute("SELECT count(*) FROM learners").fetchone() == (2,)
    assert restoring.prepared(data) is None
    with contextlib.closing(reopened(data)) as later:
        assert len(rows(later.store, "SELECT 1 FROM logs")) == 2, "a new log once, not at every start"


def test_a_restoration_is_not_undone_after_a_power_cut(tmp_path: Path) -> None:
    """Newer snapshots are still there; they must not be mistaken for what was lost."""
    data = tmp_path / "data"
    node = village(tmp_path)
    copy = snapshots.make(data)
    node.recorder.add_learner("Budi Santoso")
    snapshots.make(data)
    restoring.prepare(node.config, copy.path)
    (data / power.MARKER).touch()
    node.close()
    with contextlib.closing(reopened(data)) as again:
        assert len(rows(again.store, "SELECT 1 FROM learners")) == 1
    with contextlib.closing(reopened(data)) as again:
        assert len(rows(again.store, "SELECT 1 FROM learners")) == 1


def test_it_can_be_called_off(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = village(tmp_path)
    copy = snapshots.make(data)
    node.recorder.add_learner("Budi Santoso")
    restoring.prepare(node.config, copy.path)
    assert restoring.call_off(data)
    node.close()
    with contextlib.closing(reopened(data)) as again:
        assert len(rows(again.store, "SELECT 1 FROM learners")) == 2
        assert again.incidents.now() is None


def test_who_was_erased_since_does_not_come_back(tmp_path: Path) -> None:
    from node import centre

    data = tmp_path / "data"
    node = village(tmp_path)
    copy = snapshots.make(data)
    (commitment,) = rows(node.store, "SELECT commitment FROM learners")[0]
    with node.store.write() as db:
        centre.erase(db, commitment)
    restoring.prepare(node.config, copy.path)
    node.close()
    with contextlib.closing(reopened(data)) as again:
        assert rows(again.store, "SELECT name FROM learners") == [("?",)]
        assert rows(again.store, "SELECT 1 FROM profiles") == []


def test_a_dead_laptop_is_replaced_with_nothing_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = village(tmp_path)
    node.recorder.record_many([OPENED] * 9)
    backups.choose_place(node, str(drive(tmp_path)))
    backups.back_up_now(node)
    words = " ".join(sealed_copy.words_of(backups.recovery_secret(node.config)))
    saved = node.recorder.counts().saved
    node.close()
    shutil.rmtree(tmp_path / "data")
    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "another-laptop"))
    (file,) = backups.copies_in(drive(tmp_path))
    made = restoring.restore_into(tmp_path / "new", file, sealed_copy.secret_of(words))
    assert made.device_key.public == node.config.device_key.public
    assert made.pepper == node.config.pepper, "PINs go on"
    with contextlib.closing(reopened(tmp_path / "new")) as again:
        assert rows(again.store, "SELECT name FROM learners") == [("Siti Aminah",)]
        assert rows(again.store, "SELECT openings FROM lesson_progress") == [(9,)]
        assert again.store.get("new_log") == OpenReason.RESTORED
        assert again.recorder.counts().saved > saved
    with pytest.raises(DataFolderError):
        restoring.restore_into(tmp_path / "new", file, sealed_copy.secret_of(words))


def test_another_laptop_s_copy_is_refused(tmp_path: Path) -> None:
    other = village(tmp_path / "other", ScriptedMachine(seed=77))
    backups.choose_place(other, str(drive(tmp_path)))
    backups.back_up_now(other)
    (file,) = backups.copies_in(drive(tmp_path))
    node = village(tmp_path)
    assert not restoring.is_own(node.config.data, file)
    with pytest.raises(LontarError):
        restoring.prepare(node.config, file, backups.recovery_secret(other.config))
    assert restoring.prepared(node.config.data) is None
    other.close()
    node.close()


def test_the_command_tells_asks_and_restores(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = village(tmp_path)
    copy = snapshots.make(data)
    node.recorder.add_learner("Budi Santoso")
    node.close()
    command = ["node", "restore", "--data", str(data), str(copy.path)]
    with power.serving(data):
        served = CliRunner().invoke(main, command, input="y\n")
    assert served.exit_code == 1
    assert "sedang berjalan" in served.output
    no = CliRunner().invoke(main, command, input="n\n")
    assert no.exit_code == 1
    assert "catatan lebih baru" in no.output
    with contextlib.closing(reopened(data)) as again:
        assert len(rows(again.store, "SELECT 1 FROM learners")) == 2
    yes = CliRunner().invoke(main, command, input="y\n")
    assert (yes.exit_code, "Dipulihkan" in yes.output) == (0, True)
    with contextlib.closing(reopened(data)) as again:
        assert len(rows(again.store, "SELECT 1 FROM learners")) == 1


def test_the_command_makes_a_copy_in_a_second_place_and_a_new_laptop_from_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = village(tmp_path)
    words = " ".join(sealed_copy.words_of(backups.recovery_secret(node.config)))
    node.close()
    made = CliRunner().invoke(
        main, ["node", "snapshot", "--data", str(data), "--place", str(drive(tmp_path))]
    )
    assert made.exit_code == 0, made.output
    (file,) = backups.copies_in(drive(tmp_path))
    command = ["node", "restore", "--data", str(tmp_path / "new"), str(file), "--yes"]
    wrong = CliRunner().invoke(main, [*command, "--words", "abad " * 12])
    assert wrong.exit_code != 0
    assert not (tmp_path / "new" / "node.toml").exists()
    right = CliRunner().invoke(main, [*command, "--words", words])
    assert right.exit_code == 0, right.output
    with contextlib.closing(reopened(tmp_path / "new")) as again:
        assert rows(again.store, "SELECT name FROM learners") == [("Siti Aminah",)]
