"""What people and devices were told is saved, kept outside of everything that can die; and whether it is still there."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import select

from hub import schema
from hub.db import reading
from hub.wiring import Hub
from node.excerpts import excerpt
from node.wiring import Node
from sync.entries import QuestionAnswered

Answer = tuple[int, int, int, int, int]
"""Learner, pack, lesson, question, choice."""

CLEAR: Final = frozenset({429, 503, 507})
"""Statuses that say: not now."""


@dataclass
class Told:
    """Answers that pages called saved, segments that receipts called stored, and every other answer."""

    answers: list[Answer] = field(default_factory=list)
    segments: set[bytes] = field(default_factory=set)
    receipts: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    """HTTP statuses that said clearly that it wasn't saved."""
    broken: int = 0
    """Connections that ended without an answer."""
    unclear: list[str] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, answer: Answer) -> None:
        with self.guard:
            self.answers.append(answer)

    def stored(self, segments: Iterable[bytes]) -> None:
        with self.guard:
            self.receipts += 1
            self.segments.update(segments)

    def refusal(self, status: int, is_clear: bool, text: str) -> None:
        with self.guard:
            self.refused[status] += 1
            if status not in CLEAR or not is_clear:
                self.unclear.append(f"{status} {text[:300]}")

    def no_answer(self) -> None:
        with self.guard:
            self.broken += 1


def answers_in(node: Node) -> list[Answer]:
    """Every answer in a node's newest log, in order."""
    with node.store.read() as db:
        entries = excerpt(db, node.recorder.log)
    fields = [one.fields[:5] for one in entries if one.kind == QuestionAnswered.number]
    return [(int(one[0]), int(one[1]), int(one[2]), int(one[3]), int(one[4])) for one in fields]


def lost_at_node(told: Told, node: Node) -> Counter[Answer]:
    return Counter(told.answers) - Counter(answers_in(node))


def lost_at_hub(told: Told, hub: Hub) -> set[bytes]:
    with reading(hub.engine) as connection:
        return told.segments - {
            bytes(one) for one in connection.execute(select(schema.segments.c.id)).scalars()
        }


def problems_of(database: Path) -> str:
    """What SQLite itself says of a file; `ok` if it is whole."""
    connection = sqlite3.connect(database)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()
