"""What goes back by stick: sealed to each village's device, everything that it lacks, and nothing to anybody else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from carried import NOW, asking, items_of, let_in, opened_mail, opening_key, parts_of, row_of
from device import VILLAGE, Device

from hub import downlink, mail, parts, registry, schema
from hub.db import writing
from hub.wiring import Hub
from sync import bundle, cbor
from sync.certificate import vouch
from sync.courier import MailRequest
from sync.decisions import AnnouncementPosted, DeviceRegistered, DeviceRevoked, read_decision
from sync.entries import Kind, QuestionAnswered
from sync.errors import SealError
from sync.exchange import Wants
from sync.items import ItemKind
from sync.keyset import open_keyset
from sync.log import NOTHING, Head, Status
from sync.sealing import KEY_ID
from sync.segment import open_segment
from sync.stick import IN, OUT, PUB, Stick

OTHER_VILLAGE = "17.05.11.2001"


def mail_for(hub: Hub, device: Device) -> list[bytes]:
    row = row_of(hub, device)
    with writing(hub.engine) as connection:
        return mail.parts(connection, hub.config, row, NOW)


def version_of(hub: Hub, device: Device, now_ms: int = NOW) -> bytes:
    row = row_of(hub, device)
    with writing(hub.engine) as connection:
        return mail.version(connection, hub.config, row, now_ms)


def inside(hub: Hub, device: Device) -> dict[ItemKind, list[bytes]]:
    made: dict[ItemKind, list[bytes]] = {}
    for _, part in opened_mail(hub, device, mail_for(hub, device)):
        for item in bundle.read_stream(part):
            made.setdefault(item.kind, []).append(item.data)
    return made


def said(hub: Hub, device: Device) -> list[Kind | None]:
    segments = inside(hub, device).get(ItemKind.HUB_SEGMENT, [])
    return [read_decision(entry) for data in segments for entry in open_segment(data).read().entries()]


def post(hub: Hub, scope: str, text: str) -> None:
    with writing(hub.engine) as connection:
        downlink.decide(connection, scope, AnnouncementPosted("Berita", text), NOW)


def for_courier(
    hub: Hub,
    held: dict[bytes, bytes] | None = None,
    region: str = "17.05",
    most: int = 1 << 20,
    parts: tuple[bytes, ...] = (),
) -> Any:
    request = MailRequest(b"c" * 8, 0, tuple((held or {}).items()), parts=parts)
    with writing(hub.engine) as connection:
        return mail.for_courier(connection, hub.config, region, request, NOW, most)


def test_mail_brings_verdicts_keyset_and_the_centre_s_word(hub: Hub) -> None:
    device = let_in(hub, Device(1)).open()
    device.send(hub)
    post(hub, "17.05", "Pelatihan baru")
    opened = opened_mail(hub, device, mail_for(hub, device))
    for said_, _ in opened:
        assert (said_.device, said_.hub_ms, said_.keyset_version) == (device.id, NOW, 1)
        (verdict,) = said_.verdicts
        assert (verdict.head, verdict.status) == (device.short_tip, Status.STORED)
    (keyset,) = inside(hub, device)[ItemKind.KEYSET]
    assert open_keyset(keyset) == hub.config.keyset
    words = said(hub, device)
    assert AnnouncementPosted("Berita", "Pelatihan baru") in words
    (registered,) = (one for one in words if isinstance(one, DeviceRegistered))
    assert registered.fields()[:3] == (device.key.public, opening_key(device).public.public, VILLAGE)
    assert registered.vouch == vouch(hub.config.hub_key, device.key.public, VILLAGE)


def test_mail_opens_for_its_device_alone(hub: Hub) -> None:
    device, other = let_in(hub, Device(1)), let_in(hub, Device(2))
    for part in mail_for(hub, device):
        with pytest.raises(SealError):
            bundle.open_part(part, [opening_key(other), *hub.config.opening_keys])


def test_a_device_that_waits_hears_only_that_and_the_keys(hub: Hub) -> None:
    device = Device(1).open()
    for part in parts_of(device, hub, [asking(device), *items_of(device)]):
        parts.take(hub.intake, part)
    post(hub, VILLAGE, "Rahasia desa")
    (said_, _), *more = opened_mail(hub, device, mail_for(hub, device))
    assert not more
    assert [verdict.status for verdict in said_.verdicts] == [Status.UNKNOWN_DEVICE]
    assert set(inside(hub, device)) == {ItemKind.KEYSET}


def test_a_revoked_device_is_told_so(hub: Hub) -> None:
    device = let_in(hub, Device(1)).open()
    device.send(hub)
    registry.revoke(hub.engine, device.id, NOW, "hilang")
    ((said_, _),) = opened_mail(hub, device, mail_for(hub, device))
    assert [verdict.status for verdict in said_.verdicts] == [Status.REVOKED]
    assert DeviceRevoked(device.id, "hilang") in said(hub, device)


def test_a_log_of_which_nothing_is_whole_has_a_verdict_of_nothing(hub: Hub) -> None:
    device = let_in(hub, Device(1)).open()
    device.seal(QuestionAnswered(0, 0, 1, 1, 1, True, 5))
    device.seal(QuestionAnswered(0, 0, 1, 2, 1, True, 5))
    device.send(hub, device.segments[0], device.segments[2])
    ((said_, _),) = opened_mail(hub, device, mail_for(hub, device))
    assert [verdict.head.index for verdict in said_.verdicts] == [0]
    fresh = let_in(hub, Device(2))
    ((said_, _),) = opened_mail(hub, fresh, mail_for(hub, fresh))
    assert said_.verdicts == ()
    assert NOTHING == -1


def test_a_forked_log_has_a_verdict_on_each_branch(hub: Hub) -> None:
    device = let_in(hub, Device(1)).open()
    clone = device.fork()
    device.seal(QuestionAnswered(0, 0, 1, 1, 1, True, 5))
    clone.seal(QuestionAnswered(0, 0, 1, 2, 1, True, 6))
    device.send(hub)
    clone.send(hub)
    ((said_, _),) = opened_mail(hub, device, mail_for(hub, device))
    assert {verdict.head for verdict in said_.verdicts} == {device.short_tip, clone.short_tip}
    assert {verdict.status for verdict in said_.verdicts} == {Status.FORK}


def test_what_a_device_said_by_stick_that_it_holds_doesn_t_come_again(hub: Hub) -> None:
    device = let_in(hub, Device(1)).open()
    post(hub, VILLAGE, "lama")
    segments = inside(hub, device)[ItemKind.HUB_SEGMENT]
    tips = [open_segment(data) for data in segments]
    have = tuple(Head(one.log[:8], one.index, one.id[:8]) for one in tips)
    for part in parts_of(device, hub, have=have):
        parts.take(hub.intake, part)
    post(hub, VILLAGE, "baru")
    words = said(hub, device)
    assert AnnouncementPosted("Berita", "baru") in words
    assert AnnouncementPosted("Berita", "lama") not in words


def test_a_new_laptop_gets_the_village_s_history_when_it_asks(hub: Hub) -> None:
    old, new = let_in(hub, Device(1)).open(), let_in(hub, Device(2)).open()
    stranger = let_in(hub, Device(3), OTHER_VILLAGE).open()
    for device in (old, stranger):
        device.seal(*(QuestionAnswered(0, 0, 1, at + 1, 1, True, 5) for at in range(9)))
        device.send(hub)
    for part in parts_of(new, hub, wants=Wants.HISTORY):
        parts.take(hub.intake, part)
    came = inside(hub, new)
    assert set(came[ItemKind.PROFILE]) >= {profile.encode() for profile in old.profiles}
    assert {segment.data for segment in old.segments} <= set(came[ItemKind.SEGMENT])
    assert not {segment.data for segment in stranger.segments} & set(came[ItemKind.SEGMENT])
    assert ItemKind.SEGMENT not in inside(hub, old), "nobody who didn't ask"
    registry.revoke(hub.engine, new.id, NOW)
    assert ItemKind.SEGMENT not in inside(hub, new), "nor who was revoked"


def test_the_version_changes_when_the_mail_does_and_not_otherwise(hub: Hub) -> None:
    device, other = let_in(hub, Device(1)).open(), let_in(hub, Device(2), OTHER_VILLAGE).open()
    first = version_of(hub, device)
    assert version_of(hub, device, NOW + 10**9) == first
    other.send(hub)
    post(hub, OTHER_VILLAGE, "bukan untuk kami")
    assert version_of(hub, device) == first
    seen = {first}
    for change in (
        lambda: device.send(hub),
        lambda: post(hub, "17", "untuk semua"),
        lambda: [
            parts.take(hub.intake, part)
            for part in parts_of(device, hub, wants=Wants.HISTORY, t=device.t + 1)
        ],
        lambda: registry.revoke(hub.engine, device.id, NOW),
    ):
        change()
        version = version_of(hub, device)
        assert version not in seen
        assert len(version) == KEY_ID
        seen.add(version)


def test_a_courier_fetches_only_what_changed_and_only_of_its_region(hub: Hub) -> None:
    near = [let_in(hub, Device(at), f"17.05.10.200{at}") for at in (1, 2, 3)]
    far = let_in(hub, Device(9), "17.05.11.2001")
    made, more = for_courier(hub, region="17.05.10")
    assert not more
    ids = [opening_key(device).public.id for device in near]
    assert [part.recipient for part in made] == ids
    assert opening_key(far).public.id not in ids
    held = {part.recipient: part.version for part in made}
    assert for_courier(hub, held, "17.05.10") == ([], False)
    post(hub, "17.05.10.2002", "Hanya untuk dua")
    made, _ = for_courier(hub, held, "17.05.10")
    assert [part.recipient for part in made] == [ids[1]]
    assert for_courier(hub, held, "17.05.1") == ([], False), "half a code is no region"


def test_much_mail_comes_in_several_answers(hub: Hub) -> None:
    devices = [let_in(hub, Device(at), f"17.05.10.200{at}") for at in range(1, 6)]
    held: dict[bytes, bytes] = {}
    rounds = 0
    more = True
    while more:
        made, more = for_courier(hub, held, most=1)
        assert made
        held |= {part.recipient: part.version for part in made}
        rounds += 1
    assert rounds == len(held) == len(devices)


def test_the_long_mail_of_one_village_comes_part_by_part(hub: Hub) -> None:
    device = let_in(hub, Device(1)).open()
    for at in range(120):
        post(hub, VILLAGE, f"{random.Random(at).randbytes(1500).hex()}")
    whole = mail_for(hub, device)
    assert len(whole) > 2
    have: list[bytes] = []
    more = True
    while more:
        made, more = for_courier(hub, parts=tuple(bundle.part_id(part)[:8] for part in have), most=1)
        assert len(made) == 1
        have += [part.part for part in made]
    assert len({part.version for part in made}) == 1
    heads = [bundle.read_head(part) for part in have]
    assert len({head.bundle for head in heads}) == 1, "they fit to one another"
    assert [head.index for head in heads] == list(range(heads[0].count))
    assert len(opened_mail(hub, device, have)) == len(whole)
    post(hub, VILLAGE, "Kabar baru")
    made, _ = for_courier(hub, parts=tuple(bundle.part_id(part)[:8] for part in have))
    assert len(made) > len(whole), "newer mail is sealed anew"


def test_mail_tells_a_laptop_which_of_the_passed_on_logs_have_come(hub: Hub) -> None:
    device, other = let_in(hub, Device(1)).open(), let_in(hub, Device(2)).open()
    other.seal(QuestionAnswered(0, 0, 1, 1, 1, True, 5))
    device.send(hub)
    other.send(hub, other.segments[0])
    below = Head(other.log[:8], 0, other.segments[0].id[:8])
    held = cbor.encode([[head.log, head.index, head.id] for head in (below, other.short_tip)])
    with writing(hub.engine) as connection:
        d = schema.devices
        connection.execute(d.update().where(d.c.device == device.id).values(held_heads=held))
    for of_tip in (Status.GAP, Status.STORED):
        (opened,) = [said for said, _ in opened_mail(hub, device, mail_for(hub, device))]
        of_other = {one.head: one.status for one in opened.verdicts if one.head.log == other.log[:8]}
        assert of_other == {below: Status.STORED, other.short_tip: of_tip}
        other.send(hub)


def test_somebody_with_a_key_that_nobody_can_hold_keeps_no_mail_from_the_others(hub: Hub) -> None:
    """Anybody may ask to be registered; a point of small order can't be sealed to."""
    device = let_in(hub, Device(1)).open()
    for seed, sealing in ((7, bytes(32)), (8, b"\x01" + bytes(31))):
        let_in(hub, Device(seed), sealing=sealing)
        registry_row = row_of(hub, Device(seed))
        assert registry_row.state == "registered"
    made, more = for_courier(hub)
    assert {part.recipient for part in made} == {opening_key(device).public.id}
    assert not more


