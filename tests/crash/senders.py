"""A real hub under gunicorn, and devices that send to it over HTTP until receipts cover everything; `Told` keeps each answer."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device import Device
from state import merged_state
from told import Told

from bench.world import free_port
from hub import rebuilding
from hub.catching_up import catch_up
from hub.wiring import Hub, now_ms
from sync import exchange
from sync.entries import LessonProgressed, QuizSubmitted
from sync.log import NOTHING, Status

PATIENCE_S: Final = 60


@dataclass
class Served:
    """A hub's process; what it writes into its log is kept."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> int:
        """The status of a page; 0 if there was none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while self.get("/siap") != 200:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, "the hub does not recover by itself"
            time.sleep(0.1)


@contextlib.contextmanager
def serving(data: Path, log: Path, workers: int = 2) -> Iterator[Served]:
    port = free_port()
    command = ["hub", "serve", "--data", str(data), "--port", str(port), "--workers", str(workers)]
    with log.open("wb") as opened:
        process = subprocess.Popen(
            [sys.executable, "-m", "lontar", *command], stdout=opened, stderr=opened, env={**os.environ}
        )
    served = Served(process, port, log)
    try:
        served.wait_until_ready()
        yield served
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Sender:
    """Sends what no receipt covers yet, a segment or two more each time; after any other answer it asks again."""

    device: Device
    port: int
    keys: Sequence[bytes]
    told: Told
    confirmed: int = -1
    made: int = 0

    def run(self, over: threading.Event) -> None:
        rng = random.Random(self.device.seed)
        while not over.is_set() and self.confirmed < len(self.device.segments) - 1:
            self.made = min(
                len(self.device.segments), max(self.made, self.confirmed + 1) + rng.randrange(1, 3)
            )
            if not self.send():
                time.sleep(rng.uniform(0.05, 0.3))

    def send(self) -> bool:
        """One round trip; whether a receipt came."""
        header = self.device.header()
        profiles = [] if self.confirmed >= 0 else [one.encode() for one in self.device.profiles]
        segments = self.device.segments[self.confirmed + 1 : self.made]
        body = b"".join([header, *profiles, *(one.data for one in segments)])
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("POST", exchange.PATH, body)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            self.told.no_answer()
            return False
        finally:
            connection.close()
        if response.status != 200:
            refusal = exchange.read_refusal(answer)
            is_clear = refusal is not None and "aman" in refusal[1]
            is_clear = is_clear and response.getheader("Retry-After", "").isdecimal()
            self.told.refusal(response.status, is_clear, repr(answer))
            return False
        receipt = exchange.open_receipt(exchange.split_answer(answer)[0], self.keys, header)
        for verdict in receipt.verdicts:
            if verdict.status is not Status.STORED:
                self.told.refusal(200, False, f"{verdict.status!r}: the hub holds less than it said")
                return False
            if verdict.head.index != NOTHING:
                self.confirmed = max(self.confirmed, verdict.head.index)
        self.told.stored(one.id for one in self.device.segments[: self.confirmed + 1])
        return True


def learning(hub: Hub, count: int, segments: int) -> list[Device]:
    """Registered devices with everything that they will ever send."""
    devices = []
    for seed in range(1, count + 1):
        device = Device(seed).open()
        while len(device.segments) < segments:
            done = LessonProgressed(device.rng.randrange(2), 0, 1, 100 * device.rng.randrange(101), 40)
            device.seal(done, QuizSubmitted(device.rng.randrange(2), 0, 2, 8000, 30))
        devices.append(device.registered(hub))
    return devices


@contextlib.contextmanager
def sending(senders: Sequence[Sender]) -> Iterator[None]:
    """All at once, while the block runs; then each until it is done."""
    over = threading.Event()
    threads = [threading.Thread(target=one.run, args=(over,)) for one in senders]
    for thread in threads:
        thread.start()
    try:
        yield
        until = time.monotonic() + PATIENCE_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
    finally:
        over.set()
        for thread in threads:
            thread.join()


def sums_are_those_made_anew(hub: Hub) -> bool:
    catch_up(hub.engine, hub.config, 0, now_ms())
    before = merged_state(hub)
    rebuilding.everything(hub.engine)
    return merged_state(hub) == before
