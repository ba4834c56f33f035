"""What an item of QTI 2 or 3 declares to be right, how near is near enough, and what it says to which answer.

Names are compared in small letters and without hyphens, so versions 2 and 3 read alike. Of response processing only the
tolerance of numbers is looked at: otherwise an answer is right if it is the declared one.
Source: IMS QTI 2.1 and 2.2 Assessment Item Information Model; 1EdTech QTI 3.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from content_packs.importers.asked import decimal_of
from content_packs.importers.ims_manifest import local
from content_packs.importers.moodle_questions import fraction_of
from content_packs.importers.xml_html import inner_html

FEEDBACK: Final = ("feedbackblock", "feedbackinline", "modalfeedback")
CHOICES: Final = ("choiceinteraction", "inlinechoiceinteraction")
_TO_RIGHT_OR_WRONG: Final = re.compile(r"correct|wrong|right|partial|benar|salah", re.IGNORECASE)
_DIGITS_MOST: Final = 15


@dataclass(frozen=True)
class Declared:
    """What an item declares as the right response."""

    cardinality: str = ""
    base_type: str = ""
    correct: tuple[str, ...] = ()
    worth: dict[str, float] = field(default_factory=dict)
    is_case_told: bool = True

    @cached_property
    def best(self) -> float:
        return max(self.worth.values(), default=0.0)

    @cached_property
    def right(self) -> dict[str, None]:
        """The right answers, in their order."""
        positive = [key for key, value in self.worth.items() if value > 0]
        if self.cardinality != "multiple":
            positive = [key for key in positive if self.worth[key] == self.best]
        return dict.fromkeys(self.correct or positive)

    def fraction(self, key: str) -> float:
        """Which part of the points an answer earns; what isn't declared right stays wrong, whatever it earns."""
        if key in self.right or self.best <= 0:
            return float(key in self.right)
        return min(0.9, max(0.0, self.worth.get(key, 0.0) / self.best))


@dataclass(slots=True)
class Said:
    """What is said after an answer: to whom chose it, to everybody, and how often only to the right or to the wrong."""

    to_choice: dict[str, list[str]] = field(default_factory=dict)
    to_all: list[str] = field(default_factory=list)
    to_some: int = 0


def kind(element: Any) -> str:
    """`choiceinteraction` for `choiceInteraction` and for `qti-choice-interaction`."""
    return local(element).removeprefix("qti-").replace("-", "").lower()


def find_all(element: Any, *names: str) -> Iterator[Any]:
    return (one for one in element.iter() if kind(one) in names)


def children(element: Any, *names: str) -> Iterator[Any]:
    return (one for one in element if kind(one) in names)


def attribute(element: Any, name: str) -> str:
    """An attribute by its name in small letters without hyphens."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2].replace("-", "").lower() == name:
            return str(value).strip()
    return ""


def declared(item: Any, identifier: str) -> Declared:
    """What is declared for the response of that name; nothing right if nothing is."""
    for one in children(item, "responsedeclaration"):
        if attribute(one, "identifier") != identifier:
            continue
        correct = [
            " ".join("".join(value.itertext()).split())
            for holder in children(one, "correctresponse")
            for value in children(holder, "value")
        ]
        entries = [entry for holder in children(one, "mapping") for entry in children(holder, "mapentry")]
        return Declared(
            attribute(one, "cardinality"),
            attribute(one, "basetype"),
            tuple(value for value in correct if value),
            {attribute(entry, "mapkey"): fraction_of(attribute(entry, "mappedvalue")) for entry in entries},
            not entries or any(attribute(entry, "casesensitive") != "false" for entry in entries),
        )
    return Declared()


def tolerance(item: Any, value: str) -> str:
    """How far from a number an answer may lie."""
    number = decimal_of(value)
    for one in find_all(item, "equal", "equalrounded"):
        first = (attribute(one, "tolerance").split() or [""])[0]
        width = decimal_of(first) if first else None
        figures = attribute(one, "figures")
        mode = attribute(one, "tolerancemode").lower()
        if kind(one) == "equalrounded":
            is_places = attribute(one, "roundingmode").lower() == "decimalplaces"
            if is_places and figures.isdecimal() and int(figures[:3]) <= _DIGITS_MOST:
                return format(Decimal(5).scaleb(-int(figures[:3]) - 1), "f")
        elif width is not None and mode == "absolute":
            return format(abs(width), "f")
        elif width is not None and mode == "relative" and number is not None:
            return format(abs(number * width / 100), "f")
    return "0"


def feedback(item: Any, asker: Any, instead: Callable[[Any], str | None]) -> Said:
    """What stands in an item about its answers, but for what stands in a choice of `asker` itself."""
    said = Said()
    is_choice = kind(asker) in CHOICES
    own = {attribute(one, "identifier") for one in asker} if is_choice else set()
    waiting = [item]
    while waiting:
        one = waiting.pop()
        if one is asker and is_choice:
            continue  # what stands in a choice is about it
        if kind(one) not in FEEDBACK:
            waiting += reversed(one)
            continue
        name, html = attribute(one, "identifier"), inner_html(one, instead).strip()
        if not html or attribute(one, "showhide").lower() == "hide":
            continue
        if name in own:
            said.to_choice.setdefault(name, []).append(html)
        elif _TO_RIGHT_OR_WRONG.search(name):
            said.to_some += 1
        else:
            said.to_all.append(html)
    return said
