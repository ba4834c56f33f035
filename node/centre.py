"""What the centre said to this village: its logs, verified, kept, and carried out here.

Owns hub_segments, decisions, devices and erased. Takes the segments of hub logs from any road; one that was taken
before changes nothing.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from node import playing, projection, reading_places, tally
from node.store import Store
from sync import cbor
from sync.decisions import (
    BundleReceived,
    DeviceRegistered,
    DeviceRevoked,
    EntriesAccepted,
    EntriesRejected,
    HubLogOpened,
    LearnersMerged,
    LearnersSeparated,
    PersonalDataErased,
    read_decision,
    scopes_of,
)
from sync.entries import Entry, Kind
from sync.errors import N_, MalformedError
from sync.keys import key_id
from sync.keyset import Keyset
from sync.log import Head
from sync.segment import Segment, open_segment

_SHOWN_MOST: Final = 200
_JUDGES_ENTRIES: Final = {EntriesRejected.number, EntriesAccepted.number}


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that the centre said; `hub_ms` is when, by its clock."""

    hub_ms: int
    kind: Kind


class Centre:
    """The centre's word, as this device holds it."""

    def __init__(self, store: Store, village: str) -> None:
        self._store = store
        self._village = village

    def take(self, data: bytes, keyset: Keyset) -> bool:
        """Keep a segment of a hub log and do what it says; False if nothing was new.

        Raises:
            SyncError: the hub didn't sign it, or it isn't for this village.
        """
        segment = open_segment(data)
        segment.verify_hub(keyset.hub_keys)
        with self._store.write() as db:
            if db.execute(
                "SELECT 1 FROM hub_segments WHERE log = ? AND idx = ? AND id = ?",
                (segment.log, segment.index, segment.id),
            ).fetchone():
                return False
            entries = segment.read().entries()
            opened = self._opening(db, segment, entries)
            if opened.scope not in scopes_of(self._village):
                raise MalformedError(N_("Pesan pusat ini untuk desa lain."))
            db.execute(
                "INSERT INTO hub_segments VALUES (?, ?, ?, ?)",
                (segment.log, segment.index, segment.id, data),
            )
            for entry in entries:
                self._carry_out(db, segment, opened, entry)
            if any(entry.kind in _JUDGES_ENTRIES for entry in entries):
                tally.recount(db)
            return True

    def heads(self) -> list[Head]:
        """Of each hub log, how far it is held without a gap; after a loss at the hub, on the path that came last."""
        query = """SELECT log, idx, id FROM hub_segments h
                   WHERE idx = (SELECT max(idx) FROM hub_segments t WHERE t.log = h.log)
                   AND idx + 1 = (SELECT count(*) FROM hub_segments t WHERE t.log = h.log)
                   AND idx + 1 = (SELECT count(DISTINCT idx) FROM hub_segments t WHERE t.log = h.log)"""
        with self._store.read() as db:
            heads = {row[0]: Head(*row) for row in db.execute(query)}
            for (log,) in db.execute("SELECT DISTINCT log FROM hub_segments").fetchall():
                if log not in heads:
                    heads[log] = _tip(db, log)
        return sorted(heads.values(), key=lambda head: head.log)

    def decisions(self, *kinds: type[Kind], most: int = _SHOWN_MOST) -> list[Decision]:
        """What was said, the newest first; of these kinds only, if some are named."""
        places = ", ".join("?" * len(kinds))
        where = f"WHERE kind IN ({places})" if kinds else ""
        query = f"SELECT hub_ms, kind, fields FROM decisions {where} ORDER BY hub_ms DESC, seq DESC LIMIT ?"  # noqa: S608
        with self._store.read() as db:
            rows = db.execute(query, (*(kind.number for kind in kinds), most)).fetchall()
        said = ((ms, _understood(Entry(0, kind, 0, tuple(cbor.decode(f))))) for ms, kind, f in rows)
        return [Decision(ms, kind) for ms, kind in said if kind is not None]

    def public_key(self, device: bytes) -> bytes | None:
        """The key of a device of this village that the centre registered."""
        query = "SELECT public_key FROM devices WHERE device = ? AND village = ?"
        with self._store.read() as db:
            row = db.execute(query, (device, self._village)).fetchone()
        return None if row is None else bytes(row[0])

    def speaks_for(self, device: bytes, village: str) -> bool | None:
        """Whether the centre registered that device for that village (False: it revoked it); None if it isn't known here."""
        query = "SELECT state FROM devices WHERE device = ? AND village = ?"
        with self._store.read() as db:
            row = db.execute(query, (device, village)).fetchone()
        return None if row is None else row[0] == "registered"

    def _opening(self, db: sqlite3.Connection, segment: Segment, entries: list[Entry]) -> HubLogOpened:
        """How the log of `segment` begins."""
        if segment.index == 0:
            first = entries[0]
        else:
            query = "SELECT data FROM hub_segments WHERE log = ? AND idx = 0"
            row = db.execute(query, (segment.log,)).fetchone()
            if row is None:
                raise MalformedError(N_("Pesan pusat ini tidak lengkap. Lontar akan memintanya lagi."))
            first = open_segment(row[0]).read().entries()[0]
        opened = read_decision(first)
        if not isinstance(opened, HubLogOpened):
            raise MalformedError(N_("Pesan pusat ini rusak."))
        return opened

    def _carry_out(
        self, db: sqlite3.Connection, segment: Segment, opened: HubLogOpened, entry: Entry
    ) -> None:
        hub_ms = opened.hub_ms + entry.t
        db.execute(
            "INSERT OR IGNORE INTO decisions VALUES (?, ?, ?, ?, ?, ?)",
            (segment.log, entry.seq, segment.id, entry.kind, hub_ms, cbor.encode(entry.fields)),
        )
        said = _understood(entry)
        if isinstance(said, DeviceRegistered):
            db.execute(
                """INSERT INTO devices VALUES (?, ?, ?, ?, 'registered')
                   ON CONFLICT (device) DO UPDATE SET village = excluded.village""",
                (key_id(said.public_key), said.public_key, said.sealing_key, said.village),
            )
            _judge_device(db, key_id(said.public_key))
        elif isinstance(said, DeviceRevoked):
            _judge_device(db, said.device)
        elif isinstance(said, LearnersMerged | LearnersSeparated):
            join_people(db)
        elif isinstance(said, PersonalDataErased):
            erase(db, said.commitment)
        elif isinstance(said, BundleReceived) and said.parts == said.of:
            db.execute("UPDATE bundles SET received = 1 WHERE bundle = ?", (said.bundle,))


