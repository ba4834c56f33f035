"""Facts for analysts: what was learned, completed, certified and with which devices, in pages by village.

Each row ends with its province and its month, by the clocks of its village: of the last activity, the completion, the
issue or the registration. The month is None where the time isn't known. Names stand in the columns that say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from hub import courses, places, schema
from hub.exports.tables import Cell, Form, Key, Page, Row
from hub.places import within
from hub.queries import devices, moments, progress
from hub.queries.moments import LogTime
from sync.profile import open_profile
from sync.progress.rows import LESSON_PROGRESS
from web.zones import ZONES, zone_of

_IDENTITIES: Final = 200
_ROWS: Final = 1000
_LAST: Final = (1 << 63) - 1

_d: Final = schema.devices
_l: Final = schema.learners
_p: Final = schema.packs
_c: Final = schema.certificates


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    form: Form = Form.TEXT
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One table of facts."""

    name: str
    columns: tuple[Column, ...]
    page: Callable[[Connection, str, Key], Page]
    """(connection, region, where the last page ended)."""


_WHO: Final = (
    Column("person"),
    Column("learner"),
    Column("name", is_personal=True),
    Column("position", is_personal=True),
    Column("village"),
    Column("regency"),
)
_COURSE: Final = (Column("course"), Column("course_title"), Column("version", Form.NUMBER))
_WHERE_AND_WHEN: Final = (Column("province"), Column("month"))


def _progress(connection: Connection, region: str, after: Key) -> Page:
    people, last = _identities(connection, region, after)
    table = schema.lesson_progress
    query = select(table, _p.c.course_key, _p.c.version, _p.c.manifest_hash)
    query = query.join(_p, _p.c.pk == table.c.pack).where(table.c.learner.in_(people))
    found = connection.execute(query.order_by(table.c.learner, table.c.pack, table.c.lesson)).all()
    known = progress.manifests(connection, {bytes(row.manifest_hash) for row in found})
    titles, times = courses.titles(connection), _times(connection, {row.learner for row in found})
    rows: list[Row] = []
    for row in found:
        manifest = known.get(bytes(row.manifest_hash))
        lesson = manifest.lesson(row.lesson) if manifest else None
        sums = [getattr(row, name) for name in LESSON_PROGRESS.columns if not name.endswith("_t")]
        first, newest = (_at(times[row.learner], t) for t in (row.first_t, row.last_t))
        outline = (
            (row.lesson, lesson.id, lesson.title, lesson.role) if lesson else (row.lesson, None, None, None)
        )
        who = people[row.learner]
        rows.append(
            (*who, *_course(row, titles), *outline, *sums, first, newest, *_where_and_when(who, newest))
        )
    return Page(rows, last)


PROGRESS: Final = Fact(
    "progress",
    (
        *_WHO,
        *_COURSE,
        Column("lesson", Form.NUMBER),
        Column("lesson_id"),
        Column("lesson_title"),
        Column("lesson_role"),
        *(Column(name, Form.NUMBER) for name in LESSON_PROGRESS.columns if not name.endswith("_t")),
        Column("first_at", Form.MOMENT),
        Column("last_at", Form.MOMENT),
        *_WHERE_AND_WHEN,
    ),
    _progress,
)


def _completions(connection: Connection, region: str, after: Key) -> Page:
    people, last = _identities(connection, region, after)
    table = schema.course_progress
    query = select(table, _p.c.course_key, _p.c.version)
    query = query.join(_p, _p.c.pk == table.c.pack).where(table.c.learner.in_(people))
    found = connection.execute(query.order_by(table.c.learner, table.c.pack)).all()
    titles, times = courses.titles(connection), _times(connection, {row.learner for row in found})
    rows: list[Row] = []
    for row in found:
        who, at = people[row.learner], _at(times[row.learner], row.completed_t)
        rows.append((*who, *_course(row, titles), row.completions, at, *_where_and_when(who, at)))
    return Page(rows, last)


COMPLETIONS: Final = Fact(
    "completions",
    (
        *_WHO,
        *_COURSE,
        Column("completions", Form.NUMBER),
        Column("completed_at", Form.MOMENT),
        *_WHERE_AND_WHEN,
    ),
    _completions,
)


def _devices(connection: Connection, region: str, after: Key) -> Page:
    found = devices.by_village(connection, region, after or ("", 0), _ROWS)
    rows: list[Row] = [
        (
            row.device.hex(),
            row.village,
            row.village[:5],
            row.state,
            row.first_seen_ms,
            row.registered_ms,
            row.last_contact_ms,
            row.last_stick_ms,
            row.clock_off_ms,
            row.held.merged,
            row.held.stored,
            row.held.gap,
            row.held.unreadable,
            row.held.quarantined,
            *_place_and_month(row.village, row.registered_ms or row.first_seen_ms),
        )
        for row in found
    ]
    return Page(rows, (found[-1].village, found[-1].pk) if len(found) == _ROWS else None)


