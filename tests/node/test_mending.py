"""A power cut or a bad disk: the start mends what can be mended, says what is missing, or refuses and changes nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from desa import ScriptedMachine, plain_node, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node import power, snapshots, swap
from node.errors import DamagedDatabaseError, DiskFullError, NodeError
from node.incidents import What
from node.store import FILE
from node.wal import has_lost_commits
from node.wiring import Node, open_node
from sync.entries import LessonOpened, OpenReason, QuestionAnswered

PAGE: Final = 4096
PROGRESS: Final = "SELECT * FROM lesson_progress ORDER BY learner, pack, lesson"
PEOPLE: Final = "SELECT number, id, name, position FROM learners ORDER BY number"


def learn(node: Node, rounds: int, seed: int = 1) -> None:
    rng = random.Random(seed)
    for _ in range(rounds):
        who = rng.randrange(3)
        node.recorder.record_many(
            [
                LessonOpened(who, 0, 1, 30),
                *(QuestionAnswered(who, 0, 1, q, q % 3, q == 1, 5) for q in range(40)),
            ]
        )


def worked(data: Path, later: int = 6, snapshot: bool = True) -> Node:
    """A village that learned, with some of it sealed, a snapshot in the middle, and some work after it."""
    node = plain_node(data)
    for name in ("Siti Aminah", "Budi Santoso", "Dewi Lestari"):
        node.recorder.add_learner(name, "Kaur Keuangan")
    node.recorder.install_pack(bytes(16), bytes(32), 1)
    learn(node, 20)
    node.recorder.seal()
    learn(node, 4, seed=2)
    if snapshot:
        snapshots.make(data)
    learn(node, later, seed=3)
    node.recorder.seal()
    learn(node, 2, seed=4)
    return node


def reopened(data: Path) -> Node:
    return open_node(data, ScriptedMachine(seed=9))


def cut_off(node: Node, data: Path) -> None:
    """Leave the files as a power cut does: as they are on the disk while the node is open."""
    kept = data.parent / "as-cut"
    shutil.copytree(data, kept)
    node.close()
    shutil.rmtree(data)
    kept.rename(data)
    (data / power.MARKER).touch()


def contents(data: Path) -> dict[str, str]:
    """Every file of the database, by a hash; what SQLite shares between connections is none of ours."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in data.glob(f"{FILE}*")
        if not path.name.endswith("-shm")
    }


def state(node: Node) -> tuple[int, Any, Any]:
    return node.recorder.counts().saved, rows(node.store, PROGRESS), rows(node.store, PEOPLE)


