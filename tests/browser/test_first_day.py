"""A village's first day, as people live it: a wizard, ten learners, a course from a stick, five phones, a power cut, a certificate.

The laptop is a real process that is killed in the middle of a quiz; the officer's stick goes to a real centre and back.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from centre import made_hub
from village import COURSE

from bench.world import free_port
from content_packs.build import build_pack
from hub import courses, mail, parts, registry, schema
from hub.db import reading, writing
from hub.wiring import Hub, now_ms
from sync.keys import SigningKey
from sync.stick import OUT, Stick

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VILLAGE: Final = "17.05.10.2007"
PASSWORD: Final = "daun lontar 2026"
PIN: Final = "482913"
PEOPLE: Final = "\n".join(f"Peserta {name};Kepala Dusun" for name in "ABCDEFGHIJ")
PHONES: Final = 5
PATIENCE_S: Final = 30


class Laptop:
    """`lontar node serve` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [
            "node",
            "serve",
            "--data",
            str(folder / "desa"),
            "--port",
            str(self.port),
            "--no-sync",
        ]
        self._environment = {**os.environ, "LONTAR_STATE": str(folder / "state"), "LONTAR_LANG": "id"}
        self.switch_on()

    def switch_on(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lontar", *self._command], env=self._environment
        )
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                requests.get(self.url, timeout=2)
            except requests.RequestException:
                threading.Event().wait(0.1)
            else:
                return
        pytest.fail("the laptop did not start")

    def cut_power(self) -> None:
        self._process.kill()
        self._process.wait()

    def switch_off(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)


class Centre:
    """A hub that meets the village only through a stick."""

    def __init__(self, folder: Path) -> None:
        self.hub: Hub = made_hub(folder / "hub")
        self.stick = Stick(folder / "flashdisk")
        (folder / "flashdisk").mkdir()
        seed = (folder / "hub" / "keys" / "publisher.key").read_text().strip()
        source, packed = folder / "kas", io.BytesIO()
        source.mkdir()
        for name, text in COURSE.items():
            (source / name).write_text(text, encoding="utf-8")
        build_pack(source, SigningKey.from_seed(bytes.fromhex(seed))).write(packed)
        self.pack = folder / "flashdisk" / "kas-desa.lontar"
        self.pack.write_bytes(packed.getvalue())
        courses.add(self.hub.engine, self.hub.config, self.pack)

    def visit(self) -> None:
        """The officer comes by: what is on the stick is taken in, and what the centre has to say is put on it."""
        for found in self.stick.parts(OUT):
            parts.take(self.hub.intake, self.stick.read_part(found))
        with writing(self.hub.engine) as connection:
            bag = mail.compose(connection, self.hub.config, "", now_ms())
        mail.put(self.hub.config, self.stick, bag)

    def approve(self) -> None:
        with reading(self.hub.engine) as connection:
            (device,) = connection.execute(schema.devices.select()).all()
        registry.approve(self.hub.engine, bytes(device.device), now_ms())


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path)
    yield made
    made.hub.close()


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    made = Laptop(tmp_path)
    yield made
    made.switch_off()


def answer_the_wizard(page: Any, laptop: Laptop, stick: Path, place: Path) -> None:
    page.goto(laptop.url)
    page.fill("#q", "Sekalak")
    page.get_by_role("button", name="Cari").click()
    page.locator(f'button[value="{VILLAGE}"]').click()
    assert page.locator('input[value="WIB"]').is_checked()
    page.get_by_role("button", name="Berikutnya").click()
    page.goto(f"{laptop.url}/siapkan/pusat/flashdisk?di={stick}")
    page.get_by_role("button", name="Sama, percayai pusat ini").click()
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.get_by_role("button", name="Berikutnya").click()
    page.get_by_role("button", name="Berikutnya").click()
    page.fill("#place", str(place))
    page.get_by_role("button", name="Simpan di folder ini").click()
    assert "Sekalak" in page.locator("main").inner_text()
    page.get_by_role("button", name="Selesai, siapkan laptop ini").click()
    page.get_by_role("link", name="Tambah peserta").wait_for()


