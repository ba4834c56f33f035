"""What each region has: devices, learners, entries, completed courses, last contact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from hub import schema
from hub.regions import Region, parent_of

VILLAGE: Final = 13
"""How long the code of a village is."""
CHILD: Final = {0: 2, 2: 5, 5: 8, 8: VILLAGE}
"""From the length of a region's code to that of its children."""
FOUND_MOST: Final = 50

_d: Final = schema.devices
_s: Final = schema.segments
_r: Final = schema.regions


@dataclass
class Tally:
    """The figures of one region."""

    devices: int = 0
    waiting: int = 0
    learners: int = 0
    completions: int = 0
    entries: int = 0
    last_contact_ms: int | None = None


@dataclass(frozen=True)
class Names:
    """Names of regions by code."""

    by_code: Mapping[str, str] = field(default_factory=dict)

    def path(self, code: str) -> list[Region]:
        """`code` and what stands above it, the largest first; without what isn't in the list."""
        codes = []
        while code:
            codes.append(code)
            code = parent_of(code)
        return [Region(c, parent_of(c), self.by_code[c]) for c in reversed(codes) if c in self.by_code]

    def above(self, code: str) -> str:
        """Where `code` lies, the smallest first: "Seluma Utara, Seluma, Bengkulu"."""
        return ", ".join(region.name for region in reversed(self.path(parent_of(code))))


def names(connection: Connection, codes: Iterable[str]) -> Names:
    """The names of these regions and of everything above them."""
    wanted = set()
    for code in codes:
        while code:
            wanted.add(code)
            code = parent_of(code)
    query = select(_r.c.code, _r.c.name).where(_r.c.code.in_(wanted))
    return Names(dict(connection.execute(query).all()) if wanted else {})


def within(code: str) -> ColumnElement[bool]:
    """That a device's village is `code` or lies in it. True for every collation of text, unlike `<`."""
    return or_(_d.c.village == code, _d.c.village.like(f"{code}.%")) if code else true()


def tallies(connection: Connection, code: str, width: int) -> dict[str, Tally]:
    """The figures of the regions in `code` whose codes are `width` long, if they have any."""
    key = func.substr(_d.c.village, 1, width).label("code")
    found: dict[str, Tally] = {}

    def add(name: str, query: Any) -> None:
        for row in connection.execute(query.where(within(code)).group_by(key)):
            setattr(found.setdefault(row.code, Tally()), name, row[1])

    registered, waiting = _d.c.state == "registered", _d.c.state == "waiting"
    learners = select(key, func.count()).select_from(schema.learners)
    learners = learners.join(_d, _d.c.pk == schema.learners.c.device)
    completed = select(key, func.count()).select_from(schema.course_progress)
    completed = completed.join(schema.learners, schema.learners.c.pk == schema.course_progress.c.learner)
    entries = (
        select(key, func.sum(_s.c.count)).select_from(_s).join(schema.logs, schema.logs.c.pk == _s.c.log)
    )
    add("devices", select(key, func.count()).where(registered))
    add("waiting", select(key, func.count()).where(waiting))
    add("last_contact_ms", select(key, func.max(_d.c.last_contact_ms)).where(registered))
    add("learners", learners)
    add("completions", completed.join(_d, _d.c.pk == schema.learners.c.device))
    merged = entries.join(_d, _d.c.pk == schema.logs.c.device).where(_s.c.state == schema.MERGED)
    add("entries", merged)
    return found


def search(connection: Connection, text: str) -> list[Region]:
    """Regions whose code begins with `text` or whose name holds it, larger ones first."""
    query = (
        select(_r)
        .where(
            or_(
                _r.c.code.startswith(text, autoescape=True),
                func.lower(_r.c.name).contains(text.lower(), autoescape=True),
            )
        )
        .order_by(func.length(_r.c.code), _r.c.name, _r.c.code)
        .limit(FOUND_MOST)
    )
    return [Region(*row) for row in connection.execute(query)]
