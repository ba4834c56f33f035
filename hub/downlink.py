"""What this hub says to devices: a log for each scope, sealed when it leaves. Owns hub_logs, hub_segments,
hub_pending and downlinks.

A decision waits in hub_pending until a device of its scope asks. What a device holds is summed up by a digest that
this hub remembers from when it last sent something, so that "nothing new" costs four bytes. A head that this hub
never sent, or no longer has, means that this hub lost data: that log is closed and another goes on.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from hub import alerts, schema
from hub.config import Config
from hub.db import insert_of, lock
from hub.segments import begins_with
from sync import cbor, cose, limits, segment
from sync.certificate import vouch
from sync.decisions import DeviceRegistered, HubLogOpened, scopes_of
from sync.entries import Entry, Kind, check_fields
from sync.errors import TooLargeError
from sync.exchange import SHORT_ID, Down, digest_of
from sync.items import ItemKind, wrap
from sync.keys import ID_SIZE
from sync.log import NOTHING, Head

DOWN_MOST: Final = 32 * 1024
"""Bytes of items in one answer: 8 seconds at 4 KB/s."""
_DIGESTS_KEPT: Final = 4

_logs: Final = schema.hub_logs
_segments: Final = schema.hub_segments
_pending: Final = schema.hub_pending
_down: Final = schema.downlinks

# Statements that every sync runs are built once: building one costs more than running it.
_SCOPES_WAITING: Final = (
    select(_pending.c.scope).where(_pending.c.scope.in_(bindparam("scopes", expanding=True))).distinct()
)
_TIPS: Final = (
    select(_logs.c.log, _logs.c.tip_idx, _logs.c.tip_id)
    .where(_logs.c.scope.in_(bindparam("scopes", expanding=True)))
    .order_by(_logs.c.pk)
)
_FROM: Final = (
    select(_segments.c.idx, _segments.c.id, _segments.c.data)
    .join(_logs, _logs.c.pk == _segments.c.log)
    .where(_logs.c.log == bindparam("log"), _segments.c.idx >= bindparam("from_index"))
    .order_by(_segments.c.idx)
)
_HEADS: Final = select(_down.c.heads).where(
    _down.c.device == bindparam("of"), _down.c.digest == bindparam("named")
)
_DIGESTS: Final = (
    select(_down.c.digest).where(_down.c.device == bindparam("of")).order_by(_down.c.sent_ms.desc())
)

Have = tuple[Head, ...] | bytes


@dataclass(frozen=True, slots=True)
class Downlink:
    """Items for one device, and whether they are all."""

    items: tuple[bytes, ...] = ()
    down: Down = Down.ALL


def decide(connection: Connection, scope: str, kind: Kind, now_ms: int) -> None:
    """Write a decision into the log of `scope`, in the caller's transaction.

    Raises:
        MalformedError: no entry can say that, such as a text of several pages.
    """
    said = tuple(
        unicodedata.normalize("NFC", value) if isinstance(value, str) else value for value in kind.fields()
    )
    # What can't be sealed would keep everything after it from ever reaching a village.
    check_fields(kind.number, said)
    row = {"scope": scope, "kind": kind.number, "fields": cbor.encode(said), "hub_ms": now_ms}
    connection.execute(insert(_pending).values(**row))


def for_device(
    connection: Connection, config: Config, device: Any, have: Have, now_ms: int, most: int = DOWN_MOST
) -> Downlink:
    """What `device` (a row of devices) lacks of the logs of its scopes."""
    scopes = scopes_of(device.village)
    seal(connection, config, scopes, now_ms)
    tips = _tips(connection, scopes)
    if isinstance(have, bytes) and have == digest_of(tips):
        return Downlink()
    held = _remembered(connection, device.pk, have) if isinstance(have, bytes) else have
    if held is None:
        return Downlink(down=Down.NAME_YOURS)
    if not isinstance(have, bytes) and _close_lost(connection, held, device.pk, now_ms):
        seal(connection, config, scopes, now_ms)
        tips = _tips(connection, scopes)
    items, after, complete = _lacking(connection, tips, held, most)
    _remember(connection, device.pk, after, now_ms)
    return Downlink(tuple(items), Down.ALL if complete else Down.MORE)


def tips_of(connection: Connection, village: str) -> list[Head]:
    """The newest segments of all logs that a village reads."""
    return _tips(connection, scopes_of(village))


def heads_of(connection: Connection, device: int, have: Have) -> bytes | None:
    """What a device said that it holds, as CBOR; None if it isn't known."""
    heads = _remembered(connection, device, have) if isinstance(have, bytes) else have
    return None if heads is None else cbor.encode([[head.log, head.index, head.id] for head in heads])


