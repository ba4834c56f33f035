"""A file of a pack, read piece by piece: a village's laptop has no memory for whole films."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from content_packs.outline import File


@dataclass(frozen=True, slots=True)
class Media:
    """A file that pages show; `size` is in bytes."""

    media_type: str
    size: int
    file: PieceFile


class PieceFile(io.RawIOBase):
    """A file that can be read from any place."""

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
