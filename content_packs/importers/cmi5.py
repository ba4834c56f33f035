"""cmi5 packages: each assignable unit (AU) that lies in the package becomes a lesson for the player, blocks its modules.

Units on another server can't be had in a village and are named as left out. Source: cmi5 specification, Quartz (1st edition),
sections 13 and 14.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from content_packs import limits
from content_packs.errors import PackError
from content_packs.importers.archive import Archive, open_archive
from content_packs.importers.bank import title_of
from content_packs.importers.draft import Draft, DraftActivity, DraftLesson
from content_packs.importers.ims_manifest import MORE, Places, children, find, text
from content_packs.importers.media_files import kept
from content_packs.importers.tally import Tally
from content_packs.outline import path_of
from sync.errors import N_

PLAYER: Final = "cmi5"
NAME: Final = "cmi5.xml"
UNITS_MOST: Final = 5_000
_TITLE_MOST: Final = 200
_DEPTH_MOST: Final = 50
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?![a-z])")


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't a cmi5 package, is damaged, or none of its units lies in it.
    """
    tally = Tally()
    with open_archive(path) as archive:
        structure = find(archive, NAME)
        if not structure:
            raise PackError(N_("%(file)s bukan paket cmi5."), file=path.name)
        root = archive.xml(structure)
        course = next(children(root, "course"), None)
        package = _Package(archive, structure, tally)
        lessons = list(package.walk(root, "", 0))
        if not lessons:
            raise PackError(
                N_("%(file)s tidak berisi materi cmi5 yang dapat dibuka tanpa internet."), file=path.name
            )
        package.files.update(kept(package.files))
    title = "" if course is None else _said(course, "title")
    return Draft(
        (title or title_of(path))[:_TITLE_MOST],
        lessons,
        summary="" if course is None else _said(course, "description")[:1000],
        language=_language(course),
        report=tally.report(),
    )


def recognises(path: Path) -> bool:
    try:
        with open_archive(path) as archive:
            return bool(find(archive, NAME))
    except (PackError, OSError):
        return False


class _Package:
    def __init__(self, archive: Archive, structure: str, tally: Tally) -> None:
        self.files: dict[str, Callable[[], bytes]] = {
            name: archive.reader(name) for name in archive.names() if name != structure
        }
        self._archive = archive
        self._places = Places(archive)
        self._folder = posixpath.dirname(structure)
        self._tally = tally
        self._count = 0

    def walk(self, parent: Any, module: str, depth: int) -> Iterator[DraftLesson]:
        if depth > _DEPTH_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=self._archive.name)
        for element in parent:
            kind = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
            if kind == "block":
                yield from self.walk(element, module or _said(element, "title")[:_TITLE_MOST], depth + 1)
            elif kind == "au":
                self._count += 1
                if self._count > UNITS_MOST:
                    raise PackError(N_("%(file)s terlalu besar."), file=self._archive.name)
                lesson = self._unit(element)
                if lesson is not None:
                    lesson.module = module
                    yield lesson

    def _unit(self, element: Any) -> DraftLesson | None:
        title = (_said(element, "title") or element.get("id", "") or "?")[:_TITLE_MOST]
        address = text(element, "url")
        plain = MORE.split(address, maxsplit=1)[0]
        if "://" in plain or plain.startswith("/"):
            self._tally.leave_out(
                N_("Materi cmi5 yang hanya ada di internet dan tidak dibawa: %(count)s."), example=title
            )
            return None
        entry = self._places.path(self._folder, plain) + address[len(plain) :]
        if path_of(entry) not in self._archive or len(entry) > limits.ENTRY:
            self._tally.leave_out(
                N_("Materi yang berkasnya tidak ada dalam paket: %(count)s."), example=title
            )
            return None
        if element.get("masteryScore"):
            self._tally.leave_out(
                N_("Nilai lulus materi cmi5 (masteryScore), yang tidak dibawa: %(count)s."), example=title
            )
        if element.get("moveOn", "NotApplicable") not in ("NotApplicable", "CompletedOrPassed"):
            self._tally.leave_out(
                N_("Syarat selesai materi cmi5 (moveOn); di sini cukup selesai atau lulus: %(count)s."),
                example=title,
            )
        if text(element, "launchParameters") or text(element, "entitlementKey"):
            self._tally.leave_out(
                N_("Parameter peluncuran cmi5 yang tidak dibawa: %(count)s."), example=title
            )
        self._tally.take(N_("Materi cmi5 (AU), yang memerlukan pemutar: %(count)s."))
        return DraftLesson(title, activity=DraftActivity(PLAYER, entry, self.files))


def _said(element: Any, name: str) -> str:
    """A text in the first of its languages."""
    found = next(children(element, name), None)
    return "" if found is None else text(found, "langstring") or " ".join((found.text or "").split())


def _language(course: Any) -> str:
    titles = None if course is None else next(children(course, "title"), None)
    strings = [] if titles is None else list(children(titles, "langstring"))
    found = _LANGUAGE.match(strings[0].get("lang", "").lower()) if strings else None
    return found[0] if found else "id"
