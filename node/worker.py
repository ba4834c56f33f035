"""Sends what waits, in the background: tries now and then, waits longer after each failure, never gives up.

Pauses grow from half a minute to an hour and are jittered, so that a district's laptops don't all call
when the power comes back. Every outcome is kept as one honest sentence for the page.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from node.config import Config, with_hub
from node.enrol import enrol
from node.errors import NodeError
from node.recorder import Recorder
from node.shelf import HUB_LOST, LAST_CONTACT, NEW_LOG, REGISTRATION, NodeShelf
from node.store import Store
from node.trust import pinned_keyset
from sync.client import Client, Outcome, Progress
from sync.entries import OpenReason
from sync.errors import N_, LontarError, NotAHubError, RefusedError, SignatureError
from sync.keys import key_id
from sync.machine import Machine

PAUSE_AFTER_SUCCESS_S: Final = 300.0
PAUSE_FIRST_S: Final = 30.0
PAUSE_MOST_S: Final = 3600.0
_SPREAD: Final = 0.25
_ERROR: Final = "last_error"
_CODE: Final = "registration_code"
"""The code that was typed while there was no signal."""
_UNKNOWN: Final = "unknown-device"
NO_HUB: Final = N_(
    "Alamat pusat belum diisi. Operator desa mengisinya lewat halaman Sinkronisasi; pekerjaan tetap aman di laptop ini."
)

NEW_LOG_TEXTS: Final = {
    OpenReason.FIRST: "",
    OpenReason.RESTORED: N_(
        "Data laptop ini pernah dipulihkan dari cadangan lama. Tidak ada yang hilang: yang sudah dikirim diambil lagi dari pusat."
    ),
    OpenReason.MOVED: N_(
        "Data ini disalin atau dipindahkan dari laptop lain. Keduanya boleh dipakai; pusat menggabungkan semuanya."
    ),
    OpenReason.FORKED: N_(
        "Perbedaan data: data yang sama dipakai di dua tempat, atau pernah dipulihkan. Tidak ada yang hilang; pusat sudah tahu."
    ),
    OpenReason.REPLACED: N_("Laptop ini menggantikan laptop lain. Riwayat desa diambil dari pusat."),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyncState:
    """What people are told about synchronisation: `error` is why the last attempt failed, if it did."""

    last_contact_ms: int | None
    error: LontarError | None
    running: bool
    registration: str
    alerts: tuple[str, ...]


def pause_after(failures: int, random_byte: int) -> float:
    """Seconds to wait after so many failures in a row, at most an hour.

    `random_byte` (0 to 255) spreads it by ±25 %.
    """
    base = PAUSE_AFTER_SUCCESS_S if failures == 0 else PAUSE_FIRST_S * 2 ** min(failures - 1, 10)
    return min(base, PAUSE_MOST_S / (1 + _SPREAD)) * (1 - _SPREAD + 2 * _SPREAD * random_byte / 255)


class Worker:
    """Runs exchanges, one at a time, on request or by itself in a thread."""

    def __init__(
        self,
        config: Config,
        store: Store,
        recorder: Recorder,
        shelf: NodeShelf,
        machine: Machine,
        make_client: Callable[[], Client] | None = None,
    ) -> None:
        self._config = config
        self._store = store
        self._recorder = recorder
        self.shelf = shelf
        self._machine = machine
        self._make_client = make_client or self._client
        self._one_at_a_time = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.asked_to_wait_s = 0
        """So long the centre asked this device to stay away when it last spoke."""

    def with_client(self, make_client: Callable[[], Client]) -> Worker:
        """The same node's worker with another way to its hub."""
        return Worker(self._config, self._store, self._recorder, self.shelf, self._machine, make_client)

    @property
    def hub_url(self) -> str:
        """Where the centre is; empty while nobody has said it."""
        return self._config.hub_url

    def use_hub(self, hub_url: str) -> None:
        """From now on the centre is there. Whom this device believes doesn't change.

        Raises:
            MalformedError: that is no address.
        """
        self._config = with_hub(self._config, hub_url)

    def exchange(self, progress: Progress = lambda sent, total: None) -> Outcome:
        """One exchange, now.

        Raises:
            LontarError: with a sentence; it is also kept for the page.
        """
        if not self.hub_url:
            raise NodeError(NO_HUB)
        with self._one_at_a_time:
            try:
                outcome = self._exchange(progress)
            except LontarError as problem:
                asked = problem.details.get("retry_after_s")
                self.asked_to_wait_s = asked if isinstance(asked, int) else 0
                details = [[name, str(value)] for name, value in problem.details.items()]
                self._store.put(_ERROR, [problem.text, details])
                raise
            self._store.put(_ERROR, None)
            self.asked_to_wait_s = outcome.retry_after_s
            return outcome

    def enrol(self, code: str | None) -> str:
        """Register with the hub; returns the root's fingerprint for people to compare."""
        with self._one_at_a_time:
            return self._enrol(self._make_client(), code)

    def keep_code(self, code: str) -> None:
        """Register with this code at the next contact, and believe no centre that doesn't know it."""
        self._store.put(_CODE, code)

    def state(self) -> SyncState:
        alerts = []
        new_log = self._store.get(NEW_LOG)
        if new_log is not None:
            alerts.append(NEW_LOG_TEXTS[OpenReason(new_log)])
        if self._store.get(HUB_LOST):
            alerts.append(
                N_("Pusat kehilangan sebagian data dan memintanya lagi. Perangkat ini mengirim ulang.")
            )
        return SyncState(
            self._store.get(LAST_CONTACT),
            self._last_error(),
            self._one_at_a_time.locked(),
            self._store.get(REGISTRATION, "none"),
            tuple(alerts),
        )

    def _last_error(self) -> LontarError | None:
        """The last failure, as text and details, so that every page can tell it in its own language."""
        match self._store.get(_ERROR):
            case [str() as text, list() as details]:
                return LontarError(text, **dict(details))
        return None

    def is_about_to_try(self) -> bool:
        """Whether the first exchange by itself hasn't come to an end yet."""
        is_untried = self._store.get(LAST_CONTACT) is None and self._store.get(_ERROR) is None
        return bool(self._thread and self.hub_url and is_untried)

    def wall_ms(self) -> int:
        """What this laptop's own clock says, which may be wrong."""
        return self._machine.reading().wall_ms

    def sync_soon(self) -> None:
        self._wake.set()

    def start(self, look_around: Callable[[], None] = lambda: None) -> None:
        """Exchange now and then, in a thread; `look_around` meets neighbours each time, signal or not."""
        self._thread = threading.Thread(
            target=self._run, args=(look_around,), name="lontar-sync", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop after the exchange under way, and seal what waits (a clean stop)."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._recorder.seal()

    def _run(self, look_around: Callable[[], None]) -> None:
        failures = 0
        while not self._stopping:
            # Without an address there is nothing to try, and no reason to meet neighbours less often.
            failures = 0 if not self.hub_url or self._tried(self.exchange) else failures + 1
            if not self._stopping:
                self._tried(look_around)
            self._wake.wait(
                max(pause_after(failures, self._machine.random_bytes(1)[0]), self.asked_to_wait_s)
            )
            self._wake.clear()

    @staticmethod
    def _tried(act: Callable[[], object]) -> bool:
        """Whether it succeeded."""
        try:
            act()
        except LontarError as problem:
            log.info("%s", problem)
        except Exception:
            # The thread must outlive a surprise: a village would notice weeks later that nothing is sent.
            log.exception("sync")
        else:
            return True
        return False

    def _exchange(self, progress: Progress) -> Outcome:
        client = self._make_client()
        code = self._store.get(_CODE)
        waits_with_code = code is not None and self._store.get(REGISTRATION) != "registered"
        if waits_with_code or pinned_keyset(self._store) is None:
            self._enrol(client, code)
        keyset = pinned_keyset(self._store)
        if keyset is None:
            raise NodeError(N_("Perangkat ini belum terdaftar di pusat."))
        log = self._recorder.log
        try:
            outcome = client.exchange(self.shelf, keyset, self._recorder.clock, progress)
        except RefusedError as problem:
            if problem.details.get("code") != _UNKNOWN:
                raise
            # The request to be registered is still on its way by stick, or the hub lost it.
            try:
                self._enrol(client, None)
            except SignatureError as other:
                raise NotAHubError(other.text, **other.details) from other
            outcome = client.exchange(self.shelf, keyset, self._recorder.clock, progress)
        if self._recorder.log == log:
            return outcome
        # The receipt said that another disk goes on in the old log; what is new waits in a new one.
        keyset = pinned_keyset(self._store) or keyset
        return outcome.plus(client.exchange(self.shelf, keyset, self._recorder.clock, progress))

    def _enrol(self, client: Client, code: str | None) -> str:
        enrolment = enrol(self._config, self._store, self.shelf, client, self._machine, code)
        if self._store.get(_CODE) is not None:
            self._store.put(_CODE, None)
        return enrolment.root_fingerprint

    def _client(self) -> Client:
        if not self.hub_url:
            raise NodeError(NO_HUB)
        return Client(self._config.hub_url, self._config.device_key, key_id(self._config.device_key.public))
