"""Periksa perangkat: each finding is judged, says what to do, and costs little to look at."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from desa import plain_node
from negeri import FakeFiles, FullFiles, Office, ReadOnlyFiles, a_negeri, learn, office
from village import made_village

from lontar import cli as main
from node import backups, inspection, power, snapshots
from node.ballast import MB, Room
from node.doctor import COPY_OLD_MS, DAY_MS, HOUR_MS, Check, Findings, Mark, checks, worst
from node.incidents import Incident, What
from node.store import FILE
from node.wiring import open_node
from sync.errors import StickError, UnreachableError

MARCH = 1_772_413_200_000
FINE = Findings(
    wall_ms=MARCH,
    wall_text="2 Maret 2026 pukul 08.00 WIB",
    built_ms=MARCH - 90 * DAY_MS,
    contact_ms=MARCH - 2 * DAY_MS,
    hub_now_ms=MARCH,
    zone="WIB",
    room=Room(60_000 * MB, 120_000 * MB, 32 * MB, 32 * MB),
    database_is_whole=True,
    database_checked="1 Maret 2026",
    snapshot_age_ms=2 * HOUR_MS,
    place="/media/desa/CADANGAN",
    place_is_there=True,
    place_is_same_disk=False,
    copy_age_ms=3 * HOUR_MS,
    backup_error=None,
    addresses=("192.168.137.1",),
    port=8080,
    is_reached=True,
    firewall="netsh …",
    pending=12,
    registration="registered",
    sync_error=None,
    version="1.0",
    memory_free=900 * MB,
)


def judged(found: Findings) -> dict[str, Check]:
    return {check.title: check for check in checks(found, lambda text: text)}


def test_a_laptop_in_order_is_said_to_be_in_order() -> None:
    listed = checks(FINE, lambda text: text)
    assert worst(listed) is Mark.GOOD
    assert len({check.title for check in listed}) == len(listed) == 12


@pytest.mark.parametrize(
    ("title", "mark", "changes"),
    [
        ("Jam", Mark.ATTENTION, {"wall_ms": MARCH - 100 * DAY_MS, "contact_ms": None}),
        ("Jam", Mark.BROKEN, {"wall_ms": MARCH - 3 * DAY_MS}),
        ("Jam", Mark.ATTENTION, {"hub_now_ms": MARCH + HOUR_MS}),
        ("Ruang penyimpanan", Mark.ATTENTION, {"room": Room(400 * MB, 64_000 * MB, 32 * MB, 32 * MB)}),
        ("Ruang penyimpanan", Mark.BROKEN, {"room": Room(3 * MB, 64_000 * MB, 0, 32 * MB)}),
        ("Ruang darurat", Mark.ATTENTION, {"room": Room(400 * MB, 64_000 * MB, 0, 32 * MB)}),
        ("Basis data", Mark.BROKEN, {"database_is_whole": False}),
        ("Cadangan di laptop", Mark.ATTENTION, {"snapshot_age_ms": None}),
        ("Cadangan di tempat kedua", Mark.ATTENTION, {"place": ""}),
        ("Cadangan di tempat kedua", Mark.ATTENTION, {"place_is_same_disk": True}),
        ("Cadangan di tempat kedua", Mark.ATTENTION, {"copy_age_ms": None}),
        ("Cadangan di tempat kedua", Mark.ATTENTION, {"copy_age_ms": COPY_OLD_MS + 1}),
        ("Cadangan di tempat kedua", Mark.ATTENTION, {"backup_error": StickError("Penuh.")}),
        ("Alamat untuk ponsel", Mark.ATTENTION, {"addresses": ()}),
        ("Pintu untuk ponsel", Mark.BROKEN, {"is_reached": False}),
        ("Kontak dengan pusat", Mark.ATTENTION, {"contact_ms": None}),
        ("Kontak dengan pusat", Mark.ATTENTION, {"contact_ms": MARCH - 40 * DAY_MS}),
        ("Kontak dengan pusat", Mark.ATTENTION, {"sync_error": UnreachableError("Tidak ada sinyal.")}),
        ("Kontak dengan pusat", Mark.BROKEN, {"registration": "revoked"}),
        ("Belum dikonfirmasi pusat", Mark.ATTENTION, {"pending": 30_000}),
        ("Memori", Mark.ATTENTION, {"memory_free": 50 * MB}),
    ],
)
def test_what_is_wrong_is_marked_and_says_what_to_do(
    title: str, mark: Mark, changes: dict[str, object]
) -> None:
    check = judged(replace(FINE, **changes))[title]  # type: ignore[arg-type]
    assert check.mark is mark
    assert len(check.advice) > 10


def test_a_closed_port_gives_the_command_to_copy() -> None:
    check = judged(replace(FINE, is_reached=False))["Pintu untuk ponsel"]
    assert (check.command, "tembok api" in check.advice) == ("netsh …", True)


def test_a_port_is_tried_at_the_laptop_s_own_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert inspection.is_reached("127.0.0.1", server.getsockname()[1])
    assert not inspection.is_reached("127.0.0.1", 9)


def test_a_good_stick_passes_and_keeps_nothing(tmp_path: Path) -> None:
    inspection.try_stick(tmp_path, bytes(range(256)) * 8)
    assert list(tmp_path.iterdir()) == []


class TornFiles(ReadOnlyFiles):
    """Takes half and then refuses."""

    def write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data[: len(data) // 2])
        super().write(path, data)


@pytest.mark.parametrize("files", [ReadOnlyFiles(), FakeFiles(), TornFiles()])
def test_a_bad_stick_fails_and_keeps_nothing(tmp_path: Path, files: ReadOnlyFiles) -> None:
    with pytest.raises(StickError):
        inspection.try_stick(tmp_path, b"\x01" * 2000, files)
    assert list(tmp_path.iterdir()) == []


def test_reading_the_whole_database_finds_what_a_start_overlooks_and_the_next_start_mends_it(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with a_negeri(tmp_path) as world:
        node = world.village("data")
        learn(node, 200)
        node.recorder.seal()
        snapshots.make(data)
        saved = node.recorder.counts().saved
        assert inspection.examine_database(node)
        (segment,) = (
            node.store.read().__enter__().execute("SELECT data FROM segments WHERE idx = 1").fetchone()
        )
    whole = (data / FILE).read_bytes()
    at = whole.index(segment[60:100])
    (data / FILE).write_bytes(whole[:at] + bytes(20) + whole[at + 20 :])
    with contextlib.closing(open_node(data)) as node:
        assert node.incidents.now() is None
        assert not inspection.examine_database(node)
        assert judged(inspection.findings(node))["Basis data"].mark is Mark.BROKEN
    with contextlib.closing(open_node(data)) as node:
        incident = node.incidents.now()
        assert incident is not None
        assert (incident.entries, incident.missing) == (saved, 0)
        assert inspection.examine_database(node)


def test_the_command_prints_a_line_for_each_and_ends_with_one_where_something_is_broken(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    plain_node(data).close()
    done = CliRunner().invoke(main, ["node", "doctor", "--data", str(data)])
    assert done.exit_code == 0, done.output
    assert "Ruang penyimpanan" in done.output
    with contextlib.closing(open_node(data)) as node:
        node.store.put("registration", "revoked")
        node.store.put("last_contact_ms", 1_700_000_000_000)
    broken = CliRunner().invoke(main, ["node", "doctor", "--data", str(data)])
    assert broken.exit_code == 1
    assert "Hubungi Dinas PMD" in broken.output


# The pages


@pytest.fixture
def desa(tmp_path: Path) -> Office:
    node = made_village(tmp_path, ("Siti Aminah", "Kaur Keuangan"), ("Budi Santoso", "Kepala Desa"))
    (tmp_path / "stick").mkdir()
    made = office(node, tmp_path / "stick")
    made.log_in()
    return made


def test_the_page_shows_every_check_and_a_code_for_phones(desa: Office) -> None:
    text = desa.client.get("/operator/perangkat").text
    assert text.count('class="check ') == 12
    assert "Uji stick" in text
    assert 'aria-current="page">Perangkat' in text


def test_only_the_operator_sees_it(tmp_path: Path) -> None:
    node = made_village(tmp_path, ("Siti", ""))
    for path in ("/operator/perangkat", "/operator/cadangan", "/operator/cadangan/kertas"):
        answer = office(node).client.get(path)
        assert answer.location == "/operator/masuk"
    node.close()


def test_statements_of_the_pages_do_not_grow_with_people_and_work(
    desa: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def statements(path: str) -> int:
        counted: list[str] = []
        with desa.node.store.read() as db:
            db.set_trace_callback(counted.append)
            assert desa.client.get(path).status_code == 200
            db.set_trace_callback(None)
        return len(counted)

    paths = ("/operator/perangkat", "/operator/cadangan")
    before = [statements(path) for path in paths]
    for number in range(30):
        desa.node.recorder.add_learner(f"Warga {number}")
    learn(desa.node, 400)
    desa.node.recorder.seal()
    assert [statements(path) for path in paths] == before


def test_the_stick_button_tells_how_it_went(desa: Office, tmp_path: Path) -> None:
    assert (
        desa.post("/operator/perangkat/flashdisk", di=str(tmp_path / "stick")).location
        == "/operator/perangkat"
    )
    assert "Flashdisk stick baik" in desa.client.get("/operator/perangkat").text
    desa.post("/operator/perangkat/flashdisk", di="/etc")
    assert "tidak terpasang lagi" in desa.client.get("/operator/perangkat").text
    assert list((tmp_path / "stick").iterdir()) == []


def test_the_database_button_tells_how_it_went(desa: Office) -> None:
    desa.post("/operator/perangkat/basis-data")
    assert "semuanya utuh" in desa.client.get("/operator/perangkat").text


def test_backups_are_made_chosen_and_shown(desa: Office, tmp_path: Path) -> None:
    assert "Belum ada cadangan." in desa.client.get("/operator/cadangan").text
    answer = desa.post("/operator/cadangan/tempat", place=str(tmp_path / "stick"))
    assert answer.location == "/operator/cadangan/kertas"
    paper = desa.client.get("/operator/cadangan/kertas").text
    assert paper.count("<li>") >= 12
    desa.post("/operator/cadangan")
    text = desa.client.get("/operator/cadangan").text
    assert "Cadangan selesai" in text
    assert "di laptop ini" in text
    assert "di tempat kedua" in text
    assert len(backups.copies_in(tmp_path / "stick")) == 1
    wrong = desa.post("/operator/cadangan/tempat", place="/tidak/ada")
    assert (wrong.status_code, "tidak ada" in wrong.text) == (422, True)


def test_restoring_is_told_prepared_and_called_off(desa: Office) -> None:
    desa.post("/operator/cadangan")
    desa.node.recorder.add_learner("Dewi")
    listed = desa.client.get("/operator/cadangan").text
    assert "/operator/cadangan/pulihkan?dari=000001" in listed
    plan = desa.client.get("/operator/cadangan/pulihkan?dari=000001").text
    assert "lebih baru daripada cadangan ini" in plan
    assert "belum sampai di pusat" in plan
    desa.post("/operator/cadangan/pulihkan", dari="000001")
    assert "Pemulihan menunggu." in desa.client.get("/operator/cadangan").text
    desa.post("/operator/cadangan/batal")
    assert "Pemulihan menunggu." not in desa.client.get("/operator/cadangan").text
    for wrong in ("000009", "../../etc/passwd", ""):
        assert desa.client.get(f"/operator/cadangan/pulihkan?dari={wrong}").status_code == 404


def test_after_a_power_cut_the_first_page_says_so_until_the_operator_has_read_it(tmp_path: Path) -> None:
    from node.service import in_service

    made_village(tmp_path, ("Siti Aminah", "")).close()
    data = tmp_path / "data"
    (data / power.MARKER).touch()
    with sqlite3.connect(data / FILE) as db:
        db.execute("PRAGMA journal_mode=WAL")
        (data / f"{FILE}-wal").touch()
        with contextlib.closing(open_node(data)) as node, in_service(node):
            made = office(node)
            assert "Listrik padam. Pekerjaan terakhir dipulihkan" in made.client.get("/").text
            made.log_in()
            assert "Sudah saya baca" in made.client.get("/operator").text
            made.post("/operator/perangkat/kejadian")
            assert "Listrik padam" not in made.client.get("/operator").text
    with contextlib.closing(open_node(data)) as node, in_service(node):
        assert node.incidents.now() is None


@pytest.mark.parametrize("what", list(What))
@pytest.mark.parametrize("missing", [None, 0, 7])
def test_everything_that_can_happen_has_its_sentence(desa: Office, what: What, missing: int | None) -> None:
    desa.node.incidents.note(Incident(what, 1234, missing, "damaged-1"))
    text = desa.client.get("/operator/perangkat").text
    assert "damaged-1" in text
    assert "%(" not in text
    if what is What.MENDED and missing == 7:
        assert "7 tidak terbaca" in text


def test_a_full_disk_is_said_to_the_operator_on_every_page(
    desa: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(desa.node.ballast), "room", lambda self: Room(3 * MB, 64_000 * MB, 0, 32 * MB))
    assert "ruang darurat sedang dipakai" in desa.client.get("/operator").text
    assert "ruang darurat" not in office(desa.node).client.get("/").text


def test_full_files_are_no_reason_for_a_small_test_to_lie(tmp_path: Path) -> None:
    """The test writes and reads; it doesn't believe what a stick says of its room."""
    inspection.try_stick(tmp_path, bytes(100), FullFiles())
