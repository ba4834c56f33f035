"""Which drives can be taken away, from what the kernel says is mounted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sync.drives import Drive, drives

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="reads /proc/mounts")


def mounted(tmp_path: Path, *lines: bytes) -> list[Drive]:
    table = tmp_path / "mounts"
    table.write_bytes(b"\n".join(lines) + b"\n")
    return drives(table)


def test_sticks_are_found_and_named(tmp_path: Path) -> None:
    found = mounted(
        tmp_path,
        b"/dev/sda2 / ext4 rw,relatime 0 0",
        b"proc /proc proc rw 0 0",
        b"/dev/sdb1 /media/desa/LONTAR vfat rw,nosuid 0 0",
        b"/dev/sdc1 /run/media/desa/4A-21 exfat rw 0 0",
        b"/dev/sdd1 /mnt/usb fuseblk rw 0 0",
        b"/dev/sda3 /home ext4 rw 0 0",
    )
    assert found == [
        Drive(Path("/media/desa/LONTAR"), "LONTAR"),
        Drive(Path("/mnt/usb"), "usb"),
        Drive(Path("/run/media/desa/4A-21"), "4A-21"),
    ]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (rb"KANTOR\040DESA", "KANTOR DESA"),
        (rb"A\011B\012C\134D", "A\tB\nC\\D"),
        ("data é".replace(" ", r"\040").encode(), "data é"),
        ("データ".encode(), "データ"),
        (rb"\303\251", "é"),
        (rb"x41\x41", r"x41\x41"),
        (rb"A\#B", r"A\#B"),
    ],
)
def test_names_come_as_people_gave_them(tmp_path: Path, written: bytes, name: str) -> None:
    found = mounted(tmp_path, b"/dev/sdb1 /media/desa/" + written + b" vfat rw 0 0")
    assert found == [Drive(Path("/media/desa") / name, name)]


def test_a_name_in_no_encoding_at_all_is_found_too(tmp_path: Path) -> None:
    (found,) = mounted(tmp_path, b"/dev/sdb1 /media/desa/\xff\xfe vfat rw 0 0")
    assert bytes(found.path) == b"/media/desa/\xff\xfe"


@pytest.mark.parametrize("kind", [b"tmpfs", b"proc", b"iso9660", b"squashfs", b"overlay", b"nfs", b"cifs"])
def test_other_file_systems_are_no_sticks(tmp_path: Path, kind: bytes) -> None:
    assert mounted(tmp_path, b"x /media/desa/x " + kind + b" rw 0 0") == []


def test_a_place_mounted_twice_is_one_drive(tmp_path: Path) -> None:
    line = b"/dev/sdb1 /media/desa/X vfat rw 0 0"
    assert len(mounted(tmp_path, line, line)) == 1


@pytest.mark.parametrize("line", [b"", b" ", b"vfat", b"/dev/sdb1 /media/x", b"\xff\xff"])
def test_a_strange_line_costs_nothing(tmp_path: Path, line: bytes) -> None:
    found = mounted(tmp_path, line, b"/dev/sdb1 /media/desa/X vfat rw 0 0")
    assert [drive.label for drive in found] == ["X"]


def test_without_a_table_there_are_no_drives(tmp_path: Path) -> None:
    assert drives(tmp_path / "nothing") == []


def test_this_machine_answers() -> None:
    assert all(drive.path.is_absolute() for drive in drives())
