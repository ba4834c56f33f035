"""Roads between computers, without sockets: the real WSGI endpoint of a hub, a neighbour's real answer, and all that goes wrong."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import urllib3

from content_packs.transfer import ADDRESS
from sync import exchange
from sync.errors import N_, NotAHubError, UnreachableError
from sync.post import Progress, checked

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
Answer = tuple[int, dict[str, str], bytes]
URL = "http://pusat.example"


@dataclass
class Faults:
    """How likely each thing is that a request can meet."""

    drop: float = 0.0
    cut: float = 0.0
    """The line breaks while the request goes up."""
    deaf: float = 0.0
    """The hub does it all, and its answer is lost."""
    twice: float = 0.0
    cut_answer: float = 0.0
    alter: float = 0.0
    """A proxy changes a byte of the request or of the answer."""


@dataclass
class Road:
    """From anybody to one computer. `faults` may be shared with other roads."""

    rng: random.Random
    ask: Callable[[str, bytes, int], Answer]
    """(path, what arrives of the body, its length as announced) to what is answered."""
    faults: list[Faults]
    overheard: list[tuple[str, bytes]] = field(default_factory=list)
    """Requests that somebody kept, to send them once more whenever it suits."""

    def send(
        self, path: str, body: bytes, most: int, progress: Progress = lambda sent, total: None
    ) -> bytes:
        """As `sync.post.Post.send`."""
        happens, faults = self.rng.random, self.faults[0]
        self.overheard.append((path, body))
        if happens() < faults.drop:
            raise _unreachable()
        if happens() < faults.cut:
            self.ask(path, body[: self.rng.randrange(len(body) + 1)], len(body))
            raise _unreachable()
        if happens() < faults.alter and body:
            body = _altered(self.rng, body)
        status, headers, answer = self.ask(path, body, len(body))
        if happens() < faults.twice:
            status, headers, answer = self.ask(path, body, len(body))
        if happens() < faults.deaf:
            raise _unreachable()
        if happens() < faults.cut_answer and answer:
            answer = answer[: self.rng.randrange(len(answer))]
        if happens() < faults.alter and answer:
            answer = _altered(self.rng, answer)
        response = urllib3.HTTPResponse(headers=headers, status=status)
        return checked(answer, response, URL, most)

    def replay(self) -> None:
        """Somebody sends what was sent before; nobody reads the answer."""
        if self.overheard:
            path, body = self.rng.choice(self.overheard)
            self.ask(path, body, len(body))


@dataclass
class PackLine:
    """The files under `/packs/` of one computer."""

    rng: random.Random
    application: Callable[[], WsgiApp]
    faults: list[Faults]

    def read(self, path: str, start: int) -> Iterator[bytes]:
        """As `content_packs.http_line.HttpLine.read`."""
        happens, faults = self.rng.random, self.faults[0]
        if happens() < faults.drop:
            raise _unreachable()
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": ADDRESS + path, "HTTP_RANGE": f"bytes={start}-"}
        status, _, data = _answered(self.application(), environ)
        if status not in (200, 206):
            raise NotAHubError(N_("Pusat tidak memiliki pelatihan ini."))
        if happens() < faults.alter and data:
            data = _altered(self.rng, data)
        if happens() < faults.cut:
            yield data[: self.rng.randrange(len(data) + 1)]
            raise _unreachable()
        yield data


def asking(application: Callable[[], WsgiApp]) -> Callable[[str, bytes, int], Answer]:
    """Ask a WSGI application: the one that runs now."""

    def ask(path: str, body: bytes, length: int) -> Answer:
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(length),
            "CONTENT_TYPE": exchange.MEDIA_TYPE,
            "wsgi.input": io.BytesIO(body),
        }
        return _answered(application(), environ)

    return ask


def _answered(application: WsgiApp, environ: dict[str, Any]) -> Answer:
    seen: list[tuple[int, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        seen.append((int(status.split()[0]), dict(headers)))

    answer = b"".join(application(environ, start_response))
    return *seen[0], answer


def _altered(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _unreachable() -> UnreachableError:
    return UnreachableError(N_("Pusat tidak dapat dihubungi."))
