"""The hub's word on its way to devices: each scope's log, once, for six bytes when nothing is new, and never forked."""

from __future__ import annotations

import itertools
import random
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from centre import made_hub
from device import VILLAGE, Device
from sqlalchemy import select, update

from hub import alerts, downlink, mail, schema
from hub.db import reading, writing
from hub.downlink import Downlink
from hub.wiring import Hub, open_hub
from node.centre import Centre
from node.store import Store
from sync.decisions import AnnouncementPosted, EntriesRejected, HubLogOpened, read_decision
from sync.entries import Kind
from sync.errors import MalformedError
from sync.exchange import DIGEST, Down, digest_of
from sync.items import ItemKind, read_item
from sync.log import Head
from sync.segment import open_segment

NOW = 1_772_413_200_000
OTHER_VILLAGE = "17.05.11.2001"
_clock = itertools.count(NOW)


class Reader:
    """What a device holds of hub logs, by the device's own rules."""

    def __init__(self, village: str = VILLAGE) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.centre = Centre(Store(Path(self._folder.name)), village)

    def take(self, hub: Hub, came: Downlink) -> list[Kind]:
        """What is new of what came, in its order."""
        said: list[Kind] = []
        for item in came.items:
            read = read_item(item)
            assert read is not None
            assert read.kind is ItemKind.HUB_SEGMENT
            if self.centre.take(read.data, hub.config.keyset):
                entries = open_segment(read.data).read().entries()
                said += [kind for entry in entries if (kind := read_decision(entry)) is not None]
        return said

    @property
    def heads(self) -> tuple[Head, ...]:
        return tuple(self.centre.heads())

    @property
    def short(self) -> tuple[Head, ...]:
        """As a request names them."""
        return tuple(Head(head.log[:8], head.index, head.id[:8]) for head in self.heads)

    @property
    def digest(self) -> Any:
        return digest_of(self.heads)


def row_of(hub: Hub, device: Device) -> Any:
    with reading(hub.engine) as connection:
        return connection.execute(select(schema.devices).where(schema.devices.c.device == device.id)).one()


def ask(hub: Hub, device: Device, have: Any, most: int = downlink.DOWN_MOST) -> Downlink:
    row = row_of(hub, device)
    with writing(hub.engine) as connection:
        return downlink.for_device(connection, hub.config, row, have, next(_clock), most)


def say(hub: Hub, scope: str, *texts: str) -> None:
    with writing(hub.engine) as connection:
        for text in texts:
            downlink.decide(connection, scope, AnnouncementPosted("Berita", text), NOW)


def texts(said: Sequence[Kind]) -> list[str]:
    return [kind.text for kind in said if isinstance(kind, AnnouncementPosted)]


def test_a_village_hears_what_is_said_to_it_and_to_those_above_it(hub: Hub) -> None:
    device, other = Device(1).registered(hub), Device(2).registered(hub, OTHER_VILLAGE)
    for scope in ("", "17", "17.05", "17.05.10", VILLAGE):
        say(hub, scope, f"kepada {scope}")
    say(hub, OTHER_VILLAGE, "kepada desa lain")
    said = Reader().take(hub, ask(hub, device, ()))
    assert sorted(texts(said)) == sorted(
        f"kepada {scope}" for scope in ("", "17", "17.05", "17.05.10", VILLAGE)
    )
    assert sorted(kind.scope for kind in said if isinstance(kind, HubLogOpened)) == [
        "",
        "17",
        "17.05",
        "17.05.10",
        VILLAGE,
    ]
    said = Reader(OTHER_VILLAGE).take(hub, ask(hub, other, ()))
    assert sorted(texts(said)) == sorted(["kepada ", "kepada 17", "kepada 17.05", "kepada desa lain"])


def test_nothing_new_costs_nothing(hub: Hub) -> None:
    device, reader = Device(1).registered(hub), Reader()
    reader.take(hub, ask(hub, device, ()))
    assert len(reader.digest) == DIGEST
    assert ask(hub, device, reader.digest) == Downlink()
    assert ask(hub, device, reader.digest) == Downlink()


def test_a_scope_without_decisions_has_no_log(hub: Hub) -> None:
    device = Device(1).registered(hub)
    reader = Reader()
    reader.take(hub, ask(hub, device, ()))
    assert len(reader.heads) == 1, "the village's, with this device's certificate"


def test_what_was_sent_is_remembered_so_a_digest_tells_what_is_new(hub: Hub) -> None:
    device, reader = Device(1).registered(hub), Reader()
    reader.take(hub, ask(hub, device, ()))
    say(hub, "17.05", "satu")
    say(hub, VILLAGE, "dua")
    came = ask(hub, device, reader.digest)
    assert sorted(texts(reader.take(hub, came))) == ["dua", "satu"]
    assert ask(hub, device, reader.digest) == Downlink()


