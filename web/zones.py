"""Indonesia's three time zones, and in which of them a village lies by its region code.

WIB is seven hours ahead of UTC, WITA eight, WIT nine; there is no summer time (Keppres 41/1987).
"""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Final

ZONES: Final = {
    name: timezone(timedelta(hours=hours), name) for name, hours in (("WIB", 7), ("WITA", 8), ("WIT", 9))
}
_WITA: Final = {"51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"}
_WIT: Final = {"81", "82", "91", "92", "93", "94", "95", "96", "97"}


def zone_of(region: str) -> str:
    """The name of the zone of a region, by its province: WIB for Sumatra, Java, West and Central Kalimantan."""
    province = region[:2]
    return "WITA" if province in _WITA else "WIT" if province in _WIT else "WIB"
