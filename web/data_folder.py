"""What lies in the data folder of each program, as far as it is the same: files of keys, a file of settings in TOML.

A key is written so that only the owner can read it, whole or not at all, and never over another. Which keys and
settings there are, each program says itself. A shell: reads and writes files.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sync.errors import N_, LontarError
from sync.stick import Files


class DataFolderError(LontarError):
    """The data folder can't be used as it is."""

    code = "data-folder"
    exit_code = 2


def write_key(path: Path, secret: bytes) -> None:
    """
    Raises:
        FileExistsError: there is a key already.
    """
    if path.exists():
        raise FileExistsError(path)
    write_private(path, secret.hex() + "\n")


def write_private(path: Path, text: str) -> None:
    """Write for the owner alone; after a power cut the file is there, whole."""
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(
        os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    Files().sync_folder(path.parent)


def read_key(path: Path, size: int = 32) -> bytes:
    """
    Raises:
        DataFolderError: it is missing or damaged.
    """
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as problem:
        raise DataFolderError(N_("Kunci %(path)s hilang atau rusak."), path=path) from problem
    if len(secret) != size:
        raise DataFolderError(N_("Kunci %(path)s hilang atau rusak."), path=path)
    return secret


def read_settings(path: Path, known: Collection[str]) -> dict[str, Any]:
    """The settings in a TOML file, of any type.

    Raises:
        DataFolderError: it can't be read, or holds one that isn't `known`.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise DataFolderError(
            N_("Berkas %(path)s tidak dapat dibaca: %(problem)s"), path=path, problem=problem
        ) from problem
    for name in values:
        if name not in known:
            raise DataFolderError(
                N_("Pengaturan %(name)s dalam %(path)s tidak dikenal."), name=name, path=path
            )
    return values


def as_toml(name: str, value: str | int) -> str:
    """One setting as a line of such a file."""
    if isinstance(value, int):
        return f"{name} = {value}\n"
    escaped = (
        char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08X}" for char in value
    )
    return f'{name} = "{"".join(escaped)}"\n'