def seal(connection: Connection, config: Config, scopes: Iterable[str], now_ms: int) -> None:
    """Turn decisions that wait in these scopes into signed segments of their logs."""
    for scope in sorted(connection.execute(_SCOPES_WAITING, {"scopes": list(scopes)}).scalars()):
        # Whoever comes second waits here, and finds the rows gone.
        lock(connection, f"hub_logs:{scope}")
        while _seal_one(connection, config, scope, now_ms):
            pass


def _seal_one(connection: Connection, config: Config, scope: str, now_ms: int) -> bool:
    """Make one segment of what waits in a scope; False if nothing does."""
    query = select(_pending).where(_pending.c.scope == scope).order_by(_pending.c.pk)
    rows = connection.execute(query.limit(limits.ENTRIES_PER_SEGMENT - 1)).all()
    if not rows:
        return False
    query = select(_logs).where(_logs.c.scope == scope, _logs.c.closed == 0).order_by(_logs.c.pk)
    log = connection.execute(query.limit(1)).one_or_none()
    while True:
        try:
            if log is None:
                _open_log(connection, config, scope, rows, now_ms)
            else:
                _extend_log(connection, config, log, rows)
            break
        except TooLargeError:
            # Long texts: the rest waits for the next segment.
            if len(rows) == 1:
                raise
            rows = rows[: len(rows) // 2]
    connection.execute(delete(_pending).where(_pending.c.pk.in_([row.pk for row in rows])))
    return True


def _open_log(connection: Connection, config: Config, scope: str, rows: Sequence[Any], now_ms: int) -> None:
    known = select(_logs.c.pk).where(_logs.c.scope == scope).limit(1)
    reason = 0 if connection.execute(known).first() is None else 1
    opened_ms = min(now_ms, rows[0].hub_ms)
    opened = HubLogOpened(segment.FORMAT, scope, config.random_bytes(ID_SIZE), opened_ms, reason)
    entries = [Entry(0, opened.number, 0, opened.fields()), *_entries(config, rows, 1, 0, opened_ms)]
    first = segment.seal(config.hub_key, b"", 0, b"", entries, 0, cose.HUB_SEGMENT)
    query = (
        insert(_logs)
        .values(
            log=first.id,
            scope=scope,
            opened_ms=opened_ms,
            closed=0,
            tip_idx=0,
            tip_id=first.id,
            end_seq=first.end_seq,
            end_t=entries[-1].t,
        )
        .returning(_logs.c.pk)
    )
    pk = connection.execute(query).scalar_one()
    connection.execute(insert(_segments).values(log=pk, idx=0, id=first.id, data=first.data))


def _extend_log(connection: Connection, config: Config, log: Any, rows: Sequence[Any]) -> None:
    entries = _entries(config, rows, log.end_seq, log.end_t, log.opened_ms)
    sealed = segment.seal(
        config.hub_key, log.log, log.tip_idx + 1, log.tip_id, entries, log.end_t, cose.HUB_SEGMENT
    )
    connection.execute(
        insert(_segments).values(log=log.pk, idx=sealed.index, id=sealed.id, data=sealed.data)
    )
    connection.execute(
        update(_logs)
        .where(_logs.c.pk == log.pk)
        .values(tip_idx=sealed.index, tip_id=sealed.id, end_seq=sealed.end_seq, end_t=entries[-1].t)
    )


def _entries(
    config: Config, rows: Sequence[Any], first_seq: int, base_t: int, opened_ms: int
) -> list[Entry]:
    entries = []
    for seq, row in enumerate(rows, start=first_seq):
        base_t = max(base_t, row.hub_ms - opened_ms)
        fields = tuple(cbor.decode(row.fields))
        if row.kind == DeviceRegistered.number:
            fields = _vouched(config, fields)
        entries.append(Entry(seq, row.kind, base_t, fields))
    return entries


def _vouched(config: Config, fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """With this hub's word for certificates: only here is its key at hand."""
    said = DeviceRegistered.from_fields(fields)
    return replace(said, vouch=vouch(config.hub_key, said.public_key, said.village)).fields()


def _tips(connection: Connection, scopes: Iterable[str]) -> list[Head]:
    return [Head(*row) for row in connection.execute(_TIPS, {"scopes": list(scopes)})]


def _lacking(
    connection: Connection, tips: Sequence[Head], held: Iterable[Head], most: int
) -> tuple[list[bytes], list[Head], bool]:
    """(items, what the device holds once it has taken them, whether they are all)."""
    after = _lost_here(connection, held)
    # What goes on beside a lost end is all new to the device.
    known = {head.log[:SHORT_ID]: head.index for head in held if head not in after}
    items: list[bytes] = []
    size, complete = 0, True
    for tip in tips:
        index = known.get(tip.log[:SHORT_ID], NOTHING)
        last: Head | None = None
        beyond = {"log": tip.log, "from_index": max(index, 0)}
        for row in connection.execute(_FROM, beyond) if index <= tip.index else ():
            if row.idx > index:
                item = wrap(ItemKind.HUB_SEGMENT, row.data)
                if items and size + len(item) > most:
                    complete = False
                    break
                items.append(item)
                size += len(item)
            last = Head(tip.log, row.idx, row.id)
        if last is not None:
            after.append(last)
    return items, after, complete


def _lost_here(connection: Connection, held: Iterable[Head]) -> list[Head]:
    """Heads of this hub's logs that a device holds and this hub has lost."""
    lost = []
    for head in held:
        of_device = select(schema.logs.c.pk).where(*begins_with(schema.logs.c.log, head.log[:SHORT_ID]))
        if not _holds(connection, head) and connection.execute(of_device.limit(1)).first() is None:
            lost.append(head)
    return lost


def _holds(connection: Connection, head: Head) -> bool:
    query = select(_segments.c.log).join(_logs, _logs.c.pk == _segments.c.log)
    query = query.where(*begins_with(_logs.c.log, head.log[:SHORT_ID]), _segments.c.idx == head.index)
    query = query.where(*begins_with(_segments.c.id, head.id[:SHORT_ID] or b"\xff"))
    return connection.execute(query).first() is not None


def _one_each(heads: Iterable[Head]) -> list[Head]:
    """The first head of each log."""
    named: dict[bytes, Head] = {}
    for head in heads:
        named.setdefault(head.log[:SHORT_ID], head)
    return list(named.values())


def _close_lost(connection: Connection, held: Iterable[Head], device: int, now_ms: int) -> bool:
    """Close logs of which `device` holds more than this hub: it was set back to an older state."""
    lost = []
    for head in held:
        query = select(_logs.c.pk, _logs.c.tip_idx, _logs.c.log).where(
            *begins_with(_logs.c.log, head.log[:SHORT_ID]), _logs.c.closed == 0
        )
        for row in connection.execute(query):
            at = select(_segments.c.id).where(_segments.c.log == row.pk, _segments.c.idx == head.index)
            id_ = connection.execute(at).scalar()
            if id_ is None or id_[:SHORT_ID] != head.id[:SHORT_ID]:
                lost.append(row.pk)
                alerts.raise_alert(connection, alerts.HUB_LOST, device, row.log, now_ms)
    if lost:
        connection.execute(update(_logs).where(_logs.c.pk.in_(lost)).values(closed=1))
    return bool(lost)


def _remembered(connection: Connection, device: int, digest: bytes) -> tuple[Head, ...] | None:
    data = connection.execute(_HEADS, {"of": device, "named": digest}).scalar()
    return None if data is None else tuple(Head(*head) for head in cbor.decode(data))


def _remember(connection: Connection, device: int, heads: Sequence[Head], now_ms: int) -> None:
    # Of a log whose end was lost here, the device names what came last to it: that end, or what went on here.
    said = {
        "heads": cbor.encode([[head.log, head.index, head.id] for head in heads]),
        "sent_ms": now_ms,
    }
    # In one order, and pruning waits for nobody: two answers to one device at a time would lock each other out.
    digests = sorted({digest_of(_one_each(heads)), digest_of(_one_each(reversed(heads)))} - {()})
    for digest in digests:
        row = {"device": device, "digest": digest, **said}
        connection.execute(_remember_one(connection.dialect.name), row)
    kept = connection.execute(_DIGESTS, {"of": device}).scalars().all() if digests else ()
    if len(kept) > _DIGESTS_KEPT:
        old = select(_down.c.digest).where(
            _down.c.device == device, _down.c.digest.in_(kept[_DIGESTS_KEPT:])
        )
        old = old.with_for_update(skip_locked=True)
        connection.execute(delete(_down).where(_down.c.device == device, _down.c.digest.in_(old)))


@cache
def _remember_one(dialect: str) -> Any:
    made = insert_of(dialect, _down)
    said = {"heads": made.excluded.heads, "sent_ms": made.excluded.sent_ms}
    return made.on_conflict_do_update(index_elements=["device", "digest"], set_=said)
