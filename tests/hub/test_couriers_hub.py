"""Couriers at the hub: a name, a region, a code for one laptop; anybody may bring, only they are given."""

from __future__ import annotations

import random
from typing import Any

import pytest
from carried import NOW, let_in, opened_mail, opening_key, parts_of
from device import VILLAGE, Device
from sqlalchemy import select, true

from hub import couriers, ledger, parts, registry, schema
from hub.db import reading
from hub.errors import CodeRefusedError, NotFoundError, UnknownDeviceError
from hub.wiring import Hub
from sync import cbor, courier
from sync.courier import MailPart, MailRequest, Note
from sync.errors import SignatureError, SyncError
from sync.exchange import split_answer
from sync.items import split
from sync.keys import SigningKey, key_id
from sync.keyset import open_keyset
from sync.registration import (
    Code,
    Registration,
    RegistrationAnswer,
    device_proof,
    open_answer,
    sign_registration,
)
from sync.sealing import sealing_public

LAPTOP = SigningKey.from_seed(b"laptop".ljust(32, b"."))
OTHER = SigningKey.from_seed(b"other".ljust(32, b"."))


def new_courier(hub: Hub, region: str = "17.05.10", name: str = "Pak Anwar") -> Code:
    return couriers.add(hub.engine, name, region, random.Random(name + region).randbytes, NOW)


def proven(
    hub: Hub, code: Code, key: SigningKey = LAPTOP, village: str = "", now_ms: int = NOW
) -> RegistrationAnswer:
    """A laptop uses a code."""
    nonce = bytes(16)
    proof = device_proof(code.key(), key.public, nonce)
    asked = Registration(key.public, sealing_public(bytes(32)), village, code.handle, proof, nonce)
    request = sign_registration(key, asked)
    answer = registry.register(hub.engine, hub.config, request, now_ms)
    return open_answer(answer, request, code)


def listed(hub: Hub) -> list[couriers.Courier]:
    with reading(hub.engine) as connection:
        return couriers.listed(connection)


