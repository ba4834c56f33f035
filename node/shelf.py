"""What the exchange needs of the village database: segments to send, receipts and the centre's words to keep.

Owns the columns `confirmed`, `departed`, `parked` and `lowered_ms` of logs, and the settings about contact with the hub.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from typing import Final

from node import branches, logs, verdicts
from node.anchor import Anchor
from node.centre import Centre
from node.history import History
from node.recorder import Recorder
from node.store import Store
from node.trust import pin, pinned_keyset
from sync import items, limits
from sync.client import LogToSend
from sync.entries import AnchorNoted, OpenReason
from sync.errors import N_, SyncError
from sync.exchange import SHORT_ID, Down, Receipt, Verdict, Wants, digest_of, next_upload
from sync.items import ItemKind
from sync.keyset import Keyset
from sync.log import NOTHING, Head, Status
from sync.logclock import ANCHOR_EVERY_S

LAST_CONTACT: Final = "last_contact_ms"
REGISTRATION: Final = "registration"
UNSURE: Final = "unsure"
HUB_LOST: Final = "hub_lost_data"
NEW_LOG: Final = "new_log"
"""Why this device last opened a new log, as `OpenReason`; what people are told."""
HUB_CLOCK: Final = "hub_clock"
"""Log time, and what the hub's clock said then: where log time is, the hub's is too, as far as crystals go."""
WANTS: Final = "wants"
_ALL_LOGS: Final = "name_all_logs"
_CONFIRMED_LAST: Final = "confirmed_last"
"""Which log the hub's last word confirmed more of."""
_PASSED_ON_LAST: Final = "passed_on_last"
"""The end (log, index, id) of what it confirmed last of another device's log, if that was after all of this one's."""
_UPLOAD: Final = "upload_size"
_LAST_ANCHOR: Final = "last_anchor_s"

_NOT_IN: Final = {Status.UNKNOWN_DEVICE: "waiting", Status.REVOKED: "revoked"}

log = logging.getLogger(__name__)


