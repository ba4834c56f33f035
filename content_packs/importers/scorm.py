"""SCORM 1.2 and 2004 packages: each SCO becomes a lesson for the player, each plain page a lesson of our own.

Order and headings come from the manifest; rules that say who may go where are named as left out: here every lesson is
open. Source: SCORM 1.2 CAM and RTE; SCORM 2004 4th edition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path, PurePosixPath
from typing import Any, Final

from content_packs import limits
from content_packs.errors import PackError
from content_packs.importers import ims_manifest
from content_packs.importers.archive import Archive, open_archive
from content_packs.importers.bank import title_of
from content_packs.importers.draft import Draft, DraftActivity, DraftLesson
from content_packs.importers.ims_manifest import ImsManifest, Item, Resource
from content_packs.importers.media_files import Media, SourceFile, kept, shown
from content_packs.importers.relink import HTML_MOST, beside, relinked
from content_packs.importers.tally import Tally
from content_packs.importers.texts import plain_of, text_of_page
from content_packs.outline import path_of
from content_packs.packing import MEDIA
from sync.errors import N_

PLAYER: Final = "scorm"
_TITLE_MOST: Final = 200
_PAGES: Final = (".html", ".htm", ".xhtml")
_ACTIVE: Final = re.compile(
    r"<script|<i?frame|<object|<embed|<applet|\son[a-z]+\s*=|javascript:|http-equiv\s*=\s*[\"']?refresh",
    re.IGNORECASE,
)
_LINK: Final = re.compile(r"<a\b[^<>]*?\bhref\s*=\s*[\"']?([^\"'<>]{1,500})", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?![a-z])")
_UNUSED: Final = re.compile(
    r"(?:.*/)?(?:[^/]+\.(?:xsd|dtd)|imsmanifest\.xml|\.ds_store|thumbs\.db)|__macosx/.*", re.IGNORECASE
)
"""What only the programs of authors read."""
_RULES: Final = (
    (
        N_(
            "Syarat dan batas materi SCORM (prerequisites, batas waktu, nilai lulus) yang tidak dibawa: %(count)s."
        ),
        ("prerequisites", "maxtimeallowed", "timelimitaction", "masteryscore", "completionthreshold"),
    ),
    (
        N_("Aturan urutan SCORM 2004 yang tidak dibawa; setiap materi dapat dibuka: %(count)s."),
        ("sequencing",),
    ),
    (
        N_("Data awal untuk materi SCORM (dataFromLMS, adlcp:data) yang tidak diberikan: %(count)s."),
        ("datafromlms", "data"),
    ),
)
"""What the items of a package ask of a player, and ours doesn't do."""


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't a SCORM package, is damaged, or nothing in it can be played.
    """
    tally = Tally()
    with open_archive(path) as archive:
        manifest = ims_manifest.read_manifest(archive)
        if not _is_scorm(manifest):
            raise PackError(N_("%(file)s bukan paket SCORM."), file=path.name)
        package = _Package(archive, manifest, tally)
        lessons = package.lessons()
        if not lessons:
            raise PackError(N_("%(file)s tidak berisi materi SCORM yang dapat dibuka."), file=path.name)
        media = kept(package.media.used_in(lessons))
        package.keep_files()
    language = _LANGUAGE.match(manifest.language.lower())
    return Draft(
        (manifest.title or title_of(path))[:_TITLE_MOST],
        lessons,
        media,
        language=language[0] if language else "id",
        report=tally.report(),
    )


def recognises(path: Path) -> bool:
    try:
        with open_archive(path) as archive:
            return bool(ims_manifest.find(archive)) and _is_scorm(ims_manifest.read_manifest(archive))
    except (PackError, OSError):
        return False


def _is_scorm(manifest: ImsManifest) -> bool:
    schema = " ".join(
        ims_manifest.text(one, "schema") for one in ims_manifest.children(manifest.root, "metadata")
    )
    return "SCORM" in schema.upper() or any(one.scorm_type for one in manifest.resources.values())


class _Package:
    """Makes lessons of the items of a package."""

    def __init__(self, archive: Archive, manifest: ImsManifest, tally: Tally) -> None:
        self.media = Media(tally)
        self._archive = archive
        self._manifest = manifest
        self._tally = tally
        self._started = {resource.path for resource in _used(manifest)}
        """Files that are lessons themselves."""
        self._files: dict[str, Callable[[], bytes]] = {}
        """What all activities of the package share: shared files are many, and scripts name some that no manifest does."""

    def lessons(self) -> list[DraftLesson]:
        made = list(self._walk(self._manifest.items, ""))
        if not made and not self._manifest.items:
            # A package without an organization: its resources in their order.
            items = [
                Item(one.id, one.id, "", one.element, ())
                for one in self._manifest.resources.values()
                if one.scorm_type == "sco"
            ]
            made = list(self._walk(tuple(items), ""))
        self._tally.leave_out(
            N_("Urutan lain (organization) dalam paket, yang tidak dibawa: %(count)s."),
            self._manifest.others,
        )
        self._tally.leave_out(
            N_("Materi yang disembunyikan pembuatnya dan tidak dibawa: %(count)s."), self._manifest.hidden
        )
        asked = [ims_manifest.local(one).lower() for place in _places(self._manifest) for one in place]
        for sentence, names in _RULES:
            self._tally.leave_out(sentence, sum(name in names for name in asked))
        return made

    def keep_files(self) -> None:
        """Let the activities' files be read when the archive is closed."""
        if self._files:
            self._files.update(kept(self._files))

    def _walk(self, items: tuple[Item, ...], module: str) -> Iterator[DraftLesson]:
        for item in items:
            lesson = self._lesson(item)
            if lesson is not None:
                lesson.module = module
                yield lesson
            if item.children:
                yield from self._walk(item.children, module or item.title[:_TITLE_MOST])

    def _lesson(self, item: Item) -> DraftLesson | None:
        if not item.resource:
            return None
        title = (item.title or item.resource)[:_TITLE_MOST]
        resource = self._manifest.resources.get(item.resource)
        if resource is None or resource.path not in self._archive:
            self._tally.leave_out(
                N_("Materi yang berkasnya tidak ada dalam paket: %(count)s."), example=title
            )
            return None
        page = "" if resource.scorm_type == "sco" else self._page(resource) or self._file(resource, title)
        if page:
            return DraftLesson(title, page)
        entry = resource.href + _with(resource.href, item.parameters)
        if len(entry) > limits.ENTRY or path_of(entry) not in self._archive:
            self._tally.leave_out(
                N_("Materi dengan alamat yang terlalu panjang: %(count)s."), example=title
            )
            return None
        self._tally.take(N_("Materi SCORM (SCO), yang memerlukan pemutar: %(count)s."))
        return DraftLesson(title, activity=DraftActivity(PLAYER, entry, self._shared()))

    def _page(self, resource: Resource) -> str:
        """HTML of a page without programs; nothing for what only the player can show."""
        path = resource.path
        if not path.lower().endswith(_PAGES) or self._archive.size(path) > HTML_MOST:
            return ""
        content = text_of_page(self._archive.read(path))
        if _ACTIVE.search(content) or self._leads_on(path, content):
            return ""

        def find(address: str) -> SourceFile | None:
            name = beside(path, address)
            return self._source(name) if name else None

        tried = relinked(content, find, Media(Tally()), Tally())
        if not plain_of(tried) and "media:" not in tried:
            return ""
        self._tally.take(N_("Halaman tanpa program, yang menjadi bacaan: %(count)s."))
        return relinked(content, find, self.media, self._tally)

    def _leads_on(self, path: str, content: str) -> bool:
        """Whether a page links to other pages of the package that can only be reached from it."""
        names = {beside(path, unescape(address).strip()) for address in _LINK.findall(content)}
        return any(
            name in self._archive and name.lower().endswith(_PAGES) and name != path
            for name in names - self._started
        )

    def _file(self, resource: Resource, title: str) -> str:
        """HTML that shows a picture, a film or a document; nothing for anything else."""
        if PurePosixPath(resource.path.lower()).suffix not in MEDIA:
            return ""
        html = shown(self.media, [self._source(resource.path)], title)
        self._tally.take(N_("Berkas: %(count)s."), bool(html))
        return html

    def _source(self, name: str) -> SourceFile:
        return SourceFile(name, name, self._archive.reader(name) if name in self._archive else None)

    def _shared(self) -> dict[str, Callable[[], bytes]]:
        if not self._files:
            names = [name for name in self._archive.names() if not _UNUSED.fullmatch(name)]
            self._files.update({name: self._archive.reader(name) for name in names})
        return self._files


def _used(manifest: ImsManifest) -> Iterator[Resource]:
    """The resources that items name."""
    for place in _places(manifest):
        resource = manifest.resources.get(place.get("identifierref", "").strip())
        if resource is not None:
            yield resource


def _places(manifest: ImsManifest) -> Iterator[Any]:
    """The elements that stand for places in the course, of whatever way through it."""
    return (one for one in manifest.root.iter() if ims_manifest.local(one) in ("item", "organization"))


def _with(href: str, parameters: str) -> str:
    """What is to be added to an address for its parameters (SCORM 1.2 CAM 2.2.2.4)."""
    plain = parameters.lstrip("?&")
    if not plain or plain.startswith("#"):
        return "" if "#" in href else plain
    return ("&" if "?" in href else "?") + plain
