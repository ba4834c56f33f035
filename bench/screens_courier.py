"""`python -m bench.screens_courier`: the pictures of docs/petugas.md, from the product's own pages and a real hub.

Needs chromium and playwright. `--wide` also makes them 1366 px wide, into a folder of your choice, to look at.
"""

from __future__ import annotations

import shutil
import struct
import sys
import tempfile
import threading
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from werkzeug.serving import make_server

from bench import world
from courier.app import create_app
from courier.desk import Desk
from courier.wiring import open_desk
from courier.worker import Task, Worker
from hub import couriers, registry
from hub.app import create_app as create_hub_app
from hub.endpoint import Endpoint
from hub.wiring import Hub, now_ms
from node.wiring import Node
from sync.drives import Drive
from sync.keys import key_id
from sync.machine import Machine
from sync.post import Progress
from sync.sealing import CLASSICAL, OpeningKey
from sync.stick import OUT, Stick

PICTURES: Final = Path(__file__).parent.parent / "docs" / "img"
VILLAGES: Final = ("17.05.10.2007", "17.05.10.2008", "17.05.10.2009", "17.05.10.2010", "17.05.10.2011")
PHONE: Final = (360, 640)
LAPTOP: Final = (1366, 768)
PICTURE: Final = (960, 500)
IN_DOCS: Final = {"sidik", "flashdisk", "diambil", "terkirim", "riwayat"}

_COLOURS: Final = 32

Shot = Callable[[str, str], None]


def main() -> None:
    wide = Path(sys.argv[2]) if sys.argv[1:2] == ["--wide"] else None
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        hub = world.make_hub(folder / "hub")
        url, stop_hub = _served(Endpoint(hub.intake, create_hub_app(hub).wsgi_app))
        for name in ("BIRU 16GB", "LAMA"):
            (folder / name).mkdir()
        stick, worker = Stick(folder / "BIRU 16GB"), Worker()
        desk = open_desk(folder / "petugas")
        desk.set_hub(url)
        plugged: list[Drive] = []
        app, stop_app = _served(create_app(desk, worker, lambda: plugged))
        with _Browser() as shoot:
            _play(
                folder, hub, desk, stick, worker, plugged, lambda path, shot: shoot(app + path, shot, wide)
            )
        stop_app()
        stop_hub()
        desk.ledger.close()
        hub.close()


def _play(
    folder: Path, hub: Hub, desk: Desk, stick: Stick, worker: Worker, plugged: list[Drive], shot: Shot
) -> None:
    shot("/", "pasang")
    nodes = [_village(folder, hub, village) for village in VILLAGES]
    first = Stick(folder / "LAMA")
    for node in nodes[:4]:
        node.bundles.write(first)
    plugged.append(Drive(stick.drive, stick.drive.name))
    desk.set_hub(desk.config.settings.hub_url)
    nodes[0].bundles.write(stick)
    shot("/", "sidik")
    desk.register(desk.config.settings.hub_url, _code(hub))
    desk.collect(first)
    desk.send()
    for node in nodes[:4]:
        registry.approve(hub.engine, key_id(node.config.device_key.public), now_ms())
    desk.fetch()
    for at, node in enumerate(nodes):
        node.recorder.add_learner(f"Peserta {at}", "Kaur Keuangan")
        node.bundles.write(stick)
        if at == 1:
            desk.collect(stick)
            desk.send()
        if at == 2:
            desk.collect(stick)
    torn = next(one for one in stick.parts(OUT) if one.head.sender == _tag(nodes[3]))
    torn.path.write_bytes(torn.path.read_bytes()[:-300])
    shot("/", "flashdisk")
    _run(worker, Task.COLLECT, stick, desk.collect)
    shot("/", "diambil")
    go_on = threading.Event()

    def slowly(progress: Progress) -> None:
        progress(9 * 1024, 24 * 1024)
        go_on.wait(60)

    worker.start(Task.SEND, "", slowly)
    shot("/", "mengirim")
    go_on.set()
    worker.wait()
    torn.path.unlink()
    nodes[3].bundles.write(stick)
    desk.collect(stick)
    worker.start(Task.SEND, "", desk.send, desk.fetch)
    worker.wait()
    shot("/", "terkirim")
    _run(worker, Task.DELIVER, stick, desk.deliver)
    shot("/", "terisi")
    shot("/riwayat", "riwayat")
    shot("/pusat", "pusat")
    for node in nodes:
        node.close()


