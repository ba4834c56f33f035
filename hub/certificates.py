"""Certificates: issued when a course was completed, its evidence is here and the rule of the course is met: by themselves
or once a person has confirmed it; withdrawn by people.

One a person and course, whatever logs the person learned in. A claim holds no name: it commits to the profile, without
which nothing is issued. Villages of a hub below this one get theirs from that hub; what it says of them is kept here.
Owns the table certificates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    bindparam,
    exists,
    insert,
    select,
    update,
)

from content_packs.manifest import open_manifest
from hub import certificate_rules, downlink, outbox, schema
from hub.certificate_rules import Rule
from hub.config import Config
from hub.db import asking, reading, writing
from hub.errors import HubError, NotFoundError
from hub.places import within
from hub.queries import moments, progress
from sync.certificate import Claim, seal_final
from sync.decisions import CertificateIssued, CertificateWithdrawn
from sync.errors import N_
from sync.logclock import Interval
from web.zones import ZONES, zone_of

_c: Final = schema.certificates
_l: Final = schema.learners
_d: Final = schema.devices
_BLOCK: Final = 200
"""Logs that are looked at in one transaction."""
WAITING_MOST: Final = 200
"""How many of a queue are shown."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who meets a rule that leaves the decision to a person."""

    learner: bytes
    course_key: bytes
    village: str
    reached: progress.Progress


def issue_due(engine: Engine, config: Config, logs: Collection[int], now_ms: int) -> int:
    """Issue what is due to people who learn on the devices of these logs; returns how many certificates.

    Doing it again, or on two workers at once, issues nothing twice.
    """
    with asking(engine) as connection:
        if not logs or not _to_issue(connection, logs):
            return 0
    with writing(engine) as connection:
        devices = select(schema.logs.c.device).where(schema.logs.c.pk.in_(logs))
        # Another worker that issues for the same village waits here.
        connection.execute(
            select(_d.c.pk).where(_d.c.pk.in_(devices)).order_by(_d.c.pk).with_for_update()
        ).all()
        due = _with_progress(connection, _to_issue(connection, logs))
        _issue(connection, config, due, now_ms)
        return len(due)


def waiting(connection: Connection, region: str) -> list[Waiting]:
    """Who waits for a person's decision in a region, the longest first; at most `WAITING_MOST`."""
    rules = {key: rule for key, rule in certificate_rules.of_courses(connection).items() if rule.by_hand}
    if not rules:
        return []
    here = _due(connection, (within(region), schema.packs.c.course_key.in_(rules)))
    refused = {
        (bytes(row.learner), bytes(row.course_key))
        for row in connection.execute(select(schema.certificate_refusals)).all()
    }
    here = [row for row in here if (bytes(row.learner), bytes(row.course_key)) not in refused]
    found: list[Waiting] = []
    # Block by block: whoever doesn't meet the rule must not take the place of those who do.
    for at in range(0, len(here), WAITING_MOST):
        found += [
            Waiting(bytes(row.learner), bytes(row.course_key), row.village, reached)
            for row, reached in _meeting(connection, here[at : at + WAITING_MOST], rules)
        ]
        if len(found) >= WAITING_MOST:
            break
    return found[:WAITING_MOST]


def confirm(engine: Engine, config: Config, learner: bytes, course_key: bytes, now_ms: int) -> None:
    """Issue what somebody waits for.

    Raises:
        NotFoundError: nobody waits for that (any more).
    """
    with writing(engine) as connection:
        device = select(_l.c.device).where(_l.c.learner == learner)
        connection.execute(select(_d.c.pk).where(_d.c.pk.in_(device)).with_for_update()).all()
        mine = (_l.c.learner == learner, schema.packs.c.course_key == course_key)
        rules = certificate_rules.of_courses(connection)
        met = _meeting(connection, _due(connection, mine), rules)
        if not met:
            raise NotFoundError(N_("Orang ini tidak menunggu sertifikat itu lagi."))
        certificate_rules.take_back(connection, learner, course_key)
        _issue(connection, config, met[:1], now_ms)


def issue_within(engine: Engine, config: Config, region: str, now_ms: int) -> int:
    """Issue what is due in a region, or anywhere (""): after a course became known here later than those who completed it."""
    query = select(schema.logs.c.pk).join(_d, _d.c.pk == schema.logs.c.device).where(within(region))
    with reading(engine) as connection:
        logs = connection.execute(query.order_by(schema.logs.c.pk)).scalars().all()
    blocks = [logs[at : at + _BLOCK] for at in range(0, len(logs), _BLOCK)]
    return sum(issue_due(engine, config, block, now_ms) for block in blocks)


