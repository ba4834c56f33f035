"""Activity of learners as JSON lines, read into the log: the import format of docs/impor.md.

Plays the lines as though this device had been on while they happened: log time moves with `at`, and where
more than two hours lie between two lines the device is taken to have been off, as a clock note says.
Every line has an id; a line that was read before adds nothing. Lines are read in blocks, each in one
transaction, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from content_packs.manifest import Manifest
from node.errors import ActivityError
from node.recorder import Recorder, Source
from node.store import Store
from sync.entries import (
    ClockObserved,
    CourseCompleted,
    Kind,
    LessonOpened,
    LessonProgressed,
    QuestionAnswered,
    QuizSubmitted,
)
from sync.errors import N_
from sync.keys import sha256

OFF_AFTER_MS: Final = 2 * 3600 * 1000
_BLOCK: Final = 1000
_LINE_MAX: Final = 4096

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Score = Annotated[float, msgspec.Meta(ge=0, le=100)]


class Line(msgspec.Struct, frozen=True):
    """One line of activity. Keys that aren't named here are ignored."""

    id: Text
    at: datetime
    learner: Text
    course: Text
    lesson: Text
    kind: Literal["lesson_opened", "lesson_progress", "answer_given", "quiz_submitted", "course_completed"]
    seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0
    item: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    choice: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    correct: bool | None = None
    progress: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    score: Score | None = None
    learner_name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    position: Annotated[str, msgspec.Meta(max_length=200)] = ""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a file: lines read, recorded now, known from before; learners introduced."""

    lines: int
    recorded: int
    known: int
    learners: int


class Player:
    """Reads activity into one node's log."""

    def __init__(self, store: Store, recorder: Recorder, courses: dict[int, Manifest]) -> None:
        """`courses`: the manifests of the installed packs by their number in this log."""
        self._store = store
        self._recorder = recorder
        self._lessons = {
            (manifest.course_id, lesson.id): (pack, lesson.number, len(lesson.question_ids))
            for pack, manifest in courses.items()
            for lesson in manifest.lessons
        }
        self._wall: tuple[int, int] | None = None
        self._boots = 0

    def play(self, lines: Iterable[bytes], progress: Callable[[int], None] = lambda count: None) -> Played:
        """Record every line that wasn't recorded before; empty lines are skipped.

        Raises:
            ActivityError: a line can't be read or names something unknown; the block of up to 1,000
                lines that it stands in was not recorded, the blocks before it were.
        """
        total = recorded = learners = 0
        numbered = ((at, text) for at, text in enumerate(lines, start=1) if text.strip())
        while block := list(itertools.islice(numbered, _BLOCK)):
            with self._store.write() as db:
                new, introduced = self._play_block(db, [(at, read_line(text, at)) for at, text in block])
            total, recorded, learners = total + len(block), recorded + new, learners + introduced
            progress(total)
        return Played(total, recorded, total - recorded, learners)

    def _play_block(self, db: sqlite3.Connection, lines: list[tuple[int, Line]]) -> tuple[int, int]:
        fresh: list[tuple[int, Line]] = []
        for at, line in lines:
            cursor = db.execute("INSERT OR IGNORE INTO imported VALUES (?)", (_line_id(line.id),))
            if cursor.rowcount:
                fresh.append((at, line))
        people, introduced = self._people(db, [line for _, line in fresh])
        kinds = [(self._kind(line, at, people), line) for at, line in fresh]
        if kinds:
            timed = self._timed(kinds)
            self._recorder.record_played(timed, self._wall)
        return len(fresh), introduced

    def _people(self, db: sqlite3.Connection, lines: list[Line]) -> tuple[dict[str, int], int]:
        known = dict(db.execute("SELECT external, learner FROM imported_learners").fetchall())
        new: dict[str, Line] = {}
        for line in lines:
            if line.learner not in known:
                new.setdefault(line.learner, line)
        profiles = [
            self._recorder.new_profile(
                line.learner_name.strip() or f"Peserta {line.learner[:8]}", line.position
            )
            for line in new.values()
        ]
        if profiles:
            numbers = self._recorder.add_learners(profiles)
            db.executemany("INSERT INTO imported_learners VALUES (?, ?)", zip(new, numbers, strict=True))
            known.update(zip(new, numbers, strict=True))
        return known, len(new)

    def _timed(self, kinds: list[tuple[Kind, Line]]) -> list[tuple[Kind, int]]:
        """Give each entry its log time, with clock notes where the device had been off."""
        now = self._recorder.now()
        timed: list[tuple[Kind, int]] = []
        t = now if self._wall is None else max(now, self._wall[0])
        for kind, line in kinds:
            wall_ms = int(line.at.timestamp() * 1000)
            since = None if self._wall is None else wall_ms - (self._wall[1] + t - self._wall[0])
            if since is None or not 0 <= since < OFF_AFTER_MS:
                step = line.seconds * 1000 + (since or 0) % 1000
                self._boots += 1
                self._wall = (t, wall_ms - step)
                timed.append((ClockObserved(self._boots, wall_ms - step, Source.IMPORTED), t))
                since = step
            t += since
            timed.append((kind, t))
        return timed

    def _kind(self, line: Line, at: int, people: dict[str, int]) -> Kind:
        place = self._lessons.get((line.course, line.lesson))
        if place is None:
            raise ActivityError(
                N_(
                    "Baris %(line)s: pelatihan %(course)s dengan materi %(lesson)s belum dipasang. Pasang dulu paketnya."
                ),
                line=at,
                course=line.course,
                lesson=line.lesson,
            )
        pack, lesson, questions = place
        who = people[line.learner]
        if line.kind == "lesson_opened":
            return LessonOpened(who, pack, lesson, line.seconds)
        if line.kind == "lesson_progress" and line.progress is not None:
            return LessonProgressed(who, pack, lesson, round(line.progress * 10_000), line.seconds)
        if line.kind == "quiz_submitted" and line.score is not None:
            return QuizSubmitted(who, pack, lesson, round(line.score * 100), line.seconds)
        if line.kind == "course_completed":
            return CourseCompleted(who, pack, lesson, line.seconds)
        if line.kind != "answer_given":
            raise _incomplete(line, at)
        if line.item is not None and line.choice is not None and line.correct is not None:
            if line.item > questions:
                raise ActivityError(
                    N_("Baris %(line)s: materi ini hanya punya %(count)s soal."), line=at, count=questions
                )
            return QuestionAnswered(who, pack, lesson, line.item, line.choice, line.correct, line.seconds)
        raise _incomplete(line, at)


_DECODER: Final = msgspec.json.Decoder(Line)


def read_line(text: bytes, at: int) -> Line:
    """Read line number `at`.

    Raises:
        ActivityError: with the line's number and what is wrong.
    """
    if len(text) > _LINE_MAX:
        raise ActivityError(N_("Baris %(line)s terlalu panjang."), line=at)
    try:
        line = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ActivityError(
            N_("Baris %(line)s tidak dapat dibaca: %(problem)s"), line=at, problem=problem
        ) from problem
    if line.at.tzinfo is None:
        raise ActivityError(
            N_("Baris %(line)s: waktu harus menyebut zona, misalnya 2026-03-02T01:00:00Z."), line=at
        )
    return line


def _incomplete(line: Line, at: int) -> ActivityError:
    return ActivityError(N_("Baris %(line)s: isian untuk %(kind)s tidak lengkap."), line=at, kind=line.kind)


_HEX_ID: Final = re.compile(r"[0-9a-f]{32}")


def _line_id(text: str) -> bytes:
    """16 bytes for the usual hexadecimal ids, 32 for any other: two ids are never taken for one."""
    return bytes.fromhex(text) if _HEX_ID.fullmatch(text) else sha256(text.encode())
