"""Packs over a thin line: only what is lacking comes, breaks cost next to nothing, and nothing half is ever a course."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from workshop import HEAD, PUBLISHER, anyone

from content_packs import transfer
from content_packs.build import BuiltPack, build_pack
from content_packs.errors import NoSpaceError, PackError, UntrustedPackError
from content_packs.pack_file import export
from content_packs.store import PackStore
from content_packs.verify import open_pack
from sync.errors import UnreachableError
from sync.keys import sha256

FILM = random.Random(3).randbytes(900_000)


def course(folder: Path, film: bytes = FILM, text: str = "Isi.", version: int = 1) -> BuiltPack:
    folder.mkdir()
    (folder / "course.toml").write_text(f'id = "kas"\ntitle = "Kas"\nversion = {version}\ngeneral = true\n')
    (folder / "01-a.md").write_text(HEAD + f"{text}\n\n![Rapat](rapat.mp4)")
    (folder / "rapat.mp4").write_bytes(film)
    return build_pack(folder, PUBLISHER)


class HubFolder:
    """A hub's files, over a line that a test breaks; counts every byte."""

    def __init__(self, packs: list[BuiltPack]) -> None:
        self.files: dict[str, bytes] = {}
        for pack in packs:
            self.files[transfer.manifest_path(sha256(pack.envelope))] = pack.envelope
            self.files |= {transfer.piece_path(digest): piece for digest, piece in pack.pieces.items()}
        self.read_paths: list[str] = []
        self.sent = 0
        self.left: Callable[[], int] = lambda: 1 << 60

    def read(self, path: str, start: int) -> Iterator[bytes]:
        self.read_paths.append(path)
        data, left = self.files[path][start:], self.left()
        for at in range(0, len(data), 4096):
            step = data[at : at + 4096]
            if at + len(step) > left:
                raise UnreachableError("putus")
            self.sent += len(step)
            yield step


def fetched(store: PackStore, hub: HubFolder, pack: BuiltPack) -> transfer.Fetched:
    return transfer.fetch(store, hub, sha256(pack.envelope), anyone)


