"""What lies in a region: devices in SQL, codes in Python."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, true

from hub.schema import devices


def is_within(code: str, region: str) -> bool:
    """Whether the region or village `code` is `region` or lies in it; everything lies in "", the nation."""
    return not region or code == region or code.startswith(f"{region}.")


def within(code: str) -> ColumnElement[bool]:
    """That a device's village is `code` or lies in it. True for every collation of text, unlike `<`."""
    return or_(devices.c.village == code, devices.c.village.like(f"{code}.%")) if code else true()
