"""The road without a signal: real nodes, a real hub, real files on a stick; nobody is ever online."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from centre import made_hub
from sqlalchemy import func, select
from village import COURSE, install_course

from bench import world
from content_packs.build import build_pack
from hub import mail, parts, registry, schema
from hub.db import reading, writing
from hub.wiring import Hub, now_ms
from node import config
from node.courses import install_from
from node.wiring import Node, open_node
from sync.courier import Taken, ask_missing
from sync.entries import Entry, LessonOpened, OpenReason, QuestionAnswered
from sync.keys import SigningKey, key_id
from sync.machine import Machine
from sync.segment import open_segment
from sync.stick import IN, OUT, PACKS, Stick, pack_name


@dataclass
class Land:
    """One hub, and villages that can only reach it by stick."""

    folder: Path
    hub: Hub
    machines: dict[str, Machine] = field(default_factory=dict)

    def village(self, name: str, code: str = "17.05.10.2007") -> Node:
        """A new laptop that nobody knows yet, with two people and a course."""
        data = self.folder / name
        machine = Machine()
        secrets = {key: machine.random_bytes(32) for key in ("device", "sealing", "pepper", "session")}
        config.create(data, config.Settings("http://127.0.0.1:9", code, name), secrets)
        node = self.opened(name)
        (self.folder / f"{name}-course").mkdir()
        install_course(node, self.folder / f"{name}-course", COURSE)
        node.recorder.add_learner(f"Siti {name}", "Kaur Keuangan")
        node.recorder.add_learner(f"Budi {name}", "Kepala Desa")
        return node

    def opened(self, name: str, machine: Machine | None = None) -> Node:
        state = {"LONTAR_STATE": str(self.folder / f"{name}-state")}
        return open_node(self.folder / name, machine, state)

    def stick(self, name: str = "stick") -> Stick:
        (self.folder / name).mkdir(exist_ok=True)
        return Stick(self.folder / name)

    def visit_centre(self, stick: Stick) -> None:
        """An operator plugs the stick into the hub's machine."""
        for found in stick.parts(OUT):
            parts.take(self.hub.intake, stick.read_part(found))
        with writing(self.hub.engine) as connection:
            bag = mail.compose(connection, self.hub.config, "", now_ms())
        mail.put(self.hub.config, stick, bag)

    def approve(self, node: Node) -> None:
        registry.approve(self.hub.engine, key_id(node.config.device_key.public), now_ms())


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Land]:
    hub = made_hub(tmp_path / "hub")
    yield Land(tmp_path, hub)
    hub.close()


def visit_village(node: Node, stick: Stick) -> None:
    """The officer plugs the stick in: what comes is taken, what goes is written."""
    if node.store.get("keyset") is None and node.bundles.keyset_on(stick) is not None:
        node.bundles.trust(stick)
    node.bundles.read(stick)
    node.bundles.write(stick)


def registered_by_stick(land: Land, node: Node, stick: Stick) -> None:
    land.visit_centre(stick)
    visit_village(node, stick)
    land.visit_centre(stick)
    land.approve(node)
    land.visit_centre(stick)
    node.bundles.read(stick)


def learn(node: Node, count: int, first: int = 0) -> None:
    for at in range(first, first + count):
        node.recorder.record(QuestionAnswered(at % 2, 0, 1, 1 + at % 2, at % 3, at % 2 == 0, 5 + at))


def entries_on(*nodes: Node) -> set[tuple[bytes, Entry]]:
    held = set()
    for node in nodes:
        node.recorder.seal(even_quiet=True)
        with node.store.read() as db:
            rows = db.execute("SELECT l.log, s.data FROM segments s JOIN logs l ON l.pk = s.log").fetchall()
        held |= {(log, entry) for log, data in rows for entry in open_segment(data).read().entries()}
    return held


def entries_at(hub: Hub) -> set[tuple[bytes, Entry]]:
    s = schema.segments
    with reading(hub.engine) as connection:
        query = select(schema.logs.c.log, s.c.data).join(schema.logs, schema.logs.c.pk == s.c.log)
        rows = connection.execute(query.where(s.c.state == schema.MERGED)).all()
    return {(bytes(log), entry) for log, data in rows for entry in open_segment(data).read().entries()}


