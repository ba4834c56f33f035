"""Bytes to begin from: the frozen vectors of the protocol, and what the product's own encoders make."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sync import cbor, cose
from sync.errors import SyncError

VECTORS = Path(__file__).parent.parent.parent / "vectors"


def vectors(name: str) -> list[bytes]:
    """Every byte string in a file of vectors."""
    return list(dict.fromkeys(_bytes(json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8")))))


def payloads(name: str) -> list[bytes]:
    """What the envelopes among them hold, for targets that seal again what the fuzzer changed."""
    made = []
    for data in vectors(name):
        try:
            made.append(cose.open_envelope(data, 1 << 20).payload)
        except SyncError:
            continue
    return made


def _bytes(value: Any) -> Iterator[bytes]:
    if isinstance(value, dict) and set(value) == {"hex"}:
        yield bytes.fromhex(value["hex"])
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _bytes(item)


_MARK = b"\n==> "


def folded(files: Mapping[str, str | bytes]) -> bytes:
    """Files as one string of bytes, so that a fuzzer changes what is in an archive and not its checksums."""
    return b"".join(
        _MARK + name.encode() + b"\n" + (text.encode() if isinstance(text, str) else text)
        for name, text in files.items()
    )


def unfolded(data: bytes) -> dict[str, bytes]:
    """The opposite of `folded`, for any bytes."""
    made = {}
    for part in data.split(_MARK)[1:]:
        name, _, content = part.partition(b"\n")
        made[name.decode("utf-8", "replace")[:200].replace("\0", "?") or "_"] = content
    return made


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Those files as a zip, not compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def in_cbor(*values: object) -> list[bytes]:
    return [cbor.encode(value) for value in values]
