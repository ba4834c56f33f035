"""`python -m deploy.deb`: dist/lontar-node_<version>_<architecture>.deb, with a ready virtual environment in /opt/lontar.

For the Debian whose `/usr/bin/python3` builds it: the environment belongs to that Python's version. Installs without
internet. Made of the same wheels, cuts and trial as the bundle, with dpkg-deb alone.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from deploy import bundle, slim
from node import autostart
from sync import __version__

ROOT: Final = bundle.ROOT
_FILES: Final = ROOT / "deploy" / "debian"
_HOME: Final = "/opt/lontar"
_PYTHON: Final = "/usr/bin/python3"
_SCRIPTS: Final = ("postinst", "prerm", "postrm")
_COMPILE: Final = """
import py_compile, sys, pathlib
place, home = pathlib.Path(sys.argv[1]), sys.argv[2]
for old in place.rglob("__pycache__/*.pyc"):
    source = old.parent.parent / (old.name.split(".")[0] + ".py")
    py_compile.compile(str(source), dfile=f"{home}/{source.relative_to(place)}", doraise=True,
                       invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""
"""Compiled again without dates, because a package may carry others, and with the path where it will lie."""
_INSTALL: Final = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import pasang
pasang.install(pathlib.Path(sys.argv[2]), sys.argv[3])
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.deb", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    out = parser.parse_args().out
    architecture = _said("dpkg", "--print-architecture")
    version = _said(_PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    with tempfile.TemporaryDirectory() as folder:
        wheels, stage = Path(folder, "bundle"), Path(folder, "stage")
        bundle.fill(wheels, [bundle.HOST], [version.replace(".", "")])
        fill(stage, wheels)
        control(stage, architecture, version)
        out.mkdir(parents=True, exist_ok=True)
        target = out / f"lontar-node_{__version__}_{architecture}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", stage, target], check=True)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def fill(stage: Path, wheels: Path) -> None:
    """Put everything where it will lie."""
    home = stage / _HOME[1:]
    subprocess.run([_PYTHON, "-c", _INSTALL, wheels, home, __version__], check=True)
    settle(home)
    share = stage / "usr" / "share"
    icon = "icons/hicolor/scalable/apps/lontar.svg"
    unit = autostart.system_unit(
        (f"{_HOME}/bin/python", "-P", "-m", "lontar", "node", "serve", "--data", f"{autostart.KEPT}/desa"),
        f"{autostart.KEPT}/desa",
        autostart.Account("lontar"),
    )
    _write(stage / "usr/lib/systemd/system" / f"{autostart.SERVICE}.service", _ours(unit))
    entry = autostart.desktop_entry("http://localhost:8080/", f"/usr/share/{icon}")
    _write(share / "applications/lontar.desktop", _ours(entry))
    _write(share / icon, (ROOT / "web/static/logo.svg").read_text(encoding="utf-8"))
    _write(share / "doc/lontar-node/copyright", (_FILES / "copyright").read_text(encoding="utf-8"))
    _write(stage / "usr/bin/lontar", (_FILES / "lontar").read_text(encoding="utf-8"), 0o755)


def settle(home: Path) -> None:
    """Make the environment believe that it was made at `_HOME`, and leave out what only people at a shell use."""
    for path in (home / "bin").iterdir():
        if not path.name.startswith("python"):
            path.unlink()
    for spare in ("include", "share"):
        shutil.rmtree(home / spare, ignore_errors=True)
    (home / "LENGKAP").unlink()
    python = home / "bin" / "python"
    subprocess.run([python, "-c", _COMPILE, home, _HOME], check=True)
    config = f"home = /usr/bin\ninclude-system-site-packages = false\nexecutable = {_PYTHON}\n"
    (home / "pyvenv.cfg").write_text(config, encoding="ascii")


def control(stage: Path, architecture: str, python: str) -> None:
    place = stage / "DEBIAN"
    major, minor = python.split(".")
    meant = {
        "VERSION": __version__,
        "ARCHITECTURE": architecture,
        "SIZE": str(slim.size_of(stage) // 1024),
        "PYTHON": python,
        "NEXT": f"{major}.{int(minor) + 1}",
    }
    text = (_FILES / "control").read_text(encoding="utf-8")
    for word, value in meant.items():
        text = text.replace(f"@{word}@", value)
    _write(place / "control", text)
    for name in _SCRIPTS:
        _write(place / name, (_FILES / name).read_text(encoding="utf-8"), 0o755)


def _ours(text: str) -> str:
    return text.replace(autostart.MARK, "Bagian dari paket lontar-node")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    path.parent.chmod(0o755)


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
