"""What stands in the sections of a Moodle course, kind by kind: pages, books, files, links, lessons, quizzes.

Each kind gives lessons, or a text that introduces the lesson after it. Kinds that people need each other for (forum,
assignment, chat …) and packages with programs are named as left out. What people did there is never read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

from content_packs.importers.bank import in_lessons
from content_packs.importers.draft import DraftLesson, DraftQuestion
from content_packs.importers.media_files import SourceFile, shown
from content_packs.importers.moodle_bank import QuestionBank
from content_packs.importers.moodle_files import Backup
from content_packs.importers.moodle_lesson import parts_of
from content_packs.importers.moodle_questions import DESCRIPTION, fraction_of, own_name, said
from content_packs.importers.relink import HTML_MOST, beside
from content_packs.importers.texts import plain_of, wrapped
from sync.errors import N_

STRUCTURE: Final = ("subsection", "qbank")
"""They hold no material themselves."""

_PAGE_FILES: Final = (".html", ".htm")


@dataclass(slots=True)
class Made:
    """What became of an activity. `intro` is text that is no lesson of its own."""

    lessons: list[DraftLesson] = field(default_factory=list)
    intro: str = ""
    is_quiz: bool = False
    gradepass: int = 0
    """Percent that a quiz asks for; 0 if it doesn't say."""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity: its own element, its place in the backup, and what is needed to read it."""

    kind: str
    folder: str
    element: Any
    context: str
    backup: Backup
    bank: QuestionBank

    @property
    def name(self) -> str:
        return " ".join(said(self.element, "name").split()) or self.kind

    def html(self, name: str, area: str, item: str = "0", of: Any = None) -> str:
        element = self.element if of is None else of
        return self.backup.html(element, name, (self.context, f"mod_{self.kind}", area, item))

    def intro(self) -> str:
        html = self.html("intro", "intro")
        return wrapped(html) if plain_of(html) or "<img" in html else ""


def read_activity(activity: Activity) -> Made | None:
    """None for a kind that can't be carried over; it is counted."""
    reader = _READERS.get(activity.kind)
    return None if reader is None else reader(activity)


def _page(activity: Activity) -> Made:
    activity.backup.tally.take(N_("Halaman: %(count)s."))
    return _one_lesson(activity, [activity.intro(), activity.html("content", "content")])


def _label(activity: Activity) -> Made:
    activity.backup.tally.take(N_("Label: %(count)s."))
    return Made(intro=activity.intro())


def _link(activity: Activity) -> Made:
    address = said(activity.element, "externalurl")
    if not address.startswith("https://") or len(address) > 2000:
        activity.backup.tally.leave_out(
            N_("Tautan yang bukan https dan tidak dibawa: %(count)s."), example=activity.name
        )
        return Made(intro=activity.intro())
    activity.backup.tally.take(N_("Tautan: %(count)s."))
    link = f'<p><a href="{escape(address)}">{escape(activity.name)}</a></p>'
    return Made(intro="\n".join([link, activity.intro()]).strip())


def _book(activity: Activity) -> Made:
    tally = activity.backup.tally
    chapters = activity.element.findall("chapters/chapter")
    chapters.sort(key=lambda one: fraction_of(said(one, "pagenum")))
    lessons: list[DraftLesson] = []
    for chapter in chapters:
        title = " ".join(said(chapter, "title").split())
        if said(chapter, "hidden") == "1":
            tally.leave_out(N_("Bab buku yang tersembunyi: %(count)s."), example=title)
            continue
        html = activity.html("content", "chapter", chapter.get("id", ""), chapter)
        tally.take(N_("Bab buku: %(count)s."))
        if said(chapter, "subchapter") == "1" and lessons:
            lessons[-1].html += f"\n<h2>{escape(title)}</h2>\n{html}"
        else:
            lessons.append(DraftLesson(f"{activity.name}: {title}"[:200], html))
    return Made(lessons, activity.intro())


def _resource(activity: Activity) -> Made:
    """One file, or a page of HTML with those it shows."""
    files = activity.backup.area(activity.context, "mod_resource", "content")
    pages = [path for path in files if path.lower().endswith(_PAGE_FILES)]
    parts = [activity.intro()]
    if pages:
        main = next((path for path in pages if files[path].name.lower().startswith("index.")), pages[0])
        parts.append(_page_file(activity, main, files))
    else:
        parts.append(shown(activity.backup.media, files.values(), activity.name if len(files) == 1 else ""))
    if any(parts[1:]):
        activity.backup.tally.take(N_("Berkas: %(count)s."))
    return _one_lesson(activity, parts) if any(parts[1:]) else Made(intro=parts[0])


