"""A TCP proxy that counts payload bytes, can be slow like 2G, and can cut a connection in the middle."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Link:
    """How the line behaves. `rtt_s` and `rate` (bytes a second, each way) are 0 for a perfect one."""

    rtt_s: float = 0.0
    rate: float = 0.0
    cut_after_up: int | None = None
    cut_after_down: int | None = None
    """Cut once when so many bytes have come down in all."""


@dataclass
class Counts:
    up: int = 0
    down: int = 0
    connections: int = 0


@dataclass
class CountingProxy:
    """Listens on a port of its own and passes everything on to `target`."""

    target: tuple[str, int]
    link: Link = field(default_factory=Link)
    counts: Counts = field(default_factory=Counts)

    def __enter__(self) -> CountingProxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._listener.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def settle(self) -> None:
        """Wait until what is still on its way has been counted."""
        before, deadline = (-1, -1), time.monotonic() + 2
        while time.monotonic() < deadline and before != (self.counts.up, self.counts.down):
            before = (self.counts.up, self.counts.down)
            time.sleep(0.1)

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.counts.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        time.sleep(self.link.rtt_s)  # the handshake
        server = socket.create_connection(self.target)
        for source, sink, upward in ((client, server, True), (server, client, False)):
            threading.Thread(target=self._pump, args=(source, sink, upward), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, upward: bool) -> None:
        line: queue.Queue[tuple[float, bytes]] = queue.Queue()
        threading.Thread(target=self._deliver, args=(line, sink), daemon=True).start()
        busy_until = time.monotonic()
        while True:
            try:
                data = source.recv(512)
            except OSError:
                data = b""
            if upward and self.link.cut_after_up is not None and data:
                left = self.link.cut_after_up - self.counts.up
                if len(data) >= left:
                    self.counts.up += max(0, left)
                    line.put((time.monotonic(), data[: max(0, left)]))
                    line.put((time.monotonic(), b""))
                    self.link.cut_after_up = None
                    _close(source)
                    return
            most = self.link.cut_after_down
            if not upward and data and most is not None and self.counts.down + len(data) > most:
                self.link.cut_after_down = None
                line.put((time.monotonic(), b""))
                _close(source)
                return
            if upward:
                self.counts.up += len(data)
            else:
                self.counts.down += len(data)
            now = time.monotonic()
            if self.link.rate:
                busy_until = max(busy_until, now) + len(data) / self.link.rate
                time.sleep(max(0.0, busy_until - time.monotonic()))
            line.put((time.monotonic() + self.link.rtt_s / 2, data))
            if not data:
                return

    @staticmethod
    def _deliver(line: queue.Queue[tuple[float, bytes]], sink: socket.socket) -> None:
        while True:
            due, data = line.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
            except OSError:
                return


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
