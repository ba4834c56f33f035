"""What a laptop puts on sticks and takes from them: everything not confirmed, once read twice the same, nothing lost."""

from __future__ import annotations

import errno
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from desa import rows
from lumbung import NOW, Country, visit
from word import HUB, INTAKE, ROOT, Word, keyset, stream

from node.errors import NodeError
from node.shelf import HUB_LOST, LAST_CONTACT, REGISTRATION
from node.wiring import Node
from sync import bundle
from sync.bundle import FromHub, OpenedPart
from sync.decisions import AnnouncementPosted, BundleReceived
from sync.entries import QuestionAnswered
from sync.errors import StickError, SyncError
from sync.exchange import Verdict
from sync.items import ItemKind
from sync.keys import SigningKey, key_id
from sync.keyset import sign_keyset
from sync.log import Head, Status
from sync.sealing import CLASSICAL, OpeningKey, SealingKey, sealing_public
from sync.stick import IN, KEYSET, OUT, PUB, Files, Stick


@pytest.fixture
def country(tmp_path: Path) -> Iterator[Country]:
    made = Country(tmp_path)
    yield made
    made.close()


def started(node: Node, *people: str) -> Node:
    for name in people or ("Siti", "Budi"):
        node.recorder.add_learner(name)
    node.recorder.install_pack(b"c" * 16, b"m" * 32, 1)
    return node


def learn(node: Node, count: int, learner: int = 0) -> None:
    for at in range(count):
        node.recorder.record(QuestionAnswered(learner, 0, 1, 1 + at, 1, True, 5))


def alone(country: Country, name: str = "asri") -> Node:
    """A laptop that knows a centre of which there is only the keys, and is registered there."""
    node = started(country.laptop(name))
    node.shelf.take_keyset(sign_keyset(ROOT, keyset()))
    node.store.put(REGISTRATION, "registered")
    return node


def opened(stick: Stick) -> list[OpenedPart]:
    """What the centre reads on a stick."""
    return [bundle.open_part(stick.read_part(found), [INTAKE]) for found in stick.parts(OUT)]


def items(stick: Stick, kind: ItemKind) -> list[bytes]:
    return [item.data for part in opened(stick) for item in bundle.read_stream(part) if item.kind is kind]


def tip_of(node: Node) -> Head:
    query = "SELECT l.log, s.idx, s.id FROM segments s JOIN logs l ON l.pk = s.log ORDER BY s.log DESC, idx DESC LIMIT 1"
    return Head(*rows(node.store, query)[0])


def mail_to(
    node: Node,
    stick: Stick,
    hub_ms: int,
    *verdicts: Verdict,
    key: SigningKey = HUB,
    inside: bytes = b"",
    seed: int = 0,
) -> None:
    """The centre's mail for a laptop, on the stick."""
    said = FromHub(key_id(node.config.device_key.public), hub_ms, 1, verdicts)
    recipient = SealingKey(CLASSICAL, sealing_public(node.config.sealing_seed))
    id_ = bundle.new_bundle(INTAKE.public.id, random.Random(f"{hub_ms}/{seed}").randbytes)
    stick.write_parts(IN, bundle.seal_parts(recipient, key, said, [inside] if inside else [], id_))


def verdict(head: Head, status: Status = Status.STORED) -> Verdict:
    return Verdict(Head(head.log[:8], head.index, head.id[:8]), status)


def test_a_laptop_that_knows_no_centre_writes_nothing_readable_by_strangers(country: Country) -> None:
    node, stick = started(country.laptop("asri")), country.stick()
    with pytest.raises(NodeError):
        node.bundles.write(stick)
    assert not stick.has_lontar()


