"""Writes a Rekap as PDF on landscape pages: for each course its numbers, its people and its hard questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from node.class_view import CourseClass, Member, Standing
from node.letterhead import imprint_of
from node.rekap import STANDINGS, Rekap, in_zone, trouble
from node.rekap_excel import hard_questions_are
from web.dates import day, number, score
from web.languages import gettext as _

if TYPE_CHECKING:
    from web.paper import Paper

MEDIA_TYPE: Final = "application/pdf"


def write_pdf(rekap: Rekap) -> bytes:
    """The finished file."""
    from web.paper import MUTED, Paper

    title = _("Rekap belajar: %(title)s", title=rekap.title)
    village = f"{rekap.village} ({rekap.village_code})"
    paper = Paper(imprint_of(title, village, rekap.made_at), landscape=True)
    paper.heading(title)
    paper.text(_("Kertas ini memuat nama dan nilai peserta. Simpan dan bagikan seperlunya."), colour=MUTED)
    if not rekap.classes:
        paper.text(_("Belum ada pelatihan di laptop ini."))
    for course in rekap.classes:
        _draw_course(paper, rekap, course)
    return paper.written()


def _draw_course(paper: Paper, rekap: Rekap, course: CourseClass) -> None:
    if len(rekap.classes) > 1:
        paper.space(3)
        paper.heading(course.summary.title, 15)
    paper.text(_numbers(course), bold=True)
    begun = [one for one in course.members if one.standing is not Standing.NOT_STARTED]
    if begun:
        _draw_people(paper, rekap, begun)
    waiting = [one.person.name for one in course.members if one.standing is Standing.NOT_STARTED]
    if waiting:
        paper.text(_("Belum dimulai (%(count)s): %(names)s", count=len(waiting), names=", ".join(waiting)))
    if course.gone:
        paper.heading(_("Sudah pindah atau tidak lagi belajar"), 12)
        _draw_people(paper, rekap, course.gone)
    if course.hard:
        _draw_questions(paper, course)


def _numbers(course: CourseClass) -> str:
    one = course.summary
    said = [
        _("Belum dimulai: %(count)s", count=number(one.not_started)),
        _("Sedang berjalan: %(count)s", count=number(one.under_way)),
        _("Selesai: %(count)s", count=number(one.completed)),
    ]
    if one.gain is not None:
        said.append(
            _(
                "Rata-rata kenaikan: %(points)s poin (dari %(count)s peserta)",
                points=score(one.gain),
                count=number(one.gains),
            )
        )
    return " · ".join(said)


def _draw_people(paper: Paper, rekap: Rekap, members: Sequence[Member]) -> None:
    from web.paper import Column

    columns = [
        Column(_("Nama"), 4),
        Column(_("Jabatan"), 3),
        Column(_("Keadaan"), 4.5),
        Column(_("Materi"), 1.4, "R"),
        Column(_("Tes awal"), 1.4, "R"),
        Column(_("Tes akhir"), 1.4, "R"),
        Column(_("Kenaikan"), 1.6, "R"),
        Column(_("Percobaan"), 1.8, "R"),
        Column(_("Terakhir aktif"), 2.6),
    ]
    paper.table(columns, [_person_row(rekap, one) for one in members])


def _person_row(rekap: Rekap, one: Member) -> list[str]:
    seen = in_zone(one.last_seen, rekap)
    state = _(STANDINGS[one.standing])
    if one.standing is Standing.UNDER_WAY:
        state = trouble(one) or _("Sekarang di: %(lesson)s", lesson=one.next_title or "–")
    return [
        one.person.name,
        one.person.position or "–",
        state,
        f"{one.course.done}/{one.course.total}",
        score(one.course.pretest),
        score(one.course.posttest),
        score(one.course.gain),
        "–" if one.tries is None else f"{one.tries[0]}/{one.tries[1]}",
        day(None if seen is None else seen.date()),
    ]


def _draw_questions(paper: Paper, course: CourseClass) -> None:
    from web.paper import MUTED, Column

    paper.heading(_("Soal yang sulit"), 12)
    paper.text(hard_questions_are(), 8.5, MUTED)
    paper.table(
        [Column(_("Soal"), 7), Column(_("Materi"), 3), Column(_("Salah"), 1.2, "R")],
        [
            [
                one.text or _("Soal nomor %(number)s", number=one.number),
                one.lesson.title,
                _("%(wrong)s dari %(answered)s", wrong=one.wrong, answered=one.answered),
            ]
            for one in course.hard
        ],
    )
