"""Devices: which are silent, which wait for a decision, and the decision itself."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub import registry
from hub.db import reading
from hub.queries import alerts, devices, regions
from hub.views.desk import PAGE, hub, page_number, pages_of
from hub.views.places import bytes_or_404
from hub.views.words import STATES
from web.languages import gettext as _

ALERTS_SHOWN = 20

blueprint = Blueprint("devices", __name__)


@blueprint.get("/perangkat")
def listed() -> ResponseReturnValue:
    state = request.args.get("keadaan", "")
    if state not in STATES:
        state = ""
    now_ms = hub().intake.now_ms()
    with reading(hub().engine) as connection:
        total = devices.count(connection, state, now_ms)
        page = min(page_number(), pages_of(total))
        rows = devices.listed(connection, state, now_ms, PAGE, (page - 1) * PAGE)
        names = regions.names(connection, {row.village for row in rows})
    return render_template(
        "devices.html",
        devices=rows,
        names=names,
        state=state,
        states=STATES,
        total=total,
        now_ms=now_ms,
        page=page,
        pages=pages_of(total),
    )


@blueprint.get("/perangkat/<number>")
def device(number: str) -> ResponseReturnValue:
    with reading(hub().engine) as connection:
        found = devices.find(connection, bytes_or_404(number)) or abort(404)
        logs = devices.logs(connection, found.pk)
        rows = alerts.listed(connection, ALERTS_SHOWN, device=found.pk)
        names = regions.names(connection, {found.village})
    return render_template(
        "device.html", device=found, logs=logs, alerts=rows, names=names, now_ms=hub().intake.now_ms()
    )


@blueprint.post("/perangkat/<number>/setujui")
def approve(number: str) -> ResponseReturnValue:
    registry.approve(hub().engine, bytes_or_404(number), hub().intake.now_ms())
    flash(_("Perangkat disetujui. Yang sudah dikirimnya kini ikut dihitung."))
    return redirect(url_for("devices.device", number=number))


@blueprint.post("/perangkat/<number>/tolak")
def refuse(number: str) -> ResponseReturnValue:
    registry.refuse(hub().engine, bytes_or_404(number), hub().intake.now_ms())
    flash(_("Perangkat ditolak."))
    return redirect(url_for("devices.device", number=number))


@blueprint.post("/perangkat/<number>/cabut")
def revoke(number: str) -> ResponseReturnValue:
    registry.revoke(hub().engine, bytes_or_404(number), hub().intake.now_ms())
    flash(_("Perangkat dicabut. Yang sudah diterima tetap ada; kiriman berikutnya dikarantina."))
    return redirect(url_for("devices.device", number=number))
