"""A centre for tests of the node, without a hub around it: keys, and what it says as signed segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from desa import VILLAGE
from device import Device

from node.store import Store
from node.trust import pin
from sync import cose, segment
from sync.decisions import DeviceRegistered, HubLogOpened
from sync.entries import Entry, Kind
from sync.items import ItemKind, wrap
from sync.keys import SigningKey
from sync.keyset import Keyset, sign_keyset
from sync.sealing import CLASSICAL, OpeningKey
from sync.segment import Segment

ROOT: Final = SigningKey.from_seed(b"root".ljust(32, b"."))
HUB: Final = SigningKey.from_seed(b"hub".ljust(32, b"."))
INTAKE: Final = OpeningKey(CLASSICAL, b"intake".ljust(32, b"."))
OPENED_MS: Final = 1_772_413_200_000


def keyset(version: int = 1, hub: SigningKey = HUB) -> Keyset:
    return Keyset(version, ROOT.public, (hub.public,), INTAKE.public, (HUB.public,))


def trusting(store: Store) -> Keyset:
    """The store of a device that knows this centre."""
    return pin(store, sign_keyset(ROOT, keyset()))


@dataclass
class Word:
    """One log of the centre."""

    scope: str = VILLAGE
    key: SigningKey = HUB
    nonce: bytes = bytes(16)
    opened_ms: int = OPENED_MS
    segments: list[Segment] = field(default_factory=list)
    _seq: int = 0

    def says(self, *kinds: Kind) -> Segment:
        """Each a second after the one before, in one segment."""
        said = list(kinds)
        if not self.segments:
            said.insert(0, HubLogOpened(1, self.scope, self.nonce, self.opened_ms, 0))
        entries = [
            Entry(self._seq + at, kind.number, 1000 * (self._seq + at), kind.fields())
            for at, kind in enumerate(said)
        ]
        before = self.segments[-1] if self.segments else None
        sealed = segment.seal(
            self.key,
            self.segments[0].id if before else b"",
            len(self.segments),
            before.id if before else b"",
            entries,
            1000 * max(0, self._seq - 1),
            cose.HUB_SEGMENT,
        )
        self._seq += len(entries)
        self.segments.append(sealed)
        return sealed

    def set_back(self, to: int) -> Word:
        """The same log as a hub goes on with it that has lost everything after segment `to`."""
        kept = self.segments[: to + 1]
        return Word(self.scope, self.key, self.nonce, self.opened_ms, kept, kept[-1].end_seq)


def certificate(device: Device, village: str = VILLAGE) -> DeviceRegistered:
    return DeviceRegistered(device.key.public, bytes(32), village)


def stream(*segments: Segment) -> bytes:
    """Hub segments as they come after a receipt or in mail."""
    return b"".join(wrap(ItemKind.HUB_SEGMENT, one.data) for one in segments)


def of_devices(devices: Sequence[Device]) -> bytes:
    """Everything of these devices as it comes in history."""
    return b"".join(
        item
        for device in devices
        for item in [
            *(profile.encode() for profile in device.profiles),
            *(one.data for one in device.segments),
        ]
    )
