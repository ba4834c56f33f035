"""What a simulated computer's clocks, randomness and identity say."""

from __future__ import annotations

import random

from sync.logclock import Reading
from sync.machine import Machine


class SimulatedMachine(Machine):
    """A computer whose clocks only move when the story moves them."""

    def __init__(self, rng: random.Random, wall_ms: int, identity: bytes) -> None:
        self.rng = rng
        self.wall_ms = wall_ms
        self.powered_ms = 0
        self.boot = rng.randbytes(16)
        self.identity = identity

    def reading(self) -> Reading:
        return Reading(self.boot, self.powered_ms, self.wall_ms)

    def random_bytes(self, size: int) -> bytes:
        return self.rng.randbytes(size)

    def fingerprint(self) -> bytes:
        return self.identity

    def spend(self, ms: int) -> None:
        self.powered_ms += ms
        self.wall_ms += ms

    def switch_on_again(self) -> None:
        self.boot = self.rng.randbytes(16)
        self.powered_ms = self.rng.randrange(5_000)
