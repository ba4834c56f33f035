"""`python slim.py SITE-PACKAGES`: takes out of an installed Lontar what a village never runs.

Each cut has its reason here, and `periksa.py` proves afterwards that what is left works. Licences and the
names and versions of packages stay. Standard library only, any system; a second run finds nothing left to cut.
Not for a developer's environment: pip goes too, and an update is a fresh installation.
"""

from __future__ import annotations

import py_compile
import shutil
import struct
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Cut:
    """Files and folders by pattern, except some of them, and why nobody misses them."""

    what: str
    why: str
    but: tuple[str, ...] = ()


_ZONES: Final = ("Asia", "Etc", "UTC", "GMT", "__init__.py")
_INDONESIA: Final = ("Jakarta", "Pontianak", "Makassar", "Ujung_Pandang", "Jayapura", "__init__.py")
_LOCALES: Final = (
    "root.dat",
    "id*.dat",
    "en.dat",
    "en_001.dat",
    "en_US.dat",
    "en_GB.dat",
    "jv*.dat",
    "su*.dat",
)

_PICTURES: Final = ("Bmp*", "Gif*", "Jpeg*", "Mpo*", "Png*", "Ppm*", "Tiff*", "WebP*")

CUTS: Final = (
    Cut("**/__pycache__", "what was compiled while installing; periksa.py writes what really runs"),
    Cut("babel/locale-data/*.dat", "dates and numbers of languages that no screen speaks", _LOCALES),
    Cut("babel/messages", "gathers texts while programming"),
    Cut("zstandard/_cffi*", "the way in for PyPy; CPython uses backend_c"),
    Cut("zstandard/backend_cffi.py", "the way in for PyPy"),
    Cut("pip", "installs; an update brings its own"),
    Cut("pip-*.dist-info", "goes with pip"),
    Cut("setuptools", "builds packages"),
    Cut("setuptools-*.dist-info", "goes with setuptools"),
    Cut("pkg_resources", "goes with setuptools"),
    Cut("_distutils_hack", "goes with setuptools"),
    Cut("distutils-precedence.pth", "goes with setuptools; every start would look for it in vain"),
    Cut("pygments", "colours source code; rich asks for it only then"),
    Cut("pycparser", "cffi reads C with it while building"),
    Cut("cffi", "builds bindings; running them takes _cffi_backend alone"),
    Cut("fontTools/cu2qu", "curves of other font formats; fpdf2 embeds TrueType"),
    Cut("fontTools/qu2cu", "curves of other font formats"),
    Cut("fontTools/feaLib/lexer*", "reads feature files of font designers"),
    Cut("fontTools/feaLib/parser.py", "reads feature files of font designers"),
    Cut("fontTools/feaLib/builder.py", "reads feature files of font designers"),
    Cut("fontTools/ufoLib", "sources of fonts"),
    Cut("fontTools/voltLib", "sources of fonts"),
    Cut("fontTools/mtiLib", "sources of fonts"),
    Cut("fontTools/t1Lib", "fonts of another age"),
    Cut("fontTools/merge", "joins fonts"),
    Cut("fontTools/diff", "compares fonts"),
    Cut("fontTools/pens/momentsPen*", "measures shapes"),
    Cut("fontTools/**/*.so", "the same as the Python beside it, faster; a certificate has three fonts"),
    Cut("fontTools/**/*.pyd", "the same as the Python beside it, faster"),
    Cut("fontTools/varLib/interpolat*", "designs variable fonts"),
    Cut("fontTools/varLib/avar", "designs variable fonts"),
    Cut("PIL/_avif*", "AVIF pictures: no browser of 2020 shows them, so no lesson has them"),
    Cut("pillow.libs/libavif*", "goes with _avif"),
    Cut("PIL/_imagingft*", "writes letters into pictures; pages and PDFs have their own"),
    Cut("pillow.libs/libfreetype*", "goes with _imagingft"),
    Cut("pillow.libs/libharfbuzz*", "goes with _imagingft"),
    Cut("pillow.libs/libpng*", "goes with _imagingft; PNG is read without it"),
    Cut("pillow.libs/libbrotli*", "goes with _imagingft"),
    Cut(
        "PIL/*ImagePlugin.py", "pictures that nobody takes or draws, and so much less to attack", _PICTURES
    ),
    Cut("PIL/_imagingtk*", "windows of another toolkit"),
    Cut("zeroconf/**/*.so", "the same as the Python beside it, faster; a village has two laptops"),
    Cut("zeroconf/**/*.pyd", "the same as the Python beside it, faster"),
    Cut("wtforms/locale/*", "languages that no screen speaks", ("id*", "en*")),
    Cut("web/translations/*/LC_MESSAGES/*.po", "for translators; the compiled .mo stays"),
    Cut("pytz/zoneinfo/*", "places outside Indonesia", (*_ZONES, "zone*.tab", "iso3166.tab")),
    Cut("pytz/zoneinfo/Asia/*", "places outside Indonesia", _INDONESIA),
    Cut(
        "tzdata/zoneinfo/*", "places outside Indonesia", (*_ZONES, "tzdata.zi", "zone*.tab", "iso3166.tab")
    ),
    Cut("tzdata/zoneinfo/Asia/*", "places outside Indonesia", _INDONESIA),
    Cut("**/*.pyi", "for programmers"),
    Cut("**/*.pyx", "sources of what is compiled"),
    Cut("**/*.pxd", "sources of what is compiled"),
    Cut("**/*.c", "sources of what is compiled"),
    Cut("**/*.h", "sources of what is compiled"),
    Cut("*.dist-info/sboms", "lists of parts for scanners; licences stay"),
    Cut(
        "*.dist-info/RECORD",
        "tells pip what to uninstall; pip is gone, and uninstalling is deleting the folder",
    ),
)

