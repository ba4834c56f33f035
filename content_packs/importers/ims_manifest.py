"""`imsmanifest.xml`, the table of contents that SCORM, Common Cartridge and QTI packages share.

Namespaces differ with every version and maker, so elements are known by their local names. Nothing is resolved outside of
the archive. Source: IMS Content Packaging 1.1.4; SCORM 1.2 CAM; SCORM 2004 4th edition CAM.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from content_packs.errors import PackError
from content_packs.importers.archive import Archive, safe_path
from sync.errors import N_

NAME: Final = "imsmanifest.xml"
ITEMS_MOST: Final = 5_000
_DEPTH_MOST: Final = 50
_BASE: Final = "{http://www.w3.org/XML/1998/namespace}base"


@dataclass(frozen=True, slots=True)
class Resource:
    """Something in the package. `href` is the path where it starts, with its query; paths are those of the archive."""

    id: str
    type: str
    href: str
    files: tuple[str, ...]
    dependencies: tuple[str, ...]
    scorm_type: str = ""
    element: Any = None

    @property
    def path(self) -> str:
        return self.href.partition("?")[0].partition("#")[0]


@dataclass(frozen=True, slots=True)
class Item:
    """A place in the course; `resource` is the id of what is learned there, empty for a heading."""

    title: str
    resource: str
    parameters: str
    element: Any
    children: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class ImsManifest:
    title: str
    language: str
    items: tuple[Item, ...]
    resources: dict[str, Resource]
    root: Any
    others: int = field(default=0)
    """How many more organizations there are, ways through the same material."""


def find(archive: Archive) -> str:
    """The path of the manifest: at the top, or in the one folder that was packed; nothing if there is none."""
    if NAME in archive:
        return NAME
    found = [name for name in archive.names() if name.endswith(f"/{NAME}")]
    return min(found, key=lambda name: (name.count("/"), name), default="")


def read_manifest(archive: Archive) -> ImsManifest:
    """
    Raises:
        PackError: there is none, or it can't be read.
    """
    path = find(archive)
    if not path:
        raise PackError(N_("%(file)s tidak berisi imsmanifest.xml."), file=archive.name)
    root = archive.xml(path)
    holders = list(children(root, "resources"))
    base = _join(posixpath.dirname(path), root.get(_BASE, ""))
    resources: dict[str, Resource] = {}
    for holder in holders:
        for element in children(holder, "resource"):
            made = _resource(element, _join(base, holder.get(_BASE, "")))
            resources.setdefault(made.id, made)
    organizations = [
        one for holder in children(root, "organizations") for one in children(holder, "organization")
    ]
    default = next((holder.get("default", "") for holder in children(root, "organizations")), "")
    chosen = next((one for one in organizations if one.get("identifier") == default), None)
    if chosen is None and organizations:
        chosen = organizations[0]
    count = [0]
    items = () if chosen is None else tuple(_items(chosen, archive.name, count, 0))
    said = "" if chosen is None else text(chosen, "title")
    lom = next((one for one in descendants(root, "general")), None)
    if not said and lom is not None:
        titles = next(children(lom, "title"), None)
        said = "" if titles is None else " ".join("".join(titles.itertext()).split())
    language = "" if lom is None else text(lom, "language")
    return ImsManifest(said, language, items, resources, root, max(0, len(organizations) - 1))


def children(element: Any, name: str) -> Iterator[Any]:
    """The children of that local name, whatever their namespace."""
    return (one for one in element if local(one) == name)


def descendants(element: Any, name: str) -> Iterator[Any]:
    return (one for one in element.iter() if local(one) == name)


def outermost(element: Any, name: str) -> Iterator[Any]:
    """Those of that local name that stand in no other one, in their order: each part of the XML is looked at once."""
    waiting = [element]
    while waiting:
        one = waiting.pop()
        if one is not element and local(one) == name:
            yield one
        else:
            waiting += reversed(one)


def local(element: Any) -> str:
    """The name of an element without its namespace; nothing for comments."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def text(element: Any, name: str) -> str:
    """The text of the first child of that name, in one line."""
    found = next(children(element, name), None)
    return "" if found is None else " ".join((found.text or "").split())


def attribute(element: Any, name: str) -> str:
    """An attribute by its local name, in whatever case and namespace."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2].lower() == name:
            return str(value)
    return ""


def _items(parent: Any, file: str, count: list[int], depth: int) -> Iterator[Item]:
    if depth > _DEPTH_MOST:
        raise PackError(N_("%(file)s terlalu besar."), file=file)
    for element in children(parent, "item"):
        count[0] += 1
        if count[0] > ITEMS_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=file)
        if element.get("isvisible", "true").lower() != "false":
            yield Item(
                text(element, "title"),
                element.get("identifierref", ""),
                element.get("parameters", ""),
                element,
                tuple(_items(element, file, count, depth + 1)),
            )


def _resource(element: Any, base: str) -> Resource:
    base = _join(base, element.get(_BASE, ""))
    files = (_path(base, one.get("href", "")) for one in children(element, "file"))
    href = element.get("href", "")
    plain, mark, query = href.partition("?") if "?" in href else href.partition("#")
    return Resource(
        element.get("identifier", ""),
        element.get("type", ""),
        f"{_path(base, plain)}{mark}{query}" if plain and "://" not in href else href,
        tuple(path for path in files if path),
        tuple(one.get("identifierref", "") for one in children(element, "dependency")),
        attribute(element, "scormtype").lower(),
        element,
    )


def _join(base: str, more: str) -> str:
    return posixpath.join(base, more) if more and "://" not in more else base


def _path(base: str, href: str) -> str:
    """A path in the archive; nothing for one that leads out of it."""
    plain = unquote(href.partition("?")[0].partition("#")[0].strip())
    joined = posixpath.normpath(posixpath.join(base, plain)) if plain else ""
    return safe_path(joined) or "" if joined else ""
