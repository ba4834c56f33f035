"""What a disk may hold after a power cut: everything that was synced, and any part of the rest.

The model (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014; CrashMonkey, OSDI 2018): what a file holds
is safe once the file was synced; of what was written after that, each write may be there, be missing, be there in some of its
sectors of 512 bytes, or have left zeros. Names (made, renamed, removed) are safe once a folder was synced; of those after that,
some first ones are there, in their order, whatever became of what the files hold. Syncing a file keeps no name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from syscalls import Made, Removed, Renamed, Resized, Said, Step, Synced, Wrote

SECTOR: Final = 512
MOODS: Final = (0.0, 0.2, 0.5, 0.8, 1.0)
"""How much of what was never synced is there all the same."""


@dataclass
class File:
    safe: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, Wrote | Resized]] = field(default_factory=list)
    size: int = 0

    def sync(self, before: int) -> None:
        for at, change in self.since:
            if at < before:
                _apply(self.safe, change)
        self.since = [(at, change) for at, change in self.since if at >= before]

    def after_a_cut(self, rng: random.Random, mood: float) -> bytes:
        held = bytearray(self.safe)
        for _, change in self.since:
            if rng.random() < mood:
                _apply(held, change)
            elif isinstance(change, Wrote) and rng.random() < mood:
                _tear(held, change, rng)
        return bytes(held)


Name = Made | Removed | Renamed


class Disk:
    """One folder, as the process saw it (`now`) and as it is sure to be after a cut (`safe`)."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.now: dict[str, File | None] = {self.root: None}
        for path in sorted(root.rglob("*")):
            held = None if path.is_dir() else File(bytearray(path.read_bytes()), size=path.stat().st_size)
            self.now[str(path)] = held
        self.safe = dict(self.now)
        self._names: list[tuple[int, Name, File | None]] = []

    def do(self, at: int, step: Step) -> None:
        match step:
            case Said():
                pass
            case Wrote(path, offset, data):
                if (file := self.now.get(path)) is not None:
                    place = file.size if offset is None else offset
                    file.since.append((at, Wrote(path, place, data)))
                    file.size = max(file.size, place + len(data))
            case Resized(path, size, only_grows):
                if (file := self.now.get(path)) is not None:
                    file.since.append((at, step))
                    file.size = max(file.size, size) if only_grows else size
            case Synced(path, before):
                if path not in self.now:
                    return
                file = self.now[path]
                if file is not None:
                    file.sync(before)
                else:
                    self._sync_names(before)
            case Made(_, is_folder):
                file = None if is_folder else File()
                self._names.append((at, step, file))
                _rename(self.now, step, file)
            case _:
                self._names.append((at, step, None))
                _rename(self.now, step, None)

    def after_a_cut(self, rng: random.Random, mood: float) -> dict[str, bytes | None]:
        """One of the many things that the disk may hold: contents by path, None for folders."""
        names = dict(self.safe)
        kept = round(len(self._names) * mood) if mood in (0.0, 1.0) else rng.randint(0, len(self._names))
        for _, change, file in self._names[:kept]:
            _rename(names, change, file)
        return {
            path: None if file is None else file.after_a_cut(rng, mood)
            for path, file in names.items()
            if path == self.root or str(Path(path).parent) in names
        }

    def _sync_names(self, before: int) -> None:
        for at, change, file in self._names:
            if at < before:
                _rename(self.safe, change, file)
        self._names = [one for one in self._names if one[0] >= before]


def cuts(
    disk: Disk, steps: Sequence[Step], points: Sequence[int], rng: random.Random
) -> Iterator[tuple[int, dict[str, bytes | None]]]:
    """(how many steps had been done, what the disk holds) for each of the sorted `points`."""
    done = 0
    for point in points:
        for at in range(done, point):
            disk.do(at, steps[at])
        done = point
        yield point, disk.after_a_cut(rng, rng.choice(MOODS))


def put(state: dict[str, bytes | None], root: str, to: Path) -> None:
    """Write what the disk holds into another folder."""
    to.mkdir(parents=True)
    for path, data in sorted(state.items()):
        place = to / path.removeprefix(root).lstrip("/")
        if data is None:
            place.mkdir(exist_ok=True)
        else:
            place.write_bytes(data)


def _apply(held: bytearray, change: Wrote | Resized) -> None:
    if isinstance(change, Wrote):
        assert change.offset is not None
        end = change.offset + len(change.data)
        held.extend(bytes(max(0, end - len(held))))
        held[change.offset : end] = change.data
    elif change.size > len(held):
        held.extend(bytes(change.size - len(held)))
    elif not change.only_grows:
        del held[change.size :]


def _tear(held: bytearray, change: Wrote, rng: random.Random) -> None:
    """Some sectors of a write; where it made the file longer, the others may be zeros."""
    assert change.offset is not None
    at, end = change.offset, change.offset + len(change.data)
    while at < end:
        next_ = min(end, (at // SECTOR + 1) * SECTOR)
        if rng.random() < 0.5:
            part = change.data[at - change.offset : next_ - change.offset]
            _apply(held, Wrote(change.path, at, part))
        at = next_


def _rename(names: dict[str, File | None], change: Name, file: File | None) -> None:
    match change:
        case Made(path):
            names.setdefault(path, file)
        case Removed(path):
            names.pop(path, None)
        case Renamed(path, to):
            if path in names:
                moved = [one for one in names if one == path or one.startswith(path + "/")]
                for one in moved:
                    names[to + one.removeprefix(path)] = names.pop(one)
