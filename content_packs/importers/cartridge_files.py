"""The files of a Common Cartridge as its pages and tests name them, and which of them lessons use.

Nothing is looked for outside of the archive. Source: IMS Common Cartridge 1.3, `$IMS-CC-FILEBASE$`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote

from content_packs.importers import ims_manifest
from content_packs.importers.archive import Archive
from content_packs.importers.media_files import Media, SourceFile, shown
from content_packs.importers.relink import beside, relinked
from content_packs.importers.tally import Tally

_BASE: Final = "$IMS-CC-FILEBASE$"
_FOLDERS: Final = ("", "web_resources")
"""Where makers let that base be: in the cartridge itself, or in its folder of web files."""


class CartridgeFiles:
    """Relinks HTML of a cartridge. `named` are the files that lessons are made of, show or link to."""

    def __init__(self, archive: Archive, tally: Tally) -> None:
        self.media = Media(tally)
        self.named: set[str] = set()
        self._archive = archive
        self._tally = tally
        self._root = posixpath.dirname(ims_manifest.find(archive))

    def html(self, path: str) -> Callable[[str], str]:
        """What relinks HTML that stands in the file at `path`."""
        return lambda html: relinked(
            html, lambda address: self._found(path, address), self.media, self._tally
        )

    def shown(self, path: str, addresses: Iterable[str], said_of: str = "") -> str:
        """HTML that shows the files which the file at `path` names."""
        found = (self._found(path, address) for address in addresses)
        return shown(self.media, filter(None, found), said_of)

    def shown_alone(self, name: str, said_of: str) -> str:
        return shown(self.media, [self._source(name)], said_of)

    def _found(self, path: str, address: str) -> SourceFile | None:
        plain = unquote(address)
        if not plain.startswith(_BASE):
            name = beside(path, address)
            return self._source(name) if name else None
        below = re.split(r"[?#]", plain.removeprefix(_BASE).lstrip("/"), maxsplit=1)[0]
        names = [posixpath.normpath(posixpath.join(self._root, folder, below)) for folder in _FOLDERS]
        return self._source(next((name for name in names if name in self._archive), names[0]))

    def _source(self, name: str) -> SourceFile:
        self.named.add(name)
        return SourceFile(name, name, self._archive.reader(name) if name in self._archive else None)
