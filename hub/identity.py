"""Who is one person: identities of several logs, joined by logs and by operators. Owns same_person, erased, and
the column `person` of learners.

Two identities are one person if a log says that it continues the other one and both devices are of one village,
or if an operator merged them; an operator's word on a pair stands above what logs say. The person is the group of
all identities that such pairs connect; pages speak of it by its smallest identity, so every hub speaks of the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Connection,
    Engine,
    Select,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from hub import downlink, schema, stale
from hub.db import insert_or_ignore, writing
from hub.errors import NotFoundError
from sync.decisions import LearnersMerged, LearnersSeparated, PersonalDataErased
from sync.errors import N_

_l: Final = schema.learners
_same: Final = schema.same_person


def merge(engine: Engine, one: bytes, other: bytes, now_ms: int) -> None:
    """These two are one person.

    Raises:
        NotFoundError: one of them isn't known here.
    """
    _decide(engine, one, other, merged=True, now_ms=now_ms)


def separate(engine: Engine, one: bytes, other: bytes, now_ms: int) -> None:
    """These two are not one person; what merging them did is undone.

    Raises:
        NotFoundError: one of them isn't known here.
    """
    _decide(engine, one, other, merged=False, now_ms=now_ms)


def erase(engine: Engine, learner: bytes, now_ms: int) -> int:
    """Delete every profile that this person ever had; returns how many. Progress stays, without a name.

    Raises:
        NotFoundError: nobody here has that identity.
    """
    with writing(engine) as connection:
        pk = connection.execute(select(_l.c.pk).where(_l.c.learner == learner)).scalar()
        if pk is None:
            raise _unknown()
        everyone = _component(connection, {pk})
        known = select(schema.learner_profiles.c.commitment, schema.devices.c.village).distinct()
        known = known.join(_l, _l.c.pk == schema.learner_profiles.c.learner)
        known = known.join(schema.devices, schema.devices.c.pk == _l.c.device)
        rows = connection.execute(known.where(_l.c.pk.in_(everyone))).all()
        for row in rows:
            erase_commitment(connection, bytes(row.commitment), now_ms)
        for village in sorted({row.village for row in rows}):
            for commitment in sorted({bytes(row.commitment) for row in rows}):
                downlink.decide(connection, village, PersonalDataErased(commitment), now_ms)
        return len({bytes(row.commitment) for row in rows})


def erase_commitment(connection: Connection, commitment: bytes, now_ms: int) -> None:
    """Delete one profile, and never keep it again."""
    connection.execute(
        insert_or_ignore(connection, schema.erased)
        .values(commitment=commitment, erased_ms=now_ms)
        .on_conflict_do_nothing()
    )
    connection.execute(delete(schema.profiles).where(schema.profiles.c.commitment == commitment))


def erase_again(connection: Connection, learner: int, commitment: bytes, now_ms: int) -> None:
    """Erase a profile that was recorded before its village heard that this person's data was to be erased."""
    known = schema.learner_profiles
    person = select(_l.c.person).where(_l.c.pk == learner).scalar_subquery()
    before = (
        select(known.c.commitment)
        .join(schema.erased, schema.erased.c.commitment == known.c.commitment)
        .join(_l, _l.c.pk == known.c.learner)
        .where(_l.c.person == person)
    )
    erased = {bytes(row) for row in connection.execute(before).scalars()}
    if not erased or commitment in erased:
        return
    erase_commitment(connection, commitment, now_ms)
    village = select(schema.devices.c.village).join(_l, _l.c.device == schema.devices.c.pk)
    scope = connection.execute(village.where(_l.c.pk == learner)).scalar_one()
    downlink.decide(connection, scope, PersonalDataErased(commitment), now_ms)


def refresh(connection: Connection, learners: Iterable[int]) -> None:
    """Find anew to which persons these identities belong, with all whom they are or were connected to."""
    left = set(learners)
    before = select(_l.c.person).where(_l.c.pk.in_(left))
    former = connection.execute(before).scalars().all() if left else []
    if former:
        left |= set(connection.execute(select(_l.c.pk).where(_l.c.person.in_(former))).scalars())
    while left:
        group = _component(connection, {next(iter(left))})
        left -= group
        smallest = select(_l.c.pk).where(_l.c.pk.in_(group)).order_by(_l.c.learner).limit(1)
        person = connection.execute(smallest).scalar_one()
        is_joined = int(len(group) > 1)
        others = and_(_l.c.pk.in_(group), or_(_l.c.person != person, _l.c.joined != is_joined))
        stale.mark_learners(connection, others)
        connection.execute(update(_l).where(others).values(person=person, joined=is_joined))


