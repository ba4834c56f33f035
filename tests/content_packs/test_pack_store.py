"""Installed packs: whole or not there, repaired by installing again, and never without room to spare."""

from __future__ import annotations

import errno
import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from workshop import FILES, anyone, built, lesson_of, members_of, pack_bytes, zip_of

from content_packs import limits
from content_packs.errors import NoSpaceError, PackError
from content_packs.outline import File
from content_packs.store import SPARE_BYTES, InstalledPack, PackStore, write_safely
from content_packs.verify import PackFile, open_pack
from sync import cbor
from sync.cli_errors import speak_errors
from sync.errors import LontarError
from sync.keys import sha256


@contextmanager
def opened(folder: Path, data: bytes | None = None) -> Iterator[PackFile]:
    """A verified pack: the small course, or a pack file of those bytes."""
    file = folder / "some.lontar"
    if not file.exists():
        file.write_bytes(data if data is not None else pack_bytes(built(folder)))
    with open_pack(file, anyone) as pack:
        yield pack


def installed(folder: Path, store: PackStore, data: bytes | None = None) -> InstalledPack:
    with opened(folder, data) as pack:
        return store.install(pack)


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


class FailingDisk:
    """Writes until the write with that number, which breaks, half done if `torn`."""

    def __init__(self, at: int, torn: bool = False, error: Callable[[], Exception] = OSError) -> None:
        self.left, self.torn, self.error = at, torn, error

    def __call__(self, path: Path, data: bytes) -> None:
        if self.left == 0:
            if self.torn:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_suffix(".tmp").write_bytes(data[: len(data) // 2])
            raise self.error()
        self.left -= 1
        write_safely(path, data)


def test_an_installed_course_is_read_lesson_by_lesson(tmp_path: Path) -> None:
    pack = installed(tmp_path, PackStore(tmp_path / "packs"))
    reading = pack.lesson(1)
    assert '<img src="media:buku.svg" alt="Buku kas">' in reading.html
    (asked,) = reading.questions
    assert (asked.number, asked.id, asked.text, asked.right) == (1, "catat", "Kapan uang dicatat?", (0,))
    assert asked.choices == ("Hari ini", "Tahun depan")
    assert asked.explanation == "Dicatat pada hari yang sama."
    shown = pack.media("buku.svg")
    assert shown is not None
    assert (shown.media_type, shown.size) == ("image/svg+xml", len(FILES["buku.svg"].encode()))
    assert shown.file.read() == FILES["buku.svg"].encode()


def test_what_the_course_does_not_have_is_told_so(tmp_path: Path) -> None:
    pack = installed(tmp_path, PackStore(tmp_path / "packs"))
    for number in (0, 3, -1):
        with pytest.raises(PackError, match="tidak ada dalam paket"):
            pack.lesson(number)
    for path in ("lain.svg", "buku-kas.cbor", "../some.lontar"):
        assert pack.media(path) is None


def test_a_course_stays_after_a_restart(tmp_path: Path) -> None:
    pack = installed(tmp_path, PackStore(tmp_path / "packs"))
    restarted = PackStore(tmp_path / "packs")
    found = restarted.get(pack.manifest_hash)
    assert found and found.manifest == pack.manifest
    assert found.lesson(1) == pack.lesson(1)
    assert [other.manifest_hash for other in restarted.packs()] == [pack.manifest_hash]
    assert restarted.get(bytes(32)) is None


def test_versions_of_a_course_lie_beside_each_other_and_share_pieces(tmp_path: Path) -> None:
    store = PackStore(tmp_path / "packs")
    (tmp_path / "new").mkdir()
    newer = {"course.toml": FILES["course.toml"].replace("version = 1", "version = 2")}
    first = installed(tmp_path, store)
    before = content(tmp_path / "packs")
    second = installed(tmp_path / "new", store, pack_bytes(built(tmp_path / "new", newer)))
    assert [pack.manifest.version for pack in store.packs()] == [1, 2]
    assert first.manifest.course_key == second.manifest.course_key
    assert len(content(tmp_path / "packs")) == len(before) + 1


def test_installing_twice_changes_nothing_and_writes_nothing(tmp_path: Path) -> None:
    first = installed(tmp_path, PackStore(tmp_path / "packs"))
    before = content(tmp_path / "packs")
    again = installed(tmp_path, PackStore(tmp_path / "packs", write=FailingDisk(0)))
    assert again.manifest_hash == first.manifest_hash
    assert content(tmp_path / "packs") == before


def writes_of_an_installation(folder: Path) -> int:
    with opened(folder) as pack:
        return len(pack.digests()) + 1


@pytest.mark.parametrize("torn", [False, True], ids=["broken", "torn"])
def test_an_installation_that_is_cut_off_leaves_no_half_course_and_repeating_finishes(
    tmp_path: Path, torn: bool
) -> None:
    whole = PackStore(tmp_path / "whole")
    hash_ = installed(tmp_path, whole).manifest_hash
    for at in range(writes_of_an_installation(tmp_path)):
        folder = tmp_path / f"cut{at}"
        cut = PackStore(folder, write=FailingDisk(at, torn))
        with pytest.raises(OSError):
            installed(tmp_path, cut)
        for store in (cut, PackStore(folder)):
            assert store.packs() == []
            assert store.get(hash_) is None
        installed(tmp_path, PackStore(folder))
        finished = {name: data for name, data in content(folder).items() if not name.endswith(".tmp")}
        assert finished == content(tmp_path / "whole")


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 4), max_size=6))
def test_however_often_it_was_cut_off_repeating_finishes(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("often")
    for at in cuts:
        store = PackStore(folder / "packs", write=FailingDisk(at))
        try:
            installed(folder, store)
        except OSError:
            assert store.packs() == []
    pack = installed(folder, PackStore(folder / "packs"))
    assert pack.lesson(2).questions


def test_a_disk_that_fills_up_half_way_ends_with_a_sentence_and_seven(tmp_path: Path) -> None:
    full = FailingDisk(1, error=lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    @click.command()
    @speak_errors
    def install() -> None:
        installed(tmp_path, PackStore(tmp_path / "packs", write=full))

    ended = CliRunner().invoke(install)
    assert ended.exit_code == 7
    assert "Kosongkan ruang lalu ulangi" in ended.output


def test_without_room_to_spare_nothing_is_written(tmp_path: Path) -> None:
    with opened(tmp_path) as pack:
        needed = sum(map(pack.packed_size, pack.digests())) + SPARE_BYTES
        tight = PackStore(tmp_path / "packs", free_bytes=lambda folder: needed - 1)
        with pytest.raises(NoSpaceError) as refused:
            tight.install(pack)
    assert content(tmp_path / "packs") == {}
    assert tight.packs() == []
    assert str(refused.value) == (
        "Ruang penyimpanan kurang untuk pelatihan Kas Desa. Tidak ada yang diubah; kosongkan ruang dulu."
    )
    assert (refused.value.exit_code, refused.value.http_status) == (7, 507)
    roomy = PackStore(tmp_path / "packs", free_bytes=lambda folder: needed)
    assert installed(tmp_path, roomy).lesson(1)


def test_what_is_there_already_needs_no_room(tmp_path: Path) -> None:
    installed(tmp_path, PackStore(tmp_path / "packs"))
    tight = PackStore(tmp_path / "packs", free_bytes=lambda folder: SPARE_BYTES)
    assert installed(tmp_path, tight).lesson(1)


@pytest.mark.parametrize("damage", [b"", b"\0wrong", b"\2", None], ids=["empty", "changed", "kind", "gone"])
def test_a_damaged_course_says_so_and_installing_again_repairs_it(
    tmp_path: Path, damage: bytes | None
) -> None:
    pack = installed(tmp_path, PackStore(tmp_path / "packs"))
    file = pack.manifest.file("buku-kas.cbor")
    assert file
    name = file.pieces[0].hex()
    piece = tmp_path / "packs" / "pieces" / name[:2] / name
    if damage is None:
        piece.unlink()
    else:
        piece.write_bytes(damage)
    store = PackStore(tmp_path / "packs")
    found = store.get(pack.manifest_hash)
    assert found
    with pytest.raises(PackError):
        found.lesson(1)
    assert found.lesson(2)
    installed(tmp_path, store)
    assert found.lesson(1) == PackStore(tmp_path / "packs").packs()[0].lesson(1)


def test_a_damaged_manifest_hides_the_course_until_it_is_installed_again(tmp_path: Path) -> None:
    pack = installed(tmp_path, PackStore(tmp_path / "packs"))
    path = tmp_path / "packs" / f"{pack.manifest_hash.hex()}.cose"
    path.write_bytes(path.read_bytes()[:-1])
    store = PackStore(tmp_path / "packs")
    assert store.packs() == []
    installed(tmp_path, store)
    assert [found.manifest_hash for found in store.packs()] == [pack.manifest_hash]


def signed_lesson(content: object) -> bytes:
    """A pack whose only lesson file is `content`, as other software of a trusted publisher might make it."""
    return zip_of(members_of((cbor.encode(content),)))


def test_texts_of_other_software_are_cleaned_before_they_are_shown(tmp_path: Path) -> None:
    evil = "a<script>x()</script><img src=x onerror=x()>"
    data = signed_lesson([1, evil, [["q", evil, [evil, "b"], 1, evil]]])
    lesson = installed(tmp_path, PackStore(tmp_path / "packs"), data).lesson(1)
    (asked,) = lesson.questions
    assert {lesson.html, asked.text, asked.choices[0], asked.explanation} == {"a<img>"}


GOOD = ["q", "t", ["a", "b"], 0, ""]


@pytest.mark.parametrize(
    "content",
    [
        5,
        [2, "html", []],
        [1, "html"],
        [1, b"html", []],
        [1, "html", [[]]],
        [1, "html", [GOOD[:4]]],
        [1, "html", [[*GOOD[:3], 2, ""]]],
        [1, "html", [[*GOOD[:3], -1, ""]]],
        [1, "html", [["q", "t", [1, 2], 0, ""]]],
        [1, "html", [["q", "t", [], 0, ""]]],
    ],
    ids=repr,
)
def test_a_lesson_file_that_is_none_is_refused_in_plain_words(tmp_path: Path, content: object) -> None:
    pack = installed(tmp_path, PackStore(tmp_path / "packs"), signed_lesson(content))
    with pytest.raises(LontarError, match="Pasang lagi paketnya"):
        pack.lesson(1)


def test_only_pictures_are_given_out_as_media(tmp_path: Path) -> None:
    pack = installed(tmp_path, PackStore(tmp_path / "packs"), signed_lesson([1, "", []]))
    assert pack.media("a.cbor") is None


def test_a_large_course_is_installed_piece_by_piece(tmp_path: Path) -> None:
    """A village laptop has little memory, and a course may have 4 GiB."""
    pieces = tuple(bytes([at]) * limits.PIECE for at in range(6))
    film = File("film.png", "image/png", 6 * limits.PIECE, tuple(map(sha256, pieces)))
    data = zip_of(members_of(pieces, files=(film, EMPTY), lessons=(lesson_of("a", content="a.cbor"),)))
    with opened(tmp_path, data) as pack:
        store = PackStore(tmp_path / "packs", write=lambda path, data: None)
        tracemalloc.start()
        store.install(pack)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 * limits.PIECE


EMPTY = File("a.cbor", "application/cbor", 0, ())


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.cose"
    write_safely(path, b"one")
    write_safely(path, b"two")
    assert content(tmp_path) == {"deep/a.cose": b"two"}
