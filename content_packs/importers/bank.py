"""Question banks become lessons: each category one, the categories above it the module. Texts between questions are read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from content_packs import limits
from content_packs.errors import PackError
from content_packs.importers.draft import DraftLesson, DraftQuestion
from content_packs.importers.texts import wrapped
from sync.errors import N_

TEXT_FILE_MOST: Final = 2 * 1024 * 1024
_SNIFFED: Final = 256 * 1024
_TITLE_MOST: Final = 200
_BETWEEN: Final = re.compile(r"(?<!/)/(?!/)")
_CONTEXT: Final = re.compile(r"\$[a-z0-9]*\$", re.IGNORECASE)


@dataclass(slots=True)
class _Category:
    texts: list[str] = field(default_factory=list)
    questions: list[DraftQuestion] = field(default_factory=list)


class Bank:
    """Collects the questions of one file in the order of their categories; `title` is that of questions without one."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._categories: dict[tuple[str, ...], _Category] = {}
        self._current: tuple[str, ...] = ()

    def open_category(self, path: str) -> None:
        """What follows belongs to this category: `$course$/top/Desa/Kas`, in which `//` is a slash."""
        parts = [part.replace("//", "/").strip() for part in _BETWEEN.split(path)]
        named = [part for part in parts if part and not _CONTEXT.fullmatch(part)]
        self._current = tuple(named[1:] if named[:1] == ["top"] else named)

    def add(self, question: DraftQuestion | None) -> None:
        if question is not None:
            self._category().questions.append(question)

    def add_text(self, html: str) -> None:
        if html:
            self._category().texts.append(wrapped(html))

    def questions(self) -> list[DraftQuestion]:
        return [question for category in self._categories.values() for question in category.questions]

    def lessons(self) -> list[DraftLesson]:
        made: list[DraftLesson] = []
        for path, category in self._categories.items():
            title = path[-1] if path else self._title
            made += in_lessons(
                title, "\n".join(category.texts), category.questions, module=" / ".join(path[:-1])
            )
        return made

    def _category(self) -> _Category:
        return self._categories.setdefault(self._current, _Category())


def in_lessons(
    title: str, html: str, questions: list[DraftQuestion], module: str = "", role: str = "lesson"
) -> list[DraftLesson]:
    """One lesson, or several if there are more questions than one may hold."""
    title, module = title[:_TITLE_MOST], module[:_TITLE_MOST]
    most = limits.QUESTIONS_PER_LESSON
    parts = [questions[start : start + most] for start in range(0, len(questions), most)] or [[]]
    return [
        DraftLesson(
            title if number == 1 else f"{title} ({number})",
            html if number == 1 else "",
            part,
            role if part else "lesson",
            module=module,
        )
        for number, part in enumerate(parts, start=1)
    ]


def check_count(path: Path, count: int) -> None:
    """
    Raises:
        PackError: a file would become more lessons than a course may have.
    """
    if count > limits.LESSONS:
        raise PackError(
            N_("%(file)s terlalu panjang (%(count)s bagian): bagilah menjadi beberapa berkas."),
            file=path.name,
            count=count,
        )


def title_of(path: Path) -> str:
    """A title from the name of a file."""
    return " ".join(re.split(r"[_\s]+", path.stem)).strip()[:_TITLE_MOST] or "?"


def text_of(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 if it says so.

    Raises:
        PackError: it isn't text, or too large.
    """
    try:
        if path.stat().st_size > TEXT_FILE_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=path.name)
        content = path.read_bytes()
    except OSError as problem:
        raise PackError(N_("%(file)s tidak dapat dibaca."), file=path.name) from problem
    try:
        text = _decoded(content)
    except UnicodeDecodeError as problem:
        raise PackError(
            N_("%(file)s bukan teks UTF-8. Simpan lagi dengan penyandian UTF-8."), file=path.name
        ) from problem
    if "\0" in text:
        raise PackError(N_("%(file)s bukan berkas teks."), file=path.name)
    return text


def start_of(path: Path) -> str:
    """The first lines of a text file; nothing of what isn't text. Never raises."""
    try:
        with path.open("rb") as file:
            content = file.read(_SNIFFED)
        if len(content) == _SNIFFED:
            content = content[: content.rfind(b"\n") + 1]
        text = _decoded(content)
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if "\0" in text else text


def _decoded(content: bytes) -> str:
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if is_wide else "utf-8-sig")