def test_an_answer_that_got_lost_comes_again(hub: Hub) -> None:
    device, reader = Device(1).registered(hub), Reader()
    reader.take(hub, ask(hub, device, ()))
    for at in range(3):
        say(hub, VILLAGE, str(at))
        ask(hub, device, reader.digest)
    assert texts(reader.take(hub, ask(hub, device, reader.digest))) == ["0", "1", "2"]


def test_an_unknown_digest_is_asked_to_name_its_heads(hub: Hub) -> None:
    device, reader = Device(1).registered(hub), Reader()
    say(hub, "", "satu")
    assert ask(hub, device, bytes(DIGEST)) == Downlink(down=Down.NAME_YOURS)
    assert texts(reader.take(hub, ask(hub, device, reader.short))) == ["satu"]
    assert ask(hub, device, reader.digest) == Downlink()


def test_one_device_s_digest_says_nothing_of_another_s(hub: Hub) -> None:
    device, other = Device(1).registered(hub), Device(2).registered(hub)
    say(hub, "", "satu")
    reader = Reader()
    reader.take(hub, ask(hub, device, ()))
    say(hub, "", "dua")
    assert ask(hub, other, reader.digest).down is Down.NAME_YOURS


def test_much_comes_in_several_answers_and_then_is_all(hub: Hub) -> None:
    device, reader = Device(1).registered(hub), Reader()
    rng = random.Random(3)
    for at in range(8):
        say(hub, VILLAGE if at % 2 else "", f"{at} {rng.randbytes(300).hex()}")
        ask(hub, device, ())
    downs, said = [], []
    for _ in range(20):
        came = ask(hub, device, reader.digest, most=900)
        said += texts(reader.take(hub, came))
        downs.append(came.down)
        if came.down is Down.ALL:
            break
    assert len(said) == 8
    assert set(downs[:-1]) == {Down.MORE}
    assert len(downs) > 2


def test_more_decisions_than_a_segment_holds_wait_for_the_next_one(hub: Hub) -> None:
    device, reader = Device(1).registered(hub), Reader()
    with writing(hub.engine) as connection:
        for at in range(1200):
            downlink.decide(connection, VILLAGE, EntriesRejected(bytes(16), at, 1, "x"), NOW)
    said: list[Kind] = []
    for _ in range(3):
        said += reader.take(hub, ask(hub, device, reader.digest))
    assert sum(isinstance(kind, EntriesRejected) for kind in said) == 1200


def test_long_reasons_are_sealed_in_several_segments_and_keep_nobody_from_syncing(hub: Hub) -> None:
    """More text waits than one segment may hold."""
    rng, device, reader = random.Random(1), Device(1).registered(hub), Reader()
    reasons = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz ", k=3000)) for _ in range(120)]
    with writing(hub.engine) as connection:
        for at, reason in enumerate(reasons):
            downlink.decide(connection, VILLAGE, EntriesRejected(bytes(16), at, 1, reason), NOW)
    said: list[Kind] = []
    for _ in range(60):
        came = ask(hub, device, reader.digest)
        said += reader.take(hub, came)
        if not came.items:
            break
    assert [kind.reason for kind in said if isinstance(kind, EntriesRejected)] == reasons


def test_what_no_entry_can_say_is_refused_at_once_and_letters_are_composed(hub: Hub) -> None:
    device = Device(1).registered(hub)
    with pytest.raises(MalformedError):
        say(hub, VILLAGE, "x" * 5000)
    say(hub, VILLAGE, "cafe\u0301")
    assert texts(Reader().take(hub, ask(hub, device, ()))) == ["caf\u00e9"]


def test_times_never_run_backwards_in_a_hub_s_log_whatever_its_clock_does(hub: Hub) -> None:
    device = Device(1).registered(hub)
    for ms in (NOW, NOW + 5000, NOW - 86_400_000, NOW + 1000):
        with writing(hub.engine) as connection:
            downlink.decide(connection, "", AnnouncementPosted("", str(ms)), ms)
        ask(hub, device, ())
    sealed = [open_segment(read_item(item).data) for item in ask(hub, device, ()).items]  # type: ignore[union-attr]
    for log in {one.log for one in sealed}:
        times = [entry.t for one in sealed if one.log == log for entry in one.read().entries()]
        assert times == sorted(times)
        assert times[0] == 0


def test_workers_that_seal_at_once_never_fork_a_log(hub: Hub) -> None:
    device = Device(1).registered(hub)
    row = row_of(hub, device)
    start, problems = threading.Barrier(4), []

    def work(number: int) -> None:
        try:
            start.wait()
            for at in range(8):
                with writing(hub.engine) as connection:
                    downlink.decide(connection, VILLAGE, AnnouncementPosted("", f"{number}/{at}"), NOW)
                with writing(hub.engine) as connection:
                    downlink.for_device(connection, hub.config, row, (), NOW)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    reader = Reader()
    said = texts(reader.take(hub, ask(hub, device, ())))
    assert sorted(said) == sorted(f"{number}/{at}" for number in range(4) for at in range(8))
    for number in range(4):
        assert [text for text in said if text.startswith(f"{number}/")] == [
            f"{number}/{at}" for at in range(8)
        ]
    with reading(hub.engine) as connection:
        logs = connection.execute(select(schema.hub_logs).where(schema.hub_logs.c.scope == VILLAGE)).all()
        assert len(logs) == 1
        assert connection.execute(select(schema.hub_pending)).all() == []


