"""An operator's morning and a publisher's, played by clicking what people read, on a phone's and on a laptop's width.

The centre is that of bench/shown_centre.py: real laptops of seven villages sent what it holds over HTTP. After logging
in nobody types an address; what the operator sees is compared with what the database holds afterwards.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import openpyxl
import pypdfium2
import pytest
from sqlalchemy import func, select

from bench.screens import SIZES
from bench.shown_centre import (
    COPIED,
    DISTRICT,
    DOUBLE,
    FIRST_STEPS,
    LATE,
    LONG_QUIET,
    NEXT_DOOR,
    OPERATOR,
    PUBLISHER,
    QUIET,
    SEKALAK,
    STOLEN,
    WAITING,
    Centre,
    shown_centre,
)
from bench.world import PASSWORD
from hub import packs, schema
from hub.db import reading
from hub.queries import alerts, decisions
from hub.views.sittings import PROOF_MS
from sync.profile import open_profile

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE_MS: Final = 10_000
AUDITOR: Final = "Inspektorat"


class Screen:
    """A browser at the centre's pages. Wherever it comes, nothing sticks out sideways and nothing is refused by the policy."""

    def __init__(self, chromium: Any, centre: Centre, width: int) -> None:
        self.centre = centre
        self._context = chromium.new_context(
            viewport={"width": width, "height": SIZES[width]}, accept_downloads=True
        )
        self.page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def close(self) -> None:
        told = [one for one in self.complaints if "[DOM]" not in one and "status of 4" not in one]
        assert told == []
        self._context.close()

    def log_in(self, name: str) -> None:
        self.page.goto(self.centre.address)
        self.page.get_by_label("Nama akun").fill(name)
        self.page.get_by_label("Kata sandi").fill(PASSWORD)
        self.press("Masuk")

    def log_out(self) -> None:
        self.press("Keluar")
        self.sees("Masuk ke pusat Lontar")

    def more(self, name: str) -> None:
        """Go to one of the parts behind Lainnya."""
        self.link("Lainnya")
        self.link(name)
        assert self.page.locator("h1").first.inner_text() == name

    def link(self, name: str | re.Pattern[str], within: str = "body") -> None:
        self.page.locator(within).get_by_role("link", name=name, exact=isinstance(name, str)).first.click()
        self.look()

    def back(self, name: str) -> None:
        """The link above the heading."""
        self.page.locator("a.back", has_text=name).click()
        self.look()

    def press(self, name: str, within: Any = None) -> None:
        (within or self.page).get_by_role("button", name=name, exact=True).first.click()
        self.look()

    def look(self) -> None:
        self.page.wait_for_load_state()
        wide = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"

    def sees(self, *texts: str) -> None:
        for text in texts:
            assert self.page.get_by_text(text).first.is_visible(), f"{text!r} on {self.page.url}"

    def sees_not(self, *texts: str) -> None:
        for text in texts:
            assert self.page.get_by_text(text).count() == 0, f"{text!r} on {self.page.url}"

    def main(self) -> str:
        return str(self.page.locator("main").inner_text())

    def proves_it(self) -> None:
        """Write the password once more: a wrong one first."""
        for password in ("keliru", PASSWORD):
            self.sees("Tulis kata sandi sekali lagi")
            self.page.get_by_label("Kata sandi").fill(password)
            self.press("Lanjutkan")
            if password == "keliru":
                self.sees("Kata sandi salah. Tulis lagi.")

    def some_time_passes(self) -> None:
        """So long that what can't be undone asks for the password again."""
        self.centre.days.back_ms -= PROOF_MS + 1000

    def downloaded(self, name: str, folder: Path, by: str = "link") -> Path:
        with self.page.expect_download() as awaited:
            self.page.get_by_role(by, name=name, exact=True).first.click()
        path = folder / awaited.value.suggested_filename
        awaited.value.save_as(path)
        return path


