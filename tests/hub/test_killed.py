"""Several hubs behind one database, killed at random while devices send: nothing is lost, nothing counts twice.

Real processes: three hubs under gunicorn, each with its own data folder as on its own machine, two that deliver and catch up, one that
makes sums and one that exports. One after the other is killed (SIGKILL) and started again.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from centre import made_hub
from device import Device
from sqlalchemy import Table, func, select
from state import merged_state
from test_certificate_rules import known_course
from test_webhooks import Receiver, hooked, receiving

from hub import courses, figures, metrics, schema
from hub.db import reading
from hub.projection import project
from hub.wiring import Hub, now_ms
from sync import exchange
from sync.entries import CourseCompleted, LessonProgressed, PackInstalled, QuizSubmitted
from sync.errors import LontarError
from sync.log import NOTHING, Head, Status
from sync.post import Post
from sync.segment import Segment

SEED = 20261130
DEVICES = 12
SEGMENTS = 10
PEOPLE = 3
KILLS_MOST_S = 40.0
PATIENCE_S = 70.0

SUMS = """
import sys, time
from pathlib import Path
from hub import figures
from hub.errors import BusyError
from hub.wiring import open_hub
hub = open_hub(Path(sys.argv[1]))
while True:
    try: figures.refresh(hub.engine)
    except BusyError: pass
    time.sleep(0.05)
"""
EXPORTS = """
import sys, time
from itertools import count
from pathlib import Path
from hub.exports import parquet, statements
from hub.exports.entries import Choice, Marks, counted
from hub.wiring import now_ms, open_hub
hub, place = open_hub(Path(sys.argv[1])), Path(sys.argv[2])
for number in count():
    found = counted(hub.engine, Choice(statements.KINDS, "", 0, False), Marks())
    lines = (statements.line(told, "http://pusat.contoh") for one in found for told in one.told)
    statements.write(place / f"{now_ms()}.jsonl", lines)
    parquet.write(hub.engine, place / "fakta", "", False, now_ms())
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class Process:
    """One of ours, in a process group of its own; `port` is None for those that serve nothing."""

    command: list[str]
    port: int | None = None
    running: subprocess.Popen[bytes] | None = None
    started: float = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        environment = {**os.environ, "LONTAR_HUB_WEBHOOK_NETWORKS": "127.0.0.0/8 ::1/128"}
        self.running = subprocess.Popen(
            [sys.executable, *self.command],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def is_at_work(self) -> bool:
        if self.port is None:
            return time.monotonic() - self.started > 3
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url + "/siap", timeout=1) as answer:
            return bool(answer.status == 200)
        return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        assert self.running is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait()

    def kill_worker(self, rng: random.Random) -> None:
        """One of gunicorn's, which it replaces."""
        assert self.running is not None
        if workers := psutil.Process(self.running.pid).children():
            rng.choice(workers).kill()


