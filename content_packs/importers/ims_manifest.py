"""`imsmanifest.xml`, the table of contents that SCORM, Common Cartridge and QTI packages share.

Namespaces differ with every version and maker, so elements are known by their local names. Nothing is resolved outside of
the archive; in it, files are found as Windows finds them, where the package was made: in any case, after any slash.
Source: IMS Content Packaging 1.1.4; SCORM 1.2 CAM; SCORM 2004 4th edition CAM.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from content_packs.errors import PackError
from content_packs.importers.archive import Archive, safe_path
from sync.errors import N_

NAME: Final = "imsmanifest.xml"
ITEMS_MOST: Final = 5_000
ADDRESSES_MOST: Final = 200_000
"""Addresses of files: every one is looked for."""
_DEPTH_MOST: Final = 50
_BASE: Final = "{http://www.w3.org/XML/1998/namespace}base"
MORE: Final = re.compile(r"[?#]")
"""Where the path of an address ends."""


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
        return MORE.split(self.href, maxsplit=1)[0]


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
    hidden: int = field(default=0)
    """How many items with material their maker doesn't show; what stands below them is shown."""


def find(archive: Archive, manifest: str = NAME) -> str:
    """The path of the manifest: at the top, or in the one folder that was packed; nothing if there is none."""
    if manifest in archive:
        return manifest
    found = [name for name in archive.names() if f"/{name}".lower().endswith(f"/{manifest}")]
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
    places = Places(archive)
    base = _join(posixpath.dirname(path), root.get(_BASE, ""))
    resources: dict[str, Resource] = {}
    for holder in holders:
        for element in children(holder, "resource"):
            made = _resource(element, _join(base, holder.get(_BASE, "")), places)
            resources.setdefault(made.id, made)
    organizations = [
        one for holder in children(root, "organizations") for one in children(holder, "organization")
    ]
    default = next((holder.get("default", "") for holder in children(root, "organizations")), "")
    chosen = next((one for one in organizations if one.get("identifier") == default), None)
    if chosen is None and organizations:
        chosen = organizations[0]
    walk = _Items(archive.name)
    items = () if chosen is None else tuple(walk.below(chosen))
    said = "" if chosen is None else text(chosen, "title")
    # Items and resources may have descriptions too, which are of them alone.
    lom = next((one for of in children(root, "metadata") for one in descendants(of, "general")), None)
    if not said and lom is not None:
        titles = next(children(lom, "title"), None)
        texts = () if titles is None else ("".join(one.itertext()).split() for one in (*titles, titles))
        said = " ".join(next((words for words in texts if words), ()))
    language = "" if lom is None else text(lom, "language")
    others = max(0, len(organizations) - 1)
    return ImsManifest(said, language, items, resources, root, others, walk.hidden)


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


class _Items:
    """Walks the items of an organization, and counts them."""

    def __init__(self, file: str) -> None:
        self.hidden = 0
        self._file = file
        self._count = 0

    def below(self, parent: Any, depth: int = 0) -> Iterator[Item]:
        for element in children(parent, "item"):
            self._count += 1
            if self._count > ITEMS_MOST or depth > _DEPTH_MOST:
                raise PackError(N_("%(file)s terlalu besar."), file=self._file)
            inner = tuple(self.below(element, depth + 1))
            resource = element.get("identifierref", "").strip()
            if element.get("isvisible", "true").strip().lower() in ("false", "0"):
                self.hidden += bool(resource)
                yield from inner
            else:
                parameters = element.get("parameters", "").strip()
                yield Item(text(element, "title"), resource, parameters, element, inner)


class Places:
    """Finds the files that a manifest names, as the archive spells them."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._count = 0
        self._spelled = {name.casefold(): name for name in archive.names()}

    def path(self, base: str, href: str) -> str:
        """A path in the archive, whether or not there is such a file; nothing for one that leads out of it."""
        self._count += 1
        if self._count > ADDRESSES_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=self._archive.name)
        plain = MORE.split(href.strip(), maxsplit=1)[0]
        if not plain:
            return ""
        # Some programs pack files with the %20 in their names.
        paths = [_safe(_join(base, plain)), _safe(posixpath.join(base, plain))]
        spelled = (self._spelled.get(path.casefold(), "") for path in paths)
        return next((path for path in (*paths, *spelled) if path in self._archive), paths[0])


def _resource(element: Any, base: str, places: Places) -> Resource:
    base = _join(base, element.get(_BASE, ""))
    files = (places.path(base, one.get("href", "")) for one in children(element, "file"))
    href = element.get("href", "").strip()
    plain = MORE.split(href, maxsplit=1)[0]
    is_own = plain and "://" not in plain
    return Resource(
        element.get("identifier", "").strip(),
        element.get("type", "").strip(),
        places.path(base, plain) + href[len(plain) :] if is_own else href,
        tuple(path for path in files if path),
        tuple(one.get("identifierref", "").strip() for one in children(element, "dependency")),
        attribute(element, "scormtype").strip().lower(),
        element,
    )


def _join(base: str, more: str) -> str:
    """A folder or file that an address in `base` means."""
    return base if "://" in more else posixpath.join(base, unquote(more.strip()).replace("\\", "/"))


def _safe(path: str) -> str:
    return safe_path(posixpath.normpath(path.replace("\\", "/"))) or ""
