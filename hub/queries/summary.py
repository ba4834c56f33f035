"""How training is going in one region: figures of the whole, of each course and of each part, and completions by month.

A person counts once a course, over all versions and identities; in two parts of a region if the person learned in both.
Every statement reads only what lies in the region. See `timeline` for when something was completed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    cast,
    distinct,
    false,
    func,
    literal,
    or_,
    select,
)

from content_packs.manifest import Manifest
from hub import courses, schema
from hub.places import inside
from hub.queries import progress
from hub.queries.courses import COURSES_MOST

STEPS: Final = 10
"""Scores are counted in as many steps."""

_d: Final = schema.devices.c
_l: Final = schema.learners.c
_p: Final = schema.packs.c
_lp: Final = schema.lesson_progress.c
_done: Final = schema.completions.c


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is about: a region, one course or all, and the months of completion (both, or neither)."""

    code: str
    course_key: bytes | None = None
    first: str = ""
    last: str = ""

    @property
    def has_period(self) -> bool:
        return bool(self.first)


@dataclass
class Figures:
    """Sums. With a period all but `learners`, `started` and `seconds` are of those who completed in it.

    `scored` people have done a final test; `paired` of them one before it too. Scores are hundredths of a percent.
    """

    learners: int = 0
    started: int = 0
    completed: int = 0
    seconds: int = 0
    scored: int = 0
    score_sum: int = 0
    paired: int = 0
    before_sum: int = 0
    after_sum: int = 0

    @property
    def share(self) -> float | None:
        return min(1.0, self.completed / self.started) if self.started else None

    @property
    def best(self) -> int | None:
        return _average(self.score_sum, self.scored)

    @property
    def before(self) -> int | None:
        return _average(self.before_sum, self.paired)

    @property
    def after(self) -> int | None:
        return _average(self.after_sum, self.paired)

    @property
    def gain(self) -> int | None:
        return _average(self.after_sum - self.before_sum, self.paired)

    def add(self, other: Figures) -> None:
        for name in (one.name for one in fields(self)):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class Summary:
    whole: Figures = field(default_factory=Figures)
    courses: dict[str, Figures] = field(default_factory=dict)
    """By course key, in hexadecimal."""
    parts: dict[str, Figures] = field(default_factory=dict)
    """By the code of a region directly below."""
    months: dict[str, int] = field(default_factory=dict)
    """Completions by month; those without a date under ""."""
    scores: list[int] = field(default_factory=lambda: [0] * STEPS)


def as_json(made: Summary) -> dict[str, Any]:
    return asdict(made)


def from_json(result: dict[str, Any]) -> Summary:
    """The opposite of `as_json`."""
    by_key = {
        name: {key: Figures(**one) for key, one in result[name].items()} for name in ("courses", "parts")
    }
    return Summary(Figures(**result["whole"]), months=result["months"], scores=result["scores"], **by_key)


def titles(connection: Connection) -> dict[bytes, str]:
    """Every course that can be asked for, by its key; those whose pack nobody knows have no title."""
    known = courses.titles(connection)
    met = select(_p.course_key).distinct().limit(COURSES_MOST)
    return {**{bytes(key): "" for key in connection.execute(met).scalars()}, **known}


def of_region(connection: Connection, asked: Asked, width: int | None) -> Summary:
    """The figures of a region; `width` is how long the codes of its parts are, None for a village. Eight statements."""
    packs = _packs(connection, asked.course_key)
    known = progress.manifests(connection, {bytes(row.manifest_hash) for row in packs})
    tests = _Tests.of(packs, known)
    made = Summary()
    course = _p.course_key.label("key")
    made.courses, made.scores = _figures(connection, asked, tests, course)
    for key, month, count in _months(connection, asked, course):
        made.courses.setdefault(key, Figures()).completed += count
        made.months[month] = made.months.get(month, 0) + count
    for figures in made.courses.values():
        made.whole.add(figures)
    made.whole.learners = sum(_learners(connection, asked, literal("").label("key")).values())
    if width is not None:
        made.parts, _ = _figures(connection, asked, tests, func.substr(_d.village, 1, width).label("key"))
        part = func.substr(_done.village, 1, width).label("key")
        for code, _month, count in _months(connection, asked, part):
            made.parts.setdefault(code, Figures()).completed += count
        learners = _learners(connection, asked, func.substr(_d.village, 1, width).label("key"))
        for code, count in learners.items():
            made.parts.setdefault(code, Figures()).learners = count
    return made


