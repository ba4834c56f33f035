"""IMS Common Cartridge 1.0 to 1.3 and Thin CC (.imscc): pages, links, topics, files and tests, in the order of the cartridge.

Tools on other servers (LTI) can't be had in a village and are named as left out. Source: IMS Common Cartridge 1.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Final

from content_packs.errors import PackError
from content_packs.importers import ims_manifest, qti12
from content_packs.importers.archive import Archive, open_archive
from content_packs.importers.bank import in_lessons, title_of
from content_packs.importers.draft import Draft, DraftLesson
from content_packs.importers.ims_manifest import ImsManifest, Item, Resource, attribute, text
from content_packs.importers.media_files import Media, SourceFile, kept, shown
from content_packs.importers.relink import HTML_MOST, beside, relinked
from content_packs.importers.tally import Tally
from content_packs.importers.texts import Format, html_of
from sync.errors import N_

_TITLE_MOST: Final = 200
_PAGES: Final = (".html", ".htm", ".xhtml")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?![a-z])")
_OWN: Final = "$IMS-CC-FILEBASE$"
_ASSESSMENT: Final = re.compile(r"imsqti_xmlv1p\w+/imscc_xmlv1p\w+/assessment")
_BANK: Final = re.compile(r"imsqti_xmlv1p\w+/imscc_xmlv1p\w+/question-bank")


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't a Common Cartridge, is damaged, or holds nothing that can be learned here.
    """
    tally = Tally()
    with open_archive(path) as archive:
        manifest = ims_manifest.read_manifest(archive)
        if not _is_cartridge(manifest):
            raise PackError(N_("%(file)s bukan Common Cartridge."), file=path.name)
        language = _LANGUAGE.match(manifest.language.lower())
        cartridge = _Cartridge(archive, manifest, language[0] if language else "id", tally)
        lessons = cartridge.lessons()
        if not lessons:
            raise PackError(
                N_("%(file)s tidak berisi bahan yang dapat dipelajari di sini."), file=path.name
            )
        media = kept(cartridge.media.used_in(lessons))
    title = (manifest.title or title_of(path))[:_TITLE_MOST]
    return Draft(title, lessons, media, language=cartridge.language, report=tally.report())


def recognises(path: Path) -> bool:
    try:
        with open_archive(path) as archive:
            return bool(ims_manifest.find(archive)) and _is_cartridge(ims_manifest.read_manifest(archive))
    except (PackError, OSError):
        return False


def _is_cartridge(manifest: ImsManifest) -> bool:
    schemas = (text(one, "schema") for one in ims_manifest.children(manifest.root, "metadata"))
    return any(
        "common cartridge" in schema.lower() or "thin common" in schema.lower() for schema in schemas
    )


