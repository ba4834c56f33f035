"""Moodle course backups (.mbz, zip or tar.gz): sections become modules, their activities lessons, in the course's order.

Users, grades, attempts and posts are never read. What has no counterpart here is named with its number.
Source: the backup steps of Moodle 2 to 5 (backup/moodle2, mod/*/backup, question/type/*/backup).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from content_packs.errors import PackError
from content_packs.importers.archive import open_archive
from content_packs.importers.bank import title_of
from content_packs.importers.draft import Draft, DraftLesson
from content_packs.importers.media_files import kept
from content_packs.importers.moodle_activities import STRUCTURE, Activity, Made, read_activity
from content_packs.importers.moodle_bank import QuestionBank
from content_packs.importers.moodle_files import Backup
from content_packs.importers.moodle_questions import fraction_of, said
from content_packs.importers.tally import Tally
from content_packs.importers.texts import plain_of, wrapped
from content_packs.importers.words import words_of
from sync.errors import N_

MARK: Final = "moodle_backup.xml"
ACTIVITIES_MOST: Final = 5_000

_INTRO_MOST: Final = 200
_SUMMARY_MOST: Final = 1000
_TITLE_MOST: Final = 200
_SNIFFED: Final = 1024 * 1024
_NAMES: Final = re.compile(rb"(?:\.ARCHIVE_INDEX|moodle_backup\.xml)\0")
_PERSONAL: Final = re.compile(
    r"(?:.*/)?(?:users|grade_history|gradebook|groups|roles|logs|logstores|comments|completion|competencies|badges"
    r"|calendar)\.xml"
)
_BLOCK: Final = re.compile(r".*/blocks/[^/]+/block\.xml")
_HIDDEN: Final = N_("Kegiatan tersembunyi yang tidak dibawa: %(count)s.")
_PRETEST: Final = re.compile(r"\b(?:pre[ -]?tes|tes awal|prates|pra-?tes|ujian awal)", re.IGNORECASE)
_POSTTEST: Final = re.compile(
    r"\b(?:post?[ -]?tes|tes akhir|pasca-?tes|ujian akhir|evaluasi akhir|final)", re.IGNORECASE
)


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't a Moodle backup, it is damaged, or nothing in it can be learned here.
    """
    tally = Tally()
    with open_archive(path) as archive:
        if MARK not in archive:
            raise PackError(N_("%(file)s bukan cadangan pelatihan Moodle."), file=path.name)
        backup = Backup(archive, tally)
        course = _Course(backup)
        draft = course.draft(title_of(path))
        _name_the_rest(course)
        if not draft.lessons:
            raise PackError(
                N_("%(file)s tidak berisi bahan Moodle yang dapat dipelajari di sini."), file=path.name
            )
        draft.media = kept(backup.media.used_in(draft.lessons))
    draft.report = tally.report()
    return draft


