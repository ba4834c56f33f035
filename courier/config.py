"""What the officer's laptop is told: the data folder's `courier.toml`; secrets lie in `keys/`.

The folder is made when it is first needed: an officer plugs in a stick before anybody set anything up. The pages are
for this laptop only, so there is no setting for another address than 127.0.0.1. Unknown settings are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

import platformdirs

from content_packs.store import write_safely
from sync.errors import N_
from sync.keys import RandomBytes, SigningKey
from web.data_folder import DataFolderError, as_toml, read_key, read_settings, write_key

FILE: Final = "courier.toml"
KEYS: Final = "keys"
HOST: Final = "127.0.0.1"
_SECRETS: Final = ("signing", "sealing", "session")


@dataclass(frozen=True)
class Settings:
    """What people may change."""

    hub_url: str = ""
    port: int = 8090
    zone: str = "WIB"


@dataclass(frozen=True)
class Config:
    """Everything an officer's laptop runs on."""

    data: Path
    settings: Settings
    key: SigningKey
    sealing_seed: bytes
    session_secret: bytes


def usual_folder() -> Path:
    return platformdirs.user_data_path("lontar-petugas", appauthor=False)


def prepared(data: Path, random_bytes: RandomBytes) -> Config:
    """Read a data folder; one that doesn't exist yet is made.

    Raises:
        DataFolderError: a setting is unknown or of the wrong type, a key is missing or damaged.
        OSError: it can't be written.
    """
    keys = data / KEYS
    if not (data / FILE).exists():
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _SECRETS:
            # What a power cut left of the first start stays in use.
            if not (keys / f"{name}.key").exists():
                write_key(keys / f"{name}.key", random_bytes(32))
        save(data, Settings())
    secret = {name: read_key(keys / f"{name}.key") for name in _SECRETS}
    key = SigningKey.from_seed(secret["signing"])
    return Config(data, _read_settings(data / FILE), key, secret["sealing"], secret["session"])


def save(data: Path, settings: Settings) -> None:
    lines = [as_toml(field.name, getattr(settings, field.name)) for field in fields(settings)]
    write_safely(data / FILE, "".join(lines).encode())


def with_hub(config: Config, hub_url: str) -> Config:
    """The same laptop, told where its hub is.

    Raises:
        DataFolderError: that is no address.
    """
    url = hub_url.strip().rstrip("/")
    if not url.startswith(("http://", "https://")) or not url.isprintable() or len(url) > 500:
        raise DataFolderError(N_("Alamat pusat harus diawali http:// atau https://."))
    settings = replace(config.settings, hub_url=url)
    save(config.data, settings)
    return replace(config, settings=settings)


def _read_settings(path: Path) -> Settings:
    known = {field.name: type(field.default) for field in fields(Settings)}
    values = read_settings(path, known)
    for name, value in values.items():
        if type(value) is not known[name]:
            raise DataFolderError(
                N_("Pengaturan %(name)s dalam %(path)s salah jenis."), name=name, path=path
            )
    if values.get("zone", "WIB") not in ("WIB", "WITA", "WIT"):
        raise DataFolderError(N_("Pengaturan %(name)s dalam %(path)s salah jenis."), name="zone", path=path)
    return Settings(**values)
