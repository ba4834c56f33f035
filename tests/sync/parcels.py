"""What the tests of bundles share: a village, two centres, and parts between them; and a drive that fails on demand."""

from __future__ import annotations

import errno
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sync import bundle
from sync.bundle import FromDevice, FromHub
from sync.exchange import Request, Verdict
from sync.keys import SigningKey, key_id, sha256
from sync.log import Head, Status
from sync.sealing import CLASSICAL, HYBRID, OpeningKey, seed_size
from sync.stick import Files

DEVICE: Final = SigningKey.from_seed(b"device".ljust(32, b"."))
HUB: Final = SigningKey.from_seed(b"hub".ljust(32, b"."))
VILLAGE: Final = OpeningKey(CLASSICAL, b"v" * 32)
CENTRES: Final = {suite: OpeningKey(suite, b"c" * seed_size(suite)) for suite in (CLASSICAL, HYBRID)}
OTHER: Final = OpeningKey(CLASSICAL, b"o" * 32)
HEAD_SIZE: Final = 48


def request() -> FromDevice:
    return FromDevice(Request(key_id(DEVICE.public), 7000, 1_772_413_200, (Head(b"l" * 16, 3, b"i" * 16),)))


def mail() -> FromHub:
    verdict = Verdict(Head(b"l" * 8, 3, b"i" * 8), Status.STORED)
    return FromHub(key_id(DEVICE.public), 1_772_413_300_000, 4, (verdict,))


def id_of_bundle(seed: int = 0) -> bytes:
    return bundle.new_bundle(VILLAGE.public.id, random.Random(seed).randbytes)


def to_centre(stream: Sequence[bytes], suite: int = CLASSICAL, most: int = 32 * 1024) -> list[bytes]:
    return bundle.seal_parts(CENTRES[suite].public, DEVICE, request(), stream, id_of_bundle(), most)


def mended(part: bytes) -> bytes:
    """The part with a hash at its end that fits what stands before."""
    return part[:-32] + sha256(part[:-32])


def with_head(part: bytes, offset: int, value: int, form: str = ">I") -> bytes:
    size = struct.calcsize(form)
    return mended(part[:offset] + struct.pack(form, value) + part[offset + size :])


class Drive(Files):
    """Real files, of which one operation (counted from 0) fails, or the drive is gone from then on."""

    def __init__(
        self, fails_at: int | None = None, error: int = errno.EIO, pulled: bool = False, half: bool = True
    ) -> None:
        self.count = 0
        self.fails_at = fails_at
        self.error = error
        self.pulled = pulled
        self.half = half
        self.log: list[tuple[str, str]] = []
        self.room = 1 << 40

    def _step(self, what: str, path: Path) -> None:
        at, self.count = self.count, self.count + 1
        self.log.append((what, path.name))
        if self.fails_at is not None and (at == self.fails_at or (self.pulled and at > self.fails_at)):
            raise OSError(self.error, what)

    def names(self, folder: Path) -> list[str]:
        self._step("names", folder)
        return super().names(folder)

    def read(self, path: Path, most: int) -> bytes:
        self._step("read", path)
        return super().read(path, most)

    def write(self, path: Path, data: bytes) -> None:
        try:
            self._step("write", path)
        except OSError:
            if self.half:
                path.write_bytes(data[: len(data) // 2])
            raise
        super().write(path, data)

    def rename(self, path: Path, to: Path) -> None:
        self._step("rename", to)
        super().rename(path, to)

    def remove(self, path: Path) -> None:
        self._step("remove", path)
        super().remove(path)

    def make_folder(self, path: Path) -> None:
        self._step("make_folder", path)
        super().make_folder(path)

    def free(self, path: Path) -> int:
        self._step("free", path)
        return self.room
