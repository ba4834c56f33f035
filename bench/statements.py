"""What a hub asks its database, for tests and measurements that count it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from hub.db import narrowed
from hub.wiring import Hub


@contextmanager
def counted(hub: Hub) -> Iterator[list[str]]:
    """Every statement until the block ends, on narrowed connections too."""
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    engines = {hub.engine, narrowed(hub.engine)}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
