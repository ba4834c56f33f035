"""New keys for a hub: the keyset grows a version, signed by the root key from its stick.

Old signing keys stay in the keyset, so what they signed is still believed; old intake keys stay in the folder, so
bundles that were sealed to them can still be opened when they come late. Owns the keys in the data folder, after
`config.create` has made the first ones.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from content_packs.store import write_safely
from hub import downlink
from hub.config import Config, load
from hub.db import writing
from hub.errors import HubError
from sync.decisions import KeysRotated
from sync.errors import N_
from sync.keys import KEY_SIZE, SigningKey, sha256
from sync.keyset import Keyset, sign_keyset
from sync.sealing import OpeningKey, SealingKey, seed_size
from web.data_folder import write_key

ROOT_FILE = "root.key"


@dataclass(frozen=True, slots=True)
class Change:
    """What a new keyset changes. Everything else stays as it is."""

    new_hub_key: bool = False
    new_intake: int | None = None
    """The suite of a new intake key (see `sync.sealing`)."""
    add_publisher: bytes | None = None
    add_upstream: SealingKey | None = None


def rotate(engine: Engine, config: Config, root_file: Path | None, change: Change, now_ms: int) -> Keyset:
    """Make, sign and write a keyset with the next version; tell every village. The hub's processes must be
    started again to use it.

    Raises:
        HubError: the root key isn't there, or is another hub's; nothing was changed.
    """
    root = _read_root(root_file or config.data / "keys" / ROOT_FILE)
    if root.public != config.keyset.root:
        raise HubError(N_("Kunci akar ini bukan milik pusat ini. Tidak ada yang diubah."))
    keyset, keys = config.keyset, config.data / "keys"
    changes: dict[str, object] = {"version": keyset.version + 1}
    if change.new_hub_key:
        seed = config.random_bytes(KEY_SIZE)
        changes["hub_keys"] = (SigningKey.from_seed(seed).public, *keyset.hub_keys)
        write_key(keys / f"hub-{keyset.version + 1}.key", seed)
    if change.new_intake is not None:
        opening = OpeningKey(change.new_intake, config.random_bytes(seed_size(change.new_intake)))
        changes["intake"] = opening.public
        write_key(keys / f"intake-{keyset.version + 1}.key", opening.seed)
    if change.add_publisher is not None:
        changes["publisher_keys"] = tuple(dict.fromkeys((*keyset.publisher_keys, change.add_publisher)))
    if change.add_upstream is not None:
        changes["upstream"] = tuple(dict.fromkeys((*keyset.upstream, change.add_upstream)))
    made = dataclasses.replace(keyset, **changes)  # type: ignore[arg-type]
    envelope = sign_keyset(root, made)
    write_safely(config.data / "keyset.cose", envelope)
    with writing(engine) as connection:
        # Read anew: from now on this hub signs with the newest key.
        downlink.decide(connection, "", KeysRotated(made.version, sha256(envelope)), now_ms)
    load(config.data)
    return made


def _read_root(path: Path) -> SigningKey:
    try:
        return SigningKey.from_seed(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as problem:
        raise HubError(
            N_(
                "Kunci akar %(path)s tidak dapat dibaca. Pasang flashdisk yang menyimpannya, lalu sebutkan dengan --root."
            ),
            path=path,
        ) from problem
