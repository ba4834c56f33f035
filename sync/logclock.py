"""Time without clocks: powered-on milliseconds that never go back, and what they tell about dates.

Entries carry only log time `t`. Two kinds of evidence turn it into dates: anchors (a receipt that nobody
could have known earlier) from below, and the hub's time of receipt from above. The wall clock only chooses
a point between the two. A wrong wall clock can spoil nobody's data. Source: docs/protocol.md, section 7;
after Haber and Stornetta, "How to time-stamp a digital document" (1991).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

CRYSTAL_ERROR: Final = 2e-4
JUMP_MS: Final = 2_000
"""A wall clock that moved by more than this against log time is worth a `clock_observed` entry."""

ANCHOR_EVERY_S: Final = 3_600
"""A receipt becomes an `anchor_noted` entry only this long after the last one: anchors cost bytes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a machine's clocks said at one moment. `boot` names the stretch since it was switched on."""

    boot: bytes
    powered_ms: int
    wall_ms: int


class LogClock:
    """Log time that goes on from where it was last written down.

    Within one boot the powered-on time since then counts too; time between the last note before a power
    cut and the cut itself is lost, which makes log time run late and never early. Switching on takes a
    millisecond, so that what was received before it says nothing about what comes after.
    """

    def __init__(self, last_t: int, noted: Reading | None, now: Reading) -> None:
        self._t = last_t
        if noted is not None and noted.boot == now.boot:
            self._t += max(0, now.powered_ms - noted.powered_ms)
        elif noted is not None:
            self._t += 1
        self._at = now

    def now(self, reading: Reading) -> int:
        """Log time (ms) at `reading`. Never less than any earlier answer."""
        self._t += max(0, reading.powered_ms - self._at.powered_ms) if reading.boot == self._at.boot else 0
        self._at = reading
        return self._t

    def move_to(self, t: int) -> None:
        """Go forward to `t`: imported activity brought its own powered-on time."""
        self._t = max(self._t, t)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Log time `t` was not before `hub_ms`."""

    t: int
    hub_ms: int


@dataclass(frozen=True, slots=True)
class Received:
    """Log time `t` was not after `hub_ms`, when a hub received an entry of that log time."""

    t: int
    hub_ms: int


@dataclass(frozen=True, slots=True)
class WallNote:
    """At log time `t` the wall clock said `wall_ms`."""

    t: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Interval:
    """When something happened, in milliseconds since 1970. `earliest` is None when nothing bounds it."""

    earliest: int | None
    estimate: int
    latest: int
    clock_was_wrong: bool


def interval(
    t: int, anchors: Iterable[Anchor], received: Iterable[Received], walls: Iterable[WallNote]
) -> Interval | None:
    """When log time `t` was, or None if no hub has received it yet."""
    after = [hub.hub_ms - _shrunk(hub.t - t) for hub in received if hub.t >= t]
    if not after:
        return None
    latest = min(after)
    before = [anchor.hub_ms + _shrunk(t - anchor.t) for anchor in anchors if anchor.t <= t]
    # Contradicting evidence (imported activity) leaves the upper bound, which a hub saw with its own clock.
    earliest = min(max(before), latest) if before else None
    wall = max((note for note in walls if note.t <= t), key=lambda note: note.t, default=None)
    if wall is not None:
        said = wall.wall_ms + t - wall.t
        if said <= latest and (earliest is None or said >= earliest):
            return Interval(earliest, said, latest, clock_was_wrong=False)
    estimate = latest if earliest is None else (earliest + latest) // 2
    return Interval(earliest, estimate, latest, clock_was_wrong=wall is not None)


def _shrunk(powered_ms: int) -> int:
    return int(powered_ms * (1 - CRYSTAL_ERROR))
