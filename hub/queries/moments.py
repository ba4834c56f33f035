"""When something in a log happened, from what the hub knows of that log's clock (see `sync.logclock`)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hub import schema
from sync.logclock import Anchor, Interval, Received, WallNote, interval


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

    def has_clock(self, t: int) -> bool:
        """Whether the device's own clock has said anything by then."""
        return any(wall.t <= t for wall in self.walls)


def of_learner(connection: Connection, learner: int) -> LogTime:
    """The log in which a learner was introduced. Four statements."""
    logs, branches, numbers = schema.logs, schema.branches, schema.learner_numbers
    query = (
        select(branches.c.log)
        .select_from(schema.learners)
        .join(logs, logs.c.device == schema.learners.c.device)
        .join(branches, branches.c.log == logs.c.pk)
        .join(numbers, (numbers.c.branch == branches.c.pk) & (numbers.c.learner == schema.learners.c.pk))
        .where(schema.learners.c.pk == learner)
    )
    log = connection.execute(query).scalars().first()
    if log is None:
        return LogTime()
    count = select(func.count()).select_from(branches).where(branches.c.log == log)
    is_forked = connection.execute(count).scalar_one() > 1
    notes, segments = schema.clock_notes.c, schema.segments.c
    said = connection.execute(select(notes.t, notes.wall_ms, notes.hub_ms).where(notes.log == log)).all()
    came = select(segments.end_t, segments.received_ms).where(
        segments.log == log, segments.end_t.is_not(None)
    )
    return LogTime(
        tuple(Anchor(t, hub_ms) for t, _, hub_ms in said if hub_ms is not None),
        tuple(Received(*row) for row in connection.execute(came)),
        tuple(WallNote(t, wall_ms) for t, wall_ms, _ in said if wall_ms is not None),
        is_forked,
    )
