"""Villages of which nothing was heard for a while, the most urgent first, with what the centre knows of each.

A village is silent when none of its registered laptops was heard of, on any road; or when it has none left, or none
yet. Relays and the villages behind them are as silent as what they pass on. A fixed number of statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, case, false, func, or_, select, true

from hub import courses, ledger, schema
from hub.advice import VISIT_MS, Known, Step, steps
from hub.queries.devices import CLOCK_TOLERANCE_MS
from hub.queries.regions import VILLAGE, heard_ms, within
from sync.decisions import scopes_of
from sync.exchange import Wants

DISTRICT: Final = 8
_d: Final = schema.devices
_b: Final = schema.bundles
_p: Final = schema.packs
_r: Final = schema.regions


@dataclass(frozen=True, slots=True)
class Lacking:
    """A pack that is promised to a village and that one of its laptops lacks; `held` is what it has instead."""

    title: str
    version: int
    size: int
    held: int | None


@dataclass
class SilentVillage:
    """A village and what is known of it; times are milliseconds since 1970 by the hub's clock.

    `clocks_ms` is None if no laptop has said what its clock shows; it holds how far wrong ones were ahead. `parts` counts
    the parts of mail that a courier has begun to fetch.
    """

    village: str
    registered: int
    waiting: int
    revoked: int
    since_ms: int
    contact_ms: int | None
    stick_ms: int | None
    road: int
    overdue: int
    road_ms: int | None
    devices: list[bytes] = field(default_factory=list)
    couriers: tuple[str, ...] = ()
    clocks_ms: tuple[int, ...] | None = None
    lacking: tuple[Lacking, ...] = ()
    parts: int = 0
    wants_history: bool = False

    @property
    def heard_ms(self) -> int | None:
        """When it was last heard of, on any road."""
        return max(self.contact_ms or 0, self.stick_ms or 0) or None

    @property
    def known(self) -> Known:
        return Known(
            self.registered,
            self.waiting,
            self.since_ms,
            self.heard_ms,
            self.road_ms,
            self.overdue > 0,
            self.couriers,
            self.clocks_ms or (),
            tuple(one.title for one in self.lacking),
        )

    def steps(self, now_ms: int) -> Sequence[Step]:
        return steps(self.known, now_ms)


_SUMMED: Final = (
    "village", "registered", "waiting", "revoked", "since_ms", "contact_ms", "stick_ms", "road", "overdue", "road_ms",
)  # fmt: skip
"""What the database says of a village as a whole."""


def listed(
    connection: Connection,
    region: str,
    quiet_ms: int,
    now_ms: int,
    most: int,
    skip: int = 0,
    step: Step | None = None,
) -> tuple[list[SilentVillage], dict[Step, int]]:
    """(silent villages by what they need, or those that need `step`, the longest silent ones first; how many need what).

    Both come of one look at all villages of the region.
    """
    villages = _villages(region, quiet_ms, now_ms).cte("silent")
    tally = select(villages.c.step.label("needed"), func.count().label("number"))
    counted = tally.group_by(villages.c.step).subquery()
    order = ("step", "since_ms", "village")
    chosen = select(villages).order_by(*(villages.c[name] for name in order)).limit(most).offset(skip)
    page = (chosen if step is None else chosen.where(villages.c.step == int(step))).subquery()
    both = select(counted, page).select_from(counted.outerjoin(page, true()))
    rows = connection.execute(both.order_by(*(page.c[name] for name in order))).all()
    shown = {row.village: row for row in rows if row.village is not None}
    return _completed(connection, shown.values()), {Step(row.needed): row.number for row in rows}


def along_the_way(
    connection: Connection, region: str, quiet_ms: int, now_ms: int, most: int
) -> list[SilentVillage]:
    """Silent villages of a region in the order of their codes, as somebody travels from one to the next."""
    villages = _villages(region, quiet_ms, now_ms).subquery()
    query = select(villages).order_by(villages.c.village).limit(most)
    return _completed(connection, connection.execute(query).all())


def count_without(connection: Connection, region: str) -> int:
    """How many villages have no laptop in districts where others have one."""
    return int(connection.execute(_without(region, func.count())).scalar_one())


def without(connection: Connection, region: str, most: int, skip: int = 0) -> list[str]:
    """The codes of villages without any laptop, in districts where others have one."""
    query = _without(region, _r.c.code).order_by(_r.c.code).limit(most).offset(skip)
    return list(connection.execute(query).scalars())


def _villages(region: str, quiet_ms: int, now_ms: int) -> Select[Any]:
    """The silent villages of a region with what their devices say together, and the step that each needs first."""
    v = _together(region, quiet_ms, now_ms).subquery().c
    heard = _later(v.contact_ms, v.stick_ms)
    # Who was registered anew yesterday isn't silent yet.
    since = case((v.registered > 0, _later(heard, v.registered_ms)), else_=v.last_ms)
    # The same choice as in `advice.first`, so that the database can sort and count by it.
    step = case(
        (and_(v.registered == 0, v.waiting > 0), int(Step.DECIDE)),
        (v.registered == 0, int(Step.REPLACE)),
        (v.overdue > 0, int(Step.SEEK)),
        (v.road > 0, int(Step.WAIT)),
        (heard.is_(None), int(Step.BEGIN)),
        (since < now_ms - VISIT_MS, int(Step.VISIT)),
        else_=int(Step.CALL),
    )
    columns = (v.village, v.registered, v.waiting, v.revoked, v.contact_ms, v.stick_ms)
    return select(
        *columns,
        since.label("since_ms"),
        func.coalesce(v.road, 0).label("road"),
        func.coalesce(v.overdue, 0).label("overdue"),
        v.road_ms,
        step.label("step"),
    ).where(or_(v.registered == 0, since < now_ms - quiet_ms))


def _together(region: str, quiet_ms: int, now_ms: int) -> Select[Any]:
    """What the devices of each village say together, but for villages that surely were heard of. Each sum is made once: a
    nation has 75,000 villages, of which most aren't silent.
    """
    is_registered = _d.c.state == "registered"
    moments = (_d.c.last_contact_ms, _d.c.last_stick_ms, _d.c.registered_ms)
    lately = or_(*(moment >= now_ms - quiet_ms for moment in moments))
    heard = select(_d.c.village).where(is_registered, lately, within(region))
    road = _on_the_road(now_ms).subquery()
    last = func.coalesce(heard_ms(), _d.c.registered_ms, _d.c.first_seen_ms)

    def registered(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        """The latest of the registered laptops; a revoked one that still sends makes no village heard of."""
        return func.max(case((is_registered, column))).label(name)

    return (
        select(
            _d.c.village,
            func.sum(case((is_registered, 1), else_=0)).label("registered"),
            func.sum(case((_d.c.state == "waiting", 1), else_=0)).label("waiting"),
            func.sum(case((_d.c.state == "revoked", 1), else_=0)).label("revoked"),
            registered(_d.c.last_contact_ms, "contact_ms"),
            registered(_d.c.last_stick_ms, "stick_ms"),
            registered(_d.c.registered_ms, "registered_ms"),
            func.max(last).label("last_ms"),
            func.sum(road.c.road).label("road"),
            func.sum(road.c.overdue).label("overdue"),
            func.min(road.c.road_ms).label("road_ms"),
        )
        .select_from(_d.outerjoin(road, and_(road.c.device == _d.c.pk, is_registered)))
        .where(_is_village(), within(region), _d.c.village.not_in(heard))
        .group_by(_d.c.village)
    )


def _on_the_road(now_ms: int) -> Select[Any]:
    """For each device its bundles that haven't arrived."""
    overdue = case((_b.c.noted_ms < now_ms - ledger.OVERDUE_MS, 1), else_=0)
    return (
        select(
            _b.c.device,
            func.count().label("road"),
            func.sum(overdue).label("overdue"),
            func.min(_b.c.noted_ms).label("road_ms"),
        )
        .where(_b.c.complete_ms.is_(None), _b.c.device.is_not(None))
        .group_by(_b.c.device)
    )


