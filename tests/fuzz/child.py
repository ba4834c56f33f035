"""The process of one target: `python -m tests.fuzz.child MODULE NAME SECONDS FOLDER SEED`, started by `runner`.

It imports that target's module alone: to watch what all of them import takes longer than the fuzzing.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

PRODUCT = ["sync", "content_packs", "web", "node", "hub", "courier"]


def main(module: str, name: str, seconds: float, folder: Path, seed: int) -> int:
    guided = find_spec("atheris") is not None and not os.environ.get("LONTAR_FUZZ_PLAIN")
    if guided:
        import atheris  # type: ignore[import-not-found, unused-ignore]

        with atheris.instrument_imports(include=PRODUCT):
            import_module(module)
    else:
        import_module(module)
    from .guard import FOUND, FindingError, Guard, write_finding
    from .mutator import fuzz
    from .note import Note
    from .target import TARGETS

    target = TARGETS[name]
    corpus = list(target.corpus())
    note = Note(folder / "note")
    guard = Guard(target, note)

    def run(data: bytes) -> None:
        try:
            guard(data)
        except FindingError as problem:
            write_finding(folder, "finding", note.last(), str(problem))
            os._exit(FOUND)
        if guard.slow:
            write_finding(folder, "slow", guard.slow, f"{note.slowest:.1f} s of CPU time\n")
            guard.slow = b""

    if not guided:
        fuzz(run, corpus, seconds, seed)
        return 0
    seeds = folder / "corpus"
    seeds.mkdir()
    for number, data in enumerate(corpus):
        (seeds / str(number)).write_bytes(data)
    longest = max(4096, 2 * max(map(len, corpus)))
    told = [f"-max_total_time={max(1, round(seconds))}", f"-seed={seed}", f"-max_len={longest}"]
    # What atheris and its fuzzer would watch is watched here: by CPU time, and the same way without atheris.
    quiet = [
        f"-artifact_prefix={folder}/",
        "-timeout=1200",
        "-rss_limit_mb=0",
        "-malloc_limit_mb=0",
        "-print_final_stats=0",
        "-verbosity=0",
    ]
    atheris.Setup(["fuzz", *told, *quiet, str(seeds)], run)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5])))
