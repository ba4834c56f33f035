"""Courses for the operator: what is here, what the centre gives out, how large it is, and taking it."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node import courses, offers
from node.desk import desk, for_operator
from node.errors import UnknownThingError
from web.languages import gettext as _

blueprint = Blueprint("packs", __name__, url_prefix="/operator/pelatihan")


@blueprint.get("")
@for_operator
def listed() -> ResponseReturnValue:
    node = desk().node
    return render_template(
        "packs.html", installed=courses.manifests(node), offers=offers.offers(node), problem=""
    )


@blueprint.post("")
@for_operator
def choose() -> ResponseReturnValue:
    node = desk().node
    try:
        manifest_hash = bytes.fromhex(request.form.get("pack", ""))
    except ValueError:
        abort(404)
    wanted = request.form.get("wanted") == "1"
    try:
        offers.choose(node, manifest_hash, wanted)
    except UnknownThingError as refusal:
        flash(refusal.sentence(_), "warn")
    else:
        if wanted:
            node.worker.sync_soon()
            flash(
                _(
                    "Akan diambil saat ada sinyal, dan dilanjutkan bila terputus. Flashdisk petugas dapat membawanya lebih cepat."
                )
            )
        else:
            flash(_("Tidak diambil. Yang sudah terunduh tetap ada."))
    return redirect(url_for("packs.listed"))
