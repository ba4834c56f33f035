"""The players of SCORM and H5P as a pack: made from exact versions in the npm registry, signed like every other pack.

Nothing of others is in our repository; `package-lock.json` names each archive by its hash. A node that has this pack plays the
lessons that need it, and never shows it to learners.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from content_packs.build import BuiltPack, build_pack
from content_packs.errors import PackError
from content_packs.outline import LIBRARY
from sync.errors import N_
from sync.keys import SigningKey

COURSE_ID: Final = "lontar-pemutar"
FOLDER: Final = "pemutar"
VERSION: Final = 1
"""To be raised with every change of the locked versions or of what is taken from them."""

_HERE: Final = Path(__file__).parent
_LOCKED: Final = ("package.json", "package-lock.json")
_TAKEN: Final = {
    "scorm-again": ("dist/scorm12.min.js", "dist/scorm2004.min.js", "LICENSE"),
    "h5p-standalone": (
        "dist/main.bundle.js",
        "dist/frame.bundle.js",
        "dist/styles/**/*",
        "dist/fonts/**/*",
        "dist/images/**/*",
        "LICENSE",
    ),
}
_NPM_MOST_S: Final = 300
_NPM_ERROR: Final = re.compile(r"^npm (?:ERR!|error) (.*)$", re.MULTILINE)


def build_players(key: SigningKey) -> BuiltPack:
    """Fetch the locked versions with npm and build the pack of players.

    Raises:
        PackError: npm isn't installed, or couldn't fetch them.
    """
    with tempfile.TemporaryDirectory(prefix="lontar-pemutar-") as name:
        work, course = Path(name) / "npm", Path(name) / "course"
        _fetch(work)
        _write(course, work / "node_modules")
        return build_pack(course, key)


def _fetch(work: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise PackError(N_("npm tidak ada di komputer ini. Pasang Node.js (npm) dulu, lalu ulangi."))
    work.mkdir()
    for name in _LOCKED:
        shutil.copy(_HERE / name, work / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=_NPM_MOST_S)
    except subprocess.TimeoutExpired as problem:
        raise PackError(N_("npm tidak menjawab. Periksa jaringan, lalu ulangi.")) from problem
    if done.returncode:
        raise PackError(N_("npm tidak dapat mengambil pemutar: %(problem)s"), problem=_told(done.stderr))


def _told(errors: str) -> str:
    """The beginning of what npm said; its last lines only name a log file."""
    lines = [match[1].strip() for match in _NPM_ERROR.finditer(errors)]
    return ("; ".join(line for line in lines if line) or errors.strip())[:300]


def _write(course: Path, modules: Path) -> None:
    """A course folder with one page about the players, and the players."""
    (course / FOLDER).mkdir(parents=True)
    lines = []
    for package, patterns in _TAKEN.items():
        for source in _files(modules / package, patterns):
            inside = source.relative_to(modules / package).as_posix().removeprefix("dist/")
            target = course / FOLDER / package / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        about = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
        lines.append(
            f"<li>{escape(package)} {escape(about['version'])} ({escape(about.get('license', '?'))})</li>"
        )
    (course / "course.toml").write_text(
        f'id = "{COURSE_ID}"\ntitle = "Pemutar SCORM dan H5P"\nversion = {VERSION}\ngeneral = true\n',
        encoding="utf-8",
    )
    head = f'id = "tentang"\ntitle = "Tentang pemutar"\nplayer = "{LIBRARY}"\nactivity = "{FOLDER}"\nentry = "scorm-again/LICENSE"\n'
    text = f"<p>Paket ini memutar bahan SCORM, cmi5 dan H5P. Isinya:</p>\n<ul>{''.join(lines)}</ul>\n"
    (course / "01-tentang.html").write_text(f"+++\n{head}+++\n{text}", encoding="utf-8")


def _files(package: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        found = sorted(path for path in package.glob(pattern) if path.is_file() and not path.is_symlink())
        if not found:
            raise PackError(
                N_("Paket npm %(package)s tidak berisi %(name)s; versinya lain dari yang dikunci."),
                package=package.name,
                name=pattern,
            )
        yield from found