@dataclass(frozen=True, slots=True)
class _Tests:
    """The packs that are asked for, and which of their lessons are tests before and after."""

    packs: Sequence[int]
    before: ColumnElement[bool]
    after: ColumnElement[bool]

    @classmethod
    def of(cls, packs: Sequence[Any], known: Mapping[bytes, Manifest]) -> _Tests:
        made: dict[str, list[ColumnElement[bool]]] = {"pretest": [], "posttest": []}
        for row in packs:
            manifest = known.get(bytes(row.manifest_hash))
            for role, conditions in made.items():
                numbers = [one.number for one in manifest.lessons if one.role == role] if manifest else []
                if numbers:
                    conditions.append(and_(_lp.pack == row.pk, _lp.lesson.in_(numbers)))
        before, after = (or_(false(), *conditions) for conditions in made.values())
        return cls([row.pk for row in packs], before, after)


def _packs(connection: Connection, course_key: bytes | None) -> Sequence[Any]:
    query = select(schema.packs).order_by(_p.pk).limit(COURSES_MOST)
    return connection.execute(
        query if course_key is None else query.where(_p.course_key == course_key)
    ).all()


def _takings(asked: Asked, tests: _Tests, key: Any) -> Subquery:
    """One row a person and course (in each part): how long it took, and the best of both tests."""
    score = _lp.best_score
    return (
        select(
            key,
            _l.person,
            _p.course_key.label("course"),
            func.sum(_lp.seconds).label("seconds"),
            func.max(case((tests.before, score))).label("before"),
            func.max(case((tests.after, score))).label("after"),
        )
        .select_from(schema.lesson_progress)
        .join(schema.learners, _l.pk == _lp.learner)
        .join(schema.devices, _d.pk == _l.device)
        .join(schema.packs, _p.pk == _lp.pack)
        .where(inside(_d.village, asked.code), _lp.pack.in_(tests.packs))
        .group_by(key, _l.person, _p.course_key)
        .subquery("taken")
    )


def _finished(asked: Asked, *keys: Any) -> Subquery:
    """One row a person and course that was completed, with the first month that is known of it."""
    month = func.coalesce(func.min(func.nullif(_done.month, "")), "")
    query = (
        select(*keys, _l.person, _p.course_key.label("course"), month.label("month"))
        .select_from(schema.completions)
        .join(schema.learners, _l.pk == _done.learner)
        .join(schema.packs, _p.pk == _done.pack)
        .where(inside(_done.village, asked.code))
        .group_by(*keys, _l.person, _p.course_key)
    )
    if asked.course_key is not None:
        query = query.where(_p.course_key == asked.course_key)
    if asked.has_period:
        query = query.having(month.between(asked.first, asked.last))
    return query.subquery("finished")


def _figures(
    connection: Connection, asked: Asked, tests: _Tests, key: Any
) -> tuple[dict[str, Figures], list[int]]:
    """(by key, how many final tests in each step of scores)."""
    made: dict[str, Figures] = {}
    scores = [0] * STEPS
    taken = _takings(asked, tests, key)
    source: Any = taken
    counts: ColumnElement[bool] = taken.c.course.is_not(None)
    if asked.has_period:
        done = _finished(asked)
        source = taken.outerjoin(
            done, (done.c.person == taken.c.person) & (done.c.course == taken.c.course)
        )
        counts = done.c.person.is_not(None)
    after = case((counts, taken.c.after))
    both = counts & taken.c.before.is_not(None) & taken.c.after.is_not(None)
    query = select(
        taken.c.key,
        func.count(),
        _sum(taken.c.seconds),
        func.count(after),
        _sum(after),
        func.count(case((both, 1))),
        _sum(case((both, taken.c.before))),
        _sum(case((both, taken.c.after))),
        *(func.count(case((counts & _in_step(taken.c.after, at), 1))) for at in range(STEPS)),
    ).select_from(source)
    for key, started, seconds, *rest in connection.execute(query.group_by(taken.c.key)):
        made[_name(key)] = Figures(0, started, 0, seconds, *rest[:5])
        scores = [count + more for count, more in zip(scores, rest[5:], strict=True)]
    return made, scores


def _in_step(score: Any, step: int) -> ColumnElement[bool]:
    """The last step holds full marks too."""
    top = score < (step + 1) * 1000 if step < STEPS - 1 else score <= STEPS * 1000
    return and_(score >= step * 1000, top)


def _months(connection: Connection, asked: Asked, key: Any) -> list[tuple[str, str, int]]:
    """(key, month, completions); the key is "" if none is given."""
    done = _finished(asked, key)
    query = select(done.c.key, done.c.month, func.count()).group_by(done.c.key, done.c.month)
    return [(_name(name), month, count) for name, month, count in connection.execute(query)]


def _learners(connection: Connection, asked: Asked, key: Any) -> dict[str, int]:
    query = select(key, func.count(distinct(_l.person))).select_from(schema.learners)
    query = query.join(schema.devices, _d.pk == _l.device).where(inside(_d.village, asked.code))
    return {_name(name): count for name, count in connection.execute(query.group_by(key))}


def _name(key: str | bytes) -> str:
    return key if isinstance(key, str) else bytes(key).hex()


def _sum(values: Any) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(values), 0), BigInteger)


def _average(total: int, count: int) -> int | None:
    return round(total / count) if count else None
