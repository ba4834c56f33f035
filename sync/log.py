"""A log is a tree of segments: who follows whom, and where it forks.

Both branches of a fork count: merging is a set union. Forks are reported to people and never frozen or
dropped. Nothing here stores anything; callers say what they hold and are told what a segment or a head
means to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from sync.errors import N_, MalformedError
from sync.segment import Segment


@dataclass(frozen=True, slots=True)
class Head:
    """A sealed segment, as the newest of its log that somebody holds. `id` may be a prefix on the wire."""

    log: bytes
    index: int
    id: bytes


NOTHING = -1
"""The index of the head of a log of which nothing is held."""


class Placement(Enum):
    """What a segment is to a holder of its log."""

    OPENS = "opens"
    EXTENDS = "extends"
    FORKS = "forks"
    GAP = "gap"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Parent:
    """What a holder knows of the segment that another one names as its previous."""

    index: int
    end_seq: int
    has_child: bool


def place(segment: Segment, already_held: bool, parent: Parent | None) -> Placement:
    """Where `segment` belongs.

    Raises:
        MalformedError: it contradicts the segment before it, although its device signed it.
    """
    if already_held:
        return Placement.DUPLICATE
    if segment.index == 0:
        return Placement.OPENS
    if parent is None:
        return Placement.GAP
    if parent.index != segment.index - 1 or parent.end_seq != segment.first_seq:
        raise MalformedError(N_("Segmen ini tidak menyambung segmen sebelumnya."))
    return Placement.FORKS if parent.has_child else Placement.EXTENDS


class Status(IntEnum):
    """The hub's verdict on a head; numbers are on the wire."""

    STORED = 0
    BEHIND = 1
    FORK = 2
    GAP = 3
    UNKNOWN_DEVICE = 4
    REVOKED = 5
    TOO_OLD_VERSION = 6
    TRY_LATER = 7


@dataclass(frozen=True, slots=True)
class Held:
    """What a hub holds of one log: the tip of its longest contiguous branch, and whether it forks."""

    tip: Head
    forked: bool


def judge_head(claimed: Head, held: Held | None, claimed_is_known: bool) -> Status:
    """What a device's claimed head says about that device's disk.

    `claimed_is_known`: the hub holds, contiguously, a segment with that index and id.
    """
    if held is None or claimed.index > held.tip.index:
        return Status.STORED
    if not claimed_is_known:
        return Status.FORK
    return Status.BEHIND if claimed.index < held.tip.index and not held.forked else Status.STORED
