"""One item of QTI 2.1, 2.2 or 3.0 made into a question; versions differ in how names are written, not in what they mean.

Items that ask several things at once, that make up their own numbers, or of a kind without a counterpart here are named as
left out. Source: IMS QTI 2.1 and 2.2 Assessment Item Information Model; 1EdTech QTI 3.0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from content_packs.importers import asked, qti_response
from content_packs.importers.asked import Answer, Head
from content_packs.importers.draft import DraftQuestion
from content_packs.importers.qti_response import (
    FEEDBACK,
    Declared,
    Said,
    attribute,
    children,
    find_all,
    kind,
)
from content_packs.importers.tally import Tally
from content_packs.importers.texts import plain_of, wrapped
from content_packs.importers.xml_html import inner_html
from sync.errors import N_

ITEM: Final = "assessmentitem"
_BLANK: Final = "_____"
_INLINE: Final = ("textentryinteraction", "inlinechoiceinteraction")
_NUMBERS: Final = ("float", "integer")
_BUTTON: Final = "endattemptinteraction"
_SHOWN: Final = ("image/", "video/", "audio/")
_NOT_ONE_TO_ONE: Final = N_("Soal menjodohkan yang pilihannya bukan tepat satu pasangan: %(count)s.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """An item on its way: where its answers are chosen, what is declared right, what is said, how HTML is relinked."""

    item: Any
    asker: Any
    declared: Declared
    said: Said
    head: Head
    html: Callable[[str], str]
    tally: Tally


def question_of(
    item: Any, html: Callable[[str], str], language: str, tally: Tally, before: str = ""
) -> DraftQuestion | None:
    """The question that an item asks; counted either way. `html` relinks what its texts show; `before` is read first."""
    body = next(find_all(item, "itembody"), None)
    name = attribute(item, "title")
    askers = [] if body is None else [one for one in body.iter() if kind(one).endswith("interaction")]
    kinds = [kind(one).removesuffix("interaction") for one in askers if kind(one) != _BUTTON]
    kinds += ["template"] * any(kind(one) == "templatedeclaration" for one in item)
    if body is None or len(kinds) != 1 or kinds[0] not in _READERS:
        tally.leave_out(
            N_("Soal jenis %(kind)s yang tidak dapat dibawa: %(count)s."),
            example=name or attribute(item, "identifier"),
            kind="+".join(sorted(kinds))[:60] or "?",
        )
        return None
    asker = next(one for one in askers if kind(one) != _BUTTON)

    def instead(element: Any) -> str | None:
        if element is asker:
            return _BLANK if kind(asker) in _INLINE else ""
        return written(element)

    said = qti_response.feedback(item, asker, written)
    prompt = "".join(wrapped(inner_html(one, written).strip()) for one in children(asker, "prompt"))
    explanation = "".join(html(wrapped(text)) for text in said.to_all if plain_of(text) or "<img" in text)
    text = before + html(inner_html(body, instead) + prompt)
    head = Head(text, name, explanation, attribute(item, "identifier"), language)
    is_told = qti_response.declared(item, attribute(asker, "responseidentifier"))
    question = _READERS[kinds[0]](_Asked(item, asker, is_told, said, head, html, tally))
    if question is not None:
        tally.leave_out(
            N_("Soal tanpa tanggapan umumnya (benar, sebagian, salah): %(count)s."), min(1, said.to_some)
        )
        hidden = sum(not _is_for_learners(one) for one in find_all(body, "rubricblock"))
        tally.leave_out(N_("Catatan bagi pengajar atau penilai yang tidak dibawa: %(count)s."), hidden)
    return question


def written(element: Any) -> str | None:
    """What is written in place of an element of QTI that isn't HTML; None for what stays."""
    name = kind(element)
    if name in (*FEEDBACK, "prompt", "stylesheet", "cataloginfo", _BUTTON):
        return ""
    if name == "rubricblock" and not _is_for_learners(element):
        return ""
    if name == "object" and attribute(element, "type").startswith(_SHOWN):
        said = " ".join("".join(element.itertext()).split())
        return f'<img src="{escape(attribute(element, "data"))}" alt="{escape(said)}">'
    return None


