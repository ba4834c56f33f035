"""What the centre said to this village, put so that people understand it: the page "Kabar dari pusat".

Owns the setting `news_seen`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from node import projection
from node.excerpts import excerpt, moment_of
from node.wiring import Node
from sync.decisions import (
    AnnouncementPosted,
    CertificateIssued,
    CertificateWithdrawn,
    DeviceRevoked,
    EntriesAccepted,
    EntriesRejected,
    LearnersMerged,
    LearnersSeparated,
    PersonalDataErased,
    UnlockCodeGiven,
)
from sync.entries import Entry, Kind, LearnerAdded, reference_count
from sync.keys import key_id
from sync.profile import learner_id

_SEEN: Final = "news_seen"
_TOLD: Final[tuple[type[Kind], ...]] = (
    AnnouncementPosted,
    EntriesRejected,
    EntriesAccepted,
    LearnersMerged,
    LearnersSeparated,
    DeviceRevoked,
    UnlockCodeGiven,
    PersonalDataErased,
    CertificateIssued,
    CertificateWithdrawn,
)


@dataclass(frozen=True, slots=True)
class News:
    """One thing that the centre said. `what` chooses the sentence; `here` is whether it is about this laptop."""

    hub_ms: int
    what: str
    title: str = ""
    text: str = ""
    names: tuple[str, ...] = ()
    count: int = 0
    since_ms: int | None = None
    here: bool = True


def news(node: Node) -> list[News]:
    """The newest first."""
    device = key_id(node.config.device_key.public)
    with node.store.read() as db:
        return [_told(db, said.hub_ms, said.kind, device) for said in node.centre.decisions(*_TOLD)]


def unseen(node: Node) -> int:
    """How many came since somebody last looked."""
    return max(0, _count(node) - int(node.store.get(_SEEN, 0)))


def note_seen(node: Node) -> None:
    """Somebody looks at the page."""
    count = _count(node)
    if count != node.store.get(_SEEN, 0):
        node.store.put(_SEEN, count)


def announcements(node: Node) -> int:
    """How many announcements are here."""
    with node.store.read() as db:
        query = "SELECT count(*) FROM decisions WHERE kind = ?"
        return int(db.execute(query, (AnnouncementPosted.number,)).fetchone()[0])


def _count(node: Node) -> int:
    # Counted rather than dated: a log of the regency may bring what is older than the village's last news.
    places = ", ".join("?" * len(_TOLD))
    query = f"SELECT count(*) FROM decisions WHERE kind IN ({places})"  # noqa: S608
    with node.store.read() as db:
        return int(db.execute(query, [kind.number for kind in _TOLD]).fetchone()[0])


def _told(db: sqlite3.Connection, hub_ms: int, said: Kind, device: bytes) -> News:
    match said:
        case AnnouncementPosted():
            return News(hub_ms, "announcement", said.title, said.text)
        case EntriesRejected():
            names, since_ms = _whose(db, said.log, said.first_seq, said.count)
            return News(hub_ms, "rejected", "", said.reason, names, said.count, since_ms)
        case EntriesAccepted():
            names, since_ms = _whose(db, said.log, said.first_seq, said.count)
            return News(hub_ms, "accepted", "", "", names, said.count, since_ms)
        case LearnersMerged() | LearnersSeparated():
            what = "merged" if isinstance(said, LearnersMerged) else "separated"
            return News(hub_ms, what, names=_named(db, (said.one, said.other)))
        case DeviceRevoked():
            return News(hub_ms, "revoked", text=said.reason, here=said.device == device)
        case UnlockCodeGiven():
            return News(hub_ms, "unlocked", here=said.device == device)
        case CertificateIssued():
            return News(hub_ms, "certificate", said.certificate, names=_named(db, (said.learner,)))
        case CertificateWithdrawn():
            return News(hub_ms, "withdrawn", said.certificate, said.reason)
    return News(hub_ms, "erased")


def _whose(
    db: sqlite3.Connection, log: bytes, first_seq: int, count: int
) -> tuple[tuple[str, ...], int | None]:
    """(names of everybody whom these entries are about, when the first of them was made)."""
    entries = excerpt(db, log, first_seq, count)
    if not entries:
        return (), None
    own = db.execute("SELECT 1 FROM logs WHERE log = ?", (log,)).fetchone() is not None
    return _names(db, _numbers(db, log, entries)), moment_of(db, entries[0].t, None if own else log)


def _numbers(db: sqlite3.Connection, log: bytes, entries: Iterable[Entry]) -> set[int]:
    numbers = {int(entry.fields[0]) for entry in entries if reference_count(entry.kind)}
    for entry in entries:
        if entry.kind == LearnerAdded.number:
            number = projection.number_of(
                db, learner_id(log, LearnerAdded.from_fields(entry.fields).commitment)
            )
            numbers |= set() if number is None else {number}
    return numbers


def _names(db: sqlite3.Connection, numbers: Iterable[int]) -> tuple[str, ...]:
    query = "SELECT name FROM learners WHERE number = ?"
    rows = [db.execute(query, (number,)).fetchone() for number in sorted(numbers)]
    return tuple(dict.fromkeys(row[0] for row in rows if row is not None))


def _named(db: sqlite3.Connection, identities: Iterable[bytes]) -> tuple[str, ...]:
    """The names of those of these people who are known here, also where two of them have the same one."""
    numbers = [projection.number_of(db, identity) for identity in identities]
    query = "SELECT name FROM learners WHERE number = ?"
    return tuple(db.execute(query, (number,)).fetchone()[0] for number in numbers if number is not None)
