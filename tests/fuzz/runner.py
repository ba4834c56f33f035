"""Starts a process for each target, and tells what killed it if something did."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from .everything import TARGETS
from .guard import FOUND, HANG_S, write_finding
from .note import Note

ROOT = Path(__file__).parent.parent.parent
_STILL_S = 180.0
"""A process that begins no new input and gets no CPU time for so long waits for something."""


@dataclass(frozen=True, slots=True)
class Outcome:
    name: str
    executions: int
    seconds: float
    slowest: float
    finding: Path | None
    slow: Path | None
    why: str

    def line(self) -> str:
        rate = self.executions / max(self.seconds, 0.001)
        told = f"{self.name:<22} {self.executions:>9} inputs {rate:>8.0f}/s  slowest {self.slowest:.2f} s"
        if self.slow:
            told += f"\n  over 1 s of CPU time: {self.slow}"
        return told if self.finding is None else f"{told}\n  FINDING: {self.finding}\n{self.why.strip()}"


def fuzzed(name: str, seconds: float, findings: Path, seed: int) -> Outcome:
    """Fuzz one target in a process of its own; what it finds is written into `findings`."""
    with tempfile.TemporaryDirectory(prefix="lontar-fuzz-") as made:
        folder = Path(made)
        note = Note(folder / "note")
        # pytest knows this module by a shorter name than a process that is started here.
        module = f"tests.fuzz.targets.{TARGETS[name].run.__module__.rpartition('.')[2]}"
        told = [module, name, str(seconds), made, str(seed)]
        command = [sys.executable, "-m", "tests.fuzz.child", *told]
        began = time.monotonic()
        with (folder / "told").open("wb") as said:
            process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
            ended = _waited(process, folder / "note")
        took = time.monotonic() - began
        note = Note(folder / "note")
        written = {
            kind: next((path for path in sorted(folder.glob(f"{kind}-*")) if not path.suffix), None)
            for kind in ("finding", "slow")
        }
        finding, why = None, ""
        if ended == FOUND and written["finding"] is not None:
            why = written["finding"].with_name(written["finding"].name + ".txt").read_text(encoding="utf-8")
            finding = write_finding(findings, name, written["finding"].read_bytes(), why)
        elif ended:
            why = _death(ended) + (folder / "told").read_text(encoding="utf-8", errors="replace")[-3000:]
            finding = write_finding(findings, name, note.last(), why)
        slow = written["slow"]
        kept = slow and write_finding(
            findings, f"slow-{name}", slow.read_bytes(), f"{note.slowest:.1f} s\n"
        )
        return Outcome(name, note.count, took, note.slowest, finding, kept, why)


def fuzz_all(
    names: Sequence[str], seconds: float, findings: Path, jobs: int, seed: int
) -> Iterator[Outcome]:
    """Fuzz so many targets at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda name: fuzzed(name, seconds, findings, seed), names)


def _waited(process: subprocess.Popen[bytes], path: Path) -> int:
    """What the process ended with; one that waits for something is ended."""
    watched = psutil.Process(process.pid)
    before, since = (-1, 0.0), time.monotonic()
    while True:
        try:
            return process.wait(1)
        except subprocess.TimeoutExpired:
            now = (Note(path).count, watched.cpu_times().user)
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > _STILL_S:
                process.kill()
                return process.wait() or 1


def _death(code: int) -> str:
    if code == -signal.SIGPROF:
        return f"one input took more than {HANG_S:.0f} s of CPU time\n"
    if code < 0:
        return f"the process died of {signal.Signals(-code).name}\n"
    return f"the process ended with {code}\n"
