"""Puts a node together from its data folder: the one place where the parts are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from content_packs.store import PackStore
from node.anchor import Anchor
from node.bundles import Bundles
from node.centre import Centre
from node.config import Config, load
from node.history import History
from node.learning import Learning
from node.neighbours import Neighbours
from node.playing import Playing
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
    centre: Centre
    history: History
    shelf: NodeShelf
    bundles: Bundles
    neighbours: Neighbours
    playing: Playing

    def close(self) -> None:
        self.store.close()


def open_node(
    data: Path, machine: Machine | None = None, environment: Mapping[str, str] | None = None
) -> Node:
    """Open the node in `data`; `environment` stands in for the process's.

    Raises:
        NodeError: there is none, or it can't be opened; the sentence says what to do.
    """
    config = load(data, environment)
    machine = machine or Machine()
    store = Store(data)
    recorder = Recorder(store, config.device_key, config.sealing_seed, machine)
    packs = PackStore(data / "packs")
    centre = Centre(store, config.village)
    history = History(store, recorder, centre, config.device_key.public)
    anchor = Anchor(config.state, config.device_key.public, machine.fingerprint())
    shelf = NodeShelf(store, recorder, centre, history, anchor)
    reason = anchor.contradicts(store)
    if reason is not None:
        shelf.start_new_log(reason)
    anchor.note(store)
    worker = Worker(config, store, recorder, shelf, machine)
    bundles = Bundles(config, store, recorder, shelf, machine)
    learning = Learning(store, recorder, packs)
    return Node(
        config,
        store,
        recorder,
        learning,
        packs,
        worker,
        centre,
        history,
        shelf,
        bundles,
        Neighbours(config, centre, history, shelf),
        Playing(store, recorder, learning),
    )