class NodeShelf:
    """Implements `sync.client.Shelf` on the node's store."""

    def __init__(
        self, store: Store, recorder: Recorder, centre: Centre, history: History, anchor: Anchor
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._centre = centre
        self._history = history
        self._anchor = anchor

    def seal(self) -> None:
        self._recorder.seal()
        self._anchor.note(self._store)

    def logs(self) -> Sequence[LogToSend]:
        """The newest log, what was confirmed last, and others of which something waits, is kept apart at the hub, or is
        to be asked for.
        """
        with self._store.read() as db:
            newest = logs.newest(db).pk
            ask_all = bool(self._store.get(_ALL_LOGS, 0))
            made = []
            rows = db.execute("SELECT pk, log, confirmed, parked FROM logs ORDER BY pk").fetchall()
            # Whether the hub still holds what it confirmed last: if not, it was set back, and may lack more.
            confirmed_last = self._store.get(_CONFIRMED_LAST, newest)
            for pk, log_id, confirmed, parked in rows:
                held = max(confirmed, parked)
                query = """SELECT idx, length(s.data) + (SELECT coalesce(sum(length(p.data)), 0) FROM profiles p
                                   WHERE p.log = s.log AND p.seq >= s.first_seq AND p.seq < s.first_seq + s.count)
                           FROM segments s WHERE log = ? AND idx > ? ORDER BY idx"""
                waiting = db.execute(query, (pk, held)).fetchall()
                is_apart = parked > confirmed
                if waiting or pk in (newest, confirmed_last) or is_apart or ask_all:
                    head = logs.head(db, logs.LogRow(pk, log_id))
                    made.append(LogToSend(head, held, waiting))
            passed_on = branches.to_pass_on(db, ask_all)
            passed_on += [
                LogToSend(head, head.index, [])
                for head in self._passed_on_last()
                if all(one.tip != head for one in passed_on)
            ]
            return [*passed_on, *made]

    def items(self, tip: Head, index: int) -> Sequence[bytes]:
        query = """SELECT s.log, s.id, s.first_seq, s.count, s.data FROM segments s JOIN logs l ON l.pk = s.log
                   WHERE l.log = ? AND s.idx = ?"""
        with self._store.read() as db:
            row = None
            if logs.holds(db, tip):
                row = db.execute(query, (tip.log, index)).fetchone()
            if row is None:
                return branches.items(db, tip, index)
            pk, id_, first_seq, count, data = row
            profiles = logs.profiles_of(db, pk, first_seq, count)
        logs.check_whole(data, id_, index)
        return [*profiles, data]

    def note_departure(self, log_id: bytes, index: int) -> None:
        self.note_left(log_id, index)
        self._store.put(UNSURE, 1)

    def note_left(self, log_id: bytes, index: int) -> None:
        """Segments up to this one have left the machine, on whatever road."""
        with self._store.write() as db:
            db.execute("UPDATE logs SET departed = max(departed, ?) WHERE log = ?", (index, log_id))

    def is_unsure(self) -> bool:
        return bool(self._store.get(UNSURE, 0)) or self._store.get(REGISTRATION, "none") != "registered"

    def have(self, named: bool, even_unasked: bool = False) -> tuple[Head, ...] | bytes:
        """As `Shelf.have`; `even_unasked` names what of other devices' logs is passed on, so that mail confirms it."""
        heads = self._centre.heads()
        if even_unasked and not self.wants():
            with self._store.read() as db:
                passed_on = [one.tip for one in branches.to_pass_on(db)]
            return (*heads, *passed_on, *self._passed_on_last())[: limits.LOGS_PER_REQUEST]
        if self.wants():
            return (*heads, *self._history.heads())[: limits.LOGS_PER_REQUEST]
        return tuple(heads) if named else digest_of(heads)

    def wants(self) -> Wants:
        return Wants(self._store.get(WANTS, 0))

    def want_history(self) -> None:
        """Ask for what the hub holds of this village's logs, until it has all come."""
        self._store.put(WANTS, int(Wants.HISTORY))

    def take_receipt(self, receipt: Receipt) -> None:
        with self._store.write():
            self._store.put(UNSURE, 0)
            self._store.put(HUB_CLOCK, [self._recorder.now(), receipt.hub_ms])
            is_kept_out = any(verdict.status in _NOT_IN for verdict in receipt.verdicts)
            if (
                receipt.down is Down.ALL
                and not is_kept_out
                and self._store.get(REGISTRATION) == "registered"
            ):
                # Before the verdicts, which may be a reason to ask anew.
                self._store.put(WANTS, 0)
            self.take_verdicts(receipt.verdicts, receipt.hub_ms, answered=True)
            self._note_anchor(receipt.anchor, receipt.hub_ms)

    def take_verdicts(self, heard: Sequence[Verdict], hub_ms: int, answered: bool = False) -> None:
        """What the hub holds of logs, by its own signed word, on whatever road it came.

        `answered`: it answers a question of this device, so nothing that the hub said before is newer.
        """
        with self._store.write() as db:
            newest = logs.newest(db).pk
            must_move = lowered = False
            is_older = not answered and hub_ms < self._store.get(LAST_CONTACT, 0)
            said: dict[int, list[Verdict]] = {}
            for verdict in heard:
                row = db.execute(
                    "SELECT pk, confirmed, lowered_ms FROM logs WHERE substr(log, 1, ?) = ?",
                    (SHORT_ID, verdict.head.log),
                ).fetchone()
                if row is None:
                    if is_older and verdict.status is Status.GAP:
                        continue
                    noted = branches.note_verdict(db, verdict.head, verdict.status, hub_ms, answered)
                    lowered |= noted.is_lowered
                    if noted.confirmed is not None:
                        tip = noted.confirmed
                        self._store.put(_PASSED_ON_LAST, [tip.log, tip.index, tip.id])
                    continue
                confirms_more = verdict.status is Status.STORED and verdict.head.index > row[1]
                if is_older and (hub_ms < row[2] or not confirms_more):
                    # A hub that lost data since holds less now.
                    continue
                said.setdefault(row[0], []).append(verdict)
                moved = verdict.status in (Status.FORK, Status.BEHIND) and row[0] == newest
                must_move = must_move or moved
            for pk, of_log in said.items():
                lowered |= self._take_verdicts_on(db, pk, of_log, hub_ms, answered)
                must_move |= pk == newest and verdicts.is_behind(db, pk, of_log)
            if said or lowered:
                # If it lost some of one log, it may have lost some of the others. Mail that tells nothing new ends no question.
                self._store.put(_ALL_LOGS, int(lowered))
            self._store.put(LAST_CONTACT, max(hub_ms, self._store.get(LAST_CONTACT, 0)))
            if must_move:
                self.start_new_log(OpenReason.FORKED)

    def take_mail(self, heard: Sequence[Verdict], hub_ms: int) -> None:
        """What the hub said by stick. It names every log of this device that it holds anything of."""
        with self._store.write() as db:
            if hub_ms >= self._store.get(LAST_CONTACT, 0):
                named = {verdict.head.log for verdict in heard}
                query = "SELECT pk, log, confirmed FROM logs WHERE confirmed > ? AND lowered_ms <= ?"
                for pk, log_id, confirmed in db.execute(query, (NOTHING, hub_ms)).fetchall():
                    if log_id[:SHORT_ID] not in named:
                        self._lower(db, pk, confirmed - NOTHING, hub_ms)
            self.take_verdicts(heard, hub_ms)

    def start_new_log(self, reason: OpenReason) -> None:
        """Go on in a new log, and ask for what the old one may have lost."""
        with self._store.write():
            self._recorder.start_new_log(reason)
            self._store.put(NEW_LOG, int(reason))
            self.want_history()
        self._anchor.note(self._store)

    def take_items(self, stream: bytes) -> int:
        segments, profiles, new = [], [], 0
        for item in items.read_items(stream):
            try:
                if item.kind is ItemKind.HUB_SEGMENT:
                    new += self._centre.take(item.data, self._keyset())
                elif item.kind is ItemKind.KEYSET:
                    self.take_keyset(item.data)
                elif item.kind is ItemKind.SEGMENT:
                    segments.append(item.segment())
                elif item.kind is ItemKind.PROFILE:
                    profiles.append(item.data)
            except SyncError as problem:
                # One bad item must not keep the others, or later ones, from coming.
                log.warning("%s", problem)
        return new + self._history.take(segments, profiles, from_hub=True)

    def take_keyset(self, envelope: bytes) -> Keyset:
        return pin(self._store, envelope)

    def upload_size(self) -> int:
        return int(self._store.get(_UPLOAD, limits.UPLOAD_START))

    def note_attempt(self, succeeded: bool, most: int) -> None:
        size = self.upload_size()
        wanted = next_upload(size, succeeded, most)
        if wanted != size:
            self._store.put(_UPLOAD, wanted)

    def note_registration(self, state: str, hub_ms: int, anchor: bytes) -> None:
        """The hub answered a registration; its signed keyset makes the first anchor of the log."""
        with self._store.write():
            self._store.put(REGISTRATION, state)
            self._store.put(LAST_CONTACT, hub_ms)
            self._recorder.record(AnchorNoted(anchor[:SHORT_ID], hub_ms // 1000))
            self._store.put(_LAST_ANCHOR, hub_ms // 1000)

    def _lower(self, db: sqlite3.Connection, pk: int, by: int, hub_ms: int) -> None:
        """The hub holds so many segments less of log `pk` than it once said."""
        self._store.put(HUB_LOST, by)
        db.execute(
            "UPDATE logs SET confirmed = confirmed - ?, lowered_ms = ? WHERE pk = ?", (by, hub_ms, pk)
        )

    def _passed_on_last(self) -> list[Head]:
        last = self._store.get(_PASSED_ON_LAST)
        return [] if last is None else [Head(*last)]

    def _keyset(self) -> Keyset:
        keyset = pinned_keyset(self._store)
        if keyset is None:
            raise SyncError(N_("Perangkat ini belum terdaftar di pusat."))
        return keyset

    def _note_anchor(self, anchor: bytes, hub_ms: int) -> None:
        hub_s = hub_ms // 1000
        if hub_s - self._store.get(_LAST_ANCHOR, 0) >= ANCHOR_EVERY_S:
            self._recorder.record(AnchorNoted(anchor, hub_s))
            self._store.put(_LAST_ANCHOR, hub_s)

    def _take_verdicts_on(
        self, db: sqlite3.Connection, pk: int, said: Sequence[Verdict], hub_ms: int, answered: bool
    ) -> bool:
        """Returns whether the hub holds less of log `pk` than it once said."""
        held = []
        for verdict in said:
            if verdict.status in _NOT_IN:
                self._store.put(REGISTRATION, _NOT_IN[verdict.status])
                if verdicts.is_ours(db, pk, verdict.head):
                    db.execute("UPDATE logs SET parked = ? WHERE pk = ?", (verdict.head.index, pk))
            elif verdict.status is not Status.TRY_LATER:
                self._store.put(REGISTRATION, "registered")
                held.append(verdict)
        if not held:
            return False
        before = db.execute("SELECT confirmed FROM logs WHERE pk = ?", (pk,)).fetchone()[0]
        index = verdicts.how_far(db, pk, held, before, answered)
        if index is None:
            # Only history can show on what both sides stand.
            self.want_history()
            return False
        if index < before:
            self._lower(db, pk, before - index, hub_ms)
        elif index > before:
            self._store.put(_CONFIRMED_LAST, pk)
            if answered:
                # A device's own segments are the last of what it sends.
                self._store.put(_PASSED_ON_LAST, None)
        db.execute(
            "UPDATE logs SET confirmed = ?, parked = -1, departed = max(departed, ?) WHERE pk = ?",
            (index, index, pk),
        )
        return bool(index < before)
