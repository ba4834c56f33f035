"""What learners' pages ask and do: courses, lessons, quizzes, scores, completion.

Reads the projected tables, records through the recorder, knows the rules of a course (passing grade,
attempts, when it is completed). Knows nothing of HTTP.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from content_packs.lesson_file import LessonContent
from content_packs.manifest import Manifest
from content_packs.outline import LIBRARY
from content_packs.piece_file import Media
from content_packs.questions import QuestionKind, is_right, read_answer
from content_packs.store import InstalledPack, PackStore
from node import attempts, people
from node.attempts import QuizResult
from node.course_state import WHOLE, CourseState, state_of
from node.durations import Duration, Durations
from node.errors import NodeError, UnknownThingError
from node.people import Learner
from node.recorder import Recorder
from node.store import Store
from node.versions import Version, shown
from sync.entries import (
    CourseCompleted,
    Kind,
    LearnerLeft,
    LessonOpened,
    LessonProgressed,
    QuestionAnswered,
    QuestionResponded,
    QuizSubmitted,
)
from sync.errors import N_

SECONDS_MAX: Final = 4 * 3600
HIDDEN: Final = "hidden_packs"
"""The numbers of packs that the operator took off the list."""
LOCAL: Final = "local_packs"
"""The manifests of courses that a laptop of this village signed, by their hash."""


class Learning:
    """One per node; safe to use from several threads."""

    def __init__(self, store: Store, recorder: Recorder, packs: PackStore) -> None:
        self._store = store
        self._recorder = recorder
        self._packs = packs
        self._durations = Durations()

    def learners(self, search: str = "", left: bool = False) -> list[Learner]:
        """Everybody who learns on this device (or did, and has `left`), by name, each person once.

        Every word of `search` stands in one of the person's names.
        """
        with self._store.read() as db:
            return people.people(db, search, left)

    def learner(self, number: int) -> Learner | None:
        """The person with that number, or with another one that is the same person."""
        with self._store.read() as db:
            return people.person(db, number)

    def numbers(self, number: int) -> list[int]:
        """All numbers of the person with that number, the one that stands for them first."""
        with self._store.read() as db:
            return people.numbers(db, number)

    def persons(self, numbers: Iterable[int]) -> frozenset[int]:
        """Whom these numbers stand for; numbers that nobody has are left out."""
        with self._store.read() as db:
            known = people.persons(db)
        return frozenset(known[number] for number in numbers if number in known)

    def set_left(self, number: int, has_left: bool) -> None:
        """This person no longer learns here, or does again."""
        with self._store.write():
            for each in self.numbers(number):
                self._recorder.record(LearnerLeft(each, returned=int(not has_left)))

    def courses(self, learner: int) -> list[CourseState]:
        """The courses that a learner sees, each with this learner's progress: five statements in all."""
        with self._store.read() as db:
            versions = self._versions(db)
            rows = people.lesson_rows(db, learner)
            completed = people.completed_packs(db, learner)
            unfinished = {pack for pack, _lesson in attempts.under_way(db, learner)}
        hidden = set(self._store.get(HIDDEN, []))
        return [
            state_of(version, versions, rows, completed)
            for version in shown(versions, unfinished, hidden)
            if not _is_library(version.manifest)
        ]

    def course(self, learner: int, pack: int) -> CourseState | None:
        with self._store.read() as db:
            return self._course(db, learner, pack)

    def hide(self, pack: int, is_hidden: bool = True) -> None:
        """Take a version off everybody's list (or put it back); the one before it is learned from again."""
        hidden = {*self._store.get(HIDDEN, [])} - {pack}
        self._store.put(HIDDEN, sorted(hidden | {pack} if is_hidden else hidden))

    def versions(self) -> tuple[list[Version], set[int]]:
        """Every version that is installed, and the numbers of those that are on somebody's list."""
        with self._store.read() as db:
            versions = self._versions(db)
            query = "SELECT DISTINCT pack FROM attempt_answers WHERE submitted = 0"
            unfinished = {row[0] for row in db.execute(query)}
        return versions, {one.pack for one in shown(versions, unfinished, set(self._store.get(HIDDEN, [])))}

    def open_lesson(self, learner: int, pack: int, lesson: int) -> LessonContent:
        """The content of a lesson; that it was opened is recorded."""
        content = self.content(pack, lesson)
        self._recorder.record(LessonOpened(learner, pack, lesson))
        return content

    def content(self, pack: int, lesson: int) -> LessonContent:
        """The content of a lesson, without recording anything.

        Raises:
            UnknownThingError: no such pack or lesson on this device.
        """
        installed = self._pack(pack)
        if not 1 <= lesson <= len(installed.manifest.lessons):
            raise UnknownThingError(N_("Materi ini tidak ada di perangkat ini."))
        return installed.lesson(lesson)

    def finish_reading(self, learner: int, pack: int, lesson: int, seconds: int) -> None:
        """The learner says that the lesson has been read."""
        self.content(pack, lesson)
        self.record(
            learner, pack, lesson, LessonProgressed(learner, pack, lesson, WHOLE, _bounded(seconds))
        )

    def open_answers(self, learner: int, pack: int, lesson: int) -> dict[int, str]:
        """Question number to answer (see `content_packs.questions`), of the attempt under way."""
        with self._store.read() as db:
            return attempts.answers(db, learner, pack, lesson, submitted=False)

    def under_way(self, learner: int) -> dict[tuple[int, int], int]:
        """Of each quiz (pack, lesson) that isn't handed in yet, how many questions have an answer."""
        with self._store.read() as db:
            return attempts.under_way(db, learner)

    def answer(
        self, learner: int, pack: int, lesson: int, question: int, given: str, seconds: int = 0
    ) -> None:
        """Record one answer. Answering again before submission replaces it.

        Raises:
            UnknownThingError: no such question or choice.
            NodeError: no attempts are left.
        """
        questions = self.content(pack, lesson).questions
        asked = questions[question - 1] if 1 <= question <= len(questions) else None
        answer = None if asked is None else read_answer(asked, given)
        if asked is None or answer is None:
            raise UnknownThingError(N_("Soal atau pilihan ini tidak ada."))
        self._check_attempts(learner, pack, lesson)
        place, right, spent = (learner, pack, lesson, question), is_right(asked, answer), _bounded(seconds)
        self._recorder.record(
            QuestionAnswered(*place, int(answer), right, spent)
            if asked.kind is QuestionKind.CHOICE
            else QuestionResponded(*place, answer, right, spent)
        )

    def attempts_left(self, learner: int, pack: int, lesson: int) -> int | None:
        """How often this final test may still be tried; None where nobody counts."""
        state = self.course(learner, pack)
        return None if state is None else state.attempts_left(lesson)

    def submit_quiz(self, learner: int, pack: int, lesson: int) -> QuizResult:
        """Score the attempt under way; unanswered questions count as wrong.

        Raises:
            NodeError: nothing was answered, or no attempts are left.
        """
        questions = self.content(pack, lesson).questions
        answers = self.open_answers(learner, pack, lesson)
        if not answers:
            raise NodeError(N_("Belum ada soal yang dijawab."))
        self._check_attempts(learner, pack, lesson)
        score = attempts.score(attempts.count_right(questions, answers), len(questions))
        self.record(learner, pack, lesson, QuizSubmitted(learner, pack, lesson, score))
        result = self.last_result(learner, pack, lesson)
        if result is None:
            raise UnknownThingError(N_("Soal atau pilihan ini tidak ada."))
        return result

    def last_result(self, learner: int, pack: int, lesson: int) -> QuizResult | None:
        """The last submitted attempt, or None."""
        with self._store.read() as db:
            answers = attempts.answers(db, learner, pack, lesson, submitted=True)
        state = self.course(learner, pack)
        test = state.lesson(lesson) if state else None
        if not answers or state is None or test is None:
            return None
        questions = self.content(pack, lesson).questions
        if not questions:
            # The answers are those of an activity, whose questions only it knows.
            return None
        right = attempts.count_right(questions, answers)
        score = attempts.score(right, len(questions))
        passed = score >= state.manifest.passing_grade * 100 if test.lesson.role == "posttest" else None
        return QuizResult(score, passed, right, len(questions), answers, test.attempts)

    def manifest(self, pack: int) -> Manifest:
        """
        Raises:
            UnknownThingError: no such pack on this device.
        """
        return self._pack(pack).manifest

    def players(self) -> InstalledPack | None:
        """The newest pack of players on this device."""
        with self._store.read() as db:
            found = [one for one in self._versions(db) if _is_library(one.manifest)]
        newest = max(found, key=lambda one: (one.manifest.version, one.pack), default=None)
        return None if newest is None else self._installed(newest.pack)

    def activity_file(self, pack: int, lesson: int, path: str) -> Media | None:
        """A file of the activity that a lesson is played from, or None if it has no such file."""
        installed = self._pack(pack)
        found = installed.manifest.lesson(lesson)
        return None if found is None or not found.player else installed.file(f"{found.activity}/{path}")

    def file_sizes(self, pack: int) -> dict[str, int]:
        """The names of all files of a course, and how many bytes each has."""
        installed = self._installed(pack)
        return {} if installed is None else {file.path: file.size for file in installed.manifest.files}

    def durations(self, pack: int) -> dict[int, Duration]:
        """How long each lesson takes, by its number."""
        return self._durations.of(self._pack(pack))

    def media(self, pack: int, path: str) -> Media | None:
        """A picture, video, sound or document of a course."""
        installed = self._installed(pack)
        return None if installed is None else installed.media(path)

    def record(self, learner: int, pack: int, lesson: int, kind: Kind) -> None:
        """Record, and the completion too if this met the course's rules for the first time."""
        with self._store.write() as db:
            self._recorder.record(kind)
            state = self._course(db, learner, pack)
            if (
                state is not None
                and state.next_lesson is None
                and pack not in people.completed_packs(db, learner)
            ):
                self._recorder.record(CourseCompleted(learner, pack, lesson))

    def _versions(self, db: sqlite3.Connection) -> list[Version]:
        rows = db.execute("SELECT number, manifest_hash FROM packs ORDER BY number").fetchall()
        found = ((number, self._packs.get(manifest_hash)) for number, manifest_hash in rows)
        local = set(self._store.get(LOCAL, []))
        return [
            Version(number, pack.manifest, pack.manifest_hash in local)
            for number, pack in found
            if pack is not None
        ]

    def _course(self, db: sqlite3.Connection, learner: int, pack: int) -> CourseState | None:
        versions = self._versions(db)
        version = next((one for one in versions if one.pack == pack), None)
        if version is None:
            return None
        return state_of(
            version, versions, people.lesson_rows(db, learner), people.completed_packs(db, learner)
        )

    def _check_attempts(self, learner: int, pack: int, lesson: int) -> None:
        if self.attempts_left(learner, pack, lesson) == 0:
            raise NodeError(N_("Kesempatan untuk tes ini sudah habis. Hubungi operator desa."))

    def _pack(self, pack: int) -> InstalledPack:
        installed = self._installed(pack)
        if installed is None:
            raise UnknownThingError(N_("Materi ini tidak ada di perangkat ini."))
        return installed

    def _installed(self, pack: int) -> InstalledPack | None:
        with self._store.read() as db:
            row = db.execute("SELECT manifest_hash FROM packs WHERE number = ?", (pack,)).fetchone()
        return None if row is None else self._packs.get(row[0])


def _is_library(manifest: Manifest) -> bool:
    """Whether a pack holds players and nothing to learn."""
    return manifest.players == {LIBRARY}


def _bounded(seconds: int) -> int:
    return max(0, min(seconds, SECONDS_MAX))
