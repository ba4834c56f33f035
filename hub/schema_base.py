"""What every table of the hub is made with, and who sees its rows.

Each table says by a `Seen` rule which of its rows an operator of one region sees. The database itself holds to it
(`hub.policies`), so that no query of a page can forget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import BigInteger, Column, Integer, MetaData

metadata: Final = MetaData()

Key: Final = BigInteger().with_variant(Integer, "sqlite")
"""Numbers of rows: large ones on PostgreSQL, SQLite's own."""


class Scope(Protocol):
    """How one database says where a region's code stands, as SQL."""

    def inside(self, column: str) -> str:
        """The code in `column` is the scope or lies in it."""

    def around(self, column: str) -> str:
        """It lies in the scope, or the scope lies in it."""

    def exact(self, column: str) -> str:
        """It is the scope, and nothing in it or around it."""

    def belongs(self, column: str, table: str, target: str) -> str:
        """The value in `column` is that of `target` in a row of another table that is seen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The condition under which a row is seen, as SQL made for a scope."""

    condition: Callable[[Scope], str]

    @property
    def info(self) -> dict[Any, Any]:
        """As a table keeps it: `Table(..., info=rule.info)`."""
        return {Seen: self}

    def __and__(self, other: Seen) -> Seen:
        return Seen(lambda scope: f"{self.condition(scope)} and {other.condition(scope)}")


EVERYONE: Final = Seen(lambda scope: "true")
"""What concerns no village: regions, courses."""
NOBODY: Final = Seen(lambda scope: "false")
"""What no page of an operator reads: accounts, settings."""


def in_place(column: str) -> Seen:
    """Rows whose code of a region lies in the scope."""
    return Seen(lambda scope: scope.inside(column))


def on_the_way(column: str) -> Seen:
    """Those too that lie above the scope: what is said to a province is said to its villages."""
    return Seen(lambda scope: scope.around(column))


def exactly(column: str) -> Seen:
    """Only what was made for operators of this very scope."""
    return Seen(lambda scope: scope.exact(column))


def with_row(column: str, table: str, target: str = "pk") -> Seen:
    """Rows that belong to a row of another table, whose own rule decides."""
    return Seen(lambda scope: scope.belongs(column, table, target))


def primary_key() -> Column[int]:
    return Column("pk", Key, primary_key=True, autoincrement=True)