def _understood(entry: Entry) -> Kind | None:
    """What was said, or None if this software doesn't understand it; it is kept all the same."""
    try:
        return read_decision(entry)
    except MalformedError:
        return None


def _tip(db: sqlite3.Connection, log: bytes) -> Head:
    """The end of the path without gaps on which lies what came last, in a log that has gaps or branches."""
    query = "SELECT idx, id, data FROM hub_segments WHERE log = ? ORDER BY idx, rowid"
    whole: dict[tuple[int, bytes], tuple[int, bytes] | None] = {}
    children: dict[tuple[int, bytes] | None, tuple[int, bytes]] = {}
    for index, id_, data in db.execute(query, (log,)):
        parent = (index - 1, open_segment(data).previous) if index else None
        if parent is None or parent in whole:
            whole[index, id_] = parent
            children[parent] = (index, id_)
    latest = db.execute("SELECT idx, id FROM hub_segments WHERE log = ? ORDER BY rowid DESC", (log,))
    at = next(place for place in latest.fetchall() if place in whole)
    while at in children:
        at = children[at]
    return Head(log, *at)


def _judge_device(db: sqlite3.Connection, device: bytes) -> None:
    """What the centre said last of a device holds, in whatever order its segments came."""
    query = "SELECT kind, fields FROM decisions WHERE kind IN (?, ?) ORDER BY hub_ms, seq"
    state = "registered"
    for kind, fields in db.execute(query, (DeviceRegistered.number, DeviceRevoked.number)).fetchall():
        first = cbor.decode(fields)[0]
        if kind == DeviceRegistered.number and key_id(first) == device:
            state = "registered"
        elif kind == DeviceRevoked.number and first == device:
            state = "revoked"
    db.execute("UPDATE devices SET state = ? WHERE device = ?", (state, device))


def erase(db: sqlite3.Connection, commitment: bytes) -> None:
    """Delete a profile here, and never keep it again."""
    db.execute("INSERT OR IGNORE INTO erased VALUES (?)", (commitment,))
    db.execute("DELETE FROM profiles WHERE commitment = ?", (commitment,))
    playing.forget(db, commitment)
    reading_places.forget(db, commitment)
    projection.forget_profile(db, commitment)


def join_people(db: sqlite3.Connection) -> None:
    """Find anew which numbers of this device are one person, from all that the centre said of pairs."""
    query = "SELECT kind, fields FROM decisions WHERE kind IN (?, ?) ORDER BY hub_ms, seq"
    together: dict[tuple[int, int], bool] = {}
    for kind, fields in db.execute(query, (LearnersMerged.number, LearnersSeparated.number)).fetchall():
        numbers = [projection.number_of(db, identity) for identity in cbor.decode(fields)[:2]]
        if None not in numbers and numbers[0] != numbers[1]:
            one, other = sorted(number for number in numbers if number is not None)
            together[one, other] = kind == LearnersMerged.number
    persons: dict[int, int] = {}

    def person(number: int) -> int:
        while persons.get(number, number) != number:
            number = persons[number]
        return number

    for (one, other), is_merged in sorted(together.items()):
        if is_merged:
            first, second = sorted((person(one), person(other)))
            persons[second] = first
    projection.join_people(db, {number: person(number) for number in persons})
