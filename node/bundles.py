"""What this device puts on sticks and takes from them. Owns the table bundles.

A bundle carries everything since the last receipt of the hub, not since the last pick-up: sticks get lost, and
duplicates are free. It is remembered which segments, and so which people, each bundle carried.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node import logs
from node.config import Config
from node.errors import DamagedDatabaseError, DiskFullError, NodeError
from node.recorder import Recorder
from node.shelf import REGISTRATION, NodeShelf
from node.store import Store
from node.trust import pinned_envelope, pinned_keyset
from sync import bundle, stick
from sync.bundle import FromDevice
from sync.entries import BundleWritten, LearnerAdded, LearnerContinued, ProfileChanged, reference_count
from sync.errors import N_, LontarError, SealError, SyncError
from sync.exchange import Request
from sync.items import ItemKind, wrap
from sync.keys import key_id
from sync.keyset import Keyset, open_keyset
from sync.machine import Machine
from sync.registration import Registration, sign_registration
from sync.sealing import CLASSICAL, OpeningKey, SealingKey
from sync.segment import open_segment
from sync.stick import IN, OUT, PUB, Progress, Stick

REQUESTED: Final = "registration_request"
"""The signed registration that is on its way by stick."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one visit put on a stick: `entries` not confirmed yet, in `parts` of `size` bytes together."""

    entries: int
    parts: int
    size: int
    people: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What one visit took from a stick. `torn` parts must be copied again; `others` are for somebody else."""

    parts: int
    new: int
    torn: int
    others: int
    keyset: bool


@dataclass(frozen=True, slots=True)
class OnStick:
    """A bundle of this device that is on a stick now."""

    bundle: bytes
    entries: int
    parts: int
    whole: bool
    confirmed: bool


class Bundles:
    """Sticks, as one device uses them."""

    def __init__(
        self, config: Config, store: Store, recorder: Recorder, shelf: NodeShelf, machine: Machine
    ) -> None:
        self._config = config
        self._store = store
        self._recorder = recorder
        self._shelf = shelf
        self._machine = machine
        self._opening = OpeningKey(CLASSICAL, config.sealing_seed)

    def write(self, drive: Stick, progress: Progress = lambda done, total: None) -> Written:
        """Put everything that the hub hasn't confirmed on a stick; when this returns it may be pulled.

        Raises:
            NodeError: this device doesn't know its hub's keys yet.
            StickError: the stick can't take it; nothing on this device changes.
        """
        keyset = pinned_keyset(self._store)
        if keyset is None:
            raise NodeError(
                N_(
                    "Laptop ini belum mengenal kunci pusat. Pasang flashdisk dari petugas yang sudah berisi kunci pusat, lalu cocokkan sidiknya."
                )
            )
        parts: list[bytes] = []
        entries = people = 0
        earlier = self._superseded_by_all(keyset)
        for recipient in (keyset.intake, *keyset.upstream):
            made, entries, people = self._parts(recipient)
            parts += made
        leaving = [(one.tip.log, one.waiting[-1][0]) for one in self._shelf.logs() if one.waiting]
        drive.write_parts(OUT, parts, progress)
        for log, index in leaving:
            self._shelf.note_left(log, index)
        self._write_keyset(drive)
        self._clean(drive, earlier)
        return Written(entries, len(parts), sum(map(len, parts)), people)

    def read(self, drive: Stick) -> Taken:
        """Take what a stick brings for this device. Reading it twice changes nothing."""
        keyset = self._take_keyset(drive)
        refused: list[LontarError] = []
        new = torn = others = taken = 0
        for found, data in stick.whole_parts(drive, IN):
            if found.head.recipient != self._opening.public.id:
                others += 1
            elif data is None:
                torn += 1
            else:
                try:
                    new += self._take_part(data)
                    taken += 1
                except LontarError as problem:
                    if isinstance(problem, DiskFullError | DamagedDatabaseError):
                        raise
                    # One that isn't what it says must not keep the others from being read.
                    refused.append(problem)
        if refused and not taken:
            raise refused[0]
        others += len(refused)
        return Taken(taken, new, torn, others, keyset)

    def on_stick(self, drive: Stick) -> list[OnStick]:
        """The bundles of this device on a stick, by the order in which they were written."""
        found: dict[bytes, list[bool]] = {}
        for part, data in stick.whole_parts(drive, OUT):
            if part.head.sender == self._opening.public.id:
                found.setdefault(part.head.bundle, []).append(data is not None)
        query = """SELECT b.entries, b.parts, b.received OR l.confirmed >= b.upto, b.t FROM bundles b
                   JOIN logs l ON l.pk = b.log WHERE b.bundle = ?"""
        made = []
        with self._store.read() as db:
            for id_, whole in found.items():
                row = db.execute(query, (id_,)).fetchone()
                if row is not None:
                    is_whole = all(whole) and len(whole) == row[1]
                    made.append((row[3], OnStick(id_, row[0], row[1], is_whole, bool(row[2]))))
        return [bundle_ for _, bundle_ in sorted(made, key=lambda pair: pair[0])]

    def people_in(self, id_: bytes) -> list[int]:
        """The numbers of everybody whose work or name is in a bundle, for the notice when a stick is lost.

        Raises:
            NodeError: this device didn't write it.
        """
        query = "SELECT log, since, upto, others FROM bundles WHERE substr(bundle, 1, ?) = ?"
        with self._store.read() as db:
            row = db.execute(query, (len(id_), id_)).fetchone()
            if row is None:
                raise NodeError(N_("Paket data itu tidak ditulis oleh laptop ini."))
            query = "SELECT data FROM segments WHERE log = ? AND idx BETWEEN ? AND ? ORDER BY idx"
            segments = db.execute(query, row[:3]).fetchall()
            everyone = int(db.execute("SELECT count(*) FROM learners").fetchone()[0])
        if row[3]:
            # Other logs went along: better too long a list than one that leaves somebody out.
            return list(range(everyone))
        people: set[int] = set()
        for (data,) in segments:
            for group in open_segment(data).read().groups:
                # A log that goes on from another one travels with what waits of that other one.
                if group.kind in (LearnerAdded.number, LearnerContinued.number):
                    people |= set(range(everyone))
                elif reference_count(group.kind) or group.kind == ProfileChanged.number:
                    people |= {references[0] for _, _, references in group.runs}
        return sorted(people)

    def keyset_on(self, drive: Stick) -> Keyset | None:
        """The keyset that a stick brings, for people to compare before it is believed for the first time."""
        data = drive.read_file(PUB, stick.KEYSET, 64 * 1024)
        if data is None:
            return None
        with contextlib.suppress(SyncError):
            return open_keyset(data, pinned_keyset(self._store))
        return None

    def trust(self, drive: Stick) -> None:
        """Believe the stick's keyset from now on: people have compared its fingerprint.

        Raises:
            SyncError: there is none, or it isn't of the root that this device knows.
        """
        data = drive.read_file(PUB, stick.KEYSET, 64 * 1024)
        if data is None:
            raise SyncError(N_("Flashdisk ini tidak membawa kunci pusat."))
        self._shelf.take_keyset(data)

    def _parts(self, recipient: SealingKey) -> tuple[list[bytes], int, int]:
        """(parts for one reader, how many entries they carry, how many people)."""
        id_ = bundle.new_bundle(self._opening.public.id, self._machine.random_bytes)
        with self._store.write() as db:
            log = logs.newest(db)
            held = db.execute("SELECT max(confirmed, parked) FROM logs WHERE pk = ?", (log.pk,)).fetchone()[
                0
            ]
            self._recorder.record(BundleWritten(id_, held + 1))
            self._shelf.seal()
        stream: list[bytes] = list(self._request(recipient))
        entries = 0
        for waiting in self._shelf.logs():
            for index, _ in waiting.waiting:
                stream += self._shelf.items(waiting.tip, index)
        t, reading = self._recorder.clock()
        heads = tuple(one.tip for one in self._shelf.logs() if not one.waiting)
        request = Request(
            key_id(self._config.device_key.public),
            t,
            reading.wall_ms // 1000,
            heads,
            self._shelf.have(named=True, even_unasked=True),
            self._shelf.wants(),
        )
        parts = bundle.seal_parts(recipient, self._config.device_key, FromDevice(request), stream, id_)
        with self._store.write() as db:
            log = logs.newest(db)
            upto = logs.newest_head(db).index
            query = "SELECT coalesce(sum(count), 0) FROM segments WHERE log = ? AND idx > ?"
            entries = int(db.execute(query, (log.pk, held)).fetchone()[0])
            others = int(any(one.waiting and one.tip.log != log.log for one in self._shelf.logs()))
            db.execute(
                "INSERT INTO bundles VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (id_, recipient.id, log.pk, held + 1, upto, entries, len(parts), t, others),
            )
        return parts, entries, len(self.people_in(id_))

    def _request(self, recipient: SealingKey) -> Sequence[bytes]:
        """The registration goes along: a hub that was set back may not know this device, and by stick couldn't say so. Hubs
        above hear of registered devices from the hub below them.
        """
        keyset, state = pinned_keyset(self._store), self._store.get(REGISTRATION)
        is_above = keyset is not None and recipient != keyset.intake
        if state == "revoked" or (state == "registered" and is_above):
            return []
        registration = Registration(
            self._config.device_key.public,
            self._opening.public.public,
            self._config.village,
            nonce=self._machine.random_bytes(16),
        )
        signed = self._store.get(REQUESTED) or sign_registration(self._config.device_key, registration)
        self._store.put(REQUESTED, signed)
        if self._store.get(REGISTRATION) is None:
            self._store.put(REGISTRATION, "waiting")
        return [wrap(ItemKind.REGISTRATION, signed)]

    def _take_part(self, data: bytes) -> int:
        keyset = pinned_keyset(self._store)
        if keyset is None:
            raise NodeError(
                N_("Cocokkan dulu sidik kunci pusat pada flashdisk ini, supaya isinya dapat dipercaya.")
            )
        try:
            part = bundle.open_part(data, [self._opening])
            said = part.verify_hub(keyset.hub_keys)
        except SealError as problem:
            raise NodeError(problem.text, **problem.details) from problem
        if said.device != key_id(self._config.device_key.public):
            raise NodeError(N_("Paket data ini untuk penerima lain."))
        new = self._shelf.take_items(part.stream)
        self._shelf.take_mail(said.verdicts, said.hub_ms)
        return new

    def _take_keyset(self, drive: Stick) -> bool:
        """A newer keyset of the root that is known; the first one needs people (see `trust`)."""
        pinned = pinned_keyset(self._store)
        offered = self.keyset_on(drive)
        if pinned is None or offered is None or offered.version <= pinned.version:
            return False
        self.trust(drive)
        return True

    def _write_keyset(self, drive: Stick) -> None:
        """Sticks carry the newest keyset that anybody on their way has."""
        mine, theirs, envelope = (
            pinned_keyset(self._store),
            self.keyset_on(drive),
            pinned_envelope(self._store),
        )
        if mine is not None and envelope and (theirs is None or theirs.version < mine.version):
            drive.write_file(PUB, stick.KEYSET, envelope)

    def _superseded_by_all(self, keyset: Keyset) -> set[bytes]:
        """Bundles that this database wrote: what they carry is confirmed, or goes into the next ones too.

        Only those of the newest log and of today's readers; a copied disk knows nothing of its twin's bundles.
        """
        readers = [key.id for key in (keyset.intake, *keyset.upstream)]
        places = ", ".join("?" * len(readers))
        query = f"SELECT bundle FROM bundles WHERE recipient IN ({places}) AND log = ?"  # noqa: S608
        with self._store.read() as db:
            return {row[0] for row in db.execute(query, (*readers, logs.newest(db).pk))}

    def _clean(self, drive: Stick, earlier: set[bytes]) -> None:
        """Take bundles of this device off the stick that a receipt covers, or that the new ones contain."""
        done = earlier | {one.bundle for one in self.on_stick(drive) if one.confirmed}
        with contextlib.suppress(LontarError):
            drive.remove([found.path for found in drive.parts(OUT) if found.head.bundle in done])
