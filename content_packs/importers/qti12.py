"""QTI 1.2 as Common Cartridges have it: items of an assessment or a bank, made into questions.

Source: IMS Common Cartridge 1.1 to 1.3, QTI profile (cc.multiple_choice, multiple_response, true_false, fib, pattern_match,
essay).
"""

from __future__ import annotations

import html as html_lib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from content_packs.importers import asked
from content_packs.importers.asked import Answer, Head
from content_packs.importers.draft import DraftQuestion
from content_packs.importers.ims_manifest import attribute, children, descendants, local, outermost, text
from content_packs.importers.moodle_questions import fraction_of
from content_packs.importers.tally import Tally
from content_packs.importers.texts import plain_of
from sync.errors import N_

_HTML: Final = "text/html"
_GENERAL: Final = ("general_fb", "general")
_ESSAY: Final = "essay"
_PICTURES: Final = ("matimage", "mataudio", "matvideo")


@dataclass(slots=True)
class _Processing:
    """What the conditions of an item say: texts or labels that earn points, and what is said to whom."""

    right: dict[str, float] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    """Choice to the name of its feedback."""
    is_partial: bool = False
    """A part of a word is enough, which Lontar doesn't know."""
    is_case_told: bool = False

    def fractions(self) -> dict[str, float]:
        """Which part of the points each text or label earns."""
        best = max(self.right.values(), default=1.0)
        return {value: points / best for value, points in self.right.items()}


def questions_of(root: Any, html: Callable[[str], str], language: str, tally: Tally) -> list[DraftQuestion]:
    """The questions of an assessment or bank, in their order; counted either way."""
    made = (_question(item, html, language, tally) for item in outermost(root, "item"))
    return [question for question in made if question is not None]


def title_of(root: Any) -> str:
    """The title of an assessment; banks have none."""
    holder = next(children(root, "assessment"), None)
    return "" if holder is None else " ".join(attribute(holder, "title").split())


def read_first(root: Any, html: Callable[[str], str]) -> str:
    """What an assessment says before its questions."""
    texts = (
        _material(one)
        for holder in (*outermost(root, "assessment"), *outermost(root, "section"))
        for name in ("presentation_material", "rubric")
        for one in children(holder, name)
    )
    return "\n".join(filter(None, (html(text_) for text_ in texts)))


def has_time_limit(root: Any) -> bool:
    return any(
        text(one, "fieldlabel") in ("qmd_timelimit", "cc_timelimit")
        and text(one, "fieldentry") not in ("", "0")
        for holder in outermost(root, "assessment")
        for metadata in children(holder, "qtimetadata")
        for one in children(metadata, "qtimetadatafield")
    )


def _question(item: Any, html: Callable[[str], str], language: str, tally: Tally) -> DraftQuestion | None:
    name = " ".join(attribute(item, "title").split())
    presentation = next(children(item, "presentation"), None)
    profile = _profile(item)
    responses = [] if presentation is None else list(descendants(presentation, "response_lid"))
    typed = [] if presentation is None else list(descendants(presentation, "response_str"))
    if presentation is None or len(responses) + len(typed) != 1 or _ESSAY in profile:
        tally.leave_out(
            N_("Soal jenis %(kind)s yang tidak dapat dibawa: %(count)s."),
            example=name,
            kind=profile.removeprefix("cc.").partition(".")[0][:40] or "?",
        )
        return None
    said = {attribute(one, "ident"): html(_material(one)) for one in outermost(item, "itemfeedback")}
    solutions = [attribute(one, "ident") for one in outermost(item, "itemfeedback") if _is_solution(one)]
    general_name = next((key for key in (*_GENERAL, *solutions) if plain_of(said.get(key, ""))), "")
    head = Head(
        html(_asked(presentation)), name, said.get(general_name, ""), attribute(item, "ident"), language
    )
    processing = _processing(item)
    if typed:
        made = _typed(head, processing, said, tally)
    else:
        made = _choice(head, responses[0], processing, said, html, tally)
    used = {general_name, *processing.remarks.values()}
    if made is not None and any(plain_of(text_) for key, text_ in said.items() if key not in used):
        tally.leave_out(N_("Soal tanpa tanggapan umumnya (benar, sebagian, salah): %(count)s."))
    return made


