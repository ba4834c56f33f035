"""Power that fails at a commit: just before it, so that nothing of it is on the disk, or just after, before anybody is told."""

from __future__ import annotations

import random
import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event

from hub.db import READ_ONLY


class PowerCut(BaseException):
    """The machine is off. Nothing that catches errors may catch this."""


class Power:
    """Counts commits down to the one at which it fails; from then on the machine stays off until it is started."""

    def __init__(self) -> None:
        self._left = 0
        self._after = False
        self.off = False

    def arm(self, rng: random.Random, most: int) -> None:
        self._left, self._after = rng.randint(1, most), rng.random() < 0.5

    def start(self) -> None:
        self._left, self.off = 0, False

    def before_commit(self) -> None:
        if self.off:
            raise PowerCut
        if self._left == 1 and not self._after:
            self.off = True
            raise PowerCut

    def after_commit(self) -> None:
        if self._left == 1:
            self.off = True
            raise PowerCut
        self._left = max(0, self._left - 1)

    def watch_engine(self, engine: Engine) -> None:
        """The hub's. Its driver commits after SQLAlchemy has said so, and says nothing itself: a cut after a commit comes when
        the next transaction begins, which is the first moment at which anybody could be told. What only reads isn't counted: it
        changes no disk, and the checker reads too.
        """

        def begin(_connection: object) -> None:
            if self.off:
                raise PowerCut

        def commit(connection: Connection) -> None:
            if connection.get_execution_options().get(READ_ONLY):
                return
            if self._left == 1 and self._after:
                self._left, self.off = 0, True
                return
            self.before_commit()
            self._left = max(0, self._left - 1)

        event.listen(engine, "begin", begin)
        event.listen(engine, "commit", commit)


class Watched:
    """A node's writing connection whose commits may be the last thing that happens."""

    def __init__(self, connection: sqlite3.Connection, power: Power) -> None:
        self._connection = connection
        self._power = power

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, *parameters: Any) -> Any:
        if statement != "COMMIT":
            return self._connection.execute(statement, *parameters)
        self._power.before_commit()
        done = self._connection.execute(statement)
        self._power.after_commit()
        return done
