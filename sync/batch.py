"""Entries as columns: what decoding a segment gives and what the projections read.

A group holds the entries of one kind and shape as parallel lists; a run is a stretch of a group in which
learner, pack and lesson stay the same. Working on runs instead of entries makes merging fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.entries import Entry, Field, reference_count


@dataclass(frozen=True, slots=True)
class Group:
    """The entries of one kind and shape, in the order of the log."""

    kind: int
    seqs: list[int]
    ts: list[int]
    columns: list[Sequence[Field]]
    """Fields after the references."""
    runs: list[tuple[int, int, tuple[int, ...]]]
    """(start, stop, references) within this group."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive entries of one log, as columns."""

    first_seq: int
    ts: list[int]
    groups: list[Group]

    def __len__(self) -> int:
        return len(self.ts)

    def entries(self) -> list[Entry]:
        """The entries as objects, in the order of the log."""
        made = [
            Entry(
                group.seqs[at],
                group.kind,
                group.ts[at],
                references + tuple(column[at] for column in group.columns),
            )
            for group in self.groups
            for start, stop, references in group.runs
            for at in range(start, stop)
        ]
        return sorted(made, key=lambda entry: entry.seq)

    def of_kinds(self, numbers: set[int]) -> list[Entry]:
        """Only the entries of these kinds, in the order of the log."""
        wanted = [group for group in self.groups if group.kind in numbers]
        return Batch(self.first_seq, self.ts, wanted).entries() if wanted else []


def batch_of(entries: Sequence[Entry]) -> Batch:
    """The batch of entries that have not been through a segment."""
    shapes: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        own = entry.fields[reference_count(entry.kind) :]
        shapes.setdefault((entry.kind, *map(type, own)), []).append(entry)
    groups = [_group_of(members) for members in shapes.values()]
    return Batch(entries[0].seq if entries else 0, [entry.t for entry in entries], groups)


def _group_of(members: list[Entry]) -> Group:
    kind = members[0].kind
    width = reference_count(kind)
    runs: list[tuple[int, int, tuple[int, ...]]] = []
    for at, entry in enumerate(members):
        references: tuple[int, ...] = entry.fields[:width]  # type: ignore[assignment]
        if runs and runs[-1][2] == references:
            runs[-1] = (runs[-1][0], at + 1, references)
        else:
            runs.append((at, at + 1, references))
    columns: list[Sequence[Field]] = list(zip(*(entry.fields[width:] for entry in members), strict=True))
    return Group(kind, [e.seq for e in members], [e.t for e in members], columns, runs)
