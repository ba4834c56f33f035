"""The officer's pages: buttons that work without JavaScript, only from this laptop, only counts, ages and sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from officer import Land, learn, tear

from courier.app import create_app
from courier.desk import Desk
from courier.errors import BusyError
from courier.worker import Task, Worker
from sync.drives import Drive
from sync.stick import OUT, Stick
from sync.words import words_of


@dataclass
class Pages:
    desk: Desk
    worker: Worker
    browser: FlaskClient
    sticks: list[Drive]

    def get(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def press(self, path: str, stick: Stick | None = None, page: str = "/pusat", **more: str) -> str:
        """Press a button, wait for the work, and see the page after it."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page))
        assert token is not None
        data = {"csrf_token": token[1], **more}
        if stick is not None:
            data["flashdisk"] = str(stick.drive)
        answer = self.browser.post(path, data=data)
        self.worker.wait()
        if answer.status_code != 302:
            return answer.text
        return self.get(answer.headers["Location"])


def pages(desk: Desk, *sticks: Stick) -> Pages:
    worker = Worker()
    plugged = [Drive(stick.drive, stick.drive.name) for stick in sticks]
    app = create_app(desk, worker, lambda: plugged)
    return Pages(desk, worker, app.test_client(), plugged)


@pytest.fixture
def stick(land: Land) -> Iterator[Stick]:
    yield land.stick()


def test_a_day_of_an_officer(land: Land, stick: Stick) -> None:
    node = land.village("asri")
    learn(node, 3)
    node.bundles.write(stick)
    here = pages(land.officer(), stick)
    page = here.get("/")
    assert "Belum diambil" in page and "Flashdisk STICK" in page and "Perangkat " in page
    page = here.press("/ambil", stick)
    assert "1 paket baru diambil" in page and "Aman dicabut" in page
    assert "Di laptop ini, belum dikirim" in page
    page = here.press("/kirim", stick)
    assert "Pusat menerima 1 paket" in page and "Sudah di pusat" in page
    assert "17.05.10.2007" in page, "the hub told the village's name"
    page = here.press("/isi", stick)
    assert "kiriman untuk 1 desa; 1 paket yang sudah di pusat dihapus" in page
    assert "Aman dicabut" in page and "Tidak ada paket data dari desa" in page
    history = here.get("/riwayat")
    assert "17.05.10.2007" in history and "Sudah di pusat" in history
    for text in (page, history):
        assert "Siti" not in text and "Kas Desa" not in text


def test_a_laptop_without_a_signal_says_so_and_keeps_everything(land: Land, stick: Stick) -> None:
    land.village("asri").bundles.write(stick)
    desk = land.officer()
    desk.set_hub("http://127.0.0.1:9")
    here = pages(desk, stick)
    here.press("/ambil", stick)
    page = here.press("/kirim", stick)
    assert "Belum selesai." in page and "tidak dapat dihubungi" in page
    assert "1 paket" in page and "menunggu dikirim ke pusat" in page


def test_a_torn_part_is_named_with_what_to_do(land: Land, stick: Stick) -> None:
    land.village("asri").bundles.write(stick)
    tear(stick)
    here = pages(land.officer(), stick)
    assert "Tidak utuh: salin lagi" in here.get("/")
    page = here.press("/ambil", stick)
    assert "1 paket tidak utuh" in page and "Salin lagi di desanya" in page


def test_the_first_keys_from_a_stick_are_believed_only_after_people_compared_them(
    land: Land, stick: Stick
) -> None:
    land.village("asri").bundles.write(stick)
    desk = land.officer(registered=False)
    here = pages(desk, stick)
    page = here.get("/")
    assert "Apakah ini pusat yang benar?" in page
    assert all(f"<li>{word}</li>" in page for word in words_of(land.hub.config.keyset.root))
    shown = re.search(r'name="sidik" value="([^"]+)"', page)
    assert shown is not None
    assert "tidak membawa kunci" in here.press("/percaya", stick, sidik="AAAA")
    assert desk.trust.keyset is None
    assert "Kunci pusat disimpan" in here.press("/percaya", stick, sidik=shown[1])
    assert "Pusat menerima 0 paket" in here.press("/kirim", stick)


def test_a_laptop_is_registered_on_its_page(land: Land) -> None:
    here = pages(land.officer(registered=False))
    page = here.press("/pusat", url=land.url, kode="7KQ2-M4TX-9RHB")
    assert "Kode pendaftaran ini salah" in page and 'value="7KQ2-M4TX-9RHB"' in page
    page = here.press("/pusat", url=land.url, kode=land.code())
    assert "Terdaftar di pusat." in page and "17.05" in page
    page = here.press("/pusat", url="pusat.example", kode="")
    assert "harus diawali http://" in page


def test_without_a_stick_the_page_waits_for_one(land: Land) -> None:
    here = pages(land.officer())
    page = here.get("/")
    assert 'http-equiv="refresh"' in page and "menemukannya sendiri" in page
    by_hand = here.get("/?folder=1")
    assert 'http-equiv="refresh"' not in by_hand and 'name="flashdisk"' in by_hand


def test_of_several_sticks_one_is_chosen(land: Land) -> None:
    one, two = land.stick("SATU"), land.stick("DUA")
    page = pages(land.officer(), one, two).get("/")
    assert "SATU" in page and "DUA" in page and "Ambil dari flashdisk" not in page


def test_a_stick_that_is_gone_is_said_in_one_sentence(land: Land, tmp_path: Path) -> None:
    here = pages(land.officer())
    page = here.press("/ambil", Stick(tmp_path / "gone"))
    assert "tidak ada lagi" in page
    assert "Tidak ada paket data" in here.get(f"/?flashdisk={tmp_path}")


def test_while_work_goes_on_the_page_shows_how_far_it_is_and_takes_no_other(
    land: Land, stick: Stick
) -> None:
    import threading

    here, go_on = pages(land.officer(), stick), threading.Event()

    def slowly(progress: object) -> None:
        progress(1024, 4096)  # type: ignore[operator]
        go_on.wait(10)

    here.worker.start(Task.SEND, "", slowly)
    try:
        while (job := here.worker.job()) is None or not job.total:
            pass
        page = here.get("/")
        assert 'http-equiv="refresh" content="2"' in page
        assert 'max="4096"' in page and "1 KB dari 4 KB" in page
        with pytest.raises(BusyError):
            here.worker.start(Task.COLLECT, "")
    finally:
        go_on.set()
        here.worker.wait()
    assert "refresh" not in here.get("/")


def test_other_hosts_and_forged_forms_are_refused(land: Land, stick: Stick) -> None:
    land.village("asri").bundles.write(stick)
    here = pages(land.officer(), stick)
    assert here.browser.get("/", headers={"Host": "192.168.1.5:8090"}).status_code == 400
    assert here.browser.get("/", headers={"Host": "localhost:8090"}).status_code == 200
    assert here.browser.post("/isi", data={"flashdisk": str(stick.drive)}).status_code == 400
    answer = here.browser.post("/kirim", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert len(stick.parts(OUT)) == 1 and here.worker.job() is None


def test_pages_speak_english_too(land: Land, stick: Stick) -> None:
    page = pages(land.officer(), stick).get("/?lang=en")
    assert "Take from the stick" in page
