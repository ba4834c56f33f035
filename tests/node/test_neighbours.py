"""Two laptops of one village on one network exchange what the other lacks; strangers get nothing."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from centre import made_hub
from village import COURSE, install_course
from werkzeug.serving import make_server

from hub import registry
from hub.endpoint import Endpoint
from hub.wiring import Hub, now_ms
from node import config, lan, multicast
from node.app import create_app
from node.errors import NodeError
from node.wiring import Node, open_node
from sync.entries import QuestionAnswered
from sync.errors import RefusedError
from sync.machine import Machine

VILLAGE = "17.05.10.2007"


@contextlib.contextmanager
def served(application: object) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, threaded=True)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = made_hub(tmp_path / "hub")
    yield made
    made.close()


def laptop(folder: Path, name: str, hub_url: str, village: str = VILLAGE) -> Node:
    machine = Machine()
    keys = {key: machine.random_bytes(32) for key in ("device", "sealing", "pepper", "session")}
    config.create(folder / name, config.Settings(hub_url, village, name), keys)
    node = open_node(folder / name, machine)
    (folder / f"{name}-course").mkdir()
    install_course(node, folder / f"{name}-course", COURSE)
    node.recorder.add_learner(f"Peserta {name}")
    return node


def registered(hub: Hub, node: Node) -> Node:
    code = registry.issue_code(hub.engine, node.config.village, secrets.token_bytes, now_ms())
    node.worker.enrol(str(code))
    return node


def answers(node: Node) -> int:
    with node.store.read() as db:
        return int(db.execute("SELECT coalesce(sum(answers), 0) FROM lesson_progress").fetchone()[0])


def answer(node: Node, count: int) -> None:
    for at in range(count):
        node.recorder.record(QuestionAnswered(0, 0, 1, 1 + at % 2, 0, True, at))


def test_each_takes_what_it_lacks_and_passes_it_on_to_the_centre(tmp_path: Path, hub: Hub) -> None:
    with served(Endpoint(hub.intake, lambda *_: [])) as url:
        one, other = (registered(hub, laptop(tmp_path, name, url)) for name in ("satu", "dua"))
        for node in (one, other, one):
            node.worker.exchange()
        answer(one, 3)
        answer(other, 4)
        with served(create_app(other)) as address:
            met = one.neighbours.meet(address)
            assert met.taken and met.given
            assert (answers(one), answers(other)) == (7, 7)
            again = one.neighbours.meet(address)
            assert answers(one) == answers(other) == 7
            assert again.taken == 0 or again.given <= 1, "only what the meeting itself added"
        names = {person.name for person in one.learning.learners()}
        assert names == {"Peserta satu", "Peserta dua"}
        one.worker.exchange()
        with hub.engine.connect() as connection:
            total = connection.exec_driver_sql("SELECT sum(answers) FROM lesson_progress").scalar()
        assert total == 7, "one laptop brought both logs"
        one.close()
        other.close()


def test_a_laptop_of_another_village_gets_nothing(tmp_path: Path, hub: Hub) -> None:
    with served(Endpoint(hub.intake, lambda *_: [])) as url:
        one = registered(hub, laptop(tmp_path, "satu", url))
        stranger = registered(hub, laptop(tmp_path, "asing", url, "17.05.10.2008"))
        for node in (one, stranger):
            node.worker.exchange()
        answer(one, 3)
        with served(create_app(one)) as address, pytest.raises(RefusedError):
            stranger.neighbours.meet(address)
        assert answers(stranger) == 0
        with served(create_app(stranger)) as address, pytest.raises((RefusedError, NodeError)):
            one.neighbours.meet(address)
        one.close()
        stranger.close()


@pytest.mark.slow
def test_laptops_of_a_village_find_each_other_and_nobody_else(tmp_path: Path) -> None:
    tag, other = lan.village_tag(b"r" * 32, VILLAGE), lan.village_tag(b"r" * 32, "17.05.10.2008")
    assert tag != other and VILLAGE.encode() not in tag
    with (
        multicast.found_by_neighbours(tag, "lontar-a", 8081, "127.0.0.1"),
        multicast.found_by_neighbours(other, "lontar-b", 8082, "127.0.0.1"),
    ):
        assert multicast.neighbours(tag, "lontar-c", 2.0) in ([], ["http://127.0.0.1:8081"])
        assert multicast.neighbours(tag, "lontar-a", 0.5) == []
