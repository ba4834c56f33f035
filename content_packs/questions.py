"""Kinds of questions, what an answer to one looks like, and whether it is right. Pure.

An answer is a short text, so that it can stand in an entry: `2` for one choice, `0,2` for several, `1,0,2` for what each
stem is matched with or for an order, the words or the number as they were typed. A question is right or it isn't: there
are no half points, which nobody could explain to a learner who failed by half of one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import IntEnum
from hashlib import sha256
from typing import Final

ANSWER_MOST: Final = 200
"""Characters of a typed answer."""


class QuestionKind(IntEnum):
    """Numbers stand in packs; never change one."""

    CHOICE = 0
    """One of the choices is right. True or false is a choice between two."""
    MULTIPLE = 1
    """All right choices and no other must be ticked."""
    MATCHING = 2
    """Each choice (stem) belongs to one of the targets."""
    ORDERING = 3
    """The choices stand in their right order and are shown in another one."""
    TEXT = 4
    """One of the accepted texts, whatever the case, spaces and marks at its end."""
    NUMBER = 5
    """`accepted` is the number and how far an answer may lie from it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a lesson. Texts are safe HTML, but for `accepted`, which is plain.

    `right`: of CHOICE the place of the right one, of MULTIPLE the places of all right ones, of MATCHING for each choice the
    place of its target; empty for the other kinds.
    """

    number: int
    id: str
    text: str
    choices: tuple[str, ...]
    right: tuple[int, ...]
    explanation: str
    kind: QuestionKind = QuestionKind.CHOICE
    targets: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()

    @property
    def shown_order(self) -> tuple[int, ...]:
        """In which order choices of ORDERING, or targets of MATCHING, are shown: mixed, and always the same."""
        of = self.targets if self.kind is QuestionKind.MATCHING else self.choices
        places = range(len(of))
        if self.kind not in (QuestionKind.ORDERING, QuestionKind.MATCHING):
            return tuple(places)
        mixed = sorted(places, key=lambda place: sha256(f"{self.id}/{place}".encode()).digest())
        if self.kind is QuestionKind.ORDERING and mixed == list(places):
            mixed.reverse()
        return tuple(mixed)

    @property
    def right_answer(self) -> str:
        """An answer that is right, as it would be recorded."""
        if self.kind is QuestionKind.ORDERING:
            return ",".join(map(str, range(len(self.choices))))
        if self.kind in (QuestionKind.TEXT, QuestionKind.NUMBER):
            return self.accepted[0]
        return ",".join(map(str, self.right))


def is_consistent(question: Question) -> bool:
    """Whether somebody can answer this question, and rightly."""
    choices, targets = len(question.choices), len(question.targets)
    right = question.right
    match question.kind:
        case QuestionKind.CHOICE:
            return choices >= 2 and len(right) == 1 and 0 <= right[0] < choices
        case QuestionKind.MULTIPLE:
            return choices >= 2 and bool(right) and _are_places(right, choices)
        case QuestionKind.MATCHING:
            return (
                choices >= 2
                and targets >= 2
                and len(right) == choices
                and all(0 <= place < targets for place in right)
            )
        case QuestionKind.ORDERING:
            return choices >= 2 and not right
        case QuestionKind.TEXT:
            return bool(question.accepted) and all(map(_folded, question.accepted))
        case QuestionKind.NUMBER:
            return len(question.accepted) == 2 and None not in map(read_number, question.accepted)


def read_answer(question: Question, given: str) -> str | None:
    """An answer as it is recorded, or None if it is none to this question."""
    match question.kind:
        case QuestionKind.TEXT:
            words = " ".join(unicodedata.normalize("NFC", given).split())
            return words if 0 < len(words) <= ANSWER_MOST else None
        case QuestionKind.NUMBER:
            number = read_number(given)
            # With a comma, which can only be read in one way: `3.415` would be three thousand and more.
            return None if number is None else format(number.normalize(), "f").replace(".", ",")
    places = _places(given)
    if places is None:
        return None
    choices = len(question.choices)
    is_answer = {
        QuestionKind.CHOICE: len(places) == 1 and _are_places(places, choices),
        QuestionKind.MULTIPLE: bool(places) and _are_places(places, choices),
        QuestionKind.MATCHING: len(places) == choices and all(at < len(question.targets) for at in places),
        QuestionKind.ORDERING: sorted(places) == list(range(choices)),
    }[question.kind]
    if not is_answer:
        return None
    return ",".join(map(str, sorted(places) if question.kind is QuestionKind.MULTIPLE else places))


def is_right(question: Question, answer: str) -> bool:
    """Whether an answer, as `read_answer` gave it, is right."""
    match question.kind:
        case QuestionKind.TEXT:
            return _folded(answer) in map(_folded, question.accepted)
        case QuestionKind.NUMBER:
            given, right, off = map(read_number, (answer, *question.accepted))
            return given is not None and right is not None and off is not None and abs(given - right) <= off
        case QuestionKind.MATCHING:
            # Two targets may say the same.
            chosen = [question.targets[at] for at in _places(answer) or ()]
            return chosen == [question.targets[at] for at in question.right]
        case QuestionKind.ORDERING:
            ordered = [question.choices[at] for at in _places(answer) or ()]
            return ordered == list(question.choices)
    return answer == ",".join(map(str, sorted(question.right)))


def read_number(text: str) -> Decimal | None:
    """A number as people type it: `1.234,5` and `1234.5` are the same; None if it isn't one."""
    plain = text.strip().replace(" ", "").removeprefix("Rp")
    if "," in plain:
        plain = plain.replace(".", "").replace(",", ".")
    elif plain.count(".") > 1 or (plain.count(".") == 1 and _ends_with_thousands(plain)):
        plain = plain.replace(".", "")
    try:
        number = Decimal(plain) if len(plain) <= 30 else Decimal("NaN")
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal(10) ** 18 else None


def _ends_with_thousands(plain: str) -> bool:
    """`1.234` is a thousand and more in Indonesia; `0.125` can only be a fraction."""
    whole, _, fraction = plain.lstrip("+-").partition(".")
    return len(fraction) == 3 and whole.isdigit() and not whole.startswith("0")


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(" .!?,;:")


def _places(answer: str) -> tuple[int, ...] | None:
    parts = answer.split(",")
    if len(parts) > 100 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        return None
    return tuple(map(int, parts))


def _are_places(places: tuple[int, ...], count: int) -> bool:
    return len(set(places)) == len(places) and all(0 <= place < count for place in places)
