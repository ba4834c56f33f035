"""Installed packs on this device's disk: content-addressed pieces, one manifest a version.

Pieces are written first and the manifest last, each to a temporary name, synced and renamed; an installation
that is cut off leaves no half course and can be repeated.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import zstandard

from content_packs import limits
from content_packs.errors import NoSpaceError, PackError
from content_packs.lesson_file import LessonContent, read_lesson_file
from content_packs.manifest import Manifest, open_manifest
from content_packs.outline import File
from content_packs.packing import CBOR, MEDIA, ZSTD
from content_packs.piece_file import Media, PieceFile
from content_packs.verify import PackFile, unpacked
from sync.errors import N_
from sync.keys import sha256

SPARE_BYTES: Final = 64 * 1024 * 1024
"""Left free for the learners' own work when a course is installed."""

_SHOWN: Final = frozenset(MEDIA.values())

Write = Callable[[Path, bytes], None]
FreeBytes = Callable[[Path], int]


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
        return self._media(file)

    def file(self, path: str) -> Media | None:
        """Any file of the pack, for a player; None if there is no such file."""
        file = self.manifest.file(path)
        return None if file is None else self._media(file)

    def _media(self, file: File) -> Media:
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
        self.folder = folder
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
        self.check_room(sum(map(pack.packed_size, missing)), pack.manifest.title)
        for digest in missing:
            self._write(self._path_of(digest), pack.packed_piece(digest))
        if self._envelope(pack.manifest_hash) is None:
            self._write(self._manifest_path(pack.manifest_hash), pack.envelope)
        return self._open(pack.manifest_hash, pack.envelope)

    def keep_offer(self, envelope: bytes) -> None:
        """Keep a manifest whose pieces are still to come."""
        self._write(self._offer_path(sha256(envelope)), envelope)

    def offer(self, manifest_hash: bytes) -> bytes | None:
        """A manifest that was kept, if it is here whole."""
        return _whole(self._offer_path(manifest_hash), manifest_hash)

    def lacking(self, manifest: Manifest) -> list[tuple[bytes, int]]:
        """(hash, bytes that have come already) of each piece that isn't here, texts before pictures before films."""
        found: dict[bytes, int] = {}
        for file in sorted(manifest.files, key=_urgency):
            for digest in file.pieces:
                if digest not in found and not self._holds(digest):
                    found[digest] = self._begun(digest)
        return list(found.items())

    def check_room(self, size: int, title: str) -> None:
        """
        Raises:
            NoSpaceError: so many bytes more don't fit here.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._free_bytes(self.folder) < size + SPARE_BYTES:
            raise NoSpaceError(
                N_(
                    "Ruang penyimpanan kurang untuk pelatihan %(title)s. Tidak ada yang diubah; kosongkan ruang dulu."
                ),
                title=title,
            )

    def take_piece(self, digest: bytes, arriving: Iterable[bytes]) -> int:
        """Add what arrives to what has come of a piece; once it is whole it is kept. Returns how many bytes came.

        What came stays if the line breaks, and goes on there.

        Raises:
            PackError: it isn't what its hash says; it is to be fetched anew.
        """
        path, came = self._begun_path(digest), 0
        if self._keep_begun(digest):
            # It was whole when the power went, and only its name wasn't.
            return 0
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            for data in arriving:
                file.write(data)
                came += len(data)
                if file.tell() > limits.PIECE + 1:
                    break
            file.flush()
            os.fsync(file.fileno())
        if not self._keep_begun(digest):
            path.unlink(missing_ok=True)
            raise _lost()
        return came

    def drop_begun(self, digest: bytes) -> None:
        """Forget what has come of a piece that isn't whole."""
        self._begun_path(digest).unlink(missing_ok=True)

    def complete(self, manifest_hash: bytes) -> InstalledPack:
        """Install an offer whose pieces have all come.

        Raises:
            PackError: some are still lacking.
        """
        envelope = self.offer(manifest_hash)
        if envelope is None or self.lacking(open_manifest(envelope)):
            raise _lost()
        if self._envelope(manifest_hash) is None:
            self._write(self._manifest_path(manifest_hash), envelope)
        self._offer_path(manifest_hash).unlink(missing_ok=True)
        return self._open(manifest_hash, envelope)

    def envelope(self, manifest_hash: bytes) -> bytes:
        """The signed manifest of an installed pack.

        Raises:
            PackError: it isn't installed.
        """
        found = self._envelope(manifest_hash)
        if found is None:
            raise _lost()
        return found

    def packed_piece(self, digest: bytes) -> bytes:
        """A piece as it lies here, known to unpack to what its hash says.

        Raises:
            PackError: it is lost or damaged.
        """
        try:
            packed = self._path_of(digest).read_bytes()
        except OSError as problem:
            raise _lost() from problem
        unpacked(packed, digest)
        return packed

    def forget(self, digests: Iterable[bytes]) -> int:
        """Take pieces off the disk; returns how many bytes that freed. The packs that need them stay known."""
        freed = 0
        for digest in digests:
            path = self._path_of(digest)
            with contextlib.suppress(FileNotFoundError):
                freed += path.stat().st_size
                path.unlink()
        self._piece.cache_clear()
        return freed

    def remove(self, manifest_hashes: Collection[bytes]) -> int:
        """Take whole packs off the disk, but for pieces that others need; returns how many bytes that freed."""
        gone: set[bytes] = set()
        for manifest_hash in manifest_hashes:
            envelope = self._envelope(manifest_hash)
            if envelope is not None:
                gone |= _digests(open_manifest(envelope))
            # First the manifest: none may name pieces that aren't there any more.
            self._manifest_path(manifest_hash).unlink(missing_ok=True)
            self._opened.pop(manifest_hash, None)
        coming = (self.offer(bytes.fromhex(path.stem)) for path in (self.folder / "offers").glob("*.cose"))
        needed = [_digests(open_manifest(envelope)) for envelope in coming if envelope is not None]
        needed += [_digests(pack.manifest) for pack in self.packs()]
        return self.forget(gone.difference(*needed))

    def packs(self) -> list[InstalledPack]:
        """Everything installed, by title and version."""
        found = (self.get(bytes.fromhex(path.stem)) for path in self.folder.glob("*.cose"))
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
        return _whole(self._manifest_path(manifest_hash), manifest_hash)

    def _offer_path(self, manifest_hash: bytes) -> Path:
        return self.folder / "offers" / f"{manifest_hash.hex()}.cose"

    def _begun_path(self, digest: bytes) -> Path:
        return self._path_of(digest).with_suffix(".part")

    def _keep_begun(self, digest: bytes) -> bool:
        """Give a piece its name if all of it has come."""
        path = self._begun_path(digest)
        try:
            unpacked(path.read_bytes(), digest)
        except (OSError, PackError):
            return False
        path.replace(self._path_of(digest))
        return True

    def _begun(self, digest: bytes) -> int:
        try:
            return self._begun_path(digest).stat().st_size
        except OSError:
            return 0

    def _manifest_path(self, manifest_hash: bytes) -> Path:
        return self.folder / f"{manifest_hash.hex()}.cose"

    def _holds(self, digest: bytes) -> bool:
        try:
            self._read_piece(digest)
        except PackError:
            return False
        return True

    def _path_of(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.folder / "pieces" / name[:2] / name

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


def _whole(path: Path, digest: bytes) -> bytes | None:
    """The content of a file, or None if it isn't there or isn't what its hash says."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if sha256(content) == digest else None


def _digests(manifest: Manifest) -> set[bytes]:
    return {digest for file in manifest.files for digest in file.pieces}


def _urgency(file: File) -> tuple[int, int]:
    """Texts first: with them a course can be read; films last, the small ones before the large."""
    beginnings = (CBOR, "text/", "image/", "application/", "font/", "audio/", "video/")
    for place, beginning in enumerate(beginnings):
        if file.media_type.startswith(beginning):
            return place, file.size
    return len(beginnings), file.size


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
