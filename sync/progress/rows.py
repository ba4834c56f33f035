"""Rows that entries add up to, and how two versions of one row join.

Every join is associative and commutative and has "nothing yet" (None) as its neutral element, so a row
is the same whatever order and batches its entries arrive in. What must not happen twice is adding one
segment twice; the stores see to that by folding a segment in the transaction that stores it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Join(Enum):
    """How the values of one column combine."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"

    def of(self, values: Sequence[int]) -> int:
        return _OF[self](values)

    def pair(self, old: int | None, new: int | None) -> int | None:
        if old is None or new is None:
            return new if old is None else old
        return _OF[self]((old, new))


_OF: Final[dict[Join, Callable[[Sequence[int]], int]]] = {Join.SUM: sum, Join.MAX: max, Join.MIN: min}


@dataclass(frozen=True)
class Row:
    """A table of sums: its name, the columns that make its key, and its joined columns."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, Join]

    def __hash__(self) -> int:
        return hash(self.name)

    def position(self, column: str) -> int:
        return list(self.columns).index(column)


ADDEND_MAX: Final = (1 << 31) - 1
"""The most that one entry may add to a column, so that sums of billions of entries stay whole numbers."""


@dataclass(frozen=True)
class Adds:
    """What each entry of a kind adds to a row: column name to a field's name, "t", or a constant."""

    row: Row
    values: dict[str, str | int]


LESSON_PROGRESS: Final = Row(
    "lesson_progress",
    key=("learner", "pack", "lesson"),
    columns={
        "openings": Join.SUM,
        "seconds": Join.SUM,
        "furthest": Join.MAX,
        "answers": Join.SUM,
        "right_answers": Join.SUM,
        "attempts": Join.SUM,
        "best_score": Join.MAX,
        "first_t": Join.MIN,
        "last_t": Join.MAX,
    },
)
"""What one learner did in one lesson. `furthest` and `best_score` are hundredths of a percent."""

COURSE_PROGRESS: Final = Row(
    "course_progress",
    key=("learner", "pack"),
    columns={"completions": Join.SUM, "completed_t": Join.MIN},
)
"""Which courses a learner completed, and at which log time (ms) first."""

ROWS: Final = (LESSON_PROGRESS, COURSE_PROGRESS)
