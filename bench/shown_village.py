"""A village to show: four laptops, people, courses, a centre they talk to and a stick, for pictures and for access checks.

Everybody in it is fictional. Made with the product's own classes and real HTTP; the only thing that is set by hand is
which drives are plugged in. `desa` has been in use for weeks; on `baru` nobody has learned yet; `kotak` and `siap` are
still in the wizard of the first day, at its first and its last question.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from werkzeug.serving import make_server

from bench import activity, world
from content_packs.build import build_pack
from hub import courses as hub_courses
from hub import downlink
from hub import packs as hub_packs
from hub.app import create_app as create_hub_app
from hub.db import writing
from hub.endpoint import Endpoint
from hub.wiring import Hub, now_ms
from node import backups, config
from node.app import create_app
from node.courses import install_pack, make_local
from node.setup import Setup
from node.setup_app import create_setup_app
from node.visits import Visits
from node.wiring import Node, open_node
from sync.decisions import AnnouncementPosted
from sync.drives import Drive
from sync.keys import SigningKey, fingerprint
from sync.machine import Machine
from sync.stick import Stick
from web.villages import find

LEARNER: Final = "Syafrudin"
PIN: Final = "482913"
PASSWORD: Final = "daun lontar 2026"
ENTRIES: Final = 900
DEMO: Final = Path(__file__).parent.parent / "content_packs" / "demo"

_COURSE: Final = """id = "kas-desa-sekalak"
title = "Kas Desa Sekalak"
version = 1
summary = "Kebiasaan mencatat di desa kami, dengan semua jenis soal."
hours_jp = 1
general = true
attempts = 5
publisher = "Desa Sekalak (contoh)"
"""
_LESSON: Final = """+++
id = "mencatat"
title = "Mencatat setiap hari"
minutes = 10
+++

## Buku kas

Catat uang **masuk dan keluar** pada hari yang sama.

| Tanggal | Uraian | Masuk | Keluar |
|---|---|---:|---:|
| 2 Maret | Saldo awal | 1.500.000 | |
| 3 Maret | Alat tulis | | 125.000 |

## Bukti

Simpan setiap kuitansi dalam satu map, urut tanggal.
"""
_HEADS: Final = {
    "latihan": 'id = "latihan"\ntitle = "Latihan mencatat"\nminutes = 10',
    "akhir": 'id = "tes-akhir"\ntitle = "Tes akhir"\nrole = "posttest"\nminutes = 10',
}
_QUESTIONS: Final = """+++
{head}
+++

Jawablah dengan tenang.

## [{name}-kapan] Kapan uang dicatat?
- [x] Pada hari yang sama
- [ ] Setiap akhir tahun
- [ ] Bila sempat
> Penjelasan: Yang ditunda mudah terlupa.

## [{name}-buku|ganda] Buku mana yang diisi Kaur Keuangan?
- [x] Buku kas umum
- [x] Buku bank
- [ ] Buku tamu
> Penjelasan: Buku tamu diisi petugas pelayanan.

## [{name}-pasang|jodoh] Pasangkan tugas dan orangnya.
- Menyimpan uang => Kaur Keuangan
- Memeriksa bukti => Sekretaris Desa
- => Ketua RT

## [{name}-urut|urut] Urutkan langkahnya.
1. Menerima uang
2. Menulis kuitansi
3. Mencatat dalam buku

## [{name}-singkatan|isian] Apa singkatan anggaran desa?
- [x] APB Desa
- [x] APBDes

