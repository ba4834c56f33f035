"""From stored segments to the tables that operators read. Owns every table in `schema.MERGED_TABLES`.

A segment is merged once, in the transaction that marks it merged, in the order of its path. What comes of
it depends only on which segments are stored contiguously: sums, largest and smallest values don't care
about order, people are identified by what introduced them, and the rest is ordered by the log itself.
`rebuild` throws the tables away and arrives at the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, and_, delete, func, insert, or_, select, update

from hub import alerts, identity, ledger, schema
from hub.db import driver_placeholder, insert_or_ignore, reading, writing
from sync.batch import Batch, batch_of
from sync.decisions import FIRST_NUMBER
from sync.entries import (
    AnchorNoted,
    BundleWritten,
    ClockObserved,
    Entry,
    LearnerAdded,
    LearnerContinued,
    PackInstalled,
    ProfileChanged,
)
from sync.errors import N_, LontarError, MalformedError
from sync.profile import learner_id
from sync.progress.fold import Totals, Values, finished, fold, join_totals
from sync.progress.rows import ROWS, Row
from sync.progress.sql import upsert
from sync.segment import open_segment

_s: Final = schema.segments
_CLOCKS: Final = {ClockObserved.number, AnchorNoted.number}
_PEOPLE: Final = {LearnerAdded.number, LearnerContinued.number}
_NAMED: Final = {
    *_PEOPLE,
    *_CLOCKS,
    PackInstalled.number,
    ProfileChanged.number,
    BundleWritten.number,
}
_CHUNK: Final = 64
"""Segments of one log that are merged in one transaction."""


@dataclass
class _Branch:
    """Which learner and pack of this hub each small number means on one path."""

    pk: int
    learners: list[int]
    packs: list[int]


@dataclass
class _Work:
    """One log being merged in one transaction."""

    connection: Connection
    log_pk: int
    log: bytes
    device: int
    is_forked: bool
    branches: dict[int, _Branch] = field(default_factory=dict)
    merged: set[int] = field(default_factory=set)
    """Segments of a forked log that this transaction has merged and not marked yet."""
    people: list[int] = field(default_factory=list)
    """New identities, of whom it must be found out who they are."""
    totals: dict[Row, dict[tuple[int, ...], Values]] = field(
        default_factory=lambda: {row: {} for row in ROWS}
    )


def merge_log(engine: Engine, log_pk: int) -> int:
    """Merge what is stored of one log and not merged yet; returns the number of entries."""
    merged = 0
    while True:
        with writing(engine) as connection:
            done, entries = _merge_chunk(connection, log_pk)
        merged += entries
        if done < _CHUNK:
            return merged


def merge_waiting(engine: Engine, progress: Callable[[int], None] = lambda entries: None) -> int:
    """Merge every log that has something to merge; returns the number of entries."""
    with reading(engine) as connection:
        query = select(_s.c.log).where(_s.c.state == schema.STORED).distinct().order_by(_s.c.log)
        logs = connection.execute(query).scalars().all()
    total = 0
    for log_pk in logs:
        total += merge_log(engine, log_pk)
        progress(total)
    return total


def rebuild(engine: Engine, progress: Callable[[int], None] = lambda entries: None) -> int:
    """Make the tables again from the segments; returns the number of entries."""
    with writing(engine) as connection:
        for table in schema.MERGED_TABLES:
            connection.execute(delete(table))
        connection.execute(
            update(_s)
            .where(_s.c.state.in_((schema.MERGED, schema.UNREADABLE)))
            .values(state=schema.STORED, learners_after=None, packs_after=None)
        )
    return merge_waiting(engine, progress)


def _merge_chunk(connection: Connection, log_pk: int) -> tuple[int, int]:
    logs = schema.logs
    query = select(logs.c.log, logs.c.device).where(logs.c.pk == log_pk).with_for_update()
    log, device = connection.execute(query).one()
    count = select(func.count()).where(schema.branches.c.log == log_pk)
    work = _Work(connection, log_pk, log, device, connection.execute(count).scalar_one() > 1)
    query = (
        select(_s.c.pk, _s.c.id, _s.c.branch, _s.c.data, _s.c.received_ms, _s.c.rejected)
        .where(_s.c.log == log_pk, _s.c.state == schema.STORED, _s.c.branch.is_not(None))
        .order_by(_s.c.idx, _s.c.id)
        .limit(_CHUNK)
    )
    rows = connection.execute(query).all()
    outcomes = [_merge_segment(work, row) for row in rows]
    _write_totals(work)
    if work.people:
        identity.refresh(connection, work.people)
    if outcomes:
        _mark(connection, outcomes)
    return len(rows), sum(outcome["entries"] for outcome in outcomes)


def _merge_segment(work: _Work, row: Any) -> dict[str, Any]:
    segment = open_segment(row.data)
    branch = _branch(work, row.branch, segment.previous)
    try:
        batch = segment.read()
        totals = fold(_not_merged_elsewhere(work, row, batch) if work.is_forked else batch)
        named = batch.of_kinds(_NAMED)
        _check_references(batch, branch, named)
    except LontarError:
        alerts.raise_alert(work.connection, alerts.UNREADABLE, work.device, row.id, row.received_ms)
        return _outcome(row.pk, schema.UNREADABLE, branch, None, 0)
    if any(group.kind >= FIRST_NUMBER for group in batch.groups):
        alerts.raise_alert(work.connection, alerts.STRANGE_KIND, work.device, row.id, row.received_ms)
    _apply_named(work, branch, row, named)
    if not row.rejected:
        _collect(work, branch, totals)
    return _outcome(row.pk, schema.MERGED, branch, batch.ts[-1], len(batch))


def _not_merged_elsewhere(work: _Work, row: Any, batch: Batch) -> Batch:
    """Only those entries that no other branch holds too.

    A disk that was copied or restored seals again what it had recorded and not sealed: the same entries, in
    another segment. Entries of one log with the same number, time, kind and fields are one entry.
    """
    until = batch.first_seq + len(batch)
    others = select(_s.c.data).where(
        _s.c.log == work.log_pk,
        _s.c.pk != row.pk,
        _s.c.rejected == 0,
        _s.c.first_seq < until,
        _s.c.first_seq + _s.c.count > batch.first_seq,
        or_(_s.c.state == schema.MERGED, _s.c.pk.in_(work.merged)),
    )
    known = {
        entry
        for data in work.connection.execute(others).scalars()
        for entry in open_segment(data).read().entries()
    }
    work.merged.add(row.pk)
    return batch_of([entry for entry in batch.entries() if entry not in known]) if known else batch


def _outcome(pk: int, state: int, branch: _Branch, end_t: int | None, entries: int) -> dict[str, Any]:
    return {
        "segment": pk,
        "state": state,
        "learners_after": len(branch.learners),
        "packs_after": len(branch.packs),
        "end_t": end_t,
        "entries": entries,
    }


def _mark(connection: Connection, outcomes: Sequence[dict[str, Any]]) -> None:
    place = driver_placeholder(connection)
    names = ("state", "learners_after", "packs_after", "end_t")
    changes = ", ".join(f"{name} = {place}" for name in names)
    connection.exec_driver_sql(
        f"UPDATE segments SET {changes} WHERE pk = {place}",  # noqa: S608 - names are ours
        [(*(outcome[name] for name in names), outcome["segment"]) for outcome in outcomes],
    )


def _branch(work: _Work, pk: int, previous: bytes) -> _Branch:
    """The numbers of a branch; a new one starts with those of its parent at the fork."""
    known = work.branches.get(pk)
    if known is not None:
        return known
    learners = _numbers(work.connection, schema.learner_numbers, "learner", pk)
    packs = _numbers(work.connection, schema.pack_numbers, "pack", pk)
    made = _Branch(pk, learners, packs)
    if previous and not learners and not packs:
        _inherit(work, made, previous)
    work.branches[pk] = made
    return made


def _inherit(work: _Work, branch: _Branch, previous: bytes) -> None:
    query = select(_s.c.branch, _s.c.learners_after, _s.c.packs_after).where(
        _s.c.log == work.log_pk, _s.c.id == previous, _s.c.branch.is_not(None)
    )
    parent = work.connection.execute(query).one()
    if parent.branch == branch.pk:
        return
    # The parent may have been merged in this very transaction and not be marked yet.
    above = work.branches.get(parent.branch)
    if above is None or parent.learners_after is not None:
        learners = _numbers(work.connection, schema.learner_numbers, "learner", parent.branch)
        packs = _numbers(work.connection, schema.pack_numbers, "pack", parent.branch)
        branch.learners = learners[: parent.learners_after]
        branch.packs = packs[: parent.packs_after]
    else:
        branch.learners, branch.packs = list(above.learners), list(above.packs)
    _write_numbers(work, branch, 0, 0)


def _numbers(connection: Connection, table: Any, name: str, branch: int) -> list[int]:
    query = select(table.c[name]).where(table.c.branch == branch).order_by(table.c.number)
    return list(connection.execute(query).scalars())


def _check_references(batch: Batch, branch: _Branch, named: Iterable[Entry]) -> None:
    """Refuse entries about learners or packs that this path hasn't named by its end.

    Raises:
        MalformedError: there is one.
    """
    limits = [
        len(branch.learners) + sum(entry.kind in _PEOPLE for entry in named),
        len(branch.packs) + sum(entry.kind == PackInstalled.number for entry in named),
    ]
    for group in batch.groups:
        for _, _, references in group.runs:
            if any(number >= limit for number, limit in zip(references, limits, strict=False)):
                raise MalformedError(
                    N_("Catatan ini menyebut peserta atau pelatihan yang belum dikenalkan.")
                )


def _apply_named(work: _Work, branch: _Branch, row: Any, named: Sequence[Entry]) -> None:
    learners_before, packs_before = len(branch.learners), len(branch.packs)
    added = [entry for entry in named if entry.kind in _PEOPLE]
    branch.learners.extend(_learners(work, added, row.id))
    notes = []
    for entry in named:
        if entry.kind == BundleWritten.number:
            written = BundleWritten.from_fields(entry.fields)
            ledger.note_covered(work.connection, written.bundle, work.device, row.received_ms)
        elif entry.kind == PackInstalled.number:
            branch.packs.append(_pack(work.connection, PackInstalled.from_fields(entry.fields)))
        elif entry.kind == ProfileChanged.number:
            changed = ProfileChanged.from_fields(entry.fields)
            _change_profile(
                work.connection, branch.learners[changed.learner], changed.commitment, entry.seq, row.id
            )
        elif entry.kind in _CLOCKS:
            notes.append(_clock_note(work.log_pk, row.pk, entry))
    if notes:
        work.connection.execute(insert(schema.clock_notes), notes)
    _write_numbers(work, branch, learners_before, packs_before)


def _write_numbers(work: _Work, branch: _Branch, learners_before: int, packs_before: int) -> None:
    for table, name, pks, before in (
        (schema.learner_numbers, "learner", branch.learners, learners_before),
        (schema.pack_numbers, "pack", branch.packs, packs_before),
    ):
        rows = [{"branch": branch.pk, "number": at, name: pks[at]} for at in range(before, len(pks))]
        if rows:
            work.connection.execute(insert(table), rows)


def _learners(work: _Work, added: Sequence[Entry], segment: bytes) -> list[int]:
    """This hub's numbers of the people that a segment introduces, in its order; new ones are written."""
    table = schema.learners
    said = [_person(entry) for entry in added]
    identities = [learner_id(work.log, commitment or continues or b"") for commitment, continues in said]
    query = select(table.c.learner, table.c.pk).where(table.c.learner.in_(identities))
    known = {bytes(row.learner): row.pk for row in work.connection.execute(query)} if identities else {}
    new = {
        identity: {
            "learner": identity,
            "device": work.device,
            "commitment": commitment,
            "profile_seq": entry.seq,
            "profile_segment": segment,
            "continues": continues,
            "person": 0,
        }
        for identity, (commitment, continues), entry in zip(identities, said, added, strict=True)
        if identity not in known
    }
    if new:
        statement = insert(table).returning(table.c.learner, table.c.pk)
        made = work.connection.execute(statement, list(new.values()))
        known.update({bytes(row.learner): row.pk for row in made})
        work.connection.execute(update(table).where(table.c.person == 0).values(person=table.c.pk))
        goes_on = select(table.c.pk).where(table.c.continues.in_(list(new))).limit(1)
        continuing = any(continues for _, continues in said)
        if continuing or work.connection.execute(goes_on).first() is not None:
            work.people += [known[identity] for identity in new]
        profiles = {known[id_]: commitment for id_, (commitment, _) in zip(identities, said, strict=True)}
        _note_profiles(work.connection, profiles.items())
    return [known[identity] for identity in identities]


