"""What a person of this village may show for a completed course: a draft that this laptop seals, or the hub's certificate.

One a course, whichever versions were learned from. A draft is made from the village's tables whenever it is asked for;
what the hub confirmed or withdrew stands in its logs. Writes nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from node import logs, people
from node.excerpts import excerpt, logs_here, moment_of
from node.trust import pinned_keyset
from node.versions import Row, Version
from node.wiring import Node
from sync import certificate
from sync.certificate import Certificate, Claim
from sync.decisions import (
    CertificateIssued,
    CertificateWithdrawn,
    DeviceRegistered,
    LearnersMerged,
    LearnersSeparated,
)
from sync.entries import CourseCompleted
from sync.errors import LontarError
from sync.profile import Profile, open_profile
from web.zones import ZONES

_EVERY: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class Held:
    """One certificate of one person. Without `number` it is a draft; `local` courses stay drafts, no centre knows them.

    `withdrawn` is the centre's reason, None while the certificate holds.
    """

    pack: int
    title: str
    version: int
    hours_jp: int
    score: int | None
    local: bool
    learner: bytes
    course_key: bytes
    number: str = ""
    issued_ms: int | None = None
    withdrawn: str | None = None
    sealed: bytes = b""

    @property
    def verification_code(self) -> str:
        return certificate.verification_code(self.learner, self.course_key)


def of_person(node: Node, number: int) -> list[Held]:
    """The certificates of the person with that number, the newest course last."""
    issued = _issued(node)
    with node.store.read() as db:
        completed = people.completed_packs(db, number)
        rows = people.lesson_rows(db, number)
        identities = _identities(db, people.numbers(db, number))
    everywhere = _joined(node, identities)
    versions, _shown = node.learning.versions()
    newest: dict[bytes, Version] = {}
    for one in sorted(versions, key=lambda one: (one.manifest.version, one.pack)):
        if one.pack in completed:
            newest[one.manifest.course_key] = one
    found = []
    for course_key, version in newest.items():
        packs = {one.pack for one in versions if one.manifest.course_key == course_key}
        said = next((issued[id_, course_key] for id_ in everywhere if (id_, course_key) in issued), None)
        found.append(_held(version, identities[0], _best(rows, packs, version), said))
    return sorted(found, key=lambda held: held.pack)


def code_of(node: Node, number: int, held: Held) -> tuple[str, Profile, str] | None:
    """(what the square code says, who is named in it, the day of completion or ""); None if the profile isn't here."""
    with node.store.read() as db:
        if held.sealed:
            return _final_code(node, db, held)
        commitment = _commitment(db, number)
        data = None if commitment is None else logs.profile_by(db, commitment)
        if commitment is None or data is None:
            return None
        day = _completed_on(node, db, number, held.course_key)
    claim = Claim(
        node.config.village,
        held.learner,
        commitment,
        held.course_key,
        held.title,
        held.version,
        held.hours_jp,
        held.score,
        day,
    )
    key = node.config.device_key
    sealed = certificate.seal_draft(key, claim)
    code = certificate.draft_code(sealed, data, key.public, _vouch(node))
    return certificate.address(code, node.config.hub_url), open_profile(data), day


def read(node: Node, code: str) -> tuple[Certificate, Held | None]:
    """What a scanned code proves here, and what this village itself knows of the same certificate.

    Raises:
        SyncError: it is no certificate, or was changed.
    """
    keyset = pinned_keyset(node.store)
    found = certificate.read_certificate(code, keyset.hub_keys if keyset else (), node.centre.speaks_for)
    return found, _known(node, found.claim)


def _known(node: Node, claim: Claim) -> Held | None:
    said = _issued(node).get((claim.learner, claim.course_key))
    if said is None:
        return None
    kind, issued_ms, withdrawn = said
    return Held(
        0,
        claim.title,
        claim.version,
        claim.hours_jp,
        claim.score,
        False,
        claim.learner,
        claim.course_key,
        kind.certificate,
        issued_ms,
        withdrawn,
    )


_Said = tuple[CertificateIssued, int, str | None]


def _issued(node: Node) -> dict[tuple[bytes, bytes], _Said]:
    """What the hub issued, by learner and course: with when, and why it was withdrawn, if it was."""
    issued: dict[tuple[bytes, bytes], tuple[CertificateIssued, int]] = {}
    withdrawn: dict[str, str] = {}
    for said in reversed(node.centre.decisions(CertificateIssued, CertificateWithdrawn, most=_EVERY)):
        if isinstance(said.kind, CertificateIssued):
            issued[said.kind.learner, said.kind.course_key] = (said.kind, said.hub_ms)
        elif isinstance(said.kind, CertificateWithdrawn):
            withdrawn[said.kind.certificate] = said.kind.reason
    return {key: (kind, ms, withdrawn.get(kind.certificate)) for key, (kind, ms) in issued.items()}


