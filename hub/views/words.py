"""What states and alerts are called on the pages, and what an operator should do about each."""

from __future__ import annotations

from typing import Final

from flask import Flask

from hub.audit import AT_SERVER
from hub.roles import NAMES, Role
from sync import decisions
from sync.entries import Kind
from sync.errors import N_
from sync.keys import key_id
from web.dates import number
from web.languages import gettext as _

STATES: Final = {
    "registered": N_("Terdaftar"),
    "waiting": N_("Menunggu persetujuan"),
    "refused": N_("Ditolak"),
    "revoked": N_("Dicabut"),
    "silent": N_("Lama tidak terhubung"),
}

LEVELS: Final = {
    0: N_("Indonesia"),
    2: N_("Provinsi"),
    5: N_("Kabupaten/Kota"),
    8: N_("Kecamatan"),
    13: N_("Desa/Kelurahan"),
}

ALERTS: Final = {
    "fork": (
        N_("Catatan bercabang"),
        N_(
            "Dua salinan perangkat ini menulis sendiri-sendiri, biasanya karena disk disalin atau "
            "cadangan dipulihkan. Semua catatan dari kedua salinan tetap dihitung. Tanyakan kepada desa "
            "laptop mana yang dipakai, dan hentikan pemakaian salinannya."
        ),
    ),
    "unreadable": (
        N_("Bagian tidak terbaca"),
        N_(
            "Segel digitalnya benar, tetapi isinya belum dapat dibaca, misalnya karena desa memakai "
            "Lontar yang lebih baru. Bagian itu disimpan utuh dan dibaca setelah pusat diperbarui."
        ),
    ),
    "behind": (
        N_("Perangkat kembali ke keadaan lama"),
        N_(
            "Perangkat ini mengenal lebih sedikit catatan daripada yang sudah dikirimnya, biasanya karena "
            "cadangan lama dipulihkan. Yang sudah diterima pusat tetap aman."
        ),
    ),
    "ahead": (
        N_("Pusat kehilangan catatan perangkat"),
        N_(
            "Perangkat ini sudah mengirim catatan yang kini tidak ada di pusat, biasanya karena pusat "
            "dipulihkan dari cadangan. Perangkat mengirimnya lagi sendiri; biarkan desa terhubung atau "
            "membawa flashdisk sekali lagi."
        ),
    ),
    "hub-lost": (
        N_("Pusat kehilangan keputusannya sendiri"),
        N_(
            "Perangkat ini memegang keputusan yang disegel pusat dan kini tidak ada di pusat, biasanya "
            "karena pusat dipulihkan dari cadangan. Pusat sudah melanjutkan dengan log baru. Periksa "
            "keputusan terakhir untuk desa ini, dan ulangi yang hilang."
        ),
    ),
    "strange-kind": (
        N_("Perangkat menulis yang hanya boleh ditulis pusat"),
        N_(
            "Catatan seperti itu disimpan dan tidak berpengaruh apa pun. Laptop ini mungkin memakai program "
            "yang diubah: hubungi desa, dan cabut perangkatnya bila tidak ada penjelasan."
        ),
    ),
    "bad-item": (
        N_("Sebagian isi flashdisk ditolak"),
        N_(
            "Paket data dari perangkat ini memuat bagian yang rusak atau tidak sah. Bagian lain tetap "
            "diterima. Minta desa menyimpan sekali lagi ke flashdisk lain."
        ),
    ),
    "bad-manifest": (
        N_("Paket data palsu"),
        N_(
            "Sebuah paket data mengaku dari perangkat ini, tetapi segelnya bukan milik perangkat ini. "
            "Isinya tidak diterima. Tanyakan kepada petugas dari mana flashdisk itu."
        ),
    ),
}

OVER: Final = "selesai"
"""The state, in addresses, of alerts that were handled or ended by themselves."""

BUNDLES: Final = {
    "overdue": N_("Terlambat"),
    "under-way": N_("Di perjalanan"),
    "arrived": N_("Sudah tiba"),
}

