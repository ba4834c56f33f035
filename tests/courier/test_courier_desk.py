"""The officer's laptop against a real hub and real villages: what is taken, sent, brought back, cleaned."""

from __future__ import annotations

import errno
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
from centre import made_hub
from officer import MAIL_PATH, MISSING_PATH, PART_PATH, Land, learn, tear
from sqlalchemy import select

from courier.config import prepared
from courier.errors import DiskFullError, NotReadyError
from courier.overview import Outcome, overview
from courier.spool import Spool
from courier.wiring import open_desk
from hub import couriers, downlink, schema
from hub.db import reading, writing
from node.shelf import REGISTRATION
from node.wiring import Node
from sync import bundle
from sync.bundle import FromDevice
from sync.decisions import AnnouncementPosted
from sync.errors import (
    ExchangeError,
    MalformedError,
    NotAHubError,
    RefusedError,
    SignatureError,
    StickError,
    UnreachableError,
)
from sync.exchange import Request
from sync.keys import SigningKey, fingerprint, key_id
from sync.keyset import Keyset, sign_keyset
from sync.machine import Machine
from sync.sealing import CLASSICAL, OpeningKey
from sync.stick import IN, KEYSET, OUT, PUB, Files
from web.data_folder import DataFolderError


def let_in(land: Land, *nodes: Node) -> None:
    """The villages' first bundles reach the hub, and an operator approves them."""
    desk, stick = land.officer("first", registered=False), land.stick("first-stick")
    for node in nodes:
        node.bundles.write(stick)
    desk.trust.take(land.hub.config.keyset_data)
    desk.collect(stick)
    desk.send()
    for node in nodes:
        land.approve(node)
    land.line.forget()


def test_parts_are_collected_once_and_the_stick_is_only_read(land: Land) -> None:
    node, stick, desk = land.village("asri"), land.stick(), land.officer()
    node.bundles.write(stick)
    before = {path: path.read_bytes() for path in stick.drive.rglob("*.*")}
    first, again = desk.collect(stick), desk.collect(stick)
    assert (first.new, first.known, first.torn) == (1, 0, 0)
    assert (again.new, again.known) == (0, 1)
    assert {path: path.read_bytes() for path in stick.drive.rglob("*.*")} == before


def test_what_the_hub_lacks_is_asked_once_and_only_that_is_sent(land: Land) -> None:
    nodes = [land.village("asri"), land.village("indah", "17.05.10.2008")]
    let_in(land, *nodes)
    stick, desk, other = land.stick(), land.officer(), land.officer("other")
    for node in nodes:
        learn(node, 5)
        node.bundles.write(stick)
    for one in (desk, other):
        one.collect(stick)
    land.line.forget()
    sent = desk.send()
    assert (sent.asked, sent.new, sent.held) == (2, 2, 0)
    assert (land.line.count(MISSING_PATH), land.line.count(PART_PATH)) == (1, 2)
    land.line.forget()
    again = other.send()
    assert (again.asked, again.new, again.held, again.size) == (2, 0, 2, 0)
    assert (land.line.count(MISSING_PATH), land.line.count(PART_PATH)) == (1, 0)
    assert desk.ledger.waiting() == other.ledger.waiting() == []


@pytest.mark.parametrize("taken", [False, True], ids=["before the hub had it", "after the hub had it"])
def test_after_a_cut_it_goes_on_at_the_next_part(land: Land, taken: bool) -> None:
    nodes = [land.village(name, f"17.05.10.200{at}") for at, name in enumerate("abcd", start=5)]
    stick, desk = land.stick(), land.officer()
    for node in nodes:
        node.bundles.write(stick)
    desk.collect(stick)
    land.line.parts_left, land.line.breaks_after_taking = 2, taken
    with pytest.raises(UnreachableError):
        desk.send()
    assert len(desk.ledger.waiting()) == 2
    land.line.parts_left = 100
    land.line.forget()
    sent = desk.send()
    assert (sent.new, sent.held) == ((1, 1) if taken else (2, 0))
    assert land.line.count(PART_PATH) == sent.new
    assert desk.ledger.waiting() == []


