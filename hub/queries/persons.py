"""People: all identities of one person, what connects them, and whom an operator may be looking for.

An identity is a person in one log (see `sync.profile`); `hub.identity` finds which of them are one person. Pages list
and count people. The name is that of the identity with the newest profile, and a log that came later is newer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, or_, select

from hub import places, schema
from hub.errors import NotFoundError
from hub.queries.regions import within
from hub.segments import begins_with
from sync.errors import N_
from sync.profile import open_profile

LEARNERS_MOST: Final = 500
"""People of one village that are shown; villages have about twenty."""
SEARCHED_MOST: Final = 20_000
"""Identities that one search looks through: those of a regency."""
FOUND_MOST: Final = 50
_NOBODY_AFTER: Final = (1 << 63) - 1
IN_CHARGE_MOST: Final = 2
IN_CHARGE: Final = ("operator", "sekretaris", "kepala desa", "kades")
"""Positions of those whom a visitor asks for, the best first."""

_l: Final = schema.learners
_d: Final = schema.devices
_same: Final = schema.same_person


@dataclass(frozen=True, slots=True)
class Identity:
    """A person in one log; `name` is empty until the profile has come, and after it was erased."""

    pk: int
    id: bytes
    person: int
    name: str
    position: str
    village: str
    device: bytes
    is_erased: bool


@dataclass(frozen=True, slots=True)
class Learner:
    """A person with all identities, the oldest first. `pk` and `id` are those of the smallest identity."""

    pk: int
    id: bytes
    identities: tuple[Identity, ...]

    @property
    def newest(self) -> Identity:
        """The identity with the newest profile; without any profile, the newest one."""
        return next((one for one in reversed(self.identities) if one.name), self.identities[-1])

    @property
    def name(self) -> str:
        return self.newest.name

    @property
    def position(self) -> str:
        return self.newest.position

    @property
    def village(self) -> str:
        return self.newest.village

    @property
    def device(self) -> bytes:
        return self.newest.device

    @property
    def is_erased(self) -> bool:
        return not self.name and any(one.is_erased for one in self.identities)


@dataclass(frozen=True, slots=True)
class Link:
    """What connects two identities, or (`merged` false) an operator's word that they are two people."""

    one: bytes
    other: bytes
    by_operator: bool
    merged: bool


def of_village(connection: Connection, village: str) -> list[Learner]:
    """The people of a village by name, those without one last."""
    here = select(_l.c.person).join(_d, _d.c.pk == _l.c.device).where(_d.c.village == village).distinct()
    everyone = here.order_by(_l.c.person).limit(LEARNERS_MOST)
    return sorted(_people(connection, _l.c.person.in_(everyone)), key=_by_name)


def after(
    connection: Connection, region: str, key: tuple[str, int], most: int
) -> tuple[list[tuple[str, Learner]], tuple[str, int] | None]:
    """(the next people of a region with the village they are listed in, where the next page begins or None).

    `key` is (village, person) after which the page begins. Whoever learned in several villages of the region is
    listed in one of them. Looks at few villages at a time, so that no page reads the whole region.
    """
    village, person = key
    here = places.block(connection, region, village)
    query = (
        select(_d.c.village, _l.c.person)
        .join(_l, _l.c.device == _d.c.pk)
        .where(_d.c.village.in_(here), or_(_d.c.village > village, _l.c.person > person))
        .distinct()
        .order_by(_d.c.village, _l.c.person)
        .limit(most)
    )
    rows = connection.execute(query).all()
    known = {one.pk: one for one in of_numbers(connection, {row.person for row in rows})}
    listed = [
        (row.village, known[row.person])
        for row in rows
        # Somebody may have become one person with somebody else in this very moment.
        if row.person in known and row.village == _first(known[row.person], region)
    ]
    if len(rows) == most:
        return listed, (rows[-1].village, rows[-1].person)
    return listed, (here[-1], _NOBODY_AFTER) if len(here) == places.BLOCK else None


def _first(learner: Learner, region: str) -> str:
    inside = f"{region}." if region else ""
    return min(one.village for one in learner.identities if f"{one.village}.".startswith(inside))


def of_numbers(connection: Connection, people: Collection[int]) -> list[Learner]:
    """These persons, by their numbers."""
    return _people(connection, _l.c.person.in_(people)) if people else []


def of_region(connection: Connection, region: str) -> tuple[list[Learner], bool]:
    """(the people of a region with their identities there, whether these are all). One statement."""
    query = _identities().where(within(region)).order_by(_l.c.pk).limit(SEARCHED_MOST)
    grouped: dict[int, list[Identity]] = {}
    count = 0
    for row in connection.execute(query):
        grouped.setdefault(row.person, []).append(_identity(row))
        count += 1
    return [_learner(person, identities) for person, identities in grouped.items()], count < SEARCHED_MOST