COURIERS: Final = {
    "waiting": N_("Kode belum dipakai"),
    "registered": N_("Terdaftar"),
    "revoked": N_("Dicabut"),
}


def prepare(app: Flask) -> None:
    app.jinja_env.filters.update(
        state_word=lambda state: _(STATES[state]),
        level_word=lambda code: _(LEVELS[len(code)]),
        alert_title=lambda kind: _(ALERTS[kind][0]) if kind in ALERTS else kind,
        alert_advice=lambda kind: _(ALERTS[kind][1]) if kind in ALERTS else "",
        device_number=lambda device: device.hex()[:12],
        stretch=stretch,
        bundle_word=lambda state: _(BUNDLES[state]),
        courier_word=lambda state: _(COURIERS[state]),
        said=said,
        role_word=role_word,
    )


def stretch(ms: int) -> str:
    """A stretch of time in the unit that people would use."""
    minutes = max(1, round(ms / 60_000))
    if minutes < 120:
        return _("%(count)s menit", count=minutes)
    if minutes < 48 * 60:
        return _("%(count)s jam", count=round(minutes / 60))
    return _("%(count)s hari", count=number(round(minutes / 1440)))


def role_word(role: str) -> str:
    return _("Baris perintah server") if role == AT_SERVER else _(NAMES[Role(role)])


def said(kind: Kind) -> str:
    """A decision of this hub in one phrase."""
    match kind:
        case decisions.DeviceRegistered():
            return _("Perangkat %(number)s didaftarkan", number=key_id(kind.public_key).hex()[:12])
        case decisions.DeviceRevoked():
            device, why = kind.device.hex()[:12], kind.reason or "–"
            return _("Perangkat %(number)s dicabut: %(reason)s", number=device, reason=why)
        case decisions.LearnersMerged() | decisions.LearnersSeparated():
            one, other = kind.one.hex()[:12], kind.other.hex()[:12]
            if isinstance(kind, decisions.LearnersMerged):
                return _("Peserta %(one)s dan %(other)s digabungkan", one=one, other=other)
            return _("Peserta %(one)s dan %(other)s dipisahkan", one=one, other=other)
        case decisions.BundleReceived():
            return _(
                "Kiriman flashdisk diterima: %(parts)s dari %(of)s bagian", parts=kind.parts, of=kind.of
            )
        case decisions.PersonalDataErased():
            return _("Data pribadi seorang peserta dihapus")
        case decisions.EntriesRejected():
            count = number(kind.count)
            return _("%(count)s catatan ditolak: %(reason)s", count=count, reason=kind.reason or "–")
        case decisions.EntriesAccepted():
            return _("%(count)s catatan dari karantina diterima", count=number(kind.count))
        case decisions.UnlockCodeGiven():
            return _("Kode pembuka diberikan untuk perangkat %(number)s", number=kind.device.hex()[:12])
        case decisions.AnnouncementPosted():
            return kind.title
        case decisions.PackPublished():
            title = kind.title or kind.course_key.hex()[:12]
            return _("Pelatihan %(title)s versi %(version)s dibagikan", title=title, version=kind.version)
        case decisions.PackWithdrawn():
            pack, why = kind.manifest_hash.hex()[:12], kind.reason or "–"
            return _("Paket pelatihan %(number)s ditarik: %(reason)s", number=pack, reason=why)
        case decisions.CertificateIssued():
            return _("Sertifikat %(number)s diterbitkan", number=kind.certificate)
        case decisions.CertificateWithdrawn():
            why = kind.reason or "–"
            return _("Sertifikat %(number)s ditarik: %(reason)s", number=kind.certificate, reason=why)
        case decisions.HubOperatorActed():
            return _("Tindakan operator: %(act)s", act=kind.act)
        case decisions.KeysRotated():
            return _("Kunci pusat diganti (versi %(version)s)", version=kind.keyset_version)
    return _("Keputusan lain (jenis %(number)s)", number=kind.number)
