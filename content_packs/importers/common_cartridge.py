"""IMS Common Cartridge 1.0 to 1.3 and Thin CC (.imscc): pages, links, topics, files and tests, in the order of the cartridge.

Tools on other servers (LTI) can't be had in a village, what is for teachers isn't for learners: both are named as left
out. What no item names comes last. Source: IMS Common Cartridge 1.0 to 1.3; IMS Thin Common Cartridge 1.2 and 1.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any, Final

from content_packs.errors import PackError
from content_packs.importers import ims_manifest, qti12
from content_packs.importers.archive import Archive, open_archive
from content_packs.importers.bank import in_lessons, start_of, title_of
from content_packs.importers.cartridge_files import CartridgeFiles
from content_packs.importers.draft import Draft, DraftLesson
from content_packs.importers.ims_manifest import ImsManifest, Item, Resource, attribute, local, text
from content_packs.importers.media_files import kept
from content_packs.importers.relink import HTML_MOST
from content_packs.importers.tally import Tally
from content_packs.importers.texts import Format, html_of, text_of_page
from content_packs.importers.words import words_of
from content_packs.importers.xml_html import content_of
from sync.errors import N_

_TITLE_MOST: Final = 200
_PAGES: Final = (".html", ".htm", ".xhtml")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?![a-z])")
_ALONE: Final = re.compile(r"<schema>[^<]*Common Cartridge")
_ABOUT: Final = ("metadata", "file", "dependency", "variant")
_TEST: Final = re.compile(r"imsqti_xmlv1p\w+/imscc_xmlv1p\w+/(?:assessment|question-bank)")
_BANK: Final = re.compile(r"imsqti_xmlv1p\w+/imscc_xmlv1p\w+/question-bank")


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't a Common Cartridge, is damaged, or holds nothing that can be learned here.
    """
    tally = Tally()
    with _opened(path) as archive:
        manifest = ims_manifest.read_manifest(archive)
        if not _is_cartridge(manifest):
            raise PackError(N_("%(file)s bukan Common Cartridge."), file=path.name)
        language = _LANGUAGE.match(manifest.language.lower())
        files = CartridgeFiles(archive, tally)
        cartridge = _Cartridge(archive, files, manifest, language[0] if language else "id", tally)
        lessons = cartridge.lessons()
        if not lessons:
            raise PackError(
                N_("%(file)s tidak berisi bahan yang dapat dipelajari di sini."), file=path.name
            )
        media = kept(files.media.used_in(lessons))
    title = (manifest.title or title_of(path))[:_TITLE_MOST]
    return Draft(title, lessons, media, language=cartridge.language, report=tally.report())


def recognises(path: Path) -> bool:
    try:
        with _opened(path) as archive:
            return bool(ims_manifest.find(archive)) and _is_cartridge(ims_manifest.read_manifest(archive))
    except (PackError, OSError):
        return False


@contextmanager
def _opened(path: Path) -> Iterator[Archive]:
    """The archive; a Thin CC may be a manifest alone, which is an archive of one file then."""
    if _ALONE.search(start_of(path)):
        content = content_of(path)
        yield Archive(path.name, {ims_manifest.NAME: (len(content), lambda: content)})
    else:
        with open_archive(path) as archive:
            yield archive


def _is_cartridge(manifest: ImsManifest) -> bool:
    schemas = (text(one, "schema") for one in ims_manifest.children(manifest.root, "metadata"))
    return any(
        "common cartridge" in schema.lower() or "thin common" in schema.lower() for schema in schemas
    )


