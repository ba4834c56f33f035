"""Where on this laptop things go that start Lontar, and which commands of the system make them count.

One plan for Linux with systemd and one for Windows, each for one person or for the whole laptop. A shell: asks the system
who and where we are, writes nothing but the empty folder of data. The Windows plan has not been run on Windows yet.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from gettext import gettext as _
from pathlib import Path
from typing import Final

import platformdirs

import web
from node import autostart
from node.autostart import SERVICE, TASK, Account
from node.config import FILE, Settings
from sync.errors import N_
from web.data_folder import DataFolderError, read_settings

Command = tuple[str, ...]
_STATIC: Final = Path(web.__file__).parent / "static"
_UNIT: Final = f"{SERVICE}.service"
_ETC: Final = Path("/etc/systemd/system")
_LOCAL: Final = Path("/usr/local/share")


class StartError(DataFolderError):
    """This laptop can't be told to start Lontar, or not in this way."""

    code = "start"


@dataclass(frozen=True)
class Plan:
    """What is written, what is run, and what people are told."""

    files: Mapping[Path, bytes | Path]
    """A path is what a link leads to."""
    begin: tuple[Command, ...]
    again: tuple[Command, ...]
    """What is run instead if every file stands already; changes nothing if all is well."""
    end: tuple[Command, ...]
    after: tuple[Command, ...]
    look: str
    later: str
    needs_begin: bool
    """Whether nothing starts by itself unless the commands succeeded."""
    address: str
    advice: tuple[str, ...] = ()
    data: Path | None = None
    owner: tuple[int, int] | None = field(default=None)

    def prepare(self) -> None:
        """Let there be a folder for the data, of the account that will use it."""
        if self.data is None or autostart.is_kept(str(self.data)) or self.data.exists():
            return
        self.data.mkdir(mode=0o700, parents=True)
        if self.owner is not None:
            os.chown(self.data, *self.owner)

    def is_ours(self, path: Path) -> bool:
        written = self.files[path]
        if isinstance(written, Path):
            return path.is_symlink() and path.readlink() == written
        return path.is_file() and autostart.is_ours(path.read_bytes(), written)


def plan_for(data: Path | None, system: bool, account: str | None) -> Plan:
    """The plan for this laptop; without `data`, only for taking away.

    Raises:
        StartError: it can't be done here; the sentence says what to do.
    """
    if data is not None and not autostart.fits_in_a_line([str(data), sys.executable]):
        raise StartError(N_("Nama folder %(folder)s berisi huruf yang tidak dapat ditulis."), folder=data)
    if account is not None and (not system or sys.platform == "win32"):
        raise StartError(N_("--user hanya untuk --system di Linux."))
    if sys.platform == "win32":
        return _on_windows(data, system)
    if shutil.which("systemctl") is None:
        raise StartError(
            N_(
                "Laptop ini tidak memakai systemd. Jalankan Lontar sendiri dengan: lontar node serve --data %(folder)s"
            ),
            folder=data,
        )
    if system and os.geteuid() != 0:
        raise StartError(N_("--system memerlukan hak pengelola. Ulangi dengan sudo di depannya."))
    return _for_laptop(data, account) if system else _for_person(data)


def _for_person(data: Path | None) -> Plan:
    if os.geteuid() == 0 and os.environ.get("SUDO_USER"):
        raise StartError(N_("Jalankan tanpa sudo, atau tambahkan --system."))
    units = _folder("XDG_CONFIG_HOME", ".config") / "systemd" / "user"
    share = _folder("XDG_DATA_HOME", ".local/share")
    files: dict[Path, bytes | Path] = {
        units / _UNIT: autostart.own_unit(_command(data)).encode(),
        units / "default.target.wants" / _UNIT: Path("..") / _UNIT,
    }
    files |= _icon(share, data)
    desktop = platformdirs.user_desktop_path()
    if desktop.is_dir():
        files[desktop / "lontar.desktop"] = files[share / "applications" / "lontar.desktop"]
    systemctl = ("systemctl", "--user")
    linger = _(
        "Agar Lontar berjalan sejak laptop dinyalakan, sebelum ada yang masuk: sudo loginctl enable-linger %(name)s"
    )
    return Plan(
        files,
        begin=((*systemctl, "daemon-reload"), (*systemctl, "restart", _UNIT)),
        again=((*systemctl, "start", _UNIT),),
        end=((*systemctl, "stop", _UNIT),),
        after=((*systemctl, "daemon-reload"),),
        look=f"systemctl --user status {SERVICE}",
        later=_("Lontar berjalan sendiri setelah Anda keluar dan masuk lagi."),
        needs_begin=False,
        address=_address(data),
        advice=(linger % {"name": _person()},) if not _lingers() else (),
        data=data,
    )


