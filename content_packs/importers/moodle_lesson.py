"""Moodle's lesson module: its pages in their order, as readings and questions. Branches become a straight road.

A page of text after questions begins the next lesson, so that people read before they answer, as in the source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

from content_packs.importers import moodle_questions
from content_packs.importers.asked import Answer, Head, decimal_of
from content_packs.importers.draft import DraftQuestion
from content_packs.importers.media_files import shown
from content_packs.importers.moodle_files import Backup
from content_packs.importers.moodle_questions import Told, fraction_of, said
from content_packs.importers.texts import plain_of
from sync.errors import N_

_KINDS: Final = {
    "1": "shortanswer",
    "2": "truefalse",
    "3": "multichoice",
    "5": "matching",
    "8": "numerical",
    "10": "essay",
}
_READING: Final = "20"
_STAYS: Final = ("0", "-40")
"""Where a wrong answer leads: to the same page, or back."""
_PART_MOST: Final = 20_000
"""Characters after which the next page begins a lesson of its own."""


@dataclass(slots=True)
class Part:
    """What is read, and what is asked about it."""

    texts: list[str] = field(default_factory=list)
    questions: list[DraftQuestion] = field(default_factory=list)


def parts_of(lesson: Any, context: str, backup: Backup) -> list[Part]:
    """The parts of a lesson; at least one, which may be empty."""
    parts = [Part([text] if (text := _medium(context, backup)) else [])]
    pages = _in_order(lesson)
    places = {page.get("id", ""): place for place, page in enumerate(pages)}
    for page in pages:
        kind = said(page, "qtype")
        if kind == _READING:
            if parts[-1].questions or sum(map(len, parts[-1].texts)) > _PART_MOST:
                parts.append(Part())
            parts[-1].texts.append(_reading(page, context, backup))
            if _leads_apart(page, places):
                backup.tally.change(
                    N_("Percabangan pelajaran Moodle yang menjadi urutan lurus: %(count)s."),
                    example=said(page, "title"),
                )
        elif kind in _KINDS:
            question = _question(page, kind, lesson, places, (context, backup))
            if question is not None:
                parts[-1].questions.append(question)
    return parts


def _in_order(lesson: Any) -> list[Any]:
    """Pages are a chain; what hangs on no chain comes at the end."""
    pages = {page.get("id", ""): page for page in lesson.findall("pages/page")}
    ordered: dict[str, Any] = {}
    at = next((id_ for id_, page in pages.items() if said(page, "prevpageid") == "0"), "")
    while at in pages and at not in ordered:
        ordered[at] = pages[at]
        at = said(pages[at], "nextpageid")
    return list({**ordered, **pages}.values()) if ordered else list(pages.values())


def _leads_apart(page: Any, places: dict[str, int]) -> bool:
    """Whether people could go on from here in several ways; to go back is none."""
    place = places[page.get("id", "")]
    jumps = {said(one, "jumpto") for one in page.findall("answers/answer")} - set(_STAYS)
    ahead = {jump for jump in jumps if places.get(jump, place + 1) > place}
    return len({"-1" if places.get(jump) == place + 1 else jump for jump in ahead}) > 1


def _reading(page: Any, context: str, backup: Backup) -> str:
    area = (context, "mod_lesson", "page_contents", page.get("id", ""))
    return f"<h2>{escape(said(page, 'title'))}</h2>\n{backup.html(page, 'contents', area)}"


def _medium(context: str, backup: Backup) -> str:
    return shown(backup.media, backup.area(context, "mod_lesson", "mediafile").values())


def _question(
    page: Any, kind: str, lesson: Any, places: dict[str, int], where: tuple[str, Backup]
) -> DraftQuestion | None:
    context, backup = where
    id_ = page.get("id", "")
    text = backup.html(page, "contents", (context, "mod_lesson", "page_contents", id_))
    head = Head(text, said(page, "title"), language=backup.language)
    is_by_score = said(lesson, "custom") == "1"
    elements = page.findall("answers/answer")
    name = _KINDS[kind]
    if name == "shortanswer" and said(page, "qoption") == "1":
        name = "shortanswer (regex)"
    if name == "matching":
        pairs = [(_text(one, "answer_text", where), _text(one, "response", where)) for one in elements[2:]]
        return moodle_questions.made(Told("match", head, pairs=tuple(pairs)), backup.tally)
    answers = tuple(
        Answer(
            said(one, "answer_text")
            if name in ("shortanswer", "numerical")
            else _text(one, "answer_text", where),
            float(_is_right(one, is_by_score, places, places[id_])),
            _text(one, "response", where),
        )
        for one in elements
        if said(one, "answer_text")
    )
    if name == "numerical":
        answers = tuple(map(_with_range, answers))
    if name == "truefalse":
        # Its two answers say in words of their author's what true and false mean here.
        name = "multichoice"
    is_single = not (name == "multichoice" and said(page, "qoption") == "1")
    return moodle_questions.made(Told(name, head, answers, is_single=is_single), backup.tally)


def _is_right(answer: Any, is_by_score: bool, places: dict[str, int], place: int) -> bool:
    if is_by_score:
        return fraction_of(said(answer, "score")) > 0
    jump = said(answer, "jumpto")
    return places[jump] > place if jump in places else jump not in _STAYS


def _text(answer: Any, name: str, where: tuple[str, Backup]) -> str:
    context, backup = where
    area = "page_answers" if name == "answer_text" else "page_responses"
    form = said(answer, "answerformat" if name == "answer_text" else "responseformat") or "0"
    made = backup.html(answer, name, (context, "mod_lesson", area, answer.get("id", "")), form)
    return made if plain_of(made) or "<img" in made else ""


def _with_range(answer: Answer) -> Answer:
    """A lesson writes `3.1:3.2` where every number between is right."""
    least, colon, most = answer.text.partition(":")
    low, high = decimal_of(least), decimal_of(most)
    if not colon or low is None or high is None:
        return answer
    return Answer(str((low + high) / 2), answer.fraction, answer.remark, str(abs(high - low) / 2))
