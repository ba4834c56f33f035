"""Sticks that are pulled while a village writes on them: a copy of the FAT image at a random moment is what is left.

What was on it when "Aman dicabut" was said reaches the centre; of what came later, the whole parts do, and torn ones are
refused in a sentence. The next visit completes it.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from centre import made_hub
from disks import fat, make_fat
from told import Told, lost_at_hub

from bench import world
from hub import mail, parts, registry
from hub.db import writing
from hub.wiring import Hub, now_ms, open_hub
from node.wiring import Node
from sync.courier import Taken
from sync.errors import LontarError
from sync.keys import key_id
from sync.stick import OUT, Stick

ROUNDS: Final = 12
COPIES: Final = 40
IMAGE_MB: Final = 8
PATIENCE_S: Final = 60


@dataclass
class Writing:
    """What the village has been told is on the stick, while somebody pulls it."""

    safe: set[bytes] = field(default_factory=set)
    """Ids of the segments that were on it when the last visit ended."""
    pulled: list[tuple[Path, set[bytes]]] = field(default_factory=list)

    def pull(self, image: Path, folder: Path, over: threading.Event) -> None:
        rng = random.Random(3)
        while not over.is_set() and len(self.pulled) < COPIES:
            time.sleep(rng.expovariate(1 / 0.02))
            safe, copy = set(self.safe), folder / f"pulled-{len(self.pulled)}"
            shutil.copyfile(image, copy)
            self.pulled.append((copy, safe))


def taken(hub: Hub, stick: Stick) -> list[str]:
    """At the centre: everything on the stick is taken; returns the sentences about what wasn't."""
    refused = []
    for found in stick.parts(OUT):
        try:
            assert parts.take(hub.intake, stick.read_part(found)) in (Taken.NEW, Taken.HELD)
        except LontarError as problem:
            refused.append(problem.sentence())
    return refused


def visit_centre(hub: Hub, stick: Stick) -> None:
    assert taken(hub, stick) == []
    with writing(hub.engine) as connection:
        bag = mail.compose(connection, hub.config, "", now_ms())
    mail.put(hub.config, stick, bag)


def registered_by_stick(hub: Hub, node: Node, stick: Stick) -> None:
    visit_centre(hub, stick)
    node.bundles.trust(stick)
    node.bundles.write(stick)
    visit_centre(hub, stick)
    registry.approve(hub.engine, key_id(node.config.device_key.public), now_ms())
    visit_centre(hub, stick)
    node.bundles.read(stick)


def segments_of(node: Node) -> set[bytes]:
    with node.store.read() as db:
        return {bytes(one) for (one,) in db.execute("SELECT id FROM segments")}


@contextlib.contextmanager
def as_it_was(hub: Path, to: Path) -> Iterator[Hub]:
    """The centre that has heard nothing of the village since it registered it."""
    shutil.copytree(hub, to)
    (to / "hub.toml").write_text(f'database_url = "sqlite:///{to / "hub.db"}"\n')
    with contextlib.closing(open_hub(to)) as opened:
        yield opened
    shutil.rmtree(to)


@pytest.mark.slow
def test_a_stick_that_is_pulled_while_it_is_written_loses_nothing_that_was_called_safe(
    tmp_path: Path,
) -> None:
    hub = made_hub(tmp_path / "hub")
    node = world.make_node(tmp_path / "node", "http://127.0.0.1:9")
    world.install_catalogue(tmp_path / "packs", node)
    (tmp_path / "desk").mkdir()
    registered_by_stick(hub, node, Stick(tmp_path / "desk"))
    hub.close()
    image, place, stick, village = (
        tmp_path / "image",
        tmp_path / "stick",
        Stick(tmp_path / "stick"),
        Writing(),
    )
    make_fat(image, IMAGE_MB)
    over = threading.Event()
    with fat(image, place):
        pulling = threading.Thread(target=village.pull, args=(image, tmp_path, over))
        pulling.start()
        for round_ in range(ROUNDS):
            world.play(node, world.workload_lines(1, 150, skip=150 * round_))
            node.bundles.write(stick)
            village.safe = segments_of(node)
        over.set()
        pulling.join()
    assert len(village.pulled) >= ROUNDS
    refused: list[str] = []
    for copy, safe in village.pulled:
        with as_it_was(tmp_path / "hub", tmp_path / "centre") as centre, fat(copy, place):
            refused += taken(centre, stick)
            assert not lost_at_hub(Told(segments=safe), centre), (
                f"{copy.name}: what was called safe is lost"
            )
            node.bundles.write(stick)
            taken(centre, stick)
            assert not lost_at_hub(Told(segments=segments_of(node)), centre), "the next visit completes it"
    assert all(one.endswith(".") for one in refused)
    node.close()
