"""Letting a village operator back in who forgot the password, with a code that the centre reads out by telephone.

Works without any network. The challenge on the screen stays until it was used or five wrong codes were typed, so a
call may take a while and a restart doesn't matter. Owns the setting `unlock`.
"""

from __future__ import annotations

from typing import Final

from node.errors import NodeError
from node.learners import OPERATOR, Secrets
from node.recorder import OperatorAction
from node.sittings import Sittings
from node.trust import pinned_keyset
from node.wiring import Node
from sync import unlock
from sync.errors import N_
from sync.keys import RandomBytes, key_id
from sync.sealing import CLASSICAL, OpeningKey

TRIES: Final = 5
_UNLOCK: Final = "unlock"


class Unlocking:
    """The centre's code, at one laptop."""

    def __init__(self, node: Node, secrets: Secrets, sittings: Sittings, random_bytes: RandomBytes) -> None:
        self._node = node
        self._secrets = secrets
        self._sittings = sittings
        self._random_bytes = random_bytes

    def challenge(self) -> str:
        """What the operator reads out to the centre.

        Raises:
            NodeError: this laptop doesn't know a centre that could answer.
        """
        self._centre()
        with self._node.store.write():
            return self._state()[0]

    def open(self, typed: str, password: str) -> None:
        """Give the village operator this new password, if `typed` is the centre's code for the challenge.

        Raises:
            NodeError: the code is wrong, or this laptop doesn't know a centre; nothing was changed.
            MalformedError: what was typed is no code; it doesn't count as a try.
        """
        centre = self._centre()
        device = key_id(self._node.config.device_key.public)
        opening = OpeningKey(CLASSICAL, self._node.config.sealing_seed)
        with self._node.store.write():
            challenge, tries = self._state()
            is_right = unlock.is_right(typed, unlock.code(opening, centre, device, challenge))
            if is_right:
                self._node.store.put(_UNLOCK, None)
                self._secrets.forget(OPERATOR)
                self._secrets.set(OPERATOR, password)
                self._node.recorder.act(OperatorAction.UNLOCKED_BY_CENTRE)
            else:
                tries += 1
                self._node.store.put(_UNLOCK, [challenge, tries] if tries < TRIES else None)
        # Only here: a refusal inside the transaction would take the counted try back.
        if not is_right:
            raise _wrong(tries)
        self._sittings.end_all_of(OPERATOR)

    def _state(self) -> tuple[str, int]:
        match self._node.store.get(_UNLOCK):
            case [str() as challenge, int() as tries]:
                return challenge, tries
        made = unlock.make_challenge(self._random_bytes)
        self._node.store.put(_UNLOCK, [made, 0])
        return made, 0

    def _centre(self) -> bytes:
        keyset = pinned_keyset(self._node.store)
        if keyset is None:
            raise NodeError(
                N_(
                    "Laptop ini belum mengenal pusat, jadi kode dari pusat belum dapat dipakai. Hubungi Dinas PMD."
                )
            )
        return keyset.intake.public


def _wrong(tries: int) -> NodeError:
    if tries >= TRIES:
        return NodeError(
            N_("Kode salah lima kali. Bacakan kode layar yang baru kepada pusat dan minta kode baru.")
        )
    return NodeError(
        N_("Kode dari pusat salah. Sisa %(count)s kali coba; periksa lagi hurufnya."), count=TRIES - tries
    )
