"""Course packs on this node: verified, installed, announced in the log, taken back, made here.

A laptop may sign courses of its own. Only laptops of its village believe them, and never in the place of a course that a
publisher gives out; once a publisher signs the same course (`lontar pack sign`), that one takes over, and what was
learned counts on.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from content_packs.build import build_pack
from content_packs.errors import PackError
from content_packs.manifest import Manifest
from content_packs.store import InstalledPack
from content_packs.verify import Trust, open_pack, trusted_by
from node.errors import UnknownThingError
from node.learning import HIDDEN, LOCAL
from node.offers import promised
from node.room import with_room
from node.trust import pinned_keyset
from node.wiring import Node
from sync.errors import N_, LontarError
from sync.keys import key_id
from sync.stick import PACK, PACKS, Stick


@dataclass(frozen=True, slots=True)
class Installed:
    """A version on this laptop. `is_shown`: it is on somebody's list; `is_hidden`: it was taken back."""

    pack: int
    manifest: Manifest
    is_shown: bool
    is_hidden: bool
    is_local: bool


def manifests(node: Node) -> dict[int, Manifest]:
    """The manifests of the installed packs, by their number in this log."""
    with node.store.read() as db:
        rows = db.execute("SELECT number, manifest_hash FROM packs ORDER BY number").fetchall()
    found = ((number, node.packs.get(manifest_hash)) for number, manifest_hash in rows)
    return {number: pack.manifest for number, pack in found if pack is not None}


def listed(node: Node) -> list[Installed]:
    """Everything that is installed, by title, the newest version first."""
    versions, on_lists = node.learning.versions()
    hidden = set(node.store.get(HIDDEN, []))
    made = [
        Installed(one.pack, one.manifest, one.pack in on_lists, one.pack in hidden, one.is_local)
        for one in versions
    ]
    return sorted(made, key=lambda one: (one.manifest.title, -one.manifest.version, -one.pack))


def install_pack(node: Node, file: Path, trust: str | None) -> InstalledPack:
    """Install a pack file whose publisher the hub's keyset names, whose fingerprint is `trust`, or that the village made.

    Raises:
        PackError: the pack can't be trusted or is damaged; nothing was installed.
        NoSpaceError: there is no room for it, even without what nobody needs any more.
    """
    by_publisher = trusted_by(pinned_keyset(node.store), trust)
    with open_pack(file, _or_village(node, by_publisher)) as pack:
        is_local = not by_publisher(pack.manifest.publisher_key)
        if is_local:
            _check_place(node, pack.manifest)
        installed = with_room(node, lambda: node.packs.install(pack))
    manifest = installed.manifest
    others = [one for one in node.store.get(LOCAL, []) if one != installed.manifest_hash]
    node.store.put(LOCAL, [*others, installed.manifest_hash] if is_local else others)
    node.recorder.install_pack(manifest.course_key, installed.manifest_hash, manifest.version)
    return installed


def make_local(node: Node, folder: Path, keep: Path | None = None) -> InstalledPack:
    """Build a course folder, sign it with this laptop's key and install it; `keep` is a file to write it to as well.

    Raises:
        PackError: something in the folder must be mended, or a publisher has a course of this id.
        OSError: `keep` can't be written.
    """
    built = build_pack(folder, node.config.device_key)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "paket.lontar"
        with path.open("wb") as file:
            built.write(file)
        installed = install_pack(node, path, None)
        if keep is not None:
            keep.write_bytes(path.read_bytes())
    return installed


def install_from(node: Node, drive: Stick) -> list[str]:
    """Install the course packs on a stick that this village may have; returns the new courses' titles.

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


def take_back(node: Node, course_id: str) -> tuple[Manifest, Manifest]:
    """Take the newest version of a course off everybody's list: the one before it is learned from again.

    Returns the version that was taken back, and the one that is learned from now.

    Raises:
        UnknownThingError: there is no such course, or no version before it.
        PackError: the version before made room for others, and has to be brought again first.
    """
    shown = [one for one in listed(node) if one.manifest.course_id == course_id and not one.is_hidden]
    if len(shown) < 2:
        raise UnknownThingError(
            N_("Pelatihan %(course)s tidak punya versi sebelumnya di laptop ini."), course=course_id
        )
    newest = next(one for one in shown if one.is_shown)
    before = next(one for one in shown if one.pack != newest.pack)
    if node.packs.lacking(before.manifest):
        raise PackError(
            N_(
                "Isi versi %(version)s sudah dihapus karena ruang sempit. Pasang lagi paketnya, lalu ulangi."
            ),
            version=before.manifest.version,
        )
    node.learning.hide(newest.pack)
    return newest.manifest, before.manifest


def show_again(node: Node, course_id: str) -> Manifest:
    """Put the newest version that was taken back on the list again.

    Raises:
        UnknownThingError: none of this course was taken back.
    """
    hidden = [one for one in listed(node) if one.manifest.course_id == course_id and one.is_hidden]
    if not hidden:
        raise UnknownThingError(
            N_("Tidak ada versi pelatihan %(course)s yang pernah ditarik kembali."), course=course_id
        )
    node.learning.hide(hidden[0].pack, is_hidden=False)
    return hidden[0].manifest


def _or_village(node: Node, by_publisher: Trust) -> Trust:
    def trust(key: bytes) -> bool:
        return by_publisher(key) or _is_of_village(node, key)

    return trust


def _is_of_village(node: Node, key: bytes) -> bool:
    return key == node.config.device_key.public or node.centre.public_key(key_id(key)) == key


def _check_place(node: Node, manifest: Manifest) -> None:
    published = {said.course_key for said in promised(node).values()}
    published |= {
        one.manifest.course_key
        for one in listed(node)
        if not one.is_local and not _is_of_village(node, one.manifest.publisher_key)
    }
    if manifest.course_key in published:
        raise PackError(
            N_("Pelatihan dengan id %(id)s milik penerbit. Beri pelatihan desa id yang lain."),
            id=manifest.course_id,
        )
