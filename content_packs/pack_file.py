"""A pack as one file: a zip without compression or dates, the manifest first, then the pieces by their hash."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from typing import BinaryIO, Final

from content_packs.pack_names import MANIFEST_NAME, PIECES
from content_packs.store import PackStore

_DATE: Final = (1980, 1, 1, 0, 0, 0)


def write_pack(file: BinaryIO, envelope: bytes, pieces: Iterable[tuple[bytes, bytes]]) -> None:
    """Write a pack; `pieces` are (hash, piece as it is carried). The same pack always gives the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(MANIFEST_NAME), envelope)
        for digest, piece in pieces:
            archive.writestr(_member(PIECES + digest.hex()), piece)


def export(store: PackStore, manifest_hash: bytes, file: BinaryIO) -> None:
    """Write an installed pack as a file, for a stick or another store.

    Raises:
        PackError: it isn't installed, or a piece was lost.
    """
    envelope, pack = store.envelope(manifest_hash), store.get(manifest_hash)
    digests = sorted({digest for one in pack.manifest.files for digest in one.pieces}) if pack else []
    write_pack(file, envelope, ((digest, store.packed_piece(digest)) for digest in digests))


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _DATE)
    member.create_system = 3  # else it would say on which system it was built
    return member