class _Cartridge:
    """Makes lessons of the items of a cartridge."""

    def __init__(
        self, archive: Archive, files: CartridgeFiles, manifest: ImsManifest, language: str, tally: Tally
    ) -> None:
        self.language = language
        self._archive = archive
        self._files = files
        self._manifest = manifest
        self._tally = tally
        self._made_of: set[str] = set()
        """Resources of which lessons were made, or that were left out with a word."""

    def lessons(self) -> list[DraftLesson]:
        items = self._manifest.items
        if len(items) == 1 and not items[0].resource and not _is_heading(items[0]):
            # The root of the hierarchy is no heading.
            items = items[0].children
        made = list(self._walk(items, ""))
        last = words_of(self.language).general if any(lesson.module for lesson in made) else ""
        for lesson in self._unlisted():
            lesson.module = last
            made.append(lesson)
        self._tally.leave_out(
            N_("Materi yang disembunyikan pembuatnya dan tidak dibawa: %(count)s."), self._manifest.hidden
        )
        files = {file for one in self._manifest.resources.values() for file in one.files}
        others = {file for file in files if file in self._archive} - self._files.named
        self._tally.leave_out(
            N_("Berkas dalam paket yang tidak dipakai materi dan tidak dibawa: %(count)s."),
            len(others),
            min(others, default=""),
        )
        return made

    def _walk(self, items: tuple[Item, ...], module: str) -> Iterator[DraftLesson]:
        for item in items:
            for lesson in self._made(item):
                lesson.module = module
                yield lesson
            inside = " / ".join(filter(None, (module, item.title)))[:_TITLE_MOST]
            yield from self._walk(item.children, inside)

    def _unlisted(self) -> Iterator[DraftLesson]:
        """Banks, which no item may name, and what items might have named."""
        listed = {
            attribute(one, "identifierref") for one in ims_manifest.descendants(self._manifest.root, "item")
        }
        for resource in self._manifest.resources.values():
            kind, path = resource.type.lower(), self._file(resource)
            if resource.id in self._made_of or resource.id in listed:
                continue
            is_page = (
                kind == "webcontent" and path.lower().endswith(_PAGES) and path not in self._files.named
            )
            if is_page or _TEST.fullmatch(kind) or kind.startswith(("imswl_", "imsdt_")):
                lessons = self._lessons_of(resource, "")
                if not _BANK.fullmatch(kind):
                    self._tally.change(
                        N_("Bahan di luar daftar isi yang kini ada di bagian akhir: %(count)s."),
                        len(lessons),
                        path,
                    )
                yield from lessons

    def _made(self, item: Item) -> list[DraftLesson]:
        if not item.resource:
            return []
        title = item.title[:_TITLE_MOST]
        resource = self._manifest.resources.get(item.resource)
        if resource is None:
            self._leave_missing(title or item.resource)
            return []
        return self._lessons_of(resource, title)

    def _lessons_of(self, resource: Resource, title: str) -> list[DraftLesson]:
        kind, path = resource.type.lower(), self._file(resource)
        self._made_of.add(resource.id)
        self._files.named.add(path)
        title = title or self._own_title(resource)
        if _is_for_teachers(resource):
            self._tally.leave_out(N_("Bahan bagi pengajar yang tidak dibawa: %(count)s."), example=title)
        elif path not in self._archive and self._embedded(resource) is None:
            self._leave_missing(title)
        elif kind.startswith("imswl_"):
            return self._link(resource, title)
        elif kind.startswith("imsdt_"):
            return self._topic(resource, title)
        elif _TEST.fullmatch(kind):
            return self._test(resource, title)
        elif kind == "webcontent" or kind.startswith("associatedcontent/"):
            return self._page(path, title)
        else:
            self._tally.leave_out(
                N_("Kegiatan jenis %(kind)s yang tidak dibawa: %(count)s."),
                example=title,
                kind=kind[:40] or "?",
            )
        return []

    def _leave_missing(self, title: str) -> None:
        self._tally.leave_out(N_("Materi yang berkasnya tidak ada dalam paket: %(count)s."), example=title)

    def _own_title(self, resource: Resource) -> str:
        """What a resource calls itself, or its file is called."""
        path, root = self._file(resource), None
        if resource.type.lower().startswith(("imswl_", "imsdt_", "imsqti_")):
            root = self._xml(resource)
        said = "" if root is None else text(root, "title") or qti12.title_of(root)
        return (said or title_of(Path(path or resource.id)))[:_TITLE_MOST]

    def _file(self, resource: Resource) -> str:
        """Where a resource lies: its address, or its first file where it has none."""
        return resource.path or next(iter(resource.files), "")

    def _embedded(self, resource: Resource) -> Any:
        """What a Thin CC writes into the manifest instead of into a file."""
        return next((one for one in resource.element if local(one) and local(one) not in _ABOUT), None)

    def _xml(self, resource: Resource) -> Any:
        path = self._file(resource)
        return self._archive.xml(path) if path in self._archive else self._embedded(resource)

    def _page(self, path: str, title: str) -> list[DraftLesson]:
        if path not in self._archive:
            self._leave_missing(title)
            return []
        if not path.lower().endswith(_PAGES):
            html = self._files.shown_alone(path, title)
            if html:
                self._tally.take(N_("Berkas: %(count)s."))
            return [DraftLesson(title, html)] if html else []
        content = self._archive.read(path) if self._archive.size(path) <= HTML_MOST else b""
        html = self._files.html(path)(text_of_page(content))
        if not html:
            self._tally.leave_out(N_("Halaman HTML yang tidak dibawa: %(count)s."), example=path)
            return []
        self._tally.take(N_("Halaman: %(count)s."))
        return [DraftLesson(title, html)]

    def _link(self, resource: Resource, title: str) -> list[DraftLesson]:
        root = self._xml(resource)
        addresses = (attribute(one, "href") for one in ims_manifest.descendants(root, "url"))
        address = next(addresses, "").strip()
        if not address.startswith("https://") or len(address) > 2000:
            self._tally.leave_out(N_("Tautan yang bukan https dan tidak dibawa: %(count)s."), example=title)
            return []
        self._tally.take(N_("Tautan: %(count)s."))
        return [DraftLesson(title, f'<p><a href="{escape(address)}">{escape(title)}</a></p>')]

    def _topic(self, resource: Resource, title: str) -> list[DraftLesson]:
        root, path = self._xml(resource), self._file(resource)
        said = next(ims_manifest.children(root, "text"), None)
        html = ""
        if said is not None:
            form = Format.HTML if attribute(said, "texttype").lower() == "text/html" else Format.PLAIN
            html = self._files.html(path)(html_of("".join(said.itertext()), form))
        attached = (attribute(one, "href") for one in ims_manifest.descendants(root, "attachment"))
        html = "\n".join(filter(None, (html, self._files.shown(path, attached))))
        if not html:
            self._tally.leave_out(N_("Topik diskusi tanpa bacaan: %(count)s."), example=title)
            return []
        self._tally.change(
            N_("Topik diskusi yang menjadi bacaan, tanpa diskusinya: %(count)s."), example=title
        )
        return [DraftLesson(text(root, "title")[:_TITLE_MOST] or title, html)]

    def _test(self, resource: Resource, title: str) -> list[DraftLesson]:
        root = self._xml(resource)
        html = self._files.html(self._file(resource))
        questions = qti12.questions_of(root, html, self.language, self._tally)
        self._tally.leave_out(N_("Batas waktu kuis: %(count)s."), int(qti12.has_time_limit(root)), title)
        return in_lessons(title, qti12.read_first(root, html), questions) if questions else []


def _is_heading(root: Item) -> bool:
    """Whether the only item at the top has a title, and no headings below it that would be the modules."""
    return bool(root.title) and all(item.resource for item in root.children)


def _is_for_teachers(resource: Resource) -> bool:
    roles = {
        "".join(value.itertext()).strip().lower()
        for holder in ims_manifest.children(resource.element, "metadata")
        for role in ims_manifest.descendants(holder, "intendedEndUserRole")
        for value in ims_manifest.children(role, "value")
    }
    return (
        bool(roles and "learner" not in roles) or attribute(resource.element, "intendeduse") == "lessonplan"
    )
