"""Reads one lesson file of a course folder: TOML front matter, Markdown, questions.

A heading that starts with `[id]` starts a question; a task list gives its choices, the ticked one is right;
a quote after it explains. What stands before the first question is the reading. Format: docs/packs.md.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from content_packs import limits
from content_packs.errors import LessonFileError, PackError
from content_packs.outline import ROLES, SLUG
from sync.errors import N_

_FRONT: Final = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n", re.DOTALL)
_QUESTION: Final = re.compile(r"^##+ +\[([^\]]*)\] *(.*)$", re.MULTILINE)
_CHOICE: Final = re.compile(r"^[-*] +\[([ xX])\] +(.+)$")
_KNOWN: Final = {"id", "title", "role", "minutes", "legal_basis", "reviewed"}


@dataclass(frozen=True, slots=True)
class SourceQuestion:
    id: str
    text: str
    choices: tuple[str, ...]
    right: int
    explanation: str


@dataclass(frozen=True, slots=True)
class SourceLesson:
    """A lesson as its author wrote it; texts are Markdown."""

    path: Path
    id: str
    title: str
    role: str
    minutes: int
    legal_basis: tuple[str, ...]
    reviewed: str
    reading: str
    questions: tuple[SourceQuestion, ...]


def read_lesson(path: Path) -> SourceLesson:
    """
    Raises:
        PackError: with the file's name and what to mend.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _wrong(path, N_("simpan berkas ini sebagai UTF-8")) from problem
    front = _FRONT.match(text)
    if front is None:
        raise _wrong(path, N_("harus dimulai dengan kepala di antara dua baris +++"))
    values = _front_matter(path, front[1])
    body = text[front.end() :]
    starts = list(_QUESTION.finditer(body))
    reading = body[: starts[0].start()] if starts else body
    ends = [*(start.start() for start in starts), len(body)][1:]
    questions = tuple(
        _question(path, start[1], start[2], body[start.end() : end])
        for start, end in zip(starts, ends, strict=True)
    )
    ids = [question.id for question in questions]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise _wrong(path, N_("soal %(what)s ada dua kali"), id_)
    if values["role"] != "lesson" and not questions:
        raise _wrong(path, N_("tes harus berisi soal"))
    if len(questions) > limits.QUESTIONS_PER_LESSON:
        raise _wrong(path, N_("terlalu banyak soal"))
    return SourceLesson(path, **values, reading=reading.strip(), questions=questions)


def _front_matter(path: Path, text: str) -> dict[str, Any]:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise _wrong(path, N_("kepala tidak dapat dibaca: %(what)s"), str(problem)) from problem
    for name in values:
        if name not in _KNOWN:
            raise _wrong(path, N_("isian %(what)s di kepala tidak dikenal"), name)
    role = values.get("role", "lesson")
    if role not in ROLES:
        raise _wrong(path, N_("role %(what)s tidak dikenal"), str(role))
    if not isinstance(values.get("id"), str) or not SLUG.fullmatch(values["id"]):
        raise _wrong(path, N_("id harus ada, dari huruf kecil, angka dan tanda hubung"))
    if not isinstance(values.get("title"), str) or not values["title"].strip():
        raise _wrong(path, N_("title harus ada"))
    minutes = values.get("minutes", 0)
    basis = values.get("legal_basis", [])
    if type(minutes) is not int or not 0 <= minutes <= 10_000 or not isinstance(basis, list):
        raise _wrong(path, N_("minutes harus bilangan 0–10000 dan legal_basis harus daftar"))
    reviewed = _date(path, values.get("reviewed", ""))
    if role == "lesson" and not (basis and reviewed):
        raise _wrong(path, N_("materi harus menyebut legal_basis dan reviewed (tanggal tinjau)"))
    return {
        "id": values["id"],
        "title": values["title"].strip(),
        "role": role,
        "minutes": minutes,
        "legal_basis": tuple(str(text) for text in basis),
        "reviewed": reviewed,
    }


def _date(path: Path, value: object) -> str:
    if value == "":
        return ""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as problem:
        raise _wrong(path, N_("tanggal %(what)s tidak sah, contoh: 2026-11-24"), str(value)) from problem


def _question(path: Path, id_: str, text: str, block: str) -> SourceQuestion:
    if not SLUG.fullmatch(id_):
        raise _wrong(path, N_("id soal [%(what)s] harus dari huruf kecil, angka dan tanda hubung"), id_)
    choices: list[str] = []
    right: list[int] = []
    explanation: list[str] = []
    more: list[str] = []
    for line in block.strip().splitlines():
        choice = _CHOICE.match(line)
        if choice:
            right += [len(choices)] if choice[1] != " " else []
            choices.append(choice[2].strip())
        elif line.startswith(">"):
            explanation.append(line[1:].strip())
        elif line.strip() and not choices:
            more.append(line.strip())
        elif line.strip():
            raise _wrong(path, N_("baris tak dikenal dalam soal [%(what)s]"), id_)
    if not 2 <= len(choices) <= limits.CHOICES:
        raise _wrong(path, N_("soal [%(what)s] harus punya 2 sampai 6 pilihan"), id_)
    if len(right) != 1:
        raise _wrong(path, N_("soal [%(what)s] harus punya tepat satu pilihan benar [x]"), id_)
    if len(set(choices)) != len(choices):
        raise _wrong(path, N_("soal [%(what)s] punya dua pilihan yang sama"), id_)
    asked = " ".join([text, *more]).strip()
    if not asked:
        raise _wrong(path, N_("soal [%(what)s] harus berisi pertanyaan"), id_)
    return SourceQuestion(
        id_,
        asked,
        tuple(choices),
        right[0],
        " ".join(explanation).removeprefix("Penjelasan:").strip(),
    )


def _wrong(path: Path, problem: str, what: str = "") -> PackError:
    return LessonFileError(path.name, problem, what=what)
