"""The entries that count, one segment after the other, with whom and what they are about.

What counts is what `hub.merge` counts: merged segments that nobody rejected, and an entry that two branches of a forked
log share once. Every block of segments is read in a transaction of its own; only one block is in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, false, func, select

from content_packs.manifest import Manifest
from hub import schema
from hub.db import reading
from hub.places import within
from hub.queries import moments, progress
from hub.queries.moments import LogTime
from sync.entries import Entry
from sync.profile import open_profile
from sync.segment import open_segment

_LOGS: Final = 50
_SEGMENTS: Final = 64

_s: Final = schema.segments


@dataclass(frozen=True, slots=True)
class Who:
    """The identity that learned: a person in one log. `name` is empty where none is asked for or known."""

    learner: bytes
    name: str


@dataclass(frozen=True, slots=True)
class What:
    course_key: bytes
    version: int
    manifest: Manifest | None


@dataclass(frozen=True, slots=True)
class Told:
    """One entry. `at_ms` is an estimate, None where nothing can be said."""

    log: bytes
    village: str
    entry: Entry
    who: Who
    what: What
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """How far somebody has come with a log: so many counted segments, the newest of them being row `newest`."""

    count: int
    newest: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What one segment holds, and the mark of whoever has it and all before it."""

    log: bytes
    mark: Mark
    told: list[Told]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries are wanted: of these kinds, of a region, in segments received since."""

    kinds: frozenset[int]
    region: str = ""
    since_ms: int = 0
    names: bool = False

    def counting(self) -> ColumnElement[bool]:
        came = _s.c.received_ms >= self.since_ms
        return (_s.c.state == schema.MERGED) & (_s.c.rejected == 0) & came


@dataclass(slots=True)
class _Log:
    """A log being read."""

    pk: int
    log: bytes
    village: str
    time: LogTime
    told: set[Entry] = field(default_factory=set)
    """What of a forked log was told, since its branches share entries."""


def counted(engine: Engine, choice: Choice, marks: Marks) -> Iterator[Counted]:
    """Every segment beyond the marks, log by log.

    A log in which something before its mark has come to count since (a decision on the quarantine) begins anew.

    Raises:
        BusyError: the database can't be read now.
    """
    after = 0
    while True:
        with reading(engine) as connection:
            logs = _logs(connection, choice, after)
            known = marks.of(connection, [bytes(log.log) for log in logs])
        for log in logs:
            mark = known.get(bytes(log.log), Mark(0, 0))
            if mark != Mark(log.count, log.newest):
                yield from _of_log(engine, choice, log, mark)
        if len(logs) < _LOGS:
            return
        after = logs[-1].pk


class Marks:
    """Nobody has anything yet. `hub.exports.lrs` keeps some."""

    def of(self, connection: Connection, logs: Collection[bytes]) -> dict[bytes, Mark]:
        return {}


def _logs(connection: Connection, choice: Choice, after: int) -> Any:
    logs, devices = schema.logs, schema.devices
    query = (
        select(
            logs.c.pk,
            logs.c.log,
            devices.c.village,
            func.count(_s.c.pk).label("count"),
            func.max(_s.c.pk).label("newest"),
        )
        .join(devices, devices.c.pk == logs.c.device)
        .join(_s, _s.c.log == logs.c.pk)
        .where(choice.counting(), within(choice.region), logs.c.pk > after)
        .group_by(logs.c.pk, logs.c.log, devices.c.village)
    )
    return connection.execute(query.order_by(logs.c.pk).limit(_LOGS)).all()


def _of_log(engine: Engine, choice: Choice, row: Any, mark: Mark) -> Iterator[Counted]:
    here = (_s.c.log == row.pk, choice.counting())
    with reading(engine) as connection:
        log = _Log(row.pk, bytes(row.log), row.village, moments.of_logs(connection, {row.pk})[row.pk])
        before = select(func.count()).where(*here, _s.c.pk <= mark.newest)
        if connection.execute(before).scalar_one() != mark.count:
            mark = Mark(0, 0)
    while True:
        query = select(_s.c.pk, _s.c.branch, _s.c.data).where(*here, _s.c.pk > mark.newest)
        with reading(engine) as connection:
            rows = connection.execute(query.order_by(_s.c.pk).limit(_SEGMENTS)).all()
            branches = {row.branch for row in rows}
            people = _people(connection, branches, choice.names)
            packs = _packs(connection, branches)
        for one in rows:
            mark = Mark(mark.count + 1, one.pk)
            entries = open_segment(bytes(one.data)).read().of_kinds(set(choice.kinds))
            yield Counted(log.log, mark, _told(log, entries, people[one.branch], packs[one.branch]))
        if len(rows) < _SEGMENTS:
            return


def _told(
    log: _Log, entries: list[Entry], people: Mapping[int, Who], packs: Mapping[int, What]
) -> list[Told]:
    found = []
    time = log.time.between(entries[0].t, entries[-1].t) if entries else log.time
    for entry in entries:
        if log.time.is_forked:
            if entry in log.told:
                continue
            log.told.add(entry)
        moment = time.moment(entry.t)
        learner, pack = int(entry.fields[0]), int(entry.fields[1])
        at_ms = moment.estimate if moment else None
        found.append(Told(log.log, log.village, entry, people[learner], packs[pack], at_ms))
    return found


def _people(connection: Connection, branches: set[int], names: bool) -> dict[int, dict[int, Who]]:
    """Whom the numbers of each branch mean."""
    numbers, learners, profiles = schema.learner_numbers, schema.learners, schema.profiles
    query = (
        select(numbers.c.branch, numbers.c.number, learners.c.learner, profiles.c.data)
        .join(learners, learners.c.pk == numbers.c.learner)
        .outerjoin(profiles, (profiles.c.commitment == learners.c.commitment) if names else false())
        .where(numbers.c.branch.in_(branches))
    )
    found: dict[int, dict[int, Who]] = {branch: {} for branch in branches}
    for branch, number, learner, data in connection.execute(query):
        name = open_profile(bytes(data)).name if data is not None else ""
        found[branch][number] = Who(bytes(learner), name)
    return found


def _packs(connection: Connection, branches: set[int]) -> dict[int, dict[int, What]]:
    numbers, packs = schema.pack_numbers, schema.packs
    query = select(numbers.c.branch, numbers.c.number, packs)
    query = query.join(packs, packs.c.pk == numbers.c.pack).where(numbers.c.branch.in_(branches))
    rows = connection.execute(query).all()
    known = progress.manifests(connection, {bytes(row.manifest_hash) for row in rows})
    found: dict[int, dict[int, What]] = {branch: {} for branch in branches}
    for row in rows:
        manifest = known.get(bytes(row.manifest_hash))
        found[row.branch][row.number] = What(bytes(row.course_key), row.version, manifest)
    return found
