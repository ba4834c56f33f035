"""HTML of a foreign course on its way into a lesson: its own files get their new names, what a village can't have is counted.

Scripts, frames, forms and pictures of the internet go; videos, sound and documents become `media:NAME` pictures as lessons
have them; sections that only a style made into paragraphs stay apart. The result isn't clean: the builder cleans it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from html import escape
from html.entities import html5
from html.parser import HTMLParser
from typing import Final
from urllib.parse import unquote, urlsplit

from content_packs.importers.media_files import Media, SourceFile, in_text
from content_packs.importers.tally import Tally
from sync.errors import N_

HTML_MOST: Final = 1024 * 1024

Find = Callable[[str], SourceFile | None]
"""The file that an address in a text means; None if the address leads out of the course."""

_MARKUP: Final = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^>]*(?:>|\Z)", re.DOTALL)
_UNCLOSED: Final = re.compile(r"<(?=[^<>]*(?:<|\Z))")
_UNCLOSED_MOST: Final = 100
_FORMULA: Final = re.compile(r"\\\(.|\\\[.|\$\$.|<math\b", re.DOTALL)
_KEPT: Final = ("alt", "colspan", "rowspan", "scope", "start", "lang")
_RENAMED: Final = {"h1": "h2", "h6": "h5", "strike": "s", "del": "s"}
_LOOSE: Final = {
    *("div", "section", "article", "center", "main", "header", "footer", "aside", "nav", "address"),
    *("fieldset", "form", "hgroup"),
}
"""Borders between lines of text, and nothing else."""
_BORDERS: Final = {
    *("p", "h2", "h3", "h4", "h5", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "hr", "br"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "figure", "figcaption"),
    *("details", "summary"),
}
_DROPPED: Final = {
    "span",
    "font",
    "html",
    "body",
    "head",
    "meta",
    "link",
    "base",
    "tfoot",
    "label",
    "noscript",
}
_SCRIPTS: Final = N_("Skrip yang tidak dibawa: %(count)s.")
_FORMS: Final = N_("Bagian formulir (kotak isian, tombol) yang tidak dibawa: %(count)s.")
_FRAMES: Final = N_("Sisipan (iframe, embed, object) yang tidak dibawa: %(count)s.")
_SWALLOWED: Final = {
    "script": _SCRIPTS,
    **dict.fromkeys(("select", "textarea", "button"), _FORMS),
    **dict.fromkeys(("iframe", "object"), _FRAMES),
    "svg": N_("Gambar SVG di dalam teks yang tidak dibawa: %(count)s."),
    **dict.fromkeys(("style", "title", "template", "video", "audio"), ""),
}
"""Elements that go with all that is in them, and what is said about it."""


def relinked(html: str, find: Find, media: Media, tally: Tally) -> str:
    """The HTML with `media:NAME` for its own files, which are added to `media`."""
    if len(html) > HTML_MOST:
        tally.leave_out(N_("Teks lebih panjang dari 1 MiB yang tidak dibawa: %(count)s."))
        return ""
    if _FORMULA.search(html):
        tally.change(N_("Teks dengan rumus (TeX, MathML) yang tampil sebagai tulisan biasa: %(count)s."))
    # html.parser looks for the end of an unclosed tag again and again.
    html = _MARKUP.sub(" ", html)
    if len(_UNCLOSED.findall(html)) > _UNCLOSED_MOST:
        html = _UNCLOSED.sub("&lt;", html)
    walker = _Walker(find, media, tally)
    walker.feed(html)
    walker.close()
    return walker.finished()


def beside(path: str, address: str) -> str:
    """The file that a relative address in the page at `path` means; nothing for addresses that lead elsewhere."""
    plain = unquote(re.split(r"[?#]", address, maxsplit=1)[0])
    if not plain or plain.startswith(("/", "$@")) or ":" in plain.partition("/")[0]:
        return ""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), plain))


class _Walker(HTMLParser):
    def __init__(self, find: Find, media: Media, tally: Tally) -> None:
        super().__init__(convert_charrefs=False)
        self.find = find
        self.media = media
        self.tally = tally
        self.made: list[str] = []
        self._swallower = ""
        self._depth = 0
        self._links: list[tuple[str, str, int]] = []
        """Open links: their address, the name of their file, where in `made` they begin."""
        self._player = ""
        self._player_said = ""
        self._is_line_open = False
        self._is_border_due = False

    def finished(self) -> str:
        while self._links:
            self._close_link()
        return "".join(self.made).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._swallower:
            self._depth += tag == self._swallower
            self._take_source(tag, given)
            return
        tag = _RENAMED.get(tag, tag)
        if tag in _SWALLOWED:
            self._swallow(tag, given)
        elif tag in ("img", "embed", "input"):
            self._show(tag, given)
        elif tag == "a":
            self._open_link(given)
        elif tag in _LOOSE:
            self._is_border_due |= self._is_line_open
        elif tag not in _DROPPED:
            self._border(tag)
            kept = "".join(f' {name}="{escape(given[name])}"' for name in _KEPT if name in given)
            self.made.append(f"<{tag}{kept}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in ("svg", "iframe", "object", "script", "video", "audio"):
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._swallower:
            self._depth -= tag == self._swallower
            if not self._depth:
                self._end_swallowing()
            return
        tag = _RENAMED.get(tag, tag)
        if tag == "a":
            self._close_link()
        elif tag in _LOOSE:
            self._is_border_due |= self._is_line_open
        elif tag not in _DROPPED and tag not in _SWALLOWED:
            self._border(tag)
            self.made.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._write(data.replace("<", "&lt;").replace(">", "&gt;"), bool(data.strip()))

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};" if f"{name};" in html5 else f"&amp;{name}")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};")

    def _write(self, made: str, is_said: bool = True) -> None:
        if self._swallower:
            return
        if is_said:
            if self._is_border_due:
                self.made.append("<br>")
            self._is_border_due, self._is_line_open = False, True
        self.made.append(made)

    def _border(self, tag: str) -> None:
        if tag in _BORDERS:
            self._is_border_due = self._is_line_open = False

    def _swallow(self, tag: str, given: dict[str, str]) -> None:
        source = given.get("src") or given.get("data", "")
        if tag in ("video", "audio"):
            self._player, self._player_said = "", given.get("title") or given.get("aria-label", "")
        elif tag in ("iframe", "object") and self._mention(source, given.get("title", "")):
            pass
        elif _SWALLOWED[tag]:
            self.tally.leave_out(_SWALLOWED[tag])
        self._swallower, self._depth = tag, 1
        if tag in ("video", "audio") and source:
            self._take_source("source", given)

    def _end_swallowing(self) -> None:
        tag, self._swallower = self._swallower, ""
        if tag in ("video", "audio") and self._player:
            self._write(f'<img src="media:{self._player}" alt="{escape(self._player_said)}">')

    def _take_source(self, tag: str, given: dict[str, str]) -> None:
        """Of several sources of a video the first that can come; subtitles go with it."""
        if self._swallower not in ("video", "audio") or tag not in ("source", "track"):
            return
        file = self._file(given.get("src", ""))
        if tag == "source" and not self._player:
            if file is None:
                self.tally.leave_out(_ELSEWHERE)
            else:
                self._player = self.media.add(file)
        elif tag == "track" and self._player and file is not None:
            self.media.add_subtitles(self._player, file)

    def _file(self, address: str) -> SourceFile | None:
        return in_text(address) or self.find(address.strip())

    def _mention(self, source: str, said: str) -> bool:
        """A link in place of what was built in from another place."""
        if not _is_https(source):
            return False
        self.tally.change(N_("Sisipan dari situs lain yang menjadi tautan: %(count)s."))
        shown = escape(said or urlsplit(source).netloc)
        self._write(f'<a href="{escape(source)}">{shown}</a>')
        return True

    def _show(self, tag: str, given: dict[str, str]) -> None:
        if tag == "input":
            if given.get("type", "").lower() != "hidden":
                self.tally.leave_out(_FORMS)
            return
        source, said = given.get("src", ""), given.get("alt") or given.get("title", "")
        file = self._file(source)
        name = self.media.add(file) if file else ""
        if name:
            self._write(f'<img src="media:{name}" alt="{escape(said)}">')
            return
        if file is None and not (tag == "embed" and self._mention(source, said)):
            self.tally.leave_out(_ELSEWHERE if tag == "img" else _FRAMES)
        self._write(escape(said), bool(said))

    def _open_link(self, given: dict[str, str]) -> None:
        self._close_link()
        address = given.get("href", "").strip()
        file = self._file(address)
        name = self.media.add(file) if file else ""
        if not name and not _is_https(address):
            if file is None and address and not address.startswith("#"):
                self.tally.leave_out(
                    N_("Tautan yang bukan https dan tidak dibawa, hanya tulisannya: %(count)s.")
                )
            address = ""
        self._links.append((address, name, len(self.made)))

    def _close_link(self) -> None:
        if not self._links:
            return
        address, name, start = self._links.pop()
        inner = "".join(self.made[start:])
        if name:
            said = re.sub(r"<[^<>]*>", "", inner).strip().replace('"', "&quot;")
            # A picture that leads to its large form, or a document with its name.
            shown = inner if "<img" in inner else ""
            inner = f'{shown}<img src="media:{name}" alt="{said or name}">'
        elif address:
            inner = f'<a href="{escape(address)}">{inner}</a>'
        self.made[start:] = [inner]


_ELSEWHERE: Final = N_("Gambar, video atau suara yang hanya ada di internet dan tidak dibawa: %(count)s.")


def _is_https(address: str) -> bool:
    return address.startswith("https://") and len(address) <= 2000