DEVICES: Final = Fact(
    "devices",
    (
        Column("device"),
        Column("village"),
        Column("regency"),
        Column("state"),
        Column("first_seen_at", Form.MOMENT),
        Column("registered_at", Form.MOMENT),
        Column("last_contact_at", Form.MOMENT),
        Column("last_stick_at", Form.MOMENT),
        Column("clock_off_ms", Form.NUMBER),
        *(Column(f"entries_{state}", Form.NUMBER) for state in ("merged", "stored", "gap")),
        *(Column(f"entries_{state}", Form.NUMBER) for state in ("unreadable", "quarantined")),
        *_WHERE_AND_WHEN,
    ),
    _devices,
)


def _certificates(connection: Connection, region: str, after: Key) -> Page:
    village, pk = after or ("", 0)
    person, profile = _l.alias(), schema.profiles
    query = (
        select(_c, person.c.learner.label("person"), profile.c.data)
        .outerjoin(_l, _l.c.learner == _c.c.learner)
        .outerjoin(person, person.c.pk == _l.c.person)
        .outerjoin(profile, profile.c.commitment == _l.c.commitment)
        .where(
            _c.c.number.is_not(None),
            within(region, _c.c.village),
            *_beyond(_c.c.village, _c.c.pk, village, pk),
        )
    )
    found = connection.execute(query.order_by(_c.c.village, _c.c.pk).limit(_ROWS)).all()
    titles = courses.titles(connection)
    rows: list[Row] = [
        (
            row.number,
            *_who(row.person or row.learner, row.learner, row.data, row.village),
            bytes(row.course_key).hex(),
            titles.get(bytes(row.course_key)),
            row.issued_ms,
            row.withdrawn_ms,
            row.reason,
            *_place_and_month(row.village, row.issued_ms),
        )
        for row in found
    ]
    return Page(rows, (found[-1].village, found[-1].pk) if len(found) == _ROWS else None)


CERTIFICATES: Final = Fact(
    "certificates",
    (
        Column("number"),
        *_WHO,
        Column("course"),
        Column("course_title"),
        Column("issued_at", Form.MOMENT),
        Column("withdrawn_at", Form.MOMENT),
        Column("reason", is_personal=True),
        *_WHERE_AND_WHEN,
    ),
    _certificates,
)

FACTS: Final = (PROGRESS, COMPLETIONS, DEVICES, CERTIFICATES)


def _identities(connection: Connection, region: str, after: Key) -> tuple[dict[int, Row], Key]:
    """(the cells of `_WHO` of the next identities, where the next page begins)."""
    village, pk = after or ("", 0)
    here = places.block(connection, region, village)
    person, profile = _l.alias(), schema.profiles
    query = (
        select(_l.c.pk, _l.c.learner, person.c.learner.label("person"), profile.c.data, _d.c.village)
        .join(_d, _d.c.pk == _l.c.device)
        .join(person, person.c.pk == _l.c.person)
        .outerjoin(profile, profile.c.commitment == _l.c.commitment)
        .where(_d.c.village.in_(here), *_beyond(_d.c.village, _l.c.pk, village, pk))
    )
    rows = connection.execute(query.order_by(_d.c.village, _l.c.pk).limit(_IDENTITIES)).all()
    found = {row.pk: _who(row.person, row.learner, row.data, row.village) for row in rows}
    if len(rows) == _IDENTITIES:
        return found, (rows[-1].village, rows[-1].pk)
    return found, (here[-1], _LAST) if len(here) == places.BLOCK else None


def _beyond(
    of_village: ColumnElement[str], of_pk: ColumnElement[int], village: str, pk: int
) -> Sequence[ColumnElement[bool]]:
    return of_village >= village, or_(of_village > village, and_(of_village == village, of_pk > pk))


def _who(person: Any, learner: Any, profile: Any, village: str) -> Row:
    known = open_profile(bytes(profile)) if profile is not None else None
    named = (known.name, known.position) if known else (None, None)
    return bytes(person).hex(), bytes(learner).hex(), *named, village, village[:5]


def _course(row: Any, titles: dict[bytes, str]) -> Row:
    key = bytes(row.course_key)
    return key.hex(), titles.get(key), row.version


def _times(connection: Connection, learners: set[int]) -> dict[int, LogTime]:
    return moments.of_identities(connection, learners) if learners else {}


def _at(time: LogTime, t: int | None) -> int | None:
    moment = time.moment(t) if t is not None else None
    return moment.estimate if moment else None


def _where_and_when(who: Row, at_ms: int | None) -> Row:
    return _place_and_month(str(who[4]), at_ms)


def _place_and_month(village: str, at_ms: int | None) -> Row:
    month: Cell = None
    if at_ms is not None:
        month = f"{datetime.fromtimestamp(at_ms / 1000, ZONES[zone_of(village)]):%Y-%m}"
    return village[:2], month