def test_everything_not_confirmed_is_written_again_and_older_bundles_go(country: Country) -> None:
    node, stick = alone(country), country.stick()
    learn(node, 3)
    first = node.bundles.write(stick)
    learn(node, 4)
    second = node.bundles.write(stick)
    assert second.entries > first.entries >= 3
    assert {part.head.bundle for part in opened(stick)} == {found.head.bundle for found in stick.parts(OUT)}
    assert len({found.head.bundle for found in stick.parts(OUT)}) == 1
    segments = {row[0] for row in rows(node.store, "SELECT data FROM segments")}
    assert set(items(stick, ItemKind.SEGMENT)) == segments
    assert set(items(stick, ItemKind.PROFILE)) == {
        row[0] for row in rows(node.store, "SELECT data FROM profiles")
    }
    for part in opened(stick):
        part.verify_device(node.config.device_key.public)


def test_two_sticks_both_carry_everything(country: Country) -> None:
    node, one, other = alone(country), country.stick("one"), country.stick("other")
    learn(node, 3)
    node.bundles.write(one)
    node.bundles.write(other)
    assert set(items(one, ItemKind.SEGMENT)) < set(items(other, ItemKind.SEGMENT))
    assert items(one, ItemKind.SEGMENT), "a stick that is elsewhere keeps what it has"


def test_only_what_isn_t_confirmed_goes_along(country: Country) -> None:
    node, stick = alone(country), country.stick()
    learn(node, 3)
    node.bundles.write(stick)
    head = tip_of(node)
    mail_to(node, stick, NOW, verdict(head))
    node.bundles.read(stick)
    learn(node, 2)
    node.bundles.write(stick)
    sent = items(stick, ItemKind.SEGMENT)
    assert len(sent) == 1
    assert opened(stick)[0].from_device().heads == ()
    assert node.recorder.counts().confirmed >= 3


def test_a_laptop_asks_by_stick_to_be_registered_with_the_same_words_each_time(
    country: Country,
) -> None:
    node, stick = alone(country), country.stick()
    node.store.put(REGISTRATION, "none")
    node.bundles.write(stick)
    (asked,) = items(stick, ItemKind.REGISTRATION)
    node.bundles.write(stick)
    assert items(stick, ItemKind.REGISTRATION) == [asked]
    node.store.put(REGISTRATION, "registered")
    node.bundles.write(stick)
    assert items(stick, ItemKind.REGISTRATION) == [asked], "a hub that was set back may have forgotten it"
    node.store.put(REGISTRATION, "revoked")
    node.bundles.write(stick)
    assert items(stick, ItemKind.REGISTRATION) == []


def test_what_is_on_the_stick_is_told_until_it_is_confirmed(country: Country) -> None:
    node, stick = alone(country), country.stick()
    learn(node, 3)
    written = node.bundles.write(stick)
    (there,) = node.bundles.on_stick(stick)
    assert (there.entries, there.parts, there.whole, there.confirmed) == (
        written.entries,
        written.parts,
        True,
        False,
    )
    mail_to(node, stick, NOW, verdict(tip_of(node)))
    node.bundles.read(stick)
    assert [one.confirmed for one in node.bundles.on_stick(stick)] == [True]
    (found,) = stick.parts(OUT)
    found.path.write_bytes(found.path.read_bytes()[:-1])
    assert [one.whole for one in node.bundles.on_stick(stick)] == [False]
    node.bundles.write(stick)
    assert len(stick.parts(OUT)) == 1


def test_a_bundle_that_the_centre_received_wholly_goes_from_the_stick(country: Country) -> None:
    node, stick = alone(country), country.stick()
    node.bundles.write(stick)
    (there,) = node.bundles.on_stick(stick)
    mail_to(
        node, stick, NOW, inside=stream(Word().says(BundleReceived(there.bundle, there.parts, there.parts)))
    )
    node.bundles.read(stick)
    assert [one.confirmed for one in node.bundles.on_stick(stick)] == [True]


def test_another_village_s_bundles_are_never_touched(country: Country) -> None:
    one, other, stick = alone(country, "asri"), alone(country, "maju"), country.stick()
    one.bundles.write(stick)
    before = {found.path.name for found in stick.parts(OUT)}
    other.bundles.write(stick)
    other.bundles.write(stick)
    assert before < {found.path.name for found in stick.parts(OUT)}
    assert len(other.bundles.on_stick(stick)) == len(one.bundles.on_stick(stick)) == 1