def asked(hub: Hub, key: SigningKey = LAPTOP, **said: Any) -> tuple[courier.MailAnswer, list[MailPart]]:
    """A courier's round trip."""
    request = courier.sign_mail_request(key, MailRequest(key_id(key.public), NOW // 1000, **said))
    answer, stream = split_answer(couriers.answer_mail(hub.engine, hub.config, request, NOW))
    opened = courier.open_mail_answer(answer, hub.config.keyset.hub_keys, request)
    return opened, [courier.read_mail_part(item) for item in split(stream)]


def test_a_courier_is_let_in_by_a_code_for_one_laptop(hub: Hub) -> None:
    code = new_courier(hub)
    assert [(one.name, one.region, one.state) for one in listed(hub)] == [
        ("Pak Anwar", "17.05.10", "waiting")
    ]
    answer = proven(hub, code)
    assert (answer.state, answer.village) == ("registered", "17.05.10")
    assert open_keyset(answer.keyset) == hub.config.keyset
    assert listed(hub)[0].state == "registered"
    assert proven(hub, code).state == "registered", "the same laptop may ask again"
    with pytest.raises(CodeRefusedError):
        proven(hub, code, OTHER)


def test_an_expired_code_lets_nobody_in_any_more(hub: Hub) -> None:
    code = new_courier(hub)
    with pytest.raises(CodeRefusedError):
        proven(hub, code, now_ms=NOW + 31 * 24 * 3600 * 1000)


def test_a_courier_s_code_registers_no_village_and_a_village_s_no_courier(hub: Hub) -> None:
    code = new_courier(hub)
    with pytest.raises(CodeRefusedError):
        proven(hub, code, village=VILLAGE)
    of_village = registry.issue_code(hub.engine, VILLAGE, random.Random(1).randbytes, NOW)
    with pytest.raises(CodeRefusedError):
        proven(hub, of_village)
    wrong = Code(code.handle, "0" * 8)
    with pytest.raises(CodeRefusedError):
        proven(hub, wrong)


def test_a_courier_needs_a_region_that_exists(hub: Hub) -> None:
    with pytest.raises(NotFoundError):
        new_courier(hub, "99.99")


def test_a_courier_gets_its_route_with_names_and_the_mail_of_those_villages(hub: Hub) -> None:
    near, far = let_in(hub, Device(1)).open(), let_in(hub, Device(2), "17.05.11.2001").open()
    near.send(hub)
    proven(hub, new_courier(hub))
    answer, mail = asked(hub)
    assert [(place.recipient, place.village) for place in answer.route] == [
        (opening_key(near).public.id, VILLAGE)
    ]
    assert answer.route[0].name
    assert open_keyset(answer.keyset) == hub.config.keyset
    assert not answer.more
    assert {part.recipient for part in mail} == {opening_key(near).public.id}
    ((said, _),) = opened_mail(hub, near, [part.part for part in mail])
    assert said.device == near.id
    with pytest.raises(SyncError):
        opened_mail(hub, far, [part.part for part in mail])
    held = tuple({(part.recipient, part.version) for part in mail})
    assert asked(hub, mail=held)[1] == []
    assert listed(hub)[0].last_contact_ms == NOW


def test_only_a_courier_who_was_let_in_is_answered(hub: Hub) -> None:
    with pytest.raises(UnknownDeviceError):
        asked(hub)
    proven(hub, new_courier(hub))
    forged = courier.sign_mail_request(OTHER, MailRequest(key_id(LAPTOP.public), 5))
    with pytest.raises(SignatureError):
        couriers.answer_mail(hub.engine, hub.config, forged, NOW)
    with pytest.raises(SyncError):
        couriers.answer_mail(hub.engine, hub.config, b"x", NOW)
    couriers.revoke(hub.engine, listed(hub)[0].pk)
    with pytest.raises(UnknownDeviceError):
        asked(hub)
    with pytest.raises(NotFoundError):
        couriers.revoke(hub.engine, 999)


def test_a_forged_request_leaves_no_notes_behind(hub: Hub) -> None:
    proven(hub, new_courier(hub))
    note = Note(bytes(16), 0, 5)
    forged = courier.sign_mail_request(OTHER, MailRequest(key_id(LAPTOP.public), 5, (), (note,)))
    with pytest.raises(SignatureError):
        couriers.answer_mail(hub.engine, hub.config, forged, NOW)
    with reading(hub.engine) as connection:
        assert ledger.listed(connection, true(), 10) == []


def test_a_revoked_courier_s_code_lets_its_laptop_in_no_more(hub: Hub) -> None:
    code = new_courier(hub)
    proven(hub, code)
    couriers.revoke(hub.engine, listed(hub)[0].pk)
    assert proven(hub, code).state == "revoked"
    with pytest.raises(UnknownDeviceError):
        asked(hub)


def test_what_a_courier_carries_is_in_the_ledger_until_it_arrives(hub: Hub) -> None:
    device = let_in(hub, Device(1)).open()
    (part,) = parts_of(device, hub)
    id_ = part[16:32]
    proven(hub, new_courier(hub))
    for _ in range(2):
        asked(hub, notes=(Note(id_, 0, 5),))
    with reading(hub.engine) as connection:
        (row,) = ledger.listed(connection, true(), 10)
    assert (row.bundle, row.device, row.received, row.complete_ms) == (id_, device.id, 0, None)
    assert row.couriers == ("Pak Anwar",)
    parts.take(hub.intake, part)
    with reading(hub.engine) as connection:
        (row,) = ledger.listed(connection, true(), 10)
    assert row.complete_ms is not None


def test_as_many_notes_as_a_request_may_bring_are_kept(hub: Hub) -> None:
    proven(hub, new_courier(hub))
    notes = tuple(Note(at.to_bytes(16, "big"), 4095, (1 << 50) - 1) for at in range(courier.NOTES_MOST))
    asked(hub, notes=notes)
    with reading(hub.engine) as connection:
        assert len(connection.execute(select(schema.custody)).all()) == len(notes)


def test_anybody_may_ask_what_is_lacking_and_is_told_by_the_hub(hub: Hub) -> None:
    device = let_in(hub, Device(1)).open()
    (part,) = parts_of(device, hub)
    question = courier.ask_missing([part[-32:], bytes(32)])
    for expected in ([True, True], [False, True]):
        answer = couriers.answer_missing(hub.engine, hub.config, question, NOW)
        assert courier.open_missing(answer, hub.config.keyset.hub_keys, question) == expected
        parts.take(hub.intake, part)
    with pytest.raises(SyncError):
        couriers.answer_missing(hub.engine, hub.config, cbor.encode([1, "x"]), NOW)
