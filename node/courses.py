"""Course packs on this node: verified, installed, announced in the log."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from content_packs.manifest import Manifest
from content_packs.store import InstalledPack
from content_packs.verify import open_pack, trusted_by
from node.trust import pinned_keyset
from node.wiring import Node
from sync.errors import LontarError
from sync.stick import PACK, PACKS, Stick


def manifests(node: Node) -> dict[int, Manifest]:
    """The manifests of the installed packs, by their number in this log."""
    with node.store.read() as db:
        rows = db.execute("SELECT number, manifest_hash FROM packs ORDER BY number").fetchall()
    found = ((number, node.packs.get(manifest_hash)) for number, manifest_hash in rows)
    return {number: pack.manifest for number, pack in found if pack is not None}


def install_pack(node: Node, file: Path, trust: str | None) -> InstalledPack:
    """Install a pack file whose publisher the hub's keyset names, or whose fingerprint is `trust`.

    Raises:
        PackError: the pack can't be trusted or is damaged; nothing was installed.
    """
    with open_pack(file, trusted_by(pinned_keyset(node.store), trust)) as pack:
        installed = node.packs.install(pack)
    manifest = installed.manifest
    node.recorder.install_pack(manifest.course_key, installed.manifest_hash, manifest.version)
    return installed


def install_from(node: Node, drive: Stick) -> list[str]:
    """Install the course packs on a stick whose publisher the hub's keyset names; returns the new courses' titles.

    Others are passed over: whoever brought them can install them by name, with their publisher's fingerprint.
    """
    titles = []
    for path in drive.file_paths(PACKS, PACK):
        known = set(manifests(node).values())
        with suppress(LontarError):
            manifest = install_pack(node, path, None).manifest
            if manifest not in known:
                titles.append(manifest.title)
    return titles