def _person(entry: Entry) -> tuple[bytes | None, bytes | None]:
    """(the profile's commitment, the identity that goes on) of somebody who gets a number; one of both."""
    if entry.kind == LearnerAdded.number:
        return LearnerAdded.from_fields(entry.fields).commitment, None
    return None, LearnerContinued.from_fields(entry.fields).learner


def _note_profiles(connection: Connection, rows: Iterable[tuple[int, bytes | None]]) -> None:
    values = [{"learner": learner, "commitment": commitment} for learner, commitment in rows if commitment]
    if values:
        statement = insert_or_ignore(connection, schema.learner_profiles).on_conflict_do_nothing()
        connection.execute(statement, values)


def _pack(connection: Connection, installed: PackInstalled) -> int:
    table = schema.packs
    query = select(table.c.pk).where(table.c.manifest_hash == installed.manifest_hash)
    known = connection.execute(query).scalar()
    if known is not None:
        return int(known)
    # Two workers may meet the same new pack at the same moment.
    connection.execute(
        insert_or_ignore(connection, table)
        .values(
            manifest_hash=installed.manifest_hash,
            course_key=installed.course_key,
            version=installed.version,
        )
        .on_conflict_do_nothing()
    )
    return int(connection.execute(query).scalar_one())


def _change_profile(
    connection: Connection, learner: int, commitment: bytes, seq: int, segment: bytes
) -> None:
    """The last change wins: by place in the log, and between branches by the segment's id."""
    table = schema.learners
    older = or_(
        table.c.profile_seq < seq,
        and_(table.c.profile_seq == seq, table.c.profile_segment < segment),
    )
    connection.execute(
        update(table)
        .where(table.c.pk == learner, older)
        .values(commitment=commitment, profile_seq=seq, profile_segment=segment)
    )
    _note_profiles(connection, [(learner, commitment)])


def _clock_note(log: int, segment: int, entry: Entry) -> dict[str, Any]:
    note = {"log": log, "segment": segment, "seq": entry.seq, "t": entry.t, "wall_ms": None, "hub_ms": None}
    if entry.kind == ClockObserved.number:
        return {**note, "wall_ms": ClockObserved.from_fields(entry.fields).wall_ms}
    return {**note, "hub_ms": AnchorNoted.from_fields(entry.fields).hub_s * 1000}


def _collect(work: _Work, branch: _Branch, totals: Totals) -> None:
    """Add a segment's totals, with this hub's numbers in the keys."""
    for row, changes in totals.items():
        into = work.totals[row]
        for key, values in changes.items():
            here = (branch.learners[key[0]], branch.packs[key[1]], *key[2:])
            join_totals(into, here, values, row)


def _write_totals(work: _Work) -> None:
    place = driver_placeholder(work.connection)
    for row, changes in work.totals.items():
        if changes:
            statement = upsert(row, work.connection.dialect.name, place)
            rows = [(*key, *finished(values, row)) for key, values in changes.items()]
            work.connection.exec_driver_sql(statement, rows)
