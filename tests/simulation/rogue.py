"""A device whose owner knows the protocol and lies: every seal that it makes is its own and valid."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from device import Device

from sync import bundle, cbor, exchange, segment
from sync.bundle import FromDevice, FromHub
from sync.decisions import DeviceRevoked
from sync.entries import INT_MAX, Entry, Kind, LearnerContinued, LogOpened, QuestionAnswered
from sync.exchange import Request, Verdict, Wants
from sync.log import Head, Status
from sync.registration import Registration, sign_registration
from sync.sealing import CLASSICAL, SealingKey, sealing_public

if TYPE_CHECKING:
    from simulation.story import Story

_UNKNOWN_KINDS: Final = (404, 4_001, 65_538, 1_000_003)
"""Of no version there is: with no reference, one, two and three."""


@dataclass
class Known:
    """What it has found out about the logs of others."""

    heads: list[Head]
    segments: list[bytes]
    people: list[bytes]


@dataclass
class Rogue:
    """`village` is where it says it is."""

    village: str
    rng: random.Random
    device: Device = field(init=False)
    _kept_back: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = Device(self.rng.getrandbits(40)).open()
        self._sealing_seed = self.rng.randbytes(32)

    @property
    def id(self) -> bytes:
        return self.device.id

    def registration(self) -> bytes:
        asked = Registration(self.device.key.public, sealing_public(self._sealing_seed), self.village)
        return sign_registration(self.device.key, asked)

    def request(self, story: Story, known: Known) -> tuple[Request, list[bytes]]:
        """A header and items, of which some may be true."""
        items = [one.encode() for one in self.device.profiles] + [self.device.segments[0].data]
        for _ in range(self.rng.randint(1, 4)):
            items += self.rng.choice(LIES)(self, story, known)
        heads = (self.device.tip, *self.rng.sample(known.heads, min(len(known.heads), 2)))
        asks = Request(
            self.id, self.device.t, story.land.now_ms // 1000, heads if self.rng.random() < 0.3 else ()
        )
        if self.rng.random() < 0.3:
            asks = Request(
                self.id, self.device.t, asks.wall_s, asks.heads, tuple(known.heads[:8]), Wants.HISTORY
            )
        return asks, items

    def body(self, story: Story, known: Known) -> bytes:
        request, items = self.request(story, known)
        return exchange.sign_request(self.device.key, request) + b"".join(items)

    def parts(self, story: Story, known: Known, intake: SealingKey) -> list[bytes]:
        """The same for a stick."""
        request, items = self.request(story, known)
        sender = SealingKey(CLASSICAL, sealing_public(self._sealing_seed)).id
        made = bundle.new_bundle(sender, self.rng.randbytes)
        return bundle.seal_parts(intake, self.device.key, FromDevice(request), items, made)

    def mail(self, to: SealingKey, device: bytes, known: Known, intake: SealingKey) -> list[bytes]:
        """Mail for a village as if the centre had written it: all is well, and one of you is revoked."""
        verdicts = tuple(Verdict(head, Status.STORED) for head in known.heads)
        said = FromHub(device, 4_000_000_000_000, 1000, verdicts)
        revoked = DeviceRevoked(device, "palsu")
        forged = segment.seal(self.device.key, b"", 0, b"", [_entry(0, revoked)], 0)
        item = cbor.encode([5, forged.data])
        made = bundle.new_bundle(intake.id, self.rng.randbytes)
        return bundle.seal_parts(to, self.device.key, said, [item], made)

    # What it says.

    def _answered(self, story: Story) -> QuestionAnswered:
        number = story.model.next_number
        story.model.next_number += 1
        story.model.perhaps.add(number)
        return QuestionAnswered(self.rng.randrange(2), 0, 1, 1 + number % 2, number % 3, True, number)

    def _true(self, story: Story, known: Known) -> list[bytes]:
        return [self.device.seal(self._answered(story)).data]

    def _two_ends(self, story: Story, known: Known) -> list[bytes]:
        other = self.device.fork()
        other.seal(self._answered(story))
        made = [other.segments[-1].data]
        return made + self._true(story, known) if self.rng.random() < 0.5 else made

    def _gap(self, story: Story, known: Known) -> list[bytes]:
        """What is kept back may come later, or never."""
        self._kept_back += self._true(story, known)
        sent = self._true(story, known)
        if self.rng.random() < 0.3:
            sent += self._kept_back
            self._kept_back = []
        return sent

    def _in_anothers_log(self, story: Story, known: Known) -> list[bytes]:
        """Its numbers are nobody's: they may be nowhere."""
        if not known.heads:
            return []
        head = self.rng.choice(known.heads)
        lie = QuestionAnswered(0, 0, 1, 1, 1, True, 1_000_000_000 + self.rng.randrange(1 << 30))
        entry = Entry(head.index + 1 + self.rng.randrange(100), lie.number, 1 << 40, lie.fields())
        sealed = segment.seal(self.device.key, head.log, head.index + 1, head.id, [entry], 1 << 39)
        return [sealed.data]

    def _anothers(self, story: Story, known: Known) -> list[bytes]:
        return self.rng.sample(known.segments, min(len(known.segments), 3))

    def _continues_somebody(self, story: Story, known: Known) -> list[bytes]:
        if not known.people:
            return []
        return [self.device.seal(LearnerContinued(self.rng.choice(known.people))).data]

    def _absurd(self, story: Story, known: Known) -> list[bytes]:
        """Numbers of no honest device."""
        rng = self.rng
        absurd = QuestionAnswered(
            rng.choice((0, 999)), rng.choice((0, 77)), rng.choice((1, 500)), rng.choice((1, INT_MAX)),
            rng.choice((0, INT_MAX, -INT_MAX)), True, rng.choice((-5, 0, INT_MAX)),
        )  # fmt: skip
        story.model.perhaps.add(absurd.seconds)
        return [self.device.seal(absurd).data]

    def _of_a_later_version(self, story: Story, known: Known) -> list[bytes]:
        kind = self.rng.choice(_UNKNOWN_KINDS)
        fields = (*(0 for _ in range(kind & 3)), 5, b"bytes", "teks", True)
        self.device.t += 1000
        entry = Entry(len(self.device.entries), kind, self.device.t, fields)
        return [self.device.seal_entries([entry], self.device.t - 1000).data]

    def _another_time(self, story: Story, known: Known) -> list[bytes]:
        """Its log clock leaps to the end of time, from which no honest entry follows."""
        answered = self._answered(story)
        t = self.rng.choice((self.device.t, 1 << 50, INT_MAX))
        entry = Entry(len(self.device.entries), answered.number, t, answered.fields())
        other = self.device.fork()
        return [other.seal_entries([entry], t).data]

    def _another_beginning(self, story: Story, known: Known) -> list[bytes]:
        """A second log, and a decision of the centre in it."""
        opened = LogOpened(1, self.device.key.public, bytes(32), self.rng.randbytes(16), 9, b"\xff" * 35)
        entries = [_entry(0, opened), _entry(1, DeviceRevoked(self.rng.randbytes(8), "palsu"))]
        return [segment.seal(self.device.key, b"", 0, b"", entries, 0).data]

    def _rubbish(self, story: Story, known: Known) -> list[bytes]:
        rng = self.rng
        whole = self.device.segments[-1].data
        at = rng.randrange(len(whole))
        return [
            rng.choice((
                cbor.encode([rng.randrange(9), rng.randbytes(20)]), cbor.encode([1, "nama"]), cbor.encode({1: 2}),
                whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :], rng.randbytes(30),
            ))
        ]  # fmt: skip


def _entry(seq: int, kind: Kind) -> Entry:
    return Entry(seq, kind.number, 0, kind.fields())


LIES: Final[tuple[Callable[[Rogue, Story, Known], list[bytes]], ...]] = (
    Rogue._true, Rogue._true, Rogue._two_ends, Rogue._gap, Rogue._in_anothers_log, Rogue._anothers,
    Rogue._continues_somebody, Rogue._absurd, Rogue._of_a_later_version, Rogue._another_time,
    Rogue._another_beginning, Rogue._rubbish,
)  # fmt: skip