def test_a_copy_of_the_laptop_takes_nothing_of_its_twin_from_the_stick(country: Country) -> None:
    node, stick = alone(country), country.stick()
    learn(node, 2)
    node.bundles.write(stick)
    node.close()
    twin = country.copied("asri", "twin")
    node = country.opened("asri")
    learn(node, 2)
    node.bundles.write(stick)
    mine = {found.head.bundle for found in stick.parts(OUT)}
    twin.bundles.write(stick)
    assert mine < {found.head.bundle for found in stick.parts(OUT)}


class Failing(Files):
    """A stick on which nothing can be written."""

    def write(self, path: Path, data: bytes) -> None:
        raise OSError(errno.EIO, "write")


def test_a_stick_that_fails_loses_nothing_here_and_keeps_what_it_had(country: Country) -> None:
    node, stick = alone(country), country.stick()
    learn(node, 3)
    node.bundles.write(stick)
    before = {path: path.read_bytes() for path in stick.drive.rglob("*") if path.is_file()}
    learn(node, 3)
    with pytest.raises(StickError):
        node.bundles.write(Stick(stick.drive, Failing()))
    assert {path: path.read_bytes() for path in stick.drive.rglob("*") if path.is_file()} == before
    node.bundles.write(stick)
    segments = {row[0] for row in rows(node.store, "SELECT data FROM segments")}
    assert set(items(stick, ItemKind.SEGMENT)) == segments


def test_mail_read_twice_changes_nothing_more(country: Country) -> None:
    node, stick = alone(country), country.stick()
    learn(node, 1)
    node.bundles.write(stick)
    post = Word().says(AnnouncementPosted("Berita", "Selamat"))
    mail_to(node, stick, NOW, verdict(tip_of(node)), inside=stream(post))
    first, second = node.bundles.read(stick), node.bundles.read(stick)
    assert (first.parts, first.new, first.torn, first.others) == (1, 1, 0, 0)
    assert (second.parts, second.new) == (1, 0)


def test_torn_and_others_mail_is_counted_and_in_nobody_s_way(country: Country) -> None:
    node, other, stick = alone(country, "asri"), alone(country, "maju"), country.stick()
    post = stream(Word().says(AnnouncementPosted("Berita", "Selamat")))
    for at in range(3):
        mail_to(node, stick, NOW + at, inside=post)
    mail_to(other, stick, NOW)
    torn = next(found for found in stick.parts(IN) if found.head.recipient == mine(node))
    torn.path.write_bytes(torn.path.read_bytes()[:-5])
    taken = node.bundles.read(stick)
    assert (taken.parts, taken.new, taken.torn, taken.others) == (2, 1, 1, 1)


def mine(node: Node) -> bytes:
    return OpeningKey(CLASSICAL, node.config.sealing_seed).public.id


def test_mail_that_isn_t_the_centre_s_keeps_no_good_mail_out(country: Country) -> None:
    """Whoever holds the stick can seal anything to this laptop; its key's id stands on the outside of its mail."""
    node, stick = alone(country), country.stick()
    learn(node, 1)
    node.bundles.write(stick)
    stranger = SigningKey.from_seed(b"stranger".ljust(32, b"."))
    for seed in range(6):
        mail_to(node, stick, NOW + 10**9, verdict(tip_of(node), Status.REVOKED), key=stranger, seed=seed)
    mail_to(node, stick, NOW, verdict(tip_of(node)))
    taken = node.bundles.read(stick)
    assert (taken.parts, taken.others) == (1, 6)
    assert node.store.get(REGISTRATION) == "registered"
    assert node.recorder.counts().confirmed > 0


def test_mail_that_is_all_wrong_is_said_to_be(country: Country) -> None:
    node, stick = alone(country), country.stick()
    mail_to(node, stick, NOW, key=SigningKey.from_seed(bytes(32)))
    with pytest.raises(SyncError):
        node.bundles.read(stick)


