"""Files on sticks: whatever fails and whenever, what was there stays whole and no half part is taken for a whole one."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from parcels import Drive, to_centre, with_head

from sync import stick
from sync.bundle import check_part
from sync.errors import StickError, TornError
from sync.items import ItemKind, wrap
from sync.stick import IN, OUT, PUB, README, Files, Found, Stick, whole_parts

PARTS = to_centre([wrap(ItemKind.HUB_SEGMENT, bytes([at]) * 700) for at in range(4)], most=1200)
MORE = to_centre([wrap(ItemKind.HUB_SEGMENT, bytes([at]) * 800) for at in range(9, 12)], most=1200)


def on(place: Path, folder: str = OUT) -> list[bytes]:
    """The whole parts on a drive, as anybody reads them."""
    return [data for _, data in whole_parts(Stick(place), folder) if data is not None]


def everything(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_what_is_written_is_read_by_anybody(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    paths = Stick(tmp_path).write_parts(OUT, PARTS, lambda done, total: told.append((done, total)))
    assert sorted(on(tmp_path)) == sorted(PARTS)
    assert [path.read_bytes() for path in paths] == PARTS
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (sum(map(len, PARTS)),) * 2
    assert Stick(tmp_path).has_lontar()
    assert Stick(tmp_path / "LONTAR").drive.name == stick.ROOT
    assert sorted(on(tmp_path / "LONTAR")) == sorted(PARTS), "the folder itself may be chosen by hand"


def test_an_empty_drive_is_no_problem(tmp_path: Path) -> None:
    empty = Stick(tmp_path)
    assert not empty.has_lontar()
    assert empty.parts(IN) == []
    assert empty.read_file(PUB, stick.KEYSET, 100) is None
    assert empty.file_paths(PUB, ".LNS") == []


def test_names_are_short_and_tell_nothing_and_dates_are_all_the_same(tmp_path: Path) -> None:
    drive = Stick(tmp_path)
    drive.write_parts(OUT, PARTS)
    drive.write_parts(IN, MORE)
    drive.write_file(PUB, stick.KEYSET, b"keys")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for path in files:
        if path.name != README:
            assert re.fullmatch(r"[A-Z0-9]{1,8}\.[A-Z]{3}", path.name), path.name
        assert path.stat().st_mtime == 315_619_200
    assert {path.parent.name for path in files} == {"LONTAR", OUT, IN, PUB}
    assert not stick.KEYSET.endswith(".LNK"), "Windows takes that for a shortcut, scanners for a virus"


def test_a_finder_of_the_stick_reads_what_it_is(tmp_path: Path) -> None:
    Stick(tmp_path).write_parts(OUT, PARTS)
    text = (tmp_path / "LONTAR" / README).read_bytes().decode("ascii")
    assert text.count("\r\n") == text.count("\n") == 3
    for words in ("Lontar", "terkunci", "Jangan hapus", "kantor kecamatan"):
        assert words in text


def test_nothing_is_rewritten_in_place(tmp_path: Path) -> None:
    Stick(tmp_path).write_parts(OUT, PARTS)
    files = Drive()
    Stick(tmp_path, files).write_parts(OUT, [*PARTS, *MORE])
    Stick(tmp_path, files).write_file(PUB, stick.KEYSET, b"keys")
    Stick(tmp_path, files).write_file(PUB, stick.KEYSET, b"newer keys")
    written = [name for what, name in files.log if what == "write"]
    assert all(name.endswith(".TMP") for name in written)
    assert len(written) == len(MORE) + 2, "what is there already is left alone"
    assert not list(tmp_path.rglob("*.TMP"))
    assert (tmp_path / "LONTAR" / PUB / stick.KEYSET).read_bytes() == b"newer keys"


def operations_of_a_visit(place: Path) -> int:
    files = Drive()
    visit(Stick(place, files))
    return files.count


def visit(drive: Stick) -> None:
    drive.write_parts(OUT, [*MORE, PARTS[0]])
    drive.write_file(PUB, stick.KEYSET, b"newer keys")
    drive.remove([found.path for found in drive.parts(OUT) if drive.read_part(found) in PARTS[1:]])


@pytest.mark.parametrize("half", [True, False], ids=["half written", "not begun"])
@pytest.mark.parametrize("pulled", [True, False], ids=["pulled", "one failure"])
def test_a_failure_between_any_two_operations_costs_at_most_the_part_being_written(
    tmp_path: Path, pulled: bool, half: bool
) -> None:
    count = operations_of_a_visit(prepared(tmp_path / "count"))
    assert count > 20
    for fails_at in range(count):
        place = prepared(tmp_path / str(fails_at))
        before = everything(place)
        with contextlib.suppress(StickError):
            visit(Stick(place, Drive(fails_at, pulled=pulled, half=half)))
        left = everything(place)
        for name, data in before.items():
            removed_by_visit = name.endswith(".LNB") and data in PARTS[1:]
            if name.endswith(stick.KEYSET):
                assert left[name] in (b"keys", b"newer keys")
            elif name in left or not removed_by_visit:
                assert left[name] == data, f"{name} after a failure at {fails_at}"
        for data in on(place):
            assert data in [*PARTS, *MORE]
        assert all(check_part(data) for name, data in left.items() if name.endswith(".LNB"))
        visit(Stick(place))
        assert sorted(on(place)) == sorted([PARTS[0], *MORE]), "the next visit finds its way"
        assert not list(place.rglob("*.TMP"))
        shutil.rmtree(place)


def prepared(place: Path) -> Path:
    place.mkdir()
    drive = Stick(place)
    drive.write_parts(OUT, PARTS)
    drive.write_file(PUB, stick.KEYSET, b"keys")
    return place


def test_a_torn_part_under_its_real_name_is_never_taken_for_whole(tmp_path: Path) -> None:
    """FAT may lose what was written last, whatever it promised."""
    drive = Stick(tmp_path)
    first, *_ = drive.write_parts(OUT, PARTS)
    for size in (len(PARTS[0]) - 1, len(PARTS[0]) // 2, 48, 47, 5, 0):
        first.write_bytes(PARTS[0][:size])
        assert sorted(on(tmp_path)) == sorted(PARTS[1:])
    first.write_bytes(bytes(len(PARTS[0])))
    assert sorted(on(tmp_path)) == sorted(PARTS[1:])
    first.write_bytes(PARTS[0][:100])
    assert [data for found, data in whole_parts(drive, OUT) if found.path == first] == [None]
    with pytest.raises(TornError):
        drive.read_part(next(found for found in drive.parts(OUT) if found.path == first))
    drive.write_parts(OUT, PARTS)
    assert sorted(on(tmp_path)) == sorted(PARTS), "writing it again mends it"


def test_other_people_s_files_are_left_alone_and_in_nobody_s_way(tmp_path: Path) -> None:
    drive = Stick(tmp_path)
    drive.write_parts(OUT, PARTS)
    folder = tmp_path / "LONTAR" / OUT
    (tmp_path / "Foto desa.jpg").write_bytes(b"foto")
    (folder / "._ABCDEFGH.LNB").write_bytes(b"Mac OS X")
    (folder / "catatan.LNB").write_bytes(b"bukan paket")
    (folder / "LATER.LNB").write_bytes(with_head(PARTS[0], 4, 9, ">B"))
    (folder / "FOLDER.LNB").mkdir()
    (folder / "LINK.LNB").symlink_to("nowhere")
    assert sorted(on(tmp_path)) == sorted(PARTS)
    drive.write_parts(OUT, MORE)
    assert sorted(on(tmp_path)) == sorted([*PARTS, *MORE])
    assert (tmp_path / "Foto desa.jpg").read_bytes() == b"foto"
    assert (folder / "catatan.LNB").exists()


class Spoilt(Files):
    """A drive with a bad spot: one file can't be read."""

    def __init__(self, *names: str) -> None:
        self.spoilt = names

    def read(self, path: Path, most: int) -> bytes:
        if path.name in self.spoilt:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(path, most)


