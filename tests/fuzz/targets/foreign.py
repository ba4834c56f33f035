"""Material of other systems: every importer, and the archives it comes in.

An importer that reads an archive gets its files as the fuzzer changed them, packed here, so that checksums fit. What it
makes of them must keep what every draft promises, and go into a course folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

from content_packs.errors import PackError
from content_packs.importers import (
    aiken,
    archive,
    common_cartridge,
    epub,
    folder,
    gift,
    h5p,
    media,
    moodle_backup,
    moodle_xml,
    pdf,
    qti,
    scorm,
)
from content_packs.importers import cmi5 as cmi5_importer

from ..target import target
from .material import of
from .seeds import folded, unfolded, zipped


def _imported(importer: ModuleType, name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz") as made:
        path = Path(made) / name
        path.write_bytes(content)
        importer.recognises(path)
        draft = of("foreign", "check")(importer.read(path))
        folder.write_folder(draft, Path(made) / "course")


def _single(name: str, importer: ModuleType, file: str, corpus: Callable[[], Iterable[bytes]]) -> None:
    @target(name, corpus, PackError)
    def run(data: bytes) -> None:
        _imported(importer, file, data)


def _packed(name: str, importer: ModuleType, file: str, corpus: Callable[[], Iterable[bytes]]) -> None:
    @target(name, corpus, PackError)
    def run(data: bytes) -> None:
        _imported(importer, file, zipped(unfolded(data)))


def _pdfs() -> list[bytes]:
    pdf_of = of("test_pdf", "pdf_of")
    return [pdf_of(["Satu\nbaris", "Dua"], [(1, "Bab", 0), (2, "Isi", 1)], "Judul", "id"), pdf_of(["A"])]


def _films() -> list[bytes]:
    return [of("test_media", "mp4")(), *(of("test_media", name) for name in ("WEBM", "OGG", "WAV"))]


def _h5p() -> list[bytes]:
    h5p_of, more = of("test_activities", "h5p_of"), "test_activities_more"
    return [
        folded(h5p_of("H5P.TrueFalse", of("test_activities", "TRUE_FALSE"))),
        folded(h5p_of("H5P.MultiChoice", of("test_activities", "CHOICE"))),
        folded(h5p_of("H5P.Blanks", of(more, "BLANKS"))),
    ]


_single("import-gift", gift, "bank.gift", lambda: [of("test_gift", "ALL").encode()])
_single("import-aiken", aiken, "bank.txt", lambda: [of("test_aiken", "BANK").encode()])
_single("import-moodle-xml", moodle_xml, "bank.xml", lambda: [of("test_moodle_xml", "ALL")])
_single("import-pdf", pdf, "buku.pdf", _pdfs)
_single("import-media", media, "film.mp4", _films)
_packed("import-epub", epub, "buku.epub", lambda: [folded(of("test_epub", "BOOK"))])
_packed("import-scorm", scorm, "paket.zip", lambda: [folded(of("test_activities", "SCORM"))])
_packed("import-cmi5", cmi5_importer, "paket.zip", lambda: [folded(of("test_activities", "CMI5"))])
_packed("import-h5p", h5p, "paket.h5p", _h5p)
_packed("import-qti", qti, "paket.zip", lambda: [folded(of("test_ims", "package")(of("test_ims", "ALL")))])
_packed("import-cartridge", common_cartridge, "paket.imscc", lambda: [folded(of("test_ims", "CARTRIDGE"))])
_packed(
    "import-moodle-backup",
    moodle_backup,
    "kursus.mbz",
    lambda: [folded(of("test_moodle_backup", name)) for name in ("WHOLE", "OLD")],
)


def _archives() -> list[bytes]:
    files = of("test_archive", "FILES")
    return [made(files) for made in of("test_archive", "ALL").values()]


@target("archive", _archives, PackError)
def read_archive(data: bytes) -> None:
    """Raw bytes: zip and tar.gz with whatever stands in their heads."""
    with tempfile.TemporaryDirectory(prefix="fuzz") as made:
        path = Path(made) / "a.zip"
        path.write_bytes(data)
        with archive.open_archive(path) as opened:
            for name in opened.names():
                assert archive.safe_path(name) == name
                opened.read(name)
