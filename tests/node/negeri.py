"""A real hub, villages, and sticks between them, for the tests of the pages; and drives that fail in every way."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from centre import made_hub
from flask.testing import FlaskClient
from village import COURSE, NOBODY_THERE, install_course
from werkzeug.test import TestResponse

from hub import downlink, mail, parts, registry
from hub.db import writing
from hub.wiring import Hub, now_ms
from node import config
from node.app import create_app
from node.visits import Visit, Visits
from node.wiring import Node, open_node
from sync.drives import Drive
from sync.entries import Kind, QuestionAnswered
from sync.keys import key_id
from sync.machine import Machine
from sync.stick import OUT, Files, Stick

CODE: Final = "17.05.10.2007"
PASSWORD: Final = "rahasia desa"
PHONE: Final = {"REMOTE_ADDR": "192.168.43.20"}
PATIENCE_S: Final = 20


@dataclass
class Negeri:
    """One hub and everything around it, in a folder."""

    folder: Path
    hub: Hub
    nodes: list[Node] = field(default_factory=list)

    def village(self, name: str = "asri", code: str = CODE, hub_url: str = NOBODY_THERE) -> Node:
        """A laptop that nobody knows yet, with Siti (0), Budi (1) and a course."""
        machine = Machine()
        secrets = {key: machine.random_bytes(32) for key in ("device", "sealing", "pepper", "session")}
        config.create(self.folder / name, config.Settings(hub_url, code, "Lontar Asri"), secrets)
        node = self.opened(name)
        (self.folder / f"{name}-course").mkdir()
        install_course(node, self.folder / f"{name}-course", COURSE)
        node.recorder.add_learner("Siti Aminah", "Kaur Keuangan")
        node.recorder.add_learner("Budi Santoso", "Kepala Desa")
        return node

    def opened(self, name: str) -> Node:
        node = open_node(self.folder / name, None, {"LONTAR_STATE": str(self.folder / f"{name}-state")})
        self.nodes.append(node)
        return node

    def registered(self, name: str = "asri", code: str = CODE) -> Node:
        """A laptop that the centre let in, all by stick."""
        node, stick = self.village(name, code), self.stick(f"{name}-first")
        self.visit_centre(stick)
        node.bundles.trust(stick)
        node.bundles.write(stick)
        self.visit_centre(stick)
        registry.approve(self.hub.engine, device_of(node), now_ms())
        self.visit_centre(stick)
        node.bundles.read(stick)
        return node

    def drive(self, name: str = "stick") -> Path:
        (self.folder / name).mkdir(exist_ok=True)
        return self.folder / name

    def stick(self, name: str = "stick") -> Stick:
        return Stick(self.drive(name))

    def visit_centre(self, stick: Stick) -> None:
        for found in stick.parts(OUT):
            parts.take(self.hub.intake, stick.read_part(found))
        with writing(self.hub.engine) as connection:
            bag = mail.compose(connection, self.hub.config, "", now_ms())
        mail.put(self.hub.config, stick, bag)

    def say(self, kind: Kind, scope: str = CODE) -> None:
        with writing(self.hub.engine) as connection:
            downlink.decide(connection, scope, kind, now_ms())

    def told(self, node: Node) -> None:
        """What the centre has to say reaches the laptop."""
        stick = self.stick("telling")
        node.bundles.write(stick)
        self.visit_centre(stick)
        node.bundles.read(stick)


@contextlib.contextmanager
def a_negeri(folder: Path) -> Iterator[Negeri]:
    made = Negeri(folder, made_hub(folder / "hub"))
    yield made
    for node in made.nodes:
        node.close()
    made.hub.close()


def device_of(node: Node) -> bytes:
    return key_id(node.config.device_key.public)


def learn(node: Node, count: int, learner: int | None = None) -> None:
    for at in range(count):
        who = at % 2 if learner is None else learner
        node.recorder.record(QuestionAnswered(who, 0, 1, 1 + at % 2, at % 3, at % 2 == 0, 5))


@dataclass
class Office:
    """The pages of one laptop, and the visits behind them."""

    node: Node
    visits: Visits
    client: FlaskClient

    def post(self, path: str, **form: str) -> TestResponse:
        return post(self.client, path, **form)

    def log_in(self) -> None:
        assert self.post("/operator/masuk", password=PASSWORD, again=PASSWORD).location == "/operator"

    def phone(self) -> FlaskClient:
        client = self.client.application.test_client()
        client.environ_base.update(PHONE)
        return client

    def saved(self, path: Path) -> Visit:
        """One visit by the big button."""
        assert self.post("/flashdisk/simpan", di=str(path)).location == "/flashdisk/proses"
        self.visits.wait(PATIENCE_S)
        visit = self.visits.now()
        assert visit is not None
        assert not visit.is_running
        return visit


def office(node: Node, *plugged: Path, files: Files | None = None) -> Office:
    visits = Visits(node, files, lambda: [Drive(path, path.name) for path in plugged])
    return Office(node, visits, create_app(node, visits).test_client())


def post(client: FlaskClient, path: str, **form: str) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sinkronisasi").text)
    assert found
    return client.post(path, data={**form, "csrf_token": found[1]})


class FullFiles(Files):
    def free(self, path: Path) -> int:
        return 1000


class ReadOnlyFiles(Files):
    def write(self, path: Path, data: bytes) -> None:
        raise OSError(errno.EROFS, "read-only")


class FakeFiles(Files):
    """A drive that says it is large and loses what is written."""

    def read(self, path: Path, most: int) -> bytes:
        data = super().read(path, most)
        return bytes(len(data)) if path.suffix == ".TMP" else data


class PulledFiles(Files):
    """A drive that somebody pulls after `left` writes."""

    def __init__(self, left: int) -> None:
        self.left = left

    def write(self, path: Path, data: bytes) -> None:
        self.left -= 1
        if self.left < 0:
            path.write_bytes(data[: len(data) // 2])
            raise OSError(errno.EIO, "gone")
        super().write(path, data)
