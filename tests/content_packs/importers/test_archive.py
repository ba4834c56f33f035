"""Archives from strangers: whatever somebody made of one, it is refused with a sentence, or gives exactly what was put in."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_packs.errors import PackError
from content_packs.importers import archive
from content_packs.importers.archive import open_archive, read_xml, safe_path

FILES: Final = {"a.txt": b"isi " * 40, "sub/b.bin": bytes(range(256)), "sub/kosong": b"", "z.xml": b"<a/>"}
MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def zip_of(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as opened:
        for name, content in files.items():
            opened.writestr(zipfile.ZipInfo(name), content, method)
    return made.getvalue()


def tar_of(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as opened:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            opened.addfile(info, io.BytesIO(content))
    return made.getvalue()


def tgz_of(files: Mapping[str, bytes]) -> bytes:
    return gzip.compress(tar_of(files))


ALL: Final = {"zip": zip_of, "stored": lambda files: zip_of(files, zipfile.ZIP_STORED), "tgz": tgz_of}
KINDS: Final = pytest.mark.parametrize("made", ALL.values(), ids=ALL)


def held(folder: Path, data: bytes) -> dict[str, bytes]:
    """Every file of the archive."""
    path = folder / "arsip"
    path.write_bytes(data)
    with open_archive(path) as opened:
        return {name: opened.read(name) for name in opened.names()}


def is_refused(folder: Path, data: bytes) -> bool:
    """Whether it is refused, and the only other way is to give what was put in."""
    try:
        found = held(folder, data)
    except PackError:
        return True
    assert found == FILES
    return False


@KINDS
def test_what_was_put_in_comes_out(made: Callable[[Mapping[str, bytes]], bytes], tmp_path: Path) -> None:
    assert held(tmp_path, made(FILES)) == FILES


@KINDS
def test_a_cut_archive_is_refused_wherever_it_was_cut(
    made: Callable[[Mapping[str, bytes]], bytes], tmp_path: Path
) -> None:
    whole = made(FILES)
    for length in range(0, len(whole), 50):
        assert is_refused(tmp_path, whole[:length]), length


def test_a_tar_without_gzip_that_is_cut_gives_no_damaged_file(tmp_path: Path) -> None:
    # Nothing in a tar says how many files follow: cut between two of them, it is a smaller tar.
    whole = tar_of(FILES)
    for length in range(0, len(whole), 50):
        try:
            found = held(tmp_path, whole[:length])
        except PackError:
            continue
        assert found.items() <= FILES.items()


@MANY
@given(st.data())
def test_a_flipped_byte_is_refused_or_does_no_harm(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([made(FILES) for made in ALL.values()])))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = held(tmp_path, bytes(whole))
    except PackError:
        return
    # A name can be damaged without anybody noticing, and an attribute; no content can.
    assert set(found.values()) <= set(FILES.values())


@MANY
@given(
    st.lists(st.binary(max_size=600), max_size=4), st.sampled_from(["", "zip", "stored", "tgz"]), st.data()
)
def test_no_bytes_bring_anything_but_a_refusal_or_files(
    tmp_path: Path, junk: list[bytes], kind: str, data: st.DataObject
) -> None:
    whole = ALL[kind](FILES) if kind else b""
    for piece in junk:
        at = data.draw(st.integers(0, len(whole)))
        whole = whole[:at] + piece + whole[at + data.draw(st.integers(0, 40)) :]
    try:
        held(tmp_path, whole)
    except PackError as problem:
        assert problem.sentence()


@MANY
@given(st.binary(max_size=512), st.integers(0, 511), st.booleans())
def test_no_tar_header_brings_anything_but_a_refusal_or_files(
    tmp_path: Path, junk: bytes, at: int, is_summed: bool
) -> None:
    header = bytearray(tar_of({"a": b"x"})[:512])
    header[at : at + len(junk)] = junk[: 512 - at]
    if is_summed:
        header[148:156] = b" " * 8
        header[148:156] = f"{sum(header):06o}\0 ".encode()
    try:
        held(tmp_path, bytes(header) + b"x" * 512 + bytes(1024))
    except PackError as problem:
        assert problem.sentence()


# Names


@given(st.text() | st.lists(st.sampled_from(["..", ".", "a", "C:", "", "\\", "\0", "b c"])).map("/".join))
def test_a_safe_path_stays_where_it_is_put(name: str) -> None:
    path = safe_path(name)
    if path is not None:
        parts = path.split("/")
        assert not PurePosixPath(path).is_absolute()
        assert ".." not in parts and "." not in parts and "" not in parts
        assert "\\" not in path
        assert ":" not in parts[0]
        assert path.encode()
        assert safe_path(path) == path


BAD_NAMES: Final = [
    "../x",
    "a/../../x",
    "/etc/x",
    "C:/x",
    "C:x",
    "..\\x",
    "a\\..\\..\\x",
    "\\\\host\\x",
    "a\nb",
]


@pytest.mark.parametrize("name", BAD_NAMES)
@KINDS
def test_one_bad_name_and_the_whole_archive_is_refused(
    made: Callable[[Mapping[str, bytes]], bytes], name: str, tmp_path: Path
) -> None:
    with pytest.raises(PackError, match="berbahaya"):
        held(tmp_path, made({"a.txt": b"baik", name: b"jahat"}))


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    whole = tar_of({"aXb.txt": b""})
    header = bytearray(whole[:512].replace(b"aXb", b"a\xffb"))
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    with pytest.raises(PackError, match="udcff") as refused:
        held(tmp_path, bytes(header) + whole[512:])
    assert refused.value.sentence().encode()


@pytest.mark.parametrize(
    "twice", [("a.txt", "a.txt"), ("a.txt", "./a.txt"), ("s/a", "s//a"), ("s/a", "s\\a")]
)
@KINDS
def test_a_name_that_comes_twice_is_refused(
    made: Callable[[Mapping[str, bytes]], bytes], twice: tuple[str, str], tmp_path: Path
) -> None:
    # Made with names of one length, so that zipfile doesn't warn; then both are called the same.
    whole = made({twice[0]: b"1", "q" * len(twice[1]): b"2"})
    if made is tgz_of:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w:gz") as opened:
            for name in twice:
                opened.addfile(tarfile.TarInfo(name))
        whole = raw.getvalue()
    else:
        whole = whole.replace(b"q" * len(twice[1]), twice[1].encode())
    with pytest.raises(PackError, match="dua berkas"):
        held(tmp_path, whole)


# Links


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
@pytest.mark.parametrize("goal", ["/etc/passwd", "../../x", "a.txt"])
def test_what_isn_t_a_file_in_a_tar_is_refused(kind: bytes, goal: str, tmp_path: Path) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as opened:
        opened.addfile(tarfile.TarInfo("a.txt"))
        link = tarfile.TarInfo("tautan")
        link.type, link.linkname = kind, goal
        opened.addfile(link)
    with pytest.raises(PackError, match="tautan"):
        held(tmp_path, raw.getvalue())


def test_a_file_that_tar_was_given_twice_is_one_file(tmp_path: Path) -> None:
    # As in Moodle's backups: GNU tar writes the second one as a link to the first.
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as opened:
        info = tarfile.TarInfo("./a.txt")
        info.size = 3
        opened.addfile(info, io.BytesIO(b"isi"))
        again = tarfile.TarInfo("a.txt")
        again.type, again.linkname = tarfile.LNKTYPE, "./a.txt"
        opened.addfile(again)
    assert held(tmp_path, raw.getvalue()) == {"a.txt": b"isi"}


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as opened:
        link = zipfile.ZipInfo("tautan")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        opened.writestr(link, "../../etc/passwd")
    with pytest.raises(PackError, match="tautan"):
        held(tmp_path, raw.getvalue())


# Bombs


@pytest.mark.parametrize("made", [zip_of, tgz_of])
def test_a_bomb_that_says_how_large_it_is_is_refused(
    made: Callable[[Mapping[str, bytes]], bytes], tmp_path: Path
) -> None:
    with pytest.raises(PackError, match="berlebihan"):
        held(tmp_path, made({"x": bytes(8_000_000)}))


def test_a_bomb_that_lies_about_its_size_takes_no_memory(tmp_path: Path) -> None:
    whole = zip_of({"x": bytes(64_000_000)})
    lied = whole.replace(struct.pack("<L", 64_000_000), struct.pack("<L", 1000))
    assert lied != whole
    tracemalloc.start()
    with pytest.raises(PackError):
        held(tmp_path, lied)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8_000_000


def test_members_that_lie_over_one_another_are_refused(tmp_path: Path) -> None:
    # One compressed megabyte, named in the directory as if it were there a hundred times.
    content = b"".join(struct.pack("<L", number * 2654435761 % 2**32) for number in range(250_000))
    whole = zip_of({"x00": content})
    end = whole.rindex(b"PK\5\6")
    start = whole.rindex(b"PK\1\2", 0, end)
    entry = whole[start:end]
    entries = b"".join(entry for _ in range(100))
    tail = bytearray(whole[end:])
    struct.pack_into("<HHLL", tail, 8, 100, 100, len(entries), start)
    with pytest.raises(PackError, match="berlebihan"):
        held(tmp_path, whole[:start] + entries + bytes(tail))


def test_a_hundred_small_bombs_are_one_bomb(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="berlebihan"):
        held(tmp_path, zip_of({f"x{number}": bytes(1_000_000) for number in range(30)}))


def test_an_archive_in_an_archive_stays_closed(tmp_path: Path) -> None:
    inner = zip_of({"x": bytes(8_000_000)})
    assert held(tmp_path, zip_of({"dalam.zip": inner})) == {"dalam.zip": inner}
    assert held(tmp_path, tgz_of({"dalam.zip": inner})) == {"dalam.zip": inner}


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    many = dict.fromkeys((f"{number}" for number in range(archive.MEMBERS_MOST + 1)), b"")
    with pytest.raises(PackError, match="berlebihan"):
        held(tmp_path, zip_of(many))
    with pytest.raises(PackError, match="berlebihan"):
        # Each header of a tar is 512 bytes of mostly nothing: the archive itself is the bomb.
        held(tmp_path, tgz_of(many))


def test_a_directory_of_absurd_size_isn_t_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = zip_of(dict.fromkeys((f"{number}" for number in range(500)), b""))
    monkeypatch.setattr(archive, "INDEX_MOST", 10_000)
    with pytest.raises(PackError):
        held(tmp_path, whole)
    with pytest.raises(PackError):
        held(tmp_path, tgz_of({"x" * 20_000: b""}))


def test_only_the_usual_compression_is_read(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(PackError, match="dimampatkan"):
            held(tmp_path, zip_of(FILES, method))
    for squeeze in (bz2.compress, lzma.compress):
        with pytest.raises(PackError):
            held(tmp_path, squeeze(tar_of(FILES)))


# Damage


def test_a_locked_zip_says_that_it_is_locked(tmp_path: Path) -> None:
    whole = bytearray(zip_of({"a": b"rahasia"}))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        whole[whole.index(mark) + place] |= 1
    with pytest.raises(PackError, match="kata sandi"):
        held(tmp_path, bytes(whole))


def test_a_wrong_checksum_is_noticed(tmp_path: Path) -> None:
    whole = bytearray(zip_of({"a": b"isi" * 99}, zipfile.ZIP_STORED))
    whole[60] ^= 1
    with pytest.raises(PackError, match="rusak"):
        held(tmp_path, bytes(whole))
    packed = bytearray(tgz_of(FILES))
    packed[-6] ^= 1
    with pytest.raises(PackError):
        held(tmp_path, bytes(packed))


def test_files_behind_a_damaged_header_are_missed(tmp_path: Path) -> None:
    whole = bytearray(tar_of({"a": b"1", "b": b"2"}))
    whole[1024 + 148] ^= 1
    with pytest.raises(PackError, match="rusak"):
        held(tmp_path, gzip.compress(bytes(whole)))


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    for made in (tar_of, lambda files: gzip.compress(tar_of(files), 0)):
        files = {"a": b"1", "b.zip": zip_of({"c": b"2"})}
        assert held(tmp_path, made(files)) == files


def test_a_header_s_endless_number_is_refused(tmp_path: Path) -> None:
    # CVE-2024-6232 needs minutes for this in older Pythons.
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 200_000
    header = info.tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(PackError):
        held(tmp_path, gzip.compress(header + b"1" * 200_192 + tar_of({"a": b""})))


def test_headers_of_headers_without_end_are_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("L")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2
    with pytest.raises(PackError):
        held(tmp_path, (info.tobuf() + b"x".ljust(512, b"\0")) * 2000)


def test_what_isn_t_there_or_can_t_be_read_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "tidak-ada"):
        with pytest.raises(PackError), open_archive(path):
            pass
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of(FILES))
    with open_archive(path) as opened, pytest.raises(PackError):
        opened.read("tidak-ada")


def test_a_mistake_of_ours_isn_t_called_a_damaged_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of(FILES))
    with pytest.raises(KeyError), open_archive(path):
        raise KeyError("ours")


# XML


def laughs(depth: int) -> bytes:
    declared = ['<!ENTITY l0 "ha">']
    declared += [f'<!ENTITY l{one} "{f"&l{one - 1};" * 10}">' for one in range(1, depth)]
    return f"<!DOCTYPE a [{''.join(declared)}]><a>&l{depth - 1};</a>".encode()


@pytest.mark.parametrize(
    "data",
    [
        laughs(10),
        b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 50_000 + b'">]><a>' + b"&x;" * 50_000 + b"</a>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/x">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;]><a/>',
        b"<!DOCTYPE a [<!ENTITY % x \"<!ENTITY y 'z'>\"> %x;]><a>&y;</a>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&x;</a>',
    ],
    ids=["laughs", "square", "file", "address", "parameter", "nested", "elsewhere"],
)
def test_entities_are_refused(data: bytes) -> None:
    with pytest.raises(PackError):
        read_xml(data, "x.xml")


def test_a_doctype_that_only_names_its_language_is_read() -> None:
    doctype = (
        b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'
    )
    assert read_xml(doctype + b"<html><p/></html>", "x.xml")[0].tag == "p"


def test_xml_of_absurd_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PackError, match="terlalu besar"):
        read_xml(b"<a>" + b"<b/>" * archive.XML_TAGS_MOST + b"</a>", "x.xml")
    monkeypatch.setattr(archive, "XML_MOST", 100)
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of({"x.xml": b"<a>" + b"x" * 100 + b"</a>"}))
    with open_archive(path) as opened, pytest.raises(PackError, match=r"x\.xml terlalu besar"):
        opened.xml("x.xml")


def test_deep_xml_is_read_or_refused_but_never_a_crash() -> None:
    root = read_xml(b"<a>" * 50_000 + b"</a>" * 50_000, "x.xml")
    assert sum(1 for _ in root.iter()) == 50_000


@given(st.binary(max_size=300), st.integers(0, 200))
def test_no_bytes_bring_anything_but_a_refusal_or_a_root(junk: bytes, at: int) -> None:
    good = b'<?xml version="1.0" encoding="UTF-8"?><quiz><question type="x"><name/></question></quiz>'
    try:
        root = read_xml(good[:at] + junk + good[at + 5 :], "x.xml")
    except PackError:
        return
    assert list(itertools.islice(root.iter(), 1)) == [root]
