"""Aiken question banks: plain text, a question, choices with letters before them, and the letter of the right one.

A question may take several lines, and so may a choice; a blank line or a line `ANSWER: B` ends it. What has no right letter
is left out. Source: docs.moodle.org/en/Aiken_format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from content_packs.errors import PackError
from content_packs.importers import asked
from content_packs.importers.asked import Answer, Head
from content_packs.importers.bank import Bank, start_of, text_of, title_of
from content_packs.importers.draft import Draft, DraftQuestion, Report
from content_packs.importers.tally import Tally
from content_packs.importers.texts import Format, html_of
from sync.errors import N_

_LINES: Final = re.compile(r"\r\n|\r|\n")
_CHOICE: Final = re.compile(r"([A-Za-z])[.)]\s+(.*)")
_RIGHT: Final = re.compile(r"(?:ANSWER|JAWABAN)\s*:\s*([A-Za-z])\s*[.)]?", re.IGNORECASE)
_DAMAGED: Final = N_("Soal Aiken tanpa pilihan atau tanpa baris ANSWER yang sah: %(count)s.")


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't text, or holds no question.
    """
    tally = Tally()
    bank = Bank(title_of(path))
    _fill(bank, text_of(path), tally)
    if not bank.questions():
        raise PackError(N_("%(file)s tidak berisi soal Aiken yang dapat dibawa."), file=path.name)
    return Draft(title_of(path), bank.lessons(), report=tally.report())


def questions_in(text: str) -> tuple[list[DraftQuestion], Report]:
    """The questions of a text, in their order."""
    tally = Tally()
    bank = Bank("")
    _fill(bank, text, tally)
    return bank.questions(), tally.report()


def recognises(path: Path) -> bool:
    return any(block.is_whole for block in _blocks(start_of(path)))


@dataclass(slots=True)
class _Block:
    text: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    right: str = ""

    @property
    def is_whole(self) -> bool:
        return (
            bool(self.text)
            and len(set(self.letters)) == len(self.letters) >= 2
            and self.letters.count(self.right) == 1
        )


def _fill(bank: Bank, text: str, tally: Tally) -> None:
    for block in _blocks(text):
        if not block.is_whole:
            tally.leave_out(_DAMAGED, example=" ".join(block.text or block.choices))
            continue
        answers = [
            Answer(html_of(choice, Format.PLAIN), float(letter == block.right))
            for letter, choice in zip(block.letters, block.choices, strict=True)
        ]
        bank.add(asked.choice(Head(html_of("\n".join(block.text), Format.PLAIN)), answers, True, tally))


def _blocks(text: str) -> Iterator[_Block]:
    block = _Block()
    is_after_blank = False
    for line in _LINES.split(text.removeprefix("\ufeff")):
        line = line.strip()
        choice, right = _CHOICE.fullmatch(line), _RIGHT.fullmatch(line)
        if not line:
            is_after_blank = True
            continue
        if right is not None:
            block.right = right[1].upper()
            yield block
            block = _Block()
        elif choice is not None and block.text:
            block.letters.append(choice[1].upper())
            block.choices.append(choice[2])
        elif block.choices and is_after_blank:
            yield block
            block = _Block([line])
        elif block.choices:
            block.choices[-1] += "\n" + line
        else:
            block.text.append(line)
        is_after_blank = False
    if block.text or block.choices:
        yield block
