"""Markdown made into HTML that is safe to show: parsed by markdown-it-py, cleaned by nh3.

Active content never passes: no scripts, styles, forms or frames; links lead to https, pictures are the
pack's own. Pictures are written as `media:NAME` and get their address when a page is shown.
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
_MEDIA: Final = re.compile(r'(<img [^>]*?src=")media:([a-z0-9._-]+)"')
_ADDRESSES: Final = {"href": re.compile(r"https://.+"), "src": re.compile(r"media:[a-z0-9][a-z0-9._-]*")}

_markdown: Final = MarkdownIt("commonmark", {"html": False}).enable("table")


def to_html(markdown: str) -> str:
    """Safe HTML of a Markdown text; pictures of the pack stay `media:NAME`."""
    return clean(_with_media(_markdown.render(markdown)))


def inline(markdown: str) -> str:
    """Safe HTML of one line, without a paragraph around it."""
    return clean(_markdown.renderInline(markdown))


def clean(html: str) -> str:
    """Keep only what a lesson needs. HTML that `to_html` and `inline` made stays as it is."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_without_other_addresses,
        url_schemes={"https", "media"},
        link_rel="noopener noreferrer",
    )


def with_addresses(html: str, address: Callable[[str], str]) -> str:
    """Give the pack's pictures their addresses on this server."""
    return _MEDIA.sub(lambda found: f'{found[1]}{address(found[2])}"', html)


def pictures(markdown: str) -> list[tuple[str, str]]:
    """(address, alternative text) of each picture that a Markdown text shows."""
    tokens = [child for token in _markdown.parse(markdown) for child in token.children or ()]
    return [(str(token.attrs["src"]), token.content.strip()) for token in tokens if token.type == "image"]


def _without_other_addresses(tag: str, attribute: str, value: str) -> str | None:
    allowed = _ADDRESSES.get(attribute)
    return value if allowed is None or allowed.fullmatch(value) else None


def _with_media(html: str) -> str:
    return re.sub(r'(<img [^>]*?src=")(?!https:|media:)', r"\1media:", html)
