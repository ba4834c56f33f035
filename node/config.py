"""What a node is told: the data folder's `node.toml`, then `LONTAR_*`, then the command's options.

Secrets lie in `keys/`, one file each, readable by the owner only. Unknown settings are refused.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import platformdirs

from node.errors import DataFolderError
from sync.errors import N_
from sync.keys import SigningKey

FILE: Final = "node.toml"
KEYS: Final = "keys"
_NUMBERS: Final = ("port", "player_port")
_SECRETS: Final = ("device", "sealing", "pepper", "session")


@dataclass(frozen=True)
class Settings:
    """What people may change."""

    hub_url: str
    village: str
    village_name: str = ""
    host: str = "0.0.0.0"  # noqa: S104 - phones on the hotspot are the point
    port: int = 8080
    player_port: int = 0
    """Where SCORM, H5P and cmi5 are played, apart from the pages; 0 is the port after theirs."""
    zone: str = "WIB"


@dataclass(frozen=True)
class Config:
    """Everything a node runs on."""

    data: Path
    settings: Settings
    device_key: SigningKey
    sealing_seed: bytes
    pepper: bytes
    session_secret: bytes
    state: Path
    """A folder outside `data`, where it is written down how far this device had come."""

    @property
    def hub_url(self) -> str:
        return self.settings.hub_url

    @property
    def village(self) -> str:
        return self.settings.village

    @property
    def village_name(self) -> str:
        return self.settings.village_name


def create(data: Path, settings: Settings, secrets: Mapping[str, bytes]) -> Config:
    """Write a new data folder.

    Raises:
        DataFolderError: there is a node in it already, or the keys of one.
        OSError: it can't be written.
    """
    keys = data / KEYS
    if (data / FILE).exists() or any((keys / f"{name}.key").exists() for name in _SECRETS):
        raise DataFolderError(N_("Folder %(folder)s sudah berisi data Lontar."), folder=data)
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _SECRETS:
        write_secret(keys / f"{name}.key", secrets[name])
    lines = [f"{field.name} = {_toml(getattr(settings, field.name))}" for field in fields(settings)]
    (data / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load(data)


def load(data: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read a data folder.

    Raises:
        DataFolderError: no node is there, a setting is unknown or of the wrong type, a key is missing.
    """
    path = data / FILE
    if not path.is_file():
        raise DataFolderError(
            N_(
                "Folder %(folder)s belum berisi data Lontar. Jalankan dulu: lontar node init --data %(folder)s"
            ),
            folder=data,
        )
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise DataFolderError(
            N_("Berkas %(path)s tidak dapat dibaca: %(problem)s"), path=path, problem=problem
        ) from problem
    known = {field.name for field in fields(Settings)}
    names = os.environ if environment is None else environment
    for name, text in names.items():
        if name.startswith("LONTAR_") and name[7:].lower() in known:
            setting = name[7:].lower()
            values[setting] = int(text) if setting in _NUMBERS and text.isdecimal() else text
    for name in values:
        if name not in known:
            raise DataFolderError(
                N_("Pengaturan %(name)s dalam %(path)s tidak dikenal."), name=name, path=path
            )
    settings = _settings(values, path)
    secret = {name: _read_secret(data / KEYS / f"{name}.key") for name in _SECRETS}
    return Config(
        data,
        settings,
        SigningKey.from_seed(secret["device"]),
        secret["sealing"],
        secret["pepper"],
        secret["session"],
        Path(names.get("LONTAR_STATE") or platformdirs.user_state_path("lontar")),
    )


def write_secret(path: Path, secret: bytes) -> None:
    """Write a key so that only the owner can read it, never over an existing one."""
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
    ) as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _settings(values: dict[str, Any], path: Path) -> Settings:
    try:
        settings = Settings(**values)
    except TypeError as problem:
        raise DataFolderError(
            N_("Pengaturan dalam %(path)s tidak lengkap: hub_url dan village harus ada."), path=path
        ) from problem
    for field in fields(Settings):
        expected = int if field.name in _NUMBERS else str
        if type(getattr(settings, field.name)) is not expected:
            raise DataFolderError(
                N_("Pengaturan %(name)s dalam %(path)s salah jenis."), name=field.name, path=path
            )
    return settings


def _read_secret(path: Path) -> bytes:
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as problem:
        raise DataFolderError(N_("Kunci %(path)s hilang atau rusak."), path=path) from problem
    if len(secret) != 32:
        raise DataFolderError(N_("Kunci %(path)s hilang atau rusak."), path=path)
    return secret


def _toml(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    escaped = (
        char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08X}" for char in str(value)
    )
    return f'"{"".join(escaped)}"'
