"""What courses may cost over the mobile network: megabytes a month, and what one costs. Owns these settings.

Progress is always sent: a month of it is smaller than one picture. Sticks and neighbours cost nothing and aren't counted.
A wrong clock can only begin a month too early or too late.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from content_packs.transfer import Line
from node.errors import AllowanceSpentError
from node.store import Store
from sync.errors import N_

MB: Final = 1_000_000
MB_MOST: Final = 1_000_000
PRICE_MOST: Final = 100_000
_ALLOWED: Final = "data_allowance"
_SPENT: Final = "data_spent"


@dataclass(frozen=True, slots=True)
class Allowance:
    """`megabytes` a month, None without a limit; `price` is rupiah a megabyte, 0 if nobody said it; `spent` bytes."""

    megabytes: int | None
    price: int
    spent: int

    @property
    def left(self) -> int | None:
        """Bytes that may still come this month; None without a limit."""
        return None if self.megabytes is None else max(0, self.megabytes * MB - self.spent)

    def cost(self, size: int) -> int | None:
        """Rupiah for so many bytes; None if nobody said what a megabyte costs."""
        return -(-size * self.price // MB) if self.price else None


def month_of(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m")


def allowance(store: Store, month: str) -> Allowance:
    megabytes, price = store.get(_ALLOWED, [None, 0])
    counted, spent = store.get(_SPENT, ["", 0])
    return Allowance(megabytes, price, spent if counted == month else 0)


def allow(store: Store, megabytes: int | None, price: int) -> None:
    """Set the limit of a month and the price, both within `MB_MOST` and `PRICE_MOST`."""
    store.put(_ALLOWED, [megabytes, price])


class CountedLine:
    """A line that writes down what comes over it, and begins no file when the month's allowance is spent."""

    def __init__(self, line: Line, store: Store, month: str) -> None:
        self._line = line
        self._store = store
        self._month = month

    def read(self, path: str, start: int) -> Iterator[bytes]:
        """As the line's own.

        Raises:
            AllowanceSpentError: this month's megabytes are used up; what came is kept.
        """
        if allowance(self._store, self._month).left == 0:
            raise AllowanceSpentError(
                N_(
                    "Jatah data bulan ini sudah habis. Yang sudah terunduh tetap ada; flashdisk tetap dapat dipakai."
                )
            )
        came = 0
        try:
            for data in self._line.read(path, start):
                came += len(data)
                yield data
        finally:
            # A file is a piece of at most 256 KiB: so much a month may be passed, and a power cut leave uncounted.
            self._count(came)

    def _count(self, size: int) -> None:
        if size:
            spent = allowance(self._store, self._month).spent
            self._store.put(_SPENT, [self._month, spent + size])