ZIPPED: Final = (
    "click",
    "dateutil",
    "et_xmlfile",
    "fontTools",
    "itsdangerous",
    "markdown_it",
    "mdurl",
    "openpyxl",
    "pluggy",
    "rich",
    "segno",
    "sqlite_fts4",
    "sqlite_utils",
    "tabulate",
    "urllib3",
    "waitress",
)
"""Packages of many small files and nothing but Python: in one archive they take a third of the room."""
_ARCHIVE: Final = "pustaka.zip"


def slim(place: Path) -> dict[str, int]:
    """Cut; the bytes that each cut took out, by what was cut."""
    cut: dict[str, int] = {}
    spoken = tuple(
        f"{path.name}*.dat" for path in (place / "web" / "translations").glob("*") if path.is_dir()
    )
    for rule in CUTS:
        but = rule.but + spoken if "locale-data" in rule.what else rule.but
        for path in sorted(place.glob(rule.what)):
            if not any(path.match(pattern) for pattern in but):
                cut[rule.what] = cut.get(rule.what, 0) + _removed(path)
    for path in sorted(place.glob("**/*.so*")):
        if path.is_file() and not path.is_symlink():
            cut["*.so"] = cut.get("*.so", 0) + shorten(path)
    cut[_ARCHIVE] = zip_up(place)
    return {what: size for what, size in cut.items() if size}


def shorten(path: Path) -> int:
    """Take the tail off a library that is never loaded: names and line numbers for debuggers. The bytes saved.

    A loader follows the program headers alone (ELF specification, part 2), so all that lies behind the last
    segment can go without `strip`, which no village has, and for foreign processors too.
    """
    whole = path.read_bytes()
    end = _end_of_segments(whole)
    if end is None or len(whole) - end < 4096:
        return 0
    kept = bytearray(whole[:end])
    struct.pack_into("<Q", kept, 40, 0)  # where the table of sections would be
    struct.pack_into("<HH", kept, 60, 0, 0)  # how many there are, which one names them
    short = path.with_name(path.name + ".pendek")
    short.write_bytes(kept)
    shutil.copymode(path, short)
    short.replace(path)
    return len(whole) - end


def zip_up(place: Path) -> int:
    """Move the packages of `ZIPPED` into one archive, source and compiled, where Python finds them. The bytes saved."""
    folders = [place / name for name in ZIPPED if (place / name).is_dir()]
    if not folders:
        return 0
    before = size_of(place)
    started = place / (_ARCHIVE + ".baru")
    with zipfile.ZipFile(started, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(file for folder in folders for file in _files(folder)):
            name = path.relative_to(place).as_posix()
            archive.write(path, name)
            if path.suffix == ".py":
                # Not by date: the archive's have no time zone, and a laptop's clock may be wrong.
                code = py_compile.compile(
                    str(path),
                    str(started.with_suffix(".pyc")),
                    name,
                    True,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                )
                archive.write(str(code), name + "c")
    started.with_suffix(".pyc").unlink(missing_ok=True)
    started.replace(place / _ARCHIVE)
    (place / "pustaka.pth").write_text(_ARCHIVE + "\n", encoding="ascii")
    for folder in folders:
        shutil.rmtree(folder)
    return before - size_of(place)


def size_of(place: Path) -> int:
    """The bytes of all files below."""
    return sum(path.lstat().st_size for path in _files(place))


def _end_of_segments(whole: bytes) -> int | None:
    """Where the last segment of a little-endian ELF file of 64 bits ends; None for anything else."""
    if len(whole) < 64 or whole[:6] != b"\x7fELF\x02\x01":
        return None
    (table,) = struct.unpack_from("<Q", whole, 32)
    width, count = struct.unpack_from("<HH", whole, 54)
    end = table + width * count
    if width < 56 or not count or end > len(whole):
        return None
    for at in range(table, end, width):
        offset, _virtual, _physical, size = struct.unpack_from("<4Q", whole, at + 8)
        end = max(end, offset + size)
    return end if end <= len(whole) else None


def _removed(path: Path) -> int:
    size = path.lstat().st_size if not path.is_dir() else size_of(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    return size


def _files(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_symlink() or path.is_file())


if __name__ == "__main__":
    for what, size in sorted(slim(Path(sys.argv[1])).items(), key=lambda line: -line[1]):
        print(f"{size / 1e6:6.2f} MB  {what}")
