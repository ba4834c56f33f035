"""The question bank of a Moodle backup (`questions.xml`): the entries and versions of Moodle 4, and the plain list before it.

A quiz names its questions by entry or by id; one that is drawn at random is here the next one of its category.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from content_packs.importers import moodle_questions
from content_packs.importers.asked import Answer, Head
from content_packs.importers.draft import DraftQuestion
from content_packs.importers.moodle_files import Backup
from content_packs.importers.moodle_questions import DESCRIPTION, REMARKS, Told, fraction_of, is_yes, said

RANDOM: Final = "random"


class QuestionBank:
    """Questions by what quizzes call them. Each is made and counted once."""

    def __init__(self, backup: Backup) -> None:
        self._backup = backup
        self._questions: dict[str, Any] = {}
        self._entries: dict[str, dict[str, str]] = {}
        self._categories: dict[str, list[str]] = {}
        self._category_of: dict[str, str] = {}
        self._children: dict[str, list[str]] = {}
        self._families: dict[str, tuple[str, ...]] = {}
        self._made: dict[str, DraftQuestion | None] = {}
        root = backup.xml("questions.xml")
        for category in () if root is None else root.iter("question_category"):
            self._add_category(category)

    def id_of(self, instance: Any) -> str:
        """The question that a place in a quiz names; nothing if it is drawn at random or isn't there."""
        reference = instance.find("question_reference")
        if reference is not None:
            versions = self._entries.get(said(reference, "questionbankentryid"), {})
            return versions.get(said(reference, "version"), versions.get("", ""))
        id_ = said(instance, "questionid") or said(instance, "question")
        return id_ if id_ in self._questions and self.kind(id_) != RANDOM else ""

    def pool_of(self, instance: Any) -> tuple[str, ...]:
        """The categories from which a place in a quiz is filled at random."""
        drawn = instance.find("question_set_reference")
        if drawn is not None:
            return self._with_subs(*_filter(said(drawn, "filtercondition")))
        if said(instance, "questioncategoryid"):
            return self._with_subs(
                said(instance, "questioncategoryid"), is_yes(said(instance, "includingsubcategories"))
            )
        id_ = said(instance, "questionid") or said(instance, "question")
        if id_ in self._questions and self.kind(id_) == RANDOM:
            category = self._category_of.get(id_, "")
            return self._with_subs(category, is_yes(said(self._questions[id_], "questiontext")))
        return ()

    def candidates(self, categories: tuple[str, ...]) -> Iterator[str]:
        """The questions of categories that can be drawn."""
        for category in categories:
            for id_ in self._categories.get(category, ()):
                if self.kind(id_) not in (RANDOM, DESCRIPTION):
                    yield id_

    def kind(self, id_: str) -> str:
        return said(self._questions[id_], "qtype")

    def description(self, id_: str) -> str:
        """HTML of a text between questions."""
        element = self._questions[id_]
        return self._backup.html(element, "questiontext", ("", "question", "questiontext", id_))

    def question(self, id_: str) -> DraftQuestion | None:
        if id_ not in self._made:
            tally = self._backup.tally
            is_known = moodle_questions.is_known(self.kind(id_), said(self._questions[id_], "name"), tally)
            self._made[id_] = moodle_questions.made(self._told(id_), tally) if is_known else None
        return self._made[id_]

    def count_unused(self) -> int:
        """How many questions no quiz has asked for."""
        every = {id_ for ids in self._categories.values() for id_ in ids}
        return sum(id_ not in self._made and self.kind(id_) not in (RANDOM, DESCRIPTION) for id_ in every)

    def _add_category(self, category: Any) -> None:
        name = category.get("id", "")
        held = self._categories.setdefault(name, [])
        self._children.setdefault(said(category, "parent"), []).append(name)
        for entry in category.iter("question_bank_entry"):
            newest = self._add_entry(entry)
            if newest:
                held.append(newest)
        for question in category.findall("questions/question"):
            if self._add_question(question):
                held.append(question.get("id", ""))
        self._category_of |= dict.fromkeys(held, name)

    def _add_entry(self, entry: Any) -> str:
        """The id of the newest version of an entry that is ready; others can still be asked for by their number."""
        found: list[tuple[bool, float, str]] = []
        versions = self._entries.setdefault(entry.get("id", ""), {})
        for version in entry.iter("question_versions"):
            for question in version.findall("questions/question"):
                if self._add_question(question):
                    is_ready = said(version, "status") in ("ready", "")
                    id_ = question.get("id", "")
                    versions[said(version, "version")] = id_
                    found.append((is_ready, fraction_of(said(version, "version")), id_))
        versions[""] = max(found)[2] if found else ""
        return versions[""]

    def _add_question(self, question: Any) -> bool:
        """Whether it is a question of its own, not a part of another one."""
        self._questions[question.get("id", "")] = question
        return said(question, "parent") in ("", "0", question.get("id", ""))

    def _with_subs(self, category: str, is_with_subs: bool) -> tuple[str, ...]:
        if not is_with_subs:
            return (category,)
        if category not in self._families:
            found = {category: True}
            waiting = [category]
            while waiting:
                fresh = [child for child in self._children.get(waiting.pop(), ()) if child not in found]
                found |= dict.fromkeys(fresh, True)
                waiting += fresh
            self._families[category] = tuple(found)
        return self._families[category]

    def _told(self, id_: str) -> Told:
        element, backup = self._questions[id_], self._backup
        kind = said(element, "qtype")
        plugin = next((one for one in element if one.tag == f"plugin_qtype_{kind}_question"), None)
        head = Head(
            backup.html(element, "questiontext", ("", "question", "questiontext", id_)),
            said(element, "name"),
            backup.html(element, "generalfeedback", ("", "question", "generalfeedback", id_)),
            said(element, "idnumber"),
            backup.language,
        )
        options = plugin.find(kind) if plugin is not None and kind.isidentifier() else None
        return Told(
            kind,
            head,
            _answers(plugin, kind, backup),
            _pairs(plugin, kind, backup),
            is_single=is_yes(said(options, "single") or "1"),
            is_case_told=is_yes(said(options, "usecase")),
            unit=said(plugin, "numerical_units/numerical_unit/unit"),
            mark=fraction_of(said(element, "defaultmark") or "1"),
            remarks=sum(any(map(said, plugin.iter(name))) for name in REMARKS) if plugin is not None else 0,
            hints=len(element.findall("question_hints/question_hint")),
        )


