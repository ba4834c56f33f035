"""The whole story, with the product's own commands and real processes.

Three villages that are never online. One officer, who visits them again and again with one stick; one stick is lost on
the way. A regency's hub below the nation's. A laptop that is revoked, one whose disk was copied, one whose disk was set
back. At the end the nation holds every surviving entry once, each village its confirmations, and no stick anything
that could be read.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bench import activity, world
from hub import quarantine, registry, schema
from hub.db import reading
from hub.wiring import Hub, now_ms, open_hub
from node.wiring import open_node
from sync.entries import Entry
from sync.keys import key_id
from sync.segment import open_segment

PASSWORD = "kata-sandi-panjang"
START = datetime(2026, 10, 1, tzinfo=UTC)
VILLAGES = {"asri": "17.05.10.2007", "baru": "17.05.10.2008", "cerah": "17.05.13.2001"}
COURSE = Path(__file__).parent.parent.parent / "content_packs" / "demo" / "pengelolaan-keuangan-desa"
QUIET = {4, 8, 28}
"""Clock notes, anchors and the mention of the last bundle itself, which wait for other entries."""


class Story:
    """Folders of hubs, villages, the officer and sticks, and the commands that act on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: world.free_port() for name in ("nation", "regency")}
        self.visited: list[bytes] = []

    def run(self, *arguments: object, state: str = "", exit_code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "lontar", *map(str, arguments)],
            env={
                **os.environ,
                "LONTAR_LANG": "id",
                "LONTAR_STATE": str(self.folder / f"{state or 'hub'}-state"),
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == exit_code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def node(self, name: str, *arguments: object, exit_code: int = 0) -> str:
        """A command of a village's laptop; a twin shares the machine with its original."""
        return self.run(*arguments, "--data", self.folder / name, state=name, exit_code=exit_code)

    def hub(self, name: str, *arguments: object) -> str:
        return self.run("hub", *arguments, "--data", self.folder / name)

    def serving(self, name: str) -> world.Serving:
        return world.serving_hub(self.folder / name, self.ports[name])

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def opened(self, name: str) -> Hub:
        return open_hub(self.folder / name)

    def stick(self, name: str) -> Path:
        (self.folder / name).mkdir(exist_ok=True)
        return self.folder / name

    def learn(self, name: str, count: int, seed: str) -> None:
        """Activity of learners in this village, from a file as an older program would bring it."""
        node = open_node(
            self.folder / name, environment={"LONTAR_STATE": str(self.folder / f"{name}-state")}
        )
        lines = activity.lines(node.packs.packs()[0], count, START)
        node.close()
        file = self.folder / f"{seed}.jsonl"
        # The same learners go on; each file's lines are new ones.
        file.write_text(
            "".join(json.dumps({**line, "id": f"{seed}-{line['id']}"}) + "\n" for line in lines)
        )
        self.node(name, "node", "record", file)

    def visit(self, name: str, stick: Path, *trust: str) -> None:
        """The officer plugs the stick in at a village."""
        self.node(name, "usb", "read", stick, *trust)
        self.node(name, "usb", "write", stick)
        self.look_at(stick)

    def look_at(self, stick: Path) -> None:
        """Remember every byte that was ever on a stick."""
        self.visited += [path.read_bytes() for path in stick.rglob("*") if path.is_file()]

    def carry(self, stick: Path) -> None:
        """The officer has a signal."""
        self.run("courier", "send", stick, "--data", self.folder / "officer")
        self.look_at(stick)


def entries_on(folder: Path, state: Path) -> set[tuple[bytes, Entry]]:
    node = open_node(folder, environment={"LONTAR_STATE": str(state)})
    node.recorder.seal(even_quiet=True)
    with node.store.read() as db:
        rows = db.execute("SELECT l.log, s.data FROM segments s JOIN logs l ON l.pk = s.log").fetchall()
    node.close()
    return {(log, entry) for log, data in rows for entry in open_segment(data).read().entries()}


def entries_at(hub: Hub) -> list[tuple[bytes, Entry]]:
    s = schema.segments
    with reading(hub.engine) as connection:
        query = select(schema.logs.c.log, s.c.data, s.c.rejected)
        query = query.join(schema.logs, schema.logs.c.pk == s.c.log).where(s.c.state == schema.MERGED)
        rows = connection.execute(query).all()
    return [(bytes(log), entry) for log, data, _ in rows for entry in open_segment(data).read().entries()]


def answers_of(entries: set[tuple[bytes, Entry]]) -> int:
    return sum(entry.kind == 11 for _, entry in entries)


def answers_counted(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return int(connection.execute(select(func.sum(schema.lesson_progress.c.answers))).scalar() or 0)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Both hubs, the course, the officer with a code, three laptops that know only their village's code."""
    made = Story(tmp_path)
    for name in ("nation", "regency"):
        made.hub(name, "init", "--password", PASSWORD, "--regions", "17.05")
    key = tmp_path / "regency" / "keys" / "publisher.key"
    made.run("pack", "build", COURSE, "--key", key, "-o", tmp_path / "course.lontar")
    fingerprint = publisher(made)
    code = made.hub("nation", "register", "17.05").strip()
    with made.serving("nation"):
        made.hub("regency", "upstream", made.url("nation"), "--code", code, "--region", "17.05")
    courier_code = re.search(
        r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}",
        made.hub("regency", "courier", "Rahman", "--region", "17.05"),
    )
    assert courier_code is not None
    with made.serving("regency"):
        made.run(
            *("courier", "register", "--hub", made.url("regency"), "--code", courier_code[0]),
            *("--data", tmp_path / "officer"),
        )
    for name, village in VILLAGES.items():
        made.node(name, "node", "init", "--hub", made.url("regency"), "--village", village)
        made.node(name, "pack", "install", tmp_path / "course.lontar", "--trust", fingerprint)
    yield made


def publisher(story: Story) -> str:
    from sync.keys import SigningKey, fingerprint

    seed = (story.folder / "regency" / "keys" / "publisher.key").read_text().strip()
    return fingerprint(SigningKey.from_seed(bytes.fromhex(seed)).public)


@pytest.mark.slow
def test_three_villages_that_are_never_online(story: Story) -> None:
    folder, stick = story.folder, story.stick("stick")
    root = story.hub("regency", "keys", "fingerprint").splitlines()[0]
    with story.serving("regency"):
        story.carry(stick)  # brings the centre's keys
        story.learn("asri", 300, "a1")
        story.learn("baru", 250, "b1")
        story.learn("cerah", 200, "c1")
        for name in VILLAGES:
            story.visit(name, stick, "--trust", root)
        story.carry(stick)
        waiting = story.hub("regency", "register", "--waiting").split()[::2]
        assert len(waiting) == 3, "their requests came by stick"
        for device in waiting:
            story.hub("regency", "register", "--approve", device)
        story.carry(stick)
        for name in VILLAGES:
            story.visit(name, stick)
            assert "registered" in story.node(name, "node", "status") or "erdaftar" in story.node(
                name, "node", "status"
            )

        # A backup of one village, a copy of another; then work goes on everywhere.
        shutil.copytree(folder / "baru", folder / "backup")
        for place in ("cerah", "cerah-state"):
            shutil.copytree(folder / place, folder / place.replace("cerah", "twin"))
        story.learn("baru", 120, "b2")
        story.learn("cerah", 90, "c2")
        story.learn("twin", 80, "t2")
        for name in ("baru", "cerah", "twin"):
            story.visit(name, stick)
        story.carry(stick)

        # The next stick is lost on its way; what was on it is still in the villages.
        story.learn("asri", 60, "a3")
        lost = story.stick("lost")
        shutil.copytree(stick, lost, dirs_exist_ok=True)
        story.visit("asri", lost)
        shutil.rmtree(lost)

        # One disk is set back; one laptop is revoked and goes on all the same.
        known = entries_on(folder / "baru", folder / "baru-state")
        shutil.rmtree(folder / "baru")
        shutil.copytree(folder / "backup", folder / "baru")
        story.learn("baru", 70, "b4")
        asri = story_device(story, "asri")
        story.visit("asri", stick)
        story.carry(stick)
        story.hub("regency", "register", "--revoke", asri.hex())
        story.learn("asri", 50, "a5")
        for _ in range(3):
            for name in ("asri", "baru", "cerah", "twin"):
                story.visit(name, stick)
            story.carry(stick)

        hub = story.opened("regency")
        with reading(hub.engine) as connection:
            device = next(row for row in registry.devices(connection) if row.device == asri)
            apart = quarantine.of_device(connection, device.pk)
        assert apart, "what the revoked laptop sent is kept apart"
        quarantine.decide(hub.engine, asri, {one.pk for one in apart}, (), "", now_ms())
        for name in ("asri", "baru", "cerah", "twin"):
            story.visit(name, stick)
        story.carry(stick)

        everything = known
        for name in ("asri", "baru", "cerah", "twin"):
            everything |= entries_on(folder / name, folder / f"{name}-state")
        held = entries_at(hub)
        assert {entry.kind for _, entry in everything - set(held)} <= QUIET
        assert answers_counted(hub) == answers_of(everything), "every surviving answer once"
        with story.serving("nation"):
            story.hub("regency", "relay", "--once")
            nation = story.opened("nation")
            assert answers_counted(nation) == answers_counted(hub)
            assert {entry.kind for _, entry in set(held) - set(entries_at(nation))} <= QUIET
            nation.close()
        hub.close()

    for name in ("baru", "cerah", "twin"):
        node = open_node(folder / name, environment={"LONTAR_STATE": str(folder / f"{name}-state")})
        counts = node.recorder.counts()
        assert counts.saved - counts.confirmed <= 12, f"{name}: its work is confirmed"
        node.close()
    secret = [
        "Ratna",
        "Siti",
        "Peserta",
        "Kaur",
        "17.05",
        "Sekalak",
        "Keuangan",
        *VILLAGES,
        *VILLAGES.values(),
    ]
    for data in story.visited:
        for text in secret:
            assert text.encode() not in data
    assert len(story.visited) > 30


def story_device(story: Story, name: str) -> bytes:
    node = open_node(story.folder / name, environment={"LONTAR_STATE": str(story.folder / f"{name}-state")})
    node.close()
    return key_id(node.config.device_key.public)