def _held(version: Version, learner: bytes, score: int | None, said: _Said | None) -> Held:
    manifest = version.manifest
    draft = Held(
        version.pack,
        manifest.title,
        manifest.version,
        manifest.hours_jp,
        score,
        version.is_local,
        learner,
        manifest.course_key,
    )
    if said is None:
        return draft
    kind, issued_ms, withdrawn = said
    return replace(
        draft,
        local=False,
        learner=kind.learner,
        number=kind.certificate,
        issued_ms=issued_ms,
        withdrawn=withdrawn,
        sealed=kind.sealed,
    )


def _best(rows: dict[tuple[int, int], Row], packs: Iterable[int], version: Version) -> int | None:
    """The best score in the final tests of a course, over its versions."""
    tests = {lesson.number for lesson in version.manifest.lessons if lesson.role == "posttest"}
    scores = [
        row[-1]
        for (pack, lesson), row in rows.items()
        if pack in set(packs) and lesson in tests and row[-1] is not None
    ]
    return max(scores, default=None)


def _identities(db: sqlite3.Connection, numbers: Sequence[int]) -> list[bytes]:
    """Everything that the logs call this person, this laptop's own word first."""
    places = ", ".join("?" * len(numbers))
    query = f"SELECT id FROM learners WHERE number IN ({places}) ORDER BY number != ?"  # noqa: S608
    own = [row[0] for row in db.execute(query, (*numbers, numbers[0]))]
    query = f"SELECT id FROM identities WHERE number IN ({places})"  # noqa: S608
    return own + [row[0] for row in db.execute(query, numbers)]


def _joined(node: Node, identities: Sequence[bytes]) -> list[bytes]:
    """These identities, and those that the centre joined to them: they may be of laptops that this one knows nothing of."""
    together: dict[frozenset[bytes], bool] = {}
    for said in reversed(node.centre.decisions(LearnersMerged, LearnersSeparated, most=_EVERY)):
        kind = said.kind
        if isinstance(kind, LearnersMerged | LearnersSeparated):
            together[frozenset((kind.one, kind.other))] = isinstance(kind, LearnersMerged)
    pairs = [pair for pair, is_one_person in together.items() if is_one_person]
    found = list(identities)
    for known in found:
        found += [other for pair in pairs if known in pair for other in pair if other not in found]
    return found


def _commitment(db: sqlite3.Connection, number: int) -> bytes | None:
    row = db.execute("SELECT commitment FROM learners WHERE number = ?", (number,)).fetchone()
    return None if row is None else row[0]


def _final_code(node: Node, db: sqlite3.Connection, held: Held) -> tuple[str, Profile, str] | None:
    keyset = pinned_keyset(node.store)
    with contextlib.suppress(LontarError):
        claim = certificate.open_final(held.sealed, keyset.hub_keys if keyset else ())
        data = logs.profile_by(db, claim.commitment)
        if data is not None:
            code = certificate.final_code(held.sealed, data)
            return certificate.address(code, node.config.hub_url), open_profile(data), claim.day
    return None


def _completed_on(node: Node, db: sqlite3.Connection, number: int, course_key: bytes) -> str:
    """The day on which this person first completed a course, by the laptop's clock, or ""."""
    numbers = set(people.numbers(db, number))
    query = "SELECT number FROM packs WHERE course_key = ?"
    packs = {row[0] for row in db.execute(query, (course_key,))}
    own = {row[0] for row in db.execute("SELECT log FROM logs")}
    moments = [
        moment_of(db, entry.t, None if log in own else log)
        for log in logs_here(db)
        for entry in excerpt(db, log)
        if entry.kind == CourseCompleted.number and entry.fields[0] in numbers and entry.fields[1] in packs
    ]
    known = [ms for ms in moments if ms is not None]
    if not known:
        return ""
    zone = ZONES[node.config.settings.zone]
    return datetime.fromtimestamp(min(known) / 1000, zone).date().isoformat()


def _vouch(node: Node) -> bytes:
    """The hub's word that this laptop speaks for this village, or nothing while it hasn't come."""
    for said in node.centre.decisions(DeviceRegistered, most=_EVERY):
        kind = said.kind
        if (
            isinstance(kind, DeviceRegistered)
            and kind.public_key == node.config.device_key.public
            and kind.vouch
        ):
            return kind.vouch
    return b""
