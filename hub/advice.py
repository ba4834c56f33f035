"""What an officer should do next about a village that is silent. Pure: what is known comes in, steps come out.

The first step is the one to take now; what follows it is to be seen to on the same occasion. Knows no words but the
sentences themselves, and nothing of where the facts come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sync.errors import N_

VISIT_MS: Final = 60 * 24 * 3600 * 1000
"""A village that wasn't heard of for this long isn't waited for at the telephone any more."""


class Step(IntEnum):
    """What to do, the most urgent first: the order in which villages are listed."""

    DECIDE = 0
    """Only the centre can: nothing of this village counts until it has decided."""
    SEEK = 1
    """A bundle that somebody took along hasn't come."""
    REPLACE = 2
    BEGIN = 3
    VISIT = 4
    CALL = 5
    WAIT = 6
    SET_CLOCK = 7
    BRING_PACKS = 8


STEPS: Final[dict[Step, str]] = {
    Step.DECIDE: N_("Putuskan perangkatnya"),
    Step.SEEK: N_("Cari flashdisk yang terlambat"),
    Step.REPLACE: N_("Ganti laptop yang dicabut"),
    Step.BEGIN: N_("Bantu sambungan pertama"),
    Step.VISIT: N_("Kunjungi desanya"),
    Step.CALL: N_("Hubungi desanya"),
    Step.WAIT: N_("Tunggu flashdisk di jalan"),
}
"""What the first step is called in lists."""

SENTENCES: Final[dict[Step, str]] = {
    Step.DECIDE: N_("Setujui atau tolak perangkat yang menunggu; sebelum itu kirimannya tidak dihitung."),
    Step.SEEK: N_("Tanyakan kepada %(who)s di mana flashdisk yang tercatat sejak %(when)s."),
    Step.REPLACE: N_(
        "Laptop desa ini dicabut: buat kode pendaftaran dan antarkan untuk laptop penggantinya."
    ),
    Step.BEGIN: N_(
        "Hubungi operator desa: laptopnya terdaftar, tetapi belum pernah terhubung. Bantu sambungan pertamanya."
    ),
    Step.VISIT: N_("Kirim petugas dengan flashdisk: desa ini sudah %(stretch)s tidak terdengar."),
    Step.CALL: N_(
        "Hubungi operator desa, tanyakan jaringan dan listriknya, dan minta menyinkronkan atau menyimpan ke flashdisk."
    ),
    Step.WAIT: N_("Tunggu flashdisk yang di perjalanan sejak %(when)s (%(who)s)."),
    Step.SET_CLOCK: N_("Minta operator desa menyetel jam laptop yang %(off)s."),
    Step.BRING_PACKS: N_("Bawakan paket pelatihan: %(packs)s."),
}
"""One sentence for each step; what stands in it is said by whoever shows it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the centre knows of a village. Times are milliseconds since 1970 by the hub's clock, None if never.

    `since_ms` is since when it is silent; `road_ms` when the oldest bundle that hasn't arrived was first heard of;
    `clocks_ms` how far each wrong clock was ahead; `packs` what its laptops lack of what is promised to them.
    """

    registered: int
    waiting: int
    since_ms: int
    heard_ms: int | None
    road_ms: int | None = None
    is_overdue: bool = False
    couriers: tuple[str, ...] = ()
    clocks_ms: tuple[int, ...] = ()
    packs: tuple[str, ...] = ()


def first(known: Known, now_ms: int) -> Step:
    """The one thing to do now."""
    if not known.registered:
        return Step.DECIDE if known.waiting else Step.REPLACE
    if known.road_ms is not None:
        return Step.SEEK if known.is_overdue else Step.WAIT
    if known.heard_ms is None:
        return Step.BEGIN
    return Step.VISIT if known.since_ms < now_ms - VISIT_MS else Step.CALL


def steps(known: Known, now_ms: int) -> Sequence[Step]:
    """What to do now, then what to see to on the same occasion."""
    also = [Step.DECIDE] if known.registered and known.waiting else []
    # A laptop that nobody uses any more needs neither the right time nor courses.
    if known.registered and known.clocks_ms:
        also.append(Step.SET_CLOCK)
    if known.registered and known.packs:
        also.append(Step.BRING_PACKS)
    return [first(known, now_ms), *also]
