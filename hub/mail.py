"""What goes back to villages by stick: sealed to their devices, whoever carries it.

A village's mail holds everything that its device is not known to have: verdicts on its logs, what the centre said, and
its history if it asked. It has a version that says what is in it, so a courier fetches only what changed. Owns the table
mail_parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select

from hub import downlink, history, schema, segments
from hub.config import Config
from hub.places import within
from sync import bundle, cbor, signpost
from sync.bundle import FromHub
from sync.courier import PART_ID, MailPart, MailRequest
from sync.decisions import scopes_of
from sync.errors import SealError
from sync.exchange import SHORT_ID, Verdict, Wants
from sync.items import ItemKind, wrap
from sync.keys import sha256
from sync.log import NOTHING, Head, Status
from sync.sealing import CLASSICAL, KEY_ID, SealingKey
from sync.stick import IN, PUB, Progress, Stick
from sync.stick import KEYSET as KEYSET_FILE

_MOST: Final = 4 * 1024 * 1024
_d: Final = schema.devices


def recipients(connection: Connection, region: str) -> list[Any]:
    """The devices (rows of devices) of a region that mail can be sealed to."""
    known = _d.c.state.in_(("registered", "revoked", "waiting"))
    query = select(_d).where(known, func.length(_d.c.village) == schema.VILLAGE_CODE)
    query = query.where(within(region))
    return list(connection.execute(query.order_by(_d.c.village, _d.c.pk)))


def version(connection: Connection, config: Config, device: Any, now_ms: int) -> bytes:
    """The 8 bytes that say what a device's mail holds now."""
    downlink.seal(connection, config, scopes_of(device.village), now_ms)
    said = [
        [[v.head.log, v.head.index, v.head.id, int(v.status)] for v in verdicts(connection, device)],
        [[tip.log, tip.index] for tip in downlink.tips_of(connection, device.village)],
        config.keyset.version,
        device.wants,
        device.held_heads or b"",
    ]
    return sha256(cbor.encode(said))[:KEY_ID]


def parts(connection: Connection, config: Config, device: Any, now_ms: int) -> list[bytes]:
    """The mail for one device, as sealed parts; none if nobody can hold the sealing key that it gave."""
    have = _held_by(device)
    stream: list[bytes] = []
    if device.state in ("registered", "revoked"):
        stream += downlink.for_device(connection, config, device, have, now_ms, _MOST).items
    if device.state == "registered" and device.wants & Wants.HISTORY:
        stream += history.of_village(connection, device.village, have, _MOST).items
    stream.insert(0, wrap(ItemKind.KEYSET, config.keyset_data))
    said = FromHub(device.device, now_ms, config.keyset.version, tuple(verdicts(connection, device)))
    recipient = SealingKey(CLASSICAL, device.sealing_key)
    id_ = bundle.new_bundle(config.keyset.intake.id, config.random_bytes)
    try:
        return bundle.seal_parts(recipient, config.hub_key, said, stream, id_)
    except SealError:
        # Anybody may ask to be registered with any key; the other villages' mail goes out all the same.
        return []


def verdicts(connection: Connection, device: Any) -> Iterator[Verdict]:
    """What this hub holds of each log of a device; a log that forked has a verdict for each branch.

    Of other devices' logs, which it passes on, whether what it named has come: a gap is what it may have to bring again.
    """
    if device.state == "registered":
        said_here = {tip.log[:SHORT_ID] for tip in downlink.tips_of(connection, device.village)}
        for head in _held_by(device):
            if head.log[:SHORT_ID] in said_here:
                continue
            is_own = segments.find_log_of_device(connection, head.log, device.pk) is not None
            if not is_own:
                yield Verdict(head, Status.STORED if segments.holds(connection, head) else Status.GAP)
    query = select(schema.logs.c.pk, schema.logs.c.log).where(schema.logs.c.device == device.pk)
    for row in connection.execute(query.order_by(schema.logs.c.pk)).all():
        b = schema.branches
        tips = connection.execute(
            select(b.c.tip_idx, b.c.tip_id).where(b.c.log == row.pk).order_by(b.c.tip_idx, b.c.tip_id)
        ).all()
        if device.state != "registered":
            status = Status.REVOKED if device.state == "revoked" else Status.UNKNOWN_DEVICE
        else:
            status = Status.FORK if len(tips) > 1 else Status.STORED
        heads = [Head(bytes(row.log), tip.tip_idx, bytes(tip.tip_id)) for tip in tips]
        for head in heads or [Head(bytes(row.log), NOTHING, b"")]:
            yield Verdict(head, status)


def _held_by(device: Any) -> tuple[Head, ...]:
    """What a device said that it holds of logs of others."""
    return tuple(Head(*head) for head in cbor.decode(device.held_heads)) if device.held_heads else ()


def for_courier(
    connection: Connection,
    config: Config,
    region: str,
    request: MailRequest,
    now_ms: int,
    most: int,
) -> tuple[list[MailPart], bool]:
    """(parts of mail that the courier doesn't have, whether more are left)."""
    held, held_parts = dict(request.mail), set(request.parts)
    made: list[MailPart] = []
    size = 0
    for device in recipients(connection, region):
        named = version(connection, config, device, now_ms)
        if held.get(bytes(device.sealing_id)) == named:
            continue
        if size > most:
            return made, True
        for part in _sealed(connection, config, device, named, now_ms):
            if bundle.part_id(part)[:PART_ID] in held_parts:
                continue
            if size > most:
                return made, True
            made.append(MailPart(bytes(device.sealing_id), named, part))
            size += len(part)
    return made, False


def _sealed(connection: Connection, config: Config, device: Any, named: bytes, now_ms: int) -> list[bytes]:
    """A device's mail of that version, sealed once: the rest of it must fit to the parts that a courier has."""
    m = schema.mail_parts
    query = select(m.c.data).where(m.c.device == device.pk, m.c.version == named).order_by(m.c.idx)
    known = [bytes(data) for data in connection.execute(query).scalars()]
    if not known:
        known = parts(connection, config, device, now_ms)
        connection.execute(delete(m).where(m.c.device == device.pk))
        for index, data in enumerate(known):
            connection.execute(insert(m).values(device=device.pk, version=named, idx=index, data=data))
    return known


@dataclass(frozen=True, slots=True)
class Mailbag:
    """The mail of a region, sealed: for whom, and the parts."""

    recipients: frozenset[bytes]
    parts: tuple[bytes, ...]


def compose(connection: Connection, config: Config, region: str, now_ms: int) -> Mailbag:
    """Seal the mail of a region. It may leave once the caller's transaction is committed, and not before."""
    everyone = recipients(connection, region)
    made = [part for device in everyone for part in parts(connection, config, device, now_ms)]
    return Mailbag(frozenset(bytes(device.sealing_id) for device in everyone), tuple(made))


def put(config: Config, drive: Stick, bag: Mailbag, progress: Progress = lambda done, total: None) -> None:
    """Put mail, the keyset and the centre's address on a stick.

    Raises:
        StickError: the stick can't take it.
    """
    old = drive.parts(IN)
    kept = {path.name for path in drive.write_parts(IN, bag.parts, progress)}
    drive.write_file(PUB, KEYSET_FILE, config.keyset_data)
    if config.public_url:
        drive.write_file(PUB, signpost.FILE, signpost.sign_address(config.hub_key, config.public_url))
    # Newer mail of this hub for the same device holds all that older mail held.
    mine, theirs = config.keyset.intake.id, bag.recipients
    drive.remove(
        found.path
        for found in old
        if found.head.sender == mine and found.head.recipient in theirs and found.path.name not in kept
    )