## [{name}-sisa|angka] Kas 1.500.000 dikurangi 125.000. Berapa sisanya?
- [x] 1375000
"""


@dataclass(frozen=True)
class Pages:
    """An application and where it is served."""

    app: Any
    address: str


@dataclass(frozen=True)
class Laptop(Pages):
    """A laptop that is set up, and its stick."""

    node: Node
    stick: Path


@dataclass(frozen=True)
class Shown:
    """Everything that pages are opened of."""

    desa: Laptop
    baru: Laptop
    kotak: Pages
    siap: Pages
    hub: Pages


@contextlib.contextmanager
def shown_village(folder: Path) -> Iterator[Shown]:
    """Made in `folder`, served until the block ends."""
    with contextlib.ExitStack() as stack:
        hub = world.make_hub(folder / "hub")
        stack.callback(hub.close)
        hub_app = create_hub_app(hub)
        hub_address = stack.enter_context(served(Endpoint(hub.intake, hub_app.wsgi_app)))
        desa = _laptop(folder, "desa", hub_address, stack)
        _fill(folder, desa, hub)
        baru = _laptop(folder, "baru", hub_address, stack)
        kotak = _wizard(folder / "kotak", stack)
        siap = _wizard(folder / "siap", stack, hub_address, desa.stick)
        yield Shown(desa, baru, kotak, siap, Pages(hub_app, hub_address))


def _wizard(data: Path, stack: contextlib.ExitStack, hub_url: str = "", stick: Path | None = None) -> Pages:
    """The first day; with an address of the centre every question has its answer."""

    def not_made() -> Node:
        raise NotImplementedError("pictures end before the node is made")

    drives = [Drive(stick, stick.name)] if stick else []
    setup = Setup(data, 8080, Machine(), not_made, lambda node: "/", lambda: drives)
    if stick is not None:
        village = find(world.VILLAGE)
        assert village is not None
        setup.choose_village(village)
        setup.keep(
            has_centre=True, hub_url=hub_url, has_hotspot=True, has_backup=True, backup_place=str(stick)
        )
        setup.password = PASSWORD
    app = create_setup_app(setup)
    return Pages(app, stack.enter_context(served(app)))


def _laptop(folder: Path, name: str, hub_url: str, stack: contextlib.ExitStack) -> Laptop:
    random = {key: secrets.token_bytes(32) for key in ("device", "sealing", "pepper", "session")}
    config.create(folder / name, config.Settings(hub_url, world.VILLAGE, "Sekalak"), random)
    node = open_node(folder / name, None, {"LONTAR_STATE": str(folder / f"{name}-keadaan")})
    stack.callback(node.close)
    stick = folder / f"FLASHDISK {name.upper()}"
    stick.mkdir()
    drives = [Drive(stick, stick.name)] if name == "desa" else []
    app = create_app(node, Visits(node, None, lambda: drives))
    return Laptop(app, stack.enter_context(served(app)), node, stick)


def _fill(folder: Path, laptop: Laptop, hub: Hub) -> None:
    """Weeks of work: courses, people who learn, what the centre said, a stick that went there."""
    node = laptop.node
    world.register(hub, node)
    key = world.publisher_key(folder)
    for name in ("pengelolaan-keuangan-desa", "perencanaan-pembangunan-desa"):
        install_pack(node, _built(folder, name, key, hub), fingerprint(key.public))
    own = folder / "kas-desa"
    own.mkdir()
    files = {"course.toml": _COURSE, "01-mencatat.md": _LESSON}
    for at, (part, head) in enumerate(_HEADS.items(), start=2):
        files[f"{at:02}-{part}.md"] = _QUESTIONS.format(head=head, name=part)
    for name, text in files.items():
        (own / name).write_text(text, encoding="utf-8")
    make_local(node, own)
    learned = next(one for one in node.packs.packs() if one.manifest.course_id.startswith("pengelolaan"))
    lines = activity.lines(learned, ENTRIES, datetime.now(UTC) - timedelta(hours=3))
    world.play(node, [json.dumps(line).encode() for line in lines])
    _say(hub)
    offered = _built(folder, "belajar-dengan-lontar", key, hub)
    hub_packs.publish(hub.engine, hub.config, offered, ["17.05"], now_ms())
    for _ in range(3):
        node.worker.exchange()
    later = [{**line, "id": secrets.token_hex(16), "at": _later(line)} for line in lines[-40:]]
    world.play(node, [json.dumps(line).encode() for line in later])
    node.bundles.write(Stick(laptop.stick))
    backups.back_up_now(node)
    node.ballast.refill()


def _later(line: dict[str, Any]) -> str:
    return (datetime.fromisoformat(line["at"]) + timedelta(hours=2)).isoformat(timespec="milliseconds")


def _built(folder: Path, name: str, key: SigningKey, hub: Hub) -> Path:
    file, out = folder / f"{name}.lontar", io.BytesIO()
    build_pack(DEMO / name, key).write(out)
    file.write_bytes(out.getvalue())
    hub_courses.add(hub.engine, hub.config, file)
    return file


def _say(hub: Hub) -> None:
    with writing(hub.engine) as connection:
        for title, text in (
            (
                "Jadwal pendampingan",
                "Pendamping desa datang setiap hari Rabu pukul 09.00.\nSiapkan buku kas dan kuitansi.",
            ),
            ("Pelatihan baru tersedia", "Belajar dengan Lontar dapat diambil lewat flashdisk petugas."),
        ):
            downlink.decide(connection, "17.05", AnnouncementPosted(title, text), now_ms())


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