def _run(worker: Worker, task: Task, stick: Stick, step: Callable[..., object]) -> None:
    worker.start(task, stick.drive.name, lambda progress: step(stick, progress))
    worker.wait()


def _village(folder: Path, hub: Hub, village: str) -> Node:
    node = world.make_node(folder / village, "http://127.0.0.1:9", village)
    node.shelf.take_keyset(hub.config.keyset_data)
    return node


def _tag(node: Node) -> bytes:
    return OpeningKey(CLASSICAL, node.config.sealing_seed).public.id


def _code(hub: Hub) -> str:
    return str(couriers.add(hub.engine, "Pak Rahmat", "17.05", Machine().random_bytes, now_ms()))


def _served(app: Any) -> tuple[str, Callable[[], None]]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", server.shutdown


class _Browser:
    """Chromium, with which pages are photographed."""

    def __enter__(self) -> Callable[[str, str, Path | None], None]:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        return self._shoot

    def __exit__(self, *_: object) -> None:
        self._chromium.close()
        self._playwright.stop()

    def _shoot(self, url: str, name: str, wide: Path | None) -> None:
        sizes = [(PICTURE, PICTURES / f"petugas-{name}.png")]
        if wide is not None:
            sizes = [(PHONE, wide / f"{name}-360.png"), (LAPTOP, wide / f"{name}-1366.png")]
        for (width, height), path in sizes if wide is not None or name in IN_DOCS else []:
            page = self._chromium.new_page(viewport={"width": width, "height": height})
            page.goto(url)
            if wide is None:
                page.locator("main").screenshot(path=str(path))
                path.write_bytes(_shrunk(path.read_bytes()))
            else:
                page.screenshot(path=str(path), full_page=True)
            page.close()


def _shrunk(png: bytes) -> bytes:
    """The picture with at most 32 colours (PNG, 2nd edition): enough for a page, and a third of the bytes."""
    width, height, _depth, colour = struct.unpack_from(">IIBB", png, 16)
    pixels = _pixels(png, width, height, 4 if colour == 6 else 3)
    counts = Counter(pixels)
    palette = [pixel for pixel, _ in counts.most_common(_COLOURS)]
    nearest = {
        pixel: min(range(len(palette)), key=lambda at: sum((a - b) ** 2 for a, b in zip(pixel, palette[at], strict=True)))
        for pixel in counts
    }  # fmt: skip
    lines = b"".join(
        b"\0" + bytes(nearest[pixel] for pixel in pixels[row * width : (row + 1) * width])
        for row in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", bytes(b for pixel in palette for b in pixel)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (*chunks, (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    )


def _pixels(png: bytes, width: int, height: int, step: int) -> list[tuple[int, ...]]:
    """Red, green and blue of each pixel of an 8-bit PNG without interlacing, as chromium writes it."""
    packed, at = b"", 8
    while at < len(png):
        length, name = struct.unpack_from(">I4s", png, at)
        packed += png[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += 12 + length
    raw, stride = zlib.decompress(packed), width * step
    before, pixels = bytearray(stride), []
    for row in range(height):
        kind = raw[row * (stride + 1)]
        line = bytearray(raw[row * (stride + 1) + 1 : (row + 1) * (stride + 1)])
        for x in range(stride) if kind else ():
            left, up = (line[x - step] if x >= step else 0), before[x]
            corner = before[x - step] if x >= step else 0
            line[x] = (line[x] + _predicted(kind, left, up, corner)) & 255
        pixels += [tuple(line[x : x + 3]) for x in range(0, stride, step)]
        before = line
    return pixels


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda value: abs(guess - value))
    return (0, left, up, (left + up) // 2)[kind]


if __name__ == "__main__":
    main()
