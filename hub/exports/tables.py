"""A table that an operator can take away: its columns, and its rows in pages by key.

Each page is read in a transaction of its own, which ends before its rows are given out: whoever takes them slowly, or
goes away in the middle, holds nothing in the database. Somebody who is changed between two pages is there once or as
changed, never twice, because a page begins after the key at which the last one ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection

from hub.queries.regions import Names
from sync.errors import N_

ROWS: Final = 500
"""Rows of the database that one page is made of."""

Cell = str | int | None
Row = tuple[Cell, ...]
Key = Any
"""Where a page ended; None at the beginning, and where nothing follows."""


class Form(Enum):
    """What the cells of a column are; None is an empty cell in each."""

    TEXT = "text"
    WORD = "word"
    """A text of ours, to be translated."""
    NUMBER = "number"
    MARK = "mark"
    """Hundredths of a percent, shown from 0 to 100."""
    MOMENT = "moment"
    """Milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Column:
    heading: str
    form: Form = Form.TEXT


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page of the table was narrowed to, as its address says it, and when. "" is everything."""

    now_ms: int
    region: str = ""
    state: str = ""
    search: str = ""
    course: bytes = b""
    whole: bool = False
    """Regions without a device too."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    last: Key


@dataclass(frozen=True, slots=True)
class Table:
    """`name` stands in addresses and names of files. A table with names of people needs the right to export."""

    name: str
    title: str
    columns: tuple[Column, ...]
    page: Callable[[Connection, Asked, Key], Page]
    names_people: bool = False


PLACE: Final = (
    Column(N_("Desa")),
    Column(N_("Kecamatan")),
    Column(N_("Kabupaten/Kota")),
    Column(N_("Provinsi")),
    Column(N_("Kode desa")),
)
_LEVELS: Final = (13, 8, 5, 2)


def place(names: Names, code: str) -> Row:
    """The cells of `PLACE`; what no list knows stays empty beside its code."""
    return (*(names.by_code.get(code[:width], "") for width in _LEVELS), code)


def pages(
    table: Table, look: Callable[[], AbstractContextManager[Connection]], asked: Asked
) -> Iterator[list[Row]]:
    """The rows, page by page; `look` opens a transaction that shows what may be seen.

    Raises:
        BusyError: the database can't be read now.
    """
    after: Key = None
    while True:
        with look() as connection:
            page = table.page(connection, asked, after)
        yield page.rows
        if page.last is None:
            return
        after = page.last


def last_of(rows: Sequence[Any], most: int, key: Callable[[Any], Key]) -> Key:
    """Where a page ended of which at most `most` rows were asked for."""
    return key(rows[-1]) if len(rows) == most else None
