"""A publisher's key as it lies in a file: 64 hexadecimal digits."""

from __future__ import annotations

from pathlib import Path

from content_packs.errors import PackError
from sync.errors import N_
from sync.keys import SigningKey


def read_key(path: Path) -> SigningKey:
    """
    Raises:
        PackError: it isn't a key.
    """
    try:
        return SigningKey.from_seed(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except ValueError as problem:
        raise PackError(N_("Berkas %(file)s bukan kunci penerbit."), file=path) from problem
