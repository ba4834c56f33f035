"""GIFT question banks: text files of Moodle's authors, one question a block, answers in braces.

The whole format as Moodle reads it: choices with weights, true or false, short answers, numbers with tolerances and ranges,
matching, missing words, descriptions, feedback, titles, categories. Essays can't be marked here and are left out.
Source: docs.moodle.org/en/GIFT_format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from content_packs.errors import PackError
from content_packs.importers import asked
from content_packs.importers.asked import Answer, Head
from content_packs.importers.bank import Bank, start_of, text_of, title_of
from content_packs.importers.draft import Draft, DraftQuestion, Report
from content_packs.importers.media_files import Media
from content_packs.importers.relink import relinked
from content_packs.importers.tally import Tally
from content_packs.importers.texts import Format, html_of
from sync.errors import N_

_LINES: Final = re.compile(r"\r\n|\r|\n")
_BRACES: Final = re.compile(r"\\.|([{}])", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([\\~=#{}:n])")
_TITLE: Final = re.compile(r"::((?:\\.|(?!::).)*?)::", re.DOTALL)
_FORMAT: Final = re.compile(r"\[(html|markdown|plain|moodle)\]", re.IGNORECASE)
_WEIGHT: Final = re.compile(r"%(-?\d{1,3}(?:\.\d{0,10})?)%")
_TRUTHS: Final = {"T": True, "TRUE": True, "F": False, "FALSE": False}
_CATEGORY: Final = "$CATEGORY:"
_BLANK: Final = "_____"
_FORMATS: Final = {
    "html": Format.HTML,
    "markdown": Format.MARKDOWN,
    "plain": Format.PLAIN,
    "moodle": Format.AUTO,
}
_DAMAGED: Final = N_("Bagian yang tidak dapat dibaca sebagai soal GIFT: %(count)s.")


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't text, or holds no question.
    """
    tally = Tally()
    bank = Bank(title_of(path))
    media = Media(tally)
    _fill(bank, text_of(path), media, tally)
    if not bank.questions():
        raise PackError(N_("%(file)s tidak berisi soal GIFT yang dapat dibawa."), file=path.name)
    lessons = bank.lessons()
    return Draft(title_of(path), lessons, media.used_in(lessons), report=tally.report())


def questions_in(text: str) -> tuple[list[DraftQuestion], Report]:
    """The questions of a text, in their order, whatever categories it names. Pictures stay behind."""
    tally = Tally()
    bank = Bank("")
    _fill(bank, text, Media(tally, is_closed=True), tally)
    return bank.questions(), tally.report()


def recognises(path: Path) -> bool:
    text = start_of(path)
    if text.lstrip().startswith(("<", "{", "%PDF")):
        return False
    return any(_answers_of(block) for block in _blocks(text))


@dataclass(frozen=True, slots=True)
class _Texts:
    """Makes HTML of the texts of one question; its answers are written as the question is."""

    form: Format
    media: Media
    tally: Tally

    def html(self, text: str) -> str:
        form, text = _form_of(text, self.form)
        # Moodle never exports files with GIFT: whatever a text names isn't there.
        return relinked(html_of(_plain(text), form), lambda _address: None, self.media, self.tally)


def _fill(bank: Bank, text: str, media: Media, tally: Tally) -> None:
    for block in _blocks(text):
        if block.startswith(_CATEGORY):
            bank.open_category(_plain(block[len(_CATEGORY) :]))
        else:
            _read_block(bank, block, media, tally)


def _blocks(text: str) -> Iterator[str]:
    """What stands between blank lines, without comments. A blank line inside of braces ends nothing."""
    lines: list[str] = []
    depth = 0
    for line in [*_LINES.split(text.removeprefix("\ufeff")), ""]:
        line = line.strip()
        if line.startswith(_CATEGORY):
            if lines:
                yield "\n".join(lines)
            lines, depth = [], 0
            yield line
        elif line.startswith("//"):
            continue
        elif line:
            if depth and lines[-1:] == [""] and _first_brace(line) == "{":
                # The braces before were never closed: what follows is the next question.
                yield "\n".join(lines).strip()
                lines, depth = [], 0
            lines.append(line)
            depth = _is_open(line, depth)
        elif lines and not depth:
            yield "\n".join(lines)
            lines = []
        elif lines:
            lines.append("")
    if any(lines):
        yield "\n".join(lines).strip()


def _first_brace(line: str) -> str:
    return next((found[1] for found in _BRACES.finditer(line) if found[1]), "")


def _is_open(line: str, depth: int) -> int:
    for found in _BRACES.finditer(line):
        depth = {"{": 1, "}": 0}.get(found[1], depth)
    return depth


def _answers_of(block: str) -> str:
    """The answers of a block, if it has some that GIFT knows; to recognise a file."""
    braces = [found for found in _BRACES.finditer(block) if found[1]]
    if [found[1] for found in braces] != ["{", "}"] or not block[: braces[0].start()].strip():
        return ""
    inner = block[braces[0].end() : braces[1].start()].strip()
    return inner if inner[:1] in tuple("~=#") or inner.partition("#")[0].strip().upper() in _TRUTHS else ""


