"""XML of makers of courses: a file that stands alone, and HTML that stands as elements in it, written out as text again."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Final

from content_packs.errors import PackError
from content_packs.importers.archive import XML_MOST
from content_packs.importers.ims_manifest import local
from sync.errors import N_

_VOID: Final = {"img", "br", "hr", "col", "source", "track", "embed", "input"}
_DEPTH_MOST: Final = 100

Instead = Callable[[Any], str | None]
"""What is written in place of an element; None for the element itself."""


def content_of(path: Path) -> bytes:
    """The bytes of an XML file that stands alone.

    Raises:
        PackError: it can't be read, or is too large.
    """
    try:
        if path.stat().st_size > XML_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=path.name)
        return path.read_bytes()
    except OSError as problem:
        raise PackError(N_("%(file)s tidak dapat dibaca."), file=path.name) from problem


def inner_html(element: Any, instead: Instead = lambda _element: None, depth: int = 0) -> str:
    """What stands in an element, its own tag left out."""
    if depth > _DEPTH_MOST:
        return escape("".join(element.itertext()), quote=False)
    made = [escape(element.text or "", quote=False)]
    for child in element:
        said = instead(child)
        made.append(_outer(child, instead, depth + 1) if said is None else said)
        made.append(escape(child.tail or "", quote=False))
    return "".join(made)


def _outer(element: Any, instead: Instead, depth: int) -> str:
    name = local(element)
    if not name.replace("-", "").isalnum():
        return ""
    attributes = "".join(
        f' {key.rpartition("}")[2]}="{escape(value)}"'
        for key, value in element.attrib.items()
        if key.rpartition("}")[2].replace("-", "").isalnum()
    )
    inner = inner_html(element, instead, depth)
    return f"<{name}{attributes}>" if name in _VOID else f"<{name}{attributes}>{inner}</{name}>"
