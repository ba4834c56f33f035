"""What a node is told: the data folder's `node.toml`, then `LONTAR_*`, then the command's options.

Secrets lie in `keys/`, one file each, readable by the owner only. Unknown settings are refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import platformdirs

from content_packs.store import write_safely
from sync.errors import N_
from sync.invitation import read_invitation
from sync.keys import SigningKey
from web.data_folder import DataFolderError, as_toml, read_key, read_settings, write_key
from web.zones import ZONES

FILE: Final = "node.toml"
KEYS: Final = "keys"
_NUMBERS: Final = ("port", "player_port")
_SECRETS: Final = ("device", "sealing", "pepper", "session")


@dataclass(frozen=True)
class Settings:
    """What people may change."""

    hub_url: str
    """Empty while nobody has said where the centre is; then everything but the network works."""
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
        write_key(keys / f"{name}.key", secrets[name])
    # Last and whole: the file of settings is what makes a folder a node.
    save(data, settings)
    return load(data)


def save(data: Path, settings: Settings) -> None:
    lines = [as_toml(field.name, getattr(settings, field.name)) for field in fields(settings)]
    write_safely(data / FILE, "".join(lines).encode())


def with_hub(config: Config, hub_url: str) -> Config:
    """The same node, told where its centre is.

    Raises:
        MalformedError: that is no address.
    """
    settings = replace(config.settings, hub_url=read_invitation(hub_url).hub_url)
    save(config.data, settings)
    return replace(config, settings=settings)


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
    known = {field.name for field in fields(Settings)}
    values = read_settings(path, known)
    names = os.environ if environment is None else environment
    for name, text in names.items():
        if name.startswith("LONTAR_") and name[7:].lower() in known:
            setting = name[7:].lower()
            values[setting] = int(text) if setting in _NUMBERS and text.isdecimal() else text
    settings = _settings(values, path)
    secret = {name: read_key(data / KEYS / f"{name}.key") for name in _SECRETS}
    return Config(
        data,
        settings,
        SigningKey.from_seed(secret["device"]),
        secret["sealing"],
        secret["pepper"],
        secret["session"],
        Path(names.get("LONTAR_STATE") or platformdirs.user_state_path("lontar")),
    )


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
    if settings.zone not in ZONES:
        raise DataFolderError(
            N_("Zona waktu %(zone)s dalam %(path)s tidak dikenal. Pilih WIB, WITA, atau WIT."),
            zone=settings.zone,
            path=path,
        )
    return settings