def put_on(hub: Hub, drive: Stick, region: str = "") -> mail.Mailbag:
    with writing(hub.engine) as connection:
        bag = mail.compose(connection, hub.config, region, NOW)
    mail.put(hub.config, drive, bag)
    return bag


def test_newer_mail_takes_the_place_of_older_and_others_mail_stays(hub: Hub, tmp_path: Path) -> None:
    device, other = let_in(hub, Device(1)).open(), let_in(hub, Device(2), OTHER_VILLAGE)
    drive = Stick(tmp_path)
    put_on(hub, drive)
    foreign = bundle.seal_parts(
        opening_key(device).public,
        Device(50).key,
        mail.FromHub(device.id, NOW, 1),
        [],
        bundle.new_bundle(b"elsewher", random.Random(1).randbytes),
    )
    drive.write_parts(IN, foreign)
    before = {found.path.name for found in drive.parts(IN)}
    put_on(hub, drive, "17.05.10")
    after = drive.parts(IN)
    assert [found.head.recipient for found in after].count(opening_key(device).public.id) == 2
    kept = [found for found in after if found.path.name in before]
    assert {found.head.recipient for found in kept} == {
        opening_key(device).public.id,
        opening_key(other).public.id,
    }
    assert drive.read_file(PUB, mail.KEYSET_FILE, 1 << 16) == hub.config.keyset_data
    assert drive.parts(OUT) == []


def test_villages_see_nothing_of_each_other_on_the_stick(hub: Hub, tmp_path: Path) -> None:
    device, other = let_in(hub, Device(1)).open(), let_in(hub, Device(2), OTHER_VILLAGE).open()
    device.send(hub)
    other.send(hub)
    drive = Stick(tmp_path)
    put_on(hub, drive)
    for one in (device, other):
        opened = 0
        for found in drive.parts(IN):
            try:
                part = bundle.open_part(drive.read_part(found), [opening_key(one)])
            except SealError:
                continue
            opened += 1
            assert part.verify_hub(hub.config.keyset.hub_keys).device == one.id
        assert opened == 1
