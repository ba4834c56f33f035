"""Hubs below this one: what their own logs say of the devices and people of their region.

A relay is a device whose place is a region. Its keyset, which its root signed, is pinned with the first one that it
sends; its hub's logs are kept like any other log, and what they decide holds here for villages of its region.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from hub import certificates, identity, rebuilding, registry, schema, segments
from hub.places import within
from hub.segments import LogRow
from sync.certificate import open_final
from sync.decisions import (
    CertificateIssued,
    CertificateWithdrawn,
    DeviceRegistered,
    DeviceRevoked,
    EntriesAccepted,
    EntriesRejected,
    LearnersMerged,
    LearnersSeparated,
    PersonalDataErased,
    read_decision,
)
from sync.errors import N_, LontarError, SignatureError
from sync.keyset import Keyset, open_keyset
from sync.log import Placement
from sync.segment import Segment, open_segment


def is_relay(device: Any) -> bool:
    return len(device.village) < schema.VILLAGE_CODE


def hub_keys(connection: Connection) -> list[bytes]:
    """The keys of all hubs below this one that are registered now."""
    d = schema.devices.c
    below = select(d.pk).where(schema.IS_RELAY, d.state == "registered")
    keysets = (_keyset(connection, pk) for pk in connection.execute(below).scalars().all())
    return [key for keyset in keysets if keyset is not None for key in keyset.hub_keys]


def take_keyset(connection: Connection, device: Any, envelope: bytes) -> None:
    """Keep a relay's keyset. One that was set back sends an older one than is known here; the newer one stays.

    Raises:
        SyncError: it isn't one, or is of another root than the first one was.
    """
    known, sent = _keyset(connection, device.pk), open_keyset(envelope)
    if known is not None and sent.root == known.root and sent.version < known.version:
        return
    open_keyset(envelope, known)
    key = _setting(device.pk)
    changed = connection.execute(
        update(schema.settings).where(schema.settings.c.key == key).values(value=envelope)
    )
    if changed.rowcount == 0:
        connection.execute(insert(schema.settings).values(key=key, value=envelope))


def take_segment(
    connection: Connection, device: Any, data: bytes, now_ms: int
) -> tuple[LogRow, Segment, Placement]:
    """Keep a segment of a relay's hub log, and do what it decides.

    Raises:
        SyncError: the relay's hub didn't sign it.
    """
    segment = open_segment(data)
    keyset = _keyset(connection, device.pk)
    if keyset is None:
        raise SignatureError(N_("Pusat di bawah ini belum mengirim daftar kuncinya."))
    segment.verify_hub(keyset.hub_keys)
    log = segments.find_log_locked(connection, segment.log)
    if log is None:
        pk = segments.open_log(connection, segment.log, device.pk)
        log = LogRow(pk, segment.log, device.pk, device.public_key, device.state)
    placement = segments.store(connection, log, segment, device.state != "registered", now_ms)
    if device.state == "registered" and placement is not Placement.DUPLICATE:
        for entry in segment.read().entries():
            try:
                decision = read_decision(entry)
            except LontarError:
                continue
            _carry_out(connection, device.village, keyset, decision, now_ms)
    return log, segment, placement


def vouches_for(connection: Connection, device: Any, owner: int) -> bool:
    """Whether `device` is a relay in whose region the device `owner` lies: its operators decided already."""
    if not is_relay(device) or device.state != "registered":
        return False
    place = select(schema.devices.c.pk).where(schema.devices.c.pk == owner, within(device.village))
    return connection.execute(place).first() is not None


def settle(connection: Connection, log: LogRow, segment: Segment) -> None:
    """Let a segment count, or not, as the relay's operators decided, also if a stick had brought it before."""
    s, rejections = schema.segments, schema.rejections
    this = (s.c.log == log.pk, s.c.idx == segment.index, s.c.id == segment.id)
    query = select(rejections.c.log).where(
        rejections.c.log == log.log,
        rejections.c.first_seq == segment.first_seq,
        rejections.c.segment.in_((b"", segment.id)),
    )
    if connection.execute(query).first() is not None:
        connection.execute(update(s).where(*this, s.c.state != schema.MERGED).values(rejected=1))
    waiting = (*this, s.c.state == schema.QUARANTINED)
    connection.execute(update(s).where(*waiting, s.c.branch.is_not(None)).values(state=schema.STORED))
    connection.execute(update(s).where(*waiting).values(state=schema.GAP))


def _carry_out(connection: Connection, region: str, keyset: Keyset, decision: object, now_ms: int) -> None:
    if isinstance(decision, DeviceRegistered) and decision.village.startswith(f"{region}."):
        registry.certify(connection, decision.public_key, decision.sealing_key, decision.village, now_ms)
    elif isinstance(decision, DeviceRevoked):
        registry.revoke_certified(connection, decision.device, region, now_ms)
    elif isinstance(decision, LearnersMerged | LearnersSeparated):
        is_merged = isinstance(decision, LearnersMerged)
        identity.judge(connection, decision.one, decision.other, is_merged, now_ms, region)
    elif isinstance(decision, EntriesRejected | EntriesAccepted):
        # The relay says so before it sends the segments.
        this = (
            schema.rejections.c.log == decision.log,
            schema.rejections.c.first_seq == decision.first_seq,
            schema.rejections.c.segment == decision.segment,
        )
        connection.execute(delete(schema.rejections).where(*this))
        if isinstance(decision, EntriesRejected):
            connection.execute(
                insert(schema.rejections).values(
                    log=decision.log, first_seq=decision.first_seq, segment=decision.segment
                )
            )
        _turn_merged(connection, region, decision)
    elif isinstance(decision, CertificateIssued):
        claim = open_final(decision.sealed, keyset.hub_keys)
        certificates.note_issued(connection, decision, claim, now_ms)
    elif isinstance(decision, CertificateWithdrawn):
        certificates.note_withdrawn(connection, decision.certificate, decision.reason, now_ms)
    elif isinstance(decision, PersonalDataErased):
        identity.erase_commitment(connection, decision.commitment, now_ms)


def _turn_merged(connection: Connection, region: str, decision: EntriesRejected | EntriesAccepted) -> None:
    """Do what a hub below decided of segments that were merged here before it did, or that it decided otherwise of."""
    is_rejected = isinstance(decision, EntriesRejected)
    s, d = schema.segments, schema.devices.c
    query = (
        select(s.c.pk)
        .join(schema.logs, schema.logs.c.pk == s.c.log)
        .join(schema.devices, d.pk == schema.logs.c.device)
        .where(schema.logs.c.log == decision.log, within(region))
        .where(s.c.first_seq == decision.first_seq, s.c.count == decision.count)
        .where(s.c.state != schema.QUARANTINED, s.c.rejected != int(is_rejected))
    )
    if decision.segment:
        query = query.where(s.c.id == decision.segment)
    rebuilding.turn(connection, connection.execute(query).scalars().all(), is_rejected)


def _keyset(connection: Connection, device: int) -> Keyset | None:
    query = select(schema.settings.c.value).where(schema.settings.c.key == _setting(device))
    envelope = connection.execute(query).scalar()
    return None if envelope is None else open_keyset(bytes(envelope))


def _setting(device: int) -> str:
    return f"relay/{device}/keyset"
