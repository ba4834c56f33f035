"""Periksa perangkat: how this laptop is, what to do now, and the news of a power cut for everybody's first page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node import inspection
from node.desk import desk, for_operator, is_operator
from node.doctor import Mark, checks, worst
from node.incidents import SHOWN_MS, Incident, What
from sync.errors import LontarError
from sync.machine import Machine
from web.dates import number
from web.languages import gettext as _
from web.qr import drawn

FIRST_PAGE: Final = "learner.choose"
_TEST_SIZE: Final = 64 * 1024
_CODES_MOST: Final = 3

blueprint = Blueprint("device", __name__, url_prefix="/operator/perangkat")


@blueprint.get("")
@for_operator
def show() -> ResponseReturnValue:
    found = inspection.findings(desk().node, int(request.environ["SERVER_PORT"]))
    listed = checks(found, _)
    addresses = [f"http://{address}:{found.port}" for address in found.addresses[:_CODES_MOST]]
    return render_template(
        "device.html",
        checks=listed,
        worst=worst(listed),
        marks=Mark,
        codes=[
            (address, drawn(address, _("Alamat %(address)s", address=address))) for address in addresses
        ],
        drives=desk().visits.drives(),
    )


@blueprint.post("/basis-data")
@for_operator
def examine() -> ResponseReturnValue:
    if inspection.examine_database(desk().node):
        flash(_("Basis data sudah diperiksa menyeluruh: semuanya utuh."))
    else:
        flash(_("Ada yang rusak. Matikan laptop lalu nyalakan lagi; Lontar memperbaikinya."), "bad")
    return redirect(url_for("device.show"))


@blueprint.post("/flashdisk")
@for_operator
def try_stick() -> ResponseReturnValue:
    place = Path(request.form.get("di", ""))
    if not any(drive.path == place for drive in desk().visits.drives()):
        flash(_("Flashdisk itu tidak terpasang lagi."), "warn")
        return redirect(url_for("device.show"))
    try:
        inspection.try_stick(place, Machine().random_bytes(_TEST_SIZE))
    except LontarError as problem:
        flash(problem.sentence(_), "bad")
    else:
        flash(_("Flashdisk %(name)s baik: yang ditulis terbaca kembali.", name=place.name))
    return redirect(url_for("device.show"))


@blueprint.post("/kejadian")
@for_operator
def acknowledge() -> ResponseReturnValue:
    desk().node.incidents.acknowledge()
    return redirect(url_for("device.show"))


@blueprint.app_context_processor
def news() -> dict[str, Any]:
    return {"device_news": _news}


def _news() -> list[dict[str, Any]]:
    """What stands above a page: an incident for everybody on the first page and for the operator; the disk for the operator."""
    node, operator = desk().node, is_operator()
    told: list[dict[str, Any]] = []
    incident = node.incidents.now()
    if incident is not None and (operator or _is_fresh()):
        told.append(
            {
                "text": sentence(incident, operator),
                "kind": "" if incident.what <= What.RESTORED else "warn",
                "is_incident": operator,
            }
        )
    if operator:
        room = node.ballast.room()
        if room.is_low:
            told.append({"text": _room_text(room.is_given_up), "kind": "warn", "is_incident": False})
    return told


def _is_fresh() -> bool:
    node = desk().node
    return request.endpoint == FIRST_PAGE and node.recorder.now() - node.incidents.since_t < SHOWN_MS


def _room_text(is_given_up: bool) -> str:
    if is_given_up:
        return _(
            "Penyimpanan hampir penuh dan ruang darurat sedang dipakai. Belajar masih berjalan; kosongkan ruang hari ini."
        )
    return _("Penyimpanan hampir penuh. Belajar tetap berjalan, tetapi pelatihan baru tidak diambil dulu.")


def sentence(incident: Incident, for_operator: bool) -> str:
    """What happened, whether the work is safe, and for the operator where the old files lie."""
    count, missing = number(incident.entries), number(incident.missing or 0) if incident.missing else None
    if incident.what is What.CUT:
        text = _(
            "Listrik padam. Pekerjaan terakhir dipulihkan: %(count)s catatan, tidak ada yang hilang.",
            count=count,
        )
    elif incident.what is What.REBUILT:
        text = _(
            "Basis data sempat rusak dan sudah diperbaiki: %(count)s catatan, tidak ada yang hilang.",
            count=count,
        )
    elif incident.what is What.RESTORED:
        text = _("Data dipulihkan dari cadangan: %(count)s catatan.", count=count)
        if missing:
            text += " " + _("%(count)s catatan yang lebih baru tidak ada di sini.", count=missing)
    elif incident.what is What.RECENT_UNSURE:
        text = _(
            "Listrik padam. %(count)s catatan dipulihkan, tetapi pekerjaan beberapa menit terakhir mungkin hilang. Periksa jawaban terakhir Anda.",
            count=count,
        )
    elif incident.what is What.LOST:
        text = _(
            "Basis data hilang dan laptop ini mulai dari awal. Yang sudah sampai di pusat diambil lagi dari sana."
        )
    elif missing:
        text = _(
            "Basis data rusak. %(count)s catatan dipulihkan, %(missing)s tidak terbaca. Yang sudah dikonfirmasi pusat kembali sendiri.",
            count=count,
            missing=missing,
        )
    else:
        text = _(
            "Basis data rusak. %(count)s catatan dipulihkan; mungkin ada pekerjaan terakhir yang tidak terbaca. Periksa jawaban terakhir Anda.",
            count=count,
        )
    if for_operator and incident.aside:
        text += " " + _("Berkas lama disimpan di folder %(folder)s.", folder=incident.aside)
    return text
