"""The past of this village that other logs hold: those of other laptops, and what this one lost.

Takes segments and profiles that a hub, a stick or a neighbour brings, keeps them as their devices signed them, and
adds them to the village's tables. Only devices of this village that the centre registered are believed. Numbers of
those logs become this device's own numbers; whoever is new gets one. Owns history and history_logs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from node import branches, logs, projection, tally
from node.centre import Centre, join_people
from node.recorder import Recorder
from node.store import Store
from sync import cbor
from sync.batch import Batch
from sync.entries import LearnerAdded, LearnerContinued, LearnerLeft, PackInstalled, ProfileChanged
from sync.errors import LontarError, SignatureError, SyncError
from sync.keys import key_id
from sync.log import Head
from sync.profile import learner_id
from sync.segment import Segment, open_segment

_NAMED: Final = {
    kind.number for kind in (LearnerAdded, LearnerContinued, LearnerLeft, PackInstalled, ProfileChanged)
}


class History:
    """The logs of others on this device's disk."""

    def __init__(self, store: Store, recorder: Recorder, centre: Centre, own_key: bytes) -> None:
        self._store = store
        self._recorder = recorder
        self._centre = centre
        self._own_key = own_key

    def take(
        self, segments: Iterable[Segment], profiles: Iterable[bytes] = (), from_hub: bool = False
    ) -> int:
        """Keep what is new and add it up; returns how many segments were new.

        Segments of logs that nobody vouches for, and those whose parent is missing, are passed over: they come
        again. What came `from_hub` need not be passed on to it.
        """
        with self._store.write() as db:
            for data in profiles:
                logs.keep_profile(db, data)
            new = 0
            segments = sorted(segments, key=lambda one: one.index)
            if any(segment.log == logs.newest(db).log for segment in segments):
                # What waits may be in them already, if this disk was set back: sealed, it is known again.
                self._recorder.seal(even_quiet=True)
            for segment in segments:
                new += self._take_one(db, segment)
                if from_hub:
                    branches.note_from_hub(db, segment)
            if new:
                # The centre may have spoken of people before they were known here.
                join_people(db)
            return new

    def heads(self) -> list[Head]:
        """Every tip that is held, of this device's logs and of others."""
        with self._store.read() as db:
            own = db.execute(
                """SELECT l.log, s.idx, s.id FROM segments s JOIN logs l ON l.pk = s.log
                   WHERE s.idx = (SELECT max(idx) FROM segments t WHERE t.log = s.log)"""
            ).fetchall()
            return [Head(*row) for row in own] + branches.tips(db)

    def segments_beyond(self, held: Sequence[Head]) -> list[tuple[list[bytes], bytes]]:
        """(profiles, segment) of everything here that somebody who holds these tips lacks, in order."""
        known = {(head.log[:8], head.id[:8]) for head in held}
        with self._store.read() as db:
            own = db.execute(
                """SELECT l.log, s.idx, s.id, s.data, s.first_seq, s.count, l.pk
                   FROM segments s JOIN logs l ON l.pk = s.log ORDER BY l.pk, s.idx"""
            ).fetchall()
            others = db.execute(
                "SELECT log, idx, id, data, first_seq, count, NULL FROM history ORDER BY log, idx, id"
            ).fetchall()
            rows = own + others
            lacking = _beyond([(row[0], row[1], row[2], row[3]) for row in rows], known)
            made = []
            for log, index, id_, data, first_seq, count, pk in rows:
                if (log, index, id_) in lacking:
                    profiles = (
                        logs.profiles_of(db, pk, first_seq, count)
                        if pk is not None
                        else branches.named_by(db, data)
                    )
                    made.append((profiles, bytes(data)))
            return made

    def _take_one(self, db: sqlite3.Connection, segment: Segment) -> bool:
        place = (segment.log, segment.index, segment.id)
        if (
            logs.holds(db, Head(*place))
            or db.execute("SELECT 1 FROM history WHERE log = ? AND idx = ? AND id = ?", place).fetchone()
        ):
            return False
        key = self._key_of(db, segment)
        if key is None:
            return False
        try:
            segment.verify(key)
        except SignatureError:
            return False
        numbers = self._numbers_before(db, segment)
        if numbers is None:
            return False
        db.execute("INSERT OR IGNORE INTO history_logs VALUES (?, ?, 0)", (segment.log, key))
        db.execute(
            "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, 0)",
            (*place, segment.previous, segment.first_seq, segment.count, segment.data),
        )
        learners, packs = numbers
        try:
            batch = segment.read()
            self._add(db, segment, batch, learners, packs)
        except (SyncError, IndexError):
            # Signed, but not understood here; it is kept and passed on all the same.
            pass
        db.execute(
            "UPDATE history SET learners = ?, packs = ? WHERE log = ? AND idx = ? AND id = ?",
            (cbor.encode(learners), cbor.encode(packs), *place),
        )
        return True

    def _key_of(self, db: sqlite3.Connection, segment: Segment) -> bytes | None:
        row = db.execute("SELECT public_key FROM history_logs WHERE log = ?", (segment.log,)).fetchone()
        if row is not None:
            return bytes(row[0])
        if db.execute("SELECT 1 FROM logs WHERE log = ?", (segment.log,)).fetchone():
            return self._own_key
        if segment.index != 0:
            return None
        try:
            claimed = segment.opening().public_key
        except LontarError:
            return None
        known = self._own_key if claimed == self._own_key else self._centre.public_key(key_id(claimed))
        return claimed if known == claimed else None

    def _numbers_before(
        self, db: sqlite3.Connection, segment: Segment
    ) -> tuple[list[int], list[int]] | None:
        """What the log's numbers mean here before `segment`; None if its parent isn't here."""
        if segment.index == 0:
            return [], []
        query = "SELECT learners, packs FROM history WHERE log = ? AND idx = ? AND id = ?"
        row = db.execute(query, (segment.log, segment.index - 1, segment.previous)).fetchone()
        if row is not None and row[0] is not None:
            return cbor.decode(row[0]), cbor.decode(row[1])
        if logs.holds(db, Head(segment.log, segment.index - 1, segment.previous)):
            return _own_numbers(db, segment)
        return None

    def _add(
        self, db: sqlite3.Connection, segment: Segment, batch: Batch, learners: list[int], packs: list[int]
    ) -> None:
        rejected, is_own = tally.is_rejected(db, segment), self._is_own(db, segment.log)
        for entry in batch.of_kinds(_NAMED):
            if entry.kind == LearnerAdded.number:
                commitment = LearnerAdded.from_fields(entry.fields).commitment
                learners.append(self._number(db, learner_id(segment.log, commitment), commitment))
            elif entry.kind == LearnerContinued.number:
                identity = LearnerContinued.from_fields(entry.fields).learner
                number = self._number(db, identity, b"")
                here = learner_id(segment.log, identity)
                db.execute("INSERT OR IGNORE INTO identities VALUES (?, ?)", (here, number))
                learners.append(number)
            elif entry.kind == PackInstalled.number:
                pack = PackInstalled.from_fields(entry.fields)
                packs.append(self._recorder.install_pack(pack.course_key, pack.manifest_hash, pack.version))
            elif entry.kind == LearnerLeft.number:
                left = LearnerLeft.from_fields(entry.fields)
                if is_own:
                    # Of another laptop: it says who no longer learns there.
                    projection.note_left(db, learners[left.learner], left.returned)
            elif not rejected:
                changed = ProfileChanged.from_fields(entry.fields)
                projection.name_learner(db, learners[changed.learner], changed.commitment)
        tally.add(db, segment, batch, learners, packs)

    def _is_own(self, db: sqlite3.Connection, log: bytes) -> bool:
        query = "SELECT public_key FROM history_logs WHERE log = ?"
        return bool(db.execute(query, (log,)).fetchone()[0] == self._own_key)

    def _number(self, db: sqlite3.Connection, identity: bytes, commitment: bytes) -> int:
        number = projection.number_of(db, identity)
        if number is None:
            number = self._recorder.continue_learner(identity)
        if (
            commitment
            and not db.execute("SELECT commitment FROM learners WHERE number = ?", (number,)).fetchone()[0]
        ):
            projection.name_learner(db, number, commitment)
        return number


