"""What SCORM, H5P and cmi5 say of a learner's work, read strictly into one form. Pure.

A course is foreign: whatever it says is bounded here, and it can only speak of its own lesson. Sources: scorm-again 3's
commit object (SCORM 1.2 and 2004 run-time data); xAPI 1.0.3, sections 4.1.5 and 4.1.11; cmi5 Quartz, section 9.3.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from node.course_state import WHOLE
from node.errors import OutcomeError
from sync.errors import N_

BODY_MOST: Final = 256 * 1024
STATE_MOST: Final = 128 * 1024
ANSWERS_MOST: Final = 200
ANSWER_MOST: Final = 200
ID_MOST: Final = 250
STATEMENTS_MOST: Final = 200
_DONE: Final = ("completed", "passed", "mastered")
_FINAL: Final = ("completed", "passed", "failed", "terminated", "mastered", "scored")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a question that only the activity knows, by the activity's own name for it."""

    id: str
    response: str
    right: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """`score` is in hundredths of a percent. `is_final`: the learner has finished with it for now."""

    completed: bool = False
    score: int | None = None
    is_final: bool = False
    answers: tuple[Answered, ...] = ()
    state: str | None = None
    """What the activity wants to be given when it is opened again."""


class _Score(msgspec.Struct):
    raw: float | str | None = None
    min: float | str | None = None
    max: float | str | None = None
    scaled: float | str | None = None


class _Commit(msgspec.Struct):
    """What scorm-again sends with `renderCommonCommitFields`."""

    completionStatus: str = ""  # noqa: N815 - the sender's names
    successStatus: str = ""  # noqa: N815
    runtimeData: dict[str, Any] = {}  # noqa: N815
    score: _Score | None = None


class _Told(msgspec.Struct):
    """What our page of an H5P activity sends: a statement, and what the activity wants kept."""

    statement: dict[str, Any] | None = None
    is_child: bool = False
    state: str | None = None


def of_scorm(body: bytes, is_final: bool) -> Outcome:
    """
    Raises:
        OutcomeError: it isn't such a commit.
    """
    commit = _decoded(body, _Commit)
    cmi = commit.runtimeData.get("cmi", {})
    if not isinstance(cmi, dict):
        raise _unreadable()
    completed = commit.completionStatus == "completed" or commit.successStatus == "passed"
    score = _scaled(commit.score) if commit.score is not None else None
    return Outcome(completed, score, is_final, _interactions(cmi), _kept_cmi(cmi))


def of_h5p(body: bytes) -> Outcome:
    """
    Raises:
        OutcomeError: it isn't what our page sends.
    """
    told = _decoded(body, _Told)
    state = None if told.state is None else kept(told.state)
    if told.statement is None:
        return Outcome(state=state)
    outcome = of_statement(told.statement)
    if told.is_child:
        # A part of it was answered; only the whole has a score.
        return Outcome(answers=outcome.answers, state=state)
    # Content that is one question is only ever `answered`.
    is_final = outcome.is_final or (_verb(told.statement) == "answered" and outcome.score is not None)
    return Outcome(outcome.completed or is_final, outcome.score, is_final, outcome.answers, state)


def of_statement(statement: dict[str, Any]) -> Outcome:
    """What an xAPI statement says of the learner who is here; its actor isn't looked at.

    Raises:
        OutcomeError: it isn't one.
    """
    verb = _verb(statement)
    result = statement.get("result")
    result = result if isinstance(result, dict) else {}
    score = None
    if isinstance(result.get("score"), dict):
        score = _scaled(_converted(result["score"]))
    completed = verb in _DONE or (result.get("completion") is True and verb != "answered")
    answers: tuple[Answered, ...] = ()
    if verb in ("answered", "interacted") and isinstance(result.get("response"), str):
        found = _object_id(statement)
        is_right = result.get("success") is True or (result.get("success") is None and score == WHOLE)
        answers = (Answered(found, result["response"][:ANSWER_MOST], is_right),) if found else ()
    return Outcome(completed, score, verb in _FINAL, answers)


