"""Course packs that somebody brought: manifests, pack files, pieces, lesson files, course folders, and packs over a line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from content_packs.build import build_pack
from content_packs.changes import lesson_changes, new_pieces
from content_packs.errors import PackError
from content_packs.lesson_file import read_lesson_file
from content_packs.manifest import open_manifest, sign_manifest
from content_packs.outline import File
from content_packs.pack_names import MANIFEST_NAME, PIECES
from content_packs.packing import STORED, ZSTD
from content_packs.piece_file import PieceFile
from content_packs.store import PackStore
from content_packs.transfer import fetch
from content_packs.verify import open_pack, unpacked
from sync import cbor, cose
from sync.errors import SyncError
from sync.keys import SigningKey, key_id, sha256

from ..target import target
from .material import of
from .seeds import folded, payloads, unfolded, vectors, zipped

PUBLISHER = SigningKey.from_seed(bytes(range(128, 160)))
WORKSHOP = SigningKey.from_seed(b"publisher".ljust(32, b"."))
"""Who signs the packs of tests/content_packs/workshop.py."""
HEX = set("0123456789abcdef")
HASH = b"hash of the piece that follows.."


def _sealed(payload: bytes) -> bytes:
    key = WORKSHOP if WORKSHOP.public in payload else PUBLISHER
    return cose.seal(key, payload, cose.MANIFEST, key_id(key.public))


def _trusted(_key: bytes) -> bool:
    return True


@target("manifest", lambda: payloads("manifests"), PackError, SyncError)
def read_manifest(data: bytes) -> None:
    manifest = open_manifest(_sealed(data))
    again = open_manifest(sign_manifest(PUBLISHER, manifest))
    assert again == manifest, "a manifest changes when it is signed again"
    lesson_changes(manifest, again)
    new_pieces(manifest, again)


@target("lesson-file", lambda: vectors("manifests"), PackError, SyncError)
def read_lesson(data: bytes) -> None:
    read_lesson_file(data)


@target(
    "piece", lambda: [bytes(ZSTD) + data for data in vectors("manifests")] + vectors("manifests"), PackError
)
def read_piece(data: bytes) -> None:
    unpacked(data, sha256(data[1:]))


def _packs() -> list[bytes]:
    pieces = (b"isi satu", b"isi dua")
    return [zipped(of("workshop", "members_of")(pieces))]


@target("pack-file", _packs, PackError, SyncError)
def read_pack(data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz") as made:
        path = Path(made) / "some.lontar"
        path.write_bytes(data)
        with open_pack(path, _trusted) as pack:
            pack.check_all()


def _contents() -> list[bytes]:
    with tempfile.TemporaryDirectory(prefix="fuzz") as made:
        pack = of("workshop", "built")(Path(made))
        path = Path(made) / "some.lontar"
        path.write_bytes(of("workshop", "pack_bytes")(pack))
        with open_pack(path, _trusted) as opened:
            payload = cose.open_envelope(opened.envelope, 1 << 20).payload
            pieces = {
                digest.hex(): STORED + unpacked(opened.packed_piece(digest), digest)
                for digest in opened.digests()
            }
    return [folded({MANIFEST_NAME: payload, **pieces})]


@target("pack-content", _contents, PackError, SyncError)
def read_pack_content(data: bytes) -> None:
    """Pieces get the hashes of what they became, the manifest is signed again, and everything is installed."""
    files = unfolded(data)
    payload = files.pop(MANIFEST_NAME, b"")
    members = {}
    for name, content in files.items():
        digest = sha256(content[1:])
        if len(name) == 64 and name.isascii() and name.isalnum():
            payload = payload.replace(bytes.fromhex(name) if set(name) <= HEX else HASH, digest)
        members[PIECES + digest.hex()] = content
    with tempfile.TemporaryDirectory(prefix="fuzz") as made:
        path = Path(made) / "some.lontar"
        path.write_bytes(zipped({MANIFEST_NAME: _sealed(payload), **members}))
        with open_pack(path, _trusted) as pack:
            installed = PackStore(Path(made) / "store").install(pack)
        for lesson in installed.manifest.lessons:
            installed.lesson(lesson.number)


class _Line:
    """A line that brings what the fuzzer says, whatever is asked."""

    def __init__(self, envelope: bytes, piece: bytes) -> None:
        self._envelope, self._piece = envelope, piece

    def read(self, path: str, start: int) -> Iterator[bytes]:
        said = self._envelope if path.endswith(".cose") else self._piece
        yield from (said[start : start + 100], said[start + 100 :])


def _fetched() -> list[bytes]:
    content = vectors("manifests")[-1]
    file = File("a.cbor", "application/cbor", len(content), (HASH,))
    envelope = sign_manifest(WORKSHOP, of("workshop", "manifest_of")((), files=(file,)))
    return [cose.open_envelope(envelope, 1 << 20).payload + STORED + content]


@target("pack-fetch", _fetched, PackError, SyncError)
def fetch_pack(data: bytes) -> None:
    """A centre that sends a manifest, and the same bytes for every piece of it."""
    end = cbor.item_end(data, 0) or len(data)
    envelope = _sealed(data[:end].replace(HASH, sha256(data[end + 1 :])))
    with tempfile.TemporaryDirectory(prefix="fuzz") as made:
        fetch(PackStore(Path(made)), _Line(envelope, data[end:]), sha256(envelope), _trusted)


def _courses() -> list[bytes]:
    return [folded(of("workshop", "FILES"))]


@target("course-folder", _courses, PackError)
def read_course_folder(data: bytes) -> None:
    """Markdown, TOML and pictures as an author wrote them."""
    with tempfile.TemporaryDirectory(prefix="fuzz") as made:
        for name, content in unfolded(data).items():
            if name.replace("-", "").replace(".", "").isalnum() and not name.startswith("."):
                (Path(made) / name[:60]).write_bytes(content)
        build_pack(Path(made), PUBLISHER)


@target("piece-file", lambda: [bytes(range(64)), b"\0\0\5\1\3\2\4"], PackError, ValueError)
def read_piece_file(data: bytes) -> None:
    """Seeks and reads in a file of pieces as a browser's ranges ask for them."""
    pieces = {bytes([at]) * 32: bytes([at]) * (at * 3 + 1) for at in range(4)}
    whole = b"".join(pieces.values())
    file = File("a.bin", "application/octet-stream", len(whole), tuple(pieces))
    opened = PieceFile(file, pieces.__getitem__, lambda digest: len(pieces[digest]))
    for at in range(0, len(data) - 1, 2):
        place, size = data[at] % (len(whole) + 9), data[at + 1]
        opened.seek(place)
        found = opened.read(size)
        assert whole[place : place + size].startswith(found)
        assert found or not size or place >= len(whole)
