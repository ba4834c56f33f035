"""Registration codes: an operator makes one for a village and hands it over by telephone or letter."""

from __future__ import annotations

import secrets

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from hub import registry
from hub.errors import HubError
from hub.queries import regions
from hub.roles import Right
from hub.views import typed
from hub.views.desk import hub, needs, operator, seen
from sync.invitation import Invitation
from web.languages import gettext as _
from web.qr import drawn

blueprint = Blueprint("codes", __name__)


@blueprint.get("/kode")
@needs(Right.REGISTER)
def form() -> ResponseReturnValue:
    return _page(request.args.get("desa", ""))


@blueprint.post("/kode")
@needs(Right.REGISTER)
def issue() -> ResponseReturnValue:
    """The code is shown once: only what proves it is kept."""
    village = request.form.get("village", "").strip()
    if len(village) != regions.VILLAGE:
        return _page(village, _("Kode desa terdiri dari 10 angka, misalnya 17.05.10.2007.")), 422
    try:
        with seen() as connection:
            typed.own_region(connection, village, operator().standing)
        code = registry.issue_code(hub().engine, village, secrets.token_bytes, hub().intake.now_ms())
    except HubError as refusal:
        return _page(village, refusal.sentence(_)), 422
    invitation = Invitation(_address(), code)
    with seen() as connection:
        names = regions.names(connection, {village})
    return render_template(
        "code.html",
        invitation=invitation,
        drawing=drawn(str(invitation), _("Alamat pusat dan kode pendaftaran sebagai kode QR")),
        village=village,
        names=names,
        days=registry.CODE_DAYS,
    )


def _address() -> str:
    """Where villages reach this centre: as its settings say, else as this browser reaches it."""
    if hub().config.public_url:
        return hub().config.public_url
    is_https = "https" in (request.scheme, request.headers.get("X-Forwarded-Proto"))
    return f"{'https' if is_https else 'http'}://{request.host}"


def _page(village: str, problem: str = "") -> str:
    return render_template("code_form.html", village=village, problem=problem)
