"""A land as it stands before anything goes wrong: a regency's hub below the nation's, registered laptops, officers.

Made once a process and copied for each world: making it anew would take most of a world's time. Keys come from fixed seeds, so
that a world is the same wherever it is played.
"""

from __future__ import annotations

import atexit
import functools
import random
import shutil
import tempfile
from pathlib import Path
from typing import Final

from centre import REGENCY, made_hub
from sqlalchemy import func, select
from village import COURSE

from content_packs.build import build_pack
from courier.wiring import open_desk
from hub import config as hub_config
from hub import couriers, db, keyring, registry, schema, upstream
from node import config
from node.courses import install_pack
from node.wiring import open_node
from simulation import hub_disks
from simulation.machine import SimulatedMachine
from simulation.network import URL, Faults, Road, asking
from simulation.things import Centre
from sync.client import Client
from sync.keys import SigningKey, fingerprint, key_id
from sync.registration import Code

BEGIN_MS: Final = 1_790_000_000_000
SMALL: Final = 3
LARGE: Final = 40
"""Villages of the two lands that worlds are cut out of; in the small one with two laptops each."""
OFFICERS: Final = 3
VERSIONS: Final = (1, 2, 3)
"""Of the course. Laptops begin with the first."""
PUBLISHER: Final = SigningKey.from_seed(b"publisher".ljust(32, b"."))
Code.key = functools.cache(Code.key)  # type: ignore[method-assign]
"""Slow on purpose, and both sides work it out: here once for each code."""
_SECRETS: Final = ("device", "sealing", "pepper", "session")


@functools.cache
def template(villages: int) -> Path:
    """A folder with hubs `centre` and `nation`, laptops `laptop-VILLAGE-NUMBER`, `officer-NUMBER`, and packs `course-VERSION.pack`."""
    folder = Path(tempfile.mkdtemp(prefix="lontar-land-", dir=memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rng = random.Random("template")
    for version in VERSIONS:
        _build_course(folder, version)
    for name in ("centre", "nation"):
        made_hub(folder / name, rng.randbytes).close()
        hub_disks.begin(folder / name)
    nation, centre = (Centre(folder / name, lambda: BEGIN_MS, rng) for name in ("nation", "centre"))
    _join(centre, nation, rng)
    road = Road(rng, asking(centre.endpoint), [Faults()])
    for number, code in enumerate(village_codes(centre, villages)):
        for place in range(2 if villages == SMALL else 1):
            name = f"laptop-{number}-{place}"
            make_laptop(folder, name, code, rng)
            handed = registry.issue_code(centre.hub.engine, code, rng.randbytes, BEGIN_MS)
            _enrol(folder, name, road, str(handed))
    for at in range(OFFICERS):
        machine = SimulatedMachine(rng, BEGIN_MS, b"officer")
        desk = open_desk(folder / f"officer-{at}", machine, road=lambda url: road)
        code = str(couriers.add(centre.hub.engine, f"Petugas {at}", REGENCY, rng.randbytes, BEGIN_MS))
        desk.register(URL, code)
        desk.ledger.close()
    for one in (centre, nation):
        one.close()
    return folder


def memory() -> Path | None:
    """Where worlds are played: in memory, if this machine has such a place."""
    return Path("/dev/shm") if Path("/dev/shm").is_dir() else None


def village_codes(centre: Centre, count: int) -> list[str]:
    regions = schema.regions.c
    query = select(regions.code).where(func.length(regions.code) == schema.VILLAGE_CODE)
    with db.reading(centre.hub.engine) as connection:
        return list(connection.execute(query.order_by(regions.code).limit(count)).scalars())


def identity_of(name: str) -> bytes:
    return name.encode().ljust(16, b".")[:16]


def make_laptop(folder: Path, name: str, village: str, rng: random.Random) -> None:
    """A laptop with two people and a course, which nobody knows yet."""
    secrets = {key: rng.randbytes(32) for key in _SECRETS}
    config.create(folder / name / "disk", config.Settings(URL, village, name), secrets)
    machine = SimulatedMachine(rng, BEGIN_MS, identity_of(name))
    node = open_node(folder / name / "disk", machine, {"LONTAR_STATE": str(folder / name / "state")})
    install_pack(node, template_pack(folder, 1), fingerprint(PUBLISHER.public))
    node.recorder.add_learner(f"Siti {name}", "Kaur Keuangan")
    node.recorder.add_learner(f"Budi {name}", "Kepala Desa")
    node.close()


def template_pack(folder: Path, version: int) -> Path:
    return folder / f"course-{version}.pack"


def _enrol(folder: Path, name: str, road: Road, code: str) -> None:
    machine = SimulatedMachine(random.Random(name), BEGIN_MS, identity_of(name))
    node = open_node(folder / name / "disk", machine, {"LONTAR_STATE": str(folder / name / "state")})
    key = node.config.device_key
    node.worker.with_client(lambda: Client(URL, key, key_id(key.public), road)).enrol(code)
    node.close()


def _join(centre: Centre, nation: Centre, rng: random.Random) -> None:
    road = Road(rng, asking(nation.endpoint), [Faults()])
    code = registry.issue_code(nation.hub.engine, REGENCY, rng.randbytes, BEGIN_MS)
    hub = centre.hub
    keyset = upstream.register(hub.engine, hub.config, URL, str(code), REGENCY, lambda url: road)
    change = keyring.Change(add_upstream=keyset.intake, add_publisher=PUBLISHER.public)
    keyring.rotate(hub.engine, hub_config.load(centre.folder), None, change, BEGIN_MS)
    centre.start_again()


def _build_course(folder: Path, version: int) -> None:
    source = folder / f"course-{version}"
    source.mkdir()
    for name, text in COURSE.items():
        (source / name).write_text(text.replace("version = 1", f"version = {version}"), encoding="utf-8")
    with template_pack(folder, version).open("wb") as file:
        build_pack(source, PUBLISHER).write(file)
