"""QTI 2.1, 2.2 and 3.0: packages of items and tests, or a single item; sections of a test become lessons.

Source: IMS QTI 2.1 and 2.2 Integration Guide; 1EdTech QTI 3.0 Best Practices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from content_packs.errors import PackError
from content_packs.importers import ims_manifest
from content_packs.importers.archive import XML_MOST, Archive, open_archive, read_xml
from content_packs.importers.bank import in_lessons, start_of, title_of
from content_packs.importers.draft import Draft, DraftLesson, DraftQuestion
from content_packs.importers.ims_manifest import ImsManifest
from content_packs.importers.media_files import Media, SourceFile, kept
from content_packs.importers.qti_items import ITEM, attribute, find_all, kind, question_of
from content_packs.importers.relink import beside, relinked
from content_packs.importers.tally import Tally
from sync.errors import N_

ITEMS_MOST: Final = 5_000
_TITLE_MOST: Final = 200
_TYPE: Final = re.compile(r"imsqti_(?:item|test|xml)", re.IGNORECASE)
_ROOT: Final = re.compile(r"<(?:\w+:)?(?:assessmentItem|qti-assessment-item)[\s>]")
_TEST: Final = "assessmenttest"
_SECTION: Final = "assessmentsection"
_DEPTH_MOST: Final = 20


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it is neither an item nor a package of items, is damaged, or asks nothing that can be asked here.
    """
    tally = Tally()
    if _ROOT.search(start_of(path)):
        draft = _single(path, tally)
    else:
        with open_archive(path) as archive:
            manifest = ims_manifest.read_manifest(archive)
            if not _is_qti(manifest):
                raise PackError(N_("%(file)s bukan paket QTI."), file=path.name)
            package = _Package(archive, manifest, tally)
            lessons = list(package.lessons(title_of(path)))
            draft = Draft((manifest.title or title_of(path))[:_TITLE_MOST], lessons)
            draft.media = kept(package.media.used_in(lessons))
    if not any(lesson.questions for lesson in draft.lessons):
        raise PackError(N_("%(file)s tidak berisi soal QTI yang dapat dibawa."), file=path.name)
    draft.report = tally.report()
    return draft


def recognises(path: Path) -> bool:
    if _ROOT.search(start_of(path)):
        return True
    try:
        with open_archive(path) as archive:
            return bool(ims_manifest.find(archive)) and _is_qti(ims_manifest.read_manifest(archive))
    except (PackError, OSError):
        return False


def _is_qti(manifest: ImsManifest) -> bool:
    # Common Cartridge has QTI 1.2, which is another language; its types name it.
    return any(
        _TYPE.match(one.type) and "imscc" not in one.type and "v1p" not in one.type
        for one in manifest.resources.values()
    )


def _single(path: Path, tally: Tally) -> Draft:
    try:
        if path.stat().st_size > XML_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=path.name)
        root = read_xml(path.read_bytes(), path.name)
    except OSError as problem:
        raise PackError(N_("%(file)s tidak dapat dibaca."), file=path.name) from problem
    media = Media(tally, is_closed=True)

    def find(address: str) -> SourceFile | None:
        # What lies beside a single item isn't taken.
        name = beside(path.name, address)
        return SourceFile(name, name, None) if name else None

    def html(text: str) -> str:
        return relinked(text, find, media, tally)

    question = question_of(root, html, "id", tally) if kind(root) == ITEM else None
    title = attribute(root, "title") or title_of(path)
    return Draft(title[:_TITLE_MOST], in_lessons(title, "", [] if question is None else [question]))


class _Package:
    def __init__(self, archive: Archive, manifest: ImsManifest, tally: Tally) -> None:
        self.media = Media(tally)
        self._archive = archive
        self._manifest = manifest
        self._tally = tally
        self._language = "en" if manifest.language.lower().startswith("en") else "id"
        self._read: set[str] = set()
        self._count = 0

    def lessons(self, otherwise: str) -> Iterator[DraftLesson]:
        """A lesson for each section of each test; then one for the items that no test has."""
        roots = {one.path: one for one in self._manifest.resources.values() if _TYPE.match(one.type)}
        opened = [(path, self._archive.xml(path)) for path in roots if path in self._archive]
        tests = [(path, root) for path, root in opened if kind(root) == _TEST]
        for path, root in tests:
            title = attribute(root, "title") or otherwise
            for section in _sections(root):
                questions = list(self._questions(beside(path, href) for href in _hrefs(section)))
                heading = attribute(section, "title") or title
                yield from in_lessons(heading, "", questions, module=title if len(tests) > 1 else "")
        rest = [path for path, root in opened if kind(root) == ITEM and path not in self._read]
        title = self._manifest.title or otherwise
        yield from in_lessons(title, "", list(self._questions(rest)))

    def _questions(self, paths: Iterator[str] | list[str]) -> Iterator[DraftQuestion]:
        for path in paths:
            self._count += 1
            if self._count > ITEMS_MOST:
                raise PackError(N_("%(file)s terlalu besar."), file=self._archive.name)
            if path not in self._archive:
                self._tally.leave_out(
                    N_("Soal yang berkasnya tidak ada dalam paket: %(count)s."), example=path
                )
                continue
            if path in self._read:
                continue
            self._read.add(path)
            root = self._archive.xml(path)
            question = question_of(root, self._html(path), self._language, self._tally)
            if question is not None:
                yield question

    def _html(self, path: str) -> Callable[[str], str]:
        def find(address: str) -> SourceFile | None:
            name = beside(path, address)
            if not name:
                return None
            return SourceFile(name, name, self._archive.reader(name) if name in self._archive else None)

        return lambda text: relinked(text, find, self.media, self._tally)


def _sections(test: Any) -> Iterator[Any]:
    """The sections that hold items themselves, in their order."""
    return (one for one in find_all(test, _SECTION) if next(_hrefs(one), None) is not None)


def _hrefs(section: Any) -> Iterator[str]:
    return (attribute(one, "href") for one in section if kind(one) == "assessmentitemref")
