"""Log time never goes back; dates come from what hubs saw, and contain the truth when nobody lies."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.logclock import (
    CRYSTAL_ERROR,
    Anchor,
    Interval,
    LogClock,
    Reading,
    Received,
    WallNote,
    interval,
)

QUICK = settings(max_examples=100, deadline=None)
ROUNDING_MS = 3
"""Readings are whole milliseconds, each rounded down."""
HOUR = 3_600_000

readings = st.builds(
    Reading, st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 1 << 45), st.integers(-(1 << 45), 1 << 45)
)


@QUICK
@given(st.integers(0, 1 << 50), st.none() | readings, st.lists(readings, min_size=1, max_size=20))
def test_log_time_never_goes_back_whatever_the_clocks_say(
    last_t: int, noted: Reading | None, came: list[Reading]
) -> None:
    clock = LogClock(last_t, noted, came[0])
    times = [last_t, *(clock.now(reading) for reading in came)]
    assert times == sorted(times)


@QUICK
@given(
    st.integers(0, 1 << 50),
    st.lists(readings, min_size=1, max_size=20),
    st.lists(st.integers(-(1 << 45), 1 << 45), min_size=20, max_size=20),
)
def test_the_wall_clock_decides_nothing(last_t: int, came: list[Reading], walls: list[int]) -> None:
    others = [replace(reading, wall_ms=wall) for reading, wall in zip(came, walls, strict=False)]
    clock, other = LogClock(last_t, came[0], came[0]), LogClock(last_t, others[0], others[0])
    assert [clock.now(reading) for reading in came] == [other.now(reading) for reading in others]


@QUICK
@given(st.integers(0, 1 << 40), st.lists(st.integers(0, HOUR), max_size=20), st.data())
def test_within_one_boot_log_time_is_powered_time_however_often_the_program_restarts(
    last_t: int, steps: list[int], data: st.DataObject
) -> None:
    powered = data.draw(st.integers(0, 1 << 40))
    before = Reading(b"boot", powered, 0)
    clock = LogClock(last_t, before, before)
    t = last_t
    for step in steps:
        powered += step
        now = Reading(b"boot", powered, 0)
        if data.draw(st.booleans()):
            clock = LogClock(t, before, now)
        t, before = clock.now(now), now
    assert t == last_t + sum(steps)


def test_time_before_the_first_note_of_another_boot_does_not_count() -> None:
    noted = Reading(b"before", 50_000, 0)
    clock = LogClock(1000, noted, Reading(b"after", 700_000, 0))
    assert clock.now(Reading(b"after", 700_000, 0)) == 1001, "switching on takes a millisecond"
    assert clock.now(Reading(b"after", 700_250, 0)) == 1251
    assert LogClock(1000, None, Reading(b"after", 9, 0)).now(Reading(b"after", 9, 0)) == 1000


def test_imported_activity_moves_log_time_forward_only() -> None:
    clock = LogClock(1000, None, Reading(b"a", 0, 0))
    clock.move_to(5000)
    clock.move_to(2000)
    assert clock.now(Reading(b"a", 7, 0)) == 5007


@dataclass
class World:
    """A laptop that is switched on and off, whose crystal and wall clock are wrong, and an honest hub."""

    rng: random.Random
    true_ms: float = 1_770_000_000_000.0
    powered_ms: float = 0.0
    boots: int = 0
    wall_offset: float = 0.0
    t: int = 0
    noted: Reading | None = None
    happened: list[tuple[int, float]] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    walls: list[WallNote] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.crystal = 1 + self.rng.uniform(-CRYSTAL_ERROR, CRYSTAL_ERROR)

    def reading(self) -> Reading:
        return Reading(
            bytes([self.boots % 256]), int(self.powered_ms), int(self.true_ms + self.wall_offset)
        )

    def commit(self) -> None:
        """Something is recorded now."""
        reading = self.reading()
        self.t = LogClock(self.t, self.noted, reading).now(reading)
        self.noted = reading
        self.happened.append((self.t, self.true_ms))

    def step(self) -> None:
        match self.rng.choice(["on", "on", "on", "off", "cut", "wall", "sync", "sync"]):
            case "on":
                self._runs(self.rng.choice([1.5, 1000.0, 60_000.0, 40.0 * HOUR]) * self.rng.random())
                self.commit()
            case "off":
                self.commit()
                self._is_off()
            case "cut":
                self._runs(self.rng.random() * HOUR)
                self._is_off()
            case "wall":
                self.wall_offset = self.rng.choice([0.0, -16e12, 2e12, self.rng.uniform(-1e8, 1e8)])
                self.commit()
                self.walls.append(WallNote(self.t, self.reading().wall_ms))
            case "sync":
                self._sync()

    def _runs(self, ms: float) -> None:
        self.true_ms += ms
        self.powered_ms += ms * self.crystal

    def _is_off(self) -> None:
        self.true_ms += self.rng.random() * 90 * 24 * HOUR
        self.powered_ms = self.rng.random() * 60_000
        self.boots += 1
        # What is recorded at the first reading of a boot is the subject of the last test in this file.
        self.commit()
        self.happened.pop()
        self._runs(5)

    def _sync(self) -> None:
        """A request leaves, the hub signs its time, the receipt comes back a little later."""
        self.commit()
        self._runs(self.rng.random() * 20_000)
        hub_ms = int(self.true_ms)
        self.received.append(Received(self.t, hub_ms))
        if self.rng.random() < 0.8:
            self._runs(self.rng.random() * 20_000)
            self.commit()
            self.anchors.append(Anchor(self.t, hub_ms // 1000 * 1000))


def world_of(seed: int, steps: int = 60) -> World:
    world = World(random.Random(seed))
    for _ in range(steps):
        world.step()
    return world


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_the_interval_contains_the_truth_when_the_facts_are_honest(seed: int) -> None:
    world = world_of(seed)
    covered = max((hub.t for hub in world.received), default=-1)
    first_anchor = min((anchor.t for anchor in world.anchors), default=None)
    for t, true_ms in world.happened:
        found = interval(t, world.anchors, world.received, world.walls)
        if t > covered:
            assert found is None
            continue
        assert found is not None
        assert true_ms <= found.latest + ROUNDING_MS
        assert (found.earliest is None) == (first_anchor is None or t < first_anchor)
        if found.earliest is not None:
            assert found.earliest - ROUNDING_MS <= true_ms
            assert found.earliest <= found.estimate
        assert found.estimate <= found.latest


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_more_evidence_never_widens_and_order_does_not_matter(seed: int) -> None:
    world = world_of(seed, steps=40)
    rng = random.Random(seed)
    fewer_anchors = [anchor for anchor in world.anchors if rng.random() < 0.5]
    fewer_received = [hub for hub in world.received if rng.random() < 0.5]
    for t, _ in world.happened:
        few = interval(t, fewer_anchors, fewer_received, world.walls)
        all_of_it = interval(t, world.anchors, world.received, world.walls)
        if few is None:
            continue
        assert all_of_it is not None and all_of_it.latest <= few.latest
        if few.earliest is not None:
            assert all_of_it.earliest is not None and few.earliest <= all_of_it.earliest
        shuffled = interval(
            t,
            rng.sample(world.anchors, len(world.anchors)),
            rng.sample(world.received, len(world.received)),
            world.walls,
        )
        assert shuffled == all_of_it


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_what_happened_later_is_not_dated_earlier(seed: int) -> None:
    world = world_of(seed)
    found = [interval(t, world.anchors, world.received, world.walls) for t, _ in world.happened]
    known = [made for made in found if made is not None]
    for before, after in pairwise(known):
        assert before.latest <= after.latest + ROUNDING_MS
        if before.earliest is not None:
            assert after.earliest is not None and before.earliest <= after.earliest + ROUNDING_MS


@QUICK
@given(st.integers(0, 2**32), st.lists(st.integers(-(1 << 45), 1 << 45), min_size=1, max_size=5))
def test_a_wrong_wall_clock_moves_the_estimate_and_never_the_bounds(seed: int, walls: list[int]) -> None:
    world = world_of(seed, steps=25)
    notes = [WallNote(at, wall) for at, wall in enumerate(walls)]
    for t, _ in world.happened:
        honest = interval(t, world.anchors, world.received, [])
        other = interval(t, world.anchors, world.received, notes)
        assert (honest is None) == (other is None)
        if honest is not None and other is not None:
            assert (honest.earliest, honest.latest) == (other.earliest, other.latest)
            assert other.estimate <= other.latest


def test_the_estimate_follows_a_wall_clock_that_can_be_right() -> None:
    anchors, received = [Anchor(0, 1_000_000)], [Received(10_000, 1_100_000)]
    assert interval(5000, anchors, received, [WallNote(4000, 1_040_000)]) == Interval(
        1_004_999, 1_041_000, 1_095_001, clock_was_wrong=False
    )
    assert interval(5000, anchors, received, [WallNote(4000, 9_040_000)]) == Interval(
        1_004_999, 1_050_000, 1_095_001, clock_was_wrong=True
    )
    assert interval(5000, anchors, received, [WallNote(6000, 1_040_000)]) == Interval(
        1_004_999, 1_050_000, 1_095_001, clock_was_wrong=False
    ), "a note that came later says nothing"
    assert interval(5000, [], received, []) == Interval(None, 1_095_001, 1_095_001, clock_was_wrong=False)
    assert interval(10_001, anchors, received, []) is None


def test_contradicting_evidence_leaves_what_a_hub_saw() -> None:
    found = interval(5000, [Anchor(0, 9_000_000)], [Received(10_000, 1_000_000)], [])
    assert found is not None
    assert found.earliest == found.estimate == found.latest == 995_001


def test_the_first_entry_after_switching_on_is_not_dated_before_it() -> None:
    """Its log time is exactly that of the last entry before, which a hub received a month ago."""
    month = 30 * 24 * HOUR
    before, after = Reading(b"before", 60_000, 1_000_000), Reading(b"after", 9000, 1_000_000 + month)
    sent_t = LogClock(0, None, before).now(before) + 50_000
    received = [Received(sent_t, 1_000_500)]
    t = LogClock(sent_t, before, after).now(after)
    received.append(Received(t + 5000, 1_000_000 + month + 5000))
    found = interval(t, [], received, [WallNote(t, after.wall_ms)])
    assert found is not None
    assert found.latest >= after.wall_ms
    assert not found.clock_was_wrong