def _read_block(bank: Bank, block: str, media: Media, tally: Tally) -> None:
    name = ""
    title = _TITLE.match(block)
    if title is not None:
        name, block = _plain(title[1]), block[title.end() :].strip()
    opening, closing = _answer_place(block)
    form, _text = _form_of(block, Format.AUTO)
    texts = _Texts(form, media, tally)
    if opening < 0 and closing < 0:
        tally.take(N_("Teks tanpa jawaban, yang menjadi bacaan: %(count)s."))
        bank.add_text(texts.html(block))
        return
    if not 0 <= opening < closing:
        tally.leave_out(_DAMAGED, example=name or block)
        return
    before, inner, after = block[:opening], block[opening + 1 : closing].strip(), block[closing + 1 :]
    inner, mark, general = _last(inner, "####")
    head = Head(
        texts.html(before + (_BLANK + after if after.strip() else "")),
        name,
        texts.html(general) if mark else "",
    )
    bank.add(_question(head, inner.strip(), texts))


def _question(head: Head, inner: str, texts: _Texts) -> DraftQuestion | None:
    tally = texts.tally
    truth, *remarks = _split(inner, "#")
    if not inner:
        tally.leave_out(
            N_("Soal jenis %(kind)s yang tidak dapat dibawa: %(count)s."),
            example=head.example,
            kind="essay",
        )
        return None
    if inner.startswith("#"):
        return asked.number(head, [_number(part, texts) for part in _parts(inner[1:], "=~")], tally)
    if _find(inner, "~") >= 0:
        answers = [_answer(part, texts, is_html=True) for part in _parts(inner, "=~")]
        return asked.choice(head, answers, _find(inner, "=") >= 0, tally)
    if truth.strip().upper() in _TRUTHS:
        is_true = _TRUTHS[truth.strip().upper()]
        wrong, right = (*map(texts.html, remarks[:2]), "", "")[:2]
        return asked.true_or_false(head, is_true, (right, wrong) if is_true else (wrong, right), tally)
    parts = _parts(inner, "=")
    if _find(inner, "=") >= 0 and any("->" in part for part in parts):
        return _matching(head, parts, texts)
    return asked.typed(head, [_answer(part, texts, is_html=False) for part in parts], tally)


def _matching(head: Head, parts: list[str], texts: _Texts) -> DraftQuestion | None:
    pairs = [part.lstrip("=").partition("->") for part in parts]
    if not all(arrow for _stem, arrow, _target in pairs):
        texts.tally.leave_out(_DAMAGED, example=head.example)
        return None
    made = [(texts.html(stem), html_of(_plain(target), Format.AUTO)) for stem, _arrow, target in pairs]
    return asked.matching(head, made, texts.tally)


def _answer(part: str, texts: _Texts, is_html: bool) -> Answer:
    """One answer with its mark (`=` earns all, `~` nothing), weight and remark; without a mark it earns all."""
    fraction = 0.0 if part.startswith("~") else 1.0
    text = part.lstrip("=~ \n\t") if part[:1] in ("=", "~") else part
    weight = _WEIGHT.match(text)
    if weight is not None:
        fraction, text = float(weight[1]) / 100, text[weight.end() :]
    text, *remarks = _split(text, "#", 1)
    said = texts.html(text) if is_html else _plain(text)
    return Answer(said, fraction, texts.html(remarks[0]) if remarks else "")


def _number(part: str, texts: _Texts) -> Answer:
    """`3.14`, `3.14:0.01` or `3.1..3.2`; `~` says what is wrong with every other number."""
    answer = _answer(part, texts, is_html=False)
    if part.startswith("~"):
        return Answer("*", 0.0, answer.remark)
    least, dots, most = answer.text.partition("..")
    value, _colon, off = answer.text.partition(":")
    low, high = asked.decimal_of(least), asked.decimal_of(most)
    if dots and low is not None and high is not None:
        value, off = str((low + high) / 2), str((high - low) / 2)
    return Answer(value, answer.fraction, answer.remark, off or "0")


def _form_of(text: str, otherwise: Format) -> tuple[Format, str]:
    found = _FORMAT.match(text.strip())
    return (_FORMATS[found[1].lower()], text.strip()[found.end() :]) if found else (otherwise, text)


def _answer_place(block: str) -> tuple[int, int]:
    """Where the first braces open and close; -1 for one that isn't there."""
    opening = closing = -1
    for found in _BRACES.finditer(block):
        if found[1] == "{" and opening < 0:
            opening = found.start()
        elif found[1] == "}" and closing < 0:
            closing = found.start()
    return opening, closing


def _parts(text: str, marks: str) -> list[str]:
    """The answers, each with the mark before it."""
    starts = [found.start() for found in _marks(text, marks)]
    ends = [*starts[1:], len(text)]
    first = text[: starts[0]] if starts else text
    found = [first, *(text[start:end] for start, end in zip(starts, ends, strict=False))]
    return [part.strip() for part in found if part.strip()]


def _split(text: str, mark: str, most: int = 2) -> list[str]:
    made: list[str] = []
    start = 0
    for found in _marks(text, mark):
        if len(made) < most:
            made.append(text[start : found.start()])
            start = found.end()
    return [*made, text[start:]]


def _find(text: str, mark: str) -> int:
    return next((found.start() for found in _marks(text, mark)), -1)


def _marks(text: str, marks: str) -> Iterator[re.Match[str]]:
    """Those of the marks that no backslash takes the meaning of."""
    return (found for found in re.finditer(rf"\\.|[{marks}]", text, re.DOTALL) if found[0][0] != "\\")


def _last(text: str, mark: str) -> tuple[str, str, str]:
    before, found, after = text.rpartition(mark)
    return (before, found, after) if found else (text, "", "")


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], text).strip()
