"""Keys with which programs of others read this hub, and webhooks that they are told by; shown once, ended at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub import outbox, tokens, webhooks
from hub.errors import HubError
from hub.queries import regions
from hub.roles import Right
from hub.views import typed
from hub.views.desk import NUMBER, hub, needs, operator, seen
from sync.errors import N_
from web.languages import gettext as _
from web.zones import ZONES

blueprint = Blueprint("api_keys", __name__)

KINDS: Final = {
    outbox.DEVICE_REGISTERED: N_("Perangkat terdaftar"),
    outbox.DEVICE_REVOKED: N_("Perangkat dicabut"),
    outbox.CERTIFICATE_ISSUED: N_("Sertifikat terbit"),
    outbox.CERTIFICATE_WITHDRAWN: N_("Sertifikat ditarik"),
    outbox.ALERT_RAISED: N_("Peringatan baru"),
    outbox.COURSE_COMPLETED: N_("Pelatihan diselesaikan (jumlah orang per desa)"),
}
"""What each kind of happening is called on the page."""


@blueprint.get("/kunci-api")
@needs(Right.MANAGE)
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("/kunci-api")
@needs(Right.MANAGE, fresh=True)
def make() -> ResponseReturnValue:
    """The token is shown once: only its hash is kept."""
    try:
        name = typed.one_line("name", tokens.NAME_MOST, N_("Tulis untuk program apa kunci ini."))
        region = _region()
        sees_names = request.form.get("sees_names") == "1"
        made_by, now_ms = operator().name, hub().intake.now_ms()
        token = tokens.make(hub().engine, name, region, sees_names, made_by, secrets.token_hex, now_ms)
    except HubError as refusal:
        return _page(token_problem=refusal.sentence(_)), 422
    return render_template("api_key_made.html", name=name, token=token)


@blueprint.post(f"/kunci-api/{NUMBER}/akhiri")
@needs(Right.MANAGE)
def end(number: int) -> ResponseReturnValue:
    with seen() as connection:
        token = tokens.find(connection, number) or abort(404)
    tokens.end(hub().engine, number, hub().intake.now_ms())
    flash(_("Kunci %(name)s diakhiri: program yang memakainya tidak dijawab lagi.", name=token.name))
    return redirect(url_for("api_keys.listed"))


@blueprint.post("/kunci-api/webhook")
@needs(Right.MANAGE, fresh=True)
def hook() -> ResponseReturnValue:
    """The secret is shown once: the receiver needs it to check who speaks."""
    url = request.form.get("url", "").strip()
    try:
        region, kinds = _region(), request.form.getlist("kinds")
        made_by, now_ms = operator().name, hub().intake.now_ms()
        secret = webhooks.add(hub().engine, url, kinds, region, made_by, secrets.token_bytes, now_ms)
    except HubError as refusal:
        return _page(webhook_problem=refusal.sentence(_)), 422
    return render_template("webhook_made.html", url=url, secret=secret)


@blueprint.post(f"/kunci-api/webhook/{NUMBER}/akhiri")
@needs(Right.MANAGE)
def unhook(number: int) -> ResponseReturnValue:
    return _changed(number, lambda: webhooks.end(hub().engine, number), _("Webhook diakhiri."))


@blueprint.post(f"/kunci-api/webhook/{NUMBER}/lanjutkan")
@needs(Right.MANAGE)
def resume(number: int) -> ResponseReturnValue:
    told = _("Webhook dilanjutkan: kejadian mulai sekarang dikirim lagi.")
    return _changed(number, lambda: webhooks.resume(hub().engine, number), told)


def _changed(number: int, change: Callable[[], None], told: str) -> ResponseReturnValue:
    with seen() as connection:
        if webhooks.find(connection, number) is None:
            abort(404)
    change()
    flash(told)
    return redirect(url_for("api_keys.listed"))


def _region() -> str:
    with seen() as connection:
        code = typed.region_code(request.form.get("region", ""))
        return typed.own_region(connection, code, operator().standing)


def _page(token_problem: str = "", webhook_problem: str = "") -> str:
    with seen() as connection:
        keys, hooks = tokens.listed(connection), webhooks.listed(connection)
        names = regions.names(connection, {one.scope for one in keys} | {one.scope for one in hooks})
    return render_template(
        "api_keys.html",
        keys=keys,
        hooks=hooks,
        names=names,
        kinds=KINDS,
        token_problem=token_problem,
        webhook_problem=webhook_problem,
        name_most=tokens.NAME_MOST,
        url_most=webhooks.URL_MOST,
        day_of=_day_of,
    )


def _day_of(ms: int) -> date:
    return datetime.fromtimestamp(ms / 1000, ZONES[current_app.config["ZONE"]]).date()
