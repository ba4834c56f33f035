"""Bytes in, receipt out: one exchange with one device.

Verifies before it stores, commits each segment as it arrives, and answers with what it holds now. Knows
nothing of HTTP (see `endpoint`) and adds nothing up (see `merge`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, select, update

from hub import alerts, downlink, history, registry, relays, schema, segments
from hub.config import Config
from hub.db import asking, insert_rows, writing
from hub.downlink import Downlink
from hub.errors import UnknownDeviceError
from hub.segments import LogRow
from sync import exchange, limits
from sync.errors import N_, SignatureError, TooLargeError
from sync.exchange import Down, Receipt, Request, Verdict, Wants
from sync.items import Item, ItemKind, read_item
from sync.keys import key_id
from sync.log import NOTHING, Head, Held, Placement, Status, judge_head
from sync.profile import commitment_of
from sync.segment import Segment

QUARANTINE_BYTES: Final = 1024 * 1024
"""How much a device that nobody has approved may store."""

_d: Final = schema.devices
_DEVICE: Final = select(_d).where(_d.c.device >= bindparam("from_id"), _d.c.device < bindparam("to_id"))
_NOTE: Final = update(_d).where(_d.c.pk == bindparam("this"))


class Intake:
    """Makes exchanges. One per hub process."""

    def __init__(self, engine: Engine, config: Config, now_ms: Callable[[], int]) -> None:
        self.engine = engine
        self.config = config
        self.now_ms = now_ms

    def open(self, header: bytes) -> Exchange:
        """Begin an exchange with the signed header of a request.

        Raises:
            UnknownDeviceError: no such device has ever registered here.
            SyncError: the header isn't one, or isn't signed by that device.
        """
        request = exchange.open_request(header)
        device = self.device_of(request.claimed.device)
        if device is None:
            raise UnknownDeviceError(N_("Perangkat ini belum dikenal pusat. Daftarkan dulu perangkatnya."))
        return Exchange(self, device, request.verify(device.public_key), request.hash)

    def device_of(self, prefix: bytes) -> Any:
        """The device whose id begins with `prefix`, or None."""
        bounds = {"from_id": prefix, "to_id": segments.after(prefix)}
        with asking(self.engine) as connection:
            return connection.execute(_DEVICE, bounds).first()


class Exchange:
    """One request under way: feed it items, then ask for the receipt."""

    def __init__(self, intake: Intake, device: Any, request: Request, request_hash: bytes) -> None:
        self._intake = intake
        self._device = device
        self._request = request
        self._request_hash = request_hash
        self._last: dict[tuple[int, bytes], tuple[LogRow, Segment, Placement]] = {}
        self.strange_logs: set[bytes] = set()
        """Logs of which nothing is known here."""
        self._count = 0
        self._full = False
        self._profiles: list[bytes] = []

    @property
    def touched_logs(self) -> list[int]:
        """The logs that may have something new to merge."""
        return sorted({log for log, _ in self._last})

    def take(self, item: bytes) -> None:
        """Verify and store one segment; it is durable when this returns. Profiles wait for theirs.

        Raises:
            SyncError, UnknownDeviceError: it was refused; what came before it stays.
        """
        self._count += 1
        if self._count > 2 * limits.SEGMENTS_PER_REQUEST + limits.ENTRIES_PER_SEGMENT:
            raise TooLargeError(N_("Kiriman berisi terlalu banyak butir."))
        if self._device.state == "refused" or self._full:
            return
        read = read_item(item)
        if read is None:
            return
        if read.kind is ItemKind.SEGMENT:
            self._take_segment(read.segment())
        elif read.kind is ItemKind.PROFILE:
            self._profiles.append(item)
        elif relays.is_relay(self._device):
            self._take_of_relay(read)

    def receipt(self) -> bytes:
        """Sign what this hub holds now of the logs that the request was about; then what the device lacks."""
        now, config = self._intake.now_ms(), self._intake.config
        with writing(self._intake.engine) as connection:
            down = self._downlink(connection, now)
            verdicts = [self._verdict_on(connection, *last) for last in self._last.values()]
            strange = sorted(self.strange_logs)
            verdicts += [Verdict(Head(log, NOTHING, b""), Status.STORED) for log in strange]
            verdicts += [self._verdict_on_head(connection, head, now) for head in self._request.heads]
            self._note(connection, last_contact_ms=now, last_wall_s=self._request.wall_s)
        receipt = Receipt(
            self._request_hash,
            now,
            tuple(verdicts),
            keyset_version=config.keyset.version,
            down=down.down,
        )
        return b"".join([exchange.sign_receipt(config.hub_key, receipt), *down.items])

    def note_by_stick(self) -> None:
        """Write down that this came by stick, and what the device says that it holds and wants."""
        with writing(self._intake.engine) as connection:
            self._note(connection, last_stick_ms=self._intake.now_ms())

    def _note(self, connection: Connection, **values: object) -> None:
        """What the device says of itself. By stick it may be older than what is known, or a copy's word.

        What it holds is believed all the same: mail that fits an older state, or the poorer of two copies, only
        brings some things twice.
        """
        is_older = self._device.last_t is not None and self._request.t < self._device.last_t
        if not is_older:
            values["last_t"] = self._request.t
        if not is_older or self._request.wants:
            values["wants"] = int(self._request.wants)
        held = downlink.heads_of(connection, self._device.pk, self._request.have)
        if held is not None and held != self._device.held_heads:
            values["held_heads"] = held
        connection.execute(_NOTE, {"this": self._device.pk, **values})

    def _downlink(self, connection: Connection, now_ms: int) -> Downlink:
        """What goes back to a device that is let in; to one that isn't, only why."""
        have, config = self._request.have, self._intake.config
        if self._device.state not in ("registered", "revoked"):
            return Downlink()
        down = downlink.for_device(connection, config, self._device, have, now_ms)
        wants_history = Wants.HISTORY in self._request.wants and self._device.state == "registered"
        if not wants_history or down.down is not Down.ALL:
            return down
        if isinstance(have, bytes):
            return Downlink(down.items, Down.NAME_YOURS)
        past = history.of_village(connection, self._device.village, have, downlink.DOWN_MOST)
        return Downlink(down.items + past.items, past.down)

    def _take_segment(self, segment: Segment) -> None:
        with writing(self._intake.engine) as connection:
            log = self._log_of(connection, segment)
            if log is None:
                self.strange_logs.add(segment.log)
                return
            segment.verify(log.public_key)
            vouched = relays.vouches_for(connection, self._device, log.device)
            quarantined = log.device_state != "registered" and not vouched
            if quarantined and segments.bytes_held(connection, log.device) > QUARANTINE_BYTES:
                self._full = True
                return
            if log.pk == 0:
                pk = segments.open_log(connection, log.log, log.device)
                log = LogRow(pk, log.log, log.device, log.public_key, log.device_state)
            self._store_profiles(connection)
            placement = segments.store(connection, log, segment, quarantined, self._intake.now_ms())
            if vouched:
                relays.settle(connection, log, segment)
        self._note_last(log, segment, placement)

    def _take_of_relay(self, item: Item) -> None:
        with writing(self._intake.engine) as connection:
            if item.kind is ItemKind.KEYSET:
                relays.take_keyset(connection, self._device, item.data)
            elif item.kind is ItemKind.HUB_SEGMENT:
                now = self._intake.now_ms()
                log, segment, placement = relays.take_segment(connection, self._device, item.data, now)
                self._note_last(log, segment, placement)

    def _note_last(self, log: LogRow, segment: Segment, placement: Placement) -> None:
        """Remember the last segment of each log; of one that another device passes on, of each path that comes."""
        if log.device == self._device.pk:
            self._last[log.pk, b""] = (log, segment, placement)
            return
        self._last.pop((log.pk, segment.previous), None)
        self._last[log.pk, segment.id] = (log, segment, placement)

    def _log_of(self, connection: Connection, segment: Segment) -> LogRow | None:
        """The log that `segment` says it belongs to; with number 0 if this hub hasn't seen it yet.

        None for what a neighbour brings from the middle of a log of which nothing is known: it is asked for the beginning.
        """
        known = segments.find_log_locked(connection, segment.log)
        if known is not None:
            return known
        owner, is_relay = self._device, relays.is_relay(self._device)
        if segment.index == 0:
            opening = segment.opening()
            query = select(schema.devices).where(schema.devices.c.device == key_id(opening.public_key))
            owner = connection.execute(query).one_or_none()
            if owner is None and (is_relay or self._device.state != "registered"):
                raise UnknownDeviceError(N_("Log ini milik perangkat yang belum dikenal pusat."))
            if owner is None:
                registry.note_writer(connection, opening, self._device.village, self._intake.now_ms())
                owner = connection.execute(query).one()
        elif not is_relay and self._device.state == "registered":
            try:
                segment.verify(owner.public_key)
            except SignatureError:
                return None
        return LogRow(0, segment.log, owner.pk, owner.public_key, owner.state)

    def _store_profiles(self, connection: Connection) -> None:
        """Store the profiles that came before a segment, in the segment's transaction."""
        if not self._profiles:
            return
        rows = [
            {"commitment": commitment_of(item), "device": self._device.pk, "data": item}
            for item in self._profiles
        ]
        query = select(schema.erased.c.commitment).where(
            schema.erased.c.commitment.in_([row["commitment"] for row in rows])
        )
        erased = set(connection.execute(query).scalars())
        kept = [row for row in rows if row["commitment"] not in erased]
        insert_rows(connection, schema.profiles, kept, known_stay=True)
        self._profiles = []

    def _verdict_on(
        self, connection: Connection, log: LogRow, segment: Segment, placement: Placement
    ) -> Verdict:
        """On a log of which segments came: the tip of the branch that the last one stands on.

        Of another device's log, that last one: who passes it on may not know the tip.
        """
        tip = segments.tip_of(connection, log.pk, segment.index, segment.id)
        if tip is None:
            if self._device.state != "registered":
                return Verdict(Head(log.log, NOTHING, b""), self._not_registered())
            return Verdict(segments.longest_tip(connection, log).head, Status.GAP)
        is_own = log.device == self._device.pk
        head = tip.head if is_own else Head(log.log, segment.index, segment.id)
        if self._device.state != "registered":
            return Verdict(head, self._not_registered())
        return Verdict(head, Status.FORK if tip.is_forked else Status.STORED)

    def _verdict_on_head(self, connection: Connection, claimed: Head, now: int) -> Verdict:
        nothing = Head(claimed.log, NOTHING, b"")
        log = segments.find_log_of_device(connection, claimed.log, self._device.pk)
        if log is None:
            is_in = self._device.state == "registered"
            is_held = is_in and segments.holds(connection, claimed)
            return Verdict(
                claimed if is_held else nothing, Status.STORED if is_in else self._not_registered()
            )
        of_claimed = segments.tip_of(connection, log.pk, claimed.index, claimed.id) if claimed.id else None
        tip = of_claimed or segments.longest_tip(connection, log)
        if self._device.state != "registered":
            return Verdict(of_claimed.head if of_claimed else nothing, self._not_registered())
        status = judge_head(claimed, Held(tip.head, tip.is_forked), of_claimed is not None)
        if claimed.index > tip.head.index and claimed.id:
            # It names what a receipt of this hub may have covered; it sends it again.
            alerts.raise_alert(connection, alerts.AHEAD, self._device.pk, claimed.id, now)
        if status is Status.BEHIND:
            alerts.raise_alert(connection, alerts.BEHIND, self._device.pk, claimed.id, now)
        return Verdict(nothing if status is Status.FORK else tip.head, status)

    def _not_registered(self) -> Status:
        if self._full:
            return Status.TRY_LATER
        return Status.REVOKED if self._device.state == "revoked" else Status.UNKNOWN_DEVICE
