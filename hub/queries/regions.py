"""What each region has: devices, learners, entries, completed courses, last contact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, case, func, or_, select

from hub import figures, schema
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
    they have any. Five statements.
    """
    found: dict[str, Tally] = {}

    def inside(village: ColumnElement[str]) -> ColumnElement[bool]:
        return within(code, village) if villages is None else village.in_(villages)

    def add(query: Any, *names: str) -> None:
        for key, *values in connection.execute(query):
            tally = found.setdefault(key, Tally())
            for name, value in zip(names, values, strict=True):
                setattr(tally, name, (getattr(tally, name) or 0) + int(value or 0))

    def key(village: Any) -> Any:
        return func.substr(village, 1, width).label("code")

    registered = _d.c.state == "registered"
    of_devices = select(
        key(_d.c.village),
        func.count().filter(registered),
        func.count().filter(_d.c.state == "waiting"),
        func.max(_d.c.last_contact_ms).filter(registered),
        func.max(_d.c.last_stick_ms).filter(registered),
    )
    for name, devices, waiting, *heard in connection.execute(
        of_devices.where(inside(_d.c.village)).group_by("code")
    ):
        found[name] = Tally(
            devices=devices, waiting=waiting, last_contact_ms=max(one or 0 for one in heard)
        )
    f, anew = schema.village_figures.c, figures.counted_anew()
    sums = select(key(f.village), func.sum(f.learners), func.sum(f.completions), func.sum(f.entries))
    sums = sums.where(inside(f.village), figures.is_summed(f.village))
    add(sums.group_by("code"), "learners", "completions", "entries")
    here = inside(anew.c.village)
    learners = select(key(anew.c.village), func.count(anew.c.person.distinct())).where(here)
    add(learners.group_by("code"), "learners")
    completed = completions(anew, key(anew.c.village)).where(here).subquery()
    add(select(completed.c.code, func.count()).group_by(completed.c.code), "completions")
    add(merged_anew(key(_d.c.village)).where(inside(_d.c.village)).group_by("code"), "entries")
    return {name: _heard_or_none(tally) for name, tally in found.items()}


def completions(people: Any, *columns: Any) -> Select[Any]:
    """Who of `people` completed which course, each person and course once, and `columns` beside them."""
    completed = schema.course_progress
    return (
        select(*columns, people.c.person, schema.packs.c.course_key)
        .select_from(completed)
        .join(people, people.c.pk == completed.c.learner)
        .join(schema.packs, schema.packs.c.pk == completed.c.pack)
        .distinct()
    )


def merged_anew(*columns: Any) -> Select[Any]:
    """`columns` and the number of merged entries, of villages whose sums aren't right."""
    stale = schema.stale_villages
    query = (
        select(*columns, func.sum(_s.c.count)).select_from(stale).join(_d, _d.c.village == stale.c.village)
    )
    query = query.join(schema.logs, schema.logs.c.device == _d.c.pk).join(_s, _s.c.log == schema.logs.c.pk)
    return query.where(_s.c.state == schema.MERGED)


def _heard_or_none(tally: Tally) -> Tally:
    tally.last_contact_ms = tally.last_contact_ms or None
    return tally


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
