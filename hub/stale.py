"""Which villages' sums are older than what was merged. Owns stale_villages; `hub.figures` makes the sums."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, select

from hub import schema
from hub.db import insert_of

_d: Final = schema.devices
_l: Final = schema.learners


def mark(connection: Connection, villages: Iterable[str]) -> None:
    """The sums of these villages are no longer right, once the caller's transaction is over.

    A row that is there is written again: that holds off `refresh`, which would take the mark and not see what comes.
    """
    for village in sorted(set(villages)):
        connection.execute(_mark(connection.dialect.name), {"village": village})


@cache
def _mark(dialect: str) -> Any:
    made = insert_of(dialect, schema.stale_villages)
    return made.on_conflict_do_update(index_elements=["village"], set_={"village": made.excluded.village})


def mark_learners(connection: Connection, learners: Any) -> None:
    """As `mark`, for the villages of identities, given as a condition on the table learners."""
    query = select(_d.c.village).join(_l, _l.c.device == _d.c.pk).where(learners)
    mark(connection, connection.execute(query.distinct()).scalars())
