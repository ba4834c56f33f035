"""What lies in a region, in SQL."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, true

from hub.schema import devices


def within(code: str) -> ColumnElement[bool]:
    """That a device's village is `code` or lies in it. True for every collation of text, unlike `<`."""
    return or_(devices.c.village == code, devices.c.village.like(f"{code}.%")) if code else true()
