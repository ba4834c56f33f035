"""The input that is being tried, in memory that outlives the process that tries it.

The process may die at any instruction, in C as well; whoever started it reads here what killed it.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

INPUT_MOST = 256 * 1024
_HEAD = struct.Struct("<QdQ")


class Note:
    """Executions so far, the slowest one's CPU seconds, and the input that is being tried."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_HEAD.size + INPUT_MOST))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self.count, self.slowest, _size = _HEAD.unpack_from(self._memory)

    def begin(self, data: bytes) -> None:
        self.count += 1
        self._memory[_HEAD.size : _HEAD.size + len(data)] = data
        _HEAD.pack_into(self._memory, 0, self.count, self.slowest, len(data))

    def done(self, seconds: float) -> None:
        self.slowest = max(self.slowest, seconds)

    def last(self) -> bytes:
        """The input that was tried last."""
        size = _HEAD.unpack_from(self._memory)[2]
        return self._memory[_HEAD.size : _HEAD.size + size]
