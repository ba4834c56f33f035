"""Questions as authors write them: in Markdown below a lesson's reading, or as a table beside an HTML lesson.

In Markdown a heading `## [id] Question?` begins one; after the id may stand which kind it is: `[id|ganda]` several right
choices, `[id|jodoh]` matching, `[id|urut]` an order, `[id|isian]` a typed word, `[id|angka]` a number. Format: docs/packs.md.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from content_packs import limits
from content_packs.errors import LessonFileError, PackError
from content_packs.outline import SLUG
from content_packs.questions import Question, QuestionKind, is_consistent
from sync.errors import N_

HEADING: Final = re.compile(r"^##+ +\[([^\]|]*)(?:\|([^\]]*))?\] *(.*)$", re.MULTILINE)
TABLES: Final = ".soal.toml"
"""`02-nama.soal.toml` holds the questions of `02-nama.html`."""

_CHOICE: Final = re.compile(r"^[-*] +\[([ xX])\] +(.+)$")
_PAIR: Final = re.compile(r"^[-*] +(.*?) *=> *(.+)$")
_STEP: Final = re.compile(r"^\d+[.)] +(.+)$")
_KINDS: Final = {
    "": QuestionKind.CHOICE,
    "ganda": QuestionKind.MULTIPLE,
    "jodoh": QuestionKind.MATCHING,
    "urut": QuestionKind.ORDERING,
    "isian": QuestionKind.TEXT,
    "angka": QuestionKind.NUMBER,
}
_FIELDS: Final[dict[str, Any]] = {
    "id": "",
    "kind": "choice",
    "text": "",
    "choices": [],
    "right": [],
    "targets": [],
    "accepted": [],
    "explanation": "",
}


@dataclass(frozen=True, slots=True)
class SourceQuestion:
    """A question as its author wrote it; texts are Markdown, or HTML if `is_html`. See `questions.Question`."""

    id: str
    text: str
    choices: tuple[str, ...]
    right: tuple[int, ...]
    explanation: str
    kind: QuestionKind = QuestionKind.CHOICE
    targets: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    is_html: bool = False


def read_block(path: Path, id_: str, kind_name: str, text: str, block: str) -> SourceQuestion:
    """A question from its heading and what stands below it.

    Raises:
        PackError: with what to mend.
    """
    if not SLUG.fullmatch(id_):
        raise wrong(path, N_("id soal [%(what)s] harus dari huruf kecil, angka dan tanda hubung"), id_)
    kind = _KINDS.get(kind_name.strip())
    if kind is None:
        raise wrong(path, N_("jenis soal %(what)s tidak dikenal"), f"[{id_}|{kind_name}]")
    lines = _Lines(kind)
    for line in block.strip().splitlines():
        if not lines.take(line):
            raise wrong(path, N_("baris tak dikenal dalam soal [%(what)s]"), id_)
    asked = " ".join([text, *lines.more]).strip()
    if not asked:
        raise wrong(path, N_("soal [%(what)s] harus berisi pertanyaan"), id_)
    explanation = " ".join(lines.explanation).removeprefix("Penjelasan:").strip()
    made = SourceQuestion(
        id_,
        asked,
        tuple(lines.choices),
        tuple(lines.right),
        explanation,
        kind,
        tuple(lines.targets),
        tuple(lines.accepted),
    )
    return checked(path, made)


def read_tables(path: Path) -> tuple[SourceQuestion, ...]:
    """The questions in the file beside an HTML lesson; none if there is no such file.

    Raises:
        PackError: with what to mend.
    """
    beside = path.with_name(path.name.removesuffix(path.suffix) + TABLES)
    if not beside.exists():
        return ()
    try:
        values = tomllib.loads(beside.read_text(encoding="utf-8-sig"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise wrong(beside, N_("soal tidak dapat dibaca: %(what)s"), str(problem)) from problem
    tables = values.get("question", [])
    if set(values) - {"question"} or not isinstance(tables, list):
        raise wrong(beside, N_("hanya boleh berisi [[question]]"))
    return tuple(_table(beside, table) for table in tables)


def checked(path: Path, question: SourceQuestion) -> SourceQuestion:
    """The question, if somebody can answer it.

    Raises:
        PackError: with what to mend.
    """
    kind, id_ = question.kind, question.id
    if kind in (QuestionKind.TEXT, QuestionKind.NUMBER):
        most = 1
    elif not 2 <= len(question.choices) <= limits.CHOICES:
        raise wrong(path, N_("soal [%(what)s] harus punya 2 sampai 12 pilihan"), id_)
    else:
        most = len(question.choices)
    if kind is QuestionKind.CHOICE and len(question.right) != 1:
        raise wrong(path, N_("soal [%(what)s] harus punya tepat satu pilihan benar [x]"), id_)
    if len(set(question.choices)) != len(question.choices):
        raise wrong(path, N_("soal [%(what)s] punya dua pilihan yang sama"), id_)
    shown = Question(
        1,
        id_,
        question.text,
        question.choices,
        question.right,
        "",
        kind,
        question.targets,
        question.accepted,
    )
    if not most or len(question.targets) > limits.CHOICES or not is_consistent(shown):
        raise wrong(path, N_("soal [%(what)s] tidak punya jawaban benar yang dapat dipilih"), id_)
    return question


def wrong(path: Path, problem: str, what: str = "") -> PackError:
    return LessonFileError(path.name, problem, what=what)


class _Lines:
    """The lines below a question's heading, taken one by one."""

    def __init__(self, kind: QuestionKind) -> None:
        self.kind = kind
        self.more: list[str] = []
        self.choices: list[str] = []
        self.right: list[int] = []
        self.targets: list[str] = []
        self.accepted: list[str] = []
        self.explanation: list[str] = []

    def take(self, line: str) -> bool:
        """False for a line that has no meaning here."""
        if not line.strip():
            return True
        if line.startswith(">"):
            self.explanation.append(line[1:].strip())
            return True
        if self._take_answer(line.strip()):
            return True
        if self.choices or self.accepted or self.targets:
            return False
        self.more.append(line.strip())
        return True

    def _take_answer(self, line: str) -> bool:
        if self.kind is QuestionKind.MATCHING:
            return self._take_pair(line)
        if self.kind is QuestionKind.ORDERING:
            step = _STEP.match(line)
            self.choices += [step[1]] if step else []
            return step is not None
        choice = _CHOICE.match(line)
        if choice is None:
            return False
        if self.kind is QuestionKind.TEXT:
            self.accepted.append(choice[2].strip())
        elif self.kind is QuestionKind.NUMBER:
            number, _, off = choice[2].partition("±")
            self.accepted += [number.strip(), off.strip() or "0"]
        else:
            self.right += [len(self.choices)] if choice[1] != " " else []
            self.choices.append(choice[2].strip())
        return True

    def _take_pair(self, line: str) -> bool:
        pair = _PAIR.match(line)
        if pair is None:
            return False
        target = pair[2].strip()
        if target not in self.targets:
            self.targets.append(target)
        if pair[1]:
            # One without a stem is a target that nothing belongs to.
            self.choices.append(pair[1].strip())
            self.right.append(self.targets.index(target))
        return True


def _table(path: Path, table: object) -> SourceQuestion:
    if not isinstance(table, dict) or set(table) - set(_FIELDS):
        raise wrong(path, N_("hanya boleh berisi [[question]]"))
    values = {**_FIELDS, **table}
    texts = (values["choices"], values["targets"], values["accepted"])
    kinds = {kind.name.lower(): kind for kind in QuestionKind}
    if (
        not all(isinstance(values[name], str) for name in ("id", "kind", "text", "explanation"))
        or not all(
            isinstance(list_, list) and all(isinstance(one, str) for one in list_) for list_ in texts
        )
        or not isinstance(values["right"], list)
        or not all(type(place) is int for place in values["right"])
        or values["kind"] not in kinds
        or not SLUG.fullmatch(values["id"])
        or not values["text"].strip()
    ):
        raise wrong(path, N_("soal [%(what)s] berisi isian yang salah jenis"), str(values["id"])[:63])
    made = SourceQuestion(
        values["id"],
        values["text"],
        tuple(values["choices"]),
        tuple(values["right"]),
        values["explanation"],
        kinds[values["kind"]],
        tuple(values["targets"]),
        tuple(values["accepted"]),
        is_html=True,
    )
    return checked(path, made)
