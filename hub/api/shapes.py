"""The answers of the read API as types. What stands here is what is sent, and what the OpenAPI description says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta, Struct

from sync.errors import N_

Code = Annotated[str, Meta(description=N_("Kode wilayah: 17, 17.05, 17.05.10 atau 17.05.10.2007."))]
Id = Annotated[str, Meta(description=N_("32 angka heksadesimal."), pattern="^[0-9a-f]{32}$")]
Moment = Annotated[datetime, Meta(tz=True, description=N_("Menurut jam pusat, dalam UTC."))]
Count = Annotated[int, Meta(ge=0)]
Score = Annotated[float, Meta(ge=0, le=100, description=N_("Dalam persen."))]


def moment(ms: int) -> datetime:
    """Milliseconds since 1970 as they stand in an answer: whole seconds."""
    return datetime.fromtimestamp(ms // 1000, UTC)


def maybe(ms: int | None) -> datetime | None:
    return None if ms is None else moment(ms)


def percent(hundredths: int | None) -> float | None:
    return None if hundredths is None else hundredths / 100


class Region(Struct, kw_only=True):
    """A region with what its registered devices sent."""

    code: Code
    parent: Annotated[str, Meta(description=N_("Kode satu tingkat di atasnya; kosong untuk provinsi."))]
    name: str
    level: Annotated[
        str,
        Meta(
            description=N_(
                "province (provinsi), regency (kabupaten), district (kecamatan) atau village (desa)."
            )
        ),
    ]
    devices: Annotated[Count, Meta(description=N_("Perangkat terdaftar."))]
    waiting: Annotated[Count, Meta(description=N_("Perangkat yang menunggu persetujuan."))]
    learners: Count
    completions: Annotated[
        Count, Meta(description=N_("Pelatihan yang selesai, tiap orang dan pelatihan sekali."))
    ]
    entries: Annotated[Count, Meta(description=N_("Catatan yang sudah digabungkan."))]
    last_contact: Moment | None


class Entries(Struct):
    """Log entries of a device that the hub holds, by what became of them."""

    merged: Count
    stored: Annotated[Count, Meta(description=N_("Menunggu digabungkan."))]
    gap: Annotated[Count, Meta(description=N_("Menunggu bagian sebelumnya yang hilang."))]
    unreadable: Count
    quarantined: Count


class Pack(Struct):
    """The newest version of a course on a device."""

    course: Id
    version: Count


class Device(Struct, kw_only=True):
    """A laptop of a village."""

    id: Id
    village: Code
    state: Annotated[
        str,
        Meta(
            description=N_(
                "waiting (menunggu), registered (terdaftar), refused (ditolak) atau revoked (dicabut)."
            )
        ),
    ]
    silent: Annotated[bool, Meta(description=N_("Terdaftar dan 14 hari tanpa kabar."))]
    first_seen: Moment
    registered: Moment | None
    last_contact: Annotated[Moment | None, Meta(description=N_("Lewat jaringan."))]
    last_stick: Annotated[Moment | None, Meta(description=N_("Lewat flashdisk yang dibawa petugas."))]
    clock_off_seconds: Annotated[
        int | None,
        Meta(
            description=N_("Berapa detik jam perangkat mendahului pada kontak terakhir; null bila benar.")
        ),
    ]
    entries: Entries
    packs: list[Pack]


class Course(Struct, kw_only=True):
    """A course over all its versions."""

    id: Id
    title: str | None
    versions: list[int]
    started: Count
    completed: Count
    average_score: Annotated[Score | None, Meta(description=N_("Rata-rata nilai terbaik tes akhir."))]


class CourseCount(Struct, kw_only=True):
    """How far the people of a region have come in a course."""

    course: Id
    title: str | None
    started: Count
    completed: Count
    average_score: Score | None


class Progress(Struct, kw_only=True):
    """A region with the courses that were begun there."""

    code: Code
    name: str
    courses: list[CourseCount]


class LearnerCourse(Struct, kw_only=True):
    """How far a person has come in a course."""

    course: Id
    title: str | None
    done: Annotated[Count, Meta(description=N_("Materi yang selesai."))]
    lessons: Annotated[
        Count | None, Meta(description=N_("Semua materi; null bila paketnya tidak dikenal pusat ini."))
    ]
    best_score: Annotated[Score | None, Meta(description=N_("Dari tes akhir."))]
    seconds: Count
    completed: bool


class Learner(Struct, kw_only=True):
    """A person. Name and position are only for tokens that may see names."""

    id: Id
    identities: Annotated[
        list[Id], Meta(description=N_("Orang yang sama di semua log; dapat bertambah dan berkurang."))
    ]
    village: Code
    name: str | None
    position: str | None
    courses: list[LearnerCourse]


class Certificate(Struct, kw_only=True):
    """A certificate. Name and reason are only for tokens that may see names."""

    number: str
    learner: Id
    name: str | None
    course: Id
    title: str
    village: Code
    issued: Moment
    withdrawn: Moment | None
    reason: str | None


class Alert(Struct, kw_only=True):
    """What needs, or needed, a person's eye."""

    id: Count
    kind: str
    device: Id
    village: Code
    raised: Moment
    open: bool
    handled: Moment | None


class Problem(Struct, kw_only=True):
    """Why there is no answer (RFC 9457)."""

    type: Annotated[str, Meta(description=N_("Alamat yang menjelaskan masalah sejenis ini."))]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str


ItemT = TypeVar("ItemT")


class Page(Struct, Generic[ItemT]):
    """Some of what was asked for. `next` goes into `after` for what follows; null at the end."""

    items: list[ItemT]
    next: Annotated[
        str | None, Meta(description=N_("Isikan ke after untuk halaman berikutnya; null bila habis."))
    ]


Answer = Page[Any] | Struct
