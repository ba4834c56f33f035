"""What lies in a region, in SQL."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, true

from hub.schema import devices


def within(code: str, village: ColumnElement[str] = devices.c.village) -> ColumnElement[bool]:
    """That a village (that of a device) is `code` or lies in it. True for every collation of text, unlike `<`."""
    return or_(village == code, village.like(f"{code}.%")) if code else true()
