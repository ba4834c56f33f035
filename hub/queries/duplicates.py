"""Who may be one person twice: pairs of people of a regency whom an operator should look at, the likeliest first.

People who are one person already, and pairs that an operator said are two, are left out. Names stand in sealed profiles
that no database can search, so they are opened here: those of a regency at most, a fixed number of statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, func, select

from hub import likeness, schema
from hub.likeness import Likeness, Person
from hub.queries import moments, persons
from hub.queries.persons import Learner
from hub.queries.regions import within

REGENCY: Final = 5
"""How long the shortest code is whose people are compared."""

_l: Final = schema.learners
_d: Final = schema.devices
_lp: Final = schema.lesson_progress


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people, the one that was known first at the left, and how likely they are one."""

    one: Learner
    other: Learner
    likeness: Likeness


def found(connection: Connection, region: str) -> tuple[list[Pair], bool]:
    """(the pairs of a region worth a look, whether all its people were compared). Three statements.

    When they learned is not looked at here: see `with_times`.
    """
    people, is_whole = persons.of_region(connection, region)
    apart = _apart(connection, region)
    named = [one for one in people if one.name]
    candidates = [
        (one, other)
        for one, other in likeness.pairs(named, lambda one: one.name, lambda one: one.village)
        if not _is_apart(one, other, apart)
    ]
    courses = _courses(connection, {person.pk for pair in candidates for person in pair})
    made = []
    for pair in candidates:
        one, other = sorted(pair, key=lambda learner: learner.pk)
        like = likeness.compare(_person(one, courses), _person(other, courses))
        if like.score >= likeness.LEAST:
            made.append(Pair(one, other, like))
    made.sort(key=lambda one: (-one.likeness.score, one.one.village, one.one.pk, one.other.pk))
    return made, is_whole


def with_times(connection: Connection, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of one page with what the times of their learning say, in the same order. Six statements."""
    people = {person.pk: person for pair in pairs for person in (pair.one, pair.other)}
    courses = _courses(connection, people)
    times = _times(connection, [one.pk for person in people.values() for one in person.identities])

    def of(learner: Learner) -> Person:
        known = [times[one.pk] for one in learner.identities if one.pk in times]
        spread = (min(first for first, _ in known), max(last for _, last in known)) if known else None
        return replace(_person(learner, courses), times=spread)

    return [replace(pair, likeness=likeness.compare(of(pair.one), of(pair.other))) for pair in pairs]


def _person(learner: Learner, courses: dict[int, frozenset[bytes]]) -> Person:
    return Person(
        learner.name, learner.position, learner.village, courses.get(learner.pk, frozenset()), times=None
    )


def _apart(connection: Connection, region: str) -> set[tuple[bytes, bytes]]:
    """The pairs of identities that an operator said are two people."""
    same = schema.same_person
    query = (
        select(same.c.one, same.c.other)
        .join(_l, _l.c.learner == same.c.one)
        .join(_d, _d.c.pk == _l.c.device)
        .where(same.c.merged == 0, within(region))
    )
    return {(bytes(one), bytes(other)) for one, other in connection.execute(query)}


def _is_apart(one: Learner, other: Learner, apart: set[tuple[bytes, bytes]]) -> bool:
    if not apart:
        return False
    return any(
        (min(mine.id, theirs.id), max(mine.id, theirs.id)) in apart
        for mine in one.identities
        for theirs in other.identities
    )


def _courses(connection: Connection, people: Iterable[int]) -> dict[int, frozenset[bytes]]:
    """Which courses these people have begun."""
    query = (
        select(_l.c.person, schema.packs.c.course_key)
        .select_from(_lp)
        .join(_l, _l.c.pk == _lp.c.learner)
        .join(schema.packs, schema.packs.c.pk == _lp.c.pack)
        .where(_l.c.person.in_(list(people)))
        .distinct()
    )
    begun: dict[int, set[bytes]] = {}
    for person, key in connection.execute(query):
        begun.setdefault(person, set()).add(bytes(key))
    return {person: frozenset(keys) for person, keys in begun.items()}


def _times(connection: Connection, identities: Sequence[int]) -> dict[int, tuple[int, int]]:
    """From when to when each identity learned, in milliseconds since 1970, where that can be told."""
    query = select(_lp.c.learner, func.min(_lp.c.first_t), func.max(_lp.c.last_t))
    rows = connection.execute(query.where(_lp.c.learner.in_(identities)).group_by(_lp.c.learner)).all()
    clocks = moments.of_identities(connection, identities)
    found: dict[int, tuple[int, int]] = {}
    for learner, first_t, last_t in rows:
        if first_t is None or last_t is None:
            continue
        first, last = clocks[learner].moment(first_t), clocks[learner].moment(last_t)
        if first is not None and last is not None:
            found[learner] = (first.estimate, last.estimate)
    return found
