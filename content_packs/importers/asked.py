"""Questions of foreign question banks made into ours, whatever file they came in; what can't be carried over is counted.

Other programs give points for parts of an answer; here a question is right or it isn't (see `questions`). So an answer
is right if it earns all points, and where several must be ticked, if it earns any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from html import escape
from typing import Final

from content_packs import limits
from content_packs.importers.draft import DraftQuestion
from content_packs.importers.folder import slug
from content_packs.importers.tally import Tally
from content_packs.importers.texts import plain_of, unwrapped, wrapped
from content_packs.importers.words import words_of
from content_packs.questions import ANSWER_MOST, Question, QuestionKind, is_consistent, read_answer
from sync.errors import N_

_FULL: Final = 0.999
_TAKEN: Final = {
    QuestionKind.CHOICE: N_("Soal dengan satu jawaban benar: %(count)s."),
    QuestionKind.MULTIPLE: N_("Soal dengan beberapa jawaban benar: %(count)s."),
    QuestionKind.MATCHING: N_("Soal menjodohkan: %(count)s."),
    QuestionKind.ORDERING: N_("Soal mengurutkan: %(count)s."),
    QuestionKind.TEXT: N_("Soal isian: %(count)s."),
    QuestionKind.NUMBER: N_("Soal angka: %(count)s."),
}
_TYPED: Final = (QuestionKind.TEXT, QuestionKind.NUMBER)
_NO_RIGHT: Final = N_("Soal tanpa jawaban benar yang dapat diberikan: %(count)s.")
_TWO_RIGHT: Final = N_("Soal dengan satu pilihan tetapi dua jawaban benar: %(count)s.")
_WORTH_LESS: Final = N_("Jawaban yang dulu bernilai sebagian dan kini dihitung salah: %(count)s.")
_TOGETHER: Final = N_(
    "Soal yang kini harus dicentang semua jawaban benarnya, tanpa nilai sebagian: %(count)s."
)
_REMARKS: Final = N_("Tanggapan per jawaban yang digabung menjadi penjelasan soal: %(count)s.")
_UNFINISHED: Final = N_("Soal yang tidak lengkap: %(count)s.")


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is HTML of a choice, or what is to be typed; `fraction` is which part of the points it earns."""

    text: str
    fraction: float = 0.0
    remark: str = ""
    off: str = "0"
    """How far from a number an answer may lie."""


@dataclass(frozen=True, slots=True)
class Head:
    """What all questions have: HTML of the question and of its explanation, its name and its own id in the source.

    `language` is that of the course.
    """

    text: str
    name: str = ""
    explanation: str = ""
    id: str = ""
    language: str = "id"

    @property
    def example(self) -> str:
        return self.name or plain_of(self.text)


def choice(
    head: Head, answers: Sequence[Answer], is_single: bool, tally: Tally, is_all: bool = False
) -> DraftQuestion | None:
    """One or several of the answers are to be ticked; `is_all`: it was all or nothing before."""
    texts = tuple(unwrapped(answer.text) for answer in answers)
    full = tuple(at for at, answer in enumerate(answers) if answer.fraction >= _FULL)
    some = tuple(at for at, answer in enumerate(answers) if answer.fraction > 0)
    right = full if is_single else some
    if is_single and len(right) > 1:
        tally.leave_out(_TWO_RIGHT, example=head.example)
        return None
    kind = QuestionKind.CHOICE if is_single else QuestionKind.MULTIPLE
    made = _finished(head, answers, DraftQuestion("", kind, texts, right), tally)
    if made and is_single:
        tally.change(_WORTH_LESS, len(some) - len(full))
    elif made and not is_all:
        tally.change(_TOGETHER)
    return made


def true_or_false(
    head: Head, is_true: bool, remarks: tuple[str, str], tally: Tally
) -> DraftQuestion | None:
    """`remarks`: what is said to those who answered true, and to those who answered false."""
    words = words_of(head.language)
    answers = [
        Answer(words.true, float(is_true), remarks[0]),
        Answer(words.false, float(not is_true), remarks[1]),
    ]
    return choice(head, answers, True, tally)


def left_unfinished(head: Head, tally: Tally) -> None:
    """For a question that lacks what its kind needs."""
    tally.leave_out(_UNFINISHED, example=head.example)


def typed(
    head: Head, answers: Sequence[Answer], tally: Tally, is_case_told: bool = False
) -> DraftQuestion | None:
    """A word is to be typed. `*` in an answer stands for anything, `\\*` for itself."""
    full = [answer for answer in answers if answer.fraction >= _FULL]
    plain = [answer for answer in full if "*" not in answer.text.replace("\\*", "")]
    accepted = dict.fromkeys(" ".join(answer.text.replace("\\*", "*").split()) for answer in plain)
    fit = tuple(text for text in accepted if 0 < len(text) <= ANSWER_MOST and _is_typable(text))
    made = _finished(head, answers, DraftQuestion("", QuestionKind.TEXT, accepted=fit), tally)
    if made:
        tally.change(_WORTH_LESS, sum(0 < answer.fraction < _FULL for answer in answers))
        tally.leave_out(
            N_("Jawaban isian dengan tanda bintang, atau yang tidak dapat diketik: %(count)s."),
            len(full) - len(plain) + len(accepted) - len(fit),
            head.example,
        )
        tally.change(
            N_("Isian yang tidak lagi membedakan huruf besar dan kecil: %(count)s."), int(is_case_told)
        )
    return made


