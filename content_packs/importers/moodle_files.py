"""The files of a Moodle backup: what `files.xml` says of them, and their bytes in `files/xx/hash`.

Who put a file there is never read.
"""

from __future__ import annotations

import re
from typing import Any, Final

from content_packs.errors import PackError
from content_packs.importers.archive import Archive
from content_packs.importers.media_files import Media, SourceFile
from content_packs.importers.moodle_questions import FORMATS, own_name, said
from content_packs.importers.relink import Find, relinked
from content_packs.importers.tally import Tally
from content_packs.importers.texts import Format, html_of
from sync.errors import N_

_HASH: Final = re.compile(r"[0-9a-f]{40}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?![a-z])")
_XML_MOST: Final = 256 * 1024 * 1024
_SHARED: Final = ("question", "course", "qtype_")
"""Components whose items have numbers of their own in the whole course; those of others only in their context."""


class Backup:
    """An open backup: its XML, its files, and its texts made into HTML."""

    def __init__(self, archive: Archive, tally: Tally) -> None:
        self.archive = archive
        self.tally = tally
        self.media = Media(tally)
        self._read = 0
        self.course = self.xml("course/course.xml")
        language = _LANGUAGE.match(said(self.course, "lang"))
        self.language = language[0] if language else "id"
        self._areas: dict[tuple[str, str, str, str], dict[str, SourceFile]] = {}
        root = self.xml("files.xml")
        for element in () if root is None else root.iter("file"):
            self._add(element)

    def xml(self, name: str) -> Any:
        """The root of an XML file; None if there is none."""
        if name not in self.archive:
            return None
        self._read += self.archive.size(name)
        if self._read > _XML_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=self.archive.name)
        return self.archive.xml(name)

    def area(self, context: str, component: str, area: str, item: str = "0") -> dict[str, SourceFile]:
        """The files of one place, by their path."""
        shared = component.startswith(_SHARED)
        return self._areas.get(("" if shared else context, component, area, item), {})

    def html(self, element: Any, name: str, area: tuple[str, str, str, str], form: str = "") -> str:
        """HTML of a text of an element, with the files of its area; beside a text stands how it is written."""
        text, files = said(element, name), self.area(*area)
        written = FORMATS.get(form or said(element, f"{name}format"), Format.HTML)

        def find(address: str) -> SourceFile | None:
            name = own_name(address)
            return (files.get(name) or SourceFile(name, (name,), None)) if name else None

        return self.relinked(html_of(text, written), find) if text else ""

    def relinked(self, html: str, find: Find) -> str:
        return relinked(html, find, self.media, self.tally)

    def _add(self, element: Any) -> None:
        file, digest = said(element, "filename"), said(element, "contenthash")
        if file in ("", ".") or not _HASH.fullmatch(digest):
            return
        component = said(element, "component")
        context = "" if component.startswith(_SHARED) else said(element, "contextid")
        key = (context, component, said(element, "filearea"), said(element, "itemid") or "0")
        member = f"files/{digest[:2]}/{digest}"
        read = self.archive.reader(member) if member in self.archive else None
        path = f"{said(element, 'filepath').strip('/')}/{file}".lstrip("/")
        # One content can lie there as a picture and as a document.
        made = SourceFile(file, (digest, file.rpartition(".")[2].lower()), read, said(element, "mimetype"))
        self._areas.setdefault(key, {})[path] = made
