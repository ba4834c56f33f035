"""The village operator forgot the password: a code that the centre reads out by telephone. Only at the laptop itself."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.desk import at_the_laptop, begin_sitting, desk
from node.learners import OPERATOR
from node.views.operator import password_problem
from sync.errors import LontarError
from sync.keys import key_id
from web.languages import gettext as _

blueprint = Blueprint("unlock", __name__, url_prefix="/operator/lupa")


@blueprint.route("", methods=["GET", "POST"])
def show() -> ResponseReturnValue:
    if not at_the_laptop():
        return render_template("unlock.html", elsewhere=True), 403
    if not desk().secrets.is_set(OPERATOR):
        return redirect(url_for("operator.enter"))
    problem, status = "", 200
    if request.method == "POST":
        password = request.form.get("password", "")
        problem, status = password_problem(password, request.form.get("again", "")), 422
        if not problem:
            try:
                desk().unlocking.open(request.form.get("code", ""), password)
            except LontarError as refusal:
                problem = refusal.sentence(_)
            else:
                begin_sitting(OPERATOR)
                flash(_("Kata sandi operator sudah diganti. Pembukaan ini dicatat dalam catatan kegiatan."))
                return redirect(url_for("operator.learners"))
    challenge = desk().unlocking.challenge()
    device = key_id(desk().node.config.device_key.public).hex()[:12]
    page = render_template("unlock.html", challenge=challenge, device=device, problem=problem)
    return page, status
