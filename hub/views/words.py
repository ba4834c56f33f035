"""What states and alerts are called on the pages, and what an operator should do about each."""

from __future__ import annotations

from typing import Final

from flask import Flask

from sync.errors import N_
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
}


def prepare(app: Flask) -> None:
    app.jinja_env.filters.update(
        state_word=lambda state: _(STATES[state]),
        level_word=lambda code: _(LEVELS[len(code)]),
        alert_title=lambda kind: _(ALERTS[kind][0]) if kind in ALERTS else kind,
        alert_advice=lambda kind: _(ALERTS[kind][1]) if kind in ALERTS else "",
        device_number=lambda device: device.hex()[:12],
        stretch=stretch,
    )


def stretch(ms: int) -> str:
    """A stretch of time in the unit that people would use."""
    minutes = max(1, round(ms / 60_000))
    if minutes < 120:
        return _("%(count)s menit", count=minutes)
    if minutes < 48 * 60:
        return _("%(count)s jam", count=round(minutes / 60))
    return _("%(count)s hari", count=number(round(minutes / 1440)))
