"""Foreign archives, opened without trusting them: zip, and tar with gzip.

Nothing is ever unpacked to a path that the archive names: members are read one by one, into memory or into a file of our
choice. Names that climb out, links, encrypted members, bombs and archives of absurd size are refused with the reason.
"""

from __future__ import annotations

import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Final

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from content_packs.errors import PackError
from sync.errors import N_

MEMBERS_MOST: Final = 20_000
MEMBER_MOST: Final = 1024**3
TOTAL_MOST: Final = 4 * 1024**3
XML_MOST: Final = 32 * 1024 * 1024
_RATIO_MOST: Final = 200
_RATIO_FREE: Final = 1024 * 1024
_UNREADABLE: Final = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RuntimeError),
    *(KeyError, NotImplementedError),
)


class Archive:
    """The files of an archive by their path, with `/` and without a leading one."""

    def __init__(self, name: str, members: dict[str, tuple[int, Callable[[], bytes]]]) -> None:
        self.name = name
        self._members = members

    def names(self) -> list[str]:
        return sorted(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        return self._members[name][0]

    def read(self, name: str) -> bytes:
        """
        Raises:
            PackError: there is no such file, or it is damaged.
        """
        if name not in self._members:
            raise PackError(
                N_("%(file)s: berkas %(name)s tidak ada di dalamnya."), file=self.name, name=name
            )
        size, read = self._members[name]
        try:
            content = read()
        except _UNREADABLE as problem:
            raise _damaged(self.name) from problem
        if len(content) != size:
            raise _damaged(self.name)
        return content

    def reader(self, name: str) -> Callable[[], bytes]:
        """Something that gives the file's bytes when they are needed."""
        return lambda: self.read(name)

    def xml(self, name: str) -> Any:
        """The root element of an XML file, without entities, DTDs or anything from outside.

        Raises:
            PackError: it isn't XML, or uses what is refused here.
        """
        return read_xml(self.read(name), f"{self.name}/{name}")


def read_xml(data: bytes, name: str) -> Any:
    """As `Archive.xml`, of bytes; `name` is what people are told."""
    if len(data) > XML_MOST:
        raise PackError(N_("%(file)s terlalu besar."), file=name)
    try:
        return defusedxml.ElementTree.fromstring(data, forbid_dtd=False, forbid_entities=True)
    except DefusedXmlException as problem:
        raise PackError(
            N_("%(file)s memakai entitas XML yang berbahaya dan tidak dibaca."), file=name
        ) from problem
    except (defusedxml.ElementTree.ParseError, ValueError, LookupError) as problem:
        raise PackError(N_("%(file)s bukan XML yang utuh."), file=name) from problem


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """
    Raises:
        PackError: not a zip or tar.gz, or one that is refused; the sentence says why.
    """
    try:
        is_zip = zipfile.is_zipfile(path)
    except OSError as problem:
        raise PackError(N_("%(file)s tidak dapat dibaca."), file=path.name) from problem
    try:
        if is_zip:
            with zipfile.ZipFile(path) as opened:
                yield Archive(path.name, _of_zip(path.name, opened))
        else:
            with tarfile.open(path, "r:*") as tar:
                yield Archive(path.name, _of_tar(path.name, tar, path.stat().st_size))
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as problem:
        raise PackError(
            N_("%(file)s bukan arsip zip atau tar.gz, atau terpotong."), file=path.name
        ) from problem


def safe_path(name: str) -> str | None:
    """A member's path, or None for one that climbs out, is absolute, or that no system could hold."""
    plain = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = PurePosixPath(plain).parts
    if (
        not parts
        or plain.startswith("/")
        or ".." in parts
        or ":" in parts[0]
        or len(plain) > 240
        or any(ord(char) < 32 for char in plain)
    ):
        return None
    return "/".join(part for part in parts if part != ".") or None


def _of_zip(file: str, opened: zipfile.ZipFile) -> dict[str, tuple[int, Callable[[], bytes]]]:
    members: dict[str, tuple[int, Callable[[], bytes]]] = {}
    infos = [info for info in opened.infolist() if not info.is_dir()]
    _check_sizes(file, [(info.file_size, info.compress_size) for info in infos])
    for info in infos:
        is_link = info.external_attr >> 16 & 0o170000 == 0o120000
        if info.flag_bits & 1:
            raise PackError(N_("%(file)s dikunci dengan kata sandi. Buka dulu kuncinya."), file=file)
        members[_name(file, info.filename, is_link)] = (info.file_size, _zip_reader(opened, info))
    return members


def _of_tar(file: str, tar: tarfile.TarFile, packed: int) -> dict[str, tuple[int, Callable[[], bytes]]]:
    members: dict[str, tuple[int, Callable[[], bytes]]] = {}
    total = 0
    for count, info in enumerate(tar, start=1):
        total += max(0, info.size)
        if count > MEMBERS_MOST or total > _RATIO_FREE + _RATIO_MOST * packed:
            raise _bomb(file)
        if info.isdir():
            continue
        _check_sizes(file, [(info.size, info.size)])
        members[_name(file, info.name, not info.isreg())] = (info.size, _tar_reader(tar, info))
    return members


def _name(file: str, name: str, is_link: bool) -> str:
    safe = safe_path(name)
    if safe is None or is_link:
        raise PackError(
            N_("%(file)s berisi nama atau tautan yang berbahaya (%(name)s) dan tidak dibaca."),
            file=file,
            name=name[:80],
        )
    return safe


def _check_sizes(file: str, sizes: list[tuple[int, int]]) -> None:
    """Declared sizes, before a byte is inflated; `zipfile` and `tarfile` never give more than was declared."""
    if len(sizes) > MEMBERS_MOST or sum(size for size, _ in sizes) > TOTAL_MOST:
        raise _bomb(file)
    for size, packed in sizes:
        if size > MEMBER_MOST or size > _RATIO_FREE + _RATIO_MOST * packed:
            raise _bomb(file)


def _zip_reader(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    return lambda: opened.read(info)


def _tar_reader(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        found = tar.extractfile(info)
        return b"" if found is None else found.read(info.size)

    return read


def _bomb(file: str) -> PackError:
    return PackError(N_("%(file)s membesar berlebihan bila dibuka, dan tidak dibaca."), file=file)


def _damaged(file: str) -> PackError:
    return PackError(N_("%(file)s rusak atau terpotong. Ambil lagi dari sumbernya."), file=file)
