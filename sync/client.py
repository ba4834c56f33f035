"""The round trip over HTTP: takes what a device holds to its hub and brings the receipt back.

Decides nothing (see `exchange`): it carries bytes, turns everything that can go wrong on the way into one
sentence, and tells how many bytes went each way. Work is safe whatever happens here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import requests

from sync import __version__, cbor, exchange, limits, registration
from sync.errors import (
    N_,
    ExchangeError,
    LontarError,
    NotAHubError,
    RefusedError,
    SyncError,
    UnknownVersionError,
    UnreachableError,
)
from sync.exchange import Receipt, Request
from sync.keys import SigningKey
from sync.keyset import Keyset
from sync.log import Head, Status
from sync.logclock import Reading

TIMEOUT_S: Final = (20, 60)
"""To connect, and between two bytes of an answer."""
ANSWER_LIMIT: Final = 2 * limits.REQUEST_BODY

Progress = Callable[[int, int], None]
"""Told (bytes sent, bytes to send) while a request goes out."""


@dataclass(frozen=True, slots=True)
class LogToSend:
    """What a device has to say of one of its logs: its tip, what is confirmed, what waits."""

    tip: Head
    confirmed: int
    waiting: Sequence[tuple[int, int]]
    """(index, size in bytes with its profiles) of the segments after the confirmed one."""


class Shelf(Protocol):
    """Where a device keeps its logs; `node.shelf` is one."""

    def seal(self) -> None: ...
    def logs(self) -> Sequence[LogToSend]: ...
    def items(self, log: bytes, index: int) -> Sequence[bytes]:
        """A segment as it is on the disk, after the profiles that its entries commit to."""
        ...

    def note_departure(self, log: bytes, index: int) -> None:
        """Segments up to this one are about to leave; until a receipt comes, nobody knows if they arrived."""
        ...

    def is_unsure(self) -> bool:
        """Whether an attempt ended without a receipt since the last one."""
        ...

    def take_receipt(self, receipt: Receipt) -> None: ...
    def upload_size(self) -> int: ...
    def note_attempt(self, succeeded: bool, most: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an exchange cost, in bytes of bodies, and what it brought about."""

    requests: int = 0
    sent: int = 0
    received: int = 0
    statuses: tuple[Status, ...] = ()
    retry_after_s: int = 0


