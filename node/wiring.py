"""Puts a node together from its data folder: the one place where the parts are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from content_packs.store import PackStore
from node.anchor import Anchor
from node.ballast import Ballast
from node.bundles import Bundles
from node.centre import Centre
from node.config import Config, load
from node.history import History
from node.incidents import Incident, Incidents, What
from node.learning import Learning
from node.mending import START_ANEW, entries_of, open_mended
from node.neighbours import Neighbours
from node.playing import Playing
from node.reading_places import ReadingPlaces
from node.recorder import Recorder
from node.shelf import NodeShelf
from node.store import Store
from node.worker import Worker
from sync.entries import OpenReason
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
    places: ReadingPlaces
    incidents: Incidents
    ballast: Ballast

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
    anchor = Anchor(config.state, config.device_key.public, machine.fingerprint())
    store = open_mended(data, anchor.knows_this_device())
    ballast = Ballast(data)
    store.make_room = ballast.give_up_in_need
    recorder = Recorder(store, config.device_key, config.sealing_seed, machine)
    packs = PackStore(data / "packs")
    centre = Centre(store, config.village)
    history = History(store, recorder, centre, config.device_key.public)
    shelf = NodeShelf(store, recorder, centre, history, anchor)
    incidents = Incidents(store, recorder.now())
    _begin_anew_if_need_be(store, anchor, shelf, incidents)
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
        ReadingPlaces(store, recorder, learning),
        incidents,
        ballast,
    )


def _begin_anew_if_need_be(store: Store, anchor: Anchor, shelf: NodeShelf, incidents: Incidents) -> None:
    """A new log, where this database isn't known to be the newest that this device had."""
    asked = store.get(START_ANEW)
    reason = anchor.contradicts(store) if asked is None else OpenReason(asked)
    if reason is OpenReason.RESTORED and incidents.now() is None:
        incidents.note(Incident(What.RECENT_UNSURE, entries_of(store), None))
    if reason is not None:
        with store.write():
            shelf.start_new_log(reason)
            store.put(START_ANEW, None)