def _answers(plugin: Any, kind: str, backup: Backup) -> tuple[Answer, ...]:
    if plugin is None:
        return ()
    offs = {said(one, "answer"): said(one, "tolerance") for one in plugin.iter("numerical_record")}
    is_typed = kind in ("shortanswer", "numerical")
    true = said(plugin, "truefalse/trueanswer")
    elements = plugin.findall("answers/answer")
    # Of true and false the one that means true comes first.
    elements.sort(key=lambda one: bool(true) and one.get("id") != true)
    return tuple(
        Answer(
            said(one, "answertext")
            if is_typed
            else backup.html(
                one, "answertext", ("", "question", "answer", one.get("id", "")), said(one, "answerformat")
            ),
            fraction_of(said(one, "fraction")),
            backup.html(one, "feedback", ("", "question", "answerfeedback", one.get("id", ""))),
            offs.get(one.get("id"), "") or "0",
        )
        for one in elements
    )


def _pairs(plugin: Any, kind: str, backup: Backup) -> tuple[tuple[str, str], ...]:
    if plugin is None or not kind.isidentifier():
        return ()
    component = f"qtype_{kind}"
    return tuple(
        (
            backup.html(one, "questiontext", ("", component, "subquestion", one.get("id", ""))),
            backup.html(
                one,
                "answertext",
                ("", component, "subanswer", one.get("id", "")),
                said(one, "answertextformat") or "0",
            ),
        )
        for one in plugin.findall("matches/match")
    )


def _filter(condition: str) -> tuple[str, bool]:
    """The category of a random place, as Moodle 4.0 and 4.3 write it, and whether those below it count."""
    try:
        read = json.loads(condition)
        if "filter" in read:
            category = read["filter"]["category"]
            options = category.get("filteroptions") or {}
            is_with_subs = bool(options.get("includesubcategories")) if isinstance(options, dict) else False
            return str(category["values"][0]), is_with_subs
        return str(read["questioncategoryid"]), bool(int(read.get("includingsubcategories") or 0))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return "", False