def test_answers_to_one_device_at_once_never_lock_each_other_out(hub: Hub) -> None:
    row = row_of(hub, Device(1).registered(hub))
    start, problems = threading.Barrier(4), []

    def work(number: int) -> None:
        chance = random.Random(number)
        start.wait()
        for at in range(100):
            # Few different ones: each is remembered anew, and pruned, by several at once.
            heads = tuple(Head(bytes(16), chance.randrange(3), bytes(16)) for _ in range(2))
            try:
                with writing(hub.engine) as connection:
                    downlink.for_device(connection, hub.config, row, heads, NOW + at)
            except Exception as problem:
                problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def set_back(folder: Path, backup: Path) -> Hub:
    """The hub's files put back as they were when `backup` was made."""
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    return open_hub(folder)


def backed_up(tmp_path: Path, device: Device, reader: Reader) -> tuple[Path, Path]:
    """A hub whose backup lacks the last of what its device heard; the hub is closed."""
    folder, backup = tmp_path / "hub", tmp_path / "backup"
    hub = made_hub(folder)
    device.registered(hub)
    say(hub, "", "sebelum")
    reader.take(hub, ask(hub, device, ()))
    hub.close()
    shutil.copytree(folder, backup)
    hub = open_hub(folder)
    say(hub, "", "hilang")
    say(hub, "17", "hilang juga")
    reader.take(hub, ask(hub, device, reader.digest))
    hub.close()
    return folder, backup


def test_a_hub_set_back_to_an_older_state_closes_the_log_and_goes_on_in_another(tmp_path: Path) -> None:
    device, reader = Device(1), Reader()
    hub = set_back(*backed_up(tmp_path, device, reader))
    say(hub, "", "sesudah")
    assert ask(hub, device, reader.digest).down is Down.NAME_YOURS, "which seals it after an older end"
    say(hub, "", "kemudian")
    said = reader.take(hub, ask(hub, device, reader.short))
    assert texts(said) == ["sesudah", "kemudian"]
    say(hub, "", "seterusnya")
    said = reader.take(hub, ask(hub, device, reader.digest))
    assert texts(said) == ["seterusnya"]
    with reading(hub.engine) as connection:
        kinds = connection.execute(select(schema.alerts.c.kind)).scalars().all()
        closed = connection.execute(
            select(schema.hub_logs.c.closed).where(schema.hub_logs.c.scope == "")
        ).scalars()
        assert sorted(closed) == [0, 1]
    assert alerts.HUB_LOST in kinds
    hub.close()


def test_after_a_loss_nothing_new_costs_nothing_again(tmp_path: Path) -> None:
    """The device goes on summing up what only it still holds, and the hub knows that sum."""
    device, reader = Device(1), Reader()
    hub = set_back(*backed_up(tmp_path, device, reader))
    assert ask(hub, device, reader.digest).down is Down.NAME_YOURS
    reader.take(hub, ask(hub, device, reader.short))
    for _ in range(2):
        came = ask(hub, device, reader.digest)
        assert (came.items, came.down) == ((), Down.ALL)
    hub.close()


def test_heads_that_are_remembered_in_full_close_no_log(hub: Hub) -> None:
    """What a device says online is kept for its mail by stick; a digest stands for whole ids there."""
    device, reader = Device(1).registered(hub), Reader()
    reader.take(hub, ask(hub, device, ()))
    with writing(hub.engine) as connection:
        row = connection.execute(select(schema.devices).where(schema.devices.c.device == device.id)).one()
        held = downlink.heads_of(connection, row.pk, reader.digest)
        connection.execute(update(schema.devices).values(held_heads=held))
    row = row_of(hub, device)
    with writing(hub.engine) as connection:
        assert mail.parts(connection, hub.config, row, NOW)
    with reading(hub.engine) as connection:
        assert set(connection.execute(select(schema.hub_logs.c.closed)).scalars()) == {0}
        assert connection.execute(select(schema.alerts)).all() == []


def test_heads_of_a_village_s_own_logs_are_nothing_to_the_hub_s(hub: Hub) -> None:
    device, reader = Device(1).registered(hub).open(), Reader()
    device.send(hub)
    reader.take(hub, ask(hub, device, ()))
    say(hub, "", "satu")
    came = ask(hub, device, (*reader.short, device.short_tip))
    assert texts(reader.take(hub, came)) == ["satu"]
    assert ask(hub, device, reader.digest) == Downlink()


def test_a_device_that_isn_t_let_in_hears_nothing(hub: Hub) -> None:
    device = Device(1)
    device.ask_to_register(hub)
    device.open().send(hub)
    assert device.came == b""
