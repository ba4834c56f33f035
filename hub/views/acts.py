"""What operators did, the newest first; for those who audit the whole centre."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hub import audit
from hub.db import reading
from hub.queries import said
from hub.roles import Right
from hub.views.desk import PAGE, hub, needs, page_number, pages_of
from sync.errors import N_

WORDS: Final = {
    "accounts.end": N_("Mengakhiri akun"),
    "accounts.invite": N_("Mengundang operator"),
    "accounts.invite_again": N_("Mengundang operator lagi"),
    "alerts.handle": N_("Menyatakan peringatan sudah ditangani"),
    "alerts.reopen": N_("Membuka lagi peringatan"),
    "announcements.post": N_("Menulis pengumuman"),
    "api_keys.end": N_("Mengakhiri kunci API"),
    "api_keys.hook": N_("Menambah webhook"),
    "api_keys.make": N_("Membuat kunci API"),
    "api_keys.resume": N_("Melanjutkan webhook"),
    "api_keys.unhook": N_("Mengakhiri webhook"),
    "certificate_queue.confirm": N_("Menyetujui sertifikat"),
    "certificate_queue.refuse": N_("Menolak sertifikat"),
    "certificate_queue.take_back": N_("Mengembalikan sertifikat ke antrean"),
    "certificate_rules.number": N_("Mengganti pola nomor sertifikat"),
    "certificate_rules.write": N_("Mengganti aturan sertifikat"),
    "certificates.issue": N_("Menerbitkan sertifikat yang tertunda"),
    "certificates.withdraw": N_("Menarik sertifikat"),
    "codes.issue": N_("Membuat kode pendaftaran"),
    "couriers.add": N_("Menambah petugas"),
    "couriers.revoke": N_("Mencabut akses petugas"),
    "devices.approve": N_("Menyetujui perangkat"),
    "devices.decide": N_("Memutuskan karantina"),
    "devices.give_code": N_("Memberi kode pembuka"),
    "devices.refuse": N_("Menolak perangkat"),
    "devices.revise": N_("Mengubah keputusan karantina"),
    "devices.revoke": N_("Mencabut perangkat"),
    "exports.alerts": N_("Mengunduh tabel peringatan"),
    "exports.bundles": N_("Mengunduh buku kiriman"),
    "exports.certificates": N_("Mengunduh tabel sertifikat"),
    "exports.couriers": N_("Mengunduh tabel petugas"),
    "exports.learners": N_("Mengunduh tabel peserta"),
    "learners.erase": N_("Menghapus data pribadi"),
    "learners.merge": N_("Menggabungkan peserta"),
    "learners.separate": N_("Memisahkan peserta"),
    "own.begin_code": N_("Menyiapkan kode ponsel untuk akun sendiri"),
    "own.change_password": N_("Mengganti kata sandi sendiri"),
    "own.confirm_code": N_("Memakai kode ponsel untuk akun sendiri"),
    "own.forget_passkey": N_("Menghapus kunci sandi sendiri"),
    "own.leave_others": N_("Mengeluarkan akun sendiri di tempat lain"),
    "own.leave_place": N_("Mengeluarkan akun sendiri di satu tempat"),
    "own.take_passkey": N_("Menambah kunci sandi untuk akun sendiri"),
    "own.take_code_away": N_("Melepas kode ponsel dari akun sendiri"),
    "pack.publish": N_("Membagikan pelatihan"),
    "packs.upload": N_("Membawa paket ke pusat"),
    "packs.withdraw": N_("Menarik paket"),
    "rosters.erase": N_("Menghapus daftar nama desa"),
    "rosters.keep": N_("Menyimpan daftar nama desa"),
    "rosters.preview": N_("Memeriksa daftar nama desa"),
    "sticks.receive": N_("Menerima isi flashdisk"),
    "sticks.send": N_("Menyiapkan flashdisk untuk desa"),
}
"""What each page's function that acts is called in the list."""

AT_SERVER: Final = {
    "keys.share": N_("Membagi kunci akar"),
    "keys.propose": N_("Mengusulkan daftar kunci"),
    "keys.approve": N_("Menyetujui daftar kunci"),
    "keys.activate": N_("Memberlakukan daftar kunci"),
    "keys.rotate": N_("Mengganti kunci seorang diri"),
}
"""What is done by a command, and by no page."""

blueprint = Blueprint("acts", __name__)


@blueprint.get("/jejak")
@needs(Right.AUDIT)
def listed() -> ResponseReturnValue:
    with reading(hub().engine) as connection:
        total = said.count(connection, audit.SCOPE)
        page = min(page_number(), pages_of(total))
        rows = said.in_scope(connection, audit.SCOPE, PAGE, (page - 1) * PAGE)
    return render_template(
        "acts.html", acts=rows, words=WORDS | AT_SERVER, total=total, page=page, pages=pages_of(total)
    )
