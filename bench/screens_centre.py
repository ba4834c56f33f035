"""All screens of the centre, who sees them and how one gets there: a new page is one line in `SCREENS`.

bench/pictures.py photographs them, tests/browser/test_access_centre.py checks them. Needs playwright.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import select

from bench.screens import PATIENCE_MS, SIZES, Steps, typed
from bench.shown_centre import (
    DOUBLE,
    MONEY,
    NEXT_DOOR,
    OPERATOR,
    PUBLISHER,
    SEKALAK,
    STOLEN,
    Centre,
    pack_of,
)
from bench.world import PASSWORD
from hub import certificates, schema
from hub.db import reading
from hub.queries import certificates as issued
from hub.queries import duplicates
from sync.keys import key_id


class Account(Enum):
    """Who sits there; the value is the account's name, and empty for who has none."""

    NOBODY = ""
    NATION = "operator"
    REGENCY = OPERATOR
    PUBLISHER = PUBLISHER
    AUDITOR = "Inspektorat"

    @property
    def says(self) -> str:
        """What the list of screens calls them."""
        return {
            Account.NOBODY: "Pusat: siapa saja",
            Account.NATION: "Pusat: operator nasional",
            Account.REGENCY: "Pusat: operator kabupaten",
            Account.PUBLISHER: "Pusat: penerbit pelatihan",
            Account.AUDITOR: "Pusat: auditor",
        }[self]


@dataclass(frozen=True)
class Screen:
    """One screen. In `address`, {names} are those of `places`; `says` is its line in the list."""

    name: str
    role: Account
    address: str
    says: str
    steps: Steps | None = None


NOBODY, NATION, REGENCY = Account.NOBODY, Account.NATION, Account.REGENCY

SCREENS: Final = (
    Screen("pusat-masuk", NOBODY, "/masuk", "Masuk ke pusat."),
    Screen("pusat-masuk-salah", NOBODY, "/masuk", "Kata sandi salah.", typed(name="operator", password="keliru")),
    Screen("pusat-periksa", NOBODY, "/periksa", "Memeriksa sertifikat."),
    Screen("pusat-periksa-sah", NOBODY, "/P/{code}", "Yang dilihat siapa pun yang memindai sertifikat."),
    Screen("pusat-ringkasan", REGENCY, "/", "Halaman depan: yang menunggu dan keseluruhan."),
    Screen("pusat-kemajuan", NATION, "/kemajuan", "Kemajuan seluruh Indonesia."),
    Screen("pusat-kemajuan-kabupaten", REGENCY, "/kemajuan/17.05", "Kemajuan satu kabupaten."),
    Screen("pusat-kemajuan-desa", REGENCY, "/kemajuan/{village}", "Kemajuan satu desa."),
    Screen("pusat-wilayah-indonesia", NATION, "/wilayah", "Provinsi yang punya perangkat."),
    Screen("pusat-wilayah", REGENCY, "/wilayah/17.05.10", "Desa-desa satu kecamatan."),
    Screen("pusat-desa", REGENCY, "/wilayah/{village}", "Satu desa dan pesertanya."),
    Screen("pusat-peserta", REGENCY, "/peserta/{one}", "Seorang peserta."),
    Screen("pusat-pelatihan", REGENCY, "/pelatihan", "Pelatihan yang diikuti."),
    Screen("pusat-pelatihan-satu", REGENCY, "/pelatihan/{money}", "Satu pelatihan menurut desa."),
    Screen("pusat-soal", REGENCY, "/soal", "Soal menurut pelatihan dan versi."),
    Screen("pusat-soal-satu", REGENCY, "/soal/{money}", "Soal mana yang perlu diperbaiki."),
    Screen("pusat-perangkat", REGENCY, "/perangkat", "Laptop desa."),
    Screen("pusat-perangkat-dicabut", REGENCY, "/perangkat/{stolen}", "Laptop yang dicabut, dengan kirimannya di karantina."),
    Screen("pusat-flashdisk", REGENCY, "/flashdisk", "Menerima dan menyiapkan flashdisk."),
    Screen("pusat-peringatan", REGENCY, "/peringatan", "Peringatan."),
    Screen("pusat-lainnya", REGENCY, "/lainnya", "Lainnya."),
    Screen("pusat-keputusan", REGENCY, "/keputusan", "Semua yang perlu diputuskan."),
    Screen("pusat-senyap", REGENCY, "/senyap", "Desa yang senyap dan langkah berikutnya."),
    Screen("pusat-senyap-keliru", REGENCY, "/senyap?lama=nol", "Isian yang keliru."),
    Screen("pusat-senyap-rute", REGENCY, "/senyap/rute/17.05.10", "Daftar kunjungan untuk dicetak."),
    Screen("pusat-orang-sama", REGENCY, "/orang-sama", "Peserta yang mungkin tercatat dua kali."),
    Screen("pusat-orang-sama-banding", REGENCY, "/peserta/{one}/gabung/{other}", "Buktinya, dan akibat penggabungan."),
    Screen("pusat-orang-sama-cari", REGENCY, "/peserta/{one}/gabung?q=siti", "Mencari orang yang sama."),
    Screen("pusat-daftar-nama", REGENCY, "/daftar-nama", "Daftar nama desa."),
    Screen("pusat-daftar-nama-desa", REGENCY, "/daftar-nama/{village}", "Siapa belum mulai belajar."),
    Screen("pusat-kode", REGENCY, "/kode", "Kode pendaftaran laptop."),
    Screen("pusat-buku-kiriman", REGENCY, "/buku-kiriman", "Kiriman lewat flashdisk."),
    Screen("pusat-petugas", REGENCY, "/petugas", "Petugas pembawa data."),
    Screen("pusat-pengumuman", REGENCY, "/pengumuman", "Pengumuman."),
    Screen("pusat-sertifikat", REGENCY, "/sertifikat", "Sertifikat yang terbit."),
    Screen("pusat-sertifikat-antrean", REGENCY, "/sertifikat/antrean", "Sertifikat yang menunggu persetujuan."),
    Screen("pusat-sertifikat-aturan", NATION, "/sertifikat/aturan", "Aturan dan nomor sertifikat."),
    Screen("pusat-akun", REGENCY, "/akun", "Akun operator."),
    Screen("pusat-akun-saya", REGENCY, "/akun-saya", "Akun saya."),
    Screen("pusat-kunci-api", REGENCY, "/kunci-api", "Kunci API dan webhook."),
    Screen("pusat-api", NOBODY, "/api", "Cara membaca data lewat API."),
    Screen("pusat-paket", Account.PUBLISHER, "/paket", "Paket yang dibagikan."),
    Screen("pusat-paket-satu", Account.PUBLISHER, "/paket/{pack}", "Satu paket: isi, pemeriksaan, membagikan."),
    Screen("pusat-paket-materi", Account.PUBLISHER, "/paket/{pack}/materi/10", "Materi seperti dilihat peserta, dengan kunci."),
    Screen("pusat-tidak-berhak", Account.PUBLISHER, "/sertifikat/antrean", "Bagian yang tidak untuk peran ini."),
    Screen("pusat-jejak", Account.AUDITOR, "/jejak", "Yang dikerjakan operator."),
)  # fmt: skip


