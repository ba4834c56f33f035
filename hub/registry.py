"""Who may sync: registration codes, devices that wait, approval and refusal. Owns devices and codes."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from hub import downlink, merge, outbox, schema, segments, stale, timeline
from hub.config import Config
from hub.db import writing
from hub.errors import BusyError, CodeRefusedError, NotFoundError
from hub.places import within
from sync.decisions import DeviceRegistered, DeviceRevoked
from sync.entries import LogOpened
from sync.errors import N_, MalformedError
from sync.keys import KEY_SIZE, RandomBytes, key_id
from sync.registration import (
    Code,
    Registration,
    RegistrationAnswer,
    device_proof,
    make_code,
    open_registration,
    sign_answer,
)
from sync.sealing import CLASSICAL, SealingKey

CODE_DAYS: Final = 30
WAITING_MOST: Final = 10_000
"""Devices that may wait for approval at once; more are asked to try later."""

_d: Final = schema.devices
_c: Final = schema.registration_codes


@dataclass(frozen=True, slots=True)
class Device:
    """A device as operators see it; times are milliseconds since 1970 by the hub's clock."""

    pk: int
    device: bytes
    village: str
    state: str
    first_seen_ms: int
    last_contact_ms: int | None


def issue_code(engine: Engine, village: str, random_bytes: RandomBytes, now_ms: int) -> Code:
    """A code that registers one device for `village`, once, within 30 days.

    Raises:
        NotFoundError: no village has that code.
    """
    with writing(engine) as connection:
        if (
            connection.execute(
                select(schema.regions.c.code).where(schema.regions.c.code == village)
            ).first()
            is None
        ):
            raise NotFoundError(
                N_("Desa dengan kode %(code)s tidak ada dalam daftar wilayah."), code=village
            )
        return new_code(connection, village, random_bytes, now_ms)


def new_code(
    connection: Connection, place: str, random_bytes: RandomBytes, now_ms: int, courier: int | None = None
) -> Code:
    """A code for one device of a village, or for one courier of a region."""
    forget_expired_codes(connection, now_ms)
    while True:
        code = make_code(random_bytes)
        if connection.execute(select(_c.c.handle).where(_c.c.handle == code.handle)).first() is None:
            break
    expires = now_ms + CODE_DAYS * 24 * 3600 * 1000
    connection.execute(
        insert(_c).values(
            handle=code.handle, code_key=code.key(), village=place, expires_ms=expires, courier=courier
        )
    )
    return code


def forget_expired_codes(connection: Connection, now_ms: int) -> int:
    """Take away the codes that nobody used in time; returns how many there were."""
    return connection.execute(delete(_c).where(_c.c.expires_ms < now_ms, _c.c.device.is_(None))).rowcount


def register(engine: Engine, config: Config, data: bytes, now_ms: int) -> bytes:
    """Answer a registration request. The same device may ask again; the answer is its state now.

    Raises:
        SyncError: the request isn't one, or its device didn't sign it.
        CodeRefusedError: the code is unknown, used by another device, expired, or for another village.
    """
    asked = open_registration(data)
    if not asked.village:
        return _register_courier(engine, config, asked, data, now_ms)
    with writing(engine) as connection:
        device = _known(connection, asked.public_key)
        code = _check_code(connection, asked, device, now_ms) if asked.handle else None
        if device is None:
            device = _insert(connection, asked, now_ms)
        is_let_in = code is not None and device.state == "waiting"
        if code is not None and is_let_in:
            connection.execute(update(_d).where(_d.c.pk == device.pk).values(village=code.village))
            _set_state(connection, device.pk, "registered", now_ms)
            connection.execute(update(_c).where(_c.c.handle == code.handle).values(device=device.pk))
        row = connection.execute(select(_d.c.state, _d.c.village).where(_d.c.pk == device.pk)).one()
    if is_let_in:
        merge.merge_waiting(engine)
    answer = RegistrationAnswer(row.state, row.village, now_ms, config.keyset_data)
    return sign_answer(config.hub_key, data, answer, None if code is None else code.code_key)


