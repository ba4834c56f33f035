"""A village's own past, for a laptop that takes over, was set back, or learns that another one was busy too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, func, select

from hub import schema
from hub.downlink import Downlink
from sync.exchange import SHORT_ID, Down
from sync.log import NOTHING, Head

_s: Final = schema.segments
_HELD: Final = (schema.STORED, schema.MERGED, schema.UNREADABLE)


def of_village(connection: Connection, village: str, have: Iterable[Head], most: int) -> Downlink:
    """Profiles and segments of all logs of the village's devices beyond the heads in `have`, up to `most` bytes.

    A log's profiles come before its segments. A device names every tip that it holds of a log.
    """
    named: dict[bytes, set[tuple[int, bytes]]] = {}
    for head in have:
        named.setdefault(head.log[:SHORT_ID], set()).add((head.index, head.id[:SHORT_ID]))
    items: list[bytes] = []
    size = 0
    for log_pk, log in _logs(connection, village):
        held = _held(connection, log_pk, named.get(log[:SHORT_ID], set()))
        query = select(_s.c.branch, _s.c.idx, _s.c.data).where(_s.c.log == log_pk, _s.c.state.in_(_HELD))
        query = query.where(_s.c.branch.is_not(None)).order_by(_s.c.idx, _s.c.id)
        lacking = [row.data for row in connection.execute(query) if row.idx > held.get(row.branch, NOTHING)]
        waiting = _profiles(connection, log_pk) if lacking else []
        for data in lacking:
            if items and size + len(data) + sum(map(len, waiting)) > most:
                return Downlink(tuple(items), Down.MORE)
            items += [*waiting, data]
            size += len(data) + sum(map(len, waiting))
            waiting = []
    return Downlink(tuple(items))


def _logs(connection: Connection, village: str) -> list[tuple[int, bytes]]:
    query = (
        select(schema.logs.c.pk, schema.logs.c.log)
        .join(schema.devices, schema.devices.c.pk == schema.logs.c.device)
        .where(schema.devices.c.village == village, schema.devices.c.state.in_(("registered", "revoked")))
        .order_by(schema.logs.c.pk)
    )
    return [(row.pk, bytes(row.log)) for row in connection.execute(query)]


def _held(connection: Connection, log: int, heads: set[tuple[int, bytes]]) -> dict[int, int]:
    """For each branch of which a device names a tip, up to which index it holds it."""
    if not heads:
        return {}
    query = select(_s.c.branch, _s.c.idx, _s.c.id).where(_s.c.log == log, _s.c.branch.is_not(None))
    query = query.where(_s.c.idx.in_([index for index, _ in heads]))
    held: dict[int, int] = {}
    for row in connection.execute(query).all():
        if (row.idx, bytes(row.id)[:SHORT_ID]) in heads:
            held[row.branch] = max(held.get(row.branch, NOTHING), row.idx)
    b = schema.branches
    first = select(_s.c.branch, func.min(_s.c.idx)).where(_s.c.log == log, _s.c.branch.is_not(None))
    begins: dict[int, int] = dict(connection.execute(first.group_by(_s.c.branch)).all())
    parents = dict(connection.execute(select(b.c.pk, b.c.parent).where(b.c.log == log)).all())
    for branch in list(held):
        while (above := parents.get(branch)) is not None:
            held[above] = max(held.get(above, NOTHING), begins[branch] - 1)
            branch = above
    return held


def _profiles(connection: Connection, log: int) -> list[bytes]:
    """The profiles, present and past, of everybody whom this log introduced."""
    numbers, profiles, of = schema.learner_numbers, schema.profiles, schema.learner_profiles
    query = (
        select(profiles.c.commitment, profiles.c.data)
        .join(of, of.c.commitment == profiles.c.commitment)
        .join(numbers, numbers.c.learner == of.c.learner)
        .join(schema.branches, schema.branches.c.pk == numbers.c.branch)
        .where(schema.branches.c.log == log)
        .distinct()
        .order_by(profiles.c.commitment)
    )
    return [bytes(row.data) for row in connection.execute(query)]
