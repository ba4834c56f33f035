"""Parts from any hands: taken in once, whatever their order; and a ledger of what is still on the road."""

from __future__ import annotations

import random
import threading

import pytest
from carried import NOW, asking, items_of, let_in, opening_key, parts_of, row_of
from device import VILLAGE, Device
from sqlalchemy import insert, select, true
from state import held, merged_state, said

from hub import alerts, ledger, parts, rebuilding, registry, schema
from hub.db import reading, writing
from hub.ledger import LedgerRow
from hub.wiring import Hub
from sync import bundle, cose, segment
from sync.courier import Note, Taken
from sync.decisions import BundleReceived
from sync.entries import BundleWritten, Entry, QuestionAnswered
from sync.errors import MalformedError, TornError
from sync.items import ItemKind, wrap
from sync.keys import sha256
from sync.sealing import CLASSICAL, OpeningKey


def worked(device: Device, segments: int = 4, answers: int = 3) -> Device:
    device.open()
    for at in range(segments):
        device.seal(*(QuestionAnswered(0, 0, 1, at + 1, n % 3, True, 5) for n in range(answers)))
    return device


def answers_at(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return sum(connection.execute(select(schema.lesson_progress.c.answers)).scalars())


def rows(hub: Hub) -> list[LedgerRow]:
    with reading(hub.engine) as connection:
        return ledger.listed(connection, true(), 100)


def alerts_at(hub: Hub) -> set[str]:
    with reading(hub.engine) as connection:
        return set(connection.execute(select(schema.alerts.c.kind)).scalars())


def told(hub: Hub) -> list[BundleReceived]:
    return [kind for kind in said(hub, VILLAGE) if isinstance(kind, BundleReceived)]


@pytest.mark.parametrize("seed", range(3))
def test_parts_in_any_order_and_twice_give_what_one_request_gives(hub: Hub, seed: int) -> None:
    device = worked(let_in(hub, Device(1)), 12)
    sent = parts_of(device, hub, most=1100)
    assert len(sent) > 3
    order = [*sent, *sent]
    random.Random(seed).shuffle(order)
    taken = [parts.take(hub.intake, part) for part in order]
    assert sorted(taken) == [Taken.NEW] * len(sent) + [Taken.HELD] * len(sent)
    assert answers_at(hub) == 36
    by_stick = merged_state(hub)
    device.send(hub)
    assert merged_state(hub) == by_stick
    assert {row.complete_ms is not None for row in rows(hub)} == {True}
    assert [(kind.parts, kind.of) for kind in told(hub)] == [(len(sent), len(sent))], "said once"


def test_a_bundle_on_the_road_is_known_part_by_part(hub: Hub) -> None:
    device = worked(let_in(hub, Device(1)), 12)
    sent = parts_of(device, hub, most=1100)
    for at, part in enumerate(sent, start=1):
        parts.take(hub.intake, part)
        (row,) = rows(hub)
        assert (row.received, row.parts) == (at, len(sent))
        assert (row.complete_ms is None) == (at < len(sent))
        assert row.village == VILLAGE
    assert row.device == device.id


def test_what_a_hub_lacks_is_told_without_opening_anything(hub: Hub) -> None:
    device = worked(let_in(hub, Device(1)), 12)
    sent = parts_of(device, hub, most=1100)
    ids = [bundle.part_id(part)[:8] for part in sent]
    parts.take(hub.intake, sent[1])
    with reading(hub.engine) as connection:
        assert ledger.missing(connection, ids) == [at != 1 for at in range(len(sent))]
        assert ledger.missing(connection, []) == []
        assert all(ledger.missing(connection, [at.to_bytes(8, "big") for at in range(1500)]))


def test_the_same_part_at_the_same_moment_is_counted_once(hub: Hub) -> None:
    """Otherwise a bundle of which a part is still on the road would count as received."""
    device = worked(let_in(hub, Device(1)), 12)
    sent = parts_of(device, hub, most=1100)
    device.send(hub, device.segments[0])
    start, taken = threading.Barrier(4), []

    def bring() -> None:
        start.wait()
        taken.append(parts.take(hub.intake, sent[0]))

    threads = [threading.Thread(target=bring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(taken) <= {Taken.NEW, Taken.HELD}
    assert len(taken) == 4
    assert rows(hub)[0].received == 1


def test_a_torn_part_is_refused_and_comes_again(hub: Hub) -> None:
    (part,) = parts_of(worked(let_in(hub, Device(1))), hub)
    for broken in (part[:-1], part[:100], b"", part[:200] + b"\0" + part[201:]):
        with pytest.raises(TornError):
            parts.take(hub.intake, broken)
    with pytest.raises(MalformedError):
        parts.take(hub.intake, b"x" * 500)
    assert rows(hub) == []
    assert parts.take_many(hub.intake, [part[:-1], part, part, b"x"]) == {
        None: 2,
        Taken.NEW: 1,
        Taken.HELD: 1,
    }


def test_a_part_for_another_centre_is_foreign(hub: Hub) -> None:
    elsewhere = OpeningKey(CLASSICAL, b"e" * 32).public
    (part,) = parts_of(worked(let_in(hub, Device(1))), hub, recipient=elsewhere)
    assert parts.take(hub.intake, part) is Taken.FOREIGN
    assert rows(hub) == []


def test_a_part_that_another_device_signed_is_refused_and_reported(hub: Hub) -> None:
    device, thief = worked(let_in(hub, Device(1))), let_in(hub, Device(2))
    (part,) = parts_of(device, hub, signer=thief)
    assert parts.take(hub.intake, part) is Taken.REFUSED
    assert alerts.BAD_MANIFEST in alerts_at(hub)
    assert answers_at(hub) == 0
    assert [row for row in rows(hub) if row.received] == []


def test_what_opens_and_is_no_request_is_refused_for_good(hub: Hub) -> None:
    intake = hub.config.keyset.intake
    for inside in (b"", bytes(300), cose.seal(Device(1).key, b"\x81\x01", cose.BUNDLE)):
        length = len(inside) + 48
        head = bundle.Head(CLASSICAL, intake.id, bytes(16), 0, 1, length).encode()
        whole = head + intake.seal(inside, b"lontar/bundle/1" + head)
        assert parts.take(hub.intake, whole + sha256(whole)) is Taken.REFUSED


def test_a_device_that_asks_to_be_registered_by_stick_waits_and_then_counts(hub: Hub) -> None:
    device = worked(Device(1))
    (part,) = parts_of(device, hub, [asking(device), *items_of(device)])
    assert parts.take(hub.intake, part) is Taken.NEW
    assert row_of(hub, device).state == "waiting"
    assert (answers_at(hub), held(hub, schema.QUARANTINED)) == (0, len(device.entries))
    registry.approve(hub.engine, device.id, NOW)
    assert answers_at(hub) == 12


def test_a_device_that_nobody_knows_is_to_be_brought_again(hub: Hub) -> None:
    device = worked(Device(1))
    (part,) = parts_of(device, hub)
    assert parts.take(hub.intake, part) is Taken.LATER
    let_in(hub, device)
    assert parts.take(hub.intake, part) is Taken.NEW
    assert answers_at(hub) == 12


def test_a_registration_that_isn_t_one_is_refused(hub: Hub) -> None:
    device = worked(Device(1))
    (part,) = parts_of(device, hub, [wrap(ItemKind.REGISTRATION, b"x"), *items_of(device)])
    assert parts.take(hub.intake, part) is Taken.REFUSED


def test_one_bad_item_keeps_out_no_good_one(hub: Hub) -> None:
    device, stranger = worked(let_in(hub, Device(1))), Device(9).open()
    forged = segment.seal(stranger.key, device.log, 1, device.log, [Entry(9, 4, 9, (0, 0, 0))], 0).data
    first, *rest = items_of(device)
    tomorrow = b"\x82\x18\x63\x41x"
    (part,) = parts_of(device, hub, [first, forged, tomorrow, *rest, b"\x81\x61x"])
    assert parts.take(hub.intake, part) is Taken.NEW
    assert answers_at(hub) == 12
    assert alerts.BAD_ITEM in alerts_at(hub)


def test_a_neighbour_s_log_that_comes_before_its_registration_waits_for_an_operator(hub: Hub) -> None:
    """A laptop that is let in passes it on."""
    device, neighbour = worked(let_in(hub, Device(1))), worked(Device(2))
    (part,) = parts_of(device, hub, [*items_of(neighbour), *items_of(device)])
    assert parts.take(hub.intake, part) is Taken.NEW
    assert answers_at(hub) == 12
    let_in(hub, neighbour)
    assert answers_at(hub) == 24
    assert parts.take(hub.intake, part) is Taken.HELD


def test_a_laptop_that_waits_itself_brings_a_stranger_s_log_again(hub: Hub) -> None:
    device, neighbour = worked(Device(1)), worked(Device(2))
    device.ask_to_register(hub)
    (part,) = parts_of(device, hub, [*items_of(neighbour), *items_of(device)])
    assert parts.take(hub.intake, part) is Taken.LATER
    let_in(hub, device)
    assert answers_at(hub) == 12
    let_in(hub, neighbour)
    assert parts.take(hub.intake, part) is Taken.NEW
    assert answers_at(hub) == 24


def test_the_middle_of_a_log_that_comes_before_its_beginning_is_taken_all_the_same(hub: Hub) -> None:
    device, neighbour = worked(let_in(hub, Device(1))), worked(Device(2))
    profile, opening, *rest = items_of(neighbour)
    (part,) = parts_of(device, hub, [*rest, profile, opening, *items_of(device)])
    assert parts.take(hub.intake, part) is Taken.NEW
    let_in(hub, neighbour)
    assert answers_at(hub) == 24


def test_the_middle_of_a_log_of_which_nothing_is_known_is_to_be_brought_again(hub: Hub) -> None:
    device, neighbour = worked(let_in(hub, Device(1))), worked(Device(2))
    (part,) = parts_of(device, hub, [*items_of(neighbour, 1), *items_of(device)])
    assert parts.take(hub.intake, part) is Taken.LATER
    assert answers_at(hub) == 12
    let_in(hub, neighbour)
    (whole,) = parts_of(neighbour, hub)
    assert parts.take(hub.intake, whole) is Taken.NEW
    assert parts.take(hub.intake, part) is Taken.NEW
    assert answers_at(hub) == 24


def test_what_quarantine_has_no_room_for_is_to_be_brought_again(hub: Hub) -> None:
    """The stick may hold the only copy; nothing of it is said to have arrived."""
    device = Device(1).open()
    noise = random.Random(1)
    for _ in range(22):
        device.seal(*(BundleWritten(noise.randbytes(3500), 0) for _ in range(16)))
    sent = parts_of(device, hub, [asking(device), *items_of(device)])
    taken = [parts.take(hub.intake, part) for part in sent]
    assert Taken.LATER in taken
    registry.approve(hub.engine, device.id, NOW)
    again = [parts.take(hub.intake, part) for part in sent]
    assert set(again) <= {Taken.NEW, Taken.HELD}
    assert held(hub, schema.MERGED) == len(device.entries)


def test_a_refused_device_s_parts_are_no_arrivals(hub: Hub) -> None:
    device = worked(Device(1))
    device.ask_to_register(hub)
    registry.refuse(hub.engine, device.id, NOW)
    (part,) = parts_of(device, hub)
    assert parts.take(hub.intake, part) is Taken.REFUSED
    registry.approve(hub.engine, device.id, NOW)
    assert parts.take(hub.intake, part) is Taken.NEW
    assert answers_at(hub) == 12


def test_names_arrive_with_the_segments_that_need_them(hub: Hub) -> None:
    """However a bundle is cut into parts, and whichever of them arrive."""
    device = let_in(hub, Device(1)).open(people=40)
    for size in range(1200, 4000, 400):
        sent = parts_of(device, hub, most=size, seed=size)
        for part in sent:
            parts.take(hub.intake, part)
    with reading(hub.engine) as connection:
        assert len(connection.execute(select(schema.profiles)).all()) == 40


def test_older_words_by_stick_change_nothing_that_is_known_better(hub: Hub) -> None:
    device = worked(let_in(hub, Device(1)))
    late = parts_of(device, hub, t=100, seed=1)
    device.send(hub)
    before = row_of(hub, device)
    for part in late:
        parts.take(hub.intake, part)
    after = row_of(hub, device)
    assert (after.last_t, after.last_contact_ms) == (before.last_t, before.last_contact_ms)
    assert after.last_stick_ms is not None


def test_a_bundle_that_a_log_mentions_is_on_the_road_until_the_log_arrives(hub: Hub) -> None:
    device = let_in(hub, Device(1)).open()
    id_ = bundle.new_bundle(opening_key(device).public.id, random.Random(5).randbytes)
    device.seal(BundleWritten(id_, 0))
    device.send(hub)
    (row,) = rows(hub)
    assert (row.bundle, row.device) == (id_, device.id)
    assert row.complete_ms is not None, "what it carried came by another road"
    rebuilding.everything(hub.engine)
    assert len(rows(hub)) == 1


def test_nobody_s_log_speaks_of_another_device_s_bundle(hub: Hub) -> None:
    device, other = let_in(hub, Device(1)).open(), let_in(hub, Device(2)).open()
    theirs = bundle.new_bundle(opening_key(other).public.id, random.Random(5).randbytes)
    carrier = courier_of(hub)
    with writing(hub.engine) as connection:
        ledger.note_custody(connection, carrier, [Note(theirs, 0, 5)], NOW)
    device.seal(BundleWritten(theirs, 0), BundleWritten(b"short", 0))
    device.send(hub)
    (row,) = rows(hub)
    assert (row.device, row.complete_ms) == (other.id, None)
    assert row.is_overdue(NOW + ledger.OVERDUE_MS + 1)
    assert not row.is_overdue(NOW + ledger.OVERDUE_MS)


def courier_of(hub: Hub) -> int:
    with writing(hub.engine) as connection:
        query = insert(schema.couriers).values(
            name="Pak Anwar", region="17.05", state="waiting", made_ms=NOW
        )
        return int(connection.execute(query.returning(schema.couriers.c.pk)).scalar_one())


def test_the_ledger_names_who_carries_what_is_lacking_and_puts_it_first(hub: Hub) -> None:
    device = worked(let_in(hub, Device(1)))
    ids = [bundle.new_bundle(opening_key(device).public.id, random.Random(at).randbytes) for at in range(3)]
    carrier = courier_of(hub)
    for _ in range(2):
        with writing(hub.engine) as connection:
            ledger.note_custody(connection, carrier, [Note(id_, at, 5) for at, id_ in enumerate(ids)], NOW)
    for part in parts_of(device, hub):
        parts.take(hub.intake, part)
    listed = rows(hub)
    assert [row.complete_ms is None for row in listed] == [True] * 3 + [False]
    assert {row.couriers for row in listed[:3]} == {("Pak Anwar",)}
    assert listed[3].couriers == ()
    with reading(hub.engine) as connection:
        assert ledger.count(connection, true()) == 4
        assert len(ledger.listed(connection, true(), 2, skip=3)) == 1
