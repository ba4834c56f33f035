"""Kabar dari pusat: what the centre said, in words for people, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from negeri import Negeri, a_negeri, device_of, learn, office

from hub import quarantine, registry
from hub.db import reading
from hub.wiring import now_ms
from node.news import news, unseen
from node.wiring import Node
from sync.decisions import (
    AnnouncementPosted,
    CertificateIssued,
    CertificateWithdrawn,
    DeviceRevoked,
    EntriesAccepted,
    EntriesRejected,
    LearnersMerged,
    LearnersSeparated,
    PersonalDataErased,
    UnlockCodeGiven,
)
from sync.entries import Kind


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Negeri]:
    with a_negeri(tmp_path) as made:
        yield made


def page(node: Node) -> str:
    return office(node).client.get("/kabar").text


def identities(node: Node) -> list[bytes]:
    with node.store.read() as db:
        return [row[0] for row in db.execute("SELECT id FROM learners ORDER BY number")]


def test_before_anything_was_said_the_page_says_so(land: Negeri) -> None:
    node = land.village()
    assert "Belum ada kabar dari pusat" in page(node)
    assert "kabar baru" not in office(node).client.get("/").text


def test_an_announcement_is_new_until_somebody_looked(land: Negeri) -> None:
    node = land.registered()
    land.say(AnnouncementPosted("Jadwal pelatihan", "Mulai Senin.\n\nBawa SK."), "17.05")
    land.told(node)
    client = office(node).client
    assert "Ada kabar baru dari pusat (1)" in client.get("/").text
    text = client.get("/kabar").text
    assert "<p>Mulai Senin.</p>" in text
    assert "Baru</span>" in text
    assert unseen(node) == 0
    assert "kabar baru" not in client.get("/").text
    assert "Baru</span>" not in client.get("/kabar").text


def test_what_a_centre_writes_is_text_and_no_page(land: Negeri) -> None:
    node = land.registered()
    land.say(AnnouncementPosted("<script>x</script>", "<b>tebal</b>"))
    land.told(node)
    text = page(node)
    assert "<script>x" not in text
    assert "&lt;b&gt;tebal" in text


def test_the_newest_stands_first(land: Negeri) -> None:
    node = land.registered()
    for title in ("Pertama", "Kedua", "Ketiga"):
        land.say(AnnouncementPosted(title, ""))
    land.told(node)
    assert [one.title for one in news(node)] == ["Ketiga", "Kedua", "Pertama"]


def test_rejected_entries_come_with_the_reason_the_names_and_since_when(land: Negeri) -> None:
    node = land.registered()
    land.told(node)
    registry.revoke(land.hub.engine, device_of(node), now_ms(), "hilang")
    before = now_ms()
    learn(node, 4, learner=1)
    land.told(node)
    land.told(node)
    with reading(land.hub.engine) as connection:
        device = next(row for row in registry.devices(connection) if row.device == device_of(node))
        apart = quarantine.of_device(connection, device.pk)
    assert apart
    everything = [one.pk for one in apart]
    quarantine.decide(land.hub.engine, device_of(node), [], everything, "Dikerjakan orang lain.", now_ms())
    land.told(node)

    told = [one for one in news(node) if one.what == "rejected" and one.names]

    assert told[0].names == ("Budi Santoso",)
    assert told[0].count >= 4
    assert told[0].since_ms is not None
    assert abs(told[0].since_ms - before) < 60_000
    text = page(node)
    assert "Dikerjakan orang lain." in text
    assert "Laptop ini dicabut oleh pusat" in text


def test_every_kind_has_its_plain_line(land: Negeri) -> None:
    node = land.registered()
    land.told(node)
    siti, budi = identities(node)
    log = node.recorder.log
    with node.store.read() as db:
        commitment = db.execute("SELECT commitment FROM learners WHERE number = 1").fetchone()[0]
    said: list[Kind] = [
        EntriesAccepted(log, 0, 6),
        EntriesRejected(b"n" * 16, 3, 2, "Log ini tidak ada di sini."),
        LearnersMerged(siti, budi),
        LearnersSeparated(siti, budi),
        LearnersMerged(b"x" * 16, b"y" * 16),
        DeviceRevoked(b"o" * 16, "dicuri"),
        UnlockCodeGiven(device_of(node), "ABC123"),
        CertificateIssued(siti, b"c" * 16, "LTR-0001"),
        CertificateWithdrawn("LTR-0001", "keliru"),
        PersonalDataErased(commitment),
    ]
    for one in said:
        land.say(one)
    land.told(node)
    text = page(node)
    for line in (
        "6 catatan diterima",
        "2 catatan tidak dihitung",
        "Ini satu orang: Siti Aminah, ?",
        "Ini bukan satu orang",
        "keduanya belum ada di laptop ini",
        "Laptop lain di desa ini dicabut",
        "Kode pembuka diberikan",
        "Nomor sertifikat LTR-0001 · Siti Aminah",
        "Sertifikat ditarik",
        "Data pribadi seorang peserta dihapus",
    ):
        assert line in text, line
    assert "ABC123" not in text
    assert "Budi Santoso" not in text
