"""What this hub asks for before it certifies a course, who decides, and how certificates are numbered. Owns the tables
certificate_rules and certificate_refusals.

Rules come on top of the course's own: they never make somebody complete a course. They are the ministry's to write and
differ by course; without one a certificate is issued as soon as the course is completed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from hub.db import writing
from hub.errors import HubError
from hub.queries.progress import Progress
from hub.schema import certificate_refusals, certificate_rules, settings
from sync.errors import N_
from web.zones import ZONES, zone_of

PATTERN: Final = "{nomor:6}/{desa}/{tahun}"
"""How certificates are numbered until somebody says otherwise."""
PATTERN_MOST: Final = 60
NUMBER_MOST: Final = 80
"""Characters of a number."""
_KEY: Final = "certificate-number"
_PLACE: Final = re.compile(r"\{([a-z]+)(?::([1-9]))?\}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9 ./_-]*")
_NAMES: Final = ("nomor", "desa", "kecamatan", "kabupaten", "provinsi", "tahun", "bulan", "romawi")
_ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

_rules: Final = certificate_rules
_refusals: Final = certificate_refusals


@dataclass(frozen=True, slots=True)
class Rule:
    """None asks for nothing. The score is in hundredths of a percent; attempts are of all final tests together."""

    score_least: int | None = None
    attempts_most: int | None = None
    seconds_least: int | None = None
    by_hand: bool = False

    def is_met(self, reached: Progress) -> bool:
        """Whether somebody who completed the course may be certified."""
        attempts = sum(
            line.row.attempts for line in reached.lessons if line.role == "posttest" and line.row
        )
        return (
            (self.score_least is None or (reached.best_score or 0) >= self.score_least)
            and (self.attempts_most is None or attempts <= self.attempts_most)
            and (self.seconds_least is None or reached.seconds >= self.seconds_least)
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    learner: bytes
    course_key: bytes
    village: str
    reason: str
    refused_ms: int


def of_courses(connection: Connection) -> dict[bytes, Rule]:
    """The rules that somebody wrote, by course."""
    rows = connection.execute(select(_rules)).all()
    return {
        bytes(row.course_key): Rule(
            row.score_least, row.attempts_most, row.seconds_least, bool(row.by_hand)
        )
        for row in rows
    }


def write(engine: Engine, course_key: bytes, rule: Rule) -> None:
    """What counts for a course from now on; certificates that were issued stay."""
    values = {
        "score_least": rule.score_least,
        "attempts_most": rule.attempts_most,
        "seconds_least": rule.seconds_least,
        "by_hand": int(rule.by_hand),
    }
    with writing(engine) as connection:
        connection.execute(delete(_rules).where(_rules.c.course_key == course_key))
        connection.execute(insert(_rules).values(course_key=course_key, **values))


def refuse(
    connection: Connection, learner: bytes, course_key: bytes, village: str, reason: str, now_ms: int
) -> None:
    """Take somebody out of the queue; `take_back` undoes it."""
    take_back(connection, learner, course_key)
    row = {"learner": learner, "course_key": course_key, "village": village}
    connection.execute(insert(_refusals).values(**row, reason=reason, refused_ms=now_ms))


def refused(connection: Connection, most: int) -> list[Refusal]:
    """Who was refused, the newest first."""
    columns = (_refusals.c.learner, _refusals.c.course_key, _refusals.c.village, _refusals.c.reason)
    query = select(*columns, _refusals.c.refused_ms).order_by(_refusals.c.refused_ms.desc(), *columns[:2])
    rows = connection.execute(query.limit(most))
    return [Refusal(bytes(row[0]), bytes(row[1]), *row[2:]) for row in rows]


def take_back(connection: Connection, learner: bytes, course_key: bytes) -> None:
    which = (_refusals.c.learner == learner, _refusals.c.course_key == course_key)
    connection.execute(delete(_refusals).where(*which))


def pattern(connection: Connection) -> str:
    """How certificates are numbered."""
    kept = connection.execute(select(settings.c.value).where(settings.c.key == _KEY)).scalar()
    return bytes(kept).decode() if kept is not None else PATTERN


def write_pattern(engine: Engine, text: str) -> None:
    """Number certificates by a pattern from now on; numbers that were given stay.

    Raises:
        HubError: it has no running number, names something unknown, or could become too long.
    """
    check_pattern(text)
    with writing(engine) as connection:
        changed = update(settings).where(settings.c.key == _KEY).values(value=text.encode())
        if connection.execute(changed).rowcount == 0:
            connection.execute(insert(settings).values(key=_KEY, value=text.encode()))


def check_pattern(text: str) -> None:
    """
    Raises:
        HubError: as `write_pattern`.
    """
    names = [found[1] for found in _PLACE.finditer(text)]
    if names.count("nomor") != 1:
        raise HubError(N_("Pola nomor harus memuat {nomor} tepat satu kali; tanpanya nomor tidak unik."))
    if unknown := next((name for name in names if name not in _NAMES), None):
        raise HubError(N_("Pola nomor tidak mengenal {%(name)s}."), name=unknown)
    if len(text) > PATTERN_MOST or not _PLAIN.fullmatch(_PLACE.sub("", text)):
        raise HubError(
            N_("Pola nomor paling panjang %(most)s huruf: huruf, angka, spasi dan . / - _ saja."),
            most=PATTERN_MOST,
        )
    # A running number grows to nine digits in a nation; the longest of everything must fit.
    if len(number(text, 10**9 - 1, "11.11.11.1111", 1_785_000_000_000)) > NUMBER_MOST:
        raise HubError(N_("Nomor menurut pola ini terlalu panjang."))


def number(text: str, running: int, village: str, now_ms: int) -> str:
    """A certificate's number by a pattern."""
    day = datetime.fromtimestamp(now_ms / 1000, ZONES[zone_of(village)])
    values: Mapping[str, str] = {
        "nomor": str(running),
        "desa": village,
        "kecamatan": village[:8],
        "kabupaten": village[:5],
        "provinsi": village[:2],
        "tahun": str(day.year),
        "bulan": f"{day.month:02}",
        "romawi": _ROMAN[day.month - 1],
    }
    return _PLACE.sub(lambda found: values[found[1]].zfill(int(found[2] or 1)), text)
