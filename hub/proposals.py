"""New keysets by two people: one proposes, holders of the root key's shares approve, then the hub puts it in force.

A proposal is a file that goes from hand to hand. It holds the keyset in force and the one that shall follow, so that
anybody sees what would change without this hub. Who approves signs exactly that, and seals the own share to a key that
is made for this one proposal (see `rotation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from hub.errors import HubError
from hub.root_shares import Holder, Share
from sync import cbor, cose, limits
from sync.errors import N_, LontarError, MalformedError
from sync.keys import fingerprint, sha256
from sync.keyset import Keyset, keyset_payload, open_keyset, read_keyset
from sync.sealing import CLASSICAL, SealingKey

SUFFIX: Final = ".usulan"
BY_MOST: Final = 60
REASON_MOST: Final = 200

_FORMAT: Final = "lontar-usulan-1"
_CONTENT_FORMAT: Final = 1
_APPROVAL: Final = b"lontar/keyset-approval/1"
SHARE: Final = b"lontar/root-share/1"

T = TypeVar("T")
Difference = tuple[str, dict[str, object]]
"""A sentence to be translated, and what goes into it."""


class _File(msgspec.Struct, frozen=True):
    format: str
    content: bytes
    approvals: list[bytes]


@dataclass(frozen=True, slots=True)
class Approval:
    """One holder's word for one proposal, with the share sealed to the proposal's own key."""

    name: str
    made_ms: int
    sealed: bytes
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Proposal:
    """`in_force` is the envelope of the keyset `before`, which `after` shall follow."""

    content: bytes
    in_force: bytes
    before: Keyset
    after: Keyset
    once: SealingKey
    by: str
    reason: str
    made_ms: int
    approvals: tuple[Approval, ...]

    @property
    def number(self) -> str:
        """What people compare: another content has another number."""
        return sha256(self.content)[:8].hex()

    def data(self) -> bytes:
        """The file that goes from hand to hand."""
        made = _File(_FORMAT, self.content, [one.envelope for one in self.approvals])
        return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def make(in_force: bytes, after: Keyset, once: SealingKey, by: str, reason: str, now_ms: int) -> Proposal:
    """A proposal of `after`, which nobody has approved yet; shares are to be sealed to `once`.

    Raises:
        HubError: nobody proposes it, too long a reason is given, or nothing would change.
    """
    if not by or len(by) > BY_MOST or len(reason) > REASON_MOST:
        raise HubError(
            N_("Nama pengusul 1 sampai %(by)s huruf, alasan paling banyak %(reason)s."),
            by=BY_MOST,
            reason=REASON_MOST,
        )
    said = [_CONTENT_FORMAT, in_force, keyset_payload(after), once.public, by, reason, now_ms]
    proposal = parsed(cbor.encode(said), ())
    if not differences(proposal):
        raise HubError(N_("Usulan ini tidak mengubah apa pun."))
    return proposal


def read(data: bytes) -> Proposal:
    """A proposal from its file. Approvals in it are of this very content; whose they are, `approved_by` finds out.

    Raises:
        LontarError: it is no proposal, or it was changed after it was made.
    """
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise _no_proposal() from problem
    if file.format != _FORMAT:
        raise _no_proposal()
    return parsed(file.content, [_approval(one, file.content) for one in file.approvals])


def differences(proposal: Proposal) -> list[Difference]:
    """What would change, a sentence each, from the two keysets themselves."""
    before, after = proposal.before, proposal.after
    found: list[Difference] = []

    def say(sentence: str, *keys: bytes) -> None:
        found.append((sentence, dict(zip(("key", "other"), map(fingerprint, keys), strict=False))))

    if after.hub_keys[0] != before.hub_keys[0]:
        say(
            N_("* Yang menandatangani tanda terima dan keputusan: %(key)s menjadi %(other)s"),
            before.hub_keys[0],
            after.hub_keys[0],
        )
    for key in _only(after.hub_keys, before.hub_keys):
        say(N_("+ Kunci pusat %(key)s"), key)
    for key in _only(before.hub_keys, after.hub_keys):
        say(N_("- Kunci pusat %(key)s: yang pernah ditandatanganinya tidak lagi dipercaya"), key)
    if after.intake != before.intake:
        say(
            N_(
                "* Kunci paket data desa: %(key)s menjadi %(other)s; paket untuk yang lama tetap dapat dibuka"
            ),
            before.intake.public,
            after.intake.public,
        )
    for key in _only(after.publisher_keys, before.publisher_keys):
        say(N_("+ Penerbit %(key)s: desa menerima pelatihan darinya"), key)
    for key in _only(before.publisher_keys, after.publisher_keys):
        say(N_("- Penerbit %(key)s: desa tidak lagi menerima pelatihan darinya"), key)
    for upper in _only(after.upstream, before.upstream):
        say(N_("+ Pusat di atas %(key)s: dapat membuka paket data desa"), upper.public)
    for upper in _only(before.upstream, after.upstream):
        say(N_("- Pusat di atas %(key)s: tidak lagi dapat membuka paket data desa"), upper.public)
    return found


def approve(proposal: Proposal, share: Share, now_ms: int) -> Proposal:
    """The proposal with one more holder's word.

    Raises:
        HubError: this holder has approved it already, or the share is of another hub's root key.
    """
    if share.root != proposal.before.root:
        raise HubError(N_("Bagian kunci ini milik pusat lain. Tidak ada yang diubah."))
    if any(one.name == share.name for one in proposal.approvals):
        raise HubError(
            N_("%(name)s sudah menyetujui usulan ini; orang kedua harus orang lain."), name=share.name
        )
    digest = sha256(proposal.content)
    sealed = proposal.once.seal(share.words.encode(), SHARE + digest)
    said = cbor.encode([digest, share.name, now_ms, sealed])
    made = _approval(cose.seal(share.key, said, _APPROVAL), proposal.content)
    return parsed(proposal.content, (*proposal.approvals, made))


def approved_by(proposal: Proposal, holders: Sequence[Holder]) -> list[Approval]:
    """The approvals, one a holder.

    Raises:
        HubError: one is of nobody who holds a share now.
    """
    found: dict[bytes, Approval] = {}
    for one in proposal.approvals:
        holder = next((holder for holder in holders if holder.name == one.name), None)
        envelope = cose.open_envelope(one.envelope, limits.CONTROL_ITEM)
        try:
            if holder is not None:
                envelope.verify(holder.public, _APPROVAL)
        except LontarError:
            holder = None
        if holder is None:
            raise HubError(
                N_("Persetujuan atas nama %(name)s bukan dari pemegang bagian kunci yang sekarang."),
                name=one.name,
            )
        found.setdefault(holder.public, one)
    return list(found.values())


def parsed(content: bytes, approvals: Sequence[Approval]) -> Proposal:
    """A proposal of this content, if it is one.

    Raises:
        MalformedError: it isn't.
    """
    try:
        match cbor.decode(content, 2 * limits.CONTROL_ITEM):
            case [
                int() as version,
                bytes() as in_force,
                bytes() as following,
                bytes() as once,
                str() as by,
                str() as reason,
                int() as made_ms,
            ] if version == _CONTENT_FORMAT:
                before, after = open_keyset(in_force), read_keyset(following)
            case _:
                raise _no_proposal()
    except LontarError as problem:
        raise _no_proposal() from problem
    if (after.root, after.version) != (before.root, before.version + 1):
        raise _no_proposal()
    key = SealingKey(CLASSICAL, once)
    return Proposal(content, in_force, before, after, key, by, reason, made_ms, tuple(approvals))


def _approval(envelope: bytes, content: bytes) -> Approval:
    """An approval whose signature has not been checked yet.

    Raises:
        HubError: it is for another content.
    """
    match cbor.decode(cose.open_envelope(envelope, limits.CONTROL_ITEM).payload):
        case [bytes() as digest, str() as name, int() as made_ms, bytes() as sealed]:
            if digest == sha256(content):
                return Approval(name, made_ms, sealed, envelope)
    raise HubError(N_("Usulan ini berubah sesudah disetujui. Tidak ada yang diubah."))


def _only(these: Sequence[T], those: Sequence[T]) -> list[T]:
    return [one for one in these if one not in those]


def _no_proposal() -> MalformedError:
    return MalformedError(N_("Berkas ini bukan usulan daftar kunci, atau telah berubah."))
