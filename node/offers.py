"""What the centre promises to this village and this laptop doesn't have: shown with sizes, fetched when the operator says so.

The newest version of each course counts. What was chosen is fetched whenever there is a signal, goes on after each break,
and is installed when all of it is here; a stick or a neighbour may have brought some of it before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from content_packs import transfer
from content_packs.http_line import HttpLine
from content_packs.manifest import Manifest, open_manifest
from content_packs.store import InstalledPack
from content_packs.transfer import Line, Progress
from content_packs.verify import trusted_by
from node.allowance import CountedLine, month_of
from node.errors import NodeError, UnknownThingError
from node.room import with_room
from node.trust import pinned_keyset
from node.wiring import Node
from node.worker import NO_HUB
from sync.decisions import PackPublished, PackWithdrawn
from sync.errors import N_, LontarError

CHOSEN: Final = "packs_to_fetch"
"""The manifests that the operator chose, by their hash."""
SLOW_BYTES_S: Final = 4096
"""A signal on which a course may well have to come."""
_DECISIONS_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Offer:
    """A course that could be fetched. `left` is how many bytes are still to come, as far as is known."""

    manifest_hash: bytes
    title: str
    version: int
    size: int
    left: int
    is_update: bool
    is_chosen: bool

    @property
    def minutes(self) -> int:
        """How long the rest takes on a slow signal."""
        return max(1, -(-self.left // SLOW_BYTES_S) // 60)


def offers(node: Node) -> list[Offer]:
    """What is promised and isn't here, the smallest first."""
    newest: dict[bytes, PackPublished] = {}
    for said in promised(node).values():
        known = newest.get(said.course_key)
        if known is None or said.version > known.version:
            newest[said.course_key] = said
    with node.store.read() as db:
        rows = db.execute("SELECT course_key, manifest_hash, version FROM packs").fetchall()
    installed = {bytes(row[0]): row[2] for row in sorted(rows, key=lambda row: row[2])}
    made = [
        _offer(node, said, key in installed)
        for key, said in newest.items()
        if installed.get(key, -1) < said.version
    ]
    return sorted(made, key=lambda offer: (offer.left, offer.title))


def promised(node: Node) -> dict[bytes, PackPublished]:
    """What the centre gives out to this village now, by the manifest's hash."""
    made: dict[bytes, PackPublished] = {}
    said = node.centre.decisions(PackPublished, PackWithdrawn, most=_DECISIONS_MOST)
    for decision in reversed(said):
        if isinstance(decision.kind, PackPublished):
            made[decision.kind.manifest_hash] = decision.kind
        elif isinstance(decision.kind, PackWithdrawn):
            made.pop(decision.kind.manifest_hash, None)
    return made


def choose(node: Node, manifest_hash: bytes, wanted: bool = True) -> None:
    """Fetch this pack whenever there is a signal, or no more.

    Raises:
        UnknownThingError: the centre doesn't give it out to this village.
    """
    if wanted and manifest_hash not in promised(node):
        raise UnknownThingError(N_("Pelatihan ini tidak (lagi) dibagikan untuk desa ini."))
    chosen = [one for one in node.store.get(CHOSEN, []) if one != manifest_hash]
    node.store.put(CHOSEN, [*chosen, manifest_hash] if wanted else chosen)


def fetch_chosen(
    node: Node,
    now_ms: int,
    neighbours: Sequence[str] = (),
    make_line: Callable[[str], Line] = HttpLine,
) -> list[InstalledPack]:
    """Fetch what was chosen, the smallest first: from laptops near by, which costs nothing, then from the centre.

    `now_ms` is the wall clock, by which the month's allowance is counted.

    Raises:
        LontarError: the line broke, or the allowance is spent; what came is kept.
    """
    made = []
    for offer in offers(node):
        if not offer.is_chosen:
            continue
        near = [make_line(address) for address in neighbours]
        pack = next(filter(None, (_from_neighbour(node, offer, line) for line in near)), None)
        made.append(pack or fetch(node, offer.manifest_hash, hub_line(node, now_ms, make_line)))
    return made


def hub_line(node: Node, now_ms: int, make_line: Callable[[str], Line] = HttpLine) -> Line:
    """The line to the centre, within the month's allowance.

    Raises:
        NodeError: nobody has said where the centre is.
    """
    if not node.worker.hub_url:
        raise NodeError(NO_HUB)
    return CountedLine(make_line(node.worker.hub_url), node.store, month_of(now_ms))


def fetch(
    node: Node, manifest_hash: bytes, line: Line, progress: Progress = lambda here, total: None
) -> InstalledPack:
    """Fetch a pack and install it.

    Raises:
        PackError, LontarError: as for `transfer.fetch`.
    """
    trust = trusted_by(pinned_keyset(node.store), None)
    pack = with_room(node, lambda: transfer.fetch(node.packs, line, manifest_hash, trust, progress).pack)
    manifest = pack.manifest
    node.recorder.install_pack(manifest.course_key, manifest_hash, manifest.version)
    choose(node, manifest_hash, wanted=False)
    return pack


def _from_neighbour(node: Node, offer: Offer, line: Line) -> InstalledPack | None:
    """What a laptop near by has of it comes from there; None if that isn't all."""
    with suppress(LontarError):
        return fetch(node, offer.manifest_hash, line)
    return None


def _offer(node: Node, said: PackPublished, is_update: bool) -> Offer:
    manifest = _known(node, said.manifest_hash)
    left = said.size
    if manifest is not None:
        left = transfer.lacking_bytes(manifest, node.packs.lacking(manifest))
    return Offer(
        said.manifest_hash,
        said.title or said.course_key.hex()[:8],
        said.version,
        said.size,
        left,
        is_update,
        said.manifest_hash in node.store.get(CHOSEN, []),
    )


def _known(node: Node, manifest_hash: bytes) -> Manifest | None:
    envelope = node.packs.offer(manifest_hash)
    try:
        return None if envelope is None else open_manifest(envelope)
    except LontarError:
        return None