def find(connection: Connection, number: str) -> Any:
    """The row of a certificate.

    Raises:
        NotFoundError: there is none with that number.
    """
    row = connection.execute(select(_c).where(_c.c.number == number)).one_or_none()
    if row is None:
        raise NotFoundError(N_("Tidak ada sertifikat bernomor %(number)s di pusat ini."), number=number)
    return row


def withdraw(engine: Engine, number: str, reason: str, now_ms: int) -> None:
    """Say to its village that a certificate no longer holds, and why.

    Raises:
        NotFoundError: this hub has issued none with that number.
        HubError: it was withdrawn before.
    """
    with writing(engine) as connection:
        row = find(connection, number)
        if row.withdrawn_ms is not None:
            raise HubError(N_("Sertifikat %(number)s sudah ditarik."), number=number)
        note_withdrawn(connection, number, reason, now_ms)
        person = select(_l.c.person).where(_l.c.learner == row.learner)
        villages = _villages(connection, connection.execute(person).scalar() or 0)
        for village in villages or [row.village]:
            downlink.decide(connection, village, CertificateWithdrawn(number, reason), now_ms)


def note_issued(connection: Connection, said: CertificateIssued, claim: Claim, now_ms: int) -> None:
    """Keep what a hub below this one issued."""
    known = select(_c.c.pk).where(_c.c.number == said.certificate)
    if connection.execute(known).first() is None:
        connection.execute(
            insert(_c).values(
                number=said.certificate,
                learner=said.learner,
                course_key=said.course_key,
                village=claim.village,
                issued_ms=claim.issued_ms,
                sealed=said.sealed,
            )
        )
        _tell(connection, outbox.CERTIFICATE_ISSUED, said.certificate, claim, now_ms)


def note_withdrawn(connection: Connection, number: str, reason: str, now_ms: int) -> None:
    withdrawn = (
        update(_c)
        .where(_c.c.number == number, _c.c.withdrawn_ms.is_(None))
        .values(withdrawn_ms=now_ms, reason=reason)
        .returning(_c.c.village, _c.c.course_key)
    )
    for row in connection.execute(withdrawn).all():
        _tell(connection, outbox.CERTIFICATE_WITHDRAWN, number, row, now_ms)


def _tell(connection: Connection, kind: str, number: str, about: Any, now_ms: int) -> None:
    """`about` says which village and course; reasons and people stay here."""
    body = {"number": number, "course": bytes(about.course_key).hex()}
    outbox.note(connection, kind, about.village, body, now_ms)


def _to_issue(connection: Connection, logs: Collection[int]) -> list[Any]:
    """What is due on the devices of these logs and needs nobody's decision."""
    due = _newest(connection, _DUE_OF_LOGS, {"logs": list(logs)})
    rules = certificate_rules.of_courses(connection) if due else {}
    found, ruled = [], []
    for row in due:
        rule = rules.get(bytes(row.course_key))
        if rule is None:
            found.append(row)
        elif not rule.by_hand:
            ruled.append(row)
    return found + [row for row, _reached in _meeting(connection, ruled, rules)]


def _meeting(
    connection: Connection, rows: Sequence[Any], rules: Mapping[bytes, Rule]
) -> list[tuple[Any, progress.Progress]]:
    """Those who meet the rule of their course."""
    pairs = _with_progress(connection, rows)
    return [
        (row, reached) for row, reached in pairs if rules.get(reached.course_key, Rule()).is_met(reached)
    ]


def _with_progress(connection: Connection, rows: Sequence[Any]) -> list[tuple[Any, progress.Progress]]:
    """Each with how far the person came; without those who have just become somebody else's identity."""
    people = progress.of_people(connection, sorted({row.person for row in rows})) if rows else {}
    reached = {(person, one.course_key): one for person, many in people.items() for one in many}
    keys = [(row.person, bytes(row.course_key)) for row in rows]
    return [(row, reached[key]) for row, key in zip(rows, keys, strict=True) if key in reached]


def _due(connection: Connection, which: Sequence[ColumnElement[bool]]) -> Sequence[Any]:
    """(person, course, pack's manifest, identity, profile's commitment, village) of each completion without a certificate.

    Of several identities the one with the newest profile speaks, of several versions the newest.
    """
    return _newest(connection, _due_query(which), {})


