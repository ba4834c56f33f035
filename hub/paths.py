"""What the small numbers of a log mean along one path of it: which learner, which pack of this hub."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, literal_column, select

from hub import schema
from hub.db import insert_rows
from sync.batch import Batch
from sync.entries import Entry, LearnerAdded, LearnerContinued, PackInstalled
from sync.errors import N_, MalformedError
from sync.progress.fold import Values
from sync.progress.rows import ROWS, Row

PEOPLE: Final = {LearnerAdded.number, LearnerContinued.number}
"""Kinds that give somebody the next number."""

_s: Final = schema.segments
_ln: Final = schema.learner_numbers.c
_pn: Final = schema.pack_numbers.c
_of_learners: Final = select(literal_column("0").label("kind"), _ln.number, _ln.learner.label("pk"))
_of_packs: Final = select(literal_column("1"), _pn.number, _pn.pack)
_NUMBERS: Final = (
    _of_learners.where(_ln.branch == bindparam("of_branch"))
    .union_all(_of_packs.where(_pn.branch == bindparam("of_branch")))
    .order_by("kind", "number")
)


@dataclass
class Branch:
    """Which learner and pack of this hub each small number means on one path."""

    pk: int
    learners: list[int]
    packs: list[int]


@dataclass
class Work:
    """One log being merged in one transaction."""

    connection: Connection
    log_pk: int
    log: bytes
    device: int
    is_forked: bool
    is_relay: bool
    """Whether a hub below this one wrote it: hub kinds are at home there."""
    branches: dict[int, Branch] = field(default_factory=dict)
    merged: set[int] = field(default_factory=set)
    """Segments of a forked log that this transaction has merged and not marked yet."""
    ends: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """How many learners and packs the path up to each of these segments had named, by the segment's id."""
    people: list[int] = field(default_factory=list)
    """New identities, of whom it must be found out who they are."""
    totals: dict[Row, dict[tuple[int, ...], Values]] = field(
        default_factory=lambda: {row: {} for row in ROWS}
    )


def branch_of(work: Work, pk: int, previous: bytes) -> Branch:
    """The numbers of a branch; a new one starts with those of its parent at the fork."""
    known = work.branches.get(pk)
    if known is not None:
        return known
    learners, packs = _numbers(work.connection, pk)
    made = Branch(pk, learners, packs)
    if previous and not learners and not packs:
        _inherit(work, made, previous)
    work.branches[pk] = made
    return made


def _inherit(work: Work, branch: Branch, previous: bytes) -> None:
    query = select(_s.c.branch, _s.c.learners_after, _s.c.packs_after).where(
        _s.c.log == work.log_pk, _s.c.id == previous, _s.c.branch.is_not(None)
    )
    parent = work.connection.execute(query).one()
    if parent.branch == branch.pk:
        return
    above = work.branches.get(parent.branch)
    learners, packs = (above.learners, above.packs) if above else _numbers(work.connection, parent.branch)
    # A parent that was merged in this very transaction isn't marked yet, and its branch may have gone on since.
    marked = (parent.learners_after, parent.packs_after)
    learners_then, packs_then = work.ends.get(previous, marked)
    branch.learners, branch.packs = learners[:learners_then], packs[:packs_then]
    write_numbers(work, branch, 0, 0)


def _numbers(connection: Connection, branch: int) -> tuple[list[int], list[int]]:
    """Learners and packs, in the order of their numbers."""
    rows = connection.execute(_NUMBERS, {"of_branch": branch}).all()
    return [pk for kind, _, pk in rows if not kind], [pk for kind, _, pk in rows if kind]


def check_references(batch: Batch, branch: Branch, named: Iterable[Entry]) -> None:
    """Refuse entries about learners or packs that this path hasn't named by its end.

    Raises:
        MalformedError: there is one.
    """
    limits = [
        len(branch.learners) + sum(entry.kind in PEOPLE for entry in named),
        len(branch.packs) + sum(entry.kind == PackInstalled.number for entry in named),
    ]
    for group in batch.groups:
        for _, _, references in group.runs:
            if any(number >= limit for number, limit in zip(references, limits, strict=False)):
                raise MalformedError(
                    N_("Catatan ini menyebut peserta atau pelatihan yang belum dikenalkan.")
                )


def write_numbers(work: Work, branch: Branch, learners_before: int, packs_before: int) -> None:
    for table, name, pks, before in (
        (schema.learner_numbers, "learner", branch.learners, learners_before),
        (schema.pack_numbers, "pack", branch.packs, packs_before),
    ):
        rows = [{"branch": branch.pk, "number": at, name: pks[at]} for at in range(before, len(pks))]
        insert_rows(work.connection, table, rows)
