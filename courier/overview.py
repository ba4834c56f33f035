"""What is on a stick, village by village: counts, ages, sizes, and whether the hub holds it. Reads, changes nothing.

It looks only at the outside of parts, so a page is quick on a slow stick; whether each byte is right shows when the
parts are taken. Names come from the hub, to couriers that it let in; else a device is a few letters and digits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from courier.desk import Desk
from courier.ledger import Part, State
from sync import stick
from sync.courier import Place
from sync.stick import IN, OUT, Found, Stick


class Outcome(IntEnum):
    """What is to be done about a village's parts; the larger, the more urgent."""

    DELIVERED = 0
    """The hub holds them: they may be taken off the stick."""
    FOREIGN = 1
    REFUSED = 2
    HERE = 3
    """Copied to this laptop, not sent yet."""
    FRESH = 4
    """Only on the stick."""
    TORN = 5


@dataclass(frozen=True, slots=True)
class Sender:
    """The parts of one village's device; counts by what is to be done."""

    tag: bytes
    place: Place | None
    parts: int
    size: int
    since_ms: int | None
    counts: dict[Outcome, int]

    @property
    def name(self) -> str:
        return tag_name(self.tag) if self.place is None else self.place.name or self.place.village

    @property
    def outcome(self) -> Outcome:
        return max(self.counts)

    @property
    def may_go(self) -> bool:
        """Whether none of it needs the stick any more."""
        return set(self.counts) == {Outcome.DELIVERED}


@dataclass(frozen=True, slots=True)
class Overview:
    """One stick now. `unreadable` files look like parts and aren't."""

    senders: list[Sender]
    unreadable: int
    free: int
    mail_villages: int
    mail_parts: int

    def count(self, outcome: Outcome) -> int:
        return sum(sender.counts.get(outcome, 0) for sender in self.senders)


def overview(desk: Desk, drive: Stick) -> Overview:
    """
    Raises:
        StickError: the stick can't be read.
    """
    route = desk.ledger.route()
    found = drive.parts(OUT)
    by_tag: dict[bytes, list[tuple[Found, Part | None]]] = {}
    for one in found:
        part = desk.ledger.part_at(one.head.bundle, one.head.index)
        by_tag.setdefault(one.head.sender, []).append((one, part))
    senders = [_sender(tag, route.get(tag), pairs) for tag, pairs in by_tag.items()]
    senders.sort(key=lambda sender: (-sender.outcome, sender.name, sender.tag))
    mail = drive.parts(IN)
    return Overview(
        senders,
        len(drive.file_paths(OUT, stick.PART)) - len(found),
        drive.free(),
        len({one.head.recipient for one in mail}),
        len(mail),
    )


def tag_name(tag: bytes) -> str:
    """A device whose village isn't known here, in letters that two people can compare."""
    text = tag[:4].hex().upper()
    return f"{text[:4]}-{text[4:]}"


def _sender(tag: bytes, place: Place | None, pairs: Iterable[tuple[Found, Part | None]]) -> Sender:
    counts: dict[Outcome, int] = {}
    size, since = 0, []
    for found, part in pairs:
        size += found.size
        outcome = _outcome(found, part)
        counts[outcome] = counts.get(outcome, 0) + 1
        if part is not None:
            since.append(part.first_seen_ms)
    return Sender(tag, place, sum(counts.values()), size, min(since, default=None), counts)


def _outcome(found: Found, part: Part | None) -> Outcome:
    if part is not None and part.state.is_delivered:
        return Outcome.DELIVERED
    if found.size != found.head.size:
        return Outcome.TORN
    if part is None:
        return Outcome.FRESH
    return {State.FOREIGN: Outcome.FOREIGN, State.REFUSED: Outcome.REFUSED}.get(part.state, Outcome.HERE)
