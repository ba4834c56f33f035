"""Sums a village, so that pages of large regions add up villages and not people. Owns village_figures and
village_courses.

Exact at any moment: what was merged marks its village in the same transaction (`hub.stale`), and marked villages are counted anew by
whoever asks (`counted_anew`) until `refresh` has made their sums. So are people with several identities, who count once
in a region however many of its villages they are in. Behind merges `refresh` keeps the marked ones few.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    CTE,
    Connection,
    Engine,
    Subquery,
    and_,
    bindparam,
    delete,
    distinct,
    func,
    insert,
    select,
)

from hub import schema, summaries
from hub.db import asking, writing

AT_ONCE: Final = 500
"""Villages whose sums are made in one transaction."""

MARKED_MOST: Final = 64
"""Villages that pages count anew without anybody noticing."""

_d: Final = schema.devices
_l: Final = schema.learners
_p: Final = schema.packs
_s: Final = schema.segments
_lp: Final = schema.lesson_progress
_cp: Final = schema.course_progress
_t: Final = schema.test_lessons
_figures: Final = schema.village_figures
_courses: Final = schema.village_courses
_stale: Final = schema.stale_villages
_MARKED: Final = select(_stale.c.village).limit(bindparam("most"))


def refresh(engine: Engine) -> int:
    """Make the sums of marked villages; returns of how many. What others are marking now is left to the next time."""
    total = 0
    while True:
        with writing(engine) as connection:
            query = select(_stale.c.village).order_by(_stale.c.village).limit(AT_ONCE)
            villages = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
            if villages:
                _make(connection, villages)
        total += len(villages)
        if len(villages) < AT_ONCE:
            return total


def keep_up(engine: Engine) -> None:
    """Make the sums if so many villages are marked that counting them anew would slow pages down."""
    with asking(engine) as connection:
        marked = len(connection.execute(_MARKED, {"most": MARKED_MOST}).all())
    if marked == MARKED_MOST:
        refresh(engine)


def counted_anew() -> CTE:
    """Identities (`pk`, `person`, `village`) that no sum holds: of marked villages, and of people with several."""
    columns = (_l.c.pk, _l.c.person, _d.c.village)
    people = select(*columns).join(_d, _d.c.pk == _l.c.device)
    joined = people.where(_l.c.joined == 1)
    marked = people.join(_stale, _stale.c.village == _d.c.village).where(_l.c.joined == 0)
    return joined.union_all(marked).cte("anew")


def is_summed(column: Any) -> Any:
    """That the sums of the village in `column` are right."""
    return column.not_in(select(_stale.c.village))


def best_scores(people: Any, *keys: Any) -> Subquery:
    """The best final test for each of `keys` (columns of `people`, who have a `pk`) and course, where it is known which
    lesson that is.
    """
    best = select(*keys, _p.c.course_key, func.max(_lp.c.best_score).label("score"))
    best = best.select_from(people).join(_lp, _lp.c.learner == people.c.pk).join(_p, _p.c.pk == _lp.c.pack)
    best = best.join(_t, and_(_t.c.manifest_hash == _p.c.manifest_hash, _t.c.lesson == _lp.c.lesson))
    best = best.where(_t.c.is_after == 1, _lp.c.best_score.is_not(None))
    return best.group_by(*keys, _p.c.course_key).subquery()


def _make(connection: Connection, villages: Any) -> None:
    for table in (_courses, _figures):
        connection.execute(delete(table).where(table.c.village.in_(villages)))
    here = select(_l.c.pk, _d.c.village).join(_d, _d.c.pk == _l.c.device)
    here = here.where(_d.c.village.in_(villages), _l.c.joined == 0)
    people = here.cte("people")
    found: dict[str, dict[str, Any]] = {
        village: {"village": village, "learners": 0, "completions": 0, "entries": 0} for village in villages
    }
    count = select(people.c.village, func.count()).group_by(people.c.village)
    for village, learners in connection.execute(count):
        found[village]["learners"] = learners
    entries = select(_d.c.village, func.sum(_s.c.count)).join(schema.logs, schema.logs.c.pk == _s.c.log)
    entries = entries.join(_d, _d.c.pk == schema.logs.c.device)
    entries = entries.where(_d.c.village.in_(villages), _s.c.state == schema.MERGED).group_by(_d.c.village)
    for village, merged in connection.execute(entries):
        found[village]["entries"] = int(merged)
    courses = _courses_of(connection, people)
    for (village, _course), row in courses.items():
        found[village]["completions"] += row["completed"]
    if made := [row for row in found.values() if row["learners"] or row["entries"]]:
        connection.execute(insert(_figures), made)
    if courses:
        connection.execute(insert(_courses), list(courses.values()))
    summaries.refresh(connection, villages)
    connection.execute(delete(_stale).where(_stale.c.village.in_(villages)))


def _courses_of(connection: Connection, people: CTE) -> dict[tuple[str, bytes], dict[str, Any]]:
    found: dict[tuple[str, bytes], dict[str, Any]] = {}

    def row(village: str, course_key: bytes) -> dict[str, Any]:
        sums = {"started": 0, "completed": 0, "score_sum": 0, "scores": 0}
        key = (village, bytes(course_key))
        return found.setdefault(key, {"village": village, "course_key": key[1], **sums})

    for name, table in (("started", _lp), ("completed", _cp)):
        query = select(people.c.village, _p.c.course_key, func.count(distinct(people.c.pk)))
        query = query.select_from(people).join(table, table.c.learner == people.c.pk)
        query = query.join(_p, _p.c.pk == table.c.pack).group_by(people.c.village, _p.c.course_key)
        for village, course_key, count in connection.execute(query):
            row(village, course_key)[name] = count
    best = best_scores(people, people.c.village, people.c.pk)
    query = select(best.c.village, best.c.course_key, func.sum(best.c.score), func.count())
    for village, course_key, total, count in connection.execute(
        query.group_by(best.c.village, best.c.course_key)
    ):
        row(village, course_key).update(score_sum=int(total), scores=count)
    return found