def test_a_pack_that_is_not_here_comes_whole_and_is_installed(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    hub, store = HubFolder([pack]), PackStore(tmp_path / "packs")
    steps: list[tuple[int, int]] = []
    made = transfer.fetch(store, hub, sha256(pack.envelope), anyone, lambda *step: steps.append(step))
    assert made.size == hub.sent == len(pack.envelope) + sum(map(len, pack.pieces.values()))
    assert made.pack.manifest == pack.manifest
    assert [here for here, _ in steps] == sorted(here for here, _ in steps)
    assert steps[-1][0] == steps[-1][1] == pack.manifest.packed
    assert [one.manifest_hash for one in store.packs()] == [sha256(pack.envelope)]


def test_texts_come_before_films(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    hub = HubFolder([pack])
    fetched(PackStore(tmp_path / "packs"), hub, pack)
    lesson = pack.manifest.files[0]
    assert lesson.media_type == "application/cbor"
    assert hub.read_paths[1] == transfer.piece_path(lesson.pieces[0])


def test_a_line_that_drops_again_and_again_wastes_nothing(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    hub, store, rng = HubFolder([pack]), PackStore(tmp_path / "packs"), random.Random(1)
    hub.left = lambda: rng.choice([1 << 20, rng.randrange(1, 150_000)])
    breaks = 0
    while True:
        try:
            fetched(store, hub, pack)
            break
        except UnreachableError:
            breaks += 1
            assert store.packs() == [], "half a course is none"
            assert breaks < 1000
    assert breaks > 2
    assert hub.sent == len(pack.envelope) + sum(map(len, pack.pieces.values()))


def test_an_update_brings_only_what_changed(tmp_path: Path) -> None:
    old = course(tmp_path / "old")
    changed = FILM[:400_000] + random.Random(9).randbytes(20_000) + FILM[400_000:]
    new = course(tmp_path / "new", changed, "Isi baru.", 2)
    hub, store = HubFolder([old, new]), PackStore(tmp_path / "packs")
    fetched(store, hub, old)
    before = hub.sent
    fetched(store, hub, new)
    assert hub.sent - before < 500_000
    assert len(store.packs()) == 2, "the old version stays"


def test_what_a_stick_brought_before_is_not_fetched(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    hub, store = HubFolder([pack]), PackStore(tmp_path / "packs")
    with (tmp_path / "x.lontar").open("wb") as file:
        pack.write(file)
    with open_pack(tmp_path / "x.lontar", anyone) as opened:
        store.install(opened)
    assert fetched(store, hub, pack).size == len(pack.envelope)


def test_another_file_in_the_place_of_a_piece_is_not_believed(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    hub, store = HubFolder([pack]), PackStore(tmp_path / "packs")
    digest = pack.manifest.files[0].pieces[0]
    good = hub.files[transfer.piece_path(digest)]
    hub.files[transfer.piece_path(digest)] = good[:-1] + b"x"
    with pytest.raises(PackError):
        fetched(store, hub, pack)
    assert store.packs() == []
    hub.files[transfer.piece_path(digest)] = good
    assert fetched(store, hub, pack).pack.lesson(1)


def test_what_was_damaged_on_this_disk_is_fetched_anew(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    hub, store = HubFolder([pack]), PackStore(tmp_path / "packs")
    hub.left = lambda: 30_000
    with pytest.raises(UnreachableError):
        fetched(store, hub, pack)
    (begun,) = (tmp_path / "packs").rglob("*.part")
    begun.write_bytes(b"?" * begun.stat().st_size)
    hub.left = lambda: 1 << 60
    assert fetched(store, hub, pack).pack.manifest == pack.manifest


def test_a_stranger_s_pack_is_refused_before_a_piece_comes(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    hub, store = HubFolder([pack]), PackStore(tmp_path / "packs")
    with pytest.raises(UntrustedPackError):
        transfer.fetch(store, hub, sha256(pack.envelope), lambda key: False)
    assert len(hub.read_paths) == 1


def test_another_manifest_than_the_one_that_was_promised_is_refused(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    hub = HubFolder([pack])
    hub.files[transfer.manifest_path(bytes(32))] = pack.envelope
    with pytest.raises(PackError):
        transfer.fetch(PackStore(tmp_path / "packs"), hub, bytes(32), anyone)


def test_a_full_disk_is_said_before_a_piece_comes(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    hub = HubFolder([pack])
    with pytest.raises(NoSpaceError):
        fetched(PackStore(tmp_path / "packs", free_bytes=lambda folder: 0), hub, pack)
    assert len(hub.read_paths) == 1


def test_a_piece_that_was_whole_when_the_power_went_needs_no_byte_more(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    store, digest = PackStore(tmp_path / "packs"), pack.manifest.files[0].pieces[0]
    begun = tmp_path / "packs" / "pieces" / digest.hex()[:2] / f"{digest.hex()}.part"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(pack.pieces[digest])

    def nothing() -> Iterator[bytes]:
        raise AssertionError("asked for")
        yield b""

    assert store.take_piece(digest, nothing()) == 0


def test_an_installed_pack_written_as_a_file_is_the_file_that_was_built(tmp_path: Path) -> None:
    pack = course(tmp_path / "c")
    with (tmp_path / "built.lontar").open("wb") as file:
        pack.write(file)
    store = PackStore(tmp_path / "packs")
    with open_pack(tmp_path / "built.lontar", anyone) as opened:
        store.install(opened)
    with (tmp_path / "exported.lontar").open("wb") as file:
        export(store, sha256(pack.envelope), file)
    assert (tmp_path / "exported.lontar").read_bytes() == (tmp_path / "built.lontar").read_bytes()
