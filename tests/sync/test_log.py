"""A log is a tree: what a segment or a head means to somebody who holds a part of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.entries import Entry, LessonOpened, LogOpened
from sync.errors import MalformedError
from sync.keys import SigningKey
from sync.log import NOTHING, Head, Held, Parent, Placement, Status, judge_head, place
from sync.segment import Segment, seal

KEY = SigningKey.from_seed(b"k" * 32)
LOG = bytes(16)


def head(index: int, branch: str = "a") -> Head:
    return Head(LOG, index, f"{branch}{index}".encode())


def held(index: int, branch: str = "a", forked: bool = False) -> Held:
    return Held(head(index, branch), forked)


@pytest.mark.parametrize(
    ("claimed", "has", "known", "verdict"),
    [
        (head(5), None, False, Status.STORED),
        (head(0), None, False, Status.STORED),
        (head(NOTHING, ""), None, False, Status.STORED),
        (head(7), held(5), False, Status.STORED),
        (head(7), held(5, forked=True), False, Status.STORED),
        (head(5), held(NOTHING, ""), False, Status.STORED),
        (head(5), held(5), True, Status.STORED),
        (head(5), held(5, forked=True), True, Status.STORED),
        (head(0), held(0), True, Status.STORED),
        (head(3), held(5), True, Status.BEHIND),
        (head(0), held(5), True, Status.BEHIND),
        (head(4), held(5), True, Status.BEHIND),
        (head(3), held(5, forked=True), True, Status.STORED),
        (head(5, "b"), held(5), False, Status.FORK),
        (head(5, "b"), held(5, forked=True), False, Status.FORK),
        (head(3, "b"), held(5), False, Status.FORK),
        (head(0, "b"), held(5), False, Status.FORK),
    ],
    ids=str,
)
def test_a_head_tells_what_happened_to_the_disk(
    claimed: Head, has: Held | None, known: bool, verdict: Status
) -> None:
    assert judge_head(claimed, has, known) is verdict


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_one_chain_and_a_device_with_its_own_past(common: int, of_hub: int, of_device: int) -> None:
    """Both wrote `common` segments together, then each some of its own; the hub knows only one branch."""
    hub = [f"c{at}" for at in range(common + 1)] + [f"h{at}" for at in range(of_hub)]
    device = [f"c{at}" for at in range(common + 1)] + [f"d{at}" for at in range(of_device)]
    claimed = Head(LOG, len(device) - 1, device[-1].encode())
    has = Held(Head(LOG, len(hub) - 1, hub[-1].encode()), forked=False)
    verdict = judge_head(claimed, has, claimed.id in (name.encode() for name in hub))
    if len(device) > len(hub):
        assert verdict is Status.STORED, "the hub can't judge yet; its tip tells the device where to go on"
    elif of_device:
        assert verdict is Status.FORK
    else:
        assert verdict is (Status.BEHIND if of_hub else Status.STORED)


def test_the_numbers_on_the_wire_are_frozen() -> None:
    assert [(status.name, status.value) for status in Status] == [
        ("STORED", 0),
        ("BEHIND", 1),
        ("FORK", 2),
        ("GAP", 3),
        ("UNKNOWN_DEVICE", 4),
        ("REVOKED", 5),
        ("TOO_OLD_VERSION", 6),
        ("TRY_LATER", 7),
    ]


@dataclass
class Writer:
    """One disk with the log on it."""

    segments: list[Segment]
    seq: int = 0

    def seal(self, count: int, seconds: int = 1) -> Segment:
        kind = LessonOpened(0, 0, 1, seconds)
        made = [Entry(self.seq + at, kind.number, 0, kind.fields()) for at in range(count)]
        if not self.segments:
            opened = LogOpened(1, KEY.public, bytes(32), bytes(16), 0, b"")
            made[0] = Entry(0, opened.number, 0, opened.fields())
        log, previous = (self.segments[0].id, self.segments[-1].id) if self.segments else (b"", b"")
        self.segments.append(seal(KEY, log, len(self.segments), previous, made, 0))
        self.seq += count
        return self.segments[-1]

    def clone(self) -> Writer:
        return Writer(list(self.segments), self.seq)


def as_parent(parent: Segment, has_child: bool = False) -> Parent:
    return Parent(parent.index, parent.end_seq, has_child)


def test_a_segment_finds_its_place() -> None:
    disk = Writer([])
    first, second, third = disk.seal(2), disk.seal(3), disk.seal(1)
    assert place(first, False, None) is Placement.OPENS
    assert place(first, True, None) is Placement.DUPLICATE
    assert place(second, False, as_parent(first)) is Placement.EXTENDS
    assert place(second, True, as_parent(first, has_child=True)) is Placement.DUPLICATE
    assert place(third, False, None) is Placement.GAP
    assert place(third, True, None) is Placement.DUPLICATE


def test_the_second_child_of_a_segment_forks() -> None:
    disk = Writer([])
    parent = disk.seal(2)
    clone = disk.clone()
    ours, theirs = disk.seal(1, seconds=5), clone.seal(1, seconds=6)
    assert ours.id != theirs.id and ours.previous == theirs.previous
    assert place(ours, False, as_parent(parent)) is Placement.EXTENDS
    assert place(theirs, False, as_parent(parent, has_child=True)) is Placement.FORKS


@pytest.mark.parametrize(
    "parent", [Parent(0, 3, False), Parent(2, 3, False), Parent(1, 2, False), Parent(1, 4, True)], ids=str
)
def test_a_segment_that_contradicts_its_parent_is_refused(parent: Parent) -> None:
    """Its signature is valid; its index or its numbers don't go on where the parent ends."""
    kind = LessonOpened(0, 0, 1, 1)
    sealed = seal(KEY, LOG, 2, b"p" * 16, [Entry(3, kind.number, 0, kind.fields())], 0)
    assert place(sealed, False, Parent(1, 3, False)) is Placement.EXTENDS
    with pytest.raises(MalformedError):
        place(sealed, False, parent)
