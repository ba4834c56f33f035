"""What one village laptop records in the bench's workload, as entries, without a node around them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from bench import catalogue
from bench.workload import events
from sync.entries import (
    ClockObserved,
    CourseCompleted,
    Entry,
    Kind,
    LessonOpened,
    LessonProgressed,
    QuestionAnswered,
    QuizSubmitted,
)

OFF_AFTER_MS = 2 * 3600 * 1000
"""A longer silence means that the laptop was switched off: log time stands still, the wall clock is noted."""


def workload(village: int, count: int) -> list[Entry]:
    """The first `count` activities of a village and the clock notes between them; numbered from 0."""
    lessons = {
        (course, lesson): (pack, number)
        for pack, (course, names) in enumerate(catalogue.courses())
        for number, lesson in enumerate(names, start=1)
    }
    return recorded(islice(events(village, count, seed=7), count), lessons)


def recorded(
    lines: Iterable[dict[str, Any]], lessons: dict[tuple[str, str], tuple[int, int]]
) -> list[Entry]:
    """Lines of activity as a node records them; `lessons` gives (course, lesson) its pack and number."""
    people: dict[str, int] = {}
    made = []
    for seq, (kind, t) in enumerate(_timed(lines, lessons, people)):
        made.append(Entry(seq, kind.number, t, kind.fields()))
    return made


def _timed(
    lines: Iterable[dict[str, Any]],
    lessons: dict[tuple[str, str], tuple[int, int]],
    people: dict[str, int],
) -> Iterator[tuple[Kind, int]]:
    t = boots = 0
    before: int | None = None
    for line in lines:
        wall_ms = int(dt.datetime.fromisoformat(line["at"]).timestamp() * 1000)
        since = None if before is None else wall_ms - before
        if since is None or since >= OFF_AFTER_MS:
            since = line["seconds"] * 1000 + (since or 0) % 1000
            yield ClockObserved(boots := boots + 1, wall_ms - since, 2), t
        t, before = t + since, wall_ms
        who = people.setdefault(line["learner"], len(people))
        yield _kind(line, who, *lessons[line["course"], line["lesson"]]), t


def _kind(line: dict[str, Any], who: int, pack: int, lesson: int) -> Kind:
    seconds = line["seconds"]
    match line["kind"]:
        case "lesson_opened":
            return LessonOpened(who, pack, lesson, seconds)
        case "lesson_progress":
            return LessonProgressed(who, pack, lesson, round(line["progress"] * 10_000), seconds)
        case "answer_given":
            return QuestionAnswered(
                who, pack, lesson, line["item"], line["choice"], line["correct"], seconds
            )
        case "quiz_submitted":
            return QuizSubmitted(who, pack, lesson, round(line["score"] * 100), seconds)
        case "course_completed":
            return CourseCompleted(who, pack, lesson, seconds)
    raise ValueError(line["kind"])
