"""Finds what `doctor` judges: asks the clocks, the disk, the network and a few settings. Costs little.

Two things are slow and are done only when somebody asks: reading the whole database, and writing to a stick. A shell.
"""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from node import backups, snapshots
from node.doctor import Findings
from node.lan import own_addresses
from node.mending import MEND
from node.shelf import HUB_CLOCK
from node.soundness import is_sound
from node.wiring import Node
from sync.errors import N_, LontarError, StickError
from sync.stick import Files
from web.dates import moment_in

_CHECKED: Final = "database_checked"
_PACKAGE: Final = "lontar"
_PATIENCE_S: Final = 0.5
_TEST: Final = "LONTAR-UJI.TMP"
_TEST_SIZE: Final = 64 * 1024


def findings(node: Node, port: int | None = None, addresses: tuple[str, ...] | None = None) -> Findings:
    """What is so now. `port` is where pages are served; without it, where they would be."""
    settings = node.config.settings
    t, reading = node.recorder.clock()
    state, counts = node.worker.state(), node.recorder.counts()
    second = backups.second_place(node)
    newest = next(iter(snapshots.listed(node.config.data)), None)
    here = tuple(own_addresses()) if addresses is None else addresses
    checked = node.store.get(_CHECKED)
    door = port or settings.port
    heard = node.store.get(HUB_CLOCK)
    return Findings(
        wall_ms=reading.wall_ms,
        wall_text=moment_in(reading.wall_ms, settings.zone),
        built_ms=built_ms(),
        contact_ms=state.last_contact_ms,
        hub_now_ms=None if heard is None else int(heard[1]) + t - int(heard[0]),
        zone=settings.zone,
        room=node.ballast.room(),
        database_is_whole=None if checked is None else bool(checked[0]),
        database_checked="" if checked is None else moment_in(int(checked[1]), settings.zone),
        snapshot_age_ms=None if newest is None else max(0, t - newest.facts.t),
        place=second.place,
        place_is_there=second.is_there,
        place_is_same_disk=second.is_same_disk,
        copy_age_ms=None if second.last is None else max(0, t - second.last.t),
        backup_error=second.error,
        addresses=here,
        port=door,
        is_reached=is_reached(here[0], door) if here and port else None,
        firewall=firewall_command(door),
        pending=counts.saved - counts.confirmed,
        registration=state.registration,
        sync_error=state.error,
        version=version(),
        memory_free=memory_free(),
    )


def examine_database(node: Node) -> bool:
    """Read the whole database; what is wrong is mended at the next start. Slow on a slow disk."""
    with node.store.read() as db:
        try:
            whole = db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok" and is_sound(
                db, thorough=True
            )
        except (sqlite3.Error, UnicodeDecodeError):
            whole = False
    with contextlib.suppress(LontarError), node.store.write():
        node.store.put(_CHECKED, [whole, node.worker.wall_ms()])
        if not whole:
            node.store.put(MEND, 1)
    return whole


def try_stick(place: Path, content: bytes, files: Files | None = None) -> None:
    """Write a small file, read it back past the cache, and remove it.

    Raises:
        StickError: the stick is full, locked, or loses what is written.
    """
    files = files or Files()
    path = place / _TEST
    try:
        files.write(path, content)
        is_same = files.read(path, len(content) + 1) == content
        files.remove(path)
    except OSError as problem:
        with contextlib.suppress(OSError):
            files.remove(path)
        raise StickError(
            N_("Flashdisk ini tidak dapat ditulis: terkunci, penuh, atau rusak. Pakai flashdisk lain.")
        ) from problem
    if not is_same:
        raise StickError(
            N_("Flashdisk ini rusak: yang ditulis tidak sama saat dibaca lagi. Pakai flashdisk lain.")
        )


def is_reached(address: str, port: int) -> bool:
    """Whether something answers at that address of this laptop."""
    try:
        socket.create_connection((address, port), timeout=_PATIENCE_S).close()
    except OSError:
        return False
    return True


def firewall_command(port: int) -> str:
    """What lets phones in, on this system; activities are played at the port after the pages'."""
    if sys.platform == "win32":
        return (
            "netsh advfirewall firewall add rule name=Lontar dir=in action=allow "
            f"protocol=TCP localport={port}-{port + 1}"
        )
    if Path("/usr/bin/firewall-cmd").exists():
        return (
            f"sudo firewall-cmd --permanent --add-port={port}-{port + 1}/tcp && sudo firewall-cmd --reload"
        )
    return f"sudo ufw allow {port}:{port + 1}/tcp"


def memory_free() -> int | None:
    """Bytes that programs can still have; None where the system doesn't say."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def version() -> str:
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return "?"


def built_ms() -> int:
    """When this software was put on the disk at the earliest: no clock can rightly be before that."""
    return int(Path(__file__).stat().st_mtime * 1000)
