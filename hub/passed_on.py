"""What the hub above is known to hold, by its receipts; and what it must be sent again once it was set back to an older state.

Everything goes up in one order, so a hub above that holds what went up last holds all that went before it, and one head
tells. If it doesn't hold it, each branch of each log is asked about. Owns the columns `relayed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, func, insert, select, update

from hub import schema
from hub.segments import begins_with
from sync import limits
from sync.exchange import Verdict
from sync.keys import ID_SIZE
from sync.log import Head, Status

_s: Final = schema.segments
_logs: Final = schema.logs
_hub: Final = schema.hub_segments
_LAST: Final = "upstream/last"
_TELLS_NOTHING: Final = {Status.UNKNOWN_DEVICE, Status.REVOKED, Status.TRY_LATER}


def note(connection: Connection, own: Sequence[tuple[int, int]], segments: Sequence[int]) -> None:
    """A receipt covers these: (log, index) of segments of this hub's own logs, or devices' segments by their keys here."""
    for log, index in own:
        this = (_hub.c.log == log, _hub.c.idx == index)
        connection.execute(update(_hub).where(*this).values(relayed=1))
    if segments:
        connection.execute(update(_s).where(_s.c.pk.in_(segments)).values(relayed=1))
        query = select(_logs.c.log, _s.c.idx, _s.c.id).join(_logs, _logs.c.pk == _s.c.log)
        _note_last(connection, query.where(_s.c.pk == segments[-1]))
    elif own:
        query = select(schema.hub_logs.c.log, _hub.c.idx, _hub.c.id).join(schema.hub_logs)
        _note_last(connection, query.where(_hub.c.log == own[-1][0], _hub.c.idx == own[-1][1]))


def last(connection: Connection) -> tuple[Head, ...]:
    """What went up last, if anything did."""
    query = select(schema.settings.c.value).where(schema.settings.c.key == _LAST)
    value = connection.execute(query).scalar()
    return () if value is None else (_read_head(bytes(value)),)


def ends(connection: Connection) -> Iterator[tuple[Head, ...]]:
    """How far each branch of a device's log went up, as many at a time as a request may ask about."""
    how_far = func.max(_s.c.idx).label("idx")
    far = select(_s.c.branch, how_far).where(_s.c.relayed == 1, _s.c.branch.is_not(None))
    each = far.group_by(_s.c.branch).subquery()
    query = select(_logs.c.log, _s.c.idx, _s.c.id).join(_logs, _logs.c.pk == _s.c.log)
    query = query.join(each, and_(each.c.branch == _s.c.branch, each.c.idx == _s.c.idx))
    found = [Head(bytes(row.log), row.idx, bytes(row.id)) for row in connection.execute(query)]
    for at in range(0, len(found), limits.LOGS_PER_REQUEST):
        yield tuple(found[at : at + limits.LOGS_PER_REQUEST])


def lacking(heads: Iterable[Head], verdicts: Iterable[Verdict]) -> list[Head]:
    """The heads of which the hub above says that it doesn't hold as much; it answered them in their order."""
    return [
        head
        for head, said in zip(heads, verdicts, strict=True)
        if said.head.index < head.index and said.status not in _TELLS_NOTHING
    ]


def send_own_again(connection: Connection) -> None:
    """All that this hub itself has said goes up again."""
    connection.execute(update(_hub).values(relayed=0))
    connection.execute(delete(schema.settings).where(schema.settings.c.key == _LAST))


def send_again(connection: Connection, prefix: bytes) -> None:
    """The hub above lacks something of this log: it was set back, or lost it."""
    logs = select(_logs.c.pk).where(*begins_with(_logs.c.log, prefix))
    connection.execute(update(_s).where(_s.c.log.in_(logs)).values(relayed=0))


def _note_last(connection: Connection, query: Select[Any]) -> None:
    log, index, id_ = connection.execute(query).one()
    value = bytes(log) + index.to_bytes(4, "big") + bytes(id_)
    settings = schema.settings.c
    connection.execute(delete(schema.settings).where(settings.key == _LAST))
    connection.execute(insert(schema.settings).values(key=_LAST, value=value))


def _read_head(value: bytes) -> Head:
    return Head(value[:ID_SIZE], int.from_bytes(value[ID_SIZE:-ID_SIZE], "big"), value[-ID_SIZE:])