def number(head: Head, answers: Sequence[Answer], tally: Tally, unit: str = "") -> DraftQuestion | None:
    """A number is to be typed, in which `.` stands before the fraction; `unit` is said behind the question."""
    full = {
        (_written(answer.text), _written(answer.off.lstrip("-")))
        for answer in answers
        if answer.fraction >= _FULL
    }
    if len(full) > 1:
        tally.leave_out(N_("Soal angka dengan beberapa jawaban benar: %(count)s."), example=head.example)
        return None
    if unit:
        told = f"<p>{words_of(head.language).unit}: {escape(unit)}</p>"
        head = replace(head, text=f"{wrapped(head.text)}{told}")
    accepted = next(iter(full), ())
    made = _finished(head, answers, DraftQuestion("", QuestionKind.NUMBER, accepted=accepted), tally)
    if made:
        tally.change(_WORTH_LESS, sum(0 < answer.fraction < _FULL for answer in answers))
        tally.change(
            N_("Satuan yang kini tertulis dalam soal dan tidak diketik lagi: %(count)s."), int(bool(unit))
        )
    return made


def matching(head: Head, pairs: Sequence[tuple[str, str]], tally: Tally) -> DraftQuestion | None:
    """Each stem belongs to the target beside it; a target without a stem is only there to choose from."""
    cleaned = [(unwrapped(stem), unwrapped(target)) for stem, target in pairs]
    targets = tuple(dict.fromkeys(target for _stem, target in cleaned if target))
    stems = [(stem, target) for stem, target in cleaned if stem]
    if not all(target for _stem, target in stems):
        left_unfinished(head, tally)
        return None
    places = {target: place for place, target in enumerate(targets)}
    right = tuple(places[target] for _stem, target in stems)
    choices = tuple(stem for stem, _target in stems)
    return _finished(head, [], DraftQuestion("", QuestionKind.MATCHING, choices, right, targets), tally)


def ordering(head: Head, steps: Sequence[str], tally: Tally) -> DraftQuestion | None:
    """The steps in their right order."""
    texts = tuple(map(unwrapped, steps))
    return _finished(head, [], DraftQuestion("", QuestionKind.ORDERING, texts), tally)


def decimal_of(text: str) -> Decimal | None:
    """A number as programs write it; a comma can only stand before its fraction."""
    plain = text.strip().replace(",", ".")
    try:
        found = Decimal(plain) if len(plain) <= 60 else Decimal("NaN")
    except InvalidOperation:
        return None
    return found if found.is_finite() and -30 < found.adjusted() < 18 else None


def _finished(
    head: Head, answers: Sequence[Answer], question: DraftQuestion, tally: Tally
) -> DraftQuestion | None:
    """The question, if somebody can answer it rightly; counted either way."""
    remarked = [answer for answer in answers if answer.remark]
    label = _label_of_typed if question.kind in _TYPED else _label
    said = [f"<p>{label(answer, head)}: {unwrapped(answer.remark)}</p>" for answer in remarked]
    explanation = "\n".join([wrapped(head.explanation), *said] if said else [head.explanation]).strip()
    question = replace(
        question, text=unwrapped(head.text), explanation=explanation, id=slug(head.id or head.name, "")
    )
    reason = _reason(question)
    if reason:
        tally.leave_out(reason, example=head.example)
        return None
    tally.take(_TAKEN[question.kind])
    tally.change(_REMARKS, len(remarked))
    return question


def _label(answer: Answer, _head: Head) -> str:
    return unwrapped(answer.text)


def _label_of_typed(answer: Answer, head: Head) -> str:
    return words_of(head.language).other_answers if answer.text.strip() == "*" else escape(answer.text)


def _reason(question: DraftQuestion) -> str:
    """Why it can't be taken over; nothing if it can."""
    choices, targets = question.choices, question.targets
    if not question.text or not all(choices):
        return _UNFINISHED
    if max(map(len, (question.text, question.explanation, *choices, *targets))) > limits.TEXT:
        return N_("Soal dengan teks lebih panjang dari 64 KiB: %(count)s.")
    if max(len(choices), len(targets)) > limits.CHOICES:
        return N_("Soal dengan lebih dari 12 pilihan: %(count)s.")
    if len(set(choices)) < len(choices):
        return N_("Soal dengan dua pilihan yang sama: %(count)s.")
    if question.kind not in _TYPED and len(choices) < 2:
        return _UNFINISHED
    asked = Question(1, "a", "", choices, question.right, "", question.kind, targets, question.accepted)
    return "" if is_consistent(asked) and read_answer(asked, asked.right_answer) else _NO_RIGHT


def _is_typable(text: str) -> bool:
    return is_consistent(Question(1, "a", "", (), (), "", QuestionKind.TEXT, accepted=(text,)))


def _written(text: str) -> str:
    """As Indonesians write a number: `3.142` would be three thousand and more here."""
    found = decimal_of(text or "0")
    if found is None:
        return "?"
    plain = format(found, "f")
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain).replace(".", ",")