def _later(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((func.coalesce(one, 0) > func.coalesce(other, 0), one), else_=other)


def _is_village() -> ColumnElement[bool]:
    """No relay, and nobody who was refused."""
    return and_(func.length(_d.c.village) == VILLAGE, _d.c.state != "refused")


def _without(region: str, column: Any) -> Any:
    district = func.substr(_d.c.village, 1, DISTRICT)
    has_some = select(district).where(_is_village(), _d.c.state != "revoked", within(region))
    taken = select(_d.c.village).where(_is_village())
    return select(column).where(
        func.length(_r.c.code) == VILLAGE,
        _r.c.parent.in_(has_some),
        _r.c.code.not_in(taken),
        within(region, _r.c.code),
    )


def _completed(connection: Connection, rows: Iterable[Any]) -> list[SilentVillage]:
    """The villages of one page with what is known of their devices. Six statements, however many they are."""
    found = {
        row.village: SilentVillage(**{name: _whole(row._mapping[name]) for name in _SUMMED}) for row in rows
    }
    devices = connection.execute(
        select(_d).where(_d.c.village.in_(found), _is_village()).order_by(_d.c.pk)
    ).all()
    parts = _parts(connection, [row.pk for row in devices])
    for row in devices:
        _note(found[row.village], row, parts)
    for village, couriers in _couriers(connection, found).items():
        found[village].couriers = couriers
    for village, lacking in _lacking(connection, devices).items():
        found[village].lacking = lacking
    return list(found.values())


def _whole(value: Any) -> Any:
    """Sums of whole numbers, which PostgreSQL gives as decimals."""
    return value if value is None or isinstance(value, str) else int(value)


def _note(village: SilentVillage, row: Any, parts: dict[int, int]) -> None:
    village.devices.append(bytes(row.device))
    village.parts += parts.get(row.pk, 0)
    if row.state != "registered":
        if not village.registered:
            # Nobody else is there of whom it could be said.
            village.contact_ms = max(village.contact_ms or 0, row.last_contact_ms or 0) or None
            village.stick_ms = max(village.stick_ms or 0, row.last_stick_ms or 0) or None
        return
    village.wants_history |= bool(row.wants & Wants.HISTORY)
    if row.last_wall_s is not None and row.last_contact_ms is not None:
        off = row.last_wall_s * 1000 - row.last_contact_ms
        village.clocks_ms = (village.clocks_ms or ()) + ((off,) if abs(off) > CLOCK_TOLERANCE_MS else ())


def _parts(connection: Connection, devices: Sequence[int]) -> dict[int, int]:
    m = schema.mail_parts
    query = select(m.c.device, func.count()).where(m.c.device.in_(devices)).group_by(m.c.device)
    return dict(connection.execute(query).all())


def _couriers(connection: Connection, villages: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Who said of themselves that they carry something of a village that hasn't arrived."""
    c = schema.custody
    query = (
        select(_d.c.village, schema.couriers.c.name)
        .select_from(_b)
        .join(_d, _d.c.pk == _b.c.device)
        .join(c, c.c.bundle == _b.c.bundle)
        .join(schema.couriers, schema.couriers.c.pk == c.c.courier)
        .where(_b.c.complete_ms.is_(None), _d.c.state == "registered", _d.c.village.in_(list(villages)))
        .distinct()
    )
    found: dict[str, tuple[str, ...]] = {}
    for village, name in sorted(connection.execute(query).all()):
        found[village] = (*found.get(village, ()), name)
    return found


def _lacking(connection: Connection, devices: Sequence[Any]) -> dict[str, tuple[Lacking, ...]]:
    """What of the newest that is promised to each village one of its registered laptops lacks, by title."""
    here = [row for row in devices if row.state == "registered"]
    scopes = {scope for row in here for scope in scopes_of(row.village)}
    offers = schema.offers
    query = select(offers).where(offers.c.scope.in_(scopes) if scopes else false())
    promised = connection.execute(query.order_by(offers.c.version)).all()
    held = _held(connection, [row.pk for row in here])
    titles = courses.titles(connection)
    found: dict[str, dict[bytes, Lacking]] = {}
    for row in here:
        newest = {bytes(one.course_key): one for one in promised if one.scope in scopes_of(row.village)}
        for key, one in newest.items():
            has = held.get((row.pk, key))
            if has is None or has < one.version:
                title = titles.get(key, key.hex()[:12])
                found.setdefault(row.village, {})[key] = Lacking(title, one.version, one.size, has)
    return {
        village: tuple(sorted(many.values(), key=lambda one: (one.title, one.version)))
        for village, many in found.items()
    }


def _held(connection: Connection, devices: Sequence[int]) -> dict[tuple[int, bytes], int]:
    """The newest version of each course on each device, by what its logs say."""
    query = (
        select(schema.logs.c.device, _p.c.course_key, func.max(_p.c.version))
        .join(schema.branches, schema.branches.c.log == schema.logs.c.pk)
        .join(schema.pack_numbers, schema.pack_numbers.c.branch == schema.branches.c.pk)
        .join(_p, _p.c.pk == schema.pack_numbers.c.pack)
        .where(schema.logs.c.device.in_(devices))
        .group_by(schema.logs.c.device, _p.c.course_key)
    )
    return {(device, bytes(key)): version for device, key, version in connection.execute(query)}