def furnish(page: Any, laptop: Laptop, pack: Path) -> None:
    """Ten learners and a course from the stick."""
    page.goto(f"{laptop.url}/operator/peserta/banyak")
    page.fill("#list", PEOPLE)
    page.get_by_role("button", name="Lihat dulu").click()
    assert "10 dari 10 baris" in page.locator("main").inner_text()
    page.get_by_role("button", name="Tambahkan yang dicentang").click()
    page.goto(f"{laptop.url}/operator/pelatihan")
    page.fill("#source", str(pack))
    page.get_by_role("button", name="Pasang", exact=True).click()
    assert "terpasang" in page.locator("main").inner_text()


def log_in(page: Any, laptop: Laptop, number: int, first: bool) -> None:
    page.goto(f"{laptop.url}/masuk/{number}")
    page.fill("#pin", PIN)
    if first:
        page.fill("#again", PIN)
    page.locator("main form button.wide").click()
    assert page.url.endswith("/pelatihan")


def answer(page: Any, laptop: Laptop, lesson: int, question: int, choice: int) -> None:
    page.goto(f"{laptop.url}/pelatihan/0/materi/{lesson}/kuis/{question}")
    page.locator(f'input[name="choice"][value="{choice}"]').check()
    page.get_by_role("button", name="Simpan jawaban").click()
    assert f"Jawaban soal {question} tersimpan di perangkat ini" in page.locator("main").inner_text()


def hand_in(page: Any, laptop: Laptop, lesson: int) -> None:
    page.goto(f"{laptop.url}/pelatihan/0/materi/{lesson}/kuis")
    page.get_by_role("button", name="Kirim jawaban").click()
    assert page.url.endswith("/kuis/hasil")


def save_to_stick(page: Any, laptop: Laptop, stick: Path) -> None:
    page.goto(f"{laptop.url}/flashdisk?di={stick}")
    page.get_by_role("button", name="Simpan ke flashdisk").click()
    page.locator(".safe").wait_for(timeout=PATIENCE_S * 1000)


def test_a_village_s_first_day(tmp_path: Path, chromium: Any, centre: Centre, laptop: Laptop) -> None:
    stick, place = tmp_path / "flashdisk", tmp_path / "cadangan"
    place.mkdir()
    centre.visit()
    desk = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
    answer_the_wizard(desk, laptop, stick, place)
    furnish(desk, laptop, centre.pack)

    phones = [
        chromium.new_context(viewport={"width": 360, "height": 740}).new_page() for _ in range(PHONES)
    ]
    for number, phone in enumerate(phones):
        log_in(phone, laptop, number, first=True)
        answer(phone, laptop, 1, 1, 1)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert phone.evaluate(wide) <= 0

    laptop.cut_power()
    laptop.switch_on()
    phones[0].goto(laptop.url)
    assert "Listrik padam" in phones[0].locator("main").inner_text()

    for number, phone in enumerate(phones):
        log_in(phone, laptop, number, first=False)
        phone.goto(f"{laptop.url}/pelatihan/0/materi/1/kuis")
        assert phone.locator(".dots a.done").count() == 1
        answer(phone, laptop, 1, 2, 0)
        hand_in(phone, laptop, 1)
        phone.goto(f"{laptop.url}/pelatihan/0/materi/2")
        phone.get_by_role("button", name="Sudah saya baca").click()
        answer(phone, laptop, 3, 1, 0)
        answer(phone, laptop, 3, 2, 1)
        hand_in(phone, laptop, 3)
        phone.goto(f"{laptop.url}/sertifikat")
        assert "Menunggu verifikasi pusat" in phone.locator("main").inner_text()
    paper = phones[0].context.request.get(f"{laptop.url}/sertifikat/0.pdf")
    assert paper.body().startswith(b"%PDF")

    desk.goto(f"{laptop.url}/operator/masuk")
    desk.fill("#password", PASSWORD)
    desk.locator("main form button").first.click()
    save_to_stick(desk, laptop, stick)
    centre.visit()
    centre.approve()
    centre.visit()
    save_to_stick(desk, laptop, stick)
    centre.visit()
    save_to_stick(desk, laptop, stick)
    desk.goto(f"{laptop.url}/operator/kelas/0")
    assert "Selesai" in desk.locator("main").inner_text()
    phones[0].goto(f"{laptop.url}/sertifikat")
    assert re.search(rf"\d{{6}}/{re.escape(VILLAGE)}/20\d\d", phones[0].locator("main").inner_text())
    with reading(centre.hub.engine) as connection:
        issued = connection.execute(schema.certificates.select()).all()
    assert len(issued) == PHONES, json.dumps([row.number for row in issued])
