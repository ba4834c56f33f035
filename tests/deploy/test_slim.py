"""What is cut from an installed Lontar, and that a library without its tail still loads."""

from __future__ import annotations

import _ctypes
import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import slim


def written(place: Path, *names: str) -> None:
    for name in names:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("nilai = 7\n" if path.suffix == ".py" else "isi", encoding="utf-8")


def test_languages_that_screens_speak_stay_and_others_go(tmp_path: Path) -> None:
    dates = "babel/locale-data"
    written(tmp_path, f"{dates}/root.dat", f"{dates}/id.dat", f"{dates}/jv_ID.dat", f"{dates}/zu.dat")
    written(tmp_path, f"{dates}/min.dat", "web/translations/min/LC_MESSAGES/lontar.mo")

    cut = slim.slim(tmp_path)

    left = {path.name for path in (tmp_path / dates).iterdir()}
    assert left == {"root.dat", "id.dat", "jv_ID.dat", "min.dat"}
    assert cut == {"babel/locale-data/*.dat": len("isi")}


def test_licences_and_versions_stay_and_pip_goes(tmp_path: Path) -> None:
    kept = ["flask-3.dist-info/METADATA", "flask-3.dist-info/licenses/LICENSE.txt", "flask/app.py"]
    written(tmp_path, *kept, "flask-3.dist-info/RECORD", "pip/__main__.py", "pip-26.dist-info/METADATA")

    slim.slim(tmp_path)

    assert sorted(
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    ) == (sorted(kept))


def test_zones_of_indonesia_stay(tmp_path: Path) -> None:
    zones = "pytz/zoneinfo"
    kept = [f"{zones}/Asia/Jakarta", f"{zones}/Asia/Makassar", f"{zones}/Asia/Jayapura", f"{zones}/UTC"]
    written(tmp_path, *kept, f"{zones}/Asia/Tokyo", f"{zones}/Europe/Oslo")

    slim.slim(tmp_path)

    assert sorted(path.as_posix() for path in tmp_path.rglob("*") if path.is_file()) == (
        sorted(str(tmp_path / name) for name in kept)
    )


def test_a_package_in_the_archive_is_found_with_its_source(tmp_path: Path) -> None:
    written(tmp_path, "rich/__init__.py", "rich/deep/__init__.py", "rich/deep/leaf.py")

    slim.slim(tmp_path)

    assert not (tmp_path / "rich").exists()
    code = (
        f"import site; site.addsitedir({str(tmp_path)!r})\n"
        "import rich.deep.leaf as leaf, inspect\n"
        "print(leaf.nilai, leaf.__cached__ or leaf.__file__, inspect.getsource(leaf))"
    )
    said = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith("7 ") and "leaf.pyc" in said and "nilai = 7" in said


def test_a_second_run_finds_nothing(tmp_path: Path) -> None:
    written(tmp_path, "rich/__init__.py", "pygments/lexer.py", "babel/locale-data/zu.dat")
    slim.slim(tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*"))

    assert slim.slim(tmp_path) == {}
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.skipif(sys.platform != "linux", reason="ELF")
def test_a_library_without_its_tail_still_loads(tmp_path: Path) -> None:
    library = tmp_path / "pustaka.so"
    shutil.copyfile(Path(_ctypes.__file__), library)
    with library.open("ab") as file:
        file.write(b"names for debuggers" * 4096)

    saved = slim.shorten(library)

    assert saved >= len(b"names for debuggers") * 4096
    assert ctypes.PyDLL(str(library)).PyInit__ctypes
    assert slim.shorten(library) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x7fELF",
        b"\x7fELF\x02\x01" + bytes(58),
        b"\x7fELF\x02\x01" + b"\xff" * 9000,
        b"MZ" + bytes(9000),
    ],
)
def test_what_is_no_library_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bukan.so"
    path.write_bytes(content)

    assert slim.shorten(path) == 0
    assert path.read_bytes() == content


def test_every_cut_says_why() -> None:
    assert all(cut.why for cut in slim.CUTS)
    assert len({cut.what for cut in slim.CUTS}) == len(slim.CUTS)
