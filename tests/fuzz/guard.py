"""Watches one input at a time: what it raises, the CPU time and the memory that it takes.

CPU time is this process's own, so a busy machine doesn't decide. A kernel timer ends the process where an input
doesn't end, in C code as well; the memory limit is checked after each input, with a hard one far above it.
"""

from __future__ import annotations

import re
import resource
import signal
import time
import traceback
from hashlib import sha256
from pathlib import Path

import psutil

from .note import INPUT_MOST, Note
from .target import Target

SLOW_S = 1.0
"""Told; an instrumented parser on a village's laptop may take this long."""
HANG_S = 5.0
"""A finding."""
MEMORY = 256 << 20
_HARD = 2 << 30
_STATUS = Path("/proc/self/status")
_PEAK = re.compile(rb"VmHWM:\s*(\d+) kB")
FOUND = 79
"""What a process ends with that has written down a finding."""


class FindingError(Exception):
    """An input broke a rule."""


class Guard:
    """Runs a target's inputs; the first that breaks a rule raises FindingError."""

    def __init__(self, target: Target, note: Note) -> None:
        self._target = target
        self._note = note
        self._process = psutil.Process()
        self.slow: bytes = b""
        used = self._process.memory_info().vms + _HARD
        resource.setrlimit(resource.RLIMIT_AS, (used, resource.getrlimit(resource.RLIMIT_AS)[1]))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)

    def __call__(self, data: bytes) -> None:
        data = data[:INPUT_MOST]
        self._note.begin(data)
        before, peak, began = self._process.memory_info().rss, _peak(), time.process_time()
        signal.setitimer(signal.ITIMER_PROF, HANG_S)
        try:
            self._target.tried(data)
        except Exception as problem:
            raise FindingError("".join(traceback.format_exception(problem))) from problem
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        seconds = time.process_time() - began
        if seconds > max(SLOW_S, self._note.slowest):
            self.slow = data
        self._note.done(seconds)
        peak_now = _peak()
        if peak_now > peak and peak_now - before > MEMORY:
            raise FindingError(f"{(peak_now - before) >> 20} MB of memory for one input\n")


def _peak() -> int:
    """Bytes of memory that this program had at most (proc(5), VmHWM).

    Not getrusage's: a process begins there with what its parent had at most, and pytest's is large.
    """
    return int(_PEAK.search(_STATUS.read_bytes())[1]) * 1024  # type: ignore[index]


def write_finding(folder: Path, name: str, data: bytes, why: str) -> Path:
    """The input as a file, and beside it what happened."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    path.with_name(path.name + ".txt").write_text(why, encoding="utf-8")
    return path
