"""A device for tests of the hub: a real key and real segments, without a node around them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub import merge, registry
from hub.wiring import Hub, now_ms
from sync import exchange, segment
from sync.entries import Entry, Kind, LearnerAdded, LogOpened, PackInstalled
from sync.exchange import Receipt, Request
from sync.keys import SigningKey, key_id, sha256
from sync.log import Head
from sync.profile import Profile
from sync.registration import Registration, sign_registration
from sync.sealing import sealing_public
from sync.segment import Segment

VILLAGE = "17.05.10.2007"
COURSE = (sha256(b"course")[:16], sha256(b"manifest"), 1)


@dataclass
class Device:
    """Writes one log; `fork()` gives a second writer with the same past, as a cloned disk does."""

    seed: int = 1
    segments: list[Segment] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    t: int = 0
    came: bytes = b""
    """The items that came with the last receipt."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.key = SigningKey.generate(self.rng.randbytes)

    @property
    def id(self) -> bytes:
        return key_id(self.key.public)

    @property
    def log(self) -> bytes:
        return self.segments[0].id

    @property
    def tip(self) -> Head:
        return Head(self.log, self.segments[-1].index, self.segments[-1].id)

    def open(self, people: int = 2) -> Device:
        """The first segment: the log, one course, and `people`."""
        sealing = sealing_public(self.rng.randbytes(32))
        opened = LogOpened(1, self.key.public, sealing, self.rng.randbytes(16), 0, b"")
        self.seal(opened, PackInstalled(*COURSE), *(self.person() for _ in range(people)))
        return self

    def person(self) -> LearnerAdded:
        profile = Profile.make(self.rng.randbytes, f"Peserta {len(self.profiles) + 1}", "Kaur Keuangan")
        self.profiles.append(profile)
        return LearnerAdded(profile.commitment)

    @property
    def short_tip(self) -> Head:
        """As it stands in a receipt."""
        return Head(self.log[:8], self.tip.index, self.tip.id[:8])

    def seal(self, *kinds: Kind) -> Segment:
        """Record `kinds`, a second apart, and seal them."""
        base_t, first = self.t, len(self.entries)
        made = []
        for kind in kinds:
            self.t += 1000
            made.append(Entry(first + len(made), kind.number, self.t, kind.fields()))
        return self.seal_entries(made, base_t)

    def seal_entries(self, entries: Sequence[Entry], base_t: int) -> Segment:
        log = self.log if self.segments else b""
        previous = self.segments[-1].id if self.segments else b""
        sealed = segment.seal(self.key, log, len(self.segments), previous, entries, base_t)
        self.entries.extend(entries)
        self.segments.append(sealed)
        return sealed

    def fork(self) -> Device:
        """A clone: the same key and past, its own future."""
        return Device(self.seed, list(self.segments), list(self.entries), list(self.profiles), self.t)

    def header(self, *heads: Head) -> bytes:
        return exchange.sign_request(self.key, Request(self.id, self.t, now_ms() // 1000, heads))

    def send(
        self, hub: Hub, *segments: Segment, heads: Sequence[Head] = (), merged: bool = True
    ) -> Receipt:
        """One round trip, without HTTP; all segments if none are named."""
        header = self.header(*heads)
        under_way = hub.intake.open(header)
        for profile in self.profiles:
            under_way.take(profile.encode())
        for sent in segments or (() if heads else self.segments):
            under_way.take(sent.data)
        answer, self.came = exchange.split_answer(under_way.receipt())
        receipt = exchange.open_receipt(answer, hub.config.keyset.hub_keys, header)
        for log in under_way.touched_logs if merged else ():
            merge.merge_log(hub.engine, log)
        return receipt

    def ask_to_register(self, hub: Hub, village: str = VILLAGE) -> None:
        asked = Registration(self.key.public, sealing_public(bytes(32)), village)
        registry.register(hub.engine, hub.config, sign_registration(self.key, asked), now_ms())

    def registered(self, hub: Hub, village: str = VILLAGE) -> Device:
        self.ask_to_register(hub, village)
        registry.approve(hub.engine, self.id, now_ms())
        return self
