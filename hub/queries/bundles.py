"""Which bundles a page of the ledger is about: by region, and by how far they have come."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, and_

from hub import schema
from hub.ledger import OVERDUE_MS
from hub.queries.regions import within

OVERDUE: Final = "overdue"
UNDER_WAY: Final = "under-way"
ARRIVED: Final = "arrived"

_b: Final = schema.bundles


def within_ledger(region: str, state: str, now_ms: int) -> ColumnElement[bool]:
    """Bundles of a region's devices in `state`; "" means all of either."""
    before = now_ms - OVERDUE_MS
    if state == OVERDUE:
        return and_(within(region), _b.c.complete_ms.is_(None), _b.c.noted_ms < before)
    if state == UNDER_WAY:
        return and_(within(region), _b.c.complete_ms.is_(None), _b.c.noted_ms >= before)
    if state == ARRIVED:
        return and_(within(region), _b.c.complete_ms.is_not(None))
    return within(region)
