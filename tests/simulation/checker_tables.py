"""What must be true of persons and courses, worked out from single rows and without the product's own queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from hub import packs, schema
from hub.db import reading
from hub.wiring import Hub
from node.offers import offers
from simulation.things import BrokenPromiseError

if TYPE_CHECKING:
    from simulation.land import Land

_d: Final = schema.devices.c


def check_persons(hub: Hub) -> None:
    """Identities are one person if a device of the same village said so or an operator did, and nobody separated them.

    Raises:
        BrokenPromiseError: the hub has joined others, or hasn't joined these.
    """
    l, same = schema.learners.c, schema.same_person.c  # noqa: E741
    people = select(l.pk, l.learner, l.continues, l.person, _d.village).join(
        schema.devices, _d.pk == l.device
    )
    with reading(hub.engine) as connection:
        rows = {bytes(row.learner): row for row in connection.execute(people)}
        judged = connection.execute(select(same.one, same.other, same.merged)).all()
    pairs = {frozenset((bytes(one), bytes(other))): bool(merged) for one, other, merged in judged}
    for learner, row in rows.items():
        of = rows.get(bytes(row.continues or b""))
        if of is not None and of.village == row.village:
            pairs.setdefault(frozenset((learner, bytes(of.learner))), True)
    group = {learner: learner for learner in rows}
    for pair, is_one in pairs.items():
        if is_one and pair <= rows.keys():
            _join(group, *sorted(pair)[:: len(pair) - 1 or 1])
    for learner, row in rows.items():
        if row.person != rows[_first(group, learner)].pk:
            raise BrokenPromiseError(f"{learner.hex()} belongs to another person at the hub")


def _first(group: dict[bytes, bytes], one: bytes) -> bytes:
    while group[one] != one:
        one = group[one]
    return one


def _join(group: dict[bytes, bytes], one: bytes, other: bytes) -> None:
    """The smallest identity stands for all of a group."""
    first, second = sorted((_first(group, one), _first(group, other)))
    group[second] = first


def check_courses(land: Land) -> None:
    """After quiet days every laptop has what the centre gives out to it, whole, and the hub knows of it. A centre that was set
    back may have promised more than it can give.

    Raises:
        BrokenPromiseError: a course is lacking, damaged, or not known to be there.
    """
    given = {pack.manifest_hash for pack in packs.store_of(land.centre.hub.config).packs()}
    for laptop in land.laptops:
        node = laptop.on()
        if left := [offer for offer in offers(node) if offer.manifest_hash in given]:
            raise BrokenPromiseError(f"{laptop.name} still lacks {left}")
        for pack in node.packs.packs():
            for digest in {digest for file in pack.manifest.files for digest in file.pieces}:
                node.packs.packed_piece(digest)  # raises if it isn't what its hash says
        with node.store.read() as db:
            here = {bytes(row[0]) for row in db.execute("SELECT manifest_hash FROM packs")}
        if unknown := here - _had(land.centre.hub, laptop.device()):
            raise BrokenPromiseError(f"the hub doesn't know of {len(unknown)} courses on {laptop.name}")


def _had(hub: Hub, device: bytes) -> set[bytes]:
    named, branches, logs = schema.pack_numbers.c, schema.branches.c, schema.logs.c
    query = select(schema.packs.c.manifest_hash).join(schema.pack_numbers, named.pack == schema.packs.c.pk)
    query = query.join(schema.branches, branches.pk == named.branch).join(
        schema.logs, logs.pk == branches.log
    )
    query = query.join(schema.devices, _d.pk == logs.device).where(_d.device == device)
    with reading(hub.engine) as connection:
        return {bytes(one) for one in connection.execute(query).scalars()}
