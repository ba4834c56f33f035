"""Everything that this laptop holds of one person, for the person: "Unduh data saya".

Gathered from the logs themselves, not from tables made of them, with what the centre said about each entry.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from node import logs, reading_places
from node.course_state import CourseState
from node.excerpts import excerpt, logs_here
from node.recorder import OperatorAction
from node.wiring import Node
from sync.decisions import (
    CertificateIssued,
    EntriesAccepted,
    EntriesRejected,
    LearnersMerged,
    LearnersSeparated,
    PersonalDataErased,
)
from sync.entries import (
    KINDS,
    ClockObserved,
    Entry,
    LearnerAdded,
    LearnerContinued,
    OperatorActed,
    field_types,
    read_kind,
    reference_count,
)
from sync.errors import N_, LontarError
from sync.profile import commitment_of, learner_id, open_profile

FORMAT: Final = "lontar/my-data/1"
ABOUT: Final = N_(
    "Semua data tentang Anda di laptop ini. PIN tidak termasuk: laptop hanya menyimpan sidiknya. Waktu adalah perkiraan dari jam laptop."
)
_OF_A_PERSON: Final = {OperatorAction.PIN_RESET, OperatorAction.DATA_EXPORTED}


@dataclass(frozen=True, slots=True)
class _Word:
    """What the centre said of a stretch of a log."""

    log: bytes
    first_seq: int
    until: int
    said: str
    reason: str


def export(node: Node, learner: int, about: str = ABOUT) -> bytes:
    """The file for one person; that it was made is recorded. `about` explains it, in the person's language.

    Raises:
        DiskFullError: it couldn't be recorded.
    """
    node.recorder.act(OperatorAction.DATA_EXPORTED, learner)
    return json.dumps(gather(node, learner, about), ensure_ascii=False, indent=1).encode()


def gather(node: Node, learner: int, about: str = ABOUT) -> dict[str, Any]:
    """All of it, as plain values."""
    person = node.learning.learner(learner)
    numbers = node.learning.numbers(learner)
    words = _words(node)
    with node.store.read() as db:
        identities = _identities(db, numbers)
        entries = [
            one for log in logs_here(db) for one in _entries(db, log, set(numbers), identities, words)
        ]
        profiles = _profiles(db, entries)
        places = reading_places.of_identities(db, identities)
    return {
        "format": FORMAT,
        "about": about,
        "village": {"code": node.config.village, "name": node.config.village_name},
        "profile": {
            "name": person.name if person else "",
            "position": person.position if person else "",
            "has_left": bool(person and person.has_left),
            "numbers_on_this_laptop": numbers,
            "identities": sorted(identity.hex() for identity in identities),
            "all_names": profiles,
        },
        "courses": [_course(course) for course in node.learning.courses(learner)],
        "reading_places": places,
        "entries": entries,
        "from_the_centre": _from_centre(
            node, identities, {one["fields"].get("commitment") for one in entries}
        ),
    }


def _entries(
    db: sqlite3.Connection, log: bytes, numbers: set[int], identities: set[bytes], words: list[_Word]
) -> Iterable[dict[str, Any]]:
    confirmed, departed = _reach(db, log)
    own = db.execute("SELECT 1 FROM logs WHERE log = ?", (log,)).fetchone() is not None
    wall: tuple[int, int] | None = None
    for entry in excerpt(db, log):
        if entry.kind == ClockObserved.number:
            wall = (entry.t, ClockObserved.from_fields(entry.fields).wall_ms)
        if not _is_about(entry, log, own, numbers, identities):
            continue
        state = "confirmed" if entry.seq < confirmed else "sent" if entry.seq < departed else "waiting"
        said = [w for w in words if w.log == log and w.first_seq <= entry.seq < w.until]
        yield {
            "log": log.hex(),
            "number": entry.seq,
            "kind": _kind_name(entry.kind),
            "log_time_ms": entry.t,
            "at": None if wall is None else _date(wall[1] + entry.t - wall[0]),
            "fields": _fields(entry),
            "state": said[-1].said if said else state,
            **({"reason": said[-1].reason} if said and said[-1].reason else {}),
        }


def _is_about(entry: Entry, log: bytes, own: bool, numbers: set[int], identities: set[bytes]) -> bool:
    if reference_count(entry.kind):
        return entry.fields[0] in numbers
    if entry.kind == LearnerAdded.number:
        return learner_id(log, LearnerAdded.from_fields(entry.fields).commitment) in identities
    if entry.kind == LearnerContinued.number:
        return LearnerContinued.from_fields(entry.fields).learner in identities
    if own and entry.kind == OperatorActed.number:
        acted = OperatorActed.from_fields(entry.fields)
        return acted.action in _OF_A_PERSON and acted.subject in numbers
    return False


def _reach(db: sqlite3.Connection, log: bytes) -> tuple[int, int]:
    """(the number after the last confirmed entry, after the last one that has left) of a log."""
    query = """SELECT coalesce(max(first_seq + count) FILTER (WHERE idx <= l.confirmed), 0),
                      coalesce(max(first_seq + count) FILTER (WHERE idx <= l.departed), 0)
               FROM logs l JOIN segments s ON s.log = l.pk WHERE l.log = ?"""
    own = db.execute(query, (log,)).fetchone()
    query = "SELECT coalesce(max(first_seq + count), 0) FROM history WHERE log = ? AND confirmed"
    other = db.execute(query, (log,)).fetchone()[0]
    return max(own[0], other), max(own[1], other)


def _words(node: Node) -> list[_Word]:
    """What the centre said of entries, the oldest first, so that the last word stands."""
    made = []
    for decision in reversed(node.centre.decisions(EntriesRejected, EntriesAccepted)):
        said = decision.kind
        if isinstance(said, EntriesRejected):
            until = said.first_seq + said.count
            made.append(_Word(said.log, said.first_seq, until, "rejected", said.reason))
        elif isinstance(said, EntriesAccepted):
            made.append(_Word(said.log, said.first_seq, said.first_seq + said.count, "accepted", ""))
    return made


def _from_centre(node: Node, identities: set[bytes], commitments: set[object]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    kinds = (LearnersMerged, LearnersSeparated, CertificateIssued, PersonalDataErased)
    for decision in reversed(node.centre.decisions(*kinds)):
        said = decision.kind
        values = {name: _plain(getattr(said, name)) for name in field_types(type(said))}
        named = {values.get(name) for name in ("one", "other", "learner")}
        if named & {identity.hex() for identity in identities} or values.get(
            "commitment"
        ) in commitments - {None}:
            told.append({"kind": _snake(type(said).__name__), "at": _date(decision.hub_ms), **values})
    return told


def _identities(db: sqlite3.Connection, numbers: list[int]) -> set[bytes]:
    places = ", ".join("?" * len(numbers))
    query = f"""SELECT id FROM learners WHERE number IN ({places})
                UNION SELECT id FROM identities WHERE number IN ({places})"""  # noqa: S608
    return {row[0] for row in db.execute(query, (*numbers, *numbers))}


def _profiles(db: sqlite3.Connection, entries: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Every name and position that the person's entries commit to and that is still here."""
    found = []
    for entry in entries:
        data = logs.profile_by(db, bytes.fromhex(entry["fields"].get("commitment") or ""))
        if data is not None:
            profile = open_profile(data)
            found.append(
                {
                    "name": profile.name,
                    "position": profile.position,
                    "commitment": commitment_of(data).hex(),
                }
            )
    return list({one["commitment"]: one for one in found}.values())


def _course(course: CourseState) -> dict[str, Any]:
    return {
        "number": course.pack,
        "title": course.manifest.title,
        "completed": course.completed,
        "lessons": [
            {
                "number": state.lesson.number,
                "title": state.lesson.title,
                "done": state.done,
                "openings": state.openings,
                "seconds": state.seconds,
                "answers": state.answers,
                "right_answers": state.right_answers,
                "attempts": state.attempts,
                "best_score_percent": None if state.best_score is None else state.best_score / 100,
            }
            for state in course.lessons
        ],
    }


def _fields(entry: Entry) -> dict[str, Any]:
    try:
        kind = read_kind(entry)
    except LontarError:
        kind = None
    if kind is None:
        return {str(at): _plain(value) for at, value in enumerate(entry.fields)}
    return {name: _plain(getattr(kind, name)) for name in field_types(type(kind))}


def _kind_name(number: int) -> str:
    kind = KINDS.get(number)
    return str(number) if kind is None else _snake(kind.__name__)


def _snake(name: str) -> str:
    """As docs/protocol.md writes the names of kinds."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


def _date(ms: int) -> str | None:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None
