"""Tables of figures: regions, courses, the villages of a course."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from hub import regions as region_list
from hub.exports.tables import PLACE, ROWS, Asked, Column, Form, Key, Page, Table, last_of, place
from hub.queries import courses, regions
from hub.queries.regions import Tally
from sync.errors import N_


def _regions(connection: Connection, asked: Asked, after: Key) -> Page:
    """What lies directly below a region: at most as many as a district has villages."""
    width = regions.CHILD.get(len(asked.region), regions.VILLAGE)
    tallies = regions.tallies(connection, asked.region, width)
    return Page(
        [
            (
                region.code,
                region.name,
                tally.devices,
                tally.waiting,
                tally.learners,
                tally.completions,
                tally.entries,
                tally.last_contact_ms,
            )
            for region in region_list.children(connection, asked.region)
            if asked.whole or region.code in tallies
            for tally in (tallies.get(region.code, Tally()),)
        ],
        None,
    )


REGIONS: Final = Table(
    "wilayah",
    N_("Wilayah"),
    (
        Column(N_("Kode wilayah")),
        Column(N_("Nama")),
        Column(N_("Perangkat"), Form.NUMBER),
        Column(N_("Perangkat menunggu persetujuan"), Form.NUMBER),
        Column(N_("Peserta"), Form.NUMBER),
        Column(N_("Selesai pelatihan"), Form.NUMBER),
        Column(N_("Catatan"), Form.NUMBER),
        Column(N_("Kontak terakhir"), Form.MOMENT),
    ),
    _regions,
)


def _courses(connection: Connection, asked: Asked, after: Key) -> Page:
    return Page(
        [
            (
                course.title,
                course.course_key.hex(),
                ", ".join(map(str, course.versions)),
                course.started,
                course.completed,
                course.average,
            )
            for course in courses.listed(connection)
        ],
        None,
    )


COURSES: Final = Table(
    "pelatihan",
    N_("Pelatihan"),
    (
        Column(N_("Pelatihan")),
        Column(N_("Nomor pelatihan")),
        Column(N_("Versi")),
        Column(N_("Peserta"), Form.NUMBER),
        Column(N_("Selesai"), Form.NUMBER),
        Column(N_("Rata-rata tes akhir"), Form.MARK),
    ),
    _courses,
)


def _villages(connection: Connection, asked: Asked, after: Key) -> Page:
    rows = courses.after(connection, asked.course, after or "", ROWS)
    names = regions.names(connection, {row.village for row in rows})
    return Page(
        [(*place(names, row.village), row.started, row.completed, row.average) for row in rows],
        last_of(rows, ROWS, lambda row: row.village),
    )


COURSE_VILLAGES: Final = Table(
    "pelatihan-desa",
    N_("Pelatihan menurut desa"),
    (
        *PLACE,
        Column(N_("Peserta"), Form.NUMBER),
        Column(N_("Selesai"), Form.NUMBER),
        Column(N_("Rata-rata tes akhir"), Form.MARK),
    ),
    _villages,
)
