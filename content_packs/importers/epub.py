"""EPUB 2 and 3: each chapter of the table of contents becomes a lesson, with its pictures, sound and films.

Books that their publisher locked (DRM) are refused. Scripts, fonts and styles stay behind, as lessons have their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from html.entities import html5
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element  # to put around what was read safely

from content_packs.errors import PackError
from content_packs.importers.archive import Archive, open_archive, read_xml
from content_packs.importers.bank import check_count, title_of
from content_packs.importers.draft import Draft, DraftLesson
from content_packs.importers.epub_package import CONTAINER, Book, Document, Entry, read_book
from content_packs.importers.ims_manifest import attribute, descendants, local
from content_packs.importers.media_files import Media, SourceFile, kept, shown
from content_packs.importers.relink import HTML_MOST, beside, relinked
from content_packs.importers.tally import Tally
from content_packs.importers.texts import plain_of, text_of_page
from content_packs.importers.xml_html import inner_html
from sync.errors import N_

_TITLE_MOST: Final = 200
_SUMMARY_MOST: Final = 1000
_ENTITY: Final = re.compile(r"&(\w{2,32};)")
_XML_ENTITIES: Final = ("amp;", "lt;", "gt;", "quot;", "apos;")
_PAGES: Final = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_DECLARATION: Final = re.compile(r"\A\s*<\?xml[^>]*\?>")
_SELF_CLOSED: Final = re.compile(r"<(title|style|script|textarea|button|select)\b([^<>]*)/>")
_NOWHERE: Final = Entry("", "", "", "", 0)
_HEADINGS: Final = re.compile(r"<(h[1-5])\b[^>]*>(.*?)</\1>", re.DOTALL)
_BEHIND: Final = {
    "text/css": N_("Gaya tulisan (CSS) yang tidak dibawa: %(count)s."),
    "application/javascript": N_("Skrip yang tidak dibawa: %(count)s."),
    "text/javascript": N_("Skrip yang tidak dibawa: %(count)s."),
    "application/smil+xml": N_("Suara yang berjalan bersama teks dan tidak dibawa: %(count)s."),
}
_FONTS: Final = ("font/", "application/font", "application/x-font", "application/vnd.ms-opentype")


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't an EPUB, is locked or damaged, or holds nothing to read.
    """
    tally = Tally()
    with open_archive(path) as archive:
        book = read_book(archive)
        chapters = _Chapters(archive, book, tally)
        lessons = chapters.lessons()
        if not lessons:
            raise PackError(
                N_("%(file)s tidak berisi bahan yang dapat dipelajari di sini."), file=path.name
            )
        check_count(path, len(lessons))
        media = kept(chapters.media.used_in(lessons))
    tally.take(N_("Bab: %(count)s."), len(lessons))
    tally.take(N_("Gambar, film, suara dan dokumen: %(count)s."), len(media))
    _name_the_rest(book, tally)
    return Draft(
        (book.title or title_of(path))[:_TITLE_MOST],
        lessons,
        media,
        summary=plain_of(book.summary)[:_SUMMARY_MOST],
        language=book.language,
        publisher=book.publisher[:_TITLE_MOST],
        report=tally.report(),
    )


