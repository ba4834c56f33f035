"""A centre to show: a regency's villages that learn, fall silent, copy their disks and wait, for pictures and for tests.

Everybody in it is fictional. What villages send is recorded and sealed by real nodes and comes over real HTTP to the
centre's pages and endpoint; while weeks are played, the clocks of both are that many days back. Only a stick on the road
is written into the centre's ledger by hand.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from bench import activity, world
from bench.shown_village import DEMO, Pages, served
from content_packs.build import build_pack
from content_packs.manifest import Manifest
from content_packs.store import InstalledPack
from hub import (
    certificate_rules,
    couriers,
    downlink,
    ledger,
    operators,
    packs,
    registry,
    rosters,
    schema,
)
from hub.app import create_app
from hub.certificate_rules import Rule
from hub.db import writing
from hub.endpoint import Endpoint
from hub.roles import Role, Standing
from hub.rosters import Row
from hub.wiring import Hub, open_hub
from node import config
from node.courses import install_pack
from node.wiring import Node, open_node
from sync import exchange
from sync.decisions import AnnouncementPosted
from sync.entries import Entry, LessonProgressed
from sync.exchange import Request
from sync.keys import SigningKey, fingerprint, key_id
from sync.logclock import Reading
from sync.machine import Machine
from sync.post import Post
from sync.segment import open_segment, seal

REGENCY: Final = "17.05"
DISTRICT: Final = "17.05.10"
OPERATOR: Final = "Dinas PMD Seluma"
PUBLISHER: Final = "Penerbit Bengkulu"
DOUBLE: Final = ("Siti Rohani", "Hj. Siti Rohani, S.Sos.")
"""One woman, as she was written down in two villages."""
MONEY, PLANS, FIRST_STEPS = (
    "pengelolaan-keuangan-desa",
    "perencanaan-pembangunan-desa",
    "belajar-dengan-lontar",
)
BEGAN_DAYS: Final = 75

_DAY_MS: Final = 24 * 3600 * 1000
_GIVEN: Final = (
    "Ratna", "Darman", "Sari", "Yusuf", "Lestari", "Bambang", "Nurhayati", "Hendra", "Marlina", "Agus", "Tuti", "Rahmat",
    "Dewi", "Joko", "Fitri", "Syafrudin", "Endang", "Mulyadi", "Erni", "Ahmad", "Zainal", "Wati", "Firman", "Yanti",
)  # fmt: skip
_FAMILY: Final = (
    "Saputra", "Hidayat", "Ningsih", "Irawan", "Gunawan", "Sitorus", "Kurnia", "Anggraini", "Prasetyo", "Susilo",
    "Fauzi", "Wulandari", "Effendi", "Harahap", "Lubis", "Marpaung", "Oktavia", "Pratama", "Ramadhan", "Siregar",
)  # fmt: skip


@dataclass(frozen=True)
class Played:
    """A village: when it was heard of last, how much its people did, and of which course."""

    code: str
    name: str
    silent_days: int
    lines: int = 700
    course: str = MONEY


SEKALAK: Final = Played("17.05.10.2007", "Sekalak", 0, 1500)
NEXT_DOOR: Final = Played("17.05.10.2008", "Lubuk Resam", 0, 1300)
QUIET: Final = Played("17.05.10.2006", "Simpang", 20, 500)
LONG_QUIET: Final = Played("17.05.10.2005", "Selinsingan", 61, 120)
LATE: Final = Played("17.05.10.2004", "Pandan", 33, 300, PLANS)
COPIED: Final = Played("17.05.01.2036", "Sido Luhur", 1, 1800, PLANS)
STOLEN: Final = Played("17.05.10.2009", "Sinar Pagi", 2, 300)
WAITING: Final = Played("17.05.10.2010", "Talang Empat", 0, 0)
TURNS: Final = (SEKALAK, NEXT_DOOR)
"""Where `DOUBLE` learned, under which number, and how long ago she moved."""
HER_NUMBER: Final = "peserta-3"
MOVED_DAYS: Final = 12
VILLAGES: Final = (SEKALAK, NEXT_DOOR, QUIET, LONG_QUIET, LATE, COPIED, STOLEN)


@dataclass
class Days:
    """The clock of everybody, which can be set back by whole days."""

    back_ms: int = 0

    def set_back(self, days: float) -> None:
        self.back_ms = int(days * _DAY_MS)

    def now_ms(self) -> int:
        return int(time.time() * 1000) - self.back_ms


class _Machine(Machine):
    """A laptop whose clock agrees with the others'."""

    def __init__(self, days: Days) -> None:
        super().__init__()
        self._days = days

    def reading(self) -> Reading:
        return replace(super().reading(), wall_ms=self._days.now_ms())


