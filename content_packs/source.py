"""Reads one lesson file of a course folder: TOML front matter, a reading in Markdown or HTML, questions.

What stands before the first question is the reading. Questions are read by `source_questions`. Format: docs/packs.md.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from content_packs import limits
from content_packs.outline import LIBRARY, PLAYERS, ROLES, SLUG
from content_packs.source_questions import HEADING, SourceQuestion, read_block, read_tables, wrong
from sync.errors import N_

_FRONT: Final = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n", re.DOTALL)
_KNOWN: Final = {
    *("id", "title", "role", "minutes", "legal_basis", "reviewed"),
    *("was", "revised_in", "module", "player", "activity", "entry"),
}
_PLAYERS_TEXT: Final = ", ".join(PLAYERS)


@dataclass(frozen=True, slots=True)
class SourceLesson:
    """A lesson as its author wrote it; its reading is Markdown, or HTML in a file that ends so."""

    path: Path
    id: str
    title: str
    role: str
    minutes: int
    legal_basis: tuple[str, ...]
    reviewed: str
    was: tuple[str, ...]
    revised_in: int
    module: str
    player: str
    activity: str
    entry: str
    reading: str
    questions: tuple[SourceQuestion, ...]

    @property
    def is_html(self) -> bool:
        return self.path.suffix == ".html"


def read_lesson(path: Path, is_general: bool = False) -> SourceLesson:
    """
    `is_general`: the course isn't about law, so its lessons needn't name a legal basis.

    Raises:
        PackError: with the file's name and what to mend.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise wrong(path, N_("simpan berkas ini sebagai UTF-8")) from problem
    front = _FRONT.match(text)
    if front is None:
        raise wrong(path, N_("harus dimulai dengan kepala di antara dua baris +++"))
    values = _front_matter(path, front[1], is_general)
    body = text[front.end() :]
    reading, questions = (body, read_tables(path)) if path.suffix == ".html" else _taken_apart(path, body)
    ids = [question.id for question in questions]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise wrong(path, N_("soal %(what)s ada dua kali"), id_)
    if values["role"] != "lesson" and not questions:
        raise wrong(path, N_("tes harus berisi soal"))
    if len(questions) > limits.QUESTIONS_PER_LESSON:
        raise wrong(path, N_("terlalu banyak soal"))
    return SourceLesson(path, **values, reading=reading.strip(), questions=questions)


def _taken_apart(path: Path, body: str) -> tuple[str, tuple[SourceQuestion, ...]]:
    """The reading, and the questions after it, of a lesson in Markdown."""
    starts = list(HEADING.finditer(body))
    ends = [*(start.start() for start in starts), len(body)][1:]
    questions = tuple(
        read_block(path, start[1], start[2] or "", start[3], body[start.end() : end])
        for start, end in zip(starts, ends, strict=True)
    )
    return body[: starts[0].start()] if starts else body, questions


def _front_matter(path: Path, text: str, is_general: bool) -> dict[str, Any]:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise wrong(path, N_("kepala tidak dapat dibaca: %(what)s"), str(problem)) from problem
    for name in values:
        if name not in _KNOWN:
            raise wrong(path, N_("isian %(what)s di kepala tidak dikenal"), name)
    role = values.get("role", "lesson")
    if role not in ROLES:
        raise wrong(path, N_("role %(what)s tidak dikenal"), str(role))
    if not isinstance(values.get("id"), str) or not SLUG.fullmatch(values["id"]):
        raise wrong(path, N_("id harus ada, dari huruf kecil, angka dan tanda hubung"))
    if not isinstance(values.get("title"), str) or not values["title"].strip():
        raise wrong(path, N_("title harus ada"))
    minutes = values.get("minutes", 0)
    basis = values.get("legal_basis", [])
    if type(minutes) is not int or not 0 <= minutes <= 10_000 or not isinstance(basis, list):
        raise wrong(path, N_("minutes harus bilangan 0–10000 dan legal_basis harus daftar"))
    reviewed = _date(path, values.get("reviewed", ""))
    if role == "lesson" and not is_general and not (basis and reviewed):
        raise wrong(path, N_("materi harus menyebut legal_basis dan reviewed (tanggal tinjau)"))
    return {
        "id": values["id"],
        "title": values["title"].strip(),
        "role": role,
        "minutes": minutes,
        "legal_basis": tuple(str(text) for text in basis),
        "reviewed": reviewed,
        **_lineage(path, values),
        **_played(path, values),
    }


def _lineage(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """What the lesson was in earlier versions, and where in the course it belongs."""
    was, revised_in, module = values.get("was", []), values.get("revised_in", 0), values.get("module", "")
    if (
        not isinstance(was, list)
        or not all(isinstance(id_, str) and SLUG.fullmatch(id_) for id_ in was)
        or type(revised_in) is not int
        or not 0 <= revised_in < 1 << 31
        or not isinstance(module, str)
    ):
        raise wrong(path, N_("was harus daftar id, revised_in nomor versi dan module teks"))
    return {"was": tuple(was), "revised_in": revised_in, "module": module.strip()}


def _played(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """What plays the lesson, if it isn't a page of our own."""
    said = {name: values.get(name, "") for name in ("player", "activity", "entry")}
    if any(said.values()) and (
        said["player"] not in (*PLAYERS, LIBRARY) or not all(map(_is_text, said.values()))
    ):
        raise wrong(
            path,
            N_("player harus %(what)s, dengan activity (folder) dan entry (berkas pertama)"),
            _PLAYERS_TEXT,
        )
    return said


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _date(path: Path, value: object) -> str:
    if value == "":
        return ""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as problem:
        raise wrong(path, N_("tanggal %(what)s tidak sah, contoh: 2026-11-24"), str(value)) from problem
