"""The texts that start Lontar mean what they should to those who read them: systemd, Windows, desktops."""

from __future__ import annotations

import configparser
import io
import os
import shlex
import shutil
import struct
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import autostart
from node.autostart import Account

ODD = '/home/desa/Désa 50% "baru" $HOME \\x ꦧꦭꦶ'
COMMAND = ("/opt/lontar/bin/python", "-P", "-m", "lontar", "node", "serve", "--data")
_NAMES = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1).map(
    lambda t: "/" + t
)


def settings_of(unit: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None, comment_prefixes="#", strict=True)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read_string(unit)
    return parsed


def words_of(line: str) -> list[str]:
    """As systemd reads a command line: quotes and backslashes, then `%%` and `$$`."""
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]


@given(_NAMES)
def test_any_folder_means_itself_to_systemd(folder: str) -> None:
    unit = settings_of(autostart.own_unit((*COMMAND, folder)))

    assert words_of(unit["Service"]["ExecStart"]) == [*COMMAND, folder]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("account", [Account("root", ("/root",)), Account(None)], ids=["named", "dynamic"])
@pytest.mark.parametrize("folder", ["/var/lib/lontar/desa", ODD])
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path, account: Account, folder: str) -> None:
    command = ("/bin/sh", *COMMAND[1:], folder)
    path = tmp_path / "lontar-node.service"
    path.write_text(autostart.system_unit(command, folder, account), encoding="utf-8")

    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_of_one_person_finds_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "lontar-node.service"
    path.write_text(autostart.own_unit(("/bin/sh", *COMMAND[1:], ODD)), encoding="utf-8")

    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )

    assert "lontar-node" not in done.stderr


def test_the_service_of_the_laptop_may_write_to_its_data_and_to_sticks_only() -> None:
    unit = settings_of(autostart.system_unit((*COMMAND, ODD), ODD, Account("desa", ("/home/desa",))))

    service = unit["Service"]
    assert service["ProtectSystem"] == "strict" and service["NoNewPrivileges"] == "yes"
    assert service["Restart"] == "on-failure" and service["User"] == "desa"
    assert words_of(service["ReadWritePaths"]) == [ODD, "/home/desa", "-/media", "-/run/media", "-/mnt"]


def test_an_account_made_up_by_systemd_keeps_its_data_where_systemd_does() -> None:
    unit = settings_of(autostart.system_unit(COMMAND, "/var/lib/lontar/desa", Account(None)))

    assert unit["Service"]["DynamicUser"] == "yes"
    assert unit["Service"]["StateDirectory"] == "lontar lontar-node"
    assert "/var/lib/lontar" not in unit["Service"]["ReadWritePaths"]


@pytest.mark.parametrize("at_boot", [False, True])
def test_a_task_names_the_program_the_person_and_when(at_boot: bool) -> None:
    text = autostart.task((*COMMAND, "C:\\Data Désa & Kami"), "DÉSA\\ani", at_boot)

    assert text.startswith(b"\xff\xfe") and b"\r\x00\n\x00" in text
    root = ElementTree.fromstring(text)
    found = {item.tag.split("}")[1]: item.text for item in root.iter()}
    assert found["Command"] == COMMAND[0]
    assert found["Arguments"] == '-P -m lontar node serve --data "C:\\Data Désa & Kami"'
    assert found["UserId"] == "DÉSA\\ani" and found["RunLevel"] == "LeastPrivilege"
    assert ("BootTrigger" in found) == at_boot
    assert found["LogonType"] == ("S4U" if at_boot else "InteractiveToken")


def test_an_icon_of_linux_opens_the_browser() -> None:
    parsed = settings_of(autostart.desktop_entry("http://localhost:8080/", "/home/é \\ a/lontar.svg"))

    entry = parsed["Desktop Entry"]
    assert entry["Exec"] == "xdg-open http://localhost:8080/"
    assert entry["Icon"] == "/home/é \\\\ a/lontar.svg"


@pytest.mark.parametrize("icon", ["C:\\Users\\Ani B\\lontar.ico", "C:\\Users\\Désa\\lontar.ico"])
def test_a_shortcut_of_windows_opens_the_browser_and_finds_its_icon(icon: str) -> None:
    written = autostart.shortcut("http://localhost:8080/", icon)

    parsed = settings_of(written.decode("ascii").replace("; ", "# "))
    assert parsed["InternetShortcut"]["URL"] == "http://localhost:8080/"
    if icon.isascii():
        assert parsed["InternetShortcut"]["IconFile"] == icon
    else:
        assert parsed["InternetShortcut.W"]["IconFile"].encode("ascii").decode("utf-7") == icon


def test_an_icon_file_holds_the_picture() -> None:
    png = (Path(autostart.__file__).parent.parent / "web" / "static" / "favicon.png").read_bytes()

    icon = io.BytesIO(autostart.windows_icon(png))

    assert struct.unpack("<HHH", icon.read(6)) == (0, 1, 1)
    width, height, _colours, _zero, _planes, bits, size, offset = struct.unpack("<BBBBHHII", icon.read(16))
    assert (width, height, bits, size, offset) == (48, 48, 32, len(png), 22)
    assert icon.read() == png


def test_only_what_we_made_is_ours() -> None:
    ours = autostart.own_unit((*COMMAND, "/lama"))

    assert autostart.is_ours(ours.encode(), b"another content")
    assert autostart.is_ours(autostart.task(COMMAND, "ani", False), b"")
    assert not autostart.is_ours(b"[Unit]\nDescription=Lontar of somebody else\n", ours.encode())
