"""One item of QTI 2.1, 2.2 or 3.0 made into a question; versions differ in how names are written, not in what they mean.

Source: IMS QTI 2.1 and 2.2 Assessment Item Information Model; 1EdTech QTI 3.0. Of response processing only its standard
templates are understood: an answer is right if it is the declared one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from content_packs.importers import asked
from content_packs.importers.asked import Answer, Head
from content_packs.importers.draft import DraftQuestion
from content_packs.importers.ims_manifest import local
from content_packs.importers.moodle_questions import fraction_of
from content_packs.importers.tally import Tally
from content_packs.importers.texts import plain_of
from content_packs.importers.xml_html import inner_html
from sync.errors import N_

ITEM: Final = "assessmentitem"
_BLANK: Final = "_____"
_INLINE: Final = ("textentryinteraction", "inlinechoiceinteraction")
_KNOWN: Final = ("choiceinteraction", "orderinteraction", "matchinteraction", *_INLINE)
_NUMBERS: Final = ("float", "integer")
_FEEDBACK: Final = (
    "feedbackblock",
    "feedbackinline",
    "rubricblock",
    "modalfeedback",
    "prompt",
    "stylesheet",
)


@dataclass(frozen=True, slots=True)
class _Declared:
    """What an item declares as the right response."""

    cardinality: str
    base_type: str
    correct: tuple[str, ...]
    worth: dict[str, float]

    @property
    def right(self) -> tuple[str, ...]:
        if self.correct:
            return self.correct
        best = max(self.worth.values(), default=0.0)
        positive = [key for key, value in self.worth.items() if value > 0]
        return tuple(
            positive if self.cardinality == "multiple" else [k for k in positive if self.worth[k] == best]
        )


def kind(element: Any) -> str:
    """`choiceinteraction` for `choiceInteraction` and for `qti-choice-interaction`."""
    return local(element).removeprefix("qti-").replace("-", "").lower()


def find_all(element: Any, *names: str) -> Iterator[Any]:
    return (one for one in element.iter() if kind(one) in names)


def attribute(element: Any, name: str) -> str:
    """An attribute by its name in small letters without hyphens."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2].replace("-", "").lower() == name:
            return str(value).strip()
    return ""


def question_of(item: Any, html: Callable[[str], str], language: str, tally: Tally) -> DraftQuestion | None:
    """The question that an item asks; counted either way. `html` relinks what its texts show."""
    body = next(find_all(item, "itembody"), None)
    name = attribute(item, "title")
    interactions = [] if body is None else [one for one in body.iter() if kind(one).endswith("interaction")]
    if body is None or len(interactions) != 1 or kind(interactions[0]) not in _KNOWN:
        kinds = sorted({kind(one).removesuffix("interaction") for one in interactions})
        tally.leave_out(
            N_("Soal jenis %(kind)s yang tidak dapat dibawa: %(count)s."),
            example=name,
            kind="+".join(kinds)[:60] or "?",
        )
        return None
    asker = interactions[0]
    declared = _declared(item, attribute(asker, "responseidentifier"))
    is_inline = kind(asker) in _INLINE

    def instead(element: Any) -> str | None:
        if element is asker:
            return _BLANK if is_inline else ""
        return "" if kind(element) in _FEEDBACK else None

    prompt = next((one for one in asker if kind(one) == "prompt"), None)
    text = inner_html(body, instead) + ("" if prompt is None else f"<p>{inner_html(prompt)}</p>")
    said = " ".join(inner_html(one, instead) for one in item if kind(one) == "modalfeedback")
    head = Head(
        html(text), name, html(said) if plain_of(said) else "", attribute(item, "identifier"), language
    )
    return _READERS[kind(asker)](asker, declared, head, html, tally)


def _declared(item: Any, identifier: str) -> _Declared:
    for one in find_all(item, "responsedeclaration"):
        if attribute(one, "identifier") != identifier:
            continue
        correct = [
            "".join(value.itertext()).strip()
            for holder in one
            if kind(holder) == "correctresponse"
            for value in find_all(holder, "value")
        ]
        worth = {
            attribute(entry, "mapkey"): fraction_of(attribute(entry, "mappedvalue"))
            for entry in find_all(one, "mapentry")
        }
        return _Declared(attribute(one, "cardinality"), attribute(one, "basetype"), tuple(correct), worth)
    return _Declared("", "", (), {})


def _choice(
    asker: Any, declared: _Declared, head: Head, html: Callable[[str], str], tally: Tally
) -> DraftQuestion | None:
    answers = []
    for one in find_all(asker, "simplechoice", "inlinechoice"):
        remark = " ".join(inner_html(inner) for inner in one if kind(inner) == "feedbackinline")
        text = inner_html(one, lambda inner: "" if kind(inner) in _FEEDBACK else None)
        is_right = attribute(one, "identifier") in declared.right
        answers.append(Answer(html(text), float(is_right), html(remark) if remark else ""))
    is_single = declared.cardinality != "multiple"
    return asked.choice(head, answers, is_single, tally, is_all=not declared.worth)


def _order(
    asker: Any, declared: _Declared, head: Head, html: Callable[[str], str], tally: Tally
) -> DraftQuestion | None:
    steps = {attribute(one, "identifier"): html(inner_html(one)) for one in find_all(asker, "simplechoice")}
    if sorted(declared.right) != sorted(steps):
        asked.left_unfinished(head, tally)
        return None
    return asked.ordering(head, [steps[key] for key in declared.right], tally)


def _match(
    asker: Any, declared: _Declared, head: Head, html: Callable[[str], str], tally: Tally
) -> DraftQuestion | None:
    sets = [one for one in asker if kind(one) == "simplematchset"][:2]
    sides = [
        {
            attribute(one, "identifier"): html(inner_html(one))
            for one in find_all(side, "simpleassociablechoice")
        }
        for side in sets
    ]
    pairs = [tuple(pair.split()) for pair in declared.right]
    if len(sides) != 2 or not all(
        len(pair) == 2 and pair[0] in sides[0] and pair[1] in sides[1] for pair in pairs
    ):
        asked.left_unfinished(head, tally)
        return None
    if sorted(pair[0] for pair in pairs) != sorted(sides[0]):
        tally.leave_out(
            N_("Soal menjodohkan yang pilihannya bukan tepat satu pasangan: %(count)s."),
            example=head.example,
        )
        return None
    used = {pair[1] for pair in pairs}
    false_trails = [("", text) for key, text in sides[1].items() if key not in used]
    made = [(sides[0][source], sides[1][target]) for source, target in pairs]
    return asked.matching(head, [*made, *false_trails], tally)


def _text(
    asker: Any, declared: _Declared, head: Head, html: Callable[[str], str], tally: Tally
) -> DraftQuestion | None:
    if declared.base_type in _NUMBERS:
        return asked.number(head, [Answer(value, 1.0) for value in declared.correct], tally)
    right = dict.fromkeys((*declared.correct, *(key for key, worth in declared.worth.items() if worth > 0)))
    return asked.typed(head, [Answer(text, 1.0) for text in right if text], tally)


_READERS: Final = {
    "choiceinteraction": _choice,
    "inlinechoiceinteraction": _choice,
    "orderinteraction": _order,
    "matchinteraction": _match,
    "textentryinteraction": _text,
}