def _page_file(activity: Activity, path: str, files: dict[str, SourceFile]) -> str:
    """A page that was made elsewhere, and what it shows by addresses from where it lies."""
    read = files[path].read
    content = b"" if read is None else read()
    if not content or len(content) > HTML_MOST:
        activity.backup.tally.leave_out(N_("Halaman HTML yang tidak dibawa: %(count)s."), example=path)
        return ""

    def find(address: str) -> SourceFile | None:
        name = own_name(address) or beside(path, address)
        return (files.get(name) or SourceFile(name, (name,), None)) if name else None

    return activity.backup.relinked(content.decode("utf-8", "replace"), find)


def _folder(activity: Activity) -> Made:
    files = activity.backup.area(activity.context, "mod_folder", "content")
    html = shown(activity.backup.media, (files[path] for path in sorted(files)))
    if html:
        activity.backup.tally.take(N_("Folder: %(count)s."))
    return _one_lesson(activity, [activity.intro(), html]) if html else Made(intro=activity.intro())


def _lesson(activity: Activity) -> Made:
    activity.backup.tally.take(N_("Pelajaran (lesson): %(count)s."))
    parts = parts_of(activity.element, activity.context, activity.backup)
    made = [
        lesson
        for part in parts
        for lesson in in_lessons(activity.name, "\n".join(part.texts), part.questions)
    ]
    for number, lesson in enumerate(made, start=1):
        lesson.title = activity.name if len(made) == 1 else f"{activity.name} ({number})"
    return Made(made, activity.intro())


def _quiz(activity: Activity) -> Made:
    tally = activity.backup.tally
    texts, questions = _asked(activity)
    tally.take(N_("Kuis: %(count)s."))
    if fraction_of(said(activity.element, "timelimit")) > 0:
        tally.leave_out(N_("Batas waktu kuis: %(count)s."), example=activity.name)
    remarks = activity.element.findall("feedbacks/feedback")
    tally.leave_out(
        N_("Tanggapan kuis menurut nilai: %(count)s."),
        sum(bool(said(one, "feedbacktext")) for one in remarks),
    )
    html = "\n".join(part for part in (activity.intro(), *texts) if part)
    return Made(
        in_lessons(activity.name, html, questions),
        is_quiz=bool(questions),
        gradepass=_percent(activity),
        attempts=int(min(100.0, max(0.0, fraction_of(said(activity.element, "attempts_number"))))),
    )


def _asked(activity: Activity) -> tuple[list[str], list[DraftQuestion]]:
    """What a quiz shows and asks, in the order of its places."""
    bank, tally = activity.bank, activity.backup.tally
    instances = activity.element.findall("question_instances/question_instance")
    # Before Moodle 2.8 the quiz lists its questions' ids, and a place has no number.
    listed = {id_: place for place, id_ in enumerate(said(activity.element, "questions").split(","))}
    instances.sort(
        key=lambda one: (fraction_of(said(one, "slot")), listed.get(said(one, "question"), len(listed)))
    )
    fixed = [bank.id_of(instance) for instance in instances]
    used = set(fixed)
    drawn: dict[tuple[str, ...], Any] = {}
    texts: list[str] = []
    questions: list[DraftQuestion] = []
    asked: set[str] = set()
    for instance, id_ in zip(instances, fixed, strict=True):
        if not id_:
            pool = bank.pool_of(instance)
            candidates = drawn.setdefault(pool, bank.candidates(pool))
            id_ = next((one for one in candidates if one not in used), "")
            used.add(id_)
            if not id_:
                tally.leave_out(
                    N_("Soal kuis yang tidak ada dalam cadangan ini: %(count)s."), example=activity.name
                )
                continue
            tally.change(N_("Soal acak yang kini soal tetap dari kategorinya: %(count)s."))
        if id_ in asked:
            continue
        asked.add(id_)
        if bank.kind(id_) == DESCRIPTION:
            tally.take(N_("Teks tanpa jawaban, yang menjadi bacaan: %(count)s."))
            texts.append(wrapped(bank.description(id_)))
        else:
            question = bank.question(id_)
            questions += [] if question is None else [question]
    return texts, questions


def _percent(activity: Activity) -> int:
    """The passing grade from the gradebook's entry for this quiz; people's grades beside it aren't read."""
    root = activity.backup.xml(f"{activity.folder}/grades.xml")
    for item in () if root is None else root.findall("grade_items/grade_item"):
        most, passing = fraction_of(said(item, "grademax")), fraction_of(said(item, "gradepass"))
        if most > 0 and 0 < passing <= most:
            return round(100 * passing / most)
    return 0


def _one_lesson(activity: Activity, parts: list[str]) -> Made:
    return Made([DraftLesson(activity.name[:200], "\n".join(part for part in parts if part))])


_READERS: Final[dict[str, Callable[[Activity], Made]]] = {
    "page": _page,
    "label": _label,
    "url": _link,
    "book": _book,
    "resource": _resource,
    "folder": _folder,
    "lesson": _lesson,
    "quiz": _quiz,
}
