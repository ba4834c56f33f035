"""`python -m bench storm`: more syncs than the hub can take, for minutes. What it takes, what it refuses, and how soon it is well again.

The planned peak is that of `nation.peak`: two fifths of the 75,000 syncs of a day come within an hour, most of them at its
beginning, 16.7 a second. The storm comes at four times that, whatever becomes of those who came before (an open loop). Villages sign
their days beforehand; each request is a connection of its own, as it is behind nginx. Afterwards everyone who was refused comes again at the
planned rate, and everything that a receipt called stored is looked for in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from sqlalchemy import select

from bench import nation, world
from bench.nation import Village
from hub import db, schema
from hub.wiring import Hub
from sync import exchange
from sync.errors import SyncError
from sync.log import NOTHING, Status

PLANNED_PER_S: Final = 30_000 * 2 / 3600
"""The beginning of the morning's falling line."""
TIMES: Final = 4
PATIENCE_S: Final = 60.0
"""How long a device waits for a byte."""
_TRIES: Final = 8


@dataclass
class Sender:
    """One village's device: sends what no receipt has covered yet, a day more each time."""

    village: Village
    made: int
    """How many segments there are by now; the others are still to come."""
    confirmed: int
    is_out: bool = False

    def body(self) -> tuple[bytes, bytes]:
        header, *items = self.village.message(self.village.segments[self.confirmed : self.made], False)
        return header, b"".join([header, *items])


@dataclass
class Seen:
    """What became of the requests of some seconds."""

    accepted_s: list[float] = field(default_factory=list)
    shed_s: list[float] = field(default_factory=list)
    shed: Counter[str] = field(default_factory=Counter)
    unclear: list[str] = field(default_factory=list)
    """Answers that were neither a receipt nor a refusal with a time to come again; connections without an answer."""
    told: set[bytes] = field(default_factory=set)
    """Ids of segments that receipts called stored."""
    not_sent: int = 0
    """Arrivals for which every device was still out."""


class Storm:
    """Sends to one hub and keeps what was told."""

    def __init__(self, port: int, hub_keys: Sequence[bytes], senders: list[Sender]) -> None:
        self._port = port
        self._keys = hub_keys
        self.senders = senders
        self._rng = random.Random(1)

    async def blow(self, per_s: float, seconds: float, new_days: bool) -> Seen:
        """Requests at a rate, whatever becomes of them; without `new_days` by those who have something left."""
        seen, tasks = Seen(), set()
        began, sent = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < seconds:
            while sent < passed * per_s:
                sent += 1
                sender = self._next(new_days)
                if sender is None:
                    seen.not_sent += 1
                    continue
                task = asyncio.create_task(self._send(sender, seen))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            if not new_days and not tasks and self.left() == 0:
                break
            await asyncio.sleep(0.005)
        await asyncio.gather(*tasks)
        return seen

    def left(self) -> int:
        """Segments that no receipt covers yet."""
        return sum(sender.made - sender.confirmed for sender in self.senders)

    def _next(self, new_days: bool) -> Sender | None:
        for _ in range(_TRIES):
            sender = self._rng.choice(self.senders)
            if not sender.is_out and (new_days or sender.confirmed < sender.made):
                break
        else:
            left = [
                one for one in self.senders if not one.is_out and (new_days or one.confirmed < one.made)
            ]
            if not left:
                return None
            sender = left[0]
        sender.is_out = True
        if new_days:
            sender.made = min(sender.made + 1, len(sender.village.segments))
        return sender

    async def _send(self, sender: Sender, seen: Seen) -> None:
        began = time.perf_counter()
        header, body = sender.body()
        try:
            status, headers, answer = await asyncio.wait_for(_posted(self._port, body), PATIENCE_S)
        except (OSError, EOFError, TimeoutError, ValueError) as problem:
            seen.unclear.append(f"{type(problem).__name__} after {time.perf_counter() - began:.1f} s")
        else:
            self._take(sender, seen, header, (status, headers, answer), time.perf_counter() - began)
        finally:
            sender.is_out = False

    def _take(
        self,
        sender: Sender,
        seen: Seen,
        header: bytes,
        came: tuple[int, dict[str, str], bytes],
        took: float,
    ) -> None:
        status, headers, answer = came
        if status in (429, 503) and headers.get("retry-after", "").isdecimal():
            refusal = exchange.read_refusal(answer)
            seen.shed[f"{status} {refusal[0]}" if refusal else f"{status} by the server"] += 1
            seen.shed_s.append(took)
            return
        try:
            assert status == 200
            receipt = exchange.open_receipt(exchange.split_answer(answer)[0], self._keys, header)
        except (SyncError, AssertionError):
            seen.unclear.append(f"{status} {answer[:100]!r}")
            return
        seen.accepted_s.append(took)
        for verdict in receipt.verdicts:
            if verdict.status is Status.STORED and verdict.head.index != NOTHING:
                sender.confirmed = max(sender.confirmed, verdict.head.index + 1)
        seen.told.update(one.id for one in sender.village.segments[: sender.confirmed])