class _Cartridge:
    """Makes lessons of the items of a cartridge."""

    def __init__(self, archive: Archive, manifest: ImsManifest, language: str, tally: Tally) -> None:
        self.media = Media(tally)
        self.language = language
        self._archive = archive
        self._manifest = manifest
        self._tally = tally

    def lessons(self) -> list[DraftLesson]:
        items = self._manifest.items
        if len(items) == 1 and not items[0].resource:
            # The root of the hierarchy is no heading.
            items = items[0].children
        made = list(self._walk(items, ""))
        for resource in self._manifest.resources.values():
            if _BANK.fullmatch(resource.type):
                made += self._test(resource, title_of(Path(self._file(resource))))
        return made

    def _walk(self, items: tuple[Item, ...], module: str) -> Iterator[DraftLesson]:
        for item in items:
            for lesson in self._made(item):
                lesson.module = module
                yield lesson
            yield from self._walk(item.children, module or item.title[:_TITLE_MOST])

    def _made(self, item: Item) -> list[DraftLesson]:
        resource = self._manifest.resources.get(item.resource)
        if not item.resource:
            return []
        title = (item.title or item.resource)[:_TITLE_MOST]
        if resource is None or self._file(resource) not in self._archive:
            self._tally.leave_out(
                N_("Materi yang berkasnya tidak ada dalam paket: %(count)s."), example=title
            )
            return []
        kind = resource.type.lower()
        if _ASSESSMENT.fullmatch(kind) or _BANK.fullmatch(kind):
            return self._test(resource, title)
        if kind.startswith("imswl_"):
            return self._link(resource, title)
        if kind.startswith("imsdt_"):
            return self._topic(resource, title)
        if kind == "webcontent" or kind.startswith("associatedcontent/"):
            return self._page(resource, title)
        self._tally.leave_out(
            N_("Kegiatan jenis %(kind)s yang tidak dibawa: %(count)s."),
            example=title,
            kind=kind[:40] or "?",
        )
        return []

    def _file(self, resource: Resource) -> str:
        """Where a resource lies: its address, or its first file where it has none."""
        return resource.path or next(iter(resource.files), "")

    def _page(self, resource: Resource, title: str) -> list[DraftLesson]:
        path = self._file(resource)
        if not path.lower().endswith(_PAGES):
            html = shown(self.media, [self._source(path)], title)
            if html:
                self._tally.take(N_("Berkas: %(count)s."))
            return [DraftLesson(title, html)] if html else []
        if self._archive.size(path) > HTML_MOST:
            self._tally.leave_out(N_("Halaman HTML yang tidak dibawa: %(count)s."), example=path)
            return []
        self._tally.take(N_("Halaman: %(count)s."))
        content = self._archive.read(path).decode("utf-8-sig", "replace")
        return [DraftLesson(title, self._html(path)(content))]

    def _link(self, resource: Resource, title: str) -> list[DraftLesson]:
        root = self._archive.xml(self._file(resource))
        addresses = (attribute(one, "href") for one in ims_manifest.descendants(root, "url"))
        address = next(addresses, "")
        if not address.startswith("https://") or len(address) > 2000:
            self._tally.leave_out(N_("Tautan yang bukan https dan tidak dibawa: %(count)s."), example=title)
            return []
        self._tally.take(N_("Tautan: %(count)s."))
        return [DraftLesson(title, f'<p><a href="{escape(address)}">{escape(title)}</a></p>')]

    def _topic(self, resource: Resource, title: str) -> list[DraftLesson]:
        path = self._file(resource)
        root = self._archive.xml(path)
        said = next(ims_manifest.children(root, "text"), None)
        if said is None:
            return []
        form = Format.HTML if attribute(said, "texttype").lower() == "text/html" else Format.PLAIN
        html = self._html(path)(html_of("".join(said.itertext()), form))
        if not html:
            return []
        self._tally.change(
            N_("Topik diskusi yang menjadi bacaan, tanpa diskusinya: %(count)s."), example=title
        )
        return [DraftLesson(text(root, "title")[:_TITLE_MOST] or title, html)]

    def _test(self, resource: Resource, title: str) -> list[DraftLesson]:
        path = self._file(resource)
        if path not in self._archive:
            return []
        root = self._archive.xml(path)
        questions = qti12.questions_of(root, self._html(path), self.language, self._tally)
        return in_lessons(title or qti12.title_of_assessment(root), "", questions) if questions else []

    def _html(self, path: str) -> Callable[[str], str]:
        def find(address: str) -> SourceFile | None:
            if address.startswith(_OWN):
                name = beside("", f"web_resources/{address.removeprefix(_OWN).lstrip('/')}")
                plain = beside("", address.removeprefix(_OWN).lstrip("/"))
                name = plain if plain in self._archive else name
            else:
                name = beside(path, address)
            return self._source(name) if name else None

        return lambda html: relinked(html, find, self.media, self._tally)

    def _source(self, name: str) -> SourceFile:
        return SourceFile(name, name, self._archive.reader(name) if name in self._archive else None)