def _typed(head: Head, processing: _Processing, said: dict[str, str], tally: Tally) -> DraftQuestion | None:
    if processing.is_partial:
        tally.leave_out(
            N_("Jawaban isian dengan tanda bintang, atau yang tidak dapat diketik: %(count)s."),
            example=head.example,
        )
    fractions = processing.fractions()
    answers = [
        # A star is a star in QTI.
        Answer(
            typed.replace("*", "\\*"),
            fractions.get(typed, 0.0),
            said.get(processing.remarks.get(typed, ""), ""),
        )
        for typed in dict.fromkeys((*fractions, *processing.remarks))
    ]
    return asked.typed(head, answers, tally, processing.is_case_told)


def _choice(
    head: Head,
    response: Any,
    processing: _Processing,
    said: dict[str, str],
    html: Callable[[str], str],
    tally: Tally,
) -> DraftQuestion | None:
    fractions = processing.fractions()
    answers = [
        Answer(
            html(_material(one)), fractions.get(label, 0.0), said.get(processing.remarks.get(label, ""), "")
        )
        for one in outermost(response, "response_label")
        for label in [attribute(one, "ident")]
    ]
    is_single = attribute(response, "rcardinality").lower() != "multiple"
    return asked.choice(head, answers, is_single, tally, is_all=True)


def _profile(item: Any) -> str:
    """Which kind of question the item says it is."""
    for one in outermost(item, "qtimetadatafield"):
        if text(one, "fieldlabel") in ("cc_profile", "qmd_itemtype"):
            return text(one, "fieldentry").lower()
    return ""


def _is_solution(feedback: Any) -> bool:
    return any(local(one) in ("solution", "solutionmaterial") for one in feedback)


def _asked(presentation: Any) -> str:
    """The question itself: material that stands beside the response, not inside of it."""
    made = []
    waiting = list(reversed(presentation))
    while waiting:
        child = waiting.pop()
        if local(child) == "material":
            made.append(_material_of(child))
        elif local(child) in ("flow", "flow_mat"):
            waiting += reversed(child)
    return "\n".join(made)


def _material(element: Any) -> str:
    return "\n".join(_material_of(one) for one in outermost(element, "material"))


def _material_of(material: Any) -> str:
    made = []
    for one in material:
        if local(one) in _PICTURES and attribute(one, "uri"):
            shown = html_lib.escape(attribute(one, "uri"))
            made.append(f'<img src="{shown}" alt="{html_lib.escape(attribute(one, "label"))}">')
        elif local(one) == "mattext":
            said = "".join(one.itertext()).strip()
            is_html = attribute(one, "texttype").lower() == _HTML
            made.append(said if is_html else html_lib.escape(said, quote=False))
    return " ".join(made)


def _processing(item: Any) -> _Processing:
    made = _Processing()
    for condition in outermost(item, "respcondition"):
        points = sum(fraction_of(one.text or "") for one in children(condition, "setvar"))
        linked = next((attribute(one, "linkrefid") for one in children(condition, "displayfeedback")), "")
        for holder in children(condition, "conditionvar"):
            values = list(_values(holder))
            made.is_partial |= any(local(one) == "varsubstring" for one in holder.iter())
            made.is_case_told |= any(attribute(one, "case").lower() == "yes" for one in holder.iter())
            for value in values:
                if points > 0:
                    made.right[value] = max(points, made.right.get(value, 0.0))
            if linked and len(values) == 1:
                made.remarks.setdefault(values[0], linked)
    return made


def _values(holder: Any) -> Iterator[str]:
    """The values that must be given, not those that must not."""
    waiting = list(reversed(holder))
    while waiting:
        one = waiting.pop()
        if local(one) == "varequal" and (one.text or "").strip():
            yield one.text.strip()
        elif local(one) in ("and", "or"):
            waiting += reversed(one)
