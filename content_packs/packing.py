"""The files of a pack while it is built: cut into pieces, compressed where that pays, each kind known by its ending."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import zstandard

from content_packs import pieces
from content_packs.outline import File
from sync.keys import sha256

STORED, ZSTD = b"\0", b"\1"
"""The first byte of a piece on disk: as it is, or compressed."""

PICTURES: Final = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
MEDIA: Final = {
    **PICTURES,
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".pdf": "application/pdf",
    ".vtt": "text/vtt",
}
"""What lessons show."""
ACTIVITY: Final = {
    **MEDIA,
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".xml": "application/xml",
    ".txt": "text/plain",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
}
"""What players are given; everything else is `OTHER`."""
OTHER: Final = "application/octet-stream"
CBOR: Final = "application/cbor"

_SQUEEZED: Final = ("text/", "application/", "image/svg", "font/ttf", "font/otf")
"""Beginnings of media types that aren't compressed yet."""
_LEVEL: Final = 19


class Packing:
    """Collects the files of one pack; equal pieces are kept once."""

    def __init__(self) -> None:
        self.files: list[File] = []
        self.pieces: dict[bytes, bytes] = {}
        """Pieces as they are carried, by the hash of their content."""
        self._paths: set[str] = set()

    def add(self, path: str, media_type: str, content: bytes) -> None:
        """Add a file, once."""
        if path in self._paths:
            return
        self._paths.add(path)
        digests = []
        for piece in pieces.cut(content):
            digest = sha256(piece)
            if digest not in self.pieces:
                self.pieces[digest] = packed(piece, media_type.startswith(_SQUEEZED))
            digests.append(digest)
        size = sum(len(self.pieces[digest]) for digest in digests)
        self.files.append(File(path, media_type, len(content), tuple(digests), size))


def packed(piece: bytes, squeeze: bool = True) -> bytes:
    """A piece as it lies in a pack file or store: compressed where that pays."""
    if squeeze:
        smaller = zstandard.ZstdCompressor(level=_LEVEL).compress(piece)
        if len(smaller) < len(piece):
            return ZSTD + smaller
    return STORED + piece


def media_type(path: Path, known: dict[str, str]) -> str | None:
    """The type of a file by its ending."""
    return known.get(path.suffix.lower())
