"""Packs over a thin line: which pieces are lacking, in which order, and how fetching goes on after every break.

A hub's packs are plain files that any web server can hold: `HASH.cose`, `pieces/HH/HASH`. They never change, so a piece
that was cut off goes on where it ended, and is believed by its hash alone. Decides and keeps; the line is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from content_packs import limits
from content_packs.errors import PackError, UntrustedPackError
from content_packs.manifest import Manifest, open_manifest
from content_packs.store import InstalledPack, PackStore
from content_packs.verify import Trust
from sync.errors import N_
from sync.keys import fingerprint, sha256

ADDRESS: Final = "/packs/"
ATTEMPTS: Final = 2
"""How often a piece that came damaged is fetched before the line is given up."""

Progress = Callable[[int, int], None]
"""Told (bytes here, bytes of the whole pack)."""


class Line(Protocol):
    """The way to a hub's packs."""

    def read(self, path: str, start: int) -> Iterator[bytes]:
        """The bytes of a file from `start` on.

        Raises:
            LontarError: the line broke, or there is no such file.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one fetch cost: bytes of manifest and pieces that came over the line."""

    pack: InstalledPack
    size: int


def manifest_path(manifest_hash: bytes) -> str:
    return f"{manifest_hash.hex()}.cose"


def piece_path(digest: bytes) -> str:
    name = digest.hex()
    return f"pieces/{name[:2]}/{name}"


def fetch(
    store: PackStore,
    line: Line,
    manifest_hash: bytes,
    trust: Trust,
    progress: Progress = lambda here, total: None,
) -> Fetched:
    """Bring a pack here and install it. Whatever came before a break is not fetched again.

    Raises:
        UntrustedPackError: nobody whom this device trusts has signed it.
        NoSpaceError: it wouldn't fit; nothing was fetched but the manifest.
        PackError: the line brings something else, again and again.
        LontarError: the line broke.
    """
    envelope, size = store.offer(manifest_hash), 0
    if envelope is None:
        envelope = _manifest(line, manifest_hash)
        size = len(envelope)
        check_trust(open_manifest(envelope), trust)
        store.keep_offer(envelope)
    manifest = open_manifest(envelope)
    check_trust(manifest, trust)
    pieces = store.lacking(manifest)
    total = manifest.packed
    lacking = lacking_bytes(manifest, pieces)
    store.check_room(lacking, manifest.title)
    here = max(0, total - lacking)
    for digest, begun in pieces:
        came = _piece(store, line, digest, begun)
        size += came
        here += came
        progress(min(here, total), total)
    return Fetched(store.complete(manifest_hash), size)


def lacking_bytes(manifest: Manifest, pieces: list[tuple[bytes, int]]) -> int:
    """How many bytes are still to come, as well as the manifest tells: it knows sizes of files, not of pieces."""
    missing = dict(pieces)
    size = 0.0
    for file in manifest.files:
        share = (file.packed or file.size) / max(1, len(file.pieces))
        size += sum(max(0.0, share - missing.pop(digest)) for digest in file.pieces if digest in missing)
    return round(size)


def check_trust(manifest: Manifest, trust: Trust) -> None:
    """
    Raises:
        UntrustedPackError: nobody whom this device trusts has signed it.
    """
    if not trust(manifest.publisher_key):
        raise UntrustedPackError(
            N_("Penerbit pelatihan ini (%(fingerprint)s) tidak dikenal perangkat ini."),
            fingerprint=fingerprint(manifest.publisher_key),
        )


def _manifest(line: Line, manifest_hash: bytes) -> bytes:
    envelope = b""
    for data in line.read(manifest_path(manifest_hash), 0):
        envelope += data
        if len(envelope) > limits.MANIFEST:
            break
    if sha256(envelope) != manifest_hash:
        raise _something_else()
    return envelope


def _piece(store: PackStore, line: Line, digest: bytes, begun: int) -> int:
    """Bring one piece; returns how many bytes came."""
    came = 0

    def counted(arriving: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal came
        for data in arriving:
            came += len(data)
            yield data

    for _ in range(ATTEMPTS):
        try:
            store.take_piece(digest, counted(line.read(piece_path(digest), begun)))
        except PackError:
            # What had come before may have been damaged on this disk: once more from its beginning.
            begun = 0
        else:
            return came
    raise _something_else()


def _something_else() -> PackError:
    return PackError(N_("Yang dikirim pusat bukan pelatihan yang dijanjikan. Coba lagi nanti."))