def _is_for_learners(rubric: Any) -> bool:
    return "candidate" in attribute(rubric, "view").lower().split()


def _choice(told: _Asked) -> DraftQuestion | None:
    declared, is_single = told.declared, told.declared.cardinality != "multiple"
    answers = []
    for one in children(told.asker, "simplechoice", "inlinechoice"):
        name = attribute(one, "identifier")
        remarks = [inner_html(part, written).strip() for part in children(one, *FEEDBACK)]
        remark = " ".join(filter(None, (*remarks, *told.said.to_choice.get(name, ()))))
        fraction = declared.fraction(name) if is_single else float(name in declared.right)
        answers.append(Answer(told.html(inner_html(one, written)), fraction, told.html(remark)))
    return asked.choice(told.head, answers, is_single, told.tally, is_all=not declared.worth)


def _order(told: _Asked) -> DraftQuestion | None:
    steps = _texts(told, told.asker, "simplechoice")
    right = told.declared.correct
    if sorted(right) != sorted(steps):
        asked.left_unfinished(told.head, told.tally)
        return None
    return asked.ordering(told.head, [steps[key] for key in right], told.tally)


def _match(told: _Asked) -> DraftQuestion | None:
    sides = [
        _texts(told, side, "simpleassociablechoice") for side in children(told.asker, "simplematchset")
    ]
    pairs = [tuple(pair.split()) for pair in told.declared.right]
    if len(sides) != 2 or not all(
        len(pair) == 2 and pair[0] in sides[0] and pair[1] in sides[1] for pair in pairs
    ):
        asked.left_unfinished(told.head, told.tally)
        return None
    if sorted(pair[0] for pair in pairs) != sorted(sides[0]):
        told.tally.leave_out(_NOT_ONE_TO_ONE, example=told.head.example)
        return None
    used = {pair[1] for pair in pairs}
    false_trails = [("", text) for key, text in sides[1].items() if key not in used]
    made = [(sides[0][source], sides[1][target]) for source, target in pairs]
    return asked.matching(told.head, [*made, *false_trails], told.tally)


def _associate(told: _Asked) -> DraftQuestion | None:
    """Pairs without an order: the first of each keeps its place, the second is chosen."""
    texts = _texts(told, told.asker, "simpleassociablechoice")
    pairs = [tuple(pair.split()) for pair in told.declared.right]
    ends = {end for pair in pairs for end in pair}
    if not all(len(pair) == 2 for pair in pairs) or not ends <= set(texts):
        asked.left_unfinished(told.head, told.tally)
        return None
    if len(ends) < 2 * len(pairs):
        told.tally.leave_out(_NOT_ONE_TO_ONE, example=told.head.example)
        return None
    false_trails = [("", text) for key, text in texts.items() if key not in ends]
    made = [(texts[first], texts[second]) for first, second in pairs]
    question = asked.matching(told.head, [*made, *false_trails], told.tally)
    if question is not None:
        told.tally.change(N_("Soal memasangkan yang kini menjodohkan kiri dengan kanan: %(count)s."))
    return question


def _typed(told: _Asked) -> DraftQuestion | None:
    declared = told.declared
    if declared.base_type in _NUMBERS:
        off = qti_response.tolerance(told.item, next(iter(declared.right), ""))
        numbers = [Answer(value, 1.0, off=off) for value in declared.right]
        return asked.number(told.head, numbers, told.tally)
    best = declared.best
    answers = [
        # A star is a star in QTI.
        Answer(
            text.replace("*", "\\*"),
            1.0 if declared.worth.get(text, best) >= best else declared.fraction(text),
        )
        for text in dict.fromkeys((*declared.right, *declared.worth))
        if text and (text in declared.right or declared.worth[text] > 0)
    ]
    return asked.typed(told.head, answers, told.tally, declared.is_case_told)


def _texts(told: _Asked, holder: Any, name: str) -> dict[str, str]:
    return {
        attribute(one, "identifier"): told.html(inner_html(one, written)) for one in children(holder, name)
    }


_READERS: Final = {
    "choice": _choice,
    "inlinechoice": _choice,
    "order": _order,
    "match": _match,
    "associate": _associate,
    "textentry": _typed,
}
