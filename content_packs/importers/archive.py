"""Foreign archives, opened without trusting them: zip, and tar with gzip.

Nothing is ever unpacked to a path that the archive names: members are read one by one, into memory or into a file of our
choice. Names that climb out, links, encrypted members, bombs and archives of absurd size are refused with the reason.
"""

from __future__ import annotations

import errno
import gzip
import re
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from content_packs.errors import PackError
from sync.errors import N_

MEMBERS_MOST: Final = 20_000
MEMBER_MOST: Final = 1024**3
TOTAL_MOST: Final = 4 * 1024**3
XML_MOST: Final = 32 * 1024 * 1024
XML_TAGS_MOST: Final = 3_000_000
INDEX_MOST: Final = 16 * 1024 * 1024
"""Bytes of a zip's directory, or of what a tar says of one member: zipfile and tarfile take them into memory whole."""
_RATIO_MOST: Final = 200
_RATIO_FREE: Final = 1024 * 1024
_IN_MEMORY: Final = 32 * 1024 * 1024
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DIGITS: Final = re.compile(rb"\d{100}")
_UNREADABLE: Final = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RuntimeError),
    *(LookupError, ArithmeticError, TypeError, AttributeError),
)
"""What zipfile and tarfile throw at damaged files, beside their own errors."""

_Members = dict[str, tuple[int, Callable[[], bytes]]]


class Archive:
    """The files of an archive by their path, with `/` and without a leading one."""

    def __init__(self, name: str, members: _Members) -> None:
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
        if name in self._members and self.size(name) > XML_MOST:
            raise _too_large(f"{self.name}/{name}")
        return read_xml(self.read(name), f"{self.name}/{name}")


def read_xml(data: bytes, name: str) -> Any:
    """As `Archive.xml`, of bytes; `name` is what people are told."""
    if len(data) > XML_MOST or data.count(b"<") > XML_TAGS_MOST:
        raise _too_large(name)
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
    with ExitStack() as closed_at_the_end:
        try:
            file = closed_at_the_end.enter_context(path.open("rb"))
            size = path.stat().st_size
        except OSError as problem:
            raise PackError(N_("%(file)s tidak dapat dibaca."), file=path.name) from problem
        try:
            members = _indexed(path.name, file, size, closed_at_the_end)
        except _UNREADABLE as problem:
            if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
                raise
            raise PackError(
                N_("%(file)s bukan arsip zip atau tar.gz, atau terpotong."), file=path.name
            ) from problem
        yield Archive(path.name, members)


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
        or any(ord(char) < 32 or "\ud800" <= char <= "\udfff" for char in plain)
    ):
        return None
    return "/".join(part for part in parts if part != ".") or None


