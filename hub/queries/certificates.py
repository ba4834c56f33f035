"""Certificates as operators look for them, and what this hub knows of one that somebody shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from hub import courses, relays, schema
from hub.config import Config
from hub.queries import persons
from hub.segments import begins_with
from sync.certificate import Claim, final_code, open_final
from sync.errors import LontarError

_c: Final = schema.certificates
_d: Final = schema.devices


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate. `name` is the person's now, and empty once it was erased; `reason` is None while it holds."""

    number: str
    learner: bytes
    name: str
    title: str
    village: str
    issued_ms: int
    withdrawn_ms: int | None
    withdrawn: str | None


def listed(connection: Connection, search: str, most: int, skip: int = 0) -> tuple[list[Issued], int]:
    """(the newest first, how many there are): whose number holds `search`, or whose village's code begins with it."""
    which = _fitting(search)
    total = connection.execute(select(func.count()).select_from(_c).where(which)).scalar_one()
    query = select(_c).where(which).order_by(_c.c.pk.desc()).limit(most).offset(skip)
    return _issued(connection, connection.execute(query).all()), int(total)


def after(connection: Connection, search: str, pk: int, most: int) -> tuple[list[Issued], int | None]:
    """(those that fit and come after the row `pk`, the last one's row or None if none follows)."""
    query = select(_c).where(_fitting(search), _c.c.pk > pk).order_by(_c.c.pk).limit(most)
    rows = connection.execute(query).all()
    return _issued(connection, rows), rows[-1].pk if len(rows) == most else None


def _fitting(search: str) -> ColumnElement[bool]:
    if not search:
        return true()
    return or_(
        _c.c.number.contains(search, autoescape=True), _c.c.village.startswith(search, autoescape=True)
    )


def following(
    connection: Connection, which: Sequence[ColumnElement[bool]], after: int, most: int
) -> list[tuple[int, bytes, Issued]]:
    """(number of the row, course, certificate) of those after the row `after`."""
    query = select(_c).where(*which, _c.c.pk > after).order_by(_c.c.pk).limit(most)
    rows = connection.execute(query).all()
    keys = [(row.pk, bytes(row.course_key)) for row in rows]
    return [(*key, one) for key, one in zip(keys, _issued(connection, rows), strict=True)]


def of_claim(connection: Connection, claim: Claim) -> Issued | None:
    """What this hub issued to the same person for the same course."""
    same, person = schema.learners.alias(), schema.learners.alias()
    query = (
        select(_c)
        .join(same, same.c.learner == _c.c.learner)
        .join(person, person.c.person == same.c.person)
        .where(person.c.learner == claim.learner, _c.c.course_key == claim.course_key)
        .order_by(_c.c.pk)
        .limit(1)
    )
    by_number = select(_c).where(_c.c.number == claim.number)
    rows = connection.execute(by_number if claim.number else query).all()
    return next(iter(_issued(connection, rows)), None)


def of_people(connection: Connection, people: Sequence[int]) -> dict[int, dict[bytes, list[str]]]:
    """For each of these people (numbers of persons) the numbers of the certificates that hold, by course."""
    query = (
        select(schema.learners.c.person, _c.c.course_key, _c.c.number)
        .join(schema.learners, schema.learners.c.learner == _c.c.learner)
        .where(schema.learners.c.person.in_(people), _c.c.withdrawn_ms.is_(None))
        .order_by(_c.c.pk)
    )
    found: dict[int, dict[bytes, list[str]]] = {person: {} for person in people}
    for person, key, number in connection.execute(query):
        found[person].setdefault(bytes(key), []).append(number)
    return found


def code_of(connection: Connection, config: Config, number: str) -> str | None:
    """What the square on this certificate says after its mark; None once its name is erased."""
    sealed = bytes(connection.execute(select(_c.c.sealed).where(_c.c.number == number)).scalar_one())
    try:
        claim = open_final(sealed, hub_keys(connection, config))
    except LontarError:
        return None
    same = schema.profiles.c.commitment == claim.commitment
    profile = connection.execute(select(schema.profiles.c.data).where(same)).scalar_one_or_none()
    return None if profile is None else final_code(sealed, bytes(profile))


def hub_keys(connection: Connection, config: Config) -> tuple[bytes, ...]:
    """The keys that seal certificates which hold here: this hub's, and those of the hubs below it."""
    return (*config.keyset.hub_keys, *relays.hub_keys(connection))


def speaks_for(connection: Connection, device: bytes, village: str) -> bool | None:
    """Whether that device is registered for that village (False: it was revoked); None if nobody knows it."""
    query = select(_d.c.state).where(*begins_with(_d.c.device, device), _d.c.village == village)
    state = connection.execute(query).scalar()
    return {"registered": True, "revoked": False}.get(state or "")


def _issued(connection: Connection, rows: Sequence[Any]) -> list[Issued]:
    people = persons.people(connection, {bytes(row.learner) for row in rows})
    titles = courses.titles(connection)
    found = []
    for row in rows:
        learner = people.get(bytes(row.learner))
        found.append(
            Issued(
                row.number,
                bytes(row.learner),
                learner.name if learner else "",
                titles.get(bytes(row.course_key), ""),
                row.village,
                row.issued_ms,
                row.withdrawn_ms,
                row.reason if row.withdrawn_ms is not None else None,
            )
        )
    return found
