"""A proposed keyset on its way into force, at the hub that proposed it: only here two shares are opened, and forgotten.

Owns the folder `proposals` in the data folder: private keys that wait for a proposal, never in a backup.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from content_packs.store import write_safely
from hub import audit, keyring, proposals, root_shares
from hub.config import Config
from hub.errors import HubError
from hub.proposals import SHARE, SUFFIX, Approval, Proposal
from hub.root_shares import NEEDED
from sync.errors import N_, LontarError
from sync.keys import SigningKey, sha256
from sync.keyset import Keyset, sign_keyset
from sync.sealing import CLASSICAL, OpeningKey
from web.data_folder import read_key, write_key

FOLDER: Final = "proposals"
_ONCE: Final = "once.key"


def propose(config: Config, change: keyring.Change, by: str, reason: str, now_ms: int) -> Proposal:
    """Make the keys that `change` needs, and the proposal; nothing is in force yet.

    Raises:
        HubError: the root key was never shared, or the change can't be made.
    """
    if not root_shares.holders_of(config.data, config.keyset.root):
        raise HubError(
            N_(
                "Kunci akar pusat ini belum dibagi. Bagikan dulu: lontar hub keys share, atau pakai keys rotate."
            )
        )
    after, seeds = keyring.changed(config.keyset, change, config.random_bytes)
    once = OpeningKey(CLASSICAL, config.random_bytes(32))
    proposal = proposals.make(config.keyset_data, after, once.public, by, reason, now_ms)
    folder = _folder(config, proposal)
    folder.mkdir(mode=0o700, parents=True)
    for name, seed in {**seeds, _ONCE: once.seed}.items():
        write_key(folder / name, seed)
    write_safely(folder / f"copy{SUFFIX}", proposal.data())
    return proposal


def refuse_stale(config: Config, proposal: Proposal) -> None:
    """
    Raises:
        HubError: the keyset has moved on since, or it is another hub's.
    """
    if proposal.in_force != config.keyset_data:
        raise HubError(
            N_(
                "Usulan ini dibuat atas daftar kunci versi %(old)s, sedangkan yang berlaku versi %(now)s. "
                "Usulkan lagi. Tidak ada yang diubah."
            ),
            old=proposal.before.version,
            now=config.keyset.version,
        )


def activate(engine: Engine, config: Config, copies: Sequence[Proposal], now_ms: int) -> Keyset:
    """Put a proposal in force, with the approvals of all its copies. May be done again after an interruption.

    Raises:
        HubError: too few have approved it, it was changed, isn't of this hub, or is stale; nothing was changed.
    """
    content = copies[0].content
    if any(copy.content != content for copy in copies):
        raise HubError(N_("Berkas-berkas ini usulan yang berbeda. Tidak ada yang diubah."))
    proposal = proposals.parsed(content, [one for copy in copies for one in copy.approvals])
    folder = _folder(config, proposal)
    if config.keyset == proposal.after:  # an interruption came between the keyset and the word of it
        keyring.tell(engine, config.keyset_data, config.keyset.version, now_ms)
        _forget(config)
        return config.keyset
    refuse_stale(config, proposal)
    if not folder.is_dir():
        raise HubError(
            N_("Usulan ini berubah, atau tidak dibuat di folder data ini. Tidak ada yang diubah.")
        )
    approvals = proposals.approved_by(proposal, root_shares.holders_of(config.data, config.keyset.root))
    if len(approvals) < NEEDED:
        raise HubError(
            N_("Baru %(count)s dari %(needed)s persetujuan. Minta pemegang bagian lain menyetujuinya."),
            count=len(approvals),
            needed=NEEDED,
        )
    root, seeds = _root(folder, proposal, approvals), _seeds(folder, proposal)
    audit.note(
        engine,
        config,
        proposal.by,
        "keys.activate",
        f"version={proposal.after.version} proposal={proposal.number} "
        f"approved={', '.join(one.name for one in approvals)}",
        now_ms,
    )
    keyring.put_in_force(
        engine, config, sign_keyset(root, proposal.after), proposal.after.version, seeds, now_ms
    )
    _forget(config)
    return proposal.after


def waiting(config: Config) -> list[Proposal]:
    """Proposals made here that are neither in force nor stale, the oldest first."""
    found = []
    for path in (config.data / FOLDER).glob(f"*/copy{SUFFIX}"):
        with suppress(LontarError):
            proposal = proposals.read(path.read_bytes())
            if proposal.in_force == config.keyset_data:
                found.append(proposal)
    return sorted(found, key=lambda one: (one.made_ms, one.number))


def _root(folder: Path, proposal: Proposal, approvals: Sequence[Approval]) -> SigningKey:
    once = OpeningKey(CLASSICAL, read_key(folder / _ONCE))
    info = SHARE + sha256(proposal.content)
    words = [once.unseal(one.sealed, info).decode() for one in approvals]
    return root_shares.joined(words, proposal.before.root)


def _seeds(folder: Path, proposal: Proposal) -> dict[str, bytes]:
    """The private keys that wait for this proposal.

    Raises:
        HubError: one that the new keyset needs is missing.
    """
    found: dict[str, bytes] = {}
    known = {proposal.before.hub_keys[0], proposal.before.intake.public}
    version = proposal.after.version
    for path in sorted(folder.glob(f"*-{version}.key")):
        seed = found[path.name] = bytes.fromhex(path.read_text(encoding="ascii").strip())
        is_hub_key = path.name.startswith("hub-")
        suite = proposal.after.intake.suite
        known.add(
            SigningKey.from_seed(seed).public if is_hub_key else OpeningKey(suite, seed).public.public
        )
    if not {proposal.after.hub_keys[0], proposal.after.intake.public} <= known:
        raise HubError(N_("Kunci baru untuk usulan ini hilang dari folder data. Usulkan lagi."))
    return found


def _forget(config: Config) -> None:
    """Every other proposal is stale now, and their keys must open nothing any more."""
    shutil.rmtree(config.data / FOLDER, ignore_errors=True)


def _folder(config: Config, proposal: Proposal) -> Path:
    return config.data / FOLDER / proposal.number
