"""`python -m deploy.locks`: pins what each kind of installation needs, with hashes, into `deploy/locks/`.

uv resolves for every system and Python at once, so one file serves Windows, Linux and all processors. What is pinned stays
until `--upgrade`. Without uv (extra `release`) reading the files still works: the bundle and the SBOM do.
"""

from __future__ import annotations

import argparse
import configparser
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / "deploy" / "locks"
EXTRAS: Final = ("node", "courier", "hub")
OLDEST_PYTHON: Final = "3.11"
_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^ ;\\]+)(?: *; *(?P<marker>[^\\]+))?"
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pinned:
    """One line of a lock; `hashes` are SHA-256 in hexadecimal, of every file that may be installed."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.locks", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    options = parser.parse_args()
    for extra in EXTRAS:
        lock(extra, options.upgrade)


def lock(extra: str, upgrade: bool = False) -> None:
    """Write the lock of an extra.

    Raises:
        subprocess.CalledProcessError: nothing fits together, or the registry can't be reached.
    """
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", "--universal", "--generate-hashes", "--no-annotate",
        "--python-version", OLDEST_PYTHON, "--custom-compile-command", "python -m deploy.locks",
        "--output-file", str(path_of(extra)),
    ]  # fmt: skip
    if upgrade:
        command.append("--upgrade")
    subprocess.run(command, input="\n".join(wanted(extra)), text=True, check=True, cwd=ROOT)


def wanted(extra: str) -> list[str]:
    """What setup.cfg asks for: of every installation, and of this one."""
    said = configparser.ConfigParser()
    said.read(ROOT / "setup.cfg", encoding="utf-8")
    always, more = said["options"]["install_requires"], said["options.extras_require"][extra]
    return sorted({line.strip() for line in f"{always}\n{more}".splitlines() if line.strip()})


def path_of(extra: str) -> Path:
    return FOLDER / f"{extra}.txt"


def read(extra: str) -> list[Pinned]:
    text = path_of(extra).read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if match := _LINE.match(line):
            marker = (match["marker"] or "").partition("--hash")[0].strip()
            found.append(Pinned(match["name"], match["version"], marker, tuple(_HASH.findall(line))))
    return found


def constraints(*extras: str) -> str:
    """The pinned versions without hashes, as a file of constraints for pip."""
    lines = {
        f"{one.name}=={one.version}" + (f" ; {one.marker}" if one.marker else "")
        for extra in extras
        for one in read(extra)
    }
    return "".join(f"{line}\n" for line in sorted(lines))


if __name__ == "__main__":
    main()
