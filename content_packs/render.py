"""Markdown made into HTML that is safe to show: parsed by markdown-it-py, cleaned by nh3.

Active content never passes: no scripts, styles, forms or frames, no addresses but https and the pack's own
pictures. Pictures are written as `media:NAME` and get their address when a page is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import nh3
from markdown_it import MarkdownIt

_TAGS: Final = {
    *("h2", "h3", "h4", "p", "br", "hr", "ul", "ol", "li", "blockquote", "strong", "em", "code", "pre"),
    *("table", "thead", "tbody", "tr", "th", "td", "a", "img"),
}
_ATTRIBUTES: Final = {"a": {"href"}, "img": {"src", "alt"}, "ol": {"start"}, "th": {"scope"}}
_MEDIA: Final = re.compile(r'src="media:([a-z0-9._-]+)"')

_markdown: Final = MarkdownIt("commonmark", {"html": False}).enable("table")


def to_html(markdown: str) -> str:
    """Safe HTML of a Markdown text; pictures of the pack stay `media:NAME`."""
    return clean(_with_media(_markdown.render(markdown)))


def inline(markdown: str) -> str:
    """Safe HTML of one line, without a paragraph around it."""
    return clean(_markdown.renderInline(markdown))


def clean(html: str) -> str:
    """Keep only what a lesson needs. What comes out goes in again unchanged."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"https", "media"},
        link_rel="noopener noreferrer",
    )


def with_addresses(html: str, address: Callable[[str], str]) -> str:
    """Give the pack's pictures their addresses on this server."""
    return _MEDIA.sub(lambda found: f'src="{address(found[1])}"', html)


def media_names(html: str) -> list[str]:
    """The pictures that a cleaned text shows."""
    return _MEDIA.findall(html)


def _with_media(html: str) -> str:
    return re.sub(r'(<img [^>]*?src=")(?!https:|media:)', r"\1media:", html)
