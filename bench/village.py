"""`python -m bench village`: how large the village's database is, and how long recording takes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench import world

ENTRIES = 5000


def run() -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as name:
        node = world.make_node(Path(name) / "node", "http://127.0.0.1:9")
        world.install_catalogue(Path(name), node)
        lines = world.workload_lines(1, ENTRIES)
        started = time.perf_counter()
        world.play(node, lines)
        seconds = time.perf_counter() - started
        node.recorder.seal()
        node.close()
        size = sum(path.stat().st_size for path in (Path(name) / "node").glob("lontar.db*"))
        return [
            ("entries", f"{ENTRIES:,}"),
            ("seconds to record them from a file", f"{seconds:.2f}"),
            ("database and WAL, bytes an entry", f"{size / ENTRIES:.0f}"),
        ]
