"""When something in a log happened, from what the hub knows of that log's clock (see `sync.logclock`)."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from hub import schema
from sync.logclock import CRYSTAL_ERROR, Anchor, Interval, Received, WallNote, interval

_SLOPE: Final = 1 - CRYSTAL_ERROR
_ROUNDING_MS: Final = 3


@dataclass(frozen=True)
class LogTime:
    """The evidence of one log. In a forked log times belong to one of its branches, and none is known."""

    anchors: tuple[Anchor, ...] = ()
    received: tuple[Received, ...] = ()
    walls: tuple[WallNote, ...] = ()
    is_forked: bool = False

    def moment(self, t: int) -> Interval | None:
        """When log time `t` was; None if nothing can be said."""
        return None if self.is_forked else interval(t, self.anchors, self.received, self.walls)

    def between(self, first: int, last: int) -> LogTime:
        """The evidence that matters from log time `first` to `last`: little, for whoever asks about many times there.

        What two receipts (or two anchors) say moves alike with the time that is asked about. So of those that speak of
        the whole stretch only the best ones matter, with those that are as good but for rounding.
        """
        after = [(one, one.hub_ms - (one.t - first) * _SLOPE) for one in self.received if one.t >= first]
        before = [(one, one.hub_ms + (first - one.t) * _SLOPE) for one in self.anchors if one.t <= last]
        soonest = min((said for one, said in after if one.t >= last), default=math.inf)
        latest = max((said for one, said in before if one.t <= first), default=-math.inf)
        noted = max((note.t for note in self.walls if note.t <= first), default=first)
        return LogTime(
            tuple(one for one, said in before if one.t > first or said >= latest - _ROUNDING_MS),
            tuple(one for one, said in after if one.t < last or said <= soonest + _ROUNDING_MS),
            tuple(note for note in self.walls if noted <= note.t <= last),
            self.is_forked,
        )

    def has_clock(self, t: int) -> bool:
        """Whether the device's own clock has said anything by then."""
        return any(wall.t <= t for wall in self.walls)


def of_identities(connection: Connection, learners: Collection[int]) -> dict[int, LogTime]:
    """The logs in which these identities were introduced, by identity. Four statements."""
    logs, branches, numbers = schema.logs, schema.branches, schema.learner_numbers
    query = (
        select(schema.learners.c.pk, branches.c.log)
        .select_from(schema.learners)
        .join(logs, logs.c.device == schema.learners.c.device)
        .join(branches, branches.c.log == logs.c.pk)
        .join(numbers, (numbers.c.branch == branches.c.pk) & (numbers.c.learner == schema.learners.c.pk))
        .where(schema.learners.c.pk.in_(learners))
    )
    log_of: dict[int, int] = dict(connection.execute(query).all())
    times = of_logs(connection, set(log_of.values()))
    return {learner: times[log_of[learner]] if learner in log_of else LogTime() for learner in learners}


def of_logs(connection: Connection, here: Collection[int]) -> dict[int, LogTime]:
    """The evidence of these logs, by their numbers. Three statements."""
    branches = schema.branches
    count = select(branches.c.log, func.count()).where(branches.c.log.in_(here)).group_by(branches.c.log)
    forked = {log for log, tips in connection.execute(count) if tips > 1}
    notes, segments = schema.clock_notes.c, schema.segments.c
    anchors: dict[int, list[Anchor]] = {log: [] for log in here}
    walls: dict[int, list[WallNote]] = {log: [] for log in here}
    received: dict[int, list[Received]] = {log: [] for log in here}
    said = select(notes.log, notes.t, notes.wall_ms, notes.hub_ms).where(notes.log.in_(here))
    for log, t, wall_ms, hub_ms in connection.execute(said):
        if hub_ms is not None:
            anchors[log].append(Anchor(t, hub_ms))
        if wall_ms is not None:
            walls[log].append(WallNote(t, wall_ms))
    came = select(segments.log, segments.end_t, segments.received_ms)
    for log, end_t, received_ms in connection.execute(
        came.where(segments.log.in_(here), segments.end_t.is_not(None))
    ):
        received[log].append(Received(end_t, received_ms))
    return {
        log: LogTime(tuple(anchors[log]), tuple(received[log]), tuple(walls[log]), log in forked)
        for log in here
    }


def first(times: Mapping[int, LogTime], said: Iterable[tuple[int, int]]) -> tuple[Interval | None, bool]:
    """(the earliest of several (identity, log time), whether a device's clock had a say in it)."""
    known = []
    for identity, t in said:
        moment = times[identity].moment(t)
        if moment is not None:
            known.append((moment.estimate, identity, moment))
    if not known:
        return None, False
    _, identity, moment = min(known, key=lambda one: one[:2])
    return moment, bool(times[identity].walls)
