"""What lies in a region, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, or_, select, true

from hub.schema import devices

BLOCK: Final = 50
"""Villages that are looked at in one page of a long walk, so that no page reads a whole region."""


def block(connection: Connection, region: str, village: str) -> Sequence[str]:
    """The next villages of a region that have devices, by their codes, beginning with `village` itself."""
    query = select(devices.c.village).where(within(region), devices.c.village >= village).distinct()
    return connection.execute(query.order_by(devices.c.village).limit(BLOCK)).scalars().all()


def within(code: str, village: ColumnElement[str] = devices.c.village) -> ColumnElement[bool]:
    """That a village (that of a device) is `code` or lies in it. True for every collation of text, unlike `<`."""
    return or_(village == code, village.like(f"{code}.%")) if code else true()