class Client:
    """Speaks to one hub on behalf of one device."""

    def __init__(
        self, hub_url: str, key: SigningKey, device: bytes, session: requests.Session | None = None
    ):
        self._url = hub_url.rstrip("/")
        self._key = key
        self._device = device
        self._session = session or requests.Session()
        # A village's laptop needs no compression of 200 bytes and no long greeting at 4 KB/s.
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": f"lontar/{__version__}", "Accept-Encoding": "identity"})
        self._session.trust_env = False

    def exchange(
        self,
        shelf: Shelf,
        keyset: Keyset,
        clock: Callable[[], tuple[int, Reading]],
        progress: Progress = lambda sent, total: None,
    ) -> Outcome:
        """Bring the hub everything that it lacks; one round trip when nothing went wrong before.

        Raises:
            ExchangeError: the hub wasn't reached, refused, or isn't the hub of `keyset`.
        """
        shelf.seal()
        count = sent = received = 0
        ask_first = shelf.is_unsure()
        while True:
            logs = shelf.logs()
            before = [log.confirmed for log in logs]
            t, reading = clock()
            body, header, complete = _body(self._key, self._device, shelf, logs, ask_first, t, reading)
            try:
                answer = self._post(exchange.PATH, body, progress)
            except (UnreachableError, RefusedError):
                shelf.note_attempt(succeeded=False, most=limits.REQUEST_BODY)
                raise
            receipt = _receipt_in(answer, keyset, header)
            shelf.take_receipt(receipt)
            shelf.note_attempt(succeeded=True, most=receipt.max_upload)
            count, sent, received = count + 1, sent + len(body), received + len(answer)
            statuses = tuple(verdict.status for verdict in receipt.verdicts)
            stuck = not ask_first and before == [log.confirmed for log in shelf.logs()]
            if complete or stuck or Status.TRY_LATER in statuses:
                return Outcome(count, sent, received, statuses, receipt.retry_after_s)
            ask_first = False

    def register(self, request: bytes) -> bytes:
        """Send a registration and return the hub's answer (see `registration`).

        Raises:
            ExchangeError: as for `exchange`.
        """
        return self._post(registration.PATH, request, lambda sent, total: None)

    def _post(self, path: str, body: bytes, progress: Progress) -> bytes:
        try:
            with self._session.post(
                self._url + path,
                data=_Watched(body, progress),
                headers={"Content-Type": exchange.MEDIA_TYPE},
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = response.raw.read(ANSWER_LIMIT + 1, decode_content=False)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as problem:
            raise NotAHubError(
                N_("Alamat pusat %(url)s tidak sah. Alamat yang benar diawali http:// atau https://."),
                url=self._url,
            ) from problem
        except requests.exceptions.MissingSchema as problem:
            raise NotAHubError(
                N_("Alamat pusat %(url)s tidak sah. Alamat yang benar diawali http:// atau https://."),
                url=self._url,
            ) from problem
        except (requests.exceptions.RequestException, OSError) as problem:
            raise _unreachable(self._url) from problem
        except Exception as problem:  # urllib3 raises its own kind while a body is being read
            if type(problem).__module__.startswith(("urllib3", "http")):
                raise _unreachable(self._url) from problem
            raise
        return _checked(answer, response, self._url)


class _Watched:
    """A body that tells how far it has been read; `requests` sends it with its length."""

    def __init__(self, body: bytes, progress: Progress) -> None:
        self._body = body
        self._at = 0
        self._progress = progress

    def __len__(self) -> int:
        return len(self._body)

    def read(self, size: int = -1) -> bytes:
        step = 1024 if size < 0 else min(size, 1024)
        piece = self._body[self._at : self._at + step]
        self._at += len(piece)
        self._progress(self._at, len(self._body))
        return piece


def _body(
    key: SigningKey,
    device: bytes,
    shelf: Shelf,
    logs: Sequence[LogToSend],
    ask_first: bool,
    t: int,
    reading: Reading,
) -> tuple[bytes, bytes, bool]:
    """(the whole body, its signed header, whether nothing is left to send after it)."""
    items: list[bytes] = []
    silent: list[Head] = []
    complete = True
    allowance = min(shelf.upload_size(), limits.REQUEST_BODY - _header_most(len(logs)))
    for log in logs:
        if ask_first or not log.waiting:
            silent.append(log.tip)
            complete = complete and not log.waiting
            continue
        chosen, all_of_it = exchange.to_send(
            log.confirmed, log.waiting, allowance, sum(len(item) for item in items)
        )
        complete = complete and all_of_it
        for index in chosen:
            items.extend(shelf.items(log.tip.log, index))
        shelf.note_departure(log.tip.log, chosen[-1])
    header = exchange.sign_request(
        key, Request(device, t, reading.wall_ms // 1000, tuple(silent[: limits.LOGS_PER_REQUEST]))
    )
    return b"".join([header, *items]), header, complete


def _header_most(logs: int) -> int:
    """How long (bytes) a request's header can be that names so many heads."""
    return 160 + 32 * min(logs, limits.LOGS_PER_REQUEST)


def _receipt_in(answer: bytes, keyset: Keyset, header: bytes) -> Receipt:
    try:
        end = cbor.item_end(answer, 0)
        return exchange.open_receipt(answer[:end], keyset.hub_keys, header)
    except UnknownVersionError as problem:
        raise RefusedError(problem.text, **problem.details) from problem
    except SyncError as problem:
        raise NotAHubError(problem.text, **problem.details) from problem


def _checked(answer: bytes, response: requests.Response, url: str) -> bytes:
    is_ours = response.headers.get("Content-Type") == exchange.MEDIA_TYPE
    if not is_ours or len(answer) > ANSWER_LIMIT:
        if response.status_code in (502, 503, 504):
            raise _unreachable(url)
        raise NotAHubError(
            N_(
                "Yang menjawab di %(url)s bukan pusat Lontar (jawaban %(status)s). Periksa alamat pusat, atau masuk dulu ke jaringan Wi-Fi ini."
            ),
            url=url,
            status=response.status_code,
        )
    if len(answer) < int(response.headers.get("Content-Length") or 0):
        raise _unreachable(url)
    if response.status_code == 200:
        return answer
    raise _refusal(answer)


def _refusal(answer: bytes) -> LontarError:
    match exchange.read_refusal(answer):
        case (code, text):
            error = RefusedError(
                N_("Pusat menolak: %(reason)s Pekerjaan tetap aman di perangkat ini."), reason=text
            )
            error.details["code"] = code
            return error
    return NotAHubError(N_("Jawaban pusat tidak dapat dibaca."))


def _unreachable(url: str) -> ExchangeError:
    return UnreachableError(
        N_(
            "Pusat %(url)s tidak dapat dihubungi. Pekerjaan aman di perangkat ini; coba lagi saat ada sinyal."
        ),
        url=url,
    )
