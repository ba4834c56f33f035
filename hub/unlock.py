"""A village operator forgot the password: the code that opens that laptop's page once (see `sync.unlock`)."""

from __future__ import annotations

from sqlalchemy import Engine, select

from hub import downlink, schema
from hub.config import Config
from hub.db import writing
from hub.errors import HubError, NotFoundError
from sync import unlock
from sync.decisions import UnlockCodeGiven
from sync.errors import N_
from sync.sealing import CLASSICAL, OpeningKey


def give(engine: Engine, config: Config, device: bytes, challenge: str, now_ms: int) -> list[str]:
    """The code for what the laptop shows, written down in the log of its village.

    Normally one. While old intake keys are kept there is one for each, since nobody knows which keyset the laptop
    has; the newest comes first.

    Raises:
        MalformedError: the challenge isn't six letters or digits.
        NotFoundError: there is no such device.
        HubError: the device isn't registered, so whoever sits at it gets no code.
    """
    asked = unlock.read_challenge(challenge)
    with writing(engine) as connection:
        row = connection.execute(
            select(schema.devices).where(schema.devices.c.device == device)
        ).one_or_none()
        if row is None:
            raise NotFoundError(N_("Perangkat ini tidak dikenal."))
        if row.state != "registered":
            raise HubError(
                N_("Perangkat ini tidak terdaftar, jadi kode pembuka tidak diberikan. Periksa keadaannya.")
            )
        codes = [unlock.code(key, bytes(row.sealing_key), device, asked) for key in _keys(config)]
        downlink.decide(connection, row.village, UnlockCodeGiven(device, asked), now_ms)
    return list(dict.fromkeys(codes))


def _keys(config: Config) -> list[OpeningKey]:
    newest = config.keyset.intake.id
    usable = [key for key in config.opening_keys if key.suite == CLASSICAL or key.public.id == newest]
    return sorted(usable, key=lambda key: key.public.id != newest)
