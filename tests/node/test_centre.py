"""What the centre said: believed by its signature, kept once, carried out alike in whatever order it came."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from desa import VILLAGE, Laptop, laptop, rows
from device import Device
from word import HUB, OPENED_MS, Word, certificate, keyset, stream, trusting

from node.centre import Centre, Decision
from sync import cose, segment
from sync.decisions import (
    AnnouncementPosted,
    BundleReceived,
    DeviceRevoked,
    EntriesRejected,
    LearnersMerged,
    LearnersSeparated,
    PersonalDataErased,
)
from sync.entries import Entry, Kind
from sync.errors import MalformedError, SignatureError
from sync.keys import SigningKey
from sync.log import Head
from sync.segment import Segment


@pytest.fixture
def desa(tmp_path: Path) -> Iterator[Laptop]:
    made = laptop(tmp_path)
    trusting(made.store)
    yield made
    made.close()


def centre(desa: Laptop) -> Centre:
    return Centre(desa.store, VILLAGE)


def take(desa: Laptop, *segments: Segment) -> list[bool]:
    return [centre(desa).take(one.data, keyset()) for one in segments]


def note(text: str) -> AnnouncementPosted:
    return AnnouncementPosted("Berita", text)


def texts(desa: Laptop) -> list[str]:
    said = centre(desa).decisions(AnnouncementPosted)
    return [one.kind.text for one in said if isinstance(one.kind, AnnouncementPosted)]


def head(one: Segment) -> Head:
    return Head(one.log, one.index, one.id)


def test_the_centre_s_word_is_kept_once_and_shown_with_its_time(desa: Laptop) -> None:
    word = Word()
    first, second = word.says(note("satu")), word.says(note("dua"))
    assert take(desa, first, second, first, second) == [True, True, False, False]
    assert centre(desa).decisions(AnnouncementPosted) == [
        Decision(OPENED_MS + 2000, note("dua")),
        Decision(OPENED_MS + 1000, note("satu")),
    ]
    assert len(centre(desa).decisions()) == 3
    assert len(centre(desa).decisions(most=1)) == 1
    assert centre(desa).heads() == [head(second)]


def test_only_the_centre_is_believed(desa: Laptop) -> None:
    stranger = SigningKey.from_seed(b"stranger".ljust(32, b"."))
    entries = [Entry(0, AnnouncementPosted.number, 0, note("palsu").fields())]
    for forged in (
        Word(key=stranger).says(note("palsu")),
        segment.seal(HUB, b"", 0, b"", entries, 0, cose.SEGMENT),
        Device(1).open().seal(note("palsu")),
    ):
        with pytest.raises(SignatureError):
            take(desa, forged)
    assert texts(desa) == []


def test_another_village_s_word_is_none_of_ours(desa: Laptop) -> None:
    for scope in ("17.05.10.2008", "17.05.11", "18", "17.05.10.2007.1"):
        with pytest.raises(MalformedError):
            take(desa, Word(scope).says(note(scope)))
    for scope in ("", "17", "17.05", "17.05.10", VILLAGE):
        assert take(desa, Word(scope).says(note(scope))) == [True]


def test_a_log_that_doesn_t_say_whose_it_is_is_refused(desa: Laptop) -> None:
    entries = [Entry(0, AnnouncementPosted.number, 0, note("tanpa pembuka").fields())]
    with pytest.raises(MalformedError):
        take(desa, segment.seal(HUB, b"", 0, b"", entries, 0, cose.HUB_SEGMENT))
    word = Word()
    word.says(note("satu"))
    with pytest.raises(MalformedError):
        take(desa, word.says(note("dua")))
    assert texts(desa) == []


def test_what_came_after_a_gap_is_heard_and_the_gap_is_asked_for(desa: Laptop) -> None:
    """A torn part of mail must not hide what was in it for ever."""
    word = Word()
    said = [word.says(note(str(at))) for at in range(5)]
    take(desa, said[0], said[1], said[3])
    assert texts(desa) == ["3", "1", "0"]
    assert centre(desa).heads() == [head(said[1])]
    take(desa, said[4])
    assert centre(desa).heads() == [head(said[1])]
    take(desa, said[2])
    assert centre(desa).heads() == [head(said[4])]


def test_after_a_loss_at_the_hub_the_path_that_came_last_is_named(desa: Laptop) -> None:
    word = Word()
    said = [word.says(note(str(at))) for at in range(4)]
    take(desa, *said)
    again = word.set_back(1)
    other = again.says(note("sesudah"))
    take(desa, said[0], said[1], other)
    assert centre(desa).heads() == [head(other)]
    assert set(texts(desa)) == {"0", "1", "2", "3", "sesudah"}
    more = again.says(note("kemudian"))
    take(desa, more)
    assert centre(desa).heads() == [head(more)]


def test_what_isn_t_understood_is_kept_and_disturbs_nothing(desa: Laptop) -> None:
    word = Word()
    word.says(note("satu"))
    entries = [
        Entry(2, 4000, 9000, (b"nanti", 7)),
        Entry(3, AnnouncementPosted.number, 9000, (5,)),
        Entry(4, AnnouncementPosted.number, 9000, (*note("dua").fields(), "nanti")),
    ]
    first = word.segments[0]
    odd = segment.seal(HUB, first.id, 1, first.id, entries, 1000, cose.HUB_SEGMENT)
    assert take(desa, first, odd) == [True, True]
    assert texts(desa) == ["dua", "satu"]
    assert len(rows(desa.store, "SELECT 1 FROM decisions")) == 5


DEVICE = Device(5)


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
def test_a_device_is_what_was_said_of_it_last_whatever_came_first(
    desa: Laptop, order: tuple[int, ...]
) -> None:
    word = Word()
    opening = word.says()
    said: list[Kind] = [certificate(DEVICE), DeviceRevoked(DEVICE.id, "hilang"), certificate(DEVICE)]
    sealed = [word.says(kind) for kind in said[:2]]
    more = word.says(note("lain"))
    take(desa, opening, *([*sealed, more][at] for at in order))
    assert rows(desa.store, "SELECT state FROM devices") == [("revoked",)]
    take(desa, word.says(said[2]))
    assert rows(desa.store, "SELECT state FROM devices") == [("registered",)]


def test_keys_are_known_of_this_village_s_devices_only(desa: Laptop) -> None:
    ours, theirs = Device(5), Device(6)
    take(desa, Word().says(certificate(ours)), Word("17").says(certificate(theirs, "17.05.11.2001")))
    assert centre(desa).public_key(ours.id) == ours.key.public
    assert centre(desa).public_key(theirs.id) is None
    assert centre(desa).public_key(bytes(16)) is None


def persons(desa: Laptop) -> list[int]:
    return [row[0] for row in rows(desa.store, "SELECT person FROM learners ORDER BY number")]


def identities(desa: Laptop) -> list[bytes]:
    return [row[0] for row in rows(desa.store, "SELECT id FROM learners ORDER BY number")]


def test_people_whom_the_centre_joins_are_one_here_and_come_apart_again(desa: Laptop) -> None:
    for name in ("Siti", "Budi", "Joko", "Dewi"):
        desa.recorder.add_learner(name)
    siti, budi, joko, dewi = identities(desa)
    word = Word()
    take(desa, word.says(LearnersMerged(budi, dewi), LearnersMerged(*sorted((siti, dewi)))))
    assert persons(desa) == [0, 0, 2, 0]
    take(desa, word.says(LearnersSeparated(*sorted((budi, dewi)))))
    assert persons(desa) == [0, 1, 2, 0]
    take(desa, word.says(LearnersMerged(bytes(16), joko), LearnersSeparated(*sorted((siti, dewi)))))
    assert persons(desa) == [0, 1, 2, 3]


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
def test_joining_in_any_order_of_arrival_is_the_same(desa: Laptop, order: tuple[int, ...]) -> None:
    for name in ("Siti", "Budi", "Joko", "Dewi"):
        desa.recorder.add_learner(name)
    siti, budi, joko, dewi = identities(desa)
    word = Word()
    opening = word.says()
    said = [
        word.says(LearnersMerged(joko, dewi)),
        word.says(LearnersMerged(budi, dewi), LearnersMerged(siti, budi)),
        word.says(LearnersSeparated(siti, budi)),
    ]
    take(desa, opening, *(said[at] for at in order))
    assert persons(desa) == [0, 1, 1, 1]


def test_erased_names_are_gone_and_never_kept_again(desa: Laptop) -> None:
    desa.recorder.add_learner("Siti Aminah", "Kaur Keuangan")
    desa.recorder.add_learner("Budi", "Kepala Desa")
    desa.recorder.seal()
    commitment, profile = rows(desa.store, "SELECT commitment, data FROM profiles ORDER BY seq")[0]
    take(desa, Word().says(PersonalDataErased(commitment)))
    assert rows(desa.store, "SELECT name, position, search FROM learners ORDER BY number") == [
        ("?", "", "?"),
        ("Budi", "Kepala Desa", "budi"),
    ]
    desa.shelf.take_items(profile)
    assert rows(desa.store, "SELECT 1 FROM profiles WHERE commitment = ?", commitment) == []
    sent = b"".join(item for at in range(2) for item in desa.shelf.items(desa.shelf.logs()[-1].tip, at))
    assert b"Siti" not in sent
    assert b"Budi" in sent


def test_a_bundle_is_received_when_all_its_parts_are(desa: Laptop) -> None:
    with desa.store.write() as db:
        for id_ in (b"a" * 16, b"b" * 16):
            db.execute(
                "INSERT INTO bundles (bundle, recipient, log, since, upto, entries, parts, t) "
                "VALUES (?, ?, 1, 0, 0, 5, 2, 0)",
                (id_, bytes(8)),
            )
    take(desa, Word().says(BundleReceived(b"a" * 16, 2, 2), BundleReceived(b"b" * 16, 1, 2)))
    assert rows(desa.store, "SELECT received FROM bundles ORDER BY bundle") == [(1,), (0,)]


def test_one_bad_segment_keeps_no_other_from_being_heard(desa: Laptop) -> None:
    word = Word()
    good = [word.says(note("satu")), word.says(EntriesRejected(bytes(16), 1, 2, "hilang"))]
    forged = Word(key=SigningKey.from_seed(bytes(32))).says(note("palsu"))
    assert desa.shelf.take_items(stream(good[0], forged, good[1])) == 2
    assert texts(desa) == ["satu"]
    assert [one.kind for one in centre(desa).decisions(EntriesRejected)] == [
        EntriesRejected(bytes(16), 1, 2, "hilang")
    ]
