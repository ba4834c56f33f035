"""Rekap: the class of a village as a file for the office, as a table for Excel or as paper.

Here is what stands in it, in the language of whoever asks; `rekap_excel` and `rekap_pdf` write it. A Rekap holds names and
leaves the laptop unlocked, so that one was made is recorded. Moments are shown in the village's zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from node.class_register import read_class, read_classes
from node.class_view import CourseClass, Member, Standing, Trouble
from node.errors import UnknownThingError
from node.letterhead import now_here, village_line
from node.recorder import OperatorAction
from node.wiring import Node
from sync.errors import N_
from web.languages import gettext as _

Cell = str | int | float | datetime | None
Form = Literal["text", "long", "count", "score", "moment"]

STANDINGS: Final = {
    Standing.NOT_STARTED: N_("Belum dimulai"),
    Standing.UNDER_WAY: N_("Sedang berjalan"),
    Standing.COMPLETED: N_("Selesai"),
}
WHOLE_CLASS: Final = "kelas"
"""The name of a file with every course."""


@dataclass(frozen=True, slots=True)
class Rekap:
    """What stands in the file. `title` names the course, or says that it is all of them."""

    title: str
    village: str
    village_code: str
    made_at: datetime
    classes: tuple[CourseClass, ...]
    file_name: str
    """Without the ending."""


@dataclass(frozen=True, slots=True)
class PeopleColumn:
    """A column of the table of people: heading, what it means, what it holds of one person."""

    heading: str
    meaning: str
    form: Form
    value: Callable[[CourseClass, Member, Rekap], Cell]


PEOPLE_COLUMNS: Final = (
    PeopleColumn(N_("Pelatihan"), N_("Nama pelatihan."), "long", lambda c, m, r: c.summary.title),
    PeopleColumn(N_("Nama"), N_("Nama peserta di laptop ini."), "long", lambda c, m, r: m.person.name),
    PeopleColumn(N_("Jabatan"), N_("Jabatan di desa."), "text", lambda c, m, r: m.person.position),
    PeopleColumn(
        N_("Keadaan"),
        N_("Belum dimulai, sedang berjalan, atau selesai."),
        "text",
        lambda c, m, r: _(STANDINGS[m.standing]),
    ),
    PeopleColumn(
        N_("Materi selesai"),
        N_("Banyaknya materi dan tes yang sudah selesai."),
        "count",
        lambda c, m, r: m.course.done,
    ),
    PeopleColumn(
        N_("Dari"),
        N_("Banyaknya materi dan tes dalam pelatihan ini."),
        "count",
        lambda c, m, r: m.course.total,
    ),
    PeopleColumn(
        N_("Sekarang di"),
        N_("Materi atau tes berikutnya; kosong bila semua selesai."),
        "long",
        lambda c, m, r: m.next_title,
    ),
    PeopleColumn(
        N_("Tes awal"),
        N_("Nilai tes awal, 0 sampai 100."),
        "score",
        lambda c, m, r: _mark(m.course.pretest),
    ),
    PeopleColumn(
        N_("Tes akhir"),
        N_("Nilai terbaik tes akhir, 0 sampai 100."),
        "score",
        lambda c, m, r: _mark(m.course.posttest),
    ),
    PeopleColumn(
        N_("Kenaikan"),
        N_("Tes akhir dikurangi tes awal, dalam poin; kosong bila salah satunya belum dikerjakan."),
        "score",
        lambda c, m, r: _mark(m.course.gain),
    ),
    PeopleColumn(
        N_("Percobaan"),
        N_("Berapa kali tes akhir sudah dikirim."),
        "count",
        lambda c, m, r: m.tries[0] if m.tries else None,
    ),
    PeopleColumn(
        N_("Batas percobaan"),
        N_("Berapa kali tes akhir boleh dikerjakan."),
        "count",
        lambda c, m, r: m.tries[1] if m.tries else None,
    ),
    PeopleColumn(
        N_("Terakhir aktif"),
        N_("Kapan terakhir belajar di laptop desa, menurut jam laptop; pelatihan apa pun."),
        "moment",
        lambda c, m, r: in_zone(m.last_seen, r),
    ),
    PeopleColumn(
        N_("Selesai pada"),
        N_("Kapan pelatihan ini selesai, menurut jam laptop."),
        "moment",
        lambda c, m, r: in_zone(m.completed_on, r),
    ),
    PeopleColumn(
        N_("Perlu bantuan"),
        N_("Alasannya, bila peserta tersendat."),
        "long",
        lambda c, m, r: trouble(m),
    ),
    PeopleColumn(
        N_("Masih di sini"),
        N_("“Tidak” berarti ditandai pindah atau tidak lagi belajar; tidak ikut dihitung dalam ringkasan."),
        "text",
        lambda c, m, r: _("Tidak") if m.person.has_left else _("Ya"),
    ),
)


def make_rekap(node: Node, pack: int | None = None) -> Rekap:
    """Gather one course, or all of them; that a Rekap was made is recorded.

    Raises:
        UnknownThingError: that course isn't on the list.
    """
    if pack is None:
        classes = read_classes(node)
        title = _("Semua pelatihan")
    else:
        found = read_class(node, pack)
        if found is None:
            raise UnknownThingError(N_("Pelatihan ini tidak ada di perangkat ini."))
        classes, title = [found], found.summary.title
    node.recorder.act(OperatorAction.CLASS_EXPORTED)
    made_at = now_here(node)
    name = f"rekap-{_slug(title) if pack is not None else WHOLE_CLASS}-{made_at:%Y-%m-%d}"
    return Rekap(title, village_line(node), node.config.village, made_at, tuple(classes), name)


def trouble(member: Member) -> str:
    """Why this person needs help, in a sentence; empty if nothing says so."""
    stuck = member.stuck
    if stuck is None:
        return ""
    said = {"lesson": stuck.lesson.title, "count": stuck.count}
    if stuck.trouble is Trouble.NO_TRIES_LEFT:
        return _("Kesempatan habis: %(lesson)s sudah %(count)s kali dan belum lulus.", **said)
    if stuck.trouble is Trouble.NOT_PASSED:
        return _("%(lesson)s sudah %(count)s kali dan belum lulus.", **said)
    return _("%(lesson)s sudah dibuka %(count)s kali dan belum selesai.", **said)


def in_zone(ms: int | None, rekap: Rekap) -> datetime | None:
    """A moment as the clocks of the village say it, or None if it can't be a date."""
    try:
        return None if ms is None else datetime.fromtimestamp(ms / 1000, rekap.made_at.tzinfo)
    except (OverflowError, ValueError, OSError):
        return None


def everybody(course: CourseClass) -> tuple[Member, ...]:
    """Who learns here, then whoever left."""
    return (*course.members, *course.gone)


def _mark(hundredths: int | None) -> float | None:
    return None if hundredths is None else hundredths / 100


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-") or WHOLE_CLASS