@pytest.fixture(scope="module", params=list(SIZES))
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def centre(width: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with shown_centre(tmp_path_factory.mktemp("pusat")) as made:
        yield made


@pytest.fixture
def screen(chromium: Any, centre: Centre, width: int) -> Iterator[Screen]:
    made = Screen(chromium, centre, width)
    yield made
    made.close()


def test_silent_villages_are_seen_one_is_opened_and_the_way_to_them_is_printed(
    screen: Screen, tmp_path: Path
) -> None:
    screen.log_in(OPERATOR)
    screen.sees("Ringkasan", "Menunggu persetujuan Anda", "Perlu diperhatikan")
    screen.more("Desa yang senyap")
    headings = screen.page.locator("section.sheet h2").all_inner_texts()
    assert [name.split(" Seluma")[0] for name in headings] == [
        one.name for one in (WAITING, LATE, STOLEN, LONG_QUIET, QUIET)
    ], "the most urgent first"
    screen.sees("1 terlambat")

    screen.link(QUIET.name, "main")
    assert screen.page.locator("h1").inner_text().startswith(QUIET.name)
    screen.page.go_back()
    screen.page.get_by_label("Kode wilayah").fill(DISTRICT)
    screen.press("Tampilkan")
    screen.link("Daftar kunjungan untuk dicetak")
    screen.sees(
        "Daftar kunjungan", "5 desa tidak terdengar lebih dari 14 hari", "Pengelolaan Keuangan Desa"
    )
    screen.page.emulate_media(media="print")
    printed = words_of(screen.page.pdf())
    for village in (WAITING, LATE, STOLEN, LONG_QUIET, QUIET):
        assert village.name in printed
    assert "Lainnya" not in printed, "what is for clicking stays on the screen"
    screen.page.emulate_media(media="screen")
    saved = screen.downloaded("Simpan sebagai PDF", tmp_path)
    assert QUIET.name in words_of(saved.read_bytes())


def test_one_woman_in_two_villages_is_merged_on_evidence_and_separated_again(screen: Screen) -> None:
    screen.log_in(OPERATOR)
    screen.more("Peserta ganda")
    row = screen.page.get_by_role("row").filter(has_text=DOUBLE[1])
    for reason in (
        "Nama sama",
        "Jabatan sama",
        "Satu kecamatan",
        "Yang satu mulai setelah yang lain berhenti",
    ):
        assert row.get_by_text(reason).is_visible()
    row.get_by_role("link", name="Bandingkan").click()
    screen.look()
    screen.back("Peserta ganda")
    row.get_by_role("link", name="Bandingkan").click()
    screen.look()
    screen.sees("Apakah ini orang yang sama?", "Bila digabungkan", SEKALAK.code, NEXT_DOOR.code)
    both = [person_of(screen.centre, name) for name in DOUBLE]
    assert both[0] != both[1]

    screen.some_time_passes()
    screen.press("Ya, gabungkan")
    assert [person_of(screen.centre, name) for name in DOUBLE] == both, "not before the password is right"
    screen.proves_it()
    screen.sees("Keduanya kini dihitung sebagai satu peserta", "digabungkan oleh operator")
    assert len({person_of(screen.centre, name) for name in DOUBLE}) == 1

    screen.press("Pisahkan")
    screen.sees("Keduanya dipisahkan lagi")
    assert [person_of(screen.centre, name) for name in DOUBLE] == both


def test_a_copied_disk_shows_both_signed_ends_and_is_dealt_with(screen: Screen) -> None:
    with reading(screen.centre.hub.engine) as connection:
        (fork,) = decisions.forks(connection, 10)
    screen.log_in(OPERATOR)
    screen.more("Perlu keputusan")
    screen.link(re.compile("^Catatan bercabang"))
    here = screen.page.locator("section.sheet").filter(has_text=COPIED.name)
    assert len(fork.tips) == 2
    for tip in fork.tips:
        assert here.get_by_text(tip.id.hex()[:12]).is_visible()
    assert here.get_by_text("Semua catatan dari kedua salinan tetap dihitung").is_visible()
    here.get_by_role("link", name=fork.alert.device.hex()[:12]).click()
    screen.look()
    screen.page.go_back()
    screen.press("Sudah ditangani", here)
    assert screen.page.locator("section.sheet").filter(has_text=COPIED.name).count() == 0

    with reading(screen.centre.hub.engine) as connection:
        assert decisions.forks(connection, 10) == []
        (handled,) = alerts.listed(connection, 10, is_open=False)
    assert (handled.kind, handled.handled_by) == ("fork", OPERATOR)
    screen.sees("Perlu keputusan")
    screen.link("Peringatan yang selesai")
    screen.sees("Catatan bercabang", OPERATOR)

    screen.press("Belum selesai, buka lagi")
    screen.sees("Peringatan dibuka lagi")
    with reading(screen.centre.hub.engine) as connection:
        assert decisions.forks(connection, 10) == [fork]


def test_a_certificate_that_waited_is_confirmed_and_everybody_can_check_it(
    chromium: Any, screen: Screen, width: int
) -> None:
    screen.log_in(OPERATOR)
    screen.more("Sertifikat")
    before = numbers(screen.centre)
    screen.link("Menunggu persetujuan")
    first = screen.page.locator("li.sheet").first
    name = first.locator("h2").inner_text()
    assert "Tes akhir terbaik" in first.inner_text()
    screen.press("Setujui", first)
    screen.sees("Sertifikat terbit")
    (number,) = numbers(screen.centre) - before

    screen.back("Sertifikat")
    mine = screen.page.locator("li.sheet").filter(has_text=number)
    assert name in mine.inner_text()
    mine.get_by_role("link", name="Lihat halaman pemeriksaannya").click()
    screen.look()
    stranger = Screen(chromium, screen.centre, width)
    stranger.page.goto(screen.page.url)  # what a telephone does with the square on the paper
    stranger.look()
    stranger.sees("Terverifikasi: sertifikat ini bersegel pusat", name, number)
    assert stranger.page.get_by_role("link", name="Keluar").count() == 0
    stranger.close()


def test_tables_are_taken_away_with_the_password_and_hold_what_the_page_shows(
    screen: Screen, tmp_path: Path
) -> None:
    screen.log_in(OPERATOR)
    screen.link("Perangkat")
    devices = screen.downloaded("Excel (XLSX)", tmp_path)
    rows = list(openpyxl.load_workbook(devices).active.iter_rows(values_only=True))
    assert len(rows) == 1 + counted(screen.centre, schema.devices)

    screen.more("Sertifikat")
    listed = screen.page.locator("li.sheet p.muted").all_inner_texts()
    screen.some_time_passes()
    screen.link("CSV")
    screen.sees("Tulis kata sandi sekali lagi", "berkasnya langsung terunduh")
    screen.page.get_by_label("Kata sandi").fill(PASSWORD)
    taken = screen.downloaded("Lanjutkan", tmp_path, by="button")
    table = list(csv.reader(io.StringIO(taken.read_text("utf-8-sig")), delimiter=";"))
    assert len(table) == 1 + len(numbers(screen.centre))
    assert {one for row in table for one in row} >= numbers(screen.centre)
    assert len(listed) >= 1
    screen.back("Kembali ke tabelnya")
    assert screen.page.locator("h1").inner_text() == "Sertifikat"


def test_what_the_operator_did_stands_in_the_trail_that_the_inspector_reads(screen: Screen) -> None:
    screen.log_in(OPERATOR)
    screen.link("Lainnya")
    screen.sees_not("Jejak operator")
    screen.more("Pengumuman")
    screen.page.get_by_label("Judul").fill("Rapat bulanan")
    screen.page.locator("textarea").first.fill("Hari Senin di kantor camat.")
    screen.page.get_by_label("Kode wilayah").fill(DISTRICT)
    screen.page.locator("main form button").first.click()
    screen.look()
    screen.log_out()

    screen.log_in(AUDITOR)
    screen.more("Jejak operator")
    latest = screen.page.locator("tbody tr").first.inner_text()
    for told in (OPERATOR, "Menulis pengumuman", DISTRICT):
        assert told in latest
    screen.sees_not("Rapat bulanan")
    screen.log_out()


def test_a_publisher_looks_at_a_pack_tries_it_in_some_villages_and_gives_it_to_all(screen: Screen) -> None:
    screen.log_in(PUBLISHER)
    screen.more("Membagikan pelatihan")
    screen.sees("Belum dibagikan", "Yang dibagikan sekarang")
    screen.link("Belajar dengan Lontar")
    screen.sees("Yang perlu diperhatikan", "Isi", "Sinyal lemah")
    screen.link(re.compile("^Tes akhir"), "main")
    screen.sees("✓")
    screen.back("Belajar dengan Lontar")
    assert scopes(screen.centre, FIRST_STEPS) == set()

    screen.page.get_by_label("Kode wilayah").fill(DISTRICT)
    screen.page.get_by_label("Coba dulu di 10 desa pertama").check()
    screen.press("Bagikan")
    screen.sees("dibagikan ke", "Versi di laptop desa", "Desa yang belum memasang versi ini")
    first = scopes(screen.centre, FIRST_STEPS)
    assert SEKALAK.code in first and DISTRICT not in first
    screen.page.get_by_label("Kode wilayah").fill("17.05")
    screen.press("Bagikan")
    assert "17.05" in scopes(screen.centre, FIRST_STEPS)
    screen.centre.nodes[SEKALAK.code].worker.exchange()
    screen.back("Membagikan pelatihan")
    screen.sees("Belajar dengan Lontar")


def test_a_publisher_is_told_what_isn_t_theirs_to_do(screen: Screen) -> None:
    screen.log_in(PUBLISHER)
    screen.link("Lainnya")
    for closed in ("Akun operator", "Jejak operator", "Kunci API", "Kode pendaftaran", "Daftar nama desa"):
        screen.sees_not(closed)
    screen.more("Membagikan pelatihan")
    screen.link("Pengelolaan Keuangan Desa")
    given = scopes(screen.centre, "pengelolaan-keuangan-desa")
    for elsewhere in ("18", ""):
        screen.page.get_by_label("Kode wilayah").fill(elsewhere)
        screen.press("Bagikan")
        assert screen.page.get_by_role("alert").first.is_visible()
    assert scopes(screen.centre, "pengelolaan-keuangan-desa") == given

    screen.more("Perlu keputusan")
    assert screen.page.locator("main").get_by_role("button").count() == 0
    screen.more("Sertifikat")
    screen.sees_not("Menunggu persetujuan", "Unduh tabel ini:")
    # A colleague sent the address of a page that only operators may open.
    answer = screen.page.goto(f"{screen.centre.address}/sertifikat/antrean")
    assert answer.status == 403
    screen.look()
    screen.sees("Anda tidak berhak membuka bagian ini", "Akun Anda (Penerbit pelatihan, 17) tidak berhak")
    screen.link("Ke halaman depan")
    screen.sees("Ringkasan")


def words_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def person_of(centre: Centre, name: str) -> int:
    """The number of the person who is called so in a village."""
    with reading(centre.hub.engine) as connection:
        rows = connection.execute(select(schema.profiles.c.commitment, schema.profiles.c.data)).all()
        (own,) = [bytes(row.commitment) for row in rows if open_profile(bytes(row.data)).name == name]
        same = schema.learners.c.commitment == own
        return int(connection.execute(select(schema.learners.c.person).where(same)).scalar_one())


def numbers(centre: Centre) -> set[str]:
    """Of all certificates."""
    with reading(centre.hub.engine) as connection:
        return set(connection.execute(select(schema.certificates.c.number)).scalars())


def counted(centre: Centre, table: Any) -> int:
    with reading(centre.hub.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def scopes(centre: Centre, course: str) -> set[str]:
    """Where a course was given out."""
    with reading(centre.hub.engine) as connection:
        rows = packs.given(connection, packs.store_of(centre.hub.config))
    return {scope for row in rows if row.manifest.course_id == course for scope in row.scopes}
