"""Tables with names of people: learners with their courses, certificates."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from hub.exports.tables import PLACE, ROWS, Asked, Column, Form, Key, Page, Row, Table, place
from hub.queries import certificates, moments, persons, progress, regions
from hub.queries.moments import LogTime
from hub.queries.persons import Learner
from hub.queries.progress import Progress
from sync.errors import N_

NOT_STARTED: Final = N_("Belum dimulai")
UNDER_WAY: Final = N_("Sedang berjalan")
COMPLETED: Final = N_("Selesai")
_NO_COURSE: Final[list[Progress | None]] = [None]


def _learners(connection: Connection, asked: Asked, after: Key) -> Page:
    found, last = persons.after(connection, asked.region, after or ("", 0), ROWS)
    people = [learner for _village, learner in found]
    courses = progress.of_people(connection, [one.pk for one in people])
    done = {identity for some in courses.values() for one in some for identity, _t in one.completed}
    times = moments.of_identities(connection, done) if done else {}
    names = regions.names(connection, {village for village, _learner in found})
    return Page(
        [
            (*_person(learner), *place(names, village), *_course(course, times))
            for village, learner in found
            for course in (courses[learner.pk] or _NO_COURSE)
        ],
        last,
    )


def _person(learner: Learner) -> Row:
    return learner.id.hex(), learner.name, learner.position


def _course(course: Progress | None, times: dict[int, LogTime]) -> Row:
    if course is None:
        return None, None, None, None, NOT_STARTED, None
    moment, _by_clock = moments.first(times, course.completed)
    return (
        course.title or course.course_key.hex(),
        course.done,
        course.total,
        course.best_score,
        COMPLETED if course.completed else UNDER_WAY,
        moment.estimate if moment else None,
    )


LEARNERS: Final = Table(
    "peserta",
    N_("Peserta"),
    (
        Column(N_("Nomor peserta")),
        Column(N_("Nama")),
        Column(N_("Jabatan")),
        *PLACE,
        Column(N_("Pelatihan")),
        Column(N_("Materi selesai"), Form.NUMBER),
        Column(N_("Jumlah materi"), Form.NUMBER),
        Column(N_("Tes akhir terbaik"), Form.MARK),
        Column(N_("Keadaan"), Form.WORD),
        Column(N_("Selesai kira-kira"), Form.MOMENT),
    ),
    _learners,
    names_people=True,
)


def _certificates(connection: Connection, asked: Asked, after: Key) -> Page:
    rows, last = certificates.after(connection, asked.search, after or 0, ROWS)
    names = regions.names(connection, {row.village for row in rows})
    return Page(
        [
            (
                row.number,
                row.learner.hex(),
                row.name,
                row.title,
                *place(names, row.village),
                row.issued_ms,
                row.withdrawn_ms,
                row.withdrawn,
            )
            for row in rows
        ],
        last,
    )


CERTIFICATES: Final = Table(
    "sertifikat",
    N_("Sertifikat"),
    (
        Column(N_("Nomor sertifikat")),
        Column(N_("Nomor peserta")),
        Column(N_("Nama")),
        Column(N_("Pelatihan")),
        *PLACE,
        Column(N_("Terbit"), Form.MOMENT),
        Column(N_("Ditarik"), Form.MOMENT),
        Column(N_("Alasan")),
    ),
    _certificates,
    names_people=True,
)