def recognises(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                return False
        with open_archive(path) as archive:
            return CONTAINER in archive
    except (PackError, OSError):
        return False


class _Chapters:
    """Makes lessons of the documents of a book, in reading order."""

    def __init__(self, archive: Archive, book: Book, tally: Tally) -> None:
        self.media = Media(tally)
        self._archive = archive
        self._book = book
        self._tally = tally
        self._pages = {one.path for one in book.documents if one.media_type in _PAGES}
        self._entries: dict[str, list[Entry]] = {}
        for entry in book.contents:
            self._entries.setdefault(entry.path, []).append(entry)

    def lessons(self) -> list[DraftLesson]:
        made: list[DraftLesson] = []
        has_contents = any(one.path in self._entries for one in self._book.spine)
        for document in self._book.spine:
            if "nav" in document.properties:
                continue
            for title, module, html in self._parts(document):
                if not plain_of(html) and "<img" not in html:
                    self._tally.leave_out(N_("Halaman yang kosong: %(count)s."), example=title)
                elif not title and has_contents and made and len(made[-1].html) + len(html) <= HTML_MOST:
                    # A chapter may be cut into several documents; only the first is in the table of contents.
                    made[-1].html += f"\n{html}"
                else:
                    name = (title or self._otherwise(html))[:_TITLE_MOST]
                    made.append(DraftLesson(name, html, module=module[:_TITLE_MOST]))
        return made

    def _parts(self, document: Document) -> Iterator[tuple[str, str, str]]:
        """(title, part of the book, HTML) of each lesson in a document; without a title where the last one goes on."""
        entries = self._entries.get(document.path, [])
        whole = next((one for one in entries if not one.fragment), None)
        marks = {one.fragment: one for one in entries if one.fragment and one.level == 0}
        named = whole or next(iter(entries), _NOWHERE)
        if document.media_type not in _PAGES:
            source = self._source(document.path, document.media_type)
            yield named.title, named.module, shown(self.media, [source], named.title)
            return
        text = self._text(document.path)
        root = self._root(document.path, text)
        if root is None:
            yield (
                named.title,
                named.module,
                self._relinked(document.path, _SELF_CLOSED.sub(r"<\1\2></\1>", text)),
            )
            return
        body = next(descendants(root, "body"), root)
        if len(marks) < 2:
            yield named.title, named.module, self._html(document.path, [body])
            return
        for begun, elements in _cut(body, marks):
            entry = begun or whole or _NOWHERE
            yield entry.title, entry.module, self._html(document.path, elements)

    def _text(self, path: str) -> str:
        """The text of a document; nothing of one that can't be taken, which is counted."""
        if path not in self._archive:
            self._tally.leave_out(
                N_("Berkas yang disebut tetapi tidak ada dalam sumbernya: %(count)s."), example=path
            )
            return ""
        if self._archive.size(path) > HTML_MOST:
            self._tally.leave_out(
                N_("Teks lebih panjang dari 1 MiB yang tidak dibawa: %(count)s."), example=path
            )
            return ""
        return text_of_page(self._archive.read(path))

    def _root(self, path: str, text: str) -> Any:
        """The root element of a document; None for one that isn't XML, as few are."""
        try:
            return read_xml(_DECLARATION.sub("", _ENTITY.sub(_character, text), count=1).encode(), path)
        except PackError:
            if text:
                self._tally.change(
                    N_("Halaman yang bukan XHTML utuh dan dibaca seadanya: %(count)s."), example=path
                )
            return None

    def _html(self, path: str, elements: list[Any]) -> str:
        return self._relinked(path, "".join(inner_html(element, _picture_of) for element in elements))

    def _relinked(self, path: str, html: str) -> str:
        def find(address: str) -> SourceFile | None:
            name = beside(path, address)
            # A link to another chapter leads nowhere in a course.
            return self._source(name) if name and name not in self._pages else None

        return relinked(html, find, self.media, self._tally)

    def _source(self, name: str, media_type: str = "") -> SourceFile:
        read = self._archive.reader(name) if name in self._archive else None
        return SourceFile(name, name, read, media_type)

    def _otherwise(self, html: str) -> str:
        """The title of what stands before the first line of the table of contents, or has none."""
        found = _HEADINGS.search(html)
        title = plain_of(found[2]) if found else ""
        return title or self._book.title or title_of(Path(self._archive.name))


def _cut(body: Any, marks: dict[str, Entry]) -> Iterator[tuple[Entry | None, list[Any]]]:
    """The parts of a page that begin at the marks of its table of contents; the first may begin before any."""
    while len(body) == 1 and not (body.text or "").strip() and body[0].get("id") not in marks:
        body = body[0]
    entry: Entry | None = None
    part = [_with_text(body)] if (body.text or "").strip() else []
    for block in body:
        ids = (attribute(one, "id") or attribute(one, "name") for one in block.iter())
        begun = next((marks[id_] for id_ in ids if id_ in marks), None)
        if begun is not None:
            if part:
                yield entry, part
            entry, part = begun, []
        part.append(_wrapped(block))
    if part:
        yield entry, part


def _wrapped(block: Any) -> Any:
    """An element around a block, so that the block's own tag is written with what is in it."""
    around = Element("div")
    around.append(block)
    return around


def _with_text(body: Any) -> Any:
    alone = Element("div")
    alone.text = body.text
    return alone


def _picture_of(element: Any) -> str | None:
    """Covers are often a drawing that holds nothing but one picture."""
    if local(element) != "svg":
        return None
    pictures = [one for one in descendants(element, "image") if attribute(one, "href")]
    drawn = [one for one in element.iter() if local(one) in ("path", "text", "rect", "circle", "line")]
    if len(pictures) != 1 or drawn:
        return None
    said = next((" ".join("".join(one.itertext()).split()) for one in descendants(element, "title")), "")
    return f'<img src="{escape(attribute(pictures[0], "href"))}" alt="{escape(said)}">'


def _character(found: re.Match[str]) -> str:
    """XHTML may name characters that XML doesn't know without its DTD."""
    if found[1] in _XML_ENTITIES:
        return found[0]
    return escape(html5[found[1]]) if found[1] in html5 else f"&amp;{found[1]}"


def _name_the_rest(book: Book, tally: Tally) -> None:
    for document in book.documents:
        if document.media_type in _BEHIND:
            tally.leave_out(_BEHIND[document.media_type])
        elif document.media_type.startswith(_FONTS):
            tally.leave_out(N_("Huruf (font) yang tidak dibawa: %(count)s."))
    for name in book.names:
        tally.leave_out(
            N_(
                "Nama pembuat buku, yang disebut sendiri di course.toml bila lisensinya meminta: %(count)s."
            ),
            example=name,
        )
    if book.rights:
        tally.leave_out(N_("Keterangan hak cipta yang perlu dibaca: %(count)s."), example=book.rights)
