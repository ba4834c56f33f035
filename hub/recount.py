"""One log's sums made anew, when an operator decides otherwise about entries that were merged already.

A person's number belongs to one log, so what a log adds to is its own: its rows are emptied and everything that counts now
is added again, in one transaction. Numbers of people and courses, clocks and alerts stay: no decision changes them. A part
of merging (see `merge`): a rebuild arrives at the same tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from hub import schema, stale, timeline
from hub.merge import _collect, _write_totals
from hub.naming import _change_profile, _person
from hub.paths import PEOPLE, Branch, Work, branch_of
from hub.segments import VILLAGE_CODE
from sync.batch import Batch, batch_of
from sync.entries import ProfileChanged
from sync.progress.fold import fold
from sync.segment import open_segment

_s: Final = schema.segments
_l: Final = schema.learners


@dataclass
class _Names:
    """What a log says of its people's profiles."""

    introduced: dict[int, tuple[bytes | None, int, bytes]] = field(default_factory=dict)
    changes: list[tuple[int, bytes, tuple[int, bytes], int]] = field(default_factory=list)
    """(learner, commitment, place in the log, when it came), of what counts."""
    doubtful: set[int] = field(default_factory=set)
    """People of whose profile any entry speaks, whether it counts or not."""


def recount(connection: Connection, log_pk: int) -> None:
    """Make what a log adds up to anew, from its merged segments that nobody rejected."""
    logs = schema.logs
    query = select(logs.c.log, logs.c.device, schema.devices.c.village)
    query = query.join(schema.devices, schema.devices.c.pk == logs.c.device).where(logs.c.pk == log_pk)
    # Whoever merges something of this log meanwhile waits, or is waited for.
    log, device, village = connection.execute(query.with_for_update(of=logs)).one()
    count = select(func.count()).where(schema.branches.c.log == log_pk)
    is_forked = connection.execute(count).scalar_one() > 1
    work = Work(connection, log_pk, log, device, is_forked, len(village) < VILLAGE_CODE)
    _empty(connection, log_pk)
    names, counted = _Names(), list[Batch]()
    for row, branch, batch in _merged(work):
        _note(names, row, branch, batch)
        if row.rejected:
            continue
        _collect(work, branch, fold(_fresh(batch, counted)))
        if is_forked:
            counted.append(batch)
    _write_totals(work)
    _rename(connection, names)
    timeline.keep(work, village)
    stale.mark(connection, (village,))


def _empty(connection: Connection, log_pk: int) -> None:
    numbers, branches = schema.learner_numbers.c, schema.branches.c
    here = select(numbers.learner).join(schema.branches, branches.pk == numbers.branch)
    people = here.where(branches.log == log_pk)
    for table in (schema.completions, *schema.row_tables.values()):
        connection.execute(delete(table).where(table.c.learner.in_(people)))


def _merged(work: Work) -> Iterator[tuple[Any, Branch, Batch]]:
    """The merged segments in the order of their paths."""
    query = select(
        _s.c.id, _s.c.branch, _s.c.data, _s.c.received_ms, _s.c.rejected, _s.c.learners_after
    ).where(_s.c.log == work.log_pk, _s.c.state == schema.MERGED)
    for row in work.connection.execute(query.order_by(_s.c.idx, _s.c.id)).all():
        segment = open_segment(row.data)
        yield row, branch_of(work, row.branch, segment.previous), segment.read()


def _fresh(batch: Batch, counted: Sequence[Batch]) -> Batch:
    """Only what no other branch has counted: a copied disk seals again what it had recorded (see `merge`)."""
    first, until = batch.first_seq, batch.first_seq + len(batch)
    known = {
        entry
        for other in counted
        if other.first_seq < until and other.first_seq + len(other) > first
        for entry in other.entries()
    }
    return batch_of([entry for entry in batch.entries() if entry not in known]) if known else batch


def _note(names: _Names, row: Any, branch: Branch, batch: Batch) -> None:
    said = batch.of_kinds({*PEOPLE, ProfileChanged.number})
    number = row.learners_after - sum(entry.kind in PEOPLE for entry in said)
    for entry in said:
        if entry.kind in PEOPLE:
            commitment, _continues = _person(entry)
            names.introduced.setdefault(branch.learners[number], (commitment, entry.seq, row.id))
            number += 1
            continue
        changed = ProfileChanged.from_fields(entry.fields)
        learner = branch.learners[changed.learner]
        names.doubtful.add(learner)
        if not row.rejected:
            names.changes.append((learner, changed.commitment, (entry.seq, row.id), row.received_ms))


def _rename(connection: Connection, names: _Names) -> None:
    """Give people the profile that counts now. Every one that they ever had stays known, so that all can be erased."""
    for learner in sorted(names.doubtful & set(names.introduced)):
        commitment, seq, segment = names.introduced[learner]
        connection.execute(
            update(_l)
            .where(_l.c.pk == learner)
            .values(commitment=commitment, profile_seq=seq, profile_segment=segment)
        )
    for change in names.changes:
        _change_profile(connection, *change)


def turn(connection: Connection, segments: Collection[int], is_rejected: bool) -> None:
    """Let segments count, or no longer, whatever was decided of them before."""
    changed = list(segments)
    if not changed:
        return
    connection.execute(update(_s).where(_s.c.pk.in_(changed)).values(rejected=int(is_rejected)))
    query = select(_s.c.log).where(_s.c.pk.in_(changed), _s.c.state == schema.MERGED)
    for log_pk in connection.execute(query.distinct().order_by(_s.c.log)).scalars().all():
        recount(connection, log_pk)
