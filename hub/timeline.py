"""When courses were completed, kept beside each merge. Owns the table completions.

A completion is dated by what its own segment and those before it say of the clock, and by nothing that comes later: so a
date stays what it is, whatever comes, and a rebuild arrives at the same one. It has a month only if the device's own
clock agrees with what hubs saw, or if both bounds lie in one month.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select, update

from hub import schema
from hub.db import insert_rows
from hub.paths import Work
from sync.logclock import Anchor, Interval, Received, WallNote, interval
from sync.progress.rows import COURSE_PROGRESS
from web.zones import ZONES, zone_of

_BORN_MS: Final = 1_767_225_600_000
"""2026-01-01: nobody learned with Lontar before; clocks without a battery begin much earlier."""

_done: Final = schema.completions
_cp: Final = schema.course_progress
_s: Final = schema.segments
_notes: Final = schema.clock_notes.c


@dataclass(frozen=True, slots=True)
class _Date:
    """When something was, and whether the device's own clock said so and nothing contradicts it."""

    when: Interval
    by_clock: bool

    def month(self, village: str) -> str:
        when = self.when
        if self.by_clock and when.estimate >= _BORN_MS:
            return month_of(when.estimate, village)
        if when.earliest is not None:
            months = {month_of(when.earliest, village), month_of(when.latest, village)}
            return months.pop() if len(months) == 1 else ""
        return ""


def keep(work: Work, village: str) -> None:
    """Note the courses that were completed in what was just merged of a log; each once, however often it is said.

    In a log that forked, log times belong to one of its branches: whatever it says is dated no more.
    """
    if work.is_forked:
        _undate(work.connection, work.log_pk)
    pairs: Collection[Any] = work.totals[COURSE_PROGRESS].keys()
    if not pairs:
        return
    query = select(_cp.c.learner, _cp.c.pack, _cp.c.completed_t).where(
        _cp.c.learner.in_({learner for learner, _ in pairs}), _cp.c.completed_t.is_not(None)
    )
    rows = [row for row in work.connection.execute(query) if (row.learner, row.pack) in pairs]
    dates = (
        {} if work.is_forked else _dates(work.connection, work.log_pk, {row.completed_t for row in rows})
    )
    made = [
        {"learner": row.learner, "pack": row.pack, **_dated(dates.get(row.completed_t), village)}
        for row in rows
    ]
    insert_rows(work.connection, _done, made, known_stay=True)


def move(connection: Connection, device: int, village: str) -> None:
    """A device belongs to another village from now on, with all that was learned on it."""
    here = select(schema.learners.c.pk).where(schema.learners.c.device == device)
    connection.execute(update(_done).where(_done.c.learner.in_(here)).values(village=village))


def month_of(ms: int, village: str) -> str:
    """The month in a village's zone: "2026-11"."""
    return f"{datetime.fromtimestamp(ms / 1000, ZONES[zone_of(village)]):%Y-%m}"


def _dates(connection: Connection, log: int, times: Collection[int]) -> dict[int, _Date]:
    """When these log times were, by what was known of the log's clock at the end of their segments."""
    anchors, walls = [], []
    query = select(_notes.t, _notes.wall_ms, _notes.hub_ms).where(_notes.log == log, _notes.t <= max(times))
    for t, wall_ms, hub_ms in connection.execute(query):
        if hub_ms is not None:
            anchors.append(Anchor(t, hub_ms))
        if wall_ms is not None:
            walls.append(WallNote(t, wall_ms))
    ended = select(_s.c.end_t, func.min(_s.c.received_ms)).where(_s.c.log == log, _s.c.end_t >= min(times))
    ends = [Received(*row) for row in connection.execute(ended.group_by(_s.c.end_t).order_by(_s.c.end_t))]
    found = {}
    for t in times:
        own = [next(end for end in ends if end.t >= t)]
        when = interval(t, anchors, own, walls)
        if when is not None:
            found[t] = _Date(when, any(wall.t <= t for wall in walls) and not when.clock_was_wrong)
    return found


def _dated(date: _Date | None, village: str) -> dict[str, Any]:
    if date is None:
        return {"village": village, "completed_ms": None, "month": ""}
    month = date.month(village)
    return {"village": village, "completed_ms": date.when.estimate, "month": month}


def _undate(connection: Connection, log: int) -> None:
    numbers, branches = schema.learner_numbers.c, schema.branches.c
    here = select(numbers.learner).join(schema.branches, branches.pk == numbers.branch)
    connection.execute(
        update(_done)
        .where(_done.c.learner.in_(here.where(branches.log == log)), _done.c.completed_ms.is_not(None))
        .values(completed_ms=None, month="")
    )