async def _posted(port: int, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer; one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = f"POST {exchange.PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        answer = await reader.readexactly(int(headers.get("content-length", 0)))
        return int(first.split()[1]), headers, answer
    finally:
        writer.close()


@dataclass(frozen=True)
class Found:
    storm: Seen
    after: Seen
    memory_most: int
    lost: int
    left: int
    """Segments that no receipt covers in the end."""
    seconds: float


def run(
    seconds: float, villages: int, postgresql: bool, times: float = TIMES, after_s: float = 600.0
) -> Found:
    with tempfile.TemporaryDirectory() as name, nation.database(Path(name), postgresql) as (url, _):
        folder = Path(name)
        hub = world.make_hub(folder / "hub", url)
        made = nation.build_courses(folder / "courses", hub)
        codes = nation.village_codes(hub, villages)
        codes = [codes[number % len(codes)] for number in range(villages)]
        nation.add_devices(hub, codes)
        days = round(seconds * PLANNED_PER_S * times / villages) + 2
        senders = [_sender(number, code, made, days) for number, code in enumerate(codes)]
        nation.open_here(hub.config.data)
        nation.take_in(list(enumerate(codes)), made)
        port = world.free_port()
        with world.serving_hub(hub.config.data, port, os.cpu_count() or 1) as serving:
            storm = Storm(port, hub.config.keyset.hub_keys, senders)
            found = asyncio.run(_weather(storm, hub, psutil.Process(serving.pid), seconds, times, after_s))
        hub.close()
        return found


def _sender(number: int, code: str, made: Sequence[nation.Course], days: int) -> Sender:
    village = nation.make_village(number, code, made, days)
    return Sender(village, 2, 2)


async def _weather(
    storm: Storm, hub: Hub, server: psutil.Process, seconds: float, times: float, after_s: float
) -> Found:
    most = [0]
    watching = asyncio.create_task(_watch(server, most))
    blown = await storm.blow(PLANNED_PER_S * times, seconds, new_days=True)
    began = time.perf_counter()
    after = await storm.blow(PLANNED_PER_S, after_s, new_days=False)
    took = time.perf_counter() - began
    watching.cancel()
    with db.reading(hub.engine) as connection:
        held = {bytes(one) for one in connection.execute(select(schema.segments.c.id)).scalars()}
    return Found(blown, after, most[0], len((blown.told | after.told) - held), storm.left(), took)


async def _watch(server: psutil.Process, most: list[int]) -> None:
    while True:
        family = [server, *server.children(recursive=True)]
        with contextlib.suppress(psutil.NoSuchProcess):
            most[0] = max(most[0], sum(one.memory_info().rss for one in family))
        await asyncio.sleep(1)


def lines(found: Found, seconds: float) -> list[tuple[str, str]]:
    """What people read."""
    storm, after = found.storm, found.after
    asked = len(storm.accepted_s) + len(storm.shed_s) + len(storm.unclear)
    return [
        ("requests in the storm, a second", f"{asked:,}, {asked / seconds:.1f}/s"),
        (
            "accepted",
            f"{len(storm.accepted_s):,}, {len(storm.accepted_s) / seconds:.1f}/s; {_spread(storm.accepted_s)}",
        ),
        ("refused", f"{len(storm.shed_s):,}, {len(storm.shed_s) / seconds:.1f}/s; {_spread(storm.shed_s)}"),
        ("how", ", ".join(f"{count:,} {what}" for what, count in storm.shed.most_common())),
        ("no clear answer", f"{len(storm.unclear):,} {Counter(storm.unclear).most_common(3) or ''}"),
        ("not sent, as every device was waiting", f"{storm.not_sent:,}"),
        (
            f"after the storm, at {PLANNED_PER_S:.1f}/s: accepted / refused / unclear",
            f"{len(after.accepted_s):,} / {len(after.shed_s):,} / {len(after.unclear):,} in {found.seconds:.0f} s; {_spread(after.accepted_s)}",
        ),
        ("segments left / lost", f"{found.left:,} / {found.lost:,} of {len(storm.told | after.told):,}"),
        ("memory of the hub at most (RSS, all workers)", f"{found.memory_most / 1e6:.0f} MB"),
    ]


def _spread(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return "-"
    parts = statistics.quantiles(seconds, n=20)
    return f"p50 {parts[9] * 1000:,.0f}, p95 {parts[18] * 1000:,.0f}, worst {max(seconds) * 1000:,.0f} ms"
