"""The round trip over HTTP: takes what a device holds to its hub and brings the receipt back.

Decides nothing (see `exchange`): it carries bytes, turns everything that can go wrong on the way into one
sentence, and tells how many bytes went each way. Work is safe whatever happens here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sync import exchange, limits, registration
from sync.errors import (
    ExchangeError,
    NotAHubError,
    RefusedError,
    SignatureError,
    SyncError,
    UnknownVersionError,
    UnreachableError,
)
from sync.exchange import Down, Receipt, Request, Wants
from sync.keys import SigningKey
from sync.keyset import Keyset
from sync.log import Head, Status
from sync.logclock import Reading
from sync.post import Post
from sync.post import Progress as Progress

ANSWER_LIMIT: Final = 2 * limits.REQUEST_BODY

ROUNDS_MOST: Final = 1000
"""Round trips in one exchange; a hub that never comes to an end is left alone for a while."""


@dataclass(frozen=True, slots=True)
class LogToSend:
    """What a device has to say of a path of one log: its tip, what the hub holds of it, what waits.

    Its own logs have one path each; a log of another device that forked has one for each branch.
    """

    tip: Head
    held: int
    """The index up to which the hub is known to hold it, confirmed or kept apart; NOTHING for none."""
    waiting: Sequence[tuple[int, int]]
    """(index, size in bytes with its profiles) of the segments after that."""


class Shelf(Protocol):
    """Where a device keeps its logs; `node.shelf` is one."""

    def seal(self) -> None: ...
    def logs(self) -> Sequence[LogToSend]: ...
    def items(self, tip: Head, index: int) -> Sequence[bytes]:
        """The segment on the path to `tip`, as it is on the disk, after the profiles that its entries commit to."""
        ...

    def note_departure(self, log: bytes, index: int) -> None:
        """Segments up to this one are about to leave; until a receipt comes, nobody knows if they arrived."""
        ...

    def is_unsure(self) -> bool:
        """Whether an attempt ended without a receipt since the last one."""
        ...

    def take_receipt(self, receipt: Receipt) -> None: ...
    def have(self, named: bool) -> tuple[Head, ...] | bytes:
        """Which logs of others are held: `named`, as heads; else as what was agreed to sum them up."""
        ...

    def wants(self) -> Wants: ...
    def take_items(self, stream: bytes) -> int:
        """Keep what a hub sent besides its receipt; returns how many items were new."""
        ...

    def take_keyset(self, envelope: bytes) -> Keyset:
        """Keep a newer keyset of the same root.

        Raises:
            SyncError: it isn't one.
        """
        ...

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

    def plus(self, later: Outcome) -> Outcome:
        """This exchange and the next one together."""
        return Outcome(
            self.requests + later.requests,
            self.sent + later.sent,
            self.received + later.received,
            later.statuses,
            later.retry_after_s,
        )


class Road(Protocol):
    """What carries a request to a hub and its answer back; `Post` is one."""

    def send(self, path: str, body: bytes, most: int, progress: Progress = ...) -> bytes: ...


class Client:
    """Speaks to one hub on behalf of one device."""

    def __init__(self, hub_url: str, key: SigningKey, device: bytes, road: Road | None = None) -> None:
        self._post = road or Post(hub_url)
        self._key = key
        self._device = device

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
        ask_first, named = shelf.is_unsure(), False
        while True:
            logs = shelf.logs()
            before = [log.held for log in logs]
            t, reading = clock()
            header = Request(self._device, t, reading.wall_ms // 1000, (), shelf.have(named), shelf.wants())
            body, signed, complete = _body(self._key, header, shelf, logs, ask_first)
            try:
                answer = self._post.send(exchange.PATH, body, ANSWER_LIMIT, progress)
            except (UnreachableError, RefusedError):
                shelf.note_attempt(succeeded=False, most=limits.REQUEST_BODY)
                raise
            count, sent, received = count + 1, sent + len(body), received + len(answer)
            receipt, stream, keyset = self._open(answer, keyset, signed, shelf)
            shelf.take_receipt(receipt)
            new = shelf.take_items(stream)
            shelf.note_attempt(succeeded=True, most=receipt.max_upload)
            statuses = tuple(verdict.status for verdict in receipt.verdicts)
            goes_back = Status.GAP in statuses and before != [log.held for log in shelf.logs()]
            stuck = not ask_first and before == [log.held for log in shelf.logs()]
            sends_on = goes_back or not (complete or stuck)
            named = receipt.down is Down.NAME_YOURS and not named
            takes_on = named or (receipt.down is Down.MORE and new > 0)
            if Status.TRY_LATER in statuses or count >= ROUNDS_MOST or not (sends_on or takes_on):
                if receipt.keyset_version > keyset.version:
                    self._newer_keyset(shelf)
                return Outcome(count, sent, received, statuses, receipt.retry_after_s)
            ask_first = False

    def keyset(self) -> bytes:
        """The hub's keyset now, in the envelope of its root.

        Raises:
            ExchangeError: as for `exchange`.
        """
        return self._post.send(exchange.KEYSET_PATH, b"", ANSWER_LIMIT)

    def _open(
        self, answer: bytes, keyset: Keyset, signed: bytes, shelf: Shelf
    ) -> tuple[Receipt, bytes, Keyset]:
        """(receipt, items after it, the keyset that the receipt was believed with)."""
        try:
            data, stream = exchange.split_answer(answer)
            try:
                return exchange.open_receipt(data, keyset.hub_keys, signed), stream, keyset
            except SignatureError as problem:
                # The hub may have another key now; its root, which this device knows, says so or not.
                try:
                    keyset = self._newer_keyset(shelf)
                except ExchangeError:
                    raise problem from None
                return exchange.open_receipt(data, keyset.hub_keys, signed), stream, keyset
        except UnknownVersionError as problem:
            raise RefusedError(problem.text, **problem.details) from problem
        except ExchangeError:
            raise
        except SyncError as problem:
            raise NotAHubError(problem.text, **problem.details) from problem

    def _newer_keyset(self, shelf: Shelf) -> Keyset:
        try:
            return shelf.take_keyset(self.keyset())
        except ExchangeError:
            raise
        except SyncError as problem:
            raise NotAHubError(problem.text, **problem.details) from problem

    def register(self, request: bytes) -> bytes:
        """Send a registration and return the hub's answer (see `registration`).

        Raises:
            ExchangeError: as for `exchange`.
        """
        return self._post.send(registration.PATH, request, ANSWER_LIMIT)


def _body(
    key: SigningKey, header: Request, shelf: Shelf, logs: Sequence[LogToSend], ask_first: bool
) -> tuple[bytes, bytes, bool]:
    """(the whole body, its signed header, whether nothing is left to send after it)."""
    items: list[bytes] = []
    silent: list[Head] = []
    complete = True
    allowance = min(shelf.upload_size(), limits.REQUEST_BODY - _header_most(header, len(logs)))
    for log in logs:
        if ask_first or not log.waiting:
            silent.append(log.tip)
            complete = complete and not log.waiting
            continue
        spent = sum(len(item) for item in items)
        if spent > allowance:
            complete = False
            silent.append(log.tip)
            continue
        chosen, all_of_it = exchange.to_send(log.held, log.waiting, allowance, spent)
        complete = complete and all_of_it
        for index in chosen:
            items.extend(shelf.items(log.tip, index))
        shelf.note_departure(log.tip.log, chosen[-1])
    heads = tuple(silent[-limits.LOGS_PER_REQUEST :])
    signed = exchange.sign_request(key, dataclasses.replace(header, heads=heads))
    return b"".join([signed, *items]), signed, complete


def _header_most(header: Request, logs: int) -> int:
    """How long (bytes) a request's header can be that names so many heads."""
    have = len(header.have) if isinstance(header.have, tuple) else 0
    return 160 + 32 * (min(logs, limits.LOGS_PER_REQUEST) + have)
