"""Codes, approval, refusal: who may sync, and what proves it to both sides."""

from __future__ import annotations

import secrets

import pytest
from device import VILLAGE, Device
from sqlalchemy import select

from hub import registry, schema
from hub.db import reading
from hub.errors import CodeRefusedError, NotFoundError
from hub.wiring import Hub, now_ms
from sync.errors import SignatureError
from sync.registration import (
    Code,
    Registration,
    RegistrationAnswer,
    device_proof,
    open_answer,
    sign_registration,
)
from sync.sealing import sealing_public

DAY_MS = 24 * 3600 * 1000


def ask(
    hub: Hub, device: Device, code: Code | None, village: str = VILLAGE, later_ms: int = 0
) -> RegistrationAnswer:
    nonce = secrets.token_bytes(16)
    proof = device_proof(code.key(), device.key.public, nonce) if code else b""
    handle = code.handle if code else ""
    asked = Registration(device.key.public, sealing_public(bytes(32)), village, handle, proof, nonce)
    request = sign_registration(device.key, asked)
    return open_answer(
        registry.register(hub.engine, hub.config, request, now_ms() + later_ms), request, code
    )


def issued(hub: Hub, village: str = VILLAGE) -> Code:
    return registry.issue_code(hub.engine, village, secrets.token_bytes, now_ms())


def test_a_code_registers_a_device_and_proves_the_hub(hub: Hub) -> None:
    answer = ask(hub, Device(1), issued(hub))
    assert (answer.state, answer.village) == ("registered", VILLAGE)
    assert answer.keyset == hub.config.keyset_data


def test_a_device_that_lost_the_answer_may_ask_again_with_the_same_code(hub: Hub) -> None:
    code = issued(hub)
    ask(hub, Device(1), code)
    assert ask(hub, Device(1), code).state == "registered"


def test_a_code_works_for_one_device_only(hub: Hub) -> None:
    code = issued(hub)
    ask(hub, Device(1), code)
    with pytest.raises(CodeRefusedError):
        ask(hub, Device(2), code)


def test_a_code_ends_after_thirty_days(hub: Hub) -> None:
    with pytest.raises(CodeRefusedError):
        ask(hub, Device(1), issued(hub), later_ms=31 * DAY_MS)


def test_a_code_is_for_its_own_village(hub: Hub) -> None:
    with pytest.raises(CodeRefusedError):
        ask(hub, Device(1), issued(hub), village="17.05.10.2008")


def test_a_wrong_secret_is_refused(hub: Hub) -> None:
    code = issued(hub)
    with pytest.raises(CodeRefusedError):
        ask(hub, Device(1), Code(code.handle, "00000000"))


def test_there_is_no_code_for_a_village_that_does_not_exist(hub: Hub) -> None:
    with pytest.raises(NotFoundError):
        issued(hub, "17.05.10.9999")


def test_whoever_does_not_know_the_code_cannot_answer_for_the_hub(hub: Hub) -> None:
    device, code = Device(1), issued(hub)
    asked = Registration(device.key.public, sealing_public(bytes(32)), VILLAGE)
    request = sign_registration(device.key, asked)
    answer = registry.register(hub.engine, hub.config, request, now_ms())
    with pytest.raises(SignatureError):
        open_answer(answer, request, code)


def test_without_a_code_an_operator_decides(hub: Hub) -> None:
    device = Device(1)
    assert ask(hub, device, None).state == "waiting"
    registry.approve(hub.engine, device.id, now_ms())
    assert ask(hub, device, None).state == "registered"


def test_a_refused_device_stays_refused_whatever_code_it_brings(hub: Hub) -> None:
    device = Device(1)
    ask(hub, device, None)
    registry.refuse(hub.engine, device.id, now_ms())
    assert ask(hub, device, issued(hub)).state == "refused"


def test_what_waited_counts_as_soon_as_a_code_lets_the_device_in(hub: Hub) -> None:
    device = Device(1).open(2)
    device.ask_to_register(hub)
    device.send(hub)
    ask(hub, device, issued(hub))
    with reading(hub.engine) as connection:
        states = connection.execute(select(schema.segments.c.state)).scalars().all()
    assert states == [schema.MERGED]
