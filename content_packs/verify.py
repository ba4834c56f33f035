"""Opens a pack file that somebody brought: everything is checked before anything is believed.

The publisher's signature, the name of every member, declared sizes before a byte is inflated, ratios, the
hash of every piece. Nothing is written here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zstandard

from content_packs import limits
from content_packs.errors import PackError, UntrustedPackError
from content_packs.manifest import Manifest, open_manifest
from content_packs.pack_names import MANIFEST_NAME, PIECES
from content_packs.packing import STORED, ZSTD
from sync.errors import N_
from sync.keys import fingerprint, key_id, sha256
from sync.keyset import Keyset

Trust = Callable[[bytes], bool]
"""Whether a publisher's public key may sign packs for this device."""

_FRAME_OVERHEAD: Final = 64 * 1024
_UNREADABLE: Final = (zipfile.BadZipFile, KeyError, EOFError, OSError, ValueError, RuntimeError)
"""What `zipfile` raises for members that are damaged, missing, encrypted or of a newer version."""


@dataclass(frozen=True)
class PackFile:
    """An open pack whose manifest is signed by somebody trusted; pieces are checked as they are read."""

    manifest: Manifest
    manifest_hash: bytes
    envelope: bytes
    _archive: zipfile.ZipFile

    def packed_piece(self, digest: bytes) -> bytes:
        """A piece as it lies in the pack, known to unpack to what its hash says.

        Raises:
            PackError: it is missing or damaged.
        """
        return self._checked(digest)[0]

    def packed_size(self, digest: bytes) -> int:
        """How many bytes a piece takes as it lies in the pack."""
        return self._archive.getinfo(PIECES + digest.hex()).file_size

    def digests(self) -> list[bytes]:
        return sorted({digest for file in self.manifest.files for digest in file.pieces})

    def check_all(self) -> int:
        """Read and check every piece; returns the size of the files in bytes."""
        sizes = {digest: self._checked(digest)[1] for digest in self.digests()}
        for file in self.manifest.files:
            if sum(sizes[digest] for digest in file.pieces) != file.size:
                raise _damaged()
        return self.manifest.size

    def _checked(self, digest: bytes) -> tuple[bytes, int]:
        """A piece as it lies in the pack, and its size when it is unpacked."""
        try:
            data = self._archive.read(PIECES + digest.hex())
        except _UNREADABLE as problem:
            raise _damaged() from problem
        return data, len(unpacked(data, digest))


def trusted_by(keyset: Keyset | None, trusted_fingerprint: str | None) -> Trust:
    """Trust the keyset's publishers, and the one whose fingerprint a person typed."""

    def trust(key: bytes) -> bool:
        if trusted_fingerprint is not None and fingerprint(key) == trusted_fingerprint.strip().upper():
            return True
        return keyset is not None and keyset.publisher(key_id(key)) is not None

    return trust


@contextmanager
def open_pack(path: Path, trust: Trust) -> Iterator[PackFile]:
    """Open and check a pack file.

    Raises:
        UntrustedPackError: signed by nobody whom this device trusts.
        PackError, SyncError: not a pack, or a damaged one.
    """
    try:
        archive = zipfile.ZipFile(path)
    except _UNREADABLE as problem:
        raise PackError(N_("%(file)s bukan paket pelatihan, atau terpotong."), file=path.name) from problem
    with archive:
        _check_members(archive)
        try:
            envelope = archive.read(MANIFEST_NAME)
        except _UNREADABLE as problem:
            raise _damaged() from problem
        manifest = open_manifest(envelope)
        if not trust(manifest.publisher_key):
            raise UntrustedPackError(
                N_(
                    "Penerbit paket ini (%(fingerprint)s) tidak dikenal perangkat ini. Cocokkan sidiknya dengan petugas, lalu pakai --trust."
                ),
                fingerprint=fingerprint(manifest.publisher_key),
            )
        pack = PackFile(manifest, sha256(envelope), envelope, archive)
        named = {PIECES + digest.hex() for digest in pack.digests()} | {MANIFEST_NAME}
        if set(archive.namelist()) != named:
            raise _damaged()
        pack.check_all()
        yield pack


def unpacked(data: bytes, digest: bytes) -> bytes:
    """The content of a packed piece.

    Raises:
        PackError: damaged, larger than a piece may be, or not what its hash says.
    """
    kind, body = data[:1], data[1:]
    if kind == ZSTD:
        try:
            frame = zstandard.get_frame_parameters(body)
            too_large = frame.content_size > min(
                limits.PIECE, limits.EXPANSION * len(body) + _FRAME_OVERHEAD
            )
            if too_large or frame.window_size > limits.ZSTD_WINDOW:
                raise _damaged()
            engine = zstandard.ZstdDecompressor(max_window_size=limits.ZSTD_WINDOW)
            body = engine.decompress(body, allow_extra_data=False)
        except zstandard.ZstdError as problem:
            raise _damaged() from problem
    elif kind != STORED:
        raise _damaged()
    if len(body) > limits.PIECE or sha256(body) != digest:
        raise _damaged()
    return body


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > limits.FILES or len({member.filename for member in members}) != len(members):
        raise _damaged()
    for member in members:
        most = limits.MANIFEST if member.filename == MANIFEST_NAME else limits.PIECE + 1
        stored = member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
        if not stored or member.flag_bits or member.file_size > most:
            raise _damaged()
    if sum(member.file_size for member in members) > limits.PACK:
        raise _damaged()


def _damaged() -> PackError:
    return PackError(N_("Paket ini rusak atau telah diubah. Salin lagi dari sumbernya."))
