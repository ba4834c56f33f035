"""What the tests of the officer's laptop share: a real hub in a thread, real villages, sticks that fail."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from centre import REGENCY, made_hub
from village import COURSE, NOBODY_THERE, install_course
from werkzeug.serving import make_server

from courier.desk import Desk
from courier.spool import Spool
from courier.wiring import open_desk
from hub import couriers, registry
from hub.app import create_app
from hub.endpoint import Endpoint
from hub.wiring import Hub, now_ms
from node import config
from node.wiring import Node, open_node
from sync import courier, exchange, items
from sync.courier import MAIL_PATH, MISSING_PATH, PART_PATH
from sync.entries import QuestionAnswered
from sync.keys import key_id, sha256
from sync.logclock import Reading
from sync.machine import Machine
from sync.stick import Files, Stick

NOVEMBER_2026: Final = 1_793_000_000_000


class Clock(Machine):
    """The officer's laptop, whose wall clock a test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.wall_ms = NOVEMBER_2026

    def reading(self) -> Reading:
        return Reading(b"boot", 0, self.wall_ms)


@dataclass
class Line:
    """What went over the line to the hub, and after how many parts it breaks."""

    app: Any
    paths: list[str] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    parts_left: int = 1000
    breaks_after_taking: bool = False
    swaps_mail: bool = False
    _left: dict[str, int] = field(default_factory=dict)

    def breaks_at(self, path: str, after: int) -> None:
        """Break once at that address, after so many answers."""
        self._left[path] = after

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.paths.append(path)
        self.bodies.append(int(environ.get("CONTENT_LENGTH") or 0))
        if path == PART_PATH:
            self.parts_left -= 1
            if self.parts_left < 0:
                if self.breaks_after_taking:
                    list(self.app(environ, lambda *_: None))
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                raise ConnectionResetError
        if path in self._left:
            self._left[path] -= 1
            if self._left[path] < 0:
                del self._left[path]
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                raise ConnectionResetError
        answer: Iterable[bytes] = self.app(environ, start_response)
        if self.swaps_mail and path == MAIL_PATH:
            # A part with its own right hash, sealed by anybody to the same laptop.
            signed, stream = exchange.split_answer(b"".join(answer))
            mail = courier.read_mail_part(next(iter(items.split(stream))))
            inside = mail.part[:-32][:-1] + b"x"
            return [signed, replace(mail, part=inside + sha256(inside)).encode()]
        return answer

    def count(self, path: str) -> int:
        return self.paths.count(path)

    def forget(self) -> None:
        self.paths.clear()
        self.bodies.clear()


@dataclass
class Land:
    """One hub at an address, villages without a signal, and an officer."""

    folder: Path
    hub: Hub
    line: Line
    url: str
    opened: list[Callable[[], None]] = field(default_factory=list)

    def village(self, name: str, code: str = "17.05.10.2007", keyset: bytes = b"") -> Node:
        """A laptop with a person and a course, never online, which knows the hub's keys."""
        machine = Machine()
        secrets = {key: machine.random_bytes(32) for key in ("device", "sealing", "pepper", "session")}
        config.create(self.folder / name, config.Settings(NOBODY_THERE, code, name), secrets)
        node = open_node(self.folder / name, None, {"LONTAR_STATE": str(self.folder / f"{name}-state")})
        self.opened.append(node.close)
        (self.folder / f"{name}-course").mkdir()
        install_course(node, self.folder / f"{name}-course", COURSE)
        node.recorder.add_learner(f"Siti {name}", "Kaur Keuangan")
        node.shelf.take_keyset(keyset or self.hub.config.keyset_data)
        return node

    def approve(self, node: Node) -> None:
        registry.approve(self.hub.engine, key_id(node.config.device_key.public), now_ms())

    def stick(self, name: str = "STICK", files: Files | None = None) -> Stick:
        (self.folder / name).mkdir(exist_ok=True)
        return Stick(self.folder / name, files)

    def officer(self, name: str = "officer", registered: bool = True, spool: Spool | None = None) -> Desk:
        """A laptop that knows the hub's address, and is let in for the regency."""
        desk = open_desk(self.folder / name, Clock(), spool)
        self.opened.append(desk.ledger.close)
        desk.set_hub(self.url)
        if registered:
            desk.register(self.url, self.code())
        return desk

    def code(self, name: str = "Pak Rahmat") -> str:
        return str(couriers.add(self.hub.engine, name, REGENCY, Machine().random_bytes, now_ms()))


@contextlib.contextmanager
def made_land(folder: Path) -> Iterator[Land]:
    hub = made_hub(folder / "hub")
    line = Line(Endpoint(hub.intake, create_app(hub).wsgi_app))
    server = make_server("127.0.0.1", 0, line, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    land = Land(folder, hub, line, f"http://127.0.0.1:{server.server_port}")
    try:
        yield land
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for close in land.opened:
            close()
        hub.close()


def learn(node: Node, count: int, first: int = 0) -> None:
    for at in range(first, first + count):
        node.recorder.record(QuestionAnswered(0, 0, 1, 1 + at % 2, at % 3, at % 2 == 0, 5 + at))


def tear(stick: Stick) -> Path:
    """Cut the last part on a stick short, as a pull does."""
    found = stick.parts("OUT")[-1]
    found.path.write_bytes(found.path.read_bytes()[:-10])
    return found.path


__all__ = ["MAIL_PATH", "MISSING_PATH", "PART_PATH"]
