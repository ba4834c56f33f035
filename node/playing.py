"""What becomes of an activity's results: ordinary entries, few of them, and a state to go on from. Owns activity_states.

Activities say the same thing often; an entry is made only where something is new. Their own state stays on this laptop: it
can be large, and only the activity understands it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from content_packs.outline import Lesson
from node.course_state import WHOLE
from node.learning import Learning
from node.outcomes import ANSWERS_MOST, Outcome
from node.plays import ANSWERS_MOST as ANSWERS_A_PLAY
from node.plays import SUBMISSIONS_MOST, TIMES_MOST, Play
from node.recorder import Recorder
from node.store import Store
from sync import cbor
from sync.entries import Kind, LessonProgressed, QuestionResponded, QuizSubmitted

_SESSION_MOST_S: Final = 4 * 3600
_ROW_MOST: Final = 1024 * 1024
"""More than a state and all answers that are let in can be."""


@dataclass
class Kept:
    """What this laptop remembers of a learner and an activity. `score` was said last, `recorded` is in the log."""

    version: int
    state: str = ""
    completed: bool = False
    score: int | None = None
    recorded: int | None = None
    answered: dict[str, list[Any]] = field(default_factory=dict)
    """Question's id to [its number, the answer that is in the log]."""


class Playing:
    """One per node."""

    def __init__(self, store: Store, recorder: Recorder, learning: Learning) -> None:
        self._store = store
        self._recorder = recorder
        self._learning = learning

    def kept(self, play: Play) -> Kept:
        """What is remembered for a learner who opens an activity; nothing if it was revised since."""
        with self._store.read() as db:
            return self._load(db, play)

    def begin(self, play: Play) -> None:
        """A score that a power cut kept from being handed in is handed in now."""
        with self._store.write() as db:
            kept = self._load(db, play)
            if self._may_hand_in(play, kept):
                self._hand_in(play, kept, 0)
                self._save(db, play, kept)

    def take(self, play: Play, *outcomes: Outcome) -> Kept:
        """Record what is new of outcomes, all or nothing. When this returns it is on the disk."""
        with self._store.write() as db:
            kept = self._load(db, play)
            before = cbor.encode(_written(kept))
            for outcome in outcomes:
                self._take(play, kept, outcome)
            if cbor.encode(_written(kept)) != before:
                self._save(db, play, kept)
        return kept

    def change_state(self, play: Play, change: Callable[[str], str]) -> None:
        """Keep what `change` makes of what an activity kept; nothing else comes between."""
        with self._store.write():
            self.take(play, Outcome(state=change(self.kept(play).state)))

    def attempts_are_over(self, play: Play) -> bool:
        """Whether this is a final test and may not be handed in again."""
        return self._learning.attempts_left(play.learner, play.pack, play.lesson) == 0

    def _take(self, play: Play, kept: Kept, outcome: Outcome) -> None:
        self._take_answers(play, kept, outcome)
        if outcome.score is not None:
            kept.score = outcome.score
        seconds = (
            self._seconds(play) if outcome.is_final or (outcome.completed and not kept.completed) else 0
        )
        if outcome.completed and not kept.completed:
            kept.completed = True
            self._record(play, LessonProgressed(play.learner, play.pack, play.lesson, WHOLE, seconds))
            seconds = 0
        if (outcome.is_final or outcome.completed) and self._may_hand_in(play, kept):
            self._hand_in(play, kept, seconds)
        elif outcome.is_final and seconds and play.times < TIMES_MOST:
            play.times += 1
            self._record(play, LessonProgressed(play.learner, play.pack, play.lesson, 0, seconds))
        if outcome.state is not None:
            kept.state = outcome.state

    def _may_hand_in(self, play: Play, kept: Kept) -> bool:
        """Whether there is a score that isn't in the log and may go there."""
        is_news = kept.score is not None and kept.score != kept.recorded
        return is_news and play.submissions < SUBMISSIONS_MOST and not self.attempts_are_over(play)

    def _hand_in(self, play: Play, kept: Kept, seconds: int) -> None:
        score = kept.score or 0
        play.submissions += 1
        kept.recorded = kept.score
        self._record(play, QuizSubmitted(play.learner, play.pack, play.lesson, score, seconds))

    def _take_answers(self, play: Play, kept: Kept, outcome: Outcome) -> None:
        # The lesson may have questions of its own, which come first.
        before = len(self._place(play)[0].question_ids)
        for answer in outcome.answers:
            known = kept.answered.get(answer.id)
            if play.answers >= ANSWERS_A_PLAY or (known is None and len(kept.answered) >= ANSWERS_MOST):
                continue
            number = known[0] if known else before + len(kept.answered) + 1
            if known is None or known[1] != answer.response:
                play.answers += 1
                kept.answered[answer.id] = [number, answer.response]
                place = (play.learner, play.pack, play.lesson, number)
                self._record(play, QuestionResponded(*place, answer.response, answer.right))

    def _record(self, play: Play, kind: Kind) -> None:
        self._learning.record(play.learner, play.pack, play.lesson, kind)

    def _seconds(self, play: Play) -> int:
        """Seconds since the play began, or since it was last asked."""
        now = self._recorder.now()
        seconds = max(0, min((now - play.began_t) // 1000, _SESSION_MOST_S))
        play.began_t = now
        return seconds

    def _load(self, db: sqlite3.Connection, play: Play) -> Kept:
        lesson, course_key, version = self._place(play)
        query = """SELECT content FROM activity_states
                   WHERE learner = (SELECT id FROM learners WHERE number = ?) AND course_key = ? AND lesson = ?"""
        row = db.execute(query, (play.learner, course_key, lesson.id)).fetchone()
        kept = Kept(version) if row is None else _read(cbor.decode(row[0], _ROW_MOST))
        return kept if lesson.revised_in <= kept.version else Kept(version)

    def _save(self, db: sqlite3.Connection, play: Play, kept: Kept) -> None:
        lesson, course_key, _version = self._place(play)
        db.execute(
            """INSERT OR REPLACE INTO activity_states (learner, course_key, lesson, content)
               SELECT id, ?, ?, ? FROM learners WHERE number = ?""",
            (course_key, lesson.id, cbor.encode(_written(kept)), play.learner),
        )

    def _place(self, play: Play) -> tuple[Lesson, bytes, int]:
        manifest = self._learning.manifest(play.pack)
        lesson = manifest.lessons[play.lesson - 1]
        return lesson, manifest.course_key, manifest.version


def forget(db: sqlite3.Connection, commitment: bytes) -> None:
    """Delete what activities kept of a person whose profile was erased."""
    query = "DELETE FROM activity_states WHERE learner IN (SELECT id FROM learners WHERE commitment = ?)"
    db.execute(query, (commitment,))


def _written(kept: Kept) -> list[Any]:
    answered = [[id_, number, response] for id_, (number, response) in kept.answered.items()]
    none = -1
    score, recorded = (none if one is None else one for one in (kept.score, kept.recorded))
    return [kept.version, kept.state, kept.completed, score, recorded, answered]


def _read(written: Any) -> Kept:
    version, state, completed, score, recorded, answered = written
    found: Mapping[str, list[Any]] = {id_: [number, response] for id_, number, response in answered}
    return Kept(version, state, completed, _some(score), _some(recorded), dict(found))


def _some(score: int) -> int | None:
    return None if score < 0 else score
