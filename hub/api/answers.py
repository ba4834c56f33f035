"""Reads what the read API answers, from a connection that shows only what the token's region holds.

Lists are in the order of the rows' numbers (or of codes): what is added comes at the end, so that whoever goes from page
to page meets everything that was there once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from sqlalchemy import Connection, func, select

from hub import regions as region_list
from hub import schema
from hub.api import shapes
from hub.api.questions import ByCode, OfAlerts, OfCertificates, OfCourses, OfDevices, OfLearners, OfProgress
from hub.api.shapes import Page, maybe, moment, percent
from hub.errors import HubError, NotFoundError
from hub.places import within
from hub.queries import alerts as alert_rows
from hub.queries import certificates as certificate_rows
from hub.queries import courses as course_rows
from hub.queries import devices as device_rows
from hub.queries import packs, persons, progress
from hub.queries import regions as region_rows
from hub.regions import Region
from hub.tokens import Token
from sync.errors import N_

_VILLAGE: Final = region_rows.VILLAGE
_NONE: Final = region_rows.Tally()

RowT = TypeVar("RowT")


class OutsideScopeError(HubError):
    """A token asks for a region that it isn't for."""

    code: ClassVar[str] = "outside-scope"
    http_status = 403


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose question it is, and when it is asked."""

    token: Token
    now_ms: int


def regions(connection: Connection, asker: Asker, asked: ByCode) -> Page[shapes.Region]:
    """The regions directly in one; a village stands for itself."""
    region = _region(connection, asker, asked.region)
    r = schema.regions.c
    which = r.code == region if len(region) == _VILLAGE else r.parent == region
    rows = region_rows.following(connection, which, asked.after, asked.limit + 1)
    tallies = region_rows.tallies(connection, region, region_rows.CHILD.get(len(region), _VILLAGE))
    return _page(rows, asked.limit, lambda row: row.code, lambda row: _tallied(row, tallies))


def villages(connection: Connection, asker: Asker, asked: ByCode) -> Page[shapes.Region]:
    """All villages in a region, at whatever depth, whether or not they have a device."""
    region = _region(connection, asker, asked.region)
    r = schema.regions.c
    which = within(region, r.code) & (func.length(r.code) == _VILLAGE)
    rows = region_rows.following(connection, which, asked.after, asked.limit + 1)
    tallies = region_rows.tallies(connection, "", _VILLAGE, [row.code for row in rows])
    return _page(rows, asked.limit, lambda row: row.code, lambda row: _tallied(row, tallies))


def devices(connection: Connection, asker: Asker, asked: OfDevices) -> Page[shapes.Device]:
    region, after = _region(connection, asker, asked.region), int(asked.after or 0)
    rows = device_rows.following(connection, region, asked.state, asker.now_ms, after, asked.limit + 1)
    held = packs.newest_on(connection, [row.pk for row in rows])
    return _page(rows, asked.limit, lambda row: row.pk, lambda row: _device(row, held, asker.now_ms))


def device(connection: Connection, asker: Asker, number: bytes) -> shapes.Device:
    row = device_rows.find(connection, number)
    if row is None:
        raise NotFoundError(N_("Perangkat ini tidak dikenal."))
    return _device(row, packs.newest_on(connection, [row.pk]), asker.now_ms)


def courses(connection: Connection, asker: Asker, asked: OfCourses) -> Page[shapes.Course]:
    every = sorted(course_rows.listed(connection), key=lambda row: row.course_key)
    rows = [row for row in every if row.course_key.hex() > asked.after][: asked.limit + 1]
    return _page(rows, asked.limit, lambda row: row.course_key.hex(), _course)


def progress_(connection: Connection, asker: Asker, asked: OfProgress) -> Page[shapes.Progress]:
    """The regions directly in one that have devices, with the courses that were begun there."""
    region = _region(connection, asker, asked.region)
    village = schema.devices.c.village
    width = region_rows.CHILD.get(len(region), _VILLAGE)
    code = func.substr(village, 1, width).label("code")
    query = select(code).where(within(region), code > asked.after, func.length(village) >= width).distinct()
    codes = list(connection.execute(query.order_by(code).limit(asked.limit + 1)).scalars())
    only = bytes.fromhex(asked.course) if asked.course else None
    begun = course_rows.by_region(connection, codes, only)
    names = region_rows.names(connection, codes).by_code

    def shaped(here: str) -> shapes.Progress:
        counts = [_course_count(row) for row in begun[here]]
        return shapes.Progress(code=here, name=names.get(here, here), courses=counts)

    return _page(codes, asked.limit, lambda here: here, shaped)


def learners(connection: Connection, asker: Asker, asked: OfLearners) -> Page[shapes.Learner]:
    region, after = _region(connection, asker, asked.region), int(asked.after or 0)
    course = bytes.fromhex(asked.course)
    rows = persons.following(connection, region, course, after, asked.limit + 1)
    reached = progress.of_people(connection, [row.pk for row in rows])
    return _page(rows, asked.limit, lambda row: row.pk, lambda row: _learner(row, reached[row.pk], asker))


def learner(connection: Connection, asker: Asker, number: bytes) -> shapes.Learner:
    row = persons.find(connection, number)
    if row is None:
        raise NotFoundError(N_("Peserta ini tidak dikenal."))
    return _learner(row, progress.of_people(connection, [row.pk])[row.pk], asker)


def certificates(connection: Connection, asker: Asker, asked: OfCertificates) -> Page[shapes.Certificate]:
    region, after = _region(connection, asker, asked.region), int(asked.after or 0)
    c = schema.certificates.c
    which = [within(region, c.village)]
    if asked.course:
        which.append(c.course_key == bytes.fromhex(asked.course))
    if asked.state:
        which.append(c.withdrawn_ms.is_(None) if asked.state == "valid" else c.withdrawn_ms.is_not(None))
    rows = certificate_rows.following(connection, which, after, asked.limit + 1)
    return _page(rows, asked.limit, lambda row: row[0], lambda row: _certificate(*row[1:], asker))


def alerts(connection: Connection, asker: Asker, asked: OfAlerts) -> Page[shapes.Alert]:
    region, after = _region(connection, asker, asked.region), int(asked.after or 0)
    is_open = asked.state == "open" if asked.state else None
    rows = alert_rows.following(connection, region, is_open, after, asked.limit + 1)
    return _page(rows, asked.limit, lambda row: row.pk, _alert)


ItemT = TypeVar("ItemT")


def _page(
    rows: Sequence[RowT], limit: int, key: Callable[[RowT], object], shaped: Callable[[RowT], ItemT]
) -> Page[ItemT]:
    """One row more than was asked for says that there is a next page."""
    here = rows[:limit]
    return Page([shaped(row) for row in here], str(key(here[-1])) if len(rows) > limit else None)


def _region(connection: Connection, asker: Asker, asked: str) -> str:
    """
    Raises:
        OutsideScopeError: the token isn't for that region.
        NotFoundError: no region has that code.
    """
    token = asker.token
    if not asked or asked == token.scope:
        return token.scope
    if not token.standing.covers(asked):
        raise OutsideScopeError(N_("Kunci ini berlaku untuk wilayah %(scope)s saja."), scope=token.scope)
    if region_list.find(connection, asked) is None:
        raise NotFoundError(N_("Wilayah dengan kode %(code)s tidak ada dalam daftar wilayah."), code=asked)
    return asked


def _tallied(row: Region, tallies: dict[str, region_rows.Tally]) -> shapes.Region:
    tally = tallies.get(row.code, _NONE)
    return shapes.Region(
        code=row.code,
        parent=row.parent,
        name=row.name,
        level=row.level,
        devices=tally.devices,
        waiting=tally.waiting,
        learners=tally.learners,
        completions=tally.completions,
        entries=int(tally.entries),
        last_contact=maybe(tally.last_contact_ms),
    )


def _device(row: device_rows.DeviceRow, held: dict[int, dict[bytes, int]], now_ms: int) -> shapes.Device:
    entries = row.held
    return shapes.Device(
        id=row.device.hex(),
        village=row.village,
        state=row.state,
        silent=row.is_silent(now_ms),
        first_seen=moment(row.first_seen_ms),
        registered=maybe(row.registered_ms),
        last_contact=maybe(row.last_contact_ms),
        last_stick=maybe(row.last_stick_ms),
        clock_off_seconds=None if row.clock_off_ms is None else row.clock_off_ms // 1000,
        entries=shapes.Entries(
            entries.merged, entries.stored, entries.gap, entries.unreadable, entries.quarantined
        ),
        packs=[shapes.Pack(key.hex(), version) for key, version in held.get(row.pk, {}).items()],
    )


def _course(row: course_rows.CourseRow) -> shapes.Course:
    return shapes.Course(
        id=row.course_key.hex(),
        title=row.title,
        versions=row.versions,
        started=row.started,
        completed=row.completed,
        average_score=percent(row.average),
    )


def _course_count(row: course_rows.CourseRow) -> shapes.CourseCount:
    return shapes.CourseCount(
        course=row.course_key.hex(),
        title=row.title,
        started=row.started,
        completed=row.completed,
        average_score=percent(row.average),
    )


def _learner(row: persons.Learner, reached: Sequence[progress.Progress], asker: Asker) -> shapes.Learner:
    sees_names = asker.token.sees_names
    return shapes.Learner(
        id=row.id.hex(),
        identities=[one.id.hex() for one in row.identities],
        village=row.village,
        name=row.name or None if sees_names else None,
        position=row.position or None if sees_names else None,
        courses=[
            shapes.LearnerCourse(
                course=one.course_key.hex(),
                title=one.title,
                done=one.done,
                lessons=one.total,
                best_score=percent(one.best_score),
                seconds=one.seconds,
                completed=bool(one.completed),
            )
            for one in reached
        ],
    )


def _certificate(course: bytes, row: certificate_rows.Issued, asker: Asker) -> shapes.Certificate:
    sees_names = asker.token.sees_names
    return shapes.Certificate(
        number=row.number,
        learner=row.learner.hex(),
        name=row.name or None if sees_names else None,
        course=course.hex(),
        title=row.title,
        village=row.village,
        issued=moment(row.issued_ms),
        withdrawn=maybe(row.withdrawn_ms),
        # People write names into reasons.
        reason=row.withdrawn or None if sees_names else None,
    )


def _alert(row: alert_rows.AlertRow) -> shapes.Alert:
    return shapes.Alert(
        id=row.pk,
        kind=row.kind,
        device=row.device.hex(),
        village=row.village,
        raised=moment(row.first_ms),
        open=row.is_open,
        handled=maybe(row.handled_ms),
    )
