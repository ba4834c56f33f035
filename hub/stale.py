"""Which villages' sums are older than what was merged. Owns stale_villages; `hub.figures` makes the sums."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, select

from hub import schema
from hub.db import insert_or_ignore

_d: Final = schema.devices
_l: Final = schema.learners


def mark(connection: Connection, villages: Iterable[str]) -> None:
    """The sums of these villages are no longer right, once the caller's transaction is over.

    A row that is there is written again: that holds off `refresh`, which would take the mark and not see what comes.
    """
    for village in sorted(set(villages)):
        made = insert_or_ignore(connection, schema.stale_villages).values(village=village)
        same = {"village": made.excluded.village}
        connection.execute(made.on_conflict_do_update(index_elements=["village"], set_=same))


def mark_learners(connection: Connection, learners: Any) -> None:
    """As `mark`, for the villages of identities, given as a condition on the table learners."""
    query = select(_d.c.village).join(_l, _l.c.device == _d.c.pk).where(learners)
    mark(connection, connection.execute(query.distinct()).scalars())
