"""Who carries sticks: couriers with a name, a region and a key. Owns the table couriers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select, update

from hub import ledger, mail, packs, regions, registry, schema
from hub.config import Config
from hub.db import reading, writing
from hub.errors import NotFoundError, UnknownDeviceError
from sync import courier
from sync.courier import MailAnswer, Place
from sync.errors import N_
from sync.keys import RandomBytes
from sync.registration import Code

ANSWER_MOST: Final = 32 * 1024
"""Bytes of parts in one answer, or one part more: a line that drops every half minute gets it through."""

_c: Final = schema.couriers


@dataclass(frozen=True, slots=True)
class Courier:
    """A courier as operators see it; times are milliseconds since 1970."""

    pk: int
    name: str
    region: str
    state: str
    made_ms: int
    last_contact_ms: int | None


def add(engine: Engine, name: str, region: str, random_bytes: RandomBytes, now_ms: int) -> Code:
    """Make a courier known; returns the code with which its laptop proves itself, once.

    Raises:
        NotFoundError: there is no such region.
    """
    with writing(engine) as connection:
        if regions.find(connection, region) is None:
            raise NotFoundError(
                N_("Wilayah dengan kode %(code)s tidak ada dalam daftar wilayah."), code=region
            )
        query = insert(_c).values(name=name, region=region, state="waiting", made_ms=now_ms)
        pk = connection.execute(query.returning(_c.c.pk)).scalar_one()
        return registry.new_code(connection, region, random_bytes, now_ms, courier=pk)


def revoke(engine: Engine, pk: int) -> None:
    """This courier gets nothing any more; what it brings is still taken, as from anybody.

    Raises:
        NotFoundError: there is no such courier.
    """
    with writing(engine) as connection:
        changed = connection.execute(update(_c).where(_c.c.pk == pk).values(state="revoked"))
        if changed.rowcount == 0:
            raise NotFoundError(N_("Petugas ini tidak dikenal."))


def listed(connection: Connection) -> list[Courier]:
    query = select(_c.c.pk, _c.c.name, _c.c.region, _c.c.state, _c.c.made_ms, _c.c.last_contact_ms)
    return [Courier(*row) for row in connection.execute(query.order_by(_c.c.region, _c.c.name))]


def answer_missing(engine: Engine, config: Config, question: bytes, now_ms: int) -> bytes:
    """Tell anybody which parts are lacking."""
    ids = courier.read_missing(question)
    with reading(engine) as connection:
        lacks = ledger.missing(connection, ids)
    return courier.sign_missing(config.hub_key, question, now_ms, lacks)


def answer_mail(engine: Engine, config: Config, data: bytes, now_ms: int) -> bytes:
    """Take a courier's notes; give it what goes back to the villages on its route.

    Raises:
        UnknownDeviceError: no operator let this courier in, or its access was ended.
        SyncError: the request isn't one, or isn't this courier's.
    """
    unverified = courier.open_mail_request(data)
    with writing(engine) as connection:
        known = _find(connection, unverified.claimed.courier)
        if known is None or known.state != "registered":
            raise UnknownDeviceError(N_("Petugas ini belum terdaftar di pusat, atau aksesnya dicabut."))
        request = unverified.verify(known.public_key)
        ledger.note_custody(connection, known.pk, request.notes, now_ms)
        connection.execute(update(_c).where(_c.c.pk == known.pk).values(last_contact_ms=now_ms))
        parts, more = mail.for_courier(connection, config, known.region, request, now_ms, ANSWER_MOST)
        route = _route(connection, known.region)
        lacking = packs.lacking(connection, known.region)[: courier.PACKS_MOST]
    stream = b"".join(part.encode() for part in parts)
    following = courier.hash_of_following(stream)
    answer = MailAnswer(now_ms, config.keyset_data, route, more, following, tuple(lacking))
    return courier.sign_mail_answer(config.hub_key, data, answer) + stream


def _find(connection: Connection, courier_id: bytes) -> Any:
    return connection.execute(select(_c).where(_c.c.courier == courier_id)).one_or_none()


def _route(connection: Connection, region: str) -> tuple[Place, ...]:
    devices = mail.recipients(connection, region)
    codes = sorted({device.village for device in devices})
    names = dict(
        connection.execute(
            select(schema.regions.c.code, schema.regions.c.name).where(schema.regions.c.code.in_(codes))
        ).all()
    )
    return tuple(
        Place(bytes(device.sealing_id), device.village, names.get(device.village, ""))
        for device in devices[: courier.VILLAGES_MOST]
    )
