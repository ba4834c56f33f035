"""The template filter that gives what a course's text shows an address: pictures, films, sound, documents.

Once a request the names of a course's files are looked up, and only if the text shows one.
"""

from __future__ import annotations

from flask import Flask, g, url_for
from markupsafe import Markup, escape

from content_packs import render
from node.desk import desk
from web.dates import size
from web.languages import gettext as _


def prepare(app: Flask) -> None:
    app.template_filter("illustrated")(illustrated)


def illustrated(html: str, pack: int) -> Markup:
    """Safe HTML of a course with addresses for what it shows."""
    html = _reachable(html)
    if "media:" not in html:
        return Markup(html)  # noqa: S704 - cleaned by the pack store
    sizes = _file_sizes(pack)

    def address(name: str) -> str:
        return url_for("learn.media", pack=pack, path=name)

    def document(name: str, said: str) -> str:
        """A button, since a document is opened beside the lesson. `said` is escaped already."""
        open_it = escape(_("Buka dokumen"))
        about = f"PDF, {escape(size(sizes.get(name, 0)))}"
        return (
            f'<a class="button second document" href="{address(name)}" target="_blank" rel="noopener">'
            f"{open_it}<span>{said or escape(name)} · {about}</span></a>"
        )

    shown = render.with_addresses(html, address, sizes, document)
    return Markup(shown)  # noqa: S704 - cleaned by the pack store


def _reachable(html: str) -> str:
    """A wide table is scrolled in a box of its own, which the keyboard reaches."""
    if "<table" not in html:
        return html
    name = escape(_("Tabel"))
    box = f'<div class="scroll" role="group" tabindex="0" aria-label="{name}"><table'
    return html.replace("<table", box).replace("</table>", "</table></div>")


def _file_sizes(pack: int) -> dict[str, int]:
    known: dict[int, dict[str, int]] = g.setdefault("file_sizes", {})
    if pack not in known:
        known[pack] = desk().node.learning.file_sizes(pack)
    return known[pack]
