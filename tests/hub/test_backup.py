"""A centre in one file: whole, closed, proved without restoring, and a centre again on either database."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage
import pytest
from centre import made_hub
from click.testing import CliRunner, Result
from device import VILLAGE, Device
from office import world
from sqlalchemy import insert, inspect, select, text
from state import merged_state, said
from test_operations import ask
from test_packs_hub import course, publisher
from test_pages import browser

from hub import audit, backup, backup_file, db, metrics, packs, rebuilding, registry, schema
from hub import restore as restoring
from hub.backup_file import BackupError, Closing, Opening
from hub.cli import hub as group
from hub.errors import BusyError
from hub.schema_base import metadata
from hub.wiring import Hub, now_ms, open_hub
from sync.entries import LessonProgressed
from web.data_folder import DataFolderError

if TYPE_CHECKING:
    from conftest import Server

PASSPHRASE = "kata sandi cadangan"
KEY = pyrage.x25519.Identity.generate()
CLOSING = Closing(recipients=(str(KEY.to_public()),))
OPENING = Opening(identities=(str(KEY),))
"""What most tests close and open with: a passphrase is slow on purpose."""


def quiet(name: str, done: int) -> None:
    pass


def taken(hub: Hub, path: Path, closing: Closing | None = None, packs: bool = True) -> backup.Contents:
    closing = closing or CLOSING
    return backup.take(hub.engine, hub.config, path, closing, now_ms(), quiet, packs)[0]


def restored(data: Path, path: Path, url: str | None = None) -> Hub:
    restoring.restore(data, path, OPENING, url, quiet)
    return open_hub(data)


def rows(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with db.reading(hub.engine) as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def files(data: Path) -> dict[str, bytes]:
    """The files of a data folder, but for the database and the address of the database."""
    found = (path for path in data.rglob("*") if path.is_file() and not path.name.startswith("hub."))
    return {path.relative_to(data).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def other_place(postgresql: Server) -> Iterator[Callable[[str], str | None]]:
    """Where a centre may be restored: the address of an empty database, or None for SQLite in the folder."""
    made = []

    def place(kind: str) -> str | None:
        if kind == "sqlite":
            return None
        made.append(f"pulih_{len(made)}_{os.getpid()}")
        postgresql.do(f"CREATE DATABASE {made[-1]}")
        return postgresql.database(made[-1])

    yield place
    for name in made:
        postgresql.do(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Centre:
    hub: Hub
    device: Device


@pytest.fixture
def centre(hub: Hub, tmp_path: Path) -> Centre:
    """One in which something of everything has happened, with a course to give out."""
    made = world(hub)
    file, _ = course(tmp_path / "course", publisher(hub))
    packs.publish(hub.engine, hub.config, file, [""], now_ms())
    browser(hub)
    with db.writing(hub.engine) as connection:
        connection.execute(
            insert(schema.mail_parts).values(device=1, version=b"v", idx=0, data=b"\0\xff" * 200_000)
        )
    return Centre(hub, made.device)


# There and back


@pytest.mark.parametrize("onto", ["sqlite", "postgresql"])
def test_a_restored_centre_holds_every_row_and_file(
    centre: Centre, tmp_path: Path, onto: str, other_place: Callable[[str], str | None]
) -> None:
    contents = taken(centre.hub, tmp_path / "b")
    again = restored(tmp_path / "again", tmp_path / "b", other_place(onto))
    assert rows(again) == rows(centre.hub)
    assert files(again.config.data) == files(centre.hub.config.data)
    assert any(name.startswith("packs/pieces/") for name in contents.files)
    assert merged_state(again) == merged_state(centre.hub)
    assert again.config.hub_key.public == centre.hub.config.hub_key.public
    assert ask(again, "/siap")[0] == 200
    again.close()


@pytest.mark.parametrize("onto", ["sqlite", "postgresql"])
def test_devices_go_on_with_a_restored_centre(
    centre: Centre, tmp_path: Path, onto: str, other_place: Callable[[str], str | None]
) -> None:
    taken(centre.hub, tmp_path / "b")
    again = restored(tmp_path / "again", tmp_path / "b", other_place(onto))
    centre.device.seal(LessonProgressed(0, 0, 2, 5_000, 80))
    # What it sent after the backup was made, it sends again; new rows get new numbers.
    centre.device.send(again)
    newcomer = Device(9).open(3).registered(again)
    newcomer.send(again)
    with db.reading(again.engine) as connection:
        found = {one.name: one.values for one in metrics.figures(connection, now_ms())}
        assert audit.verify(connection, again.config) >= 0
    assert found["lontar_hub_entries"]["merged"] == len(centre.device.entries) + len(newcomer.entries)
    assert found["lontar_hub_devices"]["registered"] == 2
    before = merged_state(again)
    rebuilding.everything(again.engine)
    assert merged_state(again) == before
    registry.issue_code(again.engine, VILLAGE, os.urandom, now_ms())
    assert said(again, VILLAGE)
    again.close()


def test_a_backup_of_a_centre_that_works_on_shows_one_moment(centre: Centre, tmp_path: Path) -> None:
    before, is_done = rows(centre.hub), []

    def meanwhile(name: str, done: int) -> None:
        if not is_done:
            is_done.append(True)
            Device(7).open(3).registered(centre.hub).send(centre.hub)

    backup.take(centre.hub.engine, centre.hub.config, tmp_path / "b", CLOSING, now_ms(), meanwhile, True)
    assert is_done and rows(centre.hub) != before
    again = restored(tmp_path / "again", tmp_path / "b")
    assert rows(again) == before
    again.close()


def test_a_backup_without_packs_leaves_them_out(centre: Centre, tmp_path: Path) -> None:
    contents = taken(centre.hub, tmp_path / "b", packs=False)
    assert sorted(name.partition("/")[0] for name in contents.files if "/" in name)[-1] == "keys"
    again = restored(tmp_path / "again", tmp_path / "b")
    assert rows(again) == rows(centre.hub)
    again.close()


@pytest.mark.parametrize("onto", ["sqlite", "postgresql"])
def test_a_backup_of_an_earlier_version_is_brought_to_this_one(
    tmp_path: Path, onto: str, other_place: Callable[[str], str | None]
) -> None:
    old = made_hub(tmp_path / "old")
    path = tmp_path / "old-backup"
    columns = {"regions": ["code", "parent", "name"], "operators": ["pk", "name", "password_hash"]}
    head = backup.Head(1, "0.1", "0005", now_ms(), False, columns)
    chunks = {"regions": [["17", "", "Bengkulu"]], "operators": [[4, "operator", "x"]]}
    backup_file.write(path, handmade(head, chunks, old), CLOSING)
    again = restored(tmp_path / "again", path, other_place(onto))
    with db.reading(again.engine) as connection:
        assert db.revision(connection) == db.own_revision()
        row = connection.execute(select(schema.operators)).one()
    assert (row.pk, row.name, row.role, row.scope) == (4, "operator", "operator", "")
    again.close()
    old.close()


def handmade(
    head: backup.Head,
    chunks: dict[str, list[list[Any]]],
    hub: Hub,
    more: tuple[tuple[str, bytes], ...] = (),
) -> Iterator[tuple[str, bytes]]:
    """The pieces of a backup as somebody else might write it, true to itself."""
    import cbor2
    import msgspec

    tally = backup._Tally(dict.fromkeys(head.columns, 0))
    yield "head.json", msgspec.json.encode(head)
    for name, found in chunks.items():
        data = cbor2.dumps(found)
        tally.rows[name] = len(found)
        tally.digests[f"tables/{name}"].update(data)
        yield f"tables/{name}/0", data
    for path in (
        "hub.toml",
        "keyset.cose",
        *(f"keys/{one.name}" for one in (hub.config.data / "keys").iterdir()),
    ):
        data = (hub.config.data / path).read_bytes()
        tally.files[path] = len(data)
        tally.digests[f"files/{path}"].update(data)
        yield f"files/{path}", data
    yield from more
    yield "contents.json", msgspec.json.encode(tally.contents())


# Proof


def test_a_backup_proves_itself_without_being_restored(centre: Centre, tmp_path: Path) -> None:
    contents = taken(centre.hub, tmp_path / "b")
    head, found = backup.verify(tmp_path / "b", OPENING, quiet)
    assert found == contents
    assert found.rows == {name: len(of) for name, of in rows(centre.hub).items()}
    assert head.revision == db.own_revision()
    assert len(found.digests) == len(found.files) + sum(1 for count in found.rows.values() if count)


def test_nothing_of_what_is_in_it_can_be_read_from_outside(centre: Centre, tmp_path: Path) -> None:
    taken(centre.hub, tmp_path / "b")
    data = (tmp_path / "b").read_bytes()
    for mark in (b"operator", b"17.05.10.2007", b"Kaur Keuangan", b"head.json"):
        assert mark not in data
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("hub", ["sqlite"], indirect=True)
def test_a_backup_that_was_cut_or_changed_anywhere_is_refused_and_nothing_is_restored(
    centre: Centre, tmp_path: Path
) -> None:
    taken(centre.hub, tmp_path / "b")
    data, bad = (tmp_path / "b").read_bytes(), tmp_path / "bad"
    size = len(data)
    for place in (0, 300, 600, 1700, size // 3, size // 2, size - 5000):
        for wrong in (data[:place], data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]):
            bad.write_bytes(wrong)
            with pytest.raises(BackupError):
                restoring.restore(tmp_path / "again", bad, OPENING, None, quiet)
            assert not list((tmp_path / "again").glob("*")), place


@pytest.mark.parametrize("onto", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    ("chunks", "more"),
    [
        ({"regions": [["17", "", "x"], ["17", "", "twice"]]}, ()),
        ({"regions": [["17", None, "x"]]}, ()),
        ({"regions": [["17", ""]]}, ()),
        ({"nowhere": [["17"]]}, ()),
        ({}, (("files/../outside", b"x"),)),
        ({}, (("files/packs/../../outside", b"x"),)),
        ({}, (("files/hub.toml", b"x"),)),
        ({}, (("strange", b"x"),)),
    ],
)
def test_a_hostile_backup_fills_nothing(
    tmp_path: Path, chunks: Any, more: Any, onto: str, other_place: Callable[[str], str | None]
) -> None:
    old, place = made_hub(tmp_path / "old"), other_place(onto)
    columns = {"regions": ["code", "parent", "name"]} | {
        name: ["x"] for name in chunks if name != "regions"
    }
    head = backup.Head(1, "9", "0006", now_ms(), False, columns)
    backup_file.write(tmp_path / "b", handmade(head, chunks, old, more), CLOSING)
    with pytest.raises(BackupError):
        restoring.restore(tmp_path / "again", tmp_path / "b", OPENING, place, quiet)
    assert not list((tmp_path / "again").iterdir())
    assert not (tmp_path / "outside").exists()
    if place is not None:
        engine = db.open_engine(place)
        assert inspect(engine).get_table_names() == []
        engine.dispose()
    old.close()


def test_later_formats_and_tables_are_refused(tmp_path: Path) -> None:
    old = made_hub(tmp_path / "old")
    for number, head in enumerate(
        (
            backup.Head(2, "9", "0006", 1, False, {}),
            backup.Head(1, "9", "9999", 1, False, {}),
        )
    ):
        path = tmp_path / f"b{number}"
        backup_file.write(path, handmade(head, {}, old), CLOSING)
        with pytest.raises(BackupError, match="lebih baru"):
            restoring.restore(tmp_path / "again", path, OPENING, None, quiet)
    old.close()


# Who may open it


def test_a_wrong_passphrase_and_a_stranger_s_key_open_nothing(hub: Hub, tmp_path: Path) -> None:
    key, stranger = (pyrage.x25519.Identity.generate() for _ in range(2))
    taken(hub, tmp_path / "b", Closing(PASSPHRASE, (str(key.to_public()),)))
    for right in (Opening(PASSPHRASE), Opening(identities=("# a note", str(key)))):
        backup.verify(tmp_path / "b", right, quiet)
    for wrong in (
        Opening("lain"),
        Opening(identities=(str(stranger),)),
        Opening(identities=("x",)),
        Opening(),
    ):
        with pytest.raises(BackupError, match="salah"):
            restoring.restore(tmp_path / "again", tmp_path / "b", wrong, None, quiet)
        assert not (tmp_path / "again").exists() or not list((tmp_path / "again").iterdir())


def test_a_backup_for_recipients_alone_has_no_passphrase(hub: Hub, tmp_path: Path) -> None:
    keys = [pyrage.x25519.Identity.generate() for _ in range(2)]
    taken(hub, tmp_path / "b", Closing(recipients=tuple(str(key.to_public()) for key in keys)))
    for key in keys:
        backup.verify(tmp_path / "b", Opening(identities=(str(key),)), quiet)
    with pytest.raises(BackupError):
        backup.verify(tmp_path / "b", Opening(PASSPHRASE), quiet)
    with pytest.raises(BackupError, match="age1"):
        taken(hub, tmp_path / "c", Closing(recipients=("age1x",)))
    assert not (tmp_path / "c").exists()


def test_tar_age_and_zstd_alone_open_it(hub: Hub, tmp_path: Path) -> None:
    import zstandard

    taken(hub, tmp_path / "b", Closing(PASSPHRASE))
    with tarfile.open(tmp_path / "b") as outer:
        parts = {name: outer.extractfile(name).read() for name in outer.getnames()}  # type: ignore[union-attr]
    key = pyrage.x25519.Identity.from_str(
        pyrage.passphrase.decrypt(parts["kunci.age"], PASSPHRASE).decode().strip()
    )
    plain = zstandard.ZstdDecompressor().stream_reader(
        io.BytesIO(pyrage.decrypt(parts["isi.tar.zst.age"], [key]))
    )
    with tarfile.open(fileobj=plain, mode="r|") as inner:
        names = [info.name for info in inner]
    assert (names[0], names[-1]) == ("head.json", "contents.json")


# Nothing by halves


@pytest.mark.parametrize("problem", [BusyError("away"), KeyboardInterrupt()])
def test_what_goes_wrong_leaves_no_file(hub: Hub, tmp_path: Path, problem: BaseException) -> None:
    def broken(name: str, done: int) -> None:
        raise problem

    with pytest.raises(type(problem)):
        backup.take(hub.engine, hub.config, tmp_path / "b", CLOSING, now_ms(), broken, True)
    assert [path.name for path in tmp_path.iterdir() if path.name == "b" or "tmp" in path.name] == []


def test_a_file_that_is_there_stays(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("yang lama")
    with pytest.raises(BackupError, match="sudah ada"):
        taken(hub, tmp_path / "b")
    assert (tmp_path / "b").read_text() == "yang lama"


def test_what_a_killed_backup_left_is_in_nobody_s_way(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / ".b.tmp").write_bytes(b"x" * 10_000_000)
    taken(hub, tmp_path / "b")
    backup.verify(tmp_path / "b", OPENING, quiet)
    assert not (tmp_path / ".b.tmp").exists()


def test_a_backup_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    made = made_hub(tmp_path / "hub")
    pieces = tmp_path / "hub" / "packs" / "pieces" / "00"
    pieces.mkdir(parents=True)
    for number in range(40):
        (pieces / f"{number:064x}").write_bytes(os.urandom(3_000_000))
    made.close()
    place = tmp_path / "backups"
    place.mkdir()
    command = [
        sys.executable,
        "-m",
        "lontar",
        "hub",
        "backup",
        str(place / "b"),
        "--data",
        str(tmp_path / "hub"),
    ]
    environment = os.environ | {"LONTAR_HUB_BACKUP_PASSPHRASE": PASSPHRASE}
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    while not any(path.stat().st_size > 3_000_000 for path in place.iterdir()):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) != 0
    assert list(place.iterdir()) == []


def test_only_what_is_empty_is_filled(
    hub: Hub, tmp_path: Path, other_place: Callable[[str], str | None]
) -> None:
    taken(hub, tmp_path / "b")
    full = tmp_path / "full"
    full.mkdir()
    (full / "surat.txt").write_text("x")
    with pytest.raises(BackupError, match="tidak kosong"):
        restored(full, tmp_path / "b")
    assert [path.name for path in full.iterdir()] == ["surat.txt"]
    with pytest.raises(BackupError, match="Basis data itu tidak kosong"):
        restored(tmp_path / "new", tmp_path / "b", hub.engine.url.render_as_string(hide_password=False))
    with pytest.raises(DataFolderError):
        restored(tmp_path / "new", tmp_path / "b", "bukan alamat")
    place = other_place("postgresql")
    assert place is not None
    engine = db.open_engine(place)
    with db.writing(engine) as connection:
        connection.execute(text("create table milik_orang (x int)"))
    engine.dispose()
    with pytest.raises(BackupError, match="Basis data itu tidak kosong"):
        restored(tmp_path / "new", tmp_path / "b", place)


def test_a_database_of_another_version_is_upgraded_first(hub: Hub, tmp_path: Path) -> None:
    with db.writing(hub.engine) as connection:
        connection.execute(text("update alembic_version set version_num = '0005'"))
    with pytest.raises(BackupError, match="lontar hub upgrade"):
        taken(hub, tmp_path / "b")
    assert not (tmp_path / "b").exists()


@pytest.mark.slow
def test_a_large_centre_takes_no_more_memory(tmp_path: Path) -> None:
    made = made_hub(tmp_path / "hub")
    pieces = tmp_path / "hub" / "packs" / "pieces" / "00"
    pieces.mkdir(parents=True)
    for number in range(60):
        (pieces / f"{number:064x}").write_bytes(os.urandom(4_000_000))
    Device(1).open(1).registered(made)
    with db.writing(made.engine) as connection:
        parts = [
            {"device": 1, "version": b"v", "idx": number, "data": os.urandom(200_000)}
            for number in range(300)
        ]
        connection.execute(insert(schema.mail_parts), parts)
    del parts
    taken(made, tmp_path / "small", packs=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken(made, tmp_path / "b")
    backup.verify(tmp_path / "b", OPENING, quiet)
    restored(tmp_path / "again", tmp_path / "b").close()
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert (tmp_path / "b").stat().st_size > 290_000_000
    assert grown_mb < 60
    made.close()


# The commands


def lontar_hub(*words: object, typed: str = "", **environment: str) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words], input=typed, env=environment)


def test_the_commands_back_up_prove_and_restore(tmp_path: Path) -> None:
    made_hub(tmp_path / "hub").close()
    secret = tmp_path / "sandi"
    secret.write_text(PASSPHRASE + "\n")
    with_file, data = ("--passphrase-file", secret), ("--data", tmp_path / "hub")
    done = lontar_hub("backup", tmp_path / "b", *data, *with_file)
    assert done.exit_code == 0, done.output
    assert "Kunci akar masih" in done.stderr
    assert "Cadangan utuh" in lontar_hub("backup", "--verify", tmp_path / "b", *with_file).stdout
    assert lontar_hub("backup", "--verify", tmp_path / "b", typed=PASSPHRASE + "\n").exit_code == 0
    for words in (
        ("backup", "--verify", tmp_path / "b"),
        ("restore", tmp_path / "b", "--data", tmp_path / "again"),
    ):
        wrong = lontar_hub(*words, typed="kata sandi yang lain\n")
        assert wrong.exit_code == 2
        assert wrong.stderr.splitlines()[-1].startswith("Kata sandi itu salah")
        assert "Traceback" not in wrong.output
    again = lontar_hub("restore", tmp_path / "b", "--data", tmp_path / "again", *with_file)
    assert again.exit_code == 0, again.output
    assert lontar_hub("status", "--data", tmp_path / "again").exit_code == 0
    for words in (
        ("restore", tmp_path / "b", *data, *with_file),
        ("backup", tmp_path / "b", *data, *with_file),
        ("backup", tmp_path / "c", *data, "--recipient", "x"),
        ("backup", tmp_path / "c", *data, "--keep", "3"),
        ("backup", "--verify", secret, *with_file),
        ("backup", tmp_path / "c"),
    ):
        refused = lontar_hub(*words)
        assert refused.exit_code in (1, 2), words
        assert len(refused.stderr.splitlines()) == 1, refused.stderr
    short = lontar_hub("backup", tmp_path / "c", *data, typed="pendek\npendek\n")
    assert short.exit_code == 1 and "paling sedikit 12" in short.stderr
    assert not (tmp_path / "c").exists()


def test_a_folder_of_backups_keeps_the_newest(tmp_path: Path) -> None:
    made_hub(tmp_path / "hub").close()
    place = tmp_path / "backups"
    place.mkdir()
    for name in ("lontar-20240101-020000.cadangan", "lontar-20240102-020000.cadangan", "catatan.txt"):
        (place / name).write_text("x")
    shown = lontar_hub("backup-key", tmp_path / "kunci")
    recipient = shown.stdout.strip()
    assert (tmp_path / "kunci").stat().st_mode & 0o777 == 0o600
    done = lontar_hub(
        "backup", place, "--data", tmp_path / "hub", "--keep", "2", LONTAR_HUB_BACKUP_RECIPIENTS=recipient
    )
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in place.iterdir())
    assert names[:2] == ["catatan.txt", "lontar-20240102-020000.cadangan"]
    assert len(names) == 3
    proof = lontar_hub("backup", "--verify", place / names[2], "--identity", tmp_path / "kunci")
    assert proof.exit_code == 0, proof.output
    assert lontar_hub("backup-key", tmp_path / "kunci").exit_code == 1