@dataclass
class Sender:
    """A device that sends what no receipt has confirmed yet until everything is, now here, now there."""

    device: Device
    roads: Sequence[str]
    keys: Sequence[bytes]
    seed: int
    confirmed: int = -1
    receipts: int = 0
    failures: int = 0
    is_unsure: bool = False

    def run(self) -> None:
        rng = random.Random(self.seed)
        until = time.monotonic() + PATIENCE_S
        made = 1
        while self.confirmed < len(self.device.segments) - 1 and time.monotonic() < until:
            made = min(len(self.device.segments), made + rng.randrange(1, 3))
            segments = self.device.segments[self.confirmed + 1 : made]
            if self.is_unsure and rng.random() < 0.8:
                # As a node does after a failure: it asks first what the hub holds.
                self._post(rng.choice(self.roads), *self._question(made))
                continue
            header, body = self._message(segments)
            with ThreadPoolExecutor(2) as both:
                sent = [both.submit(self._post, rng.choice(self.roads), header, body)]
                if rng.random() < 0.3:
                    sent.append(both.submit(self._post, rng.choice(self.roads), *self._message(segments)))
            for one in sent:
                one.result()
            if rng.random() < 0.3:
                # As if the receipt had been lost on the way: the very same request once more.
                self._post(rng.choice(self.roads), header, body)
            time.sleep(rng.random() * 0.8)

    def _message(self, segments: Sequence[Segment]) -> tuple[bytes, bytes]:
        header = self.device.header()
        profiles = [profile.encode() for profile in self.device.profiles]
        return header, b"".join([header, *profiles, *(one.data for one in segments)])

    def _question(self, made: int) -> tuple[bytes, bytes]:
        """What of its log the hub holds, so far as it is written."""
        header = self.device.header(Head(self.device.log, made - 1, self.device.segments[made - 1].id))
        return header, header

    def _post(self, url: str, header: bytes, body: bytes) -> None:
        try:
            answer, _items = exchange.split_answer(Post(url).send(exchange.PATH, body, 1 << 20))
        except LontarError:
            self.failures += 1
            self.is_unsure = True
            time.sleep(0.2)
            return
        receipt = exchange.open_receipt(answer, self.keys, header)
        self.receipts += 1
        self.is_unsure = False
        for verdict in receipt.verdicts:
            head = verdict.head
            assert verdict.status is Status.STORED
            if head.index != NOTHING:
                assert self.device.segments[head.index].id.startswith(head.id)
                self.confirmed = max(self.confirmed, head.index)


def learning(device: Device, key: bytes, manifest_hash: bytes) -> None:
    """All that the people of a device will ever do, a few deeds a segment."""
    rng = random.Random(device.seed)
    device.open(PEOPLE)
    device.seal(PackInstalled(key, manifest_hash, 1))
    while len(device.segments) < SEGMENTS:
        deeds: list[Any] = [
            LessonProgressed(rng.randrange(PEOPLE), 1, 1, 100 * rng.randrange(101), rng.randrange(1, 90)),
            QuizSubmitted(rng.randrange(PEOPLE), 1, 2, 100 * rng.randrange(101), rng.randrange(1, 60)),
        ]
        if rng.random() < 0.4:
            deeds.append(CourseCompleted(rng.randrange(PEOPLE), 1, 2))
        device.seal(*deeds)


