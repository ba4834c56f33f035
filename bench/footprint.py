"""`python -m bench footprint`: how soon a village laptop shows its first page, what it holds in memory, what pages weigh."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from html import unescape
from pathlib import Path
from typing import Final

import requests

from bench import world
from node.learners import Secrets

STARTS: Final = 7
IDLE_AFTER_S: Final = 20.0
_PIN: Final = "482913"
_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
_ASSET: Final = re.compile(r'(?:href|src)="(/(?:web/)?static/[^"]+)"')
_PAGES: Final = (
    ("choose one's name, 25 people", "/"),
    ("PIN", "/masuk/1"),
    ("courses, 8 of them", "/pelatihan"),
    ("course", "/pelatihan/0"),
    ("lesson", "/pelatihan/0/materi/1"),
    ("quiz", "/pelatihan/0/materi/1/kuis"),
    ("question", "/pelatihan/0/materi/1/kuis/1"),
    ("progress", "/kemajuan"),
    ("certificates", "/sertifikat"),
    ("sync", "/sinkronisasi"),
)


def run() -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as name:
        data, port = Path(name) / "node", world.free_port()
        node = world.make_node(data, "http://127.0.0.1:9")
        world.install_catalogue(Path(name), node)
        secrets = Secrets(node.store, node.recorder.now, node.config.pepper)
        for number in range(25):
            node.recorder.add_learner(f"Peserta {number + 1}", "Kepala Dusun")
        secrets.set(1, _PIN)
        node.close()
        command = ["node", "serve", "--data", str(data), "--port", str(port), "--host", "127.0.0.1"]
        base = f"http://127.0.0.1:{port}"
        rows = [("start to first page, median and most of 7", _starts(command, base))]
        with world.serving(command, base) as process:
            time.sleep(IDLE_AFTER_S)
            rows.append((f"memory idle, {IDLE_AFTER_S:.0f} s after the start", _memory(process.pid)))
            rows += _weights(base)
            rows.append(("memory after these pages", _memory(process.pid)))
        return rows


def _starts(command: list[str], base: str) -> str:
    seconds = []
    for _ in range(STARTS):
        began = time.perf_counter()
        with world.serving(command, base, pause_s=0.01):
            seconds.append(time.perf_counter() - began)
    return f"{statistics.median(seconds):.2f} s, {max(seconds):.2f} s"


def _memory(pid: int) -> str:
    """What the process alone holds, and with its share of what others hold too."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    sizes = {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    own = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return f"{sizes['Pss'] / 1e6:.1f} MB (PSS), {own / 1e6:.1f} MB (USS)"


def _weights(base: str) -> list[tuple[str, str]]:
    browser = requests.Session()
    rows = []
    for name, path in _PAGES:
        page = browser.get(base + path, timeout=30).text
        if path == "/masuk/1":
            token = _TOKEN.search(page)
            form = {"pin": _PIN, "csrf_token": token[1] if token else ""}
            browser.post(base + path, data=form, timeout=30)
        loaded = sorted({unescape(one).partition("#")[0] for one in _ASSET.findall(page)})
        assets = sum(len(browser.get(base + one, timeout=30).content) for one in loaded)
        html = len(page.encode())
        rows.append(
            (f"- {name}", f"{(html + assets) / 1024:.1f} KB, of which the page itself {html / 1024:.1f}")
        )
    return [("page weight: HTML, style, scripts, icons; nothing compressed", ""), *rows]