def test_one_bad_spot_keeps_no_other_part_from_being_read(tmp_path: Path) -> None:
    paths = Stick(tmp_path).write_parts(OUT, PARTS)
    drive = Stick(tmp_path, Spoilt(paths[0].name))
    assert sorted(data for _, data in whole_parts(drive, OUT) if data) == sorted(PARTS[1:])
    with pytest.raises(StickError):
        Stick(tmp_path, Spoilt(*(path.name for path in paths))).parts(OUT)


def test_a_part_that_stops_being_readable_is_told_apart_and_the_rest_comes(tmp_path: Path) -> None:
    paths = Stick(tmp_path).write_parts(OUT, PARTS)
    files = Spoilt()
    drive = Stick(tmp_path, files)
    found = drive.parts(OUT)
    files.spoilt = (paths[1].name,)
    with pytest.raises(StickError):
        drive.read_part(next(one for one in found if one.path == paths[1]))
    taken: list[tuple[Found, bytes | None]] = []
    files.spoilt = ()
    for at, pair in enumerate(whole_parts(drive, OUT)):
        taken.append(pair)
        files.spoilt = tuple(path.name for path in paths) if at == 0 else ()
    assert sum(data is None for _, data in taken) <= 1
    assert len(taken) == len(PARTS)


def test_a_full_stick_says_how_much_is_lacking_and_keeps_what_it_has(tmp_path: Path) -> None:
    prepared(tmp_path / "x")
    before = everything(tmp_path / "x")
    files = Drive()
    files.room = 10_000
    with pytest.raises(StickError) as refused:
        Stick(tmp_path / "x", files).write_parts(OUT, MORE)
    needed = sum(map(len, MORE)) + 64 * 1024 - 10_000
    assert refused.value.details["size"] == -(-needed // 1024)
    assert everything(tmp_path / "x") == before
    assert ("write", "BACA-SAYA.TMP") not in files.log, "nothing is begun on a stick that is too small"
    with pytest.raises(StickError):
        Stick(tmp_path / "x", files).write_file(PUB, stick.KEYSET, b"newer")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.ENOSPC, "penuh"),
        (errno.EROFS, "terkunci"),
        (errno.EACCES, "terkunci"),
        (errno.EPERM, "terkunci"),
        (errno.EIO, "dicabut atau rusak"),
        (errno.ENODEV, "dicabut atau rusak"),
        (errno.ENOENT, "dicabut atau rusak"),
    ],
)
def test_what_the_system_says_becomes_what_a_person_can_do(tmp_path: Path, error: int, words: str) -> None:
    prepared(tmp_path / "x")
    with pytest.raises(StickError, match=words) as refused:
        Stick(tmp_path / "x", Refusing(error)).write_parts(OUT, MORE)
    assert refused.value.exit_code == 9
    assert refused.value.details.get("size", 1) != 0
    assert sorted(on(tmp_path / "x")) == sorted(PARTS)


