"""What a hub is told: `hub.toml` in its data folder, then `LONTAR_HUB_*`. Keys lie in `keys/`.

The root key signs keysets and nothing else; after `hub init` it belongs on a stick in a safe.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from content_packs.store import write_safely
from sync.errors import N_
from sync.keys import RandomBytes, SigningKey
from sync.keyset import Keyset, open_keyset, sign_keyset
from sync.sealing import CLASSICAL, SUITES, OpeningKey, seed_size
from web.data_folder import DataFolderError, as_toml, read_key, read_settings, write_key, write_private

FILE: Final = "hub.toml"
_SETTINGS: Final = (
    "database_url",
    "database_read_url",
    "public_url",
    "metrics_token",
    "keep_alerts_days",
    "webhook_networks",
)
_KEEP_ALERTS_DAYS: Final = 365
_DAYS_MOST: Final = 36_500
_KEYS: Final = ("root", "hub", "intake", "publisher", "session")


@dataclass(frozen=True)
class Config:
    """Everything a hub runs on."""

    data: Path
    database_url: str
    hub_key: SigningKey
    keyset: Keyset
    keyset_data: bytes
    session_secret: bytes
    opening_keys: tuple[OpeningKey, ...]
    """Those that bundles may be sealed to: the keyset's, and earlier ones."""
    random_bytes: RandomBytes
    public_url: str = ""
    """The address that villages are told; empty where nobody wrote it down."""
    metrics_token: str = ""
    """What who reads the figures of `hub.metrics` must name; without it nobody reads them."""
    keep_alerts_days: int = _KEEP_ALERTS_DAYS
    """How long an alert that an operator has dealt with is kept."""
    webhook_networks: str = ""
    """Networks within which webhooks may lie though they are private, space between: "10.20.0.0/16 fd00::/8"."""
    database_read_url: str = ""
    """A copy that follows the database: what programs and exports read is read there."""


def create(data: Path, database_url: str | None, random_bytes: RandomBytes) -> Config:
    """Make keys, keyset and settings in a new data folder.

    Raises:
        DataFolderError: there is a hub in it already.
    """
    if (data / FILE).exists():
        raise DataFolderError(N_("Folder %(folder)s sudah berisi pusat Lontar."), folder=data)
    keys = data / "keys"
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    seeds = {name: random_bytes(32) for name in _KEYS}
    for name, seed in seeds.items():
        write_key(keys / f"{name}.key", seed)
    root, hub, publisher = (SigningKey.from_seed(seeds[name]) for name in ("root", "hub", "publisher"))
    keyset = Keyset(
        1, root.public, (hub.public,), OpeningKey(CLASSICAL, seeds["intake"]).public, (publisher.public,)
    )
    write_safely(data / "keyset.cose", sign_keyset(root, keyset))
    url = database_url or f"sqlite:///{(data / 'hub.db').resolve()}"
    # The address of a database may hold a password. Last: this file is what makes a folder a hub.
    write_private(data / FILE, as_toml("database_url", url))
    return load(data)


def load(data: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read a hub's data folder.

    Raises:
        DataFolderError: no hub is there, or a setting or key can't be used.
    """
    path = data / FILE
    if not path.is_file():
        raise DataFolderError(
            N_(
                "Folder %(folder)s belum berisi pusat Lontar. Jalankan dulu: lontar hub init --data %(folder)s"
            ),
            folder=data,
        )
    values = read_settings(path, _SETTINGS)
    names = os.environ if environment is None else environment
    for name in _SETTINGS:
        if told := names.get(f"LONTAR_HUB_{name.upper()}"):
            values[name] = told
    keyset_data = (data / "keyset.cose").read_bytes()
    keyset = open_keyset(keyset_data)
    return Config(
        data,
        str(values["database_url"]),
        _hub_key(data / "keys", keyset),
        keyset,
        keyset_data,
        read_key(data / "keys" / "session.key"),
        tuple(_opening_key(path) for path in sorted((data / "keys").glob("intake*.key"))),
        secrets.token_bytes,
        str(values.get("public_url", "")).rstrip("/"),
        str(values.get("metrics_token", "")),
        _days(values.get("keep_alerts_days", _KEEP_ALERTS_DAYS)),
        str(values.get("webhook_networks", "")),
        str(values.get("database_read_url", "")),
    )


def _days(told: object) -> int:
    if not str(told).isdecimal() or not 1 <= int(str(told)) <= _DAYS_MOST:
        raise DataFolderError(
            N_("Pengaturan keep_alerts_days harus bilangan hari dari 1 sampai %(most)s."), most=_DAYS_MOST
        )
    return int(str(told))


def _hub_key(keys: Path, keyset: Keyset) -> SigningKey:
    """The private key of the first hub key in the keyset."""
    for path in sorted(keys.glob("hub*.key")):
        key = SigningKey.from_seed(read_key(path))
        if key.public == keyset.hub_keys[0]:
            return key
    raise DataFolderError(N_("Kunci %(path)s hilang atau rusak."), path=keys / "hub.key")


def _opening_key(path: Path) -> OpeningKey:
    """Suite 2 keys are longer, so the length tells the suite."""
    for suite in SUITES:
        with contextlib.suppress(DataFolderError):
            return OpeningKey(suite, read_key(path, seed_size(suite)))
    raise DataFolderError(N_("Kunci %(path)s hilang atau rusak."), path=path)