def recognises(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(_SNIFFED)
        # To open a tar.gz takes as long as to unpack it.
        is_packed = start.startswith(b"\x1f\x8b")
        if is_packed and _NAMES.search(zlib.decompressobj(31).decompress(start, _SNIFFED)):
            return True
        if is_packed and path.suffix.lower() != ".mbz":
            return False
        with open_archive(path) as archive:
            return MARK in archive
    except (PackError, OSError, zlib.error):
        return False


@dataclass(frozen=True, slots=True)
class _Quiz:
    made: Made
    title: str


class _Course:
    """Walks the sections of a course."""

    def __init__(self, backup: Backup) -> None:
        self.backup = backup
        self.bank = QuestionBank(backup)
        self.information = backup.xml(MARK).find("information")
        if self.information is None:
            raise PackError(N_("%(file)s bukan cadangan pelatihan Moodle."), file=backup.archive.name)
        self.listed = self._listed()
        self.lessons: list[DraftLesson] = []
        self.quizzes: list[_Quiz] = []
        self._intro: list[str] = []

    def draft(self, otherwise: str) -> Draft:
        for title, summary, activities in self._sections():
            if plain_of(summary) or "<img" in summary:
                self._intro.append(wrapped(summary))
            for id_ in activities:
                self._take(self.listed[id_], title)
            self._end_intro(title)
        course = self.backup.course
        passing, attempts = self._tests()
        title = said(course, "fullname") or said(self.information, "original_course_fullname")
        return Draft(
            (self._only_title() or title or otherwise)[:_TITLE_MOST],
            self.lessons,
            id=said(course, "shortname") or said(self.information, "original_course_shortname"),
            summary=plain_of(said(course, "summary"))[:_SUMMARY_MOST],
            language=self.backup.language,
            passing_grade=passing,
            attempts=attempts,
        )

    def _listed(self) -> dict[str, Any]:
        """The activities of the backup by their number."""
        found = self.information.findall("contents/activities/activity")
        if len(found) > ACTIVITIES_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=self.backup.archive.name)
        return {said(one, "moduleid"): one for one in found}

    def _only_title(self) -> str:
        """A backup of one activity or section has the name of that, not of the course that it was in."""
        kind = said(self.information, "details/detail/type")
        place = {"activity": "contents/activities/activity", "section": "contents/sections/section"}.get(
            kind
        )
        title = said(self.information, f"{place}/title") if place else ""
        return "" if title.isdigit() else title

    def _sections(self) -> list[tuple[str, str, list[str]]]:
        """(title, summary, numbers of activities) of each section in order."""
        found: list[tuple[float, str, str, list[str]]] = []
        waiting = dict.fromkeys(self.listed)
        inside: dict[str, list[str]] = {}
        for id_, one in self.listed.items():
            inside.setdefault(said(one, "sectionid"), []).append(id_)
        folders = {said(one, "directory") for one in self.information.findall("contents/sections/section")}
        for folder in sorted(folders):
            section = self.backup.xml(f"{folder}/section.xml")
            if section is None:
                continue
            id_, number = section.get("id", ""), fraction_of(said(section, "number"))
            named = [*said(section, "sequence").split(","), *inside.get(id_, ())]
            activities = [one for one in dict.fromkeys(named) if one in waiting]
            for one in activities:
                del waiting[one]
            title = (
                " ".join(said(section, "name").split()) or _section_title(int(number), self.backup.language)
            )[:_TITLE_MOST]
            if said(section, "visible") == "0":
                self.backup.tally.leave_out(
                    N_("Bagian tersembunyi yang tidak dibawa: %(count)s."), example=title
                )
                self.backup.tally.leave_out(_HIDDEN, len(activities))
                continue
            self.backup.tally.take(N_("Bagian (topik): %(count)s."))
            summary = self.backup.html(section, "summary", ("", "course", "section", id_))
            found.append((number, title, summary, activities))
        found.sort(key=lambda one: one[0])
        return [*(one[1:] for one in found), ("", "", list(waiting))]

    def _take(self, listed: Any, module: str) -> None:
        """Read one activity, into lessons or into what introduces the next one."""
        folder, kind, title = (said(listed, name) for name in ("directory", "modulename", "title"))
        if kind in STRUCTURE:
            return
        place = self.backup.xml(f"{folder}/module.xml")
        if said(place, "visible") == "0":
            self.backup.tally.leave_out(_HIDDEN, example=title)
            return
        root = self.backup.xml(f"{folder}/{kind}.xml")
        element = None if root is None or not kind.isidentifier() else root.find(kind)
        made = None
        if element is not None:
            context = root.get("contextid", "")
            made = read_activity(Activity(kind, folder, element, context, self.backup, self.bank))
        if made is None:
            self.backup.tally.leave_out(
                N_("Kegiatan jenis %(kind)s yang tidak dibawa: %(count)s."),
                example=title,
                kind=kind[:30] or "?",
            )
            return
        is_empty = not made.intro and not any(lesson.html for lesson in made.lessons)
        if is_empty and kind in ("page", "label", "book"):
            self.backup.tally.leave_out(N_("Kegiatan yang kosong: %(count)s."), example=title)
        limits = {said(place, "availability"), said(place, "completion")} - {"", "0", "{}"}
        self.backup.tally.leave_out(
            N_("Syarat akses atau penyelesaian kegiatan: %(count)s."), int(bool(limits))
        )
        self._add(made, module)
        if made.is_quiz:
            self.quizzes.append(_Quiz(made, title or made.lessons[0].title))

    def _add(self, made: Made, module: str) -> None:
        self._intro += [made.intro] if made.intro else []
        for lesson in made.lessons:
            lesson.module = module
            if not lesson.html and not lesson.questions:
                continue
            if _is_short(self._intro):
                lesson.html = "\n".join([*self._intro, lesson.html])
                self._intro.clear()
            self._end_intro(module)
            self.lessons.append(lesson)

    def _end_intro(self, module: str) -> None:
        """What introduces no lesson becomes one, under the name of its section."""
        if self._intro:
            title = module or plain_of(self._intro[0])[:60] or "?"
            self.lessons.append(DraftLesson(title, "\n".join(self._intro), module=module))
            self._intro.clear()

    def _tests(self) -> tuple[int, int]:
        """Which quizzes are the tests before and after; the passing grade and the attempts of the last."""
        tally = self.backup.tally
        before = next((quiz for quiz in self.quizzes if _PRETEST.search(quiz.title)), None)
        others = [quiz for quiz in self.quizzes if quiz is not before]
        named = [quiz for quiz in others if _POSTTEST.search(quiz.title)]
        after = next(iter(named[-1:] or [quiz for quiz in others[-1:] if quiz.made.gradepass]), None)
        if before is not None:
            before.made.lessons[0].role = "pretest"
            tally.change(N_("Kuis yang menjadi tes awal: %(count)s."), example=before.title)
        if after is not None:
            after.made.lessons[0].role = "posttest"
            tally.change(N_("Kuis yang menjadi tes akhir: %(count)s."), example=after.title)
        passing = after.made.gradepass if after is not None else 0
        if self.quizzes and not passing:
            tally.change(N_("Nilai lulus yang tidak disebut dan menjadi 70: %(count)s."))
        tally.leave_out(
            N_("Nilai lulus kuis yang bukan tes akhir: %(count)s."),
            sum(quiz.made.gradepass > 0 for quiz in self.quizzes if quiz is not after),
        )
        return passing or 70, (after.made.attempts if after is not None else 0) or 3


def _name_the_rest(course: _Course) -> None:
    """Name what was seen and not taken."""
    tally, names = course.backup.tally, course.backup.archive.names()
    tally.leave_out(
        N_("Soal bank yang tidak dipakai kuis mana pun: %(count)s."), course.bank.count_unused()
    )
    tally.leave_out(
        N_("Blok di tepi halaman: %(count)s."), sum(bool(_BLOCK.fullmatch(name)) for name in names)
    )
    tally.leave_out(
        N_("Berkas cadangan tentang orang, nilai dan catatan, yang tidak dibaca: %(count)s."),
        sum(bool(_PERSONAL.fullmatch(name)) for name in names),
    )


def _section_title(number: int, language: str) -> str:
    words = words_of(language)
    return f"{words.topic} {number}" if number else words.general


def _is_short(intro: list[str]) -> bool:
    return (
        bool(intro)
        and not any("<img" in one for one in intro)
        and len(plain_of(" ".join(intro))) <= _INTRO_MOST
    )
