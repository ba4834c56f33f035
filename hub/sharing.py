"""Handing out the root key's shares: files for their holders first, the list of holders next, the open key away last.

Whatever interrupts it, either the open key is still there or every share was read back and proved.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Engine

from content_packs.store import write_safely
from hub import audit, root_shares
from hub.config import Config
from hub.errors import HubError
from hub.root_shares import Holder
from sync.errors import N_
from sync.keys import SigningKey


def hand_out(
    engine: Engine,
    config: Config,
    root: SigningKey,
    holders: Sequence[tuple[str, Path]],
    passphrase_of: Callable[[str], str],
    plain: Sequence[Path],
    now_ms: int,
) -> list[Path]:
    """Write a share for each holder (name, file), and delete the `plain` files of the root key.

    Returns those that can't be deleted, as on a stick that is locked.

    Raises:
        HubError: a file is there already, a passphrase is too short or another holder's; nothing was changed.
    """
    paths = [path for _name, path in holders]
    for path in paths:
        if path.exists() or paths.count(path) > 1:
            raise HubError(N_("Berkas %(path)s sudah ada. Pilih nama lain."), path=path)
    names = [name for name, _path in holders]
    shares = root_shares.split(root, names, config.random_bytes)
    passphrases: list[str] = []
    files: list[bytes] = []
    for share in shares:
        passphrase = passphrase_of(share.name)
        if passphrase in passphrases:
            raise HubError(N_("Kata sandi ini sudah dipakai pemegang lain. Tiap orang memilih sendiri."))
        files.append(root_shares.lock(share, passphrase, config.random_bytes))
        passphrases.append(passphrase)
    audit.note(engine, config, names[0], "keys.share", f"holders={', '.join(names)}", now_ms)
    for path, data in zip(paths, files, strict=True):
        write_safely(path, data)
        path.chmod(0o600)
    _prove(root, paths, passphrases)
    listed = [Holder(share.name, share.key.public) for share in shares]
    write_safely(config.data / root_shares.FILE, root_shares.sign_holders(root, listed))
    return [path for path in plain if not _is_wiped(path)]


def _prove(root: SigningKey, paths: Sequence[Path], passphrases: Sequence[str]) -> None:
    """Read the files back and make the root key from any two of them."""
    back = [
        root_shares.unlock(path.read_bytes(), passphrase)
        for path, passphrase in zip(paths, passphrases, strict=True)
    ]
    for one, other in itertools.pairwise([*back, back[0]]):
        root_shares.joined([one.words, other.words], root.public)


def _is_wiped(path: Path) -> bool:
    """Overwritten first; on flash memory the old cells may live on, which is why the runbook says to destroy it."""
    try:
        with path.open("r+b") as file:
            file.write(b"0" * path.stat().st_size)
        path.unlink()
    except OSError:
        return False
    return True