def certify(
    connection: Connection, public_key: bytes, sealing_key: bytes, village: str, now_ms: int
) -> None:
    """A hub below this one registered a device of its region."""
    known = _known(connection, public_key)
    if known is None:
        connection.execute(
            insert(_d).values(
                device=key_id(public_key),
                public_key=public_key,
                sealing_key=sealing_key,
                sealing_id=SealingKey(CLASSICAL, sealing_key).id,
                village=village,
                state="registered",
                first_seen_ms=now_ms,
                registered_ms=now_ms,
            )
        )
    elif known.state in ("waiting", "revoked"):
        segments.release(connection, known.pk)
        values = {"state": "registered", "registered_ms": now_ms, "village": village}
        connection.execute(update(_d).where(_d.c.pk == known.pk).values(**values))
        timeline.move(connection, known.pk, village)
        stale.mark(connection, {known.village, village})
    else:
        return
    body = {"device": key_id(public_key).hex()}
    outbox.note(connection, outbox.DEVICE_REGISTERED, village, body, now_ms)


def revoke_certified(connection: Connection, device: bytes, region: str, now_ms: int) -> None:
    """A hub below this one revoked a device of its region."""
    which = (_d.c.device == device, within(region), _d.c.state != "revoked")
    revoked = update(_d).where(*which).values(state="revoked").returning(_d.c.device, _d.c.village)
    for row in connection.execute(revoked).all():
        _tell(connection, outbox.DEVICE_REVOKED, row, now_ms)


def _register_courier(
    engine: Engine, config: Config, asked: Registration, data: bytes, now_ms: int
) -> bytes:
    """A courier's laptop proves its code and gives its key."""
    couriers = schema.couriers
    with writing(engine) as connection:
        code = _proven_code(connection, asked)
        if code.courier is None:
            raise CodeRefusedError(N_("Kode pendaftaran ini untuk desa lain. Periksa kode desa."))
        row = connection.execute(select(couriers).where(couriers.c.pk == code.courier)).one()
        if row.courier is None:
            if code.expires_ms < now_ms:
                raise CodeRefusedError(N_("Kode pendaftaran ini sudah kedaluwarsa. Minta kode baru."))
            # A laptop that was revoked comes back with a new code: its key stands once, with its newest name.
            connection.execute(
                update(couriers)
                .where(couriers.c.courier == key_id(asked.public_key))
                .values(courier=None, public_key=None, state="revoked")
            )
            values = {"courier": key_id(asked.public_key), "public_key": asked.public_key}
            connection.execute(
                update(couriers).where(couriers.c.pk == row.pk).values(**values, state="registered")
            )
        elif row.courier != key_id(asked.public_key):
            raise CodeRefusedError(
                N_("Kode pendaftaran ini sudah dipakai perangkat lain. Minta kode baru.")
            )
        state = "registered" if row.state == "waiting" else row.state
    answer = RegistrationAnswer(state, row.region, now_ms, config.keyset_data)
    return sign_answer(config.hub_key, data, answer, code.code_key)


def approve(engine: Engine, device: bytes, now_ms: int) -> None:
    """Let a waiting or refused device in; what it sent so far counts from now on."""
    _decide(engine, device, "registered", now_ms)
    merge.merge_waiting(engine)


def refuse(engine: Engine, device: bytes, now_ms: int) -> None:
    """Turn a waiting device away."""
    _decide(engine, device, "refused", now_ms)


def revoke(engine: Engine, device: bytes, now_ms: int, reason: str = "") -> None:
    """What this device sends from now on goes to quarantine; what it sent before stays."""
    _decide(engine, device, "revoked", now_ms, reason)


def find(engine: Engine, prefix: str) -> bytes:
    """The device whose id begins with these hexadecimal digits.

    Raises:
        NotFoundError: none or several do.
    """
    with writing(engine) as connection:
        found = [
            device
            for device in connection.execute(select(_d.c.device)).scalars()
            if device.hex().startswith(prefix.lower())
        ]
    if len(found) != 1:
        raise NotFoundError(
            N_("%(count)s perangkat berawalan %(prefix)s. Sebutkan nomor perangkat lebih lengkap."),
            count=len(found),
            prefix=prefix,
        )
    return bytes(found[0])


def devices(connection: Connection, region: str = "", state: str | None = None) -> list[Device]:
    """Devices of a region, silent ones first."""
    query = select(_d.c.pk, _d.c.device, _d.c.village, _d.c.state, _d.c.first_seen_ms, _d.c.last_contact_ms)
    query = query.where(within(region))
    if state is not None:
        query = query.where(_d.c.state == state)
    query = query.order_by(_d.c.last_contact_ms.asc().nulls_first(), _d.c.pk)
    return [Device(*row) for row in connection.execute(query)]


