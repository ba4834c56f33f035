"""Courses over the whole hub: how many started, how many completed, what the final test gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Subquery, and_, distinct, false, func, or_, select

from hub import courses, schema
from hub.places import within
from hub.queries import progress
from hub.queries.regions import VILLAGE
from hub.regions import parent_of

COURSES_MOST: Final = 200
"""Versions of courses that are looked at; devices may name any number of packs that nobody knows."""

_p: Final = schema.packs
_l: Final = schema.learners
_lp: Final = schema.lesson_progress
_cp: Final = schema.course_progress


@dataclass
class CourseRow:
    """A course. `average` is of the learners' best final tests, in hundredths of a percent."""

    course_key: bytes
    title: str | None
    versions: list[int]
    started: int = 0
    completed: int = 0
    average: int | None = None


@dataclass(frozen=True, slots=True)
class VillageRow:
    village: str
    started: int
    completed: int
    average: int | None


def listed(connection: Connection, only: bytes | None = None) -> list[CourseRow]:
    """Courses that the hub knows by name or met in a log; those with most learners first."""
    packs = _packs(connection, only)
    titles = courses.titles(connection)
    known = select(schema.courses.c.course_key, schema.courses.c.version)
    if only is not None:
        known = known.where(schema.courses.c.course_key == only)
    found: dict[bytes, CourseRow] = {}
    for key, version in [*connection.execute(known), *((row.course_key, row.version) for row in packs)]:
        course = found.setdefault(bytes(key), CourseRow(bytes(key), titles.get(bytes(key)), []))
        course.versions = sorted({*course.versions, version})
    for key, started in connection.execute(_counted(_lp, packs)):
        found[bytes(key)].started = started
    for key, completed in connection.execute(_counted(_cp, packs)):
        found[bytes(key)].completed = completed
    best = _best_scores(connection, packs)
    for key, average in connection.execute(
        select(best.c.course_key, func.avg(best.c.score)).group_by(best.c.course_key)
    ):
        found[bytes(key)].average = round(average)
    return sorted(
        found.values(), key=lambda course: (-course.started, course.title or "~", course.course_key)
    )


def count_villages(connection: Connection, course_key: bytes) -> int:
    query = _with_villages(select(func.count(distinct(schema.devices.c.village))), _lp)
    return int(connection.execute(query.where(_p.c.course_key == course_key)).scalar_one())


def by_village(connection: Connection, course_key: bytes, most: int, skip: int) -> list[VillageRow]:
    """The villages of a course, those with most learners first."""
    village = schema.devices.c.village
    started = func.count(distinct(_l.c.person)).label("started")
    query = _with_villages(select(village, started), _lp).where(_p.c.course_key == course_key)
    rows = connection.execute(
        query.group_by(village).order_by(started.desc(), village).limit(most).offset(skip)
    ).all()
    here = [row.village for row in rows]
    query = _with_villages(select(village, func.count(distinct(_l.c.person))), _cp)
    query = query.where(_p.c.course_key == course_key, village.in_(here)).group_by(village)
    completed = dict(connection.execute(query).all())
    best = _best_scores(connection, _packs(connection, course_key))
    query = _with_villages(select(village, _l.c.person).distinct(), _lp)
    taking = query.where(_p.c.course_key == course_key, village.in_(here)).subquery()
    query = select(taking.c.village, func.avg(best.c.score)).select_from(taking)
    query = query.join(best, best.c.person == taking.c.person).group_by(taking.c.village)
    averages = {code: round(average) for code, average in connection.execute(query)}
    return [
        VillageRow(row.village, row.started, completed.get(row.village, 0), averages.get(row.village))
        for row in rows
    ]


def by_region(
    connection: Connection, codes: Sequence[str], only: bytes | None
) -> dict[str, dict[bytes, CourseRow]]:
    """The courses that people of each of these regions (directly in one) have begun; `only` this one, if it is named."""
    if not codes:
        return {}
    packs, titles = _packs(connection, only), courses.titles(connection)
    village = schema.devices.c.village
    key = func.substr(village, 1, len(codes[0])).label("code")
    # An index on villages serves where these are named.
    in_codes = village.in_(codes) if len(codes[0]) == VILLAGE else key.in_(codes)
    here = (within(parent_of(codes[0])), in_codes, _p.c.pk.in_([row.pk for row in packs]))
    counted, grouped = func.count(distinct(_l.c.person)), (key, _p.c.course_key)
    found: dict[str, dict[bytes, CourseRow]] = {code: {} for code in codes}
    started = _with_villages(select(*grouped, counted), _lp).where(*here).group_by(*grouped)
    for code, course_key, count in connection.execute(started.order_by(*grouped)):
        course = bytes(course_key)
        found[code][course] = CourseRow(course, titles.get(course), [], started=count)
    completed = _with_villages(select(*grouped, counted), _cp).where(*here).group_by(*grouped)
    for code, course_key, count in connection.execute(completed.order_by(*grouped)):
        course = bytes(course_key)
        found[code].setdefault(course, CourseRow(course, titles.get(course), [])).completed = count
    best = _best_scores(connection, packs)
    query = _with_villages(select(*grouped, _l.c.person).distinct(), _lp)
    taking = query.where(*here).subquery()
    query = select(taking.c.code, taking.c.course_key, func.avg(best.c.score)).select_from(taking)
    is_same = and_(best.c.person == taking.c.person, best.c.course_key == taking.c.course_key)
    query = query.join(best, is_same).group_by(taking.c.code, taking.c.course_key)
    for code, course_key, average in connection.execute(query):
        found[code][bytes(course_key)].average = round(average)
    return found


def _packs(connection: Connection, only: bytes | None) -> Sequence[Any]:
    query = select(_p).order_by(_p.c.pk).limit(COURSES_MOST)
    return connection.execute(query if only is None else query.where(_p.c.course_key == only)).all()


def _counted(table: Any, packs: Sequence[Any]) -> Any:
    query = select(_p.c.course_key, func.count(distinct(_l.c.person))).select_from(table)
    query = query.join(_p, _p.c.pk == table.c.pack).join(_l, _l.c.pk == table.c.learner)
    return query.where(_p.c.pk.in_([row.pk for row in packs])).group_by(_p.c.course_key)


def _with_villages(query: Any, table: Any) -> Any:
    return (
        query.select_from(table)
        .join(_p, _p.c.pk == table.c.pack)
        .join(_l, _l.c.pk == table.c.learner)
        .join(schema.devices, schema.devices.c.pk == _l.c.device)
    )


def _best_scores(connection: Connection, packs: Sequence[Any]) -> Subquery:
    """Each person's best final test a course, where the manifest says which lesson that is."""
    known = progress.manifests(connection, {bytes(row.manifest_hash) for row in packs})
    final: list[ColumnElement[bool]] = [
        and_(_lp.c.pack == row.pk, _lp.c.lesson.in_(progress.posttests(manifest)))
        for row in packs
        if (manifest := known.get(bytes(row.manifest_hash))) is not None
    ]
    return (
        select(_p.c.course_key, _l.c.person, func.max(_lp.c.best_score).label("score"))
        .select_from(_lp)
        .join(_p, _p.c.pk == _lp.c.pack)
        .join(_l, _l.c.pk == _lp.c.learner)
        .where(or_(false(), *final), _lp.c.best_score.is_not(None))
        .group_by(_p.c.course_key, _l.c.person)
        .subquery()
    )
