"""First answers and scores, read from the segments of some logs: questions stand nowhere else.

Reading all would take too long for a nation, so at most so many logs are read. Their ids are hashes of what their devices
wrote, so those with the smallest ids are an even choice, and always the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from hub import schema
from hub.items import Firsts, Person
from sync.segment import open_segment

LOGS_MOST: Final = 400
ENTRIES_MOST: Final = 2_000_000
"""No more logs are read than hold so many entries together."""
_ROWS: Final = 100
"""Segments that are in memory at a time."""

_s: Final = schema.segments.c
_b: Final = schema.branches.c
_p: Final = schema.packs.c


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a course that some log names; `manifest` is empty if its pack isn't known here."""

    course_key: bytes
    number: int
    pack: int
    manifest_hash: bytes
    title: str
    manifest: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: of how many logs, and how many have the course."""

    firsts: Firsts
    logs: int
    of: int


def versions(connection: Connection, most: int, course_key: bytes | None = None) -> list[Version]:
    """The versions that devices have learned from, of one course or of all, the newest of each course first."""
    c = schema.courses.c
    query = (
        select(_p.course_key, _p.version, _p.pk, _p.manifest_hash, c.title, c.manifest)
        .select_from(schema.packs)
        .outerjoin(schema.courses, c.manifest_hash == _p.manifest_hash)
        .order_by(_p.course_key, _p.version.desc(), _p.pk)
        .limit(most)
    )
    if course_key is not None:
        query = query.where(_p.course_key == course_key)
    return [
        Version(bytes(key), number, pk, bytes(hash_), title or "", bytes(manifest or b""))
        for key, number, pk, hash_, title, manifest in connection.execute(query)
    ]


def read(connection: Connection, packs: Collection[int]) -> Read:
    """What people in the operator's region answered in these packs. Six statements."""
    logs, total = _chosen(connection, packs)
    counted = (_s.log.in_(logs), _s.state == schema.MERGED, _s.rejected == 0)
    sizes = select(_s.log, func.sum(_s.count)).where(*counted).group_by(_s.log)
    held: dict[int, int] = dict(connection.execute(sizes).all())
    chosen: list[int] = []
    entries = 0
    for log in logs:
        entries += int(held.get(log, 0))
        if chosen and entries > ENTRIES_MOST:
            break
        chosen.append(log)
    people = _people(connection, chosen)
    numbers = _pack_numbers(connection, chosen, packs)
    firsts = Firsts()
    query = select(_s.log, _s.branch, _s.data).where(*counted, _s.log.in_(chosen))
    for row in connection.execution_options(yield_per=_ROWS).execute(query):
        batch = open_segment(bytes(row.data)).read()
        firsts.take(logs[row.log], people.get(row.branch, ()), numbers.get(row.branch, frozenset()), batch)
    return Read(firsts, len(chosen), total)


def _chosen(connection: Connection, packs: Collection[int]) -> tuple[dict[int, bytes], int]:
    """(the id of each log that is read, by its number; how many there are to choose from)."""
    having = select(_b.log).join(schema.pack_numbers, schema.pack_numbers.c.branch == _b.pk)
    having = having.where(schema.pack_numbers.c.pack.in_(packs))
    logs = schema.logs.c
    query = select(logs.pk, logs.log).where(logs.pk.in_(having))
    found = {pk: bytes(log) for pk, log in connection.execute(query.order_by(logs.log).limit(LOGS_MOST))}
    total = connection.execute(select(func.count()).select_from(schema.logs).where(logs.pk.in_(having)))
    return found, int(total.scalar_one())


def _people(connection: Connection, logs: Collection[int]) -> Mapping[int, Sequence[Person]]:
    """By branch, whom its numbers mean."""
    numbers, learners = schema.learner_numbers.c, schema.learners.c
    query = (
        select(numbers.branch, learners.person, learners.continues)
        .select_from(schema.learner_numbers)
        .join(schema.branches, _b.pk == numbers.branch)
        .join(schema.learners, learners.pk == numbers.learner)
        .where(_b.log.in_(logs))
        .order_by(numbers.branch, numbers.number)
    )
    found: dict[int, list[Person]] = {}
    for branch, person, continues in connection.execute(query):
        found.setdefault(branch, []).append(Person(person, continues is not None))
    return found


def _pack_numbers(
    connection: Connection, logs: Collection[int], packs: Collection[int]
) -> Mapping[int, set[int]]:
    """By branch, which of its numbers mean these packs."""
    numbers = schema.pack_numbers.c
    query = (
        select(numbers.branch, numbers.number)
        .join(schema.branches, _b.pk == numbers.branch)
        .where(_b.log.in_(logs), numbers.pack.in_(packs))
    )
    found: dict[int, set[int]] = {}
    for branch, number in connection.execute(query):
        found.setdefault(branch, set()).add(number)
    return found
