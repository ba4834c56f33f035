"""Villages, a hub and sticks for tests of the node: real parts, nobody online."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from centre import made_hub
from desa import VILLAGE, ScriptedMachine, rows
from sqlalchemy import select

from hub import mail, parts, registry, schema
from hub.db import reading, writing
from hub.wiring import Hub
from node import config
from node.wiring import Node, open_node
from sync.keys import key_id
from sync.stick import IN, OUT, Stick

NOW = 1_772_413_200_000


class Computer(ScriptedMachine):
    """A machine with a fingerprint of its own."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__(seed=seed)
        self.name = name

    def fingerprint(self) -> bytes:
        return self.name.encode().ljust(16, b".")[:16]


@dataclass
class Country:
    """One hub, and laptops that only a stick reaches."""

    folder: Path
    now_ms: int = NOW
    nodes: dict[str, Node] = field(default_factory=dict)
    machines: dict[str, Computer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hub: Hub = made_hub(self.folder / "hub")

    def laptop(self, name: str, village: str = VILLAGE) -> Node:
        """A new laptop with a key of its own."""
        machine = self._machine(name)
        secrets = {key: machine.random_bytes(32) for key in ("device", "sealing", "pepper", "session")}
        config.create(self.folder / name, config.Settings("http://127.0.0.1:9", village, name), secrets)
        return self.opened(name)

    def opened(self, name: str, machine: str | None = None) -> Node:
        state = {"LONTAR_STATE": str(self.folder / f"{name}-state")}
        made = open_node(self.folder / name, self._machine(machine or name), state)
        self.nodes[name] = made
        return made

    def copied(self, name: str, to: str) -> Node:
        """A copy of a closed laptop's whole disk in another machine."""
        for ending in ("", "-state"):
            shutil.copytree(self.folder / f"{name}{ending}", self.folder / f"{to}{ending}")
        return self.opened(to)

    def set_back(self, name: str, backup: str) -> Node:
        """The data folder as it was in `backup`; what is outside of it stays."""
        shutil.rmtree(self.folder / name)
        shutil.copytree(self.folder / backup, self.folder / name)
        return self.opened(name)

    def stick(self, name: str = "stick") -> Stick:
        (self.folder / name).mkdir(exist_ok=True)
        return Stick(self.folder / name)

    def deliver(self, stick: Stick, back: bool = True) -> None:
        """The stick visits the centre."""
        self.now_ms += 60_000
        for found in stick.parts(OUT):
            parts.take(self.hub.intake, stick.read_part(found))
        if back:
            with writing(self.hub.engine) as connection:
                bag = mail.compose(connection, self.hub.config, "", self.now_ms)
            mail.put(self.hub.config, stick, bag)

    def let_in(self, node: Node) -> None:
        registry.approve(self.hub.engine, key_id(node.config.device_key.public), self.now_ms)

    def registered(self, name: str, stick: Stick, village: str = VILLAGE) -> Node:
        node = self.laptop(name, village)
        self.deliver(stick)
        visit(node, stick)
        self.deliver(stick)
        self.let_in(node)
        self.deliver(stick)
        visit(node, stick)
        return node

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()
        self.hub.close()

    def _machine(self, name: str) -> Computer:
        return self.machines.setdefault(name, Computer(name, seed=100 + len(self.machines)))


def visit(node: Node, stick: Stick) -> None:
    """Somebody plugs the stick into a laptop."""
    if node.store.get("keyset") is None and node.bundles.keyset_on(stick) is not None:
        node.bundles.trust(stick)
    node.bundles.read(stick)
    if node.store.get("keyset") is not None:
        node.bundles.write(stick)


def sums_on(node: Node) -> dict[tuple[str, bytes, int], tuple[Any, ...]]:
    """What each person has done, by name, as the laptop shows it."""
    query = """SELECT p.name, k.manifest_hash, sums.lesson, sum(sums.openings), sum(sums.answers), sum(sums.right_answers),
                      sum(sums.attempts), max(sums.best_score), sum(sums.seconds)
               FROM lesson_progress sums JOIN learners n ON n.number = sums.learner
               JOIN learners p ON p.number = n.person JOIN packs k ON k.number = sums.pack
               GROUP BY p.number, k.manifest_hash, sums.lesson"""
    return {tuple(row[:3]): tuple(row[3:]) for row in rows(node.store, query)}


def sums_at(hub: Hub) -> dict[tuple[bytes, int, int], tuple[Any, ...]]:
    """What each person has done, by this hub's number of the person."""
    sums, packs, learners = schema.lesson_progress.c, schema.packs, schema.learners
    query = select(
        learners.c.person,
        packs.c.manifest_hash,
        sums.lesson,
        sums.openings,
        sums.answers,
        sums.right_answers,
        sums.attempts,
        sums.best_score,
        sums.seconds,
    )
    query = query.join(learners, learners.c.pk == sums.learner).join(packs, packs.c.pk == sums.pack)
    made: dict[Any, tuple[Any, ...]] = {}
    with reading(hub.engine) as connection:
        for person, manifest, lesson, *values in connection.execute(query):
            made[person, bytes(manifest), lesson] = _joined(
                made.get((person, bytes(manifest), lesson)), values
            )
    return made


def _joined(before: tuple[Any, ...] | None, values: Iterable[Any]) -> tuple[Any, ...]:
    now = tuple(values)
    if before is None:
        return now
    best = max((score for score in (before[4], now[4]) if score is not None), default=None)
    return (
        *(one + other for one, other in zip(before[:4], now[:4], strict=True)),
        best,
        before[5] + now[5],
    )


__all__ = ["IN", "NOW", "Computer", "Country", "sums_at", "sums_on", "visit"]
