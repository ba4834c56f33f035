"""Making this node known to its hub, and pinning the hub's root key in return."""

from __future__ import annotations

from dataclasses import dataclass

from node.config import Config
from node.shelf import NodeShelf
from node.store import Store
from node.trust import pin, pinned_keyset
from sync.client import Client
from sync.errors import N_, RefusedError
from sync.keys import fingerprint, sha256
from sync.keyset import is_outdated, open_keyset
from sync.machine import Machine
from sync.registration import (
    Registration,
    device_proof,
    open_answer,
    read_code,
    sign_registration,
)
from sync.sealing import sealing_public


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the hub said: `state` as in `RegistrationAnswer`, and the root's fingerprint to compare."""

    state: str
    village: str
    root_fingerprint: str


def enrol(
    config: Config, store: Store, shelf: NodeShelf, client: Client, machine: Machine, code_text: str | None
) -> Enrolment:
    """Register with the hub, with or without a code. Can be repeated.

    Raises:
        LontarError: the hub wasn't reached, refused, or couldn't prove that it knows the code.
    """
    code = read_code(code_text) if code_text else None
    nonce = machine.random_bytes(16)
    public = config.device_key.public
    registration = Registration(
        public,
        sealing_public(config.sealing_seed),
        config.village,
        code.handle if code else "",
        device_proof(code.key(), public, nonce) if code else b"",
        nonce,
    )
    request = sign_registration(config.device_key, registration)
    pinned = pinned_keyset(store)
    answer = open_answer(client.register(request), request, code, pinned)
    keyset = open_keyset(answer.keyset)
    if answer.village and answer.village != config.village:
        raise RefusedError(
            N_("Pusat mendaftarkan perangkat ini untuk desa %(hub)s, bukan %(node)s. Hubungi Dinas PMD."),
            hub=answer.village,
            node=config.village,
        )
    if not is_outdated(keyset, pinned):
        pin(store, answer.keyset)
    shelf.note_registration(answer.state, answer.hub_ms, sha256(answer.keyset + request))
    return Enrolment(answer.state, answer.village, fingerprint(keyset.root))
