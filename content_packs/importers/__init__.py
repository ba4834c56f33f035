"""Importers: one file a format, each from a foreign file to a `draft.Draft` with a report.

`importer_of` finds the one that recognises a file by its content, the most particular format first.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from content_packs.errors import PackError
from sync.errors import N_

FORMATS: Final = (
    "moodle_backup",
    "cmi5",
    "scorm",
    "common_cartridge",
    "qti",
    "h5p",
    "epub",
    "pdf",
    "moodle_xml",
    "media",
    "gift",
    "aiken",
)


def importer_of(path: Path, named: str = "") -> ModuleType:
    """The importer for a file: the one that is named, or the one that recognises it. Has `read(path) -> Draft`.

    Raises:
        PackError: nobody recognises it.
    """
    for name in (named,) if named else FORMATS:
        importer = import_module(f"{__name__}.{name}")
        if named or importer.recognises(path):
            return importer
    raise PackError(
        N_("%(file)s bukan bahan pelatihan yang dikenal. Yang dikenal: %(formats)s."),
        file=path.name,
        formats=", ".join(FORMATS),
    )
