"""What entries introduce: people, packs, profiles, clocks, bundles. A part of merging (see `merge`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from hub import identity, ledger, schema
from hub.db import insert_or_ignore, insert_rows
from hub.paths import PEOPLE, Branch, Work, write_numbers
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
from sync.profile import learner_id

_l: Final = schema.learners
_same: Final = schema.same_person
_NO_PROFILE: Final = -1
_NOBODY: Final = 0
"""Who somebody is that was written down a moment ago."""

# An identity belongs to one log, and that to one device.
_here: Final = _l.c.device == bindparam("of_device")
_KNOWN: Final = select(_l.c.learner, _l.c.pk).where(_here)
_THEMSELVES: Final = (
    update(_l).where(_here, _l.c.person == _NOBODY).values(person=_l.c.pk).returning(_l.c.learner, _l.c.pk)
)
_later: Final = _l.alias()
_ARE_OTHERS: Final = select(
    or_(
        select(_later.c.pk).join(_l, _l.c.learner == _later.c.continues).where(_here).exists(),
        select(_same.c.one).join(_l, _l.c.learner == _same.c.one).where(_here).exists(),
        select(_same.c.one).join(_l, _l.c.learner == _same.c.other).where(_here).exists(),
    )
)
"""Whether somebody of a device is continued elsewhere, or an operator has judged who it is."""

_CLOCKS: Final = {ClockObserved.number, AnchorNoted.number}
NAMED: Final = {
    *PEOPLE,
    *_CLOCKS,
    PackInstalled.number,
    ProfileChanged.number,
    BundleWritten.number,
}


def apply_named(work: Work, branch: Branch, row: Any, named: Sequence[Entry]) -> None:
    learners_before, packs_before = len(branch.learners), len(branch.packs)
    added = [entry for entry in named if entry.kind in PEOPLE]
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
            learner = branch.learners[changed.learner]
            if row.rejected:
                # It names nobody, but whoever is erased must be erased from it too.
                _note_profiles(work.connection, [(learner, changed.commitment)])
                continue
            place = (entry.seq, row.id)
            _change_profile(work.connection, learner, changed.commitment, place, row.received_ms)
        elif entry.kind in _CLOCKS:
            notes.append(_clock_note(work.log_pk, row.pk, entry))
    if notes:
        work.connection.execute(insert(schema.clock_notes), notes)
    write_numbers(work, branch, learners_before, packs_before)


def _learners(work: Work, added: Sequence[Entry], segment: bytes) -> list[int]:
    """This hub's numbers of the people that a segment introduces, in its order; new ones are written."""
    said = [_person(entry) for entry in added]
    identities = [learner_id(work.log, commitment or continues or b"") for commitment, continues in said]
    here = {"of_device": work.device}
    known = {bytes(id_): pk for id_, pk in work.connection.execute(_KNOWN, here)} if identities else {}
    new = {
        identity: {
            "learner": identity,
            "device": work.device,
            "commitment": commitment,
            # Who is continued has no profile in this log yet. Two branches may say so at different places.
            "profile_seq": entry.seq if commitment else _NO_PROFILE,
            "profile_segment": segment if commitment else b"",
            "continues": continues,
            "person": _NOBODY,
        }
        for identity, (commitment, continues), entry in zip(identities, said, added, strict=True)
        if identity not in known
    }
    if new:
        insert_rows(work.connection, _l, list(new.values()))
        known.update({bytes(id_): pk for id_, pk in work.connection.execute(_THEMSELVES, here)})
        continuing = any(continues for _, continues in said)
        if continuing or work.connection.execute(_ARE_OTHERS, here).scalar_one():
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
    known = [{"learner": learner, "commitment": commitment} for learner, commitment in rows if commitment]
    insert_rows(connection, schema.learner_profiles, known, known_stay=True)


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
    connection: Connection, learner: int, commitment: bytes, place: tuple[int, bytes], received_ms: int
) -> None:
    """The last change wins: by `place`, its number in the log, and between branches the segment's id."""
    table = schema.learners
    seq, segment = place
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
    identity.erase_again(connection, learner, commitment, received_ms)


def _clock_note(log: int, segment: int, entry: Entry) -> dict[str, Any]:
    note = {"log": log, "segment": segment, "seq": entry.seq, "t": entry.t, "wall_ms": None, "hub_ms": None}
    if entry.kind == ClockObserved.number:
        return {**note, "wall_ms": ClockObserved.from_fields(entry.fields).wall_ms}
    return {**note, "hub_ms": AnchorNoted.from_fields(entry.fields).hub_s * 1000}
