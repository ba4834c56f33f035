"""From stored segments to the tables that operators read. Owns the tables of learners, packs and their progress, from
`schema.learners` on (completions through `timeline`).

A segment is merged once, in the transaction that marks it merged, in the order of its path. What comes of
it depends only on which segments are stored contiguously: sums, largest and smallest values don't care
about order, people are identified by what introduced them, and the rest is ordered by the log itself.
`rebuilding` throws them away and arrives at the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, func, literal_column, or_, select

from hub import alerts, completions, figures, identity, schema, stale, timeline
from hub.db import driver_placeholder, reading, writing
from hub.naming import NAMED, apply_named
from hub.paths import Branch, Work, branch_of, check_references
from sync.batch import Batch, batch_of
from sync.decisions import FIRST_NUMBER
from sync.errors import LontarError
from sync.progress.fold import Totals, finished, fold, join_totals
from sync.progress.rows import COURSE_PROGRESS, ROWS
from sync.progress.sql import upsert, upsert_columns
from sync.segment import open_segment

_s: Final = schema.segments
_b: Final = schema.branches
_CHUNK: Final = 64
"""Segments of one log that are merged in one transaction."""

# Built once: building a statement costs more than running it.
_UPSERTS: Final = {row: upsert(row, "sqlite", "?") for row in ROWS}
_COLUMN_UPSERTS: Final = {row: upsert_columns(row, "%s") for row in ROWS}
_LOG: Final = (
    select(schema.logs.c.log, schema.logs.c.device, schema.devices.c.village)
    .join(schema.devices, schema.devices.c.pk == schema.logs.c.device)
    .where(schema.logs.c.pk == bindparam("log"))
    .with_for_update(of=schema.logs)
)
_WAITING: Final = (
    select(
        _s.c.pk,
        _s.c.id,
        _s.c.branch,
        _s.c.data,
        _s.c.received_ms,
        _s.c.rejected,
        select(func.count()).where(_b.c.log == bindparam("log")).scalar_subquery().label("branches"),
    )
    .where(
        _s.c.log == bindparam("log"),
        _s.c.state == literal_column(str(schema.STORED)),
        _s.c.branch.is_not(None),
    )
    .order_by(_s.c.idx, _s.c.id)
    .limit(_CHUNK)
)


def merge_log(engine: Engine, log_pk: int) -> int:
    """Merge what is stored of one log and not merged yet; returns the number of entries."""
    merged = 0
    while True:
        with writing(engine) as connection:
            done, entries = _merge_chunk(connection, log_pk, tells=True)
        merged += entries
        if done < _CHUNK:
            return merged


def merge_within(connection: Connection, log_pk: int, tells: bool) -> int:
    """As `merge_log`, all in the caller's transaction. `tells` webhooks what is new in it."""
    merged, done = 0, _CHUNK
    while done == _CHUNK:
        done, entries = _merge_chunk(connection, log_pk, tells)
        merged += entries
    return merged


def behind(connection: Connection) -> Sequence[int]:
    """The logs that have something to merge."""
    waits = (_s.c.state == schema.STORED, _s.c.branch.is_not(None))
    return connection.execute(select(_s.c.log).where(*waits).distinct().order_by(_s.c.log)).scalars().all()


def merge_waiting(engine: Engine) -> int:
    """Merge every log that has something to merge; returns the number of entries."""
    with reading(engine) as connection:
        logs = behind(connection)
    total = sum(merge_log(engine, log_pk) for log_pk in logs)
    figures.refresh(engine)
    return total


def _merge_chunk(connection: Connection, log_pk: int, tells: bool) -> tuple[int, int]:
    log, device, village = connection.execute(_LOG, {"log": log_pk}).one()
    # Only now that nobody else stores into this log, for a statement sees what was there when it began.
    rows = connection.execute(_WAITING, {"log": log_pk}).all()
    if not rows:
        return 0, 0
    work = Work(connection, log_pk, log, device, rows[0].branches > 1, len(village) < schema.VILLAGE_CODE)
    outcomes = [_merge_segment(work, row) for row in rows]
    _write_totals(work)
    if work.people:
        identity.refresh(connection, work.people)
    _mark(connection, outcomes)
    stale.mark(connection, (village,))
    timeline.keep(work, village)
    if tells and work.totals[COURSE_PROGRESS]:
        packs = {pack for _learner, pack in work.totals[COURSE_PROGRESS]}
        completions.tell(connection, village, packs, max(row.received_ms for row in rows))
    return len(rows), sum(outcome["entries"] for outcome in outcomes)


def _merge_segment(work: Work, row: Any) -> dict[str, Any]:
    segment = open_segment(row.data)
    branch = branch_of(work, row.branch, segment.previous)
    try:
        batch = segment.read()
        totals = fold(_not_merged_elsewhere(work, row, batch) if work.is_forked else batch)
        named = batch.of_kinds(NAMED)
        check_references(batch, branch, named)
    except LontarError:
        alerts.raise_alert(work.connection, alerts.UNREADABLE, work.device, row.id, row.received_ms)
        return _outcome(work, row, schema.UNREADABLE, branch, None, 0)
    if not work.is_relay and any(group.kind >= FIRST_NUMBER for group in batch.groups):
        alerts.raise_alert(work.connection, alerts.STRANGE_KIND, work.device, row.id, row.received_ms)
    apply_named(work, branch, row, named)
    if not row.rejected:
        _collect(work, branch, totals)
    return _outcome(work, row, schema.MERGED, branch, batch.ts[-1], len(batch))


def _not_merged_elsewhere(work: Work, row: Any, batch: Batch) -> Batch:
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


def _outcome(
    work: Work, row: Any, state: int, branch: Branch, end_t: int | None, entries: int
) -> dict[str, Any]:
    learners, packs = work.ends[bytes(row.id)] = (len(branch.learners), len(branch.packs))
    return {
        "segment": row.pk,
        "state": state,
        "learners_after": learners,
        "packs_after": packs,
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


def _collect(work: Work, branch: Branch, totals: Totals) -> None:
    """Add a segment's totals, with this hub's numbers in the keys."""
    for row, changes in totals.items():
        into = work.totals[row]
        for key, values in changes.items():
            here = (branch.learners[key[0]], branch.packs[key[1]], *key[2:])
            join_totals(into, here, values, row)


def _write_totals(work: Work) -> None:
    is_sqlite = work.connection.dialect.name == "sqlite"
    for row, changes in work.totals.items():
        rows = [(*key, *finished(values, row)) for key, values in changes.items()]
        if rows and is_sqlite:
            work.connection.exec_driver_sql(_UPSERTS[row], rows)
        elif rows:
            # One statement costs PostgreSQL and its driver a fraction of one a row.
            columns = tuple(list(column) for column in zip(*rows, strict=True))
            work.connection.exec_driver_sql(_COLUMN_UPSERTS[row], columns)
