"""Sticks that are pulled while a village writes on them: a copy of the FAT image at a random moment is what is left.

What was on it when "Aman dicabut" was said reaches the centre; of what came later, the whole parts do, and torn ones are
refused in a sentence. The next visit completes it.
"""

from __future__ import annotations

import random
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from centre import made_hub
from centres import as_it_was, held_at, registered_by_stick, segments_of, taken
from crash_states import Disk
from cut import STATES, every_cut, told_at
from disks import fat, make_fat, run
from syscalls import needs_strace, recorded, steps
from told import Told, lost_at_hub

from bench import world
from node.wiring import Node
from sync.errors import StickError
from sync.stick import Stick

ROUNDS: Final = 12
COPIES: Final = 24
IMAGE_MB: Final = 8
PATIENCE_S: Final = 60


@dataclass
class Writing:
    """What the village has been told is on the stick, while somebody pulls it."""

    safe: set[bytes] = field(default_factory=set)
    """Ids of the segments that were on it when the last visit ended."""
    is_writing: threading.Event = field(default_factory=threading.Event)
    pulled: list[tuple[Path, set[bytes]]] = field(default_factory=list)

    def pull(self, image: Path, folder: Path, over: threading.Event) -> None:
        rng = random.Random(3)
        while not over.is_set() and len(self.pulled) < COPIES:
            if not self.is_writing.wait(0.05):
                continue
            time.sleep(rng.uniform(0, 0.1))
            safe, copy = set(self.safe), folder / f"pulled-{len(self.pulled)}"
            shutil.copyfile(image, copy)
            self.pulled.append((copy, safe))


def write_again(node: Node, image: Path, place: Path) -> None:
    """The next visit; a stick that can't be written to is formatted anew, as its sentence says."""
    try:
        with fat(image, place):
            node.bundles.write(Stick(place))
    except StickError:
        make_fat(image, IMAGE_MB)
        with fat(image, place):
            node.bundles.write(Stick(place))


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
            village.is_writing.set()
            node.bundles.write(stick)
            village.is_writing.clear()
            village.safe = segments_of(node)
        over.set()
        pulling.join()
    assert len(village.pulled) >= ROUNDS // 2
    refused: list[str] = []
    for copy, safe in village.pulled:
        # As a system offers when such a stick is plugged in: folders torn in mid-write are mended first.
        run("fsck.vfat", "-a", str(copy))
        with as_it_was(tmp_path / "hub", tmp_path / "centre") as centre:
            with fat(copy, place):
                refused += taken(centre, stick)
            assert not lost_at_hub(Told(segments=safe), centre), (
                f"{copy.name}: what was called safe is lost"
            )
            write_again(node, copy, place)
            with fat(copy, place):
                taken(centre, stick)
            assert not lost_at_hub(Told(segments=segments_of(node)), centre), "the next visit completes it"
    assert all(one.endswith(".") for one in refused)
    node.close()


@pytest.mark.slow
def test_a_stick_holds_what_was_called_safe_whenever_the_power_goes(tmp_path: Path) -> None:
    """Laptop and stick lose at once what neither was told to sync; nothing stands on a stick that its laptop doesn't hold."""
    needs_strace()
    root, record = tmp_path / "both", tmp_path / "record"
    (root / "stick").mkdir(parents=True)
    hub = made_hub(tmp_path / "hub")
    node = world.make_node(root / "data", "http://127.0.0.1:9")
    world.install_catalogue(tmp_path / "packs", node)
    registered_by_stick(hub, node, Stick(root / "stick"))
    hub.close()
    world.play(node, world.workload_lines(1, 1500))
    node.close()
    disk = Disk(root)
    command = ["usb", "write", "--data", str(root / "data"), str(root / "stick")]
    with recorded(record, command, {"LONTAR_STATE": str(root / "state"), "LONTAR_LANG": "id"}) as process:
        assert process.stdout is not None
        shown = process.stdout.read()
    done = steps(record, root, disk.now)
    words = told_at(done, lambda data: b"Aman dicabut" in data)
    assert len(words) == 1, shown
    for cut in every_cut(disk, done, words, tmp_path, STATES // 4):
        with cut.node() as node, as_it_was(tmp_path / "hub", tmp_path / "centre") as centre:
            refused = taken(centre, Stick(cut.place / "stick"))
            here = segments_of(node)
            assert not lost_at_hub(Told(segments=here), centre) or not cut.told(words), cut
            assert not refused or not cut.told(words), cut
            assert node.store.get("new_log") is None, "a power cut is no restored backup"
            node.bundles.write(Stick(cut.place / "stick"))
            taken(centre, Stick(cut.place / "stick"))
            assert not lost_at_hub(Told(segments=segments_of(node)), centre), (
                f"{cut}: the next visit completes it"
            )
            assert held_at(centre) <= segments_of(node), f"{cut}: the laptop doesn't know what it gave away"
