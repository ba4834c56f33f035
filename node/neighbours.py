"""Another laptop of this village on the same network: each takes what it lacks from the other.

Two requests at most, whichever begins. Only devices that the centre registered for this village are answered; what
comes is believed because its devices signed it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.centre import Centre
from node.config import Config
from node.errors import NodeError
from node.history import History
from node.shelf import NodeShelf
from sync import exchange, items, limits, neighbour
from sync.client import Road
from sync.errors import N_
from sync.items import ItemKind
from sync.neighbour import Greeting, open_greeting, sign_greeting
from sync.post import Post


@dataclass(frozen=True, slots=True)
class Met:
    """What meeting a neighbour brought: segments taken and given."""

    taken: int
    given: int


class Neighbours:
    """This laptop's side, asking and answering."""

    def __init__(self, config: Config, centre: Centre, history: History, shelf: NodeShelf) -> None:
        self._config = config
        self._centre = centre
        self._history = history
        self._shelf = shelf

    def answer(self, body: bytes) -> bytes:
        """What this laptop says to one that greets it, and what that one lacks.

        Raises:
            SyncError, NodeError: not a greeting, or not by a registered device of this village.
        """
        data, stream = exchange.split_answer(body)
        unverified = open_greeting(data)
        greeting = unverified.verify(self._key_of(unverified.claimed.device))
        self._take(stream)
        self._shelf.seal()
        lacking, _ = self._lacking(greeting)
        mine = sign_greeting(self._config.device_key, tuple(self._history.heads()), unverified.quote)
        return b"".join([mine, *lacking])

    def meet(self, address: str, road: Callable[[str], Road] = Post) -> Met:
        """Greet the laptop at `address`; take what this one lacks, give what that one lacks.

        Raises:
            ExchangeError: nobody answered, or somebody who is no neighbour.
            NodeError: it isn't a registered device of this village.
        """
        there = road(address)
        self._shelf.seal()
        taken, theirs = self._greet(there, [])
        lacking, given = self._lacking(theirs)
        if lacking:
            more, _ = self._greet(there, lacking)
            taken += more
        return Met(taken, given)

    def _greet(self, road: Road, stream: list[bytes]) -> tuple[int, Greeting]:
        mine = sign_greeting(self._config.device_key, tuple(self._history.heads()))
        answer = road.send(neighbour.PATH, b"".join([mine, *stream]), limits.NEIGHBOUR_BODY)
        data, came = exchange.split_answer(answer)
        unverified = open_greeting(data)
        theirs = unverified.verify(self._key_of(unverified.claimed.device))
        if theirs.answers != open_greeting(mine).quote:
            raise NodeError(N_("Jawaban laptop tetangga ini untuk sapaan lain. Coba lagi."))
        return self._take(came), theirs

    def _take(self, stream: bytes) -> int:
        came = items.read_items(stream)
        segments = [item.segment() for item in came if item.kind is ItemKind.SEGMENT]
        return self._history.take(segments, [item.data for item in came if item.kind is ItemKind.PROFILE])

    def _lacking(self, greeting: Greeting) -> tuple[list[bytes], int]:
        """(items that fit into one message, how many segments)."""
        lacking: list[bytes] = []
        size = count = 0
        for profiles, segment in self._history.segments_beyond(greeting.heads):
            size += len(segment) + sum(map(len, profiles))
            if size > limits.NEIGHBOUR_BODY - limits.CONTROL_ITEM:
                break
            lacking += [*profiles, segment]
            count += 1
        return lacking, count

    def _key_of(self, device: bytes) -> bytes:
        key = self._centre.public_key(device)
        if key is None:
            raise NodeError(
                N_(
                    "Laptop itu belum terdaftar untuk desa ini, atau laptop ini belum menerima kabarnya dari pusat. Data kedua laptop aman."
                )
            )
        return key