def test_mail_for_another_device_with_the_same_sealing_key_is_refused(country: Country) -> None:
    node, stick = alone(country), country.stick()
    said = FromHub(bytes(16), NOW, 1, ())
    recipient = SealingKey(CLASSICAL, sealing_public(node.config.sealing_seed))
    stick.write_parts(IN, bundle.seal_parts(recipient, HUB, said, [], bytes(16)))
    with pytest.raises(NodeError):
        node.bundles.read(stick)


def test_older_mail_after_newer_takes_nothing_back(country: Country) -> None:
    """Two sticks were on the road; the one that left the centre first arrives last."""
    node, newer, older = alone(country), country.stick("newer"), country.stick("older")
    learn(node, 1)
    node.bundles.write(newer)
    early = tip_of(node)
    learn(node, 1)
    node.bundles.write(newer)
    mail_to(node, older, NOW, verdict(early))
    mail_to(node, newer, NOW + 86_400_000, verdict(tip_of(node)))
    node.bundles.read(newer)
    confirmed = node.recorder.counts().confirmed
    node.bundles.read(older)
    assert node.recorder.counts().confirmed == confirmed
    assert node.store.get(HUB_LOST) is None, "nobody lost anything"
    assert node.store.get(LAST_CONTACT) == NOW + 86_400_000
    waiting = Verdict(Head(early.log[:8], -1, b""), Status.UNKNOWN_DEVICE)
    mail_to(node, older, NOW + 1, waiting)
    node.bundles.read(older)
    assert node.store.get(REGISTRATION) == "registered"


def test_older_mail_still_confirms_what_newer_mail_didn_t(country: Country) -> None:
    """As after the centre's clock was wrong once: by then the newest word is an old one."""
    node, stick = alone(country), country.stick()
    learn(node, 1)
    node.bundles.write(stick)
    node.store.put(LAST_CONTACT, NOW + 10**12)
    mail_to(node, stick, NOW, verdict(tip_of(node)))
    node.bundles.read(stick)
    assert node.recorder.counts().confirmed > 0


def test_newer_mail_of_a_centre_that_lost_data_makes_this_laptop_send_again(country: Country) -> None:
    node, stick = alone(country), country.stick()
    learn(node, 1)
    node.bundles.write(stick)
    early = tip_of(node)
    learn(node, 1)
    node.bundles.write(stick)
    late = tip_of(node)
    mail_to(node, stick, NOW, verdict(late))
    node.bundles.read(stick)
    mail_to(node, stick, NOW + 1, verdict(early))
    node.bundles.read(stick)
    assert node.store.get(HUB_LOST) == late.index - early.index
    node.bundles.write(stick)
    assert len(items(stick, ItemKind.SEGMENT)) == 1 + late.index - early.index


def test_old_mail_read_again_doesn_t_undo_what_the_centre_lost(country: Country) -> None:
    """Both mails lie on the stick, and their names say nothing of their age."""
    node, stick = alone(country), country.stick()
    learn(node, 1)
    node.bundles.write(stick)
    early = tip_of(node)
    learn(node, 1)
    node.bundles.write(stick)
    late = tip_of(node)
    for hub_ms, head in ((NOW, late), (NOW + 1, early), (NOW, late)):
        fresh = country.stick(f"mail {hub_ms} {head.index}")
        mail_to(node, fresh, hub_ms, verdict(head))
        node.bundles.read(fresh)
    assert node.shelf.logs()[-1].held == early.index


def test_what_the_stick_did_not_take_does_not_count_as_sent(country: Country) -> None:
    node = alone(country)
    learn(node, 1)
    with pytest.raises(StickError):
        node.bundles.write(Stick(country.stick("full").drive, FullFiles()))
    assert node.recorder.counts().sent == 0
    node.bundles.write(country.stick())
    assert node.recorder.counts().sent == node.recorder.counts().saved


class FullFiles(Files):
    def free(self, path: Path) -> int:
        return 0


