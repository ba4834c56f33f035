"""`lontar node install` and `uninstall`, as one person of a Linux with systemd sees them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from node.autostart import MARK

pytestmark = pytest.mark.skipif(shutil.which("systemctl") is None, reason="no systemd here")


class Home:
    """A home of its own, with a desktop, and a name that is easily quoted wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "Rumah é 1"
        (self.folder / "Desktop").mkdir(parents=True)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("XDG_", "SUDO_", "DBUS"))
        }
        env = {**kept, "HOME": str(self.folder), "LONTAR_LANG": "id"}
        command = [sys.executable, "-m", "lontar", "node", *words]
        return subprocess.run(command, capture_output=True, text=True, env=env)

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_installing_writes_what_it_says_and_a_second_run_nothing(home: Home) -> None:
    first = home.run("install")
    before = home.files()

    second = home.run("install")

    assert first.returncode == second.returncode == 0
    written = [line.removeprefix("Ditulis: ") for line in first.stdout.splitlines() if "Ditulis: " in line]
    assert sorted(str(Path(path).relative_to(home.folder)) for path in written) == sorted(before)
    assert {Path(path).name for path in written} == {"lontar-node.service", "lontar.svg", "lontar.desktop"}
    assert "Sudah terpasang; tidak ada yang diubah." in second.stdout
    assert home.files() == before
    assert "systemctl --user status lontar-node" in first.stdout


def test_it_starts_the_usual_folder_with_this_very_program(home: Home) -> None:
    home.run("install")

    unit = (home.folder / ".config/systemd/user/lontar-node.service").read_text(encoding="utf-8")
    assert f'"{home.folder}/.local/share/lontar/desa"' in unit
    assert f'ExecStart="{sys.executable}" "-P" "-m" "lontar" "node" "serve"' in unit
    link = home.folder / ".config/systemd/user/default.target.wants/lontar-node.service"
    assert link.resolve().read_text(encoding="utf-8") == unit
    assert os.access(home.folder / "Desktop/lontar.desktop", os.X_OK)


def test_the_icon_opens_the_port_of_the_node(home: Home, tmp_path: Path) -> None:
    data = tmp_path / "desa"
    made = home.run(
        *("init", "--data", str(data), "--hub", "http://127.0.0.1:9", "--village", "17.05.10.2007"),
        *("--port", "8123"),
    )
    assert made.returncode == 0, made.stderr

    home.run("install", "--data", str(data))

    assert "xdg-open http://localhost:8123/" in (home.folder / "Desktop/lontar.desktop").read_text()


def test_a_dry_run_writes_nothing(home: Home) -> None:
    done = home.run("install", "--dry-run")

    assert done.returncode == 0 and "ExecStart=" in done.stdout
    assert home.files() == {}
    assert not (home.folder / ".local").exists()


def test_uninstalling_leaves_data_and_what_others_made(home: Home) -> None:
    home.run("install")
    data = home.folder / ".local/share/lontar/desa"
    (data / "catatan.db").write_bytes(b"belajar")
    (home.folder / "Desktop/lontar.desktop").write_text("[Desktop Entry]\nName=Buatan sendiri\n")

    done = home.run("uninstall")

    assert done.returncode == 0
    assert "Dibiarkan, karena bukan buatan Lontar" in done.stdout
    left = {".local/share/lontar/desa/catatan.db", "Desktop/lontar.desktop"}
    assert set(home.files()) == left
    assert not any(MARK.encode() in content for content in home.files().values())
    assert "Tidak ada yang perlu dihapus." in home.run("uninstall").stdout


def test_a_folder_that_no_file_can_name_is_refused(home: Home) -> None:
    done = home.run("install", "--data", str(home.folder / "dua\nbaris"))

    assert done.returncode == 2
    assert "tidak dapat ditulis" in done.stderr
    assert home.files() == {}


def test_an_account_that_is_not_there_is_refused(home: Home) -> None:
    done = home.run("install", "--system", "--dry-run", "--user", "tidak-ada-di-sini")

    assert done.returncode == 2
    expected = "Akun tidak-ada-di-sini tidak ada" if os.geteuid() == 0 else "hak pengelola"
    assert expected in done.stderr
