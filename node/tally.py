"""What the village's sums count: every entry once, in however many segments it stands, and none that the centre rejected.

History that arrives is added as it comes; when the centre rejects segments, or accepts them after all, the sums are made
anew from what is on the disk. Writes no table itself: `projection` does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from node import projection
from sync import cbor
from sync.batch import Batch, Group, batch_of
from sync.decisions import EntriesAccepted, EntriesRejected
from sync.entries import Entry, LearnerAdded, LearnerContinued, ProfileChanged, reference_count
from sync.errors import N_, LontarError, MalformedError, SyncError
from sync.profile import learner_id
from sync.segment import Segment, open_segment

_INTRODUCES = {LearnerAdded.number, LearnerContinued.number}


def is_rejected(db: sqlite3.Connection, segment: Segment) -> bool:
    """Whether the centre's last word on a segment is that its entries don't count."""
    return _judgement(db, segment) == EntriesRejected.number


def add(
    db: sqlite3.Connection, segment: Segment, batch: Batch, learners: Sequence[int], packs: Sequence[int]
) -> None:
    """Add up a segment of another log, whose numbers mean here what `learners` and `packs` say.

    Raises:
        MalformedError: it names somebody whom its log never introduced.
    """
    if not is_rejected(db, segment):
        projection.add_up(db, _renumbered(_not_held_elsewhere(db, segment, batch), learners, packs))


def recount(db: sqlite3.Connection) -> None:
    """Make the sums, and the names that a segment changed of which the centre spoke, anew from the logs."""
    projection.clear_sums(db)
    names: dict[int, bytes] = {}
    doubtful: set[int] = set()
    added: dict[bytes, list[Segment]] = {}
    for here in [*_of_others(db), *_own(db)]:
        named = dict(_names(db, here))
        judgement = None if here.segment is None else _judgement(db, here.segment)
        if judgement is not None:
            doubtful |= set(named)
        if judgement == EntriesRejected.number:
            continue
        fresh = here.batch
        if here.segment is not None:
            earlier = added.setdefault(here.log, [])
            fresh = _without(fresh, _entries_in(earlier, here.segment))
            earlier.append(here.segment)
        projection.add_up(db, _renumbered(fresh, here.learners, here.packs) if here.learners else fresh)
        names |= named
    for number in doubtful:
        if number in names:
            projection.name_learner(db, number, names[number])


def _judgement(db: sqlite3.Connection, segment: Segment) -> int | None:
    """The kind of the centre's last word on a segment, if it spoke of it."""
    query = "SELECT kind, fields FROM decisions WHERE kind IN (?, ?) ORDER BY hub_ms, seq"
    last = None
    for kind, fields in db.execute(query, (EntriesRejected.number, EntriesAccepted.number)):
        log, first_seq, count, *more = cbor.decode(fields)
        if (log, first_seq, count) == (segment.log, segment.first_seq, segment.count):
            id_ = more[1:] if kind == EntriesRejected.number else more
            if not id_ or id_[0] in (b"", segment.id):
                last = kind
    return last


@dataclass(frozen=True, slots=True)
class _Counted:
    """Entries on this disk; those that wait to be sealed have no segment, own ones need no other numbers."""

    log: bytes
    segment: Segment | None
    batch: Batch
    learners: Sequence[int] = ()
    packs: Sequence[int] = ()


def _of_others(db: sqlite3.Connection) -> Iterator[_Counted]:
    query = "SELECT data, learners, packs FROM history WHERE learners IS NOT NULL ORDER BY rowid"
    for data, learners, packs in db.execute(query).fetchall():
        segment = open_segment(data)
        try:
            batch = segment.read()
            _renumbered(batch, cbor.decode(learners), cbor.decode(packs))
        except SyncError:
            continue
        yield _Counted(segment.log, segment, batch, cbor.decode(learners), cbor.decode(packs))


def _own(db: sqlite3.Connection) -> Iterator[_Counted]:
    query = "SELECT s.data FROM segments s ORDER BY s.log, s.idx"
    for (data,) in db.execute(query).fetchall():
        segment = open_segment(data)
        yield _Counted(segment.log, segment, segment.read())
    rows = db.execute("SELECT seq, kind, t, fields FROM pending ORDER BY seq").fetchall()
    waiting = [Entry(seq, kind, t, tuple(cbor.decode(fields))) for seq, kind, t, fields in rows]
    if waiting:
        log = db.execute("SELECT log FROM logs ORDER BY pk DESC LIMIT 1").fetchone()[0]
        yield _Counted(log, None, batch_of(waiting))


def _names(db: sqlite3.Connection, here: _Counted) -> Iterator[tuple[int, bytes]]:
    """(number, commitment) of everybody whom these entries name, in their order."""
    for entry in here.batch.of_kinds({LearnerAdded.number, ProfileChanged.number}):
        if entry.kind == LearnerAdded.number:
            commitment = LearnerAdded.from_fields(entry.fields).commitment
            number = projection.number_of(db, learner_id(here.log, commitment))
        else:
            changed = ProfileChanged.from_fields(entry.fields)
            number, commitment = changed.learner, changed.commitment
            if here.learners:
                number = here.learners[number] if number < len(here.learners) else None
        if number is not None:
            yield number, commitment


def _not_held_elsewhere(db: sqlite3.Connection, segment: Segment, batch: Batch) -> Batch:
    """Only entries that no other segment of the same log holds too, as on branches of a copied disk."""
    until = segment.first_seq + segment.count
    query = """SELECT data FROM history WHERE log = ?1 AND id != ?2 AND first_seq < ?4 AND first_seq + count > ?3
               UNION ALL SELECT s.data FROM segments s JOIN logs l ON l.pk = s.log
               WHERE l.log = ?1 AND s.id != ?2 AND s.first_seq < ?4 AND s.first_seq + s.count > ?3"""
    rows = db.execute(query, (segment.log, segment.id, segment.first_seq, until)).fetchall()
    others = [other for other in map(open_segment, (row[0] for row in rows)) if not is_rejected(db, other)]
    return _without(batch, _entries_in(others, segment))


def _entries_in(segments: Sequence[Segment], beside: Segment) -> set[Entry]:
    """The entries of those segments that have numbers which `beside` has too."""
    known: set[Entry] = set()
    for segment in segments:
        if (
            segment.first_seq < beside.first_seq + beside.count
            and segment.first_seq + segment.count > beside.first_seq
        ):
            try:
                known.update(segment.read().entries())
            except LontarError:
                continue
    return known


def _without(batch: Batch, known: set[Entry]) -> Batch:
    return batch_of([entry for entry in batch.entries() if entry not in known]) if known else batch


def _renumbered(batch: Batch, learners: Sequence[int], packs: Sequence[int]) -> Batch:
    """The batch with this device's numbers of learners and packs.

    Raises:
        MalformedError: it names somebody whom its log never introduced.
    """
    maps: tuple[Sequence[int], ...] = (learners, packs)
    groups = []
    for group in batch.groups:
        width = min(2, reference_count(group.kind))
        runs = []
        for start, stop, references in group.runs:
            if any(number >= len(of) for number, of in zip(references[:width], maps, strict=False)):
                raise MalformedError(
                    N_("Catatan ini menyebut peserta atau pelatihan yang belum dikenalkan.")
                )
            mine = tuple(of[number] for number, of in zip(references[:width], maps, strict=False))
            runs.append((start, stop, mine + references[width:]))
        groups.append(Group(group.kind, group.seqs, group.ts, group.columns, runs))
    return Batch(batch.first_seq, batch.ts, groups)