def decoded_statements(body: bytes) -> list[dict[str, Any]]:
    """One statement or several, as xAPI clients send them.

    Raises:
        OutcomeError: they aren't.
    """
    read = _decoded(body, list[dict[str, Any]] | dict[str, Any])
    made: list[dict[str, Any]] = read if isinstance(read, list) else [read]
    if len(made) > STATEMENTS_MOST:
        raise _too_large()
    return made


def _decoded(body: bytes, kind: Any) -> Any:
    if len(body) > BODY_MOST:
        raise _too_large()
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise _unreadable() from problem


def _converted(score: dict[str, Any]) -> _Score:
    try:
        return msgspec.convert(score, _Score, strict=False)
    except msgspec.MsgspecError as problem:
        raise _unreadable() from problem


def _verb(statement: dict[str, Any]) -> str:
    verb = statement.get("verb")
    id_ = verb.get("id") if isinstance(verb, dict) else None
    if not isinstance(id_, str):
        raise _unreadable()
    return id_.rpartition("/")[2].lower()


def _object_id(statement: dict[str, Any]) -> str:
    found = statement.get("object")
    id_ = found.get("id") if isinstance(found, dict) else None
    return id_[-ID_MOST:] if isinstance(id_, str) else ""


def _scaled(score: _Score) -> int | None:
    """A score between none and all; negative ones are none."""
    scaled, raw = _number(score.scaled), _number(score.raw)
    if scaled is None and raw is not None:
        low, high = _number(score.min), _number(score.max)
        low, high = low or 0.0, 100.0 if high is None else high
        scaled = (raw - low) / (high - low) if high > low else None
    return None if scaled is None else round(WHOLE * min(1.0, max(0.0, scaled)))


def _number(value: float | str | None) -> float | None:
    try:
        number = float(value) if value not in (None, "") else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and math.isfinite(number) else None


def _interactions(cmi: dict[str, Any]) -> tuple[Answered, ...]:
    """SCORM's interactions: an array, or an object whose keys are numbers."""
    found = cmi.get("interactions")
    listed = found.get("childArray", list(found.values())) if isinstance(found, dict) else found
    made = []
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or not isinstance(one.get("id"), str) or not one["id"]:
            continue
        response = one.get("student_response") or one.get("learner_response") or ""
        if one.get("result") in (None, "") or not isinstance(response, str):
            continue
        made.append(Answered(one["id"][:ID_MOST], response[:ANSWER_MOST], one["result"] == "correct"))
    return tuple(made[:ANSWERS_MOST])


def _kept_cmi(cmi: dict[str, Any]) -> str:
    """SCORM's state; its interactions, which are in the log, are left out of one that is too large."""
    try:
        whole = json.dumps(cmi, ensure_ascii=False)
        if _size(whole) <= STATE_MOST:
            return kept(whole)
        rest = {name: value for name, value in cmi.items() if name != "interactions"}
        return kept(json.dumps(rest, ensure_ascii=False))
    except RecursionError as problem:
        raise _unreadable() from problem


def kept(state: str) -> str:
    """What an activity wants to keep, if that isn't too much.

    Raises:
        OutcomeError: it is.
    """
    if _size(state) > STATE_MOST:
        raise OutcomeError(
            N_("Kegiatan ini ingin menyimpan terlalu banyak. Nilai yang sudah tersimpan aman.")
        )
    return state.encode("utf-8", "replace").decode()


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _too_large() -> OutcomeError:
    return OutcomeError(N_("Hasil kegiatan ini terlalu besar dan tidak disimpan."))


def _unreadable() -> OutcomeError:
    return OutcomeError(N_("Hasil kegiatan ini tidak dapat dibaca dan tidak disimpan."))
