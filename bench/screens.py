"""All screens of the village laptop, who sees them and how one gets there: a new page is one line in `SCREENS`.

bench/pictures.py photographs them, tests/browser/test_access.py checks them. Needs playwright.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from bench.shown_village import LEARNER, PASSWORD, PIN, Shown
from node import snapshots
from node.courses import manifests
from node.visits import list_written

SIZES: Final = {360: 740, 1366: 768}
"""Width and height of a small phone and of a village's laptop."""
PATIENCE_MS: Final = 10_000

Steps = Callable[[Any], None]
"""What is done on the page once it is open; done twice it must end on the same screen."""


class Role(Enum):
    """Who sits there: nobody, a learner or the operator at the laptop in use; or somebody at one that is new."""

    NOBODY = "siapa saja"
    LEARNER = "peserta"
    OPERATOR = "operator desa"
    NEW = "laptop baru, belum ada peserta"
    FIRST = "hari pertama: pertanyaan pertama"
    ANSWERED = "hari pertama: semua sudah dijawab"


@dataclass(frozen=True)
class Screen:
    """One screen. In `address`, {names} are those of `places`; `says` is its line in the list."""

    name: str
    role: Role
    address: str
    says: str
    steps: Steps | None = None
    is_main: bool = False
    """Whether it is looked at with large text and strong contrast too."""


def typed(**values: str) -> Steps:
    """The form is filled in and sent, whatever the browser itself would refuse."""

    def steps(page: Any) -> None:
        page.evaluate("document.querySelectorAll('form').forEach(form => { form.noValidate = true })")
        for name, value in values.items():
            page.locator(f"[name={name}]").first.fill(value)
        page.locator("main form[method=post] button:not([type=button])").first.click()
        page.wait_for_load_state()

    return steps


def without_token(page: Any) -> None:
    """A form that was open for too long."""
    page.evaluate("document.querySelectorAll('[name=csrf_token]').forEach(field => field.remove())")
    typed(pin="482914")(page)


def answered(page: Any) -> None:
    """The open question is answered with what comes first, and saved."""
    main = page.locator("main")
    if main.locator("input[type=radio]").count():
        main.locator("label.choice").first.click()
    elif main.locator("input[type=checkbox]").count():
        main.locator("input[type=checkbox]").first.check(force=True)
    for at, choice in enumerate(main.locator("select:visible").all(), start=1):
        choice.select_option(index=at)
    for field in main.locator("input.input:visible").all():
        field.fill("1000")
    page.get_by_role("button", name="Simpan jawaban").click()
    page.wait_for_load_state()


def all_answered(page: Any) -> None:
    """Every open question of the quiz is answered; it isn't handed in yet."""
    overview = page.url
    while page.get_by_role("button", name=re.compile("^Kirim jawaban")).count() == 0:
        number = page.locator("ol.dots a:not(.done)").first
        number.click()
        page.wait_for_load_state()
        answered(page)
        if not page.url.endswith("/kuis"):
            page.goto(overview)


def handed_in(page: Any) -> None:
    """The quiz has a result, which is shown."""
    if page.url.endswith("/hasil"):
        return
    all_answered(page)
    page.get_by_role("button", name=re.compile("^Kirim jawaban")).click()
    page.wait_for_load_state()


def saved_to_stick(page: Any) -> None:
    if page.url.endswith("/proses"):
        return
    page.get_by_role("button", name="Simpan ke flashdisk").click()
    page.get_by_text(re.compile("Aman dicabut|Belum berhasil")).first.wait_for()


def opened(selector: str) -> Steps:
    """A part that is folded in is shown."""
    return lambda page: page.locator(selector).first.click()


