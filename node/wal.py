"""Whether SQLite's file of the last commits is broken in its middle, which SQLite passes over without a word.

SQLite reads it up to the first frame whose checksum is wrong. Behind a torn write there can be at most the commit that
was being written; more than one commit behind the break means that some were lost that had been confirmed.
Format: https://www.sqlite.org/fileformat2.html, section 4. Reads only.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
_MAGIC: Final = 0x377F0682
_MASK: Final = 0xFFFFFFFF
_TORN_MOST: Final = 1


def has_lost_commits(file: Path) -> bool:
    """Whether commits stand behind a break; False if there is no such file."""
    try:
        data = file.read_bytes()
    except OSError:
        return False
    if len(data) < _HEADER.size + _FRAME.size:
        return False
    magic, _, page, _, *salts, sum_0, sum_1 = _HEADER.unpack_from(data)
    order = ">" if magic & 1 else "<"
    frame_size = _FRAME.size + (
        page if page in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536) else 4096
    )
    is_whole = magic & ~1 == _MAGIC and _summed(data[:24], order, 0, 0) == (sum_0, sum_1)
    sums, behind = (sum_0, sum_1), 0
    if not is_whole:
        salts = list(_FRAME.unpack_from(data, _HEADER.size)[2:4])
    for at in range(_HEADER.size, len(data) - frame_size + 1, frame_size):
        _, commits, *own, frame_0, frame_1 = _FRAME.unpack_from(data, at)
        if is_whole:
            sums = _summed(data[at : at + 8], order, *sums)
            sums = _summed(data[at + _FRAME.size : at + frame_size], order, *sums)
            is_whole = own == salts and sums == (frame_0, frame_1)
        if not is_whole and own == salts and commits:
            behind += 1
    return behind > _TORN_MOST


def _summed(data: bytes, order: str, sum_0: int, sum_1: int) -> tuple[int, int]:
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for at in range(0, len(words), 2):
        sum_0 = (sum_0 + words[at] + sum_1) & _MASK
        sum_1 = (sum_1 + words[at + 1] + sum_0) & _MASK
    return sum_0, sum_1
