"""Rosters as pages show them: which villages have one, and who of it has not begun to learn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from hub import likeness, schema
from hub.places import within
from hub.queries.persons import IN_CHARGE, IN_CHARGE_MOST, Learner
from hub.queries.progress import Progress

PEOPLE_MOST: Final = 1000
"""Names of one village that are shown."""
_r: Final = schema.rosters


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a roster with the person at a laptop who is most likely the same; None if there is nobody like it."""

    name: str
    position: str
    learner: Learner | None
    has_begun: bool


def count(connection: Connection, region: str) -> tuple[int, int]:
    """(how many villages of a region have a roster, how many names stand in them)."""
    query = select(func.count(_r.c.village.distinct()), func.count()).where(within(region, _r.c.village))
    villages, names = connection.execute(query).one()
    return int(villages), int(names)


def listed(connection: Connection, region: str, most: int, skip: int = 0) -> list[tuple[str, int]]:
    """(village, how many names), by code."""
    query = select(_r.c.village, func.count()).where(within(region, _r.c.village)).group_by(_r.c.village)
    rows = connection.execute(query.order_by(_r.c.village).limit(most).offset(skip))
    return [(village, names) for village, names in rows]


def of_villages(
    connection: Connection, villages: Collection[str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """(name, position) of everybody in the rosters of these villages, in the order in which they came."""
    query = select(_r.c.village, _r.c.name, _r.c.position).where(_r.c.village.in_(list(villages)))
    found: dict[str, list[tuple[str, str]]] = {}
    for village, name, position in connection.execute(query.order_by(_r.c.pk)):
        found.setdefault(village, []).append((name, position))
    return {village: tuple(people) for village, people in found.items()}


def in_charge(connection: Connection, villages: Collection[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """(name, position) of whom to ask for in each village, by its roster."""
    found = {}
    for village, people in of_villages(connection, villages).items():
        ranked = sorted(
            (rank, name, position)
            for name, position in people
            for rank, word in enumerate(IN_CHARGE)
            if word in position.casefold()
        )
        if ranked:
            found[village] = tuple((name, position) for _, name, position in ranked[:IN_CHARGE_MOST])
    return found


def entries(
    roster: Sequence[tuple[str, str]],
    learners: Sequence[Learner],
    courses: Mapping[int, Sequence[Progress]],
) -> list[Entry]:
    """A village's roster by name, each with the learner of the village whose name fits best."""
    people = sorted(roster, key=lambda person: person[0].casefold())[:PEOPLE_MOST]
    fitting = likeness.matched([name for name, _ in people], [learner.name for learner in learners])
    made = []
    for at, (name, position) in enumerate(people):
        learner = learners[fitting[at]] if at in fitting else None
        made.append(Entry(name, position, learner, learner is not None and bool(courses[learner.pk])))
    return made


def known_villages(connection: Connection, codes: Collection[str]) -> frozenset[str]:
    """Which of these are codes of villages."""
    r = schema.regions
    query = select(r.c.code).where(r.c.code.in_(list(codes)))
    return frozenset(code for code in connection.execute(query).scalars() if code.count(".") == 3)