def _own_numbers(db: sqlite3.Connection, segment: Segment) -> tuple[list[int], list[int]]:
    """In this device's own logs numbers mean what they mean here, as many as were given up to then."""
    query = """SELECT s.data FROM segments s JOIN logs l ON l.pk = s.log
               WHERE l.log = ? AND s.idx < ? ORDER BY s.idx"""
    learners = packs = 0
    for (data,) in db.execute(query, (segment.log, segment.index)):
        for group in open_segment(data).read().groups:
            learners += len(group.seqs) * (group.kind in (LearnerAdded.number, LearnerContinued.number))
            packs += len(group.seqs) * (group.kind == PackInstalled.number)
    return list(range(learners)), list(range(packs))


def _beyond(
    rows: Sequence[tuple[bytes, int, bytes, bytes]], known: set[tuple[bytes, bytes]]
) -> set[tuple[bytes, int, bytes]]:
    """Those of (log, index, id, data) that are no ancestor of a known tip and no known tip."""
    parents: dict[tuple[bytes, int, bytes], tuple[bytes, int, bytes]] = {}
    for log, index, id_, data in rows:
        parents[log, index, id_] = (log, index - 1, open_segment(data).previous)
    held: set[Any] = set()
    for place in parents:
        if (place[0][:8], place[2][:8]) in known:
            at = place
            while at in parents and at not in held:
                held.add(at)
                at = parents[at]
    return set(parents) - held