def answers_counted(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return int(connection.execute(select(func.sum(schema.lesson_progress.c.answers))).scalar() or 0)


def test_a_village_that_is_never_online_is_registered_sent_and_confirmed_by_stick(land: Land) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    assert node.worker.state().registration == "registered"
    learn(node, 20)
    visit_village(node, stick)
    land.visit_centre(stick)
    node.bundles.read(stick)
    counts = node.recorder.counts()
    assert counts.confirmed >= 20
    assert answers_counted(land.hub) == 20
    visit_village(node, stick)
    land.visit_centre(stick)
    assert entries_on(node) - entries_at(land.hub) == set()


def test_a_bundle_delivered_twice_or_by_two_sticks_counts_once(land: Land) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    learn(node, 10)
    visit_village(node, stick)
    copies = [stick.read_part(found) for found in stick.parts(OUT)]
    assert [parts.take(land.hub.intake, part) for part in copies] == [Taken.NEW] * len(copies)
    assert [parts.take(land.hub.intake, part) for part in copies] == [Taken.HELD] * len(copies)
    other = land.stick("other")
    visit_village(node, other)
    land.visit_centre(other)
    assert answers_counted(land.hub) == 10


def test_a_restored_backup_loses_nothing_and_counts_nothing_twice(land: Land) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    learn(node, 5)
    node.close()
    shutil.copytree(land.folder / "asri", land.folder / "backup")
    node = land.opened("asri")
    for round_ in range(5):
        learn(node, 4, 100 * round_)
        visit_village(node, stick)
        land.visit_centre(stick)
        node.bundles.read(stick)
    known = entries_on(node)
    node.close()
    shutil.rmtree(land.folder / "asri")
    shutil.copytree(land.folder / "backup", land.folder / "asri")
    restored = land.opened("asri")
    assert restored.store.get("new_log") == OpenReason.RESTORED
    learn(restored, 7, 900)
    for _ in range(2):
        visit_village(restored, stick)
        land.visit_centre(stick)
        restored.bundles.read(stick)
    visit_village(restored, stick)
    land.visit_centre(stick)
    lost = (known | entries_on(restored)) - entries_at(land.hub)
    assert {entry.kind for _, entry in lost} <= {4, 8, 28}, "only what no stick ever carried"
    assert answers_counted(land.hub) == 5 + 20 + 7
    with restored.store.read() as db:
        here = db.execute("SELECT sum(answers) FROM lesson_progress").fetchone()[0]
    assert here == 5 + 20 + 7, "learners see their progress again"


def test_a_cloned_disk_goes_on_twice_and_everything_counts_once(land: Land) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    learn(node, 6)
    node.close()
    shutil.copytree(land.folder / "asri", land.folder / "twin")
    shutil.copytree(land.folder / "asri-state", land.folder / "twin-state")

    class OtherMachine(Machine):
        def fingerprint(self) -> bytes:
            return b"another machine."

    node, twin = land.opened("asri"), land.opened("twin", OtherMachine())
    assert twin.store.get("new_log") == OpenReason.MOVED
    learn(node, 3, 50)
    learn(twin, 4, 70)
    for _ in range(3):
        for one in (node, twin):
            visit_village(one, stick)
            land.visit_centre(stick)
            one.bundles.read(stick)
    assert answers_counted(land.hub) == 6 + 3 + 4


def test_nothing_on_a_stick_can_be_read(land: Land) -> None:
    stick, node = land.stick(), land.village("asri", "17.05.10.2008")
    registered_by_stick(land, node, stick)
    learn(node, 30)
    node.recorder.record(LessonOpened(0, 0, 1))
    visit_village(node, stick)
    land.visit_centre(stick)
    found = 0
    for folder, _, names in os.walk(stick.drive):
        for name in names:
            data = (Path(folder) / name).read_bytes()
            found += 1
            for secret in ("Siti", "Budi", "asri", "17.05", "2008", "Kas Desa", "Kaur", "Lubuk"):
                assert secret.encode() not in data, f"{name} tells {secret}"
    assert found >= 4
    assert stick.parts(IN)


def test_a_course_on_a_stick_is_installed_if_the_centre_s_publisher_signed_it(land: Land) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    seed = bytes.fromhex((land.folder / "hub" / "keys" / "publisher.key").read_text())
    for name, key in (("kas", SigningKey.from_seed(seed)), ("asing", SigningKey.from_seed(bytes(32)))):
        source = land.folder / name
        source.mkdir()
        for file, text in COURSE.items():
            (source / file).write_text(
                text.replace('"kas-desa"', f'"{name}"').replace('"Kas Desa"', f'"{name}"')
            )
        built = io.BytesIO()
        build_pack(source, key).write(built)
        stick.write_file(PACKS, pack_name(built.getvalue()), built.getvalue())
    assert install_from(node, stick) == ["kas"]
    assert install_from(node, stick) == [], "it is there"


def test_a_bundle_of_five_thousand_entries_is_small_and_a_courier_s_question_too(land: Land) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    world.install_catalogue(land.folder / "catalogue", node)
    world.play(node, world.workload_lines(1, 5000))
    written = node.bundles.write(stick)
    assert written.entries >= 5000
    assert written.size <= 24_000
    assert len(ask_missing([bytes([at % 256]) * 32 for at in range(300)])) <= 3_000