class _Index:
    """A file of which no more than `INDEX_MOST` bytes are given at once while an archive's index is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.is_read = False
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        if self.is_read:
            return self.file.read(size)
        # Only zipfile asks for all that is left: where a zip ends, with a comment of at most 64 KiB.
        most = INDEX_MOST if size >= 0 else min(INDEX_MOST, 1 << 17)
        content = self.file.read(min(size, most + 1) if size >= 0 else most + 1)
        # Python before 3.11.10 needs the square of a number's digits in a header of a tar (CVE-2024-6232).
        if len(content) > most or (size > tarfile.BLOCKSIZE and _DIGITS.search(content)):
            raise ValueError("an index of absurd size")
        return content


def _indexed(name: str, file: IO[bytes], size: int, closed_at_the_end: ExitStack) -> _Members:
    start = file.read(tarfile.BLOCKSIZE)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        file = _unpacked(name, file, size, closed_at_the_end)
    # zipfile would take a tar for a zip whose last member is one.
    elif start[257:262] != b"ustar" and zipfile.is_zipfile(file):
        index: Any = _Index(file)
        opened = closed_at_the_end.enter_context(zipfile.ZipFile(index))
        members = _of_zip(name, opened, size)
        index.is_read = True
        return members
    index = _Index(file)
    index.seek(0)
    tar = closed_at_the_end.enter_context(tarfile.open(fileobj=index, mode="r:"))  # noqa: SIM115
    members = _of_tar(name, tar, size)
    # tarfile ends quietly at a damaged header.
    index.seek(tar.offset)
    if index.read(tarfile.BLOCKSIZE).strip(b"\0"):
        raise _damaged(name)
    index.is_read = True
    return members


def _unpacked(name: str, file: IO[bytes], size: int, closed_at_the_end: ExitStack) -> IO[bytes]:
    """A tar without its gzip, in a nameless file: of a gzip every step back would unpack all of it again."""
    spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    closed_at_the_end.enter_context(spool)
    with gzip.open(file) as packed:
        while chunk := packed.read(1024 * 1024):
            spool.write(chunk)
            if spool.tell() > _most(size):
                raise _bomb(name)
    return spool


def _of_zip(file: str, opened: zipfile.ZipFile, packed: int) -> _Members:
    members: _Members = {}
    infos = [info for info in opened.infolist() if not info.is_dir()]
    _check_sizes(file, [(info.file_size, info.compress_size) for info in infos], packed)
    for info in infos:
        is_link = info.external_attr >> 16 & 0o170000 == 0o120000
        if info.flag_bits & 1:
            raise PackError(N_("%(file)s dikunci dengan kata sandi. Buka dulu kuncinya."), file=file)
        if info.compress_type not in _METHODS:
            raise PackError(
                N_("%(file)s dimampatkan dengan cara yang tidak dikenal. Buat lagi sebagai zip biasa."),
                file=file,
            )
        name = _name(file, info.filename, is_link, members)
        members[name] = (info.file_size, _zip_reader(opened, info))
    return members


def _of_tar(file: str, tar: tarfile.TarFile, packed: int) -> _Members:
    members: _Members = {}
    total = 0
    for count, info in enumerate(tar, start=1):
        total += max(0, info.size)
        if count > MEMBERS_MOST or info.size > MEMBER_MOST or total > _most(packed):
            raise _bomb(file)
        if info.isdir():
            continue
        if info.size < 0:
            raise _damaged(file)
        if (
            info.islnk()
            and safe_path(info.name) == safe_path(info.linkname)
            and safe_path(info.name) in members
        ):
            continue  # tar was given this file twice; Moodle's own backups are made so
        name = _name(file, info.name, not info.isreg(), members)
        members[name] = (info.size, _tar_reader(tar, info))
    return members


def _name(file: str, name: str, is_link: bool, members: _Members) -> str:
    safe = safe_path(name)
    shown = name[:80].encode("utf-8", "backslashreplace").decode()
    if safe is None or is_link:
        raise PackError(
            N_("%(file)s berisi nama atau tautan yang berbahaya (%(name)s) dan tidak dibaca."),
            file=file,
            name=shown,
        )
    if safe in members:
        # Which of the two is meant? Programs differ, and what was checked might not be what is shown.
        raise PackError(
            N_("%(file)s berisi dua berkas dengan nama %(name)s dan tidak dibaca."), file=file, name=shown
        )
    return safe


def _check_sizes(file: str, sizes: list[tuple[int, int]], packed: int) -> None:
    """Declared sizes, before a byte is inflated; the readers never take more than was declared.

    Members that lie over one another in the file add up to more than the file (`packed`).
    """
    total = sum(size for size, _ in sizes)
    if (
        len(sizes) > MEMBERS_MOST
        or total > _most(packed)
        or sum(packed_size for _, packed_size in sizes) > packed
    ):
        raise _bomb(file)
    for size, packed_size in sizes:
        if size > MEMBER_MOST or size > _RATIO_FREE + _RATIO_MOST * packed_size:
            raise _bomb(file)


def _most(packed: int) -> int:
    return min(TOTAL_MOST, _RATIO_FREE + _RATIO_MOST * packed)


def _zip_reader(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        with opened.open(info) as member:
            # Without a number it would first inflate everything, whatever size was declared.
            return member.read(info.file_size)

    return read


def _tar_reader(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        found = tar.extractfile(info)
        return b"" if found is None else found.read(info.size)

    return read


def _bomb(file: str) -> PackError:
    return PackError(N_("%(file)s membesar berlebihan bila dibuka, dan tidak dibaca."), file=file)


def _too_large(file: str) -> PackError:
    return PackError(N_("%(file)s terlalu besar."), file=file)


def _damaged(file: str) -> PackError:
    return PackError(N_("%(file)s rusak atau terpotong. Ambil lagi dari sumbernya."), file=file)
