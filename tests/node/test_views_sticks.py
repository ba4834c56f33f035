"""The page of sticks: who may open it, what it shows, one visit, first trust, and drives that fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from negeri import (
    PASSWORD,
    FakeFiles,
    FullFiles,
    Negeri,
    PulledFiles,
    ReadOnlyFiles,
    a_negeri,
    learn,
    office,
    post,
)

from node.trust import pinned_keyset
from node.visits import Stage, Visits, list_written
from sync.bundle import FromHub, new_bundle, seal_parts
from sync.decisions import AnnouncementPosted
from sync.keys import SigningKey, fingerprint
from sync.sealing import CLASSICAL, OpeningKey
from sync.stick import IN, OUT, Files
from sync.words import words_of


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Negeri]:
    with a_negeri(tmp_path) as made:
        yield made


def test_everybody_at_the_laptop_may_open_it_and_nobody_from_a_phone_without_the_password(
    land: Negeri,
) -> None:
    made = office(land.village())
    assert made.client.get("/flashdisk").status_code == 200
    phone = made.phone()
    for path in ("/flashdisk", "/flashdisk/proses"):
        assert phone.get(path).location == "/operator/masuk"
    made.log_in()
    post(phone, "/operator/masuk", password=PASSWORD)
    assert phone.get("/flashdisk").status_code == 200


def test_without_a_drive_the_page_looks_again_by_itself(land: Negeri) -> None:
    text = office(land.village()).client.get("/flashdisk").text
    assert "Pasang flashdisk" in text
    assert 'http-equiv="refresh"' in text


def test_a_plugged_in_drive_is_noticed_on_the_front_page_too(land: Negeri) -> None:
    made = office(land.registered(), land.drive())
    assert "Flashdisk terpasang" in made.client.get("/").text
    page = made.client.get("/flashdisk").text
    assert 'http-equiv="refresh"' not in page
    assert "Simpan ke flashdisk" in page
    assert "Belum ada data laptop ini" in page


def test_among_several_drives_one_is_chosen(land: Negeri) -> None:
    made = office(land.registered(), land.drive("satu"), land.drive("dua"))
    page = made.client.get("/flashdisk").text
    assert "satu" in page
    assert "dua" in page
    assert "Simpan ke flashdisk</button>" not in page
    assert "Simpan ke flashdisk</button>" in made.client.get(f"/flashdisk?di={land.drive('dua')}").text


def test_only_the_operator_may_type_a_folder(land: Negeri) -> None:
    made, folder = office(land.registered()), land.drive("folder")
    assert "Simpan ke flashdisk</button>" not in made.client.get(f"/flashdisk?di={folder}").text
    assert made.post("/flashdisk/simpan", di=str(folder)).location == "/flashdisk"
    assert made.visits.now() is None
    made.log_in()
    assert "Simpan ke flashdisk</button>" in made.client.get(f"/flashdisk?di={folder}").text
    assert made.saved(folder).stage is Stage.DONE


def test_one_visit_reads_first_and_then_writes_and_says_when_it_is_safe(land: Negeri) -> None:
    node, stick = land.registered(), land.stick()
    learn(node, 6)
    node.bundles.write(stick)
    land.say(AnnouncementPosted("Jadwal", "Pelatihan mulai Senin."))
    land.visit_centre(stick)
    learn(node, 4)
    made = office(node, stick.drive)

    visit = made.saved(stick.drive)

    assert visit.stage is Stage.DONE
    assert visit.gained.confirmed >= 6
    assert visit.gained.announcements == 1
    assert visit.written is not None
    assert 4 <= visit.written.entries <= 6
    page = made.client.get("/flashdisk/proses").text
    assert "Aman dicabut" in page
    assert "1 pengumuman baru" in page
    assert "sejak" in page
    assert 'http-equiv="refresh"' not in page
    assert "Belum sampai di pusat" in made.client.get("/flashdisk").text
    land.visit_centre(stick)
    node.bundles.read(stick)
    assert "Dikonfirmasi" in made.client.get("/flashdisk").text


def test_while_a_stick_is_written_its_page_says_not_to_pull_it_and_a_second_visit_waits(
    land: Negeri,
) -> None:
    seen: list[str] = []

    class Watched(Files):
        def write(self, path: Path, data: bytes) -> None:
            if path.parent.name == OUT:
                seen.append(made.client.get("/flashdisk/proses").text)
                assert not made.visits.begin(path)
            super().write(path, data)

    node = land.registered()
    made = office(node, land.drive(), files=Watched())
    made.saved(land.drive())
    assert "Jangan cabut flashdisk dulu" in seen[0]
    assert 'http-equiv="refresh"' in seen[0]
    assert "<progress" in seen[0]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (FullFiles(), "Flashdisk penuh"),
        (ReadOnlyFiles(), "terkunci dan tidak dapat ditulis"),
        (FakeFiles(), "rusak atau palsu"),
        (PulledFiles(1), "mungkin dicabut atau rusak"),
    ],
)
def test_a_drive_that_fails_is_told_in_one_sentence_and_nothing_is_lost(
    land: Negeri, files: Files, sentence: str
) -> None:
    node = land.registered()
    learn(node, 5)
    made = office(node, land.drive(), files=files)
    visit = made.saved(land.drive())
    assert visit.stage is Stage.FAILED
    page = made.client.get("/flashdisk/proses").text
    assert sentence in page
    assert "tetap aman" in page
    good = office(node, land.drive("lain"))
    written = good.saved(land.drive("lain")).written
    assert written is not None
    assert written.entries >= 5


def test_a_drive_that_was_pulled_before_the_button_is_told_so(land: Negeri) -> None:
    node, drive = land.registered(), land.drive()
    made = office(node, drive)
    drive.rmdir()
    page = made.client.get("/flashdisk").text
    assert "Belum ada data laptop ini" in page or "tidak dapat dibaca" in page
    assert office(node).post("/flashdisk/simpan", di=str(drive)).location == "/flashdisk"


def test_a_torn_part_is_counted_and_what_waits_is_written_all_the_same(land: Negeri) -> None:
    node, stick = land.registered(), land.stick()
    land.say(AnnouncementPosted("Jadwal", "Senin."))
    land.visit_centre(stick)
    for found in stick.parts(IN):
        found.path.write_bytes(found.path.read_bytes()[:-40])
    made = office(node, stick.drive)
    visit = made.saved(stick.drive)
    assert visit.stage is Stage.DONE
    assert visit.taken is not None
    assert visit.taken.torn == 1
    assert "minta petugas menyalinnya lagi" in made.client.get("/flashdisk/proses").text


def test_a_part_that_no_hub_signed_changes_nothing_and_keeps_nothing_from_leaving(land: Negeri) -> None:
    node, stick = land.registered(), land.stick()
    learn(node, 3)
    stranger = SigningKey.from_seed(b"stranger".ljust(32, b"."))
    recipient = OpeningKey(CLASSICAL, node.config.sealing_seed).public
    forged = seal_parts(
        recipient,
        stranger,
        FromHub(b"d" * 16, 1, 1),
        [],
        new_bundle(b"stranger", lambda size: bytes(size)),
    )
    stick.write_parts(IN, forged)
    before = node.worker.state()
    visit = office(node, stick.drive).saved(stick.drive)
    assert visit.stage is Stage.DONE
    assert visit.unread is not None or (visit.taken is not None and visit.taken.others == 1)
    assert visit.written is not None
    assert node.worker.state() == before


def test_parts_for_other_villages_are_left_alone(land: Negeri) -> None:
    node, other, stick = land.registered(), land.registered("lain", "17.05.10.2008"), land.stick()
    land.visit_centre(stick)
    visit = office(node, stick.drive).saved(stick.drive)
    assert visit.taken is not None
    assert visit.taken.others == 1
    assert office(other, stick.drive).saved(stick.drive).stage is Stage.DONE
    assert len({found.head.sender for found in stick.parts(OUT)}) == 2


def test_the_first_trust_is_the_operator_s_who_compares_words(land: Negeri) -> None:
    node, stick = land.village(), land.stick()
    land.visit_centre(stick)
    made = office(node, stick.drive)
    root = land.hub.config.keyset.root
    page = made.client.get("/flashdisk").text
    for word in words_of(root):
        assert f"<li>{word}</li>" in page
    assert fingerprint(root) in page
    assert "<svg" in page
    assert "Sama, percayai pusat ini" not in page
    assert (
        made.post("/flashdisk/percaya", di=str(stick.drive), root=root.hex()).location == "/operator/masuk"
    )
    assert pinned_keyset(node.store) is None

    made.log_in()
    assert "Sama, percayai pusat ini" in made.client.get("/flashdisk").text
    made.post("/flashdisk/percaya", di=str(stick.drive), root=root.hex())

    assert pinned_keyset(node.store) == land.hub.config.keyset
    assert "Simpan ke flashdisk</button>" in made.client.get("/flashdisk").text
    shown = made.client.get("/sinkronisasi").text
    assert fingerprint(root) in shown
    assert " ".join(words_of(root)) in shown


def test_a_stick_that_was_changed_after_comparing_is_not_believed(land: Negeri) -> None:
    node, stick = land.village(), land.stick()
    land.visit_centre(stick)
    made = office(node, stick.drive)
    made.log_in()
    made.post("/flashdisk/percaya", di=str(stick.drive), root="00" * 32)
    assert pinned_keyset(node.store) is None
    assert "Cocokkan sekali lagi" in made.client.get("/flashdisk").text


def test_an_empty_stick_says_that_the_centre_must_come_first(land: Negeri) -> None:
    page = office(land.village(), land.drive()).client.get("/flashdisk").text
    assert "tidak membawa kunci pusat" in page
    assert "Simpan ke flashdisk</button>" not in page


def test_the_sync_page_lists_what_was_written_and_whether_it_arrived(land: Negeri) -> None:
    node, stick = land.registered(), land.stick()
    learn(node, 4)
    node.bundles.write(stick)
    made = office(node, stick.drive)
    assert "Belum sampai" in made.client.get("/sinkronisasi").text
    land.visit_centre(stick)
    node.bundles.read(stick)
    assert "Belum sampai" not in made.client.get("/sinkronisasi").text
    newest = list_written(node)[0]
    assert newest.arrived
    assert newest.at_ms is not None


def test_who_was_on_a_lost_stick_can_be_printed_by_the_operator(land: Negeri) -> None:
    node = land.registered()
    land.told(node)
    learn(node, 3, learner=1)
    node.bundles.write(land.stick("hilang"))
    made = office(node)
    bundle = list_written(node)[0].bundle.hex()
    assert made.client.get(f"/flashdisk/hilang/{bundle}").location == "/operator/masuk"
    made.log_in()
    assert "3 × 24 jam" in made.client.get("/flashdisk/hilang").text
    page = made.client.get(f"/flashdisk/hilang/{bundle}").text
    assert "Budi Santoso" in page
    assert "Siti Aminah" not in page
    for unknown in ("00" * 16, "zz", "%"):
        assert made.client.get(f"/flashdisk/hilang/{unknown}").status_code == 404


def test_a_surprise_ends_the_visit_with_a_sentence_and_not_the_program(land: Negeri) -> None:
    class Odd(Files):
        def free(self, path: Path) -> int:
            raise RuntimeError("surprise")

    made = office(land.registered(), land.drive(), files=Odd())
    assert made.saved(land.drive()).stage is Stage.FAILED
    assert "tetap aman" in made.client.get("/flashdisk/proses").text


def test_before_any_visit_there_is_nothing_to_show(land: Negeri) -> None:
    node = land.village()
    assert Visits(node).now() is None
    assert office(node).client.get("/flashdisk/proses").location == "/flashdisk"