def judge(
    connection: Connection, one: bytes, other: bytes, is_merged: bool, now_ms: int, region: str = ""
) -> list[str] | None:
    """Write down what was decided of a pair, in the caller's transaction.

    Returns the villages whose people they are, or None if one isn't known here or is of another region.
    """
    pair = sorted((one, other))
    query = (
        select(_l.c.pk, schema.devices.c.village)
        .join(schema.devices, schema.devices.c.pk == _l.c.device)
        .where(_l.c.learner.in_(pair))
    )
    rows = connection.execute(query).all()
    if len(rows) != 2 or not all(
        f"{row.village}.".startswith(f"{region}." if region else "") for row in rows
    ):
        return None
    connection.execute(delete(_same).where(_same.c.one == pair[0], _same.c.other == pair[1]))
    connection.execute(
        insert(_same).values(one=pair[0], other=pair[1], merged=int(is_merged), decided_ms=now_ms)
    )
    refresh(connection, [row.pk for row in rows])
    return sorted({row.village for row in rows})


def _decide(engine: Engine, one: bytes, other: bytes, merged: bool, now_ms: int) -> None:
    pair = sorted((one, other))
    with writing(engine) as connection:
        villages = judge(connection, pair[0], pair[1], merged, now_ms)
        if villages is None:
            raise _unknown()
        kind = LearnersMerged(*pair) if merged else LearnersSeparated(*pair)
        for village in villages:
            downlink.decide(connection, village, kind, now_ms)


def _component(connection: Connection, start: set[int]) -> set[int]:
    found: set[int] = set()
    edge = set(start)
    while edge:
        found |= edge
        edge = _neighbours(connection, edge) - found
    return found


def _neighbours(connection: Connection, pks: set[int]) -> set[int]:
    """Everybody who is the same person as one of `pks` by a single step."""
    said, judged = _steps()
    wanted = {"pks": list(pks)}
    merged: set[tuple[int, int]] = set()
    separated: set[tuple[bytes, ...]] = set()
    for a, b, first, second, is_merged in connection.execute(judged, wanted):
        if is_merged:
            merged.add((a, b))
        else:
            separated.add(tuple(sorted((bytes(first), bytes(second)))))
    for a, b, first, second in connection.execute(said, wanted):
        if tuple(sorted((bytes(first), bytes(second)))) not in separated:
            merged.add((a, b))
    return {pk for pair in merged for pk in pair}


@cache
def _steps() -> tuple[Select[Any], Select[Any]]:
    """What devices said, and what people judged, of who is the same person as one of `pks`. Building costs more than asking."""
    one, other = _l.alias(), _l.alias()
    device_one, device_other = schema.devices.alias(), schema.devices.alias()
    pks: BindParameter[int] = bindparam("pks", expanding=True)
    said = select(one.c.pk.label("a"), other.c.pk.label("b"), one.c.learner, other.c.learner)
    said = said.join(other, other.c.learner == one.c.continues)
    said = said.join(device_one, device_one.c.pk == one.c.device)
    said = said.join(device_other, device_other.c.pk == other.c.device)
    said = said.where(device_one.c.village == device_other.c.village)
    said = said.where(or_(one.c.pk.in_(pks), other.c.pk.in_(pks)))
    judged = select(one.c.pk, other.c.pk, _same.c.one, _same.c.other, _same.c.merged)
    judged = judged.select_from(_same).join(one, one.c.learner == _same.c.one)
    judged = judged.join(other, other.c.learner == _same.c.other)
    judged = judged.where(or_(one.c.pk.in_(pks), other.c.pk.in_(pks)))
    return said, judged


def _unknown() -> NotFoundError:
    return NotFoundError(N_("Peserta ini tidak dikenal pusat."))
