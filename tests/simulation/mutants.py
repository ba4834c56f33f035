"""Deliberate breakages of the product: a simulator that lets one of them live proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete

from hub import alerts, catching_up, intake, merge, passed_on, paths, schema, segments, upstream
from node import recorder, shelf
from simulation.power import PowerCut
from sync import logclock, segment
from sync.entries import Entry
from sync.exchange import Verdict
from sync.log import Head, Status


@dataclass(frozen=True)
class Mutant:
    """What is broken, and how; `shows_in` are deeds without which nobody could notice."""

    name: str
    says: str
    apply: Callable[[], None]
    shows_in: frozenset[str] = frozenset()


def _skip_signatures() -> None:
    segment.Segment.verify = lambda self, public_key: None  # type: ignore[method-assign]


def _count_again() -> None:
    merge._not_merged_elsewhere = lambda work, row, batch: batch


def _leave_waiting() -> None:
    segments._attach_waiting = lambda *arguments: None


def _gaps_are_held() -> None:
    def verdict(self: Any, connection: Any, log: Any, last: Any, placement: Any) -> Verdict:
        return Verdict(Head(log.log, last.index, last.id), Status.STORED)

    take = intake.Exchange._take_segment

    def taken(self: Any, segment: Any) -> None:
        if segment.index != 2:
            take(self, segment)

    # Gaps are rare, so that one is made in every log.
    intake.Exchange._take_segment = taken  # type: ignore[method-assign]
    intake.Exchange._verdict_on = verdict  # type: ignore[method-assign]


def _told_too_early() -> None:
    record = recorder.Recorder.record

    def told(self: recorder.Recorder, kind: Any) -> Entry:
        try:
            return record(self, kind)
        except PowerCut:
            return Entry(0, kind.number, 0, kind.fields())

    recorder.Recorder.record = told  # type: ignore[method-assign]


def _sent_is_confirmed() -> None:
    take = shelf.NodeShelf.take_receipt

    def taken(self: Any, receipt: Any) -> None:
        take(self, receipt)
        with self._store.write() as db:
            db.execute("UPDATE logs SET confirmed = (SELECT max(idx) FROM segments WHERE log = logs.pk)")

    shelf.NodeShelf.take_receipt = taken  # type: ignore[method-assign]


def _merge_twice() -> None:
    merge._mark = lambda connection, outcomes: None


def _trust_the_wall() -> None:
    logclock.LogClock.now = lambda self, reading: reading.wall_ms  # type: ignore[method-assign]


def _believe_the_device() -> None:
    def verdict(self: Any, connection: Any, claimed: Head, now: int) -> Verdict:
        return Verdict(claimed, Status.STORED)

    intake.Exchange._verdict_on_head = verdict  # type: ignore[method-assign]


def _never_catch_up() -> None:
    catching_up.at_start = lambda *arguments: None


def _forget_numbers() -> None:
    paths._inherit = lambda work, branch, previous: None


def _new_log_forgets() -> None:
    start = recorder.Recorder.start_new_log

    def started(self: Any, reason: Any) -> None:
        with self._store.write() as db:
            db.execute("DELETE FROM pending")
        start(self, reason)

    recorder.Recorder.start_new_log = started  # type: ignore[method-assign]


def _erased_is_kept_again() -> None:
    store = intake.Exchange._store_profiles

    def stored(self: Any, connection: Any) -> None:
        connection.execute(delete(schema.erased))
        store(self, connection)

    intake.Exchange._store_profiles = stored  # type: ignore[method-assign]


def _revoked_counts() -> None:
    store = segments.store

    def stored(connection: Any, log: Any, segment_: Any, quarantined: bool, now_ms: int) -> Any:
        return store(connection, log, segment_, False, now_ms)

    segments.store = stored


def _forks_are_hidden() -> None:
    tell = alerts.raise_alert

    def told(connection: Any, kind: str, *more: Any) -> None:
        if kind != alerts.FORK:
            tell(connection, kind, *more)

    alerts.raise_alert = told


def _sent_is_passed_on() -> None:
    choose = upstream._next_batch

    def chosen(connection: Any, config: Any) -> Any:
        batch = choose(connection, config)
        with connection.engine.begin() as other:
            batch.mark(other)
        return batch

    upstream._next_batch = chosen
    # Else the next contact asks whether it is, and sends it again.
    passed_on.lacking = lambda heads, verdicts: []


MUTANTS = (
    Mutant("signatures", "the hub doesn't check who signed a segment", _skip_signatures),
    Mutant("twice", "entries that two branches share count twice", _count_again),
    Mutant("waiting", "what waits for its parent is never attached", _leave_waiting),
    Mutant("gaps", "a segment is lost, and those behind the gap are confirmed as held", _gaps_are_held),
    Mutant("early", "people are told before the disk is safe", _told_too_early),
    Mutant("sent", "a laptop takes everything it has for confirmed after any receipt", _sent_is_confirmed),
    Mutant("again", "a merged segment isn't marked as merged", _merge_twice),
    Mutant("wall", "log time is the wall clock's", _trust_the_wall),
    Mutant("believe", "the hub believes what a device says that it holds", _believe_the_device),
    Mutant("undone", "what a killed hub left unmerged stays so", _never_catch_up),
    Mutant("numbers", "a branch doesn't know the numbers of its parent", _forget_numbers),
    Mutant("new log", "a new log forgets what waited in the old one", _new_log_forgets),
    Mutant("erased", "the hub forgets who was erased", _erased_is_kept_again, frozenset({"erase_person"})),
    Mutant("revoked", "what a revoked device sends counts at once", _revoked_counts),
    Mutant("forks", "nobody is told of a fork", _forks_are_hidden),
    Mutant(
        "passed on",
        "what is sent to the nation's hub is taken for held there",
        _sent_is_passed_on,
        frozenset({"pass_on"}),
    ),
)