def places(centre: Centre) -> Mapping[str, object]:
    """What stands in addresses; the first certificate that waits is confirmed for it."""
    hub = centre.hub
    with reading(hub.engine) as connection:
        first = certificates.waiting(connection, SEKALAK.code)[0]
    certificates.confirm(hub.engine, hub.config, first.learner, first.course_key, hub.intake.now_ms())
    money, pack = pack_of(hub, MONEY)
    with reading(hub.engine) as connection:
        numbers = connection.execute(
            select(schema.certificates.c.number).order_by(schema.certificates.c.pk)
        )
        code = issued.code_of(connection, hub.config, numbers.scalars().all()[-1])
        pairs, _ = duplicates.found(connection, SEKALAK.code[:5])
    pair = next(pair for pair in pairs if {pair.one.name, pair.other.name} == set(DOUBLE))
    return {
        "village": SEKALAK.code,
        "code": (code or "").rpartition("/")[2],
        "one": pair.one.id.hex(),
        "other": pair.other.id.hex(),
        "money": money.course_key.hex(),
        "pack": pack.hex(),
        "stolen": key_id(centre.nodes[STOLEN.code].config.device_key.public).hex(),
    }


class Visitor:
    """A browser in which each account has its own cookies."""

    def __init__(self, chromium: Any, centre: Centre) -> None:
        self._chromium, self.centre, self.places = chromium, centre, places(centre)
        self._cookies: dict[Account, Any] = {}

    @contextmanager
    def open(self, screen: Screen, width: int) -> Iterator[Any]:
        """The page of a screen, at its last step."""
        size = {"width": width, "height": SIZES[width]}
        context = self._chromium.new_context(viewport=size, storage_state=self._cookies_of(screen.role))
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(self.centre.address + screen.address.format(**self.places))
        if screen.steps is not None:
            screen.steps(page)
        yield page
        context.close()

    def prepare(self) -> None:
        """Let everybody have done something, so that there is a trail."""
        for account in Account:
            self._cookies_of(account)
        page = self._chromium.new_context(storage_state=self._cookies_of(REGENCY)).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{self.centre.address}/kode?desa={NEXT_DOOR.code}")
        typed(village=NEXT_DOOR.code)(page)
        page.goto(f"{self.centre.address}/pengumuman")
        typed(title="Rapat bulanan", text="Hari Senin pukul 09.00 di kantor camat.", region="17.05.10")(
            page
        )
        page.context.close()

    def _cookies_of(self, account: Account) -> Any:
        if account is Account.NOBODY:
            return None
        if account not in self._cookies:
            context = self._chromium.new_context()
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"{self.centre.address}/masuk")
            typed(name=account.value, password=PASSWORD)(page)
            self._cookies[account] = context.storage_state()
            context.close()
        return self._cookies[account]
