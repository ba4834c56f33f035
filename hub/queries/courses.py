"""Courses over the whole hub: how many started, how many completed, what the final test gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, distinct, func, literal, select

from hub import courses, figures, schema
from hub.places import within
from hub.queries.regions import VILLAGE
from hub.regions import parent_of

COURSES_MOST: Final = 200
"""Versions of courses that are looked at; devices may name any number of packs that nobody knows."""

_p: Final = schema.packs
_v: Final = schema.village_courses.c
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
    scores: dict[bytes, list[int]] = {}
    for key, started, completed, score_sum, count in connection.execute(_sums(only)):
        if bytes(key) in found:
            found[bytes(key)].started, found[bytes(key)].completed = int(started), int(completed)
            scores[bytes(key)] = [int(score_sum), int(count)]
    anew = figures.counted_anew()
    for name, table in (("started", _lp), ("completed", _cp)):
        for key, people in connection.execute(_counted(anew, table, only)):
            if bytes(key) in found:
                setattr(found[bytes(key)], name, getattr(found[bytes(key)], name) + people)
    best = figures.best_scores(anew, anew.c.person)
    query = select(best.c.course_key, func.sum(best.c.score), func.count()).group_by(best.c.course_key)
    for key, score_sum, count in connection.execute(query):
        known_sums = scores.setdefault(bytes(key), [0, 0])
        known_sums[0] += int(score_sum)
        known_sums[1] += count
    for course in found.values():
        course.average = _average(*scores.get(course.course_key, (0, 0)))
    return sorted(
        found.values(), key=lambda course: (-course.started, course.title or "~", course.course_key)
    )


def count_villages(connection: Connection, course_key: bytes) -> int:
    rows = _sums_of_villages(course_key).subquery()
    return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())


def by_village(connection: Connection, course_key: bytes, most: int, skip: int) -> list[VillageRow]:
    """The villages of a course, those with most learners first."""
    rows = _sums_of_villages(course_key).subquery()
    query = select(rows).order_by(rows.c.started.desc(), rows.c.village).limit(most).offset(skip)
    return _of_villages(connection, course_key, connection.execute(query).all())


def after(connection: Connection, course_key: bytes, village: str, most: int) -> list[VillageRow]:
    """The villages of a course that come after `village`, by their codes."""
    rows = _sums_of_villages(course_key).subquery()
    query = select(rows).where(rows.c.village > village).order_by(rows.c.village).limit(most)
    return _of_villages(connection, course_key, connection.execute(query).all())


def _sums_of_villages(course_key: bytes) -> Any:
    """A row for each village in which somebody has started a course. Only where people are counted anew are parts added
    up: a nation has 75,000 villages.
    """
    summed = select(_v.village, _v.started, _v.completed, _v.score_sum, _v.scores)
    summed = summed.where(_v.course_key == course_key, _v.started > 0, figures.is_summed(_v.village))
    anew = figures.counted_anew()
    nothing = (literal(0).label("completed"), literal(0).label("score_sum"), literal(0).label("scores"))
    people = func.count(distinct(anew.c.person)).label("started")
    taking = _taking(anew, _lp, course_key).with_only_columns(anew.c.village, people, *nothing)
    counted = taking.group_by(anew.c.village).cte("counted")
    twice = select(counted.c.village)
    parts = summed.where(_v.village.in_(twice)).union_all(select(counted)).subquery().c
    sums = (parts.started, parts.completed, parts.score_sum, parts.scores)
    added: Any = select(parts.village, *(func.sum(column).label(column.name) for column in sums))
    return summed.where(_v.village.not_in(twice)).union_all(added.group_by(parts.village))


def _of_villages(connection: Connection, course_key: bytes, rows: Sequence[Any]) -> list[VillageRow]:
    """The figures of these villages, in their order: their sums, and what is counted anew."""
    found = {row[0]: [int(value) for value in row[1:]] for row in rows}
    anew = figures.counted_anew()
    here = anew.c.village.in_(list(found))
    query = _counted(anew, _cp, course_key, anew.c.village).where(here)
    for village, _key, completed in connection.execute(query):
        found[village][1] += completed
    best = figures.best_scores(anew, anew.c.person)
    taking = _taking(anew, _lp, course_key).where(here).with_only_columns(anew.c.village, anew.c.person)
    people = taking.distinct().subquery()
    tested = select(people.c.village, func.sum(best.c.score), func.count()).select_from(people)
    tested = tested.join(best, (best.c.person == people.c.person) & (best.c.course_key == course_key))
    for village, score_sum, count in connection.execute(tested.group_by(people.c.village)):
        found[village][2] += int(score_sum)
        found[village][3] += count
    return [
        VillageRow(village, sums[0], sums[1], _average(sums[2], sums[3])) for village, sums in found.items()
    ]


def by_region(
    connection: Connection, codes: Sequence[str], only: bytes | None
) -> dict[str, list[CourseRow]]:
    """The courses that people of each of these regions (directly in one) have begun; `only` this one, if it is named."""
    if not codes:
        return {}
    width, region = len(codes[0]), parent_of(codes[0])

    def key(village: Any) -> Any:
        return func.substr(village, 1, width).label("code")

    def here(village: Any) -> Any:
        # An index on villages serves where these are named.
        return within(region, village) & (village if width == VILLAGE else key(village)).in_(codes)

    sums: dict[tuple[str, bytes], list[int]] = {}
    summed = _sums(only).add_columns(key(_v.village)).where(here(_v.village)).group_by("code")
    for course_key, *values, code in connection.execute(summed):
        sums[code, bytes(course_key)] = [int(value) for value in values]
    anew = figures.counted_anew()
    for at, table in enumerate((_lp, _cp)):
        query = _counted(anew, table, only, key(anew.c.village)).where(here(anew.c.village))
        for code, course_key, people in connection.execute(query):
            sums.setdefault((code, bytes(course_key)), [0, 0, 0, 0])[at] += people
    best = figures.best_scores(anew, anew.c.person)
    taking = _taking(anew, _lp, only).where(here(anew.c.village))
    taking = taking.with_only_columns(key(anew.c.village), _p.c.course_key, anew.c.person)
    who = taking.distinct().subquery()
    tested = select(who.c.code, who.c.course_key, func.sum(best.c.score), func.count()).select_from(who)
    tested = tested.join(best, (best.c.person == who.c.person) & (best.c.course_key == who.c.course_key))
    for code, course_key, total, count in connection.execute(tested.group_by(*who.c["code", "course_key"])):
        sums[code, bytes(course_key)][2] += int(total)
        sums[code, bytes(course_key)][3] += count
    titles, found = courses.titles(connection), {code: list[CourseRow]() for code in codes}
    for (code, course), (started, completed, total, count) in sorted(sums.items()):
        row = CourseRow(course, titles.get(course), [], started, completed, _average(total, count))
        found[code].append(row)
    return found


def _average(score_sum: int, count: int) -> int | None:
    return round(score_sum / count) if count else None


def _sums(only: bytes | None) -> Any:
    """What the sums of villages say of each course."""
    sums = (func.sum(_v.started), func.sum(_v.completed), func.sum(_v.score_sum), func.sum(_v.scores))
    query = select(_v.course_key, *sums).where(figures.is_summed(_v.village)).group_by(_v.course_key)
    return query if only is None else query.where(_v.course_key == only)


def _taking(people: Any, table: Any, only: bytes | None) -> Select[Any]:
    query = (
        select(people.c.pk).join(table, table.c.learner == people.c.pk).join(_p, _p.c.pk == table.c.pack)
    )
    return query if only is None else query.where(_p.c.course_key == only)


def _counted(people: Any, table: Any, only: bytes | None, *keys: Any) -> Any:
    columns = (*keys, _p.c.course_key)
    count = func.count(distinct(people.c.person))
    return _taking(people, table, only).with_only_columns(*columns, count).group_by(*columns)


def _packs(connection: Connection, only: bytes | None) -> Sequence[Any]:
    query = select(_p).order_by(_p.c.pk).limit(COURSES_MOST)
    return connection.execute(query if only is None else query.where(_p.c.course_key == only)).all()
