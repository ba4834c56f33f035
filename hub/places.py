"""What lies in a region, in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from hub.schema import devices


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


def inside(column: ColumnElement[str], code: str) -> ColumnElement[bool]:
    """That the village in `column` is `code` or lies in it. In the order of bytes "/" comes next to ".".

    It needs no more of an index than the part that lies in the region.
    """
    return and_(_Bytes(column) >= code, _Bytes(column) < f"{code}/") if code else true()


def within(code: str, village: ColumnElement[str] = devices.c.village) -> ColumnElement[bool]:
    """That a village (that of a device) is `code` or lies in it."""
    return inside(village, code)
