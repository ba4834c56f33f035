"""Bodies on their way to the hub: how many may come at once, and who must go when others find no room.

Devices on 2G may be slow, and as long as there is room, nobody is hurried. When a request finds none, those whose bytes drip
slower than any line carries them are cut off, so that drops on a few connections can't keep a land's villages out.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from hub.errors import BusyError
from sync.errors import N_, MalformedError, TooLargeError

UPLOADS_MOST: Final = 24
"""How many a worker has under way. Who comes then would wait longer than a device does, and be worked for in vain."""
GRACE_S: Final = 30.0
"""For so long nobody is slow: a line on 2G may be silent meanwhile."""
FLOOR: Final = 100
"""Bytes a second. The slowest line that Lontar is planned for carries 4,096, a third of the time."""
_READ: Final = 1024

log = logging.getLogger(__name__)


def is_too_slow(seconds: float, arrived: int) -> bool:
    """Whether so little in so long is no line's fault. What is still being gathered for a read counts as arrived."""
    return seconds > GRACE_S + (arrived + _READ) / FLOOR


@dataclass(eq=False)
class Upload:
    """The body of one request."""

    source: Any
    """`wsgi.input`"""
    declared: str
    """`CONTENT_LENGTH`"""
    line: socket.socket | None
    began_s: float
    arrived: int = 0
    is_cut: bool = False

    def pieces(self, most: int) -> Iterator[bytes]:
        """The body in small pieces, until it ends or the connection does.

        Raises:
            MalformedError: it comes without a length.
            TooLargeError: it is longer than `most` by its own word; not a byte of it is read.
        """
        if not self.declared.isdecimal():
            raise MalformedError(N_("Permintaan tanpa ukuran tidak diterima."))
        if int(self.declared) > most:
            raise TooLargeError(N_("Kiriman melebihi batas %(limit)s bita."), limit=most)
        return self._arriving(int(self.declared))

    def whole(self, most: int) -> bytes:
        """As `pieces`, at once."""
        return b"".join(self.pieces(most))

    def cut(self) -> None:
        """End it as a broken line would: whoever reads gets what came until now, and no more."""
        self.is_cut = True
        if self.line is not None:
            with contextlib.suppress(OSError):  # it may have ended by itself
                self.line.shutdown(socket.SHUT_RD)

    def _arriving(self, left: int) -> Iterator[bytes]:
        while left > 0 and not self.is_cut:
            try:
                piece = self.source.read(min(_READ, left))
            except OSError:
                return
            if not piece:
                return
            left -= len(piece)
            self.arrived += len(piece)
            yield piece


class Uploads:
    """All that are under way in this process."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._under_way: set[Upload] = set()

    @contextlib.contextmanager
    def room(self, environ: dict[str, Any]) -> Iterator[Upload]:
        """Room for the body of this request, until it is answered.

        Raises:
            BusyError: there is none; not a byte was read.
        """
        upload = Upload(
            environ["wsgi.input"],
            environ.get("CONTENT_LENGTH") or "",
            environ.get("gunicorn.socket"),
            self._clock_s(),
        )
        with self._lock:
            if len(self._under_way) >= UPLOADS_MOST:
                self._cut_who_is_too_slow()
                raise BusyError(
                    N_("Pusat sedang menerima banyak kiriman. Data aman di perangkat; coba lagi nanti.")
                )
            self._under_way.add(upload)
        try:
            yield upload
        finally:
            with self._lock:
                self._under_way.discard(upload)

    def _cut_who_is_too_slow(self) -> None:
        now = self._clock_s()
        slow = [one for one in self._under_way if is_too_slow(now - one.began_s, one.arrived)]
        for one in slow:
            one.cut()
        if slow:
            log.warning("cut %d uploads that came too slowly, for others found no room", len(slow))
