"""The texts that make Lontar start with the laptop: systemd units, a scheduled task, icons.

Promises that a path with spaces, quotes, percent signs or letters of any alphabet means itself in each of them. Decides only;
`node/cli_install.py` writes. Sources: systemd.service(5), systemd.exec(5), Desktop Entry Specification 1.5,
[MS-TSCH] 2.5 (XML of tasks), RFC 2152 for letters in a Windows shortcut.
"""

from __future__ import annotations

import codecs
import struct
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

SERVICE: Final = "lontar-node"
TASK: Final = "Lontar"
MARK: Final = "Dibuat oleh: lontar node install"
"""Stands in everything that is written, so that only that is taken away again."""
KEPT: Final = "/var/lib/lontar"
_STICKS: Final = ("-/media", "-/run/media", "-/mnt")
_TASKS: Final = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_HARDENED: Final = (
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    "PrivateTmp=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectClock=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "UMask=0077",
)


@dataclass(frozen=True)
class Account:
    """Whom a service of the system runs as; without a name, systemd makes one up while it runs."""

    name: str | None
    writable: tuple[str, ...] = ()
    """Folders besides the data that this account may write to, such as its home: backups go where people say."""


def own_unit(command: Sequence[str]) -> str:
    """The service of one person; starts when that person logs in, or with the laptop if the person lingers."""
    lines = [*_service(command), "NoNewPrivileges=yes", "", "[Install]", "WantedBy=default.target"]
    return "\n".join(lines) + "\n"


def system_unit(command: Sequence[str], data: str, account: Account) -> str:
    """The service of the whole laptop: may write to its data, to sticks and where the account lives."""
    who = [f"User={_plain(account.name)}"] if account.name else ["DynamicUser=yes", f"User={SERVICE}"]
    # What systemd keeps for a service it also gives to whoever runs the service next.
    kept = is_kept(data)
    places = [*(_quoted(place) for place in ([] if kept else [data]) + [*account.writable]), *_STICKS]
    lines = [
        *_service(command),
        *who,
        f"StateDirectory={f'lontar {SERVICE}' if kept else SERVICE}",
        "StateDirectoryMode=0700",
        f"Environment=LONTAR_STATE=%S/{SERVICE}",
        *_HARDENED,
        f"ReadWritePaths={' '.join(places)}",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def is_kept(data: str) -> bool:
    """Whether this folder lies where systemd keeps the state of services."""
    return data.startswith(f"{KEPT}/")


def task(command: Sequence[str], person: str, at_boot: bool) -> bytes:
    """A scheduled task: when this person logs on and, with an administrator's consent, when Windows starts."""
    root = ElementTree.Element("Task", {"version": "1.2", "xmlns": _TASKS})
    about = ElementTree.SubElement(root, "RegistrationInfo")
    _add(about, Author="Lontar", Description=MARK)
    triggers = ElementTree.SubElement(root, "Triggers")
    _add(ElementTree.SubElement(triggers, "LogonTrigger"), Enabled="true", UserId=person)
    if at_boot:
        _add(ElementTree.SubElement(triggers, "BootTrigger"), Enabled="true")
    principals = ElementTree.SubElement(root, "Principals")
    # S4U: runs as this person before anybody logs on, and keeps no password.
    kind = "S4U" if at_boot else "InteractiveToken"
    principal = ElementTree.SubElement(principals, "Principal", {"id": "Author"})
    _add(principal, UserId=person, LogonType=kind, RunLevel="LeastPrivilege")
    settings = ElementTree.SubElement(root, "Settings")
    _add(
        settings,
        MultipleInstancesPolicy="IgnoreNew",
        DisallowStartIfOnBatteries="false",
        StopIfGoingOnBatteries="false",
        StartWhenAvailable="true",
        ExecutionTimeLimit="PT0S",
    )
    _add(ElementTree.SubElement(settings, "RestartOnFailure"), Interval="PT1M", Count="255")
    actions = ElementTree.SubElement(root, "Actions", {"Context": "Author"})
    arguments = subprocess.list2cmdline(command[1:])
    _add(ElementTree.SubElement(actions, "Exec"), Command=command[0], Arguments=arguments)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    # schtasks reads UTF-16 only, as soon as a letter isn't ASCII.
    return codecs.BOM_UTF16_LE + ('<?xml version="1.0" encoding="UTF-16"?>\n' + text + "\n").replace(
        "\n", "\r\n"
    ).encode("utf-16-le")


def desktop_entry(address: str, icon: str) -> str:
    """What stands among the programs and on the desktop of Linux: opens the browser."""
    lines = [
        "[Desktop Entry]",
        f"# {MARK}",
        "Type=Application",
        "Name=Lontar",
        "Comment=Belajar di desa, tanpa internet",
        "Comment[en]=Learning in the village, without internet",
        f"Exec=xdg-open {address}",
        f"Icon={_entry_value(icon)}",
        "Terminal=false",
        "Categories=Education;",
    ]
    return "\n".join(lines) + "\n"


def shortcut(address: str, icon: str) -> bytes:
    """A shortcut on the desktop of Windows; letters beyond ASCII stand a second time, in UTF-7, as Windows writes them."""
    lines = [f"; {MARK}", "[InternetShortcut]", f"URL={address}"]
    if icon.isascii():
        lines += [f"IconFile={icon}", "IconIndex=0"]
    else:
        wide = icon.encode("utf-7").decode("ascii")
        lines += [
            "IconIndex=0",
            "[InternetShortcut.W]",
            f"URL={address}",
            f"IconFile={wide}",
            "IconIndex=0",
        ]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def windows_icon(png: bytes) -> bytes:
    """A PNG as an icon file of one picture."""
    width, height = struct.unpack(">II", png[16:24])
    entry = struct.pack("<BBBBHHII", width % 256, height % 256, 0, 0, 1, 32, len(png), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + png


def marked_svg(svg: str) -> str:
    return f"{svg.rstrip()}\n<!-- {MARK} -->\n"


def is_ours(found: bytes, written: bytes) -> bool:
    """Whether a file that lies there was made by us: it says so, or is byte for byte what we would write."""
    return found == written or any(MARK.encode(code) in found for code in ("utf-8", "utf-16-le"))


def fits_in_a_line(texts: Iterable[str]) -> bool:
    """Whether these can stand in such files at all: one line each, and letters that exist."""
    return all(text.isprintable() for text in texts)


def _service(command: Sequence[str]) -> list[str]:
    # Variables are looked for in every word but the first.
    words = [_quoted(command[0]), *(_quoted(word).replace("$", "$$") for word in command[1:])]
    return [
        f"# {MARK}",
        "[Unit]",
        "Description=Lontar, halaman belajar desa",
        "After=network.target",
        "",
        "[Service]",
        f"ExecStart={' '.join(words)}",
        "Restart=on-failure",
        "RestartSec=5",
    ]


def _quoted(word: str) -> str:
    """One word of a unit file; `%` and `\\` mean something there even between quotes."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _plain(word: str) -> str:
    return word.replace("%", "%%")


def _entry_value(text: str) -> str:
    return text.replace("\\", "\\\\")


def _add(parent: ElementTree.Element, **texts: str) -> None:
    for name, text in texts.items():
        ElementTree.SubElement(parent, name).text = text
