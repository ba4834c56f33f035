"""What each village has learned, added up: made anew with the sums of `figures`, of villages that are marked. Owns the table summaries.

Pages about a province or the nation add these rows up; people and lessons would be too many. A person counts once, in the
village of the identity that pages speak of, with what all identities of the person did.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    select,
)

from hub import schema
from hub.db import lock
from hub.schema_summaries import EVERYBODY, STEPS, UNDER_WAY

_d: Final = schema.devices.c
_l: Final = schema.learners.c
_p: Final = schema.packs.c
_lp: Final = schema.lesson_progress.c
_done: Final = schema.completions.c
_tests: Final = schema.test_lessons.c
_rows: Final = schema.summaries
_BLOCK: Final = 200
"""Villages that are made anew in one statement."""


def refresh(connection: Connection, villages: Collection[str]) -> None:
    """Add these villages up anew, and those in which their people count. Whoever else does so for one of them waits."""
    ordered = sorted({*villages, *_main_villages(connection, villages)})
    for village in ordered:
        lock(connection, f"summary {village}")
    for at in range(0, len(ordered), _BLOCK):
        block = ordered[at : at + _BLOCK]
        connection.execute(delete(_rows).where(_rows.c.village.in_(block)))
        for query in (_people(block), _taken(block)):
            connection.execute(insert(_rows).from_select([column.name for column in _rows.c], query))


def _main_villages(connection: Connection, villages: Collection[str]) -> set[str]:
    """Where people of these villages count who have several identities."""
    here = select(_l.person).join(schema.devices, _d.pk == _l.device)
    here = here.where(_d.village.in_(villages), _l.joined == 1)
    query = select(_d.village).join(schema.learners, _l.device == _d.pk).where(_l.pk.in_(here))
    return set(connection.execute(query.distinct()).scalars())


def _people(villages: Collection[str]) -> Select[Any]:
    nothing = [literal(0)] * (len(_rows.c) - 4)
    return (
        select(_d.village, literal(EVERYBODY), literal(UNDER_WAY), func.count(), *nothing)
        .join(schema.learners, _l.device == _d.pk)
        .where(_d.village.in_(villages), _l.pk == _l.person)
        .group_by(_d.village)
    )


def _taken(villages: Collection[str]) -> Select[Any]:
    """One row a village, course and month, of one row a person and course."""
    main = schema.learners.alias("main")
    people = (
        select(main.c.pk, _d.village)
        .join(schema.devices, _d.pk == main.c.device)
        .where(_d.village.in_(villages), main.c.pk == main.c.person)
        .cte("people")
    )
    taken, done = _begun(people), _completed(people)
    t = taken.c
    month = func.coalesce(done.c.month, literal(UNDER_WAY)).label("month")
    both = case((t.before.is_not(None) & t.after.is_not(None), 1), else_=0).label("both")
    rows = (
        select(t.village, t.course_key, month, t.seconds, t.before, t.after, both)
        .select_from(taken)
        .outerjoin(done, (done.c.person == t.person) & (done.c.course_key == t.course_key))
        .subquery("rows")
    )
    r = rows.c
    return select(
        r.village,
        r.course_key,
        r.month,
        func.count(),
        _sum(r.seconds),
        func.count(r.after),
        _sum(r.after),
        _sum(r.both),
        _sum(case((r.both == 1, r.before))),
        _sum(case((r.both == 1, r.after))),
        *(func.count(case((_in_step(r.after, at), 1))) for at in range(STEPS)),
    ).group_by(r.village, r.course_key, r.month)


def _begun(people: CTE) -> Subquery:
    """One row a person and course: how long it took, and the best of both tests."""
    score = _lp.best_score
    return (
        select(
            people.c.village,
            people.c.pk.label("person"),
            _p.course_key,
            func.sum(_lp.seconds).label("seconds"),
            func.max(case((_tests.is_after == 0, score))).label("before"),
            func.max(case((_tests.is_after == 1, score))).label("after"),
        )
        .select_from(people)
        .join(schema.learners, _l.person == people.c.pk)
        .join(schema.lesson_progress, _lp.learner == _l.pk)
        .join(schema.packs, _p.pk == _lp.pack)
        .outerjoin(
            schema.test_lessons,
            and_(_tests.manifest_hash == _p.manifest_hash, _tests.lesson == _lp.lesson),
        )
        .group_by(people.c.village, people.c.pk, _p.course_key)
        .subquery("taken")
    )


def _completed(people: CTE) -> Subquery:
    """One row a person and course that was completed, with the first month that is known of it."""
    month = func.coalesce(func.min(func.nullif(_done.month, "")), "").label("month")
    return (
        select(_l.person, _p.course_key, month)
        .select_from(people)
        .join(schema.learners, _l.person == people.c.pk)
        .join(schema.completions, _done.learner == _l.pk)
        .join(schema.packs, _p.pk == _done.pack)
        .group_by(_l.person, _p.course_key)
        .subquery("done")
    )


def _in_step(score: Any, step: int) -> ColumnElement[bool]:
    """The last step holds full marks too."""
    top = score < (step + 1) * 1000 if step < STEPS - 1 else score <= STEPS * 1000
    return and_(score >= step * 1000, top)


def _sum(values: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(values), 0)
