"""PINs of learners and the password of the village operator: set, tried, throttled, forgotten.

What is stored is Argon2id over HMAC-SHA256(pepper, secret and whose it is), so a stolen database alone tells
nothing: the pepper lies outside it. Five tries are free; then the wait grows to 15 minutes. Waits are kept in
the database and measured in powered-on time: neither a restart nor turning the clock shortens them.
"""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from node.store import Store
from web.passwords import hash_password, is_outdated, password_fits

OPERATOR: Final = -1
"""The village operator's number among those who have a secret; learners count from 0."""

PIN_DIGITS: Final = 6
PASSWORD_MIN: Final = 8
PASSWORD_MAX: Final = 200

FREE_TRIES: Final = 5
WAITS_S: Final = (30, 60, 120, 300, 900)

POSITIONS: Final = (
    "Kepala Desa",
    "Sekretaris Desa",
    "Kaur Tata Usaha dan Umum",
    "Kaur Keuangan",
    "Kaur Perencanaan",
    "Kasi Pemerintahan",
    "Kasi Kesejahteraan",
    "Kasi Pelayanan",
    "Kepala Dusun",
    "Ketua BPD",
    "Anggota BPD",
    "Pengurus RT/RW",
    "Pengurus PKK",
    "Pengurus Karang Taruna",
    "Kader Posyandu",
    "Pengurus LPM",
    "Pengurus Lembaga Adat Desa",
)
"""The usual positions in a village (jabatan); others are typed in. They are data, so not translated."""


@dataclass(frozen=True, slots=True)
class Try:
    """How a try went. `wait_s` is how long to wait before the next one."""

    right: bool
    wait_s: int = 0
    tries_left: int = 0


class Secrets:
    """The `pins` table."""

    def __init__(self, store: Store, log_time: Callable[[], int], pepper: bytes) -> None:
        self._store = store
        self._log_time = log_time
        self._pepper = pepper

    def is_set(self, who: int) -> bool:
        with self._store.read() as db:
            return db.execute("SELECT 1 FROM pins WHERE learner = ?", (who,)).fetchone() is not None

    def holders(self) -> frozenset[int]:
        """Everybody who has a secret."""
        with self._store.read() as db:
            return frozenset(row[0] for row in db.execute("SELECT learner FROM pins"))

    def set(self, who: int, secret: str) -> bool:
        """Give `who` a first secret; False if there is one already."""
        hashed = hash_password(self._peppered(who, secret))
        with self._store.write() as db:
            return (
                db.execute(
                    "INSERT OR IGNORE INTO pins (learner, hash) VALUES (?, ?)", (who, hashed)
                ).rowcount
                == 1
            )

    def forget(self, who: int) -> None:
        """Next time `who` chooses a new secret."""
        with self._store.write() as db:
            db.execute("DELETE FROM pins WHERE learner = ?", (who,))

    def wait_s(self, who: int) -> int:
        """Seconds until `who` may try again, 0 for now."""
        with self._store.write() as db:
            return self._wait_s(db, who)

    def attempt(self, who: int, secret: str) -> Try:
        """Try a secret. Counted before it is checked, so pulling the plug gives no free tries."""
        with self._store.write() as db:
            row = db.execute("SELECT hash, failures FROM pins WHERE learner = ?", (who,)).fetchone()
            if row is None:
                return Try(right=False)
            if wait := self._wait_s(db, who):
                return Try(right=False, wait_s=wait)
            stored, failures = row
            wait = wait_after(failures + 1)
            db.execute(
                "UPDATE pins SET failures = ?, blocked_until_t = ? WHERE learner = ?",
                (failures + 1, self._log_time() + wait * 1000, who),
            )
        peppered = self._peppered(who, secret)
        if not password_fits(stored, peppered):
            return Try(right=False, wait_s=wait, tries_left=max(0, FREE_TRIES - failures - 1))
        hashed = hash_password(peppered) if is_outdated(stored) else stored
        with self._store.write() as db:
            db.execute(
                "UPDATE pins SET failures = 0, blocked_until_t = 0, hash = ? WHERE learner = ? AND hash = ?",
                (hashed, who, stored),
            )
        return Try(right=True)

    def _wait_s(self, db: sqlite3.Connection, who: int) -> int:
        row = db.execute("SELECT failures, blocked_until_t FROM pins WHERE learner = ?", (who,)).fetchone()
        if row is None:
            return 0
        failures, blocked_until_t = int(row[0]), int(row[1])
        now, whole_ms = self._log_time(), wait_after(failures) * 1000
        if blocked_until_t - now > whole_ms:
            # A power cut set log time back to the last entry: the wait starts again, it doesn't grow.
            blocked_until_t = now + whole_ms
            db.execute("UPDATE pins SET blocked_until_t = ? WHERE learner = ?", (blocked_until_t, who))
        return max(0, -(-(blocked_until_t - now) // 1000))

    def _peppered(self, who: int, secret: str) -> bytes:
        return hmac.digest(self._pepper, f"{secret}\0{who}".encode(), "sha256")


def wait_after(failures: int) -> int:
    """Seconds to wait after this many wrong tries in a row."""
    if failures < FREE_TRIES:
        return 0
    return WAITS_S[min(failures - FREE_TRIES, len(WAITS_S) - 1)]


def is_pin(text: str) -> bool:
    return len(text) == PIN_DIGITS and text.isascii() and text.isdecimal()


def is_easy(pin: str) -> bool:
    """Whether it is among the first that anyone would try: one digit, or counting up or down."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return len(steps) == 1 and steps <= {0, 1, 9}
