"""Markdown made into HTML that is safe to show: parsed by markdown-it-py, cleaned by nh3.

Active content never passes: no scripts, styles, forms or frames; links lead to https, pictures are the
pack's own. Pictures are written as `media:NAME` and get their address when a page is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_TAGS: Final = {
    *(
        "h2",
        "h3",
        "h4",
        "h5",
        "p",
        "br",
        "hr",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "blockquote",
        "code",
        "pre",
    ),
    *(
        "strong",
        "em",
        "b",
        "i",
        "u",
        "s",
        "sub",
        "sup",
        "small",
        "figure",
        "figcaption",
        "details",
        "summary",
    ),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "a", "img"),
}
_ATTRIBUTES: Final = {
    "a": {"href"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
}
_IMAGE: Final = re.compile(r"<img\b[^>]*>")
_SOURCE: Final = re.compile(r'\bsrc="media:([a-z0-9._-]+)"')
_ALTERNATIVE: Final = re.compile(r'\balt="([^"]*)"')
VIDEO: Final = (".mp4", ".webm")
POSTERS: Final = (".jpg", ".png", ".webp")
"""What a video's picture to begin with may end in; the first that is there."""
_SOUND: Final = (".mp3", ".m4a", ".ogg", ".wav")
_ADDRESSES: Final = {"href": re.compile(r"https://.+"), "src": re.compile(r"media:[a-z0-9][a-z0-9._-]*")}


def to_html(markdown: str) -> str:
    """Safe HTML of a Markdown text; pictures of the pack stay `media:NAME`."""
    return clean(_with_media(_markdown().render(markdown)))


def inline(markdown: str) -> str:
    """Safe HTML of one line, without a paragraph around it."""
    return clean(_markdown().renderInline(markdown))


def clean(html: str) -> str:
    """Keep only what a lesson needs. HTML that `to_html` and `inline` made stays as it is."""
    import nh3

    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_without_other_addresses,
        url_schemes={"https", "media"},
        link_rel="noopener noreferrer",
    )


def with_addresses(
    html: str,
    address: Callable[[str], str],
    names: Collection[str] = (),
    document: Callable[[str, str], str] | None = None,
) -> str:
    """Give the pack's pictures their addresses on this server; show videos, sound and documents as what they are.

    `names` are the files of the pack: a video `clip.mp4` has subtitles if there is a `clip.vtt`, and a picture to begin with
    if there is a `clip.jpg` (or png, webp). `document` makes the link to a PDF of its name and of its text, as HTML.
    """

    def shown(found: re.Match[str]) -> str:
        source = _SOURCE.search(found[0])
        if source is None:
            return found[0]
        said = _ALTERNATIVE.search(found[0])
        text = said[1] if said else ""
        if document is not None and source[1].endswith(".pdf"):
            return document(source[1], text)
        return _shown(source[1], text, found[0], address, names)

    return _IMAGE.sub(shown, html)


def media_in(html: str) -> list[tuple[str, str]]:
    """(name, alternative text) of each file of the pack that clean HTML shows."""
    found = []
    for image in _IMAGE.findall(html):
        source, said = _SOURCE.search(image), _ALTERNATIVE.search(image)
        if source is not None:
            found.append((source[1], said[1].strip() if said else ""))
    return found


def _shown(name: str, said: str, image: str, address: Callable[[str], str], names: Collection[str]) -> str:
    """One file of the pack; `said` is its alternative text, escaped as it stands in the HTML."""
    source = f'src="{address(name)}"'
    if name.endswith(VIDEO):
        subtitles = name.rpartition(".")[0] + ".vtt"
        track = f'<track kind="captions" src="{address(subtitles)}" default>' if subtitles in names else ""
        posters = (name.rpartition(".")[0] + ending for ending in POSTERS)
        poster = next((f' poster="{address(one)}"' for one in posters if one in names), "")
        return f'<video controls playsinline preload="metadata"{poster} {source} title="{said}">{track}</video>'
    if name.endswith(_SOUND):
        return f'<audio controls preload="metadata" {source} title="{said}"></audio>'
    if name.endswith(".pdf"):
        return f'<a class="document" href="{address(name)}">{said or name}</a>'
    return _SOURCE.sub(lambda _: source, image)


def pictures(markdown: str) -> list[tuple[str, str]]:
    """(address, alternative text) of each picture that a Markdown text shows."""
    tokens = [child for token in _markdown().parse(markdown) for child in token.children or ()]
    return [(str(token.attrs["src"]), token.content.strip()) for token in tokens if token.type == "image"]


def _without_other_addresses(tag: str, attribute: str, value: str) -> str | None:
    allowed = _ADDRESSES.get(attribute)
    return value if allowed is None or allowed.fullmatch(value) else None


def _with_media(html: str) -> str:
    return re.sub(r'(<img [^>]*?src=")(?!https:|media:)', r"\1media:", html)


@cache
def _markdown() -> MarkdownIt:
    """Loaded when somebody makes a course: whoever only learns shall not carry it in memory."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")
