"""The pages of a PDF as pictures and as text, drawn by pdfium; nothing of a page stays in memory when it was drawn.

A page becomes a WebP picture, 1000 pixels wide: lessons show it up to 800 wide on a screen of 1366, the rest is for reading
closer. Pages of text are drawn with few colours and no other loss (42 KB in a dense manual, where WebP with loss has 71, JPEG
109 and PNG 213), those with photos with loss: whichever is smaller and still looks like the page.
"""

from __future__ import annotations

import io
import re
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]
from PIL import Image, ImageChops, ImageStat

from content_packs.errors import PackError
from sync.errors import N_

PAGES_MOST: Final = 2_000
BOOKMARKS_MOST: Final = 5_000
TEXT_MOST: Final = 20_000
"""Characters of one page; more is no page that anybody reads."""

_WIDTH: Final = 1000
_HEIGHT_MOST: Final = 2000
_COLOURS: Final = 32
_ERROR_MOST: Final = 4.0
"""How far (root mean square of 255) few colours may be from the page: pages of text stay below 3, photos are above 10."""
_QUALITY: Final = 60
_PASSWORD: Final = (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
_UNREADABLE: Final = (pypdfium2.PdfiumError, OSError, ValueError, RuntimeError, MemoryError)
_HYPHEN: Final = re.compile("[\x02\ufffe]\n?")
"""What pdfium puts where a word is cut at the end of a line."""
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_drawing: Final = threading.RLock()
"""pdfium is for one thread at a time."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    title: str
    page: int
    """From 0."""
    level: int


@dataclass(frozen=True, slots=True)
class Pages:
    """What a PDF holds. `texts` has None for pages that can't be read."""

    title: str
    language: str
    texts: tuple[str | None, ...]
    bookmarks: tuple[Bookmark, ...]
    has_form: bool
    has_author: bool
    attachments: int


def read_pages(path: Path) -> Pages:
    """
    Raises:
        PackError: it is locked, damaged, or has too many pages.
    """
    with _opened(path) as document:
        count = len(document)
        if not count:
            raise _damaged(path)
        if count > PAGES_MOST:
            raise PackError(
                N_("%(file)s terlalu panjang (%(count)s halaman): bagilah menjadi beberapa berkas."),
                file=path.name,
                count=count,
            )
        return Pages(
            _plain(document.get_metadata_value("Title")),
            _language(document),
            tuple(_text(document, number) for number in range(count)),
            tuple(_bookmarks(document, count)),
            document.get_formtype() != pdfium.FORMTYPE_NONE,
            bool(_plain(document.get_metadata_value("Author"))),
            max(0, document.count_attachments()),
        )


def drawn(path: Path, number: int) -> Callable[[], bytes]:
    """Something that draws a page (from 0) when its picture is needed."""

    def draw() -> bytes:
        with _opened(path) as document:
            page = document[number]
            try:
                width, height = page.get_size()
                scale = min(_WIDTH / max(width, 1), _HEIGHT_MOST / max(height, 1))
                bitmap = page.render(scale=scale, prefer_bgrx=True)
                picture = bitmap.to_pil().convert("RGB")
                bitmap.close()
            finally:
                page.close()
        return picture_bytes(picture)

    return draw


def picture_bytes(picture: Image.Image) -> bytes:
    """A page as WebP, in the way that is smaller and still looks like it."""
    best = _webp(picture, quality=_QUALITY)
    few = picture.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).convert("RGB")
    if max(ImageStat.Stat(ImageChops.difference(picture, few)).rms) <= _ERROR_MOST:
        best = min(best, _webp(few, lossless=True, quality=50), key=len)
    return best


def _webp(picture: Image.Image, **how: Any) -> bytes:
    made = io.BytesIO()
    picture.save(made, "WEBP", method=4, **how)
    return made.getvalue()


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with _drawing:
        document = None
        try:
            document = pypdfium2.PdfDocument(path)
            yield document
        except pypdfium2.PdfiumError as problem:
            if problem.err_code in _PASSWORD:
                raise PackError(
                    N_("%(file)s dikunci dengan kata sandi. Buka dulu kuncinya."), file=path.name
                ) from problem
            raise _damaged(path) from problem
        except _UNREADABLE as problem:
            raise _damaged(path) from problem
        finally:
            if document is not None:
                document.close()


def _text(document: Any, number: int) -> str | None:
    try:
        page = document[number]
        try:
            said = page.get_textpage()
            try:
                return _plain(said.get_text_range(0, min(TEXT_MOST, said.count_chars())))
            finally:
                said.close()
        finally:
            page.close()
    except _UNREADABLE:
        return None


def _bookmarks(document: Any, count: int) -> Iterator[Bookmark]:
    try:
        for seen, one in enumerate(document.get_toc(max_depth=5)):
            if seen >= BOOKMARKS_MOST:
                return
            place = one.get_dest()
            number = None if place is None else place.get_index()
            title = " ".join(_plain(one.get_title()).split())
            if number is not None and 0 <= number < count and title:
                yield Bookmark(title, number, one.level)
    except _UNREADABLE:
        return


def _language(document: Any) -> str:
    size = pdfium.FPDFCatalog_GetLanguage(document, None, 0)
    buffer = (pdfium.FPDF_WCHAR * (size // 2 + 1))()
    pdfium.FPDFCatalog_GetLanguage(document, buffer, size)
    found = re.match(r"[a-z]{2,3}(?![a-z])", "".join(map(chr, buffer)).lower())
    return found[0] if found else ""


def _plain(text: str) -> str:
    """Text without what only a machine reads."""
    made = _HYPHEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", _CONTROL.sub("", made)).strip()


def _damaged(path: Path) -> PackError:
    return PackError(N_("%(file)s rusak atau terpotong. Ambil lagi dari sumbernya."), file=path.name)
