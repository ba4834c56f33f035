"""`python -m bench packs`: a 50 MB course built, verified, installed, updated, and fetched over a line that drops."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import zstandard

from content_packs import transfer
from content_packs.build import BuiltPack, build_pack
from content_packs.changes import new_pieces
from content_packs.store import PackStore
from content_packs.verify import open_pack
from sync.errors import UnreachableError
from sync.keys import SigningKey, sha256

KEY: Final = SigningKey.from_seed(b"bench".ljust(32, b"."))
DEMO: Final = Path(__file__).parent.parent / "content_packs" / "demo"
_RATE: Final = 4096
_CUT_EVERY_S: Final = 30


def run() -> None:
    """Measure, and print a line for each figure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old, new = _course(folder / "old", 1), _course(folder / "new", 2)
        began = time.perf_counter()
        built = build_pack(old, KEY)
        with (folder / "old.lontar").open("wb") as file:
            built.write(file)
        _tell("build and sign 50 MB", f"{time.perf_counter() - began:.2f} s, {len(built.pieces)} pieces")
        updated = build_pack(new, KEY)
        fetched = sum(len(updated.pieces[one]) for one in new_pieces(built.manifest, updated.manifest))
        _tell(
            "update: a page edited, 200 KB inserted into a film",
            f"{fetched:,} B and {len(zstandard.compress(updated.envelope, 19)):,} B of manifest (zstd), "
            f"{len(updated.envelope):,} B plain",
        )
        _install_apart(folder)
        _fetch(folder, updated)
    for course in sorted(DEMO.iterdir()):
        envelope = build_pack(course, KEY).envelope
        size = len(zstandard.ZstdCompressor(level=19).compress(envelope))
        _tell(f"manifest of {course.name}", f"{size:,} B compressed, {len(envelope):,} B plain")


def install(pack: Path, folder: Path) -> None:
    """Verify and install, in a process of its own, which tells its time and memory."""
    began = time.perf_counter()
    with open_pack(pack, lambda key: True) as opened:
        PackStore(folder).install(opened)
    # Not ru_maxrss, which a process inherits from the one that started it.
    (most_kb,) = [
        int(line.split()[1])
        for line in Path("/proc/self/status").read_text().splitlines()
        if "VmHWM" in line
    ]
    _tell(
        "verify and install 50 MB",
        f"{time.perf_counter() - began:.2f} s, {most_kb / 1024:.0f} MB of memory at most",
    )


def _install_apart(folder: Path) -> None:
    code = "import sys; from pathlib import Path; from bench.packs import install; install(*map(Path, sys.argv[1:]))"
    subprocess.run(
        [sys.executable, "-c", code, str(folder / "old.lontar"), str(folder / "installed")], check=True
    )


class _Dropping:
    """A line that lets so many bytes through, then drops, again and again; what was under way is lost."""

    def __init__(self, pack: BuiltPack, rng: random.Random) -> None:
        self.files = {transfer.piece_path(one): piece for one, piece in pack.pieces.items()}
        self.files[transfer.manifest_path(sha256(pack.envelope))] = pack.envelope
        self.sent = self.breaks = 0
        self._rng = rng
        self._left = self._next()

    def read(self, path: str, start: int) -> Iterator[bytes]:
        data = io.BytesIO(self.files[path][start:])
        while step := data.read(4096):
            if self._left < len(step):
                # A piece of it arrived and was never written down.
                self.sent += self._left
                self.breaks += 1
                self._left = self._next()
                raise UnreachableError("cut")
            self._left -= len(step)
            self.sent += len(step)
            yield step

    def _next(self) -> int:
        return int(self._rng.expovariate(1 / (_CUT_EVERY_S * _RATE))) + 1


def _fetch(folder: Path, pack: BuiltPack) -> None:
    line, store = _Dropping(pack, random.Random(7)), PackStore(folder / "fetched")
    while True:
        try:
            transfer.fetch(store, line, sha256(pack.envelope), lambda key: True)
            break
        except UnreachableError:
            continue
    whole = len(pack.envelope) + sum(map(len, pack.pieces.values()))
    _tell(
        "fetch of 50 MB over 4 KB/s, cut at random every 30 s",
        f"{line.breaks} breaks, {100 * (line.sent - whole) / whole:.2f} % of the bytes wasted",
    )


def _course(folder: Path, version: int) -> Path:
    """A course of 50 MB: ten readings, a film of 5 MB, films and pictures for the rest."""
    rng = random.Random(5)
    folder.mkdir()
    (folder / "course.toml").write_text(
        f'id = "besar"\ntitle = "Besar"\nversion = {version}\ngeneral = true\n'
    )
    words = [bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=7)).decode() for _ in range(2000)]
    for number in range(1, 11):
        text = " ".join(rng.choices(words, k=600))
        if version == 2 and number == 3:
            text = text.replace(" ", " baru ", 1)
        film = f"![Film](film-{number}.mp4)"
        (folder / f"{number:02}-x.md").write_text(
            f'+++\nid = "m{number}"\ntitle = "M"\n+++\n{text}\n\n{film}\n'
        )
        content = rng.randbytes(5_000_000)
        if version == 2 and number == 7:
            content = content[:2_345_678] + random.Random(8).randbytes(200_000) + content[2_345_678:]
        (folder / f"film-{number}.mp4").write_bytes(content)
    return folder


def _tell(what: str, figure: str) -> None:
    print(f"{what:55} {figure}", flush=True)