@dataclass(frozen=True)
class Centre(Pages):
    """A centre and its villages' laptops, by the code of the village."""

    hub: Hub
    days: Days
    nodes: dict[str, Node] = field(default_factory=dict)


@contextlib.contextmanager
def shown_centre(folder: Path) -> Iterator[Centre]:
    """Made in `folder`, served until the block ends. Every account has the password `world.PASSWORD`."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        hub, days = _hub(folder / "hub"), Days()
        stack.callback(hub.close)
        hub.intake.now_ms = days.now_ms
        app = create_app(hub)
        address = stack.enter_context(served(Endpoint(hub.intake, app.wsgi_app)))
        centre = Centre(app, address, hub, days)
        days.set_back(BEGAN_DAYS)
        files = {name: _pack(folder, name, hub) for name in (MONEY, PLANS, FIRST_STEPS)}
        _begin(hub, days, files)
        for village in VILLAGES:
            node = _laptop(folder, village, address, days, files)
            stack.callback(node.close)
            centre.nodes[village.code] = node
            world.register(hub, node)
        names = _names()
        stories = {one: _story(centre.nodes[one.code], one, days, names) for one in VILLAGES}
        contacts = [(one.silent_days, one) for one in VILLAGES] + [(MOVED_DAYS, one) for one in TURNS]
        for ago, village in sorted(contacts, key=lambda contact: -contact[0]):
            days.set_back(ago)
            until = _moment(days).isoformat()
            _play(centre.nodes[village.code], [line for line in stories[village] if line["at"] <= until])
            centre.nodes[village.code].worker.exchange()
        _something_of_everything(folder, centre, days)
        days.set_back(0)
        yield centre


def _hub(folder: Path) -> Hub:
    world.make_hub(folder, region="").close()
    with (folder / "hub.toml").open("a", encoding="utf-8") as file:
        file.write('public_url = "https://lontar.selumakab.example"\n')
    return open_hub(folder)


def _pack(folder: Path, name: str, hub: Hub) -> Path:
    file, out = folder / f"{name}.lontar", io.BytesIO()
    build_pack(DEMO / name, world.publisher_key(folder)).write(out)
    file.write_bytes(out.getvalue())
    packs.keep(hub.engine, hub.config, file)
    return file


def _begin(hub: Hub, days: Days, files: dict[str, Path]) -> None:
    """What the centre had decided before any village was there."""
    store = packs.store_of(hub.config)
    for pack in store.packs():
        if pack.manifest.course_id == MONEY:
            certificate_rules.write(hub.engine, pack.manifest.course_key, Rule(7_500, by_hand=True))
    packs.publish(hub.engine, hub.config, files[MONEY], [REGENCY], days.now_ms())
    with writing(hub.engine) as connection:
        for name, standing in (
            (OPERATOR, Standing(Role.OPERATOR, REGENCY)),
            (PUBLISHER, Standing(Role.PUBLISHER, "17")),
            ("Camat Seluma Utara", Standing(Role.VIEWER, DISTRICT)),
            ("Inspektorat", Standing(Role.AUDITOR, "")),
        ):
            operators.add(connection, name, standing, operators.hashed(world.PASSWORD), days.now_ms())
    couriers.add(hub.engine, "Pak Rahmat", DISTRICT, secrets.token_bytes, days.now_ms())


def _laptop(folder: Path, village: Played, address: str, days: Days, files: dict[str, Path]) -> Node:
    random_keys = {key: secrets.token_bytes(32) for key in ("device", "sealing", "pepper", "session")}
    data = folder / village.code
    config.create(data, config.Settings(address, village.code, village.name), random_keys)
    node = open_node(data, _Machine(days), {"LONTAR_STATE": str(folder / f"{village.code}-keadaan")})
    if village.course:
        key = fingerprint(world.publisher_key(folder).public)
        install_pack(node, files[village.course], key)
    return node


def _names() -> Iterator[str]:
    """Names of people, none twice."""
    every = [f"{given} {family}" for given in _GIVEN for family in _FAMILY]
    random.Random(17).shuffle(every)
    return iter(every)


def _story(node: Node, village: Played, days: Days, names: Iterator[str]) -> list[dict[str, Any]]:
    """What people of the village do for weeks, until it falls silent."""
    here = {f"peserta-{at + 1}": next(names) for at in range(len(activity.PEOPLE))}
    if village in TURNS:
        here[HER_NUMBER] = DOUBLE[TURNS.index(village)]
    (pack,) = node.packs.packs()
    days.set_back(village.silent_days)
    lines = _lines(pack, village, days, village.lines)
    if village in TURNS:
        lines = list(_hers_in_turn(lines, is_first=village is NEXT_DOOR))
    return [{**line, "learner_name": here[line["learner"]]} for line in lines]


def _hers_in_turn(lines: list[dict[str, Any]], is_first: bool) -> Iterator[dict[str, Any]]:
    """She moved: in one village she learns before a day, in the other after it."""
    moved = datetime.fromisoformat(lines[-1]["at"]) - timedelta(days=MOVED_DAYS)
    for line in lines:
        if line["learner"] != HER_NUMBER or (datetime.fromisoformat(line["at"]) < moved) == is_first:
            yield line


def _lines(pack: InstalledPack, village: Played, days: Days, count: int) -> list[dict[str, Any]]:
    return activity.lines(pack, count, _moment(days) - timedelta(hours=3), seed=int(village.code[-4:]))


def _moment(days: Days) -> datetime:
    return datetime.fromtimestamp(days.now_ms() / 1000, UTC)


def _play(node: Node, lines: list[dict[str, Any]]) -> None:
    world.play(node, [json.dumps(line).encode() for line in lines])


def _something_of_everything(folder: Path, centre: Centre, days: Days) -> None:
    """A stick that is late, a copied disk, a laptop that was stolen, one that waits, a list of names, a word to all."""
    hub, nodes = centre.hub, centre.nodes
    days.set_back(LATE.silent_days)
    with writing(hub.engine) as connection:
        devices = schema.devices
        same = devices.c.device == key_id(nodes[LATE.code].config.device_key.public)
        pk = connection.execute(select(devices.c.pk).where(same)).scalar_one()
        ledger.note_written(connection, secrets.token_bytes(16), pk, days.now_ms())
    days.set_back(STOLEN.silent_days)
    registry.revoke(hub.engine, key_id(nodes[STOLEN.code].config.device_key.public), days.now_ms())
    _record_more(nodes[STOLEN.code], STOLEN, days)
    days.set_back(COPIED.silent_days)
    _copy_disk(centre, nodes[COPIED.code], days)
    _record_more(nodes[COPIED.code], COPIED, days)
    waiting = _laptop(folder, replace(WAITING, course=""), centre.address, days, {})
    waiting.worker.enrol(None)
    waiting.close()
    rows = [
        Row(at, SEKALAK.code, name, position)
        for at, (name, position) in enumerate(
            (
                ("Rostini Harahap", "Kaur Perencanaan"),
                ("Siti Rohani", "Kaur Keuangan"),
                ("Baharudin", "Kepala Dusun"),
            )
        )
    ]
    rosters.keep(hub.engine, rows, days.now_ms())
    packs.promise(hub.engine, *pack_of(hub, PLANS), [DISTRICT], days.now_ms())
    with writing(hub.engine) as connection:
        said = AnnouncementPosted("Jadwal pendampingan", "Pendamping datang setiap hari Rabu pukul 09.00.")
        downlink.decide(connection, DISTRICT, said, days.now_ms())


def pack_of(hub: Hub, name: str) -> tuple[Manifest, bytes]:
    """A course that the centre keeps, and the hash of its manifest."""
    return next(
        (pack.manifest, pack.manifest_hash)
        for pack in packs.store_of(hub.config).packs()
        if pack.manifest.course_id == name
    )


def _record_more(node: Node, village: Played, days: Days) -> None:
    (pack,) = node.packs.packs()
    later = _lines(pack, village, days, village.lines + 12)[-12:]
    _play(node, [{**line, "id": secrets.token_hex(16)} for line in later])
    node.worker.exchange()


def _copy_disk(centre: Centre, node: Node, days: Days) -> None:
    """Somebody goes on learning on a copy of the laptop's disk, and it is in contact first."""
    with node.store.read() as db:
        rows = db.execute("SELECT data FROM segments ORDER BY log, idx").fetchall()
    last = open_segment(rows[-1][0])
    entry = last.read().entries()[-1]
    key: SigningKey = node.config.device_key
    kind = LessonProgressed(0, 0, 2, 4_000, 180)
    own = Entry(entry.seq + 1, kind.number, entry.t + 60_000, kind.fields())
    copy = seal(key, last.log, last.index + 1, last.id, [own], entry.t)
    header = exchange.sign_request(key, Request(key_id(key.public), own.t, days.now_ms() // 1000))
    Post(centre.address).send(exchange.PATH, header + copy.data, 1 << 20)
