"""Files on removable drives, written so that pulling the drive costs at most the part being written.

A shell: it does the input and output, and decides nothing about what parts mean. FAT and exFAT promise nothing
when a drive is pulled, so each file is written under another name, synced, read back past the cache, compared,
renamed, and its folder synced. Nothing is rewritten in place. Readers trust the hash at a part's end, never its
name. Dates are set to a constant; names come from random ids.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync import bundle, limits
from sync.bundle import Head
from sync.errors import N_, MalformedError, StickError, TornError, UnknownVersionError
from sync.keys import sha256

ROOT: Final = "LONTAR"
OUT: Final = "OUT"
IN: Final = "IN"
PUB: Final = "PUB"
PACKS: Final = "PACKS"
PART: Final = ".LNB"
PACK: Final = ".LNP"
KEYSET: Final = "KEYSET.LNS"
"""Not .LNK: to Windows that is a shortcut, and virus scanners delete shortcuts from sticks."""
README: Final = "BACA-SAYA.TXT"

_TEMPORARY: Final = ".TMP"
_DATE_S: Final = 315_619_200
"""1980-01-02, which FAT can hold in every time zone."""
_SPARE: Final = 64 * 1024
_FILES_MOST: Final = 20_000

_README_TEXT: Final = """Flashdisk ini membawa data belajar Lontar.
Isinya terkunci: hanya pusat atau laptop desa tujuan yang dapat membukanya.
Jangan hapus folder LONTAR. Bila menemukan flashdisk ini, serahkan ke kantor kecamatan atau Dinas PMD.
"""

Progress = Callable[[int, int], None]
"""Told (bytes done, bytes to do)."""


class Files:
    """What is done to a drive; a test passes one that fails, tears or lies."""

    def names(self, folder: Path) -> list[str]:
        try:
            return sorted(path.name for path in folder.iterdir())[:_FILES_MOST]
        except FileNotFoundError:
            return []

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def read(self, path: Path, most: int) -> bytes:
        with path.open("rb") as file:
            return file.read(most)

    def write(self, path: Path, data: bytes) -> None:
        """Write and sync, and drop the copy in memory, so that reading tells what the drive holds."""
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def write_pieces(self, path: Path, pieces: Iterator[bytes]) -> None:
        """As `write`, piece by piece."""
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def holds_pieces(self, path: Path, pieces: Iterator[bytes]) -> bool:
        """Whether a file holds these, one after the other, and nothing more."""
        with path.open("rb") as file:
            return all(file.read(len(piece)) == piece for piece in pieces) and not file.read(1)

    def rename(self, path: Path, to: Path) -> None:
        path.replace(to)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Where the system can sync a folder (Windows can't), do."""
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def set_date(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            os.utime(path, (_DATE_S, _DATE_S))

    def free(self, path: Path) -> int:
        return shutil.disk_usage(path).free


@dataclass(frozen=True, slots=True)
class Found:
    """A part on a drive, from its outside alone."""

    path: Path
    head: Head
    size: int


class Stick:
    """The LONTAR folder of one drive, or of any folder."""

    def __init__(self, drive: Path, files: Files | None = None) -> None:
        self.drive = drive
        self._files = files or Files()
        self._root = drive if drive.name == ROOT else drive / ROOT

    def has_lontar(self) -> bool:
        with _spoken(self.drive):
            return bool(self._files.names(self._root))

    def parts(self, folder: str) -> list[Found]:
        """The parts in a folder whose outside can be read; whether they are whole shows when they are read.

        Raises:
            StickError: none of them can be read.
        """
        found: list[Found] = []
        problems: list[OSError] = []
        with _spoken(self.drive):
            for path in self._named(folder, PART):
                try:
                    head = bundle.read_head(self._files.read(path, 64))
                    found.append(Found(path, head, self._files.size(path)))
                except (MalformedError, UnknownVersionError):
                    continue
                except OSError as problem:
                    # One bad spot must not keep the others from being read.
                    problems.append(problem)
            if problems and not found:
                raise problems[0]
        # What is in a later part of a bundle may build on what is in an earlier one; names are by chance.
        return sorted(found, key=lambda one: (one.head.bundle, one.head.index))

    def read_part(self, found: Found) -> bytes:
        """The bytes of a part that is whole.

        Raises:
            TornError: it isn't.
            StickError: the drive can't be read.
        """
        with _spoken(self.drive):
            data = self._files.read(found.path, limits.PART + 1024)
        bundle.check_part(data)
        return data

    def write_parts(
        self, folder: str, parts: Sequence[bytes], progress: Progress = lambda done, total: None
    ) -> list[Path]:
        """Put whole parts on the drive; those that are there already are left alone.

        Raises:
            StickError: full, read-only, pulled, or it doesn't give back what was written. What was written
                before stays, whole; the part that failed is gone.
        """
        total, done = sum(map(len, parts)), 0
        with _spoken(self.drive):
            self._check_room(total)
            self._prepare(folder)
            written = []
            for part in parts:
                path = self._root / folder / (_short_name(bundle.part_id(part)) + PART)
                if not self._holds(path, part):
                    self._write(path, part)
                written.append(path)
                done += len(part)
                progress(done, total)
            return written

    def write_file(self, folder: str, name: str, data: bytes) -> Path:
        """Put a file of any other kind on the drive, as safely.

        Raises:
            StickError: as for `write_parts`.
        """
        with _spoken(self.drive):
            self._check_room(len(data))
            self._prepare(folder)
            path = self._root / folder / name
            if not self._holds(path, data):
                self._write(path, data)
            return path

    def write_large(self, folder: str, name: str, pieces: Callable[[], Iterator[bytes]], size: int) -> Path:
        """As `write_file`, of a file that is too large for memory; `pieces` gives its content anew each time.

        A file of that name and size is left alone: names of large files come from what is in them.

        Raises:
            StickError: as for `write_parts`.
        """
        with _spoken(self.drive):
            path = self._root / folder / name
            if self._has_size(path, size):
                return path
            self._check_room(size)
            self._prepare(folder)
            temporary = path.with_suffix(_TEMPORARY)
            try:
                self._files.write_pieces(temporary, pieces())
                if not self._files.holds_pieces(temporary, pieces()):
                    raise _false()
                self._files.set_date(temporary)
                self._files.rename(temporary, path)
                self._files.sync_folder(path.parent)
            except (StickError, OSError):
                with contextlib.suppress(OSError):
                    self._files.remove(temporary)
                raise
            return path

    def _has_size(self, path: Path, size: int) -> bool:
        try:
            return self._files.size(path) == size
        except OSError:
            return False

    def read_file(self, folder: str, name: str, most: int) -> bytes | None:
        """A file's bytes, or None if it isn't there or is larger than `most`."""
        path = self._root / folder / name
        with _spoken(self.drive):
            try:
                data = self._files.read(path, most + 1)
            except FileNotFoundError:
                return None
        return None if len(data) > most else data

    def file_paths(self, folder: str, ending: str) -> list[Path]:
        with _spoken(self.drive):
            return self._named(folder, ending)

    def remove(self, paths: Iterable[Path]) -> None:
        """Delete files that are safe elsewhere."""
        with _spoken(self.drive):
            for path in paths:
                self._files.remove(path)

    def free(self) -> int:
        """Bytes that still fit."""
        with _spoken(self.drive):
            return self._files.free(self.drive)

    def _named(self, folder: str, ending: str) -> list[Path]:
        place = self._root / folder
        return [place / name for name in self._files.names(place) if name.upper().endswith(ending)]

    def _check_room(self, size: int) -> None:
        lacking = size + _SPARE - self._files.free(self.drive)
        if lacking > 0:
            raise _full(lacking)

    def _prepare(self, folder: str) -> None:
        self._files.make_folder(self._root / folder)
        # What a pulled drive left half written is of no use to anybody.
        for path in self._named(folder, _TEMPORARY):
            self._files.remove(path)
        if README not in self._files.names(self._root):
            self._write(self._root / README, _README_TEXT.replace("\n", "\r\n").encode("ascii"))

    def _holds(self, path: Path, data: bytes) -> bool:
        try:
            return self._files.read(path, len(data) + 1) == data
        except OSError:
            return False

    def _write(self, path: Path, data: bytes) -> None:
        temporary = path.with_suffix(_TEMPORARY)
        try:
            self._files.write(temporary, data)
            if self._files.read(temporary, len(data) + 1) != data:
                raise _false()
            self._files.set_date(temporary)
            self._files.rename(temporary, path)
            self._files.sync_folder(path.parent)
        except (StickError, OSError):
            with contextlib.suppress(OSError):
                self._files.remove(temporary)
            raise


def pack_name(data: bytes) -> str:
    """What a course pack is called on a stick."""
    return _short_name(sha256(data)) + PACK


def large_pack_name(manifest_hash: bytes) -> str:
    """What a pack is called on a stick that is known by its manifest."""
    return _short_name(manifest_hash) + PACK


def whole_parts(stick: Stick, folder: str) -> Iterator[tuple[Found, bytes | None]]:
    """Every part in a folder with its bytes, or None for one that is torn or can't be read."""
    for found in stick.parts(folder):
        try:
            yield found, stick.read_part(found)
        except (TornError, StickError):
            yield found, None


def _short_name(digest: bytes) -> str:
    """Eight letters and digits for FAT, from the hash of what the file holds."""
    return base64.b32encode(sha256(digest)[:5]).decode()


def _false() -> StickError:
    return StickError(
        N_(
            "Flashdisk ini rusak atau palsu: yang ditulis tidak terbaca kembali. Pakai flashdisk lain; data tetap aman di sini."
        )
    )


def _full(needed: int) -> StickError:
    return StickError(
        N_(
            "Flashdisk penuh: perlu %(size)s KB lagi. Kosongkan ruang atau pakai flashdisk lain; data tetap aman di sini."
        ),
        size=-(-needed // 1024),
    )


@contextlib.contextmanager
def _spoken(drive: Path) -> Iterator[None]:
    """Turn what the system says of a drive into what a person can do."""
    try:
        yield
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise _full(_SPARE) from problem
        if problem.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise StickError(
                N_(
                    "Flashdisk %(drive)s terkunci dan tidak dapat ditulis. Geser kuncinya atau pakai flashdisk lain."
                ),
                drive=drive,
            ) from problem
        raise StickError(
            N_(
                "Flashdisk %(drive)s tidak dapat dibaca: mungkin dicabut atau rusak. Pasang lagi, lalu ulangi; data tetap aman."
            ),
            drive=drive,
        ) from problem
