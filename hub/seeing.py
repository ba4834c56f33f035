"""What an operator sees: a connection in which every table holds only what lies in a scope.

The database itself holds to it (`hub.policies`), so that no query can forget.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from hub import policies
from hub.db import narrowed, reading
from hub.roles import NATION, Standing


@contextmanager
def seeing(engine: Engine, standing: Standing) -> Iterator[Connection]:
    """One transaction that reads what `standing` may see.

    Raises:
        BusyError: the database can't be reached now.
    """
    if standing.scope == NATION:
        with reading(engine) as connection:
            yield connection
        return
    with reading(narrowed(engine)) as connection:
        policies.narrow(connection, standing.scope)
        try:
            yield connection
        finally:
            # What was narrowed for this transaction must not outlive it in the pool.
            connection.rollback()