def wrong_backup_place(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    page.locator("[name=place]:not([type=hidden])").last.fill("/tidak/ada")
    page.locator("form:has([name=place]:not([type=hidden])) button").last.click()
    page.wait_for_load_state()


MANY: Final = "Nama; Jabatan\nHasan Basri; Kaur Keuangan\nSyafrudin; Anggota BPD\n; Kepala Dusun\nUmi Kalsum; Kader Posyandu"

SCREENS: Final = (
    Screen("pilih-nama", Role.NOBODY, "/", "Halaman depan: pilih nama Anda.", is_main=True),
    Screen("cari-nama", Role.NOBODY, "/?q=sa", "Mencari nama."),
    Screen("cari-nama-tidak-ada", Role.NOBODY, "/?q=zzz", "Nama yang dicari belum ada."),
    Screen("pin-baru", Role.NOBODY, "/masuk/{newcomer}", "Pertama kali: membuat PIN.", is_main=True),
    Screen("pin", Role.NOBODY, "/masuk/{learner}", "Masuk dengan PIN.", is_main=True),
    Screen("pin-salah", Role.NOBODY, "/masuk/{learner}", "PIN salah.", typed(pin="111999")),
    Screen("tampilan", Role.NOBODY, "/tampilan", "Ukuran tulisan dan warna.", is_main=True),
    Screen("pelatihan-saya", Role.LEARNER, "/pelatihan", "Setelah masuk: lanjutkan belajar.", is_main=True),
    Screen("pelatihan", Role.LEARNER, "/pelatihan/{money}", "Satu pelatihan dan daftar materinya.", is_main=True),
    Screen("materi", Role.LEARNER, "/pelatihan/{money}/materi/2", "Membaca materi.", is_main=True),
    Screen("materi-tabel", Role.LEARNER, "/pelatihan/{kas}/materi/1", "Materi dengan tabel."),
    Screen("tes", Role.LEARNER, "/pelatihan/{plans}/materi/1/kuis", "Sebelum mulai tes awal.", is_main=True),
    Screen("soal", Role.LEARNER, "/pelatihan/{plans}/materi/1/kuis/1", "Soal dengan satu jawaban.", is_main=True),
    Screen("soal-belum-dijawab", Role.LEARNER, "/pelatihan/{plans}/materi/1/kuis/1", "Jawaban belum dipilih.", typed()),
    Screen("soal-tersimpan", Role.LEARNER, "/pelatihan/{plans}/materi/1/kuis/1", "Jawaban tersimpan.", answered),
    Screen("soal-ganda", Role.LEARNER, "/pelatihan/{kas}/materi/3/kuis/2", "Soal dengan beberapa jawaban."),
    Screen("soal-jodoh", Role.LEARNER, "/pelatihan/{kas}/materi/3/kuis/3", "Soal memasangkan."),
    Screen("soal-urut", Role.LEARNER, "/pelatihan/{kas}/materi/3/kuis/4", "Soal mengurutkan."),
    Screen("soal-isian", Role.LEARNER, "/pelatihan/{kas}/materi/3/kuis/5", "Soal dengan jawaban singkat."),
    Screen("soal-angka", Role.LEARNER, "/pelatihan/{kas}/materi/3/kuis/6", "Soal dengan bilangan."),
    Screen("latihan", Role.LEARNER, "/pelatihan/{kas}/materi/2/kuis", "Kuis latihan di tengah pelatihan."),
    Screen("siap-dikirim", Role.LEARNER, "/pelatihan/{plans}/materi/12/kuis", "Semua soal dijawab.", all_answered),
    Screen("hasil", Role.LEARNER, "/pelatihan/{kas}/materi/2/kuis/hasil", "Hasil dan pembahasan.", handed_in, is_main=True),
    Screen("kemajuan", Role.LEARNER, "/kemajuan", "Kemajuan belajar saya.", is_main=True),
    Screen("sertifikat-saya", Role.LEARNER, "/sertifikat", "Sertifikat saya."),
    Screen("periksa-sertifikat", Role.NOBODY, "/periksa", "Memeriksa sertifikat."),
    Screen("periksa-tidak-sah", Role.NOBODY, "/P/BUKANKODE", "Kode yang tidak dapat dibaca."),
    Screen("kabar", Role.NOBODY, "/kabar", "Kabar dari pusat."),
    Screen("sinkronisasi", Role.NOBODY, "/sinkronisasi", "Apa yang sudah sampai di pusat.", is_main=True),
    Screen("flashdisk", Role.NOBODY, "/flashdisk", "Flashdisk terpasang."),
    Screen("flashdisk-aman", Role.NOBODY, "/flashdisk/proses", "Aman dicabut.", saved_to_stick),
    Screen("flashdisk-belum", Role.NEW, "/flashdisk", "Belum ada flashdisk."),
    Screen("flashdisk-hilang", Role.OPERATOR, "/flashdisk/hilang", "Flashdisk hilang."),
    Screen("flashdisk-hilang-daftar", Role.OPERATOR, "/flashdisk/hilang/{bundle}", "Siapa yang datanya di situ."),
    Screen("operator-masuk", Role.NOBODY, "/operator/masuk", "Masuk sebagai operator desa."),
    Screen("operator-salah", Role.NOBODY, "/operator/masuk", "Kata sandi salah.", typed(password="bukan ini")),
    Screen("operator-lupa", Role.NOBODY, "/operator/lupa", "Lupa kata sandi operator."),
    Screen("operator-peserta", Role.OPERATOR, "/operator", "Peserta di laptop ini.", is_main=True),
    Screen("operator-nama-kosong", Role.OPERATOR, "/operator", "Nama tidak boleh kosong.", typed(name="")),
    Screen("operator-satu-peserta", Role.OPERATOR, "/operator/peserta/{learner}", "Seorang peserta."),
    Screen("operator-sertifikat", Role.OPERATOR, "/operator/peserta/{learner}/sertifikat", "Sertifikat seorang peserta."),
    Screen("operator-pelatihan", Role.OPERATOR, "/operator/pelatihan", "Pelatihan: memasang dan mengambil."),
    Screen("halaman-tidak-ada", Role.NOBODY, "/tidak-ada", "Alamat yang keliru."),
    Screen("formulir-lama", Role.NOBODY, "/masuk/{newcomer}", "Formulir terlalu lama terbuka.", without_token),
    Screen("operator-kelas", Role.OPERATOR, "/operator/kelas", "Kelas: semua pelatihan."),
    Screen("operator-kelas-satu", Role.OPERATOR, "/operator/kelas/{money}", "Kelas: siapa sampai di mana.", is_main=True),
    Screen("operator-banyak", Role.OPERATOR, "/operator/peserta/banyak", "Menambah banyak peserta."),
    Screen("operator-banyak-periksa", Role.OPERATOR, "/operator/peserta/banyak", "Setiap baris diperiksa dulu.", typed(list=MANY)),
    Screen("operator-banyak-kosong", Role.OPERATOR, "/operator/peserta/banyak", "Daftar masih kosong.", typed(list="")),
    Screen("operator-perangkat", Role.OPERATOR, "/operator/perangkat", "Periksa perangkat.", is_main=True),
    Screen("operator-cadangan", Role.OPERATOR, "/operator/cadangan", "Cadangan."),
    Screen("operator-cadangan-keliru", Role.OPERATOR, "/operator/cadangan", "Tempat yang tidak ada.", wrong_backup_place),
    Screen("operator-cadangan-kertas", Role.OPERATOR, "/operator/cadangan/kertas", "Kertas pemulihan."),
    Screen("operator-cadangan-pulihkan", Role.OPERATOR, "/operator/cadangan/pulihkan?dari={copy}", "Sebelum memulihkan."),
    Screen("operator-mulai", Role.OPERATOR, "/operator/mulai", "Setelah laptop disiapkan."),
    Screen("operator-alamat-pusat", Role.OPERATOR, "/operator/pusat", "Alamat pusat."),
    Screen("siapkan-desa", Role.FIRST, "/siapkan/desa", "Memilih desa.", is_main=True),
    Screen("siapkan-desa-cari", Role.FIRST, "/siapkan/desa?q=sekalak", "Desa yang ditemukan."),
    Screen("siapkan-desa-tidak-ada", Role.FIRST, "/siapkan/desa?q=zzzz", "Desa tidak ditemukan."),
    Screen("siapkan-desa-terpilih", Role.ANSWERED, "/siapkan/desa", "Desa terpilih."),
    Screen("siapkan-pusat", Role.ANSWERED, "/siapkan/pusat", "Menghubungkan dengan pusat.", is_main=True),
    Screen("siapkan-pusat-keliru", Role.ANSWERED, "/siapkan/pusat", "Alamat yang keliru.", typed(invitation="bukan alamat")),
    Screen("siapkan-pusat-flashdisk", Role.ANSWERED, "/siapkan/pusat/flashdisk", "Kunci pusat dari flashdisk."),
    Screen("siapkan-sandi", Role.ANSWERED, "/siapkan/sandi", "Kata sandi operator."),
    Screen("siapkan-sandi-pendek", Role.ANSWERED, "/siapkan/sandi", "Kata sandi terlalu pendek.", typed(password="abc", again="abc")),
    Screen("siapkan-hotspot", Role.ANSWERED, "/siapkan/hotspot", "Ponsel lewat hotspot."),
    Screen("siapkan-cadangan", Role.ANSWERED, "/siapkan/cadangan", "Tempat cadangan."),
    Screen("siapkan-ringkasan", Role.ANSWERED, "/siapkan/ringkasan", "Ringkasan sebelum disiapkan.", is_main=True),
    Screen("baru-kosong", Role.NEW, "/", "Laptop baru: belum ada peserta."),
    Screen("baru-operator", Role.NEW, "/operator/masuk", "Laptop baru: membuat kata sandi operator."),
    Screen("baru-sinkronisasi", Role.NEW, "/sinkronisasi", "Laptop baru: belum pernah disinkronkan."),
    Screen("baru-kabar", Role.NEW, "/kabar", "Laptop baru: belum ada kabar."),
)  # fmt: skip


def places(shown: Shown) -> Mapping[str, object]:
    """The numbers that stand in addresses."""
    node = shown.desa.node
    courses = {manifest.course_id: number for number, manifest in manifests(node).items()}
    people = node.learning.learners()
    return {
        "learner": next(one.number for one in people if one.name == LEARNER),
        "newcomer": next(one.number for one in people if one.name != LEARNER),
        "money": courses["pengelolaan-keuangan-desa"],
        "plans": courses["perencanaan-pembangunan-desa"],
        "kas": courses["kas-desa-sekalak"],
        "bundle": list_written(node)[0].bundle.hex(),
        "copy": snapshots.listed(node.config.data)[0].path.stem,
    }


class Visitor:
    """A browser in which each role has its own cookies."""

    def __init__(self, chromium: Any, shown: Shown) -> None:
        self.chromium, self.shown, self.places = chromium, shown, places(shown)
        self._cookies: dict[Role, Any] = {}

    def address(self, screen: Screen) -> str:
        shown = self.shown
        elsewhere = {Role.NEW: shown.baru, Role.FIRST: shown.kotak, Role.ANSWERED: shown.siap}
        return elsewhere.get(screen.role, shown.desa).address + screen.address.format(**self.places)

    @contextmanager
    def open(self, screen: Screen, width: int, looks: str = "", **options: object) -> Iterator[Any]:
        """The page of a screen, at its last step; `looks` is what the cookie of the same name says."""
        size = {"width": width, "height": SIZES[width]}
        context = self.chromium.new_context(
            viewport=size, storage_state=self._cookies_of(screen.role), **options
        )
        if looks:
            context.add_cookies([{"name": "tampilan", "value": looks, "url": self.address(screen)}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(self.address(screen))
        if screen.steps is not None:
            screen.steps(page)
        yield page
        context.close()

    def _cookies_of(self, role: Role) -> Any:
        if role not in (Role.LEARNER, Role.OPERATOR):
            return None
        if role not in self._cookies:
            context = self.chromium.new_context()
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            (self._enter_learner if role is Role.LEARNER else self._enter_operator)(page)
            self._cookies[role] = context.storage_state()
            context.close()
        return self._cookies[role]

    def prepare(self) -> None:
        """Let everybody have been here before: the learner has a PIN, the operator a password."""
        for role in (Role.LEARNER, Role.OPERATOR):
            self._cookies_of(role)

    def _enter_learner(self, page: Any) -> None:
        page.goto(f"{self.shown.desa.address}/masuk/{self.places['learner']}")
        typed(pin=PIN, **({"again": PIN} if page.locator("[name=again]").count() else {}))(page)
        page.wait_for_url("**/pelatihan")

    def _enter_operator(self, page: Any) -> None:
        page.goto(f"{self.shown.desa.address}/operator/masuk")
        typed(password=PASSWORD, **({"again": PASSWORD} if page.locator("[name=again]").count() else {}))(
            page
        )
        page.wait_for_url("**/operator")
