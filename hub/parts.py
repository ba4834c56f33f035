"""Parts of bundles, from any hands: opened, verified, and taken in like a request.

A part is signed by the device that made it, so it doesn't matter who brings it. Taking one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select

from hub import alerts, ledger, registry, schema, segments
from hub.db import reading, writing
from hub.errors import UnknownDeviceError
from hub.intake import Exchange, Intake
from hub.projection import project
from sync import bundle, items
from sync.bundle import OpenedPart
from sync.courier import Taken
from sync.errors import (
    LontarError,
    MalformedError,
    SealError,
    SignatureError,
    SyncError,
    TooLargeError,
)
from sync.exchange import Request
from sync.items import ItemKind
from sync.segment import Segment


def take(intake: Intake, data: bytes) -> Taken:
    """Take in one whole part.

    Raises:
        TornError: it isn't whole; bring another copy.
        MalformedError, TooLargeError, UnknownVersionError: it is no part, or of a later Lontar.
        BusyError: the database can't take it now; nothing was changed.
    """
    bundle.check_part(data)
    id_ = bundle.part_id(data)
    with reading(intake.engine) as connection:
        if ledger.holds(connection, id_):
            return Taken.HELD
    try:
        part = bundle.open_part(data, intake.config.opening_keys)
    except SealError:
        return Taken.FOREIGN
    except (MalformedError, TooLargeError):
        return Taken.REFUSED
    try:
        claimed = part.from_device()
        device = _device(intake, part, claimed)
    except (MalformedError, TooLargeError, SignatureError):
        return Taken.REFUSED
    if device is None:
        return Taken.LATER
    try:
        part.verify_device(device.public_key)
    except SyncError:
        _alert(intake, device.pk, alerts.BAD_MANIFEST, id_)
        return Taken.REFUSED
    under_way = Exchange(intake, device, claimed, b"")
    try:
        sent = _take_items(under_way, part.stream, lambda: _alert(intake, device.pk, alerts.BAD_ITEM, id_))
    finally:
        project(intake.engine, intake.config, under_way.touched_logs, intake.now_ms())
    under_way.note_by_stick()
    if device.state == "refused":
        return Taken.REFUSED
    with writing(intake.engine) as connection:
        if not all(_is_stored(connection, segment) for segment in sent):
            # Quarantine is full, or it is of a device or a log that isn't known yet.
            return Taken.LATER
        ledger.note_arrival(connection, id_, part.head, device.pk, intake.now_ms())
    return Taken.NEW


def _take_items(under_way: Exchange, stream: bytes, alert: Callable[[], None]) -> list[Segment]:
    """Returns the segments that weren't refused. One bad item keeps out no good one after it."""
    sent: list[Segment] = []
    try:
        for item in items.split(stream):
            sent += _take_item(under_way, item, alert)
    except MalformedError:
        alert()
    # What came before the beginning of its log can be judged only now.
    early = [segment for segment in sent if segment.log in under_way.strange_logs]
    sent = [segment for segment in sent if segment.log not in under_way.strange_logs]
    for segment in early:
        sent += _take_item(under_way, segment.data, alert)
    return sent


def _take_item(under_way: Exchange, item: bytes, alert: Callable[[], None]) -> list[Segment]:
    try:
        under_way.take(item)
    except UnknownDeviceError:
        pass  # It may be known when the part is brought again.
    except SyncError:
        alert()
        return []
    return _segments_in(item)


def _segments_in(item: bytes) -> list[Segment]:
    read = items.read_item(item)
    return [read.segment()] if read is not None and read.kind is ItemKind.SEGMENT else []


def _is_stored(connection: Connection, segment: Segment) -> bool:
    log, table = segments.find_log(connection, segment.log), schema.segments.c
    if log is None:
        return False
    here = (table.log == log.pk, table.idx == segment.index, table.id == segment.id)
    return connection.execute(select(table.pk).where(*here)).first() is not None


def _device(intake: Intake, part: OpenedPart, claimed: Request) -> Any:
    """The device that the part says it comes from; one that asks to be registered becomes known, and waits."""
    device = intake.device_of(claimed.device)
    if device is None:
        for item in bundle.read_stream(part):
            if item.kind is ItemKind.REGISTRATION:
                registry.register(intake.engine, intake.config, item.data, intake.now_ms())
        device = intake.device_of(claimed.device)
    return device


def _alert(intake: Intake, device: int, kind: str, subject: bytes) -> None:
    with writing(intake.engine) as connection:
        alerts.raise_alert(connection, kind, device, subject, intake.now_ms())


def take_many(intake: Intake, parts: list[bytes]) -> dict[Taken | None, int]:
    """Take in several; None counts those that are torn or no parts at all."""
    counts: dict[Taken | None, int] = {}
    for data in parts:
        try:
            taken: Taken | None = take(intake, data)
        except LontarError as problem:
            if problem.http_status >= 500:
                raise
            taken = None
        counts[taken] = counts.get(taken, 0) + 1
    return counts
