"""Disks that are full or take no more writes, under real processes at work: who was told "saved" finds it there afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Final

import pytest
from centre import made_hub
from disks import again, ext4, fail, fill, free, tmpfs
from phone import Phone, answering, node_serving
from senders import Sender, learning, sending, serving, sums_are_those_made_anew
from told import Told, answers_in, lost_at_hub, lost_at_node, problems_of
from village import made_village

from hub.wiring import open_hub
from node.wiring import open_node

PATIENCE_S: Final = 60
DISK_MB: Final = 48


def wait_for(told: Told, what: str, count: int) -> None:
    """Until so many more answers were called saved, or refused."""

    def now() -> int:
        return len(told.answers) if what == "saved" else sum(told.refused.values())

    begin, until = now(), time.monotonic() + PATIENCE_S
    while now() < begin + count:
        assert time.monotonic() < until, f"{what}: {now() - begin} of {count}; {told.unclear[:2]}"
        time.sleep(0.02)


@pytest.mark.slow
def test_learning_goes_on_when_a_full_disk_has_room_again_and_what_was_called_saved_is_there(
    tmp_path: Path,
) -> None:
    made_village(tmp_path, ("Siti Aminah", "Kepala Desa"), ("Budi", "Kaur Keuangan")).close()
    told = Told()
    with tmpfs(tmp_path / "disk", DISK_MB) as disk:
        data = Path(shutil.copytree(tmp_path / "data", disk / "data"))
        with node_serving(data, tmp_path / "log") as url:
            phones = [Phone(url, told, number) for number in (0, 1)]
            for phone in phones:
                phone.log_in()
            with answering(*phones):
                wait_for(told, "saved", 10)
                for _ in range(2):
                    until = time.monotonic() + PATIENCE_S
                    refused = sum(told.refused.values())
                    while sum(told.refused.values()) < refused + 5:
                        assert time.monotonic() < until, "a disk without room must come to an end"
                        fill(disk)
                        time.sleep(0.05)
                    free(disk)
                    wait_for(told, "saved", 10)
        with contextlib.closing(open_node(data)) as node:
            assert not lost_at_node(told, node)
            assert len(answers_in(node)) - len(told.answers) <= told.broken
        assert problems_of(data / "lontar.db") == "ok"
    assert told.unclear == []
    assert set(told.refused) == {507}
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_a_disk_that_takes_no_more_writes_is_said_so_and_what_was_called_saved_is_there(
    tmp_path: Path,
) -> None:
    made_village(tmp_path, ("Siti Aminah", "Kepala Desa")).close()
    told, image, place = Told(), tmp_path / "image", tmp_path / "disk"
    with ext4(image, place, DISK_MB) as disk:
        data = Path(shutil.copytree(tmp_path / "data", disk / "data"))
        os.sync()
        with node_serving(data, tmp_path / "log") as url:
            phone = Phone(url, told)
            phone.log_in()
            with answering(phone):
                wait_for(told, "saved", 10)
                fail(disk)
                wait_for(told, "refused", 5)
    with again(image, place), node_serving(data, tmp_path / "log-2") as url:
        phone = Phone(url, told)
        phone.log_in()
        assert phone.answer(), "after a restart people learn on"
    with again(image, place), contextlib.closing(open_node(data)) as node:
        assert not lost_at_node(told, node)
        assert problems_of(data / "lontar.db") == "ok"
    assert told.unclear == []
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_a_hub_on_a_full_disk_says_so_and_goes_on_by_itself_when_there_is_room(tmp_path: Path) -> None:
    told = Told()
    with tmpfs(tmp_path / "disk", DISK_MB) as disk:
        hub = made_hub(disk / "hub")
        devices = learning(hub, 3, 150)
        with serving(disk / "hub", tmp_path / "log") as served:
            senders = [Sender(device, served.port, hub.config.keyset.hub_keys, told) for device in devices]
            with sending(senders):
                for _ in range(2):
                    until, before, refused = time.monotonic() + PATIENCE_S, told.receipts, told.refused[503]
                    while told.receipts < before + 5:
                        assert time.monotonic() < until, told.unclear[:3]
                        time.sleep(0.02)
                    while told.refused[503] < refused + 5:
                        assert time.monotonic() < until, "a disk without room must come to an end"
                        fill(disk)
                        time.sleep(0.02)
                    free(disk)
            assert [one.confirmed for one in senders] == [len(one.segments) - 1 for one in devices]
        assert lost_at_hub(told, hub) == set()
        assert sums_are_those_made_anew(hub)
        hub.close()
        assert problems_of(disk / "hub" / "hub.db") == "ok"
        open_hub(disk / "hub").close()
    assert told.unclear == []
    assert "Traceback" not in (tmp_path / "log").read_text()
