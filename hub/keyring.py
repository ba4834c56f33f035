"""New keys for a hub: the keyset grows a version, signed by the root key.

Old signing keys stay in the keyset, so what they signed is still believed; old intake keys stay in the folder, so
bundles that were sealed to them can still be opened when they come late. Where the root key was shared among several
people (`root_shares`), `rotation` lets two of them do what `rotate` does for one. Owns the keys in the data folder,
after `config.create` has made the first ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from content_packs.store import write_safely
from hub import downlink, root_shares
from hub.config import Config, load
from hub.db import writing
from hub.errors import HubError
from hub.queries import said
from sync.decisions import KeysRotated
from sync.errors import N_
from sync.keys import KEY_SIZE, RandomBytes, SigningKey, sha256
from sync.keyset import Keyset, sign_keyset
from sync.sealing import OpeningKey, SealingKey, seed_size
from web.data_folder import write_key

ROOT_FILE = "root.key"
_TOLD_LATELY: Final = 1000
"""Decisions for everybody among which an interrupted rotation's own is looked for."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a new keyset changes. Everything else stays as it is."""

    new_hub_key: bool = False
    new_intake: int | None = None
    """The suite of a new intake key (see `sync.sealing`)."""
    add_publisher: bytes | None = None
    remove_publisher: bytes | None = None
    """Villages take no more packs that it signed."""
    add_upstream: SealingKey | None = None


def rotate(engine: Engine, config: Config, root_file: Path | None, change: Change, now_ms: int) -> Keyset:
    """Make, sign and write a keyset with the next version; tell every village. The hub's processes must be
    started again to use it.

    Raises:
        HubError: the root key isn't there, is another hub's, or was shared; nothing was changed.
    """
    if root_shares.holders_of(config.data, config.keyset.root):
        raise HubError(
            N_(
                "Kunci akar pusat ini dibagi: perlu dua orang. Mulai dengan: lontar hub keys propose. "
                "Tidak ada yang diubah."
            )
        )
    root = read_root(config, root_file)
    made, seeds = changed(config.keyset, change, config.random_bytes)
    put_in_force(engine, config, sign_keyset(root, made), made.version, seeds, now_ms)
    return made


def read_root(config: Config, root_file: Path | None) -> SigningKey:
    """The root key from its file, which lies in the data folder if nobody has taken it away yet.

    Raises:
        HubError: it isn't there, or is another hub's.
    """
    path = root_file or config.data / "keys" / ROOT_FILE
    try:
        root = SigningKey.from_seed(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as problem:
        raise HubError(
            N_(
                "Kunci akar %(path)s tidak dapat dibaca. Pasang flashdisk yang menyimpannya, lalu sebutkan dengan --root."
            ),
            path=path,
        ) from problem
    if root.public != config.keyset.root:
        raise HubError(N_("Kunci akar ini bukan milik pusat ini. Tidak ada yang diubah."))
    return root


def changed(keyset: Keyset, change: Change, random_bytes: RandomBytes) -> tuple[Keyset, dict[str, bytes]]:
    """The next keyset, and the private keys that belong to what is new in it by the names of their files.

    Raises:
        HubError: a key to be removed isn't in it.
    """
    changes: dict[str, object] = {"version": keyset.version + 1}
    seeds: dict[str, bytes] = {}
    if change.new_hub_key:
        seed = seeds[f"hub-{keyset.version + 1}.key"] = random_bytes(KEY_SIZE)
        changes["hub_keys"] = (SigningKey.from_seed(seed).public, *keyset.hub_keys)
    if change.new_intake is not None:
        opening = OpeningKey(change.new_intake, random_bytes(seed_size(change.new_intake)))
        seeds[f"intake-{keyset.version + 1}.key"] = opening.seed
        changes["intake"] = opening.public
    publishers = list(keyset.publisher_keys)
    if change.add_publisher is not None and change.add_publisher not in publishers:
        publishers.append(change.add_publisher)
    if change.remove_publisher is not None:
        if change.remove_publisher not in publishers:
            raise HubError(N_("Kunci penerbit itu tidak ada dalam daftar kunci. Tidak ada yang diubah."))
        publishers.remove(change.remove_publisher)
    changes["publisher_keys"] = tuple(publishers)
    if change.add_upstream is not None:
        changes["upstream"] = tuple(dict.fromkeys((*keyset.upstream, change.add_upstream)))
    return dataclasses.replace(keyset, **changes), seeds  # type: ignore[arg-type]


def put_in_force(
    engine: Engine, config: Config, envelope: bytes, version: int, seeds: Mapping[str, bytes], now_ms: int
) -> None:
    """Write a signed keyset and its private keys, and tell every village. May be done again after an interruption."""
    for name, seed in seeds.items():
        path = config.data / "keys" / name
        # One that lies there is of a rotation that came to nothing: no keyset of this version was ever in force.
        path.unlink(missing_ok=True)
        write_key(path, seed)
    write_safely(config.data / "keyset.cose", envelope)
    tell(engine, envelope, version, now_ms)
    # Read anew: from now on this hub signs with the newest key.
    load(config.data)


def tell(engine: Engine, envelope: bytes, version: int, now_ms: int) -> None:
    """Say to every village that a keyset is in force, once."""
    rotated = KeysRotated(version, sha256(envelope))
    with writing(engine) as connection:
        if not _is_told(connection, rotated):
            downlink.decide(connection, "", rotated, now_ms)


def _is_told(connection: Connection, rotated: KeysRotated) -> bool:
    return any(one.kind == rotated for one in said.in_scope(connection, "", _TOLD_LATELY))