class Refusing(Files):
    """A drive on which nothing can be written, for one reason."""

    def __init__(self, error: int) -> None:
        self.error = error

    def write(self, path: Path, data: bytes) -> None:
        raise OSError(self.error, "write")


class Fake(Files):
    """A stick that says it is larger than it is: what is written beyond is lost."""

    def read(self, path: Path, most: int) -> bytes:
        data = super().read(path, most)
        return bytes(len(data)) if path.suffix == ".TMP" else data


def test_a_fake_stick_is_found_out_before_anybody_relies_on_it(tmp_path: Path) -> None:
    prepared(tmp_path / "x")
    before = everything(tmp_path / "x")
    with pytest.raises(StickError, match="rusak atau palsu"):
        Stick(tmp_path / "x", Fake()).write_parts(OUT, MORE)
    assert everything(tmp_path / "x") == before


def test_a_drive_that_is_gone_is_not_made_again_on_this_machine_s_disk(tmp_path: Path) -> None:
    """Where a stick was mounted there may be an empty place now; what is written there goes nowhere."""
    with pytest.raises(StickError):
        Stick(tmp_path / "gone").write_parts(OUT, PARTS)
    with pytest.raises(StickError):
        Stick(tmp_path / "gone").write_file(PUB, stick.KEYSET, b"keys")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StickError):
        Stick(tmp_path / "gone").free()


def test_a_file_larger_than_it_may_be_is_not_read(tmp_path: Path) -> None:
    drive = Stick(tmp_path)
    drive.write_file(PUB, stick.KEYSET, bytes(101))
    assert drive.read_file(PUB, stick.KEYSET, 100) is None
    assert drive.read_file(PUB, stick.KEYSET, 101) == bytes(101)


def test_names_in_small_letters_are_found_too(tmp_path: Path) -> None:
    """Some systems show the names of FAT in small letters."""
    (path,) = Stick(tmp_path).write_parts(OUT, PARTS[:1])
    path.rename(path.with_name(path.name.lower()))
    assert on(tmp_path) == PARTS[:1]


@contextlib.contextmanager
def fat_image(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A mounted FAT file system in a file, where this machine can."""
    if shutil.which("mkfs.vfat", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mkfs.vfat is missing: install dosfstools")
        pytest.skip("mkfs.vfat is not installed")
    image, place = folder / "image", folder / "mounted"
    image.write_bytes(bytes(kilobytes * 1024))
    place.mkdir()
    tools = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    subprocess.run(["mkfs.vfat", str(image)], check=True, capture_output=True, env=tools)
    command = ["mount", "-o", "loop,umask=000", str(image), str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=tools)
    if done.returncode != 0:
        pytest.skip(f"no FAT image can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, env=tools)


def test_on_a_real_fat_file_system(tmp_path: Path) -> None:
    with fat_image(tmp_path, 2048) as place:
        drive = Stick(place)
        drive.write_parts(OUT, PARTS)
        drive.write_file(PUB, stick.KEYSET, b"keys")
        assert sorted(on(place)) == sorted(PARTS)
        assert drive.read_file(PUB, stick.KEYSET, 10) == b"keys"
        assert all(path.stat().st_mtime == 315_619_200 for path in place.rglob("*.LNB"))
        (place / "foto.jpg").write_bytes(bytes(drive.free() - 70_000))
        with pytest.raises(StickError, match="penuh"):
            drive.write_parts(OUT, [*MORE, *to_centre([wrap(ItemKind.HUB_SEGMENT, bytes(60_000))])])
        assert sorted(on(place)) == sorted(PARTS)


def test_a_read_only_fat_file_system_is_said_to_be_locked(tmp_path: Path) -> None:
    with fat_image(tmp_path, 512) as place:
        Stick(place).write_parts(OUT, PARTS)
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        with pytest.raises(StickError, match="terkunci"):
            Stick(place).write_parts(OUT, MORE)
        assert sorted(on(place)) == sorted(PARTS)