def _newest(connection: Connection, query: Select[Any], values: dict[str, Any]) -> list[Any]:
    newest = {(row.person, bytes(row.course_key)): row for row in connection.execute(query, values)}
    below = _relayed_regions(connection) if newest else ()
    return [row for row in newest.values() if not row.village.startswith(below)]


def _due_query(which: Sequence[ColumnElement[bool]]) -> Select[Any]:
    cp, packs, courses = schema.course_progress, schema.packs, schema.courses
    same = _l.alias()
    has_one = exists(
        select(_c.c.pk)
        .join(same, same.c.learner == _c.c.learner)
        .where(same.c.person == _l.c.person, _c.c.course_key == packs.c.course_key)
    )
    return (
        select(
            _l.c.pk,
            _l.c.person,
            _l.c.learner,
            _l.c.commitment,
            _d.c.village,
            packs.c.course_key,
            courses.c.manifest,
        )
        .select_from(cp)
        .join(_l, _l.c.pk == cp.c.learner)
        .join(_d, _d.c.pk == _l.c.device)
        .join(packs, packs.c.pk == cp.c.pack)
        .join(courses, courses.c.manifest_hash == packs.c.manifest_hash)
        .join(schema.profiles, schema.profiles.c.commitment == _l.c.commitment)
        .where(*which, cp.c.completions > 0, ~has_one)
        .order_by(_l.c.pk, packs.c.version)
    )


# Asked after every sync, and therefore built once.
_of_logs: Final = select(schema.logs.c.device).where(
    schema.logs.c.pk.in_(bindparam("logs", expanding=True))
)
_DUE_OF_LOGS: Final = _due_query((_l.c.device.in_(_of_logs),))


def _relayed_regions(connection: Connection) -> tuple[str, ...]:
    """The regions that have a hub of their own below this one."""
    return tuple(f"{region}." for region in connection.execute(_RELAYS).scalars())


_RELAYS: Final = select(_d.c.village).where(schema.IS_RELAY, _d.c.state == "registered")


def _issue(
    connection: Connection, config: Config, due: Sequence[tuple[Any, progress.Progress]], now_ms: int
) -> None:
    """Give all of them what is due. What doesn't differ from one to the next is looked up once."""
    if not due:
        return
    times = moments.of_identities(
        connection, {identity for _row, reached in due for identity, _ in reached.completed}
    )
    pattern = certificate_rules.pattern(connection)
    for row, reached in due:
        achieved = reached.best_score, _day(row.village, moments.first(times, reached.completed)[0])
        _issue_one(connection, config, row, achieved, pattern, now_ms)


def _issue_one(
    connection: Connection,
    config: Config,
    row: Any,
    achieved: tuple[int | None, str],
    pattern: str,
    now_ms: int,
) -> None:
    """`achieved` is the best score of the final test, and the day of completion in the village's zone or ""."""
    manifest = open_manifest(bytes(row.manifest))
    about = {"learner": row.learner, "course_key": row.course_key, "village": row.village}
    made = insert(_c).values(**about, issued_ms=now_ms, sealed=b"").returning(_c.c.pk)
    pk = connection.execute(made).scalar_one()
    number = certificate_rules.number(pattern, pk, row.village, now_ms)
    claim = Claim(
        row.village,
        bytes(row.learner),
        bytes(row.commitment),
        bytes(row.course_key),
        manifest.title,
        manifest.version,
        manifest.hours_jp,
        *achieved,
        number,
        now_ms,
    )
    sealed = seal_final(config.hub_key, claim)
    connection.execute(update(_c).where(_c.c.pk == pk).values(number=number, sealed=sealed))
    issued = CertificateIssued(claim.learner, claim.course_key, number, sealed)
    for village in _villages(connection, row.person):
        downlink.decide(connection, village, issued, now_ms)
    _tell(connection, outbox.CERTIFICATE_ISSUED, number, claim, now_ms)


def _villages(connection: Connection, person: int) -> list[str]:
    """Where this person learns or did."""
    return sorted(set(connection.execute(_VILLAGES, {"of_person": person}).scalars()))


_VILLAGES: Final = (
    select(_d.c.village).join(_l, _l.c.device == _d.c.pk).where(_l.c.person == bindparam("of_person"))
)


def _day(village: str, moment: Interval | None) -> str:
    if moment is None:
        return ""
    return datetime.fromtimestamp(moment.estimate / 1000, ZONES[zone_of(village)]).date().isoformat()
