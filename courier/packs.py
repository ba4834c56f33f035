"""Course packs that villages on the route lack: fetched by the officer, put on the stick, installed in the villages.

Which those are the hub says in its signed answer. A pack is believed by its hash and by its publisher, whom the hub's
keyset names. Sticks are filled with what fits, the smallest first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from content_packs import transfer
from content_packs.errors import PackError
from content_packs.pack_file import export
from content_packs.store import PackStore
from content_packs.transfer import Line
from content_packs.verify import trusted_by
from courier.ledger import Ledger
from sync.errors import NotAHubError
from sync.keyset import Keyset
from sync.post import Progress
from sync.stick import PACKS, Stick, large_pack_name

WANTED: Final = "packs_wanted"
_STEP: Final = 256 * 1024
_SPARE: Final = 8 * 1024 * 1024
"""Left free on a stick for the villages' own data."""


@dataclass(frozen=True, slots=True)
class Brought:
    """Packs that came from the hub in one go; `left_out` couldn't be had."""

    packs: int = 0
    size: int = 0
    left_out: int = 0


class Packs:
    """The packs on one officer's laptop."""

    def __init__(self, data: Path, ledger: Ledger, make_line: Callable[[str], Line]) -> None:
        self._data = data
        self._ledger = ledger
        self._make_line = make_line
        self.store = PackStore(data / "packs")

    def want(self, packs: tuple[tuple[bytes, int], ...]) -> None:
        """What the hub said that villages lack."""
        self._ledger.put(WANTED, [list(pack) for pack in packs])

    def wanted(self) -> list[tuple[bytes, int]]:
        return [(manifest_hash, size) for manifest_hash, size in self._ledger.get(WANTED, [])]

    def bring(self, hub_url: str, keyset: Keyset, progress: Progress) -> Brought:
        """Fetch what is wanted and isn't here; goes on where the last attempt broke off.

        Raises:
            UnreachableError: the line broke; what came is kept.
            NoSpaceError: this laptop is full.
        """
        line, done = self._make_line(hub_url), Brought()
        for manifest_hash, _ in self.wanted():
            if self.store.get(manifest_hash) is not None:
                continue
            try:
                fetched = transfer.fetch(
                    self.store, line, manifest_hash, trusted_by(keyset, None), progress
                )
            except NotAHubError:
                # Withdrawn since, or not there yet; the others are still worth fetching.
                done = Brought(done.packs, done.size, done.left_out + 1)
                continue
            done = Brought(done.packs + 1, done.size + fetched.size, done.left_out)
        return done

    def deliver(self, drive: Stick) -> int:
        """Put what is wanted on a stick, as far as it fits; returns how many packs are on it now.

        Raises:
            StickError: as for every writing to a stick.
        """
        count = 0
        for manifest_hash, _ in self.wanted():
            try:
                with self._exported(manifest_hash) as (path, size):
                    name = large_pack_name(manifest_hash)
                    is_there = name in {one.name for one in drive.file_paths(PACKS, name)}
                    if not is_there and drive.free() < size + _SPARE:
                        continue
                    drive.write_large(PACKS, name, lambda path=path: _read(path), size)  # type: ignore[misc]
                    count += 1
            except PackError:
                continue
        return count

    def _exported(self, manifest_hash: bytes) -> _Exported:
        return _Exported(self.store, manifest_hash, self._data)


class _Exported:
    """A pack as a file beside the ledger, for as long as it is being written to a stick."""

    def __init__(self, store: PackStore, manifest_hash: bytes, folder: Path) -> None:
        self._store = store
        self._manifest_hash = manifest_hash
        self._file = tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp")  # noqa: SIM115 - closed in __exit__

    def __enter__(self) -> tuple[Path, int]:
        try:
            export(self._store, self._manifest_hash, self._file)  # type: ignore[arg-type]
            self._file.flush()
        except BaseException:
            self._file.close()
            raise
        path = Path(self._file.name)
        return path, path.stat().st_size

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while step := file.read(_STEP):
            yield step