def places(hub: Hub) -> list[str]:
    with reading(hub.engine) as connection:
        code = schema.regions.c.code
        query = select(code).where(func.length(code) == 13).order_by(code).limit(DEVICES // 2)
        return list(connection.execute(query).scalars())


def lag(hub: Hub) -> dict[str, float]:
    with reading(hub.engine) as connection:
        return {
            one.name: value
            for one in metrics.figures(connection, now_ms())
            for value in one.values.values()
        }


def sums(hub: Hub) -> dict[str, Any]:
    """Everything that is added up, by names that every hub shares."""
    figures.refresh(hub.engine)

    def rows(connection: Any, table: Table) -> list[Any]:
        return sorted(map(tuple, connection.execute(select(table))))

    found: dict[str, Any] = {
        name: value for name, value in merged_state(hub).items() if name not in ("alerts", "clock_notes")
    }
    learners, packs, done = schema.learners.c, schema.packs.c, schema.completions
    with reading(hub.engine) as connection:
        for table in (schema.village_figures, schema.village_courses, schema.summaries):
            found[table.name] = rows(connection, table)
        query = select(learners.learner, packs.manifest_hash, done.c.village, done.c.month)
        query = query.select_from(done).join(schema.learners, learners.pk == done.c.learner)
        query = query.join(schema.packs, packs.pk == done.c.pack)
        found["completions"] = sorted(map(tuple, connection.execute(query)))
        certificates = schema.certificates.c
        query = select(certificates.learner, certificates.course_key, certificates.village)
        found["certificates"] = sorted(map(tuple, connection.execute(query)))
        segments = schema.segments.c
        query = select(segments.id, segments.idx, segments.state, segments.first_seq, segments.count)
        found["segments"] = sorted(map(tuple, connection.execute(query)))
        found["profiles"] = sorted(
            (row.commitment, row.data) for row in connection.execute(select(schema.profiles))
        )
    return found


def sums_of_a_quiet_hub(
    hub: Hub, devices: Sequence[Device], villages: Sequence[str], folder: Path
) -> dict[str, Any]:
    """What one process makes of the same segments when nobody kills it."""
    quiet = made_hub(folder)
    with reading(hub.engine) as connection:
        courses.note(
            quiet.engine, bytes(connection.execute(select(schema.courses.c.manifest)).scalar_one())
        )
    for device in devices:
        device.registered(quiet, villages[device.seed % len(villages)])
        device.send(quiet, merged=False)
    with reading(quiet.engine) as connection:
        logs = connection.execute(select(schema.logs.c.pk)).scalars().all()
    project(quiet.engine, quiet.config, logs, now_ms())
    found = sums(quiet)
    quiet.close()
    return found


def is_behind(hub: Hub, certificates: int) -> bool:
    """Whether something waits to be merged, or fewer than `certificates` were issued."""
    with reading(hub.engine) as connection:
        issued = connection.execute(select(func.count()).select_from(schema.certificates)).scalar_one()
    return issued < certificates or lag(hub)["lontar_hub_projection_waiting_segments"] > 0


@contextlib.contextmanager
def started(processes: Sequence[Process]) -> Iterator[None]:
    try:
        for process in processes:
            process.start()
        until = time.monotonic() + 60
        while not all(one.is_at_work() for one in processes):
            assert time.monotonic() < until, "a hub did not start"
            time.sleep(0.1)
        yield
    finally:
        for process in processes:
            if process.running is not None:
                process.kill()


def kill_at_random(processes: Sequence[Process], rng: random.Random, done: threading.Event) -> Counter[str]:
    """Until devices are done, or so long that they must be let come to an end."""
    killed: Counter[str] = Counter()
    until = time.monotonic() + KILLS_MOST_S
    while time.monotonic() < until and not done.wait(rng.uniform(0.2, 0.5)):
        # One that never got up would be killed for nothing; without any that serves nothing would happen.
        at_work = [one for one in processes if one.is_at_work()]
        serving = [one for one in at_work if one.port is not None]
        victim = rng.choice(serving if serving and rng.random() < 0.7 else at_work or processes)
        if victim.port is not None and (len(serving) < 2 or rng.random() < 0.7):
            victim.kill_worker(rng)
            killed["worker"] += 1
        else:
            victim.kill()
            victim.start()
            killed["server" if victim.port else "beside"] += 1
    return killed


def check_exports(place: Path, entries_at_most: int) -> int:
    """What stands under its final name is whole."""
    from pyarrow import dataset

    whole = 0
    for file in place.glob("*.jsonl"):
        text = file.read_text(encoding="utf-8")
        assert not text or text.endswith("\n")
        ids = [json.loads(line)["id"] for line in text.splitlines()]
        assert len(ids) == len(set(ids)) <= entries_at_most
        whole += 1
    facts = place / "fakta"
    if facts.exists():
        (about,) = facts.glob("*.json")
        for name, count in json.loads(about.read_text(encoding="utf-8"))["rows"].items():
            files = list((facts / name).rglob("*.parquet"))
            assert sum(dataset.dataset(file).count_rows() for file in files) == count
        whole += 1
    return whole


def told_once(hub: Hub, receiver: Receiver) -> None:
    """Every delivery arrived under an id of its own; nothing came that is not in the outbox."""
    with reading(hub.engine) as connection:
        deliveries = connection.execute(select(schema.webhook_deliveries)).all()
        certificates = connection.execute(select(schema.certificates.c.number)).scalars().all()
    came = Counter(head["webhook-id"] for head, _body in receiver.told)
    assert set(came) <= {row.id for row in deliveries}
    arrived = {row.id for row in deliveries if row.arrived_ms is not None}
    assert arrived <= set(came)
    assert {row.id for row in deliveries} - arrived <= {row.id for row in deliveries if row.due_ms}
    numbers = [
        json.loads(row.body)["data"]["number"] for row in deliveries if row.kind == "certificate.issued"
    ]
    assert sorted(numbers) == sorted(certificates)


@pytest.mark.slow
def test_hubs_killed_at_random_lose_nothing_and_count_nothing_twice(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, manifest_hash = known_course(hub, tmp_path / "course")
    villages = places(hub)
    devices = [Device(seed) for seed in range(1, DEVICES + 1)]
    for device in devices:
        learning(device, key, manifest_hash)
        device.registered(hub, villages[device.seed % len(villages)])
    wanted = sums_of_a_quiet_hub(hub, devices, villages, tmp_path / "quiet")
    exports = tmp_path / "exports"
    exports.mkdir()
    machines = [hub.config.data]
    # SQLite serves one machine.
    for name in ("b", "c") if hub.engine.dialect.name == "postgresql" else ():
        machines.append(Path(shutil.copytree(hub.config.data, tmp_path / f"hub-{name}")))
    lontar = ["-m", "lontar", "hub"]
    serving = [
        Process([*lontar, "serve", "--workers", "2", "--data", str(at)], free_port()) for at in machines
    ]
    for process in serving:
        process.command += ["--port", str(process.port)]
    beside = [
        *(Process([*lontar, "deliver", "--watch", "--data", str(at)]) for at in machines[:2]),
        Process(["-c", SUMS, str(machines[-1])]),
        Process(["-c", EXPORTS, str(machines[-1]), str(exports)]),
    ]
    roads = [process.url for process in serving]
    senders = [Sender(device, roads, hub.config.keyset.hub_keys, device.seed) for device in devices]
    with receiving() as receiver:
        hooked(hub, receiver.url)
        with started([*serving, *beside]):
            began, done = time.monotonic(), threading.Event()
            with ThreadPoolExecutor(DEVICES + 1) as pool:
                killing = pool.submit(kill_at_random, [*serving, *beside], random.Random(SEED), done)
                for sent in [pool.submit(sender.run) for sender in senders]:
                    sent.result()
                done.set()
                killed = killing.result()
            sent_s = time.monotonic() - began
            behind = lag(hub)
            # What is left undone is found again by the next pass of `deliver --watch`.
            until = time.monotonic() + 40
            while is_behind(hub, len(wanted["certificates"])):
                assert time.monotonic() < until, "nobody finds again what a killed process left undone"
                time.sleep(0.2)
            caught_up_s = time.monotonic() - began - sent_s
    with capsys.disabled():
        print(
            f"\n{sum(killed.values())} killed {dict(killed)}, {sum(s.receipts for s in senders)} receipts,"
            f" {sum(s.failures for s in senders)} failures, {sent_s:.0f} s; behind at the end:"
            f" {behind['lontar_hub_projection_waiting_segments']:.0f} segments,"
            f" {behind['lontar_hub_projection_lag_seconds']:.1f} s; caught up in {caught_up_s:.1f} s"
        )
    assert sum(killed.values()) >= 10

    for sender in senders:
        assert sender.confirmed == SEGMENTS - 1, "every device ends with a receipt for everything"
    found = sums(hub)
    stored = Counter(bytes(row[0]) for row in found["segments"])
    assert set(stored.values()) == {1}
    assert set(stored) == {one.id for device in devices for one in device.segments}
    for name, rows in wanted.items():
        assert found[name] == rows, name
    assert len(found["certificates"]) == len({row[:2] for row in found["certificates"]}) > DEVICES
    told_once(hub, receiver)
    assert check_exports(exports, sum(len(device.entries) for device in devices)) > 0