def _decide(engine: Engine, device: bytes, state: str, now_ms: int, reason: str = "") -> None:
    with writing(engine) as connection:
        pk = connection.execute(select(_d.c.pk).where(_d.c.device == device)).scalar()
        if pk is None:
            raise NotFoundError(N_("Perangkat ini tidak dikenal."))
        _set_state(connection, pk, state, now_ms, reason)


def _set_state(connection: Connection, pk: int, state: str, now_ms: int, reason: str = "") -> None:
    """Change what a device may do, and say so in the log of its village."""
    before = connection.execute(select(_d).where(_d.c.pk == pk)).one()
    values: dict[str, Any] = {"state": state}
    if state == "registered":
        values["registered_ms"] = now_ms
        segments.release(connection, pk)
    connection.execute(update(_d).where(_d.c.pk == pk).values(values))
    if before.state == state:
        return
    if state == "registered":
        certificate = DeviceRegistered(before.public_key, before.sealing_key, before.village)
        downlink.decide(connection, before.village, certificate, now_ms)
        _tell(connection, outbox.DEVICE_REGISTERED, before, now_ms)
    elif state == "revoked":
        downlink.decide(connection, before.village, DeviceRevoked(before.device, reason), now_ms)
        _tell(connection, outbox.DEVICE_REVOKED, before, now_ms)


def _tell(connection: Connection, kind: str, device: Any, now_ms: int) -> None:
    outbox.note(connection, kind, device.village, {"device": bytes(device.device).hex()}, now_ms)


def _known(connection: Connection, public_key: bytes) -> Any:
    query = select(_d.c.pk, _d.c.state, _d.c.village).where(_d.c.device == key_id(public_key))
    return connection.execute(query).one_or_none()


def note_writer(connection: Connection, opening: LogOpened, village: str, now_ms: int) -> None:
    """Whoever opened a log that a neighbour of `village` brings, and whom this hub has forgotten or never known; waits for
    an operator, as if it had asked.

    Raises:
        BusyError: too many wait already.
        MalformedError: its sealing key is none.
    """
    if len(opening.sealing_key) != KEY_SIZE:
        raise MalformedError(N_("Catatan pertama sebuah log harus menyebut pemilik log itu."))
    _insert(connection, Registration(opening.public_key, opening.sealing_key, village), now_ms)


def _insert(connection: Connection, asked: Registration, now_ms: int) -> Any:
    waiting = select(_d.c.pk).where(_d.c.state == "waiting").limit(1).offset(WAITING_MOST)
    if connection.execute(waiting).first() is not None:
        raise BusyError(N_("Terlalu banyak perangkat menunggu persetujuan. Coba lagi besok."))
    connection.execute(
        insert(_d).values(
            device=key_id(asked.public_key),
            public_key=asked.public_key,
            sealing_key=asked.sealing_key,
            sealing_id=SealingKey(CLASSICAL, asked.sealing_key).id,
            village=asked.village,
            state="waiting",
            first_seen_ms=now_ms,
        )
    )
    return _known(connection, asked.public_key)


def _proven_code(connection: Connection, asked: Registration) -> Any:
    code = connection.execute(select(_c).where(_c.c.handle == asked.handle)).one_or_none()
    if code is None or not hmac.compare_digest(
        asked.proof, device_proof(code.code_key, asked.public_key, asked.nonce)
    ):
        raise CodeRefusedError(N_("Kode pendaftaran ini salah. Periksa lagi huruf dan angkanya."))
    return code


def _check_code(connection: Connection, asked: Registration, device: Any, now_ms: int) -> Any:
    code = _proven_code(connection, asked)
    if code.courier is not None:
        raise CodeRefusedError(N_("Kode ini untuk petugas pembawa data, bukan untuk laptop desa."))
    if code.device is not None and (device is None or code.device != device.pk):
        raise CodeRefusedError(N_("Kode pendaftaran ini sudah dipakai perangkat lain. Minta kode baru."))
    if code.device is None and code.expires_ms < now_ms:
        raise CodeRefusedError(N_("Kode pendaftaran ini sudah kedaluwarsa. Minta kode baru."))
    if asked.village and asked.village != code.village:
        raise CodeRefusedError(N_("Kode pendaftaran ini untuk desa lain. Periksa kode desa."))
    return code