def in_charge(connection: Connection, villages: Sequence[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """(name, position) of whom to ask for in each village: who runs its laptop or its office, as they said themselves."""
    found: dict[str, dict[int, tuple[int, str, str]]] = {}
    for row in connection.execute(_identities().where(_d.c.village.in_(villages)).order_by(_l.c.pk)):
        one = _identity(row)
        words = one.position.casefold()
        rank = next((place for place, word in enumerate(IN_CHARGE) if word in words), None)
        if one.name and rank is not None:
            found.setdefault(one.village, {})[one.person] = (rank, one.name, one.position)
    return {
        village: tuple((name, position) for _, name, position in sorted(people.values())[:IN_CHARGE_MOST])
        for village, people in found.items()
    }


def following(
    connection: Connection, region: str, course_key: bytes, after: int, most: int
) -> list[Learner]:
    """People of a region by their numbers, those after `after`; only who has begun a course, unless it is empty."""
    query = select(_l.c.person).join(_d, _d.c.pk == _l.c.device).where(within(region), _l.c.person > after)
    if course_key:
        begun, packs = schema.lesson_progress, schema.packs
        query = query.join(begun, begun.c.learner == _l.c.pk).join(packs, packs.c.pk == begun.c.pack)
        query = query.where(packs.c.course_key == course_key)
    page = query.distinct().order_by(_l.c.person).limit(most)
    return sorted(_people(connection, _l.c.person.in_(page)), key=lambda one: one.pk)


def find(connection: Connection, learner: bytes) -> Learner | None:
    """The person who has this identity."""
    person = select(_l.c.person).where(_l.c.learner == learner).scalar_subquery()
    return next(iter(_people(connection, _l.c.person == person)), None)


def named(connection: Connection, beginning: str) -> bytes:
    """The identity whose number begins with these hexadecimal digits.

    Raises:
        NotFoundError: none or several do.
    """
    digits = beginning.strip().lower()
    try:
        prefix = bytes.fromhex(digits[: len(digits) // 2 * 2])
    except ValueError:
        prefix = b""
    found: list[bytes] = []
    if prefix:
        query = select(_l.c.learner).where(*begins_with(_l.c.learner, prefix)).limit(FOUND_MOST)
        found = [bytes(id_) for id_ in connection.execute(query).scalars()]
    found = [id_ for id_ in found if id_.hex().startswith(digits)]
    if len(found) != 1:
        raise NotFoundError(
            N_("%(count)s peserta bernomor awal %(prefix)s. Sebutkan nomor peserta lebih lengkap."),
            count=len(found),
            prefix=beginning,
        )
    return found[0]


def search(connection: Connection, text: str, region: str, but: int) -> tuple[list[Learner], bool]:
    """(people of a region whose name holds every word of `text`, whether the region was searched wholly).

    `but` is the person whom another one is searched for.
    """
    query = _identities().where(within(region)).order_by(_l.c.pk).limit(SEARCHED_MOST)
    words = text.casefold().split()
    rows = [_identity(row) for row in connection.execute(query)]
    fitting = {
        one.person: None
        for one in rows
        if one.person != but and all(word in one.name.casefold() for word in words)
    }
    people = _people(connection, _l.c.person.in_(list(fitting)[:FOUND_MOST])) if fitting else []
    return sorted(people, key=_by_name), len(rows) < SEARCHED_MOST


def links(connection: Connection, learner: Learner) -> list[Link]:
    """What connects the identities of a person, and with whom an operator said that it is not one."""
    ids = [one.id for one in learner.identities]
    query = select(_same.c.one, _same.c.other, _same.c.merged)
    query = query.where(or_(_same.c.one.in_(ids), _same.c.other.in_(ids)))
    judged = {
        (bytes(one), bytes(other)): bool(merged)
        for one, other, merged in connection.execute(query.order_by(_same.c.decided_ms))
    }
    by_id = {one.id: one for one in learner.identities}
    said = select(_l.c.learner, _l.c.continues).where(_l.c.learner.in_(ids), _l.c.continues.in_(ids))
    found = []
    for one, other in connection.execute(said):
        first, second = sorted((bytes(one), bytes(other)))
        if (first, second) not in judged and by_id[first].village == by_id[second].village:
            found.append(Link(first, second, by_operator=False, merged=True))
    found += [Link(*pair, by_operator=True, merged=merged) for pair, merged in judged.items()]
    return found


def people(connection: Connection, ids: Iterable[bytes]) -> dict[bytes, Learner]:
    """The people who have these identities, by identity."""
    wanted = list(ids)
    of_them = select(_l.c.person).where(_l.c.learner.in_(wanted))
    found = _people(connection, _l.c.person.in_(of_them)) if wanted else []
    return {one.id: learner for learner in found for one in learner.identities}


def _people(connection: Connection, which: ColumnElement[bool]) -> list[Learner]:
    grouped: dict[int, list[Identity]] = {}
    for row in connection.execute(_identities().where(which).order_by(_l.c.pk)):
        grouped.setdefault(row.person, []).append(_identity(row))
    return [_learner(person, identities) for person, identities in grouped.items()]


def _learner(person: int, identities: Sequence[Identity]) -> Learner:
    smallest = min(one.id for one in identities)
    return Learner(person, smallest, tuple(identities))


def _by_name(learner: Learner) -> tuple[bool, str, int]:
    return not learner.name, learner.name.casefold(), learner.pk


def _identities() -> Select[Any]:
    profiles, erased = schema.profiles, schema.erased
    columns = (_l.c.pk, _l.c.learner, _l.c.person, profiles.c.data, _d.c.village, _d.c.device)
    return (
        select(*columns, erased.c.commitment.is_not(None).label("is_erased"))
        .join(_d, _d.c.pk == _l.c.device)
        .outerjoin(profiles, profiles.c.commitment == _l.c.commitment)
        .outerjoin(erased, erased.c.commitment == _l.c.commitment)
    )


def _identity(row: Any) -> Identity:
    name = position = ""
    if row.data is not None:
        profile = open_profile(bytes(row.data))
        name, position = profile.name, profile.position
    return Identity(
        row.pk,
        bytes(row.learner),
        row.person,
        name,
        position,
        row.village,
        bytes(row.device),
        bool(row.is_erased),
    )
