"""QTI 2.1, 2.2 and 3.0: packages of items and tests, or a single item; sections of a test become lessons.

Source: IMS QTI 2.1 and 2.2 Integration Guide; 1EdTech QTI 3.0 Best Practices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from content_packs.errors import PackError
from content_packs.importers import ims_manifest
from content_packs.importers.archive import Archive, open_archive, read_xml
from content_packs.importers.bank import in_lessons, start_of, title_of
from content_packs.importers.draft import Draft, DraftLesson, DraftQuestion
from content_packs.importers.ims_manifest import ImsManifest
from content_packs.importers.media_files import Media, SourceFile, kept
from content_packs.importers.qti_items import ITEM, question_of, written
from content_packs.importers.qti_response import attribute, children, find_all, kind
from content_packs.importers.relink import beside, relinked
from content_packs.importers.tally import Tally
from content_packs.importers.xml_html import content_of, inner_html
from sync.errors import N_

ITEMS_MOST: Final = 5_000
_TITLE_MOST: Final = 200
_TYPE: Final = re.compile(r"imsqti_(?:item|test|xml)", re.IGNORECASE)
_ROOT: Final = re.compile(r"<(?:\w+:)?(?:assessmentItem|qti-assessment-item)[\s>]")
_TEST: Final = "assessmenttest"
_SECTION: Final = "assessmentsection"
_START: Final = 4096
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?![a-z])")
_LANG: Final = re.compile(rb"""xml:lang=["']([A-Za-z-]{1,20})["']""")


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
            title = (manifest.title or title_of(path))[:_TITLE_MOST]
            draft = Draft(title, lessons, language=package.language)
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
    root = read_xml(content_of(path), path.name)
    media = Media(tally, is_closed=True)

    def find(address: str) -> SourceFile | None:
        # What lies beside a single item isn't taken.
        name = beside(path.name, address)
        return SourceFile(name, name, None) if name else None

    def html(text: str) -> str:
        return relinked(text, find, media, tally)

    language = _language(attribute(root, "lang")) or "id"
    question = question_of(root, html, language, tally) if kind(root) == ITEM else None
    title = attribute(root, "title") or title_of(path)
    lessons = in_lessons(title, "", [] if question is None else [question])
    return Draft(title[:_TITLE_MOST], lessons, language=language)


def _language(said: str) -> str:
    found = _LANGUAGE.match(said.lower())
    return found[0] if found and found[0] != "und" else ""


class _Package:
    def __init__(self, archive: Archive, manifest: ImsManifest, tally: Tally) -> None:
        self.media = Media(tally)
        self.language = _language(manifest.language)
        self._archive = archive
        self._title = manifest.title
        self._types = {
            one.path: one.type.lower()
            for one in manifest.resources.values()
            if _TYPE.match(one.type) and one.path in archive
        }
        self._tally = tally
        self._read: set[str] = set()
        self._count = 0

    def lessons(self, otherwise: str) -> Iterator[DraftLesson]:
        """A lesson for each section of each test; then one for the items that no test has."""
        tests = list(self._tests())
        # Words of the course itself are put into questions: its language is known before the first.
        self.language = self.language or next(self._languages(tests), "id")
        for path, test in tests:
            title = attribute(test, "title") or otherwise
            self._tally.leave_out(
                N_("Batas waktu kuis: %(count)s."), int(_has(find_all(test, "timelimits"))), title
            )
            for section, module in _sections(test, title if len(tests) > 1 else ""):
                heading = attribute(section, "title") or title
                questions = list(self._questions(beside(path, href) for href in _hrefs(section)))
                if questions:
                    self._tally.change(
                        N_(
                            "Bagian tes yang mengambil soal secara acak dan kini berisi semua soalnya: %(count)s."
                        ),
                        int(_has(children(section, "selection"))),
                        heading,
                    )
                    yield from in_lessons(heading, self._rubrics(section, path), questions, module)
        rest = (path for path in self._types if path not in self._read and not self._is_test(path))
        questions = list(self._questions(rest, is_all_asked=False))
        if questions:
            yield from in_lessons(self._title or otherwise, "", questions)

    def _is_test(self, path: str) -> bool:
        return "_test_" in f"{self._types[path]}_"

    def _tests(self) -> Iterator[tuple[str, Any]]:
        for path in self._types:
            # Before 2.1 was finished tests and items had the same type; most items aren't read twice.
            if (
                self._is_test(path)
                or b"ssessment-test" in (start := self._archive.read(path)[:_START])
                or b"ssessmentTest" in start
            ):
                root = self._archive.xml(path)
                if kind(root) == _TEST:
                    self._types[path] = "imsqti_test_"
                    yield path, root

    def _languages(self, tests: list[tuple[str, Any]]) -> Iterator[str]:
        for _path, root in tests:
            yield from filter(None, [_language(attribute(root, "lang"))])
        for path in self._types:
            said = _LANG.search(self._archive.read(path)[:_START])
            yield from filter(None, [_language(said[1].decode()) if said else ""])

    def _questions(self, paths: Iterable[str], is_all_asked: bool = True) -> Iterator[DraftQuestion]:
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
            if kind(root) != ITEM and not is_all_asked:
                continue  # passages and sections, which others name
            before = "".join(self._passage(beside(path, href)) for href in _passages(root))
            question = question_of(root, self._html(path), self.language, self._tally, before)
            if question is not None:
                yield question

    def _passage(self, path: str) -> str:
        """What is read before a question and lies in a file of its own (QTI 3)."""
        body = (
            next(find_all(self._archive.xml(path), "stimulusbody"), None) if path in self._archive else None
        )
        if body is None:
            self._tally.leave_out(
                N_("Bacaan soal yang berkasnya tidak ada dalam paket: %(count)s."), example=path
            )
            return ""
        return self._html(path)(inner_html(body, written))

    def _rubrics(self, section: Any, path: str) -> str:
        """What a section says before its questions."""
        shown = [one for one in children(section, "rubricblock") if "candidate" in attribute(one, "view")]
        return "".join(self._html(path)(inner_html(one, written)) for one in shown)

    def _html(self, path: str) -> Callable[[str], str]:
        def find(address: str) -> SourceFile | None:
            name = beside(path, address)
            if not name:
                return None
            return SourceFile(name, name, self._archive.reader(name) if name in self._archive else None)

        return lambda text: relinked(text, find, self.media, self._tally)


def _sections(test: Any, module: str) -> Iterator[tuple[Any, str]]:
    """The sections that hold items themselves, in their order; sections of a section are in the module of its title."""
    waiting = [(one, module) for one in reversed(test)]
    while waiting:
        one, inside = waiting.pop()
        if kind(one) == _SECTION:
            if _has(_hrefs(one)):
                yield one, inside
            is_divided = any(kind(part) == _SECTION for part in one)
            inside = inside or (attribute(one, "title") if is_divided else "")
        if kind(one) in (_SECTION, "testpart"):
            waiting += [(part, inside) for part in reversed(one)]


def _has(found: Iterator[Any]) -> bool:
    # An element without children is false.
    return next(found, None) is not None


def _hrefs(section: Any) -> Iterator[str]:
    return (attribute(one, "href") for one in children(section, "assessmentitemref"))


def _passages(item: Any) -> Iterator[str]:
    return (attribute(one, "href") for one in children(item, "assessmentstimulusref"))
