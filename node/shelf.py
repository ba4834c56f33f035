"""What the exchange needs of the village database: segments to send, receipts to keep.

Owns the columns `confirmed` and `departed` of logs, and the settings about contact with the hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from node.errors import DamagedDatabaseError
from node.recorder import Recorder
from node.store import Store
from sync import limits
from sync.client import LogToSend
from sync.entries import AnchorNoted
from sync.errors import N_
from sync.exchange import SHORT_ID, Receipt, next_upload
from sync.keys import ID_SIZE, sha256
from sync.log import Head, Status
from sync.logclock import ANCHOR_EVERY_S

LAST_CONTACT: Final = "last_contact_ms"
REGISTRATION: Final = "registration"
UNSURE: Final = "unsure"
_UPLOAD: Final = "upload_size"
_LAST_ANCHOR: Final = "last_anchor_s"
HUB_LOST: Final = "hub_lost_data"
FORKED: Final = "forked"


class NodeShelf:
    """Implements `sync.client.Shelf` on the node's store."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder

    def seal(self) -> None:
        self._recorder.seal()

    def logs(self) -> Sequence[LogToSend]:
        with self._store.read() as db:
            made = []
            for pk, log, confirmed in db.execute(
                "SELECT pk, log, confirmed FROM logs ORDER BY pk"
            ).fetchall():
                query = "SELECT idx, id FROM segments WHERE log = ? ORDER BY idx DESC LIMIT 1"
                index, id_ = db.execute(query, (pk,)).fetchone()
                query = """SELECT idx, length(s.data) + (SELECT coalesce(sum(length(p.data)), 0) FROM profiles p
                                   WHERE p.seq >= s.first_seq AND p.seq < s.first_seq + s.count)
                           FROM segments s WHERE log = ? AND idx > ? ORDER BY idx"""
                waiting = db.execute(query, (pk, confirmed)).fetchall()
                made.append(LogToSend(Head(log, index, id_), confirmed, waiting))
            return made

    def items(self, log: bytes, index: int) -> Sequence[bytes]:
        query = """SELECT s.id, s.first_seq, s.count, s.data FROM segments s JOIN logs l ON l.pk = s.log
                   WHERE l.log = ? AND s.idx = ?"""
        with self._store.read() as db:
            id_, first_seq, count, data = db.execute(query, (log, index)).fetchone()
            profiles = db.execute(
                "SELECT data FROM profiles WHERE seq >= ? AND seq < ? ORDER BY seq",
                (first_seq, first_seq + count),
            ).fetchall()
        if sha256(data)[:ID_SIZE] != id_:
            raise DamagedDatabaseError(
                N_("Segmen %(index)s di basis data ini rusak. Jangan dihapus: pulihkan dari cadangan."),
                index=index,
            )
        return [*(row[0] for row in profiles), data]

    def note_departure(self, log: bytes, index: int) -> None:
        with self._store.write() as db:
            db.execute("UPDATE logs SET departed = max(departed, ?) WHERE log = ?", (index, log))
            self._store.put(UNSURE, 1)

    def is_unsure(self) -> bool:
        return bool(self._store.get(UNSURE, 0)) or self._store.get(REGISTRATION, "none") != "registered"

    def take_receipt(self, receipt: Receipt) -> None:
        with self._store.write():
            for verdict in receipt.verdicts:
                pk = self._log_pk(verdict.head.log)
                if pk is None:
                    continue
                self._take_verdict(pk, verdict.head, verdict.status)
            self._store.put(UNSURE, 0)
            self._store.put(LAST_CONTACT, receipt.hub_ms)
            hub_s = receipt.hub_ms // 1000
            if hub_s - self._store.get(_LAST_ANCHOR, 0) >= ANCHOR_EVERY_S:
                self._recorder.record(AnchorNoted(receipt.anchor, hub_s))
                self._store.put(_LAST_ANCHOR, hub_s)

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

    def _log_pk(self, prefix: bytes) -> int | None:
        with self._store.read() as db:
            row = db.execute(
                "SELECT pk FROM logs WHERE substr(log, 1, ?) = ?", (SHORT_ID, prefix)
            ).fetchone()
            return None if row is None else int(row[0])

    def _take_verdict(self, pk: int, head: Head, status: Status) -> None:
        if status in (Status.UNKNOWN_DEVICE, Status.REVOKED):
            self._store.put(REGISTRATION, "waiting" if status == Status.UNKNOWN_DEVICE else "revoked")
            return
        if status == Status.TRY_LATER:
            return
        self._store.put(REGISTRATION, "registered")
        if status in (Status.FORK, Status.BEHIND):
            self._store.put(FORKED, int(status))
        with self._store.write() as db:
            before = db.execute("SELECT confirmed FROM logs WHERE pk = ?", (pk,)).fetchone()[0]
            ours = db.execute(
                "SELECT substr(id, 1, ?) FROM segments WHERE log = ? AND idx = ?",
                (SHORT_ID, pk, head.index),
            ).fetchone()
            if head.index >= 0 and (ours is None or ours[0] != head.id):
                return
            if head.index < before:
                self._store.put(HUB_LOST, before - head.index)
            db.execute("UPDATE logs SET confirmed = ? WHERE pk = ?", (head.index, pk))
