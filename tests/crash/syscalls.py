"""What a process did to its files and said to others, from strace's record, in order.

`python -m lontar …` runs under strace; each of its writes, syncs and renames below one folder becomes a step, and so does
each message that leaves by a socket or a pipe: from that moment on somebody may have been told.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import pytest

_TRACED: Final = (
    "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,lseek,ftruncate,truncate,fallocate,fsync,fdatasync,"
    "sync_file_range,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,"
    "copy_file_range,sendfile,sendto,sendmsg"
)
_LONGEST: Final = 1 << 22
_UNFINISHED: Final = " <unfinished ...>"
_LINE: Final = re.compile(r"^(\d+)\s+(.*)$")
_RESUMED: Final = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
_CALL: Final = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)(.*)$", re.DOTALL)
_TEXT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_HANDLE: Final = re.compile(r"^(\d+)<(.*?)>(?:\(deleted\))?(?:, |$)")


@dataclass(frozen=True)
class Wrote:
    path: str
    offset: int | None
    """None: at the end."""
    data: bytes


@dataclass(frozen=True)
class Resized:
    path: str
    size: int
    only_grows: bool = False


@dataclass(frozen=True)
class Synced:
    path: str
    before: int
    """Steps from this one on were done while the disk was at it, or later: nothing is promised about them."""


@dataclass(frozen=True)
class Made:
    path: str
    is_folder: bool = False


@dataclass(frozen=True)
class Removed:
    path: str


@dataclass(frozen=True)
class Renamed:
    path: str
    to: str


@dataclass(frozen=True)
class Said:
    """Bytes that left the process."""

    to: str
    data: bytes


Step = Wrote | Resized | Synced | Made | Removed | Renamed | Said


def needs_strace() -> None:
    """Skip where it isn't; in CI that is a failure."""
    found = shutil.which("strace")
    if found and subprocess.run([found, "true"], capture_output=True, check=False).returncode == 0:
        return
    if os.environ.get("CI"):
        pytest.fail("strace is missing, or may not trace here")
    pytest.skip("strace is not installed, or may not trace here")


@contextlib.contextmanager
def recorded(
    record: Path, command: list[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """`lontar …` under strace; killed at the end."""
    traced = ["strace", "-f", "-yy", "-s", str(_LONGEST), "-e", f"trace={_TRACED}", "-o", str(record)]
    process = subprocess.Popen(
        [*traced, sys.executable, "-m", "lontar", *command],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        # The traced ones, not strace, which then writes its record to the end.
        for traced_one in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                traced_one.kill()
        process.wait(30)


def steps(record: Path, root: Path, known: Iterable[str]) -> list[Step]:
    """What was done below `root`, where the paths `known` were at first, and what was said."""
    reader = _Reader(str(root), set(known))
    with record.open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            reader.take(line.rstrip("\n"))
    return reader.steps


class _Reader:
    """Puts calls together that strace shows in two halves, and keeps the places of open files."""

    def __init__(self, root: str, known: set[str]) -> None:
        self._root = root
        self._halves: dict[str, tuple[str, int]] = {}
        self._places: dict[tuple[str, str], int | None] = {}
        self._known = known
        self.steps: list[Step] = []

    def take(self, line: str) -> None:
        found = _LINE.match(line)
        if found is None:
            return
        pid, text = found[1], found[2]
        if text.endswith(_UNFINISHED):
            begun = text.removesuffix(_UNFINISHED)
            self._halves[pid] = (begun, len(self.steps))
            # Whoever is told may hear it before the call has come back.
            self._said(begun)
            return
        began = len(self.steps)
        resumed = _RESUMED.match(text)
        if resumed is not None:
            begun, began = self._halves.pop(pid, ("", began))
            text = begun + resumed[1]
        call = _CALL.match(text)
        if call is None or int(call[3]) < 0:
            return
        if resumed is None:
            self._said(text)
        self._done(call[1], call[2], int(call[3]), call[4], began)

    def _said(self, text: str) -> None:
        name, _, args = text.partition("(")
        handle = _HANDLE.match(args)
        if name not in ("write", "sendto", "sendmsg", "writev") or handle is None:
            return
        if handle[2].startswith(("TCP", "pipe", "UNIX", "socket")) or "->" in args[:80]:
            self.steps.append(Said(args.partition(", ")[0], _texts(args)))

    def _done(self, name: str, args: str, result: int, after: str, began: int) -> None:
        match name:
            case "openat" | "open" | "creat":
                self._opened(name, args, result, after)
            case "mkdir" | "mkdirat":
                self._add(Made(self._path(args), is_folder=True))
            case "unlink" | "unlinkat" | "rmdir":
                self._add(Removed(self._path(args)))
            case "rename" | "renameat" | "renameat2":
                path, to = (_name(one) for one in _TEXT.findall(args)[:2])
                self._add(Renamed(path, to))
            case _:
                handle = _HANDLE.match(args)
                if handle is not None and self._is_ours(handle[2]):
                    self._with_handle(name, handle[1], handle[2], args, result, began)

    def _with_handle(self, name: str, number: str, path: str, args: str, result: int, began: int) -> None:
        match name:
            case "pwrite64":
                offset = int(args.rpartition(", ")[2])
                self._add(Wrote(path, offset, _texts(args)[:result]))
            case "write" | "writev":
                place = self._places.get((number, path), 0)
                self._add(Wrote(path, place, _texts(args)[:result]))
                if place is not None:
                    self._places[number, path] = place + result
            case "lseek":
                if self._places.get((number, path), 0) is not None:
                    self._places[number, path] = result
            case "ftruncate":
                self._add(Resized(path, int(args.rpartition(", ")[2])))
            case "fallocate":
                _, _, start, size = args.rsplit(", ", 3)
                self._add(Resized(path, int(start) + int(size), only_grows=True))
            case "fsync" | "fdatasync":
                self._add(Synced(path, began))
            case "sync_file_range":
                pass
            case _:
                raise NotImplementedError(f"{name}({args[:200]}")

    def _opened(self, name: str, args: str, result: int, after: str) -> None:
        path = after.strip().removeprefix("<").removesuffix(">")
        if not self._is_ours(path):
            return
        is_new = path not in self._known
        if is_new:
            self._add(Made(path))
        elif "O_TRUNC" in args or name == "creat":
            self._add(Resized(path, 0))
        self._places[str(result), path] = None if "O_APPEND" in args else 0

    def _add(self, step: Step) -> None:
        match step:
            case Said():
                pass
            case Renamed(path, to):
                if not (self._is_ours(path) and self._is_ours(to)):
                    return
                self._known.discard(path)
                self._known.add(to)
            case Made(path):
                if not self._is_ours(path):
                    return
                self._known.add(path)
            case Removed(path):
                if not self._is_ours(path):
                    return
                self._known.discard(path)
        self.steps.append(step)

    def _is_ours(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root + "/")

    def _path(self, args: str) -> str:
        """The path of a call that names one, below the folder it is relative to."""
        named = _name(_TEXT.findall(args)[0])
        if named.startswith("/"):
            return named
        folder = re.match(r"^(?:AT_FDCWD|\d+)<(.*?)>", args)
        return f"{folder[1]}/{named}" if folder else named


def _name(text: str) -> str:
    return _bytes(text).decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return codecs.escape_decode(text.encode("utf-8", "surrogateescape"))[0]


def _texts(args: str) -> bytes:
    """All strings among the arguments, as `writev` has several."""
    return b"".join(_bytes(one) for one in _TEXT.findall(args))
