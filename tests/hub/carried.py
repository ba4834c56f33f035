"""Parts as devices put them on sticks, for tests of what a hub does with them; and mail as devices open it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from device import VILLAGE, Device
from sqlalchemy import select

from hub import registry, schema
from hub.db import reading
from hub.wiring import Hub
from sync import bundle
from sync.bundle import FromDevice, FromHub, OpenedPart
from sync.exchange import Request, Wants
from sync.items import ItemKind, wrap
from sync.log import Head
from sync.registration import Registration, sign_registration
from sync.sealing import CLASSICAL, OpeningKey, SealingKey

NOW = 1_772_413_200_000


def opening_key(device: Device) -> OpeningKey:
    return OpeningKey(CLASSICAL, random.Random(device.seed + 1000).randbytes(32))


def registration(device: Device, village: str = VILLAGE, sealing: bytes | None = None) -> bytes:
    asked = Registration(device.key.public, sealing or opening_key(device).public.public, village)
    return sign_registration(device.key, asked)


def let_in(hub: Hub, device: Device, village: str = VILLAGE, sealing: bytes | None = None) -> Device:
    """Registered, with a sealing key of its own."""
    registry.register(hub.engine, hub.config, registration(device, village, sealing), NOW)
    registry.approve(hub.engine, device.id, NOW)
    return device


def items_of(device: Device, first: int = 0) -> list[bytes]:
    """The profiles and segments of a device, from one segment on."""
    profiles = [profile.encode() for profile in device.profiles] if first == 0 else []
    return [*profiles, *(segment.data for segment in device.segments[first:])]


def parts_of(
    device: Device,
    hub: Hub,
    stream: Iterable[bytes] | None = None,
    most: int = 32 * 1024,
    recipient: SealingKey | None = None,
    signer: Device | None = None,
    have: tuple[Head, ...] = (),
    wants: Wants = Wants.NOTHING,
    t: int | None = None,
    seed: int = 0,
) -> list[bytes]:
    """One bundle of `device`, sealed to the hub."""
    request = Request(device.id, device.t if t is None else t, NOW // 1000, (), have, wants)
    id_ = bundle.new_bundle(opening_key(device).public.id, random.Random(f"{device.seed}/{seed}").randbytes)
    return bundle.seal_parts(
        recipient or hub.config.keyset.intake,
        (signer or device).key,
        FromDevice(request),
        list(items_of(device) if stream is None else stream),
        id_,
        most,
    )


def asking(device: Device, village: str = VILLAGE) -> bytes:
    return wrap(ItemKind.REGISTRATION, registration(device, village))


def opened_mail(hub: Hub, device: Device, parts: Sequence[bytes]) -> list[tuple[FromHub, OpenedPart]]:
    opened = [bundle.open_part(part, [opening_key(device)]) for part in parts]
    return [(part.verify_hub(hub.config.keyset.hub_keys), part) for part in opened]


def row_of(hub: Hub, device: Device) -> Any:
    with reading(hub.engine) as connection:
        return connection.execute(select(schema.devices).where(schema.devices.c.device == device.id)).one()
