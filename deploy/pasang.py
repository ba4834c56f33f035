"""`python3 pasang.py`: installs Lontar from the wheels beside it. No internet, no pip on the laptop, no administrator.

A new version is made complete beside the old one, tried, and only then takes its place: whoever pulls the plug in
between has the old one, and runs this again. Nothing outside the chosen folder changes but what `lontar node install` says.
Standard library only; written so that a Python that is too old can still read the sentence that says so.
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
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
WINDOWS = os.name == "nt"
COMPLETE = "LENGKAP"
"""Stands in a version's folder from the moment when everything in it works."""
NEEDED_MB = 250
EXTRAS = "node,courier"


class RefusalError(Exception):
    """One sentence that says what is wrong and what to do; nothing was changed."""


def main(words: list[str] | None = None) -> int:
    options = _options(words)
    try:
        facts = check_python(HERE)
        digest = check_files(HERE)
        place = Path(options.to).expanduser().absolute() / f"{facts['version']}-{digest[:8]}"
        install(place, facts["version"])
        return _start(place, options)
    except RefusalError as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as problem:
        print(f"Pemasangan terhenti pada: {problem.cmd[-1]}. Jalankan lagi.", file=sys.stderr)
        return 1


def check_python(place: Path) -> dict[str, str]:
    """What this bundle is, if it is for this Python and this system.

    Raises:
        RefusalError: it isn't.
    """
    facts: dict[str, str] = json.loads((place / "paket.json").read_text(encoding="utf-8"))
    found = "{}.{}".format(*sys.version_info[:2])
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what says so
        raise RefusalError(
            f"Python di laptop ini versi {found}. Lontar memerlukan Python 3.11 atau lebih baru; pasang dahulu."
        )
    if found not in facts["pythons"].split():
        raise RefusalError(
            f"Paket ini untuk Python {facts['pythons']}, sedangkan di laptop ini {found}. Minta paket yang sesuai."
        )
    here = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if here not in facts["platforms"].split():
        raise RefusalError(
            f"Paket ini untuk {facts['platforms']}, sedangkan laptop ini {here}. Minta paket yang sesuai."
        )
    return facts


def check_files(here: Path) -> str:
    """Compare every file with its checksum; the hash of the list is the name of the bundle.

    Raises:
        RefusalError: one is damaged or missing, as happens on worn sticks.
    """
    print("1/5 Memeriksa berkas …")
    sums = (here / "SHA256SUMS").read_bytes()
    for line in sums.decode("utf-8").splitlines():
        expected, name = line.split("  ", 1)
        try:
            found = hashlib.sha256((here / name).read_bytes()).hexdigest()
        except OSError:
            found = ""
        if found != expected:
            raise RefusalError(
                f"Berkas {name} rusak atau hilang. Salin lagi paket Lontar ini, lalu ulangi."
            )
    return hashlib.sha256(sums).hexdigest()


def install(place: Path, version: str) -> None:
    """Let there be a complete version at `place`; what was begun and not ended is begun anew.

    Raises:
        RefusalError: no room, or the folder can't be written.
    """
    if (place / COMPLETE).is_file():
        print(f"Lontar {version} sudah terpasang di {place}.")
        return
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        free = shutil.disk_usage(place).free // 1_000_000
    except OSError as problem:
        raise RefusalError(f"Folder {place} tidak dapat ditulis: {problem.strerror}.") from problem
    if free < NEEDED_MB:
        shutil.rmtree(place)
        raise RefusalError(
            f"Ruang kosong hanya {free} MB; diperlukan {NEEDED_MB} MB. Kosongkan, lalu ulangi."
        )
    print("2/5 Menyalin Lontar …")
    venv.EnvBuilder(symlinks=not WINDOWS, with_pip=False).create(place)
    python = python_of(place)
    _pip(python, f"lontar[{EXTRAS}]=={version}")
    print("3/5 Membuang yang tidak diperlukan …")
    _run(python, HERE / "slim.py", _packages(place))
    print("4/5 Mencoba …")
    _run(python, HERE / "periksa.py")
    (place / COMPLETE).write_text(version + "\n", encoding="ascii")


def python_of(place: Path) -> Path:
    return place / ("Scripts/python.exe" if WINDOWS else "bin/python")


def _start(place: Path, options: argparse.Namespace) -> int:
    print("5/5 Menjalankan …")
    _link(place, options.system)
    python = python_of(place)
    data = ["--data", options.data] if options.data else []
    if options.no_start:
        hint = " ".join(["lontar", "node", "serve", *data])
        print(f"Terpasang di {place}. Jalankan dengan: {hint}")
        return 0
    more = ["--system"] if options.system else []
    more += ["--user", options.user] if options.user else []
    done = subprocess.run([python, "-m", "lontar", "node", "install", *data, *more], check=False)
    if done.returncode == 0:
        _forget_others(place)
    return done.returncode


def _link(place: Path, system: bool) -> None:
    """Let `lontar` be a command, if there is a place for it."""
    if WINDOWS:
        text = f'@"{python_of(place)}" -m lontar %*\r\n'
        (place.parent / "lontar.cmd").write_bytes(b"@chcp 65001 >nul\r\n" + text.encode("utf-8"))
        return
    folder = Path("/usr/local/bin") if system else Path.home() / ".local" / "bin"
    link = folder / "lontar"
    if link.exists() and not link.is_symlink():
        return
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / "lontar.baru"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(place / "bin" / "lontar")
    fresh.replace(link)


def _forget_others(place: Path) -> None:
    """Earlier versions, complete or not, now that this one starts instead; what Windows still holds goes next time."""
    for other in place.parent.iterdir():
        if other != place and (other / "pyvenv.cfg").is_file():
            shutil.rmtree(other, ignore_errors=True)


def _pip(python: Path, *wanted: str) -> None:
    """Run the pip that came along as a wheel, with no configuration of the laptop and no network."""
    wheels = HERE / "wheels"
    pip = next(wheels.glob("pip-*.whl"))
    quiet = ["--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-compile", "--isolated"]
    found = ["--no-index", "--find-links", wheels]
    _run(python, pip / "pip", "install", *quiet, *found, *wanted)


def _packages(place: Path) -> Path:
    return next(place.glob("Lib/site-packages" if WINDOWS else "lib/python*/site-packages"))


def _run(*command: object) -> None:
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    env = {**clean, "PYTHONUTF8": "1", "PIP_CONFIG_FILE": os.devnull}
    subprocess.run([str(word) for word in command], check=True, env=env, stdout=subprocess.DEVNULL)


def _options(words: list[str] | None) -> argparse.Namespace:
    home = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    usual = home / "Programs" / "Lontar" if WINDOWS else Path.home() / ".local" / "lib" / "lontar"
    parser = argparse.ArgumentParser(prog="pasang.py", description="Memasang Lontar tanpa internet.")
    parser.add_argument("--to", help=f"folder program (biasanya {usual}; dengan --system /opt/lontar-desa)")
    parser.add_argument("--data", help="folder data desa, bila bukan tempat yang biasa")
    parser.add_argument("--system", action="store_true", help="untuk seluruh laptop, sejak dinyalakan")
    parser.add_argument("--user", help="dengan --system di Linux: akun yang menjalankan Lontar")
    parser.add_argument("--no-start", action="store_true", help="pasang saja; jangan jalankan sendiri")
    options = parser.parse_args(words)
    options.to = options.to or (Path("/opt/lontar-desa") if options.system and not WINDOWS else usual)
    return options


if __name__ == "__main__":
    sys.exit(main())