def pages_of(file: Path, *names: str) -> list[int]:
    """The pages of tables and indexes, from 0."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        places = ", ".join("?" * len(names))
        query = f"SELECT pageno FROM dbstat WHERE name IN ({places}) ORDER BY pageno"
        try:
            return [row[0] - 1 for row in db.execute(query, names)]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no dbstat")


def overwrite(file: Path, at: int, data: bytes) -> None:
    with file.open("rb+") as opened:
        opened.seek(at)
        opened.write(data)


def test_a_power_cut_is_said_and_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = worked(data)
    before = state(node)
    cut_off(node, data)
    with contextlib.closing(reopened(data)) as again:
        assert state(again) == before
        assert again.incidents.now() is None, "nothing was wrong with the disk"
        assert rows(again.store, "SELECT count(*) FROM logs") == [(1,)]


def test_damage_to_what_is_made_from_the_log_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = worked(data)
    before = state(node)
    node.close()
    for page in pages_of(
        data / FILE, "lesson_progress", "learners", "attempt_answers", "identities", "packs"
    ):
        overwrite(data / FILE, page * PAGE, bytes(PAGE))
    with contextlib.closing(reopened(data)) as again:
        assert state(again) == before
        incident = again.incidents.now()
        assert incident is not None
        assert (incident.what, incident.entries, incident.missing) == (What.REBUILT, before[0], 0)
        assert rows(again.store, "SELECT count(*) FROM logs") == [(1,)], "the same log goes on"
        assert (data / incident.aside / FILE).exists()


def test_a_damaged_segment_comes_back_from_the_snapshot(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = worked(data)
    before = state(node)
    node.close()
    file = data / FILE
    with contextlib.closing(sqlite3.connect(file)) as db:
        (segment,) = db.execute("SELECT data FROM segments WHERE idx = 1").fetchone()
    at = file.read_bytes().index(segment[200:260])
    overwrite(file, at, b"\x00" * 20)
    (data / power.MARKER).touch()
    with contextlib.closing(reopened(data)) as again:
        incident = again.incidents.now()
        assert incident is not None
        assert (incident.what, incident.missing) == (What.REBUILT, 0)
        assert state(again) == before


def test_without_a_snapshot_what_stands_before_the_damage_is_kept_and_the_rest_is_counted(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    node = worked(data, snapshot=False)
    before = state(node)
    counts = dict(rows(node.store, "SELECT idx, count FROM segments"))
    waiting = before[0] - sum(counts.values())
    node.close()
    file = data / FILE
    with contextlib.closing(sqlite3.connect(file)) as db:
        (segment,) = db.execute("SELECT data FROM segments WHERE idx = 2").fetchone()
    overwrite(file, file.read_bytes().index(segment[60:100]), b"\x00" * 20)
    (data / power.MARKER).touch()
    with contextlib.closing(reopened(data)) as again:
        incident = again.incidents.now()
        assert incident is not None
        # The answers that waited hadn't left this laptop: they move up.
        assert incident.entries == counts[0] + counts[1] + waiting
        assert incident.missing == sum(counts.values()) - counts[0] - counts[1]
        assert (data / incident.aside / FILE).exists()
        assert again.store.get("new_log") == OpenReason.RESTORED, "the log is not written on over the gap"
        assert again.shelf.wants()
        assert [row[2] for row in rows(again.store, PEOPLE)] == [
            "Siti Aminah",
            "Budi Santoso",
            "Dewi Lestari",
        ]


def test_waiting_entries_that_vanished_without_a_trace_are_missed(tmp_path: Path) -> None:
    """A page of another table, empty, stands where theirs was: SQLite finds nothing wrong."""
    data = tmp_path / "data"
    node = worked(data, snapshot=False)
    before = state(node)[0]
    ((waiting,),) = rows(node.store, "SELECT count(*) FROM pending")
    node.close()
    (page,) = pages_of(data / FILE, "pending")
    overwrite(data / FILE, page * PAGE, b"\x0d\x00\x00\x00\x00\x10\x00\x00".ljust(PAGE, b"\x00"))
    with contextlib.closing(sqlite3.connect(data / FILE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with contextlib.closing(reopened(data)) as again:
        incident = again.incidents.now()
        assert incident is not None and waiting
        assert (incident.what, incident.entries, incident.missing) == (
            What.MENDED,
            before - waiting,
            waiting,
        )
        assert rows(again.store, "SELECT count(*) FROM logs") == [(2,)], "the old log may have gone on"


def test_what_waited_for_an_older_log_when_a_snapshot_was_made_does_not_come_into_the_newest(
    tmp_path: Path,
) -> None:
    """It was sealed there; here its numbers would fit by chance, it would count twice, and its times run backwards."""
    data = tmp_path / "data"
    node = worked(data)
    with contextlib.closing(sqlite3.connect(snapshots.listed(data)[0].path)) as db:
        first, last = db.execute("SELECT min(seq), max(seq) FROM pending").fetchone()
    node.shelf.start_new_log(OpenReason.RESTORED)
    learn(node, 21, seed=5)
    node.recorder.seal()
    ((end,),) = rows(node.store, "SELECT max(first_seq + count) FROM segments WHERE log = 2")
    assert first <= end <= last
    before = state(node)
    node.close()
    for page in pages_of(data / FILE, "lesson_progress"):
        overwrite(data / FILE, page * PAGE, bytes(PAGE))
    with contextlib.closing(reopened(data)) as again:
        assert state(again) == before
        incident = again.incidents.now()
        assert incident is not None and incident.what is What.REBUILT
        again.recorder.record(QuestionAnswered(0, 0, 1, 1, 1, True, 5))
        again.recorder.seal()


def test_a_damaged_head_of_the_file_costs_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = worked(data, snapshot=False)
    before = state(node)
    node.close()
    overwrite(data / FILE, 0, random.Random(3).randbytes(100))
    with contextlib.closing(reopened(data)) as again:
        assert state(again) == before


def damaged_in(file: Path, how: Callable[[bytes, random.Random], bytes], seed: int) -> None:
    file.write_bytes(how(file.read_bytes(), random.Random(seed)))


def scribbled(whole: bytes, rng: random.Random) -> bytes:
    made = bytearray(whole)
    for _ in range(rng.choice((1, 3, 30))):
        at, size = rng.randrange(len(made)), rng.choice((1, 8, 200, PAGE))
        made[at : at + size] = rng.randbytes(len(made[at : at + size]))
    return bytes(made)


def cut_short(whole: bytes, rng: random.Random) -> bytes:
    return whole[: rng.randrange(len(whole))]


def zero_tailed(whole: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(whole))
    return whole[:at] + bytes(len(whole) - at)


def pages_lost(whole: bytes, rng: random.Random) -> bytes:
    made = bytearray(whole)
    for _ in range(3):
        page = rng.randrange(-(-len(whole) // PAGE))
        made[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    return bytes(made)


@pytest.fixture(scope="module")
def villages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders to copy: with a snapshot and without, after a clean stop and after a cut."""
    made = {}
    for name in ("snapshot", "none"):
        folder = tmp_path_factory.mktemp(name)
        node = worked(folder / "data", snapshot=name == "snapshot")
        saved = node.recorder.counts().saved
        shutil.copytree(folder / "data", folder / "cut")
        (folder / "cut" / power.MARKER).touch()
        node.close()
        (folder / "saved").write_text(str(saved))
        made[name] = folder
    return made


