"""Puts a node together from its data folder: the one place where the parts are made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from content_packs.store import PackStore
from node.config import Config, load
from node.learning import Learning
from node.recorder import Recorder
from node.shelf import NodeShelf
from node.store import Store
from node.worker import Worker
from sync.machine import Machine


@dataclass(frozen=True)
class Node:
    """Everything that the pages and commands of one village need."""

    config: Config
    store: Store
    recorder: Recorder
    learning: Learning
    packs: PackStore
    worker: Worker

    def close(self) -> None:
        self.store.close()


def open_node(data: Path, machine: Machine | None = None) -> Node:
    """Open the node in `data`.

    Raises:
        NodeError: there is none, or it can't be opened; the sentence says what to do.
    """
    config = load(data)
    machine = machine or Machine()
    store = Store(data)
    recorder = Recorder(store, config.device_key, config.sealing_seed, machine)
    packs = PackStore(data / "packs")
    worker = Worker(config, store, recorder, NodeShelf(store, recorder), machine)
    return Node(config, store, recorder, Learning(store, recorder, packs), packs, worker)
