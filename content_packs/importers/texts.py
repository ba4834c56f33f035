"""Texts of foreign sources made into HTML: plain ones, Markdown, and those of which nobody said what they are.

The builder cleans HTML; here plain text is escaped, so that `a < b` stays what it says.
"""

from __future__ import annotations

import html
import re
from enum import Enum
from typing import Final

from markdown_it import MarkdownIt

MARKDOWN_MOST: Final = 64 * 1024

_TAG: Final = re.compile(r"</[a-z][a-z0-9]*\s*>|<(?:br|hr|img|p)\b[^<>]*>", re.IGNORECASE)
_BLOCK: Final = re.compile(r"<(?:p|br|div|h[1-6]|ul|ol|li|table|pre|blockquote)\b", re.IGNORECASE)
_ALONE: Final = re.compile(r"<p(?:\s[^<>]*)?>(.*)</p>", re.IGNORECASE | re.DOTALL)
_PARAGRAPH: Final = re.compile(r"</?(?:p|div|h[1-6]|ul|ol|table|pre|blockquote)\b", re.IGNORECASE)
_TAGS: Final = re.compile(r"<[^<>]*>")
_markdown: Final = MarkdownIt("commonmark", {"html": True}).enable("table")


class Format(Enum):
    """How a text is written."""

    HTML = "html"
    PLAIN = "plain"
    MARKDOWN = "markdown"
    AUTO = "auto"
    """HTML if it looks like it, else plain, with lines kept."""


def html_of(text: str, form: Format) -> str:
    """The text as HTML that isn't clean yet."""
    text = text.strip()
    if form is Format.HTML:
        return text
    if form is Format.MARKDOWN and len(text) <= MARKDOWN_MOST:
        return str(_markdown.render(text)).strip()
    if form is Format.AUTO and _TAG.search(text):
        return text if _BLOCK.search(text) else text.replace("\n", "<br>\n")
    return html.escape(text, quote=False).replace("\n", "<br>\n")


def text_of_page(content: bytes) -> str:
    """The text of an HTML file: UTF-8 or UTF-16, or the Windows characters of programs that know no other."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("windows-1252", "replace")


def unwrapped(made: str) -> str:
    """HTML without the one paragraph around it, so that it can stand in a line."""
    found = _ALONE.fullmatch(made.strip())
    return found[1].strip() if found and not _PARAGRAPH.search(found[1]) else made.strip()


def wrapped(made: str) -> str:
    """HTML that stands as a paragraph of its own, or as several."""
    return made if not made or _PARAGRAPH.match(made.lstrip()) else f"<p>{made}</p>"


def plain_of(made: str) -> str:
    """What HTML says, without its tags: for titles and examples."""
    return " ".join(html.unescape(_TAGS.sub(" ", made)).split())