def test_a_torn_part_is_reported_until_a_whole_copy_comes(land: Land) -> None:
    node, stick, desk = land.village("asri"), land.stick(), land.officer()
    node.bundles.write(stick)
    path = tear(stick)
    assert desk.collect(stick).torn == 1
    assert overview(desk, stick).senders[0].outcome is Outcome.TORN
    path.write_bytes(b"")
    assert desk.collect(stick).torn == 1
    assert overview(desk, stick).unreadable == 1
    path.unlink()
    node.bundles.write(stick)
    assert (desk.collect(stick).new, desk.collect(stick).torn) == (1, 0)


def test_an_overview_tells_whose_parts_since_when_and_whether_the_hub_holds_them(land: Land) -> None:
    node, stick, desk = land.village("asri"), land.stick(), land.officer()
    node.bundles.write(stick)
    seen = overview(desk, stick).senders[0]
    tag = OpeningKey(CLASSICAL, node.config.sealing_seed).public.id
    assert (seen.name, seen.since_ms) == (f"{tag.hex().upper()[:4]}-{tag.hex().upper()[4:8]}", None)
    assert seen.outcome is Outcome.FRESH and not seen.may_go
    desk.collect(stick)
    assert overview(desk, stick).senders[0].outcome is Outcome.HERE
    desk.send()
    desk.fetch()
    seen = overview(desk, stick).senders[0]
    assert seen.place is not None and seen.place.village == "17.05.10.2007" and seen.name == seen.place.name
    assert seen.outcome is Outcome.DELIVERED and seen.may_go and seen.since_ms == desk.now_ms()


def test_a_stick_is_cleaned_only_of_what_the_hub_s_signed_word_covers(land: Land) -> None:
    nodes = [land.village("asri"), land.village("indah", "17.05.10.2008")]
    stick, desk = land.stick(), land.officer()
    nodes[0].bundles.write(stick)
    desk.collect(stick)
    assert desk.deliver(stick).cleaned == 0, "collected isn't delivered"
    desk.send()
    nodes[1].bundles.write(stick)
    assert desk.deliver(stick).cleaned == 1
    assert len(stick.parts(OUT)) == 1, "what came since stays"


def test_mail_comes_once_and_reaches_the_village_by_stick(land: Land) -> None:
    node = land.village("asri")
    let_in(land, node)
    stick, desk = land.stick(), land.officer()
    learn(node, 5)
    node.bundles.write(stick)
    desk.collect(stick)
    desk.send()
    first, again = desk.fetch(), desk.fetch()
    assert first.villages == 1 and first.size > 0
    assert (again.villages, again.parts, again.size) == (0, 0, 0)
    assert desk.ledger.unwritten() == 1
    delivered = desk.deliver(stick)
    assert (delivered.villages, delivered.cleaned, desk.ledger.unwritten()) == (1, 1, 0)
    node.bundles.read(stick)
    assert node.worker.state().registration == "registered"
    assert node.recorder.counts().confirmed >= 5


def test_older_mail_leaves_laptop_and_stick_when_newer_has_come(land: Land) -> None:
    node = land.village("asri")
    let_in(land, node)
    stick, desk = land.stick(), land.officer()
    desk.fetch()
    desk.deliver(stick)
    old = {found.path.name for found in stick.parts(IN)}
    learn(node, 5)
    node.bundles.write(stick)
    desk.collect(stick)
    desk.send()
    assert desk.fetch().villages == 1
    desk.deliver(stick)
    new = {found.path.name for found in stick.parts(IN)}
    assert len(old) == len(new) == 1 and old != new
    assert len(list((desk.config.data / "parts").rglob("*.lnb"))) == 1


