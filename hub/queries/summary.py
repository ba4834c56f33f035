"""How training is going in one region: figures of the whole, of each course and of each part, and completions by month.

They are sums over the rows of villages (see `summaries`), so every statement reads only what lies in the region.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, cast, func, literal, select

from hub import courses, schema
from hub.places import within
from hub.queries.courses import COURSES_MOST
from hub.schema_summaries import EVERYBODY, UNDER_WAY
from hub.schema_summaries import STEPS as STEPS

_p: Final = schema.packs.c
_rows: Final = schema.summaries.c
_SUMS: Final = (
    _rows.people, _rows.seconds, _rows.scored, _rows.score_sum, _rows.paired, _rows.before_sum, _rows.after_sum,
)  # fmt: skip
_STEPS: Final = tuple(_rows[f"step{at}"] for at in range(STEPS))


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
    """The figures of a region; `width` is how long the codes of its parts are, None for a village. One statement."""
    made = Summary()
    for row in connection.execute(_grouped(asked, width)):
        part = made.parts.setdefault(row.part, Figures()) if row.part else Figures()
        key = bytes(row.course_key)
        if key == EVERYBODY:
            made.whole.learners += row.people
            part.learners += row.people
            continue
        for into in (made.whole, part, made.courses.setdefault(key.hex(), Figures())):
            _count(asked, into, row)
        if _is_completed(asked, row.month):
            made.months[row.month] = made.months.get(row.month, 0) + row.people
        if not asked.has_period or _is_completed(asked, row.month):
            made.scores = [count + row._mapping[f"step{at}"] for at, count in enumerate(made.scores)]
    return made


def _grouped(asked: Asked, width: int | None) -> Any:
    part = literal("") if width is None else func.substr(_rows.village, 1, width)
    keys = (part.label("part"), _rows.course_key, _rows.month)
    sums = [cast(func.sum(column), BigInteger).label(column.name) for column in (*_SUMS, *_STEPS)]
    query = select(*keys, *sums).where(within(asked.code, _rows.village)).group_by(*keys)
    if asked.course_key is not None:
        query = query.where(_rows.course_key.in_((EVERYBODY, asked.course_key)))
    return query


def _count(asked: Asked, into: Figures, row: Any) -> None:
    """Add a row of one month of completion."""
    into.started += row.people
    into.seconds += row.seconds
    is_completed = _is_completed(asked, row.month)
    if is_completed:
        into.completed += row.people
    if is_completed or not asked.has_period:
        into.scored += row.scored
        into.score_sum += row.score_sum
        into.paired += row.paired
        into.before_sum += row.before_sum
        into.after_sum += row.after_sum


def _is_completed(asked: Asked, month: str) -> bool:
    """Whether a row is of what was completed, in the period that is asked for."""
    return month != UNDER_WAY and (not asked.has_period or asked.first <= month <= asked.last)


def _average(total: int, count: int) -> int | None:
    return round(total / count) if count else None
