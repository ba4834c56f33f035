"""What this machine's clocks, randomness and identity say. The only place that asks it.

The rest of the product is given a `Machine`, so that a simulator can give it another.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
import time
import uuid
from pathlib import Path

from sync.logclock import Reading


class Machine:
    """The real thing."""

    def __init__(self) -> None:
        self._boot = _boot_id()

    def reading(self) -> Reading:
        return Reading(self._boot, _powered_ns() // 1_000_000, time.time_ns() // 1_000_000)

    def random_bytes(self, size: int) -> bytes:
        return secrets.token_bytes(size)

    def fingerprint(self) -> bytes:
        """16 bytes that stay the same on this computer and differ on another one that got a copy of its disk."""
        parts = [_read("/etc/machine-id"), *_network_cards()]
        return hashlib.sha256("\0".join(parts).encode()).digest()[:16]


def _powered_ns() -> int:
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


def _boot_id() -> bytes:
    """Names the stretch since switching on; where the system has no name, since this process started."""
    text = _read("/proc/sys/kernel/random/boot_id")
    return bytes.fromhex(text.replace("-", "")) if text else secrets.token_bytes(16)


def _network_cards() -> list[str]:
    """Addresses of network cards that are built in: a copied disk keeps everything else."""
    if sys.platform == "linux":
        places = sorted(Path("/sys/class/net").glob("*/device"))
        return [
            _read(str(place.parent / "address")) for place in places if "usb" not in str(place.resolve())
        ]
    address = uuid.getnode()
    return [] if address >> 40 & 1 else [str(address)]


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""
