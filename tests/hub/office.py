"""Operators of several regions and roles at one hub, for tests of who sees and does what."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from centre import PASSWORD
from device import COURSE, VILLAGE, Device
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from test_pages import token
from werkzeug.routing import Rule

from hub import alerts, couriers, downlink, operators, outbox, schema, tokens, webhooks
from hub.app import create_app
from hub.db import writing
from hub.roles import NATION, Role, Standing
from hub.wiring import Hub, now_ms
from sync.decisions import AnnouncementPosted
from sync.entries import CourseCompleted, LessonProgressed, QuizSubmitted
from sync.profile import learner_id

HERE = VILLAGE
HERE_DISTRICT = "17.05.10"
CERTIFICATE = "0001/17.05.10.2007/2026"
NEIGHBOUR = "Pak Camat"
LISTED = "Bu Rostini"
"""Somebody of the village's roster."""
PROGRAM = "Dasbor kecamatan"
RECEIVER = "https://kecamatan.example/lontar"
ELSEWHERE = "17.05.01"
"""A district of the same regency with no device of its own."""


def add(hub: Hub, name: str, scope: str = NATION, role: Role = Role.OPERATOR) -> None:
    with writing(hub.engine) as connection:
        operators.add(connection, name, Standing(role, scope), operators.hashed(PASSWORD), now_ms())


def entered(hub: Hub, name: str) -> FlaskClient:
    client = create_app(hub).test_client()
    form = {"name": name, "password": PASSWORD, "csrf_token": token(client, "/masuk")}
    assert client.post("/masuk", data=form).status_code == 302
    return client


def as_of(hub: Hub, scope: str = NATION, role: Role = Role.OPERATOR) -> FlaskClient:
    """A browser at which a new account of this role and scope is logged in."""
    name = f"{role.value} {scope or 'nasional'}"
    add(hub, name, scope, role)
    return entered(hub, name)


@dataclass(frozen=True)
class World:
    """One village in which something of everything has happened."""

    device: Device
    waiting: Device
    learner: str
    other: str
    alert: int
    courier: int
    token: int
    webhook: int

    @property
    def marks(self) -> tuple[str, ...]:
        """What must stand on no page of somebody else: names, numbers and the village."""
        device, waiting = self.device.id.hex(), self.waiting.id.hex()
        return (
            "Peserta 1", "Peserta 2", "Bu Petugas", "Rapat di sini", NEIGHBOUR, self.learner, PROGRAM, RECEIVER,
            CERTIFICATE, LISTED, device, waiting, f"wilayah/{HERE}",
        )  # fmt: skip


def world(hub: Hub) -> World:
    device = Device(1).open(2).registered(hub, HERE)
    device.seal(
        LessonProgressed(0, 0, 1, 10_000, 90), QuizSubmitted(0, 0, 2, 8_500, 1), CourseCompleted(0, 0, 2)
    )
    device.send(hub)
    waiting = Device(5).open(1)
    waiting.ask_to_register(hub, HERE)
    add(hub, NEIGHBOUR, HERE_DISTRICT)
    now = now_ms()
    couriers.add(hub.engine, "Bu Petugas", HERE_DISTRICT, secrets.token_bytes, now)
    with writing(hub.engine) as connection:
        downlink.decide(connection, HERE, AnnouncementPosted("Rapat di sini", "besok"), now)
        pk = connection.execute(
            select(schema.devices.c.pk).where(schema.devices.c.device == device.id)
        ).scalar_one()
        alerts.raise_alert(connection, "fork", pk, device.id, now)
    one, other = (learner_id(device.log, profile.commitment) for profile in device.profiles)
    certified = {"learner": one, "course_key": COURSE[0], "village": HERE, "sealed": b"", "issued_ms": now}
    with writing(hub.engine) as connection:
        connection.execute(insert(schema.certificates).values(number=CERTIFICATE, **certified))
        listed = {"village": HERE, "name": LISTED, "position": "Kaur Perencanaan", "added_ms": now}
        connection.execute(insert(schema.rosters).values(**listed))
        alert = connection.execute(select(schema.alerts.c.pk)).scalars().one()
        courier = connection.execute(select(schema.couriers.c.pk)).scalar_one()
    tokens.make(hub.engine, PROGRAM, HERE_DISTRICT, False, NEIGHBOUR, secrets.token_hex, now)
    webhooks.add(hub.engine, RECEIVER, outbox.KINDS, HERE_DISTRICT, NEIGHBOUR, secrets.token_bytes, now)
    with writing(hub.engine) as connection:
        key = connection.execute(select(schema.api_tokens.c.pk)).scalar_one()
        webhook = connection.execute(select(schema.webhooks.c.pk)).scalar_one()
    return World(device, waiting, one.hex(), other.hex(), alert, courier, key, webhook)


def address(rule: Rule, about: World) -> str:
    """The address of a page about what happened in the village."""
    device = about.device.id.hex()
    number = {
        "learners": about.learner, "devices": device, "alerts": about.alert, "certificate_queue": about.learner, "couriers": about.courier,
        "api_keys": about.webhook if "webhook" in rule.rule else about.token,
    }.get(rule.endpoint.split(".")[0], 1 if "int(" in rule.rule else device)  # fmt: skip
    code = HERE_DISTRICT if rule.endpoint == "silent.route" else HERE
    filled = {
        "code": code, "number": number, "other": about.other, "name": NEIGHBOUR, "key": "00" * 32,
        "token": "x", "kind": "csv", "path": "x", "size": "besar", "contrast": "kuat", "filename": "lontar.css",
    }  # fmt: skip
    return re.sub(r"<(?:[^:>]+:)?([a-z]+)>", lambda found: str(filled[found[1]]), rule.rule)
