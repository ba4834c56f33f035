"""From a publisher's computer to a centre: the manifest first, then the pieces that the centre says it lacks.

Whoever signed the manifest needs no password: the centre takes pieces only of manifests whose publisher it knows, and knows
each piece by its hash. So a line that broke costs what was under way; doing it again sends the rest. Messages are CBOR:

    offer   -> the envelope of the manifest        answer: [hash of a piece that is lacking, ...]
    pieces  -> [manifest hash, [[hash, piece as it is carried], ...]]   answer: how many are lacking still

Nobody is promised the pack by this: an operator does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from content_packs import limits
from content_packs.errors import PackError
from content_packs.manifest import open_manifest
from content_packs.store import PackStore
from content_packs.transfer import check_trust, lacking_bytes
from content_packs.verify import PackFile, Trust
from sync import cbor
from sync.errors import N_, NotAHubError
from sync.keys import sha256
from sync.post import Post, Progress

OFFER_PATH: Final = "/v1/packs/offer"
PIECES_PATH: Final = "/v1/packs/pieces"
ANSWER_MOST: Final = 4 * 1024 * 1024
BODY_MOST: Final = limits.PIECE + 64 * 1024
_BATCH: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """How many pieces went over the line, of how many; the rest was there already."""

    sent: int
    of: int


def send(pack: PackFile, road: Post, progress: Progress = lambda sent, total: None) -> Sent:
    """Bring a pack to the centre; `progress` is told bytes of pieces.

    Raises:
        ExchangeError: the centre wasn't reached, or refused; what arrived stays there.
    """
    lacking = _hashes(cbor_of(road.send(OFFER_PATH, pack.envelope, ANSWER_MOST)))
    known = pack.digests()
    wanted = [digest for digest in known if digest in lacking]
    total, done = sum(map(pack.packed_size, wanted)), 0
    left = len(wanted)
    for batch in _batches(pack, wanted):
        body = cbor.encode([pack.manifest_hash, [[digest, piece] for digest, piece in batch]])
        left = _count(cbor_of(road.send(PIECES_PATH, body, ANSWER_MOST)))
        done += sum(len(piece) for _digest, piece in batch)
        progress(done, total)
    if left:
        raise NotAHubError(
            N_("Pusat belum menerima seluruh paket. Ulangi perintah ini; hanya sisanya dikirim.")
        )
    return Sent(len(wanted), len(known))


def take_offer(store: PackStore, envelope: bytes, trust: Trust) -> bytes:
    """The centre's answer to an offer: what it lacks.

    Raises:
        UntrustedPackError: the centre doesn't know its publisher.
        NoSpaceError: it wouldn't fit.
        PackError, SyncError: it isn't a manifest.
    """
    manifest = open_manifest(envelope)
    check_trust(manifest, trust)
    lacking = store.lacking(manifest)
    store.check_room(lacking_bytes(manifest, lacking), manifest.title)
    if store.get(sha256(envelope)) is None or lacking:
        store.keep_offer(envelope)
    return cbor.encode([digest for digest, _begun in lacking])


def take_pieces(store: PackStore, body: bytes, complete: Callable[[bytes], None]) -> bytes:
    """The centre's answer to pieces: how many are lacking still. `complete` is told the manifest hash when none is.

    Raises:
        PackError: they are of no manifest that was offered, or damaged; those before stay.
        SyncError: it isn't such a message.
    """
    match cbor.decode(body, BODY_MOST):
        case [bytes() as manifest_hash, list() as pieces]:
            envelope = store.offer(manifest_hash)
        case _:
            raise _unreadable()
    if envelope is None:
        raise PackError(
            N_("Paket ini belum ditawarkan kepada pusat. Ulangi dari awal: lontar pack publish.")
        )
    manifest = open_manifest(envelope)
    lacking = {digest for digest, _begun in store.lacking(manifest)}
    for one in pieces:
        match one:
            case [bytes() as digest, bytes() as piece]:
                if digest in lacking:
                    # What had begun over another line is begun anew.
                    store.drop_begun(digest)
                    store.take_piece(digest, [piece])
                    lacking.discard(digest)
            case _:
                raise _unreadable()
    if not lacking:
        store.complete(manifest_hash)
        complete(manifest_hash)
    return cbor.encode(len(lacking))


def cbor_of(answer: bytes) -> Any:
    return cbor.decode(answer, ANSWER_MOST)


def _batches(pack: PackFile, digests: Iterable[bytes]) -> Iterator[list[tuple[bytes, bytes]]]:
    batch: list[tuple[bytes, bytes]] = []
    size = 0
    for digest in digests:
        piece = pack.packed_piece(digest)
        if batch and size + len(piece) > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append((digest, piece))
        size += len(piece)
    if batch:
        yield batch


def _hashes(answer: Any) -> set[bytes]:
    if not isinstance(answer, list) or not all(isinstance(one, bytes) for one in answer):
        raise NotAHubError(N_("Jawaban pusat tidak dapat dibaca."))
    return set(answer)


def _count(answer: Any) -> int:
    if type(answer) is not int:
        raise NotAHubError(N_("Jawaban pusat tidak dapat dibaca."))
    return answer


def _unreadable() -> PackError:
    return PackError(N_("Kiriman paket ini tidak dapat dibaca."))
