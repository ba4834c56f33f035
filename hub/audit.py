"""What operators did: a log of this hub like those that it writes for regions, chained and signed, which no device reads.

An act is written and sealed before it happens, so that nothing happens unwritten; that it was written doesn't prove that
it succeeded. Names of learners never stand in it: it outlives their erasure. Owns the scope `audit` of hub_logs.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, select

from hub import downlink, schema
from hub.config import Config
from hub.db import writing
from hub.errors import HubError
from hub.operators import Operator
from sync.decisions import HubOperatorActed
from sync.errors import N_, LontarError
from sync.segment import open_segment

SCOPE: Final = "audit"
ABOUT_MOST: Final = 300
"""Characters that say what an act was about."""

AT_SERVER: Final = "server"
"""The role of who acts by a command."""

_logs: Final = schema.hub_logs
_segments: Final = schema.hub_segments


def write(engine: Engine, config: Config, who: Operator, act: str, about: str, now_ms: int) -> None:
    """Write down, signed and for good, that `who` sets about doing something.

    Raises:
        BusyError: it can't be written now; then it must not happen either.
    """
    standing = who.standing
    _write(
        engine,
        config,
        HubOperatorActed(who.name, standing.role.value, standing.scope, act, about[:ABOUT_MOST]),
        now_ms,
    )


def note(engine: Engine, config: Config, name: str, act: str, about: str, now_ms: int) -> None:
    """As `write`, of somebody at the server's own command line, who has no account: it says what name was given.

    Raises:
        BusyError: it can't be written now; then it must not happen either.
    """
    _write(engine, config, HubOperatorActed(name, AT_SERVER, "", act, about[:ABOUT_MOST]), now_ms)


def _write(engine: Engine, config: Config, said: HubOperatorActed, now_ms: int) -> None:
    with writing(engine) as connection:
        downlink.decide(connection, SCOPE, said, now_ms)
        downlink.seal(connection, config, (SCOPE,), now_ms)


def verify(connection: Connection, config: Config) -> int:
    """Follow every signature and every link from the first act to the newest; returns how many acts there are.

    Raises:
        HubError: something is missing, or was changed after it was written.
    """
    count = 0
    for log in connection.execute(select(_logs).where(_logs.c.scope == SCOPE).order_by(_logs.c.pk)).all():
        previous, index = b"", -1
        query = select(_segments.c.idx, _segments.c.data).where(_segments.c.log == log.pk)
        for row in connection.execute(query.order_by(_segments.c.idx)):
            try:
                sealed = open_segment(bytes(row.data))
                sealed.verify_hub(config.keyset.hub_keys)
            except LontarError as problem:
                raise _broken(row.idx) from problem
            index += 1
            if (sealed.log, sealed.index, row.idx, sealed.previous) != (log.log, index, index, previous):
                raise _broken(index)
            previous = sealed.id
            count += sealed.count
        if (index, previous) != (log.tip_idx, log.tip_id):
            raise _broken(index + 1)
        count -= 1  # the entry that opens the log is no act
    return count


def _broken(index: int) -> HubError:
    return HubError(
        N_("Jejak operator tidak utuh pada bagian %(index)s: hilang atau diubah. Pulihkan dari cadangan."),
        index=index,
    )