def _for_laptop(data: Path | None, name: str | None) -> Plan:
    name = name or os.environ.get("SUDO_USER")
    account, owner = _account(name)
    if name is None and data is not None:
        _check_dynamic(data)
    unit = autostart.system_unit(_command(data), str(data), account).encode()
    files: dict[Path, bytes | Path] = {
        _ETC / _UNIT: unit,
        _ETC / "multi-user.target.wants" / _UNIT: _ETC / _UNIT,
    }
    return Plan(
        files | _icon(_LOCAL, data),
        begin=(("systemctl", "daemon-reload"), ("systemctl", "restart", _UNIT)),
        again=(("systemctl", "start", _UNIT),),
        end=(("systemctl", "stop", _UNIT),),
        after=(("systemctl", "daemon-reload"),),
        look=f"systemctl status {SERVICE}",
        later=_("Lontar berjalan sendiri setelah laptop dinyalakan kembali."),
        needs_begin=False,
        address=_address(data),
        data=data,
        owner=owner,
    )


def _on_windows(data: Path | None, system: bool) -> Plan:
    folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Lontar"
    person = "\\".join(filter(None, (os.environ.get("USERDOMAIN"), os.environ.get("USERNAME"))))
    icon, definition = folder / "lontar.ico", folder / "lontar.xml"
    files: dict[Path, bytes | Path] = {
        definition: autostart.task(_command(data), person, at_boot=system),
        icon: autostart.windows_icon((_STATIC / "favicon.png").read_bytes()),
        platformdirs.user_desktop_path() / "Lontar.url": autostart.shortcut(_address(data), str(icon)),
    }
    begin = (
        ("schtasks", "/Create", "/TN", TASK, "/XML", str(definition), "/F"),
        ("schtasks", "/Run", "/TN", TASK),
    )
    return Plan(
        files,
        begin=begin,
        again=begin,
        end=(("schtasks", "/End", "/TN", TASK), ("schtasks", "/Delete", "/TN", TASK, "/F")),
        after=(),
        look=f"schtasks /Query /TN {TASK}",
        later=_(
            "Tugas terjadwal tidak dapat dibuat. Buka Command Prompt sebagai administrator, lalu ulangi."
        ),
        needs_begin=True,
        address=_address(data),
        data=data,
    )


def _command(data: Path | None) -> Command:
    """What starts the pages, as this very program was started."""
    python = Path(sys.executable)
    # Without a window of its own.
    quiet = python.with_name("pythonw.exe")
    program = quiet if sys.platform == "win32" and quiet.exists() else python
    # -P: no module of the folder it happens to start in.
    return (str(program), "-P", "-m", "lontar", "node", "serve", "--data", str(data))


def _icon(share: Path, data: Path | None) -> dict[Path, bytes | Path]:
    icon = share / "icons" / "hicolor" / "scalable" / "apps" / "lontar.svg"
    entry = autostart.desktop_entry(_address(data), str(icon))
    logo = (_STATIC / "logo.svg").read_text(encoding="utf-8")
    return {
        icon: autostart.marked_svg(logo).encode(),
        share / "applications" / "lontar.desktop": entry.encode(),
    }


def _address(data: Path | None) -> str:
    port: object = Settings.port
    if data is not None and (data / FILE).is_file():
        port = read_settings(data / FILE, Settings.__dataclass_fields__).get("port", port)
    return f"http://localhost:{port}/"


def _account(name: str | None) -> tuple[Account, tuple[int, int] | None]:
    if name is None or sys.platform == "win32":
        return Account(None), None
    import pwd

    try:
        found = pwd.getpwnam(name)
    except KeyError as problem:
        raise StartError(N_("Akun %(name)s tidak ada di laptop ini."), name=name) from problem
    home = (found.pw_dir,) if Path(found.pw_dir).is_dir() and found.pw_dir != "/" else ()
    return Account(name, home), (found.pw_uid, found.pw_gid)


def _check_dynamic(data: Path) -> None:
    """An account that systemd makes up owns nothing and enters nobody's home."""
    hidden = any(sys.executable.startswith(home) for home in ("/root/", "/home/"))
    if hidden or not autostart.is_kept(str(data)):
        raise StartError(
            N_(
                "Sebutkan akun yang menjalankan Lontar dengan --user, atau pasang Lontar di /opt dan pakai --data %(folder)s"
            ),
            folder=f"{autostart.KEPT}/desa",
        )


def _folder(variable: str, below_home: str) -> Path:
    given = os.environ.get(variable)
    return Path(given) if given and Path(given).is_absolute() else Path.home() / below_home


def _person() -> str:
    return os.environ.get("USER") or Path.home().name


def _lingers() -> bool:
    return Path("/var/lib/systemd/linger", _person()).exists()