@given(
    st.sampled_from([scribbled, cut_short, zero_tailed, pages_lost]),
    st.sampled_from([FILE, f"{FILE}-wal"]),
    st.booleans(),
    st.integers(0, 1 << 32),
)
@settings(
    deadline=None,
    max_examples=int(os.environ.get("LONTAR_DAMAGES", "60")),
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_damaged_the_start_mends_it_and_tells_or_refuses_and_changes_nothing(
    villages: dict[str, Path], how: Any, which: str, has_snapshot: bool, seed: int
) -> None:
    folder = villages["snapshot" if has_snapshot else "none"]
    data = folder / "damaged"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(folder / "cut", data)
    damaged_in(data / which, how, seed)
    saved = int((folder / "saved").read_text())
    before = contents(data)
    try:
        node = reopened(data)
    except NodeError as refusal:
        assert not has_snapshot, "a snapshot is always a way out"
        assert len(refusal.sentence()) > 20
        assert set(contents(data)) <= set(before)
        return
    with contextlib.closing(node):
        incident = node.incidents.now()
        opened_anew = len(rows(node.store, "SELECT 1 FROM logs")) > 1
        # A new log begins with a few entries of its own; the old ones are what was there before.
        old = rows(node.store, "SELECT coalesce(sum(count), 0) FROM segments WHERE log = 1")[0][0]
        old += 0 if opened_anew else rows(node.store, "SELECT count(*) FROM pending")[0][0]
        confirmed_on_disk = which == FILE
        if old < saved and confirmed_on_disk:
            assert incident is not None, "fewer entries than before, and nobody says so"
            assert incident.what is What.MENDED
            assert incident.entries == old
            assert opened_anew
        node.recorder.record(LessonOpened(0, 0, 1, 5))
        assert list(node.learning.learners()) or not confirmed_on_disk
    reopened(data).close()


def test_the_file_of_the_last_commits_is_gone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = worked(data)
    saved = node.recorder.counts().saved
    cut_off(node, data)
    (data / f"{FILE}-wal").unlink()
    (data / f"{FILE}-shm").unlink(missing_ok=True)
    with contextlib.closing(reopened(data)) as again:
        incident = again.incidents.now()
        assert incident is not None
        assert incident.what in (What.RECENT_UNSURE, What.MENDED)
        assert incident.entries <= saved


def test_a_break_in_the_middle_of_the_last_commits_is_not_passed_over(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = worked(data, snapshot=False)
    saved = node.recorder.counts().saved
    cut_off(node, data)
    wal = data / f"{FILE}-wal"
    whole = wal.read_bytes()
    assert not has_lost_commits(wal)
    overwrite(wal, 32 + (24 + PAGE) * 40 + 1000, b"\xff" * 8)
    assert has_lost_commits(wal)
    for torn in (len(whole) - 1, len(whole) - PAGE, len(whole) - 20 * PAGE):
        wal.write_bytes(whole[:torn])
        assert not has_lost_commits(wal), "a torn end is what a cut leaves"
    wal.write_bytes(whole)
    overwrite(wal, 0, bytes(8))
    with contextlib.closing(reopened(data)) as again:
        incident = again.incidents.now()
        assert incident is not None
        assert incident.what is What.RECENT_UNSURE
        assert incident.entries < saved
        assert (data / incident.aside / f"{FILE}-wal").read_bytes()[8:] == whole[8:]
        assert again.store.get("new_log") == OpenReason.RESTORED


def test_a_command_that_runs_before_the_next_start_does_not_hide_that_the_file_was_gone(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    cut_off(worked(data, snapshot=False), data)
    (data / f"{FILE}-wal").unlink()
    reopened(data).close()
    with contextlib.closing(reopened(data)) as again:
        incident = again.incidents.now()
        assert incident is not None
        assert incident.what is What.RECENT_UNSURE


def test_a_deleted_database_comes_back_from_the_snapshot(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = worked(data)
    node.shelf.seal()
    node.close()
    (entries,) = [one.entries for one in snapshots.listed(data)]
    (data / FILE).unlink()
    with contextlib.closing(reopened(data)) as again:
        incident = again.incidents.now()
        assert incident is not None
        assert (incident.what, incident.entries, incident.missing) == (What.MENDED, entries, None)
        assert again.store.get("new_log") == OpenReason.RESTORED
        assert len(rows(again.store, PEOPLE)) == 3


def test_a_deleted_database_without_a_snapshot_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = worked(data, snapshot=False)
    node.shelf.seal()
    node.close()
    (data / FILE).unlink()
    with contextlib.closing(reopened(data)) as again:
        incident = again.incidents.now()
        assert incident is not None
        assert incident.what is What.LOST
        assert again.shelf.wants(), "what the centre has comes back"


def test_a_pin_of_somebody_who_is_missing_waits_for_nobody(tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = worked(data, snapshot=False)
    node.recorder.seal()
    late = node.recorder.add_learner("Eko Prasetyo")
    node.recorder.seal()
    with node.store.write() as db:
        db.executemany("INSERT INTO pins (learner, hash) VALUES (?, 'x')", [(0,), (late,), (-1,)])
        (segment,) = db.execute("SELECT data FROM segments ORDER BY idx DESC LIMIT 1").fetchone()
    node.close()
    file = data / FILE
    overwrite(file, file.read_bytes().index(segment[-60:-10]), b"\x00" * 20)
    (data / power.MARKER).touch()
    with contextlib.closing(reopened(data)) as again:
        assert len(rows(again.store, PEOPLE)) == 3
        assert rows(again.store, "SELECT learner FROM pins ORDER BY learner") == [(-1,), (0,)]


def test_nothing_is_mended_while_another_process_serves(tmp_path: Path) -> None:
    data = tmp_path / "data"
    worked(data).close()
    overwrite(data / FILE, 0, b"\x00" * 100)
    before = contents(data)
    with power.serving(data), pytest.raises(NodeError):
        reopened(data)
    assert contents(data) == before


def test_a_disk_without_room_for_a_copy_refuses_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from node import ballast

    data = tmp_path / "data"
    worked(data).close()
    overwrite(data / FILE, 0, b"\x00" * 100)
    before = contents(data)
    monkeypatch.setattr(ballast, "_free", lambda folder: 1000)
    with pytest.raises(DiskFullError):
        reopened(data)
    assert contents(data) == before


@pytest.mark.parametrize("done", range(5))
def test_a_second_power_cut_while_the_files_change_places_costs_nothing(tmp_path: Path, done: int) -> None:
    """The new database is there before the old one moves; every start goes on where the last one stopped."""
    data, made = tmp_path / "data", tmp_path / "made"
    node = worked(data)
    before = state(node)
    cut_off(node, data)
    made.mkdir()
    snapshots.copy_of(data / FILE, made / FILE)
    swap.stage(made / FILE, data, "damaged-1")
    (data / "damaged-1").mkdir()
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm")[:done]:
        if (data / name).exists():
            (data / name).rename(data / "damaged-1" / name)
    with contextlib.closing(reopened(data)) as again:
        assert state(again) == before
    assert (data / "damaged-1" / FILE).exists()
    assert swap.staged(data, swap.DAMAGED) is None


def test_without_any_readable_row_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    data = tmp_path / "data"
    worked(data, snapshot=False).close()
    (data / FILE).write_bytes(random.Random(1).randbytes(40_000))
    before = contents(data)
    with pytest.raises(DamagedDatabaseError) as refusal:
        reopened(data)
    assert "cadangan" in refusal.value.sentence()
    assert contents(data) == before


@pytest.mark.slow
def test_the_command_says_one_sentence_where_nothing_can_be_mended(tmp_path: Path) -> None:
    data = tmp_path / "data"
    worked(data, snapshot=False).close()
    (data / FILE).write_bytes(b"\x01" * 40_000)
    command = [sys.executable, "-m", "lontar", "node", "status", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (8, 1)
