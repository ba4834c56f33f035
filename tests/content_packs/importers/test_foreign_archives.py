"""Foreign archives are read without trusting them; what is refused is refused with the reason."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from content_packs.errors import PackError
from content_packs.importers.archive import open_archive, read_xml, safe_path


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, info: tarfile.TarInfo, data: bytes = b"") -> Path:
    info.size = len(data)
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(info, io.BytesIO(data))
    return path


def test_files_of_a_zip_and_of_a_tar_are_read_by_their_path(tmp_path: Path) -> None:
    with open_archive(zipped(tmp_path / "a.zip", **{"sub/a.txt": b"isi"})) as archive:
        assert (archive.names(), archive.read("sub/a.txt")) == (["sub/a.txt"], b"isi")
    with open_archive(tarred(tmp_path / "a.mbz", tarfile.TarInfo("./sub/b.txt"), b"isi")) as archive:
        assert (archive.names(), archive.read("sub/b.txt")) == (["sub/b.txt"], b"isi")


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "C:/x", "..\\x", "a\nb", "", "x" * 241])
def test_a_name_that_climbs_out_is_no_path(name: str) -> None:
    assert safe_path(name) is None


def test_an_archive_with_a_name_that_climbs_out_is_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(PackError), open_archive(zipped(tmp_path / "a.zip", **{"../x": b"", "y": b""})):
        pass


def test_links_are_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("x")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(PackError), open_archive(tarred(tmp_path / "a.tgz", link)):
        pass
    info = zipfile.ZipInfo("x")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, b"/etc/passwd")
    with pytest.raises(PackError), open_archive(tmp_path / "a.zip"):
        pass


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    with pytest.raises(PackError), open_archive(zipped(tmp_path / "a.zip", x=bytes(4_000_000))):
        pass
    with (
        pytest.raises(PackError),
        open_archive(tarred(tmp_path / "a.tgz", tarfile.TarInfo("x"), bytes(4_000_000))),
    ):
        pass


def test_what_is_no_archive_or_only_a_piece_of_one_is_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "a.zip", x=b"isi" * 100).read_bytes()
    for data in (b"", b"PK", b"bukan arsip", whole[:-30]):
        (tmp_path / "b.zip").write_bytes(data)
        with pytest.raises(PackError), open_archive(tmp_path / "b.zip"):
            pass


def test_a_damaged_file_is_refused_when_it_is_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", x=bytes(range(256)) * 4)
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(bytes(data))
    with open_archive(path) as archive, pytest.raises(PackError):
        archive.read("x")


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b"<a>",
        b"",
        b"\xff\xfe<a/>",
    ],
)
def test_entities_and_broken_xml_are_refused(data: bytes) -> None:
    with pytest.raises(PackError):
        read_xml(data, "x.xml")
