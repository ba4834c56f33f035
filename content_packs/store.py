"""Installed packs on this device's disk: content-addressed pieces, one manifest a version.

Pieces are written first and the manifest last, each to a temporary name, synced and renamed; an installation
that is cut off leaves no half course and can be repeated.
"""

from __future__ import annotations

import io
import os
import shutil
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Final

import zstandard

from content_packs.errors import NoSpaceError, PackError
from content_packs.lesson_file import LessonContent, read_lesson_file
from content_packs.manifest import Manifest, open_manifest
from content_packs.outline import File
from content_packs.packing import MEDIA, ZSTD
from content_packs.verify import PackFile, unpacked
from sync.errors import N_
from sync.keys import sha256

SPARE_BYTES: Final = 64 * 1024 * 1024
"""Left free for the learners' own work when a course is installed."""

_SHOWN: Final = frozenset(MEDIA.values())

Write = Callable[[Path, bytes], None]
FreeBytes = Callable[[Path], int]


@dataclass(frozen=True, slots=True)
class Media:
    """A file that pages show; `size` is in bytes."""

    media_type: str
    size: int
    file: PieceFile


class PieceFile(io.RawIOBase):
    """A file of a pack, read piece by piece: a village's laptop has no memory for whole films."""

    def __init__(self, file: File, read: Callable[[bytes], bytes], size_of: Callable[[bytes], int]) -> None:
        self._file = file
        self._read = read
        self._size_of = size_of
        self._at = 0
        self._ends: list[int] = []

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; fewer at the end of a piece.

        Raises:
            PackError: the piece is lost or damaged.
        """
        if size < 0:
            rest = iter(lambda: self.read(1 << 20), b"")
            return b"".join(rest)
        if not self._ends:
            self._ends = list(accumulate(map(self._size_of, self._file.pieces)))
        number = bisect_right(self._ends, self._at)
        if number == len(self._ends):
            return b""
        piece = self._read(self._file.pieces[number])
        start = self._at - (self._ends[number] - len(piece))
        found = piece[start : start + size]
        self._at += len(found)
        return found


@dataclass(frozen=True)
class InstalledPack:
    """A course on this disk."""

    manifest: Manifest
    manifest_hash: bytes
    _read: Callable[[bytes], bytes]
    _size_of: Callable[[bytes], int]

    def lesson(self, number: int) -> LessonContent:
        """
        Raises:
            PackError: no such lesson, or its file is damaged.
        """
        lesson = self.manifest.lesson(number)
        if lesson is None:
            raise PackError(N_("Materi ini tidak ada dalam paket."))
        return read_lesson_file(self._file(lesson.content))

    @cached_property
    def file_names(self) -> frozenset[str]:
        return frozenset(file.path for file in self.manifest.files)

    def media(self, path: str) -> Media | None:
        """What a lesson shows, or None if it shows no such file."""
        file = self.manifest.file(path)
        if file is None or "/" in path or file.media_type not in _SHOWN:
            return None
        return Media(file.media_type, file.size, PieceFile(file, self._read, self._size_of))

    def _file(self, path: str) -> bytes:
        file = self.manifest.file(path)
        if file is None:
            raise PackError(N_("Materi ini tidak ada dalam paket."))
        return b"".join(self._read(digest) for digest in file.pieces)


class PackStore:
    """The packs in one folder."""

    def __init__(
        self, folder: Path, write: Write | None = None, free_bytes: FreeBytes | None = None
    ) -> None:
        """`write` puts bytes under a name so that they survive a power cut; `free_bytes` tells the room left."""
        self._folder = folder
        self._write = write or write_safely
        self._free_bytes = free_bytes or (lambda folder: shutil.disk_usage(folder).free)
        self._piece = lru_cache(maxsize=64)(self._read_piece)
        self._opened: dict[bytes, InstalledPack] = {}

    def install(self, pack: PackFile) -> InstalledPack:
        """Install a verified pack. Installing it again changes nothing but what was lost or damaged.

        Raises:
            NoSpaceError: it wouldn't fit; nothing was written.
        """
        missing = [digest for digest in pack.digests() if not self._holds(digest)]
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._free_bytes(self._folder) < sum(map(pack.packed_size, missing)) + SPARE_BYTES:
            raise NoSpaceError(
                N_(
                    "Ruang penyimpanan kurang untuk pelatihan %(title)s. Tidak ada yang diubah; kosongkan ruang dulu."
                ),
                title=pack.manifest.title,
            )
        for digest in missing:
            self._write(self._path_of(digest), pack.packed_piece(digest))
        if self._envelope(pack.manifest_hash) is None:
            self._write(self._manifest_path(pack.manifest_hash), pack.envelope)
        return self._open(pack.manifest_hash, pack.envelope)

    def packs(self) -> list[InstalledPack]:
        """Everything installed, by title and version."""
        found = (self.get(bytes.fromhex(path.stem)) for path in self._folder.glob("*.cose"))
        return sorted(
            (pack for pack in found if pack is not None),
            key=lambda pack: (pack.manifest.title, pack.manifest.version),
        )

    def get(self, manifest_hash: bytes) -> InstalledPack | None:
        """An installed pack, or None."""
        if manifest_hash in self._opened:
            return self._opened[manifest_hash]
        envelope = self._envelope(manifest_hash)
        return None if envelope is None else self._open(manifest_hash, envelope)

    def _open(self, manifest_hash: bytes, envelope: bytes) -> InstalledPack:
        pack = InstalledPack(open_manifest(envelope), manifest_hash, self._piece, self._size_of)
        self._opened[manifest_hash] = pack
        return pack

    def _envelope(self, manifest_hash: bytes) -> bytes | None:
        """The manifest as it lies on the disk, or None if it isn't there whole."""
        try:
            envelope = self._manifest_path(manifest_hash).read_bytes()
        except OSError:
            return None
        return envelope if sha256(envelope) == manifest_hash else None

    def _manifest_path(self, manifest_hash: bytes) -> Path:
        return self._folder / f"{manifest_hash.hex()}.cose"

    def _holds(self, digest: bytes) -> bool:
        try:
            self._read_piece(digest)
        except PackError:
            return False
        return True

    def _path_of(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / "pieces" / name[:2] / name

    def _size_of(self, digest: bytes) -> int:
        """The size of a piece's content, without reading all of it."""
        try:
            path = self._path_of(digest)
            with path.open("rb") as file:
                begins = file.read(32)
            if begins[:1] == ZSTD:
                return int(zstandard.get_frame_parameters(begins[1:]).content_size)
            return path.stat().st_size - 1
        except (OSError, zstandard.ZstdError) as problem:
            raise _lost() from problem

    def _read_piece(self, digest: bytes) -> bytes:
        try:
            return unpacked(self._path_of(digest).read_bytes(), digest)
        except OSError as problem:
            raise _lost() from problem


def _lost() -> PackError:
    return PackError(N_("Sebagian pelatihan ini hilang dari penyimpanan. Pasang lagi paketnya."))


def write_safely(path: Path, data: bytes) -> None:
    """Write so that after a power cut the file is there whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
