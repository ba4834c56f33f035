"""What each region has: devices, learners, entries, completed courses, last contact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, case, func, or_, select

from hub import schema
from hub.places import within as within
from hub.regions import Region, parent_of

VILLAGE: Final = 13
"""How long the code of a village is."""
CHILD: Final = {0: 2, 2: 5, 5: 8, 8: VILLAGE}
"""From the length of a region's code to that of its children."""
FOUND_MOST: Final = 50

_d: Final = schema.devices
_s: Final = schema.segments
_r: Final = schema.regions
_l: Final = schema.learners


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


def tallies(
    connection: Connection, code: str, width: int, villages: Sequence[str] | None = None
) -> dict[str, Tally]:
    """The figures of the regions in `code` (only of these villages, if they are named) whose codes are `width` long, if
    they have any."""
    key = func.substr(_d.c.village, 1, width).label("code")
    here = within(code) if villages is None else _d.c.village.in_(villages)
    found: dict[str, Tally] = {}

    def put(name: str, query: Any) -> None:
        for row in connection.execute(query):
            setattr(found.setdefault(row.code, Tally()), name, row[1])

    def add(name: str, query: Any) -> None:
        put(name, query.where(here).group_by(key))

    registered, waiting = _d.c.state == "registered", _d.c.state == "waiting"
    learners = select(key, func.count(_l.c.person.distinct())).select_from(_l)
    entries = (
        select(key, func.sum(_s.c.count)).select_from(_s).join(schema.logs, schema.logs.c.pk == _s.c.log)
    )
    completed = completions(key).join(_d, _d.c.pk == _l.c.device).where(here).subquery()
    add("devices", select(key, func.count()).where(registered))
    add("waiting", select(key, func.count()).where(waiting))
    add("last_contact_ms", select(key, func.max(heard_ms())).where(registered))
    add("learners", learners.join(_d, _d.c.pk == _l.c.device))
    put("completions", select(completed.c.code, func.count()).group_by(completed.c.code))
    merged = entries.join(_d, _d.c.pk == schema.logs.c.device).where(_s.c.state == schema.MERGED)
    add("entries", merged)
    return found


def completions(*columns: Any) -> Select[Any]:
    """Who completed which course, each person and course once, and `columns` of the learners beside them."""
    completed = schema.course_progress
    return (
        select(*columns, _l.c.person, schema.packs.c.course_key)
        .select_from(completed)
        .join(_l, _l.c.pk == completed.c.learner)
        .join(schema.packs, schema.packs.c.pk == completed.c.pack)
        .distinct()
    )


def heard_ms() -> ColumnElement[Any]:
    """When a device was last heard of on any road; null if never."""
    contact, stick = _d.c.last_contact_ms, _d.c.last_stick_ms
    return case((func.coalesce(stick, 0) > func.coalesce(contact, 0), stick), else_=contact)


def following(connection: Connection, which: ColumnElement[bool], after: str, most: int) -> list[Region]:
    """Regions by their codes, those after `after`."""
    query = select(_r).where(which, _r.c.code > after).order_by(_r.c.code).limit(most)
    return [Region(*row) for row in connection.execute(query)]


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
