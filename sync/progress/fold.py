"""From a batch of entries to what it adds to the rows: pure, and fast enough for a nation.

Works on columns and on stretches with the same references, so its cost is per stretch and not per entry.
Keys are the small numbers of the log; the stores turn them into their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from sync.batch import Batch, Group
from sync.entries import KINDS, REFERENCES, Field, Kind, field_types, reference_count
from sync.errors import N_, MalformedError
from sync.progress.rows import ADDEND_MAX, ROWS, Adds, Join, Row

Values = list[int | None]
Totals = dict[Row, dict[tuple[int, ...], Values]]
"""Per row and key, the joined columns in the order of `Row.columns`."""


def fold(batch: Batch) -> Totals:
    """What the entries of `batch` add up to. Kinds that aren't known here add nothing.

    Raises:
        MalformedError: an entry of a known kind doesn't have that kind's fields.
    """
    totals: Totals = {row: {} for row in ROWS}
    for group in batch.groups:
        kind = KINDS.get(group.kind)
        if kind is None:
            continue
        check_shape(kind, group)
        for adds in kind.adds:
            _add(totals[adds.row], adds, group, _plan(kind, adds.row))
    return totals


def join_totals(
    into: dict[tuple[int, ...], Values], key: tuple[int, ...], values: Values, row: Row
) -> None:
    """Join `values` into what `into` has under `key`."""
    old = into.get(key)
    if old is None:
        into[key] = list(values)
        return
    for at, join in enumerate(row.columns.values()):
        old[at] = join.pair(old[at], values[at])


def finished(values: Values, row: Row) -> list[int | None]:
    """The values as stored: a sum of nothing is 0, a largest or smallest of nothing stays None."""
    return [
        0 if value is None and join is Join.SUM else value
        for value, join in zip(values, row.columns.values(), strict=True)
    ]


def check_shape(kind: type[Kind], group: Group) -> None:
    """Refuse a group whose columns don't have the types of its kind, or add what no honest device adds.

    Raises:
        MalformedError: with a sentence that fits any kind.
    """
    types = list(field_types(kind).items())[reference_count(kind.number) :]
    for (name, expected), column in zip(types, group.columns, strict=False):
        if column and type(column[0]) is not expected:
            raise MalformedError(N_("Isian %(field)s dalam catatan ini salah jenis."), field=name)
        if name in _addends(kind) and column and not 0 <= min(column) <= max(column) <= ADDEND_MAX:  # type: ignore[operator]
            raise MalformedError(N_("Isian %(field)s dalam catatan ini di luar batas."), field=name)
    missing = types[len(group.columns) :]
    if not all(_has_default(kind, name) for name, _ in missing):
        raise MalformedError(N_("Catatan ini kekurangan isian."))


def _addends(kind: type[Kind]) -> set[str | int]:
    return {source for adds in kind.adds for source in adds.values.values()}


def _has_default(kind: type[Kind], name: str) -> bool:
    return any(
        field.name == name and field.default is not dataclasses.MISSING
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
    )


def _plan(kind: type[Kind], row: Row) -> list[tuple[int, Join, Callable[[Group, int, int], int | None]]]:
    """For each column that `kind` adds to `row`: its place, its join, and how to read a stretch."""
    adds = next(adds for adds in kind.adds if adds.row is row)
    names = list(field_types(kind))[reference_count(kind.number) :]
    return [
        (row.position(column), row.columns[column], _reader(row.columns[column], source, names))
        for column, source in adds.values.items()
    ]


def _reader(join: Join, source: str | int, names: Sequence[str]) -> Callable[[Group, int, int], int | None]:
    if isinstance(source, int):
        return lambda group, start, stop: source * (stop - start)
    if source == "t":
        return lambda group, start, stop: group.ts[start] if join is Join.MIN else group.ts[stop - 1]
    at = names.index(source)
    of = join.of

    def read(group: Group, start: int, stop: int) -> int | None:
        if at >= len(group.columns):
            return None
        column: Sequence[Field] = group.columns[at]
        return of(column[start:stop])  # type: ignore[arg-type]

    return read


def _add(
    rows: dict[tuple[int, ...], Values],
    adds: Adds,
    group: Group,
    plan: list[tuple[int, Join, Callable[[Group, int, int], int | None]]],
) -> None:
    width = len(REFERENCES[: len(adds.row.key)])
    columns = len(adds.row.columns)
    for start, stop, references in group.runs:
        key = references[:width]
        values = rows.get(key)
        if values is None:
            values = rows[key] = [None] * columns
        for at, join, read in plan:
            new = read(group, start, stop)
            old = values[at]
            if old is None:
                values[at] = new
            elif new is not None:
                values[at] = old + new if join is Join.SUM else join.pair(old, new)
