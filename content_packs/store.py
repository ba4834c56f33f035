"""Installed packs on this device's disk: content-addressed pieces, one manifest a version.

Pieces are written first and the manifest last, each to a temporary name, synced and renamed; an installation
that is cut off leaves no half course and can be repeated.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from content_packs import limits, render
from content_packs.errors import NoSpaceError, PackError
from content_packs.manifest import Manifest, open_manifest
from content_packs.verify import PackFile, unpacked
from sync import cbor
from sync.errors import N_
from sync.keys import sha256

SPARE_BYTES: Final = 64 * 1024 * 1024
"""Left free for the learners' own work when a course is installed."""

Write = Callable[[Path, bytes], None]
FreeBytes = Callable[[Path], int]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with one right choice. Texts are safe HTML."""

    number: int
    id: str
    text: str
    choices: tuple[str, ...]
    right: int
    explanation: str


@dataclass(frozen=True, slots=True)
class LessonContent:
    """A lesson to be shown. `html` names pictures as `media:NAME` (see `render.with_addresses`)."""

    html: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class InstalledPack:
    """A course on this disk."""

    manifest: Manifest
    manifest_hash: bytes
    _read: Callable[[bytes], bytes]

    def lesson(self, number: int) -> LessonContent:
        """
        Raises:
            PackError: no such lesson, or its file is damaged.
        """
        lesson = self.manifest.lesson(number)
        if lesson is None:
            raise PackError(N_("Materi ini tidak ada dalam paket."))
        return _lesson(self._file(lesson.content))

    def media(self, path: str) -> tuple[bytes, str] | None:
        """(bytes, media type) of a picture, or None."""
        file = self.manifest.file(path)
        if file is None or not file.media_type.startswith("image/"):
            return None
        return self._file(path), file.media_type

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
        pack = InstalledPack(open_manifest(envelope), manifest_hash, self._piece)
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

    def _read_piece(self, digest: bytes) -> bytes:
        try:
            return unpacked(self._path_of(digest).read_bytes(), digest)
        except OSError as problem:
            raise PackError(
                N_("Sebagian pelatihan ini hilang dari penyimpanan. Pasang lagi paketnya.")
            ) from problem


def write_safely(path: Path, data: bytes) -> None:
    """Write so that after a power cut the file is there whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _lesson(data: bytes) -> LessonContent:
    match cbor.decode(data, limits.PIECE):
        case [1, str() as html, list() as questions]:
            return LessonContent(
                render.clean(html),
                tuple(_question(number, item) for number, item in enumerate(questions, start=1)),
            )
    raise PackError(N_("Materi ini rusak. Pasang lagi paketnya."))


def _question(number: int, item: Any) -> Question:
    match item:
        case [str() as id_, str() as text, list() as choices, int() as right, str() as explanation] if (
            0 <= right < len(choices) and all(isinstance(choice, str) for choice in choices)
        ):
            safe_choices = tuple(render.clean(choice) for choice in choices)
            return Question(number, id_, render.clean(text), safe_choices, right, render.clean(explanation))
    raise PackError(N_("Materi ini rusak. Pasang lagi paketnya."))
