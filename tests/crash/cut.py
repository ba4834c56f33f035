"""Cuts of the power at many moments of one recorded process, each opened by the product as after a real one."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar

from crash_states import Disk, cuts, put
from syscalls import Said, Step

from hub.wiring import Hub, open_hub
from node.wiring import Node, open_node
from sync.errors import LontarError

STATES: Final = 150
SEED: Final = 20261201


class Closing(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closing)


def told_at(done: Sequence[Step], is_word: Callable[[bytes], bool]) -> list[int]:
    """At which steps somebody was told."""
    return [at for at, step in enumerate(done) if isinstance(step, Said) and is_word(step.data)]


def some(rng: random.Random, done: Sequence[Step], told: Sequence[int], count: int) -> list[int]:
    """Points to cut at: half of them anywhere, half right when somebody was told."""
    anywhere = [rng.randint(0, len(done)) for _ in range(count // 2)]
    right_then = [rng.choice(told) + 1 for _ in range(count - len(anywhere))]
    return sorted(anywhere + right_then)


class Cut:
    """One state of the disk, in a folder, and how far the process had come."""

    def __init__(self, number: int, point: int, place: Path) -> None:
        self.point = point
        self.place = place
        self._name = f"state {number} after step {point}"

    def __repr__(self) -> str:
        return self._name

    def told(self, words: Sequence[int]) -> int:
        """How many of these words had been spoken."""
        return sum(at < self.point for at in words)

    @contextlib.contextmanager
    def node(self) -> Iterator[Node]:
        with self._opened(
            lambda: open_node(self.place / "data", environment={"LONTAR_STATE": str(self.place / "state")})
        ) as node:
            yield node

    @contextlib.contextmanager
    def hub(self) -> Iterator[Hub]:
        database = f"sqlite:///{self.place / 'hub.db'}"
        (self.place / "hub.toml").write_text(f'database_url = "{database}"\n')
        with self._opened(lambda: open_hub(self.place)) as hub:
            yield hub

    @contextlib.contextmanager
    def _opened(self, open_: Callable[[], T]) -> Iterator[T]:
        try:
            opened = open_()
        except (LontarError, OSError, ValueError) as problem:
            raise AssertionError(f"{self}: {problem!r}") from problem
        with contextlib.closing(opened):
            yield opened


def every_cut(
    disk: Disk, done: Sequence[Step], words: Sequence[int], folder: Path, count: int = STATES
) -> Iterator[Cut]:
    rng = random.Random(SEED)
    for number, (point, state) in enumerate(cuts(disk, done, some(rng, done, words, count), rng)):
        put(state, disk.root, folder / "cut")
        yield Cut(number, point, folder / "cut")
        shutil.rmtree(folder / "cut")