def test_the_hub_learns_which_parts_a_courier_carries(land: Land) -> None:
    node, stick, desk = land.village("asri"), land.stick(), land.officer()
    node.bundles.write(stick)
    desk.collect(stick)
    desk.fetch()
    with reading(land.hub.engine) as connection:
        notes = connection.execute(select(schema.custody.c.bundle, schema.custody.c.seen_s)).all()
    assert [tuple(note) for note in notes] == [
        (stick.parts(OUT)[0].head.bundle, desk.now_ms() // 1000),
    ]
    assert desk.ledger.to_note(10) == []


def test_an_unregistered_courier_delivers_but_gets_no_mail(land: Land) -> None:
    node, stick, desk = land.village("asri"), land.stick(), land.officer(registered=False)
    node.bundles.write(stick)
    desk.collect(stick)
    with pytest.raises(NotReadyError):
        desk.send()
    offered = desk.keyset_on(stick)
    assert offered is not None
    with pytest.raises(NotReadyError):
        desk.believe(stick, "AAAA-BBBB-CCCC-DDDD-EEEE")
    desk.believe(stick, fingerprint(offered.root))
    assert desk.send().new == 1
    with pytest.raises(NotReadyError):
        desk.fetch()
    assert land.line.count(MAIL_PATH) == 0
    assert desk.deliver(stick).cleaned == 1


def test_a_revoked_courier_still_brings_and_gets_nothing(land: Land) -> None:
    node, stick, desk = land.village("asri"), land.stick(), land.officer()
    with reading(land.hub.engine) as connection:
        courier = couriers.listed(connection)[0]
    couriers.revoke(land.hub.engine, courier.pk)
    node.bundles.write(stick)
    desk.collect(stick)
    assert desk.send().new == 1
    with pytest.raises(RefusedError):
        desk.fetch()
    assert not desk.is_registered()
    assert desk.ledger.route() == {}


def test_a_wrong_code_registers_nobody(land: Land) -> None:
    desk = land.officer(registered=False)
    with pytest.raises(RefusedError):
        desk.register(land.url, "7KQ2-M4TX-9RHB")
    with pytest.raises(MalformedError):
        desk.register(land.url, "7KQ2")
    assert not desk.is_registered() and desk.trust.keyset is None


def test_parts_for_another_hub_are_told_apart_and_stay_on_the_stick(land: Land, tmp_path: Path) -> None:
    other = made_hub(tmp_path / "another-hub")
    near, far = land.village("asri"), land.village("jauh", "17.05.10.2009", other.config.keyset_data)
    other.close()
    stick, desk = land.stick(), land.officer()
    near.bundles.write(stick)
    far.bundles.write(stick)
    desk.collect(stick)
    sent = desk.send()
    assert (sent.new, sent.foreign) == (1, 1)
    assert desk.deliver(stick).cleaned == 1
    assert [one.outcome for one in overview(desk, stick).senders] == [Outcome.FOREIGN]
    desk.collect(stick)
    assert desk.send().asked == 0, "it isn't offered again"


def test_parts_for_the_hub_above_are_not_sent_to_this_one(land: Land) -> None:
    desk, stick, node = land.officer(), land.stick(), land.village("asri")
    above = OpeningKey(CLASSICAL, b"a" * 32).public
    root = SigningKey.from_seed(
        bytes.fromhex((land.folder / "hub" / "keys" / "root.key").read_text().strip())
    )
    newer = replace(land.hub.config.keyset, version=99, upstream=(above,))
    data = sign_keyset(root, newer)
    desk.trust.take(data)
    node.shelf.take_keyset(data)
    node.bundles.write(stick)
    desk.collect(stick)
    sent = desk.send()
    assert (sent.asked, sent.new, sent.foreign) == (2, 1, 1)
    assert land.line.count(PART_PATH) == 1


def test_parts_of_a_device_that_the_hub_doesn_t_know_are_kept_until_it_does(land: Land) -> None:
    node, stick, desk = land.village("asri"), land.stick(), land.officer()
    request = node.store.get(REGISTRATION)
    node.store.put(REGISTRATION, "revoked")  # so that it doesn't ask to be registered
    node.bundles.write(stick)
    desk.collect(stick)
    assert (desk.send().later, len(desk.ledger.waiting())) == (1, 1)
    assert desk.deliver(stick).cleaned == 0
    assert overview(desk, stick).count(Outcome.HERE) == 1
    node.store.put(REGISTRATION, request)
    node.bundles.write(stick)
    desk.collect(stick)
    assert desk.send().new + desk.send().new == 2, "in whatever order they go out"
    assert desk.ledger.waiting() == []


def test_what_opens_and_isn_t_what_it_says_is_refused_and_stays_on_the_stick(land: Land) -> None:
    forger, stick, desk = SigningKey.from_seed(b"f" * 32), land.stick(), land.officer()
    known = land.village("asri")
    let_in(land, known)
    said = FromDevice(Request(key_id(known.config.device_key.public), 5, 5))
    intake = land.hub.config.keyset.intake
    stick.write_parts(OUT, bundle.seal_parts(intake, forger, said, [], bytes(16)))
    desk.collect(stick)
    assert desk.send().refused == 1
    assert desk.deliver(stick).cleaned == 0
    assert overview(desk, stick).count(Outcome.REFUSED) == 1
    assert desk.send().asked == 0


def test_a_newer_keyset_of_the_same_root_comes_by_stick_and_an_older_or_strange_one_is_not_believed(
    land: Land,
) -> None:
    root = SigningKey.from_seed(b"r" * 32)
    sealing = OpeningKey(CLASSICAL, b"s" * 32).public
    desk, stick = land.officer(registered=False), land.stick()
    one, two = (
        sign_keyset(root, Keyset(version, root.public, (root.public,), sealing, ())) for version in (1, 2)
    )
    desk.trust.take(one)
    stick.write_file(PUB, KEYSET, two)
    assert desk.collect(stick).keyset
    stick.write_file(PUB, KEYSET, one)
    assert not desk.collect(stick).keyset
    desk.deliver(stick)
    assert stick.read_file(PUB, KEYSET, 9999) == two, "sticks carry the newest"
    stick.write_file(PUB, KEYSET, land.hub.config.keyset_data)
    assert not desk.collect(stick).keyset
    with pytest.raises(SignatureError):
        desk.trust.take(land.hub.config.keyset_data)
    assert open_desk(desk.config.data).trust.envelope == two


class Pulled(Files):
    """A stick that is pulled after a number of reads or writes."""

    def __init__(self, reads: int = 10_000, writes: int = 10_000) -> None:
        self.reads, self.writes = reads, writes

    def read(self, path: Path, most: int) -> bytes:
        self.reads -= 1
        if self.reads < 0:
            raise OSError(errno.EIO, "pulled")
        return super().read(path, most)

    def write(self, path: Path, data: bytes) -> None:
        self.writes -= 1
        if self.writes < 0:
            path.write_bytes(data[: len(data) // 2])
            raise OSError(errno.EIO, "pulled")
        super().write(path, data)


def test_a_stick_pulled_while_it_is_read_costs_nothing_that_was_copied(land: Land) -> None:
    nodes = [land.village(name, f"17.05.10.200{at}") for at, name in enumerate("abc", start=5)]
    stick, desk = land.stick(), land.officer()
    for node in nodes:
        node.bundles.write(stick)
    reads_of_heads = 3 + 1
    with pytest.raises(StickError):
        desk.collect(land.stick(files=Pulled(reads=reads_of_heads + 2)))
    here = len(desk.ledger.waiting())
    assert 1 <= here < 3
    assert desk.collect(stick).new == 3 - here


def test_a_stick_pulled_while_it_is_filled_keeps_its_older_mail_and_is_filled_again(land: Land) -> None:
    node = land.village("asri")
    let_in(land, node)
    stick, desk = land.stick(), land.officer()
    desk.fetch()
    desk.deliver(stick)
    old = [stick.read_part(found) for found in stick.parts(IN)]
    learn(node, 3)
    node.bundles.write(stick)
    desk.collect(stick)
    desk.send()
    desk.fetch()
    with pytest.raises(StickError):
        desk.deliver(land.stick(files=Pulled(writes=0)))
    assert [stick.read_part(found) for found in stick.parts(IN)] == old
    assert desk.ledger.unwritten() == 1
    assert desk.deliver(stick).villages == 1
    node.bundles.read(stick)
    assert node.recorder.counts().confirmed >= 3


def test_a_full_laptop_is_said_plainly_and_takes_nothing_half(land: Land, tmp_path: Path) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "full")

    node, stick = land.village("asri"), land.stick()
    desk = land.officer(spool=Spool(tmp_path / "officer", full))
    node.bundles.write(stick)
    with pytest.raises(DiskFullError):
        desk.collect(stick)
    assert desk.ledger.waiting() == []


def test_a_copy_damaged_on_the_laptop_is_not_sent_and_comes_again_from_the_stick(land: Land) -> None:
    node, stick, desk = land.village("asri"), land.stick(), land.officer()
    node.bundles.write(stick)
    desk.collect(stick)
    (copy,) = (desk.config.data / "parts").rglob("*.lnb")
    copy.write_bytes(copy.read_bytes()[:-1])
    assert desk.send().skipped == 1
    assert desk.collect(stick).new == 1
    assert desk.send().new == 1


def test_long_mail_goes_on_after_a_broken_line_with_what_is_lacking(land: Land) -> None:
    node = land.village("asri")
    let_in(land, node)
    for at in range(150):
        with writing(land.hub.engine) as connection:
            text = random.Random(at).randbytes(1000).hex()
            downlink.decide(connection, "17.05.10.2007", AnnouncementPosted("Berita", text), 1)
    stick, desk = land.stick(), land.officer()
    land.line.breaks_at(MAIL_PATH, after=1)
    with pytest.raises(ExchangeError):
        desk.fetch()
    assert desk.ledger.mail() == [], "it isn't whole"
    first = len(desk.ledger.begun())
    assert first > 0
    assert desk.deliver(stick).villages == 0
    rest = desk.fetch()
    assert (rest.villages, desk.ledger.begun()) == (1, [])
    assert rest.parts == len(desk.ledger.mail()) - first
    desk.deliver(stick)
    node.bundles.read(stick)
    assert len(node.centre.decisions(AnnouncementPosted)) == 150


def test_a_part_that_somebody_put_in_on_the_way_is_noticed(land: Land) -> None:
    node = land.village("asri")
    let_in(land, node)
    desk = land.officer()
    land.line.swaps_mail = True
    with pytest.raises(NotAHubError):
        desk.fetch()
    assert desk.ledger.mail() == desk.ledger.begun() == []
    land.line.swaps_mail = False
    assert desk.fetch().villages == 1


def test_mail_lost_on_the_laptop_is_fetched_again(land: Land) -> None:
    node = land.village("asri")
    let_in(land, node)
    stick, desk = land.stick(), land.officer()
    desk.fetch()
    for copy in (desk.config.data / "parts").rglob("*.lnb"):
        copy.unlink()
    assert desk.deliver(stick).villages == 0
    assert desk.fetch().villages == 1
    assert desk.deliver(stick).villages == 1


def test_nothing_readable_is_in_the_spool_or_on_the_stick(land: Land) -> None:
    node = land.village("asri", "17.05.10.2008")
    let_in(land, node)
    stick, desk = land.stick(), land.officer()
    learn(node, 20)
    node.bundles.write(stick)
    desk.collect(stick)
    held = (desk.config.data / "parts").rglob("*.lnb")
    copies = [path.read_bytes() for path in held]
    desk.send()
    desk.fetch()
    desk.deliver(stick)
    paths = [path for path in stick.drive.rglob("*") if path.is_file()]
    paths += list((desk.config.data / "parts").rglob("*.lnb"))
    assert len(copies) == 1 and len(paths) >= 4
    for data in [*copies, *(path.read_bytes() for path in paths)]:
        for secret in ("Siti", "asri", "17.05", "2008", "Kas Desa", "Kaur"):
            assert secret.encode() not in data


def test_keys_are_the_owner_s_and_stay_the_same(tmp_path: Path) -> None:
    made = prepared(tmp_path / "data", Machine().random_bytes)
    for path in (tmp_path / "data" / "keys").iterdir():
        assert os.name == "nt" or path.stat().st_mode & 0o077 == 0
    again = prepared(tmp_path / "data", Machine().random_bytes)
    assert (again.key.seed, again.sealing_seed) == (made.key.seed, made.sealing_seed)


@pytest.mark.parametrize("line", ["hos = 1", 'port = "a"', 'zone = "XYZ"', "hub_url ="])
def test_an_unknown_setting_is_refused(tmp_path: Path, line: str) -> None:
    prepared(tmp_path, Machine().random_bytes)
    (tmp_path / "courier.toml").write_text(line)
    with pytest.raises(DataFolderError):
        prepared(tmp_path, Machine().random_bytes)
