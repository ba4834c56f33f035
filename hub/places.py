"""What lies in a region, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Text, and_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from hub.schema import devices

BLOCK: Final = 50
"""Villages that are looked at in one page of a long walk, so that no page reads a whole region."""


def block(connection: Connection, region: str, village: str) -> Sequence[str]:
    """The next villages of a region that have devices, by their codes, beginning with `village` itself."""
    query = select(devices.c.village).where(within(region), devices.c.village >= village).distinct()
    return connection.execute(query.order_by(devices.c.village).limit(BLOCK)).scalars().all()


class _Bytes(FunctionElement[str]):
    """A text in the order of its bytes, on which the indexes of villages are made; SQLite has no other order."""

    inherit_cache = True
    type = Text()


@compiles(_Bytes)
def _plain(element: _Bytes, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_Bytes, "postgresql")
def _collated(element: _Bytes, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)}) COLLATE "C"'


def within(code: str, village: ColumnElement[str] = devices.c.village) -> ColumnElement[bool]:
    """That the code in a column (that of a device's village) is `code` or lies in it. In the order of bytes "/" comes next
    to ".", so that it needs no more of an index than the part that lies in the region.
    """
    return and_(_Bytes(village) >= code, _Bytes(village) < f"{code}/") if code else true()
