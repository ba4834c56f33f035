"""PDF: every page becomes a picture, with its text for those who hear the page or look for a word.

Lessons follow the bookmarks of the PDF; without any, ten pages are one lesson. Pages are drawn when the course folder is
written, one by one, so that a long PDF needs little memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from content_packs.errors import PackError
from content_packs.importers.archive import MEMBER_MOST
from content_packs.importers.bank import check_count, title_of
from content_packs.importers.draft import Draft, DraftLesson
from content_packs.importers.media_files import Media, SourceFile
from content_packs.importers.tally import Tally
from content_packs.importers.words import Words, words_of
from sync.errors import N_

if TYPE_CHECKING:
    from content_packs.importers.pdf_pages import Bookmark, Pages

PAGES_PER_LESSON: Final = 10
"""Without bookmarks."""
PAGES_MOST: Final = 20
"""Of one lesson: half a megabyte."""
_TITLE_MOST: Final = 200
_SNIFFED: Final = 1024
_PROGRAM: Final = re.compile(
    r"^Microsoft (?:Word|PowerPoint|Excel) - |\.(?:docx?|pptx?|xlsx?|odt|odp|indd|tex|pdf)$", re.I
)
_NAMELESS: Final = re.compile(
    r"(?:untitled|about:blank|document|presentation|slide|powerpoint presentation)?[ \d]*", re.I
)


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't a PDF, is locked with a password, damaged or too long.
    """
    if not recognises(path):
        raise PackError(N_("%(file)s bukan PDF."), file=path.name)
    if path.stat().st_size > MEMBER_MOST:
        raise PackError(N_("%(file)s terlalu besar."), file=path.name)
    # pdfium takes a while to start, and those who publish no PDFs needn't have it.
    from content_packs.importers.pdf_pages import drawn, read_pages

    pages = read_pages(path)
    language = pages.language or "id"
    words = words_of(language)
    title = (_title(pages.title) or title_of(path))[:_TITLE_MOST]
    tally = Tally()
    media = Media(tally)
    lessons = []
    for part in _parts(pages, title, words):
        shown = []
        for number in part.pages:
            text = pages.texts[number]
            if text is not None:
                file = SourceFile(f"halaman-{number + 1:03}.webp", number, drawn(path, number))
                shown.append(_page(media.add(file), number, text, words))
        if shown:
            lessons.append(
                DraftLesson(part.title[:_TITLE_MOST], "\n".join(shown), module=part.module[:_TITLE_MOST])
            )
    if not lessons:
        raise PackError(N_("%(file)s rusak atau terpotong. Ambil lagi dari sumbernya."), file=path.name)
    check_count(path, len(lessons))
    _say(pages, len(lessons), tally)
    return Draft(title, lessons, media.files, language=language, report=tally.report())


def recognises(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(_SNIFFED)
        # A zip may begin with a PDF that lies in it.
        return b"%PDF-" in start and not start.startswith(b"PK")
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class _Part:
    title: str
    module: str
    pages: range


def _parts(pages: Pages, title: str, words: Words) -> Iterator[_Part]:
    """The lessons: a title, the part of the course and the pages of each."""
    count = len(pages.texts)
    if not pages.bookmarks:
        for start in range(0, count, PAGES_PER_LESSON):
            some = range(start, min(count, start + PAGES_PER_LESSON))
            name = f"{words.page} {some.start + 1}" + (f"–{some.stop}" if len(some) > 1 else "")
            yield _Part(title if count <= PAGES_PER_LESSON else name, "", some)
        return
    marks = list(pages.bookmarks)
    if len({one.page for one in marks if one.level == 0}) == 1:
        # The one bookmark at the top is the book itself.
        marks = [one for one in marks if one.level == 1] or marks
    top = min(one.level for one in marks)
    for name, some in _between([one for one in marks if one.level == top], range(count), title):
        inner = [one for one in pages.bookmarks if one.level == top + 1 and one.page in some]
        if len(some) <= PAGES_MOST or not inner:
            yield from _cut(name, "", some)
        else:
            for below, fewer in _between(inner, some, name):
                yield from _cut(below, name, fewer)


def _between(marks: list[Bookmark], pages: range, before: str) -> Iterator[tuple[str, range]]:
    """Title and pages from each bookmark to the next; those before the first have the title of the whole."""
    titles: dict[int, list[str]] = {pages.start: []}
    for one in sorted(marks, key=lambda one: one.page):
        titles.setdefault(one.page, []).append(one.title)
    for start, end in pairwise([*titles, pages.stop]):
        # Of several that begin on one page no picture can be in two lessons.
        yield " / ".join(dict.fromkeys(titles[start])) or before, range(start, end)


def _cut(title: str, module: str, pages: range) -> Iterator[_Part]:
    starts = range(pages.start, pages.stop, PAGES_MOST)
    for number, start in enumerate(starts, start=1):
        some = range(start, min(pages.stop, start + PAGES_MOST))
        yield _Part(title if number == 1 else f"{title[: _TITLE_MOST - 8]} ({number})", module, some)


def _page(name: str, number: int, text: str, words: Words) -> str:
    picture = f'<p><img src="media:{name}" alt="{escape(words.page)} {number + 1}"></p>'
    lines = [escape(line.strip(), quote=False) for line in text.splitlines() if line.strip()]
    if not lines:
        return picture
    said = f"{escape(words.page_text)} {number + 1}"
    return f"{picture}\n<details><summary>{said}</summary><p>{'<br>'.join(lines)}</p></details>"


def _title(said: str) -> str:
    """A title that somebody gave, and not the program in which the PDF was made."""
    plain = _PROGRAM.sub("", _PROGRAM.sub("", " ".join(said.split()))).strip()
    return "" if _NAMELESS.fullmatch(plain) else plain


def _say(pages: Pages, lessons: int, tally: Tally) -> None:
    tally.take(N_("Halaman sebagai gambar: %(count)s."), sum(text is not None for text in pages.texts))
    tally.change(
        N_("Halaman tanpa teks (mungkin hasil pindai), yang tidak dapat dibacakan atau dicari: %(count)s."),
        sum(text == "" for text in pages.texts),
    )
    tally.change(
        N_("PDF ini tanpa penanda bab, jadi dibagi menjadi %(count)s materi menurut jumlah halaman."),
        0 if pages.bookmarks else lessons,
    )
    tally.leave_out(N_("Halaman rusak yang tidak dibawa: %(count)s."), pages.texts.count(None))
    tally.leave_out(N_("Formulir, yang menjadi gambar: %(count)s."), int(pages.has_form))
    tally.leave_out(N_("Lampiran di dalam PDF: %(count)s."), pages.attachments)
    tally.leave_out(N_("Nama pembuat yang tercatat dalam PDF: %(count)s."), int(pages.has_author))
