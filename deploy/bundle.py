"""`python -m deploy.bundle`: everything that installing Lontar takes, in one zip for a stick.

Wheels of Lontar and of all that the village's and the officer's laptop need, for this machine or for others
(`--platform win_amd64 --python 311`, both may be repeated), pip as a wheel, `pasang.py` and what it runs, checksums. Uses
`pip wheel` and `pip download`; runs nothing of what it downloads for others, so those are complete but untried.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from deploy import locks
from sync import __version__

ROOT: Final = Path(__file__).parent.parent
EXTRAS: Final = ("node", "courier")
_SOURCE: Final = ("sync", "content_packs", "web", "node", "hub", "courier")
_SOURCE_FILES: Final = ("setup.cfg", "pyproject.toml", "lontar.py", "README.md", "LICENSE")
_TRAVELS: Final = ("pasang.py", "slim.py", "periksa.py")
_GLIBC: Final = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_31", "manylinux_2_34")
"""As of Debian 12 and Raspberry Pi OS of the same age (glibc 2.36)."""
HOST: Final = sysconfig.get_platform().replace("-", "_").replace(".", "_")


def main() -> None:
    options = _options()
    platforms, pythons = options.platform or [HOST], options.python or [_digits(sys.version_info[:2])]
    name = f"lontar-{__version__}-{'-'.join(platforms)}"
    if options.python:
        name += f"-py{'-'.join(pythons)}"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, name)
        fill(place, platforms, pythons)
        options.out.mkdir(parents=True, exist_ok=True)
        target = options.out / f"{name}.zip"
        pack(place, target)
        if options.folder:
            shutil.rmtree(options.out / name, ignore_errors=True)
            shutil.copytree(place, options.out / name)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def fill(place: Path, platforms: list[str], pythons: list[str]) -> None:
    """Make the folder of a bundle."""
    wheels = place / "wheels"
    wheels.mkdir(parents=True)
    lontar = build_wheel(wheels)
    # The versions of the release, whatever is newest today.
    held = place.parent / "constraints.txt"
    held.write_text(locks.constraints(*EXTRAS), encoding="utf-8")
    for platform in platforms:
        for python in pythons:
            _gather(wheels, lontar, platform, python, held)
    dotted = [f"{python[0]}.{python[1:]}" for python in pythons]
    facts = {"version": __version__, "platforms": " ".join(platforms), "pythons": " ".join(dotted)}
    (place / "paket.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    for name in _TRAVELS:
        shutil.copyfile(ROOT / "deploy" / name, place / name)
    shutil.copyfile(ROOT / "LICENSE", place / "LICENSE")
    for source in sorted((ROOT / "deploy" / "bundle_files").iterdir()):
        text = source.read_text(encoding="utf-8")
        for word, meant in _words(facts).items():
            text = text.replace(f"@{word}@", meant)
        line = "\n" if source.suffix == ".sh" else "\r\n"
        (place / source.name).write_text(text, encoding="utf-8", newline=line)
    (place / "SHA256SUMS").write_text("".join(_sums(place)), encoding="utf-8", newline="\n")


def build_wheel(wheels: Path) -> Path:
    """Lontar's own wheel, of the files that belong to the project and nothing that lies about."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *_SOURCE, *_SOURCE_FILES],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
            if (ROOT / name).is_file():
                Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(folder, name))
        _pip("wheel", "--no-deps", "--wheel-dir", str(wheels), folder)
    return next(wheels.glob("lontar-*.whl"))


def pack(place: Path, target: Path) -> None:
    """One zip; wheels are stored as they are, because they are compressed already."""
    started = target.with_suffix(".baru")
    with zipfile.ZipFile(started, "w") as archive:
        for path in _files(place):
            kind = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            archive.write(path, path.relative_to(place.parent), kind)
    started.replace(target)


def lacking(wheels: Path, platform: str, python: str) -> set[str]:
    """What the wheels there require on such a machine and isn't among them.

    pip looks for the requirements of the machine that it runs on; those of Windows it would forget.
    """
    machine = _environment(platform, python)
    present, needed = set(), set()
    for path in wheels.glob("*.whl"):
        present.add(parse_wheel_filename(path.name)[0])
        extras = EXTRAS if path.name.startswith("lontar-") else ("",)
        for requirement in _requirements(path):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({**machine, "extra": extra}) for extra in extras):
                needed.add(requirement)
    return {str(one).split(";")[0].strip() for one in needed if canonicalize_name(one.name) not in present}


def _gather(wheels: Path, lontar: Path, platform: str, python: str, held: Path) -> None:
    wanted = ["--constraint", str(held), f"{lontar}[{','.join(EXTRAS)}]", "pip"]
    if platform == HOST and python == _digits(sys.version_info[:2]):
        _pip("wheel", "--wheel-dir", str(wheels), *wanted)
        return
    tags = [platform]
    if platform.startswith("linux_"):
        tags = [f"{glibc}_{platform.removeprefix('linux_')}" for glibc in _GLIBC]
    choice = [word for tag in tags for word in ("--platform", tag)]
    foreign = ["--only-binary=:all:", *choice, "--python-version", python, "--implementation", "cp"]
    while wanted:
        _pip("download", *foreign, "--dest", str(wheels), "--find-links", str(wheels), *wanted)
        lacks = sorted(lacking(wheels, platform, python))
        wanted = ["--constraint", str(held), *lacks] if lacks else []


def _environment(platform: str, python: str) -> dict[str, str]:
    windows = platform.startswith("win")
    version = f"{python[0]}.{python[1:]}"
    return {
        "implementation_name": "cpython",
        "os_name": "nt" if windows else "posix",
        "platform_machine": "AMD64" if windows else platform.removeprefix("linux_"),
        "platform_python_implementation": "CPython",
        "platform_system": "Windows" if windows else "Linux",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "win32" if windows else "linux",
    }


def _requirements(wheel: Path) -> Iterator[Requirement]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(
            name
            for name in archive.namelist()
            if name.endswith(".dist-info/METADATA") and name.count("/") == 1
        )
        headers = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    return map(Requirement, headers.get_all("Requires-Dist") or [])


def _words(facts: dict[str, str]) -> dict[str, str]:
    commands = " ".join(f"python{version}" for version in facts["pythons"].split())
    return {**{name.upper(): text for name, text in facts.items()}, "COMMANDS": commands}


def _sums(place: Path) -> Iterable[str]:
    for path in _files(place):
        yield f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(place).as_posix()}\n"


def _files(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file())


def _pip(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", *words], check=True)


def _digits(version: Iterable[int]) -> str:
    return "".join(map(str, version))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy.bundle", description=__doc__)
    parser.add_argument("--platform", action="append", help="win_amd64, linux_aarch64, … (this machine)")
    parser.add_argument("--python", action="append", help="311, 313, … (this one)")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--folder", action="store_true", help="leave the folder beside the zip")
    return parser.parse_args()


if __name__ == "__main__":
    main()
