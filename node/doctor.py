"""Periksa perangkat: what was found of this laptop, judged: good, needs attention, broken, and what to do now.

Pure: from findings to checks. Who finds them is `inspection`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from node.ballast import Room
from sync.errors import LontarError

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
CLOCK_OFF_MS: Final = 10 * 60_000
COPY_OLD_MS: Final = 30 * HOUR_MS
"""Powered-on time: about a week in a village office."""
CONTACT_OLD_MS: Final = 30 * DAY_MS
PENDING_MANY: Final = 20_000
MEMORY_LOW: Final = 150 << 20
MB: Final = 1 << 20

Translate = Callable[[str], str]


class Mark(Enum):
    GOOD = "good"
    ATTENTION = "attention"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do now if anything. `command` can be copied."""

    title: str
    mark: Mark
    found: str
    advice: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What `inspection` found. Times are milliseconds; ages of copies are powered-on time."""

    wall_ms: int
    wall_text: str
    built_ms: int
    contact_ms: int | None
    hub_now_ms: int | None
    zone: str
    room: Room
    database_is_whole: bool | None
    database_checked: str
    snapshot_age_ms: int | None
    place: str
    place_is_there: bool
    place_is_same_disk: bool
    copy_age_ms: int | None
    backup_error: LontarError | None
    addresses: tuple[str, ...]
    port: int
    is_reached: bool | None
    firewall: str
    pending: int
    registration: str
    sync_error: LontarError | None
    version: str
    memory_free: int | None


def checks(found: Findings, translate: Translate) -> list[Check]:
    """Everything, what is wrong first."""
    judges = (
        _clock,
        _disk,
        _database,
        _snapshot,
        _second_copy,
        _ballast,
        _address,
        _port,
        _contact,
        _pending,
        _memory,
        _version,
    )
    order = list(Mark)
    made = [judge(found, translate) for judge in judges]
    return sorted(made, key=lambda check: order.index(check.mark), reverse=True)


def worst(found: list[Check]) -> Mark:
    marks = {check.mark for check in found}
    return next((mark for mark in (Mark.BROKEN, Mark.ATTENTION) if mark in marks), Mark.GOOD)


def _clock(found: Findings, _: Translate) -> Check:
    title = _("Jam")
    said = _("Jam laptop: %(time)s, zona %(zone)s.") % {"time": found.wall_text, "zone": found.zone}
    advice = _("Setel tanggal dan jam laptop. Hasil belajar tidak rusak karenanya.")
    if found.wall_ms < found.built_ms:
        return Check(title, Mark.ATTENTION, said + " " + _("Itu sebelum Lontar dipasang di sini."), advice)
    if found.contact_ms is not None and found.wall_ms < found.contact_ms - CLOCK_OFF_MS:
        return Check(
            title, Mark.BROKEN, said + " " + _("Itu sebelum kontak terakhir dengan pusat."), advice
        )
    if found.hub_now_ms is not None and found.wall_ms < found.hub_now_ms - CLOCK_OFF_MS:
        return Check(
            title,
            Mark.ATTENTION,
            said + " " + _("Jam ini terlambat dibandingkan dengan jam pusat."),
            advice,
        )
    return Check(title, Mark.GOOD, said)


def _disk(found: Findings, _: Translate) -> Check:
    title = _("Ruang penyimpanan")
    said = _("%(free)s kosong dari %(total)s.") % {
        "free": _size(found.room.free),
        "total": _size(found.room.total),
    }
    if found.room.is_given_up and found.room.free < 2 * found.room.wanted:
        return Check(
            title,
            Mark.BROKEN,
            said,
            _(
                "Segera kosongkan: hapus atau pindahkan foto, film, dan unduhan. Folder Lontar jangan disentuh."
            ),
        )
    if found.room.is_low:
        return Check(
            title,
            Mark.ATTENTION,
            said,
            _("Kosongkan ruang. Belajar tetap berjalan, tetapi pelatihan baru tidak diambil dulu."),
        )
    return Check(title, Mark.GOOD, said)


def _database(found: Findings, _: Translate) -> Check:
    title = _("Basis data")
    if found.database_is_whole is None:
        return Check(title, Mark.GOOD, _("Diperiksa singkat saat Lontar dimulai: utuh."))
    said = _("Diperiksa menyeluruh: %(time)s.") % {"time": found.database_checked}
    if found.database_is_whole:
        return Check(title, Mark.GOOD, said + " " + _("Semuanya utuh."))
    return Check(
        title,
        Mark.BROKEN,
        said + " " + _("Ada yang rusak."),
        _("Matikan laptop, lalu nyalakan lagi: Lontar memperbaiki saat dimulai dan mengatakan hasilnya."),
    )


def _snapshot(found: Findings, _: Translate) -> Check:
    title = _("Cadangan di laptop")
    if found.snapshot_age_ms is None:
        return Check(
            title,
            Mark.ATTENTION,
            _("Belum ada."),
            _("Lontar membuatnya sendiri. Anda juga dapat membuatnya di halaman Cadangan."),
        )
    said = _("Yang terbaru dibuat %(age)s.") % {"age": _age(found.snapshot_age_ms, _)}
    return Check(title, Mark.GOOD, said)


def _second_copy(found: Findings, _: Translate) -> Check:
    title = _("Cadangan di tempat kedua")
    advice = _("Pasang flashdisk cadangan, atau pilih tempat lain di halaman Cadangan.")
    if not found.place:
        return Check(
            title,
            Mark.ATTENTION,
            _("Belum dipilih. Bila disk laptop rusak, yang belum dikirim ke pusat hilang."),
            _("Pilih flashdisk atau folder di halaman Cadangan."),
        )
    said = _("Tempat: %(place)s.") % {"place": found.place}
    if found.backup_error is not None:
        return Check(title, Mark.ATTENTION, said + " " + found.backup_error.sentence(_), advice)
    if found.place_is_same_disk:
        return Check(
            title, Mark.ATTENTION, said + " " + _("Itu disk yang sama dengan data Lontar."), advice
        )
    if found.copy_age_ms is None:
        return Check(title, Mark.ATTENTION, said + " " + _("Belum ada salinan di sana."), advice)
    said += " " + _("Salinan terakhir dibuat %(age)s.") % {"age": _age(found.copy_age_ms, _)}
    if found.copy_age_ms > COPY_OLD_MS:
        return Check(title, Mark.ATTENTION, said, advice)
    return Check(title, Mark.GOOD, said)


def _ballast(found: Findings, _: Translate) -> Check:
    title = _("Ruang darurat")
    if found.room.is_given_up:
        return Check(
            title,
            Mark.ATTENTION,
            _("Sedang dipakai atau belum disisihkan, karena disk hampir penuh."),
            _("Kosongkan ruang; Lontar menyisihkannya lagi sendiri."),
        )
    return Check(
        title,
        Mark.GOOD,
        _("%(size)s disisihkan untuk hari disk penuh.") % {"size": _size(found.room.ballast)},
    )


def _address(found: Findings, _: Translate) -> Check:
    title = _("Alamat untuk ponsel")
    if not found.addresses:
        return Check(
            title,
            Mark.ATTENTION,
            _("Laptop ini tidak terhubung ke jaringan atau hotspot mana pun."),
            _("Nyalakan hotspot laptop ini, lalu muat ulang halaman ini."),
        )
    said = ", ".join(f"http://{address}:{found.port}" for address in found.addresses)
    return Check(title, Mark.GOOD, said)


def _port(found: Findings, _: Translate) -> Check:
    title = _("Pintu untuk ponsel")
    if found.is_reached is None:
        return Check(
            title, Mark.GOOD, _("Tidak diperiksa: tidak ada jaringan, atau halaman sedang tidak dilayani.")
        )
    if found.is_reached:
        return Check(
            title,
            Mark.GOOD,
            _("Port %(port)s terbuka pada alamat laptop ini.") % {"port": found.port},
            _("Bila ponsel tetap tidak dapat membukanya, izinkan port itu di tembok api:"),
            found.firewall,
        )
    return Check(
        title,
        Mark.BROKEN,
        _("Port %(port)s tidak dapat dicapai pada alamat laptop ini.") % {"port": found.port},
        _("Izinkan Lontar di tembok api (firewall). Perintahnya, sebagai administrator:"),
        found.firewall,
    )


def _contact(found: Findings, _: Translate) -> Check:
    title = _("Kontak dengan pusat")
    advice = _("Cari sinyal dan buka Sinkronisasi, atau kirim lewat flashdisk.")
    if found.contact_ms is None:
        return Check(title, Mark.ATTENTION, _("Belum pernah."), advice)
    days = max(0, found.wall_ms - found.contact_ms) // DAY_MS
    said = _("%(days)s hari yang lalu.") % {"days": days} if days else _("Kurang dari sehari yang lalu.")
    if found.registration in ("refused", "revoked"):
        return Check(
            title, Mark.BROKEN, said + " " + _("Pusat tidak menerima laptop ini."), _("Hubungi Dinas PMD.")
        )
    if days * DAY_MS > CONTACT_OLD_MS:
        return Check(title, Mark.ATTENTION, said, advice)
    if found.sync_error is not None:
        return Check(title, Mark.ATTENTION, said + " " + found.sync_error.sentence(_), advice)
    return Check(title, Mark.GOOD, said)


def _pending(found: Findings, _: Translate) -> Check:
    title = _("Belum dikonfirmasi pusat")
    said = _("%(count)s catatan; semuanya tersimpan di laptop ini.") % {"count": found.pending}
    if found.pending > PENDING_MANY:
        return Check(title, Mark.ATTENTION, said, _("Kirim lewat sinyal atau flashdisk."))
    return Check(title, Mark.GOOD, said)


def _memory(found: Findings, _: Translate) -> Check:
    title = _("Memori")
    if found.memory_free is None:
        return Check(title, Mark.GOOD, _("Tidak dapat dilihat di sistem ini."))
    said = _("%(free)s bebas.") % {"free": _size(found.memory_free)}
    if found.memory_free < MEMORY_LOW:
        return Check(title, Mark.ATTENTION, said, _("Tutup program lain yang tidak dipakai."))
    return Check(title, Mark.GOOD, said)


def _version(found: Findings, _: Translate) -> Check:
    return Check(_("Versi Lontar"), Mark.GOOD, found.version)


def _size(count: int) -> str:
    """In whole GB or MB: nobody needs more to decide what to delete."""
    return f"{count // (1024 * MB)} GB" if count >= 10 * 1024 * MB else f"{count // MB} MB"


def _age(powered_ms: int, _: Translate) -> str:
    hours = powered_ms // HOUR_MS
    if hours:
        return _("%(hours)s jam menyala yang lalu") % {"hours": hours}
    return _("kurang dari satu jam yang lalu")
