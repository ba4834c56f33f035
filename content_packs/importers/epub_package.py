"""What an EPUB says of itself: its title, its documents in reading order, its table of contents, and whether it is locked.

Nothing is resolved outside of the archive. Namespaces are ignored, as EPUB 2 and 3 and their makers differ in them.
Source: EPUB 3.3 (OCF 4, package document 5, navigation 7); OPF 2.0.1; DAISY NCX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from content_packs.errors import PackError
from content_packs.importers.archive import Archive
from content_packs.importers.ims_manifest import attribute, children, descendants, local
from content_packs.importers.relink import beside
from sync.errors import N_

CONTAINER: Final = "META-INF/container.xml"
ENTRIES_MOST: Final = 5_000
"""Documents of a book, and lines of its table of contents."""

_LOCKS: Final = "META-INF/encryption.xml"
_FONT_LOCKS: Final = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""How fonts are made useless outside of their book; everything else keeps readers out."""
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?![a-z])")
_DEPTH_MOST: Final = 20
_NCX: Final = "application/x-dtbncx+xml"


@dataclass(frozen=True, slots=True)
class Document:
    """A file that the package lists."""

    path: str
    media_type: str
    properties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents; `module` is the part of the book that it stands in."""

    title: str
    path: str
    fragment: str
    module: str
    level: int


@dataclass(frozen=True, slots=True)
class Book:
    title: str
    language: str
    publisher: str
    summary: str
    names: tuple[str, ...]
    """Of those who made it."""
    rights: str
    documents: tuple[Document, ...]
    """All that it lists."""
    spine: tuple[Document, ...]
    """In the order in which they are read."""
    contents: tuple[Entry, ...]


def read_book(archive: Archive) -> Book:
    """
    Raises:
        PackError: it isn't an EPUB, is locked, or its package document can't be read.
    """
    if CONTAINER not in archive:
        raise PackError(N_("%(file)s bukan buku EPUB."), file=archive.name)
    _check_locks(archive)
    packages = (
        beside("", attribute(one, "full-path")) for one in descendants(archive.xml(CONTAINER), "rootfile")
    )
    path = next((one for one in packages if one in archive), "")
    if not path:
        raise PackError(N_("%(file)s bukan buku EPUB."), file=archive.name)
    root = archive.xml(path)
    listed = _listed(root, path)
    spine = next(descendants(root, "spine"), None)
    references = [] if spine is None else [one.get("idref", "") for one in children(spine, "itemref")]
    if max(len(listed), len(references)) > ENTRIES_MOST:
        raise PackError(N_("%(file)s terlalu besar."), file=archive.name)
    said = next(descendants(root, "metadata"), root)
    language = _LANGUAGE.match(_said(said, "language").lower())
    return Book(
        _said(said, "title"),
        language[0] if language else "id",
        _said(said, "publisher"),
        _said(said, "description"),
        tuple(filter(None, (_line(one) for one in descendants(said, "creator")))),
        _said(said, "rights"),
        tuple(listed.values()),
        tuple(listed[id_] for id_ in dict.fromkeys(references) if id_ in listed),
        _contents(archive, listed, "" if spine is None else spine.get("toc", "")),
    )


def _check_locks(archive: Archive) -> None:
    if _LOCKS not in archive:
        return
    for locked in descendants(archive.xml(_LOCKS), "EncryptedData"):
        method = next(descendants(locked, "EncryptionMethod"), None)
        if method is None or method.get("Algorithm", "") not in _FONT_LOCKS:
            raise PackError(
                N_(
                    "%(file)s dikunci penerbitnya (DRM), jadi tidak dapat dibaca di sini. Mintalah berkas tanpa kunci kepada penerbitnya."
                ),
                file=archive.name,
            )


def _listed(root: Any, package: str) -> dict[str, Document]:
    found: dict[str, Document] = {}
    manifest = next(descendants(root, "manifest"), None)
    for item in () if manifest is None else children(manifest, "item"):
        path = beside(package, item.get("href", "").strip())
        if path:
            properties = frozenset(item.get("properties", "").split())
            made = Document(path, item.get("media-type", "").strip().lower(), properties)
            found.setdefault(item.get("id", ""), made)
    return found


def _contents(archive: Archive, listed: dict[str, Document], toc: str) -> tuple[Entry, ...]:
    """The table of contents: that of EPUB 3, else the older one; none if both are lost or damaged."""
    navs = [one for one in listed.values() if "nav" in one.properties]
    ncxs = [listed[toc]] if toc in listed else []
    ncxs += [one for one in listed.values() if one.media_type == _NCX]
    for document, walk in (*((one, _of_nav) for one in navs), *((one, _of_ncx) for one in ncxs)):
        try:
            found = list(walk(archive.xml(document.path), document.path))
        except PackError:
            continue
        if found:
            return tuple(_with_modules(found[:ENTRIES_MOST]))
    return ()


_Line = tuple[str, str, str, int]
"""Title, path, fragment and depth of a line of the table of contents."""


def _of_nav(root: Any, path: str) -> Iterator[_Line]:
    navs = list(descendants(root, "nav"))
    chosen = next((one for one in navs if "toc" in attribute(one, "type").split()), None)
    for list_ in () if chosen is None else children(chosen, "ol"):
        yield from _of_list(list_, path, 0)


def _of_list(list_: Any, path: str, depth: int) -> Iterator[_Line]:
    for item in children(list_, "li"):
        shown = next((one for one in item if local(one) in ("a", "span")), None)
        if shown is not None:
            yield _line(shown), *_address(path, shown.get("href", "")), depth
        for inner in children(item, "ol") if depth < _DEPTH_MOST else ():
            yield from _of_list(inner, path, depth + 1)


def _of_ncx(root: Any, path: str) -> Iterator[_Line]:
    for map_ in children(root, "navMap"):
        yield from _of_points(map_, path, 0)


def _of_points(parent: Any, path: str, depth: int) -> Iterator[_Line]:
    for point in children(parent, "navPoint"):
        label, content = (next(children(point, name), None) for name in ("navLabel", "content"))
        source = "" if content is None else content.get("src", "")
        yield "" if label is None else _line(label), *_address(path, source), depth
        if depth < _DEPTH_MOST:
            yield from _of_points(point, path, depth + 1)


def _with_modules(lines: list[_Line]) -> Iterator[Entry]:
    """A line at the top with lines below it that lead to other documents is a part of the book."""
    if sum(depth == 0 for *_, depth in lines) == 1 and len(lines) > 1:
        # The one line at the top is the book itself.
        lines = [(title, path, mark, max(0, depth - 1)) for title, path, mark, depth in lines]
    part: list[_Line] = []
    for line in [*lines, None]:
        if part and (line is None or line[3] == 0):
            paths = {path for _, path, _, _ in part if path}
            module = part[0][0] if len(paths) > 1 else ""
            yield from (Entry(title, path, mark, module, depth) for title, path, mark, depth in part)
            part = []
        if line is not None:
            part.append(line)


def _address(path: str, address: str) -> tuple[str, str]:
    plain, _, fragment = address.strip().partition("#")
    return beside(path, plain) if plain else "", fragment


def _said(metadata: Any, name: str) -> str:
    """The first text of that name; older packages have them one level deeper."""
    return next(filter(None, (_line(one) for one in descendants(metadata, name))), "")


def _line(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())
