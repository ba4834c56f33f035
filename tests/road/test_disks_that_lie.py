"""Disks that lie: restored, copied, swapped, lost; at the village and at the centre. Over real HTTP."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from centre import made_hub
from sqlalchemy import select
from test_sticks import answers_counted, entries_at, entries_on, learn
from village import COURSE, install_course
from werkzeug.serving import make_server

from bench import world
from hub import keyring, proposals, registry, root_shares, rotation, schema, sharing
from hub.db import reading
from hub.endpoint import Endpoint
from hub.wiring import Hub, now_ms, open_hub
from node import config
from node.trust import pin, pinned_keyset
from node.wiring import Node, open_node
from sync.decisions import DeviceRegistered
from sync.entries import OpenReason
from sync.errors import SignatureError
from sync.machine import Machine
from sync.sealing import HYBRID

VILLAGE = "17.05.10.2007"


@dataclass
class Road:
    """A hub that is served in a thread, and can be stopped, set back and served again at the same address."""

    folder: Path
    hub: Hub
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        application = Endpoint(self.hub.intake, lambda *_: [])
        server = make_server("127.0.0.1", self.port, application, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def reopen(self) -> None:
        self.hub.close()
        self.hub = open_hub(self.folder / "hub")

    def laptop(self, name: str = "asri", machine: Machine | None = None) -> Node:
        state = {"LONTAR_STATE": str(self.folder / f"{name}-state")}
        return open_node(self.folder / name, machine, state)

    def village(self, name: str = "asri") -> Node:
        """A registered laptop with two people and a course; the hub must be served."""
        machine = Machine()
        keys = {key: machine.random_bytes(32) for key in ("device", "sealing", "pepper", "session")}
        config.create(self.folder / name, config.Settings(self.url, VILLAGE, name), keys)
        node = self.laptop(name)
        (self.folder / f"{name}-course").mkdir()
        install_course(node, self.folder / f"{name}-course", COURSE)
        node.recorder.add_learner("Siti", "Kaur Keuangan")
        node.recorder.add_learner("Budi", "Kepala Desa")
        code = registry.issue_code(self.hub.engine, VILLAGE, secrets.token_bytes, now_ms())
        node.worker.enrol(str(code))
        node.worker.exchange()
        return node


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    made = Road(tmp_path, made_hub(tmp_path / "hub"), world.free_port())
    yield made
    made.hub.close()


def alert_kinds(hub: Hub) -> set[str]:
    with reading(hub.engine) as connection:
        return set(connection.execute(select(schema.alerts.c.kind)).scalars())


def logs_of(node: Node) -> int:
    with node.store.read() as db:
        return int(db.execute("SELECT count(*) FROM logs").fetchone()[0])


def answers_here(node: Node) -> int:
    with node.store.read() as db:
        return int(db.execute("SELECT coalesce(sum(answers), 0) FROM lesson_progress").fetchone()[0])


@pytest.mark.parametrize("anchor_is_lost", [False, True])
def test_files_put_back_five_syncs_old_lose_nothing_of_either_history(
    road: Road, anchor_is_lost: bool
) -> None:
    with road.served():
        node = road.village()
        learn(node, 6)
        node.close()
        shutil.copytree(road.folder / "asri", road.folder / "backup")
        node = road.laptop()
        for sync in range(5):
            learn(node, 4, 100 * (sync + 1))
            node.worker.exchange()
        before = entries_on(node)
        assert node.recorder.counts().confirmed >= 26
        node.close()
        shutil.rmtree(road.folder / "asri")
        shutil.copytree(road.folder / "backup", road.folder / "asri")
        if anchor_is_lost:
            shutil.rmtree(road.folder / "asri-state")
        node = road.laptop()
        learn(node, 7, 900)
        for _ in range(3):
            node.worker.exchange()
        learn(node, 2, 1200)
        node.worker.exchange()
        everything = before | entries_on(node)
        quiet = {entry for log, entry in everything - entries_at(road.hub)}
        assert {entry.kind for entry in quiet} <= {4, 8}, "clock notes wait for others"
        assert answers_counted(road.hub) == 6 + 20 + 7 + 2
        assert answers_here(node) == 6 + 20 + 7 + 2, "learners see their progress again"
        assert logs_of(node) == 2, "one new log is enough"
        assert node.worker.state().alerts
        if anchor_is_lost:
            assert alert_kinds(road.hub) & {"behind", "fork"}
        node.close()


def test_twins_on_the_same_machine_are_told_apart_by_the_centre(road: Road) -> None:
    with road.served():
        node = road.village()
        learn(node, 5)
        node.close()
        for name in ("asri", "asri-state"):
            shutil.copytree(road.folder / name, road.folder / name.replace("asri", "twin"))
        node, twin = road.laptop(), road.laptop("twin")
        learn(node, 3, 50)
        learn(twin, 4, 70)
        for _ in range(3):
            for one in (node, twin):
                one.worker.exchange()
        learn(node, 2, 150)
        learn(twin, 2, 170)
        for _ in range(2):
            for one in (node, twin):
                one.worker.exchange()
        assert answers_counted(road.hub) == 5 + 3 + 4 + 2 + 2
        assert logs_of(node) <= 3 and logs_of(twin) <= 3
        assert "fork" in alert_kinds(road.hub)
        for one in (node, twin):
            one.close()


def test_a_centre_set_back_to_its_backup_gets_everything_again(road: Road) -> None:
    with road.served():
        node = road.village()
        learn(node, 5)
        node.worker.exchange()
    road.hub.close()
    shutil.copytree(road.folder / "hub", road.folder / "hub-backup")
    road.reopen()
    with road.served():
        for sync in range(3):
            learn(node, 4, 100 * (sync + 1))
            node.worker.exchange()
    acknowledged = entries_at(road.hub)
    road.hub.close()
    shutil.rmtree(road.folder / "hub")
    shutil.copytree(road.folder / "hub-backup", road.folder / "hub")
    road.reopen()
    assert acknowledged - entries_at(road.hub)
    with road.served():
        learn(node, 2, 800)
        node.worker.exchange()
    assert acknowledged - entries_at(road.hub) == set()
    assert answers_counted(road.hub) == 5 + 12 + 2
    assert any("kehilangan" in text for text in node.worker.state().alerts)
    node.close()


@pytest.mark.parametrize("lessons", [1, 9])
def test_a_centre_set_back_gets_both_sides_of_a_fork_of_which_it_lost_one(road: Road, lessons: int) -> None:
    """Found by world 1263 of the simulator: what the twin sent next followed what the centre had lost, and waited for ever."""
    with road.served():
        node = road.village()
        learn(node, 5)
        node.worker.exchange()
    node.close()
    road.hub.close()
    shutil.copytree(road.folder / "hub", road.folder / "hub-backup")
    for name in ("asri", "asri-state"):
        shutil.copytree(road.folder / name, road.folder / name.replace("asri", "twin"))
    road.reopen()
    node, twin = road.laptop(), road.laptop("twin")
    with road.served():
        for at in range(lessons):
            learn(twin, 1, 100 + at)
            twin.worker.exchange()
    road.hub.close()
    shutil.rmtree(road.folder / "hub")
    shutil.copytree(road.folder / "hub-backup", road.folder / "hub")
    road.reopen()
    with road.served():
        learn(node, 3, 200)
        node.worker.exchange()
        learn(twin, 2, 300)
        for _ in range(3):
            twin.worker.exchange()
    counts = twin.recorder.counts()
    assert counts.confirmed == counts.saved
    assert answers_counted(road.hub) == 5 + lessons + 3 + 2
    node.close()
    twin.close()


def test_a_centre_that_lost_what_it_said_goes_on_in_another_log(road: Road) -> None:
    with road.served():
        node = road.village()
    road.hub.close()
    shutil.copytree(road.folder / "hub", road.folder / "hub-backup")
    road.reopen()
    with road.served():
        other = road.village("lain")
        node.worker.exchange()
        assert len(node.centre.decisions(DeviceRegistered)) == 2
    road.hub.close()
    shutil.rmtree(road.folder / "hub")
    shutil.copytree(road.folder / "hub-backup", road.folder / "hub")
    road.reopen()
    with road.served():
        third = road.village("ketiga")
        node.worker.exchange()
        node.worker.exchange()
        said = {decision.kind.fields()[0] for decision in node.centre.decisions(DeviceRegistered)}
        assert third.config.device_key.public in said, "what it says now is heard"
        assert other.config.device_key.public in said, "what it said before is not forgotten"
        assert "hub-lost" in alert_kinds(road.hub)
    for one in (node, other, third):
        one.close()


def test_a_new_laptop_takes_over_and_learners_go_on(road: Road) -> None:
    with road.served():
        old = road.village()
        learn(old, 40)
        old.worker.exchange()
        total = answers_here(old)
        old.close()
        machine = Machine()
        keys = {key: machine.random_bytes(32) for key in ("device", "sealing", "pepper", "session")}
        config.create(road.folder / "baru", config.Settings(road.url, VILLAGE, "baru"), keys)
        new = road.laptop("baru")
        new.shelf.want_history()
        code = registry.issue_code(road.hub.engine, VILLAGE, secrets.token_bytes, now_ms())
        new.worker.enrol(str(code))
        new.worker.exchange()
        new.worker.exchange()
        assert {person.name for person in new.learning.learners()} == {"Siti", "Budi"}
        assert answers_here(new) == total
        number = next(person.number for person in new.learning.learners() if person.name == "Siti")
        (road.folder / "baru-course").mkdir()
        install_course(new, road.folder / "baru-course", COURSE)
        from sync.entries import QuestionAnswered

        new.recorder.record(QuestionAnswered(number, 0, 1, 1, 0, True, 5))
        new.worker.exchange()
        with reading(road.hub.engine) as connection:
            persons = set(connection.execute(select(schema.learners.c.person)).scalars())
        assert len(persons) == 2, "the same two people"
        assert answers_counted(road.hub) == total + 1
        new.close()


@pytest.mark.parametrize("change", [keyring.Change(new_hub_key=True), keyring.Change(new_intake=HYBRID)])
def test_new_keys_of_the_centre_reach_a_village_with_its_next_contact(
    road: Road, change: keyring.Change
) -> None:
    with road.served():
        node = road.village()
    old = pinned_keyset(node.store)
    keyring.rotate(road.hub.engine, road.hub.config, None, change, now_ms())
    road.reopen()
    learn(node, 3)
    with road.served():
        node.worker.exchange()
    new = pinned_keyset(node.store)
    assert old is not None and new is not None and new.version == old.version + 1
    assert answers_counted(road.hub) == 3
    assert OpenReason.FORKED not in (node.store.get("new_log"),)
    node.close()


def test_a_centre_that_lost_its_newest_keys_registers_who_knows_them(road: Road) -> None:
    """Found by the simulator: a laptop that came after the backup could never be registered again."""
    road.hub.close()
    shutil.copytree(road.folder / "hub", road.folder / "hub-backup")
    road.reopen()
    keyring.rotate(road.hub.engine, road.hub.config, None, keyring.Change(new_hub_key=True), now_ms())
    road.reopen()
    with road.served():
        node = road.village()
    newest = pinned_keyset(node.store)
    road.hub.close()
    shutil.rmtree(road.folder / "hub")
    shutil.copytree(road.folder / "hub-backup", road.folder / "hub")
    road.reopen()
    learn(node, 3)
    code = registry.issue_code(road.hub.engine, VILLAGE, secrets.token_bytes, now_ms())
    with road.served():
        node.worker.enrol(str(code))
        node.worker.exchange()
    assert answers_counted(road.hub) == 3
    assert pinned_keyset(node.store) == newest
    node.close()


def test_a_keyset_of_two_people_reaches_a_village_which_takes_no_older_one(road: Road) -> None:
    names = ("Budi", "Siti", "Made")
    hub = road.hub
    keys, old = hub.config.data / "keys", hub.config.keyset_data
    holders = [(name, road.folder / f"{name}.bagian") for name in names]
    root, plain = keyring.read_root(hub.config, None), [keys / keyring.ROOT_FILE]
    sharing.hand_out(hub.engine, hub.config, root, holders, "kata sandi milik {}".format, plain, now_ms())
    with road.served():
        node = road.village()
    proposal = rotation.propose(hub.config, keyring.Change(new_hub_key=True), "Rini", "", now_ms())
    for name, path in holders[1:]:
        share = root_shares.unlock(path.read_bytes(), f"kata sandi milik {name}")
        proposal = proposals.approve(proposal, share, now_ms())
    rotation.activate(hub.engine, hub.config, [proposal], now_ms())
    road.reopen()
    learn(node, 3)
    with road.served():
        node.worker.exchange()
    assert answers_counted(road.hub) == 3
    new = pinned_keyset(node.store)
    assert new is not None and new == road.hub.config.keyset and new.version == 2
    with pytest.raises(SignatureError):
        pin(node.store, old)
    assert pinned_keyset(node.store) == new
    node.close()
