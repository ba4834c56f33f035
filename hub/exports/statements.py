"""Entries as statements of the Experience API 1.0.3 (https://github.com/adlnet/xAPI-Spec), with the verbs of ADL.

A statement says what its entry says and nothing that changes later: whoever gets it twice gets the same. So the actor is
the identity in its log, not the person whom operators find behind several identities, and the name of an activity has
the version in it. The id comes from the log, the entry's number and its content, since the branches of a forked log
have entries of the same number.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from content_packs.outline import Lesson
from hub.exports.entries import Told, What
from sync import cbor
from sync.entries import (
    CourseCompleted,
    Kind,
    LessonProgressed,
    QuestionAnswered,
    QuestionResponded,
    QuizSubmitted,
    read_kind,
)
from sync.keys import sha256

VERSION: Final = "1.0.3"
KINDS: Final = frozenset(
    kind.number
    for kind in (CourseCompleted, LessonProgressed, QuestionAnswered, QuestionResponded, QuizSubmitted)
)
_NAMESPACE: Final = uuid.UUID("6f2d7a52-0c61-5d0e-9b1f-6c6f6e746172")
_VERBS: Final = "http://adlnet.gov/expapi/verbs/"
_ACTIVITIES: Final = "http://adlnet.gov/expapi/activities/"
_PROGRESS: Final = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_LANGUAGE: Final = "id-ID"
_EVERY: Final = 1000
_WORDS: Final = {
    "completed": "menyelesaikan",
    "progressed": "maju",
    "answered": "menjawab",
    "scored": "memperoleh nilai",
}

Json = dict[str, Any]


def statement(told: Told, home: str) -> Json:
    """`home` is the address of this centre: it makes the numbers of people and courses unique in the world."""
    kind = read_kind(told.entry)
    verb, thing, result = _said(kind, told.what, home)
    made: Json = {
        "id": _id(told),
        "actor": _actor(told, home),
        "verb": {"id": _VERBS + verb, "display": {_LANGUAGE: _WORDS[verb], "en": verb}},
        "object": thing,
        "result": {**result, "duration": f"PT{getattr(kind, 'seconds', 0)}S"},
        "context": _context(told, kind, home),
    }
    if told.at_ms is not None:
        made["timestamp"] = datetime.fromtimestamp(told.at_ms / 1000, UTC).isoformat(
            timespec="milliseconds"
        )
    return made


def _id(told: Told) -> str:
    entry = told.entry
    content = sha256(cbor.encode([entry.kind, entry.t, list(entry.fields)]))
    return str(uuid.uuid5(_NAMESPACE, f"{told.log.hex()}/{entry.seq}/{content.hex()}"))


def _actor(told: Told, home: str) -> Json:
    account = {"homePage": home, "name": told.who.learner.hex()}
    named = {"name": told.who.name} if told.who.name else {}
    return {"objectType": "Agent", **named, "account": account}


def _said(kind: Kind | None, what: What, home: str) -> tuple[str, Json, Json]:
    """(verb, object, result) of an entry."""
    match kind:
        case CourseCompleted():
            return "completed", _course(what, home), {"completion": True}
        case LessonProgressed():
            share = {_PROGRESS: max(0, min(100, kind.reached // 100))}
            return "progressed", _lesson(what, kind.lesson, home), {"extensions": share}
        case QuestionAnswered():
            thing = _question(what, kind.lesson, kind.question, "choice", home)
            return "answered", thing, {"success": kind.right, "response": str(kind.choice)}
        case QuestionResponded():
            thing = _question(what, kind.lesson, kind.question, "other", home)
            return "answered", thing, {"success": kind.right, "response": kind.response}
        case QuizSubmitted():
            return "scored", _lesson(what, kind.lesson, home), _score(kind, what)
    raise ValueError(f"no statement is made of {kind!r}")


def _score(kind: QuizSubmitted, what: What) -> Json:
    hundredths = max(0, min(10_000, kind.score))
    score = {"scaled": hundredths / 10_000, "raw": hundredths / 100, "min": 0, "max": 100}
    lesson = _outline(what, kind.lesson)
    if what.manifest is None or lesson is None or lesson.role != "posttest":
        return {"score": score}
    return {"score": score, "success": hundredths >= what.manifest.passing_grade * 100}


def _context(told: Told, kind: Kind | None, home: str) -> Json:
    activities: Json = {}
    if not isinstance(kind, CourseCompleted):
        activities["grouping"] = [_course(told.what, home)]
    if isinstance(kind, QuestionAnswered | QuestionResponded):
        activities["parent"] = [_lesson(told.what, kind.lesson, home)]
    context: Json = {
        "platform": "Lontar",
        "revision": str(told.what.version),
        "extensions": {f"{home}/xapi/wilayah": told.village},
    }
    return {**context, "contextActivities": activities} if activities else context


def _course(what: What, home: str) -> Json:
    return _activity(f"{home}/pelatihan/{what.course_key.hex()}", "course", _title(what))


def _lesson(what: What, number: int, home: str) -> Json:
    lesson = _outline(what, number)
    is_test = lesson is not None and lesson.role != "lesson"
    address = _lesson_address(what, number, home)
    return _activity(address, "assessment" if is_test else "lesson", lesson.title if lesson else "")


def _question(what: What, lesson: int, question: int, interaction: str, home: str) -> Json:
    made = _activity(f"{_lesson_address(what, lesson, home)}/soal/{question}", "cmi.interaction", "")
    made["definition"]["interactionType"] = interaction
    return made


def _activity(address: str, type_: str, name: str) -> Json:
    definition: Json = {"type": _ACTIVITIES + type_}
    if name:
        definition["name"] = {_LANGUAGE: name}
    return {"objectType": "Activity", "id": address, "definition": definition}


def _lesson_address(what: What, number: int, home: str) -> str:
    return f"{home}/pelatihan/{what.course_key.hex()}/versi/{what.version}/materi/{number}"


def _title(what: What) -> str:
    return what.manifest.title if what.manifest else ""


def _outline(what: What, number: int) -> Lesson | None:
    return what.manifest.lesson(number) if what.manifest else None


def line(told: Told, home: str) -> str:
    """As it stands in a file of statements, one a line."""
    return json.dumps(statement(told, home), ensure_ascii=False, separators=(",", ":"))


def write(file: Path, lines: Iterable[str], progress: Callable[[int], None] = lambda count: None) -> int:
    """Write a file of statements, which is there whole or not at all; returns how many it holds."""
    begun = file.with_name(f"{file.name}.part")
    count = 0
    try:
        with begun.open("w", encoding="utf-8", newline="\n") as out:
            for count, one in enumerate(lines, 1):
                out.write(f"{one}\n")
                if count % _EVERY == 0:
                    progress(count)
        begun.replace(file)
    finally:
        begun.unlink(missing_ok=True)
    progress(count)
    return count
