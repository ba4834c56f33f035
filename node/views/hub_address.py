"""Where the centre is, and the code that registers this laptop there: filled in or corrected by the operator at any time."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.desk import desk, for_operator
from sync.errors import LontarError
from sync.invitation import TEXT_MOST, read_invitation
from web.languages import gettext as _

blueprint = Blueprint("hub_address", __name__, url_prefix="/operator/pusat")


@blueprint.get("")
@for_operator
def show() -> ResponseReturnValue:
    return _page(desk().node.worker.hub_url)


@blueprint.post("")
@for_operator
def keep() -> ResponseReturnValue:
    worker, typed = desk().node.worker, request.form.get("invitation", "")
    try:
        invitation = read_invitation(typed)
    except LontarError as refusal:
        return _page(typed[:TEXT_MOST], refusal.sentence(_)), 422
    worker.use_hub(invitation.hub_url)
    if invitation.code is not None and worker.state().registration != "registered":
        worker.keep_code(str(invitation.code))
    worker.sync_soon()
    flash(
        _(
            "Alamat pusat disimpan. Lontar mencoba menghubunginya; muat ulang halaman ini untuk melihat hasilnya."
        )
    )
    return redirect(url_for("sync_state.show"))


def _page(value: str, problem: str = "") -> str:
    state = desk().node.worker.state()
    return render_template(
        "hub_address.html", value=value, problem=problem, is_registered=state.registration == "registered"
    )
