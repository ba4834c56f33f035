"""Questions of Moodle, as its question banks in XML and its backups tell them alike; the two files are read elsewhere.

Kinds that Lontar has no counterpart of (essay, cloze, calculated, drag and drop on pictures, plugins) are named as left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from content_packs.importers import asked
from content_packs.importers.asked import Answer, Head
from content_packs.importers.draft import DraftQuestion
from content_packs.importers.tally import Tally
from content_packs.importers.texts import Format
from sync.errors import N_

DESCRIPTION: Final = "description"
FORMATS: Final = {
    **{"0": Format.AUTO, "1": Format.HTML, "2": Format.PLAIN, "3": Format.AUTO, "4": Format.MARKDOWN},
    **{"moodle_auto_format": Format.AUTO, "html": Format.HTML, "plain_text": Format.PLAIN},
    **{"wiki_like": Format.AUTO, "markdown": Format.MARKDOWN},
}
"""By their number in databases and by their name in XML."""
REMARKS: Final = ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback")

_KINDS: Final = {
    *("multichoice", "multichoiceset", "truefalse", "shortanswer", "numerical"),
    *("match", "matching", "ddmatch", "ordering"),
}
_OWN: Final = "@@PLUGINFILE@@/"
_NULL: Final = "$@NULL@$"
_KIND_MOST: Final = 30


@dataclass(frozen=True, slots=True)
class Told:
    """A question as a file of Moodle tells it.

    Of true and false the first answer is that of `true`; `fraction` of the steps of an order is their place.
    """

    kind: str
    head: Head
    answers: tuple[Answer, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    is_single: bool = True
    is_case_told: bool = False
    unit: str = ""
    mark: float = 1.0
    remarks: int = 0
    """How many texts it has for right, partly right and wrong answers."""
    hints: int = 0


def is_known(kind: str, example: str, tally: Tally) -> bool:
    """Whether there is such a question here; counted if not."""
    if kind not in _KINDS:
        named = "".join(char for char in kind if char.isprintable())[:_KIND_MOST] or "?"
        tally.leave_out(
            N_("Soal jenis %(kind)s yang tidak dapat dibawa: %(count)s."), example=example, kind=named
        )
    return kind in _KINDS


def made(told: Told, tally: Tally) -> DraftQuestion | None:
    """Our question; counted either way."""
    question = _made(told, tally)
    if question is not None:
        tally.leave_out(
            N_("Soal tanpa tanggapan umumnya (benar, sebagian, salah): %(count)s."), min(1, told.remarks)
        )
        tally.leave_out(N_("Petunjuk (hint) yang tidak dibawa: %(count)s."), told.hints)
        tally.change(
            N_("Soal yang dulu bobotnya bukan 1 dan kini sama dengan yang lain: %(count)s."), told.mark != 1
        )
    return question


def _made(told: Told, tally: Tally) -> DraftQuestion | None:
    head, answers = told.head, told.answers
    match told.kind:
        case "multichoice":
            return asked.choice(head, answers, told.is_single, tally)
        case "multichoiceset":
            return asked.choice(head, answers, False, tally, is_all=True)
        case "truefalse":
            true, false = [*answers, Answer(""), Answer("")][:2]
            if true.fraction == false.fraction:
                asked.left_unfinished(head, tally)
                return None
            return asked.true_or_false(
                head, true.fraction > false.fraction, (true.remark, false.remark), tally
            )
        case "shortanswer":
            return asked.typed(head, answers, tally, told.is_case_told)
        case "numerical":
            return asked.number(head, answers, tally, told.unit)
        case "match" | "matching" | "ddmatch":
            return asked.matching(head, told.pairs, tally)
        case "ordering":
            steps = [answer.text for answer in sorted(answers, key=lambda answer: answer.fraction)]
            return asked.ordering(head, steps, tally)
    is_known(told.kind, head.example, tally)
    return None


def said(element: Any, path: str = "") -> str:
    """The text of an element or of one below it; nothing if it isn't there, or null."""
    found = element if element is None or not path else element.find(path)
    text = "" if found is None else (found.text or "").strip()
    return "" if text == _NULL else text


def own_name(address: str) -> str:
    """The path of a file that lies beside the text; nothing for an address that leads elsewhere."""
    if not address.startswith(_OWN):
        return ""
    return unquote(address.removeprefix(_OWN).partition("?")[0]).strip("/")


def is_yes(text: str) -> bool:
    return text.strip().lower() in ("1", "true", "yes")


def fraction_of(text: str, whole: float = 1.0) -> float:
    """A number of a file; 0 for what is none."""
    try:
        found = float(text.strip() or 0) / whole
    except (ValueError, OverflowError):
        return 0.0
    return found if math.isfinite(found) else 0.0
