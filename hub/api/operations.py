"""Everything that can be asked of the read API, once: served by `app`, described by `description`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from hub.api import answers, questions, shapes
from hub.api.answers import Asker
from hub.api.questions import Paged
from sync.errors import N_


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is read page by page."""

    name: str
    says: str
    item: type
    question: type[Paged]
    read: Callable[[Connection, Asker, Any], shapes.Page[Any]]


@dataclass(frozen=True, slots=True)
class Single:
    """One thing by its id, beside the list of the same name."""

    name: str
    says: str
    item: type
    read: Callable[[Connection, Asker, bytes], Any]


LISTINGS: Final = (
    Listing(
        "regions",
        N_("Wilayah langsung di bawah satu wilayah, dengan angka-angkanya"),
        shapes.Region,
        questions.ByCode,
        answers.regions,
    ),
    Listing(
        "villages",
        N_("Semua desa dalam satu wilayah, juga yang belum punya perangkat"),
        shapes.Region,
        questions.ByCode,
        answers.villages,
    ),
    Listing(
        "devices",
        N_("Perangkat: keadaan, kontak terakhir, jam, paket yang terpasang"),
        shapes.Device,
        questions.OfDevices,
        answers.devices,
    ),
    Listing(
        "courses",
        N_("Pelatihan: berapa orang memulai dan menyelesaikannya di wilayah kunci"),
        shapes.Course,
        questions.OfCourses,
        answers.courses,
    ),
    Listing(
        "progress",
        N_("Kemajuan setiap pelatihan menurut wilayah langsung di bawah satu wilayah"),
        shapes.Progress,
        questions.OfProgress,
        answers.progress_,
    ),
    Listing(
        "learners",
        N_("Peserta dengan kemajuannya; nama hanya untuk kunci yang boleh melihat nama"),
        shapes.Learner,
        questions.OfLearners,
        answers.learners,
    ),
    Listing(
        "certificates",
        N_("Sertifikat yang terbit dan yang ditarik"),
        shapes.Certificate,
        questions.OfCertificates,
        answers.certificates,
    ),
    Listing(
        "alerts",
        N_("Peringatan: yang terbuka dan yang sudah selesai"),
        shapes.Alert,
        questions.OfAlerts,
        answers.alerts,
    ),
)

SINGLES: Final = (
    Single("devices", N_("Satu perangkat"), shapes.Device, answers.device),
    Single("learners", N_("Satu peserta, dengan salah satu nomornya"), shapes.Learner, answers.learner),
)