def test_the_first_keys_need_people_and_newer_ones_of_the_same_root_don_t(country: Country) -> None:
    node, stick = started(country.laptop("asri")), country.stick()
    mail_to(node, stick, NOW)
    stick.write_file(PUB, KEYSET, sign_keyset(ROOT, keyset(1)))
    with pytest.raises(NodeError):
        node.bundles.read(stick)
    assert node.store.get("keyset") is None
    offered = node.bundles.keyset_on(stick)
    assert offered is not None
    assert offered.root == ROOT.public
    node.bundles.trust(stick)
    stick.write_file(PUB, KEYSET, sign_keyset(ROOT, keyset(3)))
    assert node.bundles.read(stick).keyset
    other_root = SigningKey.from_seed(b"other root".ljust(32, b"."))
    for stale in (sign_keyset(ROOT, keyset(2)), sign_keyset(other_root, keyset(9)), b"x"):
        stick.write_file(PUB, KEYSET, stale)
        assert not node.bundles.read(stick).keyset
        assert node.bundles.keyset_on(stick) is None
    node.bundles.write(stick)
    assert stick.read_file(PUB, KEYSET, 9999) == sign_keyset(ROOT, keyset(3)), "sticks carry the newest"


def test_a_stick_with_newer_keys_keeps_them(country: Country) -> None:
    node, stick = alone(country), country.stick()
    stick.write_file(PUB, KEYSET, sign_keyset(ROOT, keyset(2)))
    node.bundles.write(stick)
    assert stick.read_file(PUB, KEYSET, 9999) == sign_keyset(ROOT, keyset(2))
    with pytest.raises(SyncError):
        node.bundles.trust(country.stick("empty"))


def test_who_was_on_a_lost_stick_is_known(country: Country) -> None:
    node, stick = alone(country), country.stick()
    node.bundles.write(stick)
    (first,) = node.bundles.on_stick(stick)
    assert node.bundles.people_in(first.bundle) == [0, 1]
    mail_to(node, stick, NOW, verdict(tip_of(node)))
    node.bundles.read(stick)
    learn(node, 2, learner=1)
    written = node.bundles.write(stick)
    (second,) = node.bundles.on_stick(stick)
    assert node.bundles.people_in(second.bundle) == node.bundles.people_in(second.bundle[:9]) == [1]
    assert written.people == 1
    with pytest.raises(NodeError):
        node.bundles.people_in(bytes(16))


def test_who_was_on_a_lost_stick_of_a_laptop_that_was_set_back_is_everybody(country: Country) -> None:
    """Then work of the log before went along, and a list may rather be too long than leave somebody out."""
    node, stick = alone(country), country.stick()
    node.close()
    shutil.copytree(country.folder / "asri", country.folder / "backup")
    node = country.opened("asri")
    node.bundles.write(stick)
    node.close()
    node = country.set_back("asri", "backup")
    learn(node, 1, learner=1)
    node.bundles.write(stick)
    newest = rows(node.store, "SELECT bundle FROM bundles ORDER BY t DESC, since DESC LIMIT 1")[0][0]
    assert node.bundles.people_in(newest) == [0, 1]


def test_five_thousand_entries_and_nothing_else_fill_few_small_parts(country: Country) -> None:
    node, stick = alone(country), country.stick()
    rng = random.Random(1)
    node.recorder.record_many(
        [
            QuestionAnswered(
                rng.randrange(2),
                0,
                rng.randrange(1, 9),
                rng.randrange(1, 11),
                rng.randrange(4),
                True,
                rng.randrange(90),
            )
            for _ in range(5000)
        ]
    )
    written = node.bundles.write(stick)
    assert written.entries >= 5000
    assert written.size <= 24 * 1024


def test_the_whole_way_with_a_real_centre(country: Country) -> None:
    stick = country.stick()
    node = started(country.registered("asri", stick))
    learn(node, 9)
    visit(node, stick)
    country.deliver(stick)
    taken = node.bundles.read(stick)
    assert taken.parts == 1
    assert node.recorder.counts().confirmed >= 9
