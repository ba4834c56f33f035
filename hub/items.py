"""Which questions go wrong: item analysis of what people answered at first. Pure; the same in whatever order entries come.

A person's first answer to a question counts, and the first score of the quiz in which it stands. Difficulty is the share
of right answers. Discrimination is the point-biserial correlation of the answer with the score: whether those who do well
elsewhere do well here. Its limits are those of Ebel and Frisbie (Essentials of Educational Measurement, 1991: below 0.20
poor, to be revised), made for the difference between the upper and the lower 27 % (T. L. Kelley, The selection of upper
and lower groups for the validation of test items, 1939); the correlation uses everybody and needs no cut. The score holds
the question itself, so that in short quizzes it looks a little better than it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from sync.batch import Batch, Group
from sync.entries import QuestionAnswered, QuestionResponded, QuizSubmitted

FEW: Final = 10
"""With fewer people nothing is said of a question."""
HARD: Final = 0.30
EASY: Final = 0.95
POOR: Final = 0.20

Rank = tuple[bool, bytes, int]
"""What came first: an identity that goes on from another one comes later; then by log and number of the entry."""


class Advice(Enum):
    """What should be done about a question, the most pressing first."""

    FEW = "few"
    KEY = "key"
    HARD = "hard"
    POOR = "poor"
    EASY = "easy"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a number of a log means; `goes_on` if the identity continues another one."""

    number: int
    goes_on: bool


@dataclass
class Firsts:
    """First answers by (person, lesson, question), first scores by (person, lesson)."""

    answers: dict[tuple[int, int, int], tuple[Rank, str, bool]] = field(default_factory=dict)
    scores: dict[tuple[int, int], tuple[Rank, int]] = field(default_factory=dict)

    def take(self, log: bytes, people: Sequence[Person], packs: Collection[int], batch: Batch) -> None:
        """Add what a segment of a log says of the packs with these numbers."""
        for group in batch.groups:
            if group.kind in (QuestionAnswered.number, QuestionResponded.number):
                self._take_answers(log, people, packs, group)
            elif group.kind == QuizSubmitted.number:
                self._take_scores(log, people, packs, group)

    def join(self, other: Firsts) -> None:
        _join(self.answers, other.answers)
        _join(self.scores, other.scores)

    def _take_answers(
        self, log: bytes, people: Sequence[Person], packs: Collection[int], group: Group
    ) -> None:
        questions, given, right = group.columns[:3]
        for start, stop, (learner, pack, lesson) in group.runs:
            if pack not in packs:
                continue
            person = people[learner]
            for at in range(start, stop):
                said = ((person.goes_on, log, group.seqs[at]), str(given[at]), bool(right[at]))
                _put(self.answers, (person.number, lesson, questions[at]), said)

    def _take_scores(
        self, log: bytes, people: Sequence[Person], packs: Collection[int], group: Group
    ) -> None:
        for start, stop, (learner, pack, lesson) in group.runs:
            if pack in packs:
                person = people[learner]
                for at in range(start, stop):
                    rank = (person.goes_on, log, group.seqs[at])
                    _put(self.scores, (person.number, lesson), (rank, group.columns[0][at]))


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `discrimination` is None where nothing can be said; `wrong` is the wrong answer that most gave."""

    lesson: int
    question: int
    people: int
    right: int
    discrimination: float | None
    wrong: str
    wrong_people: int

    @property
    def difficulty(self) -> float:
        """The share of right answers; the lower, the harder."""
        return self.right / self.people

    @property
    def advice(self) -> Advice:
        found = self.discrimination
        if self.people < FEW:
            return Advice.FEW
        if self.difficulty > EASY:
            # So few are wrong that who they are is chance.
            return Advice.EASY
        if found is not None and found < 0:
            return Advice.KEY
        if self.difficulty < HARD:
            return Advice.HARD
        return Advice.POOR if found is not None and found < POOR else Advice.GOOD


def analysed(firsts: Firsts) -> list[Item]:
    """Every question that somebody answered, in the order of the course."""
    answers: dict[tuple[int, int], list[tuple[str, bool, int | None]]] = {}
    for (person, lesson, question), (_rank, given, right) in firsts.answers.items():
        score = firsts.scores.get((person, lesson))
        said = (given, right, None if score is None else score[1])
        answers.setdefault((lesson, question), []).append(said)
    return [_item(place, said) for place, said in sorted(answers.items())]


def point_biserial(pairs: Sequence[tuple[bool, int]]) -> float | None:
    """The correlation of being right with a score; None if all are right or wrong, or all scores are the same."""
    right = [score for is_right, score in pairs if is_right]
    wrong = [score for is_right, score in pairs if not is_right]
    if not right or not wrong:
        return None
    count, total = len(pairs), sum(score for _, score in pairs)
    squares = count * sum(score * score for _, score in pairs) - total * total
    if squares == 0:
        return None
    apart = sum(right) / len(right) - sum(wrong) / len(wrong)
    return apart * math.sqrt(len(right) * len(wrong)) / math.sqrt(squares)


def _item(place: tuple[int, int], said: Sequence[tuple[str, bool, int | None]]) -> Item:
    right = sum(is_right for _, is_right, _ in said)
    found = point_biserial([(is_right, score) for _, is_right, score in said if score is not None])
    wrong = Counter(given for given, is_right, _ in said if not is_right)
    # What a single person answered says nothing of the question, and may say something of the person.
    most = min(wrong.items(), key=lambda one: (-one[1], one[0]), default=("", 0))
    answer, people = most if most[1] > 1 else ("", 0)
    return Item(*place, len(said), right, None if found is None else round(found, 4), answer, people)


def _put(into: dict[Any, Any], key: Any, said: Any) -> None:
    known = into.get(key)
    if known is None or said < known:
        into[key] = said


def _join(into: dict[Any, Any], other: Mapping[Any, Any]) -> None:
    for key, said in other.items():
        _put(into, key, said)
